"""Completeness is counted: what an outlet has not received is named within a minute, with the cause as far as it can be told,
and closed by the command that is named."""

import base64
import json
import re
import time
import urllib.parse

import pytest
import shapes
from broker import call
from contract import STRUCTURED, article, published
from installation import Installation, http, until

SHAPES = [*shapes.ON_BROKER, *shapes.SMALL]
ON_BROKER = pytest.mark.on(*shapes.ON_BROKER)
QUICK = {"intake__heartbeat_seconds": 1, "intake__audit_seconds": 1, "intake__audit_delay_seconds": 2, "bus__probe_interval_seconds": 1}
MINUTE = 60


@pytest.fixture(scope="module")
def loa(install):
    loa = install(**QUICK)
    loa.start("intake", "feed", "digest", "push", "console")
    return loa


@pytest.fixture(scope="module")
def producer(loa, bus):
    return bus(loa)


@pytest.fixture(scope="module")
def at(loa):
    """Path of our virtual host in the management API."""
    vhost = urllib.parse.urlsplit(loa.amqp_url or "").path.strip("/")
    return lambda thing, rest="": f"/api/{thing}/{vhost}{rest}"


def faults(loa: Installation, service: str = "intake") -> dict[str, dict]:
    """By name: its `kind`, for machines, and its `sentence`."""
    return http("GET", f"{loa.url(service)}/readyz").json()["faults"]


def of_kind(loa: Installation, name: str, kind: str) -> str | None:
    """The sentence of a fault, if it stands and is of this kind."""
    fault = faults(loa).get(name)
    return fault["sentence"] if fault and fault["kind"] == kind else None


def check(loa: Installation, what: str) -> tuple[bool, str]:
    """The line of `loa check` about something: whether it is ok, and what it says."""
    lines = loa.command("--json", "check", expect=None).stdout
    line = next(line for line in json.loads(lines) if line["what"] == what)
    assert line["ok"] or line["kind"], "what is wrong has a word for machines"
    return line["ok"], line["detail"]


def measured(loa: Installation, name: str, outlet: str) -> float:
    text = http("GET", f"{loa.url('intake')}/metrics").text
    return float(re.search(rf'^{name}{{outlet="{outlet}"}} (\S+)$', text, re.M)[1])


def publish(producer, prefix: str, count: int = 5) -> list[str]:
    """Publishes articles; returns their titles, sorted."""
    for number in range(count):
        producer.structured(published(f"{prefix}-{number}"))
    return sorted(f"Tin {prefix}-{number}" for number in range(count))


def submit(loa: Installation, prefix: str, count: int) -> list[str]:
    """Submits articles to intake; returns their titles."""
    secret = loa.json("token", "create", "--scope", "publish", "--name", prefix)["secret"]
    for number in range(count):
        data = article(f"{prefix}-{number}")
        del data["revision"]
        answer = http("POST", f"{loa.url('intake')}/v1/articles", json.dumps(data).encode(), Authorization=f"Bearer {secret}",
                      Content_Type="application/json")
        assert answer.status == 202, answer.text
    return [f"Tin {prefix}-{number}" for number in range(count)]


def shown(loa: Installation, titles: list[str], outlet: str = "feed") -> bool:
    """Whether an outlet has them: by the feed that everybody reads, or by what each article says of itself."""
    if outlet == "feed":
        return set(titles) <= set(loa.titles())
    return all(outlet in received_by(loa, title.removeprefix("Tin ")) for title in titles)


def received_by(loa: Installation, article_id: str) -> set[str]:
    """The outlets that say they have an article, and the archive as `intake`."""
    return {step["outlet"] for step in loa.json("journey", article_id) if step["step"] != "not_received"}


def close(loa: Installation, titles: list[str], outlet: str = "feed") -> None:
    """Waits until the gap is named, in every place, and closes it by the line that is printed."""
    name = f"completeness {outlet}"
    said = until(MINUTE, "the gap is named", lambda: of_kind(loa, name, "not_received"))
    assert http("GET", f"{loa.url('intake')}/readyz").json()["complete"] is False
    ok, detail = check(loa, f"complete {outlet}")
    assert not ok and detail.startswith("Not received"), detail
    line = re.search(r"`(loa replay [^`]+)`", detail)[1]
    assert line.removeprefix("loa ") in said
    example = re.search(r"for instance (\S+),", detail)[1]
    assert measured(loa, "loa_outlet_gap_events", outlet) >= 1
    assert measured(loa, "loa_outlet_gap_age_seconds", outlet) > 0
    steps = loa.json("journey", example)
    assert [outlet, "not_received"] in [[step["outlet"], step["step"]] for step in steps], steps
    loa.command(*line.split()[1:])
    until(MINUTE, "what was missing is there", lambda: shown(loa, titles, outlet))
    until(MINUTE, "the gap is closed", lambda: name not in faults(loa))
    assert check(loa, f"complete {outlet}")[0]
    assert measured(loa, "loa_outlet_gap_events", outlet) == 0
    assert [outlet, "not_received"] not in [[step["outlet"], step["step"]] for step in loa.json("journey", example)]


def test_an_installation_in_order_is_complete(loa, producer):
    titles = publish(producer, "good")
    until(30, "they are shown", lambda: shown(loa, titles))
    time.sleep(4)
    assert until(30, "no fault", lambda: not faults(loa) and ["none"])
    for what in ("complete feed", "complete digest", "complete push", "heartbeats"):
        assert check(loa, what)[0], check(loa, what)


