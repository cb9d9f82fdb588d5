//! Rules of the feed ledger.
//!
//! Long, for it is one list: each rule stands by itself and is read alone, and the list of the suite is held against the file
//! (`rules_written`).

use crate::{
    build::{Draft, SOURCE, area, at, id, slug},
    receptions,
};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{Event, FeedName, Outlet};
use loa_store::{Accepted, FeedArrival, FeedLedger, StoreErrorKind};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! feed_rules {
    ($test:ident) => {
        $test!(what_was_not_accepted_is_not_seen);
        $test!(a_published_article_stands_in_its_feeds);
        $test!(accepting_an_event_twice_changes_nothing);
        $test!(entries_come_newest_first_and_page_by_page);
        $test!(the_history_of_a_feed_is_read_piece_by_piece_from_its_oldest_entry);
        $test!(what_lies_around_a_span_of_time_is_found_however_far_away);
        $test!(history_follows_edits_and_withdrawals_and_knows_no_other_feed);
        $test!(an_update_replaces_what_stood_and_moves_between_feeds);
        $test!(an_older_version_is_seen_and_changes_nothing);
        $test!(at_one_revision_a_withdrawal_stands);
        $test!(a_withdrawn_article_leaves_every_feed_and_a_tombstone_in_each);
        $test!(what_was_withdrawn_before_it_arrived_has_its_tombstone_in_all);
        $test!(a_publication_after_its_withdrawal_only_says_where_the_tombstones_stand);
        $test!(tombstones_stand_in_every_feed_the_subject_ever_belonged_to);
        $test!(a_republished_article_has_no_tombstone);
        $test!(tombstones_come_newest_first);
        $test!(a_combination_is_what_stands_in_one_of_its_areas_and_in_one_of_its_sections);
        $test!(a_combination_is_read_page_by_page_and_each_entry_once);
        $test!(nothing_is_kept_of_what_is_told_of_a_combination);
        $test!(each_feed_touched_is_changed_those_left_as_well);
        $test!(when_feeds_changed_never_goes_back);
        $test!(changes_are_read_page_by_page);
        $test!(summaries_count_what_stands_and_know_every_feed_that_ever_had_an_entry);
        $test!(a_category_keeps_its_name_when_its_last_article_is_withdrawn);
        $test!(an_article_stands_is_withdrawn_or_is_unknown);
        $test!(the_same_fingerprint_brings_back_what_was_told);
        $test!(what_is_older_than_what_readers_were_told_does_not_take_its_place);
        $test!(last_modified_is_whole_seconds_and_always_steps_forward);
        $test!(a_journey_says_what_was_accepted);
        $test!(feeds_survive_a_crash);
        $test!(two_stores_see_each_others_changes_in_order);
        $test!(an_entry_of_vietnamese_text_comes_back_as_it_was);
        $test!(an_empty_batch_is_no_work);
        $test!(the_ledger_answers_a_ping);
        $test!(an_id_used_again_for_other_content_is_taken_by_its_version);
        $test!(one_id_of_two_portals_is_two_entries);
        $test!(a_combination_with_portals_is_what_stands_on_every_side);
    };
}

fn arrival(event: Event) -> FeedArrival {
    let mut feeds = Vec::new();
    if let Some(content) = event.content() {
        feeds.push(FeedName::All);
        match content.category() {
            Some(category) => feeds.push(FeedName::Category(category.slug.clone())),
            None => feeds.push(FeedName::Documents),
        }
        feeds.extend(event.reach.iter().cloned().map(FeedName::Area));
        feeds.extend(event.portal.clone().map(FeedName::Portal));
    }
    FeedArrival { event, feeds }
}

async fn accept(ledger: &dyn FeedLedger, events: Vec<Event>, minute: i64) -> Accepted {
    let batch: Vec<FeedArrival> = events.into_iter().map(arrival).collect();
    ledger.accept(&batch, at(minute)).await.unwrap()
}

async fn entries(ledger: &dyn FeedLedger, feed: &FeedName) -> Vec<String> {
    let found = ledger.entries(feed, None, 100).await.unwrap();
    found.into_iter().map(|entry| format!("{}@{}", entry.article, entry.content.revision())).collect()
}

async fn tombstones(ledger: &dyn FeedLedger, feed: &FeedName) -> Vec<String> {
    let found = ledger.tombstones(feed, 100).await.unwrap();
    found.into_iter().map(|tombstone| format!("{}@{}", tombstone.article, tombstone.revision)).collect()
}

fn na_son() -> FeedName {
    FeedName::Area(area("na-son"))
}

fn phi_nhu() -> FeedName {
    FeedName::Area(area("phi-nhu"))
}

