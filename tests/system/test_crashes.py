"""kill -9 in the middle of 1,000 events, of every service and of the broker: everything once, nothing lost."""

import collections
import json
import threading
import time

import pytest
from broker import Broker
from contract import Amqp, article, published
from installation import http, until

EVENTS = 1000
CATEGORIES = 10
READER = "luu-tru@nason.example"


def category(number: int) -> dict:
    return {"slug": f"muc-{number % CATEGORIES}", "label": f"Mục {number % CATEGORIES}"}


class Cms(threading.Thread):
    """A CMS that posts to intake, and again when it got no answer: what was answered 2xx must never be lost."""

    def __init__(self, loa, token: str, numbers: range):
        super().__init__(daemon=True)
        self.loa, self.token, self.numbers, self.fault = loa, token, numbers, None

    def run(self) -> None:
        for number in self.numbers:
            data = article(f"k-{number:04}", title=f"Tin {number:04}", category=category(number))
            del data["revision"]
            body, deadline = json.dumps(data).encode(), time.monotonic() + 60
            while True:
                try:
                    answer = http("POST", f"{self.loa.url('intake')}/v1/articles", body, timeout=5,
                                  Authorization=f"Bearer {self.token}", Content_Type="application/json")
                    if answer.status in (200, 202):
                        break
                    if answer.status != 503:
                        self.fault = f"{answer.status}: {answer.text}"
                        return
                except OSError:
                    pass
                if time.monotonic() > deadline:
                    self.fault = f"article {number} was not taken within a minute"
                    return
                time.sleep(0.05)


class Producer(threading.Thread):
    """A foreign producer over AMQP, at a steady pace, so that the killing happens in the middle."""

    def __init__(self, url: str, numbers: range, seconds: float):
        super().__init__(daemon=True)
        self.client, self.numbers, self.pause, self.fault = Amqp(url), numbers, seconds / max(1, len(numbers)), None

    def run(self) -> None:
        try:
            for number in self.numbers:
                self.client.structured(
                    published(f"k-{number:04}", title=f"Tin {number:04}", category=category(number)) | {"id": f"event-{number:04}"})
                time.sleep(self.pause)
        except Exception as error:  # noqa: BLE001 (told to the test)
            self.fault = repr(error)
        finally:
            self.client.close()


def every_title(loa) -> collections.Counter:
    """All titles in all category feeds, and how often each is there."""
    return collections.Counter(title for number in range(CATEGORIES) for title in loa.titles(f"category-muc-{number}"))


@pytest.fixture(scope="module")
def loa(install):
    return install(feed__entries_max=1000, feed__document_bytes_max=10_000_000, push__in_flight_per_endpoint_max=16)


def test_every_service_is_killed_in_the_middle_of_a_thousand_events(loa, portal, mail_server):
    loa.start("intake", "feed", "digest", "push")
    token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", READER)
    half = EVENTS // 2
    cms, producer = Cms(loa, token, range(half)), Producer(loa.amqp_url, range(half, EVENTS), seconds=8)
    cms.start()
    producer.start()
    kills = 0
    while producer.is_alive() or cms.is_alive():
        for name in ("feed", "push", "intake", "digest"):
            time.sleep(0.4)
            loa.running.pop(name).kill()
            loa.start(name, wait=False)
            kills += 1
    cms.join()
    producer.join()
    assert cms.fault is None and producer.fault is None, (cms.fault, producer.fault)
    assert kills >= 8, "the killing happened in the middle"
    for name in list(loa.running):
        loa.wait_ready(name)

    wanted = collections.Counter(f"Tin {number:04}" for number in range(EVENTS))
    until(60, "every article stands", lambda: sum(every_title(loa).values()) >= EVENTS)
    assert every_title(loa) == wanted, "every article is in its feed, once"
    assert len(loa.titles("all")) == EVENTS

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

    dead = loa.json("dead", "list")
    assert dead == [], "nobody's kill made a dead letter"


def test_a_restart_converges_to_the_same_bytes(loa):
    before = loa.feed("all.atom")
    for name in list(loa.running):
        loa.running.pop(name).kill()
    loa.start("intake", "feed", "digest", "push")
    after = loa.feed("all.atom")
    assert after.body == before.body and after.headers["etag"] == before.headers["etag"]
    journey = loa.json("journey", "k-0999")
    steps = journey["steps"] if isinstance(journey, dict) else journey
    assert [step["step"] for step in steps if step["outlet"] == "push" and step["step"] == "delivered"] == ["delivered"]


def test_every_service_ends_softly_on_a_signal(loa):
    loa.stop()


def test_the_broker_dies_and_comes_back(tmp_path_factory, install, portal):
    """A broker of its own: killed with -9 while events flow; nobody is restarted by hand."""
    folder = tmp_path_factory.mktemp("own-broker")
    node = Broker(folder).start()
    try:
        url = node.addresses()["url"] + "/%2f"
        loa = install(bus__rabbitmq__url=url)
        loa.amqp_url = url
        loa.command("migrate")
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
        until(90, "everything stands", lambda: sum(every_title(loa).values()) == 200)
        assert http("GET", f"{loa.url('feed')}/readyz").status == 200
        loa.stop()
    finally:
        node.stop()


