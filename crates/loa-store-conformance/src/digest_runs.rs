//! Rules of the digest ledger: runs, mails, crashes in the middle, corrections.
//!
//! Long, for it is one list: each rule stands by itself and is read alone, and the list of the suite is held against the file
//! (`rules_written`).

use crate::{
    build::{Draft, at, id, lease},
    digest::{accept, claim, got, key, lines, planned, request, run, send, subscribe, wish},
};
use loa_domain::{
    Account, Because, Frequency, ItemKind, MailId, MailOutcome, MailReason, MailState, PauseReason, RunKey,
    SubscriptionState,
};
use loa_store::{DigestLedger, MAIL_MATCHES_MAX, MailRecord, StoreErrorKind, SubscriptionRequest};
use std::{collections::BTreeMap, sync::Arc};

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! digest_run_rules {
    ($test:ident) => {
        $test!(a_run_is_opened_once_for_each_key);
        $test!(an_unknown_run_is_not_found);
        $test!(planning_goes_piece_by_piece_and_freezes_the_audience);
        $test!(planning_looks_at_everyone_even_when_few_are_owed);
        $test!(a_mail_takes_so_many_matches_and_the_rest_goes_into_the_next_run);
        $test!(two_runs_never_plan_the_same_line);
        $test!(lines_come_by_kind_and_newest_first);
        $test!(a_claimed_mail_is_nobody_elses_until_its_lease_ends);
        $test!(the_oldest_run_goes_first);
        $test!(only_what_is_still_held_may_be_submitted);
        $test!(a_mail_that_failed_for_now_comes_back_when_it_is_due);
        $test!(what_is_no_longer_held_is_left_as_it_is);
        $test!(a_late_sent_counts);
        $test!(an_end_is_an_end);
        $test!(a_mail_in_doubt_is_sent_once_more_and_then_uncertain);
        $test!(a_claim_lost_before_the_dialogue_leaves_no_doubt);
        $test!(the_account_always_balances);
        $test!(a_paused_run_gives_nothing_out_until_it_is_resumed);
        $test!(an_ended_subscription_shows_in_its_due_mail);
        $test!(what_was_withdrawn_since_planning_is_gone_from_the_mail);
        $test!(a_mail_whose_lines_are_all_gone_comes_empty);
        $test!(what_was_edited_since_planning_reads_as_edited_and_is_not_sent_again);
        $test!(what_was_withdrawn_since_the_claim_is_not_submitted);
        $test!(what_was_unsubscribed_since_the_claim_is_not_submitted);
        $test!(a_correction_goes_to_exactly_those_who_got_the_article);
        $test!(a_mail_in_its_dialogue_counts_as_received);
        $test!(a_dialogue_that_failed_owes_no_correction);
        $test!(an_uncertain_mail_owes_a_correction);
        $test!(waiting_counts_no_try);
        $test!(a_correction_is_sent_once);
        $test!(a_correction_shows_what_was_last_known_and_why);
        $test!(what_was_published_again_before_its_correction_is_an_update);
        $test!(what_was_published_again_after_its_correction_is_news_and_can_be_corrected_again);
        $test!(a_withdrawal_at_the_same_revision_is_corrected);
        $test!(mails_are_listed_by_address_page_by_page);
        $test!(runs_are_listed_newest_first);
        $test!(stuck_runs_are_found_however_many_came_after_them);
        $test!(runs_survive_a_crash);
        $test!(two_stores_plan_and_claim_without_repeats);
        $test!(a_correction_that_was_taken_out_is_owed_again_when_the_article_is_withdrawn_again);
    };
}

fn record(mail: &MailId, minute: i64, outcome: MailOutcome) -> MailRecord {
    MailRecord { id: mail.clone(), outcome, at: at(minute) }
}

/// Why a run is stopped.
fn stopped() -> Because<PauseReason> {
    Because::said(PauseReason::ServerRefuses, "554 5.7.1 policy")
}

fn sent() -> MailOutcome {
    MailOutcome::Sent("250 ok".into())
}

fn later(minute: i64) -> MailOutcome {
    MailOutcome::Later(Because::said(MailReason::ServerBusy, "451 later"), at(minute))
}

async fn account(ledger: &dyn DigestLedger, run: i64) -> Account {
    let found = ledger.runs(100).await.unwrap().into_iter().find(|one| one.id == run).unwrap();
    assert!(found.account.balances(), "{:?}", found.account);
    found.account
}

async fn states(ledger: &dyn DigestLedger, run: i64) -> Vec<MailState> {
    ledger.mails(run, "", 100).await.unwrap().into_iter().map(|mail| mail.state).collect()
}

