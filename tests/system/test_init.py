"""`loa init`: asked on a terminal or told by options, it writes settings that are good, and spoils none that are there."""

import contextlib
import json
import os
import pty
import select
import stat
import subprocess
import time
import tomllib

import pytest
from broker import free_port
from installation import Process, binary, http, until, without_colour

WHOLE = {
    "--name": "Cổng thông tin điện tử xã \"Na Son\"", "--address": "https://nason.example", "--area": "Xã Na Son, Tỉnh Điện Biên",
    "--id-domain": "nason.example", "--smtp-host": "127.0.0.1",
}


def options(**changes: str | None) -> list[str]:
    """All that is needed, but for changes; `None` leaves an option out."""
    wanted = WHOLE | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [word for name, value in wanted.items() if value is not None for word in (name, value)]


def environment(folder, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "LOA__HEALTH__PORT_OFFSET": "0", **more}


def run(folder, *arguments: str, expect: int = 0, **more: str):
    done = subprocess.run([binary(), *arguments], cwd=folder, env=environment(folder, **more), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == expect and "panicked" not in done.stderr, done
    return done


class Terminal:
    """A person at a terminal."""

    def __init__(self, folder, *arguments: str):
        self.shown = ""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execve(binary(), [binary(), *arguments], environment(folder))

    def read(self, words: str, since: int = 0, seconds: float = 60) -> None:
        """Reads until the words stand there."""
        deadline = time.monotonic() + seconds
        while words not in self.shown[since:]:
            assert time.monotonic() < deadline, f"{words!r} was not shown: {self.shown}"
            if select.select([self.terminal], [], [], 0.2)[0]:
                part = self.take()
                assert part, f"it ended before {words!r}: {self.shown}"
                self.shown += part

    def take(self) -> str:
        with contextlib.suppress(OSError):  # Linux says so at the end
            return os.read(self.terminal, 65536).decode().replace("\r\n", "\n")
        return ""

    def answer(self, question: str, *lines: str) -> None:
        """Waits for the question and its prompt, and answers; each line but the last is one that is not taken."""
        since = len(self.shown)
        self.read(question)
        for line in lines:
            self.read("> ", since)
            since = len(self.shown)
            os.write(self.terminal, (line + "\n").encode())

    def end(self) -> int:
        while part := self.take():
            self.shown += part
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def test_by_options_it_writes_a_file_that_counts_and_says_what_next(tmp_path):
    done = run(tmp_path, "init", *options(public_url="https://tin.nason.example/"))
    path = tmp_path / "loa.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and [entry.name for entry in tmp_path.iterdir()] == ["loa.toml"]
    written = tomllib.loads(path.read_text())
    assert written["portal"] == {"name": WHOLE["--name"], "url": "https://nason.example/", "source": "https://nason.example/",
                                 "area": "na-son-03203-2025"}
    assert written["site"]["tag_authority"] == "nason.example" and written["site"]["public_url"] == "https://tin.nason.example/"
    assert written["areas"] == {"within": ["Tỉnh Điện Biên"]} and written["digest"]["from_address"] == "ban-tin@nason.example"
    assert "loa check" in done.stdout and "loa up" in done.stdout
    lines = {line["what"]: line for line in json.loads(run(
        tmp_path, "--json", "check", expect=1, LOA__DIGEST__SMTP__PORT=str(free_port())).stdout)}
    assert lines["identity"]["ok"] and "tag:nason.example," in lines["identity"]["detail"], "what was written is read without being named"
    assert int(lines["areas"]["detail"].split()[0]) > 150 and lines["service digest"]["ok"]


def test_what_was_written_starts_and_publishes_in_its_name(tmp_path):
    run(tmp_path, "init", *options())
    port = free_port()
    up = Process("up", ["up", "--listen", f"127.0.0.1:{port}"], tmp_path, environment(tmp_path))
    try:
        feed = until(60, "it serves", lambda: http("GET", f"http://127.0.0.1:{port}/feeds/all.atom"))
        assert "tag:nason.example," in feed.text and "Na Son" in feed.text and "Điện Biên Đông" not in feed.text
        page = until(30, "it has a face", lambda: http("GET", f"http://127.0.0.1:{port}/"))
        assert "Na Son" in page.text and "Điện Biên Đông" not in page.text
    finally:
        up.kill()


def test_for_machines_it_says_the_same_as_json(tmp_path):
    path = tmp_path / "etc/loa.toml"
    path.parent.mkdir()
    told = json.loads(run(tmp_path, "--json", "--config", str(path), "init", *options()).stdout)
    assert told["file"] == str(path) and told["kept"] is None and f"loa --config {path} check" in told["next"]


def test_without_a_terminal_all_that_is_missing_is_named_and_nothing_is_written(tmp_path):
    done = run(tmp_path, "init", "--name", "Na Son", expect=1)
    for flag in ("--address", "--area", "--id-domain", "--smtp-host"):
        assert flag in done.stderr, done.stderr
    assert "--name" not in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("flag", "wrong", "said"), [
    ("address", "nason.example", "begins with https://"), ("area", "Gondor", "no province, former district or area"),
    ("id_domain", "https://nason.example/", "the domain alone"), ("smtp_host", "mail.example:587", "more than a server's name"),
    ("from", "ban-tin", "no mail address"), ("tag_date", "2999-01-01", "still to come"), ("public_url", "ftp://x.example/", "https://"),
])
def test_an_option_that_cannot_be_is_told_with_its_name(tmp_path, flag, wrong, said):
    done = run(tmp_path, "init", *options(**{flag: wrong}), expect=1)
    assert f"--{flag.replace('_', '-')}" in done.stderr and said in done.stderr and list(tmp_path.iterdir()) == []


