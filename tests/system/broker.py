"""One private RabbitMQ node: own name, own ports, own epmd, own data folder, loopback only, gone when its owner is.

Must not know what Loa is. `tests/run` starts it as a program (`python3 broker.py FOLDER`): it prints one line of JSON
with its addresses once it answers, and ends with everything it started when its standard input closes, so that even a
`kill -9` of the owner leaves nothing behind. pytest imports it when nobody else started one.
"""

import base64
import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

INSTALL = "apt-get install --no-install-recommends rabbitmq-server   (or let ./tests/run do it)"
START_SECONDS_MAX = 90
FIRST_PORT = 10_000
PROCESSES = 16  # at most, of the suite: a part of the ports for each
FIRST_TURN, TURNS = secrets.randbelow(10_000), itertools.count()
STOP_SECONDS_MAX = 20
# a whole Erlang starts for each command of rabbitmqctl, and on a busy machine that takes more than a minute
CONTROL_SECONDS_MAX = 180
# the one node of a run makes and drops virtual hosts for six units at once, and on a busy machine that has taken more than 10 s
ANSWER_SECONDS_MAX = 120
RESERVATIONS: int | None = None  # the open file whose locked bytes are ports


class BrokerError(Exception):
    """The node is not there; the text says what to do."""


def reserved(port: int) -> bool:
    """Whether this port is ours from here on, until this process ends: all of the suite's processes lock a byte each of one
    file, so a port stays its owner's while the server on it is down."""
    global RESERVATIONS
    if RESERVATIONS is None:
        path = pathlib.Path(tempfile.gettempdir(), f"loa-tests-ports-{os.getuid()}")
        RESERVATIONS = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(RESERVATIONS, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port that was free a moment ago, on loopback; mostly one that the kernel gives to no outgoing connection, for a
    server that was killed must find its port free when it comes back.

    Each of the suite's processes has ports of its own and gives them in turn: what is free now may be another's in a moment.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw15").removeprefix("gw")) % PROCESSES
    with contextlib.suppress(OSError, ValueError):
        first_outgoing = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        turns = (first_outgoing - FIRST_PORT) // PROCESSES
        for _ in range(min(turns, 100)):
            port = FIRST_PORT + PROCESSES * ((FIRST_TURN + next(TURNS)) % turns) + worker
            if reserved(port) and is_free(port):
                return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether a server could listen there now, as servers do: beside connections that are closing."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def script(name: str) -> str:
    """A program of RabbitMQ: of the version in `LOA_TEST_RABBITMQ` (a folder; `tests/run brokers` makes them), else the
    installed one's. Debian's wrapper in /usr/sbin insists on the system's user and folders, so it comes last."""
    version = os.environ.get("LOA_TEST_RABBITMQ")
    for folder in [version] if version else ("/usr/lib/rabbitmq/bin", "/usr/lib/rabbitmq/sbin", "/opt/rabbitmq/sbin"):
        path = pathlib.Path(folder, name)
        if path.exists():
            return str(path)
    if version:
        raise BrokerError(f"{version} has no {name}: remove the folder and let ./tests/run brokers make it again")
    found = shutil.which(name)
    if not found:
        raise BrokerError(f"{name} is not installed: {INSTALL}")
    return found


def die_with_owner(number: int = signal.SIGTERM) -> None:
    """Runs in a child before exec: the kernel ends it with this signal when its owner dies."""
    ctypes.CDLL(None, use_errno=True).prctl(1, number)  # PR_SET_PDEATHSIG


class Broker:
    """A node. `start` and `kill` may alternate: the data folder and the ports stay.

    `settings` are further lines of rabbitmq.conf, `plugins` further plugins. With `statistics` the management API says what
    needs its collector, which policy is in force on a queue among it; quickly, and at the price of some CPU.
    """

    def __init__(self, folder: pathlib.Path, settings: str = "", plugins: tuple[str, ...] = (), statistics: bool = False):
        self.folder = folder
        self.user, self.password = "loa", secrets.token_hex(12)
        self.node = f"loa-{secrets.token_hex(4)}@localhost"
        self.epmd_port, self.dist_port, self.amqp_port, self.http_port = (free_port() for _ in range(4))
        self.epmd: subprocess.Popen | None = None
        self.server: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plugins").write_text(f"[{', '.join(('rabbitmq_management', *plugins))}].\n")
        if statistics:
            # a quorum queue tells of itself each 5 s otherwise
            (folder / "advanced.config").write_text("[{rabbit, [{quorum_tick_interval, 1000}]}].\n")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.http_port}\n"
            f"{'collect_statistics_interval = 1000' if statistics else 'management_agent.disable_metrics_collector = true'}\n"
            f"default_user = {self.user}\ndefault_pass = {self.password}\n"
            "disk_free_limit.absolute = 64MB\n"
            "raft.wal_max_size_bytes = 33554432\n"
            f"log.console = false\nlog.file.level = warning\n{settings}"
        )

    def environment(self) -> dict[str, str]:
        """For the node and for rabbitmqctl: nothing of the machine's own node is seen or touched."""
        at = lambda name: str(self.folder / name)  # noqa: E731
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),  # the Erlang cookie
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_CONF_ENV_FILE": at("no-environment-file"),
            "RABBITMQ_CONFIG_FILE": at("rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": at("advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": at("generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": at("plugins"),
            "RABBITMQ_MNESIA_BASE": at("data"),
            "RABBITMQ_LOG_BASE": at("log"),
            "RABBITMQ_PID_FILE": at("pid"),
            # two schedulers that sleep instead of spinning: other processes need the cores
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def start(self) -> "Broker":
        """Starts the node and waits until it answers."""
        for name in ("data", "log", "generated"):
            (self.folder / name).mkdir(exist_ok=True)
        environment = self.environment()
        quiet = {"stdin": subprocess.DEVNULL, "stdout": open(self.folder / "out.txt", "ab"), "stderr": subprocess.STDOUT}
        if self.epmd is None or self.epmd.poll() is not None:
            self.epmd = subprocess.Popen(
                [script("epmd"), "-port", str(self.epmd_port), "-address", "127.0.0.1"],
                env=environment, preexec_fn=die_with_owner, **quiet,
            )
        self.await_ports()
        self.server = subprocess.Popen(
            [script("rabbitmq-server")], env=environment, cwd=self.folder, start_new_session=True,
            preexec_fn=die_with_owner, **quiet,
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.server.poll() is not None:
                break
            with contextlib.suppress(OSError, urllib.error.URLError):
                self.call("GET", "/api/overview", seconds_max=10)
                socket.create_connection(("127.0.0.1", self.amqp_port), 1).close()
                return self
            time.sleep(0.2)
        tail = (self.folder / "out.txt").read_text(errors="replace")[-2000:]
        self.stop()
        raise BrokerError(f"RabbitMQ did not start; the end of {self.folder}/out.txt:\n{tail}")

    def await_ports(self) -> None:
        """Waits until nobody listens on the node's ports: a node that was killed holds them until the kernel has cleared away
        its memory, and one that starts before cannot listen and ends."""
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while taken := [port for port in (self.dist_port, self.amqp_port, self.http_port) if not is_free(port)]:
            if time.monotonic() > deadline:
                raise BrokerError(f"somebody else listens on {taken}, ports of the node in {self.folder}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Ends the node as a power cut would: SIGKILL to all of it."""
        if self.server is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()
            self.server = None

    def stop(self) -> None:
        """Ends the node and its epmd; idempotent."""
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.wait(STOP_SECONDS_MAX)
        self.kill()
        if self.epmd is not None:
            self.epmd.kill()
            self.epmd.wait()
            self.epmd = None

    def call(self, method: str, path: str, body: object = None, seconds_max: float | None = None) -> bytes:
        """One request to the management API."""
        return call(self.addresses(), method, path, body, seconds_max)

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl says; fails when it does."""
        command = [script("rabbitmqctl"), "-q", *arguments]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=CONTROL_SECONDS_MAX)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def addresses(self) -> dict[str, object]:
        """What a client needs."""
        return {
            "host": "127.0.0.1", "amqp_port": self.amqp_port, "http_port": self.http_port,
            "user": self.user, "password": self.password,
            "url": f"amqp://{self.user}:{self.password}@127.0.0.1:{self.amqp_port}",
        }


def call(at: dict, method: str, path: str, body: object = None, seconds_max: float | None = None) -> bytes:
    """One request to the management API of the node at these addresses."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{at['http_port']}{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
    )
    login = base64.b64encode(f"{at['user']}:{at['password']}".encode()).decode()
    request.add_header("Authorization", f"Basic {login}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX if seconds_max is None else seconds_max) as answer:
        return answer.read()


def make_vhost(at: dict, name: str) -> str:
    """Makes an empty virtual host and returns its AMQP address."""
    call(at, "PUT", f"/api/vhosts/{name}", {})
    call(at, "PUT", f"/api/permissions/{name}/{at['user']}", {"configure": ".*", "write": ".*", "read": ".*"})
    return f"{at['url']}/{name}"


def allow(at: dict, vhost: str, user: str, configure: str, write: str, read: str, password: str = "secret", tags: str = "") -> str:
    """Makes a user with these rights, or gives one other rights; returns the user's AMQP address."""
    call(at, "PUT", f"/api/users/{user}", {"password": password, "tags": tags})
    call(at, "PUT", f"/api/permissions/{vhost}/{user}", {"configure": configure, "write": write, "read": read})
    return f"amqp://{user}:{password}@{at['host']}:{at['amqp_port']}/{vhost}"


def set_policy(at: dict, vhost: str, name: str, pattern: str, definition: dict, operators: bool = False, priority: int = 0) -> None:
    """Lays a policy over the queues of a vhost, or one of the operators."""
    kind = "operator-policies" if operators else "policies"
    body = {"pattern": pattern, "definition": definition, "apply-to": "queues", "priority": priority}
    call(at, "PUT", f"/api/{kind}/{vhost}/{name}", body)


def drop_vhost(at: dict, name: str) -> None:
    """Deletes a virtual host with everything in it; one that is gone already is fine."""
    with contextlib.suppress(urllib.error.URLError):
        call(at, "DELETE", f"/api/vhosts/{name}")


def main() -> int:
    """Runs a node until standard input closes or a signal comes."""
    broker = Broker(pathlib.Path(sys.argv[1]))

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        broker.start()
        print(json.dumps(broker.addresses()), flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