async fn people(ledger: &dyn DigestLedger, names: &[&str]) {
    for name in names {
        subscribe(ledger, request(name, wish(&[], &[]))).await;
    }
}

/// One subscription, one article, one planned mail, claimed by `x` at minute 2 (until 12).
async fn one_claimed(ledger: &dyn DigestLedger) -> (i64, MailId) {
    people(ledger, &["na"]).await;
    accept(ledger, &[Draft::of("a").live()], 1).await;
    let (run, mails) = planned(ledger, "1", 2).await;
    assert_eq!(mails, 1);
    let mail = claim(ledger, "x", 2).await.remove(0);
    (run, mail.id)
}

pub async fn a_run_is_opened_once_for_each_key(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (first, new) = ledger.open_run(&key(""), at(10), at(11)).await.unwrap();
    assert!(new && !first.planned && first.paused.is_none());
    assert_eq!((&first.key, first.cutoff, first.created_at), (&key(""), at(10), at(11)));
    assert_eq!(first.account, Account::default());
    let (again, new) = ledger.open_run(&key(""), at(99), at(100)).await.unwrap();
    assert!(!new);
    assert_eq!(again, first, "the cut-off of the first stays");
    for other in [
        key("1"),
        RunKey { on: "2026-03-02".parse().unwrap(), ..key("") },
        RunKey { frequency: Frequency::Weekly, ..key("") },
        RunKey { zone: "UTC".into(), ..key("") },
    ] {
        let (run, new) = ledger.open_run(&other, at(10), at(11)).await.unwrap();
        assert!(new && run.id > first.id);
    }
}

pub async fn waiting_counts_no_try(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (run, mail) = one_claimed(&*ledger).await;
    let waits = MailOutcome::Waits(MailReason::ServerUnreachable.into(), at(3));
    assert_eq!(ledger.record_mails("x", &[record(&mail, 2, waits)]).await.unwrap(), 1);
    let again = claim(&*ledger, "y", 3).await.remove(0);
    assert_eq!((again.attempts, again.in_doubt), (0, false));
    ledger.record_mails("y", &[record(&mail, 3, later(4))]).await.unwrap();
    assert_eq!(claim(&*ledger, "z", 4).await.remove(0).attempts, 1, "a try counts");
    assert_eq!(states(&*ledger, run).await, [MailState::Planned]);
}

pub async fn an_unknown_run_is_not_found(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let plan = ledger.plan(7, at(0), 1, at(0)).await.unwrap_err();
    let pause = ledger.pause_run(7, Some(&stopped()), at(0)).await.unwrap_err();
    assert_eq!((plan.kind, pause.kind), (StoreErrorKind::NotFound, StoreErrorKind::NotFound));
    assert!(ledger.mails(7, "", 10).await.unwrap().is_empty());
}

pub async fn planning_goes_piece_by_piece_and_freezes_the_audience(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["a", "b", "c", "d", "e"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (run, _) = ledger.open_run(&key("1"), at(2), at(2)).await.unwrap();
    let first = ledger.plan(run.id, at(-1_000), 3, at(2)).await.unwrap();
    assert_eq!((first.mails, first.complete), (3, false));
    assert!(!ledger.runs(1).await.unwrap()[0].planned);
    let second = ledger.plan(run.id, at(-1_000), 3, at(2)).await.unwrap();
    assert_eq!((second.mails, second.complete), (2, true));
    let again = ledger.plan(run.id, at(-1_000), 3, at(2)).await.unwrap();
    assert_eq!((again.mails, again.complete), (0, true), "idempotent");
    assert!(ledger.runs(1).await.unwrap()[0].planned);
    accept(&*ledger, &[Draft::of("y").live()], 1).await;
    assert_eq!(ledger.plan(run.id, at(-1_000), 3, at(3)).await.unwrap().mails, 0, "frozen");
    assert_eq!(account(&*ledger, run.id).await, Account { planned: 5, waiting: 5, ..Account::default() });
}

pub async fn planning_looks_at_everyone_even_when_few_are_owed(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    for n in 0..40 {
        let area = if n == 37 { "na-son" } else { "phi-nhu" };
        subscribe(&*ledger, request(&format!("n{n:02}"), wish(&[area], &[]))).await;
    }
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live()], 1).await;
    assert_eq!(planned(&*ledger, "1", 2).await.1, 1);
    assert_eq!(claim(&*ledger, "x", 2).await[0].id.subscription.as_str(), "s-n37");
}

