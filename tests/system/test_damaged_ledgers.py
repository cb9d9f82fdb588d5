"""Damage that lies in a ledger is no message's fault: batches are held, the dependency is down with a sentence, nothing is lost.

The damage is real: pages overwritten under a running service, a header of zeros, a file cut short, deleted, or not ours to
read; on PostgreSQL a page whose checksum is wrong.
"""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import pwd
import shutil
import sqlite3
import subprocess
import time

import pytest
import shapes
from contract import article, published
from database import Database, make_database, program, servant
from installation import SERVICES, http, until

SHAPES = [*shapes.SMALL, shapes.KNOWN["sqlite-rabbitmq"], shapes.KNOWN["postgres-rabbitmq"]]
pytestmark = pytest.mark.apart
ON_FILES = pytest.mark.on(*shapes.SMALL, shapes.KNOWN["sqlite-rabbitmq"])
BEFORE, AFTER = 60, 20
# in the report that this file was made of, 20 events were dead letters after so long
HELD_SECONDS = 12
RUNS = itertools.count(1)
SERVICE = {"intake": "intake", "feed": "feed", "digest": "digest", "push": "push", "bus": "feed"}


class Story:
    """An installation that took articles in; then something is damaged, and more come."""

    def __init__(self, loa, producer, portal):
        self.loa, self.producer, self.portal, self.run = loa, producer, portal, next(RUNS)
        self.token = loa.json("token", "create", "--scope", "publish", "--name", "cms")["secret"]
        loa.json("endpoints", "add", portal.url)
        self.publish(range(BEFORE))
        self.everything_is_there(BEFORE)

    def id(self, number: int) -> str:
        return f"hong-{self.run}-{number:03}"

    def publish(self, numbers: range) -> None:
        for number in numbers:
            data = {"title": f"Tin {number:03}", "content_html": f"<p>{'Nội dung. ' * 200}</p>"}
            self.producer.structured(published(self.id(number), **data))

    def post(self, name: str, title: str = "Một tin"):
        data = article(name, title=title)
        del data["revision"]
        return http("POST", f"{self.loa.url('intake')}/v1/articles", json.dumps(data).encode(), timeout=30,
                    Authorization=f"Bearer {self.token}", Content_Type="application/json")

    def post_counted(self, number: int) -> int:
        return self.post(self.id(number), f"Tin {number:03}").status

    def file(self, ledger: str) -> pathlib.Path:
        return self.loa.folder / f"data/{ledger}.db"

    def readyz(self, service: str) -> tuple[int, str]:
        answer = http("GET", f"{self.loa.url(service)}/readyz", timeout=10)
        return answer.status, answer.text

    def is_told(self, service: str, *words: str) -> None:
        """The service is not ready and says why, `loa check` too."""
        def told() -> bool:
            status, text = self.readyz(service)
            assert status == 503 and all(word in text for word in words), text
            return True

        until(40, f"{service} is not ready and says {words}", told)

    def check_fails(self, *words: str) -> None:
        checked = self.loa.command("check", expect=1).stdout
        failed = [line for line in checked.splitlines() if line.startswith("FAIL")]
        assert any(all(word in line for word in words) for line in failed), checked

    def nothing_is_dead(self) -> None:
        assert self.loa.json("dead-letters", "list") == [], "what lies in a ledger is no message's fault"

    def everything_is_there(self, count: int) -> None:
        """In the feed, in each ledger (by the audit's own question), at the endpoint once."""
        wanted = {f"Tin {number:03}" for number in range(count)}
        until(60, f"{count} articles in the feed", lambda: set(self.loa.titles()) == wanted)
        subjects = lambda: [hook.json()["subject"] for hook in self.portal.delivered()]  # noqa: E731
        mine = lambda: {one for one in subjects() if one.startswith(f"hong-{self.run}-")}  # noqa: E731
        until(60, f"{count} webhooks", lambda: len(mine()) == count)
        last = self.id(count - 1)
        until(60, "each outlet knows the last", lambda: {"feed", "digest", "push", "intake"} <= {
            step["outlet"] for step in steps(self.loa, last)})
        self.nothing_is_dead()

    def all_went_through(self) -> None:
        self.everything_is_there(BEFORE + AFTER)
        for service in SERVICES[:4]:
            until(40, f"{service} is ready again", lambda service=service: self.readyz(service)[0] == 200)
        ids = collections.defaultdict(set)
        for hook in self.portal.delivered():
            ids[hook.json()["subject"]].add(hook.id)
        assert all(len(found) == 1 for found in ids.values()), "a repeat has the webhook-id of the first"
        self.loa.stop()


