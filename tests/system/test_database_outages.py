"""PostgreSQL absent at the start, killed under load, frozen: services wait, say so, and go on by themselves; nothing is lost."""

import collections
import re
import time

import pytest
import shapes
from broker import free_port
from contract import published, withdrawn
from database import Database, Pooler, make_database
from installation import http, until
from load import Cms, Stranger, standing, title

SHAPES = [shapes.KNOWN["postgres-rabbitmq"], *shapes.POOLER]
pytestmark = pytest.mark.apart
SERVICES = ("intake", "feed", "digest", "push")
EVENTS = 400
NUMBERS = iter(range(1000))


@pytest.fixture(scope="module")
def server(tmp_path_factory, shape):
    """A cluster of this file's own, with fsync, and its pooler."""
    folder = tmp_path_factory.mktemp("own-postgres")
    database = Database(folder / "postgresql").start()
    pooler = Pooler(folder / "pgbouncer", database).start()
    database.thrown_in = pooler
    yield database
    pooler.stop()
    database.stop()


@pytest.fixture
def loa(install, server, shape):
    """An installation on that cluster."""
    at, name = server.thrown_in.addresses(), f"loa_{next(NUMBERS)}"
    make_database(at, name)
    loa = install(store__postgres__url=f"{at['pooler_url' if shape.store == 'pooler' else 'url']}/{name}",
                  feed__entries_max=1000, feed__document_bytes_max=10_000_000)
    yield loa
    loa.end()
    server.thaw()
    if server.process is None:
        server.start()


def ready(loa, name: str) -> int:
    return http("GET", f"{loa.url(name)}/readyz", timeout=10).status


def loaded(loa, bus, breaks: int = 0) -> tuple[Cms, Stranger]:
    """Publishes half over HTTP and half over AMQP, while the test goes on."""
    token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    cms = Cms(loa, token, range(EVENTS // 2))
    stranger = Stranger(bus(loa), range(EVENTS // 2, EVENTS), seconds=6, breaks=breaks)
    cms.start()
    stranger.start()
    return cms, stranger


def everything_is_there_once(loa, portal, cms, stranger) -> None:
    cms.join()
    stranger.join()
    assert cms.fault is None and stranger.fault is None, (cms.fault, stranger.fault)
    wanted = collections.Counter(title(number) for number in range(EVENTS))
    until(90, "every article stands", lambda: standing(loa).total() >= EVENTS)
    assert standing(loa) == wanted
    subjects = lambda: {hook.json()["subject"] for hook in portal.delivered()}  # noqa: E731
    until(90, "every webhook was delivered", lambda: len(subjects()) >= EVENTS)
    ids = collections.defaultdict(set)
    for hook in portal.delivered():
        ids[hook.json()["subject"]].add(hook.id)
    assert all(len(found) == 1 for found in ids.values()), "a repeat has the webhook-id of the first"
    assert loa.json("dead-letters", "list") == [], "an outage is no message's fault"
    for name in SERVICES:
        assert ready(loa, name) == 200
    loa.stop()


@pytest.fixture
def receiver(portal):
    """The provincial portal, with nothing from an earlier test."""
    portal.hooks.clear()
    return portal


def test_absent_at_the_start(loa, server, bus, receiver):
    server.stop()
    loa.start(*SERVICES, wait=False)
    for name in SERVICES:
        until(15, f"{name} lives", lambda name=name: http("GET", f"{loa.url(name)}/healthz", timeout=2).status == 200)
        until(30, f"{name} is not ready, and says which dependency is down", lambda name=name: (
            answer := http("GET", f"{loa.url(name)}/readyz", timeout=10)).status == 503 and "ledger" in answer.text)
    time.sleep(3)  # long enough for a service that would give up
    assert all(process.alive() for process in loa.running.values())
    server.start()
    for name in SERVICES:
        loa.wait_ready(name)
    loa.json("endpoints", "add", receiver.url)
    everything_is_there_once(loa, receiver, *loaded(loa, bus))


def test_killed_twice_under_load(loa, server, bus, receiver):
    loa.start(*SERVICES)
    loa.json("endpoints", "add", receiver.url)
    cms, stranger = loaded(loa, bus, breaks=2)
    for _ in range(2):
        stranger.at_break()
        server.kill()
        time.sleep(1)
        server.start()
    everything_is_there_once(loa, receiver, cms, stranger)


def test_frozen_under_load(loa, server, bus, receiver):
    loa.start(*SERVICES)
    loa.json("endpoints", "add", receiver.url)
    cms, stranger = loaded(loa, bus, breaks=1)
    stranger.at_break()
    server.freeze()
    for name in SERVICES:
        assert http("GET", f"{loa.url(name)}/healthz", timeout=5).status == 200, "who waits for a ledger lives"
    time.sleep(5)
    server.thaw()
    everything_is_there_once(loa, receiver, cms, stranger)


@pytest.mark.on(shapes.KNOWN["postgres-rabbitmq"])
def test_readers_get_the_last_good_state_after_a_restart_too_without_database_and_broker(loa, server, bus):
    loa.start("feed")
    producer = bus(loa)
    for number in range(3):
        producer.structured(published(f"con-lai-{number}"))
    until(30, "three articles", lambda: len(loa.titles()) == 3)
    paths = ["all.rss", "all.atom", "all.json", "all", "category-kinh-te.atom"]
    before = {path: loa.feed(path) for path in paths} | {"": http("GET", f"{loa.url('feed')}/feeds")}
    server.stop()
    loa.kill("feed")
    address = loa.settings["bus.rabbitmq.url"]
    loa.settings["bus.rabbitmq.url"] = re.sub(r":[0-9]+/", f":{free_port()}/", address)
    loa.write_config()
    loa.start("feed", wait=False)
    until(30, "it says what it serves", lambda: (
        answer := http("GET", f"{loa.url('feed')}/readyz", timeout=10)).status == 503 and "last good state" in answer.text)
    for path, answer in before.items():
        after = loa.feed(path) if path else http("GET", f"{loa.url('feed')}/feeds")
        assert (after.status, after.body) == (200, answer.body), path
        for name in ("etag", "last-modified", "cache-control"):
            assert after.headers[name] == answer.headers[name], path
    server.start()
    loa.settings["bus.rabbitmq.url"] = address
    loa.write_config()
    loa.stop("feed")
    loa.start("feed")
    producer.structured(withdrawn("con-lai-0", 2, "Đăng nhầm"))
    until(30, "it goes on from the ledger", lambda: len(loa.titles()) == 2)
