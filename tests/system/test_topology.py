"""The broker as its administrators run it: least rights, policies, exchanges and queues that somebody changed; what `loa migrate`
and `loa topology` say about it, and the lines that mend it."""

import contextlib
import itertools
import json
import re
import shlex
import subprocess
import time
import urllib.error

import pika
import pytest
import shapes
from broker import Broker, allow, call, free_port, make_vhost, set_policy
from certificates import Authority
from contract import Amqp, article, published
from installation import Installation, binary, http, until
from later_broker import looking_needs_configure

SHAPES = [shapes.KNOWN["sqlite-rabbitmq"]]
pytestmark = pytest.mark.long
NUMBERS = itertools.count(1)
LEAST = ("^$", r"^(loa\.|amq\.default)", r"^loa\.")
OUTLETS = ("feed", "digest", "push")
KEEPING = ("loa.unrouted", "loa.archive.dead", *(f"loa.{outlet}.dead" for outlet in OUTLETS))
KEEPING_BEFORE = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
QUICK = {"intake.heartbeat_seconds": 1, "intake.audit_seconds": 1, "intake.audit_delay_seconds": 2, "bus.probe_interval_seconds": 1}
MINUTE = 60


@pytest.fixture(scope="module")
def node(tmp_path_factory, shape):
    """A broker of this file's own, which says in its management API what is in force."""
    node = Broker(tmp_path_factory.mktemp("node"), statistics=True)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def at(node):
    return node.addresses()


@pytest.fixture
def vhost(at):
    name = f"topology-{next(NUMBERS)}"
    make_vhost(at, name)
    return name


@pytest.fixture
def install(at, vhost, tmp_path):
    """Makes installations on the vhost. `managed`: the management API is asked."""
    made = []

    def make(managed: bool = True, url: str = f"{at['url']}/{vhost}", **settings) -> Installation:
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        if managed:
            settings |= management(at, vhost, tmp_path)
        made.append(Installation(tmp_path / f"loa-{len(made)}", url, QUICK | settings))
        return made[-1]

    yield make
    for loa in made:
        loa.end()


def management(at, vhost: str, folder) -> dict:
    """The settings with which the management API is asked, by a user who may look and nothing else."""
    allow(at, vhost, "looker", "^$", "^$", "^$", "looks", "management")
    secret = folder / "looker.password"
    secret.write_text("looks\n")
    return {
        "bus.rabbitmq.management_url": f"http://127.0.0.1:{at['http_port']}/", "bus.rabbitmq.management_user": "looker",
        "bus.rabbitmq.management_password_file": str(secret),
    }


def migrated(loa: Installation) -> dict[str, str]:
    """What `loa migrate` said of each thing."""
    lines = loa.json("migrate")
    return dict(line.split(": ", 1) for line in lines if not line.startswith("ledger"))


def due(loa: Installation) -> list[str]:
    """The lines that `loa migrate` says are due."""
    return [re.search(r"`(loa replay [^`]+)`", line)[1] for line in loa.json("migrate") if "`loa replay" in line]


def checked(loa: Installation, expect: int | None = None) -> dict[str, dict]:
    """What `loa topology check` found, by thing."""
    return {line["what"]: line for line in loa.json("topology", "check", expect=expect)}


def faults(loa: Installation) -> dict[str, dict]:
    """What is not as it should be."""
    return {what: line for what, line in checked(loa).items() if not line["ok"]}


def mend(node: Broker, loa: Installation, line: dict) -> None:
    """Does what a line of `loa topology check` says, word for word."""
    for command in re.findall(r"`([^`]+)`", line["mend"]):
        program, *arguments = shlex.split(command)
        if program == "loa":
            loa.command(*arguments)
        else:
            assert program == "rabbitmqctl", command
            node.control(*arguments)


def delete(at, vhost: str, kind: str, name: str) -> None:
    call(at, "DELETE", f"/api/{kind}/{vhost}/{name}")


def submit(loa: Installation, name: str) -> None:
    """Publishes an article by the API."""
    secret = loa.json("token", "create", "--scope", "publish", "--name", f"cms-{next(NUMBERS)}")["secret"]
    data = article(name)
    del data["revision"]
    answer = http("POST", f"{loa.url('intake')}/v1/articles", json.dumps(data).encode(), Authorization=f"Bearer {secret}",
                  Content_Type="application/json")
    assert answer.status == 202, answer.text


@contextlib.contextmanager
def producer(url: str):
    client = Amqp(url)
    yield client
    client.close()


# ── what `loa migrate` says ──


def test_migrate_says_of_each_thing_whether_it_found_or_made_it(install, at, vhost):
    loa = install()
    things = migrated(loa)
    assert len(things) == 3 + 9 + 17 and set(things.values()) == {"made"}, things
    again = migrated(loa)
    assert set(again.values()) == {"there"} and again.keys() == things.keys(), again
    delete(at, vhost, "queues", "loa.push")
    delete(at, vhost, "bindings", "e/loa.events/q/loa.feed/article.%23")
    made = {what for what, said in migrated(loa).items() if said == "made"}
    assert made == {"queue loa.push", "binding article.# of loa.feed to loa.events",
                    *(f"binding {key} of loa.push to loa.events" for key in ("article.#", "document.#", "system.heartbeat"))}


