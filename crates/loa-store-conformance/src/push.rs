//! Rules of the push ledger.
//!
//! Long, for it is one list: each rule stands by itself and is read alone, and the list of the suite is held against the file
//! (`rules_written`).

use crate::{
    build::{Draft, at, id, lease},
    receptions,
};
use loa_domain::{
    AttemptError, AttemptOutcome, DeliveryId, DeliveryState, DisableReason, Endpoint, EndpointId, EndpointState, Event,
    EventFilter, EventType, JourneyStep, Outlet, ServerWords,
};
use loa_store::{Accepted, AttemptRecord, DeliveryQuery, DeliveryView, DueDelivery, PushLedger, StoreErrorKind};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! push_rules {
    ($test:ident) => {
        $test!(what_was_not_accepted_is_not_seen);
        $test!(an_endpoint_comes_back_as_it_was_added);
        $test!(an_endpoints_id_is_taken_for_ever);
        $test!(endpoints_are_listed_by_id);
        $test!(an_unknown_endpoint_cannot_be_changed);
        $test!(secrets_are_replaced_as_a_whole_and_used_at_once);
        $test!(every_endpoint_that_wants_an_event_is_owed_it);
        $test!(a_disabled_endpoint_is_owed_but_not_given);
        $test!(an_endpoint_is_owed_nothing_accepted_before_it_was_added);
        $test!(accepting_an_event_twice_owes_it_once);
        $test!(the_frozen_bytes_are_what_is_sent);
        $test!(a_claimed_delivery_is_nobody_elses_until_its_lease_ends);
        $test!(an_endpoint_has_no_more_in_flight_than_it_may);
        $test!(no_endpoint_fills_the_batch_while_others_are_due);
        $test!(skipped_endpoints_are_left_alone);
        $test!(of_one_article_the_oldest_version_goes_first_and_alone);
        $test!(a_newer_version_overtakes_one_that_backs_off);
        $test!(a_delivered_version_supersedes_older_ones_that_wait);
        $test!(an_older_version_accepted_after_a_newer_was_delivered_is_superseded);
        $test!(superseding_is_per_endpoint_and_per_article);
        $test!(a_retry_comes_back_when_it_is_due);
        $test!(giving_up_ends_a_delivery);
        $test!(gone_disables_the_endpoint);
        $test!(a_late_result_is_logged_and_changes_nothing);
        $test!(a_late_delivered_counts);
        $test!(a_failed_delivery_can_be_redriven_with_a_fresh_schedule);
        $test!(what_was_delivered_or_superseded_cannot_be_redriven);
        $test!(redriving_never_undoes_a_newer_version);
        $test!(redriving_one_in_flight_does_not_take_its_lease);
        $test!(the_next_due_is_the_earliest_of_enabled_endpoints);
        $test!(deliveries_are_listed_newest_first_and_filtered);
        $test!(an_unknown_delivery_is_not_found);
        $test!(what_an_attempt_says_is_bounded_and_has_no_control_characters);
        $test!(a_journey_says_what_was_delivered_to_whom);
        $test!(deliveries_survive_a_crash);
        $test!(two_stores_never_claim_the_same_delivery);
        $test!(an_empty_batch_is_no_work);
        $test!(the_ledger_answers_a_ping);
        $test!(an_id_used_again_for_other_content_is_taken_by_its_version);
        $test!(one_id_of_two_portals_is_two_deliveries_and_neither_overtakes_the_other);
    };
}

pub(super) fn eid(text: &str) -> EndpointId {
    EndpointId::new(text).unwrap()
}

pub(super) fn endpoint(text: &str) -> Endpoint {
    Endpoint {
        id: eid(text),
        url: format!("https://{text}.example.gov.vn/loa").parse().unwrap(),
        description: format!("Cổng {text}"),
        secrets: vec![vec![7; 32]],
        filter: EventFilter::default(),
        state: EndpointState::Enabled,
        created_at: at(0),
    }
}

pub(super) async fn with(ledger: &dyn PushLedger, endpoints: &[&str]) {
    for one in endpoints {
        ledger.add_endpoint(&endpoint(one)).await.unwrap();
    }
}

