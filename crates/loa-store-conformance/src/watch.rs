//! Rules of the watch's ledger.

use crate::build::{at, id, lease};
use loa_domain::{Selectors, WatchFailure, WatchKind, WatchWarning, WatchedState};
use loa_store::{StoreErrorKind, WatchLedger, WatchSource, WatchState, WatchedItem};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! watch_rules {
    ($test:ident) => {
        $test!(a_source_is_due_at_once_and_reads_back_as_it_was_added);
        $test!(a_name_is_one_sources_only);
        $test!(a_host_is_one_holders_only_until_its_lease_ends);
        $test!(a_source_can_be_claimed_by_name_before_it_is_due);
        $test!(who_does_not_hold_a_source_any_more_records_nothing);
        $test!(articles_read_back_by_address_by_title_and_by_when_they_are_due);
        $test!(a_look_ends_with_its_state_and_the_whole_host_rests);
        $test!(a_removed_source_is_gone_with_what_it_named);
        $test!(the_watch_survives_a_crash);
        $test!(the_watch_ledger_answers_a_ping);
    };
}

fn source(name: &str, host: &str) -> WatchSource {
    WatchSource {
        name: name.into(),
        portal: String::new(),
        address: format!("https://{host}/{name}"),
        host: host.into(),
        kind: WatchKind::Listing,
        selectors: Selectors { links: Some("h3 a".into()), ..Selectors::default() },
        since: Some(at(-60)),
        every_seconds: 900,
        created_at: at(0),
    }
}

fn item(address: &str, state: WatchedState, due: Option<i64>) -> WatchedItem {
    WatchedItem {
        address: address.into(),
        title_key: "họp dân".into(),
        title: "Họp dân".into(),
        listed_at: Some(at(1)),
        changed_at: None,
        state,
        article: Some(id("hop-dan-1")),
        digest: Some("ab".into()),
        is_text_of_list: true,
        page_digest: Some("cd".into()),
        etag: Some("\"x\"".into()),
        last_modified: None,
        first_seen_at: at(2),
        looked_at: Some(at(3)),
        due_at: due.map(at),
        looks: 2,
        failures: 3,
        missing: 1,
        missing_since: Some(at(3)),
        error: Some(WatchFailure::Status { address: "https://a.vn/".into(), status: 500 }),
    }
}

async fn claimed(ledger: &Arc<dyn WatchLedger>, holder: &str, now: i64) -> Vec<String> {
    let claimed = ledger.claim_watches(&lease(holder, now), None, 10).await.unwrap();
    claimed.into_iter().map(|(source, _)| source.name).collect()
}

pub async fn a_source_is_due_at_once_and_reads_back_as_it_was_added(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let ledger = open().await;
    ledger.add_watch(&source("a", "xa.example")).await.unwrap();
    let views = ledger.watches(true).await.unwrap();
    assert_eq!((views[0].source.clone(), views[0].due_at), (source("a", "xa.example"), at(0)));
    assert_eq!((views[0].state.clone(), views[0].counts.len()), (WatchState::default(), 0));
    let claimed = ledger.claim_watches(&lease("h", 0), None, 10).await.unwrap();
    assert_eq!(claimed, [(source("a", "xa.example"), WatchState::default())]);
}

pub async fn a_name_is_one_sources_only(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let ledger = open().await;
    ledger.add_watch(&source("a", "xa.example")).await.unwrap();
    assert_eq!(ledger.add_watch(&source("a", "xb.example")).await.unwrap_err().kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.watches(true).await.unwrap()[0].source.host, "xa.example");
}

pub async fn a_host_is_one_holders_only_until_its_lease_ends(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let (one, other) = (open().await, open().await);
    for (name, host) in [("a", "xa.example"), ("b", "xa.example"), ("c", "xc.example")] {
        one.add_watch(&source(name, host)).await.unwrap();
    }
    assert_eq!(claimed(&one, "h1", 0).await, ["a", "c"], "one of each host");
    assert_eq!(claimed(&other, "h2", 5).await, Vec::<String>::new());
    assert_eq!(claimed(&other, "h2", 10).await, ["a", "c"], "the leases have ended");
    let state = WatchState::default();
    other.end_watch("h2", "a", &state, at(60), None).await.unwrap();
    assert_eq!(claimed(&one, "h3", 11).await, ["b"]);
}

pub async fn a_source_can_be_claimed_by_name_before_it_is_due(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let ledger = open().await;
    for name in ["a", "b"] {
        ledger.add_watch(&source(name, "xa.example")).await.unwrap();
    }
    let only = async |holder, now| {
        let claimed = ledger.claim_watches(&lease(holder, now), Some("b"), 1).await.unwrap();
        claimed.into_iter().map(|(source, _)| source.name).collect::<Vec<_>>()
    };
    assert_eq!(only("h1", -30).await, ["b"]);
    assert_eq!(only("h2", -29).await, Vec::<String>::new(), "it is held");
}

pub async fn who_does_not_hold_a_source_any_more_records_nothing(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let ledger = open().await;
    ledger.add_watch(&source("a", "xa.example")).await.unwrap();
    claimed(&ledger, "late", 0).await;
    claimed(&ledger, "now", 20).await;
    let items = [item("https://xa.example/1", WatchedState::Waiting, Some(0))];
    assert_eq!(ledger.record_watched("late", "a", &items, None).await.unwrap_err().kind, StoreErrorKind::Stale);
    let state = WatchState::default();
    assert_eq!(ledger.end_watch("late", "a", &state, at(60), None).await.unwrap_err().kind, StoreErrorKind::Stale);
    assert_eq!(ledger.watched("a", &["https://xa.example/1".into()]).await.unwrap(), [None]);
    ledger.record_watched("now", "a", &items, None).await.unwrap();
    assert_eq!(ledger.record_watched("now", "b", &items, None).await.unwrap_err().kind, StoreErrorKind::Stale);
}

