"""An update and a withdrawal travel through every outlet, in every shape of the program; the journey tells it all.

One installation runs; each test has an article, a reader and webhooks of its own in it (`Story`), and stands alone.
"""

import datetime
import itertools
import json

import pytest
import shapes
from contract import SOURCE, article
from installation import SERVICES, http, until
from judges import read_feed, xmllint
from lxml import etree

SHAPES = [*shapes.EVERY, *shapes.POOLER]
NUMBERS = itertools.count(1)
REASON = "Số liệu chưa đúng"


@pytest.fixture(scope="module")
def loa(install, portal, mail_server):
    """Everything running, with an endpoint and tokens."""
    loa = install(portal__url=SOURCE)
    loa.start(*SERVICES)
    loa.portal, loa.mails = portal, mail_server
    loa.token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    loa.reading = loa.json("token", "create", "--scope", "read", "--name", "reading")["secret"]
    loa.json("endpoints", "add", portal.url)
    yield loa
    loa.stop()


class Story:
    """One article, and what became of it."""

    def __init__(self, loa):
        self.loa, self.id = loa, f"sua-{next(NUMBERS):03}"
        self.reader = self.subscribe("nguoi-doc")

    def subscribe(self, name: str) -> str:
        """A new mailbox that wants everything, daily."""
        address = f"{name}-{self.id}@nason.example"
        self.loa.command("subscribers", "add", address, "--frequency", "daily")
        return address

    def title(self, version: int) -> str:
        return f"Bản thứ {version} của {self.id}"

    def post(self, version: int):
        """What a CMS posts: the article without a revision; intake counts."""
        data = article(self.id, title=self.title(version), summary=f"Số liệu lần {version}.")
        del data["revision"]
        return http("POST", f"{self.loa.url('intake')}/v1/articles", json.dumps(data, ensure_ascii=False).encode(),
                    Authorization=f"Bearer {self.loa.token}", Content_Type="application/json")

    def publish(self, version: int, revision: int) -> None:
        """Posts it and waits until it stands in the feed."""
        answer = self.post(version)
        assert answer.status == 202, answer.text
        assert answer.json()["revision"] == revision
        until(15, f"version {version} stands", lambda: self.title(version) in self.loa.titles())

    def withdraw(self, version: int) -> None:
        """Withdraws it and waits until this version is out of the feed."""
        answer = http("DELETE", f"{self.loa.url('intake')}/v1/articles/{self.id}", json.dumps({"reason": REASON}).encode(),
                      Authorization=f"Bearer {self.loa.token}", Content_Type="application/json")
        assert answer.status == 202, answer.text
        until(15, "it is out of the feed", lambda: self.title(version) not in self.loa.titles())

    def mails(self) -> list:
        return self.loa.mails.to(self.reader)

    def mailed(self, count: int):
        """Sends what is owed, as soon as the digest service has heard of it, until the reader has so many mails; the last."""
        until(20, f"mail {count} of the reader", lambda: self.loa.command("digest", "run") and len(self.mails()) >= count)
        return self.mails()[count - 1]

    def hooks(self) -> list:
        return [hook.json() for hook in self.loa.portal.hooks if hook.json().get("subject") == self.id]

    def hooked(self, *verbs: str) -> list:
        """Waits until the portal has exactly these, in this order."""
        types = [f"vn.loa.article.{verb}.v1" for verb in verbs]
        until(15, f"the portal has {types}", lambda: [hook["type"] for hook in self.hooks()] == types)
        return self.hooks()


@pytest.fixture
def story(loa) -> Story:
    return Story(loa)


def test_what_is_published_reaches_every_outlet(story):
    story.publish(1, revision=1)
    story.hooked("published")
    assert story.title(1) in story.mailed(1).part("plain")


def test_a_repeat_changes_nothing(story):
    story.publish(1, revision=1)
    answer = story.post(1)
    assert answer.status == 200 and answer.json()["revision"] == 1


def test_an_update_takes_the_place_of_what_stood(loa, story):
    story.publish(1, revision=1)
    story.mailed(1)
    before = loa.feed("all.atom")
    story.publish(2, revision=2)
    assert story.title(1) not in loa.titles()
    after = loa.feed("all.atom", If_None_Match=before.headers["etag"])
    assert after.status == 200, "a reader that had the old one gets the new one"
    entries = [read_feed(answer.body, "application/atom+xml").entries for answer in (before, after)]
    ids = [next(entry.id for entry in found if entry.id.endswith(story.id)) for found in entries]
    assert ids[0] == ids[1], "one article, one id, whatever its revision"
    story.hooked("published", "updated")
    assert story.title(2) in story.mailed(2).part("plain")


def test_a_withdrawal_is_told_everywhere(loa, story):
    story.publish(1, revision=1)
    story.mailed(1)
    story.withdraw(1)
    atom = loa.feed("all.atom")
    xmllint(atom.body)
    stones = etree.fromstring(atom.body).findall("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    assert any(stone.get("ref").endswith(story.id) for stone in stones), "a tombstone (RFC 6721)"
    assert http("GET", f"{loa.url('feed')}/a/{story.id}").status == 410
    assert story.title(1) not in loa.feed("category-kinh-te.rss").text
    assert story.hooked("published", "withdrawn")[1]["data"]["reason"] == REASON
    correction = story.mailed(2).part("plain")
    assert story.title(1) in correction, "the correction names what is withdrawn"
    assert REASON in correction


def test_a_late_subscriber_is_owed_nothing_of_before_and_nobody_is_told_twice(loa, story):
    story.publish(1, revision=1)
    story.mailed(1)
    late = story.subscribe("den-sau")
    story.withdraw(1)
    story.hooked("published", "withdrawn")
    story.mailed(2)
    loa.command("digest", "run")
    assert loa.mails.to(late) == [], "neither the article nor its correction"
    assert len(story.mails()) == 2
    assert len(story.hooks()) == 2
    assert len({mail.message["message-id"] for mail in story.mails()}) == 2


def test_the_article_accounts_for_itself(loa, story):
    story.publish(1, revision=1)
    story.mailed(1)
    story.publish(2, revision=2)
    story.mailed(2)
    story.withdraw(2)
    story.mailed(3)
    story.hooked("published", "updated", "withdrawn")
    steps = loa.json("journey", story.id)
    steps = steps["steps"] if isinstance(steps, dict) else steps
    assert {step["outlet"] for step in steps} == {"intake", "feed", "digest", "push"}
    instants = [datetime.datetime.fromisoformat(step["at"]) for step in steps]
    assert instants == sorted(instants)
    for outlet in ("intake", "feed", "push", "digest"):
        assert {1, 2, 3} <= {step["revision"] for step in steps if step["outlet"] == outlet}, outlet
    assert story.reader not in loa.command("journey", story.id).stdout, "no addresses of people"


def test_the_journey_needs_a_token(loa, story):
    story.publish(1, revision=1)
    address = f"{loa.url('console')}/v1/articles/{story.id}/journey"
    assert http("GET", address).status == 401
    answer = http("GET", address, Authorization=f"Bearer {loa.reading}")
    assert answer.status == 200, answer.text
    assert story.id in answer.text


def test_what_was_withdrawn_can_be_published_again(loa, story):
    story.publish(1, revision=1)
    story.withdraw(1)
    story.publish(2, revision=3)
    assert http("GET", f"{loa.url('feed')}/a/{story.id}").status == 302
