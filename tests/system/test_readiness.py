"""What a process says of the broker's troubles: /readyz in a sentence, /metrics in numbers, and nothing lost meanwhile."""

import contextlib
import json
import re
import urllib.parse

import pytest
import shapes
from broker import call
from contract import Amqp, article
from installation import http, until

SHAPES = [shapes.KNOWN["sqlite-rabbitmq"]]


@pytest.fixture(scope="module")
def loa(install):
    loa = install(bus__probe_interval_seconds=1, intake__heartbeat_seconds=1)
    loa.start("intake", "feed")
    return loa


@pytest.fixture(scope="module")
def at(loa):
    """Path of our virtual host in the management API."""
    vhost = urllib.parse.urlsplit(loa.amqp_url).path.strip("/")
    return lambda thing, rest="": f"/api/{thing}/{vhost}{rest}"


def dependencies(loa, service: str) -> tuple[int, dict[str, str]]:
    """The status, and of each dependency "up", or the kind of its trouble and the sentence."""
    answer = http("GET", f"{loa.url(service)}/readyz")
    said = {name: "up" if it["up"] else f"{it['kind']}: {it['sentence']}" for name, it in answer.json()["dependencies"].items()}
    return answer.status, said


def measured(loa, service: str, name: str, **labels: str) -> float:
    """The sum of a metric's series with these labels; fails when there is none."""
    lines = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", http("GET", f"{loa.url(service)}/metrics").text, re.M)
    fitting = [float(value) for said, value in lines if all(f'{key}="{wanted}"' in said for key, wanted in labels.items())]
    assert fitting, f"{service} has no {name} with {labels}"
    return sum(fitting)


def submit(loa, token: str, ident: str) -> None:
    data = article(ident, title=f"Tin {ident}")
    del data["revision"]
    answer = http("POST", f"{loa.url('intake')}/v1/articles", json.dumps(data).encode(),
                  Authorization=f"Bearer {token}", Content_Type="application/json")
    assert answer.status == 202, answer.text


def test_every_dependency_is_named_and_a_heartbeat_proves_the_way(loa):
    for service, queue in (("intake", "loa.archive"), ("feed", "loa.feed")):
        until(15, "ready", lambda: dependencies(loa, service)[0] == 200)
        status, named = dependencies(loa, service)
        assert {"bus publishing", "bus consuming", "topology", f"bus {queue}"} <= set(named), named
        assert set(named.values()) == {"up"}
        until(15, "a heartbeat", lambda: measured(loa, service, "loa_heartbeats_total", queue=queue) >= 2)
        assert measured(loa, service, "loa_heartbeat_age_seconds", queue=queue) < 10
        assert measured(loa, service, "loa_bus_connection_state", role="consuming", state="up") == 1
        assert measured(loa, service, "loa_queue_dead_messages", queue=queue) == 0
        assert measured(loa, service, "loa_dependency_up", dependency="topology") == 1
    until(15, "two rounds", lambda: measured(loa, "intake", "loa_heartbeats_sent_total", outcome="sent") >= 2)
    assert measured(loa, "intake", "loa_unrouted_messages") == 0


def test_past_a_queue_that_was_deleted_nothing_is_published(loa, broker, at):
    token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
    call(broker, "DELETE", at("queues", "/loa.feed"))
    for service in ("intake", "feed"):
        until(15, "the missing queue is named", lambda: re.match("topology_missing: .*loa.feed is missing", dependencies(loa, service)[1]["topology"]))
        assert dependencies(loa, service)[0] == 503 and "loa migrate" in dependencies(loa, service)[1]["topology"]
    until(15, "the consumer's end", lambda: dependencies(loa, "feed")[1]["bus loa.feed"] != "up")
    assert measured(loa, "feed", "loa_consume_sessions_ended_total", queue="loa.feed", cause="cancelled") >= 1
    submit(loa, token, "held")
    until(15, "it waits", lambda: measured(loa, "intake", "loa_outbox_waiting") == 1)
    assert measured(loa, "intake", "loa_outbox_oldest_age_seconds") > 0
    assert loa.titles() == []
    loa.command("migrate")
    until(20, "it arrives", lambda: loa.titles() == ["Tin held"])
    for service in ("intake", "feed"):
        until(15, "ready again", lambda: dependencies(loa, service)[0] == 200)
    until(15, "an empty outbox is measured", lambda: measured(loa, "intake", "loa_outbox_waiting") == 0)


