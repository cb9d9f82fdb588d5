//! Rules of the digest ledger: the receipts it gives, and what it learns from receipts after a
//! restore.

use crate::{
    build::{Draft, at, id},
    digest::{accept, claim, key, lines, planned, request, run, send, subscribe, wish},
    receipts::{begun, ended, mail, subscription},
};
use loa_domain::{Account, Because, EmailAddress, MailOutcome, MailReason, MailState, SubscriptionState, Wish};
use loa_store::{DigestLedger, Receipt, StoreErrorKind, SubscriptionRequest};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! digest_receipt_rules {
    ($test:ident) => {
        $test!(a_mail_is_told_with_its_lines_while_it_is_in_its_dialogue);
        $test!(what_is_learnt_as_sent_is_not_sent_again_and_the_account_balances);
        $test!(whom_a_learnt_run_did_not_reach_the_next_one_reaches);
        $test!(what_the_copy_had_planned_and_was_sent_since_is_not_claimed);
        $test!(a_run_learnt_keeps_its_number_and_later_ones_go_on_from_it);
        $test!(a_correction_goes_to_exactly_those_whose_mail_was_learnt);
        $test!(a_correction_is_owed_though_the_withdrawal_came_first);
        $test!(a_correction_learnt_as_sent_is_not_owed_again);
        $test!(a_dialogue_learnt_without_its_end_is_in_doubt_and_the_second_uncertain);
        $test!(a_dialogue_learnt_as_ended_without_success_is_tried_again);
        $test!(learning_twice_changes_nothing);
        $test!(a_mail_about_an_unknown_article_or_mailbox_is_deferred_until_it_comes);
        $test!(who_unsubscribed_since_the_copy_is_not_mailed);
        $test!(who_subscribed_since_the_copy_is_owed_what_came_after);
        $test!(a_wish_changed_since_the_copy_keeps_what_it_was_owed_and_still_wishes);
        $test!(what_was_told_before_the_copy_takes_nothing_from_a_wish_changed_since);
        $test!(another_subscription_in_its_place_is_left_as_it_is);
        $test!(a_wish_that_nobody_confirmed_gives_way_to_what_was_confirmed_since);
        $test!(the_other_outlets_receipts_are_passed_over);
        $test!(a_ledger_gives_nothing_out_until_its_restore_has_ended);
    };
}

async fn learn(ledger: &dyn DigestLedger, receipts: &[Receipt]) -> u64 {
    ledger.learn(receipts).await.unwrap()
}

fn sent() -> MailOutcome {
    MailOutcome::Sent("250 ok".into())
}

fn told(name: &str, wish: Wish, state: SubscriptionState, since: i64) -> Receipt {
    Receipt::Subscription(Box::new(subscription(name, wish, state, since)))
}

async fn people(ledger: &dyn DigestLedger, names: &[&str]) {
    for name in names {
        subscribe(ledger, request(name, wish(&[], &[]))).await;
    }
}

async fn account(ledger: &dyn DigestLedger, run: i64) -> Account {
    let found = ledger.runs(100).await.unwrap().into_iter().find(|one| one.id == run).unwrap();
    assert!(found.account.balances(), "{:?}", found.account);
    found.account
}

fn got(who: &str, lines: &[&str]) -> (String, Vec<String>) {
    (who.to_owned(), lines.iter().map(|line| (*line).to_owned()).collect())
}

pub async fn a_mail_is_told_with_its_lines_while_it_is_in_its_dialogue(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").revision(3).live()], 1).await;
    let (run, _) = planned(&*ledger, "1", 2).await;
    let due = claim(&*ledger, "x", 2).await.remove(0);
    assert!(ledger.in_dialogue(std::slice::from_ref(&due.id)).await.unwrap().is_empty(), "it has not begun");
    ledger.submitting("x", std::slice::from_ref(&due.id), at(3)).await.unwrap();
    let told = ledger.in_dialogue(&[due.id.clone(), mail(99, "na")]).await.unwrap();
    let Receipt::MailBegun(expected) = begun(run, "1", "na", &[("a", false, 1), ("b", false, 3)], 2) else { panic!() };
    assert_eq!(told, [loa_store::MailBegun { at: at(3), ..*expected }]);
    send_recorded(&*ledger, &due.id).await;
    assert!(ledger.in_dialogue(&[due.id]).await.unwrap().is_empty(), "it has ended");
}

async fn send_recorded(ledger: &dyn DigestLedger, id: &loa_domain::MailId) {
    let record = loa_store::MailRecord { id: id.clone(), outcome: sent(), at: at(3) };
    assert_eq!(ledger.record_mails("x", &[record]).await.unwrap(), 1);
}

