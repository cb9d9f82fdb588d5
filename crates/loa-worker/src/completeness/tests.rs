//! The rules of completeness, case by case.

use super::*;
use loa_domain::{ArticleKey, EventKey};

const EVERY: Duration = Duration::from_secs(30);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn beat(queue: Queue, binding: &str, installation: &str, sent: i64) -> HeardHeartbeat {
    HeardHeartbeat {
        queue: queue.name().into(),
        binding: binding.into(),
        installation: installation.into(),
        host: "vps".into(),
        sent_at: at(sent),
        first_at: at(0),
        heard_at: at(sent),
    }
}

/// All bindings of all queues heard at `sent`, but what `last` says otherwise.
fn all(sent: i64, last: impl Fn(Queue, &str) -> Option<i64>) -> Vec<HeardHeartbeat> {
    let bindings =
        Queue::ALL.into_iter().flat_map(|queue| queue.bindings().iter().map(move |binding| (queue, *binding)));
    bindings.map(|(queue, binding)| beat(queue, binding, "own", last(queue, binding).unwrap_or(sent))).collect()
}

fn names(heard: &[HeardHeartbeat], now: i64, empty: &[Queue]) -> Vec<String> {
    judge_heartbeats(heard, "own", at(now), Some(EVERY), empty).iter().map(|fault| fault.name().to_string()).collect()
}

#[test]
fn heartbeats_that_come_through_everywhere_are_no_fault() {
    assert!(names(&all(60, |_, _| None), 89, &Queue::ALL).is_empty());
    assert!(names(&all(60, |_, _| None), 600, &Queue::ALL).is_empty(), "nobody publishes: that is no binding's fault");
}

#[test]
fn a_lost_binding_is_named_within_a_minute() {
    let lost = |queue, binding: &str| (queue == Queue::Feed && binding == "article.#").then_some(0);
    assert!(names(&all(30, lost), 31, &[]).is_empty(), "this round may be on its way");
    assert_eq!(names(&all(30, lost), 55, &[]), ["binding article.# of loa.feed"]);
}

#[test]
fn a_queue_without_any_heartbeat_is_named_when_it_is_empty_and_late_when_it_is_not() {
    let lost = |queue, _: &str| (queue == Queue::Push).then_some(0);
    assert_eq!(names(&all(60, lost), 61, &[Queue::Push]), ["heartbeats of loa.push"]);
    assert!(names(&all(60, lost), 61, &[Queue::Feed]).is_empty());
    let never: Vec<_> = all(60, |_, _| None).into_iter().filter(|one| one.queue != "loa.push").collect();
    assert_eq!(names(&never, 61, &Queue::ALL), ["heartbeats of loa.push"]);
}

#[test]
fn another_installation_is_named_and_its_share_accuses_no_binding() {
    let mut heard = all(60, |_, binding| (binding == "document.#").then_some(0));
    heard.push(beat(Queue::Feed, "article.#", "other", 58));
    assert_eq!(names(&heard, 61, &Queue::ALL), ["installation other"]);
    assert_eq!(names(&heard, 61 + 300, &Queue::ALL).len(), 4, "it left, and the bindings are judged again");
}

fn gaps() -> Gaps {
    let event = EventKey { source: "https://portal.example/".into(), id: "e1".into() };
    Gaps { count: 2, since: at(5), article: "bi-xanh".parse::<ArticleKey>().unwrap(), event }
}

fn state() -> Completeness {
    let (unaudited_since, not_received, late) = (None, None, None);
    Completeness { outlet: Outlet::Feed, asked_at: Some(at(100)), unaudited_since, not_received, late }
}

#[test]
fn an_audit_that_stands_still_is_unknown_and_never_an_all_clear() {
    let judged = |state: Completeness, now| judge(&state, at(now), Duration::from_secs(20));
    assert_eq!(judged(state(), 5_000), Verdict::Complete, "nothing waits");
    let waits = Completeness { unaudited_since: Some(at(90)), ..state() };
    assert_eq!(judged(waits.clone(), 150), Verdict::Complete);
    assert_eq!(judged(waits.clone(), 200), Verdict::Unknown { since: Some(at(90)) });
    assert_eq!(judged(Completeness { asked_at: None, ..waits.clone() }, 200), Verdict::Unknown { since: Some(at(90)) });
    let works = Completeness { asked_at: Some(at(199)), ..waits };
    assert_eq!(judged(works, 200), Verdict::Behind { since: at(90) }, "an audit that is far behind gives no all-clear");
}

#[test]
fn what_was_not_received_is_said_before_what_is_late_with_the_line_that_brings_it() {
    let both = Completeness { not_received: Some(gaps()), late: Some(gaps()), ..state() };
    let verdict = judge(&both, at(101), Duration::from_secs(20));
    let fault = fault(Outlet::Feed, &verdict, Some(3)).unwrap();
    let said = loa_words::Language::English.words().fault(&fault, at(101));
    for part in
        ["2 events", "bi-xanh", "e1", "3 dead letters", "`loa replay --outlet feed --since 2023-11-14T22:13:25Z`"]
    {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    assert_eq!(super::fault(Outlet::Feed, &Verdict::Complete, None), None);
}

#[test]
fn heartbeats_from_the_future_are_told_and_never_taken_for_fresh() {
    let ahead = |queue, _: &str| (queue == Queue::Digest).then_some(4_000);
    assert_eq!(names(&all(60, ahead), 61, &[]), ["heartbeats of loa.digest"]);
    let fault = judge_heartbeats(&all(60, ahead), "own", at(61), Some(EVERY), &[]).remove(0);
    assert_eq!(fault, Fault::HeartbeatsAhead { outlet: Outlet::Digest, seconds: 3_939 });
    assert!(names(&all(60, |_, _| Some(63)), 61, &[]).is_empty(), "clocks differ by some seconds");
}