pub async fn a_mail_takes_so_many_matches_and_the_rest_goes_into_the_next_run(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    let most = MAIL_MATCHES_MAX as usize;
    for name in ["all-1", "all-2", "na", "phi"] {
        let areas: &[&str] = if name.starts_with("all") { &[] } else { &["na-son"] };
        subscribe(&*ledger, request(name, wish(areas, &[]))).await;
    }
    let events: Vec<_> = (0..2 * most + 5).map(|n| Draft::of(&format!("a{n:05}")).live()).collect();
    for (minute, batch) in (1..).zip(events.chunks(500)) {
        accept(&*ledger, batch, minute).await;
    }
    // what comes last of all is not late for those who wish for little
    accept(&*ledger, &[Draft::of("b").areas(&["na-son"]).live()], 8).await;
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut sizes = Vec::new();
    for slot in ["1", "2", "3"] {
        planned(&*ledger, slot, 10).await;
        let mut of_run = Vec::new();
        loop {
            let mails = claim(&*ledger, slot, 10).await;
            if mails.is_empty() {
                break;
            }
            for mail in mails {
                send(&*ledger, slot, &mail.id, 10).await;
                let name = mail.subscription.email.as_str().split('@').next().unwrap().to_owned();
                of_run.push((name.clone(), mail.items.len()));
                told.entry(name).or_default().extend(lines(&mail));
            }
        }
        of_run.sort();
        sizes.push(of_run);
    }
    let sized = |sizes: &[(&str, usize)]| sizes.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(sizes[0], sized(&[("all-1", most), ("all-2", most), ("na", 1), ("phi", 1)]));
    assert_eq!(sizes[1], sized(&[("all-1", most), ("all-2", most)]));
    assert_eq!(sizes[2], sized(&[("all-1", 6), ("all-2", 6)]));
    for name in ["all-1", "all-2"] {
        let mut lines = told[name].clone();
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 2 * most + 6, "{name}: each line once");
    }
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(20)).await.unwrap());
}

pub async fn two_runs_never_plan_the_same_line(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["a", "b", "c"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (one, _) = ledger.open_run(&key("1"), at(2), at(2)).await.unwrap();
    let (two, _) = ledger.open_run(&key("2"), at(2), at(2)).await.unwrap();
    let mut mails = 0;
    for run in [one.id, two.id, two.id, one.id, one.id, two.id, one.id, two.id] {
        mails += ledger.plan(run, at(-1_000), 1, at(2)).await.unwrap().mails;
    }
    assert_eq!(mails, 3);
    assert_eq!(claim(&*ledger, "x", 2).await.len(), 3);
}

pub async fn lines_come_by_kind_and_newest_first(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("u").published(-10).live(), Draft::of("w").published(-5).live()], 1).await;
    run(&*ledger, "1", 2).await;
    let news = [("m", 5), ("o", 7), ("n", 5)].map(|(article, minute)| Draft::of(article).published(minute).live());
    accept(&*ledger, &news, 3).await;
    accept(&*ledger, &[Draft::of("u").revision(2).published(-10).live(), Draft::of("w").revision(2).withdrawn("")], 3)
        .await;
    planned(&*ledger, "2", 4).await;
    let mail = claim(&*ledger, "x", 4).await.remove(0);
    assert_eq!(lines(&mail), ["news:o@1", "news:n@1", "news:m@1", "update:u@2", "correction:w@2"]);
}

pub async fn a_claimed_mail_is_nobody_elses_until_its_lease_ends(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (_, mail) = one_claimed(&*ledger).await;
    assert!(claim(&*ledger, "y", 11).await.is_empty());
    let again = claim(&*ledger, "y", 12).await;
    assert_eq!((&again[0].id, again[0].attempts), (&mail, 0));
    assert_eq!((&again[0].run, again[0].subscription.token.as_str()), (&key("1"), "token-na"));
}

pub async fn the_oldest_run_goes_first(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["a", "b"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (first, _) = planned(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("y").live()], 3).await;
    let (second, _) = planned(&*ledger, "2", 4).await;
    let mails = ledger.claim_mails(&lease("x", 5), 3).await.unwrap();
    assert_eq!(mails.iter().map(|mail| mail.id.run).collect::<Vec<_>>(), [first, first, second]);
}

pub async fn only_what_is_still_held_may_be_submitted(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (run, mail) = one_claimed(&*ledger).await;
    let ids = std::slice::from_ref(&mail);
    assert!(ledger.submitting("nobody", ids, at(3)).await.unwrap().is_empty());
    assert_eq!(ledger.submitting("x", ids, at(3)).await.unwrap(), ids);
    assert_eq!(ledger.submitting("x", ids, at(3)).await.unwrap(), ids, "idempotent");
    assert_eq!(states(&*ledger, run).await, [MailState::Submitting]);
    claim(&*ledger, "y", 12).await;
    assert!(ledger.submitting("x", ids, at(13)).await.unwrap().is_empty(), "y holds it now");
}