pub async fn what_is_learnt_as_sent_is_not_sent_again_and_the_account_balances(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let receipts = [
        begun(7, "1", "na", &[("a", false, 1)], 2),
        begun(7, "1", "tia", &[("a", false, 1)], 2),
        ended(7, "na", 2, sent()),
        ended(7, "tia", 2, MailOutcome::Refused(Because::said(MailReason::MailboxRefused, "550"))),
    ];
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    assert_eq!(account(&*ledger, 7).await, Account { planned: 2, sent: 1, failed: 1, ..Account::default() });
    assert!(run(&*ledger, "2", 10).await.is_empty());
    let found = ledger.runs(10).await.unwrap().into_iter().find(|run| run.id == 7).unwrap();
    assert_eq!((found.key, found.cutoff, found.created_at, found.planned), (key("1"), at(2), at(2), true));
    let journey = ledger.journey(&id("a")).await.unwrap();
    assert!(journey.iter().any(|step| step.step.as_str() == "mailed" && step.at == at(2)), "{journey:?}");
}

pub async fn whom_a_learnt_run_did_not_reach_the_next_one_reaches(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert_eq!(learn(&*ledger, &[begun(1, "1", "na", &[("a", false, 1)], 2), ended(1, "na", 2, sent())]).await, 0);
    assert_eq!(run(&*ledger, "1", 3).await, [], "the run's audience is frozen");
    assert_eq!(run(&*ledger, "2", 4).await, [got("tia", &["news:a@1"])]);
}

pub async fn what_the_copy_had_planned_and_was_sent_since_is_not_claimed(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let (number, _) = planned(&*ledger, "1", 2).await;
    // it was edited before it was sent
    accept(&*ledger, &[Draft::of("a").revision(2).live()], 3).await;
    let receipts = [begun(number, "1", "na", &[("a", false, 2)], 4), ended(number, "na", 4, sent())];
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    let due = claim(&*ledger, "x", 5).await;
    assert_eq!(due.iter().map(|mail| mail.subscription.email.as_str()).collect::<Vec<_>>(), ["tia@example.gov.vn"]);
    send(&*ledger, "x", &due[0].id, 5).await;
    assert_eq!(account(&*ledger, number).await, Account { planned: 2, sent: 2, ..Account::default() });
    assert!(run(&*ledger, "2", 10).await.is_empty(), "both have revision 2");
}

pub async fn a_run_learnt_keeps_its_number_and_later_ones_go_on_from_it(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    learn(&*ledger, &[begun(41, "1", "na", &[("a", false, 1)], 2)]).await;
    let (again, new) = ledger.open_run(&key("1"), at(3), at(3)).await.unwrap();
    assert_eq!((again.id, new), (41, false));
    let (next, new) = ledger.open_run(&key("2"), at(3), at(3)).await.unwrap();
    assert_eq!((next.id, new), (42, true), "a number used twice would be a Message-ID used twice");
}

pub async fn a_correction_goes_to_exactly_those_whose_mail_was_learnt(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    learn(&*ledger, &[begun(1, "1", "na", &[("a", false, 1)], 2), ended(1, "na", 2, sent())]).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("nhầm")], 3).await;
    assert_eq!(run(&*ledger, "2", 4).await, [got("na", &["correction:a@2"])]);
    assert!(run(&*ledger, "3", 5).await.is_empty());
}

pub async fn a_correction_is_owed_though_the_withdrawal_came_first(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("nhầm")], 3).await;
    learn(&*ledger, &[begun(1, "1", "na", &[("a", false, 1)], 2), ended(1, "na", 2, sent())]).await;
    assert_eq!(run(&*ledger, "2", 4).await, [got("na", &["correction:a@2"])]);
}

pub async fn a_correction_learnt_as_sent_is_not_owed_again(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    learn(&*ledger, &[begun(1, "1", "na", &[("a", false, 1)], 2), ended(1, "na", 2, sent())]).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("nhầm")], 3).await;
    learn(&*ledger, &[begun(2, "2", "na", &[("a", true, 2)], 4), ended(2, "na", 4, sent())]).await;
    assert!(run(&*ledger, "3", 5).await.is_empty());
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 6).await;
    assert_eq!(run(&*ledger, "4", 7).await, [got("na", &["news:a@3"])]);
}

