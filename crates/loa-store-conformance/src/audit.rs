//! Rules of the audit: what outlets have not seen, and which heartbeats came through.

use crate::build::{SOURCE, at, id, lease};
use loa_domain::{EventKey, EventType, Outlet};
use loa_store::{
    Archived, AuditRound, Completeness, HeardHeartbeat, IntakeLedger, STRANGERS_MAX, Submission, Submitted,
};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! audit_rules {
    ($test:ident) => {
        $test!(the_audit_goes_through_the_archive_once_for_each_outlet);
        $test!(a_round_that_another_replica_has_done_changes_nothing);
        $test!(a_gap_is_counted_with_since_when_and_an_example_until_it_is_seen);
        $test!(a_gap_is_late_until_its_event_has_passed_the_queue);
        $test!(what_waits_in_the_outbox_is_no_gap_of_an_outlet);
        $test!(gaps_that_were_not_looked_at_for_long_come_first);
        $test!(a_journey_says_which_outlet_has_not_received_it);
        $test!(an_installation_keeps_its_id);
        $test!(the_newest_heartbeat_of_each_binding_and_installation_is_kept);
        $test!(invented_installations_are_kept_in_bounds);
    };
}

fn archived(article: &str, minute: i64) -> Archived {
    Archived {
        sequence: 0,
        key: EventKey { source: SOURCE.into(), id: format!("event-{article}") },
        event_type: EventType::ArticlePublished,
        article: id(article),
        revision: 1,
        content_hash: "c".into(),
        routing_key: "article.published.kinh-te".into(),
        body: b"{}".to_vec(),
        at: at(minute),
    }
}

fn round(outlet: Outlet, from: i64, to: i64, missing: &[i64], minute: i64) -> AuditRound {
    AuditRound { outlet, from, to, missing: missing.to_vec(), at: at(minute), passed_at: None }
}

/// Archives articles `a`, `b`, … one a minute, and audits the feed, which has seen none of the first `missing`.
async fn with_gaps(ledger: &dyn IntakeLedger, articles: &[&str], missing: usize) -> Vec<i64> {
    for (minute, article) in (1..).zip(articles) {
        ledger.archive(&[archived(article, minute)]).await.unwrap();
    }
    let next = ledger.unaudited(Outlet::Feed, 100).await.unwrap();
    let numbers: Vec<i64> = next.events.iter().map(|event| event.sequence).collect();
    let last = *numbers.last().unwrap();
    assert!(ledger.audited(&round(Outlet::Feed, next.reached, last, &numbers[..missing], 20)).await.unwrap());
    numbers[..missing].to_vec()
}

async fn feed(ledger: &dyn IntakeLedger, minute: i64) -> Completeness {
    let mut all = ledger.completeness(at(minute)).await.unwrap();
    let outlets: Vec<Outlet> = all.iter().map(|one| one.outlet).collect();
    assert_eq!(outlets, [Outlet::Feed, Outlet::Digest, Outlet::Push]);
    all.swap_remove(0)
}

pub async fn the_audit_goes_through_the_archive_once_for_each_outlet(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    ledger.archive(&[archived("a", 1), archived("b", 2), archived("c", 3)]).await.unwrap();
    let first = ledger.unaudited(Outlet::Feed, 2).await.unwrap();
    assert_eq!((first.reached, first.events.len()), (0, 2));
    assert_eq!((first.events[0].said.key.id.as_str(), first.events[0].routed_at), ("event-a", Some(at(1))));
    let to = first.events[1].sequence;
    assert!(ledger.audited(&round(Outlet::Feed, 0, to, &[], 4)).await.unwrap());
    let second = ledger.unaudited(Outlet::Feed, 2).await.unwrap();
    assert_eq!((second.reached, second.events.len()), (to, 1));
    assert_eq!(ledger.unaudited(Outlet::Push, 9).await.unwrap().events.len(), 3, "each outlet has a place of its own");
    let state = feed(&*ledger, 9).await;
    assert_eq!((state.asked_at, state.unaudited_since), (Some(at(4)), Some(at(3))));
    assert_eq!((state.not_received, state.late), (None, None));
}

pub async fn a_round_that_another_replica_has_done_changes_nothing(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    ledger.archive(&[archived("a", 1)]).await.unwrap();
    assert!(ledger.audited(&round(Outlet::Feed, 0, 1, &[], 5)).await.unwrap());
    assert!(!open().await.audited(&round(Outlet::Feed, 0, 1, &[1], 6)).await.unwrap());
    assert_eq!(feed(&*ledger, 9).await.late, None);
}

pub async fn a_gap_is_counted_with_since_when_and_an_example_until_it_is_seen(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let ledger = open().await;
    let gaps = with_gaps(&*ledger, &["a", "b", "c"], 2).await;
    let late = feed(&*ledger, 9).await.late.unwrap();
    assert_eq!((late.count, late.since, late.article), (2, at(1), id("a")));
    assert_eq!(late.event.id, "event-a");
    assert_eq!(feed(&*ledger, 1).await.late.unwrap().count, 1, "what came later is on its way");
    ledger.gaps_asked_about(Outlet::Feed, &gaps[..1], &gaps[1..], at(21)).await.unwrap();
    assert_eq!(feed(&*ledger, 9).await.late.unwrap().article, id("b"));
    for _ in 0..2 {
        ledger.gaps_asked_about(Outlet::Feed, &gaps, &[], at(22)).await.unwrap();
        assert_eq!(feed(&*ledger, 9).await.late, None);
    }
}