pub async fn a_mail_that_failed_for_now_comes_back_when_it_is_due(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (run, mail) = one_claimed(&*ledger).await;
    ledger.submitting("x", std::slice::from_ref(&mail), at(3)).await.unwrap();
    assert_eq!(ledger.record_mails("x", &[record(&mail, 3, later(20))]).await.unwrap(), 1);
    assert_eq!(states(&*ledger, run).await, [MailState::Planned]);
    assert!(claim(&*ledger, "y", 19).await.is_empty());
    let again = claim(&*ledger, "y", 20).await.remove(0);
    assert_eq!((again.attempts, again.in_doubt), (1, false));
    assert_eq!(lines(&again), ["news:a@1"]);
    let view = ledger.mails(run, "", 10).await.unwrap().remove(0);
    assert_eq!((view.attempts, view.words.as_str(), view.at), (1, "451 later", Some(at(3))));
    assert_eq!(view.reason, Some(MailReason::ServerBusy));
}

pub async fn what_is_no_longer_held_is_left_as_it_is(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (run, mail) = one_claimed(&*ledger).await;
    claim(&*ledger, "y", 12).await;
    for outcome in [
        later(30),
        MailOutcome::Refused(Because::said(MailReason::MailboxRefused, "550")),
        MailOutcome::Suppressed(MailReason::NothingLeft.into()),
    ] {
        assert_eq!(ledger.record_mails("x", &[record(&mail, 13, outcome)]).await.unwrap(), 0);
    }
    assert_eq!(states(&*ledger, run).await, [MailState::Planned]);
    assert!(claim(&*ledger, "z", 21).await.is_empty(), "y holds it until minute 22");
    let unknown = MailId { run: 99, subscription: mail.subscription.clone() };
    assert_eq!(ledger.record_mails("x", &[record(&unknown, 13, sent())]).await.unwrap(), 0);
}

pub async fn a_late_sent_counts(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (run, mail) = one_claimed(&*ledger).await;
    ledger.submitting("x", std::slice::from_ref(&mail), at(3)).await.unwrap();
    claim(&*ledger, "y", 12).await;
    assert_eq!(ledger.record_mails("x", &[record(&mail, 13, sent())]).await.unwrap(), 1);
    assert_eq!(states(&*ledger, run).await, [MailState::Sent]);
    assert!(
        ledger.submitting("y", std::slice::from_ref(&mail), at(14)).await.unwrap().is_empty(),
        "no need to send it again"
    );
    assert_eq!(ledger.record_mails("y", &[record(&mail, 14, later(20))]).await.unwrap(), 0);
    assert_eq!(account(&*ledger, run).await, Account { planned: 1, sent: 1, ..Account::default() });
}

pub async fn an_end_is_an_end(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["a", "b", "c"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (run, _) = planned(&*ledger, "1", 2).await;
    let mails = claim(&*ledger, "x", 2).await;
    let ends = [
        sent(),
        MailOutcome::Refused(Because::said(MailReason::MailboxRefused, "550 unknown")),
        MailOutcome::Suppressed(MailReason::SubscriptionEnded.into()),
    ];
    for (mail, outcome) in mails.iter().zip(ends) {
        assert_eq!(ledger.record_mails("x", &[record(&mail.id, 3, outcome)]).await.unwrap(), 1);
    }
    for mail in &mails {
        assert_eq!(ledger.record_mails("x", &[record(&mail.id, 4, later(5))]).await.unwrap(), 0);
    }
    assert!(claim(&*ledger, "y", 999).await.is_empty());
    let mut found = states(&*ledger, run).await;
    found.sort();
    assert_eq!(found, [MailState::Sent, MailState::Failed, MailState::Suppressed]);
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(999)).await.unwrap(), "and nothing of it is owed again");
}

pub async fn a_mail_in_doubt_is_sent_once_more_and_then_uncertain(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (run, mail) = one_claimed(&*ledger).await;
    ledger.submitting("x", std::slice::from_ref(&mail), at(3)).await.unwrap();
    drop(ledger); // in the middle of the dialogue
    let ledger = open().await;
    assert!(claim(&*ledger, "y", 11).await.is_empty());
    let doubtful = claim(&*ledger, "y", 12).await.remove(0);
    assert_eq!((&doubtful.id, doubtful.in_doubt, doubtful.attempts), (&mail, true, 1));
    assert_eq!(lines(&doubtful), ["news:a@1"], "the same mail once more");
    ledger.submitting("y", std::slice::from_ref(&mail), at(13)).await.unwrap();
    drop(ledger);
    let ledger = open().await;
    assert!(claim(&*ledger, "z", 22).await.is_empty(), "not a third time");
    assert_eq!(states(&*ledger, run).await, [MailState::Uncertain]);
    assert_eq!(account(&*ledger, run).await, Account { planned: 1, uncertain: 1, ..Account::default() });
    assert_eq!(ledger.record_mails("y", &[record(&mail, 23, sent())]).await.unwrap(), 1, "it did go out after all");
    assert_eq!(states(&*ledger, run).await, [MailState::Sent]);
}

