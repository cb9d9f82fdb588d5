"""A producer that takes the article's id for the event's id: publication, correction and withdrawal have one key.

No test here knows how Loa tells them apart. What counts is what readers, mailboxes and the provincial portal learn.
"""

import re

import pytest
import shapes
from contract import SOURCE, published, withdrawn
from installation import SERVICES, http, until, without_colour

SHAPES = shapes.BOTH
OUTLETS = ("feed", "digest", "push")
NOTE = "an event's id was used again for other content; it is taken in by its version"


@pytest.fixture(scope="module")
def loa(install, portal, mail_server):
    loa = install()
    loa.start(*SERVICES)
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", "nguoi-doc@nason.example", "--frequency", "daily")
    yield loa
    loa.stop()


def used_again(loa, outlet: str) -> float:
    """How many events an outlet took in under an id that was used before."""
    text = http("GET", f"{loa.url(outlet)}/metrics").text
    return float(re.search(rf'^loa_event_ids_used_again_total{{outlet="{outlet}"}} (\S+)$', text, re.M)[1])


def test_a_correction_and_a_withdrawal_under_the_id_of_the_publication_reach_everyone(loa, bus, portal, mail_server):
    producer, one_id = bus(loa), {"id": "bai-1"}
    said = [published("bai-1", 1, title="Nhầm số"), published("bai-1", 2, title="Đúng số"), withdrawn("bai-1", 3, "Đăng nhầm")]
    said = [message | one_id for message in said]
    calls = lambda: [call for call in portal.delivered() if call.json().get("subject") == "bai-1"]

    producer.structured(said[0])
    until(20, "it stands", lambda: "Nhầm số" in loa.titles() and len(calls()) == 1)
    mails = lambda: mail_server.to("nguoi-doc@nason.example")
    until(20, "it was mailed", lambda: loa.command("digest", "run") and mails())
    producer.structured(said[1])
    until(20, "the correction stands", lambda: "Đúng số" in loa.titles() and "Nhầm số" not in loa.titles() and len(calls()) == 2)
    producer.structured(said[2])
    until(20, "it is gone", lambda: "Đúng số" not in loa.titles() and len(calls()) == 3)
    assert http("GET", f"{loa.url('feed')}/a/bai-1").status == 410
    until(20, "the reader is told", lambda: loa.command("digest", "run") and "Đăng nhầm" in mails()[-1].part("plain"))

    assert [call.json()["type"].split(".")[3] for call in calls()] == ["published", "updated", "withdrawn"]
    assert len({call.id for call in calls()}) == 3, "a receiver takes none for a repeat"
    assert {call.json()["id"] for call in calls()} == {"bai-1"}, "the bytes are the producer's"
    steps = [step["step"] for step in loa.json("journey", "bai-1") if step["outlet"] == "push"]
    assert steps.count("id_used_again") == 2

    for message in said:
        producer.structured(message)  # repeats change nothing
    producer.structured(published("bai-2", title="Tin sau"))
    until(20, "what came behind them stands", lambda: "Tin sau" in loa.titles() and any(call.json()["subject"] == "bai-2" for call in portal.delivered()))
    assert len(calls()) == 3 and "Đúng số" not in loa.titles()
    assert not loa.json("dead-letters", "list")
    for outlet in OUTLETS:
        until(20, f"{outlet} has counted two, and no repeat", lambda outlet=outlet: used_again(loa, outlet) == 2)
        noted = [line for line in without_colour(loa.running[loa.processes((outlet,))[0]].said()).splitlines() if NOTE in line]
        assert all(" WARN " in line and 'id=bai-1' in line and SOURCE in line for line in noted), noted
        # in one process each outlet notes for itself, and the archive does
        assert len(noted) == (2 if loa.apart else 2 * (len(OUTLETS) + 1)), noted