fn kinh_te() -> FeedName {
    FeedName::Category(slug("kinh-te"))
}

pub async fn a_published_article_stands_in_its_feeds(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let event = Draft::of("a").areas(&["na-son"]).live();
    let accepted = accept(&*ledger, vec![event.clone()], 1).await;
    assert_eq!(accepted, Accepted { fresh: 1, duplicates: 0, stale: 0, reused: 0 });
    for feed in [FeedName::All, kinh_te(), na_son()] {
        let found = ledger.entries(&feed, None, 10).await.unwrap();
        assert_eq!(found.len(), 1, "{feed}");
        assert_eq!(Some(&found[0].content), event.content());
        assert_eq!(found[0].source, SOURCE);
    }
    for feed in [FeedName::Documents, phi_nhu()] {
        assert!(entries(&*ledger, &feed).await.is_empty(), "{feed}");
    }
    accept(&*ledger, vec![Draft::of("d").document()], 2).await;
    assert_eq!(entries(&*ledger, &FeedName::Documents).await, ["d@1"]);
}

pub async fn accepting_an_event_twice_changes_nothing(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let event = Draft::of("a").live();
    let twice = accept(&*ledger, vec![event.clone(), event.clone()], 1).await;
    assert_eq!(twice, Accepted { fresh: 1, duplicates: 1, stale: 0, reused: 0 });
    let before = ledger.changed(0, 10).await.unwrap();
    assert_eq!(
        accept(&*ledger, vec![event.clone()], 2).await,
        Accepted { fresh: 0, duplicates: 1, stale: 0, reused: 0 }
    );
    assert_eq!(ledger.changed(0, 10).await.unwrap(), before);
    accept(&*ledger, vec![Draft::of("a").revision(2).withdrawn("")], 3).await;
    assert_eq!(accept(&*ledger, vec![event], 4).await.duplicates, 1, "seen for ever, withdrawn or not");
    assert!(entries(&*ledger, &FeedName::All).await.is_empty());
}

pub async fn entries_come_newest_first_and_page_by_page(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let events = vec![
        Draft::of("b").published(10).live(),
        Draft::of("a").published(10).live(),
        Draft::of("c").published(30).live(),
        Draft::of("d").published(-500_000_000).live(),
    ];
    accept(&*ledger, events, 40).await;
    assert_eq!(entries(&*ledger, &FeedName::All).await, ["c@1", "b@1", "a@1", "d@1"]);
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = ledger.entries(&FeedName::All, before, 1).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.content.published_at(), last.article.clone()));
        seen.push(last.article.to_string());
    }
    assert_eq!(seen, ["c", "b", "a", "d"]);
}

pub async fn the_history_of_a_feed_is_read_piece_by_piece_from_its_oldest_entry(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let ledger = open().await;
    let mut events: Vec<Event> = (0..7).map(|n| Draft::of(&format!("a{n}")).published(10 * n).live()).collect();
    events.extend(["y", "x", "z"].map(|article| Draft::of(article).published(30).live()));
    events.reverse();
    accept(&*ledger, events, 100).await;
    let all = FeedName::All;
    assert_eq!(ledger.counted(&all, at(10), at(60)).await.unwrap(), 8, "from the first up to but without the last");
    assert_eq!(ledger.counted(&all, at(61), at(99)).await.unwrap(), 0);
    assert_eq!(ledger.counted(&all, Timestamp::MIN, Timestamp::MAX).await.unwrap(), 10);
    let mut seen = Vec::new();
    loop {
        let page = ledger.between(&all, at(10), at(60), seen.len() as u64, 3).await.unwrap();
        let full = page.len() == 3;
        seen.extend(page.into_iter().map(|entry| entry.article.to_string()));
        if !full {
            break;
        }
    }
    assert_eq!(seen, ["a1", "a2", "a3", "x", "y", "z", "a4", "a5"], "by their instant, then by their id");
    assert!(ledger.between(&all, at(10), at(60), 8, 3).await.unwrap().is_empty());
}

pub async fn what_lies_around_a_span_of_time_is_found_however_far_away(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let all = FeedName::All;
    assert_eq!(ledger.around(&all, at(0), at(9)).await.unwrap(), (None, None), "of an empty feed");
    let years = 60 * 24 * 365 * 20;
    let events = [-years, 5, 20, years].map(|minute| Draft::of(&format!("a{minute}")).published(minute).live());
    accept(&*ledger, events.into(), 30).await;
    for (from, until, expected) in [
        (5, 20, (Some(at(-years)), Some(at(20)))),
        (6, 21, (Some(at(5)), Some(at(years)))),
        (21, 22, (Some(at(20)), Some(at(years)))),
        (-years, years, (None, Some(at(years)))),
    ] {
        assert_eq!(ledger.around(&all, at(from), at(until)).await.unwrap(), expected, "{from} to {until}");
    }
    assert_eq!(ledger.around(&all, Timestamp::MIN, Timestamp::MAX).await.unwrap(), (None, None));
}

