"""Portals that cannot call Loa are looked at: what they publish, change and take away arrives, and nothing else does."""

import contextlib
import datetime
import sqlite3
import time

import portals
import pytest
import shapes
from installation import http, until

SHAPES = shapes.BOTH
pytestmark = pytest.mark.long

QUICK = {
    "watch.allow_networks": ["127.0.0.0/8"], "watch.pause_ms": 0, "watch.total_timeout_ms": 2000, "watch.look_seconds_max": 20,
    "watch.look_again_seconds": [1] * 50, "watch.missing_looks_min": 3, "watch.missing_seconds_min": 2, "watch.contact": "mailto:cntt@huyen.example",
    "site.zone": "Asia/Ho_Chi_Minh", "feed.entries_max": 1000, "feed.document_bytes_max": 10_000_000,
}


@pytest.fixture(scope="module")
def running(install):
    loa = install(**QUICK)
    loa.start("intake", "feed")
    return loa


@pytest.fixture
def portal_of():
    made = []

    def make(family, stories=0):
        made.append(family(stories))
        return made[-1]

    yield make
    for portal in made:
        portal.stop()


def add(loa, portal, path, *options, name=None):
    """Adds a source that only `run` looks at; every test has names of its own."""
    name = name or f"s-{portal.host.replace('.', '-')}"
    loa.json("watch", "add", portal.url + path, "--name", name, "--every", "604800", *options)
    return name


def look(loa, name, expect=0):
    return loa.json("watch", "run", name, expect=expect)[0]


def listed(loa, name):
    return next(view for view in loa.json("watch", "list") if view["name"] == name)


def shown(loa, story):
    return [title for title in loa.titles() if title == story.title]


def kinds(view):
    return {warning["kind"] for warning in view["warnings"]}


FAMILIES = [
    (portals.SeedFamily, "/TINTUC-SUKIEN/All/", "listing"),
    (portals.NukeViet, "/rss/news/", "feed"),
    (portals.WordPress, "/wp-json/wp/v2/posts", "feed"),
    (portals.SharePoint, "/Pages/TinTuc.aspx", "listing"),
    (portals.Liferay, "/web/guest/tin-tuc", "listing"),
]


@pytest.mark.parametrize("family, path, kind", FAMILIES, ids=lambda value: getattr(value, "__name__", None))
def test_what_was_there_is_told_to_nobody_and_what_comes_then_to_everybody(running, portal_of, family, path, kind):
    portal = portal_of(family, 6)
    for story in portal.stories:
        story.title = f"{family.__name__}: {story.title}"
    name = add(running, portal, path)
    view = look(running, name)
    assert (view["kind"], view["error"], view["warnings"]) == (kind, None, []), view
    assert view["articles"] == {"known": 6}, view
    story = portal.publish(f"{family.__name__}: Lịch tiếp công dân tháng tư của xã")
    view = look(running, name)
    assert view["articles"] == {"known": 6, "published": 1}, view
    until(15, "the new article in the feed", lambda: shown(running, story))
    titles = running.titles()
    assert [title for title in titles if title.startswith(f"{family.__name__}:")] == [story.title]
    item = next(item for item in running.feed("all.json").json()["items"] if item["title"] == story.title)
    assert item["url"].startswith(portal.url + portal.address(story).split("?")[0])
    assert story.words in item["content_html"] and "Đã xem" not in item["content_html"]
    # a second look finds nothing: neither for counters nor for the visitor's key in addresses
    look(running, name)
    time.sleep(1.1)
    look(running, name)
    again = next(item for item in running.feed("all.json").json()["items"] if item["title"] == story.title)
    assert again == item
    assert listed(running, name)["articles"] == {"known": 6, "published": 1}