pub(super) async fn accept(ledger: &dyn PushLedger, events: &[Event], minute: i64) -> Accepted {
    ledger.accept(events, at(minute)).await.unwrap()
}

pub(super) async fn claim(ledger: &dyn PushLedger, holder: &str, now: i64, max: u32) -> Vec<DueDelivery> {
    ledger.claim(&lease(holder, now), &[], 100, max).await.unwrap()
}

pub(super) fn names(due: &[DueDelivery]) -> Vec<String> {
    due.iter().map(|one| format!("{}:{}@{}", one.endpoint.id, one.article, one.revision)).collect()
}

fn sorted(due: &[DueDelivery]) -> Vec<String> {
    let mut names = names(due);
    names.sort();
    names
}

fn tried(delivery: &DeliveryId, minute: i64, outcome: AttemptOutcome) -> AttemptRecord {
    AttemptRecord {
        delivery: delivery.clone(),
        started_at: at(minute),
        duration_ms: 120,
        status: Some(if outcome == AttemptOutcome::Delivered { 204 } else { 503 }),
        error: (outcome != AttemptOutcome::Delivered).then_some(AttemptError::Http),
        words: "trả lời".into(),
        outcome,
    }
}

pub(super) async fn record(
    ledger: &dyn PushLedger,
    holder: &str,
    delivery: &DeliveryId,
    minute: i64,
    outcome: AttemptOutcome,
) -> u64 {
    ledger.record(holder, &[tried(delivery, minute, outcome)]).await.unwrap()
}

pub(super) async fn all(ledger: &dyn PushLedger) -> Vec<DeliveryView> {
    ledger.deliveries(&DeliveryQuery { limit: 1_000, ..DeliveryQuery::default() }).await.unwrap()
}

async fn state(ledger: &dyn PushLedger, delivery: &DeliveryId) -> DeliveryState {
    ledger.delivery(delivery).await.unwrap().0.state
}

pub async fn an_endpoint_comes_back_as_it_was_added(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    let mut one = endpoint("tinh");
    one.secrets = vec![vec![1; 24], (0..=63).collect()];
    one.filter.event_types = [EventType::ArticleWithdrawn, EventType::DocumentIssued].into();
    one.state = EndpointState::Disabled { reason: DisableReason::Operator, note: "chưa dùng".into() };
    ledger.add_endpoint(&one).await.unwrap();
    let found = ledger.endpoint(&one.id).await.unwrap().unwrap();
    assert!(found == one, "{found:?}");
    assert!(ledger.endpoint(&eid("khac")).await.unwrap().is_none());
}

pub async fn an_endpoints_id_is_taken_for_ever(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    let again = Endpoint { description: "other".into(), secrets: vec![vec![9; 32]], ..endpoint("tinh") };
    assert_eq!(ledger.add_endpoint(&again).await.unwrap_err().kind, StoreErrorKind::Conflict);
    let kept = ledger.endpoint(&eid("tinh")).await.unwrap().unwrap();
    assert!(kept == endpoint("tinh"));
}

pub async fn endpoints_are_listed_by_id(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["b", "a", "c"]).await;
    let found = ledger.endpoints().await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(found.iter().all(|one| one.secrets == [vec![7; 32]]));
}

pub async fn an_unknown_endpoint_cannot_be_changed(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    let state = ledger.set_endpoint_state(&eid("x"), &EndpointState::Enabled).await.unwrap_err();
    let secrets = ledger.set_secrets(&eid("x"), &[vec![1; 24]]).await.unwrap_err();
    assert_eq!((state.kind, secrets.kind), (StoreErrorKind::NotFound, StoreErrorKind::NotFound));
}

