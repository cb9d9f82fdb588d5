"""One private PostgreSQL cluster and a PgBouncer before it: own folder, own ports, loopback only, gone when their owner is.

Must not know what Loa is. `tests/run` starts it as a program (`python3 database.py FOLDER [--without-fsync]`): it prints
one line of JSON with its addresses once both answer, and ends with everything it started when its standard input closes,
so that even a `kill -9` of the owner leaves nothing behind. pytest and the fault runs import it for clusters of their own.

PostgreSQL refuses to run as root; started by root, it runs as the user `postgres`, in a folder that is then that user's.
Databases sort text by the rules of Vietnamese (ICU), not by bytes: a query that leans on byte order shows itself here.
"""

import contextlib
import functools
import json
import os
import pathlib
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

from broker import die_with_owner, free_port

INSTALL = "apt-get install --no-install-recommends postgresql pgbouncer   (or let ./tests/run do it)"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
END = signal.SIGINT  # to PostgreSQL it says "fast": without waiting for its clients
CONNECTIONS_MAX = 300
SERVER_CONNECTIONS_MAX = 40  # of the pooler to each database
CLIENTS_MAX = 1000


class DatabaseError(Exception):
    """The cluster is not there, or refused a statement; the text says what and what to do."""


def program(name: str) -> str:
    """One of PostgreSQL's programs, of its newest version here: Debian keeps them out of PATH."""
    versions = pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: float(path.parts[4]), default=None)
    found = newest or shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise DatabaseError(f"{name} is not installed: {INSTALL}")
    return str(found)


@functools.cache
def servant() -> dict[str, object]:
    """What `Popen` needs for a process that may not be root: nothing, unless we are root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise DatabaseError(f"there is no user 'postgres' to run PostgreSQL as, instead of root: {INSTALL}") from None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def give(folder: pathlib.Path) -> None:
    """Hands a folder to the one who will run in it, and lets them pass through the private folders above it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if servant():
        os.chown(folder, servant()["user"], servant()["group"])
        for above in folder.parents:
            if not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o011)


