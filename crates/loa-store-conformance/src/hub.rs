//! Rules of the hub's ledger: subscriptions, topics, calls.
//!
//! Long, for it is one list: each rule stands by itself and is read alone, and the list of the suite is held against the file
//! (`rules_written`).

use crate::build::{at, lease};
use jiff::Timestamp;
use loa_domain::{BreakerRule, HubMode, HubReason, HubState, HubSubscriptionId, LastCall, SignatureAlgorithm};
use loa_store::{
    CallClass, CallRecord, DueCall, FetchOutcome, FetchRule, HostRule, HostSign, HubAbout, HubCall, HubCleanUpRule,
    HubLedger, HubLimits, HubOutcome, HubQuery, HubSubscriptionRequest, HubSubscriptionView, HubTaken, StoreErrorKind,
    TopicKind,
};
use std::{sync::Arc, time::Duration};

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! hub_rules {
    ($test:ident) => {
        $test!(a_request_waits_for_the_first_fetch_of_its_topic_and_is_then_asked_about);
        $test!(who_asks_for_a_topic_that_is_missing_is_told);
        $test!(a_verified_request_holds_until_its_lease_ends);
        $test!(a_request_that_is_not_confirmed_leaves_what_held);
        $test!(a_renewal_brings_its_own_secret_address_and_lease_only_when_it_is_verified);
        $test!(an_answer_about_a_request_that_was_replaced_changes_nothing);
        $test!(who_leaves_is_gone_when_it_is_verified);
        $test!(a_further_version_is_owed_to_all_and_once);
        $test!(equal_bytes_and_fetches_that_failed_are_no_version);
        $test!(what_is_given_is_the_newest_and_never_an_older_one);
        $test!(what_came_while_it_was_asked_about_is_owed_to_a_new_subscriber);
        $test!(a_version_given_up_is_dropped_and_the_next_is_tried_again);
        $test!(gone_ends_the_subscription_and_keeps_a_request);
        $test!(a_claimed_call_is_nobody_elses_until_its_lease_ends);
        $test!(a_late_answer_changes_nothing_unless_a_version_was_taken);
        $test!(a_host_has_no_more_in_flight_than_it_may_and_holds_up_no_other);
        $test!(callbacks_that_are_asked_delay_nobody_who_is_told);
        $test!(a_host_that_fails_rests_and_one_that_asks_for_it_too);
        $test!(the_hub_takes_on_no_more_than_its_limits);
        $test!(many_names_in_one_network_are_no_more_than_it_may_have);
        $test!(who_is_called_later_has_had_no_try);
        $test!(who_is_subscribed_renews_however_many_wait);
        $test!(combinations_have_a_share_and_never_crowd_out_feeds);
        $test!(combinations_are_fetched_apart_from_feeds_and_less_often);
        $test!(a_topic_that_is_missing_takes_up_no_room);
        $test!(a_host_that_asks_too_often_must_wait);
        $test!(a_topic_is_fetched_by_one_at_a_time_and_on_schedule);
        $test!(a_ping_has_topics_fetched_soon_but_not_too_soon);
        $test!(what_came_to_its_end_is_cleaned_up);
        $test!(a_clock_set_back_makes_nothing_wait_until_it_is_there_again);
        $test!(a_clock_that_was_far_ahead_makes_no_lease_for_ever);
        $test!(a_request_that_was_claimed_and_never_recorded_has_one_try_more);
        $test!(an_operator_ends_a_subscription_and_its_subscriber_is_told);
        $test!(subscriptions_are_listed_in_their_order_and_by_topic);
        $test!(two_stores_never_claim_the_same_call);
    };
}

const TOPIC: &str = "https://loa.example.gov.vn/feeds/all.atom";
const DAY: u64 = 86_400;

const LIMITS: HubLimits = HubLimits {
    subscriptions_max: 100,
    subscriptions_per_host_max: 50,
    requests_max: 100,
    topics_max: 10,
    combinations_percent: 20,
    requests_per_host_burst: 50,
    request_interval: Duration::from_secs(60),
};
const REST: HostRule = HostRule {
    breaker: BreakerRule { failures: 2, open: Duration::from_secs(600), open_max: Duration::from_secs(1_000) },
    subscriptions_per_network_max: 50,
};

const CLEAN_UP: HubCleanUpRule = HubCleanUpRule {
    request_max: Duration::from_secs(DAY),
    lease_max: Duration::from_secs(30 * DAY),
    set_back_min: Duration::from_secs(60),
    max: 100,
};

fn looking() -> FetchRule {
    FetchRule {
        delays: [60, 120, 600].map(Duration::from_secs).into(),
        combination_delays: [120, 600].map(Duration::from_secs).into(),
        fetch_pause: Duration::from_secs(60),
        notice_pause: Duration::ZERO,
    }
}

pub(crate) fn request(host: &str, path: &str) -> HubSubscriptionRequest {
    let callback = format!("https://{host}/{path}");
    HubSubscriptionRequest {
        mode: HubMode::Subscribe,
        topic: TOPIC.into(),
        kind: TopicKind::Feed,
        topic_written: TOPIC.into(),
        callback_form: callback.clone(),
        callback,
        host: host.into(),
        lease_seconds: 10 * DAY,
        secret: None,
        algorithm: SignatureAlgorithm::Sha256,
        token: None,
    }
}

/// A request for a combination of feeds.
fn combining(host: &str, number: u32) -> HubSubscriptionRequest {
    let topic = format!("https://loa.example.gov.vn/feeds/area-x+area-y{number}.atom");
    HubSubscriptionRequest {
        kind: TopicKind::Combination,
        topic: topic.clone(),
        topic_written: topic,
        ..request(host, "cb")
    }
}

fn leaving(host: &str, path: &str) -> HubSubscriptionRequest {
    HubSubscriptionRequest { mode: HubMode::Unsubscribe, lease_seconds: 0, ..request(host, path) }
}

fn read(text: &str) -> FetchOutcome {
    FetchOutcome::Read {
        etag: Some(format!("\"{text}\"")),
        modified_at: Some(at(0)),
        content_type: "application/atom+xml; charset=utf-8".into(),
        body: text.as_bytes().into(),
    }
}

pub(crate) async fn ask(ledger: &dyn HubLedger, request: &HubSubscriptionRequest, minute: i64) {
    assert_eq!(ledger.hub_request(request, &LIMITS, at(minute)).await.unwrap(), HubTaken::Taken);
}

/// Looks at whatever feed is due, and sees this.
async fn fetched(ledger: &dyn HubLedger, seen: FetchOutcome, minute: i64) -> u64 {
    fetch_at(ledger, TopicKind::Feed, seen, minute).await
}

