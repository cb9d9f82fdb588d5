"""A foreign producer publishes by the contract: good events go through, garbage is kept with a reason."""

import json

import pytest
import shapes
from contract import STRUCTURED, article, event, judge, published, withdrawn
from installation import SEED, until

SHAPES = shapes.EVERY
OUTLETS = ("feed", "digest", "push", "archive")


@pytest.fixture(scope="module")
def loa(install):
    loa = install()
    loa.start("intake", "feed", "digest", "push")
    return loa


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


def dead(loa, queue: str | None = None) -> list[dict]:
    """The dead letters as an operator lists them."""
    return loa.json("dead-letters", "list", *(["--queue", queue] if queue else []))


def test_both_modes_of_cloudevents_are_read(loa, producer):
    structured, binary, underscored = published("pika-structured"), published("pika-binary"), published("pika-underscored")
    producer.structured(structured)
    producer.binary(binary)
    producer.binary(underscored, prefix="cloudEvents_")
    wanted = {"Tin pika-structured", "Tin pika-binary", "Tin pika-underscored"}
    until(15, "all three stand", lambda: wanted <= set(loa.titles()))


def test_garbage_is_kept_with_its_reason_and_its_neighbours_go_through(loa, producer):
    without_title = article("half-1")
    del without_title["title"]
    bad = {
        "not-json": (b"\xff\xfe this is not JSON", "article.published.kinh-te"),
        "empty": (b"", "article.published.kinh-te"),
        "cut-short": (json.dumps(published("half-0")).encode()[:-40], "article.published.kinh-te"),
        "no-title": (json.dumps(event("article.published", without_title)).encode(), "article.published.kinh-te"),
        "not-a-date": (json.dumps(published("half-2", published_at="16/11/2023")).encode(), "article.published.kinh-te"),
        "revision-is-text": (json.dumps(published("half-3") | {"data": article("half-3") | {"revision": "one"}}).encode(), "article.published.kinh-te"),
        "unknown-type": (json.dumps(event("article.exploded", article("half-4"))).encode(), "article.exploded.kinh-te"),
        "other-subject": (json.dumps(published("half-5") | {"subject": "somebody-else"}).encode(), "article.published.kinh-te"),
        "too-large": (json.dumps(published("half-6", content_html="<p>" + "x" * 1_100_000 + "</p>")).encode(), "article.published.kinh-te"),
    }
    good = [published(f"neighbour-{number}") for number in range(len(bad) + 1)]
    producer.structured(good[0])
    for number, (name, (body, key)) in enumerate(bad.items(), 1):
        producer.raw(body, key, message_id=f"bad-{name}")
        producer.structured(good[number])
    until(20, "every neighbour stands", lambda: {f"Tin neighbour-{n}" for n in range(len(good))} <= set(loa.titles()))
    for queue in OUTLETS:
        letters = until(20, f"dead letters of {queue}", lambda queue=queue: len(found := dead(loa, queue)) >= len(bad) and found)
        by_id = {letter["message_id"]: letter for letter in letters}
        assert set(by_id) == {f"bad-{name}" for name in bad}, queue
        for name, letter in by_id.items():
            assert len(letter["reason"]) > 10, f"{name}: an operator needs a sentence"
        assert "/data/published_at" in by_id["bad-not-a-date"]["position"]
        assert "/data/title" in by_id["bad-no-title"]["position"] or "title" in by_id["bad-no-title"]["reason"]
        assert "/data/revision" in by_id["bad-revision-is-text"]["position"]
    assert not any(title.startswith("Tin half") for title in loa.titles())


def test_a_dead_letter_can_be_shown_whole(loa, producer):
    shown = loa.command("dead-letters", "show", "bad-not-json").stdout
    assert "this is not JSON" in shown


def test_a_redriven_message_comes_back_when_it_is_still_bad(loa, producer):
    before = {letter["message_id"] for letter in dead(loa, "feed")}
    loa.command("dead-letters", "redrive", "--id", "bad-not-a-date", "--queue", "feed")
    until(15, "it is dead again", lambda: {letter["message_id"] for letter in dead(loa, "feed")} == before)


def test_a_heartbeat_is_taken_and_harms_nobody(loa, producer):
    producer.raw(b"", "system.heartbeat", content_type="application/x-heartbeat", message_id="beat-1")
    until(10, "the queues are empty", lambda: all(producer.depth(f"loa.{queue}") == 0 for queue in OUTLETS))
    assert not any(letter["message_id"] == "beat-1" for letter in dead(loa))


def test_what_no_binding_takes_is_kept_too(loa, producer):
    producer.raw(b"{}", "weather.forecast.na-son", message_id="lost-1")
    assert until(10, "it is in loa.unrouted", lambda: producer.depth("loa.unrouted") == 1)


def test_order_of_arrival_does_not_matter(loa, producer):
    first, second = published("pika-late", 1, title="Bản cũ"), published("pika-late", 2, title="Bản mới")
    gone, was = withdrawn("pika-gone", 2, "nhầm"), published("pika-gone", 1)
    for message in (second, first, gone, was, second, first):
        producer.structured(message)
    producer.structured(published("pika-last"))
    until(15, "the last one stands", lambda: "Tin pika-last" in loa.titles())
    titles = loa.titles()
    assert "Bản mới" in titles and "Bản cũ" not in titles and "Tin pika-gone" not in titles


@pytest.mark.on(*shapes.ON_BROKER)  # only a broker lets a stranger listen
def test_what_loa_itself_publishes_fits_its_own_schemas(loa, bus):
    listener = bus(loa)
    queue = listener.listen()
    loa.command("import", str(SEED))
    loa.command("publish", "-", stdin=json.dumps({"document": {
        "id": "vb-schema", "number": "12/TB-UBND", "kind": "Thông báo", "title": "Lịch tiếp công dân",
        "url": "https://dienbiendong.gov.vn/vb/12", "issued_on": "2023-11-10"}}))
    loa.command("withdraw", "vb-schema", "--reason", "Nhầm số")
    taken = listener.take(queue, 6)  # the seed's article and three documents, and the two above
    kinds, schema = [], judge()
    for method, properties, body in taken:
        message = json.loads(body)
        faults = [f"{fault.json_path}: {fault.message}" for fault in schema.iter_errors(message)]
        assert not faults, f"{message['type']}: {faults}"
        assert properties.content_type.split(";")[0] == STRUCTURED
        assert properties.delivery_mode == 2, "persistent"
        assert properties.message_id == message["id"]
        assert method.routing_key.split(".")[:2] == message["type"].split(".")[2:4]
        kinds.append(message["type"])
    assert sorted(set(kinds)) == [
        "vn.loa.article.published.v1", "vn.loa.document.issued.v1", "vn.loa.document.withdrawn.v1"]