def test_without_the_management_api_migrate_does_not_claim_to_know_of_bindings(install):
    loa = install(managed=False)
    assert set(migrated(loa).values()) == {"made"}, "bindings of what was made a moment ago are new"
    again = migrated(loa)
    for what, said in again.items():
        if what.startswith("binding"):
            assert said.startswith("bound; whether it was before cannot be asked over AMQP") and "management_url" in said
        else:
            assert said == "there", (what, said)


def test_migrate_names_the_replay_that_is_due_and_it_brings_what_was_missed(install, at, vhost):
    loa = install()
    assert due(loa) == [], "an installation that has published nothing has missed nothing"
    loa.start("intake", "feed", "digest", "push")
    submit(loa, "before")
    until(20, "it is shown", lambda: loa.titles() == ["Tin before"])
    until(20, "all have it", lambda: loa.json("check", expect=None) and all(
        line["ok"] for line in loa.json("check", expect=None) if line["what"].startswith("complete")))
    # a binding: what comes meanwhile reaches the others and not this outlet
    delete(at, vhost, "bindings", "e/loa.events/q/loa.feed/article.%23")
    submit(loa, "unbound")
    time.sleep(1)
    [line] = due(loa)
    assert line.startswith("loa replay --outlet feed --since "), line
    loa.command(*shlex.split(line)[1:])
    until(20, "it is shown", lambda: set(loa.titles()) == {"Tin before", "Tin unbound"})
    assert due(loa) == []
    # a queue, with what was in it
    loa.stop("feed")
    submit(loa, "in-the-queue")
    until(20, "it is on its way", lambda: len(loa.json("journey", "in-the-queue")) > 1)
    delete(at, vhost, "queues", "loa.feed")
    [line] = due(loa)
    loa.command(*shlex.split(line)[1:])
    loa.start("feed")
    until(20, "it is shown", lambda: "Tin in-the-queue" in loa.titles())


def test_migrate_says_that_the_archive_cannot_be_filled_again(install, at, vhost):
    loa = install()
    loa.command("migrate")
    loa.start("intake", "feed")
    submit(loa, "one")
    until(20, "it is shown", lambda: loa.titles() == ["Tin one"])
    delete(at, vhost, "queues", "loa.archive")
    said = loa.command("migrate").stdout
    assert "due: nothing for loa.archive" in said and "is not in the archive" in said, said


# ── rights ──


def test_the_least_rights_suffice_for_services_and_for_a_migrate_that_finds_everything(install, at, vhost):
    install().command("migrate")
    loa = install(managed=False, url=allow(at, vhost, "least", *LEAST))
    things = migrated(loa)
    assert {things[f"queue loa.{outlet}"] for outlet in OUTLETS} == {"there"}, things
    assert things["exchange loa.events (topic)"] == "there"
    loa.start("intake", "feed", "digest", "push")
    submit(loa, "with-least-rights")
    until(20, "it is shown", lambda: loa.titles() == ["Tin with-least-rights"])
    lines = {line["what"]: line for line in loa.json("check", expect=None)}
    assert lines["bus"]["ok"] and "the topology is there" in lines["bus"]["detail"], lines["bus"]
    assert lines["topology"]["ok"] and "not looked at" in lines["topology"]["detail"], lines["topology"]
    found = checked(loa, expect=0)
    assert found["queue loa.feed"]["found"] == "not_asked" and "`configure`" in found["queue loa.feed"]["detail"]
    assert found["bindings"]["found"] == found["policies"]["found"] == "not_asked"
    # with the topic permissions of the page for administrators, too
    call(at, "PUT", f"/api/topic-permissions/{vhost}/least",
         {"exchange": "loa.events", "write": r"^(article|document|system)\.", "read": r"^(article|document|system)\."})
    loa.stop()
    assert set(migrated(loa)) == set(things)
    loa.start("intake", "feed")
    submit(loa, "by-topic")
    until(20, "it is shown", lambda: "Tin by-topic" in loa.titles())
    with producer(loa.amqp_url) as client, pytest.raises(pika.exceptions.AMQPError):
        client.raw(b"{}", "news.published")


def test_where_the_right_is_missing_the_sentence_says_which_and_both_ways_out_work(install, at, vhost, node):
    loa = install(managed=False, url=allow(at, vhost, "least", *LEAST))
    said = loa.command("migrate", expect=1).stderr
    for word in ("the exchange loa.unrouted is missing", "the right `configure`", "`loa topology print`", "rabbitmqctl import_definitions",
                 f"rabbitmqctl set_permissions -p {vhost} least "):
        assert word in said, said
    # one way out: the right
    line = re.search(r"`(rabbitmqctl set_permissions [^`]+)`", said)[1]
    node.control(*shlex.split(line)[1:])
    loa.command("migrate")
    # the other: the administrator imports what is missing
    allow(at, vhost, "least", *LEAST)
    delete(at, vhost, "queues", "loa.feed")
    said = loa.command("migrate", expect=1).stderr
    assert "the queue loa.feed is missing" in said, said
    file = node.folder / f"definitions-{next(NUMBERS)}.json"  # a folder that the node sees, too
    file.write_text(loa.command("topology", "print").stdout)
    node.control("import_definitions", str(file))
    loa.command("migrate")
    loa.start("intake", "feed")
    submit(loa, "imported")
    until(20, "it is shown", lambda: loa.titles() == ["Tin imported"])


