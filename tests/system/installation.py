"""One installation of Loa: a folder, a configuration file, free ports, the real binary, in one process or in many.

Must not know what a test is about. Everything goes to the installation's folder; every process ends with it.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from broker import die_with_owner, free_port

SERVICES = ("intake", "feed", "digest", "push", "console")
READY_SECONDS_MAX = 180
COMMAND_SECONDS_MAX = 600
STOP_SECONDS_MAX = 35  # a soft stop finishes what is in flight, within the 30 s of `stop.grace_seconds`
PUBLIC = "https://loa.example.gov.vn"  # what stands in feeds and mails; a proxy would lead from there to the services
# Whose installation it is: settings without a default.
IDENTITY: dict[str, object] = {
    "portal.name": "Cổng thông tin điện tử huyện Điện Biên Đông",
    "portal.url": "https://dienbiendong.gov.vn/",
    "portal.source": "https://dienbiendong.gov.vn/",
    "site.tag_authority": "dienbiendong.gov.vn",
    "site.tag_date": "2023-01-01",
    "areas.within": ["Huyện Điện Biên Đông"],
    "digest.from_address": "ban-tin@loa.example.gov.vn",
}
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SEED = REPOSITORY / "crates/loa-portal/fixtures/seed.txt"


def binary() -> str:
    """The program under test; `tests/run` names it."""
    path = os.environ.get("LOA_BIN") or str(REPOSITORY / "target/debug/loa")
    assert os.access(path, os.X_OK), f"there is no {path}: run tests/run, or set LOA_BIN"
    return path


# How much longer than expected a loaded machine may take. A wait asks whether something comes, never how fast.
PATIENCE = 6


def until(seconds: float, what: str, check: Callable[[], object]):
    """The first true answer of `check`, which is expected within so many seconds; fails with the last one after `PATIENCE` times that."""
    seconds *= PATIENCE
    deadline, last = time.monotonic() + seconds, None
    while True:
        try:
            last = check()
            if last:
                return last
        except (OSError, AssertionError) as error:
            last = error
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}; last seen: {last!r}"
        time.sleep(0.05)


class Answer:
    """What an HTTP server said."""

    def __init__(self, status: int, headers, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


class KeepRedirects(urllib.request.HTTPRedirectHandler):
    """Answers are looked at as they are."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), KeepRedirects)


def http(method: str, url: str, body: bytes | None = None, timeout: float = 30, **headers: str) -> Answer:
    """One request; header names with `_` for `-`. Errors of HTTP are answers, those of the network are raised."""
    request = urllib.request.Request(url, data=body, method=method)
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with OPENER.open(request, timeout=timeout) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as answer:
        return Answer(answer.code, answer.headers, answer.read())