async fn fetch_at(ledger: &dyn HubLedger, kind: TopicKind, look: FetchOutcome, minute: i64) -> u64 {
    let due = ledger.hub_claim_topics(kind, &lease("looker", minute), 100).await.unwrap();
    let fetches: Vec<(String, FetchOutcome)> = due.into_iter().map(|due| (due.topic, look.clone())).collect();
    ledger.hub_record_fetches("looker", &fetches, &looking(), at(minute)).await.unwrap()
}

/// A further version is seen at this minute.
async fn changed(ledger: &dyn HubLedger, text: &str, minute: i64) {
    ledger.hub_fetch_soon(None, &looking(), at(minute)).await.unwrap();
    assert_eq!(fetched(ledger, read(text), minute).await, 1, "{text}");
}

/// What is due in either class.
async fn claim(ledger: &dyn HubLedger, holder: &str, minute: i64) -> Vec<DueCall> {
    let mut due = ledger.hub_claim(CallClass::Requests, &lease(holder, minute), 10, 100).await.unwrap();
    due.extend(ledger.hub_claim(CallClass::Deliveries, &lease(holder, minute), 10, 100).await.unwrap());
    due
}

fn ended(call: &DueCall, outcome: HubOutcome, sign: HostSign, at: Timestamp) -> CallRecord {
    let told =
        LastCall { reason: HubReason::Http, status: Some(503), words: format!("trả lời\u{7} {outcome:?}").into() };
    let network = "203.0.113.0/24".to_owned();
    CallRecord { subscription: call.subscription.clone(), about: call.call.about(), at, outcome, sign, network, told }
}

async fn record(ledger: &dyn HubLedger, holder: &str, call: &DueCall, outcome: HubOutcome, minute: i64) -> u64 {
    let records = [ended(call, outcome, HostSign::Alive, at(minute))];
    ledger.hub_record(holder, &records, &REST).await.unwrap()
}

/// Claims what is due, which is one call, and answers it.
async fn answer(ledger: &dyn HubLedger, outcome: HubOutcome, minute: i64) -> DueCall {
    let mut due = claim(ledger, "one", minute).await;
    assert_eq!(due.len(), 1, "{due:?}");
    assert_eq!(record(ledger, "one", &due[0], outcome, minute).await, 1);
    due.remove(0)
}

/// Subscribes, with the topic reading "1".
async fn subscribed(ledger: &dyn HubLedger, request: &HubSubscriptionRequest, minute: i64) {
    ask(ledger, request, minute).await;
    fetched(ledger, read("1"), minute).await;
    let due = claim(ledger, "subscriber", minute).await;
    for call in &due {
        record(ledger, "subscriber", call, HubOutcome::Done, minute).await;
    }
}

async fn listed(ledger: &dyn HubLedger) -> Vec<HubSubscriptionView> {
    ledger.hub_subscriptions(&HubQuery { limit: 1_000, ..HubQuery::default() }).await.unwrap()
}

async fn only(ledger: &dyn HubLedger) -> HubSubscriptionView {
    let mut all = listed(ledger).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// What is delivered: version and text.
fn given(call: &DueCall) -> (i64, String) {
    match &call.call {
        HubCall::Deliver { version, body, .. } => (*version, String::from_utf8(body.to_vec()).unwrap()),
        other => panic!("{other:?}"),
    }
}

fn is_verification(call: &DueCall) -> bool {
    matches!(call.call, HubCall::Verify { .. })
}

pub async fn a_request_waits_for_the_first_fetch_of_its_topic_and_is_then_asked_about(
    open: impl AsyncFn() -> Arc<dyn HubLedger>,
) {
    let ledger = open().await;
    let written = HubSubscriptionRequest {
        topic_written: "HTTPS://LOA.example.gov.vn/feeds/all%2Eatom".into(),
        token: Some("t".into()),
        ..request("a.example", "cb?k=1")
    };
    ask(&*ledger, &written, 0).await;
    assert_eq!(claim(&*ledger, "x", 0).await, []);
    fetched(&*ledger, FetchOutcome::Failed, 0).await;
    assert_eq!(claim(&*ledger, "x", 0).await, [], "it is not known yet");
    let due = ledger.hub_claim_topics(TopicKind::Feed, &lease("looker", 1), 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].topic.as_str(), &due[0].etag, due[0].changed_at), (TOPIC, &None, None));
    ledger.hub_record_fetches("looker", &[(TOPIC.into(), read("1"))], &looking(), at(1)).await.unwrap();
    let due = claim(&*ledger, "x", 1).await;
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].callback.as_str(), due[0].host.as_str()), ("https://a.example/cb?k=1", "a.example"));
    let HubCall::Verify { mode, topic, lease_seconds, token, .. } = &due[0].call else { panic!("{due:?}") };
    assert_eq!((*mode, topic, *lease_seconds), (HubMode::Subscribe, &written.topic_written, 10 * DAY));
    assert_eq!(token.as_deref(), Some("t"));
    // the next one need not wait
    ask(&*ledger, &request("b.example", "cb"), 2).await;
    assert!(claim(&*ledger, "y", 2).await.iter().all(is_verification));
}

pub async fn who_asks_for_a_topic_that_is_missing_is_told(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    ask(&*ledger, &request("a.example", "cb"), 0).await;
    fetched(&*ledger, FetchOutcome::Missing("không có".into()), 0).await;
    let call = answer(&*ledger, HubOutcome::Dropped, 0).await;
    assert!(
        matches!(&call.call, HubCall::Deny { reason, topic, .. } if reason == "không có" && topic == TOPIC),
        "{call:?}"
    );
    assert_eq!(listed(&*ledger).await, []);
    // it may come back
    ask(&*ledger, &request("a.example", "cb"), 60).await;
    fetched(&*ledger, read("1"), 60).await;
    assert!(is_verification(&answer(&*ledger, HubOutcome::Done, 60).await));
    assert_eq!(only(&*ledger).await.state, HubState::Active);
}

pub async fn a_verified_request_holds_until_its_lease_ends(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    ask(&*ledger, &HubSubscriptionRequest { lease_seconds: 3_600, ..request("a.example", "cb") }, 0).await;
    let pending = only(&*ledger).await;
    assert_eq!((pending.state, pending.ends_at, pending.created_at), (HubState::Pending, None, at(0)));
    fetched(&*ledger, read("1"), 0).await;
    answer(&*ledger, HubOutcome::Done, 5).await;
    let view = only(&*ledger).await;
    assert_eq!((view.state, view.ends_at, view.signed, view.owed), (HubState::Active, Some(at(65)), false, false));
    assert_eq!(claim(&*ledger, "x", 5).await, [], "what stands already is not told");
    changed(&*ledger, "2", 64).await;
    assert_eq!(given(&answer(&*ledger, HubOutcome::Retry(at(66)), 64).await), (2, "2".into()));
    assert_eq!(claim(&*ledger, "x", 66).await, [], "its lease has ended");
    assert_eq!(listed(&*ledger).await, []);
}

