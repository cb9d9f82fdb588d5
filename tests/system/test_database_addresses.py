"""How PostgreSQL is reached: lists of hosts, standbys, IPv6, logins that are rotated, TLS, rights; and what is said when not."""

import contextlib
import itertools
import os
import shutil
import socket

import hosts
import pytest
import shapes
from broker import free_port
from certificates import Authority
from database import Database, make_database, servant
from installation import Installation, http, until

SHAPES = [shapes.KNOWN["postgres-embedded"]]
NUMBERS = itertools.count(1)
ODD = "p%40 s@/?#:ß"  # what means something in an address, and is taken as it is from a file


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority, shape):
    """A cluster of this file's own: on IPv4 and IPv6, with TLS."""
    folder = tmp_path_factory.mktemp("server")
    server = Database(folder / "postgresql", durable=False)
    files = []
    for path in authority.sign("database", "IP:127.0.0.1"):
        files.append(server.folder / path.name)
        shutil.copy(path, files[-1])
        files[-1].chmod(0o600)
        if servant():
            os.chown(files[-1], servant()["user"], servant()["group"])
    server.settings = {"listen_addresses": "127.0.0.1,::1", "ssl": "on", "ssl_cert_file": str(files[0]), "ssl_key_file": str(files[1])}
    yield server.start()
    server.stop()


@pytest.fixture
def loa(server, tmp_path):
    """An installation on a database of that cluster, with its schemas."""
    name = f"addresses_{next(NUMBERS)}"
    loa = Installation(tmp_path / "loa", None, {}, make_database(server.addresses(), name), apart=False)
    loa.database = name
    loa.command("migrate")
    yield loa
    loa.end()


def with_settings(loa, **settings):
    """Changes settings of the database."""
    loa.settings |= {f"store.postgres.{name}": value for name, value in settings.items()}
    loa.write_config()


def checked(loa, what: str = "database") -> tuple[bool, str]:
    """What `loa check` says about one thing."""
    line = next(line for line in loa.json("check", expect=None) if line["what"] == what)
    return line["ok"], line["detail"]


def refused(loa) -> str:
    """Why a command does not even begin."""
    return loa.command("check", expect=1).stderr


