"""The seed page through RabbitMQ into feeds, read back by foreign readers."""

import datetime
import email.utils
import gzip
import re
import subprocess

import pytest
import shapes
from installation import PUBLIC, SEED, http, until
from judges import read_feed, xmllint
from lxml import etree

SHAPES = shapes.BOTH
TITLE = "Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP"
POSTED = datetime.datetime(2023, 11, 16, 1, 2, 22)  # 08:02:22+07:00
AREAS_2023 = ["na-son-03205-2004", "tia-dinh-03384-2004", "phi-nhu-03208-2004", "luan-gioi-03379-2004"]
SUCCESSORS = ["na-son-03203-2025", "tia-dinh-03385-2025", "xa-dung-03208-2025", "muong-luan-03214-2025"]
UNTOUCHED = ["pu-nhi-03370-2025"]
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}


@pytest.fixture(scope="module")
def loa(install):
    """Intake and feed on RabbitMQ; the seed page imported by the command line."""
    # a page's times are those of this zone; tests run in whatever zone has night now
    loa = install(site__zone="Asia/Ho_Chi_Minh")
    loa.start("intake", "feed")
    loa.command("import", str(SEED))
    until(15, "the seed article stands in the feed", lambda: TITLE in loa.titles())
    return loa


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_feedparser_reads_the_seed_article_back_as_it_stands_on_the_page(loa, form):
    answer = loa.feed(f"all.{form}")
    assert answer.status == 200
    assert answer.headers["content-type"].split(";")[0] == TYPES[form]
    feed = read_feed(answer.body, answer.headers["content-type"])
    entry = next(entry for entry in feed.entries if entry.title == TITLE)
    assert datetime.datetime(*entry.published_parsed[:6]) == POSTED
    assert "Mỗi xã một sản phẩm" in entry.summary or "Mỗi xã một sản phẩm" in entry.content[0].value
    assert "nếp tan Luân Giói" in (entry.content[0].value if "content" in entry else entry.summary)
    assert entry.id.startswith("tag:dienbiendong.gov.vn,2023-01-01:"), "an id that no move of the portal can alter"
    assert entry.link.startswith("http")


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_xmllint_has_nothing_to_say_about_any_feed(loa, form):
    for name in ("all", "documents", *(f"area-{area}" for area in SUCCESSORS)):
        answer = loa.feed(f"{name}.{form}")
        assert answer.status == 200, name
        xmllint(answer.body)


def test_the_opml_lists_the_feeds(loa):
    answer = http("GET", f"{loa.url('feed')}/feeds.opml")
    assert answer.status == 200
    xmllint(answer.body)
    addresses = etree.fromstring(answer.body).xpath("//outline/@xmlUrl")
    assert f"{PUBLIC}/feeds/all.rss" in addresses
    assert all(address.startswith(f"{PUBLIC}/feeds/") for address in addresses)


def test_the_json_feed_says_the_same_as_the_others(loa):
    feed = loa.feed("all.json").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"{PUBLIC}/feeds/all.json"
    item = next(item for item in feed["items"] if item["title"] == TITLE)
    atom = read_feed(loa.feed("all.atom").body, TYPES["atom"])
    assert item["id"] in [entry.id for entry in atom.entries], "one id in every format"
    assert datetime.datetime.fromisoformat(item["date_published"]) == POSTED.replace(tzinfo=datetime.timezone.utc)
    assert "OCOP" in item["content_html"]


def test_the_article_is_in_the_feeds_of_its_areas_of_2023_and_of_their_successors_and_no_other(loa):
    for area, successor in zip(AREAS_2023, SUCCESSORS, strict=True):
        answer = loa.feed(f"area-{area}.json")
        assert (answer.status, answer.headers["location"]) == (301, f"/feeds/area-{successor}.json"), "where its news go on"
        assert TITLE in loa.titles(f"area-{successor}"), successor
    for area in UNTOUCHED:
        assert TITLE not in loa.titles(f"area-{area}"), area


def test_the_feed_of_a_former_area_leads_to_its_successors_in_the_same_form(loa):
    for form in ("", ".rss", ".atom", ".json"):
        told = subprocess.run(
            ["curl", "--silent", "--noproxy", "*", "--head", "--write-out", "%{http_code} %{redirect_url}", "--output", "/dev/null",
             f"{loa.url('feed')}/feeds/area-tia-dinh-03384-2004{form}"], capture_output=True, text=True, timeout=20).stdout
        assert told == f"301 {loa.url('feed')}/feeds/area-tia-dinh-03385-2025{form}"


def test_feeds_put_together_have_what_their_parts_have(loa):
    both = f"area-{SUCCESSORS[0]}+area-{SUCCESSORS[2]}"
    for form in ("rss", "atom"):
        answer = loa.feed(f"{both}.{form}")
        xmllint(answer.body)
        assert TITLE in [entry.title for entry in read_feed(answer.body, TYPES[form]).entries]
    assert TITLE in loa.titles(f"{both}+category-tin-tuc")
    assert TITLE not in loa.titles(f"{both}+documents")
    again = loa.feed(f"{both}.atom", If_None_Match=loa.feed(f"{both}.atom").headers["etag"])
    assert again.status == 304