pub async fn a_request_that_is_not_confirmed_leaves_what_held(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    ask(&*ledger, &request("a.example", "cb"), 0).await;
    fetched(&*ledger, read("1"), 0).await;
    answer(&*ledger, HubOutcome::Retry(at(1)), 0).await;
    assert_eq!(claim(&*ledger, "x", 0).await, []);
    let again = answer(&*ledger, HubOutcome::Dropped, 1).await;
    assert_eq!((again.tries, is_verification(&again)), (1, true));
    assert_eq!(listed(&*ledger).await, [], "nothing held before");

    subscribed(&*ledger, &HubSubscriptionRequest { secret: Some(b"s".to_vec()), ..request("a.example", "cb") }, 2)
        .await;
    let before = only(&*ledger).await;
    for other in [request("a.example", "cb"), leaving("a.example", "cb")] {
        ask(&*ledger, &other, 3).await;
        answer(&*ledger, HubOutcome::Dropped, 3).await;
        let after = only(&*ledger).await;
        assert_eq!((after.state, after.ends_at, after.signed), (HubState::Active, before.ends_at, true));
    }
}

pub async fn a_renewal_brings_its_own_secret_address_and_lease_only_when_it_is_verified(
    open: impl AsyncFn() -> Arc<dyn HubLedger>,
) {
    let ledger = open().await;
    subscribed(&*ledger, &HubSubscriptionRequest { secret: Some(b"s".to_vec()), ..request("a.example", "cb") }, 0)
        .await;
    let renewed = HubSubscriptionRequest {
        callback: "https://a.example/%63b".into(),
        secret: Some(b"t".to_vec()),
        algorithm: SignatureAlgorithm::Sha512,
        lease_seconds: 20 * DAY,
        ..request("a.example", "cb")
    };
    ask(&*ledger, &renewed, 10).await;
    changed(&*ledger, "2", 10).await;
    let due = claim(&*ledger, "x", 10).await;
    assert_eq!((due.len(), due[0].callback.as_str()), (1, "https://a.example/%63b"), "the request goes first");
    assert!(is_verification(&due[0]));
    record(&*ledger, "x", &due[0], HubOutcome::Done, 10).await;
    assert_eq!(only(&*ledger).await.ends_at, Some(at(10 + 20 * 1_440)));
    let call = answer(&*ledger, HubOutcome::Done, 10).await;
    let HubCall::Deliver { secret, algorithm, content_type, .. } = &call.call else { panic!("{call:?}") };
    assert_eq!((secret.as_deref(), *algorithm), (Some(&b"t"[..]), SignatureAlgorithm::Sha512));
    assert_eq!(
        (content_type.as_str(), call.callback.as_str()),
        ("application/atom+xml; charset=utf-8", "https://a.example/%63b")
    );
    ask(&*ledger, &request("a.example", "cb"), 11).await;
    answer(&*ledger, HubOutcome::Done, 11).await;
    assert!(!only(&*ledger).await.signed, "a renewal without a secret ends the signatures");
}

pub async fn an_answer_about_a_request_that_was_replaced_changes_nothing(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    ask(&*ledger, &leaving("a.example", "cb"), 1).await;
    let first = claim(&*ledger, "x", 1).await.remove(0);
    ask(&*ledger, &HubSubscriptionRequest { secret: Some(b"s".to_vec()), ..request("a.example", "cb") }, 1).await;
    assert_eq!(claim(&*ledger, "y", 1).await, [], "one call at a time");
    assert_eq!(record(&*ledger, "x", &first, HubOutcome::Done, 2).await, 0, "leaving was taken back");
    assert_eq!(only(&*ledger).await.state, HubState::Active);
    let second = answer(&*ledger, HubOutcome::Done, 2).await;
    assert!(matches!(second.call, HubCall::Verify { mode: HubMode::Subscribe, .. }), "{second:?}");
    assert!(only(&*ledger).await.signed);
}

pub async fn who_leaves_is_gone_when_it_is_verified(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    ask(&*ledger, &leaving("a.example", "cb"), 1).await;
    assert_eq!(only(&*ledger).await.state, HubState::Active);
    let call = answer(&*ledger, HubOutcome::Done, 1).await;
    assert!(matches!(call.call, HubCall::Verify { mode: HubMode::Unsubscribe, .. }));
    assert_eq!(listed(&*ledger).await, []);
    // who never was subscribed is asked all the same, for the answer must not tell
    ask(&*ledger, &leaving("a.example", "other"), 2).await;
    answer(&*ledger, HubOutcome::Done, 2).await;
    assert_eq!(listed(&*ledger).await, []);
}

pub async fn a_further_version_is_owed_to_all_and_once(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    for host in ["a.example", "b.example", "c.example"] {
        subscribed(&*ledger, &request(host, "cb"), 0).await;
    }
    assert_eq!(claim(&*ledger, "x", 0).await, []);
    changed(&*ledger, "2", 1).await;
    let due = claim(&*ledger, "x", 1).await;
    assert_eq!(due.iter().map(given).collect::<Vec<_>>(), vec![(2, "2".to_owned()); 3]);
    for call in &due {
        assert_eq!(record(&*ledger, "x", call, HubOutcome::Done, 1).await, 1);
    }
    assert_eq!(claim(&*ledger, "x", 100).await, []);
    assert!(listed(&*ledger).await.iter().all(|one| !one.owed && one.delivered_at == Some(at(1))));
    let told = listed(&*ledger).await.remove(0).last_call.unwrap();
    assert_eq!((told.reason, told.status), (HubReason::Http, Some(503)));
    assert!(told.words.as_str().starts_with("trả lời "), "{told:?}");
}

pub async fn equal_bytes_and_fetches_that_failed_are_no_version(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    for (minute, seen) in [
        (20, FetchOutcome::Unchanged),
        (40, read("1")),
        (60, FetchOutcome::Failed),
        (80, FetchOutcome::Missing("đâu".into())),
    ] {
        assert_eq!(fetched(&*ledger, seen, minute).await, 0);
    }
    assert_eq!(claim(&*ledger, "x", 80).await, []);
    assert_eq!(
        only(&*ledger).await.state,
        HubState::Active,
        "a feed that is away for a while ends nobody's subscription"
    );
    changed(&*ledger, "2", 100).await;
    assert_eq!(given(&answer(&*ledger, HubOutcome::Done, 100).await).0, 2);
    let due = ledger.hub_claim_topics(TopicKind::Feed, &lease("y", 200), 10).await.unwrap();
    assert_eq!(
        (due[0].etag.as_deref(), due[0].modified_at, due[0].changed_at),
        (Some("\"2\""), Some(at(0)), Some(at(100)))
    );
}

