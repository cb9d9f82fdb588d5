"""Portals that cannot call Loa, as stand-ins: each behaves like one family of systems, and misbehaves when told to.

Must not know what Loa is. Each stands on a loopback address of its own, so that each is another host.
"""

import dataclasses
import datetime
import html
import http.server
import itertools
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from email.utils import format_datetime

VIETNAM = datetime.timezone(datetime.timedelta(hours=7))
HOSTS = itertools.count(11)
NOW = datetime.datetime.now(VIETNAM).replace(second=22, microsecond=0)
BEGIN = NOW - datetime.timedelta(hours=47)  # what was there before: an article each minute from then on
LATER = BEGIN + datetime.timedelta(hours=27)  # what comes then, on another day
WEEKDAYS = ["Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật"]


@dataclasses.dataclass
class Story:
    """An article as its portal has it."""

    number: int
    title: str
    words: str
    at: datetime.datetime
    edited: datetime.datetime | None = None

    @property
    def paragraphs(self) -> str:
        return (f"<p>{self.words} Ủy ban nhân dân xã thông báo để bà con được biết và thực hiện.</p>"
                f"<p>Mọi ý kiến xin gửi về văn phòng xã trong giờ làm việc (tin số {self.number}).</p>")


class Portal:
    """What all have in common: a server, its stories (oldest first), what was asked of it, and its whims."""

    robots: str | None = None

    def __init__(self, stories: int = 0):
        self.stories: list[Story] = []
        self.asked: list[tuple[float, str, dict[str, str]]] = []
        self.visits = 0
        self.under_way, self.most_under_way = 0, 0
        self.gone: set[int] = set()
        self.whim: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda path: None
        self.pause = 0.0
        self.has_validators = False  # of its pages
        self.lock = threading.Lock()
        self.host = f"127.0.0.{next(HOSTS)}"
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802 (the library's name)
                portal.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((self.host, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{self.host}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        for number in range(1, stories + 1):
            self.publish(at=BEGIN + datetime.timedelta(minutes=number))

    def stop(self) -> None:
        """Idempotent."""
        self.server.shutdown()
        self.server.server_close()

    def publish(self, title: str | None = None, at: datetime.datetime | None = None) -> Story:
        number = max((story.number for story in self.stories), default=0) + 1
        story = Story(number, title or f"Xã thông báo họp dân lần thứ {number} về xây dựng đường bản",
                      f"Cuộc họp lần thứ {number} bàn việc làm đường vào bản.", at or LATER + datetime.timedelta(minutes=number))
        self.stories.append(story)
        return story

    def edit(self, story: Story, words: str) -> None:
        story.words, story.edited = words, NOW

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    def answer(self, handler) -> None:
        with self.lock:
            self.asked.append((time.monotonic(), handler.path, {name.lower(): value for name, value in handler.headers.items()}))
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            self.visits += 1
        is_answered = False
        try:
            time.sleep(self.pause)
            address = urllib.parse.urlsplit(handler.path)
            status, headers, body = self.whim(handler.path) or self.page(address.path, dict(urllib.parse.parse_qsl(address.query)))
            etag = headers.get("ETag")
            if status == 200 and etag and handler.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            if body is ENDLESS:
                handler.end_headers()
                while True:
                    handler.wfile.write(b"<p>" + b"x" * 65536)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            # whoever has read the last byte may ask again, before this thread comes to its next line
            is_answered = self.answered()
            handler.wfile.write(body)
        except OSError:
            pass  # who asked has gone
        finally:
            if not is_answered:
                self.answered()

    def answered(self) -> bool:
        with self.lock:
            self.under_way -= 1
        return True

    def page(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path == "/robots.txt":
            return self.text(self.robots, "text/plain") if self.robots is not None else self.missing()
        found = self.listed(path, query)
        if found is not None:
            return found
        story = self.story_of(path, query)
        if story is None or story.number in self.gone:
            return self.missing()
        validator = {"ETag": f'"{hash((story.title, story.words))}"'} if self.has_validators else {}
        return self.text(self.article(story), **validator)

    def listed(self, path: str, query: dict[str, str]):
        raise NotImplementedError

    def story_of(self, path: str, query: dict[str, str]) -> Story | None:
        raise NotImplementedError

    def address(self, story: Story) -> str:
        raise NotImplementedError

    def article(self, story: Story) -> str:
        """A page with a counter of visits, which is another with every visit."""
        return (f"<html><head><title>{html.escape(story.title)}</title></head><body><div id='menu'><a href='/'>Trang chủ</a></div>"
                f"<div class='article'><h1>{html.escape(story.title)}</h1>"
                f"<p class='date'>Thời gian đăng: {story.at:%d/%m/%Y %I:%M:%S %p} - Đã xem: {self.visits}</p>"
                f"<div class='content'>{story.paragraphs}</div></div><div>Tổng truy cập: {1000 + self.visits}</div></body></html>")

    @staticmethod
    def text(body: str, kind: str = "text/html; charset=utf-8", **headers: str):
        return 200, {"Content-Type": kind, **headers}, body.encode()

    @staticmethod
    def missing(status: int = 404):
        return status, {"Content-Type": "text/html"}, "<h1>Không tìm thấy</h1>".encode()


ENDLESS = object()


class SeedFamily(Portal):
    """As the seed's portal: `…/All/?PageIndex=N`, ten on a page, `UserKey` of the visitor in every address."""

    PER_PAGE = 10

    def listed(self, path, query):
        if path != "/TINTUC-SUKIEN/All/":
            return None
        page = int(query.get("PageIndex", "1"))
        newest = self.stories[::-1]
        shown = newest[(page - 1) * self.PER_PAGE:page * self.PER_PAGE]
        items = "".join(
            f"<li><a href='{self.address(s)}?UserKey={self.visits}'>{html.escape(s.title)}</a> <span>({s.at:%d/%m/%Y})</span></li>" for s in shown)
        pages = range(1, (len(newest) + self.PER_PAGE - 1) // self.PER_PAGE + 1)
        pager = " ".join(f"<a href='/TINTUC-SUKIEN/All/?PageIndex={n}'>{n}</a>" for n in pages)
        return self.text(
            f"<html><head><title>Tin tức</title></head><body><ul class='news'>{items}</ul><div class='pager'>{pager}</div>"
            f"<p>Tổng truy cập: {self.visits}</p></body></html>")

    def address(self, story):
        return f"/TINTUC-SUKIEN/tin-{story.number}.html"

    def story_of(self, path, query):
        number = path.removeprefix("/TINTUC-SUKIEN/tin-").removesuffix(".html")
        return next((s for s in self.stories if str(s.number) == number), None)


class NukeViet(Portal):
    """RSS with leads only, the visible time without a label, machine-readable times that are wrong."""

    def listed(self, path, query):
        if path != "/rss/news/":
            return None
        items = "".join(
            f"<item><title><![CDATA[{s.title}]]></title><link>{self.url}{self.address(s)}</link><guid isPermaLink='false'>news_{s.number}</guid>"
            f"<description><![CDATA[{s.words}]]></description><pubDate>{format_datetime(s.at)}</pubDate></item>"
            for s in self.stories[::-1][:30])
        body = f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>Tin</title>{items}</channel></rss>"
        return self.text(body, "application/xml", ETag=f'"{hash(body)}"')

    def address(self, story):
        return f"/news/thong-bao/hop-dan-{story.number}.html"

    def story_of(self, path, query):
        return next((s for s in self.stories if self.address(s) == path), None)

    def article(self, story):
        return (f"<html><head><title>{html.escape(story.title)} - Xã A</title><link rel='canonical' href='{self.url}{self.address(story)}'></head>"
                f"<body><div class='news_column panel'><h1 class='title margin-bottom-lg' itemprop='headline'>{html.escape(story.title)}</h1>"
                f"<div class='row'><span class='h5'>{WEEKDAYS[story.at.weekday()]} - {story.at:%d/%m/%Y %H:%M} </span></div>"
                f"<div class='hometext m-bottom'>{story.words}</div><div id='news-bodyhtml' class='bodytext'>{story.paragraphs}</div>"
                f"<span class='hidden' itemprop='datePublished'>{story.at:%Y-%m-%d}+07{story.at:%H:%M:%S}</span>"
                f"<p>Đã xem: {self.visits}</p></div></body></html>")


class WordPress(Portal):
    """The REST door: whole texts, `date_gmt` without `Z`."""

    SHOWN = 10

    def listed(self, path, query):
        if path != "/wp-json/wp/v2/posts":
            return None
        def gmt(at):
            return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
        posts = [
            {"id": s.number, "date_gmt": gmt(s.at), "modified_gmt": gmt(s.edited or s.at), "link": self.url + self.address(s), "status": "publish",
             "title": {"rendered": html.escape(s.title)}, "content": {"rendered": s.paragraphs, "protected": False},
             "excerpt": {"rendered": f"<p>{s.words}</p>"}}
            for s in self.stories[::-1] if s.number not in self.gone]
        page = int(query.get("page", "1"))
        shown = posts[self.SHOWN * (page - 1):self.SHOWN * page]
        if page > 1 and not shown:
            return 400, {"Content-Type": "application/json"}, b'{"code":"rest_post_invalid_page_number","message":"no such page"}'
        return self.text(json.dumps(shown), "application/json")

    def address(self, story):
        return f"/{story.at:%Y/%m}/hop-dan-{story.number}/"

    def story_of(self, path, query):
        return next((s for s in self.stories if self.address(s) == path), None)


class Mapped(Portal):
    """An index of sitemaps, none of which says a time: five articles in each, the newest last, as WordPress' own has it."""

    PER_MAP = 5

    def listed(self, path, query):
        maps = range((len(self.stories) + self.PER_MAP - 1) // self.PER_MAP)
        if path == "/sitemap.xml":
            named = "".join(f"<sitemap><loc>{self.url}/map-{n}.xml</loc></sitemap>" for n in maps)
            body = f"<?xml version='1.0' encoding='UTF-8'?><sitemapindex>{named}</sitemapindex>"
            return self.text(body, "application/xml", ETag=f'"{hash(body)}"')
        if not path.startswith("/map-"):
            return None
        number = int(path.removeprefix("/map-").removesuffix(".xml"))
        some = self.stories[number * self.PER_MAP:(number + 1) * self.PER_MAP]
        named = "".join(f"<url><loc>{self.url}{self.address(s)}</loc></url>" for s in some)
        return self.text(f"<?xml version='1.0' encoding='UTF-8'?><urlset>{named}</urlset>", "application/xml")

    def address(self, story):
        return f"/bai-viet/{story.number}.html"

    def story_of(self, path, query):
        return next((s for s in self.stories if self.address(s) == path), None)


class SharePoint(Portal):
    """One script that shows every page, told apart by a parameter."""

    LIST = "/Pages/TinTuc.aspx"

    def listed(self, path, query):
        if path != self.LIST:
            return None
        rows = "".join(
            f"<div class='item'><a href='/Pages/ChiTietTinTuc.aspx?nid={s.number}'>{html.escape(s.title)}</a><span>{s.at:%d/%m/%Y %H:%M}</span></div>"
            for s in self.stories[::-1][:10])
        return self.text(f"<html><body><div class='ms-webpart-zone'>{rows}</div></body></html>")

    def address(self, story):
        return f"/Pages/ChiTietTinTuc.aspx?nid={story.number}"

    def story_of(self, path, query):
        return next((s for s in self.stories if str(s.number) == query.get("nid") and path.endswith("ChiTietTinTuc.aspx")), None)


class Liferay(Portal):
    """Long addresses with portlet parameters, `Ngày đăng` without a colon."""

    def listed(self, path, query):
        if path != "/web/guest/tin-tuc":
            return None
        rows = "".join(
            f"<div class='asset-abstract'><h3 class='asset-title'><a href='{html.escape(self.address(s))}'>{html.escape(s.title)}</a></h3>"
            f"<div class='metadata-publish-date'>Ngày đăng {s.at:%d/%m/%Y}</div></div>" for s in self.stories[::-1][:10])
        return self.text(f"<html><body><div class='portlet-body'>{rows}</div></body></html>")

    def address(self, story):
        return f"/web/guest/tin-tuc/-/asset_publisher/abc/content/hop-dan-{story.number}?inheritRedirect=false"

    def story_of(self, path, query):
        return next((s for s in self.stories if self.address(s).split("?")[0] == path), None)

    def article(self, story):
        return (f"<html><head><title>{html.escape(story.title)}</title></head><body><div class='journal-content-article'>"
                f"<h1 class='asset-title'>{html.escape(story.title)}</h1><div class='metadata'>Ngày đăng {story.at:%d/%m/%Y | %H:%M} |</div>"
                f"<div class='content'>{story.paragraphs}</div></div></body></html>")
