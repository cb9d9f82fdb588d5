"""The WebSub hub, seen by subscribers: the hub tests of websub.rocks (100 to 106), FreshRSS's habits, Flask-WebSub."""

import json
import re

import pytest
import shapes
from contract import published, withdrawn
from installation import http, until
from requests.utils import parse_header_links
from websub import FlaskReader, FrontDoor, Reader, request

SHAPES = shapes.BOTH
TYPES = {"rss": "application/rss+xml; charset=utf-8", "atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json"}


@pytest.fixture(scope="module")
def door(shape):
    door = FrontDoor()
    yield door
    door.close()


@pytest.fixture(scope="module")
def reader(shape):
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def loa(install, door):
    loa = install(
        site__public_url=f"{door.url}/", hub__allow_networks=["127.0.0.0/8"], hub__notice_seconds_min=0,
        hub__verification_delays_seconds=[1], hub__retry__delays_seconds=[1] * 10, hub__poll_interval_seconds=2,
    )
    door.route = lambda path: loa.url("push" if path == "/hub" else "feed")
    loa.start("feed", "push")
    return loa


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


@pytest.fixture
def subscribe(door, reader):
    """Subscribes a callback of the reader's to a topic and waits until it was asked and said yes."""

    def ask(path: str, topic: str, mode: str = "subscribe", **more: str):
        before = len(reader.asked(path))
        answer = request(f"{door.url}/hub", hub_mode=mode, hub_topic=topic, hub_callback=reader.url + path, **more)
        assert answer.status == 202, answer.text
        return until(10, f"{path} is asked", lambda: reader.asked(path)[before:])[0]

    return ask


def active(loa, path: str) -> dict | None:
    """A subscription as the operator sees it, once it holds."""
    found = [one for one in loa.json("hub", "list") if one["callback"].endswith(path) and one["state"] == "active"]
    assert len(found) <= 1, f"one subscription for each topic and callback: {found}"
    return found[0] if found else None


def holds(loa, path: str) -> dict:
    return until(10, f"{path} is subscribed", lambda: active(loa, path))


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
def test_a_feed_names_its_hub_and_itself_in_the_header_and_in_the_document(loa, door, form):
    topic = f"{door.url}/feeds/all.{form}"
    answer = http("GET", topic)
    links = {link["rel"]: link["url"] for link in parse_header_links(answer.headers["link"])}
    assert links == {"hub": f"{door.url}/hub", "self": topic}
    assert len(answer.headers.get_all("link")) == 1
    unchanged = http("GET", topic, If_None_Match=answer.headers["etag"])
    assert (unchanged.status, unchanged.headers["link"]) == (304, answer.headers["link"])
    if form == "json":
        assert answer.json()["hubs"] == [{"type": "WebSub", "url": f"{door.url}/hub"}]
        assert answer.json()["feed_url"] == topic
    else:
        assert re.search(rf'<(atom:)?link [^>]*href="{door.url}/hub"[^>]*rel="hub"|rel="hub"[^>]*href="{door.url}/hub"', answer.text)


def test_websub_rocks_100_101_102_105_106_what_is_told_is_the_topic_as_it_is(loa, door, reader, producer, subscribe):
    cases = {
        "/100": ("rss", {}),
        "/101": ("rss", {"hub_secret": "bí mật của tôi"}),
        "/101-sha1": ("atom", {"hub_secret": "cũ", "hub_signature_algorithm": "sha1"}),
        "/102": ("atom", {"foo": "bar", "hub_foo": "hub.bar"}),
        "/106": ("json", {"hub_lease_seconds": "7200"}),
        "/freshrss/pshb.php?k=3f2a": ("atom", {"hub_verify": "sync"}),
    }
    challenges = set()
    for path, (form, more) in cases.items():
        asked = subscribe(path, f"{door.url}/feeds/all.{form}", **more)
        assert asked.path.startswith(path), "its own query stays in front"
        assert asked.query["hub.mode"] == "subscribe" and asked.query["hub.topic"] == f"{door.url}/feeds/all.{form}"
        lease = int(asked.query["hub.lease_seconds"])
        assert lease == (86_400 if "hub_lease_seconds" in more else 864_000), "FreshRSS renews below 23 hours"
        assert "hub.foo" not in asked.query and "foo" not in asked.query
        challenges.add(asked.query["hub.challenge"])
    assert len(challenges) == len(cases) and min(map(len, challenges)) >= 32
    for path in cases:
        holds(loa, path)
    assert not [call for call in reader.calls if call.method == "POST"], "nobody is told what stands already"
    producer.structured(published("websub-1", title="Tin đầu tiên"))
    for path, (form, more) in cases.items():
        told = until(20, f"{path} is told", lambda: reader.told(path))[0]
        topic = http("GET", f"{door.url}/feeds/all.{form}")
        assert told.body == topic.body and "Tin đầu tiên" in told.body.decode()
        assert told.headers["content-type"] == topic.headers["content-type"] == TYPES[form]
        assert told.headers["link"] == f'<{door.url}/hub>; rel="hub", <{door.url}/feeds/all.{form}>; rel="self"'
        if "hub_secret" in more:
            assert told.signed_with(more["hub_secret"]) and not told.signed_with("another")
            assert told.headers["x-hub-signature"].startswith(more.get("hub_signature_algorithm", "sha256") + "=")
        else:
            assert "x-hub-signature" not in told.headers