pub async fn a_dialogue_learnt_without_its_end_is_in_doubt_and_the_second_uncertain(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let receipts = [
        begun(1, "1", "na", &[("a", false, 1)], 2),
        begun(1, "1", "tia", &[("a", false, 1)], 2),
        begun(1, "1", "tia", &[("a", false, 1)], 30),
    ];
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    let due = claim(&*ledger, "x", 60).await;
    assert_eq!(due.len(), 1);
    assert!(due[0].in_doubt && due[0].id == mail(1, "na"), "once more, under its own id");
    assert_eq!(account(&*ledger, 1).await, Account { planned: 2, uncertain: 1, waiting: 1, ..Account::default() });
}

pub async fn a_dialogue_learnt_as_ended_without_success_is_tried_again(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let receipts = [
        begun(1, "1", "na", &[("a", false, 1)], 2),
        ended(1, "na", 2, MailOutcome::Later(Because::said(MailReason::ServerBusy, "451"), at(9))),
    ];
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    assert!(claim(&*ledger, "x", 8).await.is_empty());
    let due = claim(&*ledger, "x", 9).await;
    assert_eq!((due[0].id.clone(), due[0].attempts, due[0].in_doubt), (mail(1, "na"), 1, false));
    assert_eq!(lines(&due[0]), ["news:a@1"]);
    // certainly not out: nobody is to be corrected
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("nhầm")], 10).await;
    assert!(run(&*ledger, "2", 11).await.is_empty());
}

pub async fn learning_twice_changes_nothing(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia", "luan"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    let receipts = [
        told("phi", wish(&[], &[]), SubscriptionState::Active, 0),
        begun(1, "1", "na", &[("a", false, 1), ("b", false, 1)], 2),
        ended(1, "na", 2, sent()),
        begun(1, "1", "tia", &[("a", false, 1)], 2),
        ended(1, "tia", 2, MailOutcome::Later(Because::said(MailReason::ServerBusy, "451"), at(9))),
        begun(1, "1", "luan", &[("a", false, 1)], 2),
        told("na", wish(&[], &[]), SubscriptionState::Unsubscribed, 0),
    ];
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    let (once, mails) = (account(&*ledger, 1).await, ledger.mails(1, "", 10).await.unwrap());
    let people = ledger.subscribers("", 10).await.unwrap();
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    assert_eq!(account(&*ledger, 1).await, once);
    assert_eq!(ledger.mails(1, "", 10).await.unwrap(), mails);
    assert_eq!(ledger.subscribers("", 10).await.unwrap(), people);
    let due = claim(&*ledger, "x", 9).await;
    assert_eq!(due.len(), 2, "tia's again, luan's in doubt");
}

pub async fn a_mail_about_an_unknown_article_or_mailbox_is_deferred_until_it_comes(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    let receipts = [begun(1, "1", "na", &[("a", false, 1)], 2), ended(1, "na", 2, sent())];
    assert_eq!(learn(&*ledger, &receipts).await, 2);
    assert!(ledger.runs(10).await.unwrap().is_empty(), "nothing of it was kept");
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert_eq!(learn(&*ledger, &[begun(1, "1", "tia", &[("a", false, 1)], 2)]).await, 1);
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    assert!(run(&*ledger, "2", 10).await.is_empty());
}

pub async fn who_unsubscribed_since_the_copy_is_not_mailed(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na", "tia"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let (number, _) = planned(&*ledger, "1", 2).await;
    learn(&*ledger, &[told("na", wish(&[], &[]), SubscriptionState::Unsubscribed, 0)]).await;
    accept(&*ledger, &[Draft::of("b").live()], 3).await;
    for due in claim(&*ledger, "x", 4).await {
        let active = due.subscription.state == SubscriptionState::Active;
        assert_eq!(active, due.id == mail(number, "tia"), "the service suppresses those that are not active");
    }
    let next = run(&*ledger, "2", 5).await;
    assert_eq!(next, [got("tia", &["news:b@1"])]);
}

pub async fn who_subscribed_since_the_copy_is_owed_what_came_after(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let pending = told("na", wish(&[], &[]), SubscriptionState::Pending, 2);
    let active = told("na", wish(&[], &[]), SubscriptionState::Active, 3);
    assert_eq!(learn(&*ledger, &[pending, active]).await, 0);
    accept(&*ledger, &[Draft::of("b").live()], 4).await;
    let learnt = ledger.by_token("hash-na").await.unwrap().unwrap();
    assert_eq!((learnt.state, learnt.since, learnt.token.as_str()), (SubscriptionState::Active, at(3), "token-na"));
    let mailbox = ledger.subscriber(&EmailAddress::parse("na@example.gov.vn").unwrap()).await.unwrap().unwrap();
    assert_eq!((mailbox.id.as_str(), mailbox.created_at), ("p-na", at(0)));
    assert_eq!(run(&*ledger, "1", 5).await, [got("na", &["news:b@1"])]);
}

