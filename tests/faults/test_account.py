"""The oracle accuses when something is planted, and only then: each rule is seen to fail."""

import dataclasses
import types

import contract
import mailserver
import pytest
import workload
from account import Account, Mailbox
from gaps import Gaps
from injection import Deleted
from journal import Journal, Window
from mailserver import Copy, Mail, lines_of
from model import Endpoint, Model, Wish, webhook_id
from portal import Attempt, Delivery
from reader import Reader

ARTICLE = workload.State("1", "a-1", 1, False, "id-1", contract.SOURCE, "article", "muc-0-a", ("na-son-03205-2004",), 5,
                         "published", 4)
EDITED = dataclasses.replace(ARTICLE, mark="2", revision=2, event_id="id-2", verb="updated")
GONE = dataclasses.replace(ARTICLE, mark="3", revision=3, event_id="id-3", verb="withdrawn", withdrawn=True)
OTHER = workload.OTHERS[0]
TWIN = dataclasses.replace(ARTICLE, mark="t", source=OTHER.source, minute=6)  # the same ids at another portal
WATCHED = dataclasses.replace(ARTICLE, mark="w", article="w-1", event_id="", source=workload.WATCHED.source, category="tin-tuc", areas=(), minute=7,
                              page="http://127.0.0.11:1/2023/11/hop-dan-2/", is_watched=True)
EVERYTHING = Wish("a@b.example", "immediate")


def Line(kind: str, mark: str, reason_mark: str = "", portal: str = workload.HOME.name) -> mailserver.Line:  # noqa: N802 (as the class)
    """A line about an article of the home portal, unless it is said otherwise."""
    return mailserver.Line(kind, mark, reason_mark, portal)


@pytest.fixture
def account(tmp_path):
    """An account of one article that was published and edited."""
    journal = Journal(tmp_path)
    house = types.SimpleNamespace(addresses=lambda service: [], panics=list)
    nobody = types.SimpleNamespace(seen={}, lock=journal.lock)
    made = Account(journal, house, Model(), types.SimpleNamespace(kept={}, faults=[]), nobody,
                   types.SimpleNamespace(accounts={}, unbalanced=[], closings=[], closed={}), [], [EVERYTHING], [Endpoint("tinh")], frozenset(), [])
    for number, state in enumerate((ARTICLE, EDITED)):
        made.model.acknowledged(state, 1000.0 + number)
    return made


def items(*states) -> dict:
    return {"items": [
        {"url": state.url, "title": state.shown_title, "id": f"{state.portal.tag}{state.article}", "authors": [{"name": state.portal.name}]}
        for state in states]}


def mailbox(account, *mails: tuple, wish=EVERYTHING) -> Account:
    account.uncertain_runs = getattr(account, "uncertain_runs", {})
    kept = {f"<{n}>": Mail(n, [Copy(2000.0 + n, True, "", tuple(lines), 0)]) for n, lines in enumerate(mails)}
    Mailbox(account, wish, kept).look()
    return account


def delivery_of(state) -> Delivery:
    return Delivery(b"", [], False, state.source, "" if state.portal is workload.HOME else state.portal.slug, state.mark)


def hooks(account, *attempts: tuple, name="tinh") -> Account:
    for state, at, status, whole in attempts:
        delivery = account.portal.seen.setdefault((name, webhook_id(state)), delivery_of(state))
        delivery.attempts.append(Attempt(at, status, whole, ""))
    account.look_at_webhooks()
    return account


def test_a_feed_as_it_should_be_is_no_accusation(account):
    account.compare_feed("all", [EDITED], items(EDITED))
    assert account.is_clean()


def test_a_missing_entry_is_lost(account):
    account.compare_feed("all", [EDITED], items())
    assert "is not in the feed all" in account.lost[0].what


@pytest.mark.parametrize("shown, word", [(items(ARTICLE), "stands"), (items(EDITED, EDITED), "twice")])
def test_a_stale_or_doubled_entry_is_wrong(account, shown, word):
    account.compare_feed("all", [EDITED], shown)
    assert word in account.wrong[0].what


def test_a_withdrawn_article_that_is_shown_is_wrong(account):
    account.model.acknowledged(GONE, 1002.0)
    account.compare_feed("all", [], items(EDITED))
    assert "still shows" in account.wrong[0].what


def test_an_entry_in_a_feed_where_it_does_not_belong_is_wrong(account):
    account.compare_feed("area-x", [], items(EDITED))
    assert "does not belong there" in account.wrong[0].what


