"""Foreign opinions on what leaves the house: xmllint, feedparser, lxml. None of them knows Loa."""

import shutil
import subprocess

import feedparser


def xmllint(document: bytes) -> None:
    """Fails with xmllint's own words when the document is not well-formed, or only by leniency."""
    program = shutil.which("xmllint")
    assert program, "xmllint is not installed: apt-get install --no-install-recommends libxml2-utils (or let ./tests/run do it)"
    done = subprocess.run([program, "--nonet", "--noout", "--pedantic", "-"], input=document, capture_output=True)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()


def read_feed(document: bytes, content_type: str) -> feedparser.FeedParserDict:
    """The feed as a reader program sees it; any complaint ("bozo") is a failure."""
    feed = feedparser.parse(document, response_headers={"content-type": content_type})
    assert not feed.bozo, f"feedparser: {feed.get('bozo_exception')!r}"
    return feed