pub async fn history_follows_edits_and_withdrawals_and_knows_no_other_feed(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let ledger = open().await;
    let events = ["a", "b", "c"].map(|article| Draft::of(article).published(5).areas(&["na-son"]).live());
    accept(&*ledger, events.into(), 6).await;
    accept(&*ledger, vec![Draft::of("b").revision(2).published(5).areas(&["phi-nhu"]).live()], 7).await;
    accept(&*ledger, vec![Draft::of("c").revision(2).published(5).withdrawn("")], 8).await;
    let ids = async |feed: FeedName| {
        let found = ledger.between(&feed, at(0), at(9), 0, 10).await.unwrap();
        assert_eq!(ledger.counted(&feed, at(0), at(9)).await.unwrap(), found.len() as u64);
        found.iter().map(|entry| format!("{}@{}", entry.article, entry.content.revision())).collect::<Vec<_>>()
    };
    assert_eq!(ids(FeedName::All).await, ["a@1", "b@2"]);
    assert_eq!(ids(na_son()).await, ["a@1"]);
    assert_eq!(ids(phi_nhu()).await, ["b@2"]);
    assert_eq!(ledger.around(&na_son(), at(9), at(9)).await.unwrap(), (Some(at(5)), None), "tombstones are none");
}

pub async fn an_update_replaces_what_stood_and_moves_between_feeds(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").areas(&["na-son"]).live()], 1).await;
    accept(&*ledger, vec![Draft::of("a").revision(2).title("Mới").published(5).areas(&["phi-nhu"]).live()], 2).await;
    assert!(entries(&*ledger, &na_son()).await.is_empty());
    assert!(tombstones(&*ledger, &na_son()).await.is_empty(), "it left, it is not gone");
    for feed in [FeedName::All, phi_nhu()] {
        let found = ledger.entries(&feed, None, 10).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].content.title(), "Mới");
    }
}

pub async fn an_older_version_is_seen_and_changes_nothing(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").revision(3).live()], 1).await;
    let before = ledger.changed(0, 10).await.unwrap();
    let late = vec![Draft::of("a").revision(2).live(), Draft::of("a").revision(1).withdrawn("")];
    assert_eq!(accept(&*ledger, late, 2).await, Accepted { fresh: 2, duplicates: 0, stale: 2, reused: 0 });
    assert_eq!(entries(&*ledger, &FeedName::All).await, ["a@3"]);
    assert_eq!(ledger.changed(0, 10).await.unwrap(), before);
}

pub async fn at_one_revision_a_withdrawal_stands(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").withdrawn(""), Draft::of("a").live()], 1).await;
    accept(&*ledger, vec![Draft::of("b").live(), Draft::of("b").withdrawn("")], 1).await;
    assert!(entries(&*ledger, &FeedName::All).await.is_empty());
    assert_eq!(tombstones(&*ledger, &FeedName::All).await.len(), 2);
}

pub async fn a_withdrawn_article_leaves_every_feed_and_a_tombstone_in_each(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").areas(&["na-son"]).live(), Draft::of("b").live()], 1).await;
    accept(&*ledger, vec![Draft::of("a").revision(2).published(7).withdrawn("nhầm số liệu")], 8).await;
    for feed in [FeedName::All, kinh_te(), na_son()] {
        assert!(!entries(&*ledger, &feed).await.contains(&"a@1".to_owned()), "{feed}");
        let found = ledger.tombstones(&feed, 10).await.unwrap();
        assert_eq!(found.len(), 1, "{feed}");
        assert_eq!((found[0].revision, found[0].at), (2, at(7)), "when the portal withdrew it");
        assert_eq!((found[0].reason.as_str(), found[0].source.as_str()), ("nhầm số liệu", SOURCE));
    }
    assert_eq!(entries(&*ledger, &FeedName::All).await, ["b@1"]);
    assert!(tombstones(&*ledger, &phi_nhu()).await.is_empty());
}

pub async fn what_was_withdrawn_before_it_arrived_has_its_tombstone_in_all(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").revision(2).withdrawn("")], 1).await;
    assert_eq!(tombstones(&*ledger, &FeedName::All).await, ["a@2"]);
    assert_eq!(ledger.changed(0, 10).await.unwrap().0, [FeedName::All]);
    assert!(ledger.summaries(Timestamp::MAX).await.unwrap().is_empty(), "no feed had an entry");
}

