"""One ledger is lost and yesterday's copy restored, in every shape: it ends as it stood, and nothing goes out twice."""

import json
import pathlib
import re
import subprocess
import urllib.parse

import pytest
import shapes
from contract import article
from installation import SERVICES, http, until

SHAPES = shapes.BOTH
STAYS, LEAVES, COMES = "o-lai@nason.example", "roi-di@nason.example", "den-sau@nason.example"


class Ledgers:
    """How an administrator copies, loses and brings back one ledger: by `loa` itself, or by PostgreSQL's tools."""

    def __init__(self, loa, folder: pathlib.Path):
        self.loa, self.folder, self.made_at = loa, folder, None
        self.postgres = "store.postgres.url" in loa.settings

    def tool(self, name: str, *arguments: str) -> None:
        """One of PostgreSQL's programs, on the installation's database."""
        address = str(self.loa.settings["store.postgres.url"])
        secret = pathlib.Path(str(self.loa.settings["store.postgres.password_file"])).read_text()
        done = subprocess.run([name, f"--dbname={address}", *arguments], env=self.loa.environment | {"PGPASSWORD": secret},
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{name}: {done.stderr}"

    def copy(self) -> None:
        """While everything runs."""
        if not self.postgres:
            done = self.loa.json("backup", str(self.folder))
            assert [one["ledger"] for one in done][:2] in (["bus", "feed"], ["feed", "digest"])
            assert self.folder.stat().st_mode & 0o777 == 0o700
            return
        self.made_at = subprocess.run(["date", "--utc", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True,
                                      check=True).stdout.strip()
        self.folder.mkdir()
        for ledger in ("feed", "digest", "push"):
            self.tool("pg_dump", "--format=custom", f"--schema=loa_{ledger}", f"--file={self.folder / ledger}.dump")

    def lose(self, ledger: str) -> None:
        if self.postgres:
            self.tool("psql", "--quiet", "--command", f'DROP SCHEMA "loa_{ledger}" CASCADE')
            return
        for file in (self.loa.folder / "data").glob(f"{ledger}.db*"):
            file.unlink()

    def restore(self, ledger: str) -> dict:
        if not self.postgres:
            return self.loa.json("restore", ledger, "--from", str(self.folder / f"{ledger}.db"))
        self.tool("pg_restore", "--exit-on-error", str(self.folder / f"{ledger}.dump"))
        return self.loa.json("restore", ledger, "--since", self.made_at)


@pytest.fixture(scope="module")
def loa(install, portal, mail_server, tmp_path_factory):
    """A day: an article that was mailed and posted; the copies; then news, a withdrawal, one who leaves, one who comes."""
    loa = install()
    loa.start(*SERVICES)
    loa.portal, loa.mails = portal, mail_server
    loa.endpoint = loa.json("endpoints", "add", portal.url)["id"]
    for address in (STAYS, LEAVES):
        loa.command("subscribers", "add", address, "--frequency", "daily")
    loa.ledgers = Ledgers(loa, tmp_path_factory.mktemp("copies") / "2026-11-25")
    publish(loa, "hom-qua", "Tin hôm qua")
    mail_what_is_owed(loa, 2)
    loa.ledgers.copy()

    leave(loa, LEAVES)
    loa.command("subscribers", "add", COMES, "--frequency", "daily")
    publish(loa, "hom-nay", "Tin hôm nay")
    mail_what_is_owed(loa, 4)
    loa.command("withdraw", "hom-nay", "--reason", "Đăng nhầm")
    publish(loa, "chua-gui", "Tin chưa gửi thư")
    until(20, "the portal has all four", lambda: len(loa.portal.hooks) == 4)
    until(20, "its answers are in the ledger", lambda: "pending" not in {
        step["step"] for step in journey(loa, "chua-gui")})
    until(20, "the feed tells both", lambda: set(loa.titles()) == {"Tin chưa gửi thư", "Tin hôm qua"})
    until(20, "the digests know the withdrawal", lambda: "withdrawn" in {
        step["step"] for step in journey(loa, "hom-nay") if step["outlet"] == "digest"})
    loa.stop()
    yield loa
    loa.stop()


def publish(loa, name: str, title: str) -> None:
    file = loa.folder / f"{name}.json"
    file.write_text(json.dumps(article(name, title=title), ensure_ascii=False))
    loa.command("publish", str(file))
    until(20, f"{name} is everywhere", lambda: outlets(loa, name) >= {"intake", "feed", "digest", "push"})


def outlets(loa, name: str) -> set[str]:
    return {step["outlet"] for step in journey(loa, name)}


def journey(loa, name: str) -> list[dict]:
    steps = loa.json("journey", name, expect=None)
    return (steps["steps"] if isinstance(steps, dict) else steps) or []


def mail_what_is_owed(loa, in_all: int) -> None:
    until(20, f"{in_all} mails", lambda: loa.command("digest", "run") and len(loa.mails.mails) >= in_all)


def leave(loa, address: str) -> None:
    """Presses the mail's unsubscribe button."""
    header = loa.mails.to(address)[0].message["list-unsubscribe"]
    link = loa.local(re.search(r"<(https://[^>]+)>", header).group(1))
    body = urllib.parse.urlencode({"List-Unsubscribe": "One-Click"}).encode()
    assert http("POST", link, body, Content_Type="application/x-www-form-urlencoded").status == 200


def stands(loa, outlet: str) -> list:
    """What an outlet says of each article, but the instants, which the archive knows to the batch; and its people."""
    told = [
        [(step["step"], step["revision"], step["detail"]) for step in journey(loa, name) if step["outlet"] == outlet]
        for name in ("hom-qua", "hom-nay", "chua-gui")
    ]
    return [told, loa.json("subscribers", "list"), loa.json("endpoints", "list")]


def test_1_a_restored_ledger_stands_as_the_lost_one_did(loa):
    for ledger in ("feed", "digest", "push"):
        before = stands(loa, ledger)
        loa.ledgers.lose(ledger)
        report = loa.ledgers.restore(ledger)
        assert report["events"] == 3 and report["deferred"] == 0, report
        assert stands(loa, ledger) == before, ledger


def test_2_nothing_goes_out_a_second_time(loa):
    mails, hooks = len(loa.mails.mails), len(loa.portal.hooks)
    loa.start(*SERVICES)
    for outlet in ("digest", "push", "feed"):
        loa.command("replay", "--outlet", outlet)
    until(20, "the corrections and what was owed", lambda: loa.command("digest", "run") and len(loa.mails.mails) >= mails + 2)
    loa.command("digest", "run")
    assert len(loa.portal.hooks) == hooks
    assert [len(loa.mails.to(address)) for address in (STAYS, LEAVES, COMES)] == [3, 1, 2]
    assert len({mail.message["message-id"] for mail in loa.mails.mails}) == len(loa.mails.mails)


def test_3_what_was_owed_is_sent_and_corrections_to_exactly_those_who_had_it(loa):
    for address in (STAYS, COMES):
        said = loa.mails.to(address)[-1].part("plain")
        assert "Tin chưa gửi thư" in said and "Đăng nhầm" in said, said
    assert "Tin hôm qua" not in loa.mails.to(COMES)[-1].part("plain")
    assert set(loa.titles()) == {"Tin chưa gửi thư", "Tin hôm qua"}


def test_4_life_goes_on(loa):
    hooks = len(loa.portal.hooks)
    publish(loa, "ngay-mai", "Tin ngày mai")
    until(20, "the portal has it", lambda: len(loa.portal.hooks) == hooks + 1)
    mail_what_is_owed(loa, len(loa.mails.mails) + 2)
    assert len(loa.mails.to(LEAVES)) == 1


@pytest.mark.on(*[shape for shape in shapes.EVERY if shape.store == "sqlite"])
def test_5_a_ledger_in_use_is_not_restored(loa):
    refused = loa.command("restore", "digest", "--from", str(loa.ledgers.folder / "digest.db"), expect=1)
    assert "stop every `loa`" in refused.stderr
    assert loa.json("subscribers", "list"), "nothing was changed"


@pytest.mark.on(*[shape for shape in shapes.EVERY if shape.store == "sqlite"])
def test_6_the_wrong_copy_and_a_second_backup_of_one_name_are_refused(loa):
    loa.stop()
    refused = loa.command("restore", "push", "--from", str(loa.ledgers.folder / "digest.db"), expect=1)
    assert "is a copy of digest, not of push" in refused.stderr
    refused = loa.command("backup", str(loa.ledgers.folder), expect=1)
    assert "already" in refused.stderr
    # the feeds need no copy at all
    loa.ledgers.lose("feed")
    assert loa.json("restore", "feed")["events"] == 5
    loa.start(*SERVICES)
    assert set(loa.titles()) == {"Tin chưa gửi thư", "Tin hôm qua", "Tin ngày mai"}


@pytest.mark.on(*[shape for shape in shapes.EVERY if shape.store == "postgres"])
def test_7_on_postgresql_its_own_tools_make_the_copies(loa):
    refused = loa.command("backup", str(loa.folder / "nowhere"), expect=1)
    assert "PostgreSQL's own tools" in refused.stderr
    assert not (loa.folder / "nowhere").exists()