def steps(loa, name: str) -> list[dict]:
    told = loa.json("journey", name, expect=None)
    return (told["steps"] if isinstance(told, dict) else told) or []


@pytest.fixture
def loa(install, shape, request):
    if shape.store == "sqlite":
        made = install(feed__entries_max=1000, feed__document_bytes_max=10_000_000)
    else:
        server = request.getfixturevalue("server")
        name = f"loa_{next(RUNS)}"
        made = install(store__postgres__url=make_database(server.addresses(), name), feed__entries_max=1000,
                       feed__document_bytes_max=10_000_000)
    yield made
    made.end()


@pytest.fixture
def story(loa, bus, portal):
    portal.hooks.clear()
    loa.start(*SERVICES)
    return Story(loa, bus(loa), portal)


# ── files ──


class Pages:
    """The pages of a SQLite file that hold articles, overwritten; and brought back."""

    SIZE = 4096

    def __init__(self, path: pathlib.Path, marker: bytes):
        self.path, self.saved = path, {}
        fold(path)
        with open(path, "r+b") as file:
            content = file.read()
            for at in range(self.SIZE, len(content), self.SIZE):
                page = content[at:at + self.SIZE]
                if marker in page:
                    self.saved[at] = page
                    file.seek(at)
                    file.write(b"\x5a" * self.SIZE)
        assert len(self.saved) > 3, f"{path} has too few pages of articles to damage"

    def restore(self) -> None:
        with open(self.path, "r+b") as file:
            for at, page in self.saved.items():
                file.seek(at)
                file.write(page)


def fold(path: pathlib.Path) -> None:
    """Folds the log into the file, as SQLite itself does from time to time."""
    def folded() -> bool:
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as file:
            return file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0

    until(20, f"the log of {path} is folded", folded)


def poke(path: pathlib.Path) -> None:
    """Writes by another process: whoever remembers pages reads them anew."""
    with contextlib.closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as file:
        file.execute("PRAGMA user_version = 7" if path.name != "bus.db" else "UPDATE queue SET name = name WHERE name = 'loa.feed'")


@ON_FILES
@pytest.mark.parametrize("ledger", ["intake", "feed", "digest", "push"])
def test_pages_of_a_ledger_that_are_overwritten_hold_what_comes_in_until_they_are_brought_back(story, ledger):
    pages = Pages(story.file(ledger), f"hong-{story.run}-".encode())
    poke(story.file(ledger))
    story.publish(range(BEFORE, BEFORE + AFTER))
    story.is_told(SERVICE[ledger], f"{ledger}.db is damaged", "loa restore")
    time.sleep(HELD_SECONDS)
    story.nothing_is_dead()
    story.check_fails(f"ledger {ledger}", f"{ledger}.db is damaged")
    if ledger == "intake":
        assert story.post(story.id(0)).status == 503
    pages.restore()
    story.all_went_through()


@ON_FILES
@pytest.mark.parametrize("ledger", ["feed", "push"])
def test_pages_brought_back_while_the_service_is_stopped_let_everything_through_as_well(story, ledger):
    pages = Pages(story.file(ledger), f"hong-{story.run}-".encode())
    poke(story.file(ledger))
    story.publish(range(BEFORE, BEFORE + AFTER))
    story.is_told(SERVICE[ledger], f"{ledger}.db is damaged")
    story.loa.kill()
    pages.restore()
    story.loa.start(*SERVICES)
    story.all_went_through()


