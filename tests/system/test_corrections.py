"""An update and a withdrawal travel through every outlet, in every shape of the program; the journey tells it all."""

import datetime
import json

import pytest
import shapes
from contract import article
from installation import SERVICES, http, until
from judges import read_feed, xmllint
from lxml import etree

SHAPES = [*shapes.EVERY, *shapes.POOLER]
READER = "van-phong@nason.example"
LATE = "nguoi-den-sau@nason.example"


def input_article(title: str, summary: str, revision_of: str = "sua-1") -> str:
    """What a CMS posts: an article without a revision; intake counts."""
    data = article(revision_of, title=title, summary=summary)
    del data["revision"]
    return json.dumps(data, ensure_ascii=False)


@pytest.fixture(scope="module")
def loa(install, portal, mail_server):
    """Everything running; a subscriber who was there from the start, an endpoint, a token."""
    loa = install()
    loa.start(*SERVICES)
    loa.portal, loa.mails = portal, mail_server
    loa.token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    loa.reading = loa.json("token", "create", "--scope", "read", "--name", "reading")["secret"]
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", READER, "--frequency", "daily")
    yield loa
    loa.stop()


def post(loa, body: str):
    return http("POST", f"{loa.url('intake')}/v1/articles", body.encode(), Authorization=f"Bearer {loa.token}",
                Content_Type="application/json")


def mails(loa, address: str) -> list:
    return loa.mails.to(address)


def hooks(loa) -> list:
    return [hook for hook in loa.portal.hooks if hook.json().get("subject") == "sua-1"]


def run_digest(loa, count: int) -> None:
    """Sends what is owed, as soon as the digest service has heard of it, until the reader has so many mails."""
    until(20, f"mail {count} of the reader", lambda: loa.command("digest", "run") and len(mails(loa, READER)) >= count)


def test_1_published(loa):
    answer = post(loa, input_article("Bản thứ nhất", "Số liệu đầu tiên."))
    assert answer.status == 202, answer.text
    assert answer.json()["revision"] == 1
    until(15, "it stands", lambda: "Bản thứ nhất" in loa.titles())
    until(15, "the portal has it", lambda: [hook.json()["type"] for hook in hooks(loa)] == ["vn.loa.article.published.v1"])
    run_digest(loa, 1)
    assert "Bản thứ nhất" in mails(loa, READER)[0].part("plain")


def test_2_a_repeat_changes_nothing(loa):
    answer = post(loa, input_article("Bản thứ nhất", "Số liệu đầu tiên."))
    assert answer.status == 200 and answer.json()["revision"] == 1


def test_3_updated(loa):
    before = loa.feed("all.atom")
    answer = post(loa, input_article("Bản thứ hai", "Số liệu đã sửa."))
    assert answer.status == 202 and answer.json()["revision"] == 2
    until(15, "the new text stands", lambda: "Bản thứ hai" in loa.titles())
    assert "Bản thứ nhất" not in loa.titles()
    after = loa.feed("all.atom", If_None_Match=before.headers["etag"])
    assert after.status == 200, "a reader that had the old one gets the new one"
    entries = [read_feed(answer.body, "application/atom+xml").entries for answer in (before, after)]
    ids = [next(e.id for e in found if e.link.endswith("/tin/sua-1") or "sua-1" in e.id) for found in entries]
    assert ids[0] == ids[1], "one article, one id, whatever its revision"
    until(15, "the portal has it", lambda: [hook.json()["type"] for hook in hooks(loa)][1:] == ["vn.loa.article.updated.v1"])
    run_digest(loa, 2)
    assert "Bản thứ hai" in mails(loa, READER)[1].part("plain")


def test_4_a_late_subscriber_is_owed_nothing_of_before(loa):
    loa.command("subscribers", "add", LATE, "--frequency", "daily")
    loa.command("digest", "run")
    assert mails(loa, LATE) == []


def test_5_withdrawn_is_gone_everywhere(loa):
    answer = http("DELETE", f"{loa.url('intake')}/v1/articles/sua-1", json.dumps({"reason": "Số liệu chưa đúng"}).encode(),
                  Authorization=f"Bearer {loa.token}", Content_Type="application/json")
    assert answer.status == 202, answer.text
    until(15, "it is out of the feed", lambda: "Bản thứ hai" not in loa.titles())
    atom = loa.feed("all.atom")
    xmllint(atom.body)
    stones = etree.fromstring(atom.body).findall("{http://purl.org/atompub/tombstones/1.0}deleted-entry")
    assert any("sua-1" in stone.get("ref") for stone in stones), "a tombstone (RFC 6721)"
    assert http("GET", f"{loa.url('feed')}/a/sua-1").status == 410
    assert "Bản thứ hai" not in loa.feed("category-kinh-te.rss").text
    hook = until(15, "the portal has it", lambda: len(found := hooks(loa)) == 3 and found)[2].json()
    assert hook["type"] == "vn.loa.article.withdrawn.v1"
    assert hook["data"]["reason"] == "Số liệu chưa đúng"
    run_digest(loa, 3)
    correction = mails(loa, READER)[2]
    assert "Bản thứ hai" in correction.part("plain"), "the correction names what is withdrawn"
    assert "Số liệu chưa đúng" in correction.part("plain")


def test_6_nobody_else_gets_the_correction_and_nobody_gets_it_twice(loa):
    loa.command("digest", "run")
    assert mails(loa, LATE) == []
    assert len(mails(loa, READER)) == 3
    assert len(hooks(loa)) == 3
    assert len({mail.message["message-id"] for mail in mails(loa, READER)}) == 3


def test_7_the_article_accounts_for_itself(loa):
    steps = loa.json("journey", "sua-1")
    steps = steps["steps"] if isinstance(steps, dict) else steps
    assert {step["outlet"] for step in steps} == {"intake", "feed", "digest", "push"}
    instants = [datetime.datetime.fromisoformat(step["at"]) for step in steps]
    assert instants == sorted(instants)
    for outlet in ("intake", "feed", "push", "digest"):
        assert {1, 2, 3} <= {step["revision"] for step in steps if step["outlet"] == outlet}, outlet
    said = loa.command("journey", "sua-1").stdout
    assert READER not in said, "no addresses of people"


def test_8_the_journey_needs_a_token(loa):
    address = f"{loa.url('console')}/v1/articles/sua-1/journey"
    assert http("GET", address).status == 401
    answer = http("GET", address, Authorization=f"Bearer {loa.reading}")
    assert answer.status == 200, answer.text
    assert "sua-1" in answer.text


def test_9_it_can_be_published_again(loa):
    answer = post(loa, input_article("Bản thứ ba", "Số liệu đúng."))
    assert answer.status == 202 and answer.json()["revision"] == 4
    until(15, "it stands again", lambda: "Bản thứ ba" in loa.titles())
    assert http("GET", f"{loa.url('feed')}/a/sua-1").status == 302
