"""Any order and any repeats of the same events: the same bytes for readers, the same ledgers for whoever asks.

Three installations get one set of events, each in its own order. No test of this file knows which order is the right one.
"""

import random
import time

import pytest
import shapes
from contract import event, published, withdrawn
from installation import http, until
from receivers import ProvincialPortal

SHAPES = shapes.BOTH
pytestmark = pytest.mark.long
ORDERS = 3
SUBJECTS = ("a", "b", "c", "d", "e", "tinh%20e", "f", "v", "w")
FEEDS = ("all", "documents", "category-kinh-te", "category-y-te", "area-na-son-03205-2004", "area-na-son-03203-2025", "area-pu-nhi-03370-2025")


def document(number: str, revision: int) -> dict:
    return event("document.issued", {
        "id": number, "revision": revision, "number": f"{revision}/KL-UBND", "kind": "Kết luận", "title": f"Văn bản, bản {revision}",
        "url": "https://dienbiendong.gov.vn/vb/1", "issued_on": "2023-11-10", "published_at": "2023-11-16T08:02:22+07:00"})


def everything() -> list[dict]:
    """Edits that move and rename, ties in time, equal revisions, producers who number alike, withdrawals at any place."""
    one_id = {"id": "e-1"}
    return [
        published("a", 1, title="Lạc đỏ Na Son"),
        published("a", 2, title="Bí xanh Tìa Dình", areas=["pu-nhi-03370-2025"]),
        published("a", 3, title="Lạc đỏ Na Son được mùa", category={"slug": "y-te", "label": "Y tế"}, modified_at="2023-11-18T08:00:00+07:00"),
        published("b", 1, title="Một"), published("b", 1, title="Hai"),
        published("c", 1), published("c", 2), withdrawn("c", 2, "nhầm"), withdrawn("c", 2, "nhầm lần nữa"),
        published("d", 1), withdrawn("d", 2, "nhầm"), published("d", 3, category={"slug": "kinh-te", "label": "Kinh tế – xã hội"}),
        published("e", 1, title="Của huyện") | one_id, published("e", 1, title="Của tỉnh") | one_id | {"source": "https://tinh.example.gov.vn/"},
        withdrawn("f", 5, "chưa từng đăng"), published("f", 4),
        document("v", 1), document("v", 2), withdrawn("w", 1, "chưa từng có"),
    ]


def told(loa, token: str) -> dict:
    """All that can be seen from outside, without the times of arrival."""
    seen = {}
    for path in ("/feeds.opml", "/feeds", *(f"/feeds/{feed}{form}" for feed in FEEDS for form in ("", ".rss", ".atom", ".json")), *(f"/a/{name}" for name in SUBJECTS)):
        answer = http("GET", f"{loa.url('feed')}{path}")
        seen[path] = (answer.status, answer.headers.get("etag"), answer.body)
    for wish in ((), ("--area", "Na Son"), ("--category", "y-te")):
        seen[f"digest {wish}"] = loa.command("digest", "preview", *wish).stdout
    listing = http("GET", f"{loa.url('push')}/v1/deliveries?limit=1000", Authorization=f"Bearer {token}").json()
    seen["deliveries"] = sorted((one["event"]["source"], one["event"]["id"], one["article"], one["revision"], one["state"]) for one in listing["deliveries"])
    for name in (name.replace("%20", " ") for name in SUBJECTS):
        steps = [step for step in loa.json("journey", name) if step["step"] in ("accepted", "stale", "withdrawn")]
        # which of two came too late to stand is the history of an arrival; that each came, and as what, is not
        seen[f"journey {name}"] = sorted({(step["outlet"], step["revision"], step["step"] == "withdrawn" or step.get("withdrawal", False)) for step in steps})
    return seen


def in_the_end(loa, token: str) -> dict:
    """What is told when nothing changes any more: a queue counts as empty while a batch of it is still given back or worked on."""
    tellings = [told(loa, token)]

    def stands() -> bool:
        time.sleep(2)  # longer than the list of all feeds rests
        tellings.append(told(loa, token))
        return tellings[-1] == tellings[-2]

    until(60, "what is told stays as it is", stands)
    return tellings[-1]


@pytest.fixture(scope="module")
def portals():
    """One for each installation; they answer 503 until everything has come."""
    made = [ProvincialPortal() for _ in range(ORDERS)]
    for portal in made:
        portal.answer = lambda hook: 503
    yield made
    for portal in made:
        portal.close()


def test_any_order_of_the_same_events_is_told_the_same(install, bus, portals):
    events, tellings = everything(), []
    last = published("last", published_at="2023-11-01T08:00:00+07:00")
    for number, portal in enumerate(portals):
        chance = random.Random(number)
        arriving = list(events)
        if number:
            chance.shuffle(arriving)
            arriving += chance.sample(events, 6)
        loa = install(push__retry__delays_seconds=[3_600])
        loa.json("endpoints", "add", portal.url)
        token = loa.json("token", "create", "--name", "look", "--scope", "operate")["secret"]
        loa.command("portals", "add", "tinh", "--name", "Cổng tỉnh", "--url", "https://tinh.example.gov.vn/", "--tag-date", "2026-01-01")
        loa.start("intake", "feed", "digest", "push")
        producer = bus(loa)
        for message in arriving:
            producer.structured(message)
            if number == 2:
                http("GET", f"{loa.url('feed')}/feeds/all.atom")  # a reader who looks in between
        producer.structured(last)
        until(30, "every queue is empty", lambda: not any(producer.depth(f"loa.{queue}") for queue in ("archive", "feed", "digest", "push")))
        taken = lambda: {step["outlet"] for step in loa.json("journey", "last") if step["step"] == "accepted"}
        until(30, "the last one is everywhere", lambda: "Tin last" in loa.titles() and taken() >= {"feed", "digest", "push"})
        tellings.append((arriving, in_the_end(loa, token)))
        loa.stop()
    first = tellings[0][1]
    for arriving, telling in tellings[1:]:
        for place, expected in first.items():
            assert telling[place] == expected, f"{place} depends on the order {[(one['id'], one['subject']) for one in arriving]}"
    assert b"1/KL-UBND" not in first["/feeds/documents.rss"][2] and "Lạc đỏ Na Son được mùa".encode() in first["/feeds/all.rss"][2]
