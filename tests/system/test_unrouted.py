"""What no queue took (`loa.unrouted`), and letters that are addressed one by one: listed, shown, redriven, thrown away."""

import json

import pytest
import shapes
from contract import published
from installation import http, until

SHAPES = [*shapes.SMALL, shapes.ON_BROKER[0]]  # about buses
QUEUES = ("archive", "feed", "digest", "push")
STRAY = {"stray-word": "news.published", "stray-case": "Article.published.kinh-te", "stray-empty": "", "stray-typo": "articles.published"}


@pytest.fixture(scope="module")
def loa(install):
    loa = install(bus__probe_interval_seconds=1)
    loa.start("intake", "feed", "digest", "push", "console")
    return loa


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


def unrouted(loa) -> dict[str, dict]:
    return {letter["message_id"]: letter for letter in loa.json("dead-letters", "list", "--queue", "unrouted")}


def faults(loa) -> dict[str, str]:
    answer = http("GET", f"{loa.url('intake')}/readyz")
    assert answer.status == 200, "a stray key is no reason to be unready"
    return {name: fault["sentence"] for name, fault in answer.json()["faults"].items()}


def console(loa, path: str) -> str:
    secret = loa.json("token", "create", "--scope", "read")["secret"]
    answer = http("GET", f"{loa.url('console')}{path}", Authorization=f"Bearer {secret}")
    assert answer.status == 200, answer.text
    return answer.text


def test_what_no_queue_took_is_told_everywhere_and_listed_with_its_key(loa, producer):
    assert "unrouted messages" not in faults(loa)
    for name, key in STRAY.items():
        message = published(name)
        producer.raw(json.dumps(message).encode(), key, message_id=name)
    said = until(15, "the fault", lambda: faults(loa).get("unrouted messages", "").startswith("4 messages"))
    assert said
    assert http("GET", f"{loa.url('intake')}/readyz").json()["faults"]["unrouted messages"]["kind"] == "unrouted"
    letters = unrouted(loa)
    assert {name: letter["routing_key"] for name, letter in letters.items()} == STRAY
    for name, key in STRAY.items():
        assert f'"{key}"' in letters[name]["reason"] and letters[name]["letter"].startswith("unrouted/")
    check = loa.command("check", expect=1).stdout
    assert "FAIL  unrouted" in check and "4 messages lie in loa.unrouted" in check, check
    metrics = http("GET", f"{loa.url('intake')}/metrics").text
    assert "loa_unrouted_messages 4" in metrics and 'loa_fault{fault="unrouted messages"} 1' in metrics
    assert "4 tin lạc trong loa.unrouted" in console(loa, "/console")
    page = console(loa, "/console/dead/unrouted")
    assert "news.published" in page and letters["stray-word"]["letter"] in page


def test_under_the_contracts_key_every_outlet_gets_it(loa, producer):
    letters = unrouted(loa)
    shown = loa.command("dead-letters", "show", letters["stray-word"]["letter"]).stdout
    assert f"redrive {letters['stray-word']['letter']} --key article.published.kinh-te" in shown, "the key is told"
    wrong = loa.command("dead-letters", "redrive", letters["stray-word"]["letter"], "--key", "Article.published.x", expect=1)
    assert "no queue takes the routing key" in wrong.stderr, wrong.stderr
    back = loa.command("dead-letters", "redrive", letters["stray-word"]["letter"], expect=1)
    assert "1 stay" in back.stderr and "news.published" in back.stderr, "without a key it would only come back"
    assert unrouted(loa) == letters, "nothing has moved"

    named = [letters[name]["letter"] for name in ("stray-word", "stray-case", "stray-empty")]
    moved = loa.json("dead-letters", "redrive", *named, "--key", "article.published.kinh-te")
    assert (moved["redriven"], moved["stayed"]) == (3, 0)
    until(15, "feed has them", lambda: {"Tin stray-word", "Tin stray-case", "Tin stray-empty"} <= set(loa.titles()))
    for outlet in QUEUES[1:]:
        for name in ("stray-word", "stray-case", "stray-empty"):
            def has_it(name=name, outlet=outlet):
                return outlet in {line["outlet"] for line in loa.json("journey", name)}
            until(15, f"{outlet} has {name}", has_it)
    assert set(unrouted(loa)) == {"stray-typo"}


def test_what_nobody_wants_is_thrown_away_and_all_is_well_again(loa, producer):
    letter = unrouted(loa)["stray-typo"]["letter"]
    gone = loa.json("dead-letters", "discard", letter)
    assert gone == {"discarded": [{"letter": letter, "message_id": "stray-typo"}]}
    assert unrouted(loa) == {}
    until(15, "the fault is gone", lambda: "unrouted messages" not in faults(loa))
    assert "ok    unrouted" in loa.command("check", expect=None).stdout


def test_a_letter_is_addressed_by_its_name_and_a_message_that_is_dead_often_is_asked_about(loa, producer):
    for _ in range(2):
        producer.raw(b"{", "article.published.kinh-te", message_id="twice-bad")
    producer.raw(b"{", "article.published.kinh-te", message_id="other-bad")

    def letters() -> list[dict]:
        return [letter for letter in loa.json("dead-letters", "list") if letter["message_id"] == "twice-bad"]

    until(15, "two in each queue", lambda: len(letters()) == 8)
    names = [letter["letter"] for letter in letters()]
    assert len(set(names)) == 8
    for command in (["discard"], ["redrive"]):
        asked = loa.command("dead-letters", *command, "--id", "twice-bad", expect=1)
        assert "8 letters are of the message" in asked.stderr and "archive 2, feed 2, digest 2, push 2" in asked.stderr
        assert "--all" in asked.stderr
    assert [letter["letter"] for letter in letters()] == names, "nothing was done"
    feed = [name for name in names if name.startswith("feed/")]
    loa.command("dead-letters", "discard", feed[0])
    assert [letter["letter"] for letter in letters()] == [name for name in names if name != feed[0]]
    missing = loa.command("dead-letters", "discard", feed[0], expect=1)
    assert f"there is no letter {feed[0]}" in missing.stderr
    no_letter = loa.command("dead-letters", "discard", "twice-bad", expect=1)
    assert "--id" in no_letter.stderr, "a message id is no letter"
    loa.command("dead-letters", "discard", "--id", "twice-bad", "--queue", "feed")
    gone = loa.json("dead-letters", "discard", "--id", "twice-bad", "--all")
    assert len(gone["discarded"]) == 6 and letters() == []
    left = {(letter["queue"], letter["message_id"]) for letter in loa.json("dead-letters", "list")}
    assert left == {(queue, "other-bad") for queue in QUEUES}
    assert "say of which queue" in loa.command("dead-letters", "discard", "--all", expect=1).stderr
    loa.command("dead-letters", "discard", "--all", "--queue", "push")
    assert len(loa.json("dead-letters", "list")) == 3
