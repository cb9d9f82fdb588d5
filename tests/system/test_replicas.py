"""Two of each service at once, one of each killed in the middle: everything once, and both feeds alike, byte for byte."""

import collections

import pytest
import shapes
from contract import published
from installation import until
from load import CATEGORIES, Cms, Stranger, standing, title

SHAPES = [shapes.KNOWN["postgres-rabbitmq"], *shapes.POOLER]
EVENTS = 600
SUBSCRIBERS = 12
SERVICES = ("intake", "feed", "digest", "push")
SECONDS = tuple(f"{name}-2" for name in SERVICES)
READERS = [f"can-bo-{number:02}@nason.example" for number in range(SUBSCRIBERS)]
FORMS = ("rss", "atom", "json")


@pytest.fixture(scope="module")
def loa(install, portal):
    loa = install(feed__entries_max=1000, feed__document_bytes_max=10_000_000)
    loa.start(*SERVICES, *SECONDS)
    loa.json("endpoints", "add", portal.url)
    for reader in READERS:
        loa.command("subscribers", "add", reader)
    return loa


def test_1_one_of_each_dies_in_the_middle_and_everything_is_there_once(loa, bus, portal):
    token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    cms = Cms(loa, token, range(EVENTS // 2), replicas=("intake", "intake-2"))
    stranger = Stranger(bus(loa), range(EVENTS // 2, EVENTS), seconds=5, breaks=4)
    cms.start()
    stranger.start()
    for name in ("feed", "push-2", "digest", "intake-2"):
        stranger.at_break()
        loa.kill(name)
    cms.join()
    stranger.join()
    assert cms.fault is None and stranger.fault is None, (cms.fault, stranger.fault)

    wanted = collections.Counter(title(number) for number in range(EVENTS))
    until(60, "every article stands, whoever took it", lambda: standing(loa, "feed-2").total() >= EVENTS)
    assert standing(loa, "feed-2") == wanted
    subjects = lambda: {hook.json()["subject"] for hook in portal.delivered()}  # noqa: E731
    until(90, "every webhook was delivered", lambda: len(subjects()) >= EVENTS)
    ids = collections.defaultdict(set)
    for hook in portal.delivered():
        ids[hook.json()["subject"]].add(hook.id)
    assert all(len(found) == 1 for found in ids.values()), "a repeat has the webhook-id of the first"
    assert len(portal.delivered()) - EVENTS <= 8, "no more repeats than were in flight at the kill"
    assert loa.json("dead-letters", "list") == []


def alike(loa, path: str):
    """What both serve, once it is the same: each reads the ledger in its own time."""
    both = loa.feed(path), loa.feed(path, "feed-2")
    return both[0].body == both[1].body and both


def test_2_both_feeds_serve_the_same_bytes_under_the_same_tags(loa):
    loa.start("feed", "push-2", "digest", "intake-2")
    for name in ("all", "documents", *(f"category-muc-{number}" for number in range(CATEGORIES))):
        for form in FORMS:
            one, other = until(15, f"{name}.{form} is one document", lambda path=f"{name}.{form}": alike(loa, path))
            assert one.status == other.status == 200
            for header in ("etag", "last-modified", "content-type"):
                assert one.headers[header] == other.headers[header], f"{name}.{form}: {header}"
            repeat = loa.feed(f"{name}.{form}", "feed-2", If_None_Match=one.headers["etag"])
            assert repeat.status == 304, "what one gave is known to the other"


def test_3_a_change_reaches_both_and_they_are_alike_again(loa, bus):
    # newer than the rest, so that it stands first wherever only the newest are shown
    later = "2023-12-01T08:00:00+07:00"
    bus(loa).structured(published("k-0001", 5, title="Tin đã sửa", published_at=later, modified_at=later))
    for replica in ("feed", "feed-2"):
        until(15, f"{replica} has it", lambda replica=replica: "Tin đã sửa" in loa.feed("all.json", replica).text)
    for form in FORMS:
        one, other = until(15, f"all.{form} is one document", lambda path=f"all.{form}": alike(loa, path))
        assert one.headers["etag"] == other.headers["etag"]
        assert one.headers["last-modified"] == other.headers["last-modified"]


def test_4_a_run_is_opened_once_and_each_reader_has_one_mail(loa, mail_server):
    """Both replicas send, and the command that opens the run does as well."""
    until(15, "the digest service has everything", lambda: "Tin đã sửa" in loa.command("digest", "preview").stdout)
    loa.command("digest", "run")
    until(60, "every reader has a mail", lambda: all(mail_server.to(reader) for reader in READERS))
    loa.command("digest", "run")
    assert {reader: len(mail_server.to(reader)) for reader in READERS} == dict.fromkeys(READERS, 1)
    assert len({mail.message["message-id"] for mail in mail_server.mails}) == SUBSCRIBERS


def test_5_all_end_softly(loa):
    loa.stop()
