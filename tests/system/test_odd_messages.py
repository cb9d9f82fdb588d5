"""Messages that do not fit the broker's limits, and messages that are odd: of AMQP types without a text, dressed as heartbeats."""

import datetime
import decimal
import json

import pytest
import shapes
from broker import Broker, make_vhost
from contract import Amqp, article, published
from installation import Installation, http, until

SHAPES = [shapes.KNOWN["sqlite-rabbitmq"]]
QUEUES = ("archive", "feed", "digest", "push")
SMALL, LARGE = 200_000, 134_217_728  # max_message_size: ours, and the default


@pytest.fixture(scope="module")
def node(tmp_path_factory, shape):
    """A broker of an administrator who lowered what can be lowered."""
    node = Broker(tmp_path_factory.mktemp("node"), f"frame_max = 8192\nmax_message_size = {SMALL}\n")
    node.start()
    yield node
    node.stop()


@pytest.fixture(scope="module")
def loa(node, tmp_path_factory):
    settings = {
        "bus.probe_interval_seconds": 1, "intake.heartbeat_seconds": 1, "intake.relay_set_aside_retry_seconds": 1,
        "intake.audit_delay_seconds": 2, "intake.audit_seconds": 1,
    }
    loa = Installation(tmp_path_factory.mktemp("loa"), make_vhost(node.addresses(), "odd"), settings)
    loa.command("migrate")
    loa.start("intake", "feed", "digest", "push", "console")
    yield loa
    loa.end()


@pytest.fixture(scope="module")
def producer(loa):
    client = Amqp(loa.amqp_url)
    yield client
    client.close()


def set_message_max(node, size: int) -> None:
    """For channels that are opened from now on; a restart with other settings would do the same."""
    expression = f"application:set_env(rabbit, max_message_size, {size}), persistent_term:put(max_message_size, {size})."
    node.control("eval", expression)


def letters(loa, message_id: str) -> list[dict]:
    return [letter for letter in loa.json("dead-letters", "list") if letter["message_id"] == message_id]


def lost_connections(loa, service: str) -> int:
    lines = [line for line in http("GET", f"{loa.url(service)}/metrics").text.splitlines()
             if line.startswith("loa_bus_connections_lost_total")]
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines)


def test_poison_whose_headers_fill_the_frame_gets_its_dead_letter_and_no_connection_breaks(loa, producer):
    headers = {"x-stack-trace": "at a.b.c " * 870, "retries": 3, "route": ["a", {"b": 1}]}
    producer.raw(b"{ this is no event", "article.published.kinh-te", message_id="poison", headers=headers)
    producer.structured(published("behind-poison"))
    until(20, "the one behind it stands", lambda: "Tin behind-poison" in loa.titles())
    found = until(20, "a letter in each queue", lambda: len(found := letters(loa, "poison")) == 4 and found)
    for letter in found:
        assert "1 header of" in letter["headers_left_out"] and "x-stack-trace" in letter["headers_left_out"], letter
    shown = loa.json("dead-letters", "show", found[0]["letter"])
    assert shown["body"] == "{ this is no event" and shown["headers"] == {"retries": "3"}
    assert shown["odd_headers"] == {"route": "an AMQP array"}
    assert "x-stack-trace" in loa.command("dead-letters", "show", found[0]["letter"]).stdout
    for service in QUEUES[1:]:
        assert lost_connections(loa, service) == 0, f"{service}: a frame was too large"
    loa.command("dead-letters", "redrive", "--id", "poison", "--all")
    until(20, "dead again, with other names", lambda: len(again := letters(loa, "poison")) == 4
          and not {letter["letter"] for letter in again} & {letter["letter"] for letter in found})


def binary(producer, name: str, prefix: str, changes: dict) -> None:
    """An event in binary mode whose attributes have these types."""
    message = published(name)
    attributes = {key: value for key, value in message.items() if key not in ("data", "datacontenttype")} | changes
    producer.raw(json.dumps(message["data"]).encode(), "article.published.kinh-te", content_type="application/json",
                 message_id=name, headers={prefix + key: value for key, value in attributes.items()})


@pytest.mark.parametrize("prefix", ["cloudEvents:", "cloudEvents_"])
def test_attributes_with_one_text_are_read_whatever_their_type(loa, producer, prefix):
    name = f"typed-{prefix[-1] == ':'}"
    at = datetime.datetime(2023, 11, 16, 1, 2, 22)
    binary(producer, name, prefix, {"time": at, "id": 20231116 + ord(prefix[-1]), "sequence": 7, "checked": True, "nothing": None})
    until(20, "it stands", lambda: f"Tin {name}" in loa.titles())