def test_a_password_has_no_option_and_the_file_for_it_is_named(tmp_path):
    done = run(tmp_path, "init", *options(smtp_password="hunter2"), expect=2)
    assert "--smtp-password-file" in done.stderr
    done = run(tmp_path, "init", *options(smtp_user="loa", smtp_password_file="/etc/loa/smtp.password"))
    assert "/etc/loa/smtp.password" in done.stdout
    assert tomllib.loads((tmp_path / "loa.toml").read_text())["digest"]["smtp"]["password_file"] == "/etc/loa/smtp.password"


def test_a_file_that_is_there_stays_and_by_force_is_kept_with_its_ids(tmp_path):
    run(tmp_path, "init", *options(tag_date="2023-05-06"))
    first = (tmp_path / "loa.toml").read_text()
    assert "--force" in run(tmp_path, "init", *options(), expect=1).stderr
    assert "never changes" in run(tmp_path, "init", "--force", *options(id_domain="other.example"), expect=1).stderr
    assert (tmp_path / "loa.toml").read_text() == first
    told = json.loads(run(tmp_path, "--json", "init", "--force", *options(name="Xã Na Son", id_domain=None, address="https://moved.example/")).stdout)
    assert (tmp_path / told["kept"]).read_text() == first
    written = tomllib.loads((tmp_path / "loa.toml").read_text())
    assert written["portal"]["url"] == "https://moved.example/" and written["portal"]["source"] == "https://nason.example/"
    assert (written["site"]["tag_authority"], str(written["site"]["tag_date"])) == ("nason.example", "2023-05-06")


def test_ledgers_of_an_installation_that_ran_before_make_ids_a_question(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/intake.db").touch()
    done = run(tmp_path, "init", *options(), expect=1)
    assert "--source" in done.stderr and "--tag-date" in done.stderr and not (tmp_path / "loa.toml").exists()
    run(tmp_path, "init", *options(source="https://old.example/", tag_date="2023-01-01"))
    assert tomllib.loads((tmp_path / "loa.toml").read_text())["portal"]["source"] == "https://old.example/"


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    done = run(tmp_path, "--config", str(tmp_path / "nowhere/loa.toml"), "init", *options(), expect=1)
    assert "nowhere/loa.toml" in done.stderr


def test_on_a_terminal_it_asks_until_each_answer_is_one(tmp_path):
    person = Terminal(tmp_path, "init")
    person.answer("The portal's name", "", "Cổng thông tin điện tử xã Na Son")
    person.answer("The portal's address", "nason.example", "https://nason.example/")
    person.answer("The areas", "Tân Lập", "xã na son")
    person.answer("A domain for ids", "")
    person.answer("A day on which that domain was yours", "hôm qua", "2026-01-02")
    person.answer("Where readers reach Loa", "https://tin.nason.example/")
    person.answer("The mail server", "smtp://mail.nason.example", "mail.nason.example")
    person.answer("Its port", "")
    person.answer("How the connection to it is encrypted", "")
    person.answer("The user's name at the mail server", "loa")
    person.answer("A file with that user's password", "smtp.password", "/etc/loa/smtp.password")
    person.answer("The sender of mails", "")
    assert person.end() == 0, person.shown
    for said in ("An answer is needed here.", "begins with https://", "is the name of", "[nason.example] > ", "[587] > ", "[starttls] > ",
                 "is no day", "more than a server's name", "no whole path", "For instance: ", "loa check"):
        assert said in without_colour(person.shown), f"{said}: {person.shown}"
    written = tomllib.loads((tmp_path / "loa.toml").read_text())
    assert (written["portal"]["name"], written["portal"]["area"]) == ("Cổng thông tin điện tử xã Na Son", "na-son-03203-2025")
    assert (written["site"]["tag_authority"], written["site"]["tag_date"]) == ("nason.example", "2026-01-02")
    assert written["digest"]["smtp"] == {"host": "mail.nason.example", "port": 587, "tls": "starttls", "username": "loa",
                                         "password_file": "/etc/loa/smtp.password"}
    assert written["digest"]["from_address"] == "ban-tin@nason.example"


def test_on_a_terminal_options_are_not_asked_again_and_an_end_writes_nothing(tmp_path):
    person = Terminal(tmp_path, "init", *options())
    person.read("A day on which that domain was yours")
    assert "The portal's name" not in person.shown
    os.write(person.terminal, b"\x04")  # Ctrl-D
    assert person.end() == 1 and "nothing was written" in person.shown
    assert list(tmp_path.iterdir()) == []


def test_the_demo_keeps_its_sample_identity_in_a_folder_with_a_file(tmp_path):
    run(tmp_path, "init", *options())
    address = f"127.0.0.1:{free_port()}"
    demo = Process("demo", ["demo", "--listen", address], tmp_path, environment(tmp_path, TMPDIR=str(tmp_path)))
    try:
        until(90, "it says where to look", lambda: "Look here" in demo.said())
        feed = http("GET", f"http://{address}/feeds/all.atom").text
        assert "tag:dienbiendong.gov.vn,2023-01-01:" in feed and "nason.example" not in feed
        assert demo.stop() == 0, demo.said()
    finally:
        demo.kill()