class Process:
    """A running `loa`."""

    def __init__(
        self, name: str, arguments: list[str], folder: pathlib.Path, environment: dict[str, str], user: int | None = None,
    ):
        self.name, self.log = name, folder / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [binary(), *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, preexec_fn=die_with_owner, user=user,
            )

    def alive(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """kill -9: no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def stop(self, how: int = signal.SIGTERM, seconds: float = STOP_SECONDS_MAX) -> int:
        """Asks it to end and returns its exit code; fails when it takes longer."""
        if self.alive():
            self.process.send_signal(how)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end within {seconds} s:\n{self.said()[-3000:]}") from None


def toml(value: object) -> str:
    """A TOML value; JSON's form fits for what is used here."""
    return json.dumps(value, ensure_ascii=False)


class Installation:
    """See the module's words. `amqp_url` and `postgres_url` make the shape; without them, files do.

    `apart`: whether each service is a process of its own; `up` is all of them in one. A replica is a service with a
    number: `feed-2`. `settings` are dotted keys over the ones every test needs; `None`: not set.
    """

    def __init__(
        self, folder: pathlib.Path, amqp_url: str | None = None, settings: dict[str, object] | None = None,
        postgres_url: str | None = None, apart: bool = True,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.amqp_url, self.apart = folder, amqp_url, apart
        self.ports = {name: free_port() for name in (*SERVICES, "up")}
        self.running: dict[str, Process] = {}
        self.user: int | None = None  # whom processes run as, where that is not who tests
        self.settings: dict[str, object] = {
            **IDENTITY,
            "data_dir": str(folder / "data"),
            "site.public_url": f"{PUBLIC}/",
            "push.allow_networks": ["127.0.0.0/8"],
            "push.retry.delays_seconds": [1] * 12,
            # what tests publish is dated years ago, and is news to them
            "intake.backfile_after_days": 0,
            **{f"{name}.listen": f"127.0.0.1:{port}" for name, port in self.ports.items()},
        }
        if amqp_url is not None:
            self.settings |= {"bus.kind": "rabbitmq", "bus.rabbitmq.url": amqp_url}
        if postgres_url is not None:
            self.settings |= {"store.kind": "postgres", "store.postgres.url": postgres_url}
        self.settings |= settings or {}
        self.settings = {key: value for key, value in self.settings.items() if value is not None}
        for section in ("bus.rabbitmq", "store.postgres"):
            if f"{section}.url" in self.settings:
                self.keep_password_apart(section)
        self.environment = {
            # ports are free ones, and what lies beside them is somebody else's
            "LOA__HEALTH__PORT_OFFSET": "0",
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder), "LANG": "C.UTF-8",
            "NO_COLOR": "1", "TZ": "UTC",
        }
        self.config = folder / "loa.toml"
        self.write_config()

    def keep_password_apart(self, section: str) -> None:
        """A password in a settings file is refused: it gets a file of its own."""
        address = urllib.parse.urlsplit(str(self.settings[f"{section}.url"]))
        secret = self.folder / f"{section}.password"
        secret.write_text(address.password or "")
        secret.chmod(0o600)
        without = address._replace(netloc=f"{address.username}@{address.hostname}:{address.port}")
        self.settings |= {f"{section}.url": without.geturl(), f"{section}.password_file": str(secret)}

    def write_config(self) -> None:
        """Writes the settings; a process started later sees them."""
        sections: dict[str, list[str]] = {"": []}
        for key, value in self.settings.items():
            section, _, name = key.rpartition(".")
            sections.setdefault(section, []).append(f"{name} = {toml(value)}")
        self.config.write_text("\n".join(
            (f"[{section}]\n" if section else "") + "\n".join(lines) + "\n" for section, lines in sections.items()
        ))

    # ── commands ──

    def command(self, *arguments: str, expect: int | None = 0, stdin: str | None = None, **environment: str):
        """Runs one command to its end and holds its exit code against `expect` (`None`: any)."""
        done = subprocess.run(
            [binary(), "--config", str(self.config), *arguments], cwd=self.folder, env=self.environment | environment,
            input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True, text=True,
            timeout=COMMAND_SECONDS_MAX, user=self.user,
        )
        assert expect is None or done.returncode == expect, (
            f"loa {' '.join(arguments)} ended with {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}")
        assert "panicked" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: str, **options):
        """Runs one command with --json and reads what it printed."""
        done = self.command("--json", *arguments, **options)
        return json.loads(done.stdout) if done.stdout.strip() else None

    # ── processes ──

    def processes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The processes that these services are: themselves, or the one that is all of them."""
        return names if self.apart or not names else ("up",)

    def start(self, *names: str, wait: bool = True) -> None:
        """Starts services, replicas of them, or `up`, and waits until each is ready."""
        names = self.processes(names)
        for name in names:
            assert name not in self.running or not self.running[name].alive(), f"{name} runs already"
            service = name.partition("-")[0]
            port = self.ports.setdefault(name, free_port())
            environment = self.environment | {f"LOA__{service.upper()}__LISTEN": f"127.0.0.1:{port}"}
            self.running[name] = Process(name, ["--config", str(self.config), service], self.folder, environment, self.user)
        for name in names if wait else ():
            self.wait_ready(name)

    def wait_ready(self, name: str) -> None:
        """Waits until a service says that its dependencies are up."""
        process = self.running[name]

        def ready() -> bool:
            assert process.alive(), f"{name} ended with {process.process.poll()}:\n{process.said()[-3000:]}"
            return http("GET", f"{self.url(name)}/readyz", timeout=2).status == 200

        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            with contextlib.suppress(OSError):
                if ready():
                    return
            assert time.monotonic() < deadline, f"{name} was not ready:\n{process.said()[-3000:]}"
            time.sleep(0.05)

    def stop(self, *names: str) -> None:
        """Ends services softly; each must end in time, with 0, and without a panic."""
        for name in self.processes(names) or tuple(self.running):
            process = self.running.pop(name)
            code = process.stop()
            assert code == 0, f"{name} ended with {code}:\n{process.said()[-3000:]}"
            assert "panicked" not in process.said(), process.said()[-3000:]

    def kill(self, *names: str) -> None:
        """kill -9: of these, or of all that runs."""
        for name in self.processes(names) or tuple(self.running):
            self.running.pop(name).kill()

    def end(self) -> None:
        """Ends whatever is left, without asking."""
        for process in self.running.values():
            process.kill()
        self.running.clear()

    # ── where things are ──

    def url(self, service: str) -> str:
        """The address of a service, or of a replica; where all are one process, its."""
        return f"http://127.0.0.1:{self.ports[service if self.apart else 'up']}"

    def local(self, public: str) -> str:
        """Where a public address leads, behind the proxy that is not there."""
        assert public.startswith(f"{PUBLIC}/"), f"not an address of ours: {public}"
        path = public.removeprefix(PUBLIC)
        return self.url(self.service_of(path)) + path

    @staticmethod
    def service_of(path: str) -> str:
        """Which service serves a path (DESIGN section 5)."""
        first = path.strip("/").split("/")[0].split("?")[0]
        if first in ("feeds", "feeds.opml", "a"):
            return "feed"
        if first in ("subscribe", "confirm", "u", "manage"):
            return "digest"
        return "console"

    def feed(self, name: str, replica: str = "feed", **headers: str) -> Answer:
        """`all.atom`, `area-….json`, or a page when there is no extension."""
        return http("GET", f"{self.url(replica)}/feeds/{name}", **headers)

    def titles(self, name: str = "all") -> list[str]:
        """The titles in a feed, newest first."""
        answer = self.feed(f"{name}.json")
        assert answer.status == 200, f"{name}: {answer.status} {answer.text[:200]}"
        return [item["title"] for item in answer.json()["items"]]

    def logs(self) -> str:
        """All that every process said."""
        return "\n".join(f"── {path.name}\n{path.read_text(errors='replace')}" for path in sorted(self.folder.glob("*.log")))


def without_colour(text: str) -> str:
    """Text as a pipe should have it anyway."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