def test_dead_letters_and_unrouted_messages_are_counted(loa):
    with contextlib.closing(Amqp(loa.amqp_url)) as producer:
        producer.raw(b"{", "article.published.none")
        producer.raw(b"{}", "articles.published")
    for service, queue in (("intake", "loa.archive"), ("feed", "loa.feed")):
        until(15, "one dead letter", lambda: measured(loa, service, "loa_queue_dead_messages", queue=queue) == 1)
        assert dependencies(loa, service)[0] == 200, "poison is no reason to be unready"
    until(15, "the unrouted", lambda: measured(loa, "intake", "loa_unrouted_messages") == 1)


def test_a_refusal_is_told_from_an_outage_and_needs_no_restart(loa, install, broker, at):
    """A wrong password, a permission taken away: both said in a sentence, without the secret, at once on the command line."""
    secret = loa.folder / "bus.rabbitmq.password"
    right = secret.read_text()
    secret.write_text("not-the-password")
    try:
        loa.stop("feed")
        loa.start("feed", wait=False)
        said = until(15, "the refusal", lambda: "refuses us" in dependencies(loa, "feed")[1]["bus consuming"] and dependencies(loa, "feed"))
        assert said[0] == 503 and said[1]["bus consuming"].startswith("bus_refuses: ") and "ACCESS_REFUSED" in said[1]["bus consuming"] and "not-the-password" not in str(said)
        assert measured(loa, "feed", "loa_bus_connection_state", role="consuming", state="refused") == 1
        check = loa.command("check", expect=1)
        assert "refuses us" in check.stdout, check.stdout
    finally:
        secret.write_text(right)
    loa.stop("feed")
    loa.start("feed")

    user = at("permissions", f"/{broker['user']}")
    call(broker, "PUT", user, {"configure": ".*", "write": "^$", "read": ".*"})
    try:
        loa.stop("intake")
        loa.start("intake", wait=False)
        until(20, "publishing is refused", lambda: "ACCESS_REFUSED" in dependencies(loa, "intake")[1].get("bus publishing", ""))
        assert dependencies(loa, "intake")[1]["bus consuming"] == "up"
    finally:
        call(broker, "PUT", user, {"configure": ".*", "write": ".*", "read": ".*"})
    until(20, "ready without a restart", lambda: dependencies(loa, "intake")[0] == 200)

    # a topic permission that lets heartbeats through and no news, taken from a service that runs
    token = loa.json("token", "create", "--scope", "publish", "--name", "by-topic")["secret"]
    sent = lambda: measured(loa, "intake", "loa_heartbeats_sent_total", outcome="sent")  # noqa: E731
    publishing = lambda: dependencies(loa, "intake")[1]["bus publishing"]  # noqa: E731
    topics = at("topic-permissions", f"/{broker['user']}")
    call(broker, "PUT", topics, {"exchange": "loa.events", "write": r"^(article\.heartbeat|document\.heartbeat|system\.)", "read": ".*"})
    try:
        submit(loa, token, "by-topic")
        until(20, "the news is refused", lambda: publishing().startswith("bus_refuses: ") and "ACCESS_REFUSED" in publishing())
        before = sent()
        until(20, "heartbeats pass", lambda: sent() >= before + 3)
        assert publishing().startswith("bus_refuses: ") and dependencies(loa, "intake")[0] == 503, "a heartbeat's confirm is not the news'"
        assert "Tin by-topic" not in loa.titles()
    finally:
        call(broker, "DELETE", topics)
    until(30, "it arrives without a restart", lambda: "Tin by-topic" in loa.titles() and dependencies(loa, "intake")[0] == 200)


def test_the_age_of_the_last_heartbeat_grows_when_nobody_sends(loa):
    loa.stop("intake")
    until(15, "it grows", lambda: measured(loa, "feed", "loa_heartbeat_age_seconds", queue="loa.feed") > 3)
    assert dependencies(loa, "feed")[0] == 200, "a number for the alarm, no reason to send no traffic"