pub async fn a_publication_after_its_withdrawal_only_says_where_the_tombstones_stand(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").revision(2).withdrawn("")], 1).await;
    let (_, upto) = ledger.changed(0, 10).await.unwrap();
    let late = accept(&*ledger, vec![Draft::of("a").areas(&["na-son"]).live()], 2).await;
    assert_eq!(late, Accepted { fresh: 1, duplicates: 0, stale: 1, reused: 0 });
    assert!(entries(&*ledger, &FeedName::All).await.is_empty());
    for feed in [FeedName::All, kinh_te(), na_son()] {
        assert_eq!(tombstones(&*ledger, &feed).await, ["a@2"], "{feed}");
    }
    let mut changed = ledger.changed(upto, 10).await.unwrap().0;
    changed.sort();
    assert_eq!(changed, [kinh_te(), na_son()], "`all` reads as before");
}

pub async fn tombstones_stand_in_every_feed_the_subject_ever_belonged_to(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").areas(&["na-son"]).live()], 1).await;
    accept(&*ledger, vec![Draft::of("a").revision(2).areas(&["phi-nhu"]).live()], 2).await;
    accept(&*ledger, vec![Draft::of("a").revision(3).withdrawn("")], 3).await;
    for feed in [na_son(), phi_nhu()] {
        assert_eq!(tombstones(&*ledger, &feed).await, ["a@3"], "a reader of {feed} may hold it still");
    }
}

pub async fn a_republished_article_has_no_tombstone(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").areas(&["na-son"]).live()], 1).await;
    accept(&*ledger, vec![Draft::of("a").revision(2).withdrawn("")], 2).await;
    accept(&*ledger, vec![Draft::of("a").revision(3).live()], 3).await;
    assert_eq!(entries(&*ledger, &FeedName::All).await, ["a@3"]);
    for feed in [FeedName::All, kinh_te(), na_son()] {
        assert!(tombstones(&*ledger, &feed).await.is_empty(), "{feed}");
    }
}

pub async fn tombstones_come_newest_first(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    for (article, minute) in [("a", 3), ("b", 9), ("c", 6)] {
        accept(&*ledger, vec![Draft::of(article).published(minute).withdrawn("")], 10).await;
    }
    assert_eq!(tombstones(&*ledger, &FeedName::All).await, ["b@1", "c@1", "a@1"]);
    assert_eq!(ledger.tombstones(&FeedName::All, 2).await.unwrap().len(), 2);
}

fn combined(text: &str) -> FeedName {
    FeedName::read(text).unwrap()
}

pub async fn a_combination_is_what_stands_in_one_of_its_areas_and_in_one_of_its_sections(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let ledger = open().await;
    let events = vec![
        Draft::of("a").published(1).areas(&["na-son"]).live(),
        Draft::of("b").published(2).areas(&["na-son", "phi-nhu"]).category("y-te", "Y tế").live(),
        Draft::of("c").published(3).areas(&["phi-nhu"]).live(),
        Draft::of("d").published(4).areas(&["tia-dinh"]).live(),
        Draft::of("e").published(5).areas(&["na-son"]).document(),
        Draft::of("f").published(6).live(),
    ];
    accept(&*ledger, events, 10).await;
    for (name, expected) in [
        ("area-na-son+area-phi-nhu", vec!["e@1", "c@1", "b@1", "a@1"]),
        ("area-na-son+area-phi-nhu+category-kinh-te", vec!["c@1", "a@1"]),
        ("area-na-son+category-kinh-te+documents", vec!["e@1", "a@1"]),
        ("category-kinh-te+category-y-te", vec!["f@1", "d@1", "c@1", "b@1", "a@1"]),
        ("area-na-son+documents", vec!["e@1"]),
        ("area-phi-nhu+documents", vec![]),
        ("area-nowhere+category-y-te", vec![]),
    ] {
        assert_eq!(entries(&*ledger, &combined(name)).await, expected, "{name}");
        let two = ledger.entries(&combined(name), None, 2).await.unwrap();
        assert_eq!(two.len(), expected.len().min(2), "{name}: no more than asked for");
    }
    for article in ["b", "c", "f"] {
        accept(&*ledger, vec![Draft::of(article).revision(2).published(20).withdrawn("")], 21).await;
    }
    assert_eq!(tombstones(&*ledger, &combined("area-na-son+area-phi-nhu")).await, ["c@2", "b@2"]);
    assert_eq!(tombstones(&*ledger, &combined("area-phi-nhu+category-y-te")).await, ["b@2"]);
    assert_eq!(ledger.tombstones(&combined("area-na-son+area-phi-nhu"), 1).await.unwrap().len(), 1);
    assert_eq!(entries(&*ledger, &combined("area-na-son+area-phi-nhu")).await, ["e@1", "a@1"]);
}

