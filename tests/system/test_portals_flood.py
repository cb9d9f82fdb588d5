"""A flood of one portal disturbs no other: news goes before back-files, and portals go by turns.

Judged by counts and order: what of the flood still waits when another portal's article has arrived everywhere.
"""

import concurrent.futures
import datetime

import pytest
import shapes
from flooded import BACK_FILE, CATEGORY, READER, THIRD, WRONG, Publisher, add_portals, outbox
from installation import SERVICES, http, until

SHAPES = shapes.BOTH
OLD = datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC)
BACK_FILE_ARTICLES = 2_000
WRONG_ARTICLES = 300
# so slow that nearly all of a flood waits for as long as the test looks
SLOW = {"intake.backfile_after_days": 2, "intake.backfile_per_second": 1, "intake.portal_burst": 20, "intake.portal_per_second": 1, "digest.immediate_window_seconds": 1}
FAST = {"intake.backfile_per_second": 100_000, "intake.queue_ready_max": 100_000, "intake.portal_burst": 100_000}


@pytest.fixture(scope="module")
def loa(install, portal, mail_server):
    loa = install(apart=True, **SLOW)
    loa.tokens = add_portals(loa)
    loa.start(*SERVICES)
    loa.json("endpoints", "add", portal.url)
    loa.command("subscribers", "add", READER, "--frequency", "immediate", "--category", CATEGORY["slug"])
    yield loa
    loa.stop()


def publisher(loa, slug: str) -> Publisher:
    return Publisher(loa.url("intake"), slug, loa.tokens[slug])


def pour(loa, slug: str, count: int, prefix: str, at: datetime.datetime | None) -> None:
    """So many articles of one portal, by several connections."""
    def some(numbers: range) -> None:
        one = publisher(loa, slug)
        for n in numbers:
            one.publish(f"{prefix}-{n}", at and at + datetime.timedelta(minutes=n))

    with concurrent.futures.ThreadPoolExecutor(4) as hands:
        for done in [hands.submit(some, range(start, count, 4)) for start in range(4)]:
            done.result()


def arrives_everywhere(loa, portal, mail_server, name: str) -> None:
    """An article of the third portal is visible, pushed and mailed."""
    publisher(loa, THIRD).publish(name, title=f"{name} khẩn", category=CATEGORY)
    until(30, f"{name} is visible", lambda: f"{name} khẩn" in loa.titles(f"category-{CATEGORY['slug']}"))
    until(30, f"{name} is pushed", lambda: any(f"{name} khẩn".encode() in hook.body for hook in portal.delivered()))
    until(30, f"{name} is mailed", lambda: any(f"{name} khẩn" in mail.part("plain") for mail in mail_server.to(READER)))


def journey(loa, slug: str, article_id: str) -> list[dict]:
    return loa.json("journey", article_id, "--portal", slug)


def relayed(loa, slug: str, article_id: str) -> list[int]:
    """The revisions of an article that went to the bus, in order."""
    return [line["revision"] for line in journey(loa, slug, article_id) if line["step"] == "relayed"]


def test_1_an_article_arrives_everywhere_while_anothers_back_file_waits(loa, portal, mail_server):
    pour(loa, BACK_FILE, BACK_FILE_ARTICLES, "cu", OLD)
    arrives_everywhere(loa, portal, mail_server, "tin-kho")
    now = until(10, "it is counted", lambda: outbox(loa) if outbox(loa)["loa_outbox_back_files_waiting"] > 0 else None)
    assert now["loa_outbox_back_files_waiting"] > BACK_FILE_ARTICLES / 2, now


def test_2_an_article_arrives_everywhere_while_a_portal_has_gone_wrong(loa, portal, mail_server):
    pour(loa, WRONG, WRONG_ARTICLES, "loi", None)
    arrives_everywhere(loa, portal, mail_server, "tin-loi")

    def of_news() -> float:
        now = outbox(loa)
        return now["loa_outbox_waiting"] - now["loa_outbox_back_files_waiting"]

    assert until(10, "others still wait", of_news) > 0


def test_3_news_of_an_article_takes_with_it_what_waits_of_it_in_order(loa):
    last = f"cu-{BACK_FILE_ARTICLES - 1}"
    assert relayed(loa, BACK_FILE, last) == [], "it waits behind all others of the back-file"
    loa.command("withdraw", last, "--portal", BACK_FILE, "--reason", "Đăng nhầm")
    assert until(30, "both went out", lambda: len(found := relayed(loa, BACK_FILE, last)) == 2 and found) == [1, 2]


def test_4_back_files_wait_while_an_outlet_is_behind_and_news_goes_on(loa):
    loa.stop("intake", "digest")
    loa.settings |= {"intake.backfile_per_second": 1_000, "intake.queue_ready_max": 5}
    loa.write_config()
    loa.start("intake")
    held = until(60, "back-files are held", lambda: outbox(loa) if outbox(loa).get("loa_outbox_back_files_held") == 1 else None)
    assert held["loa_outbox_back_files_waiting"] > BACK_FILE_ARTICLES / 2, held
    publisher(loa, THIRD).publish("tin-van-di", title="Tin vẫn đi", category=CATEGORY)
    until(30, "news goes on", lambda: "Tin vẫn đi" in loa.titles(f"category-{CATEGORY['slug']}"))
    assert http("GET", f"{loa.url('intake')}/readyz").status == 200


def test_5_when_there_is_room_all_of_it_arrives(loa):
    loa.stop("intake")
    loa.settings |= FAST
    loa.write_config()
    loa.start("intake", "digest")
    until(120, "nothing waits any more", lambda: outbox(loa)["loa_outbox_waiting"] == 0 and relayed(loa, BACK_FILE, "cu-7"))
    for name in ("cu-0", f"cu-{BACK_FILE_ARTICLES - 2}"):
        assert relayed(loa, BACK_FILE, name) == [1]
        until(180, f"{name} is pushed", lambda: any(line["step"] == "delivered" for line in journey(loa, BACK_FILE, name)))
    gone = http("GET", f"{loa.url('feed')}/a/{BACK_FILE}%20cu-{BACK_FILE_ARTICLES - 1}")
    assert gone.status == 410, gone.status
