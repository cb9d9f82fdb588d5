"""Events that can be read and that nobody would write: made from a seed, all of them to be accepted.

Where `hostile.py` has one case for each thing that can be wrong, this mixes everything that is taken, in every member, so that
what leaves the house is judged on content that nobody thought of. Must not know what the judges are.
"""

import datetime
import random

from contract import event, withdrawn

ZONE = datetime.timezone(datetime.timedelta(hours=7))
FIRST = datetime.datetime(2025, 1, 1, tzinfo=ZONE)
DAYS = 300
CATEGORIES = ("kinh-te", "van-hoa", "y-te", "giao-duc")
KINDS = ("Quyết định", "Công văn", "Kế hoạch", "")
MEDIA_TYPES = ("application/pdf", "image/jpeg", "application/msword", "", None, "x/y", "text/html; charset=utf-8", "IMAGE/PNG", "application/vnd.ms-excel")
LANGUAGES = ("vi", "vi", "vi", None, "en", "hmn", "vi-Latn-VN")
TEXTS = (
    "Hội nghị triển khai nhiệm vụ", "xã Na Son", "Tìa Dình", "Phi\u0300 Nhu\u031b\u0300", "Hòa/Hoà", "Điê\u0323n Biên Đông", "thị trấn", "4 sản phẩm OCOP",
    "A & B", "A &amp; B", "A &amp;amp; B", "1 < 2 > 0", "<b>đậm</b>", "</b>", "<a href='x'>y</a>", "<script>alert(1)</script>", "&lt;i&gt;", "<", ">", "&", "&#60;",
    "&#x3C;b&#x3E;", "&nbsp;", "&undefined;", "]]>", "<![CDATA[", "<!-- -- -->", "<?php ?>", "\"'`", "\x00\x0b\x1f", "\ufffe\uffff", "\u202eđảo\u202c", "\u2066x\u2069",
    "\ufeff", "\u200b", "\u2028", "\u0085", "\u00ad", "\r\n", "\t", "😀👩\u200d👩\u200d👧", "\U0001fffe", "\U000e0041", "ｆｕｌｌ", "e\u0301\u0302\u0303", "a@b.vn", "<a@b.vn>",
    "http://x.vn/?a=1&b=2", "javascript:alert(1)", "%00%3C", "{{ x }}", "${x}", "\\u003c", "؂", "中文", "Ελ", "x" * 60, "- -", "…", "−1", "½", "<br>", "<br/>", "<p>", "&copy;", "&COPY",
)
TAGS = (
    "p", "b", "strong", "em", "i", "u", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "th", "h1", "h2", "h3", "blockquote", "pre", "code", "span", "div", "sub", "sup",
    "dl", "dt", "dd", "figure", "figcaption", "caption", "del", "ins", "small", "font", "center", "section", "article", "details", "summary", "marquee", "ruby", "rt", "bdo",
    "script", "style", "iframe", "form", "input", "button", "svg", "math", "object", "template", "noscript", "o:p", "x-tag", "hr", "br", "wbr", "q", "abbr", "time", "mark", "kbd",
)
ATTRIBUTES = (
    "class=x", "style='color:red;position:fixed'", "onclick=alert(1)", "id=a", "title='a \"b\" & c'", "align=center", "colspan=2", "rowspan=-1", "width='100%'", "border=1",
    "lang=vi", "dir=rtl", "data-x='1'", "aria-label=x", "cite=/x", "datetime=2025-01-01", "xml:lang=vi", "xmlns='y'", "name=z", "start=3", "type=a", "hidden",
)
ADDRESSES = (
    "https://dienbiendong.gov.vn/a.jpg", "/a.png?x=1&y=2", "b.pdf", "../c", "//cdn.vn/d.jpg", "javascript:alert(1)", "data:image/png;base64,AA", "mailto:a@b.vn", "tel:+84123",
    "#x", "", "http://[::1]/", "http://[::1", "https://a.vn/ế?q=ê#f", "HTTPS://A.VN/X", "https://a.vn/%zz", "https://a.vn/a b", "ftp://a.vn/", "https://user:pw@a.vn/", "&#106;avascript:x",
)
HOSTS = ("https://dienbiendong.gov.vn", "http://a.vn:8080", "https://cổng.vn", "HTTPS://A.VN", "https://[2001:db8::1]", "https://192.0.2.7")
PATHS = ("/tin/{}", "/{}.aspx?a=1&b=2", "/{}?t=<b>&x=\"'", "/ế/{}#đ", "/{}/%3Cb%3E", "/a b/{}", "/{};x=1|y", "/{}?u=http://x/")


