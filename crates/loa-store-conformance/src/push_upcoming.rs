//! Rules of the push ledger about articles dated in the future (promise 11 of README.md): no endpoint is given one before its
//! time, and each is at its time. Dates are minutes; an article is shown five minutes before its date.

use crate::{
    build::{Draft, at, id},
    push::{accept, all, claim, endpoint, names, record, with},
};
use loa_domain::{AttemptOutcome, DeliveryState, EventType};
use loa_store::{PushLedger, StoreErrorKind};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! push_upcoming_rules {
    ($test:ident) => {
        $test!(an_event_of_the_future_is_given_from_its_time_on);
        $test!(the_next_due_knows_the_time);
        $test!(its_time_survives_a_crash);
        $test!(a_journey_says_until_when_it_waits);
        $test!(an_endpoint_added_before_its_time_gets_it);
        $test!(a_revision_may_move_the_time_earlier_or_later);
        $test!(what_the_portal_puts_off_is_not_sent_meanwhile);
        $test!(what_is_withdrawn_before_its_time_is_told_to_nobody);
        $test!(what_was_shown_and_put_off_is_withdrawn_as_ever);
        $test!(an_older_version_that_comes_late_is_not_sent_in_its_place);
        $test!(what_comes_late_twice_of_what_was_withdrawn_unseen_is_told_to_nobody);
        $test!(a_ledger_that_is_being_restored_takes_nothing_in);
    };
}

pub async fn an_event_of_the_future_is_given_from_its_time_on(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    let mut gone = endpoint("go");
    gone.filter.event_types = [EventType::ArticleWithdrawn].into();
    ledger.add_endpoint(&gone).await.unwrap();
    with(&*ledger, &["tinh", "so"]).await;
    let event = Draft::of("mai").published(60).live();
    accept(&*ledger, &[event.clone(), Draft::of("nay").live()], 1).await;
    assert_eq!(names(&claim(&*ledger, "x", 54, 9).await), ["so:nay@1", "tinh:nay@1"]);
    assert!(all(&*ledger).await.iter().all(|one| one.article.as_str() == "nay"), "nobody can redrive it early");
    let due = claim(&*ledger, "y", 55, 9).await;
    assert_eq!(
        names(&due.iter().filter(|one| one.article.as_str() == "mai").cloned().collect::<Vec<_>>()),
        ["so:mai@1", "tinh:mai@1"]
    );
    let sent = due.iter().find(|one| one.article.as_str() == "mai").unwrap();
    assert_eq!(*sent.body, *event.original_bytes, "the original bytes");
    assert_eq!(accept(&*ledger, &[event], 70).await.duplicates, 1);
    assert!(claim(&*ledger, "z", 60, 9).await.iter().all(|one| one.article.as_str() != "mai"), "once");
}

pub async fn the_next_due_knows_the_time(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    assert_eq!(ledger.next_due().await.unwrap(), Some(at(55)));
}

pub async fn its_time_survives_a_crash(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    drop(ledger);
    assert!(claim(&*open().await, "x", 54, 9).await.is_empty());
    assert_eq!(names(&claim(&*open().await, "y", 200, 9).await), ["tinh:mai@1"]);
}

pub async fn a_journey_says_until_when_it_waits(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    let steps = ledger.journey(&id("mai")).await.unwrap();
    let told: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.at)).collect();
    assert_eq!(told, [("accepted", at(1)), ("waiting", at(55))]);
    assert_eq!(claim(&*ledger, "x", 60, 9).await.len(), 1);
    let steps = ledger.journey(&id("mai")).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.step.as_str()).collect::<Vec<_>>(), ["accepted", "pending"]);
}

pub async fn an_endpoint_added_before_its_time_gets_it(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    with(&*ledger, &["tinh"]).await;
    assert_eq!(names(&claim(&*ledger, "x", 55, 9).await), ["tinh:mai@1"]);
    with(&*ledger, &["sau"]).await;
    assert!(claim(&*ledger, "y", 56, 9).await.is_empty(), "what came before an endpoint is not owed to it");
}

pub async fn a_revision_may_move_the_time_earlier_or_later(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    let dated = |article: &str, revision, minute| Draft::of(article).revision(revision).published(minute).live();
    accept(&*ledger, &[dated("som", 1, 100), dated("muon", 1, 60)], 1).await;
    accept(&*ledger, &[dated("som", 2, 60), dated("muon", 2, 100)], 2).await;
    assert_eq!(names(&claim(&*ledger, "x", 60, 9).await), ["tinh:som@2"]);
    accept(&*ledger, &[dated("nay", 1, 200), dated("nay", 2, 1)], 61).await;
    assert_eq!(names(&claim(&*ledger, "y", 62, 9).await), ["tinh:nay@2"]);
    assert_eq!(names(&claim(&*ledger, "z", 96, 1).await).len(), 1);
    let muon: Vec<_> = all(&*ledger).await.into_iter().filter(|one| one.article.as_str() == "muon").collect();
    assert_eq!(muon.iter().map(|one| one.revision).collect::<Vec<_>>(), [2]);
}