def test_where_looking_needs_configure_services_go_on_and_say_that_they_cannot_check(install, at, vhost):
    """As on RabbitMQ 4.2.6 and 4.3.0: a refusal to look is no sign that a thing is missing."""
    install().command("migrate")
    with looking_needs_configure(at["amqp_port"]) as port:
        loa = install(managed=False, url=allow(at, vhost, "least", *LEAST).replace(str(at["amqp_port"]), str(port)))
        loa.start("intake", "feed", "digest", "push")
        submit(loa, "unlooked")
        until(20, "it is shown", lambda: loa.titles() == ["Tin unlooked"])
        assert http("GET", f"{loa.url('intake')}/readyz").json()["dependencies"]["topology"]["up"]
        assert "cannot be checked" in loa.running["intake"].said()
        line = next(line for line in loa.json("check", expect=None) if line["what"] == "bus")
        assert line["ok"] and "is not known" in line["detail"] and "`configure`" in line["detail"], line
        things = migrated(loa)
        assert "its bindings are there shows that it is" in things["queue loa.feed"], things
        assert checked(loa, expect=0)["queue loa.feed"]["found"] == "not_asked"
        # what consuming meets is told all the same
        delete(at, vhost, "queues", "loa.feed")
        until(20, "it is told", lambda: "missing" in http("GET", f"{loa.url('feed')}/readyz").json()["dependencies"]["bus loa.feed"].get("sentence", ""))
        assert "queue loa.feed or the exchange" in loa.command("migrate", expect=1).stderr
        # the management API knows more than AMQP then
        loa.settings |= management(at, vhost, loa.folder)
        loa.write_config()
        assert "it is missing" in faults(loa)["queue loa.feed"]["detail"]


# ── definitions ──


@pytest.mark.parametrize("how", ["rabbitmqctl", "management", "management, one vhost"])
def test_what_is_printed_can_be_imported_and_is_the_same_topology(install, at, vhost, node, how):
    loa = install()
    printed = loa.json("topology", "print")
    assert set(printed) == {"exchanges", "queues", "bindings"}
    assert {thing["vhost"] for things in printed.values() for thing in things} == {vhost}
    if how == "rabbitmqctl":
        file = node.folder / f"definitions-{next(NUMBERS)}.json"  # a folder that the node sees, too
        file.write_text(loa.command("topology", "print").stdout)
        node.control("import_definitions", str(file))
    else:
        call(at, "POST", "/api/definitions" + (f"/{vhost}" if "one" in how else ""), printed)
    assert checked(loa, expect=0)["bindings of loa.feed"]["found"] == "right"
    assert set(migrated(loa).values()) == {"there"}


def test_a_vhost_with_any_name_is_printed_and_checked(install, at, node):
    name = "tin tức/xã"
    node.control("add_vhost", name)
    loa = install(bus__rabbitmq__vhost=name)
    for user, right in ((at["user"], ".*"), ("looker", "^$")):
        node.control("set_permissions", "-p", name, user, right, right, right)
    assert loa.json("topology", "print")["queues"][0]["vhost"] == name
    loa.command("migrate")
    assert faults(loa) == {}


def test_two_installations_on_vhosts_of_their_own_do_not_hear_each_other(install, at):
    ours = install()
    make_vhost(at, other_vhost := f"topology-{next(NUMBERS)}")
    theirs = install(url=f"{at['url']}/{other_vhost}")
    for loa in (ours, theirs):
        loa.command("migrate")
        loa.start("intake", "feed")
    submit(ours, "ours")
    submit(theirs, "theirs")
    until(20, "each has its own", lambda: (ours.titles(), theirs.titles()) == (["Tin ours"], ["Tin theirs"]))
    time.sleep(3)
    for loa in (ours, theirs):
        assert not [name for name in http("GET", f"{loa.url('intake')}/readyz").json()["faults"] if name.startswith("installation")]


# ── what somebody changed ──


def test_a_topology_in_order_has_no_fault_and_check_says_so(install):
    loa = install()
    loa.command("migrate")
    assert {line["found"] for line in checked(loa, expect=0).values()} == {"right"}
    line = next(line for line in loa.json("check", expect=None) if line["what"] == "topology")
    assert line["ok"] and line["detail"] == "arguments, bindings and policies are as they should be"


