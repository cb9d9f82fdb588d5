//! Rules of the push ledger: the receipts it gives, and what it learns from receipts after a
//! restore.

use crate::{
    build::{Draft, SOURCE, at, lease},
    receipts::{attempt, endpoint},
};
use loa_domain::{AttemptOutcome, DeliveryId, DeliveryState, DisableReason, EndpointId, EndpointState, EventKey};
use loa_store::{AttemptRecord, DeliveryQuery, DeliveryView, DueDelivery, PushLedger, Receipt, StoreErrorKind};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! push_receipt_rules {
    ($test:ident) => {
        $test!(an_attempt_is_told_by_event_and_endpoint);
        $test!(what_is_learnt_as_delivered_is_not_sent_again);
        $test!(a_learnt_delivery_supersedes_older_versions_that_wait);
        $test!(what_was_not_delivered_goes_on_where_it_was);
        $test!(an_endpoint_is_learnt_as_it_stood_last);
        $test!(an_endpoint_that_was_gone_stays_disabled_until_it_was_enabled_again);
        $test!(learning_twice_changes_nothing);
        $test!(an_attempt_of_an_event_never_seen_is_deferred_until_it_comes);
        $test!(an_attempt_of_what_is_owed_to_nobody_here_is_learned);
        $test!(the_other_outlets_receipts_are_passed_over);
        $test!(a_ledger_gives_nothing_out_until_its_restore_has_ended);
    };
}

fn enabled(name: &str) -> Receipt {
    Receipt::Endpoint(endpoint(name, EndpointState::Enabled, 0))
}

async fn learn(ledger: &dyn PushLedger, receipts: &[Receipt]) -> u64 {
    ledger.learn(receipts).await.unwrap()
}

async fn due(ledger: &dyn PushLedger, minute: i64) -> Vec<DueDelivery> {
    ledger.claim(&lease("x", minute), &[], 100, 100).await.unwrap()
}

async fn all(ledger: &dyn PushLedger) -> Vec<DeliveryView> {
    let mut found = ledger.deliveries(&DeliveryQuery { limit: 100, ..DeliveryQuery::default() }).await.unwrap();
    found.reverse();
    found
}

async fn states(ledger: &dyn PushLedger) -> Vec<(u64, DeliveryState)> {
    all(ledger).await.into_iter().map(|delivery| (delivery.revision, delivery.state)).collect()
}

/// An endpoint `tinh`, owed revision 1 of the article `a`, whose event is `e1`.
async fn one_owed(ledger: &dyn PushLedger) {
    learn(ledger, &[enabled("tinh")]).await;
    ledger.accept(&[Draft::of("a").event("e1").live()], at(1)).await.unwrap();
}

pub async fn an_attempt_is_told_by_event_and_endpoint(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    one_owed(&*ledger).await;
    let claimed = due(&*ledger, 1).await.remove(0);
    let record = |delivery: DeliveryId| AttemptRecord {
        delivery,
        started_at: at(2),
        duration_ms: 120,
        status: Some(204),
        error: None,
        words: "trả lời".into(),
        outcome: AttemptOutcome::Delivered,
    };
    let unknown = record(DeliveryId::new("d999").unwrap());
    let told = ledger.receipts(&[record(claimed.id.clone()), unknown]).await.unwrap();
    assert_eq!(
        told.iter().map(|told| Receipt::Attempt(told.clone())).collect::<Vec<_>>(),
        [attempt("e1", "tinh", 2, AttemptOutcome::Delivered)]
    );
    assert_eq!(told[0].event, EventKey { source: SOURCE.into(), id: "e1".into() });
    assert_eq!(told[0].record(claimed.id.clone()), record(claimed.id));
}

pub async fn what_is_learnt_as_delivered_is_not_sent_again(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    one_owed(&*ledger).await;
    assert_eq!(learn(&*ledger, &[attempt("e1", "tinh", 2, AttemptOutcome::Delivered)]).await, 0);
    assert!(due(&*ledger, 60).await.is_empty());
    let (delivery, attempts) = ledger.delivery(&all(&*ledger).await[0].id).await.unwrap();
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 1));
    assert_eq!((attempts[0].started_at, attempts[0].status), (at(2), Some(204)));
}

pub async fn a_learnt_delivery_supersedes_older_versions_that_wait(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    one_owed(&*ledger).await;
    ledger.accept(&[Draft::of("a").event("e2").revision(2).live()], at(2)).await.unwrap();
    learn(&*ledger, &[attempt("e2", "tinh", 3, AttemptOutcome::Delivered)]).await;
    assert_eq!(states(&*ledger).await, [(1, DeliveryState::Superseded), (2, DeliveryState::Delivered)]);
}

