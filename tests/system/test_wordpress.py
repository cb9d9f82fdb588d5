"""A real WordPress gives its articles to Loa by the plugin of `deploy/connectors/wordpress`: published, corrected, taken away,
whatever is away meanwhile."""

import datetime
import http.server
import json
import threading
import time
from collections.abc import Iterator

import pytest
from contract import SOURCE
from installation import http as ask
from installation import until
from wordpress import TITLE, Person, WordPress, png

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def loa(install, portal):
    loa = install(portal__url=SOURCE)
    loa.start("up")
    loa.portal = portal
    loa.token = loa.json("token", "create", "--scope", "publish", "--name", "wordpress")["secret"]
    loa.reading = loa.json("token", "create", "--scope", "read", "--name", "reading")["secret"]
    loa.json("endpoints", "add", portal.url)
    yield loa
    loa.stop()


@pytest.fixture(scope="module")
def wordpress(loa, tmp_path_factory):
    wordpress = WordPress(tmp_path_factory.mktemp("wordpress"))
    yield wordpress
    wordpress.end()
    assert wordpress.complaints() == "", "PHP has something to say against the plugin"


@pytest.fixture(scope="module")
def admin(loa, wordpress):
    """The administrator, who has told WordPress where Loa is."""
    admin = Person(wordpress, "quantri")
    assert "Đã lưu" in settings(admin, loa).text
    return admin


@pytest.fixture(scope="module")
def editor(wordpress, admin):
    return Person(wordpress, "bientap")