class Writer:
    """What an editor with a broken tool would send."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.revisions: dict[str, int] = {}
        self.gone: set[str] = set()

    def text(self, characters_max: int, least: int = 0) -> str:
        """Pieces in a row. With `least`, something in it can be seen."""
        pieces = self.random.choices(TEXTS, k=self.random.randint(least, 5))
        made = self.random.choice((" ", "", ", ")).join(pieces)
        return ("Tin " if least else "") + made[:characters_max - 4]

    def url(self, number: int) -> str:
        return self.random.choice(HOSTS) + self.random.choice(PATHS).format(number)

    def html(self) -> str:
        made, open_tags = [], []
        for _ in range(self.random.randint(0, 30)):
            what = self.random.random()
            if what < 0.4:
                made.append(self.random.choice(TEXTS))
            elif what < 0.5:
                made.append(f"<img src='{self.random.choice(ADDRESSES)}' alt='{self.random.choice(TEXTS)}' srcset='/x 2x'>")
            elif what < 0.6:
                made.append(f"<a href=\"{self.random.choice(ADDRESSES)}\" {self.random.choice(ATTRIBUTES)}>{self.random.choice(TEXTS)}</a>")
            elif what < 0.8 or not open_tags:
                tag = self.random.choice(TAGS)
                made.append(f"<{tag} {' '.join(self.random.choices(ATTRIBUTES, k=self.random.randint(0, 2)))}>")
                open_tags.append(tag)
            else:
                # mostly the right one, now and then another, and some never
                made.append(f"</{open_tags.pop() if self.random.random() < 0.8 else self.random.choice(TAGS)}>")
        return "".join(made)

    def files(self, most: int) -> list[dict]:
        return [
            {"url": self.url(n), "media_type": self.random.choice(MEDIA_TYPES), "bytes": self.random.choice((None, 0, 1, 123_456, 2**53 - 1)), "alt": self.text(1_000)}
            for n in range(self.random.randint(0, most))
        ]

    def instant(self) -> str:
        """Some to the nanosecond, some with the day alone, which then share one second with all of that day."""
        day = FIRST + datetime.timedelta(days=self.random.randrange(DAYS))
        if self.random.random() < 0.3:
            return day.isoformat()
        at = (day + datetime.timedelta(seconds=self.random.randrange(86_400))).isoformat()
        return at.replace("+07:00", f".{self.random.randrange(10**9):09}+07:00") if self.random.random() < 0.2 else at

    def areas(self) -> list:
        return self.random.choice(([], None, ["na-son-03203-2025"], [{"code": "03384", "date": "2024-05-01"}, "xa-dung-03208-2025"], ["khong-co"], [{"code": "03214"}]))

    def article(self, name: str, revision: int) -> dict:
        slug = self.random.choice(CATEGORIES)
        at = self.instant()
        return event("article.published" if revision == 1 else "article.updated", {
            "id": name, "revision": revision, "url": self.url(len(self.revisions)), "title": self.text(500, 1), "summary": self.random.choice((None, self.text(5_000))),
            "content_html": self.random.choice((None, "", self.html(), self.html(), self.html())), "language": self.random.choice(LANGUAGES),
            "category": {"slug": slug, "label": self.text(300)}, "areas": self.areas(), "source_name": self.random.choice((None, self.text(300))),
            "images": self.files(2), "attachments": self.files(3), "published_at": at, "modified_at": self.random.choice((None, at, self.instant())),
        })

    def document(self, name: str, revision: int) -> dict:
        return event("document.issued", {
            "id": name, "revision": revision, "number": f"{self.random.randrange(2_000)}/{self.text(280, 1)}", "kind": self.random.choice((*KINDS, self.text(300))),
            "issuer": self.random.choice((None, self.text(300))), "issued_on": self.random.choice((None, "2025-03-01")), "title": self.text(500, 1), "url": self.url(len(self.revisions)),
            "areas": self.areas(), "attachments": self.files(3), "published_at": self.instant(),
        })

    def next(self) -> dict:
        """One more event: something new, an edit, or a withdrawal."""
        standing = [name for name in self.revisions if name not in self.gone]
        what = self.random.random()
        if what < 0.2 and standing:
            name = self.random.choice(standing)
            self.revisions[name] += 1
            if what < 0.07:
                self.gone.add(name)
                made = withdrawn(name, self.revisions[name], self.text(2_000))
                return made if name.startswith("tin") else made | {"type": "vn.loa.document.withdrawn.v1"}
        else:
            name = ("tin" if what < 0.85 else "vb") + self.random.choice(("-", "/", "<b>", "&", ":", "%2F", "ế", "'")) + str(len(self.revisions))
            self.revisions[name] = 1
        made = self.article if name.startswith("tin") else self.document
        return made(name, self.revisions[name])


def events(seed: int, count: int) -> tuple[list[dict], set[str]]:
    """So many events, and the ids of what stands when all have been taken."""
    writer = Writer(seed)
    made = [writer.next() for _ in range(count)]
    return made, set(writer.revisions) - writer.gone
