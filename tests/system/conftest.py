"""Fixtures: one broker and one PostgreSQL for the whole run; a virtual host, a database and an installation for each test
(or module), of each shape that the module names.

`pytest --shapes postgres-rabbitmq,pooler-rabbitmq` runs those alone.
"""

import datetime
import itertools
import json
import os
import pathlib

import broker as rabbitmq
import database as postgresql
import pytest
import shapes
from browser import Browser
from contract import Amqp, Producer
from installation import Installation
from queue_file import QueueFile
from receivers import MailServer, ProvincialPortal

NUMBERS = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--shapes", default=",".join(shapes.KNOWN), help="of " + ", ".join(shapes.KNOWN))


def pytest_generate_tests(metafunc):
    if "shape" in metafunc.fixturenames:
        wanted = [shapes.KNOWN[name] for name in metafunc.config.getoption("--shapes").split(",")]
        chosen = [shape for shape in getattr(metafunc.module, "SHAPES", shapes.SMALL) if shape in wanted]
        metafunc.parametrize("shape", chosen, ids=str, scope="module")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    """Leaves out what is not for a shape, and keeps a file's tests on one shape together, in one process and in order.

    What takes long comes first, so that nobody waits for it at the end.
    """
    left_out = []
    for item in items:
        shape = item.callspec.params.get("shape") if hasattr(item, "callspec") else None
        apart = f"-{item.name}" if item.get_closest_marker("apart") else ""
        item.add_marker(pytest.mark.xdist_group(f"{item.path.name}-{shape}{apart}"))
        only = item.get_closest_marker("on")
        if shape is not None and (not isinstance(shape, shapes.Shape) or (only and shape not in only.args)):
            left_out.append(item)  # no shape: pytest's placeholder, none of the file's was asked for
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: 1 if item.get_closest_marker("apart") else 0 if item.get_closest_marker("long") else 2)


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """Addresses of the run's private RabbitMQ: the one of `tests/run`, or one of our own."""
    given = os.environ.get("LOA_TEST_BROKER")
    if given:
        yield json.loads(given)
        return
    node = rabbitmq.Broker(tmp_path_factory.mktemp("broker"))
    node.start()
    yield node.addresses()
    node.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Addresses of the run's private PostgreSQL and PgBouncer: those of `tests/run`, or our own."""
    given = os.environ.get("LOA_TEST_POSTGRES")
    if given:
        yield json.loads(given)
        return
    folder = tmp_path_factory.mktemp("postgres")
    database = postgresql.Database(folder / "postgresql", durable=False).start()
    pooler = postgresql.Pooler(folder / "pgbouncer", database).start()
    yield pooler.addresses()
    pooler.stop()
    database.stop()


@pytest.fixture(scope="module")
def vhost(broker):
    """Makes empty virtual hosts; all are gone at the end."""
    made = []

    def make() -> str:
        made.append(f"loa-{os.getpid()}-{next(NUMBERS)}")
        return rabbitmq.make_vhost(broker, made[-1])

    yield make
    for name in made:
        rabbitmq.drop_vhost(broker, name)


@pytest.fixture(scope="module")
def database(postgres):
    """Makes empty databases and gives their addresses, straight or through the pooler; all are gone at the end."""
    made = []

    def make(pooled: bool) -> str:
        made.append(f"loa_{os.getpid()}_{next(NUMBERS)}")
        postgresql.make_database(postgres, made[-1])
        return f"{postgres['pooler_url' if pooled else 'url']}/{made[-1]}"

    yield make
    for name in made:
        postgresql.drop_database(postgres, name)


@pytest.fixture(scope="module")
def install(request, tmp_path_factory, shape, mail_server):
    """Makes installations of the shape in question, with topology and ledgers in place (or not: `migrate`).

    With a broker, services are processes of their own; without, `loa up` is all of them, unless `apart`.
    """
    made: list[Installation] = []

    def make(apart: bool | None = None, migrate: bool = True, **settings) -> Installation:
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        # fetched when needed: the small shape does without servers
        amqp_url = None if shape.embedded else request.getfixturevalue("vhost")()
        postgres_url = None if shape.store == "sqlite" else request.getfixturevalue("database")(shape.store == "pooler")
        loa = Installation(
            tmp_path_factory.mktemp("loa"), amqp_url, mail_settings(mail_server.port) | settings,
            postgres_url, not shape.embedded if apart is None else apart,
        )
        made.append(loa)
        if migrate:
            loa.command("migrate")
        return loa

    yield make
    for loa in made:
        loa.end()


def mail_settings(port: int) -> dict:
    """The settings that send mail to a server of ours on this port, in a zone where it is night now.

    By night no scheduled run comes between what a test does: only `loa digest run` sends.
    """
    hours_ahead = (3 - datetime.datetime.now(datetime.timezone.utc).hour + 11) % 24 - 11  # -11 to 12
    return {
        "digest.smtp.host": "127.0.0.1", "digest.smtp.port": port, "digest.smtp.tls": "none",
        "digest.unsubscribe_address": "thoi-nhan@loa.example.gov.vn",
        "site.zone": f"Etc/GMT{-hours_ahead:+d}",  # POSIX signs: east is negative
    }


@pytest.fixture(scope="module")
def mail_server(shape):
    """A real SMTP server that keeps what it gets."""
    server = MailServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def portal(shape):
    """A provincial portal that takes webhooks."""
    server = ProvincialPortal()
    yield server
    server.close()


@pytest.fixture(scope="module")
def bus():
    """Makes foreign clients of an installation's bus: an independent AMQP client, or a hand at its file of queues."""
    made: list[Producer] = []

    def make(loa: Installation) -> Producer:
        made.append(Amqp(loa.amqp_url) if loa.amqp_url else QueueFile(loa.folder / "data/bus.db"))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium."""
    chromium = Browser(tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> pathlib.Path:
    """Where screenshots go."""
    given = os.environ.get("LOA_TEST_PICTURES")
    return pathlib.Path(given) if given else tmp_path_factory.mktemp("screenshots", numbered=False)