@pytest.mark.parametrize("managed", [True, False], ids=["management", "amqp"])
def test_what_is_missing_is_named_with_the_line_that_mends_it(install, at, vhost, node, managed):
    loa = install(managed)
    loa.command("migrate")
    delete(at, vhost, "queues", "loa.feed")
    delete(at, vhost, "exchanges", "loa.dead")
    found = faults(loa)
    assert "it is missing" in found["queue loa.feed"]["detail"] and "--outlet feed" in found["queue loa.feed"]["mend"]
    assert "it is missing" in found["exchange loa.dead"]["detail"]
    assert loa.command("topology", "check", expect=1).stdout.count("to mend it: ") == len(found)
    for line in found.values():
        mend(node, loa, line)
    assert faults(loa) == {}


@pytest.mark.parametrize("managed", [True, False], ids=["management", "amqp"])
def test_an_exchange_of_another_type_is_named(install, at, vhost, managed):
    loa = install(managed)
    call(at, "PUT", f"/api/exchanges/{vhost}/loa.events", {"type": "fanout", "durable": True, "arguments": {"alternate-exchange": "loa.unrouted"}})
    said = loa.command("migrate", expect=1).stderr
    assert "loa.events" in said and "fanout" in said and "`loa topology check`" in said, said
    line = faults(loa)["exchange loa.events"]
    assert "fanout" in line["detail"] and "topic" in line["detail"], line
    delete(at, vhost, "exchanges", "loa.events")
    loa.command("migrate")
    assert faults(loa) == {}


@pytest.mark.parametrize("managed", [True, False], ids=["management", "amqp"])
def test_an_exchange_without_its_alternate_is_named(install, at, vhost, managed):
    loa = install(managed)
    call(at, "PUT", f"/api/exchanges/{vhost}/loa.events", {"type": "topic", "durable": True})
    assert "alternate-exchange" in faults(loa)["exchange loa.events"]["detail"]


@pytest.mark.parametrize("managed", [True, False], ids=["management", "amqp"])
def test_a_running_service_tells_of_an_exchange_of_another_type_that_carries_no_news(install, at, vhost, managed):
    """Somebody made it anew as a direct one, with its alternate exchange and all bindings: what is published is confirmed, and
    reaches no outlet. Heartbeats and the audit say so, with the management API and without; with it the cause is named, too."""
    loa = install(managed)
    loa.command("migrate")
    loa.start("intake", "feed", "digest", "push")
    submit(loa, "before")
    until(20, "it is shown", lambda: loa.titles() == ["Tin before"])
    make_anew(at, vhost, loa, type="direct")
    submit(loa, "into-nothing")
    names = ["unrouted messages", *(f"binding article.# of loa.{outlet}" for outlet in OUTLETS), *(f"completeness {outlet}" for outlet in OUTLETS)]
    told = until(MINUTE, "it is told", lambda: told_by(loa, *names))
    assert http("GET", f"{loa.url('intake')}/readyz").json()["complete"] is False
    assert "`loa replay --outlet feed" in until(MINUTE, "the gap is named", lambda: (
        (told_by(loa, "completeness feed") or told)["completeness feed"]["kind"] == "not_received" and told_by(loa, *names)))["completeness feed"]["sentence"]
    line = next(line for line in loa.json("check", expect=None) if line["what"] == "topology")
    assert not line["ok"] and "exchange loa.events" in line["detail"] and "direct" in line["detail"], line
    inspected_at_once(loa)
    fault = until(MINUTE, "the cause is named", lambda: told_by(loa, "topology exchange loa.events"))["topology exchange loa.events"]
    assert fault["kind"] == "topology_differs" and "direct" in fault["sentence"], fault
    delete(at, vhost, "exchanges", "loa.events")
    loa.command("migrate")
    loa.command("replay", "--outlet", "feed")
    until(MINUTE, "it is shown", lambda: set(loa.titles()) == {"Tin before", "Tin into-nothing"})
    until(MINUTE, "its bindings carry again", lambda: not told_by(loa, "completeness feed") and not told_by(loa, "binding article.# of loa.feed"))


@pytest.mark.parametrize("managed", [True, False], ids=["management", "amqp"])
@pytest.mark.parametrize("changed", [{"arguments": {}}, {"type": "fanout"}], ids=["without its alternate", "fanout"])
def test_a_running_service_names_an_exchange_that_still_carries_everything(install, at, vhost, changed, managed):
    """Nothing is missing, so that heartbeats and the audit are content. But what no queue takes is gone, or everybody gets it."""
    loa = install(managed)
    loa.command("migrate")
    loa.start("intake", "feed")
    make_anew(at, vhost, loa, **changed)
    with producer(loa.amqp_url) as client:
        if changed.get("arguments") == {}:
            with pytest.raises(pika.exceptions.UnroutableError):
                client.raw(b"{}", "news.published")
        client.structured(published("carried"))
    until(20, "news are carried", lambda: loa.titles() == ["Tin carried"])
    inspected_at_once(loa)
    fault = until(MINUTE, "it is named", lambda: told_by(loa, "topology exchange loa.events"))["topology exchange loa.events"]
    assert fault["kind"] == "topology_differs", fault
    assert ("alternate-exchange" if "arguments" in changed else "fanout") in fault["sentence"], fault
    line = next(line for line in loa.json("check", expect=None) if line["what"] == "topology")
    assert not line["ok"] and "exchange loa.events" in line["detail"], line


