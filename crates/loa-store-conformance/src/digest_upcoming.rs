//! Rules of the digest ledger about articles dated in the future (promise 11 of README.md): nobody is mailed one before its
//! time, and nobody misses it afterwards. Dates are minutes; an article is shown five minutes before its date.

use crate::{
    build::{Draft, at, id},
    digest::{accept, claim, got, lines, planned, request, run, subscribe, wish},
};
use loa_domain::{Frequency, SubscriptionState};
use loa_store::{DigestLedger, StoreErrorKind, SubscriptionRequest};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! digest_upcoming_rules {
    ($test:ident) => {
        $test!(an_article_of_the_future_is_owed_from_its_time_on);
        $test!(its_time_survives_a_crash);
        $test!(a_journey_says_until_when_it_waits);
        $test!(what_falls_between_a_cut_off_and_its_planning_goes_into_the_next_run);
        $test!(a_wish_made_before_its_time_gets_it_and_one_made_afterwards_does_not);
        $test!(a_revision_may_move_the_time_earlier_or_later);
        $test!(what_is_withdrawn_before_its_time_never_goes_out);
        $test!(what_was_sent_and_is_put_off_is_sent_again_at_its_time);
        $test!(a_correction_does_not_tell_what_was_never_shown);
        $test!(a_planned_mail_leaves_out_what_was_put_off);
        $test!(a_claimed_mail_is_not_submitted_with_what_was_put_off);
        $test!(a_preview_shows_nothing_before_its_time);
        $test!(age_counts_from_its_time);
        $test!(a_ledger_that_is_being_restored_takes_nothing_in);
    };
}

async fn owed(ledger: &dyn DigestLedger, minute: i64) -> bool {
    ledger.owed(Frequency::Daily, at(-1_000), at(minute)).await.unwrap()
}

async fn reader(open: &impl AsyncFn() -> Arc<dyn DigestLedger>) -> Arc<dyn DigestLedger> {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    ledger
}

pub async fn an_article_of_the_future_is_owed_from_its_time_on(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    subscribe(&*ledger, request("phi", wish(&["phi-nhu"], &["y-te"]))).await;
    subscribe(&*ledger, request("khac", wish(&["keo-lom"], &[]))).await;
    let draft = Draft::of("mai").areas(&["phi-nhu"]).category("y-te", "Y tế");
    accept(&*ledger, &[draft.published(60).live(), Draft::of("nay").live()], 1).await;
    assert_eq!(run(&*ledger, "1", 54).await, [got("na", &["news:nay@1"])]);
    assert!(!owed(&*ledger, 54).await);
    assert!(owed(&*ledger, 55).await, "without any wake-up");
    let both = [got("na", &["news:mai@1"]), got("phi", &["news:mai@1"])];
    assert_eq!(run(&*ledger, "2", 56).await, both);
    assert!(!owed(&*ledger, 99).await, "sent once");
}

pub async fn its_time_survives_a_crash(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    drop(ledger);
    let ledger = open().await;
    assert!(!owed(&*ledger, 54).await);
    drop(ledger);
    assert_eq!(run(&*open().await, "1", 200).await, [got("na", &["news:mai@1"])]);
}

pub async fn a_journey_says_until_when_it_waits(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    let steps = ledger.journey(&id("mai")).await.unwrap();
    let told: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.at)).collect();
    assert_eq!(told, [("accepted", at(1)), ("waiting", at(55))]);
    run(&*ledger, "1", 60).await;
    let steps = ledger.journey(&id("mai")).await.unwrap();
    assert!(steps.iter().all(|step| step.step.as_str() != "waiting"), "{steps:?}");
}

pub async fn what_falls_between_a_cut_off_and_its_planning_goes_into_the_next_run(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live(), Draft::of("nay").live()], 1).await;
    let (first, _) = ledger.open_run(&crate::digest::key("1"), at(54), at(54)).await.unwrap();
    assert!(owed(&*ledger, 55).await, "its time has come before the run is planned");
    assert!(ledger.plan(first.id, at(-1_000), 100, at(56)).await.unwrap().complete);
    assert_eq!(lines(&claim(&*ledger, "x", 56).await[0]), ["news:nay@1"]);
    assert_eq!(planned(&*ledger, "2", 57).await.1, 1);
    assert_eq!(lines(&claim(&*ledger, "y", 57).await[0]), ["news:mai@1"]);
}

pub async fn a_wish_made_before_its_time_gets_it_and_one_made_afterwards_does_not(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    let since = |name: &str, minute| SubscriptionRequest { at: at(minute), ..request(name, wish(&[], &[])) };
    subscribe(&*ledger, since("truoc", 54)).await;
    subscribe(&*ledger, SubscriptionRequest { state: SubscriptionState::Pending, ..since("cho", 54) }).await;
    subscribe(&*ledger, since("sau", 55)).await;
    ledger.confirm("hash-cho", at(56)).await.unwrap();
    assert_eq!(run(&*ledger, "1", 60).await, [got("truoc", &["news:mai@1"])], "as a follower of the feed sees it");
}