pub async fn a_gap_is_late_until_its_event_has_passed_the_queue(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let gaps = with_gaps(&*ledger, &["a", "b"], 2).await;
    let passed = |minute| AuditRound { passed_at: Some(at(minute)), ..round(Outlet::Feed, gaps[1], gaps[1], &[], 21) };
    assert!(ledger.audited(&passed(1)).await.unwrap());
    assert!(ledger.audited(&passed(0)).await.unwrap(), "what has passed does not come back");
    let state = feed(&*ledger, 9).await;
    assert_eq!(state.not_received.unwrap().article, id("a"));
    assert_eq!(state.late.unwrap().article, id("b"));
    assert!(ledger.audited(&AuditRound { passed_at: None, ..passed(0) }).await.unwrap());
    assert_eq!(feed(&*ledger, 9).await.not_received.unwrap().count, 1, "nor is it forgotten");
}

pub async fn what_waits_in_the_outbox_is_no_gap_of_an_outlet(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let one = archived("a", 1);
    let submission = Submission {
        key: one.key,
        event_type: one.event_type,
        article: one.article,
        revision: 1,
        fingerprint: "print".into(),
        expect: None,
        category: "kinh-te".into(),
        routing_key: one.routing_key,
        lane: loa_domain::Lane::Live,
        body: one.body,
        at: at(1),
    };
    assert_eq!(ledger.submit(&[submission]).await.unwrap(), [Submitted::Stored]);
    let event = ledger.unaudited(Outlet::Digest, 1).await.unwrap().events.remove(0);
    assert_eq!(event.routed_at, None);
    assert!(ledger.audited(&round(Outlet::Digest, 0, event.sequence, &[event.sequence], 2)).await.unwrap());
    let digest = async || ledger.completeness(at(9)).await.unwrap().swap_remove(1).late;
    assert_eq!(digest().await, None);
    let row = ledger.claim_outbox(&lease("x", 3), &loa_store::ClaimRoom::of(1)).await.unwrap().remove(0);
    ledger.outbox_confirmed(&[row.sequence], at(8)).await.unwrap();
    assert_eq!(digest().await.unwrap().count, 1);
    assert_eq!(ledger.completeness(at(7)).await.unwrap()[1].late, None, "the bus had it later");
    assert_eq!(ledger.gaps_to_ask_about(Outlet::Digest, 1).await.unwrap()[0].routed_at, Some(at(8)));
}

pub async fn gaps_that_were_not_looked_at_for_long_come_first(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let gaps = with_gaps(&*ledger, &["a", "b", "c"], 3).await;
    let next = async || ledger.gaps_to_ask_about(Outlet::Feed, 1).await.unwrap()[0].sequence;
    assert_eq!(next().await, gaps[0]);
    ledger.gaps_asked_about(Outlet::Feed, &[], &gaps[..1], at(30)).await.unwrap();
    assert_eq!(next().await, gaps[1]);
    assert!(ledger.gaps_to_ask_about(Outlet::Push, 9).await.unwrap().is_empty());
}

pub async fn a_journey_says_which_outlet_has_not_received_it(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    with_gaps(&*ledger, &["a"], 1).await;
    let steps = ledger.journey(&id("a")).await.unwrap();
    let lines: Vec<_> = steps.iter().map(|step| (step.outlet, step.step.as_str(), step.at)).collect();
    assert_eq!(lines, [(Outlet::Intake, "archived", at(1)), (Outlet::Feed, "not_received", at(20))]);
}

pub async fn an_installation_keeps_its_id(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let id = open().await.installation().await.unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(open().await.installation().await.unwrap(), id);
}

fn heard(installation: &str, sent: i64, heard: i64) -> HeardHeartbeat {
    HeardHeartbeat {
        queue: "loa.feed".into(),
        binding: "article.#".into(),
        installation: installation.into(),
        host: format!("host-{sent}"),
        sent_at: at(sent),
        first_at: at(heard),
        heard_at: at(heard),
    }
}

pub async fn the_newest_heartbeat_of_each_binding_and_installation_is_kept(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let ledger = open().await;
    ledger.heartbeats_heard(&[heard("one", 1, 2), heard("two", 1, 3)]).await.unwrap();
    ledger.heartbeats_heard(&[heard("one", 4, 5), heard("one", 3, 6)]).await.unwrap();
    let kept = ledger.heartbeats().await.unwrap();
    assert_eq!(kept, [HeardHeartbeat { first_at: at(2), ..heard("one", 4, 5) }, heard("two", 1, 3)]);
    ledger.forget_heartbeats(at(4)).await.unwrap();
    assert_eq!(ledger.heartbeats().await.unwrap().len(), 1);
    // a clock that was far ahead for a moment hides nothing for ever
    ledger.heartbeats_heard(&[heard("one", 9_000, 9_000)]).await.unwrap();
    ledger.heartbeats_heard(&[heard("one", 7, 8)]).await.unwrap();
    assert_eq!(ledger.heartbeats().await.unwrap()[0].sent_at, at(7));
}

pub async fn invented_installations_are_kept_in_bounds(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let many: Vec<HeardHeartbeat> = (0..40).map(|n| heard(&format!("i{n}"), 1, 2)).collect();
    ledger.heartbeats_heard(&many).await.unwrap();
    assert_eq!(ledger.heartbeats().await.unwrap().len() as u32, STRANGERS_MAX);
    ledger.heartbeats_heard(&[heard("i0", 5, 6)]).await.unwrap();
    assert_eq!(ledger.heartbeats().await.unwrap()[0].sent_at, at(5), "a known one goes on");
}