def test_watch_test_shows_what_would_be_taken_and_writes_nothing(running, portal_of):
    portal = portal_of(portals.SeedFamily, 12)
    before = running.json("watch", "list")
    told = running.json("watch", "test", f"{portal.url}/TINTUC-SUKIEN/All/", "--pages", "2")
    assert told["source"]["kind"] == "listing" and len(told["source"]["items"]) == 10
    assert told["source"]["next"].endswith("?PageIndex=2")
    newest = portal.stories[-1]
    assert told["source"]["items"][0]["title"] == newest.title
    page = told["pages"][0]["page"]
    assert page["article"]["title"] == newest.title
    assert any(evidence["field"] == "published_at" and evidence["why"] for evidence in page["evidence"])
    text = running.command("watch", "test", f"{portal.url}/TINTUC-SUKIEN/All/").stdout
    assert "nothing was written" in text and newest.title in text
    assert running.json("watch", "list") == before
    refused = running.command("watch", "test", f"{portal.url}/TINTUC-SUKIEN/tin-1.html", expect=1)
    assert "REFUSED" in refused.stdout


def test_since_publishes_what_was_there_from_then_on_over_several_pages_of_the_list(running, portal_of):
    portal = portal_of(portals.SeedFamily)
    for number in range(25):
        portal.publish(at=portals.NOW - datetime.timedelta(days=25 - number))
    since = portal.stories[12].at.replace(hour=0, minute=0, second=0)
    name = add(running, portal, "/TINTUC-SUKIEN/All/", "--since", since.isoformat())
    view = look(running, name)
    wanted = sum(story.at >= since for story in portal.stories)
    assert view["articles"]["published"] == wanted, view
    assert view["articles"]["known"] >= 5


def test_more_new_articles_than_a_page_holds_are_all_found(running, portal_of):
    portal = portal_of(portals.SeedFamily, 12)
    name = add(running, portal, "/TINTUC-SUKIEN/All/")
    look(running, name)
    fresh = [portal.publish(f"Tin dồn dập số {n} của huyện vùng cao") for n in range(23)]
    view = look(running, name)
    assert view["articles"]["published"] == len(fresh), view
    assert portal.most_under_way == 1, "one request at a time"


def test_an_edit_is_a_revision_and_a_counter_is_none(running, portal_of):
    portal = portal_of(portals.NukeViet, 3)
    name = add(running, portal, "/rss/news/")
    look(running, name)
    story = portal.publish("Thông báo sửa chữa đường điện thôn Suối Lư")
    look(running, name)
    until(15, "the article", lambda: shown(running, story))

    def modified():
        items = running.feed("all.json").json()["items"]
        return next(item for item in items if item["title"] == story.title)

    first = modified()
    time.sleep(1.1)
    look(running, name)
    assert modified() == first
    portal.edit(story, "Lịch cắt điện đã đổi sang thứ bảy.")
    time.sleep(1.1)
    look(running, name)
    until(15, "the edit", lambda: "thứ bảy" in modified()["content_html"] or "thứ bảy" in modified().get("summary", ""))
    assert modified()["id"] == first["id"]


def test_it_asks_conditionally_with_a_name_and_a_contact(running, portal_of):
    portal = portal_of(portals.NukeViet, 3)
    name = add(running, portal, "/rss/news/")
    look(running, name)
    look(running, name)
    lists = [headers for _, path, headers in portal.asked if path == "/rss/news/"]
    assert "if-none-match" in lists[-1] and listed(running, name)["articles"] == {"known": 3}
    assert all(headers["user-agent"].startswith("Loa/") and "cntt@huyen.example" in headers["user-agent"] for headers in lists)


def test_absence_from_a_list_withdraws_nothing_and_a_page_missing_again_and_again_does(running, portal_of):
    portal = portal_of(portals.SeedFamily, 2)
    name = add(running, portal, "/TINTUC-SUKIEN/All/")
    look(running, name)
    stories = [portal.publish(f"Quyết định hỗ trợ cây giống đợt {n} năm nay") for n in range(4)]
    look(running, name)
    until(15, "the articles", lambda: all(shown(running, story) for story in stories))
    # out of the list, its page stands
    portal.stories.remove(stories[0])
    original = portal.story_of
    portal.story_of = lambda path, query: original(path, query) or (stories[0] if path == portal.address(stories[0]) else None)
    portal.gone.add(stories[1].number)
    for _ in range(3):
        time.sleep(1.1)
        look(running, name)
    time.sleep(1.1)
    view = look(running, name)
    assert view["articles"].get("withdrawn") == 1, view
    until(15, "the withdrawal", lambda: not shown(running, stories[1]))
    assert shown(running, stories[0]) and shown(running, stories[2])


