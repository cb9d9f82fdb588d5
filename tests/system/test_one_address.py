"""Every document has one address: whoever comes by another name of the server, or without TLS, is led there in one step, by a
real nginx as `deploy/nginx/loa.conf` sets it up. And no other address puts anything in its place."""

import http.client
import re
import ssl

import pytest
import shapes
from installation import PUBLIC, SEED, until
from proxy import Nginx

SHAPES = [shapes.KNOWN["sqlite-embedded"]]
NAME = PUBLIC.removeprefix("https://")
PATHS = ["/feeds/all.atom", "/feeds/all.rss?utm_source=zalo", "/feeds/area-na-son-03203-2025/2023-11.json", "/feeds", "/", "/hub"]


@pytest.fixture(scope="module")
def loa(install):
    loa = install()
    loa.start("intake", "feed", "digest", "push", "console")
    loa.command("import", str(SEED))
    until(15, "article and documents stand in the feed", lambda: len(loa.titles()) == 4)
    return loa


@pytest.fixture(scope="module")
def nginx(loa, tmp_path_factory):
    proxy = Nginx(tmp_path_factory.mktemp("nginx"), loa, one_address=PUBLIC)
    yield proxy
    proxy.end()


def ask(nginx: Nginx, name: str, path: str, tls: bool, method: str = "GET"):
    """Status, where it leads, how long that is kept, and the body."""
    if tls:
        unchecked = ssl.create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        line = http.client.HTTPSConnection("127.0.0.1", nginx.tls_port, timeout=10, context=unchecked)
    else:
        line = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=10)
    line.request(method, path, headers={"Host": name})
    answer = line.getresponse()
    return answer.status, answer.getheader("location"), answer.getheader("cache-control"), answer.read()


@pytest.mark.parametrize("path", PATHS)
def test_every_other_name_and_plain_http_lead_to_the_one_address_in_one_step(nginx, path):
    for name, tls in ((NAME, False), ("www.old.example", False), ("www.old.example", True), ("127.0.0.1:8080", False)):
        for method, status in (("GET", 301), ("HEAD", 301), ("POST", 308)):
            found = ask(nginx, name, path, tls, method)
            assert found[:3] == (status, PUBLIC + path, "public, max-age=86400"), f"{method} {name} tls={tls}"
    for name in (NAME, f"{NAME}:443", NAME.upper()):
        status, leads_to, kept, body = ask(nginx, name, path, tls=True)
        assert (status, leads_to) == (405 if path == "/hub" else 200, None), "there it is, and leads nowhere else"
        assert kept != "public, max-age=86400" and body


def test_the_document_there_says_that_address_of_itself(nginx):
    assert f'href="{PUBLIC}/feeds/all.atom" rel="self"'.encode() in ask(nginx, NAME, "/feeds/all.atom", tls=True)[3]


@pytest.fixture(scope="module")
def in_public(loa, tmp_path_factory):
    """As strangers meet it, without a name of its own."""
    proxy = Nginx(tmp_path_factory.mktemp("in-public"), loa, strangers=True)
    yield proxy
    proxy.end()


ADVERT = "GOI-0900-NHAN-QUA"
# each is another address to the service, and means "/feeds/{document}" to nginx
DISGUISES = ["/feeds//{}", "/feeds/./{}", "/feeds/%2e/{}", "/feeds/x/../{}", "/feeds/x/..%2f{}", "//feeds/{}", "/./feeds/{}",
             f"/feeds/{ADVERT}%2f..%2f{{}}", f"/feeds/{ADVERT}%20TEXT%2f..%2f{{}}", f"/feeds/{ADVERT}/%2e%2e/{{}}",
             f"/{ADVERT}/..%2ffeeds%2f{{}}", "/feeds/%2f{}"]
# one for each disguise, and asked for by nobody before
FRESH = [f"{name}.{form}" for name in ("documents", "all", "area-na-son-03203-2025", "area-xa-dung-03208-2025")
         for form in ("rss", "atom", "json")]


def raw(nginx: Nginx, path: str):
    """Status, headers and body of a path, as it is written."""
    line = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=10)
    line.putrequest("GET", path, skip_accept_encoding=True)
    line.endheaders()
    answer = line.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()


@pytest.mark.parametrize(("disguise", "document"), zip(DISGUISES, FRESH, strict=True), ids=DISGUISES)
def test_a_miss_at_another_address_takes_no_documents_place(in_public, disguise, document):
    for _ in range(2):
        status, headers, body = raw(in_public, disguise.format(document))
        assert status != 200 and ADVERT not in body and ADVERT not in str(headers), (status, body)
        assert status in (301, 308) or headers["cache-control"] == "no-store", headers
        assert headers.get("x-cache") != "HIT", "it is kept for nobody"
    status, headers, body = raw(in_public, f"/feeds/{document}")
    assert (status, headers["x-cache"]) == (200, "MISS"), "and nobody's place is taken"
    assert raw(in_public, f"/feeds/{document}?{ADVERT}")[1]["x-cache"] == "HIT", "a query changes nothing"
    assert ADVERT not in body
    assert raw(in_public, disguise.format(document))[0] != 200, "nor does the document answer there, once it is kept"


def test_what_a_link_says_is_shown_on_no_page(in_public):
    for path in (f"/feeds/{ADVERT}", f"/feeds/{ADVERT}.rss", f"/feeds/all/{ADVERT}", f"/feeds?q={ADVERT}", f"/a/{ADVERT}", f"/{ADVERT}",
                 f"/feeds/category-{ADVERT.lower()}", f"/v1/{ADVERT}", f"/subscribe?email={ADVERT}", f"/confirm/{ADVERT}",
                 f"/u/{ADVERT}", f"/manage/{ADVERT}", f"/feeds?pick=area-{ADVERT.lower()}&build=1"):
        status, headers, body = raw(in_public, path)
        assert ADVERT not in body and ADVERT not in str(headers) and f">{ADVERT.lower()}" not in body, path
        assert status < 400 or headers["cache-control"] == "no-store", (path, headers)


def test_pages_that_answer_a_query_are_nobody_elses(in_public):
    plain = raw(in_public, "/feeds")[2]
    found = raw(in_public, "/feeds?q=na+son")
    assert found[0] == 200 and 'id="ket-qua"' in found[2] and 'id="ket-qua"' not in plain
    assert found[1]["cache-control"] == "no-store"
    assert raw(in_public, "/feeds?q=xa&page=2")[0] == 200
    assert raw(in_public, "/feeds")[2] == plain


def test_operators_pages_and_api_are_for_offices(in_public, nginx):
    for path in ("/console", "/console/", "//console", "/console/articles/..%2f..", "/v1/endpoints", "/v1/subscribers", "/v1/digest-runs",
                 "/v1/deliveries/x", "/v1/hub/subscriptions", "/console?x", "/metrics", "/readyz", "/healthz"):
        assert raw(in_public, path)[0] == 404, path
    status, _, page = raw(in_public, "/")
    styles = re.findall(r'<link rel="stylesheet" href="(?:https?://[^/"]+)?([^"]+)"', page)
    assert status == 200 and styles, page[:1_000]
    for style in styles:
        assert raw(in_public, style)[0] == 200, "the front page is everybody's, and so is how it looks"
    assert raw(in_public, "/v1/articles/x/journey")[0] == 401, "producers may ask what became of theirs"
    for path in ("/console", "/v1/endpoints", "/v1/subscribers"):
        assert ask(nginx, NAME, path, tls=True)[0] == 401, f"{path} is here, for whoever has a token"