pub async fn secrets_are_replaced_as_a_whole_and_used_at_once(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh", "khac"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let rotated = vec![vec![2; 32], vec![7; 32]];
    ledger.set_secrets(&eid("tinh"), &rotated).await.unwrap();
    assert_eq!(ledger.endpoint(&eid("tinh")).await.unwrap().unwrap().secrets, rotated);
    assert_eq!(ledger.endpoint(&eid("khac")).await.unwrap().unwrap().secrets, [vec![7; 32]]);
    let due = claim(&*ledger, "x", 2, 10).await;
    let tinh = due.iter().find(|one| one.endpoint.id == eid("tinh")).unwrap();
    assert_eq!(tinh.endpoint.secrets, rotated, "deliveries planned before are signed with those valid now");
    ledger.set_secrets(&eid("tinh"), &[vec![2; 32]]).await.unwrap();
    assert_eq!(ledger.endpoint(&eid("tinh")).await.unwrap().unwrap().secrets.len(), 1);
}

pub async fn every_endpoint_that_wants_an_event_is_owed_it(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["all"]).await;
    let mut picky = endpoint("picky");
    picky.filter.event_types = [EventType::ArticleWithdrawn].into();
    ledger.add_endpoint(&picky).await.unwrap();
    let events = [Draft::of("a").live(), Draft::of("b").withdrawn(""), Draft::of("c").document()];
    assert_eq!(accept(&*ledger, &events, 1).await, Accepted { fresh: 3, duplicates: 0, stale: 0, reused: 0 });
    assert_eq!(sorted(&claim(&*ledger, "x", 1, 10).await), ["all:a@1", "all:b@1", "all:c@1", "picky:b@1"]);
    let views = all(&*ledger).await;
    assert_eq!(views.len(), 4);
    assert!(views.iter().all(|view| view.state == DeliveryState::Pending && view.attempts == 0));
    assert!(views.iter().all(|view| view.created_at == at(1)));
}

pub async fn a_disabled_endpoint_is_owed_but_not_given(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    let disabled = EndpointState::Disabled { reason: DisableReason::Operator, note: "bảo trì".into() };
    ledger.set_endpoint_state(&eid("tinh"), &disabled).await.unwrap();
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert!(claim(&*ledger, "x", 2, 10).await.is_empty());
    assert_eq!(ledger.next_due().await.unwrap(), None);
    assert_eq!(ledger.endpoint(&eid("tinh")).await.unwrap().unwrap().state, disabled);
    ledger.set_endpoint_state(&eid("tinh"), &EndpointState::Enabled).await.unwrap();
    assert_eq!(names(&claim(&*ledger, "x", 2, 10).await), ["tinh:a@1"]);
}

pub async fn an_endpoint_is_owed_nothing_accepted_before_it_was_added(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    with(&*ledger, &["tinh"]).await;
    assert_eq!(accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 2).await.duplicates, 1);
    assert_eq!(names(&claim(&*ledger, "x", 3, 10).await), ["tinh:b@1"]);
}

pub async fn accepting_an_event_twice_owes_it_once(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    let event = Draft::of("a").live();
    assert_eq!(
        accept(&*ledger, &[event.clone(), event.clone()], 1).await,
        Accepted { fresh: 1, duplicates: 1, stale: 0, reused: 0 }
    );
    let due = claim(&*ledger, "x", 1, 10).await;
    record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::Delivered).await;
    assert_eq!(accept(&*ledger, &[event], 3).await, Accepted { fresh: 0, duplicates: 1, stale: 0, reused: 0 });
    assert!(claim(&*ledger, "y", 60, 10).await.is_empty(), "delivered once, owed no more");
    assert_eq!(all(&*ledger).await.len(), 1);
    let late = accept(&*ledger, &[Draft::of("b").revision(2).live(), Draft::of("b").live()], 4).await;
    assert_eq!(late, Accepted { fresh: 2, duplicates: 0, stale: 1, reused: 0 });
}

pub async fn the_frozen_bytes_are_what_is_sent(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["a", "b"]).await;
    let mut event = Draft::of("a").live();
    event.original_bytes = "{\"title\":\"Đie\u{302}\u{323}n \u{0} Biên\",\"la\":1.0}".as_bytes().to_vec();
    accept(&*ledger, std::slice::from_ref(&event), 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    assert_eq!(due.len(), 2);
    for one in &due {
        assert_eq!(&one.body[..], event.original_bytes, "not normalised, not written anew");
        assert_eq!((&one.event, one.event_type, one.attempts), (&event.key, event.event_type, 0));
    }
}

