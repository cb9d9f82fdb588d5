"""Several portals in one installation: equal ids stay apart on every outlet, and a portal may be added while everything runs.

Everything is looked at from outside: feeds, pages, mails, webhooks, journeys, dead letters.
"""

import datetime
import json
import re

import pytest
import shapes
from contract import SOURCE, article, event, published, withdrawn
from installation import SERVICES, http, until

SHAPES = shapes.BOTH
COMMUNE = "https://na-son.example.gov.vn/"
SCHOOL = "https://truong.example.gov.vn/"
NUMBER = "12/TB-UBND"
READER = "nguoi-doc@nason.example"
OUTLETS = ("feed", "digest", "push", "archive")


def add(loa, slug: str, address: str, *more: str) -> dict:
    """Adds a portal."""
    return loa.json("portals", "add", slug, "--name", f"Cổng {slug}", "--url", address, "--tag-date", "2026-07-01", *more)


def of(source: str, message: dict) -> dict:
    """The same event of another portal, under the same event id."""
    return message | {"source": source}


def document() -> dict:
    return event("document.issued", {
        "id": "vb-12", "revision": 1, "number": NUMBER, "kind": "Thông báo", "title": "Lịch tiếp công dân",
        "url": f"{SOURCE}vb/12", "issued_on": "2023-11-10", "published_at": "2023-11-16T08:02:22+07:00"})


@pytest.fixture(scope="module")
def loa(install, portal, mail_server):
    loa = install()
    add(loa, "na-son", COMMUNE)
    loa.start(*SERVICES)
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", READER, "--frequency", "daily")
    yield loa
    loa.stop()


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


def ids(loa, feed: str) -> dict[str, str]:
    """Outward id and title of each entry of a feed."""
    answer = loa.feed(f"{feed}.json")
    assert answer.status == 200, answer.text[:300]
    return {item["id"]: item["title"] for item in answer.json()["items"]}


def test_one_id_one_title_and_one_number_of_two_portals_are_two_of_each_on_every_outlet(loa, producer, portal, mail_server):
    both = [published("tin-1", title="Lịch cắt điện"), document()]
    for message in both:
        producer.structured(message)
        producer.structured(of(COMMUNE, message))
    until(20, "all four stand", lambda: loa.titles().count("Lịch cắt điện") == 2 and len(ids(loa, "all")) == 4)

    until(20, "each portal's feed has its own", lambda: len(ids(loa, "portal-home")) == len(ids(loa, "portal-na-son")) == 2)
    home, commune = ids(loa, "portal-home"), ids(loa, "portal-na-son")
    assert sorted(home.values()) == sorted(commune.values()) and len(home) == len(commune) == 2
    assert not home.keys() & commune.keys() and {**home, **commune} == ids(loa, "all")
    assert set(home) == {"tag:dienbiendong.gov.vn,2023-01-01:entry/tin-1", "tag:dienbiendong.gov.vn,2023-01-01:entry/vb-12"}, \
        "ids of the home portal are what they were"
    assert set(commune) == {"tag:na-son.example.gov.vn,2026-07-01:entry/tin-1", "tag:na-son.example.gov.vn,2026-07-01:entry/vb-12"}
    assert set(ids(loa, "category-kinh-te+portal-na-son").values()) == {"Lịch cắt điện"}
    page = loa.feed("all").text
    assert page.count("Cổng na-son") >= 2, "an entry says whose it is where a feed mixes"
    until(20, "the list of feeds has it", lambda: "portal-na-son" in http("GET", f"{loa.url('feed')}/feeds.opml").text)
    for form in ("rss", "atom"):
        assert "Cổng na-son" in loa.feed(f"all.{form}").text

    calls = lambda: [call for call in portal.delivered() if call.json().get("subject") in ("tin-1", "vb-12")]
    until(20, "all four are delivered", lambda: len(calls()) == 4)
    assert len({call.id for call in calls()}) == 4, "a receiver takes none for a repeat"
    said = sorted((call.json()["source"], call.json()["subject"], call.headers.get("loa-portal")) for call in calls())
    assert said == sorted([(SOURCE, "tin-1", None), (SOURCE, "vb-12", None), (COMMUNE, "tin-1", "na-son"), (COMMUNE, "vb-12", "na-son")])

    mails = lambda: mail_server.to(READER)
    until(20, "all four are mailed", lambda: loa.command("digest", "run") and mails())
    text = mails()[-1].part("plain")
    assert text.count("Lịch cắt điện") >= 2 and text.count(NUMBER) == 2 and text.count("Cổng na-son") >= 2

    for key, portal_of in (("tin-1", ()), ("tin-1", ("--portal", "na-son"))):
        steps = loa.json("journey", key, *portal_of)
        assert {step["outlet"] for step in steps} == {"intake", "feed", "digest", "push"}