pub async fn what_the_portal_puts_off_is_not_sent_meanwhile(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let first = claim(&*ledger, "x", 2, 9).await.remove(0);
    record(&*ledger, "x", &first.id, 2, AttemptOutcome::Retry(at(10))).await;
    accept(&*ledger, &[Draft::of("a").revision(2).published(60).live()], 3).await;
    assert_eq!(ledger.delivery(&first.id).await.unwrap().0.state, DeliveryState::Superseded);
    assert!(claim(&*ledger, "y", 20, 9).await.is_empty());
    assert_eq!(names(&claim(&*ledger, "z", 55, 9).await), ["tinh:a@2"]);
    // one that both came in one batch
    accept(&*ledger, &[Draft::of("b").live(), Draft::of("b").revision(2).published(90).live()], 56).await;
    assert!(claim(&*ledger, "w", 57, 9).await.is_empty());
}

pub async fn what_is_withdrawn_before_its_time_is_told_to_nobody(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    accept(&*ledger, &[Draft::of("mai").revision(2).withdrawn("nhầm")], 2).await;
    assert!(claim(&*ledger, "x", 99, 9).await.is_empty());
    let both = [Draft::of("b").published(120).live(), Draft::of("b").revision(2).withdrawn("")];
    accept(&*ledger, &both, 100).await;
    assert!(claim(&*ledger, "y", 200, 9).await.is_empty());
    assert_eq!(ledger.next_due().await.unwrap(), None);
    accept(&*ledger, &[Draft::of("mai").revision(3).live(), Draft::of("mai").revision(4).withdrawn("")], 201).await;
    assert_eq!(names(&claim(&*ledger, "z", 202, 9).await), ["tinh:mai@3"], "shown after all");
}

pub async fn what_was_shown_and_put_off_is_withdrawn_as_ever(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let first = claim(&*ledger, "x", 2, 9).await.remove(0);
    record(&*ledger, "x", &first.id, 2, AttemptOutcome::Delivered).await;
    accept(&*ledger, &[Draft::of("a").revision(2).published(60).live()], 3).await;
    accept(&*ledger, &[Draft::of("a").revision(3).withdrawn("nhầm")], 4).await;
    assert_eq!(names(&claim(&*ledger, "y", 5, 9).await), ["tinh:a@3"], "they have the first revision");
    assert!(claim(&*ledger, "z", 60, 9).await.iter().all(|one| one.revision == 3));
}

pub async fn an_older_version_that_comes_late_is_not_sent_in_its_place(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").revision(2).published(60).live()], 1).await;
    accept(&*ledger, &[Draft::of("a").live()], 2).await;
    assert!(claim(&*ledger, "x", 3, 9).await.is_empty(), "the portal says: not yet");
    assert_eq!(names(&claim(&*ledger, "y", 55, 9).await), ["tinh:a@2"]);
    accept(&*ledger, &[Draft::of("b").revision(2).published(90).live()], 60).await;
    accept(&*ledger, &[Draft::of("b").revision(3).withdrawn("")], 61).await;
    accept(&*ledger, &[Draft::of("b").live()], 62).await;
    assert!(claim(&*ledger, "z", 99, 9).await.iter().all(|one| one.article.as_str() != "b"));
}

pub async fn what_comes_late_twice_of_what_was_withdrawn_unseen_is_told_to_nobody(
    open: impl AsyncFn() -> Arc<dyn PushLedger>,
) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").revision(2).published(60).live()], 1).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("nhầm")], 2).await;
    for event in ["a-1-x", "a-1-y"] {
        accept(&*ledger, &[Draft::of("a").event(event).live()], 3).await;
        assert!(
            claim(&*ledger, event, 4, 9).await.is_empty(),
            "{event} is withdrawn, and its withdrawal was told to nobody"
        );
    }
    accept(&*ledger, &[Draft::of("a").revision(3).withdrawn("nhầm")], 5).await;
    assert!(claim(&*ledger, "z", 99, 9).await.is_empty(), "nobody was ever shown it");
}

pub async fn a_ledger_that_is_being_restored_takes_nothing_in(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("mai").published(60).live()], 1).await;
    ledger.set_restoring(true).await.unwrap();
    let claimed = ledger.claim(&crate::build::lease("x", 60), &[], 9, 9).await;
    assert_eq!(claimed.unwrap_err().kind, StoreErrorKind::Unavailable);
    ledger.set_restoring(false).await.unwrap();
    assert_eq!(names(&claim(&*ledger, "y", 60, 9).await), ["tinh:mai@1"]);
}