pub async fn a_claimed_delivery_is_nobody_elses_until_its_lease_ends(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert!(claim(&*ledger, "x", 0, 10).await.is_empty(), "not due yet");
    assert_eq!(claim(&*ledger, "x", 1, 10).await.len(), 1);
    assert!(claim(&*ledger, "y", 10, 10).await.is_empty());
    let again = claim(&*ledger, "y", 11, 10).await;
    assert_eq!((again.len(), again[0].attempts), (1, 0));
}

pub async fn an_endpoint_has_no_more_in_flight_than_it_may(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    let events: Vec<Event> = (0..5).map(|n| Draft::of(&format!("a{n}")).live()).collect();
    accept(&*ledger, &events, 1).await;
    let first = ledger.claim(&lease("x", 1), &[], 2, 10).await.unwrap();
    assert_eq!(first.len(), 2);
    assert!(ledger.claim(&lease("y", 2), &[], 2, 10).await.unwrap().is_empty(), "leased rows count");
    record(&*ledger, "x", &first[0].id, 3, AttemptOutcome::Delivered).await;
    assert_eq!(ledger.claim(&lease("y", 3), &[], 2, 10).await.unwrap().len(), 1);
    assert!(ledger.claim(&lease("z", 3), &[], 0, 10).await.unwrap().is_empty());
    assert_eq!(ledger.claim(&lease("z", 60), &[], 2, 10).await.unwrap().len(), 2, "ended leases do not");
}

pub async fn no_endpoint_fills_the_batch_while_others_are_due(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["busy"]).await;
    let events: Vec<Event> = (0..50).map(|n| Draft::of(&format!("a{n:02}")).live()).collect();
    accept(&*ledger, &events, 1).await;
    with(&*ledger, &["calm", "quiet"]).await;
    accept(&*ledger, &[Draft::of("b").live(), Draft::of("c").live()], 2).await;
    let due = claim(&*ledger, "x", 3, 6).await;
    let of = |name: &str| due.iter().filter(|one| one.endpoint.id.as_str() == name).count();
    assert_eq!((of("busy"), of("calm"), of("quiet")), (2, 2, 2));
    assert_eq!(claim(&*ledger, "y", 3, 100).await.len(), 50, "then the rest: 50 of 52, and b, c of the busy one");
}

pub async fn skipped_endpoints_are_left_alone(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["a", "b"]).await;
    accept(&*ledger, &[Draft::of("x").live()], 1).await;
    let due = ledger.claim(&lease("x", 1), &[eid("a"), eid("unknown")], 10, 10).await.unwrap();
    assert_eq!(names(&due), ["b:x@1"]);
}

pub async fn of_one_article_the_oldest_version_goes_first_and_alone(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    // They arrive the wrong way round.
    accept(&*ledger, &[Draft::of("a").revision(3).withdrawn(""), Draft::of("a").revision(2).live()], 1).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 2).await;
    let first = claim(&*ledger, "x", 3, 10).await;
    assert_eq!(sorted(&first), ["tinh:a@1", "tinh:b@1"]);
    assert!(claim(&*ledger, "y", 4, 10).await.is_empty(), "one of an article in flight at a time");
    let a1 = first.iter().find(|one| one.article == id("a")).unwrap();
    record(&*ledger, "x", &a1.id, 5, AttemptOutcome::Delivered).await;
    assert_eq!(names(&claim(&*ledger, "y", 5, 10).await), ["tinh:a@2"]);
}

pub async fn a_newer_version_overtakes_one_that_backs_off(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let first = claim(&*ledger, "x", 1, 10).await;
    accept(&*ledger, &[Draft::of("a").revision(2).live()], 2).await;
    assert!(claim(&*ledger, "y", 2, 10).await.is_empty(), "not while it is in flight");
    record(&*ledger, "x", &first[0].id, 3, AttemptOutcome::Retry(at(30))).await;
    assert_eq!(names(&claim(&*ledger, "y", 3, 10).await), ["tinh:a@2"]);
}