def make_anew(at, vhost: str, loa: Installation, **changes) -> None:
    """Deletes `loa.events`, and imports it with these changes and all its bindings."""
    definitions = loa.json("topology", "print")
    [exchange] = [one for one in definitions["exchanges"] if one["name"] == "loa.events"]
    exchange |= changes
    delete(at, vhost, "exchanges", "loa.events")
    call(at, "POST", "/api/definitions", definitions)


def told_by(loa: Installation, *names: str) -> dict[str, dict] | None:
    """These faults, once intake tells all of them."""
    faults = http("GET", f"{loa.url('intake')}/readyz").json()["faults"]
    return {name: faults[name] for name in names} if set(names) <= set(faults) else None


def inspected_at_once(loa: Installation) -> None:
    """Intake looks at the topology when it starts, and then once a minute."""
    loa.stop("intake")
    loa.start("intake")


@pytest.mark.parametrize("managed", [True, False], ids=["management", "amqp"])
def test_a_queue_with_other_arguments_is_named_and_its_mend_mends_it(install, at, vhost, node, managed):
    loa = install(managed)
    loa.command("migrate")
    delete(at, vhost, "queues", "loa.feed")
    call(at, "PUT", f"/api/queues/{vhost}/loa.feed", {"durable": True, "arguments": {"x-queue-type": "quorum", "x-message-ttl": 1000}})
    line = faults(loa)["queue loa.feed"]
    assert re.search("x-message-ttl|x-dead-letter|x-overflow|x-delivery-limit", line["detail"]), line
    mend(node, loa, line)
    assert faults(loa) == {}


def test_an_unbound_queue_is_named_and_its_mend_brings_what_it_missed(install, at, vhost, node):
    loa = install()
    loa.command("migrate")
    loa.start("intake", "feed")
    delete(at, vhost, "bindings", "e/loa.events/q/loa.feed/article.%23")
    submit(loa, "unbound")
    line = faults(loa)["bindings of loa.feed"]
    assert "article.# of loa.events is not bound" in line["detail"], line
    mend(node, loa, line)
    until(20, "it is shown", lambda: loa.titles() == ["Tin unbound"])
    assert faults(loa) == {}
    call(at, "POST", f"/api/bindings/{vhost}/e/loa.events/q/loa.feed", {"routing_key": "news.#"})
    assert "somebody else's beside them: news.# of loa.events" in checked(loa, expect=0)["bindings of loa.feed"]["detail"]


# ── policies ──


@pytest.mark.parametrize("operators", [False, True], ids=["policy", "operator policy"])
@pytest.mark.parametrize(("key", "value", "queues"), [
    ("max-length", 100, {"loa.feed", "loa.feed.dead", "loa.unrouted"}),
    ("max-length-bytes", 100_000, {"loa.feed", "loa.feed.dead", "loa.unrouted"}),
    ("message-ttl", 3_600_000, {"loa.feed", "loa.feed.dead", "loa.unrouted"}),
    ("expires", 3_600_000, {"loa.feed", "loa.feed.dead", "loa.unrouted"}),
    ("delivery-limit", 3, {"loa.feed", "loa.feed.dead", "loa.unrouted"}),
])
def test_policies_that_hurt_are_named_and_their_mend_keeps_them_away(install, at, vhost, node, key, value, queues, operators):
    loa = install()
    loa.command("migrate")
    set_policy(at, vhost, "everything", ".*", {key: value}, operators, priority=3)
    wanted = {f"policies on {queue}" for queue in queues}
    named = lambda found: wanted <= {what for what, line in found.items() if line["found"] == "wrong"} and found  # noqa: E731
    found = until(30, "it is named", lambda: named(faults(loa)))
    for what, line in found.items():
        assert what.startswith("policies on ") and f"`{key}` = {value}" in line["detail"] and "`everything` (on `.*`)" in line["detail"], line
    summary = next(line for line in loa.json("check", expect=None) if line["what"] == "topology")
    assert not summary["ok"] and key in summary["detail"]
    mend(node, loa, next(iter(found.values())))
    until(20, "it is away", lambda: faults(loa) == {})


def test_a_policy_that_does_no_harm_is_none(install, at, vhost):
    loa = install()
    loa.command("migrate")
    # arguments win over it, and the limit is above ours
    set_policy(at, vhost, "harmless", ".*", {"overflow": "drop-head", "queue-leader-locator": "balanced"})
    try:
        set_policy(at, vhost, "mirrored", r"^loa\.(feed|push)$", {"ha-mode": "all"}, priority=2)
        may_mirror = True
    except urllib.error.HTTPError:
        may_mirror = False  # RabbitMQ 4 does not know mirroring
    found = checked(loa, expect=0)
    assert not may_mirror or (found["policies"]["found"] == "remark" and "`mirrored`" in found["policies"]["detail"]), found
    assert {found[f"policies on loa.{outlet}"]["found"] for outlet in OUTLETS} == {"right"}
    time.sleep(8)  # until the broker says what is in force
    assert faults(loa) == {}


