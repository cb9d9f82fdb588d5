"""What a flood of one portal costs another portal's news: how long until it is visible, pushed and mailed, alone and flooded.

    tests/run flooded [--articles 100000] [--probes 100] [--shape postgres-rabbitmq] [--out FILE]

One portal imports a back-file as fast as intake takes it, another publishes 200 a second as if its program had gone wrong; a
third publishes an article from time to time. Its times are taken alone, then under the flood, in one and the same run, from the
moment it is posted. Figures are for reading: nothing here passes or fails, since a busy machine makes any time.
"""

import argparse
import datetime
import http.client
import json
import math
import multiprocessing
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time

import broker as rabbitmq
import database as postgresql
import shapes
from contract import article
from installation import SERVICES, Installation, http as ask, until
from receivers import MailServer, ProvincialPortal

BACK_FILE, WRONG, THIRD = "kho", "loi", "na-son"
WRONG_PER_SECOND = 200
PROBE_SECONDS = 1.0
LOOK_SECONDS = 0.004
LATEST_SECONDS = 120
CATEGORY = {"slug": "khan", "label": "Tin khẩn"}
READER = "truong-ban@nason.example"
WAYS = ("visible", "pushed", "mailed")


def add_portals(loa: Installation) -> dict[str, str]:
    """Adds the three portals, and makes a token for each."""
    for slug in (BACK_FILE, WRONG, THIRD):
        loa.json("portals", "add", slug, "--name", f"Cổng {slug}", "--url", f"https://{slug}.example.gov.vn/", "--tag-date", "2026-07-01")
    return {slug: loa.json("token", "create", "--scope", "publish", "--portal", slug, "--name", slug)["secret"]
            for slug in (BACK_FILE, WRONG, THIRD)}


class Publisher:
    """One connection to intake that stays open, as a CMS's would."""

    def __init__(self, url: str, slug: str, token: str):
        self.host, self.slug, self.token = url.removeprefix("http://"), slug, token
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def publish(self, article_id: str, published_at: datetime.datetime | None = None, **changes) -> dict:
        """Posts one article, of now unless it says otherwise, and returns what intake answered; fails when it did not take it."""
        at = (published_at or datetime.datetime.now(datetime.UTC)).isoformat()
        data = article(article_id, published_at=at, modified_at=at, url=f"https://{self.slug}.example.gov.vn/{article_id}") | changes
        del data["revision"]
        return self.ask("POST", f"/v1/articles?portal={self.slug}", json.dumps(data).encode())

    def ask(self, method: str, path: str, body: bytes | None = None) -> dict:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        except ConnectionError:
            # a server may end a connection between two requests; the same article once more is no change
            self.connection.close()
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        said = answer.read()
        if answer.status == 429:
            time.sleep(float(answer.headers["Retry-After"]))
            return self.ask(method, path, body)
        assert answer.status in (200, 202), f"{answer.status}: {said[:300]}"
        return json.loads(said)


def import_back_file(url: str, token: str, count: int) -> None:
    """A process of its own: so many old articles, one after the other, as fast as they are taken."""
    publisher, at = Publisher(url, BACK_FILE, token), datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC)
    for n in range(count):
        publisher.publish(f"cu-{n}", at + datetime.timedelta(minutes=n))


def go_wrong(url: str, token: str, worker: int, workers: int) -> None:
    """A process of its own: its share of so many new articles a second, for ever; where intake takes fewer, as many as it takes."""
    publisher, began, n = Publisher(url, WRONG, token), time.monotonic(), 0
    while True:
        publisher.publish(f"loi-{worker}-{n}")
        n += 1
        time.sleep(max(0.0, began + n * workers / WRONG_PER_SECOND - time.monotonic()))


class Probes:
    """Articles of the third portal, and when each was posted, visible, pushed and mailed."""

    def __init__(self, loa: Installation, token: str, portal: ProvincialPortal, mail_server: MailServer):
        self.loa, self.publisher, self.mail_server = loa, Publisher(loa.url("intake"), THIRD, token), mail_server
        self.posted: dict[str, float] = {}
        self.seen: dict[str, dict[str, float]] = {way: {} for way in WAYS}
        self.mails_read, self.over = 0, False
        portal.answer = self.pushed
        for look in (self.look_at_feed, self.look_at_mails):
            threading.Thread(target=self.again_and_again, args=(look,), daemon=True).start()

    def pushed(self, hook) -> int:
        # every webhook comes by here, the flood's as well
        if b'"do-' in hook.body:
            self.note("pushed", hook.body.decode())
        return 204

    def again_and_again(self, look) -> None:
        while not self.over:
            look()
            time.sleep(LOOK_SECONDS)

    def look_at_feed(self) -> None:
        if any(name not in self.seen["visible"] for name in list(self.posted)):
            answer = self.loa.feed(f"category-{CATEGORY['slug']}.json")
            if answer.status == 200:
                self.note("visible", answer.text)

    def look_at_mails(self) -> None:
        mails = self.mail_server.mails
        for mail in mails[self.mails_read:]:
            self.mails_read += 1
            self.note("mailed", mail.part("plain"))

    def note(self, way: str, text: str) -> None:
        at = time.monotonic()
        for name in list(self.posted):
            if name not in self.seen[way] and f"{name} " in text:
                self.seen[way][name] = at

    def run(self, prefix: str, count: int) -> dict[str, list[float]]:
        """Publishes so many, and returns the seconds that each took, by way; one that never came took for ever."""
        names = [f"do-{prefix}-{n}" for n in range(count)]
        for name in names:
            self.posted[name] = time.monotonic()
            self.publisher.publish(name, title=f"{name} khẩn", category=CATEGORY)
            time.sleep(PROBE_SECONDS)
        deadline = time.monotonic() + LATEST_SECONDS
        while time.monotonic() < deadline and any(name not in self.seen[way] for way in WAYS for name in names):
            time.sleep(0.1)
        never = float("inf")
        return {way: [self.seen[way].get(name, never) - self.posted[name] for name in names] for way in WAYS}


