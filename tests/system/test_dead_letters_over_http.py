"""`/v1/dead-letters`: an operator's programs do over HTTP what the command line does, in pages and by name, and are told when they may not."""

import json

import pytest
import shapes
from contract import published
from installation import http, until

SHAPES = [*shapes.SMALL, shapes.ON_BROKER[0]]  # about buses
LETTERS = 5


@pytest.fixture(scope="module")
def loa(install, bus):
    loa = install()
    loa.start("intake", "feed", "digest", "push", "console")
    producer = bus(loa)
    for number in range(LETTERS):
        producer.raw(b'{"specversion":"1.0","id":', "article.published.tin-tuc", message_id=f"bad-{number}")
    producer.raw(json.dumps(published("stray")).encode(), "news.published", message_id="stray")
    until(30, "they are dead", lambda: len(loa.json("dead-letters", "list")) == 4 * LETTERS + 1)
    return loa


@pytest.fixture(scope="module")
def ask(loa):
    secrets = {scope: loa.json("token", "create", "--scope", scope)["secret"] for scope in ("read", "operate", "publish")}

    def ask(scope: str, method: str, path: str, asked: object = None):
        body = None if asked is None else json.dumps(asked).encode()
        answer = http(method, f"{loa.url('console')}/v1/dead-letters{path}", body, 30, Authorization=f"Bearer {secrets[scope]}",
                      Content_Type="application/json")
        if answer.status >= 400:
            assert answer.headers["content-type"] == "application/problem+json" and answer.json()["status"] == answer.status
        return answer

    return ask


def listed(loa, queue: str) -> dict[str, str]:
    return {letter["letter"]: letter["message_id"] for letter in loa.json("dead-letters", "list", "--queue", queue)}


def test_letters_are_listed_in_pages_as_the_command_line_lists_them_and_shown_whole(loa, ask):
    pages, after = [], ""
    while after is not None:
        page = ask("read", "GET", f"?queue=feed&limit=2{after}").json()
        pages.append(page["letters"])
        after = f"&after={page['next']}" if "next" in page else None
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [letter for page in pages for letter in page] == loa.json("dead-letters", "list", "--queue", "feed")
    assert len(ask("operate", "GET", "?limit=1000").json()["letters"]) == 4 * LETTERS + 1
    name = pages[0][0]["letter"]
    assert ask("read", "GET", f"/{name}").json() == loa.json("dead-letters", "show", name)
    assert ask("read", "GET", "/feed/nobody").status == 404
    assert ask("read", "GET", "?queue=nowhere").status == 400


def test_who_may_only_look_or_publish_changes_nothing(loa, ask):
    before = listed(loa, "feed")
    for path in ("/redrive", "/discard"):
        assert ask("read", "POST", path, {"letters": list(before)}).status == 403
        assert ask("publish", "POST", path, {"letters": list(before)}).status == 403
    assert ask("publish", "GET", "").status == 403
    assert http("GET", f"{loa.url('console')}/v1/dead-letters").status == 401
    assert listed(loa, "feed") == before


def test_letters_are_discarded_and_redriven_by_name_all_of_them_or_none_and_it_stands_in_the_log(loa, ask):
    first, second, *others = listed(loa, "feed")
    asked = ask("operate", "POST", "/discard", {"letters": [first, "feed/nobody"]})
    assert asked.status == 404 and "feed/nobody" in asked.json()["detail"] and first in listed(loa, "feed")
    gone = ask("operate", "POST", "/discard", {"letters": [first]}).json()
    assert gone == {"discarded": [{"letter": first, "message_id": "bad-0"}]}
    assert first not in listed(loa, "feed")
    assert ask("operate", "POST", "/redrive", {"letters": [second]}).json() == {"redriven": 1, "stayed": 0, "reasons": []}
    # it is as bad as before, and dies a second death under another name
    until(20, "it is dead again", lambda: {letter["message_id"]: letter["deaths"] for letter in ask("read", "GET", "?queue=feed").json()["letters"]}.get("bad-1") == 2)
    assert set(others) < set(listed(loa, "feed"))
    assert ask("operate", "POST", "/redrive", {"letters": [others[0]], "key": "article.published.tin-tuc"}).status == 422
    assert ask("operate", "POST", "/redrive", {"letters": []}).status == 422
    said = loa.logs()
    assert "/v1/dead-letters/discard" in said and "dead letters were deleted for good" in said and "dead letters were redriven" in said


def test_what_no_queue_took_comes_to_every_outlet_under_the_key_that_is_given(loa, ask):
    (stray,) = listed(loa, "unrouted")
    stays = ask("operate", "POST", "/redrive", {"letters": [stray]}).json()
    assert stays["redriven"] == 0 and stays["reasons"][0]["letter"] == stray
    moved = ask("operate", "POST", "/redrive", {"letters": [stray], "key": "article.published.tin-tuc"}).json()
    assert moved["redriven"] == 1
    until(20, "it stands", lambda: "Tin stray" in loa.titles())
    assert not listed(loa, "unrouted")