def test_many_missing_pages_at_once_are_the_sites_fault_and_withdraw_nothing(running, portal_of):
    portal = portal_of(portals.SeedFamily, 2)
    name = add(running, portal, "/TINTUC-SUKIEN/All/")
    look(running, name)
    stories = [portal.publish(f"Hướng dẫn phòng dịch đợt {n} cho đàn gia súc") for n in range(4)]
    look(running, name)
    portal.gone |= {story.number for story in stories}
    for _ in range(4):
        time.sleep(1.1)
        view = look(running, name)
    assert view["articles"].get("withdrawn") is None and "many_missing" in kinds(view), view
    until(15, "the articles", lambda: all(shown(running, story) for story in stories))


def test_a_changed_form_and_an_empty_list_are_told_and_withdraw_nothing(running, portal_of):
    portal = portal_of(portals.NukeViet, 3)
    name = add(running, portal, "/rss/news/")
    look(running, name)
    portal.whim = lambda path: portal.text("<html><body><h1>Bảo trì</h1><p>Cổng đang bảo trì.</p></body></html>") if path == "/rss/news/" else None
    view = look(running, name, expect=1)
    assert "form_changed" in kinds(view) and view["error"], view
    portal.whim = lambda path: None
    portal.stories.clear()
    view = look(running, name)
    assert kinds(view) == {"empty"} and view["error"] is None, view
    text = running.command("watch", "list").stdout
    assert "named no article for" in text


def test_a_source_that_is_later_than_usual_says_so(running, portal_of):
    portal = portal_of(portals.NukeViet)
    for number in range(8):
        portal.publish(at=portals.NOW - datetime.timedelta(days=20 - number))
    view = look(running, add(running, portal, "/rss/news/"))
    assert kinds(view) == {"late"} and view["error"] is None, view


def test_retry_after_is_honoured_for_the_whole_host(running, portal_of):
    portal = portal_of(portals.NukeViet, 3)
    one = add(running, portal, "/rss/news/")
    other = add(running, portal, "/rss/news/", "--kind", "feed", name=f"{one}-b")
    portal.whim = lambda path: (429, {"Retry-After": "3600"}, b"") if path == "/rss/news/" else None
    view = look(running, one, expect=1)
    assert "left alone" in view["error"]
    soonest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3000))
    assert listed(running, one)["due_at"] > soonest and listed(running, other)["due_at"] > soonest


def test_robots_txt_is_obeyed(running, portal_of):
    portal = portal_of(portals.NukeViet, 3)
    portal.robots = "User-agent: *\nDisallow: /rss/\n"
    refused = running.command("watch", "test", f"{portal.url}/rss/news/", expect=1)
    assert "robots.txt" in refused.stdout
    assert "/rss/news/" not in portal.paths()


def test_a_list_that_moved_for_good_is_followed_and_told(running, portal_of):
    portal = portal_of(portals.NukeViet, 3)
    name = add(running, portal, "/rss/news/")
    look(running, name)
    story = portal.publish("Tin sau khi chuyển địa chỉ nguồn tin")
    portal.whim = lambda path: (301, {"Location": "/rss/tin-moi/"}, b"") if path == "/rss/news/" else (
        portal.listed("/rss/news/", {}) if path == "/rss/tin-moi/" else None)
    view = look(running, name)
    assert "moved" in kinds(view) and view["articles"]["published"] == 1, view
    until(15, "the article", lambda: shown(running, story))


def test_a_slow_an_endless_and_a_dead_source_hold_up_nobody(running, portal_of):
    slow, endless, dead, good = (portal_of(portals.NukeViet, 2) for _ in range(4))
    slow.pause = 30
    endless.whim = lambda path: (200, {"Content-Type": "text/xml"}, portals.ENDLESS) if path == "/rss/news/" else None
    dead.stop()
    for portal in (slow, endless, dead, good):
        add(running, portal, "/rss/news/", "--kind", "feed")
    if running.apart:
        running.start("watch")
    try:
        def good_is_known():
            return listed(running, f"s-{good.host.replace('.', '-')}")["articles"] == {"known": 2}
        until(20, "the good source was looked at", good_is_known)

        def failing(portal):
            return listed(running, f"s-{portal.host.replace('.', '-')}")["error"]
        until(60, "the others failed", lambda: all(failing(portal) for portal in (slow, endless, dead)))
        assert http("GET", f"{running.url('watch')}/readyz").status == 200, "a bad source makes nobody unready"
        def told(portal):
            series = f'loa_watch_failures{{source="s-{portal.host.replace(".", "-")}"}}'
            return any(line.startswith(series) and not line.endswith(" 0")
                       for line in http("GET", f"{running.url('watch')}/metrics").text.splitlines())
        until(20, "their state in the metrics", lambda: all(told(portal) for portal in (slow, endless, dead)))
    finally:
        if running.apart:
            running.stop("watch")