pub async fn a_delivered_version_supersedes_older_ones_that_wait(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let first = claim(&*ledger, "x", 1, 10).await.remove(0);
    record(&*ledger, "x", &first.id, 2, AttemptOutcome::Retry(at(30))).await;
    accept(&*ledger, &[Draft::of("a").revision(2).live(), Draft::of("a").revision(3).live()], 3).await;
    let second = claim(&*ledger, "x", 3, 10).await.remove(0);
    record(&*ledger, "x", &second.id, 4, AttemptOutcome::Delivered).await;
    assert_eq!(state(&*ledger, &first.id).await, DeliveryState::Superseded);
    assert_eq!(ledger.delivery(&first.id).await.unwrap().0.due_at, None);
    assert_eq!(names(&claim(&*ledger, "x", 40, 10).await), ["tinh:a@3"], "the newer one still goes");
}

pub async fn an_older_version_accepted_after_a_newer_was_delivered_is_superseded(
    open: impl AsyncFn() -> Arc<dyn PushLedger>,
) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::Delivered).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("a").revision(2).live()], 3).await;
    assert!(claim(&*ledger, "y", 60, 10).await.is_empty(), "a withdrawal is never undone");
    let superseded = all(&*ledger).await.iter().filter(|view| view.state == DeliveryState::Superseded).count();
    assert_eq!(superseded, 2);
}

pub async fn superseding_is_per_endpoint_and_per_article(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["one", "two"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    for due in claim(&*ledger, "x", 1, 10).await {
        record(&*ledger, "x", &due.id, 2, AttemptOutcome::Retry(at(30))).await;
    }
    accept(&*ledger, &[Draft::of("a").revision(2).live()], 3).await;
    let due = claim(&*ledger, "x", 3, 10).await;
    let to_one = due.iter().find(|one| one.endpoint.id == eid("one")).unwrap();
    record(&*ledger, "x", &to_one.id, 4, AttemptOutcome::Delivered).await;
    let superseded: Vec<String> = all(&*ledger)
        .await
        .into_iter()
        .filter(|view| view.state == DeliveryState::Superseded)
        .map(|view| format!("{}:{}@{}", view.endpoint, view.article, view.revision))
        .collect();
    assert_eq!(superseded, ["one:a@1"]);
}

pub async fn a_retry_comes_back_when_it_is_due(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    assert_eq!(record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::Retry(at(5))).await, 1);
    assert!(claim(&*ledger, "y", 4, 10).await.is_empty());
    let again = claim(&*ledger, "y", 5, 10).await;
    assert_eq!(again[0].attempts, 1);
    let (view, attempts) = ledger.delivery(&due[0].id).await.unwrap();
    assert_eq!((view.attempts, view.state), (1, DeliveryState::Pending));
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].number, attempts[0].started_at, attempts[0].duration_ms), (1, at(2), 120));
    assert_eq!((attempts[0].status, attempts[0].error), (Some(503), Some(AttemptError::Http)));
    assert_eq!(attempts[0].words.as_str(), "trả lời");
}

pub async fn giving_up_ends_a_delivery(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    assert_eq!(record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::GiveUp).await, 1);
    let (view, _) = ledger.delivery(&due[0].id).await.unwrap();
    assert_eq!((view.state, view.due_at), (DeliveryState::Failed, None));
    assert!(claim(&*ledger, "y", 60, 10).await.is_empty());
}

pub async fn gone_disables_the_endpoint(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh", "khac"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 1).await;
    record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::Gone).await;
    assert_eq!(state(&*ledger, &due[0].id).await, DeliveryState::Failed);
    let gone = &due[0].endpoint.id;
    let found = ledger.endpoint(gone).await.unwrap().unwrap();
    assert!(matches!(found.state, EndpointState::Disabled { reason: DisableReason::Gone, .. }));
    let others = claim(&*ledger, "y", 3, 10).await;
    assert_eq!(others.len(), 2, "the other endpoint's go on");
    assert!(others.iter().all(|one| &one.endpoint.id != gone));
}