pub async fn a_combination_is_read_page_by_page_and_each_entry_once(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let draft =
        |n: i64| Draft::of(&format!("a{n}")).published(n / 2).areas(if n % 3 == 0 { &["x", "y"] } else { &["y"] });
    accept(&*ledger, (0..9).map(|n| draft(n).live()).collect(), 10).await;
    let (name, mut before, mut seen) = (combined("area-x+area-y+category-kinh-te"), None, Vec::new());
    loop {
        let page = ledger.entries(&name, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.content.published_at(), last.article.clone()));
        seen.extend(page.into_iter().map(|entry| entry.article.to_string()));
    }
    assert_eq!(seen, ["a8", "a7", "a6", "a5", "a4", "a3", "a2", "a1", "a0"]);
}

pub async fn nothing_is_kept_of_what_is_told_of_a_combination(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let told = ledger.rendered("area-x+area-y", "f", 0, at(1)).await;
    assert_eq!(told.unwrap_err().kind, StoreErrorKind::Rejected);
    accept(&*ledger, vec![Draft::of("a").areas(&["x"]).live()], 1).await;
    let upto = ledger.changed(0, 10).await.unwrap().1;
    assert_eq!(entries(&*ledger, &combined("area-x+area-y")).await, ["a@1"]);
    assert_eq!(ledger.changed(upto, 10).await.unwrap(), (vec![], upto), "looking changes nothing");
}

pub async fn each_feed_touched_is_changed_those_left_as_well(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    assert_eq!(ledger.changed(0, 10).await.unwrap(), (vec![], 0));
    accept(&*ledger, vec![Draft::of("a").areas(&["na-son"]).live()], 1).await;
    let (first, upto) = ledger.changed(0, 10).await.unwrap();
    assert_eq!(first.len(), 3);
    assert_eq!(ledger.changed(upto, 10).await.unwrap(), (vec![], upto));
    accept(&*ledger, vec![Draft::of("a").revision(2).category("y-te", "Y tế").areas(&["na-son"]).live()], 2).await;
    let (mut second, upto) = ledger.changed(upto, 10).await.unwrap();
    second.sort();
    assert_eq!(second, [FeedName::All, kinh_te(), FeedName::Category(slug("y-te")), na_son()]);
    accept(&*ledger, vec![Draft::of("b").document()], 3).await;
    let (mut third, _) = ledger.changed(upto, 10).await.unwrap();
    third.sort();
    assert_eq!(third, [FeedName::All, FeedName::Documents]);
}

