"""Nothing that stands is out of a reader's reach: from each feed back through its archives (RFC 5005), as outsiders see it."""

import datetime
import pathlib
import subprocess

import pytest
import shapes
from contract import published, withdrawn
from installation import http, until
from judges import read_feed, xmllint
from lxml import etree

SHAPES = shapes.BOTH
ZONE = datetime.timezone(datetime.timedelta(hours=7))
GRAMMAR = pathlib.Path(__file__).parent / "atom.rng"
NAMES = {"a": "http://www.w3.org/2005/Atom", "fh": "http://purl.org/syndication/history/1.0"}
COUNT = 400
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml"}


def instant(at: datetime.datetime) -> str:
    return at.isoformat()


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


@pytest.fixture(scope="module")
def loa(install):
    # tests run in whatever zone has night now; months are those of this one
    loa = install(site__zone="Asia/Ho_Chi_Minh")
    loa.start("intake", "feed")
    return loa


@pytest.fixture(scope="module")
def expected(loa, producer) -> set[str]:
    """Ids of what stands: a back-file of two years of news in no order, and one day on which 250 came at once."""
    first, ids = datetime.datetime(2014, 1, 5, 8, tzinfo=ZONE), []
    for n in sorted(range(COUNT), key=lambda n: n * 7_919 % COUNT):
        crowd = n < 250
        at = first if crowd else first + datetime.timedelta(hours=n * 17_520 // COUNT)
        ids.append(f"bai-{n:05}")
        producer.structured(published(ids[-1], published_at=instant(at), modified_at=instant(at)))
    until(120, "the back-file has been taken", lambda: producer.depth("loa.feed") == 0)
    until(60, "and can be read", lambda: len(walk(loa, "all", "json")) == COUNT)
    return set(ids)


def last(entry_id: str) -> str:
    return entry_id.rsplit("/", 1)[1]


def links(document: etree._Element) -> dict[str, str]:
    """Relation and address of the links in a feed's head, of Atom or RSS."""
    return {link.get("rel"): link.get("href") for link in document.xpath("/a:feed/a:link | /rss/channel/a:link", namespaces=NAMES)}


def read(loa, address: str, form: str) -> tuple[list[str], str | None]:
    """The ids in a document, and the address of the one before it."""
    answer = http("GET", loa.local(address))
    assert answer.status == 200, address
    if form == "json":
        feed = answer.json()
        return [last(item["id"]) for item in feed["items"]], feed.get("next_url")
    feed = read_feed(answer.body, TYPES[form])
    return [last(entry.id) for entry in feed.entries], links(etree.fromstring(answer.body)).get("prev-archive")


def walk(loa, feed: str, form: str) -> dict[str, list[str]]:
    """Every entry that can be reached from a feed, with the documents it stands in."""
    address, seen, found = f"https://loa.example.gov.vn/feeds/{feed}.{form}", set(), {}
    while address:
        assert address not in seen, f"a loop at {address}"
        seen.add(address)
        ids, before = read(loa, address, form)
        assert len(ids) <= 200, f"{address} has bounds"
        for one in ids:
            found.setdefault(one, []).append(address)
        address = before
    return found


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
def test_every_standing_entry_is_reached_from_its_feed(loa, expected, form):
    for feed in ("all", "category-kinh-te") if form == "atom" else ("all",):
        found = walk(loa, feed, form)
        assert set(found) == expected, feed
        assert all(len([one for one in places if one.count("/") == 5]) <= 1 for places in found.values()), "one archive each"


def test_the_grammar_of_rfc_4287_and_foreign_readers_have_nothing_to_say(loa, expected):
    address = "https://loa.example.gov.vn/feeds/all.atom"
    for step in range(4):
        answer = http("GET", loa.local(address))
        xmllint(answer.body)
        done = subprocess.run(
            ["xmllint", "--nonet", "--noout", "--relaxng", str(GRAMMAR), "-"], input=answer.body, capture_output=True, timeout=60)
        assert done.returncode == 0, f"{address}: {done.stderr.decode()[:1000]}"
        document = etree.fromstring(answer.body)
        found = links(document)
        assert found["self"] == address
        archive = document.xpath("/a:feed/fh:archive", namespaces=NAMES)
        assert len(archive) == (0 if step == 0 else 1), address
        if step:
            assert found["current"] == "https://loa.example.gov.vn/feeds/all.atom"
            assert archive[0].getnext() is None or not archive[0].xpath("preceding-sibling::a:entry", namespaces=NAMES)
            following = etree.fromstring(http("GET", loa.local(found["prev-archive"])).body)
            assert links(following)["next-archive"] == address, "and back"
        address = found["prev-archive"]


def test_a_day_of_hundreds_is_in_parts(loa, expected):
    parts = [loa.feed(f"all/2014-01{part}.json") for part in ("", "-2", "-3")]
    assert [answer.status for answer in parts[:2]] == [200, 200]
    assert len(parts[0].json()["items"]) == 200 and parts[2].status == 404


def test_a_late_edit_and_a_withdrawal_change_the_archive_and_the_article_is_gone(loa, expected, producer):
    victim = sorted(expected)[len(expected) * 3 // 5]
    path = walk(loa, "all", "atom")[victim][-1].removeprefix("https://loa.example.gov.vn/feeds/")
    before = loa.feed(path)
    kept = loa.feed("all/2014-01.atom")
    at = next(entry.published for entry in read_feed(before.body, TYPES["atom"]).entries if last(entry.id) == victim)
    producer.structured(published(victim, 2, title="Sửa muộn", published_at=at, modified_at="2025-01-01T00:00:00Z"))
    edited = until(30, "the late edit", lambda: (answer := loa.feed(path)).headers["etag"] != before.headers["etag"] and answer)
    assert "Sửa muộn" in edited.text
    producer.structured(withdrawn(victim, 3, "Đăng nhầm số liệu"))
    after = until(30, "the withdrawal", lambda: (answer := loa.feed(path)).headers["etag"] != edited.headers["etag"] and answer)
    assert victim not in after.text
    expected.remove(victim)
    assert set(walk(loa, "all", "atom")) == expected
    feed = loa.feed("all.atom").text
    assert "deleted-entry" in feed and feed.index("deleted-entry") < feed.index("<entry"), "a tombstone, in the feed"
    gone = http("GET", f"{loa.url('feed')}/a/{victim}")
    assert gone.status == 410 and 'lang="vi"' in gone.text and "đã được gỡ" in gone.text and "Đăng nhầm số liệu" in gone.text
    assert loa.feed("all/2014-01.atom").headers["etag"] == kept.headers["etag"], "no other month moves"


def test_archives_are_the_same_to_the_byte_after_a_restart(loa, expected):
    before = loa.feed("all/2014-01.atom")
    assert "max-age=60" in before.headers["cache-control"], "parts move each other"
    loa.kill("feed")
    loa.start("feed")
    after = loa.feed("all/2014-01.atom")
    for name in ("etag", "last-modified", "cache-control"):
        assert after.headers[name] == before.headers[name]
    assert after.body == before.body
