"""Bounded: what a backlog, a portal that never answers and a slow mail server cost in memory, and whether the feed feels it.

    tests/run backlog [--events 1000000] [--bytes 900] [--shape sqlite-rabbitmq] [--out FILE]

The backlog first stands in the queues, with no service running, then in the ledgers, with receivers that take nothing.
Memory is the most that each process ever had resident (VmHWM in /proc). What the feed feels is measured in pairs, with
and without the push and digest services at work on their backlogs, by turns, in one and the same run: figures are for
reading; only memory has a limit, since a busy machine makes any time.
"""

import argparse
import itertools
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator

import broker as rabbitmq
import database as postgresql
import shapes
from contract import Amqp, published
from flood import Event, flood
from installation import Installation, until
from queue_file import QueueFile
from receivers import DeadPortal, MailServer

MEBIBYTES_MAX = 256
SERVICES = ("intake", "feed", "digest", "push")
QUEUES = ("archive", "feed", "digest", "push")
TROUBLED = ("digest", "push")  # the services whose receivers are dead or slow
READERS = 10
PROBES = 20
ROUNDS = 2
SMTP_PAUSE_SECONDS = 2.0
DRAIN_SECONDS_MAX = 7200


def events(count: int, size: int, prefix: str, category: str = "kinh-te") -> Iterator[Event]:
    """So many articles of about `size` bytes. Written once, with the numbers put in: the flood should be the bus's pace.

    What fills them up is a field nobody knows: kept, and passed on to webhooks, but no HTML to be sanitised for seconds.
    """
    number = "0000000"
    model = published(f"{prefix}-{number}", title=f"Tin {prefix} {number}", category={"slug": category, "label": category.title()})
    model["id"] = f"event-{prefix}-{number}"
    bare = len(json.dumps(model, ensure_ascii=False).encode())
    model["data"]["ghi_chu"] = "x" * max(0, size - bare)
    text = json.dumps(model, ensure_ascii=False).encode()
    for n in range(count):
        this = f"{n:07}"
        yield model | {"id": f"event-{prefix}-{this}"}, text.replace(number.encode(), this.encode())


def resident(pid: int) -> tuple[float, float]:
    """What a process has resident now, and the most it ever had, in MiB."""
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return tuple(int(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))