def test_a_feed_that_goes_back_is_wrong(account):
    reader = Reader(account.house, account.model, account.journal, 1.0)
    for state in (ARTICLE, EDITED):
        account.model.attempted(state, 999.0)
        reader.look("feed-1", state.shown_title)
    assert reader.went_back == []
    reader.look("feed-2", ARTICLE.shown_title)
    assert reader.went_back == [], "each replica by itself"
    reader.look("feed-1", ARTICLE.shown_title)
    assert "after" in reader.went_back[0]


def test_versions_are_in_the_order_of_the_adr():
    model = Model()
    twin = dataclasses.replace(EDITED, mark="4", event_id="id-9")
    gone = dataclasses.replace(EDITED, mark="5", event_id="id-0", withdrawn=True)
    for state in (gone, twin, EDITED, ARTICLE):
        model.acknowledged(state, 0.0)
    assert model.final("a-1") is gone


def test_a_digest_as_it_should_be_is_no_accusation(account):
    mailbox(account, [Line("news", "1")], [Line("update", "2")])
    assert account.is_clean()


def test_a_state_that_was_never_told_is_lost(account):
    mailbox(account, [Line("news", "1")])
    assert "was never told" in account.lost[0].what


def test_of_two_events_at_one_revision_either_may_be_told_and_an_older_revision_is_not_enough(account):
    rival = dataclasses.replace(EDITED, mark="4", event_id="id-9")
    account.model.acknowledged(rival, 1002.0)
    assert account.model.final(ARTICLE.article) == rival
    assert mailbox(account, [Line("update", "2")]).is_clean()
    mailbox(account, [Line("news", "1")])
    assert [finding.what for finding in account.lost], "revision 1 is not revision 2"


def test_an_item_under_two_message_ids_is_wrong(account):
    mailbox(account, [Line("news", "2")], [Line("news", "2")])
    assert "another Message-ID" in account.wrong[0].what


def test_what_is_no_wish_of_theirs_is_wrong(account):
    mailbox(account, [Line("news", "2")], wish=Wish("a@b.example", "daily", "muong-luan-03214-2025"))
    assert "none of its wish" in account.wrong[0].what


def test_a_withdrawal_that_was_not_told_is_lost(account):
    account.model.acknowledged(GONE, 1002.0)
    mailbox(account, [Line("news", "2")])
    assert "never of its withdrawal" in account.lost[0].what


def test_a_correction_for_one_who_never_had_it_is_wrong_unless_a_mail_was_cut(account):
    account.model.acknowledged(GONE, 1002.0)
    mailbox(account, [Line("correction", "2", "3")])
    assert "never told of" in account.wrong[0].what
    account.wrong.clear()
    account.journal.windows.append(Window(1, "kill", "digest", 1001.0, 1003.0))
    mailbox(account, [Line("correction", "2", "3")])
    assert account.is_clean()


def test_a_withdrawn_article_that_was_told_and_corrected_is_no_accusation(account):
    account.model.acknowledged(GONE, 1002.0)
    mailbox(account, [Line("news", "2")], [Line("correction", "2", "3")])
    assert account.is_clean()


def test_a_mail_that_came_twice_needs_a_crash_that_explains_it(account):
    kept = {"<1>": Mail(1, [Copy(2000.0, True, "", (Line("news", "2"),), 0), Copy(2100.0, True, "", (Line("news", "2"),), 0)])}
    account.uncertain_runs = {}
    Mailbox(account, EVERYTHING, kept).look()
    assert "no crash explains it" in account.wrong[0].what and account.duplicates["digest"] == 1
    account.wrong.clear()
    account.journal.windows.append(Window(1, "kill", "digest", 2001.0, 2002.0))
    Mailbox(account, EVERYTHING, kept).look()
    assert account.is_clean() and "before the record" in account.explained[-1]


def test_webhooks_as_they_should_be_are_no_accusation(account):
    hooks(account, (ARTICLE, 1.0, 500, True), (ARTICLE, 2.0, 204, True), (EDITED, 3.0, 204, True))
    assert account.is_clean() and account.duplicates["push"] == 0


def test_an_older_webhook_need_not_come_once_a_newer_one_did(account):
    hooks(account, (EDITED, 3.0, 204, True))
    assert account.is_clean()