def test_under_a_length_what_is_kept_stays_and_more_is_refused(install, at, vhost):
    loa = install()
    loa.command("migrate")
    set_policy(at, vhost, "short", ".*", {"max-length": 5})
    with producer(loa.amqp_url) as client:
        taken = []

        def refused() -> bool:
            """One message more. The broker takes its time until a policy is in force."""
            try:
                client.raw(b"%d" % len(taken), "news.published")
            except pika.exceptions.NackError:
                return True
            taken.append(b"%d" % len(taken))
            return False

        until(20, "a full queue says no", refused)
        assert len(taken) >= 5
        assert [message.body if hasattr(message, "body") else message for message in bodies(client, "loa.unrouted")] == taken


def test_a_full_queue_of_an_outlet_refuses_keeps_what_it_has_and_holds_up_publishing(install, at, vhost):
    loa = install(managed=False, intake__heartbeat_seconds=600)
    loa.command("migrate")
    loa.start("intake", "digest", "push")
    set_policy(at, vhost, "short", r"^loa\.feed$", {"max-length": 3})
    waiting = lambda: float(re.search(r"^loa_outbox_waiting (\S+)$", http("GET", f"{loa.url('intake')}/metrics").text, re.M)[1])  # noqa: E731
    names: list[str] = []

    def is_held_up() -> bool:
        """One article more. The broker takes its time until a policy is in force."""
        names.append(f"full-{len(names)}")
        submit(loa, names[-1])
        time.sleep(1)
        return waiting() > 0

    until(20, "the queue says no", is_held_up)
    with producer(loa.amqp_url) as client:
        with pytest.raises(pika.exceptions.NackError):
            client.structured(published("foreign"))  # refused for all, although the others have it
        assert client.depth("loa.feed") >= 3
        assert waiting() >= 1, "it goes on waiting"
        for outlet in ("digest", "push"):
            until(20, f"{outlet} has what was refused", lambda outlet=outlet: all(
                outlet in {step["outlet"] for step in loa.json("journey", name)} for name in (names[-1], "foreign")))
        until(MINUTE, "it is told", lambda: told_by(loa, "completeness feed"))
        loa.start("feed")
        until(MINUTE, "all are shown, none is lost", lambda: {f"Tin {name}" for name in names} <= set(loa.titles()))
        until(20, "nothing waits", lambda: waiting() == 0)
        client.structured(published("foreign"))
    until(20, "it goes on", lambda: "Tin foreign" in loa.titles())
    assert len(loa.titles()) == len(names) + 1 and not loa.json("dead-letters", "list")


def bodies(client: Amqp, queue: str) -> list[bytes]:
    """All that is in a queue; it stays there."""
    found = []
    while (got := client.channel.basic_get(queue))[0]:
        found.append(got[2])
    client.channel.basic_nack(0, multiple=True, requeue=True)
    return found


def test_intake_names_a_policy_before_it_costs_news(install, at, vhost):
    loa = install()
    loa.command("migrate")
    set_policy(at, vhost, "old-age", ".*", {"message-ttl": 86_400_000})
    loa.start("intake")
    # once a minute, and the broker takes its time to say what is in force
    answer = until(2 * MINUTE, "it is named", lambda: (body := http("GET", f"{loa.url('intake')}/readyz").json())["faults"] and body)
    fault = answer["faults"]["topology policies on loa.feed.dead"]
    assert fault["kind"] == "topology_differs" and "message-ttl" in fault["sentence"], answer
    assert answer["ready"] and answer["complete"], "nothing is lost yet"
    assert 'loa_fault{fault="topology policies on loa.feed.dead"} 1' in http("GET", f"{loa.url('intake')}/metrics").text


# ── the management API itself ──


def test_a_management_api_that_does_not_answer_is_not_taken_for_right(install, at, vhost):
    loa = install()
    loa.command("migrate")
    loa.settings["bus.rabbitmq.management_url"] = "http://127.0.0.1:9/"
    loa.write_config()
    found = checked(loa, expect=1)
    assert found["management API"]["found"] == "not_known" and "http://127.0.0.1:9/" in found["management API"]["detail"]
    assert found["queue loa.feed"]["found"] == "right", "what AMQP tells is told"
    assert found["bindings"]["found"] == found["policies"]["found"] == "not_asked"
    assert "does not answer" in migrated(loa)["binding article.# of loa.feed to loa.events"]


def test_a_user_without_a_tag_is_told_which_it_needs(install, at, vhost, tmp_path):
    allow(at, vhost, "untagged", "^$", "^$", "^$", password="untagged")
    (tmp_path / "untagged.password").write_text("untagged")
    loa = install(bus__rabbitmq__management_user="untagged", bus__rabbitmq__management_password_file=str(tmp_path / "untagged.password"))
    loa.settings |= {"bus.rabbitmq.management_user": "untagged", "bus.rabbitmq.management_password_file": str(tmp_path / "untagged.password")}
    loa.write_config()
    loa.command("migrate")
    assert "rabbitmqctl set_user_tags untagged management" in checked(loa, expect=1)["management API"]["detail"]