pub async fn a_claim_lost_before_the_dialogue_leaves_no_doubt(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (run, mail) = one_claimed(&*ledger).await;
    for (holder, now) in [("b", 12), ("c", 22), ("d", 32)] {
        let again = claim(&*ledger, holder, now).await.remove(0);
        assert!(!again.in_doubt, "nothing can have gone out");
    }
    ledger.submitting("d", std::slice::from_ref(&mail), at(33)).await.unwrap();
    assert!(claim(&*ledger, "e", 42).await[0].in_doubt);
    assert!(claim(&*ledger, "f", 52).await[0].in_doubt, "it stays in doubt, though its second try never began");
    assert_eq!(states(&*ledger, run).await, [MailState::Planned]);
}

pub async fn the_account_always_balances(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let names = ["a", "b", "c", "d", "e", "f"];
    people(&*ledger, &names).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (run, _) = planned(&*ledger, "1", 2).await;
    account(&*ledger, run).await;
    let mails = claim(&*ledger, "x", 2).await;
    account(&*ledger, run).await;
    let ids: Vec<MailId> = mails.iter().map(|mail| mail.id.clone()).collect();
    ledger.submitting("x", &ids[..5], at(3)).await.unwrap();
    account(&*ledger, run).await;
    let outcomes = [
        sent(),
        MailOutcome::Refused(Because::said(MailReason::MailboxRefused, "550")),
        later(90),
        MailOutcome::Suppressed(MailReason::NothingLeft.into()),
    ];
    let records: Vec<MailRecord> = ids.iter().zip(outcomes).map(|(mail, outcome)| record(mail, 4, outcome)).collect();
    assert_eq!(ledger.record_mails("x", &records).await.unwrap(), 4);
    assert_eq!(
        account(&*ledger, run).await,
        Account { planned: 6, sent: 1, failed: 1, suppressed: 1, uncertain: 0, waiting: 3 }
    );
}

pub async fn a_paused_run_gives_nothing_out_until_it_is_resumed(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["a", "b"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (run, _) = planned(&*ledger, "1", 2).await;
    let mails = claim(&*ledger, "x", 2).await;
    ledger.submitting("x", &[mails[0].id.clone()], at(3)).await.unwrap();
    ledger.pause_run(run, Some(&stopped()), at(4)).await.unwrap();
    assert_eq!(ledger.runs(1).await.unwrap()[0].paused, Some(stopped()));
    assert!(ledger.submitting("x", &[mails[1].id.clone()], at(4)).await.unwrap().is_empty(), "held ones went back");
    assert_eq!(ledger.record_mails("x", &[record(&mails[0].id, 5, later(6))]).await.unwrap(), 1, "a dialogue ends");
    assert!(claim(&*ledger, "y", 50).await.is_empty());
    accept(&*ledger, &[Draft::of("z").live()], 6).await;
    planned(&*ledger, "2", 7).await;
    assert_eq!(claim(&*ledger, "y", 7).await.len(), 2, "other runs go on");
    ledger.pause_run(run, None, at(60)).await.unwrap();
    assert_eq!(ledger.runs(2).await.unwrap()[1].paused, None);
    assert_eq!(claim(&*ledger, "z", 8).await.iter().filter(|mail| mail.id.run == run).count(), 2);
}

pub async fn an_ended_subscription_shows_in_its_due_mail(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let (run, _) = planned(&*ledger, "1", 2).await;
    ledger.unsubscribe("hash-na", at(3)).await.unwrap();
    let mail = claim(&*ledger, "x", 4).await.remove(0);
    assert_eq!(mail.subscription.state, SubscriptionState::Unsubscribed);
    let why = MailOutcome::Suppressed(MailReason::SubscriptionEnded.into());
    assert_eq!(ledger.record_mails("x", &[record(&mail.id, 4, why)]).await.unwrap(), 1);
    assert_eq!(account(&*ledger, run).await, Account { planned: 1, suppressed: 1, ..Account::default() });
}

pub async fn what_was_withdrawn_since_planning_is_gone_from_the_mail(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    let mail = claim(&*ledger, "x", 4).await.remove(0);
    assert_eq!(lines(&mail), ["news:b@1"]);
    send(&*ledger, "x", &mail.id, 4).await;
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(99)).await.unwrap(), "never read, nothing to correct");
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 5).await;
    assert_eq!(run(&*ledger, "2", 6).await[0].1, ["news:a@3"]);
}