pub async fn a_late_result_is_logged_and_changes_nothing(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    let again = claim(&*ledger, "y", 11, 10).await;
    for outcome in [AttemptOutcome::GiveUp, AttemptOutcome::Retry(at(12)), AttemptOutcome::Gone] {
        assert_eq!(record(&*ledger, "x", &due[0].id, 2, outcome).await, 0);
    }
    let (view, attempts) = ledger.delivery(&due[0].id).await.unwrap();
    assert_eq!((view.state, attempts.len()), (DeliveryState::Pending, 3));
    assert_eq!(ledger.endpoint(&eid("tinh")).await.unwrap().unwrap().state, EndpointState::Enabled);
    assert!(claim(&*ledger, "z", 12, 10).await.is_empty(), "y holds it");
    assert_eq!(record(&*ledger, "y", &again[0].id, 13, AttemptOutcome::Delivered).await, 1);
    assert_eq!(record(&*ledger, "y", &again[0].id, 14, AttemptOutcome::GiveUp).await, 0, "an end is an end");
    assert_eq!(state(&*ledger, &again[0].id).await, DeliveryState::Delivered);
}

pub async fn a_late_delivered_counts(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    claim(&*ledger, "y", 11, 10).await;
    assert_eq!(record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::Delivered).await, 1);
    assert_eq!(state(&*ledger, &due[0].id).await, DeliveryState::Delivered);
    assert_eq!(record(&*ledger, "y", &due[0].id, 12, AttemptOutcome::GiveUp).await, 0);
    assert_eq!(record(&*ledger, "y", &due[0].id, 12, AttemptOutcome::Delivered).await, 0, "delivered already");
    assert_eq!(state(&*ledger, &due[0].id).await, DeliveryState::Delivered);
    assert_eq!(ledger.delivery(&due[0].id).await.unwrap().1.len(), 3);
}

pub async fn a_failed_delivery_can_be_redriven_with_a_fresh_schedule(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::GiveUp).await;
    ledger.redrive(&due[0].id, at(20)).await.unwrap();
    assert_eq!(ledger.delivery(&due[0].id).await.unwrap().0.due_at, Some(at(20)));
    let again = claim(&*ledger, "y", 20, 10).await;
    assert_eq!(again[0].attempts, 0, "the schedule begins anew");
    record(&*ledger, "y", &again[0].id, 21, AttemptOutcome::Retry(at(90))).await;
    let (view, attempts) = ledger.delivery(&due[0].id).await.unwrap();
    assert_eq!((view.attempts, attempts.last().unwrap().number), (2, 2), "the log does not");
    ledger.redrive(&due[0].id, at(30)).await.unwrap();
    assert_eq!(claim(&*ledger, "z", 30, 10).await.len(), 1, "one that backs off can be sent now");
}

pub async fn what_was_delivered_or_superseded_cannot_be_redriven(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").revision(2).live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::Delivered).await;
    accept(&*ledger, &[Draft::of("a").live()], 3).await;
    for view in all(&*ledger).await {
        assert_eq!(ledger.redrive(&view.id, at(4)).await.unwrap_err().kind, StoreErrorKind::Conflict);
    }
    assert!(claim(&*ledger, "y", 60, 10).await.is_empty());
}

pub async fn redriving_never_undoes_a_newer_version(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let first = claim(&*ledger, "x", 1, 10).await.remove(0);
    record(&*ledger, "x", &first.id, 2, AttemptOutcome::GiveUp).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    let second = claim(&*ledger, "x", 3, 10).await.remove(0);
    record(&*ledger, "x", &second.id, 4, AttemptOutcome::Delivered).await;
    assert_eq!(ledger.redrive(&first.id, at(5)).await.unwrap_err().kind, StoreErrorKind::Conflict);
    assert_eq!(state(&*ledger, &first.id).await, DeliveryState::Failed);
}

pub async fn redriving_one_in_flight_does_not_take_its_lease(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    ledger.redrive(&due[0].id, at(2)).await.unwrap();
    assert!(claim(&*ledger, "y", 3, 10).await.is_empty());
    assert_eq!(record(&*ledger, "x", &due[0].id, 3, AttemptOutcome::Delivered).await, 1);
}