pub async fn a_revision_may_move_the_time_earlier_or_later(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    let dated = |article: &str, revision, minute| Draft::of(article).revision(revision).published(minute).live();
    accept(&*ledger, &[dated("som", 1, 100), dated("muon", 1, 60)], 1).await;
    accept(&*ledger, &[dated("som", 2, 60), dated("muon", 2, 100)], 2).await;
    assert_eq!(run(&*ledger, "1", 60).await, [got("na", &["news:som@2"])]);
    assert_eq!(run(&*ledger, "2", 94).await, []);
    assert_eq!(run(&*ledger, "3", 95).await, [got("na", &["news:muon@2"])]);
    // an older revision that comes late moves nothing
    accept(&*ledger, &[dated("muon", 1, 200)], 96).await;
    accept(&*ledger, &[dated("lai", 2, 200), dated("lai", 1, 90)], 96).await;
    assert_eq!(run(&*ledger, "4", 190).await, []);
    assert_eq!(run(&*ledger, "5", 195).await, [got("na", &["news:lai@2"])]);
}

pub async fn what_is_withdrawn_before_its_time_never_goes_out(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    accept(&*ledger, &[Draft::of("mai").revision(2).withdrawn("nhầm")], 2).await;
    assert_eq!(run(&*ledger, "1", 99).await, [], "no mail, and no correction of what nobody has read");
    accept(&*ledger, &[Draft::of("bo").revision(2).withdrawn(""), Draft::of("bo").published(120).live()], 100).await;
    assert_eq!(run(&*ledger, "2", 200).await, []);
}

pub async fn what_was_sent_and_is_put_off_is_sent_again_at_its_time(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert_eq!(run(&*ledger, "1", 2).await, [got("na", &["news:a@1"])]);
    accept(&*ledger, &[Draft::of("a").revision(2).published(60).live()], 3).await;
    assert_eq!(run(&*ledger, "2", 54).await, []);
    assert_eq!(run(&*ledger, "3", 55).await, [got("na", &["update:a@2"])]);
}

pub async fn a_correction_does_not_tell_what_was_never_shown(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("a").title("Đã đăng").live()], 1).await;
    run(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).title("Chưa công bố").published(60).live()], 3).await;
    accept(&*ledger, &[Draft::of("a").revision(3).withdrawn("nhầm")], 4).await;
    planned(&*ledger, "2", 5).await;
    let mail = claim(&*ledger, "x", 5).await.remove(0);
    assert_eq!(lines(&mail), ["correction:a@3"]);
    assert_eq!(mail.items[0].content.title(), "Đã đăng");
}

pub async fn a_planned_mail_leaves_out_what_was_put_off(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").revision(2).published(60).live()], 3).await;
    let mail = claim(&*ledger, "1", 4).await.remove(0);
    assert_eq!(lines(&mail), ["news:b@1"]);
    crate::digest::send(&*ledger, "1", &mail.id, 4).await;
    assert_eq!(run(&*ledger, "2", 60).await, [got("na", &["news:a@2"])]);
}

pub async fn a_claimed_mail_is_not_submitted_with_what_was_put_off(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    let mail = claim(&*ledger, "x", 3).await.remove(0);
    accept(&*ledger, &[Draft::of("a").revision(2).published(60).live()], 3).await;
    assert!(ledger.submitting("x", std::slice::from_ref(&mail.id), at(4)).await.unwrap().is_empty());
    assert_eq!(lines(&claim(&*ledger, "y", 5).await[0]), ["news:b@1"], "it is composed anew");
}

pub async fn a_preview_shows_nothing_before_its_time(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    let shown = async || ledger.preview(&wish(&[], &[]), at(-1_000), 10).await.unwrap().len();
    assert_eq!(shown().await, 0);
    assert!(!owed(&*ledger, 60).await, "nobody wishes for anything");
    assert_eq!(shown().await, 1);
}

pub async fn age_counts_from_its_time(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("mai").published(1_000).live()], 1).await;
    let owed = async |oldest, now| ledger.owed(Frequency::Daily, at(oldest), at(now)).await.unwrap();
    assert!(owed(900, 1_000).await, "taken in long before, and news all the same");
    assert!(!owed(996, 1_100).await, "no news any more");
}

pub async fn a_ledger_that_is_being_restored_takes_nothing_in(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = reader(&open).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    ledger.set_restoring(true).await.unwrap();
    let error = ledger.owed(Frequency::Daily, at(0), at(60)).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "a restore takes it in, in its turn");
    ledger.set_restoring(false).await.unwrap();
    assert!(owed(&*ledger, 60).await);
}
