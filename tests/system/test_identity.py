"""No default is somebody's identity: without one nothing goes in or out, every command says so, and nothing is lost meanwhile."""

import json
import time

import portals
import pytest
import shapes
from contract import article, published
from installation import IDENTITY, SEED, SERVICES, Process, http, until
from websub import FrontDoor, Reader, request

SHAPES = shapes.BOTH
SENTENCE = "This installation has no identity yet"
TOGETHER = tuple(IDENTITY)
TITLE = "Tin chờ hệ thống có tên"


@pytest.fixture(scope="module")
def watched(shape):
    portal = portals.NukeViet(2)
    yield portal
    portal.stop()


@pytest.fixture(scope="module")
def reader(shape):
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def loa(install, portal, watched, reader, shape):
    """It had an identity, receivers of every kind, and an event under way; then somebody took the identity out of its file."""
    door = FrontDoor()
    loa = install(**{
        "site.public_url": f"{door.url}/", "hub.allow_networks": ["127.0.0.0/8"], "hub.notice_seconds_min": 0, "hub.poll_interval_seconds": 2,
        "watch.allow_networks": ["127.0.0.0/8"], "watch.pause_ms": 0, "site.zone": "Asia/Ho_Chi_Minh", "digest.immediate_window_seconds": 1,
        "digest.send_window_from": "00:00:00", "digest.send_window_until": "23:59:59",
    })
    door.route = lambda path: loa.url("push" if path == "/hub" else "feed")
    loa.start(*SERVICES, "watch") if loa.apart else loa.start("up")
    loa.command("subscribers", "add", "van-phong@nason.example", "--frequency", "immediate")
    loa.json("endpoints", "add", portal.url)
    loa.token = loa.json("token", "create", "--scope", "publish")["secret"]
    answer = request(f"{door.url}/hub", hub_mode="subscribe", hub_topic=f"{door.url}/feeds/all.atom", hub_callback=f"{reader.url}/all")
    assert answer.status == 202, answer.text
    until(20, "the hub's subscriber was asked", lambda: reader.asked("/all"))
    loa.json("watch", "add", f"{watched.url}/rss/news/", "--name", "xa", "--every", "3")
    until(30, "the portal was looked at", lambda: loa.json("watch", "list")[0]["succeeded_at"])
    loa.stop()
    yield loa
    door.close()


@pytest.fixture
def without(loa):
    """Takes the identity out of the file, and puts it back."""
    whole = dict(loa.settings)
    loa.settings = {name: value for name, value in whole.items() if name not in TOGETHER}
    loa.write_config()
    yield loa
    loa.settings = whole
    loa.write_config()


COMMANDS = [
    ["migrate"], ["publish", "article.json"], ["withdraw", "tin-1", "--reason", "nhầm"], ["renumber", "tin-1"], ["import", "page.txt"],
    ["replay", "--outlet", "feed"], ["restore", "feed"], ["journey", "tin-1"], ["subscribers", "list"],
    ["subscribers", "add", "a@b.example"], ["endpoints", "list"], ["endpoints", "add", "https://a.example/"],
    ["hub", "list"], ["digest", "run"], ["digest", "preview"], ["dead-letters", "list"], ["portals", "list"],
    ["token", "create", "--scope", "publish"], ["token", "list"], ["watch", "list"], ["watch", "test", "http://127.0.0.1:9/"],
    ["watch", "run"], ["up"], ["intake"], ["feed"], ["digest"], ["push"], ["watch"], ["console"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_takes_sends_or_makes_something_ends_with_one_sentence(without, command):
    (without.folder / "article.json").write_text(json.dumps(article("tin-1")))
    (without.folder / "page.txt").write_text(SEED.read_text())
    done = without.command(*command, expect=1)
    assert done.stdout == "" and done.stderr.startswith(f"loa: {SENTENCE}"), done
    assert len(done.stderr.splitlines()) == 1 and all(name in done.stderr for name in TOGETHER) and "`loa init`" in done.stderr


@pytest.mark.parametrize("name", TOGETHER)
def test_a_part_of_an_identity_is_none_and_the_missing_setting_is_named(loa, name):
    # no variable can unset a setting of the file, so the file is another one
    whole = dict(loa.settings)
    try:
        loa.settings = {key: value for key, value in whole.items() if key != name}
        loa.write_config()
        done = loa.command("portals", "list", expect=1)
        assert done.stderr.rstrip().endswith(f"not set: {name}."), done.stderr
    finally:
        loa.settings = whole
        loa.write_config()


def test_check_says_it_in_its_line_and_looks_at_nothing_else(without):
    lines = json.loads(without.command("--json", "check", expect=1).stdout)
    assert [line["what"] for line in lines] == ["configuration", "areas", "identity"]
    assert lines[2]["kind"] == "no_identity" and lines[2]["detail"].startswith(SENTENCE) and not lines[2]["ok"]


def test_what_only_looks_works_and_says_it_beside(without, tmp_path):
    done = without.command("import", "--dry-run", str(SEED))
    assert "nothing published" in done.stdout and done.stderr.startswith(f"loa: {SENTENCE}")
    if without.amqp_url:
        topology = without.command("topology", "print")
        assert "loa.events" in topology.stdout and SENTENCE in topology.stderr
    if without.settings.get("store.kind") != "postgres":
        assert "is complete" in without.command("backup", str(tmp_path / "copy")).stdout


def test_nothing_goes_out_by_any_outlet_and_nothing_is_lost_meanwhile(loa, bus, portal, mail_server, watched, reader):
    producer = bus(loa)
    producer.structured(published("tin-cho", title=TITLE))
    before = (len(mail_server.mails), len(portal.hooks), len(reader.calls), len(watched.asked))
    whole = dict(loa.settings)
    loa.settings = {name: value for name, value in whole.items() if name not in TOGETHER}
    loa.write_config()
    names = (*SERVICES, "watch") if loa.apart else ("up",)
    started = [Process(f"{name}-nobody", ["--config", str(loa.config), name], loa.folder, loa.environment) for name in names]
    for process in started:
        until(30, f"{process.name} ends", lambda process=process: not process.alive())
        assert process.process.returncode == 1 and SENTENCE in process.said(), process.said()
    for name in names:
        with pytest.raises(OSError):
            http("GET", f"{loa.url(name)}/feeds/all.atom", timeout=2)
    time.sleep(2)  # what would come, would come now
    assert (len(mail_server.mails), len(portal.hooks), len(reader.calls), len(watched.asked)) == before
    loa.settings = whole
    loa.write_config()
    loa.start(*names)
    until(30, "it stands in the feed", lambda: TITLE in loa.titles())
    until(30, "it was mailed", lambda: any(TITLE in mail.part("plain") for mail in mail_server.to("van-phong@nason.example")))
    until(30, "it was pushed", lambda: any(hook.json()["subject"] == "tin-cho" for hook in portal.delivered()))
    until(30, "the hub told it", lambda: any(TITLE in call.body.decode() for call in reader.told("/all")))
    until(30, "the portal is looked at again", lambda: len(watched.asked) > before[3])
    assert f"{IDENTITY['site.tag_authority']},{IDENTITY['site.tag_date']}" in loa.feed("all.atom").text
    assert json.loads(loa.command("--json", "check", expect=None).stdout)[2]["ok"], "the check finds the identity set"
    loa.stop()