pub async fn what_is_given_is_the_newest_and_never_an_older_one(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    changed(&*ledger, "3", 11).await;
    let call = claim(&*ledger, "x", 11).await.remove(0);
    assert_eq!(given(&call), (3, "3".into()));
    changed(&*ledger, "4", 12).await;
    assert_eq!(claim(&*ledger, "y", 12).await, [], "one call at a time");
    record(&*ledger, "x", &call, HubOutcome::Done, 13).await;
    assert!(only(&*ledger).await.owed);
    let call = answer(&*ledger, HubOutcome::Retry(at(30)), 13).await;
    assert_eq!(given(&call), (4, "4".into()));
    changed(&*ledger, "5", 14).await;
    let call = claim(&*ledger, "x", 14).await.remove(0);
    assert_eq!((given(&call), call.tries), ((5, "5".into()), 0), "news does not wait for old failures");
    changed(&*ledger, "6", 15).await;
    record(&*ledger, "x", &call, HubOutcome::Retry(at(99)), 15).await;
    let call = claim(&*ledger, "x", 15).await.remove(0);
    assert_eq!((given(&call), call.tries), ((6, "6".into()), 0), "nor for one that came to light after it");
    record(&*ledger, "x", &call, HubOutcome::Done, 15).await;
    assert_eq!(claim(&*ledger, "x", 100).await, []);
}

pub async fn what_came_while_it_was_asked_about_is_owed_to_a_new_subscriber(
    open: impl AsyncFn() -> Arc<dyn HubLedger>,
) {
    let ledger = open().await;
    ask(&*ledger, &request("a.example", "cb"), 0).await;
    fetched(&*ledger, read("1"), 0).await;
    let call = claim(&*ledger, "x", 0).await.remove(0);
    changed(&*ledger, "2", 1).await;
    record(&*ledger, "x", &call, HubOutcome::Done, 2).await;
    assert_eq!(given(&answer(&*ledger, HubOutcome::Done, 2).await), (2, "2".into()));
    assert_eq!(claim(&*ledger, "x", 100).await, []);
}

pub async fn a_version_given_up_is_dropped_and_the_next_is_tried_again(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    answer(&*ledger, HubOutcome::Retry(at(11)), 10).await;
    assert_eq!(claim(&*ledger, "x", 10).await, []);
    assert_eq!(answer(&*ledger, HubOutcome::GiveUp, 11).await.tries, 1);
    assert_eq!(claim(&*ledger, "x", 100).await, []);
    assert_eq!(only(&*ledger).await.state, HubState::Active);
    changed(&*ledger, "3", 101).await;
    let call = answer(&*ledger, HubOutcome::Done, 101).await;
    assert_eq!((given(&call), call.tries), ((3, "3".into()), 0));
}

pub async fn gone_ends_the_subscription_and_keeps_a_request(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    let call = claim(&*ledger, "x", 10).await.remove(0);
    ask(&*ledger, &request("a.example", "cb"), 10).await;
    record(&*ledger, "x", &call, HubOutcome::Gone, 11).await;
    assert_eq!(only(&*ledger).await.state, HubState::Pending);
    assert!(is_verification(&answer(&*ledger, HubOutcome::Dropped, 11).await));
    assert_eq!(listed(&*ledger).await, []);
}

pub async fn a_claimed_call_is_nobody_elses_until_its_lease_ends(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    assert_eq!(claim(&*ledger, "x", 10).await.len(), 1);
    drop(ledger); // a crash
    let ledger = open().await;
    assert_eq!(claim(&*ledger, "y", 19).await, []);
    assert_eq!(ledger.hub_next_due().await.unwrap().deliver_at, Some(at(20)));
    assert_eq!(given(&answer(&*ledger, HubOutcome::Done, 20).await), (2, "2".into()));
}

pub async fn a_late_answer_changes_nothing_unless_a_version_was_taken(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    let late = claim(&*ledger, "x", 10).await.remove(0);
    let held = claim(&*ledger, "y", 20).await.remove(0);
    for outcome in [HubOutcome::Gone, HubOutcome::GiveUp, HubOutcome::Retry(at(999))] {
        assert_eq!(record(&*ledger, "x", &late, outcome, 21).await, 0);
    }
    assert_eq!(only(&*ledger).await.state, HubState::Active);
    assert_eq!(record(&*ledger, "x", &late, HubOutcome::Done, 21).await, 1);
    assert_eq!(record(&*ledger, "y", &held, HubOutcome::Retry(at(22)), 21).await, 1);
    assert_eq!(claim(&*ledger, "z", 22).await, [], "it has it: whoever brought it");
    ask(&*ledger, &request("a.example", "other"), 30).await;
    let late = claim(&*ledger, "x", 30).await.remove(0);
    let held = claim(&*ledger, "y", 40).await.remove(0);
    assert_eq!(record(&*ledger, "x", &late, HubOutcome::Done, 41).await, 0, "its answer was to another challenge");
    assert_eq!(record(&*ledger, "y", &held, HubOutcome::Dropped, 41).await, 1);
    assert_eq!(listed(&*ledger).await.len(), 1);
}

