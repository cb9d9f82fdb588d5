"""Bounded, in small: a backlog, a dead portal and a slow mail server cost no memory to speak of. `tests/run backlog` is the large form."""

import pytest
import shapes
from backlog import MEBIBYTES_MAX, SERVICES, SMTP_PAUSE_SECONDS, Backlog, prepare, settings
from receivers import DeadPortal, MailServer

SHAPES = [shapes.KNOWN["sqlite-rabbitmq"], shapes.KNOWN["sqlite-embedded"]]
pytestmark = pytest.mark.apart
EVENTS = 2_000
LARGE = 200  # several times what a consumer may hold
MEBIBYTE = 1_000_000  # the largest event, with room for what stands around it


@pytest.fixture
def loa(install):
    portal, mail_server = DeadPortal(), MailServer(SMTP_PAUSE_SECONDS)
    loa = install(apart=True, **{key.replace(".", "__"): value for key, value in settings(mail_server).items()})
    prepare(loa, portal)
    yield loa
    loa.end()
    portal.close()
    mail_server.close()


@pytest.mark.on(shapes.KNOWN["sqlite-rabbitmq"])
def test_with_a_backlog_a_dead_portal_and_a_slow_mail_server_the_feed_goes_on_and_memory_stays_bounded(loa):
    report = Backlog(loa).run(EVENTS, 900)
    assert set(report["mebibytes"]) >= set(SERVICES)
    assert max(report["mebibytes"].values()) < MEBIBYTES_MAX, report["mebibytes"]
    # generous: a busy machine makes any time; a feed that waited for the portal (20 s) or for the mail server would show
    assert max(report["troubled"]["visible_ms"]) < 5_000, report


def test_a_backlog_of_the_largest_events_costs_no_more_than_one_of_small_ones(loa):
    backlog = Backlog(loa)
    backlog.flood(LARGE, MEBIBYTE)
    backlog.drain()
    assert max(backlog.peaks.values()) < MEBIBYTES_MAX, backlog.peaks
