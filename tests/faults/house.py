"""The system under test: the processes of one installation, killed, stopped and started again, each with its replicas.

A process is named `push-1`; a target of faults is a service (`push`) or one process. Whoever ends by himself is started
again, as systemd would. Processes are started by one thread that lives as long as the run: the kernel ends a child when
the *thread* that started it is gone.
"""

import concurrent.futures
import contextlib
import json
import pathlib
import signal
import subprocess
import threading
import time

import installation
from broker import free_port
from installation import Installation, Process, http, until

from journal import Journal

STOP_SECONDS_MAX = 45  # more than `stop.grace_seconds`
STARTING_SECONDS_MAX = 10


def hears(pid: int, number: int) -> bool:
    """Whether a process handles a signal by itself: one that was started a moment ago does not yet, and the kernel ends it."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


class House(Installation):
    """An installation whose processes are replicas. `replicas`: how many of each service."""

    def __init__(self, folder: pathlib.Path, amqp_url: str | None, postgres_url: str | None, settings: dict, journal: Journal,
                 hands: concurrent.futures.Executor, replicas: int = 1):
        super().__init__(folder, amqp_url, settings, postgres_url, apart=amqp_url is not None)
        self.journal, self.hands = journal, hands
        services = ("up",) if amqp_url is None else ("intake", "feed", "digest", "push", "watch")
        self.processes: dict[str, Process | None] = {f"{service}-{n}": None for service in services for n in range(1, replicas + 1)}
        self.listens = {name: free_port() for name in self.processes}
        self.held: set[str] = set()  # down on purpose: not to be started by the watch
        self.lock = threading.RLock()
        self.over = threading.Event()
        self.ended_alone: list[str] = []
        self.extra_of_commands: dict[str, str] = {}
        self.extra: dict[str, dict[str, str]] = {name: {} for name in self.processes}  # environment of one process

    # ── starting and ending ──

    def start_all(self) -> None:
        for name in self.processes:
            self.start_one(name)
        threading.Thread(target=self.watch, daemon=True, name="supervisor").start()

    def start_one(self, name: str) -> None:
        """Starts a process that is not running."""
        service = name.rpartition("-")[0]
        environment = self.environment | self.extra[name] | {f"LOA__{service.upper()}__LISTEN": f"127.0.0.1:{self.listens[name]}"}

        def start() -> Process:
            return Process(name, ["--config", str(self.config), service], self.folder, environment)

        with self.lock:
            self.processes[name] = self.hands.submit(start).result()
            self.held.discard(name)

    def names(self, target: str) -> list[str]:
        """The processes of a target."""
        return [name for name in self.processes if name == target or name.rpartition("-")[0] == target]

    def kill_one(self, name: str) -> bool:
        """kill -9; whether there was something to kill."""
        with self.lock:
            self.held.add(name)
            process = self.processes[name]
            if process is None or not process.alive():
                return False
            process.kill()
            return True

    def signal_one(self, name: str, number: int) -> bool:
        with self.lock:
            process = self.processes[name]
            if process is None or not process.alive():
                return False
            process.process.send_signal(number)
            return True

    def end_softly(self, name: str) -> int:
        """SIGTERM, and waiting. Returns the exit code."""
        with self.lock:
            self.held.add(name)
            process = self.processes[name]
        process.process.send_signal(signal.SIGCONT)
        until(STARTING_SECONDS_MAX, f"{name} hears signals", lambda: not process.alive() or hears(process.process.pid, signal.SIGTERM))
        return process.stop(seconds=STOP_SECONDS_MAX)

    def watch(self) -> None:
        """Starts again what ended by itself."""
        while not self.over.wait(0.5):
            for name in self.processes:
                with self.lock:
                    process = self.processes[name]
                    gone = process is not None and name not in self.held and not process.alive()
                if gone:
                    code = process.process.returncode
                    self.ended_alone.append(f"{name} ended by itself with {code}")
                    self.journal.say(f"{name} ended by itself with {code}: started again")
                    self.start_one(name)

    def end(self) -> None:
        self.over.set()
        for name, process in self.processes.items():
            if process is not None:
                self.held.add(name)
                with contextlib.suppress(ProcessLookupError):
                    process.process.send_signal(signal.SIGCONT)
                process.kill()

    # ── looking ──

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.listens[name]}"

    def addresses(self, service: str) -> list[str]:
        """Where replicas of a service answer; embedded, all are one."""
        return [self.address(name) for name in self.names("up" if self.amqp_url is None else service)]

    def unready(self) -> dict[str, str]:
        """Processes that are not ready, and what they say about it."""
        found = {}
        for name in self.processes:
            try:
                answer = http("GET", f"{self.address(name)}/readyz", timeout=3)
                if answer.status != 200:
                    found[name] = answer.text.strip()[:500]
            except OSError as error:
                found[name] = repr(error)
        return found

    def faults(self) -> dict[str, str] | None:
        """What intake says is wrong although it is ready, one replica after the other; None: none answers."""
        for address in self.addresses("intake"):
            try:
                said = http("GET", f"{address}/readyz", timeout=3).json()["faults"]
                return {name: fault["sentence"] for name, fault in said.items()}
            except OSError:
                continue
        return None

    def try_command(self, *arguments: str, seconds: float = 60):
        """A command of the program as an operator gives it: what it printed as JSON, or None and why not."""
        command = [installation.binary(), "--config", str(self.config), "--json", *arguments]
        began = time.time()
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment | self.extra_of_commands, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, f"killed after {seconds} s"
        self.journal.write("command", arguments=arguments, code=process.returncode, seconds=round(time.time() - began, 2),
                           error=err.strip()[-500:])
        if process.returncode != 0:
            return None, err.strip()[-500:]
        return (json.loads(out) if out.strip() else None), ""

    def panics(self) -> list[str]:
        """What any log says about panics."""
        found = []
        for path in sorted(self.folder.glob("*.log")):
            with path.open(encoding="utf-8", errors="replace") as log:
                found += [f"{path.name}: {line.strip()[:300]}" for line in log if "panicked" in line]
        return found[:20]


def memory_kib(pid: int) -> int:
    """Resident memory of a process."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def pids(house: House) -> dict[str, int]:
    return {name: process.process.pid for name, process in house.processes.items() if process is not None and process.alive()}

