"""Ten thousand malformed messages in a row: kept, each with its reason, while the good ones behind them get through."""

import pathlib
import re

import shapes
from contract import published
from installation import until

SHAPES = [*shapes.SMALL, shapes.ON_BROKER[0]]  # about buses: what is malformed never comes to a ledger
QUEUES = ("archive", "feed", "digest", "push")
FLOOD = 10_000
LISTED_MAX = 1_000
GROWTH_BYTES_MAX = 64 * 1024 * 1024


def size(process) -> int:
    """The most memory that a process ever held, in bytes."""
    status = (pathlib.Path("/proc") / str(process.process.pid) / "status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def test_a_flood_of_dead_letters_stalls_nobody_and_grows_nothing(install, bus):
    loa = install()
    loa.start("intake", "feed", "digest", "push")
    producer = bus(loa)
    producer.structured(published("before-the-flood"))
    until(20, "the one before the flood stands", lambda: "Tin before-the-flood" in loa.titles())
    before = {name: size(process) for name, process in loa.running.items()}
    for number in range(FLOOD):
        producer.raw(b'{"specversion":"1.0","id":"' + str(number).encode(), "article.published.tin-tuc", message_id=f"flood-{number}")
    producer.structured(published("behind-the-flood"))
    until(180, "the one behind the flood stands", lambda: "Tin behind-the-flood" in loa.titles())
    until(180, "every queue is empty", lambda: not any(producer.depth(f"loa.{queue}") for queue in QUEUES))
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