pub async fn when_feeds_changed_never_goes_back(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let second = SignedDuration::from_secs(1);
    let draft = |revision| Draft::of("a").areas(&["na-son"]).revision(revision).live();
    let (mine, others) = ([na_son(), kinh_te()], [FeedName::Documents]);
    let begun = ledger.changed_at(&mine).await.unwrap();
    // far ahead of the moment at which the ledger was made, where that clock does not matter
    let later = "2099-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    assert!(begun < later);
    accept(&*ledger, vec![Draft::of("vb").document()], 1).await;
    let first = ledger.changed_at(&others).await.unwrap();
    assert!(first >= begun, "never before what a ledger before this one may have said");
    assert_eq!(ledger.changed_at(&mine).await.unwrap(), first, "of feeds that nobody knows: of all");

    let accept_at = async |revision, at: Timestamp| {
        ledger.accept(&[arrival(draft(revision))], at).await.unwrap();
        ledger.changed_at(&mine).await.unwrap()
    };
    let half = SignedDuration::from_millis(500);
    assert_eq!(accept_at(1, later + half).await, later + second, "not before it was accepted");
    assert_eq!(accept_at(2, later + half + half).await, later + second, "the same second");
    assert_eq!(accept_at(3, later + second + half).await, later + second + second);
    assert_eq!(
        accept_at(4, later).await,
        later + second + second + second,
        "a clock that was set back does not take it back"
    );
    ledger.accept(&[arrival(draft(4))], later + SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!(ledger.changed_at(&mine).await.unwrap(), later + second + second + second, "a repeat is no change");
    assert_eq!(ledger.changed_at(&others).await.unwrap(), first, "each feed has its own");
    assert_eq!(open().await.changed_at(&mine).await.unwrap(), later + second + second + second, "after a restart too");
}

pub async fn changes_are_read_page_by_page(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let events = (0..5).map(|n| Draft::of(&format!("a{n}")).areas(&[&format!("xa-{n}")]).live()).collect();
    accept(&*ledger, events, 1).await; // all, kinh-te, five areas
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let (page, upto) = ledger.changed(after, 2).await.unwrap();
        let full = page.len() == 2;
        seen.extend(page);
        after = upto;
        if !full {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);
    assert_eq!(ledger.changed(after, 2).await.unwrap(), (vec![], after));
}

pub async fn summaries_count_what_stands_and_know_every_feed_that_ever_had_an_entry(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let ledger = open().await;
    let events = vec![
        Draft::of("a").published(1).areas(&["na-son"]).live(),
        Draft::of("b").published(5).category("kinh-te", "Kinh tế – Xã hội").live(),
        Draft::of("c").published(9).document(),
    ];
    accept(&*ledger, events, 10).await;
    let summary = async |feed: FeedName| {
        let all = ledger.summaries(Timestamp::MAX).await.unwrap();
        assert!(all.windows(2).all(|pair| pair[0].feed.to_string() < pair[1].feed.to_string()), "by name");
        all.into_iter().find(|summary| summary.feed == feed).unwrap()
    };
    let all = summary(FeedName::All).await;
    assert_eq!((all.entries, all.newest_at, all.label.as_str()), (3, Some(at(9)), ""));
    let category = summary(kinh_te()).await;
    assert_eq!((category.entries, category.newest_at), (2, Some(at(5))));
    assert_eq!(category.label, "Kinh tế – Xã hội", "as its newest entry says");
    assert_eq!(ledger.summaries(Timestamp::MAX).await.unwrap().len(), 4);
    let early = ledger.summaries(at(5)).await.unwrap();
    let early = |feed: FeedName| early.iter().find(|summary| summary.feed == feed).unwrap();
    assert_eq!(
        (early(FeedName::All).entries, early(FeedName::All).newest_at),
        (1, Some(at(1))),
        "`until` is not in it"
    );
    assert_eq!((early(FeedName::Documents).entries, early(FeedName::Documents).newest_at), (0, None));
    assert_ne!(early(kinh_te()).label, "Kinh tế – Xã hội", "an entry that is not there yet names nothing");
    accept(&*ledger, vec![Draft::of("a").revision(2).withdrawn("")], 11).await;
    let area = summary(na_son()).await;
    assert_eq!((area.entries, area.newest_at), (0, None), "an empty feed stays a feed");
    assert_eq!(summary(FeedName::All).await.entries, 2);
}

pub async fn a_category_keeps_its_name_when_its_last_article_is_withdrawn(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let events = || {
        vec![
            Draft::of("a").category("y-te", "Y tế").published(1).live(),
            Draft::of("b").category("y-te", "Y tế, sức khỏe").published(2).live(),
            Draft::of("a").revision(2).published(3).withdrawn(""),
            Draft::of("b").revision(2).published(3).withdrawn(""),
        ]
    };
    let label = async |ledger: &dyn FeedLedger| {
        let found = ledger.summaries(Timestamp::MAX).await.unwrap();
        let found = found.into_iter().find(|summary| summary.feed == FeedName::Category(slug("y-te")));
        found.map(|summary| (summary.entries, summary.label))
    };
    let ledger = open().await;
    for (minute, event) in (1..).zip(events()) {
        accept(&*ledger, vec![event], minute).await;
    }
    assert_eq!(label(&*ledger).await, Some((0, "Y tế, sức khỏe".to_owned())));
    let backwards = open().await;
    for (minute, event) in (1..).zip(events().into_iter().rev()) {
        accept(&*backwards, vec![event], minute).await;
    }
    assert_eq!(label(&*backwards).await, Some((0, "Y tế, sức khỏe".to_owned())), "in the other order");
    accept(&*ledger, vec![Draft::of("c").category("y-te", "Sức khỏe").published(0).live()], 9).await;
    assert_eq!(label(&*ledger).await, Some((1, "Sức khỏe".to_owned())), "what stands has the word");
}

pub async fn an_article_stands_is_withdrawn_or_is_unknown(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").live(), Draft::of("b").withdrawn("lý do")], 1).await;
    assert_eq!(ledger.standing(&id("a")).await.unwrap().unwrap().unwrap().article, id("a"));
    assert_eq!(ledger.standing(&id("b")).await.unwrap().unwrap().unwrap_err().reason, "lý do");
    assert_eq!(ledger.standing(&id("c")).await.unwrap(), None);
}

pub async fn the_same_fingerprint_brings_back_what_was_told(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let first = ledger.rendered("all", "f1", 0, at(5)).await.unwrap();
    assert_eq!((first.fingerprint.as_str(), first.last_modified), ("f1", at(5)));
    assert_eq!(ledger.rendered("all", "f1", 0, at(9)).await.unwrap(), first);
    let other = ledger.rendered("area-na-son", "f1", 0, at(9)).await.unwrap();
    assert_eq!(other.last_modified, at(9), "each feed has its own");
    let document = ledger.rendered("all/2026-02.atom", "f2", 0, at(7)).await.unwrap();
    assert_eq!(document.last_modified, at(7), "and every other document");
    drop(ledger);
    assert_eq!(open().await.rendered("all", "f1", 0, at(99)).await.unwrap(), first, "after a restart too");
}

pub async fn what_is_older_than_what_readers_were_told_does_not_take_its_place(
    open: impl AsyncFn() -> Arc<dyn FeedLedger>,
) {
    let (quick, slow) = (open().await, open().await);
    let told = quick.rendered("all", "f2", 7, at(5)).await.unwrap();
    let error = slow.rendered("all", "f1", 6, at(6)).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Stale);
    assert_eq!(slow.rendered("all", "f2", 6, at(7)).await.unwrap(), told, "the same words are never too old");
    assert_eq!(slow.rendered("all", "f2", 9, at(8)).await.unwrap(), told, "nor new when they are true for longer");
    assert_eq!(quick.rendered("all", "f3", 8, at(9)).await.unwrap_err().kind, StoreErrorKind::Stale);
    assert!(quick.rendered("all", "f3", 9, at(9)).await.unwrap().last_modified > told.last_modified);
}

