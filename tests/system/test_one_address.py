"""Every document has one address: whoever comes by another name of the server, or without TLS, is led there in one step, by a
real nginx as `deploy/nginx/loa.conf` sets it up."""

import http.client
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
