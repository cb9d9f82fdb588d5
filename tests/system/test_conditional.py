"""Whoever has it already is told so, and whoever takes a coding gets it: every row of RFC 9110's matrix, on every document,
on every replica, after a restart, and through a real nginx that keeps a copy."""

import gzip
import http.client
import json
import subprocess
import urllib.parse

import pytest
import shapes
from installation import SEED, until
from proxy import Nginx

SHAPES = shapes.BOTH
DOCUMENTS = [
    "/feeds/all.rss", "/feeds/all.atom", "/feeds/all.json", "/feeds/all", "/feeds", "/feeds.opml",
    "/feeds/area-na-son-03203-2025/2023-11.atom", "/feeds/area-na-son-03203-2025/2023-11.json",
    "/feeds/area-na-son-03203-2025+area-tia-dinh-03385-2025.atom", "/feeds/area-na-son-03203-2025+documents",
]
LATER, EARLIER = "Fri, 01 Jan 2044 00:00:00 GMT", "Wed, 01 Jan 2020 00:00:00 GMT"
CODINGS = ["identity", "gzip", "br", "zstd"]


@pytest.fixture(scope="module")
def loa(install, shape):
    """The seed page in the feeds; two replicas of the feed service where there may be several."""
    loa = install()
    loa.start("intake", "feed", *(["feed-2"] if loa.apart else []))
    loa.command("import", str(SEED))
    until(15, "article and documents stand in the feed", lambda: len(loa.titles()) == 4)
    if loa.apart:
        until(15, "on the other replica, too", lambda: len(loa.feed("all.json", "feed-2").json()["items"]) == 4)
    # another change within the second would have the same date
    combined = [path for path in DOCUMENTS if "+" in path]
    for name in ["feed", "feed-2"] if loa.apart else ["feed"]:
        # each changed at a time of its own: documents come after the article
        dated = lambda: all("last-modified" in Prober(loa.url(name)).ask("HEAD", path)[1] for path in combined)
        until(20, "the second of the last change is over", dated)
    return loa


@pytest.fixture(scope="module")
def nginx(loa, tmp_path_factory):
    proxy = Nginx(tmp_path_factory.mktemp("nginx"), loa)
    yield proxy
    proxy.end()


class Prober:
    """One connection, and nothing that thinks: what is sent and what comes back is what is seen."""

    def __init__(self, url: str):
        self.line = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)

    def ask(self, method: str, path: str, *headers: tuple[str, str]):
        """Status, headers by their names in lower case (a list for each), and body."""
        self.line.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            self.line.putheader(name, value)
        self.line.endheaders()
        answer = self.line.getresponse()
        found: dict[str, list[str]] = {}
        for name, value in answer.getheaders():
            found.setdefault(name.lower(), []).append(value)
        return answer.status, found, answer.read()


def one(headers: dict[str, list[str]], name: str) -> str:
    """The value of a header that is there exactly once."""
    assert len(headers.get(name, [])) == 1, f"{name}: {headers}"
    return headers[name][0]


def matrix(etag: str, modified: str):
    """The eight rows, and the forms in which proxies give tags back."""
    plain = etag.strip('"').split("-")[0]
    return [
        ([("If-None-Match", etag)], 304),
        ([("If-None-Match", f"W/{etag}")], 304),
        ([("If-None-Match", "*")], 304),
        ([("If-None-Match", f'"x", {etag}, "y"')], 304),
        ([("If-None-Match", '"x"'), ("If-Modified-Since", modified)], 200),
        ([("If-None-Match", etag), ("If-Modified-Since", EARLIER)], 304),
        ([("If-Modified-Since", LATER)], 304),
        ([("If-Modified-Since", "hom qua")], 200),
        ([("If-Modified-Since", modified)], 304),
        ([("If-Modified-Since", EARLIER)], 200),
        ([("If-None-Match", f'"{plain}x"')], 200),
    ]


