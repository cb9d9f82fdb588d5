"""Signed webhooks at a stand-in provincial portal, judged by the reference library of Standard Webhooks."""

import hashlib
import json
import struct

import pytest
import shapes
import standardwebhooks
from contract import published
from installation import until


SHAPES = shapes.BOTH


@pytest.fixture(scope="module")
def loa(install):
    loa = install()
    loa.start("intake", "push")
    return loa


@pytest.fixture(scope="module")
def endpoint(loa, portal):
    """Added by the command line; its secret is shown once."""
    return loa.json("endpoints", "add", portal.url, "--description", "Cổng tỉnh")


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


def outward_id(message: dict) -> str:
    """`evt_` and half of SHA-256 over (length of source, source, id): docs/adr/0006."""
    source, number = message["source"].encode(), message["id"].encode()
    return "evt_" + hashlib.sha256(struct.pack(">Q", len(source)) + source + number).hexdigest()[:32]


def hooks_of(portal, article_id: str) -> list:
    """The requests about one article, in order of arrival."""
    return [hook for hook in list(portal.hooks) if hook.json().get("subject") == article_id]


def test_the_signature_is_good_for_the_reference_library(loa, endpoint, portal, producer):
    message = published("hook-1")
    producer.structured(message)
    hook = until(15, "the webhook arrives", lambda: hooks_of(portal, "hook-1"))[0]
    judge = standardwebhooks.Webhook(endpoint["secret"])
    assert judge.verify(hook.body, hook.headers) == message, "the event, byte for byte what the producer meant"
    assert hook.id == outward_id(message), "whoever has the event can compute its webhook-id (ADR 0006)"
    assert hook.headers["content-type"].startswith("application/cloudevents+json")
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        judge.verify(hook.body.replace(b"hook-1", b"hook-2"), hook.headers)


def test_the_frozen_bytes_are_those_of_the_producer(loa, endpoint, portal, producer):
    message = published("hook-bytes") | {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    message["data"]["phong_ban"] = "Phòng Văn hoá"
    body = json.dumps(message, ensure_ascii=False, indent=1).encode()
    producer.raw(body, "article.published.kinh-te", message_id=message["id"])
    hook = until(15, "the webhook arrives", lambda: hooks_of(portal, "hook-bytes"))[0]
    assert json.loads(hook.body) == message, "unknown fields are passed on"


def test_a_500_is_tried_again_under_the_same_id_with_the_same_bytes(loa, endpoint, portal, producer):
    portal.answer = lambda hook: 500 if len(hooks_of(portal, "hook-retry")) < 2 else 200
    try:
        producer.structured(published("hook-retry"))
        hooks = until(20, "delivered at the third try", lambda: len(found := hooks_of(portal, "hook-retry")) >= 3 and found)
    finally:
        portal.answer = lambda hook: 204
    assert [hook.status for hook in hooks] == [500, 500, 200]
    assert len({hook.id for hook in hooks}) == 1 and len({hook.body for hook in hooks}) == 1
    judge = standardwebhooks.Webhook(endpoint["secret"])
    for hook in hooks:
        judge.verify(hook.body, hook.headers)
    assert len({hook.headers["webhook-signature"] for hook in hooks}) > 1, "the time moves, and the signature with it"


def test_a_webhook_already_delivered_is_not_sent_again_for_a_duplicate(loa, endpoint, portal, producer):
    message = published("hook-twice")
    for _ in range(3):
        producer.structured(message)
    producer.structured(published("hook-after"))
    until(15, "what came after it is there", lambda: hooks_of(portal, "hook-after"))
    # two articles have no order between them, so the first may still be on its way
    until(15, "and it, too", lambda: hooks_of(portal, "hook-twice"))
    assert len(hooks_of(portal, "hook-twice")) == 1


def test_an_endpoint_that_is_gone_is_left_alone(loa, endpoint, portal, producer):
    added = loa.json("endpoints", "add", portal.url + "/gone")
    portal.answer = lambda hook: 410 if hook.path.endswith("/gone") else 204
    try:
        producer.structured(published("hook-410"))
        until(15, "it answered 410", lambda: any(hook.status == 410 for hook in portal.hooks))
        state = lambda: next(entry["state"]["state"] for entry in loa.json("endpoints", "list") if entry["id"] == added["id"])
        until(15, "and that is noted", lambda: state() == "disabled")
        producer.structured(published("hook-411"))
        until(15, "the other endpoint has the next one", lambda: hooks_of(portal, "hook-411"))
    finally:
        portal.answer = lambda hook: 204
    assert [hook.path for hook in hooks_of(portal, "hook-411")] == ["/webhooks"]
    assert state() == "disabled"


def test_the_test_command_tells_the_answer(loa, endpoint, portal):
    before = len(portal.hooks)
    done = loa.command("endpoints", "test", endpoint["id"])
    assert "204" in done.stdout
    hook = portal.hooks[before]
    standardwebhooks.Webhook(endpoint["secret"]).verify(hook.body, hook.headers)


def test_secrets_are_shown_once_and_never_logged(loa, endpoint):
    assert endpoint["secret"].startswith("whsec_")
    assert endpoint["secret"] not in json.dumps(loa.json("endpoints", "list"))
    assert endpoint["secret"].removeprefix("whsec_") not in loa.logs()
