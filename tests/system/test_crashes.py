"""kill -9 in the middle of 1,000 events, of every service and of the broker: everything once, nothing lost."""

import collections
import contextlib
import json
import time
import urllib.error
import urllib.parse

import pytest
import shapes
from broker import Broker
from installation import http, until
from load import Cms, Stranger, standing, title

SHAPES = [*shapes.SMALL, *shapes.ON_BROKER]
pytestmark = pytest.mark.long
EVENTS = 1000
READER = "luu-tru@nason.example"


@pytest.fixture(scope="module")
def loa(install):
    return install(apart=True, feed__entries_max=1000, feed__document_bytes_max=10_000_000, push__in_flight_per_endpoint_max=16)


def test_every_service_is_killed_in_the_middle_of_a_thousand_events(loa, bus, portal, mail_server):
    loa.start("intake", "feed", "digest", "push")
    token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", READER)
    half = EVENTS // 2
    cms, producer = Cms(loa, token, range(half)), Stranger(bus(loa), range(half, EVENTS), seconds=8)
    cms.start()
    producer.start()
    kills = 0
    while producer.is_alive() or cms.is_alive():
        for name in ("feed", "push", "intake", "digest"):
            loa.wait_ready(name)  # on a slow machine too, each has done something before it dies
            time.sleep(0.3)
            loa.kill(name)
            loa.start(name, wait=False)
            kills += 1
    cms.join()
    producer.join()
    assert cms.fault is None and producer.fault is None, (cms.fault, producer.fault)
    assert kills >= 4, "the killing happened in the middle"
    for name in list(loa.running):
        loa.wait_ready(name)

    wanted = collections.Counter(title(number) for number in range(EVENTS))
    until(120, "every article stands", lambda: sum(standing(loa).values()) >= EVENTS)
    assert standing(loa) == wanted, "every article is in its feed, once"
    until(30, "each is in the feed of everything, too", lambda: len(loa.titles("all")) == EVENTS)

    subjects = lambda: {hook.json()["subject"] for hook in portal.delivered()}  # noqa: E731
    until(90, "every webhook was delivered", lambda: len(subjects()) >= EVENTS)
    ids = collections.defaultdict(set)
    for hook in portal.delivered():
        ids[hook.json()["subject"]].add(hook.id)
    assert all(len(found) == 1 for found in ids.values()), "a repeat has the webhook-id of the first"
    repeats = len(portal.delivered()) - EVENTS
    assert repeats <= kills * 64, f"{repeats} repeats: more than was in flight at the kills"

    loa.command("digest", "run")
    mails = until(60, "the digest arrives", lambda: mail_server.to(READER))
    assert len({mail.message["message-id"] for mail in mails}) == 1

    dead = loa.json("dead-letters", "list")
    assert dead == [], "nobody's kill made a dead letter"


def test_a_restart_converges_to_the_same_bytes(loa):
    # a form of a feed is written when it is asked for, and a moment after its change
    until(30, "it has all", lambda: loa.feed("all.atom").text.count("</entry>") == EVENTS)
    before = loa.feed("all.atom")
    loa.kill()
    loa.start("intake", "feed", "digest", "push")
    after = loa.feed("all.atom")
    assert after.body == before.body and after.headers["etag"] == before.headers["etag"]
    journey = loa.json("journey", "k-0999")
    steps = journey["steps"] if isinstance(journey, dict) else journey
    assert [step["step"] for step in steps if step["outlet"] == "push" and step["step"] == "delivered"] == ["delivered"]


def test_every_service_ends_softly_on_a_signal(loa):
    loa.stop()


@pytest.mark.apart
@pytest.mark.on(*shapes.ON_BROKER)
def test_the_broker_dies_and_comes_back(tmp_path_factory, install, portal):
    """A broker of its own: killed with -9 while events flow; nobody is restarted by hand."""
    folder = tmp_path_factory.mktemp("own-broker")
    node = Broker(folder).start()
    try:
        url = node.addresses()["url"] + "/%2f"
        loa = install(bus__rabbitmq__url=url)
        # Killed about a second after quorum queues were declared, RabbitMQ 3.10.8 was seen to come back with one of them
        # stuck, answering nobody, a foreign client neither; after this wait it was not. Why is not known. Topology is made
        # once, not in the second of a power cut; docs/operating says what to do should it happen.
        time.sleep(5)
        loa.start("intake", "feed", "push")
        token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
        cms = Cms(loa, token, range(200))
        cms.start()
        time.sleep(0.5)
        node.kill()
        cms.join()  # intake takes everything without a broker
        assert cms.fault is None, cms.fault
        node.start()
        until(90, "everything stands", lambda: sum(standing(loa).values()) == 200)
        until(10, "readiness says so", lambda: http("GET", f"{loa.url('feed')}/readyz").status == 200)
        loa.stop()
    finally:
        node.stop()


@pytest.mark.on(*shapes.ON_BROKER)
def test_connections_that_an_administrator_closes_and_an_exchange_that_is_deleted_cost_no_event(tmp_path_factory, install):
    """A broker of its own: its administrator tidies up while events flow; nobody is restarted by hand."""
    node = Broker(tmp_path_factory.mktemp("tidied-broker")).start()
    try:
        loa = install(bus__rabbitmq__url=node.addresses()["url"] + "/%2f")
        loa.start("intake", "feed")
        token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
        cms = Cms(loa, token, range(200))
        cms.start()
        for _ in range(4):
            for connection in json.loads(node.call("GET", "/api/connections")):
                with contextlib.suppress(urllib.error.URLError):  # it is gone already
                    node.call("DELETE", f"/api/connections/{urllib.parse.quote(connection['name'])}")
            time.sleep(0.5)
        node.call("DELETE", "/api/exchanges/%2f/loa.events")
        cms.join()  # intake takes everything without an exchange
        assert cms.fault is None, cms.fault
        missing = lambda: "the exchange loa.events is missing" in http("GET", f"{loa.url('intake')}/readyz").text  # noqa: E731
        until(30, "readiness names what is missing", missing)
        loa.command("migrate")
        until(90, "everything stands", lambda: sum(standing(loa).values()) == 200)
        assert not loa.json("dead-letters", "list")
        loa.stop()
    finally:
        node.stop()