pub async fn a_host_has_no_more_in_flight_than_it_may_and_holds_up_no_other(
    open: impl AsyncFn() -> Arc<dyn HubLedger>,
) {
    let ledger = open().await;
    for path in 0..8 {
        subscribed(&*ledger, &request("crowd.example", &format!("{path}")), 0).await;
    }
    subscribed(&*ledger, &request("alone.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    let claim = async |holder: &str, minute| {
        ledger.hub_claim(CallClass::Deliveries, &lease(holder, minute), 2, 3).await.unwrap()
    };
    let first = claim("x", 10).await;
    let hosts: Vec<&str> = first.iter().map(|call| call.host.as_str()).collect();
    assert_eq!(hosts, ["alone.example", "crowd.example", "crowd.example"]);
    assert_eq!(claim("y", 10).await, [], "it has as many as it may");
    assert_eq!(
        ledger.hub_next_due().await.unwrap().deliver_at,
        Some(at(20)),
        "and is not asked for more until one is back"
    );
    record(&*ledger, "x", &first[1], HubOutcome::Done, 11).await;
    let mut seen = claim("y", 11).await;
    assert_eq!(seen.len(), 1);
    record(&*ledger, "x", &first[2], HubOutcome::Done, 11).await;
    for _ in 0..7 {
        for call in std::mem::take(&mut seen) {
            record(&*ledger, "y", &call, HubOutcome::Done, 11).await;
        }
        seen = claim("y", 11).await;
        assert!(seen.len() <= 2);
    }
    assert!(listed(&*ledger).await.iter().filter(|one| one.callback.contains("crowd")).all(|one| !one.owed));
}

pub async fn callbacks_that_are_asked_delay_nobody_who_is_told(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    for path in ["1", "2", "3"] {
        ask(&*ledger, &request("a.example", path), 1).await;
    }
    let claim = async |class, holder: &str| ledger.hub_claim(class, &lease(holder, 10), 2, 100).await.unwrap();
    assert_eq!(claim(CallClass::Deliveries, "x").await, []);
    let asked = claim(CallClass::Requests, "x").await;
    assert_eq!((asked.len(), asked.iter().all(is_verification)), (2, true));
    changed(&*ledger, "2", 10).await;
    let due = ledger.hub_next_due().await.unwrap();
    assert_eq!((due.deliver_at, due.verify_at), (Some(at(10)), Some(at(1))));
    assert_eq!(claim(CallClass::Requests, "y").await, [], "the host is asked as much as it may be");
    let told = claim(CallClass::Deliveries, "y").await;
    assert_eq!(told.iter().map(given).collect::<Vec<_>>(), [(2, "2".into())]);
    assert_eq!(ledger.hub_next_due().await.unwrap().verify_at, Some(at(20)), "when the first lease ends");
}

pub async fn a_host_that_fails_rests_and_one_that_asks_for_it_too(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    for path in ["1", "2", "3"] {
        subscribed(&*ledger, &request("a.example", path), 0).await;
    }
    subscribed(&*ledger, &request("b.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    let fail = async |holder: &str, calls: &[DueCall], sign: HostSign, minute: i64| {
        let outcome = HubOutcome::Retry(at(minute));
        let records: Vec<CallRecord> = calls.iter().map(|call| ended(call, outcome, sign, at(minute))).collect();
        ledger.hub_record(holder, &records, &REST).await.unwrap();
    };
    let due = claim(&*ledger, "x", 10).await;
    fail("x", &due, HostSign::Failing, 11).await;
    let due = claim(&*ledger, "x", 12).await;
    assert_eq!(due.iter().map(|call| call.host.as_str()).collect::<Vec<_>>(), ["b.example"], "one failure is none");
    fail("x", &due, HostSign::Pause(at(15)), 12).await;
    assert_eq!(claim(&*ledger, "x", 14).await, []);
    assert_eq!(claim(&*ledger, "b", 15).await.len(), 1);
    assert_eq!(ledger.hub_next_due().await.unwrap().deliver_at, Some(at(21)), "ten minutes after the second failure");
    changed(&*ledger, "3", 16).await;
    assert_eq!(claim(&*ledger, "x", 20).await.len(), 0, "a change does not wake who rests");
    let due = claim(&*ledger, "x", 21).await;
    assert_eq!(due.len(), 3);
    fail("x", &due[..1], HostSign::Failing, 22).await;
    assert_eq!(ledger.hub_next_due().await.unwrap().deliver_at, Some(at(25)), "of the other host: its lease");
    record(&*ledger, "x", &due[1], HubOutcome::Done, 22).await;
    let due = claim(&*ledger, "y", 39).await;
    assert_eq!(
        due.len(),
        3,
        "twice ten minutes, but no more than the longest; what lives is not left alone again: {due:?}"
    );
}

pub async fn the_hub_takes_on_no_more_than_its_limits(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let take = async |request: &HubSubscriptionRequest, limits: HubLimits| {
        ledger.hub_request(request, &limits, at(0)).await.unwrap()
    };
    let host = HubLimits { subscriptions_per_host_max: 1, ..LIMITS };
    assert_eq!(take(&request("a.example", "1"), host).await, HubTaken::Taken);
    assert_eq!(take(&request("a.example", "2"), host).await, HubTaken::HostFull);
    assert_eq!(take(&request("a.example", "1"), host).await, HubTaken::Taken, "it is there already");
    let one = HubLimits { subscriptions_max: 1, requests_max: 1, topics_max: 1, ..LIMITS };
    assert_eq!(
        take(&request("b.example", "1"), HubLimits { requests_max: 9, topics_max: 9, ..one }).await,
        HubTaken::Full
    );
    assert_eq!(
        take(&request("b.example", "1"), HubLimits { subscriptions_max: 9, topics_max: 9, ..one }).await,
        HubTaken::Full
    );
    let other = HubSubscriptionRequest {
        topic: "https://loa.example.gov.vn/feeds/all.rss".into(),
        ..request("b.example", "1")
    };
    assert_eq!(take(&other, HubLimits { subscriptions_max: 9, requests_max: 9, ..one }).await, HubTaken::Full);
    assert_eq!(take(&request("a.example", "1"), one).await, HubTaken::Taken, "and needs no further room");
    assert_eq!(listed(&*ledger).await.len(), 1);
    fetched(&*ledger, read("1"), 0).await;
    answer(&*ledger, HubOutcome::Dropped, 0).await;
    assert_eq!(take(&request("b.example", "1"), one).await, HubTaken::Taken, "there is room again");
}

pub async fn many_names_in_one_network_are_no_more_than_it_may_have(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let rule = HostRule { subscriptions_per_network_max: 2, ..REST };
    let confirm = async |host: &str, network: &str, minute| {
        ask(&*ledger, &request(host, "cb"), minute).await;
        fetched(&*ledger, read("1"), minute).await;
        let call = claim(&*ledger, "x", minute).await.remove(0);
        let record =
            CallRecord { network: network.into(), ..ended(&call, HubOutcome::Done, HostSign::Nothing, at(minute)) };
        assert_eq!(ledger.hub_record("x", &[record], &rule).await.unwrap(), 1);
    };
    let states = async || -> Vec<HubState> { listed(&*ledger).await.iter().map(|one| one.state).collect() };
    confirm("a.evil.example", "203.0.113.0/24", 0).await;
    confirm("b.evil.example", "203.0.113.0/24", 1).await;
    confirm("c.evil.example", "203.0.113.0/24", 2).await;
    assert_eq!(states().await, [HubState::Active, HubState::Active, HubState::Pending]);
    let denial = answer(&*ledger, HubOutcome::Dropped, 2).await;
    assert!(matches!(&denial.call, HubCall::Deny { reason, .. } if reason.contains("network")), "{denial:?}");
    confirm("d.example", "198.51.100.0/24", 3).await;
    for path in ["e.example", "f.example", "g.example"] {
        confirm(path, "", 4).await;
    }
    confirm("a.evil.example", "203.0.113.0/24", 5).await;
    assert_eq!(states().await, vec![HubState::Active; 6], "others, those of whom it is not known, and who renews");
    ask(&*ledger, &leaving("a.evil.example", "cb"), 6).await;
    answer(&*ledger, HubOutcome::Done, 6).await;
    confirm("c.evil.example", "203.0.113.0/24", 7).await;
    assert_eq!(states().await, vec![HubState::Active; 6], "there is room again");
}

pub async fn who_is_called_later_has_had_no_try(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    changed(&*ledger, "2", 10).await;
    for minute in [10, 11] {
        assert_eq!(answer(&*ledger, HubOutcome::Later(at(minute + 1)), minute).await.tries, 0);
        assert_eq!(claim(&*ledger, "x", minute).await, []);
    }
    assert_eq!(answer(&*ledger, HubOutcome::Done, 12).await.tries, 0);
    ask(&*ledger, &request("a.example", "cb"), 13).await;
    answer(&*ledger, HubOutcome::Later(at(14)), 13).await;
    assert_eq!(answer(&*ledger, HubOutcome::Done, 14).await.tries, 0);
}

pub async fn who_is_subscribed_renews_however_many_wait(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    let limits = HubLimits { subscriptions_max: 3, requests_max: 2, ..LIMITS };
    let take = async |request: &HubSubscriptionRequest| ledger.hub_request(request, &limits, at(1)).await.unwrap();
    for host in ["b.example", "c.example"] {
        assert_eq!(take(&request(host, "cb")).await, HubTaken::Taken);
    }
    assert_eq!(take(&request("d.example", "cb")).await, HubTaken::Full);
    assert_eq!(take(&request("a.example", "cb")).await, HubTaken::Taken, "it is subscribed");
    assert_eq!(take(&leaving("a.example", "cb")).await, HubTaken::Taken, "and may leave");
}

pub async fn combinations_have_a_share_and_never_crowd_out_feeds(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let take = async |request: &HubSubscriptionRequest, limits: HubLimits| {
        ledger.hub_request(request, &limits, at(0)).await.unwrap()
    };
    // a fifth of ten topics
    assert_eq!(take(&combining("a.example", 1), LIMITS).await, HubTaken::Taken);
    assert_eq!(take(&combining("b.example", 2), LIMITS).await, HubTaken::Taken);
    assert_eq!(take(&combining("c.example", 3), LIMITS).await, HubTaken::CombinationsFull, "topics");
    assert_eq!(take(&combining("c.example", 1), LIMITS).await, HubTaken::Taken, "it is a topic already");
    for (limits, what) in [
        (HubLimits { subscriptions_max: 15, ..LIMITS }, "subscriptions"),
        (HubLimits { requests_max: 15, ..LIMITS }, "requests that wait"),
        (HubLimits { subscriptions_per_host_max: 5, ..LIMITS }, "subscriptions of a host"),
    ] {
        assert_eq!(take(&combining("a.example", 2), limits).await, HubTaken::CombinationsFull, "{what}");
        let feed = HubSubscriptionRequest { callback_form: what.into(), ..request("a.example", "cb") };
        assert_eq!(take(&feed, limits).await, HubTaken::Taken, "{what}: there is room for feeds");
    }
    assert_eq!(take(&combining("a.example", 1), LIMITS).await, HubTaken::Taken, "who asked already needs no room");
}

pub async fn combinations_are_fetched_apart_from_feeds_and_less_often(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    ask(&*ledger, &combining("a.example", 1), 0).await;
    ask(&*ledger, &combining("a.example", 2), 0).await;
    ask(&*ledger, &request("a.example", "cb"), 1).await;
    let due = ledger.hub_next_due().await.unwrap();
    assert_eq!((due.fetch_at, due.combination_fetch_at), (Some(at(1)), Some(at(0))));
    let claimed = ledger.hub_claim_topics(TopicKind::Feed, &lease("x", 1), 10).await.unwrap();
    assert_eq!(claimed.iter().map(|due| due.topic.as_str()).collect::<Vec<_>>(), [TOPIC]);
    let one = ledger.hub_claim_topics(TopicKind::Combination, &lease("y", 1), 1).await.unwrap();
    assert_eq!(one.len(), 1);
    ledger.hub_record_fetches("y", &[(one[0].topic.clone(), read("1"))], &looking(), at(1)).await.unwrap();
    assert_eq!(ledger.hub_next_due().await.unwrap().combination_fetch_at, Some(at(0)), "the other one");
    assert_eq!(fetch_at(&*ledger, TopicKind::Combination, read("1"), 1).await, 1);
    assert_eq!(ledger.hub_next_due().await.unwrap().combination_fetch_at, Some(at(3)), "its own first delay");
    assert_eq!(claim(&*ledger, "x", 1).await.iter().filter(|call| is_verification(call)).count(), 2);
    ledger.hub_fetch_soon(None, &looking(), at(2)).await.unwrap();
    assert_eq!(ledger.hub_next_due().await.unwrap().combination_fetch_at, Some(at(2)), "a ring is for all");
}

pub async fn a_topic_that_is_missing_takes_up_no_room(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let limits = HubLimits { topics_max: 1, ..LIMITS };
    let take = async |topic: &str, host: &str| {
        let request = HubSubscriptionRequest { topic: topic.into(), ..request(host, "cb") };
        ledger.hub_request(&request, &limits, at(0)).await.unwrap()
    };
    for number in 0..3 {
        let nowhere = format!("https://loa.example.gov.vn/feeds/category-{number}.atom");
        assert_eq!(take(&nowhere, "a.example").await, HubTaken::Taken);
        assert_eq!(take(TOPIC, "b.example").await, HubTaken::Full);
        fetched(&*ledger, FetchOutcome::Missing("không có".into()), 0).await;
    }
    assert_eq!(take(TOPIC, "b.example").await, HubTaken::Taken);
    let denials = claim(&*ledger, "x", 0).await;
    assert_eq!((denials.len(), denials.iter().any(is_verification)), (3, false), "and each is told");
}

pub async fn a_host_that_asks_too_often_must_wait(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let limits = HubLimits { requests_per_host_burst: 2, ..LIMITS };
    let take =
        async |path: &str, minute| ledger.hub_request(&request("a.example", path), &limits, at(minute)).await.unwrap();
    assert_eq!((take("1", 0).await, take("2", 0).await), (HubTaken::Taken, HubTaken::Taken));
    assert_eq!(take("3", 0).await, HubTaken::TooOften(Duration::from_secs(60)));
    assert_eq!(
        take("3", 0).await,
        HubTaken::TooOften(Duration::from_secs(60)),
        "who is refused does not wait longer for it"
    );
    assert_eq!(
        (take("3", 1).await, take("4", 1).await),
        (HubTaken::Taken, HubTaken::TooOften(Duration::from_secs(60)))
    );
    let other = ledger.hub_request(&request("b.example", "cb"), &limits, at(1)).await.unwrap();
    assert_eq!(other, HubTaken::Taken);
    assert_eq!((take("4", 10).await, take("5", 10).await), (HubTaken::Taken, HubTaken::Taken));
}

pub async fn a_topic_is_fetched_by_one_at_a_time_and_on_schedule(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    let due = async |holder: &str, minute| {
        ledger.hub_claim_topics(TopicKind::Feed, &lease(holder, minute), 10).await.unwrap().len()
    };
    let seen = [(TOPIC.to_owned(), FetchOutcome::Unchanged)];
    assert_eq!((due("x", 0).await, ledger.hub_next_due().await.unwrap().fetch_at), (0, Some(at(1))));
    assert_eq!((due("x", 1).await, due("y", 1).await), (1, 0));
    ledger.hub_record_fetches("y", &seen, &looking(), at(1)).await.unwrap();
    assert_eq!(due("y", 10).await, 0, "whoever does not hold it records nothing");
    assert_eq!(due("y", 11).await, 1, "the first one's lease has ended");
    ledger.hub_record_fetches("x", &[(TOPIC.to_owned(), read("late"))], &looking(), at(11)).await.unwrap();
    assert_eq!(claim(&*ledger, "x", 11).await, []);
    ledger.hub_record_fetches("y", &seen, &looking(), at(11)).await.unwrap();
    assert_eq!(ledger.hub_next_due().await.unwrap().fetch_at, Some(at(13)), "the second delay");
    assert_eq!(fetched(&*ledger, FetchOutcome::Failed, 13).await, 0);
    assert_eq!(ledger.hub_next_due().await.unwrap().fetch_at, Some(at(23)), "the third");
    assert_eq!(fetched(&*ledger, FetchOutcome::Unchanged, 23).await, 0);
    assert_eq!(ledger.hub_next_due().await.unwrap().fetch_at, Some(at(33)), "and so on");
}

pub async fn a_ping_has_topics_fetched_soon_but_not_too_soon(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    let next = async || ledger.hub_next_due().await.unwrap().fetch_at.unwrap();
    let unhurried = FetchRule { notice_pause: Duration::from_secs(300), ..looking() };
    for minute in [10, 20, 30] {
        fetched(&*ledger, FetchOutcome::Unchanged, minute).await;
    }
    assert_eq!(next().await, at(40));
    let nobodys = ["https://loa.example.gov.vn/feeds/all.rss".to_owned()];
    assert_eq!(ledger.hub_fetch_soon(Some(&nobodys), &looking(), at(31)).await.unwrap(), 0);
    assert_eq!(next().await, at(40));
    assert_eq!(ledger.hub_fetch_soon(Some(&[TOPIC.to_owned()]), &looking(), at(32)).await.unwrap(), 1);
    assert_eq!(next().await, at(32));
    assert_eq!(fetched(&*ledger, read("2"), 32).await, 1);
    assert_eq!(next().await, at(33), "the schedule began anew");
    ledger.hub_fetch_soon(None, &looking(), at(32)).await.unwrap();
    assert_eq!(next().await, at(33), "not twice within a minute");
    ledger.hub_fetch_soon(None, &unhurried, at(33)).await.unwrap();
    assert_eq!(next().await, at(37), "five minutes after the last change");
    let held = ledger.hub_claim_topics(TopicKind::Feed, &lease("x", 37), 1).await.unwrap();
    ledger.hub_fetch_soon(None, &looking(), at(38)).await.unwrap();
    assert_eq!(next().await, at(47), "in somebody's hands it stays there");
    ledger
        .hub_record_fetches("x", &[(held[0].topic.clone(), FetchOutcome::Unchanged)], &looking(), at(38))
        .await
        .unwrap();
    assert_eq!(next().await, at(39), "but is fetched again soon");
}

pub async fn what_came_to_its_end_is_cleaned_up(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &HubSubscriptionRequest { lease_seconds: 3_600, ..request("a.example", "cb") }, 0).await;
    subscribed(&*ledger, &request("b.example", "cb"), 0).await;
    let rss = "https://loa.example.gov.vn/feeds/all.rss";
    ask(&*ledger, &HubSubscriptionRequest { topic: rss.into(), ..request("c.example", "cb") }, 0).await;
    let cleaned_up = ledger.hub_clean_up(&CLEAN_UP, at(59)).await.unwrap();
    assert_eq!((cleaned_up.expired, cleaned_up.lapsed, cleaned_up.subscriptions, cleaned_up.topics), (0, 0, 3, 2));
    let cleaned_up = ledger
        .hub_clean_up(&HubCleanUpRule { request_max: Duration::from_secs(3_540), ..CLEAN_UP }, at(60))
        .await
        .unwrap();
    assert_eq!((cleaned_up.expired, cleaned_up.lapsed, cleaned_up.subscriptions, cleaned_up.topics), (1, 1, 1, 1));
    assert_eq!(only(&*ledger).await.callback, "https://b.example/cb");
    let cleaned_up = ledger.hub_clean_up(&CLEAN_UP, at(20 * 1_440)).await.unwrap();
    assert_eq!((cleaned_up.expired, cleaned_up.subscriptions, cleaned_up.topics), (1, 0, 0));
    assert_eq!(ledger.hub_next_due().await.unwrap(), loa_store::HubDue::default());
}

pub async fn a_clock_set_back_makes_nothing_wait_until_it_is_there_again(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let (before, after) = (600, 540);
    for path in ["told", "failing"] {
        subscribed(&*ledger, &request("a.example", path), before - 10).await;
    }
    subscribed(&*ledger, &request("resting.example", "cb"), before - 10).await;
    changed(&*ledger, "2", before).await;
    for call in claim(&*ledger, "x", before).await {
        let (outcome, sign) = match call.callback.as_str() {
            "https://a.example/told" => continue, // a crash: it stays in that hand, for ten minutes
            "https://a.example/failing" => (HubOutcome::Retry(at(before + 5)), HostSign::Alive),
            _ => (HubOutcome::Retry(at(before)), HostSign::Pause(at(before + 20))),
        };
        ledger.hub_record("x", &[ended(&call, outcome, sign, at(before))], &REST).await.unwrap();
    }
    ask(&*ledger, &request("new.example", "cb"), before).await;
    assert_eq!(ledger.hub_clean_up(&CLEAN_UP, at(before)).await.unwrap().set_back, Duration::ZERO);

    assert_eq!(claim(&*ledger, "y", after).await, [], "an hour ago nothing of this was due");
    let cleaned_up = ledger.hub_clean_up(&CLEAN_UP, at(after)).await.unwrap();
    assert_eq!(cleaned_up.set_back, Duration::from_secs(3_600));
    assert_eq!(ledger.hub_clean_up(&CLEAN_UP, at(after)).await.unwrap().set_back, Duration::ZERO, "once");
    let due = async |minute| -> Vec<String> {
        let calls = claim(&*ledger, "y", minute).await;
        for call in &calls {
            record(&*ledger, "y", call, HubOutcome::Done, minute).await;
        }
        calls.into_iter().map(|call| call.callback).collect()
    };
    assert_eq!(due(after).await, ["https://new.example/cb"]);
    assert_eq!(due(after + 5).await, ["https://a.example/failing"], "each at its time, and no storm");
    assert_eq!(due(after + 10).await, ["https://a.example/told"]);
    assert_eq!(due(after + 20).await, ["https://resting.example/cb"]);
    // topics: by the clean-up's time, and by a ring
    assert_eq!(ledger.hub_next_due().await.unwrap().fetch_at, Some(at(after + 1)));
    ledger.hub_fetch_soon(None, &looking(), at(after)).await.unwrap();
    assert_eq!(ledger.hub_next_due().await.unwrap().fetch_at, Some(at(after + 1)), "a minute after the last look");
    for again in listed(&*ledger).await {
        let granted = if again.callback.contains("new") { after } else { before - 10 };
        assert_eq!(again.ends_at, Some(at(granted + 14_400)), "what was granted stays");
    }
}

pub async fn a_clock_that_was_far_ahead_makes_no_lease_for_ever(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let year = 525_600;
    subscribed(&*ledger, &request("a.example", "cb"), 10 * year).await;
    assert_eq!(only(&*ledger).await.ends_at, Some(at(10 * year + 14_400)));
    ledger.hub_clean_up(&CLEAN_UP, at(10 * year)).await.unwrap();
    ledger.hub_clean_up(&CLEAN_UP, at(0)).await.unwrap();
    assert_eq!(only(&*ledger).await.ends_at, Some(at(43_200)), "the longest from now");
    assert_eq!(ledger.hub_request(&request("a.example", "cb"), &LIMITS, at(1)).await.unwrap(), HubTaken::Taken);
    assert_eq!(ledger.hub_clean_up(&CLEAN_UP, at(43_200)).await.unwrap().expired, 1);
}

pub async fn a_request_that_was_claimed_and_never_recorded_has_one_try_more(
    open: impl AsyncFn() -> Arc<dyn HubLedger>,
) {
    let ledger = open().await;
    ask(&*ledger, &request("a.example", "cb"), 0).await;
    fetched(&*ledger, read("1"), 0).await;
    for (tries, minute) in [(0, 0), (1, 10), (2, 20)] {
        let due = claim(&*ledger, "dies", minute).await;
        assert_eq!(due.iter().map(|call| (call.tries, is_verification(call))).collect::<Vec<_>>(), [(tries, true)]);
    }
    let call = answer(&*ledger, HubOutcome::Done, 30).await;
    assert_eq!((call.tries, only(&*ledger).await.state), (3, HubState::Active));
    // what is told is told however often somebody died of it: each time the newest
    changed(&*ledger, "2", 40).await;
    assert_eq!(claim(&*ledger, "dies", 40).await[0].tries, 0);
    assert_eq!(answer(&*ledger, HubOutcome::Done, 60).await.tries, 0);
}

pub async fn an_operator_ends_a_subscription_and_its_subscriber_is_told(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    subscribed(&*ledger, &request("a.example", "cb"), 0).await;
    let id = only(&*ledger).await.id;
    changed(&*ledger, "2", 1).await;
    ledger.hub_remove(&id, "thôi", at(2)).await.unwrap();
    assert_eq!(only(&*ledger).await.state, HubState::Pending);
    let call = answer(&*ledger, HubOutcome::Dropped, 2).await;
    assert!(matches!(&call.call, HubCall::Deny { reason, .. } if reason == "thôi"), "{call:?}");
    assert_eq!(listed(&*ledger).await, []);
    for unknown in [id.as_str(), "h999", "x"] {
        let unknown = HubSubscriptionId::new(unknown).unwrap();
        assert_eq!(ledger.hub_remove(&unknown, "", at(3)).await.unwrap_err().kind, StoreErrorKind::NotFound);
    }
}

pub async fn subscriptions_are_listed_in_their_order_and_by_topic(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let ledger = open().await;
    let rss = "https://loa.example.gov.vn/feeds/all.rss";
    for (path, topic) in [("1", TOPIC), ("2", rss), ("3", TOPIC)] {
        ask(&*ledger, &HubSubscriptionRequest { topic: topic.into(), ..request("a.example", path) }, 0).await;
    }
    let list = async |query: HubQuery| -> Vec<String> {
        let found = ledger.hub_subscriptions(&query).await.unwrap();
        found.iter().map(|one| one.callback.rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(list(HubQuery { limit: 1_000, ..HubQuery::default() }).await, ["1", "2", "3"]);
    ask(&*ledger, &request("b.example", "4"), 0).await;
    assert_eq!(list(HubQuery { limit: 10, host: Some("b.example".into()), ..HubQuery::default() }).await, ["4"]);
    assert_eq!(list(HubQuery { limit: 10, host: Some("c.example".into()), ..HubQuery::default() }).await, [""; 0]);
    assert_eq!(list(HubQuery { limit: 3, topic: Some(TOPIC.into()), ..HubQuery::default() }).await, ["1", "3", "4"]);
    let first = listed(&*ledger).await[0].id.clone();
    assert_eq!(list(HubQuery { limit: 1, after: Some(first), ..HubQuery::default() }).await, ["2"]);
    let none = HubSubscriptionId::new("x").unwrap();
    assert!(list(HubQuery { limit: 1, after: Some(none), ..HubQuery::default() }).await.is_empty());
}

pub async fn two_stores_never_claim_the_same_call(open: impl AsyncFn() -> Arc<dyn HubLedger>) {
    let (one, other) = (open().await, open().await);
    for number in 0..9 {
        subscribed(&*one, &request(&format!("{number}.example"), "cb"), 0).await;
    }
    changed(&*one, "2", 10).await;
    let (mut seen, mut last, class) = (Vec::new(), 1, CallClass::Deliveries);
    while last > 0 {
        let (x, y) = (lease("x", 10), lease("y", 10));
        let (a, b) = tokio::join!(one.hub_claim(class, &x, 1, 3), other.hub_claim(class, &y, 1, 3));
        let claimed: Vec<DueCall> = a.unwrap().into_iter().chain(b.unwrap()).collect();
        last = claimed.len();
        seen.extend(claimed.iter().map(|call| call.subscription.to_string()));
    }
    assert!(claim(&*one, "z", 10).await.is_empty());
    seen.sort();
    let all = seen.len();
    seen.dedup();
    assert_eq!((all, seen.len()), (9, 9));
    assert!(matches!(claim(&*other, "z", 20).await.first(), Some(call) if call.call.about() == HubAbout::Version(2)));
}