def walk_the_matrix(url: str, path: str) -> dict[str, tuple[str, str, bytes]]:
    """Tag, date and body of one document in each coding; fails where an answer is not the one the RFC asks for."""
    prober, seen = Prober(url), {}
    for coding in CODINGS:
        accept = ("Accept-Encoding", coding)
        status, full, body = prober.ask("GET", path, accept)
        assert status == 200 and body, path
        assert full.get("content-encoding", ["identity"]) == [coding], path
        etag, modified = one(full, "etag"), one(full, "last-modified")
        assert etag.startswith('"'), "a strong tag"
        for row, expected in matrix(etag, modified):
            for method in ("GET", "HEAD"):
                status, headers, answer = prober.ask(method, path, accept, *row)
                where = f"{method} {path} {coding} {row}: {headers}"
                assert status == expected, where
                for name in ("etag", "last-modified", "cache-control", "vary"):
                    assert one(headers, name) == one(full, name), where
                assert "accept-encoding" in one(headers, "vary").lower(), where
                if status == 200:
                    assert int(one(headers, "content-length")) == len(body), where
                    assert one(headers, "content-type") == one(full, "content-type"), where
                assert answer == (body if status == 200 and method == "GET" else b""), where
        seen[coding] = (etag, modified, body)
    assert gzip.decompress(seen["gzip"][2]) == seen["identity"][2], path
    assert len({etag for etag, _, _ in seen.values()}) == len(CODINGS), "one tag for each representation"
    return seen


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_row_of_the_matrix_holds_on_every_replica_and_each_says_the_same(loa, path):
    found = [walk_the_matrix(loa.url(name), path) for name in (["feed", "feed-2"] if loa.apart else ["feed"])]
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_row_of_the_matrix_holds_through_nginx_and_its_cache(loa, nginx, path):
    through, straight = walk_the_matrix(nginx.url, path), walk_the_matrix(loa.url("feed"), path)
    assert through == straight
    for coding in CODINGS:
        _, headers, _ = Prober(nginx.url).ask("GET", path, ("Accept-Encoding", coding))
        assert one(headers, "x-cache") == "HIT", f"{path} {coding}: the cache was in play"


def test_what_somebody_looks_for_is_not_kept_for_others_and_the_style_goes_through(nginx):
    for word in ("na+son", "pu+nhi", "na+son"):
        status, headers, body = Prober(nginx.url).ask("GET", f"/feeds?q={word}", ("Sec-Fetch-Site", "same-origin"))
        assert status == 200 and one(headers, "x-cache") == "BYPASS"
        assert f'value="{word.replace("+", " ")}"'.encode() in body
    assert Prober(nginx.url).ask("GET", "/feeds.css")[0] == 200


@pytest.mark.parametrize("path", DOCUMENTS)
def test_each_coding_goes_to_those_who_take_it(loa, path):
    prober = Prober(loa.url("feed"))
    for accepted, expected in (
        ([], None), ([""], None), (["gzip"], "gzip"), (["x-gzip"], "gzip"), (["GZIP"], "gzip"), (["br"], "br"),
        (["zstd"], "zstd"), (["gzip, deflate, br, zstd"], "br"), (["gzip, deflate"], "gzip"), (["deflate"], None),
        (["gzip;q=0"], None), (["gzip;q=0.5, br;q=0.1"], "gzip"), (["*"], "gzip"), (["*;q=0"], None),
        (["*;q=0, zstd"], "zstd"), (["identity;q=0"], "gzip"), (["identity;q=0, br"], "br"), (["identity, br;q=0.5"], None),
        (["no-such-coding"], None), (["deflate", "br"], "br"),
    ):
        status, headers, body = prober.ask("GET", path, *(("Accept-Encoding", value) for value in accepted))
        assert (status, headers.get("content-encoding", [None])[0]) == (200, expected), accepted
        assert int(one(headers, "content-length")) == len(body) and body, accepted
        assert "accept-encoding" in one(headers, "vary").lower(), accepted


@pytest.mark.parametrize("coding", CODINGS)
def test_curl_unpacks_every_coding_to_the_same_bytes(loa, coding):
    plain = loa.feed("all.atom").body
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--compressed", "--header",
         f"Accept-Encoding: {coding}", f"{loa.url('feed')}/feeds/all.atom"], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert done.stdout == plain


def test_tags_and_dates_are_the_same_after_a_restart(loa):
    before = {path: walk_the_matrix(loa.url("feed"), path) for path in DOCUMENTS}
    loa.kill("feed")
    loa.start("feed")
    for path, found in before.items():
        assert walk_the_matrix(loa.url("feed"), path) == found, path


def test_who_takes_the_same_bytes_again_and_again_is_told_when_to_come_back_and_nobody_else_is(loa):
    prober, path, most = Prober(loa.url("feed")), "/feeds/documents.rss", 300  # as `feed.full_responses_max` is set
    somebody = ("X-Forwarded-For", "203.0.113.7")  # as a proxy on this machine would say
    etag = one(prober.ask("GET", path)[1], "etag")
    for _ in range(most):
        assert prober.ask("GET", path, somebody)[0] == 200
    status, headers, body = prober.ask("GET", path, somebody)
    assert (status, one(headers, "content-type"), one(headers, "cache-control")) == (429, "application/problem+json", "no-store")
    assert 0 < int(one(headers, "retry-after")) <= 600 and json.loads(body)["status"] == 429
    assert prober.ask("GET", path, somebody, ("If-None-Match", etag))[0] == 304
    assert prober.ask("GET", path, somebody, ("If-Modified-Since", EARLIER))[0] == 200
    assert prober.ask("HEAD", path, somebody)[0] == 200
    assert prober.ask("GET", "/feeds/documents.atom", somebody)[0] == 200, "another document"
    assert prober.ask("GET", path, ("X-Forwarded-For", "203.0.113.8"))[0] == 200, "somebody else"
    for _ in range(most + 1):
        assert prober.ask("GET", path)[0] == 200, "this machine itself is not counted"