def test_a_withdrawal_by_one_portal_leaves_the_others_article(loa, producer, portal, mail_server):
    producer.structured(of(COMMUNE, withdrawn("tin-1", 2, "Đăng nhầm ở xã")))
    until(20, "one is gone", lambda: loa.titles().count("Lịch cắt điện") == 1)
    until(20, "it is the commune's", lambda: "Lịch cắt điện" not in ids(loa, "portal-na-son").values())
    assert "Lịch cắt điện" in ids(loa, "portal-home").values()
    assert http("GET", f"{loa.url('feed')}/a/tin-1").status == 302
    assert http("GET", f"{loa.url('feed')}/a/na-son%20tin-1").status == 410
    mails = lambda: mail_server.to(READER)
    until(20, "the reader is told", lambda: loa.command("digest", "run") and "Đăng nhầm ở xã" in mails()[-1].part("plain"))
    assert "Cổng na-son" in mails()[-1].part("plain")
    gone = lambda: [call.json()["source"] for call in portal.delivered() if call.json()["type"].endswith("withdrawn.v1")]
    until(20, "the withdrawal is delivered", lambda: gone() == [COMMUNE])


def test_events_of_an_unknown_source_wait_in_the_dead_letters_and_come_to_life_once_the_portal_is_there(loa, producer):
    producer.structured(of(SCHOOL, published("khai-giang", title="Lễ khai giảng")))
    letters = lambda: [letter for letter in loa.json("dead-letters", "list") if SCHOOL in letter["reason"]]
    until(20, "it waits in every queue", lambda: len(letters()) == len(OUTLETS))
    assert all("loa portals add" in letter["reason"] for letter in letters())
    assert "Lễ khai giảng" not in loa.titles()
    add(loa, "truong", SCHOOL)
    for queue in OUTLETS:
        loa.command("dead-letters", "redrive", "--queue", queue, "--all")
    until(20, "it stands", lambda: "Lễ khai giảng" in loa.titles("portal-truong"))
    until(20, "every outlet has it", lambda: {step["outlet"] for step in loa.json("journey", "khai-giang", "--portal", "truong")} >= {"intake", "feed", "digest", "push"})
    assert not letters()


def test_a_portal_that_was_just_added_is_known_at_once(loa, producer):
    add(loa, "y-te", "https://y-te.example.gov.vn/")
    producer.structured(of("https://y-te.example.gov.vn/", published("tiem-chung", title="Lịch tiêm chủng")))
    until(20, "it stands", lambda: "Lịch tiêm chủng" in loa.titles("portal-y-te"))
    assert not loa.json("dead-letters", "list")


def test_adding_twice_changes_nothing_and_what_would_mix_portals_up_is_refused(loa):
    before = loa.json("portals", "list")
    assert [one["slug"] for one in before][0] == "home"
    add(loa, "na-son", COMMUNE)
    assert loa.json("portals", "list") == before
    for arguments, said in (
        (("na-son", "https://khac.example/"), "another portal na-son"),
        (("khac", COMMUNE), "is the portal na-son's"),
        (("khac", "https://khac.example/", "--tag-authority", "na-son.example.gov.vn"), "tag authority"),
        (("home", "https://khac.example/"), "home"),
        (("Na Son", "https://khac.example/"), "Na Son"),
    ):
        refused = loa.command("portals", "add", arguments[0], "--name", f"Cổng {arguments[0]}", "--url", arguments[1],
                              "--tag-date", "2026-07-01", *arguments[2:], expect=1)
        assert said in refused.stderr, refused.stderr
    assert loa.json("portals", "list") == before