def test_the_documents_of_the_page_are_in_the_documents_feed(loa):
    titles = until(15, "three documents", lambda: len(loa.titles("documents")) == 3 and loa.titles("documents"))
    assert any("1184/KL-UBND" in title for title in titles)
    assert any("47UBND -UBND-TTr" in title for title in titles), "what is written is kept"
    assert any("553/BC-UBND" in title for title in titles)


def test_every_page_of_a_feed_leads_a_reader_to_it(loa):
    page = loa.feed("all")
    assert page.headers["content-type"].startswith("text/html")
    links = etree.HTML(page.text).xpath("//head/link[@rel='alternate']")
    found = {link.get("type"): link.get("href") for link in links}
    assert {"application/rss+xml", "application/atom+xml", "application/feed+json"} <= set(found)
    for kind, address in found.items():
        answer = http("GET", loa.local(address))
        assert answer.status == 200 and answer.headers["content-type"].split(";")[0] == kind


def test_a_reader_that_has_it_already_gets_304_and_no_body(loa):
    for form in TYPES:
        first = loa.feed(f"all.{form}")
        etag, changed = first.headers["etag"], first.headers["last-modified"]
        assert email.utils.parsedate_to_datetime(changed) is not None
        for headers in (
            {"If_None_Match": etag}, {"If_None_Match": f'"other", {etag}'}, {"If_None_Match": "*"},
            {"If_None_Match": f"W/{etag.removeprefix('W/')}"}, {"If_Modified_Since": changed},
            {"If_None_Match": etag, "If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        ):
            answer = loa.feed(f"all.{form}", **headers)
            assert answer.status == 304 and answer.body == b"", headers
            assert answer.headers["etag"] == etag
        for headers in (
            {"If_None_Match": '"other"'}, {"If_None_Match": '"other"', "If_Modified_Since": changed},
            {"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"If_Modified_Since": "yesterday"},
        ):
            answer = loa.feed(f"all.{form}", **headers)
            assert answer.status == 200 and answer.body == first.body, headers


def test_the_body_is_compressed_for_those_who_take_it_and_the_same_for_all(loa):
    plain = loa.feed("all.atom")
    packed = loa.feed("all.atom", Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "accept-encoding" in packed.headers["vary"].lower()
    again = loa.feed("all.atom", Accept_Encoding="gzip", If_None_Match=packed.headers["etag"])
    assert again.status == 304


def test_head_says_what_get_says(loa):
    get, head = loa.feed("all.rss"), http("HEAD", f"{loa.url('feed')}/feeds/all.rss")
    assert head.status == 200 and head.body == b""
    for name in ("content-type", "etag", "last-modified", "content-length"):
        assert head.headers[name] == get.headers[name], name


def test_curl_reads_a_feed_compressed(loa):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--compressed", f"{loa.url('feed')}/feeds/all.rss"],
        capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    xmllint(done.stdout)


def test_what_is_not_there_is_404_in_vietnamese_and_changes_nothing(loa):
    answer = loa.feed("area-nowhere.atom")
    assert answer.status == 404
    assert re.search(r'lang="vi"', answer.text)
    assert http("POST", f"{loa.url('feed')}/feeds/all.rss", b"").status == 405


def test_bytes_and_etags_are_the_same_after_a_restart(loa):
    before = {form: loa.feed(f"all.{form}") for form in TYPES}
    loa.stop("feed")
    loa.start("feed")
    for form, answer in before.items():
        after = loa.feed(f"all.{form}")
        assert after.body == answer.body, form
        assert after.headers["etag"] == answer.headers["etag"], form
        assert after.headers["last-modified"] == answer.headers["last-modified"], form


def test_importing_the_same_page_again_changes_nothing(loa):
    before = loa.feed("all.atom")
    loa.command("import", str(SEED))
    loa.stop("intake")  # the outbox is empty now, and what came of it was taken
    loa.start("intake")
    assert loa.feed("all.atom").body == before.body


def test_metrics_say_how_many_feeds_are_cached_and_what_they_cost(loa):
    for path in ("all.atom", "area-na-son-03203-2025.rss", "all/2023-11.atom", "area-na-son-03203-2025+documents.json"):
        assert loa.feed(path).status == 200, path

    def numbers() -> dict[tuple[str, str], float]:
        text = http("GET", f"{loa.url('feed')}/metrics").text
        found = re.findall(r'^(loa_feed_(?:cache_entries|memory_bytes(?:_max)?))\{kind="(\w+)"\} (\S+)$', text, flags=re.M)
        return {(name, kind): float(number) for name, kind, number in found}

    kinds = ("feeds", "archives", "combinations")
    seen = until(10, "all are counted", lambda: (n := numbers()) and all(n.get(("loa_feed_cache_entries", k)) for k in kinds) and n)
    for kind in kinds:
        assert 1_000 < seen["loa_feed_memory_bytes", kind] < seen["loa_feed_memory_bytes_max", kind], kind
    assert sum(seen["loa_feed_memory_bytes_max", kind] for kind in kinds) == 201_326_592, "as feed.memory_bytes_max is set"