@ON_BROKER
@pytest.mark.parametrize("outlet", ["feed", "digest", "push"])
def test_a_lost_binding_is_named_and_what_it_cost_is_closed_by_the_line(loa, producer, broker, at, outlet):
    call(broker, "DELETE", at("bindings", f"/e/loa.events/q/loa.{outlet}/article.%23"))
    titles = publish(producer, f"unbound-{outlet}")
    until(MINUTE, "the binding is named", lambda: f"binding article.# of loa.{outlet}" in faults(loa))
    ok, detail = check(loa, "heartbeats")
    assert not ok and "article.#" in detail and f"loa.{outlet}" in detail and "loa migrate" in detail, detail
    loa.command("migrate")
    close(loa, titles, outlet)
    until(MINUTE, "the binding carries again", lambda: not faults(loa))


@ON_BROKER
def test_a_lost_binding_of_the_archive_is_named_and_costs_no_outlet_anything(loa, producer, broker, at):
    """What a foreign producer publishes meanwhile reaches every outlet, and is in no archive: the audit counts what was archived,
    so that it is no gap (docs/adr/0018). What comes in through intake is archived before it is published."""
    call(broker, "DELETE", at("bindings", "/e/loa.events/q/loa.archive/article.%23"))
    titles = publish(producer, "unarchived", 1)
    submit(loa, "own", 1)
    until(MINUTE, "the binding is named", lambda: "binding article.# of loa.archive" in faults(loa))
    assert http("GET", f"{loa.url('intake')}/readyz").json()["complete"] is False
    ok, detail = check(loa, "heartbeats")
    assert not ok and "article.#" in detail and "loa.archive" in detail and "loa migrate" in detail, detail
    until(MINUTE, "every outlet has both", lambda: all(shown(loa, titles + ["Tin own-0"], outlet) for outlet in ("feed", "digest", "push")))
    for outlet in ("feed", "digest", "push"):
        assert check(loa, f"complete {outlet}")[0]
    loa.command("migrate")
    until(MINUTE, "the binding carries again", lambda: not faults(loa))
    assert "intake" in received_by(loa, "own-0")
    assert "intake" not in received_by(loa, "unarchived-0"), "no command brings it into the archive: a replay would lack it"
    again = publish(producer, "archived", 1)
    until(MINUTE, "what comes then is archived", lambda: shown(loa, again, "intake"))


@ON_BROKER
def test_a_purged_queue_is_found(loa, producer, broker, at):
    loa.stop("feed")
    titles = publish(producer, "purged")
    until(MINUTE, "they are late", lambda: of_kind(loa, "completeness feed", "late"))
    call(broker, "DELETE", at("queues", "/loa.feed/contents"))
    loa.start("feed")
    close(loa, titles)


@ON_BROKER
def test_a_queue_made_anew_without_its_bindings_is_found(loa, producer, broker, at):
    loa.stop("feed")
    was = json.loads(call(broker, "GET", at("queues", "/loa.feed")))
    call(broker, "DELETE", at("queues", "/loa.feed"))
    call(broker, "PUT", at("queues", "/loa.feed"), {"durable": True, "arguments": was["arguments"]})
    loa.start("feed")
    titles = publish(producer, "remade")
    until(MINUTE, "its silence is named", lambda: {"heartbeats of loa.feed", "binding article.# of loa.feed"} & set(faults(loa)))
    loa.command("migrate")
    close(loa, titles)
    until(MINUTE, "it carries again", lambda: not faults(loa))


@ON_BROKER
def test_a_second_installation_on_the_same_vhost_is_named(loa, tmp_path_factory):
    """It publishes to the same exchange and consumes the same queues: each takes a part of the other's events. What comes in
    through intake is archived before it is published, so what is stolen of it can be named."""
    settings = {key.replace("__", "."): value for key, value in QUICK.items()}
    other = Installation(tmp_path_factory.mktemp("other"), loa.amqp_url, settings)
    try:
        other.command("migrate")
        other.start("intake", "feed")
        titles = submit(loa, "stolen", 20)
        name = until(MINUTE, "it is named", lambda: next((name for name in faults(loa) if name.startswith("installation ")), None))
        ok, detail = check(loa, "heartbeats")
        assert not ok and "Another installation" in detail and name.removeprefix("installation ") in detail, detail
        page = http("GET", f"{loa.url('console')}/console", Authorization=basic(loa))
        assert "Một hệ thống khác" in page.text, page.text[:3000]
    finally:
        other.end()
    close(loa, [title for title in titles if title not in loa.titles()])


@pytest.mark.on(*shapes.SMALL)
def test_rows_deleted_from_the_embedded_queue_are_found(loa, producer):
    """A hand at the file: what it deletes under way is named and closed."""
    missing = []
    for number in range(5):
        event = published(f"deleted-{number}")
        producer.file.execute("BEGIN IMMEDIATE")
        producer.insert(json.dumps(event).encode(), "article.published.kinh-te", STRUCTURED, event["id"], {})
        producer.file.execute("DELETE FROM entry WHERE queue = 'loa.feed' AND body_id = (SELECT max(id) FROM body)")
        producer.file.execute("COMMIT")
        missing.append(f"Tin deleted-{number}")
    close(loa, missing)


def basic(loa: Installation) -> str:
    secret = loa.json("token", "create", "--scope", "operate", "--name", f"console-{time.time_ns()}")["secret"]
    return "Basic " + base64.b64encode(f"x:{secret}".encode()).decode()


def test_a_date_in_the_past_can_be_audited(loa, producer):
    """`loa check` says what was found since the audit began; an older date is asked for by `--since`."""
    answer = loa.command("check", "--since", "2020-01-01T00:00:00Z", expect=None)
    assert "complete feed" in answer.stdout and "looked through" in answer.stdout, answer.stdout