def test_a_removed_source_leaves_its_articles(running, portal_of):
    portal = portal_of(portals.WordPress, 1)
    name = add(running, portal, "/wp-json/wp/v2/posts")
    look(running, name)
    story = portal.publish("Bài còn lại sau khi bỏ theo dõi nguồn")
    look(running, name)
    running.json("watch", "remove", name)
    assert all(view["name"] != name for view in running.json("watch", "list"))
    until(15, "the article", lambda: shown(running, story))


@pytest.mark.on(*shapes.SMALL)
def test_articles_whose_addresses_change_stay_what_they_were_although_intake_was_away_meanwhile(running, portal_of):
    class Renamed(portals.NukeViet):
        folder = "/news/thong-bao"

        def address(self, story):
            return f"{self.folder}/hop-dan-{story.number}.html"

    portal = portal_of(Renamed, 3)
    portal.has_validators = True
    for story in portal.stories:
        story.title = f"Dời chỗ: {story.title}"
    name = add(running, portal, "/rss/news/")
    look(running, name)
    story = portal.publish("Dời chỗ: xã mở hội thi")
    look(running, name)
    until(20, "it is shown", lambda: shown(running, story))
    portal.folder = "/tin/thong-bao"
    story.words = "Chữ đã sửa cùng lúc với địa chỉ."
    with contextlib.closing(sqlite3.connect(running.folder / "data/intake.db", timeout=20, isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        failed = running.command("watch", "run", name, expect=None)
        held.execute("ROLLBACK")
    assert "intake" in failed.stdout + failed.stderr, "it could not hand anything over"
    view = look(running, name)
    # the oldest of the known ones is known by its time, wherever it stands now
    assert view["articles"] == {"known": 4, "moved": 3, "published": 1}, view
    until(20, "its text is mended", lambda: story.words in running.feed("all.rss").text)
    # its old address answers 404 for longer than an article may be missing
    for _ in range(5):
        time.sleep(1)
        look(running, name)
    assert shown(running, story) == [story.title], "once, as what it was, and not withdrawn"


def test_what_a_feed_had_whole_is_withdrawn_when_its_page_is_gone_however_often_the_feed_was_read(install, portal_of):
    loa = install(**{**QUICK, "watch.look_again_seconds": [5] * 8, "watch.missing_looks_min": 2})
    loa.start("intake", "feed")
    portal = portal_of(portals.WordPress, 2)
    name = add(loa, portal, "/wp-json/wp/v2/posts")
    look(loa, name)
    story = portal.publish("Thông báo sẽ được gỡ khỏi trang")
    for _ in range(12):
        look(loa, name)
    until(15, "the article", lambda: shown(loa, story))
    portal.gone.add(story.number)  # trashed: out of the list, its page answers 404

    def is_withdrawn():
        return look(loa, name)["articles"].get("withdrawn") == 1
    until(60, "its page was missing again and again", is_withdrawn)
    until(15, "the withdrawal", lambda: not shown(loa, story))
    portal.gone.clear()  # out of the trash
    until(60, "it is published again", lambda: look(loa, name)["articles"].get("published") == 1)
    until(15, "it is shown again", lambda: shown(loa, story))


@pytest.mark.on(*shapes.SMALL)
def test_an_edit_after_a_whole_text_left_the_feed_is_found_on_its_page(running, portal_of):
    portal = portal_of(portals.WordPress, 1)
    name = add(running, portal, "/wp-json/wp/v2/posts")
    look(running, name)
    story = portal.publish("Lịch khám bệnh của trạm y tế xã")
    look(running, name)
    time.sleep(1.1)
    look(running, name)  # its page is known as it is
    for number in range(10):
        portal.publish(f"Tin mới thứ {number} đẩy tin cũ khỏi danh sách")
    look(running, name)
    portal.edit(story, "Lịch khám đã dời sang chiều thứ năm.")

    def is_edited():
        look(running, name)
        time.sleep(1.1)
        return "chiều thứ năm" in running.feed("all.rss").text
    until(30, "the edit", is_edited)
    assert shown(running, story) == [story.title]


def test_pages_that_are_refused_are_told_and_taken_when_they_are_there_again(running, portal_of):
    portal = portal_of(portals.NukeViet, 2)
    name = add(running, portal, "/rss/news/")
    look(running, name)
    fresh = [portal.publish(f"Tường lửa chặn bài số {n} của xã") for n in range(4)]
    portal.whim = lambda path: (403, {"Content-Type": "text/html"}, b"<h1>Forbidden</h1>") if path.startswith("/news/") else None
    view = look(running, name)
    assert "pages_refused" in kinds(view) and view["articles"].get("refused") == 4, view
    checked = running.command("check", expect=None).stdout
    assert any(line.startswith("FAIL") and "watched sources" in line and name in line for line in checked.splitlines()), checked
    portal.whim = lambda path: None
    time.sleep(1.1)
    view = look(running, name)
    assert view["articles"].get("published") == 4 and view["warnings"] == [], view
    until(15, "the articles", lambda: all(shown(running, story) for story in fresh))


def test_a_page_that_leads_to_another_article_changes_neither(running, portal_of):
    portal = portal_of(portals.SeedFamily, 2)
    name = add(running, portal, "/TINTUC-SUKIEN/All/")
    look(running, name)
    one, other = (portal.publish(f"Tin {n} trên một hệ thống dẫn bài đã xóa sang bài khác") for n in ("thứ nhất", "thứ hai"))
    look(running, name)
    until(15, "the articles", lambda: shown(running, one) and shown(running, other))
    portal.whim = lambda path: (302, {"Location": portal.address(other)}, b"") if path.split("?")[0] == portal.address(one) else None
    time.sleep(1.1)
    look(running, name)
    time.sleep(1.1)
    look(running, name)
    assert shown(running, one) == [one.title] and shown(running, other) == [other.title]
    assert running.feed("all.rss").text.count(one.words) >= 1


@pytest.mark.on(*shapes.SMALL)
def test_a_first_look_that_is_cut_off_does_not_publish_the_archive_at_the_second(running, portal_of):
    portal = portal_of(portals.Mapped, 0)
    for number in range(5):
        portal.publish(f"Bài cũ số {number} trong sơ đồ trang", at=portals.NOW - datetime.timedelta(days=40 - number))
    since = portals.NOW - datetime.timedelta(days=2)
    name = add(running, portal, "/sitemap.xml", "--since", since.isoformat())
    story = portal.publish("Bài mới trong sơ đồ trang", at=portals.NOW - datetime.timedelta(hours=3))
    with contextlib.closing(sqlite3.connect(running.folder / "data/intake.db", timeout=20, isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        failed = running.command("watch", "run", name, expect=None)
        held.execute("ROLLBACK")
    assert "intake" in failed.stdout + failed.stderr, "it could not hand anything over"
    view = look(running, name)
    assert view["articles"] == {"known": 5, "published": 1}, view
    until(15, "the new one", lambda: shown(running, story))


def test_of_an_index_of_sitemaps_news_is_found_in_whichever_it_stands(running, portal_of):
    portal = portal_of(portals.Mapped, 13)
    name = add(running, portal, "/sitemap.xml")
    view = look(running, name)
    assert (view["kind"], view["articles"]) == ("sitemap", {"known": 13}), view
    in_the_last = portal.publish("Tin trong sơ đồ trang cuối cùng")
    view = look(running, name)
    assert view["articles"] == {"known": 13, "published": 1} and view["warnings"] == [], view
    fresh = [portal.publish(f"Tin số {n} trong sơ đồ trang mới thêm") for n in range(4)]  # a fourth sitemap
    view = look(running, name)
    assert view["articles"] == {"known": 13, "published": 5}, view
    until(15, "the articles", lambda: all(shown(running, story) for story in (in_the_last, *fresh)))


def test_when_no_page_of_a_portal_is_there_any_more_nothing_is_withdrawn(running, portal_of):
    portal = portal_of(portals.SeedFamily, 2)
    name = add(running, portal, "/TINTUC-SUKIEN/All/")
    look(running, name)
    story = portal.publish("Tin duy nhất của một cổng nhỏ đổi hết địa chỉ")
    look(running, name)
    until(15, "the article", lambda: shown(running, story))
    portal.gone |= {story.number for story in portal.stories}
    for _ in range(5):
        time.sleep(1.1)
        view = look(running, name)
    assert "many_missing" in kinds(view) and view["articles"].get("withdrawn") is None, view
    assert shown(running, story)


def test_a_full_last_page_and_an_endless_title_are_no_fault(running, portal_of):
    portal = portal_of(portals.WordPress, 10)  # page 2 answers 400
    portal.stories[3].title = "Tên bài dài quá mức bình thường " * 400
    name = add(running, portal, "/wp-json/wp/v2/posts", "--since", "2020-01-01T00:00:00Z")
    view = look(running, name)
    assert view["error"] is None and view["listed"] == 10, view
    assert view["articles"].get("published", 0) >= 9, view


def test_a_page_is_imported_by_its_address_and_stays_that_addresss_article(running, portal_of):
    portal = portal_of(portals.SeedFamily, 1)
    story = portal.publish("Nhập một bài thẳng từ địa chỉ của nó")
    story.words += " <img src='anh/le-hoi.jpg' alt='Lễ hội'>"
    url = portal.url + portal.address(story)
    shown_only = running.command("import", "--dry-run", url).stdout
    assert story.title in shown_only and "nothing published" in shown_only
    running.command("import", url)
    until(15, "the article", lambda: shown(running, story))
    item = next(item for item in running.feed("all.json").json()["items"] if item["title"] == story.title)
    assert item["url"] == url and f"{portal.url}/TINTUC-SUKIEN/anh/le-hoi.jpg" in item["content_html"], item
    story.title = "Nhập một bài thẳng từ địa chỉ của nó (đã sửa)"
    running.command("import", url)
    until(15, "its mended title, once", lambda: [t for t in running.titles() if t.startswith("Nhập một bài thẳng")] == [story.title])
    refused = running.command("import", f"{portal.url}/khong-co.html", expect=1).stdout
    assert "answers 404" in refused, refused
    portal.robots = "User-agent: *\nDisallow: /TINTUC-SUKIEN/\n"
    list_page = running.command("import", f"{portal.url}/TINTUC-SUKIEN/All/", expect=1).stdout
    assert "robots.txt" in list_page or "list" in list_page, list_page


def test_no_address_of_the_inside_is_imported_unless_it_is_allowed(install):
    loa = install()
    for url in ("http://127.0.0.1:1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/"):
        refused = loa.command("import", "--dry-run", url, expect=1).stdout
        assert "refused" in refused and "127.0.0.1:1 cannot be read" not in refused, refused


FIRST_PAGES = [(portals.SeedFamily, "/TINTUC-SUKIEN/All/", 25), (portals.NukeViet, "/rss/news/", 40), (portals.WordPress, "/wp-json/wp/v2/posts", 25)]


@pytest.mark.parametrize("family, path, stories", FIRST_PAGES, ids=lambda value: getattr(value, "__name__", None))
def test_an_old_article_that_comes_into_the_list_because_another_left_it_is_no_news(running, portal_of, family, path, stories):
    portal = portal_of(family, stories)
    for story in portal.stories:
        story.title = f"Xóa bớt {family.__name__}: {story.title}"
    name = add(running, portal, path)
    known = look(running, name)["articles"]["known"]
    assert known < stories, "what stands behind the first page was not seen"
    for story in portal.stories[-4:-1]:  # three of the newest are taken away
        portal.stories.remove(story)
    view = look(running, name)
    assert view["articles"].get("published") is None and view["articles"].get("waiting") is None, view
    fresh = portal.publish(f"Xóa bớt {family.__name__}: tin mới thật sự")
    view = look(running, name)
    assert view["articles"].get("published") == 1, view
    until(15, "the new one alone", lambda: [t for t in running.titles() if t.startswith(f"Xóa bớt {family.__name__}")] == [fresh.title])