def test_a_webhook_that_was_never_taken_is_lost(account):
    hooks(account, (ARTICLE, 1.0, 204, True), (EDITED, 3.0, 500, True))
    assert "never took" in account.lost[0].what


def test_an_older_webhook_after_a_newer_one_is_wrong(account):
    hooks(account, (EDITED, 3.0, 204, True), (ARTICLE, 4.0, 204, True))
    assert "was sent" in account.wrong[0].what


def test_a_webhook_that_came_twice_needs_a_crash_that_explains_it(account):
    hooks(account, (EDITED, 3000.0, 204, True), (EDITED, 3040.0, 204, True))
    assert "no crash explains it" in account.wrong[0].what
    account.wrong.clear()
    account.journal.windows.append(Window(1, "kill", "push", 3000.5, 3002.0))
    account.look_at_webhooks()
    assert account.is_clean()


def test_a_body_that_changed_is_wrong(account):
    account.portal.seen[("tinh", webhook_id(EDITED))] = dataclasses.replace(delivery_of(EDITED), attempts=[Attempt(1.0, 204, True, "")], changed=True)
    account.look_at_webhooks()
    assert "changed between attempts" in account.wrong[0].what


def test_an_attempt_beyond_410_is_wrong(account):
    account.operator.closed["tinh"] = 2900.0
    hooks(account, (EDITED, 3000.0, 204, True))
    assert "had answered 410" in account.wrong[0].what


def test_a_run_must_balance_and_what_it_counts_as_sent_must_have_come(account):
    run = {"planned": 3, "sent": 2, "failed": 0, "suppressed": 0, "uncertain": 0, "waiting": 1, "run": "r"}
    account.operator.accounts = {1: run, 2: run | {"planned": 2, "waiting": 0}}
    account.look_at_runs()
    assert ["does not come to an end" in account.lost[0].what, "2 mails as sent; 0 came" in account.lost[1].what] == [True, True]


def test_what_a_run_accounts_for_as_uncertain_is_told_apart_from_what_is_lost(account):
    account.uncertain_runs = {"a@b.example": {"daily-2026-11-25-7"}}
    run = {"frequency": "daily", "on": "2026-11-25", "slot": "7", "zone": "Asia/Ho_Chi_Minh"}
    steps = [{"outlet": "digest", "step": "accepted"}, {"outlet": "digest", "step": "planned", "run": run, "mails": {"uncertain": 1}}]
    account.house.try_command = lambda *words: (steps, "")
    mailbox(account, [Line("news", "1")])
    assert account.is_clean() and "never told" in account.uncertain[0]
    account.uncertain_runs = {"other@b.example": {"daily-2026-11-25-7"}}
    mailbox(account, [Line("news", "1")])
    assert "never told" in account.lost[0].what


def test_a_digests_lines_are_read():
    text = """Bản tin
Thứ năm

== Tin mới (2) ==

1. Tin a-1 bản 1 [e1]
   16/11/2023 · muc · Cổng huyện
   Tóm tắt.
   https://portal.example/a

2. 3/TB: Tin v-1 bản 1 [e9]
   https://portal.example/v


== Đính chính: tin đã được gỡ (1) ==

1. Tin a-2 bản 1 [e4]
   Tin đã được gỡ. Lý do: Số liệu chưa đúng [e5]. Nội dung đã gửi trước đây không còn giá trị.

… và 3 tin khác: https://loa.example/feeds/all

----------------------------------------
1. Không phải tin
"""
    assert lines_of(text) == (Line("news", "1"), Line("news", "9", portal=""), Line("correction", "4", "5", portal=""))


# ── several portals, and one that is watched ──


def test_one_id_of_two_portals_is_two_articles_and_each_must_stand(account):
    account.model.acknowledged(TWIN, 1002.0)
    assert {state.key for state in account.model.states.values()} == {"a-1", f"{OTHER.slug} a-1"}
    account.compare_feed("all", [TWIN, EDITED], items(TWIN, EDITED))
    assert account.is_clean()
    account.compare_feed("all", [TWIN, EDITED], items(EDITED))
    assert [finding.article for finding in account.lost] == [TWIN.key]


@pytest.mark.parametrize("change", [{"id": f"{OTHER.tag}a-1"}, {"authors": [{"name": OTHER.name}]}, {"authors": []}])
def test_an_entry_under_another_portals_name_is_wrong(account, change):
    account.model.attempted(EDITED, 1001.0)
    shown = items(EDITED)
    shown["items"][0] |= change
    account.compare_feed("all", [EDITED], shown)
    assert "under the" in account.wrong[0].what