pub async fn last_modified_is_whole_seconds_and_always_steps_forward(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let candidate: Timestamp = "2026-03-01T00:00:00.987Z".parse().unwrap();
    let second = SignedDuration::from_secs(1);
    assert_eq!(ledger.rendered("all", "f1", 0, candidate).await.unwrap().last_modified, at(0));
    assert_eq!(ledger.rendered("all", "f2", 0, candidate).await.unwrap().last_modified, at(0) + second);
    let stepped_back = ledger.rendered("all", "f3", 0, at(-60)).await.unwrap();
    assert_eq!(stepped_back.last_modified, at(0) + second + second, "a clock that steps back does not take it back");
    assert_eq!(ledger.rendered("all", "f1", 0, at(5)).await.unwrap().last_modified, at(5), "as before is new too");
}

pub async fn a_journey_says_what_was_accepted(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    accept(&*ledger, vec![Draft::of("a").live(), Draft::of("b").live()], 1).await;
    accept(&*ledger, vec![Draft::of("a").revision(3).withdrawn("")], 2).await;
    accept(&*ledger, vec![Draft::of("a").revision(2).live()], 3).await;
    let steps = ledger.journey(&id("a")).await.unwrap();
    let lines: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.revision, step.at)).collect();
    assert_eq!(lines, [("accepted", 1, at(1)), ("withdrawn", 3, at(2)), ("stale", 2, at(3))]);
    assert!(steps.iter().all(|step| step.outlet == Outlet::Feed));
    assert!(ledger.journey(&id("c")).await.unwrap().is_empty());
    accept(&*ledger, vec![Draft::of("mai").published(60).live()], 4).await;
    let steps = ledger.journey(&id("mai")).await.unwrap();
    let lines: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.at)).collect();
    assert_eq!(lines, [("accepted", at(4)), ("waiting", at(55))], "dated ahead when it came");
}

pub async fn feeds_survive_a_crash(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let event = Draft::of("a").live();
    accept(&*ledger, vec![event.clone()], 1).await;
    let changed = ledger.changed(0, 10).await.unwrap();
    drop(ledger);
    let ledger = open().await;
    assert_eq!(entries(&*ledger, &FeedName::All).await, ["a@1"]);
    assert_eq!(ledger.changed(0, 10).await.unwrap(), changed);
    assert_eq!(accept(&*ledger, vec![event], 2).await.duplicates, 1);
}

pub async fn two_stores_see_each_others_changes_in_order(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let (one, two) = (open().await, open().await);
    accept(&*one, vec![Draft::of("a").live()], 1).await;
    let (_, upto) = two.changed(0, 10).await.unwrap();
    accept(&*two, vec![Draft::of("b").live()], 2).await;
    let (changed, later) = one.changed(upto, 10).await.unwrap();
    assert_eq!(changed.len(), 2);
    assert!(later > upto);
    assert_eq!(entries(&*one, &FeedName::All).await, entries(&*two, &FeedName::All).await);
    assert_eq!(accept(&*one, vec![Draft::of("b").live()], 3).await.duplicates, 1);
}