pub async fn the_next_due_is_the_earliest_of_enabled_endpoints(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    assert_eq!(ledger.next_due().await.unwrap(), None);
    with(&*ledger, &["one", "two"]).await;
    assert_eq!(ledger.next_due().await.unwrap(), None);
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert_eq!(ledger.next_due().await.unwrap(), Some(at(1)));
    for due in claim(&*ledger, "x", 1, 10).await {
        let again = if due.endpoint.id == eid("one") { at(20) } else { at(40) };
        record(&*ledger, "x", &due.id, 2, AttemptOutcome::Retry(again)).await;
    }
    assert_eq!(ledger.next_due().await.unwrap(), Some(at(20)));
    ledger
        .set_endpoint_state(
            &eid("one"),
            &EndpointState::Disabled { reason: DisableReason::Operator, note: String::new() },
        )
        .await
        .unwrap();
    assert_eq!(ledger.next_due().await.unwrap(), Some(at(40)));
}

pub async fn deliveries_are_listed_newest_first_and_filtered(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["one", "two"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    record(&*ledger, "x", &due[0].id, 2, AttemptOutcome::Delivered).await;
    accept(&*ledger, &[Draft::of("b").live()], 3).await;
    let ask = async |query: DeliveryQuery| {
        let found = ledger.deliveries(&query).await.unwrap();
        found.into_iter().map(|view| view.article.to_string()).collect::<Vec<_>>()
    };
    let any = DeliveryQuery { limit: 10, ..DeliveryQuery::default() };
    assert_eq!(ask(any.clone()).await, ["b", "b", "a", "a"]);
    assert_eq!(ask(DeliveryQuery { limit: 1, ..any.clone() }).await, ["b"]);
    assert_eq!(ask(DeliveryQuery { endpoint: Some(eid("one")), ..any.clone() }).await, ["b", "a"]);
    assert_eq!(ask(DeliveryQuery { article: Some(id("a")), ..any.clone() }).await, ["a", "a"]);
    assert_eq!(ask(DeliveryQuery { state: Some(DeliveryState::Delivered), ..any.clone() }).await, ["a"]);
    let all_three = DeliveryQuery {
        endpoint: Some(due[0].endpoint.id.clone()),
        state: Some(DeliveryState::Delivered),
        article: Some(id("a")),
        limit: 10,
    };
    assert_eq!(ask(all_three).await, ["a"]);
    assert!(ask(DeliveryQuery { article: Some(id("c")), ..any }).await.is_empty());
}

pub async fn an_unknown_delivery_is_not_found(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    for unknown in ["d1", "nothing", "d-1"] {
        let unknown = DeliveryId::new(unknown).unwrap();
        assert_eq!(ledger.delivery(&unknown).await.unwrap_err().kind, StoreErrorKind::NotFound);
        assert_eq!(ledger.redrive(&unknown, at(1)).await.unwrap_err().kind, StoreErrorKind::NotFound);
        assert_eq!(record(&*ledger, "x", &unknown, 1, AttemptOutcome::GiveUp).await, 0);
    }
}

pub async fn what_an_attempt_says_is_bounded_and_has_no_control_characters(
    open: impl AsyncFn() -> Arc<dyn PushLedger>,
) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 10).await;
    let mut attempt = tried(&due[0].id, 2, AttemptOutcome::GiveUp);
    attempt.words = ServerWords::new(&format!("\u{1b}[31m{}\u{0}", "ô".repeat(5_000)));
    attempt.status = None;
    ledger.record("x", &[attempt]).await.unwrap();
    let (_, attempts) = ledger.delivery(&due[0].id).await.unwrap();
    assert_eq!(attempts[0].words.as_str().chars().count(), 1_000);
    assert!(!attempts[0].words.as_str().chars().any(char::is_control));
    assert_eq!(attempts[0].status, None);
}

pub async fn a_journey_says_what_was_delivered_to_whom(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["one", "two"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 1).await;
    record(&*ledger, "x", &due[0].id, 5, AttemptOutcome::Delivered).await;
    let steps = ledger.journey(&due[0].article).await.unwrap();
    let words: Vec<&str> = steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(words, ["accepted", "pending", "delivered"]);
    let JourneyStep::Delivered { delivery, endpoint, attempts } = &steps[2].step else { panic!("{steps:?}") };
    assert_eq!((delivery, endpoint, *attempts), (&due[0].id, &due[0].endpoint.id, 1));
    assert!(steps.iter().all(|step| step.outlet == Outlet::Push && step.revision == 1));
    assert!(ledger.journey(&id("c")).await.unwrap().is_empty());
}