def test_a_line_under_another_portals_name_is_wrong(account):
    mailbox(account, [Line("news", "1")], [Line("update", "2", portal=OTHER.name)])
    assert OTHER.name in account.wrong[0].what


@pytest.mark.parametrize("change", [{"source": OTHER.source}, {"portal": OTHER.slug}])
def test_a_webhook_under_another_portals_name_is_wrong(account, change):
    account.portal.seen[("tinh", webhook_id(EDITED))] = dataclasses.replace(delivery_of(EDITED), attempts=[Attempt(1.0, 204, True, "")], **change)
    account.look_at_webhooks()
    assert "as of" in account.wrong[0].what


def test_of_what_is_watched_the_last_state_must_come_once_and_those_before_need_not(account):
    edited = dataclasses.replace(WATCHED, mark="x", revision=2, verb="updated")
    account.model = Model()
    for state in (WATCHED, edited):
        account.model.acknowledged(state, 1002.0)
    account.portal.seen[("tinh", "evt_1")] = dataclasses.replace(delivery_of(WATCHED), attempts=[Attempt(1.0, 204, True, "")])
    account.look_at_webhooks()
    assert "never took" in account.lost[0].what
    account.lost.clear()
    account.portal.seen[("tinh", "evt_2")] = dataclasses.replace(delivery_of(edited), attempts=[Attempt(2.0, 204, True, "")])
    account.look_at_webhooks()
    assert account.is_clean()
    del account.portal.seen[("tinh", "evt_1")]
    account.look_at_webhooks()
    assert account.is_clean(), "nobody looked between the two"
    account.portal.seen[("tinh", "evt_3")] = dataclasses.replace(delivery_of(edited), attempts=[Attempt(3.0, 204, True, "")])
    account.look_at_webhooks()
    assert "under two webhook-ids" in account.wrong[0].what


# ── gaps ──


def gaps_of(account, deleted: list[Deleted], *steps: tuple[str, str, int]) -> Gaps:
    """The gaps of a run in which the foreign producer published the edited state between 1001 and 1002, and the journey says `steps`."""
    foreign = types.SimpleNamespace(once={EDITED.mark: (EDITED, 1001.0, 1002.0)})
    account.house.try_command = lambda *words: ([dict(zip(("outlet", "step", "revision"), step)) for step in steps], "")
    return Gaps(account.house, account.journal, foreign, deleted)


def lost(begin: float = 1000.0, end: float = 1003.0, outlet: str = "feed", **more) -> Deleted:
    return Deleted(outlet, set(), 1004.0, True, "purge", begin, end, **more)


def test_a_gap_that_was_named_may_be_closed(account):
    gaps = gaps_of(account, [lost()], ("digest", "not_received", 2), ("feed", "not_received", 2))
    assert not gaps.may_be_brought_back("feed") and gaps.may_be_brought_back("push")
    gaps.look()
    assert gaps.may_be_brought_back("feed") and gaps.findings() == [] and gaps.named == {0: "a-1"}


@pytest.mark.parametrize("steps", [(), (("digest", "not_received", 2),), (("feed", "not_received", 1), ("feed", "accepted", 2))])
def test_a_gap_that_the_audit_does_not_name_is_told_and_its_outlet_is_given_no_command(account, steps):
    gaps = gaps_of(account, [lost()], *steps)
    gaps.look()
    assert not gaps.may_be_brought_back("feed")
    [finding] = gaps.findings()
    assert "never named" in finding.what and finding.article == "a-1"


def test_each_fault_has_to_be_named_for_itself(account):
    gaps = gaps_of(account, [lost(), lost(outlet="push")], ("feed", "not_received", 2))
    gaps.look()
    assert [deleted.outlet for deleted, _ in gaps.unnamed()] == ["push"]


def test_only_what_was_certainly_lost_is_a_witness(account):
    assert gaps_of(account, [lost(1001.5), lost(end=1001.5), Deleted("feed", set(), 1004.0, False, "queue", 1000.0, 1003.0)]).unnamed() == []
    document = dataclasses.replace(EDITED, kind="document")
    gaps = gaps_of(account, [lost(takes_documents=False)])
    gaps.foreign.once = {document.mark: (document, 1001.0, 1002.0)}
    assert gaps.unnamed() == [], "documents have a binding of their own"