pub async fn articles_read_back_by_address_by_title_and_by_when_they_are_due(
    open: impl AsyncFn() -> Arc<dyn WatchLedger>,
) {
    let ledger = open().await;
    ledger.add_watch(&source("a", "xa.example")).await.unwrap();
    claimed(&ledger, "h", 0).await;
    let address = |n: u32| format!("https://xa.example/{n}");
    let mut items = vec![
        item(&address(1), WatchedState::Published, Some(5)),
        item(&address(2), WatchedState::Waiting, Some(4)),
        item(&address(3), WatchedState::Known, None),
    ];
    ledger.record_watched("h", "a", &items, None).await.unwrap();
    let asked = [address(3), address(9), address(1)];
    assert_eq!(ledger.watched("a", &asked).await.unwrap(), [Some(items[2].clone()), None, Some(items[0].clone())]);
    let due = async |now, limit| {
        let due = ledger.watched_due("a", at(now), limit).await.unwrap();
        due.into_iter().map(|item| item.address).collect::<Vec<_>>()
    };
    assert_eq!(due(4, 9).await, [address(2)]);
    assert_eq!(due(9, 9).await, [address(2), address(1)]);
    assert_eq!(due(9, 1).await, [address(2)]);
    assert_eq!(ledger.watched_by_title("a", "họp dân", 2).await.unwrap().len(), 2);
    assert_eq!(ledger.watched_by_title("a", "khác", 2).await.unwrap(), []);
    items[1] = WatchedItem { title_key: "khác".into(), ..item(&address(2), WatchedState::Withdrawn, None) };
    ledger.record_watched("h", "a", &items[1..2], None).await.unwrap();
    assert_eq!(due(9, 9).await, [address(1)]);
    assert_eq!(ledger.watched_by_title("a", "khác", 2).await.unwrap(), [items[1].clone()]);
    let mut counts = ledger.watches(true).await.unwrap()[0].counts.clone();
    counts.sort_by_key(|(state, _)| state.as_str());
    assert_eq!(ledger.watches(false).await.unwrap()[0].counts, []);
    assert_eq!(counts, [(WatchedState::Known, 1), (WatchedState::Published, 1), (WatchedState::Withdrawn, 1)]);
}

pub async fn a_look_ends_with_its_state_and_the_whole_host_rests(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let ledger = open().await;
    for (name, host) in [("a", "xa.example"), ("b", "xa.example"), ("c", "xc.example")] {
        ledger.add_watch(&source(name, host)).await.unwrap();
    }
    claimed(&ledger, "h", 0).await;
    let state = WatchState {
        etag: Some("\"y\"".into()),
        is_known: true,
        failures: 2,
        error: Some(WatchFailure::NotedBefore { said: "429".into() }),
        warnings: vec![WatchWarning::Empty { since: at(1) }],
        ..WatchState::default()
    };
    ledger.end_watch("h", "a", &state, at(2), Some(at(30))).await.unwrap();
    ledger.end_watch("h", "c", &WatchState::default(), at(2), None).await.unwrap();
    let due: Vec<_> = ledger.watches(true).await.unwrap().into_iter().map(|view| view.due_at).collect();
    assert_eq!(due, [at(30), at(30), at(2)]);
    assert_eq!(ledger.watches(true).await.unwrap()[0].state, state);
    assert_eq!(claimed(&ledger, "h", 29).await, ["c"]);
    assert_eq!(claimed(&ledger, "h2", 40).await, ["c", "a"], "the longest due first");
}

pub async fn a_removed_source_is_gone_with_what_it_named(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let ledger = open().await;
    ledger.add_watch(&source("a", "xa.example")).await.unwrap();
    claimed(&ledger, "h", 0).await;
    let items = [item("https://xa.example/1", WatchedState::Waiting, Some(0))];
    ledger.record_watched("h", "a", &items, None).await.unwrap();
    ledger.remove_watch("a").await.unwrap();
    assert_eq!(ledger.remove_watch("a").await.unwrap_err().kind, StoreErrorKind::NotFound);
    assert_eq!(ledger.record_watched("h", "a", &items, None).await.unwrap_err().kind, StoreErrorKind::Stale);
    ledger.add_watch(&source("a", "xa.example")).await.unwrap();
    assert_eq!(ledger.watched("a", &["https://xa.example/1".into()]).await.unwrap(), [None]);
}

pub async fn the_watch_survives_a_crash(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    let ledger = open().await;
    ledger.add_watch(&source("a", "xa.example")).await.unwrap();
    claimed(&ledger, "h", 0).await;
    let one = item("https://xa.example/1", WatchedState::Waiting, Some(0));
    let state = WatchState { first_looked_at: Some(at(1)), is_known: true, ..WatchState::default() };
    ledger.record_watched("h", "a", std::slice::from_ref(&one), Some(&state)).await.unwrap();
    drop(ledger);
    let again = open().await;
    assert_eq!(again.watched("a", std::slice::from_ref(&one.address)).await.unwrap(), [Some(one)]);
    assert_eq!(again.watches(false).await.unwrap()[0].state, state, "what follows from articles is recorded with them");
    assert_eq!(claimed(&again, "h2", 10).await, ["a"]);
}

pub async fn the_watch_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn WatchLedger>) {
    open().await.ping().await.unwrap();
}