pub async fn a_mail_whose_lines_are_all_gone_comes_empty(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let (run_id, _) = planned(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    let mail = claim(&*ledger, "x", 4).await.remove(0);
    assert!(mail.items.is_empty());
    let empty = MailOutcome::Suppressed(MailReason::NothingLeft.into());
    assert_eq!(ledger.record_mails("x", &[record(&mail.id, 4, empty)]).await.unwrap(), 1);
    assert_eq!(account(&*ledger, run_id).await.suppressed, 1);
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 5).await;
    assert_eq!(run(&*ledger, "2", 6).await[0].1, ["news:a@3"]);
}

pub async fn what_was_edited_since_planning_reads_as_edited_and_is_not_sent_again(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).title("Sửa").live()], 3).await;
    let mail = claim(&*ledger, "x", 4).await.remove(0);
    assert_eq!(lines(&mail), ["news:a@2"]);
    assert_eq!(mail.items[0].content.title(), "Sửa");
    send(&*ledger, "x", &mail.id, 4).await;
    assert_eq!(planned(&*ledger, "2", 5).await.1, 0, "that edit was sent");

    // Two runs wait: the edit was planned into the later one, so the earlier one leaves it out.
    accept(&*ledger, &[Draft::of("b").live()], 6).await;
    planned(&*ledger, "3", 7).await;
    accept(&*ledger, &[Draft::of("b").revision(2).live()], 8).await;
    planned(&*ledger, "4", 9).await;
    let mails = claim(&*ledger, "y", 10).await;
    let said: Vec<Vec<String>> = mails.iter().map(lines).collect();
    assert_eq!(said, [vec![], vec!["news:b@2".to_owned()]]);
}

pub async fn what_was_withdrawn_since_the_claim_is_not_submitted(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    let mail = claim(&*ledger, "x", 2).await.remove(0);
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    assert!(
        ledger.submitting("x", std::slice::from_ref(&mail.id), at(4)).await.unwrap().is_empty(),
        "it is to be composed anew"
    );
    let anew = claim(&*ledger, "y", 4).await.remove(0);
    assert_eq!((&anew.id, lines(&anew)), (&mail.id, vec!["news:b@1".to_owned()]));
    send(&*ledger, "y", &anew.id, 5).await;
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(99)).await.unwrap());
}

pub async fn what_was_unsubscribed_since_the_claim_is_not_submitted(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (_, mail) = one_claimed(&*ledger).await;
    ledger.unsubscribe("hash-na", at(3)).await.unwrap();
    assert!(ledger.submitting("x", &[mail], at(4)).await.unwrap().is_empty());
    assert_eq!(claim(&*ledger, "y", 4).await[0].subscription.state, SubscriptionState::Unsubscribed);
}

pub async fn a_correction_goes_to_exactly_those_who_got_the_article(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["got", "late", "refused", "stays"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    for mail in claim(&*ledger, "x", 2).await {
        let outcome = match mail.id.subscription.as_str() {
            "s-refused" => MailOutcome::Refused(Because::said(MailReason::MailboxRefused, "550")),
            "s-late" => later(500),
            _ => sent(),
        };
        ledger.submitting("x", std::slice::from_ref(&mail.id), at(3)).await.unwrap();
        ledger.record_mails("x", &[record(&mail.id, 3, outcome)]).await.unwrap();
    }
    subscribe(&*ledger, SubscriptionRequest { at: at(4), ..request("new", wish(&[], &[])) }).await;
    ledger.unsubscribe("hash-stays", at(4)).await.unwrap();
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("nhầm")], 5).await;
    assert_eq!(run(&*ledger, "2", 6).await, [("got".to_owned(), vec!["correction:a@2".to_owned()])]);
}

pub async fn a_mail_in_its_dialogue_counts_as_received(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (_, mail) = one_claimed(&*ledger).await;
    ledger.submitting("x", std::slice::from_ref(&mail), at(3)).await.unwrap();
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 4).await;
    assert!(ledger.owed(Frequency::Daily, at(-1_000), at(5)).await.unwrap());
    ledger.record_mails("x", &[record(&mail, 5, sent())]).await.unwrap();
    assert_eq!(run(&*ledger, "2", 6).await[0].1, ["correction:a@2"]);
}