def make_user(server, loa, password: str) -> str:
    """A role that may do all that services do, and no more."""
    user = f"services_{next(NUMBERS)}"
    server.query(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'", user="postgres")
    for ledger in ("intake", "feed", "digest", "push", "access", "receipts", "watch"):
        server.query(
            f"GRANT USAGE ON SCHEMA loa_{ledger} TO {user}; "
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA loa_{ledger} TO {user}", loa.database)
    return user


def dependencies(loa) -> dict[str, str]:
    said = http("GET", f"{loa.url('up')}/readyz").json()["dependencies"]
    return {name: it.get("sentence", "up") for name, it in said.items()}


def test_check_says_which_address_answered_how_and_as_whom(loa, server):
    assert checked(loa) == (True, f"reached at 127.0.0.1:{server.port}, encrypted by TLS, as loa")
    with_settings(loa, sslmode="disable")
    assert checked(loa) == (True, f"reached at 127.0.0.1:{server.port}, not encrypted, as loa")


def test_an_ipv6_address_is_dialled_and_not_looked_up(loa, server):
    with_settings(loa, url=f"postgres://loa@[::1]:{server.port}/{loa.database}")
    ok, said = checked(loa)
    assert ok and f"reached at [::1]:{server.port}" in said
    nobody = free_port()
    with_settings(loa, hosts=[f"[::1]:{nobody}"])
    ok, said = checked(loa)
    assert not ok and f"[::1]:{nobody}: the database cannot be reached" in said


def test_a_list_is_tried_until_one_answers_and_each_failure_is_told(loa, server):
    hosts.each_is_tried_until_one_answers(
        lambda listed: with_settings(loa, hosts=listed), lambda: checked(loa), server.port, 5432,
        refused="the database cannot be reached", silent="the database did not answer in time")


def test_of_several_the_one_that_takes_writes_is_used(loa, server, tmp_path_factory):
    standby = Database(tmp_path_factory.mktemp("standby") / "postgresql", durable=False)
    standby.settings = {"wal_level": "replica"}
    standby.follow(server)
    try:
        with_settings(loa, hosts=[f"127.0.0.1:{standby.port}", f"127.0.0.1:{server.port}"])
        for _ in range(4):  # in whichever order
            ok, said = checked(loa)
            assert ok and f"127.0.0.1:{server.port}" in said
        with_settings(loa, hosts=[f"127.0.0.1:{standby.port}", f"127.0.0.1:{free_port()}"])
        ok, said = checked(loa)
        assert not ok and f"127.0.0.1:{standby.port}: it is a standby and takes no writes" in said
        # one name is no proof that there is one server: it is told before anything is written
        with_settings(loa, hosts=[f"127.0.0.1:{standby.port}"])
        ok, said = checked(loa)
        assert not ok and f"127.0.0.1:{standby.port}: it is a standby and takes no writes" in said
    finally:
        standby.stop()


def test_connections_are_named_by_program_and_machine(loa, server):
    loa.start("up")
    names = server.query(f"SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = '{loa.database}'", user="postgres")
    assert [f"loa up@{socket.gethostname()}"] in names, names


def test_a_password_is_taken_from_its_file_to_the_letter(loa, server):
    user = make_user(server, loa, ODD)
    secret = loa.folder / "odd.password"
    secret.write_text(ODD + "\n")
    with_settings(loa, user=user, password_file=str(secret))
    ok, said = checked(loa)
    assert ok and f"as {user}" in said


def test_a_password_rotated_on_both_sides_heals_without_a_restart(loa, server):
    user = make_user(server, loa, "before")
    secret = loa.folder / "rotated.password"
    secret.write_text("before")
    with_settings(loa, user=user, password_file=str(secret))
    loa.start("up")
    server.query(f"ALTER ROLE {user} PASSWORD 'behind'", user="postgres")
    server.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'", user="postgres")
    until(30, "the refusal is told", lambda: any("refuses this user or password" in said for said in dependencies(loa).values()))
    secret.write_text("behind")
    until(30, "up again", lambda: http("GET", f"{loa.url('up')}/readyz").status == 200)


def test_tls_with_a_ca_of_ones_own(loa, server, authority, tmp_path):
    with_settings(loa, sslmode="verify-full", ca_file=str(authority.certificate))
    assert checked(loa) == (True, f"reached at 127.0.0.1:{server.port}, encrypted by TLS, as loa")
    with_settings(loa, ca_file=str(Authority(tmp_path / "other").certificate))
    ok, said = checked(loa)
    assert not ok and "no trusted connection to the database could be made" in said
    with_settings(loa, ca_file=str(authority.certificate), hosts=[f"localhost:{server.port}"])
    ok, said = checked(loa)
    assert not ok and "no trusted connection to the database could be made" in said
    with_settings(loa, sslmode="verify-ca")
    ok, said = checked(loa)
    assert ok and "encrypted by TLS" in said
    with_settings(loa, sslmode="require")
    assert "its certificate would not be verified" in refused(loa)


def test_a_client_certificate_logs_in_without_a_password(loa, server, authority, tmp_path):
    """As `hostssl … cert` in pg_hba.conf asks for it: the name in the certificate is the user's."""
    user = make_user(server, loa, "never-used")
    certificate, key = authority.sign(user)
    key.chmod(0o600)
    stranger, strangers_key = Authority(tmp_path / "other").sign(user)
    with asking_for_certificates(server, user, authority):
        with_settings(loa, user=user, sslmode="verify-full", ca_file=str(authority.certificate))
        del loa.settings["store.postgres.password_file"]
        loa.write_config()
        ok, said = checked(loa)
        assert not ok and "refuses this user or password" in said, said
        with_settings(loa, client_certificate_file=str(certificate), client_key_file=str(key))
        assert checked(loa) == (True, f"reached at 127.0.0.1:{server.port}, encrypted by TLS, as {user}")
        loa.start("up")
        loa.stop("up")
        with_settings(loa, client_certificate_file=str(stranger), client_key_file=str(strangers_key))
        ok, said = checked(loa)
        assert not ok, f"a CA that the server does not trust signed it: {said}"
        with_settings(loa, client_certificate_file=str(certificate), client_key_file=str(key), user="loa")
        ok, said = checked(loa)
        assert not ok and "refuses this user or password" in said, f"it is nobody else's: {said}"
        del loa.settings["store.postgres.client_key_file"]
        loa.write_config()
        assert "belong together" in refused(loa)


@contextlib.contextmanager
def asking_for_certificates(server, user: str, authority):
    """A server that lets this user in by a certificate of this CA, and by nothing else."""
    rules, trusted = server.folder / "data/pg_hba.conf", server.folder / "clients.pem"
    shutil.copy(authority.certificate, trusted)
    trusted.chmod(0o644)
    before = rules.read_text()
    rules.write_text(f"hostssl all {user} all cert\nhost all {user} all reject\n{before}")
    server.query(f"ALTER SYSTEM SET ssl_ca_file = '{trusted}'", user="postgres")
    server.query("SELECT pg_reload_conf()", user="postgres")
    try:
        until(10, "the rules are read", lambda: server.query(
            "SELECT 1 FROM pg_hba_file_rules WHERE auth_method = 'cert' AND current_setting('ssl_ca_file') <> ''", user="postgres"))
        yield
    finally:
        rules.write_text(before)
        server.query("ALTER SYSTEM RESET ssl_ca_file", user="postgres")
        server.query("SELECT pg_reload_conf()", user="postgres")


def test_a_parameter_that_nobody_reads_is_refused(loa, server):
    with_settings(loa, url=f"postgres://loa@127.0.0.1:{server.port}/{loa.database}?connect_timeout=5")
    assert "`connect_timeout`" in refused(loa) and "each address has 2 s" in refused(loa)


def test_a_missing_right_is_told_with_the_line_that_grants_it(loa, server):
    user = make_user(server, loa, "secret")
    secret = loa.folder / "rights.password"
    secret.write_text("secret")
    with_settings(loa, user=user, password_file=str(secret))
    assert checked(loa, "ledger feed") == (True, "reached; every row that is worked with can be read")
    for revoked in (f"REVOKE DELETE ON loa_feed.seen FROM {user}", f"REVOKE USAGE ON SCHEMA loa_feed FROM {user}"):
        server.query(revoked, loa.database)
        ok, said = checked(loa, "ledger feed")
        assert not ok and f"the database's user {user} lacks a right in the schema loa_feed" in said, said
        assert f'GRANT USAGE ON SCHEMA "loa_feed" TO "{user}"; GRANT SELECT, INSERT' in said
        assert "older than this program" not in said
    grant = said[said.index("GRANT USAGE"):]
    server.query(grant[:grant.rindex(";") + 1], loa.database)
    assert checked(loa, "ledger feed") == (True, "reached; every row that is worked with can be read")


def test_a_user_who_may_not_make_schemas_migrates_what_is_there_and_is_told_else(loa, server):
    user = make_user(server, loa, "secret")
    secret = loa.folder / "rights.password"
    secret.write_text("secret")
    with_settings(loa, user=user, password_file=str(secret))
    loa.command("migrate")
    with_settings(loa, schema_prefix="other_")
    said = loa.command("migrate", expect=1).stderr
    assert f'GRANT CREATE ON DATABASE "{loa.database}" TO "{user}"' in said, said


def test_a_limit_of_connections_is_told_as_one(loa, server):
    user = make_user(server, loa, "secret")
    secret = loa.folder / "limit.password"
    secret.write_text("secret")
    with_settings(loa, user=user, password_file=str(secret))
    server.query(f"ALTER ROLE {user} CONNECTION LIMIT 0", user="postgres")
    ok, said = checked(loa)
    assert not ok and "no free connection for us" in said and "`store.postgres.connections_max`" in said, said
    assert "too many connections for role" in said


def test_a_primary_that_moves_is_followed(loa, server, tmp_path_factory):
    """A list of two servers: when the one is gone, the other takes over, in the same process."""
    other = Database(tmp_path_factory.mktemp("other") / "postgresql", durable=False)
    other.follow(server)
    try:
        with_settings(loa, hosts=[f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}"])
        loa.start("up")
        server.kill()
        until(20, "it is missed", lambda: http("GET", f"{loa.url('up')}/readyz", timeout=60).status == 503)
        other.query("SELECT pg_promote()", user="postgres")
        until(60, "the other takes over", lambda: http("GET", f"{loa.url('up')}/readyz", timeout=60).status == 200)
        rows = other.query(f"SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{loa.database}'", user="postgres")
        assert int(rows[0][0]) > 0
    finally:
        other.stop()
        server.start()
