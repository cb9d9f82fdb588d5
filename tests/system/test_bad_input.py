"""The corpus of bad input between good neighbours: kept with a reason an operator can act on, or cleaned; nothing else harmed.

Through the bus as a foreign producer sends it, and through `POST /v1/articles` as an editor's CMS does.
"""

import base64
import hashlib
import html.parser
import itertools
import json
import re
import unicodedata

import hostile
import pytest
import shapes
from contract import published
from installation import PUBLIC, http, until
from judges import read_feed, xmllint
from lxml import etree

SHAPES = shapes.BOTH
pytestmark = pytest.mark.long
QUEUES = ("archive", "feed", "digest", "push")
READER = "can-bo@dienbien.example"
CORPUS = hostile.corpus()
REFUSED = {case.name: case for case in CORPUS if case.refused}
TAKEN = {case.name: case for case in CORPUS if not case.refused}
# taken, and on no outlet before its time
UPCOMING = {"published-in-the-future", "published-in-2100"}
SHOWN = {name: case for name, case in TAKEN.items() if name not in UPCOMING}
NEIGHBOURS = [f"good-{number}" for number in range(len(CORPUS) // 8)]


@pytest.fixture(scope="module")
def loa(install):
    loa = install(feed__entries_max=1_000, feed__document_bytes_max=10_000_000)
    loa.start("intake", "feed", "digest", "push")
    loa.command("subscribers", "add", READER, "--frequency", "daily")
    return loa


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


@pytest.fixture(scope="module")
def fed(loa, producer, portal):
    """The whole corpus, a good neighbour after every eighth of it, and all of it settled."""
    loa.json("endpoints", "add", portal.url)
    neighbours = iter(NEIGHBOURS)
    for number, case in enumerate(CORPUS):
        producer.raw(case.body, case.routing_key, case.content_type, case.name, case.headers)
        if number % 8 == 7:
            producer.structured(published(next(neighbours), published_at="2024-01-02T08:00:00+07:00", modified_at="2024-01-02T08:00:00+07:00"))
    until(180, "every queue is empty", lambda: not any(producer.depth(f"loa.{queue}") for queue in QUEUES))
    for queue in QUEUES:
        until(120, f"what is dead in {queue} is what is malformed", lambda queue=queue: equal(set(dead(loa, queue)) ^ set(REFUSED), set()))
    until(120, "every neighbour stands", lambda: {f"Tin {name}" for name in NEIGHBOURS} <= set(loa.titles()))
    return loa


def equal(found, expected) -> bool:
    """True; or an error that says what was found, for whoever waits in vain."""
    assert found == expected
    return True


def dead(loa, queue: str) -> dict[str, dict]:
    """The dead letters of one queue, as an operator lists them, by message id."""
    return {letter["message_id"]: letter for letter in loa.json("dead-letters", "list", "--queue", queue)}


def test_what_is_malformed_is_kept_with_its_reason_and_position_and_nothing_else(fed):
    faults = []
    kept = {queue: dead(fed, queue) for queue in QUEUES}
    for queue, letters in kept.items():
        assert set(letters) == set(REFUSED), queue
    for letters, (name, case) in itertools.product(kept.values(), REFUSED.items()):
        letter = letters[name]
        if case.refused["says"] not in f"{letter['reason']} {letter['position']}" or not hostile.at_place(letter["position"], case.refused["at"]):
            faults.append(f"{name}: {letter['reason']} (at {letter['position']})")
        if any(unicodedata.category(c) in ("Cc", "Cf") for c in letter["reason"] + letter["position"]):
            faults.append(f"{name}: {letter['reason']!r} could steer a terminal")
    assert not faults, "\n".join(faults)


def told_letter_by_letter(text: str) -> dict[str, str]:
    """What `show --all` says, by the letter's name."""
    return {told.split(",")[0].split("\n")[0].removeprefix("Letter").strip(): told for told in re.split(r"\n\n(?=Letter )", text)}


def test_an_operator_is_shown_what_is_wrong_where_and_what_to_do(fed):
    told = told_letter_by_letter(fed.command("dead-letters", "show", "--all").stdout)
    letters = fed.json("dead-letters", "show", "--all")
    assert set(told) == {letter["letter"] for letter in letters}
    assert {letter["message_id"] for letter in letters} == set(REFUSED) and len(letters) == len(QUEUES) * len(REFUSED)
    for letter in letters:
        name, shown, named = letter["message_id"], told[letter["letter"]], letter["letter"]
        assert letter["reason"].split('"')[0] in shown, name
        assert letter["position"] in shown, name
        assert f"loa dead-letters discard {named}" in shown and f"loa dead-letters redrive {named}" in shown, name
        places = {place.split("/")[0] for place in (named, *letter["others"])}
        assert places == set(QUEUES) and len(letter["others"]) == len(QUEUES) - 1, name
        assert not any(unicodedata.category(c) in ("Cc", "Cf") and c != "\n" for c in shown), f"{name}: {shown!r}"
    of_feed = {letter["message_id"]: letter for letter in letters if letter["queue"] == "feed"}
    shown = told[of_feed["lone-high-surrogate"]["letter"]]
    assert '"a\\ud800b"' in shown and re.search(r"^ +\^$", shown, re.M), "the place, with a caret under it"
    # one letter, by its name and by its message, is told as it is among all
    fraction = of_feed["revision-a-fraction"]
    one = fed.command("dead-letters", "show", fraction["letter"]).stdout
    assert one.strip() == told[fraction["letter"]].strip() and '"revision": 1.5' in one
    assert fed.json("dead-letters", "show", "revision-a-fraction")["message_id"] == "revision-a-fraction"
    assert {letter["letter"] for letter in fed.json("dead-letters", "show", "--all", "--queue", "feed")} == {letter["letter"] for letter in of_feed.values()}
    listing = fed.command("dead-letters", "list", "--queue", "feed").stdout
    assert re.search(r"^\d+ +the body is not UTF-8", listing, re.M), "how many there are of each kind"


class Page(html.parser.HTMLParser):
    """Python's own HTML parser: what is in a body that does something."""

    ACTIVE = set("script style iframe object embed applet frame frameset form input button select textarea svg math base meta link template "
                 "noscript plaintext xmp video audio source portal".split())

    DOING = ("style", "srcset", "id", "name", "formaction", "ping", "background", "target")

    def __init__(self, text: str, of_ours: bool = False):
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.of_ours = of_ours  # a whole page or mail: its own styles, forms and marks are no fault
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag in self.ACTIVE and not (self.of_ours and tag in ("meta", "link", "style", "form", "input", "button", "select")):
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or (name in self.DOING and not self.of_ours):
                self.faults.append(f"{name}={value!r}")
            harmless = r"(https?://[^/]|mailto:|/|#|$)" if self.of_ours else r"(https?://[^/]|mailto:)"
            if name in ("href", "src", "cite") and not re.match(harmless, value or ""):
                self.faults.append(f"{name}={value!r}")


def test_what_is_hostile_but_readable_is_cleaned_in_every_feed(fed):
    items = {item["title"]: item for item in fed.feed("all.json").json()["items"]}
    by_address = {item["id"].rsplit(":", 1)[-1]: item for item in items.values()}
    assert len(by_address) >= len(NEIGHBOURS) + len(TAKEN) - 8, "but those of the future, and two of one id"
    for name, case in SHOWN.items():
        expected = case.becomes.get("/title", f"Tin {name}")
        if case.keeps:
            assert case.keeps in items[expected]["content_html"], name
        if "/content_html" in case.becomes:
            assert items[expected]["content_html"] == case.becomes["/content_html"], name
    for item in items.values():
        faults = Page(item.get("content_html", "")).faults
        assert not faults, f"{item['id']}: {faults}"
        assert item["title"] == unicodedata.normalize("NFC", item["title"])
    for form, kind in (("rss", "application/rss+xml"), ("atom", "application/atom+xml")):
        for feed in ("all", "documents", "category-tin-tuc", "area-na-son-03203-2025"):
            body = fed.feed(f"{feed}.{form}").body
            xmllint(body)
            read_feed(body, kind)
            for text in etree.fromstring(body).itertext():
                if "<" in text and "GIỮ" in text:
                    assert not Page(text).faults, f"{feed}.{form}: {Page(text).faults}"


def test_no_page_runs_what_an_article_brought(fed):
    for path in ("/feeds/all", "/feeds/category-tin-tuc"):
        page = http("GET", f"{fed.url('feed')}{path}")
        scripts = re.findall(r"<script>(.*?)</script>", page.text, flags=re.S)
        hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
        allowed = re.search(r"script-src ([^;]*);", page.headers["content-security-policy"]).group(1)
        assert page.status == 200 and [f"'sha256-{one}'" for one in hashes] == [allowed], "one script, ours, by its hash"
        without_ours = page.text.replace(f"<script>{scripts[0]}</script>", "").replace(f'href="feed:{PUBLIC}/', f'href="{PUBLIC}/')
        without_ours = re.sub(r'<a class="brand".*?</a>', "", without_ours)  # the emblem is a drawing of ours
        assert not Page(without_ours, of_ours=True).faults, path


def test_webhooks_carry_what_was_accepted_and_nothing_else(fed, portal):
    subjects = {json.loads(case.body)["subject"] if not case.headers else case.headers["cloudEvents:subject"] for case in SHOWN.values()}
    wanted = subjects | set(NEIGHBOURS)
    until(60, "every webhook has come", lambda: {hook.json()["subject"] for hook in portal.delivered()} >= wanted)
    assert {hook.json()["subject"] for hook in portal.delivered()} == wanted
    by_id = {hook.json()["id"]: hook for hook in portal.delivered()}
    for name, case in SHOWN.items():
        if not case.headers:
            assert by_id[name].body == case.body, f"{name}: the event as its producer wrote it"


def test_the_digest_names_the_neighbours_and_is_a_mail_like_any_other(fed, mail_server):
    fed.command("digest", "run")
    mail = until(30, "the digest arrives", lambda: mail_server.to(READER))[0]
    assert not mail.defects()
    text, page = mail.part("plain"), mail.part("html")
    assert all(f"Tin {name}" in text for name in NEIGHBOURS[-5:])
    assert "Bcc" not in mail.message, "a title forges no header"
    assert not Page(page, of_ours=True).faults
    for part in (text, page):
        assert not any(unicodedata.category(c) == "Cc" and c not in "\r\n\t" for c in part)
        assert not set(part) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def test_the_http_api_answers_problems_and_never_a_fault_of_ours(loa):
    token = loa.json("token", "create", "--name", "cms", "--scope", "publish")["secret"]

    def post(body: bytes, content_type: str):
        try:
            return http("POST", f"{loa.url('intake')}/v1/articles", body, 30, Authorization=f"Bearer {token}", Content_Type=content_type)
        except OSError:
            # the answer came before the whole body had gone, and urllib does not read it then
            assert len(body) > 1_048_576
            return None

    faults = []
    for case in CORPUS:
        for body, whole in ((case.body, True), (case.article, False)):
            if body is None:
                continue
            answer = post(body, "application/json")
            if answer is None:
                continue
            if whole or case.refused:
                if answer.status in (200, 202) and (whole or "absent" in case.name or case.name == "withdrawal-of-no-time"):
                    continue  # an editor's CMS need not say all that an event must; or the data stood alone
                if not 400 <= answer.status < 500 or answer.headers["content-type"] != "application/problem+json":
                    faults.append(f"{case.name}: {answer.status} {answer.text[:200]}")
                elif len(answer.json()["detail"]) < 10 or answer.json()["status"] != answer.status:
                    faults.append(f"{case.name}: {answer.text[:200]}")
                elif not whole and case.refused["at"].startswith("/data/"):
                    pointer = answer.json().get("pointer", "")
                    if not pointer.startswith(case.refused["at"].removeprefix("/data")):
                        faults.append(f"{case.name}: at {pointer}, not {case.refused['at']}")
            elif answer.status not in (200, 202):
                faults.append(f"{case.name}: {answer.status} {answer.text[:200]}")
    assert not faults, "\n".join(faults)
    assert post(b"{}", "text/xml").status == 415