pub async fn deliveries_survive_a_crash(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    accept(&*ledger, &[Draft::of("a").live(), Draft::of("b").live()], 1).await;
    let due = claim(&*ledger, "x", 1, 1).await;
    drop(ledger);
    let ledger = open().await;
    assert_eq!(claim(&*ledger, "y", 2, 10).await.len(), 1, "the other one");
    assert_eq!(claim(&*ledger, "z", 11, 10).await[0].id, due[0].id, "in flight at the crash: claimed again");
}

pub async fn two_stores_never_claim_the_same_delivery(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let (one, two) = (open().await, open().await);
    with(&*one, &["a", "b"]).await;
    let events: Vec<Event> = (0..10).map(|n| Draft::of(&format!("a{n}")).live()).collect();
    accept(&*two, &events, 1).await;
    let mut seen = Vec::new();
    for round in 0..10 {
        let ledger = if round % 2 == 0 { &one } else { &two };
        seen.extend(claim(&**ledger, &format!("h{round}"), 1, 3).await.into_iter().map(|due| due.id));
    }
    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((seen.len(), distinct.len()), (20, 20));
}

pub async fn an_empty_batch_is_no_work(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    assert_eq!(accept(&*ledger, &[], 1).await, Accepted::default());
    assert_eq!(ledger.record("x", &[]).await.unwrap(), 0);
    assert!(claim(&*ledger, "x", 1, 0).await.is_empty());
}

pub async fn the_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    open().await.ping().await.unwrap();
}

async fn all_of(ledger: &dyn PushLedger, article: &str) -> Vec<DeliveryView> {
    let mut found: Vec<_> = all(ledger).await.into_iter().filter(|one| one.article.as_str() == article).collect();
    found.sort_by_key(|one| one.revision);
    found
}

pub async fn an_id_used_again_for_other_content_is_taken_by_its_version(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    let draft = || Draft::of("a").event("a");
    let all = [draft().live(), draft().revision(2).title("Sửa").live(), draft().revision(3).withdrawn("nhầm")];
    for (minute, event) in (1..).zip(&all) {
        accept(&*ledger, std::slice::from_ref(event), minute).await;
        let due = claim(&*ledger, "x", minute, 10).await;
        assert_eq!(due.len(), 1);
        record(&*ledger, "x", &due[0].id, minute, AttemptOutcome::Delivered).await;
    }
    let repeats = accept(&*ledger, &all, 9).await;
    assert_eq!(repeats, Accepted { duplicates: 3, ..Accepted::default() });
    let given = all_of(&*ledger, "a").await;
    assert_eq!(given.iter().map(|one| one.revision).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(given[0].event.id, "a", "the first keeps its id, and with it the id that receivers know");
    let keys: std::collections::BTreeSet<_> = given.iter().map(|one| &one.event).collect();
    assert_eq!(keys.len(), 3, "each has a key, and with it an outward id, of its own");
    assert!(keys.iter().all(|key| key.sent_id() == "a"));
}

pub async fn what_was_not_accepted_is_not_seen(open: impl AsyncFn() -> Arc<dyn PushLedger>) {
    let ledger = open().await;
    receptions::what_was_not_accepted_is_not_seen(&*ledger, async |event, minute| {
        accept(&*ledger, &[event], minute).await;
    })
    .await;
}

pub async fn one_id_of_two_portals_is_two_deliveries_and_neither_overtakes_the_other(
    open: impl AsyncFn() -> Arc<dyn PushLedger>,
) {
    let ledger = open().await;
    with(&*ledger, &["tinh"]).await;
    let newer = Draft::of("a").portal("na-son").revision(2).live();
    accept(&*ledger, &[newer, Draft::of("a").live()], 1).await;
    let due = claim(&*ledger, "w", 2, 10).await;
    assert_eq!(sorted(&due), ["tinh:a@1", "tinh:na-son a@2"], "one's newer revision says nothing of the other's");
}