@ON_FILES
def test_the_log_of_a_ledger_that_is_overwritten_charges_nobody(story):
    path = story.file("feed")
    story.publish(range(BEFORE, BEFORE + AFTER // 2))
    until(30, "they stand", lambda: len(story.loa.titles()) == BEFORE + AFTER // 2)
    log = path.with_name("feed.db-wal")
    kept = log.read_bytes()
    assert len(kept) > 8192
    with open(log, "r+b") as file:  # behind its header
        file.seek(4096)
        file.write(b"\x5a" * (len(kept) - 4096))
    story.publish(range(BEFORE + AFTER // 2, BEFORE + AFTER))
    time.sleep(HELD_SECONDS)
    story.nothing_is_dead()
    # what stood in the log is damaged for good; the way back is the one of the manual
    story.loa.kill()
    story.loa.json("restore", "feed")
    story.loa.start(*SERVICES)
    story.all_went_through()


@ON_FILES
def test_what_stands_in_a_log_that_was_deleted_is_saved_by_those_who_have_it_open(story):
    log = story.file("feed").with_name("feed.db-wal")
    assert log.stat().st_size > 0
    log.unlink()
    story.publish(range(BEFORE, BEFORE + AFTER))
    until(60, "it goes on", lambda: len(story.loa.titles()) == BEFORE + AFTER)
    until(30, "it is told", lambda: "feed.db-wal was deleted while it was in use" in story.loa.logs())
    story.loa.kill()
    story.loa.start(*SERVICES)
    story.all_went_through()


@ON_FILES
@pytest.mark.parametrize("ledger", ["feed", "digest"])
def test_a_header_of_zeros_is_found_though_nobody_reads_it(story, ledger):
    path = story.file(ledger)
    fold(path)
    with open(path, "r+b") as file:
        header = file.read(100)
        file.seek(0)
        file.write(bytes(100))
    story.is_told(SERVICE[ledger], f"{ledger}.db", "loa restore")
    story.publish(range(BEFORE, BEFORE + AFTER))
    time.sleep(HELD_SECONDS / 2)
    story.nothing_is_dead()
    story.check_fails(f"{ledger}")
    with open(path, "r+b") as file:
        file.write(header)
    story.all_went_through()


@ON_FILES
@pytest.mark.parametrize("harm", ["cut short", "emptied", "deleted", "deleted with its log", "exchanged for another file"])
def test_a_file_that_is_not_what_it_was_takes_nothing_in_and_is_restored_by_the_manual(story, harm):
    path = story.file("feed")
    fold(path)
    match harm:
        case "cut short":
            with open(path, "r+b") as file:
                file.truncate(path.stat().st_size // 2 // Pages.SIZE * Pages.SIZE)
        case "emptied":
            os.truncate(path, 0)
        case "deleted":
            path.unlink()
        case "deleted with its log":
            for file in path.parent.glob("feed.db*"):
                if not file.name.endswith("-before"):
                    file.unlink()
        case _:
            shutil.copy(path, path.with_name("copy.db"))
            os.truncate(path.with_name("copy.db"), 0)
            path.with_name("copy.db").rename(path)
    story.publish(range(BEFORE, BEFORE + AFTER))
    story.is_told("feed", "feed.db", "loa restore")
    time.sleep(HELD_SECONDS)
    story.nothing_is_dead()
    assert "panicked" not in story.loa.logs()
    story.loa.kill()
    story.loa.json("restore", "feed")
    story.loa.start(*SERVICES)
    story.all_went_through()


@pytest.mark.on(*shapes.SMALL)
def test_a_damaged_file_of_queues_loses_no_event_and_charges_none(story):
    """Deliveries are counted when they are handed out: those that the file could not settle do not count."""
    loa, path = story.loa, story.file("bus")
    story.publish(range(BEFORE, BEFORE + AFTER // 2))
    until(30, "they stand", lambda: len(loa.titles()) == BEFORE + AFTER // 2)
    fold(path)
    with open(path, "r+b") as file:
        whole = file.read()
        for at in range(2 * Pages.SIZE, len(whole), Pages.SIZE):
            file.seek(at)
            file.write(b"\x5a" * Pages.SIZE)
    for number in range(BEFORE + AFTER // 2, BEFORE + AFTER):
        assert story.post_counted(number) in (202, 503)
    story.is_told("feed", "bus.db", "loa replay")
    time.sleep(HELD_SECONDS)
    loa.kill()
    for file in path.parent.glob("bus.db*"):
        if file.suffix != ".lock":
            file.rename(file.with_name(f"away-{file.name}"))
    loa.command("migrate")
    loa.start(*SERVICES)
    story.token = loa.json("token", "create", "--scope", "publish", "--name", "again")["secret"]
    for number in range(BEFORE + AFTER // 2, BEFORE + AFTER):
        until(30, "it is taken", lambda number=number: story.post_counted(number) in (200, 202))
    for outlet in ("feed", "digest", "push"):
        loa.command("replay", "--outlet", outlet)
    story.everything_is_there(BEFORE + AFTER)
    loa.stop()


@pytest.mark.on(*shapes.SMALL)
def test_a_file_that_loses_its_rights_costs_nothing(install, bus, portal):
    """As a user who is not root: root may everything."""
    portal.hooks.clear()
    loa = install(feed__entries_max=1000, feed__document_bytes_max=10_000_000)
    nobody = pwd.getpwnam("nobody")
    loa.user = nobody.pw_uid if os.geteuid() == 0 else None
    if loa.user is not None:
        give_to(loa.folder, nobody)
    loa.start(*SERVICES)
    story = Story(loa, bus(loa), portal)
    if loa.user is not None:
        give_to(loa.folder, nobody)  # what commands of root's made
    path = story.file("digest")
    # What is open stays usable, and SQLite may use a file that it has closed again, so the loss shows now, later, or with the
    # next start. Whenever it does: it costs nothing.
    path.chmod(0)
    story.publish(range(BEFORE, BEFORE + AFTER))
    time.sleep(HELD_SECONDS / 2)
    path.chmod(0o600)
    story.all_went_through()


def give_to(folder: pathlib.Path, user: pwd.struct_passwd) -> None:
    for above in folder.parents:
        with contextlib.suppress(PermissionError):
            if not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o011)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)


@pytest.mark.on(*shapes.SMALL)
def test_a_log_that_somebody_keeps_from_being_folded_is_named_and_is_no_reason_to_be_unready(story):
    loa, path = story.loa, story.file("feed")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM seen").fetchone()
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as writer:
        writer.execute("CREATE TABLE scratch (body BLOB)")
        writer.execute("INSERT INTO scratch VALUES (zeroblob(70000000))")
        writer.commit()
        writer.execute("DROP TABLE scratch")
        writer.commit()

    def named() -> bool:
        answer = http("GET", f"{loa.url('feed')}/readyz")
        said = answer.json()["faults"].get("log feed", {"sentence": ""})["sentence"]
        return answer.status == 200 and "feed.db-wal has grown to" in said and "fuser" in said

    until(20, "the long log is named", named)
    assert measured(loa, "loa_ledger_log_bytes", "feed") > 64 * 1024 * 1024
    story.check_fails("ledger feed", "feed.db-wal has grown to")
    reader.close()
    story.publish(range(BEFORE, BEFORE + AFTER // 2))
    until(30, "they stand", lambda: len(loa.titles()) == BEFORE + AFTER // 2)
    story.publish(range(BEFORE + AFTER // 2, BEFORE + AFTER))
    until(40, "the log was cut back", lambda: "log feed" not in http("GET", f"{loa.url('feed')}/readyz").json()["faults"])
    story.all_went_through()


def measured(loa, name: str, ledger: str) -> float:
    lines = http("GET", f"{loa.url('feed')}/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name) and f'ledger="{ledger}"' in line)


@pytest.mark.on(*shapes.SMALL)
def test_rows_that_cannot_be_read_are_set_aside_and_named_and_the_others_go_on(story):
    loa = story.loa
    with contextlib.closing(sqlite3.connect(story.file("feed"), timeout=20)) as file:
        file.execute("UPDATE item SET content = '{\"kind\":' WHERE article LIKE ?", (f"%{story.id(7)}",))
        assert file.execute("SELECT changes()").fetchone()[0] == 1
        # a text that is no UTF-8 stops no statement either
        file.execute("UPDATE item SET content = CAST(x'ff' AS TEXT) WHERE article LIKE ?", (f"%{story.id(9)}",))
        assert file.execute("SELECT changes()").fetchone()[0] == 1
        file.commit()
    story.publish(range(BEFORE, BEFORE + AFTER))
    wanted = {f"Tin {number:03}" for number in range(BEFORE + AFTER) if number not in (7, 9)}
    until(30, "all others", lambda: set(loa.titles()) == wanted)

    def named() -> bool:
        answer = http("GET", f"{loa.url('feed')}/readyz")
        said = answer.json()["faults"].get("unreadable feed", {"sentence": ""})["sentence"]
        return answer.status == 200 and all(f"item.content of {story.id(number)} cannot be read back" in said for number in (7, 9))

    until(20, "the rows are named", named)
    assert measured(loa, "loa_ledger_unreadable_rows", "feed") == 2
    # another process finds them by itself
    story.check_fails("ledger feed", f"item.content of {story.id(7)}", f"item.content of {story.id(9)}", "backup-and-restore.md")
    story.nothing_is_dead()
    # the archive brings it back: a correction overwrites the row
    for number in (7, 9):
        story.producer.structured(published(story.id(number), 2, title=f"Tin {number:03}", content_html="<p>Lại có.</p>"))
    until(30, "they are there again", lambda: {"Tin 007", "Tin 009"} <= set(loa.titles()))
    until(20, "and named no more", lambda: "unreadable feed" not in http("GET", f"{loa.url('feed')}/readyz").json()["faults"])
    loa.stop()


# ── PostgreSQL ──


@pytest.fixture(scope="module")
def server(tmp_path_factory, shape):
    """A cluster of this file's own, with checksums, as data_checksums has been the default since version 18."""
    database = Database(tmp_path_factory.mktemp("own-postgres") / "postgresql", settings={"autovacuum": "off"}).start()
    database.stop()
    done = subprocess.run([program("pg_checksums"), "--enable", "-D", str(database.folder / "data")], cwd=database.folder,
                          capture_output=True, text=True, **servant())
    assert done.returncode == 0, done.stderr
    database.start()
    yield database
    database.stop()


class Heap:
    """The pages of tables on PostgreSQL, made wrong while the server is stopped; and brought back."""

    def __init__(self, server: Database, database: str, *tables: str):
        self.server = server
        paths = [server.query(f"SELECT pg_relation_filepath('{table}')", database, user="postgres")[0][0] for table in tables]
        self.files = [server.folder / "data" / path for path in paths]
        server.stop()
        self.kept = [file.read_bytes() for file in self.files]
        for file, content in zip(self.files, self.kept):
            assert content, f"{file} is empty"
            with open(file, "r+b") as page:
                for at in range(0, len(content), 8192):
                    page.seek(at + 4000)
                    page.write(b"\x5a" * 64)
        server.start()

    def restore(self) -> None:
        self.server.stop()
        for file, content in zip(self.files, self.kept):
            file.write_bytes(content)
        self.server.start()


@pytest.mark.on(shapes.KNOWN["postgres-rabbitmq"])
@pytest.mark.parametrize("ledger", ["intake", "feed", "digest", "push"])
def test_pages_whose_checksum_is_wrong_hold_what_comes_in_until_they_are_brought_back(story, server, ledger):
    database = str(story.loa.settings["store.postgres.url"]).rsplit("/", 1)[1]
    heap = Heap(server, database, f"loa_{ledger}.{'archive' if ledger == 'intake' else 'seen'}")
    story.publish(range(BEFORE, BEFORE + AFTER))
    story.is_told(ledger, f"the schema loa_{ledger} is damaged", "backup-and-restore.md")
    time.sleep(HELD_SECONDS)
    story.nothing_is_dead()
    story.check_fails("database pages")
    heap.restore()
    server.query("SELECT pg_stat_reset()", database, user="postgres")
    story.all_went_through()


@pytest.mark.on(shapes.KNOWN["postgres-rabbitmq"])
def test_a_table_whose_file_is_missing_holds_what_comes_in_until_it_is_back(story, server):
    database = str(story.loa.settings["store.postgres.url"]).rsplit("/", 1)[1]
    path = server.query("SELECT pg_relation_filepath('loa_feed.seen')", database, user="postgres")[0][0]
    file = server.folder / "data" / path
    server.stop()
    away = file.rename(file.with_name("away"))
    server.start()
    story.publish(range(BEFORE, BEFORE + AFTER))
    story.is_told("feed", "cannot read or write the files of the schema loa_feed")
    time.sleep(HELD_SECONDS)
    story.nothing_is_dead()
    server.stop()
    away.rename(file)
    server.start()
    story.all_went_through()
