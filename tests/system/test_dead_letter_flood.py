"""A flood of malformed messages: kept, each with its reason, while the good ones behind them get through.

Two sizes are compared by what was done for them, which services count: a letter among thousands costs what one among hundreds does.
"""

import pathlib
import re

import shapes
from contract import published
from installation import http, until

SHAPES = [*shapes.SMALL, shapes.ON_BROKER[0]]  # about buses: what is malformed never comes to a ledger
QUEUES = ("archive", "feed", "digest", "push")
LISTED_MAX = 1_000
FLOODS = (400, 1_600)  # more than a listing holds, together
GROWTH_BYTES_MAX = 64 * 1024 * 1024


def size(process) -> int:
    """The most memory that a process ever held, in bytes."""
    status = (pathlib.Path("/proc") / str(process.process.pid) / "status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def done(loa) -> dict[str, int]:
    """What services have done with messages so far: buried, given back, received a second time."""
    said = "".join(http("GET", f"{loa.url(name)}/metrics").text for name in loa.running)

    def total(metric: str, labels: str = "") -> int:
        found = re.findall(rf"^{metric}\{{([^}}]*)\}} (\d+)$", said, re.M)
        return sum(int(value) for named, value in found if labels in named)

    return {
        "buried": total("loa_messages_settled_total", 'as="dead"'),
        "given back": total("loa_messages_settled_total", 'as="retry"'),
        "received again": total("loa_messages_redelivered_total"),
    }


def flood(loa, producer, letters: int, name: str) -> dict[str, int]:
    """So many malformed messages and a good one behind them; returns what was done for them."""
    before = done(loa)
    for number in range(letters):
        producer.raw(b'{"specversion":"1.0","id":"' + str(number).encode(), "article.published.tin-tuc", message_id=f"{name}-{number}")
    producer.structured(published(name))
    until(180, "the one behind the flood stands", lambda: f"Tin {name}" in loa.titles())
    until(180, "every queue is empty", lambda: not any(producer.depth(f"loa.{queue}") for queue in QUEUES))
    until(60, "every letter is counted", lambda: done(loa)["buried"] - before["buried"] >= letters * len(QUEUES))
    return {what: count - before[what] for what, count in done(loa).items()}


def test_a_flood_of_dead_letters_stalls_nobody_and_grows_nothing(install, bus):
    loa = install()
    loa.start("intake", "feed", "digest", "push")
    producer = bus(loa)
    producer.structured(published("before-the-flood"))
    until(20, "the one before the flood stands", lambda: "Tin before-the-flood" in loa.titles())
    before = {name: size(process) for name, process in loa.running.items()}
    for letters in FLOODS:
        cost = flood(loa, producer, letters, f"behind-{letters}")
        assert cost == {"buried": letters * len(QUEUES), "given back": 0, "received again": 0}, "each once, however many there are"
    for name, process in loa.running.items():
        grown = size(process) - before[name]
        assert grown < GROWTH_BYTES_MAX, f"{name} grew by {grown >> 20} MiB"
    listing = loa.command("dead-letters", "list", "--queue", "feed").stdout
    assert f"only the oldest {LISTED_MAX:_}".replace("_", "") in listing
    assert re.search(rf"^{LISTED_MAX} +the body is cut short", listing, re.M), "one line for a thousand equal faults"
    # a letter that went behind the others when it was listed is found by its name
    listed = loa.json("dead-letters", "list", "--queue", "feed")[0]
    shown = loa.json("dead-letters", "show", listed["letter"])
    assert shown["message_id"] == listed["message_id"] and "cut short" in shown["reason"]
    assert loa.json("dead-letters", "discard", listed["letter"]) == {"discarded": [{"letter": listed["letter"], "message_id": listed["message_id"]}]}
