"""Content that can be read and that nobody would write, in every document of every feed, before foreign judges."""

import html
import os
import re

import fuzzed
import listparser
import pytest
from installation import PUBLIC, http, until
from judges import jing, seen_by_readers, xmllint
from lxml import etree

SEED = int(os.environ.get("LOA_FUZZ_SEED", "1"))
COUNT = int(os.environ.get("LOA_FUZZ_COUNT", "400"))
FORMS = ("rss", "atom", "json")
NAMES = {"a": "http://www.w3.org/2005/Atom"}
COMBINED = ("area-na-son-03203-2025+area-xa-dung-03208-2025", "area-na-son-03203-2025+category-kinh-te+documents")


@pytest.fixture(scope="module")
def standing(install, bus):
    """An installation that has taken everything, and the ids of what stands."""
    loa = install(site__zone="Asia/Ho_Chi_Minh")
    loa.start("intake", "feed")
    events, ids = fuzzed.events(SEED, COUNT)
    producer = bus(loa)
    for message in events:
        producer.structured(message)
    until(180, "everything has been taken", lambda: producer.depth("loa.feed") == 0)
    until(60, "and is shown", lambda: len(walked(loa, "all", "json")[1]) == len(ids))
    return loa, ids


def walked(loa, feed: str, form: str) -> tuple[dict[str, bytes], set[str]]:
    """A feed and all of its archives, by address, and the ids in them."""
    address, found, ids = f"{PUBLIC}/feeds/{feed}.{form}", {}, set()
    while address and address not in found:
        answer = http("GET", loa.local(address))
        assert answer.status == 200, f"{address}: {answer.status}"
        found[address] = answer.body
        if form == "json":
            ids |= {item["id"] for item in answer.json()["items"]}
            address = answer.json().get("next_url")
        else:
            root = etree.fromstring(answer.body)
            address = next(iter(root.xpath("/a:feed/a:link[@rel='prev-archive']/@href | /rss/channel/a:link[@rel='prev-archive']/@href", namespaces=NAMES)), None)
    return found, ids


@pytest.fixture(scope="module")
def documents(standing) -> dict[str, bytes]:
    """Everything that readers can get, by address."""
    loa, _ = standing
    opml = http("GET", f"{loa.url('feed')}/feeds.opml").body
    feeds = [address.rsplit("/", 1)[1].removesuffix(".rss") for address in etree.fromstring(opml).xpath("//outline/@xmlUrl")]
    assert {"all", "documents", "category-kinh-te"} < set(feeds) and any(feed.startswith("area-") for feed in feeds)
    found = {f"{PUBLIC}/feeds.opml": opml}
    for form in FORMS:
        for feed in (*feeds, *COMBINED):
            found |= walked(loa, feed, form)[0]
    return found


def of(documents: dict[str, bytes], *forms: str) -> dict[str, bytes]:
    return {address: body for address, body in documents.items() if address.rsplit(".", 1)[1] in forms}


def test_whatever_can_be_read_is_taken_and_stands(standing):
    loa, ids = standing
    assert loa.json("dead-letters", "list", "--queue", "feed") == []
    assert len(walked(loa, "all", "json")[1]) == len(ids)


def test_the_grammar_of_rfc_4287_allows_every_document(documents, tmp_path):
    jing(of(documents, "atom"), tmp_path)
    for body in of(documents, "rss", "atom", "opml").values():
        xmllint(body)


def test_readers_that_share_no_code_see_the_same_entries_in_every_document(documents):
    faults = []
    for address, body in of(documents, *FORMS).items():
        # what only readers' own tidying differs in is no fault of the document
        seen = {who: [(one, " ".join(title.split())) for one, title in entries] for who, entries in seen_by_readers(body, address.rsplit(".", 1)[1]).items()}
        (first, expected), *others = seen.items()
        for who, entries in others:
            if [one for one, _ in entries] != [one for one, _ in expected]:
                faults.append(f"{address}: {first} and {who} do not see the same entries")
    assert not faults, "\n".join(faults)


def test_the_list_of_feeds_is_read_as_one(documents):
    read = listparser.parse(documents[f"{PUBLIC}/feeds.opml"].decode())
    listed = etree.fromstring(documents[f"{PUBLIC}/feeds.opml"]).xpath("//outline/@xmlUrl")
    assert not read.bozo and [feed["url"] for feed in read.feeds] == listed


def test_no_two_entries_of_a_feed_are_dated_alike(documents):
    for address, body in of(documents, "atom").items():
        dates = etree.fromstring(body).xpath("/a:feed/a:entry/a:updated/text()", namespaces=NAMES)
        assert len(dates) == len(set(dates)), address


def test_a_reader_that_takes_plain_text_for_html_still_shows_it(documents):
    """Names and titles, which many readers take for HTML."""
    for address, body in of(documents, "rss", "atom").items():
        shown = etree.fromstring(body).xpath(
            "//title/text() | //category/text() | //*[local-name()='creator']/text() | //channel/description/text() | //a:title/text() | //a:summary/text()"
            " | //a:name/text() | //a:category/@label | //a:link/@title", namespaces=NAMES)
        for text in shown:
            assert html.unescape(text) == text and not re.search(r"<[A-Za-z/!?]", text), f"{address}: {text!r}"