pub async fn an_entry_of_vietnamese_text_comes_back_as_it_was(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let title = "Điện Biên Đông: “4 sản phẩm” được chứng nhận OCOP 🎉 '; DROP TABLE item; --";
    accept(&*ledger, vec![Draft::of("bài-1/2").title(title).live()], 1).await;
    let found = ledger.entries(&FeedName::All, None, 1).await.unwrap();
    assert_eq!(found[0].content.title(), title);
}

pub async fn an_empty_batch_is_no_work(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    assert_eq!(ledger.accept(&[], at(1)).await.unwrap(), Accepted::default());
    assert_eq!(ledger.changed(0, 10).await.unwrap(), (vec![], 0));
}

pub async fn the_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    open().await.ping().await.unwrap();
}

pub async fn an_id_used_again_for_other_content_is_taken_by_its_version(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let draft = || Draft::of("a").event("a");
    let published = draft().live();
    let gone = draft().revision(3).withdrawn("nhầm");
    let all = [published.clone(), draft().revision(2).title("Sửa").live(), gone.clone()];
    assert_eq!(accept(&*ledger, vec![all[2].clone()], 1).await, Accepted { fresh: 1, ..Accepted::default() });
    let late = accept(&*ledger, all.to_vec(), 2).await;
    assert_eq!(late, Accepted { fresh: 2, duplicates: 1, stale: 2, reused: 2 });
    assert!(entries(&*ledger, &FeedName::All).await.is_empty());
    assert_eq!(ledger.tombstones(&FeedName::All, 10).await.unwrap().len(), 1);
    assert_eq!(accept(&*ledger, all.to_vec(), 3).await, Accepted { duplicates: 3, ..Accepted::default() });
    let steps = ledger.journey(&id("a")).await.unwrap();
    assert_eq!(steps.iter().filter(|step| step.step.as_str() == "id_used_again").count(), 2, "{steps:?}");
}

pub async fn what_was_not_accepted_is_not_seen(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    receptions::what_was_not_accepted_is_not_seen(&*ledger, async |event, minute| {
        accept(&*ledger, vec![event], minute).await;
    })
    .await;
}

pub async fn one_id_of_two_portals_is_two_entries(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let (home, other) = (Draft::of("a"), Draft::of("a").portal("na-son"));
    accept(&*ledger, vec![home.clone().live(), other.clone().live()], 1).await;
    assert_eq!(entries(&*ledger, &FeedName::All).await, ["na-son a@1", "a@1"]);
    accept(&*ledger, vec![other.revision(2).withdrawn("")], 2).await;
    assert_eq!(entries(&*ledger, &FeedName::All).await, ["a@1"]);
    assert_eq!(tombstones(&*ledger, &FeedName::All).await, ["na-son a@2"]);
    assert!(ledger.standing(&id("a")).await.unwrap().unwrap().is_ok());
    assert_eq!(ledger.standing(&id("na-son a")).await.unwrap().unwrap().unwrap_err().article, id("na-son a"));
    let journeys = [ledger.journey(&id("a")).await.unwrap(), ledger.journey(&id("na-son a")).await.unwrap()];
    assert_eq!(journeys.map(|lines| lines.len()), [1, 2]);
}

pub async fn a_combination_with_portals_is_what_stands_on_every_side(open: impl AsyncFn() -> Arc<dyn FeedLedger>) {
    let ledger = open().await;
    let of = |id: &str, portal: &str, category: &str, area: &str| {
        Draft::of(id).portal(portal).category(category, category).areas(&[area]).live()
    };
    let events = vec![
        of("a", "p", "kinh-te", "na-son"),
        of("a", "q", "kinh-te", "na-son"),
        of("b", "p", "y-te", "na-son"),
        of("c", "p", "kinh-te", "phi-nhu"),
    ];
    accept(&*ledger, events, 1).await;
    let found = async |name: &str| entries(&*ledger, &FeedName::parse(name).unwrap()).await;
    assert_eq!(found("portal-q").await, ["q a@1"]);
    assert_eq!(found("category-kinh-te+portal-p").await, ["p c@1", "p a@1"]);
    assert_eq!(found("area-na-son+category-kinh-te+portal-p").await, ["p a@1"]);
    assert_eq!(found("area-na-son+category-kinh-te+portal-p+portal-q").await, ["q a@1", "p a@1"]);
    assert_eq!(found("portal-p+portal-q").await, ["q a@1", "p c@1", "p b@1", "p a@1"]);
}