pub async fn a_wish_changed_since_the_copy_keeps_what_it_was_owed_and_still_wishes(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").areas(&["x"]).live(), Draft::of("b").areas(&["y"]).live()], 1).await;
    learn(&*ledger, &[told("na", wish(&["x"], &[]), SubscriptionState::Active, 2)]).await;
    accept(&*ledger, &[Draft::of("c").areas(&["x"]).live(), Draft::of("d").areas(&["y"]).live()], 3).await;
    assert_eq!(run(&*ledger, "1", 5).await, [got("na", &["news:c@1", "news:a@1"])]);
}

pub async fn what_was_told_before_the_copy_takes_nothing_from_a_wish_changed_since(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&["x"], &[]))).await;
    let changed = loa_store::SubscriptionRequest { at: at(2), ..request("na", wish(&["y"], &[])) };
    subscribe(&*ledger, changed).await;
    accept(&*ledger, &[Draft::of("a").areas(&["y"]).live()], 3).await;
    learn(&*ledger, &[told("na", wish(&["x"], &[]), SubscriptionState::Active, 0)]).await;
    assert_eq!(run(&*ledger, "1", 5).await, [got("na", &["news:a@1"])]);
    // but who has left has left, whatever the clocks say
    learn(&*ledger, &[told("na", wish(&["x"], &[]), SubscriptionState::Unsubscribed, 0)]).await;
    let standing = ledger.by_token("hash-na").await.unwrap().unwrap();
    assert_eq!(standing.state, SubscriptionState::Unsubscribed);
}

pub async fn another_subscription_in_its_place_is_left_as_it_is(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    let mut other = subscription("na", wish(&["x"], &[]), SubscriptionState::Unsubscribed, 2);
    other.id = mail(1, "another").subscription;
    other.token_hash = "hash-another".into();
    assert_eq!(learn(&*ledger, &[Receipt::Subscription(Box::new(other))]).await, 1);
    let standing = ledger.by_token("hash-na").await.unwrap().unwrap();
    assert_eq!((standing.state, standing.wish), (SubscriptionState::Active, wish(&[], &[])));
}

pub async fn a_wish_that_nobody_confirmed_gives_way_to_what_was_confirmed_since(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    let pending = SubscriptionRequest { state: SubscriptionState::Pending, ..request("na", wish(&[], &[])) };
    subscribe(&*ledger, pending).await;
    let mut since = subscription("na", wish(&["x"], &[]), SubscriptionState::Active, 2);
    since.id = mail(1, "another").subscription;
    since.token_hash = "hash-another".into();
    assert_eq!(learn(&*ledger, &[Receipt::Subscription(Box::new(since))]).await, 0);
    // one that is told from before takes nothing back
    assert_eq!(learn(&*ledger, &[told("na", wish(&[], &[]), SubscriptionState::Pending, 1)]).await, 0);
    let standing = ledger.by_token("hash-another").await.unwrap().unwrap();
    assert_eq!((standing.state, standing.wish), (SubscriptionState::Active, wish(&["x"], &[])));
    assert!(ledger.by_token("hash-na").await.unwrap().is_none());
}

pub async fn the_other_outlets_receipts_are_passed_over(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let push = crate::receipts::attempt("a", "tinh", 1, loa_domain::AttemptOutcome::Delivered);
    assert_eq!(learn(&*ledger, &[push]).await, 0);
}

pub async fn a_ledger_gives_nothing_out_until_its_restore_has_ended(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    people(&*ledger, &["na"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let (number, _) = ledger.open_run(&key("1"), at(2), at(2)).await.unwrap();
    ledger.set_restoring(true).await.unwrap();
    ledger.set_restoring(true).await.unwrap();
    drop(ledger);
    let ledger = open().await;
    let lease = loa_store::Lease { holder: "x".into(), now: at(3), until: at(13) };
    let refused = [
        ledger.open_run(&key("2"), at(3), at(3)).await.unwrap_err(),
        ledger.plan(number.id, at(-1_000), 10, at(3)).await.unwrap_err(),
        ledger.claim_mails(&lease, 10).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("loa restore digest"), "it says what to do: {error}");
    }
    // what a restore does is not refused
    accept(&*ledger, &[Draft::of("b").live()], 3).await;
    assert_eq!(learn(&*ledger, &[begun(number.id, "1", "na", &[("a", false, 1)], 2)]).await, 0);
    ledger.set_restoring(false).await.unwrap();
    ledger.set_restoring(false).await.unwrap();
    let states: Vec<MailState> = claim(&*ledger, "x", 60).await.iter().map(|_| MailState::Planned).collect();
    assert_eq!(states.len(), 1);
}