pub async fn what_was_not_delivered_goes_on_where_it_was(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    one_owed(&*ledger).await;
    ledger.accept(&[Draft::of("b").event("f1").live()], at(1)).await.unwrap();
    let receipts = [
        attempt("e1", "tinh", 2, AttemptOutcome::Retry(at(7))),
        attempt("e1", "tinh", 7, AttemptOutcome::Retry(at(20))),
        attempt("f1", "tinh", 3, AttemptOutcome::GiveUp),
    ];
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    assert!(due(&*ledger, 19).await.is_empty());
    let claimed = due(&*ledger, 20).await;
    assert_eq!(claimed.iter().map(|due| (due.event.id.as_str(), due.attempts)).collect::<Vec<_>>(), [("e1", 2)]);
}

pub async fn an_endpoint_is_learnt_as_it_stood_last(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    let first = endpoint("tinh", EndpointState::Enabled, 0);
    let mut last =
        endpoint("tinh", EndpointState::Disabled { reason: DisableReason::Operator, note: String::new() }, 0);
    last.secrets = vec![vec![9; 32]];
    last.description = "Tỉnh".into();
    learn(&*ledger, &[Receipt::Endpoint(first), Receipt::Endpoint(last.clone())]).await;
    let id = EndpointId::new("tinh").unwrap();
    assert_eq!(ledger.endpoint(&id).await.unwrap(), Some(last.into()));
}

pub async fn an_endpoint_that_was_gone_stays_disabled_until_it_was_enabled_again(
    open: impl AsyncFn() -> Arc<dyn PushLedger>,
) {
    let ledger = open().await;
    one_owed(&*ledger).await;
    let id = EndpointId::new("tinh").unwrap();
    let gone = [enabled("tinh"), attempt("e1", "tinh", 2, AttemptOutcome::Gone)];
    let disabled = EndpointState::Disabled { reason: DisableReason::Gone, note: String::new() };
    for _ in 0..2 {
        learn(&*ledger, &gone).await;
        assert_eq!(ledger.endpoint(&id).await.unwrap().unwrap().state, disabled);
    }
    learn(&*ledger, &[enabled("tinh")]).await;
    assert_eq!(ledger.endpoint(&id).await.unwrap().unwrap().state, EndpointState::Enabled);
    assert_eq!(states(&*ledger).await, [(1, DeliveryState::Failed)]);
}

pub async fn learning_twice_changes_nothing(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    one_owed(&*ledger).await;
    ledger.accept(&[Draft::of("b").event("f1").live()], at(1)).await.unwrap();
    let receipts = [
        enabled("tinh"),
        attempt("e1", "tinh", 2, AttemptOutcome::Retry(at(7))),
        attempt("e1", "tinh", 7, AttemptOutcome::Delivered),
        attempt("f1", "tinh", 7, AttemptOutcome::Retry(at(9))),
    ];
    learn(&*ledger, &receipts).await;
    let once = all(&*ledger).await;
    assert_eq!(learn(&*ledger, &receipts).await, 0);
    assert_eq!(all(&*ledger).await, once);
}

pub async fn an_attempt_of_an_event_never_seen_is_deferred_until_it_comes(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    learn(&*ledger, &[enabled("tinh")]).await;
    let receipt = attempt("e1", "tinh", 2, AttemptOutcome::Delivered);
    assert_eq!(learn(&*ledger, std::slice::from_ref(&receipt)).await, 1);
    ledger.accept(&[Draft::of("a").event("e1").live()], at(1)).await.unwrap();
    assert_eq!(learn(&*ledger, &[receipt]).await, 0);
    assert!(due(&*ledger, 60).await.is_empty());
}

pub async fn an_attempt_of_what_is_owed_to_nobody_here_is_learned(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    ledger.accept(&[Draft::of("a").event("e1").live()], at(1)).await.unwrap();
    assert_eq!(learn(&*ledger, &[enabled("tinh"), attempt("e1", "tinh", 2, AttemptOutcome::Delivered)]).await, 0);
    assert!(due(&*ledger, 60).await.is_empty());
}

pub async fn the_other_outlets_receipts_are_passed_over(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    let digest = crate::receipts::ended(1, "na", 1, loa_domain::MailOutcome::Sent("250".into()));
    assert_eq!(learn(&*ledger, &[digest]).await, 0);
}

pub async fn a_ledger_gives_nothing_out_until_its_restore_has_ended(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    one_owed(&*ledger).await;
    ledger.set_restoring(true).await.unwrap();
    drop(ledger);
    let ledger = open().await;
    let refused = ledger.claim(&lease("x", 2), &[], 10, 10).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Unavailable);
    assert!(refused.to_string().contains("loa restore push"), "it says what to do: {refused}");
    ledger.set_restoring(false).await.unwrap();
    assert_eq!(due(&*ledger, 2).await.len(), 1);
}