def percentile(values: list[float], part: float) -> float:
    """The value that so many of 100 do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * part / 100) - 1)]


def figures(seconds: list[float]) -> dict[str, float]:
    return {"median_ms": round(statistics.median(seconds) * 1000), "p99_ms": round(min(percentile(seconds, 99), 1e6) * 1000)}


def settings(port: int) -> dict:
    from conftest import mail_settings

    # an article's mail waits for others for the shortest time there is: what is left is ours
    return mail_settings(port) | {"digest.immediate_window_seconds": 1, "intake.backfile_after_days": 2}


def measure(loa: Installation, portal: ProvincialPortal, mail_server: MailServer, articles: int, probes: int, say) -> dict:
    """Everything in order; returns the figures."""
    loa.command("migrate")
    tokens = add_portals(loa)
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", READER, "--frequency", "immediate", "--category", CATEGORY["slug"])
    loa.start(*SERVICES)
    third = Probes(loa, tokens[THIRD], portal, mail_server)
    third.run("am", 5)  # the first of everything is slower
    say(f"load of the machine: {os.getloadavg()}, {os.cpu_count()} processors")
    report = {"load_alone": os.getloadavg(), "processors": os.cpu_count()}
    alone = third.run("mot-minh", probes)
    url = loa.url("intake")
    spawn = multiprocessing.get_context("spawn")
    floods = [spawn.Process(target=import_back_file, args=(url, tokens[BACK_FILE], articles), daemon=True)]
    floods += [spawn.Process(target=go_wrong, args=(url, tokens[WRONG], n, 2), daemon=True) for n in range(2)]
    for flood in floods:
        flood.start()
    until(60, "the flood stands", lambda: outbox(loa)["loa_outbox_waiting"] + outbox(loa).get("loa_outbox_confirmed_total", 0) > 500)
    flooded = third.run("lut", probes)
    report |= {"load_flooded": os.getloadavg(), "outbox": outbox(loa), "import_goes_on": floods[0].is_alive()}
    for flood in floods:
        flood.terminate()
        flood.join()
    third.over = True
    say(f"under the flood: load {report['load_flooded']}, {report['outbox']}, import under way: {report['import_goes_on']}")
    for way in WAYS:
        before, after = figures(alone[way]), figures(flooded[way])
        report[way] = {"alone": before, "flooded": after, "ratio_p99": round(after["p99_ms"] / before["p99_ms"], 2),
                       "ratio_median": round(after["median_ms"] / before["median_ms"], 2)}
        say(f"{way}: alone {before}, flooded {after}: p99 × {report[way]['ratio_p99']}, median × {report[way]['ratio_median']}")
    return report


def outbox(loa: Installation) -> dict[str, float]:
    """What the outbox's gauges say."""
    lines = ask("GET", f"{loa.url('intake')}/metrics").text.splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("loa_outbox_") and "{" not in line}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/run flooded", description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=100_000, help="of the back-file")
    parser.add_argument("--probes", type=int, default=100, help="articles of the third portal, alone and flooded")
    parser.add_argument("--shape", choices=shapes.KNOWN, default="sqlite-embedded")
    parser.add_argument("--out", type=pathlib.Path, help="a file for the figures, as JSON")
    wanted = parser.parse_args()
    shape, node, servers, loa = shapes.KNOWN[wanted.shape], None, [], None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="loa-flooded-"))
    portal, mail_server = ProvincialPortal(), MailServer()
    try:
        amqp_url = postgres_url = None
        if not shape.embedded:
            given = os.environ.get("LOA_TEST_BROKER")
            if not given:
                node = rabbitmq.Broker(folder / "broker").start()
            amqp_url = rabbitmq.make_vhost(json.loads(given) if given else node.addresses(), f"flooded-{os.getpid()}")
        if shape.store != "sqlite":
            # with fsync: figures should be those of a machine in service
            servers.append(postgresql.Database(folder / "postgresql").start())
            servers.append(postgresql.Pooler(folder / "pgbouncer", servers[0]).start())
            at = servers[1].addresses()
            postgresql.make_database(at, "loa")
            postgres_url = at["pooler_url" if shape.store == "pooler" else "url"] + "/loa"
        loa = Installation(folder / "loa", amqp_url, settings(mail_server.port), postgres_url, not shape.embedded)
        report = measure(loa, portal, mail_server, wanted.articles, wanted.probes, lambda text: print(text, flush=True))
        if wanted.out:
            wanted.out.write_text(json.dumps(report, indent=1) + "\n")
        return 0
    finally:
        if loa is not None:
            loa.end()
        for server in reversed(servers):
            server.stop()
        if node is not None:
            node.stop()
        portal.server.shutdown()
        mail_server.close()


if __name__ == "__main__":
    sys.exit(main())
