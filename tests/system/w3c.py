"""The W3C feed validator on everything that `test_fuzzed.py` makes: no error, no warning, no information line; and the grammar of
RFC 4287 from the RFC itself, which lies beside the validator. By hand:

    git clone https://github.com/w3c/feedvalidator /tmp/feedvalidator
    tests/.work/venv/bin/pip install -r /tmp/feedvalidator/requirements.txt
    LOA_FEEDVALIDATOR=/tmp/feedvalidator LOA_FUZZ_SEED=7 ./tests/run system w3c.py

It is no package and cannot be installed by `tests/run`, so it is no part of the suite. It knows no tombstones (RFC 6721): that
their namespace is unknown to it is the one thing it may say, where one stands. Two of its own faults are not counted:
see `is_mistaken`.
"""

import collections
import html
import os
import pathlib
import re
import sys

import pytest
from judges import jing
from test_fuzzed import documents, of, standing  # noqa: F401 (fixtures)

TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "opml": "text/x-opml"}
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"


def is_mistaken(kind: str, value: str) -> bool:
    """In RSS it reads addresses by RFC 2396, which had no IPv6 in brackets; RFC 3986 §3.2.2 has. And it takes `%25` in an id for a
    character that need not be encoded, which RFC 3986 §2.4 says it must."""
    if kind in ("InvalidUriChar", "InvalidURLAttribute"):
        return value.startswith(("https://[", "http://["))
    return kind == "NonCanonicalURI" and "%25" in value


@pytest.fixture
def checkout() -> pathlib.Path:
    folder = os.environ.get("LOA_FEEDVALIDATOR")
    assert folder, f"LOA_FEEDVALIDATOR names no checkout of the validator; how to get one: {__file__}"
    return pathlib.Path(folder)


def test_the_grammar_in_the_rfc_itself_allows_every_document(checkout, documents, tmp_path):  # noqa: F811
    rfc = (checkout / "docs/rfc4287.html").read_text(encoding="latin-1")
    begins = rfc.index("-*- rnc -*-")
    text = rfc[rfc.rindex("<pre", 0, begins):rfc.index("</pre>", begins)]
    grammar = tmp_path / "atom.rnc"
    grammar.write_text(html.unescape(re.sub("<[^>]*>", "", text)))
    jing(of(documents, "atom"), tmp_path, "-c", str(grammar))


def test_the_w3c_validator_has_nothing_to_say(checkout, documents):  # noqa: F811
    sys.path.insert(0, str(checkout / "src"))
    import feedvalidator
    from feedvalidator.logging import Error, Info, Warning

    said, asked = collections.Counter(), 0
    for address, body in of(documents, *TYPES).items():
        asked += 1
        form = address.rsplit(".", 1)[1]
        events = feedvalidator.validateString(body.decode(), firstOccurrenceOnly=0, fallback="utf-8", base=address)["loggedEvents"]
        for event in events:
            about = {key: value for key, value in event.params.items() if key != "parent"}
            if is_mistaken(type(event).__name__, str(about.get("uri") or about.get("value"))):
                continue
            if isinstance(event, (Error, Warning, Info)) and not (about.get("namespace") == TOMBSTONES and TOMBSTONES.encode() in body):
                kind = f"{form}: {next(level.__name__ for level in (Error, Warning, Info) if isinstance(event, level))} {type(event).__name__}"
                said[kind] += 1
                if said[kind] <= 3:
                    print(address, kind, about)
    print(f"{asked} documents")
    assert asked > 50 and not said, said