class Between:
    """What stands between WordPress and Loa. It does to each request the next of `moods`, and else hands it on.

    A mood is an answer (status, headers, body); `lost`: Loa gets the request, WordPress no answer; `held`: it waits for `go_on`.
    """

    def __init__(self, target: str):
        self.moods: list = []
        self.seen: list[str] = []
        self.holds, self.go_on = threading.Event(), threading.Event()
        between = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802 (http.server's name)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                between.seen.append(self.command)
                mood = between.moods.pop(0) if between.moods else None
                if mood == "held":
                    between.holds.set()
                    between.go_on.wait(30)
                if isinstance(mood, tuple):
                    return self.say(*mood)
                headers = {"Content-Type": self.headers["content-type"]} if self.headers["content-type"] else {}
                answer = ask(self.command, target + self.path, body or None, Authorization=self.headers["authorization"], **headers)
                if mood != "lost":
                    self.say(answer.status, {"Content-Type": answer.headers["content-type"]}, answer.body)

            do_DELETE = do_POST  # noqa: N815

            def say(self, status: int, headers: dict, body: bytes):
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def between(loa, admin) -> Iterator[Between]:
    between = Between(loa.url("intake"))
    settings(admin, loa, address=between.url)
    yield between
    settings(admin, loa)
    between.close()


def settings(admin, loa, **fields):
    """Saves the settings that the tests go by, and others over them."""
    return admin.form("save", **{"address": loa.url("intake"), "token": loa.token, "types[]": ["post"], "prefix": "", "portal": "", "source": "author"} | fields)


def items(loa) -> dict[str, dict]:
    """The feed's entries by the article's id."""
    return {item["id"].rsplit("/", 1)[1]: item for item in loa.feed("all.json").json()["items"]}


def standing(loa, post: int, portal: str = "home") -> dict | None:
    answer = ask("GET", f"{loa.url('intake')}/v1/articles/wp-{post}?portal={portal}", Authorization=f"Bearer {loa.reading}")
    return answer.json() if answer.status == 200 else None


def told(loa, post: int) -> list[str]:
    """What the province was told of a post, in order; each delivery once."""
    events = {hook.id: hook.json() for hook in loa.portal.delivered() if f"wp-{post}" in str(hook.json().get("subject"))}
    return [event["type"].removeprefix("vn.loa.").removesuffix(".v1") for event in events.values()]


def entry(loa, post: int) -> dict:
    return until(10, f"post {post} is in the feed", lambda: items(loa).get(f"wp-{post}"))


def waiting(wordpress) -> int:
    """How many posts WordPress still owes Loa."""
    return int(wordpress.query("SELECT COUNT(*) FROM xa_loa_posts WHERE owed = 1")[0][0])


def row(wordpress, post: int) -> list[str]:
    """What WordPress keeps of a post: owed, stands, refused, said; nothing when it does not know it."""
    return next(iter(wordpress.query(f"SELECT owed, stands, refused, said FROM xa_loa_posts WHERE post_id = {post}")), [])


def test_a_published_post_is_in_the_feed_with_picture_category_and_times(loa, wordpress, editor):
    picture = editor.upload("cho-phien.png", "image/png", png(), alt="Chợ phiên Na Son & bản Mường")
    paper = editor.upload("ke-hoach-12.pdf", "application/pdf", b"%PDF-1.4 " + b"x" * 100)
    category = editor.category("Tin tức – Sự kiện")
    post = editor.publish(
        "Chợ phiên “Na Son” &amp; <em>chợ đêm</em>: giá < 50 nghìn", featured_media=picture["id"], categories=[category, 1],
        excerpt="Bà con các bản &amp; du khách về chợ.",
        content='<!-- wp:paragraph --><p>Sáng nay ở <strong>Na Son</strong>.</p><!-- /wp:paragraph -->'
                f'<!-- wp:file {{"id":{paper["id"]},"href":"{paper["source_url"]}"}} --><div class="wp-block-file"><a href="{paper["source_url"]}">'
                f'Kế hoạch số 12</a><a href="{paper["source_url"]}" class="wp-block-file__button" download>Tải về</a></div><!-- /wp:file -->')
    item = entry(loa, post)
    assert item["title"] == "Chợ phiên “Na Son” & chợ đêm: giá < 50 nghìn"
    assert item["summary"] == "Bà con các bản & du khách về chợ."
    assert "<strong>Na Son</strong>" in item["content_html"] and "<!--" not in item["content_html"]
    assert item["image"] == picture["source_url"]
    assert "Tin tức – Sự kiện" in item["tags"] and item["language"] == "vi"
    assert item["authors"] == [{"name": "Lò Thị Mai"}]
    known = editor.rest("GET", f"posts/{post}")
    assert item["url"] == known["link"]
    published = datetime.datetime.fromisoformat(item["date_published"])
    assert published == datetime.datetime.fromisoformat(known["date_gmt"] + "+00:00")
    until(10, "the province has it", lambda: told(loa, post))
    data = next(hook.json()["data"] for hook in loa.portal.delivered() if hook.json().get("subject") == f"wp-{post}")
    data = data.get("article", data)
    assert data["images"] == [{"url": picture["source_url"], "media_type": "image/png", "bytes": len(png()), "alt": "Chợ phiên Na Son & bản Mường"}]
    assert data["attachments"] == [{"url": paper["source_url"], "media_type": "application/pdf", "bytes": 109, "alt": "Kế hoạch số 12"}]
    assert data["category"] == {"slug": "tin-tuc-su-kien", "label": "Tin tức – Sự kiện"}
    assert standing(loa, post)["revision"] == 1 and told(loa, post) == ["article.published"]


def test_an_edit_is_a_correction_once_and_a_save_without_a_change_is_none(loa, wordpress, editor):
    post = editor.publish("Lịch tiếp dân tháng 12", "<p>Thứ hai.</p>")
    entry(loa, post)
    text = '<p>Thứ ba.</p><object data="/lich.swf"></object>'
    editor.save(post, content=text)
    until(10, "the correction is there", lambda: "Thứ ba" in items(loa)[f"wp-{post}"]["content_html"])
    remarks = until(10, "it is settled", lambda: (kept := row(wordpress, post))[0] == "0" and kept[3])
    time.sleep(1.1)  # WordPress counts seconds: these saves have another time of change
    editor.save(post, content=text)
    editor.save(post, content=text)
    until(10, "nothing is owed", lambda: row(wordpress, post)[0] == "0")
    assert row(wordpress, post)[3] == remarks, "what Loa left out is still left out"
    assert standing(loa, post)["revision"] == 2
    until(10, "the province has both", lambda: len(told(loa, post)) >= 2)
    assert told(loa, post) == ["article.published", "article.updated"]


def test_a_change_of_its_category_or_picture_alone_is_a_correction(loa, wordpress, editor):
    post = editor.publish("Thông báo cấp nước")
    entry(loa, post)
    category = editor.category("Thông báo")
    wordpress.php(f"wp_set_post_terms({post}, array({category}), 'category');")
    until(10, "its category is there", lambda: "Thông báo" in items(loa)[f"wp-{post}"]["tags"])
    picture = editor.upload("nuoc.png", "image/png", png())
    wordpress.php(f"set_post_thumbnail({post}, {picture['id']});")
    until(10, "its picture is there", lambda: items(loa)[f"wp-{post}"].get("image") == picture["source_url"])
    revision = standing(loa, post)["revision"]
    editor.rest("POST", f"media/{picture['id']}", '{"alt_text": "Bể nước"}'.encode(), Content_Type="application/json")
    until(10, "its picture's words are", lambda: standing(loa, post)["revision"] > revision)
    editor.rest("DELETE", f"media/{picture['id']}&force=true")
    until(10, "its picture is gone", lambda: "image" not in items(loa)[f"wp-{post}"])
    wordpress.php(f"wp_remove_object_terms({post}, array({category}), 'category');")
    until(10, "its category is gone", lambda: "Thông báo" not in items(loa)[f"wp-{post}"]["tags"])


@pytest.mark.parametrize("leave", ["trash", "draft", "private", "password", "delete"])
def test_a_post_that_is_taken_away_is_withdrawn_everywhere(loa, wordpress, editor, leave):
    post = editor.publish(f"Tin đăng nhầm ({leave})")
    entry(loa, post)
    match leave:
        case "trash": editor.delete(post)
        case "delete": editor.delete(post, force=True)
        case "password": editor.save(post, password="kín")
        case status: editor.save(post, status=status)
    until(10, "it left the feed", lambda: f"wp-{post}" not in items(loa))
    assert ask("GET", f"{loa.url('feed')}/a/wp-{post}").status == 410
    until(10, "the province knows", lambda: told(loa, post) == ["article.published", "article.withdrawn"])
    assert standing(loa, post)["withdrawn"]
    if leave == "trash":
        editor.save(post, status="publish")
        assert entry(loa, post)["title"] == "Tin đăng nhầm (trash)"


def test_a_scheduled_post_appears_when_wordpress_publishes_it(loa, wordpress, editor):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    post = editor.publish("Tin hẹn giờ", status="future", date_gmt=at.strftime("%Y-%m-%dT%H:%M:%S"))
    wordpress.cron()
    assert row(wordpress, post) == [] and standing(loa, post) is None
    # an hour passes
    wordpress.php(f"""global $wpdb; $wpdb->query("UPDATE xa_posts SET post_date = post_date - INTERVAL 1 HOUR, post_date_gmt = post_date_gmt - INTERVAL 1 HOUR
        WHERE ID = {post}"); wp_clear_scheduled_hook('publish_future_post', array({post})); wp_schedule_single_event(time(), 'publish_future_post', array({post}));
        delete_transient('doing_cron');""")  # the lock of a run that was cut short is long over
    # an event that is scheduled while WordPress' cron runs may be lost: both write the whole list of events
    again = f"""if (get_post_status({post}) === 'future' && !wp_next_scheduled('publish_future_post', array({post})))
        wp_schedule_single_event(time(), 'publish_future_post', array({post}));"""
    wordpress.until(15, "WordPress published it", lambda: standing(loa, post) or (wordpress.php(again), None)[1])
    assert datetime.datetime.fromisoformat(entry(loa, post)["date_published"]) == at.replace(microsecond=0) - datetime.timedelta(hours=1)


def test_drafts_pages_and_protected_posts_are_not_sent(loa, wordpress, editor, admin):
    draft = editor.publish("Bản nháp", status="draft")
    protected = editor.publish("Có mật khẩu", password="kín")
    wordpress.php("wp_insert_post(array('post_type' => 'page', 'post_title' => 'Giới thiệu', 'post_status' => 'publish'));")
    marker = editor.publish("Tin sau cùng")
    entry(loa, marker)
    assert waiting(wordpress) == 0
    assert standing(loa, draft) is None and standing(loa, protected) is None
    assert "Giới thiệu" not in loa.titles()


def test_blocks_galleries_and_films_arrive_as_readers_see_them(loa, wordpress, editor):
    pictures = [editor.upload(f"anh-{n}.png", "image/png", png(), alt=f"Ảnh {n}") for n in range(2)]
    inner = "".join(f'<!-- wp:image {{"id":{p["id"]}}} --><figure class="wp-block-image"><img src="{p["source_url"]}" alt="Ảnh" class="wp-image-{p["id"]}"/>'
                    "</figure><!-- /wp:image -->" for p in pictures)
    for picture in pictures:
        editor.rest("POST", f"media/{picture['id']}", '{"caption": "Chú thích của ảnh"}'.encode(), Content_Type="application/json")
    film = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    post = editor.publish(
        "Ngày hội Mường", f'<!-- wp:gallery --><figure class="wp-block-gallery has-nested-images">{inner}</figure><!-- /wp:gallery -->'
        f'<!-- wp:embed {{"url":"{film}","type":"video","providerNameSlug":"youtube"}} --><figure class="wp-block-embed is-type-video">'
        f'<div class="wp-block-embed__wrapper">\n{film}\n</div></figure><!-- /wp:embed -->'
        f'<!-- wp:shortcode -->[gallery ids="{pictures[0]["id"]},{pictures[1]["id"]}"]<!-- /wp:shortcode -->'
        '<!-- wp:table --><figure class="wp-block-table"><table><tr><td>Bản</td><td>Số hộ</td></tr></table></figure><!-- /wp:table -->'
        "<!-- wp:paragraph --><p>[thanh_vien]</p><!-- /wp:paragraph -->")
    body = entry(loa, post)["content_html"]
    assert all(body.count(picture["source_url"].rsplit("/", 1)[1]) >= 2 for picture in pictures), body
    assert "https://www.youtube.com/" in body and "Xem video" in body and "<iframe" not in body
    assert "Số hộ" in body and "[gallery" not in body and body.count("Chú thích của ảnh") == 2, body
    assert "mời đăng nhập" in body and "chỉ cho thành viên" not in body, "the editor is logged in, readers are not"


def test_an_article_is_the_same_whoever_saves_it_and_however(loa, wordpress, editor):
    """By the block editor, by the classic one, over http and https, by an editor with another language: readers see one text."""
    text = "<p>[ngoai_trang] [bai_khac] [bai_nay] [tieng]</p>"
    wordpress.php("update_user_meta(2, 'locale', 'en_US');")
    post = editor.rest("POST", "posts&_locale=user", json.dumps({"title": "Bảng giá<br>đất", "content": text, "status": "publish"}).encode(),
                       Content_Type="application/json")["id"]
    item = entry(loa, post)
    assert all(part in item["content_html"] for part in ("bảng ngoài trang", f"bài số {post}", "tiếng vi")), item["content_html"]
    assert "Chia sẻ" not in item["content_html"], "what plugins add to pages only is no text of the article"
    assert item["title"] == "Bảng giá đất" and item["url"].startswith(wordpress.url)
    wordpress.save_in_admin(post, post_title="Bảng giá<br>đất", content=text, post_status="publish")
    wordpress.php(f"delete_user_meta(2, 'locale'); Loa\\mark({post}, false, 0); Loa\\run();")
    until(10, "nothing is owed", lambda: row(wordpress, post)[0] == "0")
    assert standing(loa, post)["revision"] == 1
    classic = editor.publish("Trình soạn thảo cũ", status="draft")
    wordpress.save_in_admin(classic, post_title="Trình soạn thảo cũ", content=text, post_status="publish", publish="1")
    assert "bảng ngoài trang" in entry(loa, classic)["content_html"]


def test_a_type_that_nobody_can_see_withdraws_and_one_that_is_switched_off_does_not(loa, wordpress, editor):
    hidden, switched_off = editor.publish("Thành nội bộ"), editor.publish("Thành văn bản")
    entry(loa, hidden), entry(loa, switched_off)
    wordpress.php(f"foreach (array({hidden} => 'noi_bo', {switched_off} => 'van_ban') as $id => $type) wp_update_post(array('ID' => $id, 'post_type' => $type));")
    until(10, "it is withdrawn", lambda: standing(loa, hidden)["withdrawn"])
    until(10, "it has its new address", lambda: "/van_ban/" in items(loa)[f"wp-{switched_off}"]["url"])
    wordpress.php("update_option('tat_van_ban', 1);")
    wordpress.php(f"wp_update_post(array('ID' => {switched_off}));")
    kept = until(10, "it was looked at", lambda: (kept := row(wordpress, switched_off)) and "van_ban" in kept[3] and kept)
    assert kept[0] == "1" and "/van_ban/" in items(loa)[f"wp-{switched_off}"]["url"]
    wordpress.php("delete_option('tat_van_ban');")
    wordpress.until(15, "nothing is owed", lambda: row(wordpress, switched_off)[0] == "0" and row(wordpress, switched_off)[3] == "")


def test_what_happened_while_the_plugin_was_switched_off_is_made_up_for(loa, wordpress, editor):
    gone, edited = editor.publish("Gỡ khi tắt"), editor.publish("Sửa khi tắt")
    entry(loa, gone), entry(loa, edited)
    before = int(wordpress.php("remove_all_actions('save_post'); remove_all_actions('transition_post_status'); remove_all_actions('set_object_terms');"
                               "echo wp_insert_post(array('post_title' => 'Tin xưa', 'post_status' => 'publish', 'post_date' => '2026-11-01 08:00:00'));"
                               "$wpdb->query(\"UPDATE xa_posts SET post_modified = post_date, post_modified_gmt = post_date_gmt WHERE post_title = 'Tin xưa'\");"))
    time.sleep(1.1)  # WordPress counts seconds
    wordpress.php("require ABSPATH . 'wp-admin/includes/plugin.php'; deactivate_plugins('loa/loa.php');")
    editor.delete(gone)
    editor.save(edited, content="<p>Đã sửa.</p>")
    new = editor.publish("Đăng khi tắt")
    assert not standing(loa, gone)["withdrawn"] and row(wordpress, new) == []
    wordpress.php("require ABSPATH . 'wp-admin/includes/plugin.php'; activate_plugin('loa/loa.php');")
    wordpress.until(15, "all is there", lambda: standing(loa, gone)["withdrawn"] and standing(loa, new) and standing(loa, edited)["revision"] == 2)
    assert row(wordpress, before) == [], "older posts are sent when somebody wants them"


def test_what_ends_php_or_is_no_text_is_shown_and_holds_nothing_up(loa, wordpress, editor, admin):
    ends, half = editor.publish("Dừng PHP", "[dung_php]"), editor.publish("Nửa chữ", "[nua_chu]")
    until(10, "it is refused", lambda: row(wordpress, half)[2] == "1" and "content_html" in row(wordpress, half)[3])
    other = editor.publish("Tin sau đó")
    entry(loa, other)
    for _ in range(2):  # minutes pass, and what the dead claimed is due again
        wordpress.php(f"""global $wpdb; $wpdb->query('UPDATE xa_loa_posts SET claimed_until = 1, due_at = 1 WHERE post_id = {ends}');
            Loa\\mark({other}, true, 0); Loa\\run();""")
    assert row(wordpress, other)[0] == "0" and row(wordpress, ends)[0] == "1"
    wordpress.php(f"global $wpdb; $wpdb->query('UPDATE xa_loa_posts SET claimed_until = 1 WHERE post_id = {ends}');")
    assert "bị ngắt giữa chừng" in admin.page("/wp-admin/options-general.php?page=loa").text
    editor.delete(ends), editor.delete(half)
    wordpress.until(15, "nothing is owed", lambda: waiting(wordpress) == 0)


def test_loa_was_away_and_in_the_end_what_stands_is_right_and_nothing_twice(loa, wordpress, editor):
    edited = editor.publish("Giá phân bón", "<p>Lần đầu.</p>")
    taken_away = editor.publish("Tin sẽ gỡ")
    entry(loa, edited), entry(loa, taken_away)
    loa.stop("intake", "feed")
    editor.save(edited, content="<p>Lần hai.</p>")
    editor.save(edited, content="<p>Lần ba.</p>")
    editor.save(taken_away, content="<p>Sửa rồi mới gỡ.</p>")
    editor.delete(taken_away)
    there_and_gone = editor.publish("Đăng rồi gỡ ngay")
    editor.delete(there_and_gone)
    anew = editor.publish("Tin lúc Loa vắng mặt")
    wordpress.cron()
    assert waiting(wordpress) >= 3
    assert "bài đang chờ" in Person(wordpress, "quantri").page("/wp-admin/options-general.php?page=loa").text
    loa.start("intake", "feed")
    wordpress.until(30, "nothing is owed", lambda: waiting(wordpress) == 0)
    entry(loa, anew)
    until(10, "the newest stands", lambda: "Lần ba" in items(loa)[f"wp-{edited}"]["content_html"])
    until(10, "what was taken away is gone", lambda: f"wp-{taken_away}" not in items(loa))
    assert standing(loa, edited)["revision"] == 2 and standing(loa, there_and_gone) is None
    until(10, "the province knows", lambda: len(told(loa, edited)) >= 2 and len(told(loa, taken_away)) >= 2)
    assert told(loa, edited) == ["article.published", "article.updated"]
    assert told(loa, taken_away) == ["article.published", "article.withdrawn"]


def test_a_wrong_token_is_shown_and_it_goes_on_with_a_good_one(loa, wordpress, editor, admin):
    settings(admin, loa, token="loa_wrong")
    post = editor.publish("Tin với mã sai")
    page = until(10, "it is shown", lambda: (text := admin.page("/wp-admin/options-general.php?page=loa").text) and "401" in text and text)
    assert 'class="loa-pause"' in page and standing(loa, post) is None
    assert loa.token not in page and "loa_wrong" not in page, "a token is never shown"
    assert "Chưa kết nối được" in admin.form("test").text
    assert "Đã lưu" in settings(admin, loa).text
    assert "được phép đăng" in admin.form("test").text
    wordpress.until(15, "it goes on", lambda: standing(loa, post))
    assert 'class="loa-pause"' not in admin.page("/wp-admin/options-general.php?page=loa").text


def test_what_loa_refuses_is_shown_with_its_sentence_and_holds_nothing_up(loa, wordpress, editor, admin):
    refused = editor.publish("x" * 501)
    broken = editor.publish("Bảng giá", "<p>[hong]</p>")
    good = editor.publish("Tin lành")
    entry(loa, good)
    until(10, "both were tried", lambda: row(wordpress, refused)[2] == "1" and row(wordpress, broken)[3] != "")
    page = admin.page("/wp-admin/options-general.php?page=loa").text
    assert "422: " in page and "/title" in page and "bảng giá không mở được" in page
    assert "Loa không nhận" in admin.page("/wp-admin/index.php").text
    for _ in range(3):
        wordpress.cron()
    assert row(wordpress, refused)[:3] == ["0", "1", "1"], "it is not tried for ever"
    editor.save(refused, title="Tiêu đề đã rút gọn")
    assert entry(loa, refused)["title"] == "Tiêu đề đã rút gọn"
    assert "422: " not in admin.page("/wp-admin/options-general.php?page=loa").text
    editor.delete(broken)
    wordpress.until(15, "nothing is owed", lambda: waiting(wordpress) == 0)


def test_of_saves_at_the_same_time_the_newest_stands(loa, wordpress, editor):
    post = editor.publish("Lưu nhiều lần", "<p>Lần 0.</p>")
    entry(loa, post)
    saves = [threading.Thread(target=editor.save, args=(post,), kwargs={"content": f"<p>Lần {n}.</p>"}) for n in range(1, 7)]
    for save in saves:
        save.start()
    for save in saves:
        save.join()
    last = editor.rest("GET", f"posts/{post}")["content"]["rendered"].strip()
    wordpress.until(15, "nothing is owed", lambda: row(wordpress, post)[0] == "0")
    until(10, "the newest stands", lambda: last in items(loa)[f"wp-{post}"]["content_html"])


def test_a_post_that_is_taken_away_while_it_is_being_sent_is_gone_in_the_end(loa, wordpress, editor, between):
    between.moods.append("held")
    post = editor.publish("Gỡ khi đang gửi")
    assert between.holds.wait(20)
    editor.delete(post)
    assert row(wordpress, post)[:2] == ["1", "1"]
    between.go_on.set()
    until(15, "it is withdrawn", lambda: (standing(loa, post) or {}).get("withdrawn"))
    assert between.seen == ["POST", "DELETE"]
    until(10, "nothing is owed", lambda: row(wordpress, post)[:2] == ["0", "0"])


def test_an_answer_that_was_lost_makes_nothing_twice(loa, wordpress, editor, between):
    between.moods.append("lost")
    post = editor.publish("Câu trả lời bị mất")
    until(10, "it is to be sent again", lambda: row(wordpress, post)[3] != "")
    wordpress.php("wp_clear_scheduled_hook('loa_send');")  # as when two processes write WordPress' list of events at once
    wordpress.until(15, "it was sent again", lambda: row(wordpress, post)[0] == "0")
    assert between.seen == ["POST", "POST"] and standing(loa, post)["revision"] == 1
    until(10, "the province has it", lambda: told(loa, post))
    assert told(loa, post) == ["article.published"]


def test_php_was_killed_while_it_sent_and_nothing_is_lost_or_twice(loa, wordpress, editor, between):
    between.moods.append("held")
    post = editor.publish("PHP bị dừng giữa chừng")
    assert between.holds.wait(20)
    wordpress.kill_php()
    between.go_on.set()
    # five minutes pass: the claim of the dead has run out, and WP-Cron looks whether something was forgotten
    wordpress.php(f"""global $wpdb; $wpdb->query('UPDATE xa_loa_posts SET claimed_until = claimed_until - 300, due_at = due_at - 300 WHERE post_id = {post}');
        foreach (array('loa_send', 'loa_watch') as $hook) wp_clear_scheduled_hook($hook); wp_schedule_event(time(), 'loa_five_minutes', 'loa_watch');""")
    wordpress.until(15, "it was sent again", lambda: row(wordpress, post)[:2] == ["0", "1"])
    assert between.seen == ["POST", "POST"] and standing(loa, post)["revision"] == 1
    until(10, "the province has it", lambda: told(loa, post) == ["article.published"])


PAGE = {"Content-Type": "text/html"}
NOT_LOA = [(403, PAGE, b"<h1>Blocked</h1>"), (404, PAGE, b"<h1>Not found</h1>"), (200, PAGE, b"<h1>Please log in</h1>"),
           (302, {"Location": "https://elsewhere.example/"}, b""), (502, PAGE, b"")]


def test_what_is_not_said_by_loa_neither_refuses_nor_takes_a_post(loa, wordpress, editor, between):
    for mood in NOT_LOA:
        between.moods.append(mood)
        post = editor.publish(f"Máy chủ trung gian nói {mood[0]}")
        kept = until(10, "it was tried", lambda post=post: (kept := row(wordpress, post)) and "không phải của Loa" in kept[3] and kept)
        assert kept[0] == "1" and kept[2] == "0" and standing(loa, post) is None, mood
        wordpress.until(15, "it was sent again", lambda post=post: standing(loa, post))


def test_loa_is_left_alone_for_as_long_as_it_asks(loa, wordpress, editor, between):
    problem = b'{"status": 503, "title": "Unavailable", "detail": "a ledger does not answer just now"}'
    between.moods.append((503, {"Content-Type": "application/problem+json", "Retry-After": "600"}, problem))
    first, second = editor.publish("Tin gặp 503"), editor.publish("Tin sau đó")
    until(10, "it was tried", lambda: between.seen)
    wordpress.cron()
    seconds = int(wordpress.php("echo get_option('loa_pause')['until'] - time();"))
    assert 500 < seconds <= 600 and between.seen == ["POST"]
    assert standing(loa, first) is None and standing(loa, second) is None
    wordpress.php("Loa\\go_on();")  # the time has passed
    wordpress.until(15, "both are sent", lambda: standing(loa, first) and standing(loa, second))


def test_where_a_response_cannot_go_out_first_wordpress_sends_by_a_request_of_its_own(loa, wordpress, editor):
    plain = Person(wordpress, "bientap", wordpress.plain_url)
    post = plain.publish("Tin trên mod_php")
    entry(loa, post)


def test_a_table_that_was_lost_is_made_again(loa, wordpress, editor):
    wordpress.php("global $wpdb; $wpdb->query('DROP TABLE xa_loa_posts');")
    post = editor.publish("Tin sau khi mất bảng")
    entry(loa, post)
    assert row(wordpress, post)[:2] == ["0", "1"]


def test_a_queue_older_than_an_hour_is_told_to_administrators_only(loa, wordpress, editor, admin):
    wordpress.php("global $wpdb; $wpdb->insert('xa_loa_posts', array('post_id' => 999999, 'owed' => 1, 'owed_since' => time() - 7200, 'due_at' => time() + 600));")
    assert "chưa đến được Loa" in admin.page("/wp-admin/index.php").text
    assert "chưa đến được Loa" not in editor.page("/wp-admin/index.php").text
    wordpress.php("global $wpdb; $wpdb->delete('xa_loa_posts', array('post_id' => 999999));")


def test_a_copy_of_the_site_sends_nothing_until_somebody_says_that_it_is_the_site(loa, wordpress, editor, admin):
    """Nobody saved anything here: address and token stand in wp-config.php, and whoever copies the site copies that too."""
    (wordpress.folder / "own.php").write_text(f"<?php define('LOA_ADDRESS', '{loa.url('intake')}'); define('LOA_TOKEN', '{loa.token}');")
    wordpress.php("foreach (array('loa_settings', 'loa_home') as $option) delete_option($option);")
    real = editor.publish("Tin của trang thật")
    entry(loa, real)
    # a copy: another address, written over the real one's in the whole database
    host, copy = wordpress.url.removeprefix("http://"), "thu.example.gov.vn"
    wordpress.php(f"global $wpdb; $wpdb->query(\"UPDATE xa_options SET option_value = REPLACE(option_value, '{host}', '{copy}') WHERE option_name LIKE '%loa%'\");")
    wordpress.live_at(f"https://{copy}")
    editor.delete(real)
    time.sleep(1)
    wordpress.cron()
    assert row(wordpress, real)[:2] == ["1", "1"] and not standing(loa, real)["withdrawn"]
    assert host in admin.page("/wp-admin/index.php").text
    assert host in admin.form("test").text and "Gửi từ địa chỉ này" in admin.page("/wp-admin/options-general.php?page=loa").text
    settings(admin, loa)
    assert host in admin.form("test").text, "to save something does not make a copy the real site"
    # with https it is the same site
    wordpress.live_at(wordpress.url.replace("http:", "https:"))
    assert "được phép đăng" in admin.form("test").text
    wordpress.live_at(f"https://{copy}")
    assert "Những bài đang chờ" in admin.form("here").text
    wordpress.until(15, "it is withdrawn", lambda: standing(loa, real)["withdrawn"])
    wordpress.live_at(wordpress.url)
    admin.form("here")
    (wordpress.folder / "own.php").unlink()


def test_a_withdrawal_of_what_loa_took_and_does_not_know_is_shown(loa, wordpress, editor, admin, between):
    post = editor.publish("Loa quên bài này")
    entry(loa, post)
    problem = b'{"status": 404, "title": "Not found", "detail": "nothing of this id was ever published here"}'
    between.moods.append((404, {"Content-Type": "application/problem+json"}, problem))
    editor.delete(post)
    until(10, "it was tried", lambda: row(wordpress, post)[:3] == ["0", "1", "1"])
    page = admin.page("/wp-admin/options-general.php?page=loa").text
    assert "Loa đã từng nhận bài này" in page and "Bỏ khỏi danh sách" in page
    admin.form("again", post=post)
    wordpress.until(15, "it is withdrawn", lambda: standing(loa, post)["withdrawn"] and row(wordpress, post)[:3] == ["0", "0", "0"])


def test_only_administrators_with_the_pages_own_nonce_change_anything(wordpress, editor, admin):
    assert editor.page("/wp-admin/options-general.php?page=loa").status == 403
    assert editor.page("/wp-admin/admin-post.php", action="loa_save", address="http://evil.example", _wpnonce="0123456789").status == 403
    assert admin.page("/wp-admin/admin-post.php", action="loa_save", address="http://evil.example", _wpnonce="0123456789").status == 403
    assert "evil.example" not in admin.page("/wp-admin/options-general.php?page=loa").text
    assert "phải bắt đầu bằng" in admin.form("save", address="ftp://x").text


def test_send_all_brings_loa_to_what_stands_here(loa, wordpress, editor, admin):
    """Articles from before the plugin, and what was changed behind its back."""
    old = [int(post) for post in wordpress.php(
        "global $wpdb; foreach (range(1, 60) as $n) { $wpdb->insert($wpdb->posts, array('post_title' => \"Tin cũ $n\", 'post_content' => 'Nội dung',"
        " 'post_status' => 'publish', 'post_type' => 'post', 'post_name' => \"tin-cu-$n\", 'post_author' => 1, 'post_excerpt' => '', 'to_ping' => '',"
        " 'pinged' => '', 'post_content_filtered' => '', 'post_date' => '2026-11-20 08:00:00', 'post_date_gmt' => '2026-11-20 01:00:00',"
        " 'post_modified' => '2026-11-20 08:00:00', 'post_modified_gmt' => '2026-11-20 01:00:00')); echo $wpdb->insert_id, ' '; }").split()]
    behind = editor.publish("Gỡ thẳng trong cơ sở dữ liệu")
    entry(loa, behind)
    wordpress.php(f"global $wpdb; $wpdb->update($wpdb->posts, array('post_status' => 'draft'), array('ID' => {behind}));")
    assert "Đã bắt đầu" in admin.form("all").text
    wordpress.until(30, "all are there", lambda: all(standing(loa, post) for post in (old[0], old[-1])))
    wordpress.until(15, "what is gone here is gone there", lambda: standing(loa, behind)["withdrawn"])
    wordpress.until(15, "nothing is owed", lambda: waiting(wordpress) == 0)
    assert all(standing(loa, post)["revision"] == 1 for post in old)
    # the administrator's public name is their login, which is nobody's business
    some = until(10, "they are in the feed", lambda: [item for item in items(loa).values() if item["title"].startswith("Tin cũ")])
    assert all(item["authors"] == [{"name": TITLE}] for item in some)


# From here on there are several portals, and entries say whose they are.


def test_an_article_stays_at_the_portal_where_it_stands_whatever_token_comes_later(loa, wordpress, editor, admin):
    loa.json("portals", "add", "na-son", "--name", "Xã Na Son", "--url", "https://na-son.example.gov.vn", "--tag-date", "2026-07-01")
    bound = loa.json("token", "create", "--scope", "publish", "--name", "na-son", "--portal", "na-son")["secret"]
    both = loa.json("token", "create", "--scope", "publish", "--name", "both", "--portal", "na-son", "--portal", "home")["secret"]
    edited, deleted = editor.publish("Tin ở cổng cũ", "<p>Lần đầu.</p>"), editor.publish("Sẽ gỡ ở cổng cũ")
    entry(loa, edited), entry(loa, deleted)
    settings(admin, loa, token=bound)
    editor.save(edited, content="<p>Lần hai.</p>")
    editor.delete(deleted)
    for post in (edited, deleted):
        kept = until(10, "it was tried", lambda post=post: (kept := row(wordpress, post)) and "na-son" in kept[3] and kept)
        assert kept[:3] == ["1", "1", "0"], "it is owed to the old portal"
    new = editor.publish("Tin của cổng mới")
    until(10, "others are not held up", lambda: standing(loa, new, "na-son"))
    assert standing(loa, new) is None and standing(loa, edited, "na-son") is None and not standing(loa, deleted)["withdrawn"]
    # a token for both, and where new articles go
    settings(admin, loa, token=both, portal="na-son")
    wordpress.until(15, "it is withdrawn", lambda: standing(loa, deleted)["withdrawn"])
    wordpress.until(15, "it is corrected", lambda: standing(loa, edited)["revision"] == 2)
    newer = editor.publish("Tin nữa của cổng mới")
    until(10, "it is at the new portal", lambda: standing(loa, newer, "na-son"))
    assert standing(loa, newer) is None and standing(loa, edited, "na-son") is None


def test_a_token_of_a_retired_portal_is_not_said_to_be_good(loa, wordpress, editor, admin):
    loa.json("portals", "add", "cu", "--name", "Cổng cũ", "--url", "https://cu.example.gov.vn", "--tag-date", "2026-07-01")
    token = loa.json("token", "create", "--scope", "publish", "--name", "cu", "--portal", "cu")["secret"]
    settings(admin, loa, token=token)
    assert "được phép đăng" in admin.form("test").text
    loa.json("portals", "retire", "cu")
    until(10, "it is retired", lambda: "Chưa kết nối được" in admin.form("test").text)
    post = editor.publish("Tin với mã của cổng đã ngừng")
    until(10, "it was tried", lambda: "retired" in row(wordpress, post)[3])
    settings(admin, loa)
    wordpress.until(15, "it waited for a good token", lambda: standing(loa, post))