def test_the_management_api_is_read_over_tls_with_the_ca_of_the_broker(tmp_path):
    authority = Authority(tmp_path / "tls" / "ca")  # in the node's folder: a later RabbitMQ sees no other
    certificate, key = authority.sign("broker", "IP:127.0.0.1")
    tls_port, https_port = free_port(), free_port()
    files = lambda section: (f"{section}.cacertfile = {authority.certificate}\n{section}.certfile = {certificate}\n"  # noqa: E731
                             f"{section}.keyfile = {key}\n")
    node = Broker(tmp_path / "tls", f"listeners.ssl.1 = 127.0.0.1:{tls_port}\n{files('ssl_options')}"
                  f"management.ssl.ip = 127.0.0.1\nmanagement.ssl.port = {https_port}\n{files('management.ssl')}", statistics=True)
    node.start()
    at = node.addresses()
    loa = Installation(tmp_path / "loa", f"amqps://{at['user']}:{at['password']}@127.0.0.1:{tls_port}/%2f",
                       {"bus.rabbitmq.ca_file": str(authority.certificate), "bus.rabbitmq.management_url": f"https://127.0.0.1:{https_port}/"})
    try:
        loa.command("migrate")
        assert checked(loa, expect=0)["bindings of loa.feed"]["found"] == "right"
        # it is no other name's certificate, and no other CA is trusted
        loa.settings["bus.rabbitmq.management_url"] = f"https://localhost:{https_port}/"
        loa.write_config()
        assert checked(loa, expect=1)["management API"]["found"] == "not_known"
    finally:
        loa.end()
        node.stop()


@pytest.mark.parametrize("managed", [True, False], ids=["management", "amqp"])
def test_looking_makes_nothing(install, at, vhost, managed):
    loa = install(managed)
    assert len(faults(loa)) >= 12
    assert json.loads(call(at, "GET", f"/api/queues/{vhost}")) == []
    assert not [it for it in json.loads(call(at, "GET", f"/api/exchanges/{vhost}")) if it["name"].startswith("loa.")]


def test_on_the_embedded_bus_there_is_nothing_to_check(tmp_path):
    loa = Installation(tmp_path / "loa")
    said = loa.command("topology", "check").stdout
    assert "there is nothing to check" in said
    assert "no broker" in loa.command("topology", "print", expect=1).stderr


def test_after_all_feature_flags_were_enabled_for_an_upgrade_everything_is_as_it_was(install, node):
    loa = install()
    loa.command("migrate")
    node.control("enable_feature_flag", "all")
    assert faults(loa) == {}


# ── limits of the broker ──


@pytest.mark.apart
def test_on_a_broker_with_small_frames_and_messages_what_fits_goes_through_and_the_rest_waits(tmp_path):
    tight = Broker(tmp_path / "tight", "frame_max = 8192\nmax_message_size = 200000\nconsumer_timeout = 60000\n")
    tight.start()
    loa = Installation(tmp_path / "loa", f"{tight.addresses()['url']}/%2f", QUICK)
    try:
        loa.command("migrate")
        loa.start("intake", "feed")
        secret = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]

        def put(name: str, size: int) -> None:
            data = article(name, content_html=f"<p>{'chữ ' * (size // 6)}</p>")
            del data["revision"]
            answer = http("POST", f"{loa.url('intake')}/v1/articles", json.dumps(data, ensure_ascii=False).encode(),
                          Authorization=f"Bearer {secret}", Content_Type="application/json")
            assert answer.status == 202, answer.text

        put("frames", 100_000)
        put("too-large", 400_000)
        put("behind-it", 100)
        until(30, "what fits is shown", lambda: set(loa.titles()) == {"Tin frames", "Tin behind-it"})
        metrics = lambda: http("GET", f"{loa.url('intake')}/metrics").text  # noqa: E731
        until(20, "it is set aside", lambda: re.search(r"^loa_outbox_set_aside 1$", metrics(), re.M))
    finally:
        loa.end()
        tight.stop()


# ── queues of programs before ──


def old_topology(at, vhost: str, loa: Installation, letters: int) -> dict[str, set[str]]:
    """Keeping queues as programs before made them, each with letters in it; the bodies by queue."""
    loa.command("migrate")
    kept: dict[str, set[str]] = {}
    with producer(f"{at['url']}/{vhost}") as client:
        for queue in KEEPING:
            call(at, "DELETE", f"/api/queues/{vhost}/{queue}")
            call(at, "PUT", f"/api/queues/{vhost}/{queue}", {"durable": True, "arguments": KEEPING_BEFORE})
            exchange, key = ("loa.unrouted", "") if queue == "loa.unrouted" else ("loa.dead", queue.removesuffix(".dead"))
            call(at, "POST", f"/api/bindings/{vhost}/e/{exchange}/q/{queue}", {"routing_key": key})
            kept[queue] = {f"{queue} {number}" for number in range(letters)}
            for body in sorted(kept[queue]):
                headers = {"x-loa-reason": "no title", "x-loa-routing-key": "article.published.x", "odd": [1, {"a": None}]}
                client.channel.basic_publish(exchange, key or "news.published", body.encode(),
                                             pika.BasicProperties(headers=headers, message_id=body, delivery_mode=2), mandatory=True)
    return kept