def test_websub_rocks_103_who_subscribes_again_is_told_once_by_the_newer_wish(loa, door, reader, producer, subscribe):
    topic = f"{door.url}/feeds/all.rss"
    subscribe("/103", topic)
    holds(loa, "/103")
    reader.answer = lambda call: (200, b"no", {}) if call.path.startswith("/103") and call.method == "GET" else None
    subscribe("/103", topic, hub_secret="not mine")
    until(10, "the wrong one was dropped", lambda: active(loa, "/103")["last_call"]["reason"] == "not_the_challenge")
    reader.answer = lambda call: None
    assert not active(loa, "/103")["signed"], "a failed verification leaves what held"
    subscribe("/103", topic, hub_secret="mới")
    until(10, "the newer wish holds", lambda: active(loa, "/103")["signed"])
    producer.structured(published("websub-103"))
    until(20, "it is told", lambda: reader.told("/103"))
    producer.structured(published("websub-103b"))
    told = until(20, "and again", lambda: [call for call in reader.told("/103") if b"websub-103b" in call.body])
    assert len(told) == 1 and all(call.signed_with("mới") for call in reader.told("/103"))


def test_websub_rocks_104_who_leaves_is_told_no_more_and_who_stays_is(loa, door, reader, producer, subscribe):
    topic = f"{door.url}/feeds/all.json"
    subscribe("/104", topic)
    holds(loa, "/104")
    asked = subscribe("/104", topic, mode="unsubscribe")
    assert asked.query["hub.mode"] == "unsubscribe" and "hub.lease_seconds" not in asked.query
    until(10, "it has left", lambda: active(loa, "/104") is None)
    producer.structured(published("websub-104"))
    until(20, "the other is told", lambda: [call for call in reader.told("/106") if b"websub-104" in call.body])
    # an earlier change may have come to light while it was subscribed; this one came later
    assert not [call for call in reader.told("/104") if b"websub-104" in call.body]


def test_a_withdrawal_is_told_although_there_is_nothing_to_read(loa, door, reader, producer):
    producer.structured(withdrawn("websub-1", 2, "Đăng nhầm"))
    told = until(20, "it is told", lambda: [call for call in reader.told("/102") if b"deleted-entry" in call.body])
    assert "Tin đầu tiên" not in told[-1].body.decode()


def test_a_subscriber_that_fails_gets_the_newest_when_it_is_back_and_one_that_is_gone_nothing(loa, door, reader, producer, subscribe):
    for path in ("/back", "/gone", "/elsewhere"):
        subscribe(path, f"{door.url}/feeds/all.atom")
        holds(loa, path)
    bad = {"/back": (500, b"", {}), "/gone": (410, b"", {}), "/elsewhere": (307, b"", {"location": f"{reader.url}/followed"})}
    reader.answer = lambda call: bad.get(call.path) if call.method == "POST" else None
    try:
        producer.structured(published("websub-fail-1"))
        until(20, "each was told in vain", lambda: all(reader.told(path) for path in bad))
        producer.structured(published("websub-fail-2"))
        until(10, "who is gone has no subscription", lambda: active(loa, "/gone") is None)
    finally:
        reader.answer = lambda call: None
    for path in ("/back", "/elsewhere"):
        told = until(20, f"{path} has the newest", lambda: [call for call in reader.told(path) if b"websub-fail-2" in call.body])
        assert b"websub-fail-1" in told[-1].body
    assert len(reader.told("/gone")) == 1 and not reader.told("/followed")