class Backlog:
    """One measurement on one installation."""

    def __init__(self, loa: Installation, say=print):
        self.loa, self.say, self.report = loa, say, {}
        self.peaks: dict[str, float] = {}
        self.client = Amqp(loa.amqp_url) if loa.amqp_url else QueueFile(loa.folder / "data/bus.db")
        self.bursts = 0

    def depths(self) -> dict[str, int]:
        return {queue: self.client.depth(f"loa.{queue}") for queue in QUEUES}

    def look_at_memory(self) -> None:
        """A process that is stopped takes its peak with it, so it is kept here."""
        for name, process in self.loa.running.items():
            if process.alive():
                self.peaks[name] = max(self.peaks.get(name, 0), resident(process.process.pid)[1])

    def run(self, count: int, size: int) -> dict:
        """Everything in order; returns the figures."""
        self.flood(count, size)
        self.drain()
        opened = self.loa.command("digest", "run", expect=None)
        self.say(f"digest run: {(opened.stdout + opened.stderr).strip()[:200]}")
        pairs: dict[str, list[dict]] = {"troubled": [], "calm": []}
        for _ in range(ROUNDS):
            pairs["troubled"].append(self.feel(min(2000, max(200, count // 20)), size))
            self.look_at_memory()
            self.loa.stop(*TROUBLED)
            pairs["calm"].append(self.feel(min(2000, max(200, count // 20)), size))
            self.loa.start(*TROUBLED)
        self.look_at_memory()
        for name, figures in pairs.items():
            self.report[name] = {
                "visible_ms": [figure["visible_ms"] for figure in figures], "events_per_second": [figure["rate"] for figure in figures]}
            self.say(f"feed, {name}: " + "; ".join(
                f"visible after {figure['visible_ms']} ms (median), {figure['rate']} events/s" for figure in figures))
        self.report["mebibytes"] = {name: round(peak) for name, peak in sorted(self.peaks.items())}
        self.say("most resident, MiB: " + ", ".join(f"{name} {peak:.0f}" for name, peak in sorted(self.peaks.items())))
        return self.report

    def flood(self, count: int, size: int) -> None:
        """The backlog: confirmed, with no service running."""
        began = time.monotonic()
        made = flood(self.loa, events(count, size, "backlog"))
        taken = time.monotonic() - began
        self.say(f"{made} events of {size} bytes published in {taken:.0f} s ({made / taken:.0f}/s)")
        self.report |= {"events": made, "bytes": size, "published_per_second": round(made / taken)}

    def drain(self) -> None:
        """Starts the services and waits until the backlog has moved from the queues into the ledgers."""
        before = self.depths()
        began, done, told = time.monotonic(), {}, time.monotonic()
        self.loa.start(*SERVICES)
        while len(done) < len(QUEUES):
            self.look_at_memory()
            for queue, depth in self.depths().items():
                if depth == 0 and queue not in done:
                    done[queue] = time.monotonic() - began
                    self.say(f"loa.{queue} drained in {done[queue]:.0f} s ({before[queue] / done[queue]:.0f}/s)")
            if time.monotonic() - told > 30:
                told = time.monotonic()
                self.say(f"  left {self.depths()}; MiB {({name: round(peak) for name, peak in self.peaks.items()})}")
            assert time.monotonic() - began < DRAIN_SECONDS_MAX, f"not drained: {self.depths()}"
            assert all(process.alive() for process in self.loa.running.values()), self.loa.logs()[-3000:]
            time.sleep(0.2)
        self.report["drained_seconds"] = {queue: round(seconds, 1) for queue, seconds in done.items()}

    def feel(self, burst: int, size: int) -> dict:
        """How long one event takes to stand in its feed, and how many a second the feed takes in a burst."""
        feed = f"category-do-{self.bursts}"
        waits = []
        for probe in range(PROBES):
            message, body = next(events(1, min(size, 2000), f"do-{self.bursts}-{probe}", f"do-{self.bursts}"))
            began = time.monotonic()
            self.client.raw(body, "article.published.do", message_id=message["id"])
            until(60, "the probe stands", lambda: f"do-{self.bursts}-{probe} " in self.loa.feed(f"{feed}.json").text)
            waits.append(time.monotonic() - began)
        began = time.monotonic()
        # a queue is first in, first out: once the last stands, and it is alone in its feed, all before it were taken
        last = f"last-{self.bursts}"
        flood(self.loa, itertools.chain(events(burst - 1, size, f"burst-{self.bursts}"), events(1, size, last, last)))
        until(600, "the burst stands", lambda: f"Tin {last}" in self.loa.feed(f"category-{last}.json").text)
        rate = burst / (time.monotonic() - began)
        self.bursts += 1
        return {"visible_ms": round(statistics.median(waits) * 1000), "rate": round(rate)}


def settings(mail_server: MailServer) -> dict:
    """Mail to a slow server; see conftest.mail_settings."""
    from conftest import mail_settings

    return mail_settings(mail_server.port)


def prepare(loa: Installation, portal: DeadPortal) -> None:
    """Readers of everything, and a portal that is owed everything."""
    loa.command("migrate")
    loa.json("endpoints", "add", portal.url)
    for number in range(READERS):
        loa.command("subscribers", "add", f"can-bo-{number}@nason.example", "--frequency", ("daily", "immediate")[number % 2])


def main() -> int:
    """A measurement of its own, for the command line."""
    parser = argparse.ArgumentParser(prog="tests/run backlog", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=900, help="of each event")
    parser.add_argument("--shape", choices=shapes.KNOWN, default="sqlite-rabbitmq")
    parser.add_argument("--out", type=pathlib.Path, help="a file for the figures, as JSON")
    wanted = parser.parse_args()
    shape, node, servers = shapes.KNOWN[wanted.shape], None, []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="loa-backlog-"))
    portal, mail_server = DeadPortal(), MailServer(SMTP_PAUSE_SECONDS)
    loa = None
    try:
        amqp_url = postgres_url = None
        if not shape.embedded:
            given = os.environ.get("LOA_TEST_BROKER")
            if not given:
                node = rabbitmq.Broker(folder / "broker").start()
            amqp_url = rabbitmq.make_vhost(json.loads(given) if given else node.addresses(), f"backlog-{os.getpid()}")
        if shape.store != "sqlite":
            # with fsync: figures should be those of a machine in service
            servers.append(postgresql.Database(folder / "postgresql").start())
            servers.append(postgresql.Pooler(folder / "pgbouncer", servers[0]).start())
            at = servers[1].addresses()
            postgresql.make_database(at, "loa")
            postgres_url = at["pooler_url" if shape.store == "pooler" else "url"] + "/loa"
        loa = Installation(folder / "loa", amqp_url, settings(mail_server), postgres_url)
        prepare(loa, portal)
        report = Backlog(loa, lambda text: print(text, flush=True)).run(wanted.events, wanted.bytes)
        if wanted.out:
            wanted.out.write_text(json.dumps(report, indent=1) + "\n")
        over = {name: peak for name, peak in report["mebibytes"].items() if peak > MEBIBYTES_MAX}
        print(f"over {MEBIBYTES_MAX} MiB: {over}" if over else f"every service stayed under {MEBIBYTES_MAX} MiB")
        return 1 if over else 0
    finally:
        if loa is not None:
            loa.end()
        for server in reversed(servers):
            server.stop()
        if node is not None:
            node.stop()
        portal.close()
        mail_server.close()


if __name__ == "__main__":
    sys.exit(main())
