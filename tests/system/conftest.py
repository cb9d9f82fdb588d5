"""Fixtures: one broker for the whole run, a virtual host and an installation for each test (or module)."""

import datetime
import itertools
import json
import os
import pathlib

import broker as rabbitmq
import pytest
from browser import Browser
from contract import Amqp
from installation import Installation
from receivers import MailServer, ProvincialPortal

NUMBERS = itertools.count(1)


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
def install(tmp_path_factory, vhost, mail_server):
    """Makes installations: on RabbitMQ with topology and ledgers in place, or embedded."""
    made: list[Installation] = []

    def make(embedded: bool = False, **settings) -> Installation:
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        loa = Installation(
            tmp_path_factory.mktemp("loa"), None if embedded else vhost(),
            mail_settings(mail_server.port) | settings,
        )
        made.append(loa)
        if not embedded:
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
def mail_server():
    """A real SMTP server that keeps what it gets."""
    server = MailServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def portal():
    """A provincial portal that takes webhooks."""
    server = ProvincialPortal()
    yield server
    server.close()


@pytest.fixture(scope="module")
def amqp():
    """Makes independent AMQP clients."""
    made: list[Amqp] = []

    def make(loa: Installation) -> Amqp:
        made.append(Amqp(loa.amqp_url))
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