def test_flask_websub_discovers_subscribes_renews_and_leaves(loa, door, producer, tmp_path):
    foreign = FlaskReader(tmp_path)
    try:
        found = foreign.discover(f"{door.url}/feeds/all.rss")
        assert found == {"hub_url": f"{door.url}/hub", "topic_url": f"{door.url}/feeds/all.rss"}
        callback = foreign.act(foreign.subscriber.subscribe, **found)
        until(10, "it succeeded", lambda: [mode for *_, mode in foreign.succeeded] == ["subscribe"])
        holds(loa, callback)
        producer.structured(published("websub-flask"))
        topic, _, body = until(20, "its listener heard", lambda: foreign.told)[0]
        assert topic == found["topic_url"] and b"websub-flask" in body
        foreign.act(foreign.subscriber.renew, callback)
        until(10, "it renewed", lambda: len(foreign.succeeded) == 2)
        foreign.act(foreign.subscriber.unsubscribe, callback)
        until(10, "it left", lambda: foreign.succeeded[-1][-1] == "unsubscribe")
        until(10, "and is gone", lambda: active(loa, callback) is None)
        denied = foreign.act(foreign.subscriber.subscribe, hub_url=found["hub_url"], topic_url=f"{door.url}/feeds/category-khong-co.rss")
        until(10, "a feed that is not there is denied", lambda: [one for one in foreign.failed if one[1] == denied])
    finally:
        foreign.close()


def test_what_was_published_while_the_hub_was_dead_is_told_when_it_lives_again(loa, door, reader, producer):
    loa.kill("push")
    producer.structured(published("websub-dead"))
    loa.start("push")
    until(30, "it is told", lambda: [call for call in reader.told("/100") if b"websub-dead" in call.body])


def test_bad_requests_are_refused_in_plain_text_and_call_nobody(loa, door, reader):
    topic, callback = f"{door.url}/feeds/all.rss", f"{reader.url}/bad"
    good = {"hub_mode": "subscribe", "hub_topic": topic, "hub_callback": callback}
    for change, words in [
        ({"hub_mode": ""}, "hub.mode"), ({"hub_topic": ""}, "hub.topic"), ({"hub_callback": ""}, "hub.callback"),
        ({"hub_secret": "s" * 200}, "hub.secret"), ({"hub_topic": "https://other.example/feeds/all.rss"}, "none of this hub"),
        ({"hub_callback": "https://10.1.2.3/"}, "hub.allow_networks"), ({"hub_callback": "http://169.254.169.254/"}, "169.254.169.254"),
        ({"hub_callback": "gopher://s.example/"}, "hub.callback"), ({"hub_callback": f"{reader.url.rpartition(':')[0]}:25/"}, "port 25"),
    ]:
        answer = request(f"{door.url}/hub", **(good | change))
        assert answer.status == 400 and words in answer.text, (change, answer.status, answer.text)
        assert answer.headers["content-type"].startswith("text/plain")
    opened = http("GET", f"{door.url}/hub")
    assert (opened.status, opened.headers["allow"]) == (405, "POST") and "WebSub" in opened.text
    assert request(f"{door.url}/hub", hub_mode="publish", hub_url=topic).status == 204
    assert not reader.asked("/bad")


def test_an_operator_sees_and_ends_subscriptions_and_metrics_count(loa, door, reader):
    one = holds(loa, "/100")
    assert one["topic"] == f"{door.url}/feeds/all.rss" and one["delivered_at"] and not one["signed"]
    assert one["id"] in loa.command("hub", "list").stdout
    assert json.dumps("bí mật của tôi") not in json.dumps(loa.json("hub", "list"))
    before = len(reader.asked("/100"))
    token = loa.json("token", "create", "--name", "hub", "--scope", "operate")["secret"]
    bearer = {"Authorization": f"Bearer {token}"}
    page = http("GET", f"{loa.url('push')}/v1/hub/subscriptions?limit=999", **bearer)
    assert one["id"] in [other["id"] for other in page.json()["subscriptions"]] and "3f2a" not in page.text
    assert http("DELETE", f"{loa.url('push')}/v1/hub/subscriptions/{one['id']}", **bearer).status == 204
    asked = until(10, "it is told", lambda: reader.asked("/100")[before:])[0]
    assert asked.query["hub.mode"] == "denied" and asked.query["hub.reason"]
    metrics = http("GET", f"{loa.url('push')}/metrics").text
    for name in ("requests_total", "calls_total", "fetches_total", "changes_total", "subscriptions", "topics"):
        assert re.search(rf"^loa_hub_{name}(\{{.*\}})? [0-9.]+$", metrics, re.M), name
    assert "3f2a" not in loa.logs() and "bí mật" not in loa.logs(), "callbacks and secrets are nobody's to read"