def kept_now(at, vhost: str) -> dict[str, list[str]]:
    """The bodies in the keeping queues, those that stand in for them among them; all stay there."""
    found = {}
    with producer(f"{at['url']}/{vhost}") as client:
        there = {it["name"] for it in json.loads(call(at, "GET", f"/api/queues/{vhost}"))}
        for queue in KEEPING:
            names = [name for name in (queue, f"{queue}.moving") if name in there]
            found[queue] = [body.decode() for name in names for body in bodies(client, name)]
    return found


def test_keeping_queues_of_programs_before_are_renewed_with_all_that_they_keep(install, at, vhost):
    loa = install(url=f"{at['url']}/{vhost}?heartbeat=1", bus__rabbitmq__confirm_timeout_seconds=1)
    kept = old_topology(at, vhost, loa, 30)
    found = faults(loa)
    assert {f"queue {queue}" for queue in KEEPING} == set(found), found
    assert all("x-overflow" in line["detail"] and "`loa migrate` renews it" in line["mend"] for line in found.values()), found
    said = migrated(loa)
    for queue in KEEPING:
        assert said[f"queue {queue}"].startswith("renewed: it refuses when it is full, and keeps what it had (30 messages)"), said
    assert {queue: sorted(bodies) for queue, bodies in kept_now(at, vhost).items()} == {q: sorted(b) for q, b in kept.items()}
    assert faults(loa) == {}
    assert set(migrated(loa).values()) == {"there"}
    letters = loa.json("dead-letters", "list", "--queue", "feed")
    assert len(letters) == 30 and {letter["reason"] for letter in letters} == {"no title"}, letters[:2]


@pytest.mark.apart
def test_a_renewal_that_is_killed_anywhere_loses_nothing_and_is_gone_on_with(install, at, vhost):
    """kill -9 at ever later moments, with letters that die meanwhile; then one that ends."""
    loa = install(url=f"{at['url']}/{vhost}?heartbeat=1", bus__rabbitmq__confirm_timeout_seconds=1)
    kept = old_topology(at, vhost, loa, 150)
    command = [binary(), "--config", str(loa.config), "migrate"]
    with producer(f"{at['url']}/{vhost}") as client:
        for round_ in range(16):
            running = subprocess.Popen(command, cwd=loa.folder, env=loa.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            until_at = time.monotonic() + 0.3 + 0.35 * round_
            number = 0
            while time.monotonic() < until_at and running.poll() is None:
                body = f"meanwhile {round_} {number}"
                # a letter that dies now, and one that nobody wants: neither may be lost while queues change places
                client.channel.basic_publish("loa.dead", "loa.feed", body.encode(), pika.BasicProperties(message_id=body, delivery_mode=2), mandatory=True)
                client.raw(body.encode(), "news.published", message_id=body)
                kept["loa.feed.dead"].add(body)
                kept["loa.unrouted"].add(body)
                number += 1
                time.sleep(0.02)
            running.kill()
            running.communicate()
            until(10, "what was in hand is back", lambda: all(
                kept[queue] <= set(bodies) for queue, bodies in kept_now(at, vhost).items()))
    loa.command("migrate")
    now = kept_now(at, vhost)
    assert {queue: set(bodies) for queue, bodies in now.items()} == kept
    assert faults(loa) == {}
    names = {it["name"] for it in json.loads(call(at, "GET", f"/api/queues/{vhost}"))}
    assert not [name for name in names if name.endswith(".moving")]


@pytest.mark.apart
@pytest.mark.parametrize("managed", [True, False], ids=["managed", "unmanaged"])
def test_a_renewal_that_was_interrupted_is_named_everywhere_and_ended_by_the_line_that_is_named(install, at, vhost, managed):
    loa = install(managed=managed)
    loa.command("migrate")
    call(at, "PUT", f"/api/queues/{vhost}/loa.feed.dead.moving", {"durable": True, "arguments": KEEPING_BEFORE | {"x-overflow": "reject-publish"}})
    line = faults(loa)["queue loa.feed.dead.moving"]
    assert "interrupted" in line["detail"] and "`loa migrate`" in line["mend"], line
    topology = next(line for line in loa.json("check", expect=1) if line["what"] == "topology")
    assert not topology["ok"] and "queue loa.feed.dead.moving" in topology["detail"] and "`loa migrate`" in topology["detail"], topology
    loa.start("intake")
    said = until(20, "readiness names it", lambda: http("GET", f"{loa.url('intake')}/readyz").json()["faults"].get("topology queue loa.feed.dead.moving"))
    assert said["kind"] == "topology_differs" and "`loa migrate`" in said["sentence"]
    loa.command("migrate")
    assert faults(loa) == {} and "queue loa.feed.dead.moving" not in checked(loa)
    until(2 * MINUTE, "it is named no more", lambda: "topology queue loa.feed.dead.moving" not in http("GET", f"{loa.url('intake')}/readyz").json()["faults"])