@pytest.mark.parametrize("prefix", ["cloudEvents:", "cloudEvents_"])
@pytest.mark.parametrize("value, kind", [
    ({"a": 1}, "an AMQP table"), ([1], "an AMQP array"), (b"e-1", "an AMQP byte array"), (None, "nothing (AMQP void)"),
    (decimal.Decimal("1.5"), "an AMQP decimal"),
], ids=["table", "array", "bytes", "void", "decimal"])
def test_attributes_without_one_are_refused_with_header_and_type(loa, producer, prefix, value, kind):
    name = f"odd-{type(value).__name__}-{prefix[-1] == ':'}"
    binary(producer, name, prefix, {"id": value})
    found = until(20, "a letter in each queue", lambda: len(found := letters(loa, name)) == 4 and found)
    for letter in found:
        assert f"`{prefix}id`" in letter["reason"] and kind in letter["reason"], letter["reason"]
        assert letter["position"] == "/id"


def test_an_article_dressed_as_a_heartbeat_is_not_acknowledged_unread(loa, producer):
    body = json.dumps(published("dressed")).encode()
    for number, key in enumerate(("article.published.kinh-te", "system.heartbeat", "article.heartbeat")):
        producer.raw(body, key, content_type="application/x-heartbeat", message_id=f"dressed-{number}")
    for number, queues in ((0, 4), (1, 4), (2, 4)):
        found = until(20, "it is kept", lambda number=number, queues=queues: len(found := letters(loa, f"dressed-{number}")) == queues and found)
        assert all("application/x-heartbeat" in letter["reason"] for letter in found), found


def submit(loa, token: str, ident: str, **changes) -> None:
    data = article(ident, **changes)
    del data["revision"]
    answer = http("POST", f"{loa.url('intake')}/v1/articles", json.dumps(data).encode(),
                  Authorization=f"Bearer {token}", Content_Type="application/json")
    assert answer.status == 202, answer.text


def test_an_event_that_the_broker_never_takes_is_set_aside_and_told_and_goes_once_it_may(loa, node):
    token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    reading = loa.json("token", "create", "--scope", "read")["secret"]
    text = "".join(f"<p>Đoạn {number} của bài dài.</p>" for number in range(9_000))
    submit(loa, token, "too-long", content_html=text, title="Bài quá dài")
    submit(loa, token, "short", title="Bài ngắn")
    submit(loa, token, "too-long-2", content_html=text, title="Bài quá dài, số 2")
    submit(loa, token, "too-long-2", title="Bài đã rút gọn")
    until(20, "those behind it go on", lambda: {"Bài ngắn", "Bài đã rút gọn"} <= set(loa.titles()))

    def told():
        answer = http("GET", f"{loa.url('intake')}/readyz")
        return answer.json()["faults"].get("events set aside", {"sentence": ""})["sentence"].startswith("2 events") and answer

    ready = until(20, "the fault", told)
    fault = ready.json()["faults"]["events set aside"]
    said = fault["sentence"]
    assert fault["kind"] == "set_aside"
    assert ready.status == 200 and said.startswith("2 events are set aside"), said
    assert "too-long" in said and "max_message_size" in said, said
    check = loa.command("check", expect=1).stdout
    assert "FAIL  outbox" in check and "max_message_size" in check, check
    page = http("GET", f"{loa.url('console')}/console", Authorization=f"Bearer {reading}").text
    assert "2 tin phải để riêng" in page and "max_message_size" in page
    steps = loa.json("journey", "too-long")
    aside = [step for step in steps if step["step"] == "set_aside"]
    assert len(aside) == 1 and aside[0]["why"]["reason"] == "too_large_for_broker", steps
    assert "loa_outbox_set_aside 2" in http("GET", f"{loa.url('intake')}/metrics").text
    assert "Bài quá dài" not in loa.titles()

    set_message_max(node, LARGE)
    until(30, "it goes out by itself", lambda: "Bài quá dài" in loa.titles())
    until(20, "all is well", lambda: "events set aside" not in http("GET", f"{loa.url('intake')}/readyz").json()["faults"])
    assert "Bài đã rút gọn" in loa.titles(), "what came later stands, whatever comes late"
    assert "Bài quá dài, số 2" not in loa.titles()
    steps = {step["step"] for step in loa.json("journey", "too-long")}
    assert "set_aside" not in steps and {"relayed", "accepted"} <= steps


def test_a_replay_sends_what_can_go_and_names_what_cannot(loa, node):
    set_message_max(node, SMALL)
    done = loa.command("replay", "--outlet", "feed", expect=1)
    assert "events sent" in done.stdout and "2 events could not be sent" in done.stderr and "max_message_size" in done.stderr, done.stderr
    set_message_max(node, LARGE)
    loa.command("replay", "--outlet", "feed")
