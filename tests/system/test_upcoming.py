"""An article dated in the future is on no outlet before its time and on every outlet after it (promise 11 of README.md).

Its time is five minutes before its date: that far a portal's clock may be ahead. Everything is killed before the time and
starts again after it, in a zone that is not Vietnam's.
"""

import datetime
import time

import pytest
import shapes
from contract import published, withdrawn
from installation import SERVICES, http, until
from judges import read_feed
from websub import FrontDoor, Reader, request

SHAPES = shapes.BOTH
ZONE = "America/New_York"
CLOCK_SKEW = datetime.timedelta(minutes=5)
AT_ONCE = "truc-ban@nason.example"
DAILY = "van-phong@nason.example"
LATER, TAKEN_BACK, NOW = "Tin hẹn giờ", "Tin hẹn giờ rồi gỡ", "Tin đăng ngay"
FORMATS = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}


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


def date_of(shown_from: datetime.datetime) -> str:
    """The date of an article that is shown from an instant on."""
    return (shown_from + CLOCK_SKEW).isoformat()


def pages(loa, title: str) -> dict[str, bool]:
    """Whether the title stands in each form of the feed, on its page, and on the front page."""
    found = {form: title in loa.feed(f"all.{form}").text for form in FORMATS}
    return found | {"page": title in loa.feed("all").text, "front": title in http("GET", f"{loa.url('console')}/").text}


def test_it_is_nowhere_before_its_time_and_everywhere_after_it(install, bus, portal, mail_server, door, reader):
    loa = install(
        site__zone=ZONE, site__public_url=f"{door.url}/", digest__immediate_window_seconds=1,
        hub__allow_networks=["127.0.0.0/8"], hub__notice_seconds_min=0,
        hub__verification_delays_seconds=[1], hub__retry__delays_seconds=[1] * 10, hub__poll_interval_seconds=2,
    )
    door.route = lambda path: loa.url("push" if path == "/hub" else "feed")
    loa.start(*SERVICES)
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", AT_ONCE, "--frequency", "immediate")
    asked = request(f"{door.url}/hub", hub_mode="subscribe", hub_topic=f"{door.url}/feeds/all.atom", hub_callback=f"{reader.url}/a")
    assert asked.status == 202, asked.text
    until(15, "the hub has a subscriber", lambda: [one for one in loa.json("hub", "list") if one["state"] == "active"])

    producer = bus(loa)
    shown_from = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
    for name, title in (("hen", LATER), ("hen-go", TAKEN_BACK)):
        producer.structured(published(name, title=title, published_at=date_of(shown_from), modified_at=date_of(shown_from)))
    producer.structured(published("ngay", title=NOW))
    until(15, "what is not dated ahead stands", lambda: NOW in loa.titles())
    until(15, "and is delivered", lambda: "ngay" in subjects(portal))
    until(15, "and is mailed at once", lambda: [mail for mail in mail_server.to(AT_ONCE) if NOW in mail.part("plain")])
    producer.structured(withdrawn("hen-go", 2, "Đăng nhầm"))
    # a wish made before the time follows what a feed's readers see
    loa.command("subscribers", "add", DAILY, "--frequency", "daily")
    loa.command("digest", "run")
    for title in (LATER, TAKEN_BACK):
        assert not any(pages(loa, title).values()), f"{title}: {pages(loa, title)}"
    assert http("GET", f"{loa.url('feed')}/a/hen").status == 404
    assert_nowhere(portal, mail_server, reader)
    assert datetime.datetime.now(datetime.timezone.utc) < shown_from, "the machine was too slow for this test to say anything"

    loa.kill()
    time.sleep(max(0.0, (shown_from - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))
    assert_nowhere(portal, mail_server, reader)
    loa.start(*SERVICES)

    until(20, "it stands in each form, on its page and on the front page", lambda: all(pages(loa, LATER).values()))
    entry = next(entry for entry in read_feed(loa.feed("all.rss").body, FORMATS["rss"]).entries if entry.title == LATER)
    assert entry.published.endswith(("-0400", "-0500")), f"dates are those of {ZONE}: {entry.published}"
    until(20, "the portal has it", lambda: "hen" in subjects(portal))
    until(40, "it is mailed at once", lambda: [mail for mail in mail_server.to(AT_ONCE) if LATER in mail.part("plain")])
    until(20, "it is in the daily digest", lambda: loa.command("digest", "run") and mail_server.to(DAILY))
    assert LATER in mail_server.to(DAILY)[0].part("plain")
    until(40, "the hub tells it", lambda: any(LATER.encode() in call.body for call in reader.told("/a")))
    assert subjects(portal).count("hen") == 1

    # what was withdrawn before its time went nowhere, and will not
    assert not any(pages(loa, TAKEN_BACK).values())
    assert "hen-go" not in subjects(portal)
    assert all(TAKEN_BACK not in mail.part("plain") for mail in mail_server.to(AT_ONCE) + mail_server.to(DAILY))


def subjects(portal) -> list[str]:
    """What each webhook was about."""
    return [hook.json()["subject"] for hook in portal.hooks if "subject" in hook.json()]


def assert_nowhere(portal, mail_server, reader) -> None:
    assert not {"hen", "hen-go"} & set(subjects(portal))
    for address in (AT_ONCE, DAILY):
        for mail in mail_server.to(address):
            assert LATER not in mail.part("plain") and TAKEN_BACK not in mail.part("plain")
    for call in reader.told("/a"):
        assert LATER.encode() not in call.body and TAKEN_BACK.encode() not in call.body