pub async fn a_dialogue_that_failed_owes_no_correction(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (_, mail) = one_claimed(&*ledger).await;
    ledger.submitting("x", std::slice::from_ref(&mail), at(3)).await.unwrap();
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 4).await;
    let (_, mails) = planned(&*ledger, "2", 5).await;
    assert_eq!(mails, 1, "planned while it might have gone out");
    ledger.record_mails("x", &[record(&mail, 6, later(7))]).await.unwrap();
    for mail in claim(&*ledger, "y", 8).await {
        assert!(mail.items.is_empty(), "nobody was told, so nobody is corrected: {:?}", lines(&mail));
        let empty = MailOutcome::Suppressed(MailReason::NothingLeft.into());
        ledger.record_mails("y", &[record(&mail.id, 8, empty)]).await.unwrap();
    }
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(99)).await.unwrap());
}

pub async fn an_uncertain_mail_owes_a_correction(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let (first, mail) = one_claimed(&*ledger).await;
    ledger.submitting("x", std::slice::from_ref(&mail), at(3)).await.unwrap();
    claim(&*ledger, "y", 12).await;
    ledger.submitting("y", std::slice::from_ref(&mail), at(13)).await.unwrap();
    claim(&*ledger, "z", 30).await;
    assert_eq!(states(&*ledger, first).await, [MailState::Uncertain]);
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 31).await;
    assert_eq!(run(&*ledger, "2", 32).await[0].1, ["correction:a@2"]);
}

pub async fn a_correction_is_sent_once(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    run(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    assert_eq!(run(&*ledger, "2", 4).await[0].1, ["correction:a@2"]);
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 5).await;
    accept(&*ledger, &[Draft::of("a").revision(3).withdrawn("again")], 6).await;
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(99)).await.unwrap());
    assert!(run(&*ledger, "3", 7).await.is_empty());
}

pub async fn a_correction_shows_what_was_last_known_and_why(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").title("Tin gốc").live()], 1).await;
    run(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(3).withdrawn("số liệu sai")], 3).await;
    accept(&*ledger, &[Draft::of("a").revision(2).title("Tin đã sửa").live()], 4).await; // late, and stale
    planned(&*ledger, "2", 5).await;
    let mail = claim(&*ledger, "x", 5).await.remove(0);
    let item = &mail.items[0];
    assert_eq!((item.kind, &item.article, item.revision), (ItemKind::Correction, &id("a"), 3));
    assert_eq!((item.content.title().as_str(), item.reason.as_str()), ("Tin đã sửa", "số liệu sai"));
}

pub async fn what_was_published_again_before_its_correction_is_an_update(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    run(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 4).await;
    assert_eq!(run(&*ledger, "2", 5).await[0].1, ["update:a@3"]);
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(99)).await.unwrap());

    // Planned as a correction, published again before it was sent.
    accept(&*ledger, &[Draft::of("a").revision(4).withdrawn("")], 6).await;
    planned(&*ledger, "3", 7).await;
    accept(&*ledger, &[Draft::of("a").revision(5).live()], 8).await;
    let mail = claim(&*ledger, "x", 9).await.remove(0);
    assert!(mail.items.is_empty());
    let empty = MailOutcome::Suppressed(MailReason::NothingLeft.into());
    ledger.record_mails("x", &[record(&mail.id, 9, empty)]).await.unwrap();
    accept(&*ledger, &[Draft::of("a").revision(6).withdrawn("")], 10).await;
    assert_eq!(run(&*ledger, "4", 11).await[0].1, ["correction:a@6"], "the unsent correction does not stand for it");
}

pub async fn what_was_published_again_after_its_correction_is_news_and_can_be_corrected_again(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    run(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    run(&*ledger, "2", 4).await;
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 5).await;
    assert_eq!(run(&*ledger, "3", 6).await[0].1, ["news:a@3"]);
    accept(&*ledger, &[Draft::of("a").revision(4).live()], 7).await;
    assert_eq!(run(&*ledger, "4", 8).await[0].1, ["update:a@4"]);
    accept(&*ledger, &[Draft::of("a").revision(5).withdrawn("")], 9).await;
    assert_eq!(run(&*ledger, "5", 10).await[0].1, ["correction:a@5"]);
}

pub async fn a_withdrawal_at_the_same_revision_is_corrected(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    run(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(1).withdrawn("")], 3).await;
    assert_eq!(run(&*ledger, "2", 4).await[0].1, ["correction:a@1"]);
    assert!(!ledger.owed(Frequency::Daily, at(-1_000), at(99)).await.unwrap());
}