def test_a_token_bound_to_a_portal_publishes_for_it_alone(loa):
    bound = loa.json("token", "create", "--scope", "publish", "--name", "cms-na-son", "--portal", "na-son")["secret"]
    free = loa.json("token", "create", "--scope", "publish", "--name", "cms-all")["secret"]
    look = loa.json("token", "create", "--scope", "operate", "--name", "look")["secret"]
    articles = f"{loa.url('intake')}/v1/articles"

    def publish(secret: str, query: str, title: str):
        content = {name: value for name, value in article("tin-api", title=title).items() if name != "revision"}
        return http("POST", f"{articles}{query}", json.dumps(content).encode(), Authorization=f"Bearer {secret}", Content_Type="application/json")

    refused = publish(bound, "?portal=home", "Của huyện")
    assert refused.status == 403 and "na-son" in refused.json()["detail"]
    assert publish(bound, "", "Của xã").json()["portal"] == "na-son"
    assert "portal" not in publish(free, "", "Của huyện").json()
    assert publish(free, "?portal=khong-co", "Không ai").status == 404
    until(20, "both stand", lambda: "Của xã" in loa.titles("portal-na-son") and "Của huyện" in loa.titles("portal-home"))
    standing = lambda query: http("GET", f"{articles}/tin-api{query}", Authorization=f"Bearer {look}").json()
    assert standing("")["source"] == SOURCE and standing("?portal=na-son")["source"] == COMMUNE
    assert http("DELETE", f"{articles}/tin-api?portal=home", Authorization=f"Bearer {bound}").status == 403
    assert http("DELETE", f"{articles}/tin-api", Authorization=f"Bearer {bound}").status == 202
    until(20, "the commune's is gone", lambda: "Của xã" not in loa.titles() and "Của huyện" in loa.titles())
    journey = http("GET", f"{loa.url('console')}/v1/articles/tin-api/journey?portal=na-son", Authorization=f"Bearer {look}")
    assert any(re.search("withdrawn", step["step"]) for step in journey.json()["steps"])


def test_a_retired_portal_publishes_no_more_and_what_stands_stays(loa, producer):
    look = loa.json("token", "create", "--scope", "operate", "--name", "retire")["secret"]
    answer = http("POST", f"{loa.url('intake')}/v1/portals/y-te/retire", b"", Authorization=f"Bearer {look}")
    assert answer.status == 200 and answer.json()["retired_at"]
    shown = lambda: loa.json("portals", "show", "y-te")
    assert shown()["retired_at"]
    # every process has read it within seconds; until then an event is taken
    number = iter(range(1, 1_000))

    def is_refused() -> bool:
        # what happened before the retirement is taken, whenever it comes
        now = datetime.datetime.now(datetime.UTC).isoformat()
        late = published(f"muon-{next(number)}", title="Muộn") | {"time": now}
        producer.structured(of("https://y-te.example.gov.vn/", late))
        return sum("retired" in letter["reason"] for letter in loa.json("dead-letters", "list")) >= len(OUTLETS)

    until(20, "its events wait in the dead letters", is_refused)
    assert "Lịch tiêm chủng" in loa.titles("portal-y-te")
    producer.structured(of("https://y-te.example.gov.vn/", withdrawn("tiem-chung", 2, "Hoãn")))
    until(20, "it can be taken back", lambda: "Lịch tiêm chủng" not in loa.titles("portal-y-te"))


def test_forty_five_portals_in_one_installation_work_as_one(loa, producer, portal):
    secret = loa.json("token", "create", "--scope", "operate", "--name", "many")["secret"]
    slugs = [f"xa-{number}" for number in range(1, 42)]
    for slug in slugs:
        body = json.dumps({"slug": slug, "name": f"Cổng xã {slug}", "url": f"https://{slug}.example.gov.vn/", "tag_date": "2026-07-01"})
        answer = http("POST", f"{loa.url('intake')}/v1/portals", body.encode(), Authorization=f"Bearer {secret}", Content_Type="application/json")
        assert answer.status == 201, answer.text
    assert len(loa.json("portals", "list")) == len(slugs) + 4

    message = published("chung", title="Thông báo chung")
    for slug in slugs:
        producer.structured(of(f"https://{slug}.example.gov.vn/", message))
    producer.structured(message)
    until(60, "all stand", lambda: loa.titles().count("Thông báo chung") == len(slugs) + 1)
    outward = [name for name, title in ids(loa, "all").items() if title == "Thông báo chung"]
    assert len(set(outward)) == len(slugs) + 1
    calls = lambda: {call.id for call in portal.delivered() if call.json().get("subject") == "chung"}
    until(60, "all are delivered", lambda: len(calls()) == len(slugs) + 1)
    listed = lambda: http("GET", f"{loa.url('feed')}/feeds.opml").text
    until(60, "the list of feeds has them", lambda: all(f"portal-{slug}." in listed() for slug in slugs))
    for slug in (slugs[0], slugs[-1]):
        assert loa.titles(f"portal-{slug}") == ["Thông báo chung"]
    assert not [letter for letter in loa.json("dead-letters", "list") if "xa-" in letter["reason"]]