def children(pid: int) -> list[int]:
    """Processes that this one started. PostgreSQL's have a process group each, so that `killpg` does not reach them."""
    with contextlib.suppress(OSError):
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Server:
    """A process of ours with its own log. `start` and `kill` may alternate: the folder and the port stay."""

    name = "server"

    def __init__(self, folder: pathlib.Path):
        give(folder)
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen | None = None

    def run(self, *arguments: str) -> None:
        """Starts the process and waits until its port answers."""
        with open(self.folder / "out.txt", "ab") as log:
            self.process = subprocess.Popen(
                arguments, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "HOME": str(self.folder)},
                start_new_session=True, preexec_fn=functools.partial(die_with_owner, END), **servant(),
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, DatabaseError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                self.answer()
                return
            time.sleep(0.05)
        tail = (self.folder / "out.txt").read_text(errors="replace")[-2000:]
        self.stop()
        raise DatabaseError(f"{self.name} did not start; the end of {self.folder}/out.txt:\n{tail}")

    def answer(self) -> None:
        """Fails as long as the process takes connections without serving them."""

    def signal_all(self, number: int) -> None:
        """Sends a signal to the process and to all that it started."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)  # it starts nobody meanwhile
            for pid in (*children(self.process.pid), self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def kill(self) -> None:
        """Ends it as a power cut would: SIGKILL to all of it, at once."""
        if self.process is not None:
            self.signal_all(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Stops it where it stands: connections stay, and the kernel even takes new ones; nobody answers."""
        self.signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self.signal_all(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it; idempotent."""
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            self.process.send_signal(END)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS_MAX)
        self.kill()


class Database(Server):
    """A PostgreSQL cluster with one login that may make databases but is no superuser, as an office would grant it.

    `durable` is what a power cut needs (fsync). A killed process loses nothing without it, and everything is faster.
    `settings` are further ones, and win.
    """

    name = "PostgreSQL"

    def __init__(self, folder: pathlib.Path, durable: bool = True, settings: dict[str, str] | None = None):
        super().__init__(folder)
        self.durable, self.settings = durable, settings or {}
        self.user, self.password, self.master_password = "loa", secrets.token_hex(12), secrets.token_hex(12)

    def start(self) -> "Database":
        """Makes the cluster at the first time, starts it, and waits until it answers."""
        fresh = not (self.folder / "data").exists()
        if fresh:
            self.initialise()
        self.run(
            program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", f"max_connections={CONNECTIONS_MAX}",
            "-c", "shared_buffers=64MB", "-c", "timezone=UTC", "-c", "lc_messages=C", "-c", "log_line_prefix=%m [%p] %d ",
            *(() if self.durable else ("-c", "fsync=off", "-c", "full_page_writes=off")),
            *(part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")),
        )
        if fresh:
            self.query(f"CREATE ROLE {self.user} LOGIN CREATEDB PASSWORD '{self.password}'", user="postgres")
        return self

    def initialise(self) -> None:
        """Makes the files of the cluster."""
        initdb, secret = program("initdb"), self.folder / "master.password"
        secret.write_text(self.master_password)
        secret.chmod(0o644)  # in a folder that only its owner may enter
        known = subprocess.run([initdb, "--help"], capture_output=True, text=True).stdout
        sorting = ["--locale-provider=icu", "--icu-locale=vi-VN"] if "--locale-provider" in known else []  # since version 15
        done = subprocess.run(
            [initdb, "-D", str(self.folder / "data"), "-U", "postgres", f"--pwfile={secret}", "--auth=scram-sha-256",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", *sorting, *(() if self.durable else ("--no-sync",))],
            cwd=self.folder, capture_output=True, text=True, env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")}, **servant(),
        )
        secret.unlink()
        if done.returncode != 0:
            raise DatabaseError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def follow(self, primary: "Database") -> "Database":
        """Makes this a standby of another cluster and starts it: it is read, and takes no writes."""
        self.user, self.password, self.master_password = primary.user, primary.password, primary.master_password
        done = subprocess.run(
            [program("pg_basebackup"), "--write-recovery-conf", "--pgdata", str(self.folder / "data"), "--checkpoint=fast",
             "--host", "127.0.0.1", "--port", str(primary.port), "--username", "postgres"],
            cwd=self.folder, capture_output=True, text=True,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PGPASSWORD": self.master_password}, **servant(),
        )
        if done.returncode != 0:
            raise DatabaseError(f"pg_basebackup failed:\n{done.stderr}")
        return self.start()

    def answer(self) -> None:
        self.query("SELECT 1", user="postgres")

    def query(self, statement: str, database: str = "postgres", user: str | None = None) -> list[list[str]]:
        """Runs SQL as our login (or as `postgres`); see the function of this name."""
        at = self.addresses()
        if user == "postgres":
            at |= {"user": user, "password": self.master_password}
        return query(at, statement, database)

    def addresses(self) -> dict[str, object]:
        """What a client needs; true before the start as well."""
        return {
            "host": "127.0.0.1", "port": self.port, "user": self.user, "password": self.password,
            "url": f"postgres://{self.user}:{self.password}@127.0.0.1:{self.port}",
        }


class Pooler(Server):
    """PgBouncer in transaction mode, as it is where many share one PostgreSQL: no session outlives its transaction.

    Connections to the server are taken in turn, so that what one session remembers is missed soonest.
    """

    name = "PgBouncer"

    def __init__(self, folder: pathlib.Path, database: Database):
        super().__init__(folder)
        self.database = database

    def start(self) -> "Pooler":
        """Starts it and waits until it takes connections; PostgreSQL may be away."""
        logins = self.folder / "logins.txt"
        logins.write_text(f'"{self.database.user}" "{self.database.password}"\n')
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={self.database.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {logins}\n"
            f"pool_mode = transaction\nserver_round_robin = 1\n"
            f"default_pool_size = {SERVER_CONNECTIONS_MAX}\nmax_client_conn = {CLIENTS_MAX}\n"
            f"server_login_retry = 1\nquery_wait_timeout = 15\nlog_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n"
        )
        for path in (logins, settings):
            path.chmod(0o644)  # in a folder that only its owner may enter
        self.run(program("pgbouncer"), str(settings))
        return self

    def addresses(self) -> dict[str, object]:
        """Those of the database, with the way through here."""
        at = self.database.addresses()
        return at | {"pooler_port": self.port, "pooler_url": at["url"].replace(f":{at['port']}", f":{self.port}")}


def query(at: dict, statement: str, database: str = "postgres") -> list[list[str]]:
    """Runs SQL at these addresses: its rows, each a list of text. Fails with the server's words."""
    done = subprocess.run(
        [program("psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\x1f", "--set=ON_ERROR_STOP=1",
         "--host", str(at["host"]), "--port", str(at["port"]), "--username", str(at["user"]), "--dbname", database, "--command", statement],
        capture_output=True, text=True, timeout=START_SECONDS_MAX,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PGPASSWORD": str(at["password"]), "PGCONNECT_TIMEOUT": "5"},
    )
    if done.returncode != 0:
        raise DatabaseError(done.stderr.strip())
    return [line.split("\x1f") for line in done.stdout.splitlines()]


def make_database(at: dict, name: str) -> str:
    """Makes an empty database and returns its address."""
    query(at, f'CREATE DATABASE "{checked(name)}"')
    return f"{at['url']}/{name}"


def drop_database(at: dict, name: str) -> None:
    """Drops a database, whoever is still connected; one that is gone already, or a server that is, is fine."""
    with contextlib.suppress(DatabaseError):
        query(at, f'DROP DATABASE IF EXISTS "{checked(name)}" WITH (FORCE)')


def checked(name: str) -> str:
    """A name that needs no quoting tricks."""
    assert re.fullmatch(r"[a-z0-9_-]{1,63}", name), f"not a name for a test database: {name!r}"
    return name


def main() -> int:
    """Runs both until standard input closes or a signal comes."""
    folder = pathlib.Path(sys.argv[1]).resolve()
    database = pooler = None

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        database = Database(folder / "postgresql", durable="--without-fsync" not in sys.argv[2:]).start()
        pooler = Pooler(folder / "pgbouncer", database).start()
        print(json.dumps(pooler.addresses()), flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    except DatabaseError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for server in (pooler, database):
            if server is not None:
                server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