pub async fn mails_are_listed_by_address_page_by_page(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["d", "b", "a", "c", "e"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (run, _) = planned(&*ledger, "1", 2).await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = ledger.mails(run, &after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.email.key();
        seen.extend(page);
    }
    let names: Vec<&str> = seen.iter().map(|mail| mail.id.subscription.as_str()).collect();
    assert_eq!(names, ["s-a", "s-b", "s-c", "s-d", "s-e"]);
    assert!(seen.iter().all(|mail| mail.state == MailState::Planned && mail.at.is_none() && mail.attempts == 0));
}

pub async fn runs_are_listed_newest_first(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    for slot in ["1", "2", "3"] {
        ledger.open_run(&key(slot), at(1), at(1)).await.unwrap();
    }
    let slots: Vec<String> = ledger.runs(2).await.unwrap().into_iter().map(|run| run.key.slot).collect();
    assert_eq!(slots, ["3", "2"]);
}

pub async fn stuck_runs_are_found_however_many_came_after_them(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["a", "b"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (paused, _) = planned(&*ledger, "1", 2).await;
    ledger.pause_run(paused, Some(&stopped()), at(3)).await.unwrap();
    let (unplanned, _) = ledger.open_run(&key("2"), at(4), at(4)).await.unwrap();
    for second in 5..40 {
        planned(&*ledger, &format!("later-{second}"), second).await;
    }
    let stuck = ledger.stuck_runs(10).await.unwrap();
    assert_eq!(
        stuck.iter().map(|run| run.id).collect::<Vec<_>>(),
        [paused, unplanned.id],
        "oldest first, and no other"
    );
    assert_eq!(stuck[0].paused, Some(stopped()));
    assert_eq!((stuck[0].account.waiting, stuck[1].planned), (2, false));
    assert_eq!(ledger.stuck_runs(1).await.unwrap(), stuck[..1]);
    assert_eq!(ledger.run(paused).await.unwrap().as_ref(), Some(&stuck[0]));
    assert_eq!(ledger.run(i64::MAX).await.unwrap(), None);
    ledger.pause_run(paused, None, at(50)).await.unwrap();
    assert_eq!(ledger.stuck_runs(10).await.unwrap().len(), 1, "what goes on is stuck no longer");
}

pub async fn runs_survive_a_crash(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["a", "b", "c"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let (run, _) = ledger.open_run(&key("1"), at(2), at(2)).await.unwrap();
    ledger.plan(run.id, at(-1_000), 1, at(2)).await.unwrap();
    drop(ledger); // in the middle of planning
    let ledger = open().await;
    let (again, new) = ledger.open_run(&key("1"), at(9), at(9)).await.unwrap();
    assert!(!new && again.id == run.id);
    assert_eq!(planned(&*ledger, "1", 9).await.1, 2, "the rest");
    assert_eq!(claim(&*ledger, "x", 9).await.len(), 3);
}

pub async fn two_stores_plan_and_claim_without_repeats(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let (one, two) = (open().await, open().await);
    let names: Vec<String> = (0..12).map(|n| format!("n{n:02}")).collect();
    people(&*one, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    accept(&*two, &[Draft::of("a").live()], 1).await;
    let (run, new) = one.open_run(&key("1"), at(2), at(2)).await.unwrap();
    assert!(new && !two.open_run(&key("1"), at(2), at(2)).await.unwrap().1);
    let mut mails = 0;
    for round in 0..10 {
        let ledger = if round % 2 == 0 { &one } else { &two };
        mails += ledger.plan(run.id, at(-1_000), 2, at(2)).await.unwrap().mails;
    }
    assert_eq!(mails, 12);
    let mut seen = Vec::new();
    for round in 0..6 {
        let ledger = if round % 2 == 0 { &one } else { &two };
        seen.extend(
            ledger.claim_mails(&lease(&format!("h{round}"), 3), 2).await.unwrap().into_iter().map(|mail| mail.id),
        );
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 12);
}

pub async fn a_correction_that_was_taken_out_is_owed_again_when_the_article_is_withdrawn_again(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert_eq!(run(&*ledger, "1", 2).await, [got("na", &["news:a@1"])]);
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    planned(&*ledger, "2", 4).await;
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 5).await;
    let mail = claim(&*ledger, "x", 6).await.remove(0);
    assert!(mail.items.is_empty(), "it stands again: there is nothing to correct");
    accept(&*ledger, &[Draft::of("a").revision(4).withdrawn("")], 7).await;
    let outcome = MailOutcome::Suppressed(MailReason::NothingLeft.into());
    ledger.record_mails("x", &[MailRecord { id: mail.id, outcome, at: at(8) }]).await.unwrap();
    assert_eq!(run(&*ledger, "3", 9).await, [got("na", &["correction:a@4"])]);
}
