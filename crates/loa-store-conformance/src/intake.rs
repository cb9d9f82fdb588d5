//! Rules of the intake ledger.

use crate::build::{SOURCE, at, id, lease, submission};
use loa_domain::{ArticleKey, EventKey, EventType, JourneyStep, Lane, MessagePart, NotCarried};
use loa_store::{ArchiveQuery, Archived, ClaimRoom, Current, IntakeLedger, StoreErrorKind, Submission, Submitted};
use std::{collections::BTreeMap, sync::Arc};

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! intake_rules {
    ($test:ident) => {
        $test!(what_stands_is_answered_in_the_order_asked);
        $test!(a_submission_stands_is_archived_and_is_owed_to_the_bus);
        $test!(a_repeated_event_changes_nothing);
        $test!(a_submission_that_saw_something_else_is_a_conflict_and_changes_nothing);
        $test!(a_submission_sees_those_before_it_in_its_batch);
        $test!(a_withdrawal_stands_as_withdrawn);
        $test!(a_renumbered_article_is_counted_on_from_the_highest_there_is);
        $test!(an_older_version_is_sent_but_does_not_stand);
        $test!(what_no_ledger_can_keep_is_rejected_as_a_whole);
        $test!(the_outbox_is_claimed_in_the_order_of_submission);
        $test!(a_claim_of_large_events_is_smaller_and_leaves_the_others_to_the_next);
        $test!(a_claimed_row_is_nobody_elses_until_its_lease_ends);
        $test!(a_later_row_of_an_article_never_overtakes_an_earlier_one);
        $test!(rows_of_one_article_may_be_claimed_together);
        $test!(a_confirmed_row_is_gone_whoever_held_it);
        $test!(a_number_is_never_used_again);
        $test!(a_failed_row_comes_back_when_it_is_due_and_counted);
        $test!(a_row_that_was_lost_cannot_be_given_back);
        $test!(an_article_behind_a_failed_row_waits_and_others_do_not);
        $test!(nothing_waits_behind_a_row_that_is_set_aside);
        $test!(portals_have_their_turns_and_those_of_one_go_in_order);
        $test!(a_portal_has_no_more_than_its_room);
        $test!(however_many_portals_there_are_each_has_its_turn);
        $test!(news_goes_before_back_files_and_back_files_have_their_own_room);
        $test!(news_takes_with_it_what_waits_of_its_article);
        $test!(a_back_file_row_behind_news_of_its_article_goes_after_it);
        $test!(several_relays_never_share_a_row_nor_break_an_articles_order);
        $test!(any_lanes_and_any_claims_keep_each_articles_order);
        $test!(the_outbox_says_how_much_waits_and_since_when);
        $test!(archiving_the_same_event_twice_keeps_it_once);
        $test!(what_was_submitted_is_in_the_archive_already);
        $test!(an_archived_event_of_others_is_not_what_stands_here);
        $test!(the_archive_is_read_page_by_page_in_order);
        $test!(the_archive_can_be_asked_by_time_and_by_article);
        $test!(the_newest_archived_event_of_an_article_is_the_one_of_its_highest_revision);
        $test!(a_journey_says_what_came_in_and_when_the_bus_had_it);
        $test!(what_was_submitted_survives_a_crash);
        $test!(two_stores_never_claim_the_same_row);
        $test!(an_empty_batch_is_no_work);
        $test!(the_ledger_answers_a_ping);
        $test!(an_id_used_again_for_other_content_is_taken_by_its_version);
    };
}

fn key(event: &str) -> EventKey {
    EventKey { source: SOURCE.into(), id: event.into() }
}

fn archived(article: &str, event: &str, minute: i64) -> Archived {
    Archived {
        sequence: 0,
        key: key(event),
        event_type: EventType::ArticlePublished,
        article: id(article),
        revision: 1,
        content_hash: "c1".into(),
        routing_key: "article.published.kinh-te".into(),
        body: b"{}".to_vec(),
        at: at(minute),
    }
}

async fn stored(ledger: &dyn IntakeLedger, batch: &[Submission]) {
    let outcomes = ledger.submit(batch).await.unwrap();
    assert_eq!(outcomes, vec![Submitted::Stored; batch.len()]);
}

async fn claimed(ledger: &dyn IntakeLedger, holder: &str, now: i64, max: u32) -> Vec<(String, u64)> {
    let rows = ledger.claim_outbox(&lease(holder, now), &ClaimRoom::of(max)).await.unwrap();
    assert!(rows.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "in order of sequence");
    rows.into_iter().map(|row| (row.key.id, u64::from(row.attempts))).collect()
}

fn names(rows: &[(String, u64)]) -> Vec<&str> {
    rows.iter().map(|(name, _)| name.as_str()).collect()
}

pub async fn what_stands_is_answered_in_the_order_asked(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("b", 1, None)]).await;
    let found = ledger.current(&[id("b"), id("nothing"), id("a"), id("b")]).await.unwrap();
    let prints: Vec<Option<&str>> =
        found.iter().map(|current| current.as_ref().map(|current| current.fingerprint.as_str())).collect();
    assert_eq!(prints, [Some("print-b-1"), None, Some("print-a-1"), Some("print-b-1")]);
}

pub async fn a_submission_stands_is_archived_and_is_owed_to_the_bus(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let one = submission("a", 1, None);
    stored(&*ledger, std::slice::from_ref(&one)).await;
    assert_eq!(
        ledger.current(&[id("a")]).await.unwrap(),
        [Some(Current {
            revision: 1,
            withdrawn: false,
            fingerprint: "print-a-1".into(),
            event: key("a-1"),
            category: "kinh-te".into(),
            counted_from: 0
        })]
    );
    let archive = ledger.archived(&ArchiveQuery { limit: 10, ..ArchiveQuery::default() }).await.unwrap();
    assert_eq!(archive.len(), 1);
    assert_eq!((&archive[0].key, &archive[0].body, archive[0].at), (&one.key, &one.body, one.at));
    let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(10)).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].key, &rows[0].routing_key, &rows[0].body), (&one.key, &one.routing_key, &one.body));
    assert_eq!((&rows[0].article, rows[0].attempts), (&one.article, 0));
}

pub async fn a_repeated_event_changes_nothing(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let one = submission("a", 1, None);
    assert_eq!(ledger.submit(&[one.clone(), one.clone()]).await.unwrap(), [Submitted::Stored, Submitted::Repeat]);
    let with_another_view = Submission { expect: Some(7), revision: 9, ..one };
    assert_eq!(ledger.submit(&[with_another_view]).await.unwrap(), [Submitted::Repeat]);
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 1);
    assert_eq!(ledger.current(&[id("a")]).await.unwrap()[0].as_ref().unwrap().revision, 1);
}

pub async fn a_submission_that_saw_something_else_is_a_conflict_and_changes_nothing(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let ledger = open().await;
    assert_eq!(ledger.submit(&[submission("a", 2, Some(1))]).await.unwrap(), [Submitted::Conflict(None)]);
    stored(&*ledger, &[submission("a", 1, None)]).await;
    for wrong in [None, Some(2)] {
        match ledger.submit(&[submission("a", 2, wrong)]).await.unwrap().as_slice() {
            [Submitted::Conflict(Some(current))] => assert_eq!(current.revision, 1),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 1);
    stored(&*ledger, &[submission("a", 2, Some(1))]).await;
}

pub async fn a_submission_sees_those_before_it_in_its_batch(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let outcomes = ledger
        .submit(&[submission("a", 1, None), submission("a", 2, Some(1)), submission("a", 3, Some(1))])
        .await
        .unwrap();
    assert_eq!(outcomes[..2], [Submitted::Stored, Submitted::Stored]);
    assert!(matches!(&outcomes[2], Submitted::Conflict(Some(current)) if current.revision == 2));
    assert_eq!(names(&claimed(&*ledger, "x", 1, 10).await), ["a-1", "a-2"]);
}

pub async fn a_withdrawal_stands_as_withdrawn(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    let gone = Submission { event_type: EventType::ArticleWithdrawn, ..submission("a", 2, Some(1)) };
    stored(&*ledger, &[gone]).await;
    let current = ledger.current(&[id("a")]).await.unwrap()[0].clone().unwrap();
    assert!(current.withdrawn);
    assert_eq!(current.revision, 2);
    stored(&*ledger, &[submission("a", 3, Some(2))]).await;
    assert!(!ledger.current(&[id("a")]).await.unwrap()[0].clone().unwrap().withdrawn, "published again");
}

pub async fn an_older_version_is_sent_but_does_not_stand(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 5, None), submission("a", 3, Some(5))]).await;
    assert_eq!(ledger.current(&[id("a")]).await.unwrap()[0].clone().unwrap().revision, 5);
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 2);
}

pub async fn a_renumbered_article_is_counted_on_from_the_highest_there_is(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let ledger = open().await;
    assert_eq!(ledger.renumber(&id("a"), 10_000_000).await.unwrap(), None, "nothing was ever published");
    stored(&*ledger, &[submission("a", 4_000_000, None)]).await;
    for _ in 0..2 {
        let current = ledger.renumber(&id("a"), 10_000_000).await.unwrap().unwrap();
        assert_eq!((current.revision, current.counted_from), (4_000_000, 4_000_000));
    }
    stored(&*ledger, &[submission("a", 4_000_001, Some(4_000_000))]).await;
    let current = ledger.current(&[id("a")]).await.unwrap().remove(0).unwrap();
    assert_eq!((current.revision, current.counted_from), (4_000_001, 4_000_000), "it stays so");
    // what came in by the bus counts as well
    ledger.archive(&[Archived { revision: 9_000_000, ..archived("a", "x", 1) }]).await.unwrap();
    let current = ledger.renumber(&id("a"), 10_000_000).await.unwrap().unwrap();
    assert_eq!((current.revision, current.counted_from), (9_000_000, 9_000_000));
    ledger.archive(&[archived("b", "y", 2)]).await.unwrap();
    assert_eq!(
        ledger.renumber(&id("b"), 10_000_000).await.unwrap().unwrap().counted_from,
        archived("b", "y", 2).revision
    );
    assert_eq!(ledger.renumber(&id("c"), 5).await.unwrap(), None);
    stored(&*ledger, &[submission("c", 5, None)]).await;
    assert_eq!(
        ledger.renumber(&id("c"), 5).await.unwrap().unwrap().counted_from,
        0,
        "no number is left, and nothing changes"
    );
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 3, "no event is made");
}

pub async fn what_no_ledger_can_keep_is_rejected_as_a_whole(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let error = ledger.submit(&[submission("a", 1, None), submission("b", u64::MAX, None)]).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Rejected);
    assert_eq!(ledger.current(&[id("a")]).await.unwrap(), [None], "never half a write");
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 0);
    stored(&*ledger, &[submission("a", 1, None)]).await;
}

pub async fn the_outbox_is_claimed_in_the_order_of_submission(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    for article in ["c", "a", "b"] {
        stored(&*ledger, &[submission(article, 1, None)]).await;
    }
    assert_eq!(names(&claimed(&*ledger, "x", 1, 2).await), ["c-1", "a-1"]);
    assert_eq!(names(&claimed(&*ledger, "y", 1, 2).await), ["b-1"]);
    assert!(claimed(&*ledger, "z", 1, 0).await.is_empty());
    // Whatever the order in which leases ended, the older number goes first.
    assert_eq!(names(&claimed(&*ledger, "w", 11, 10).await), ["c-1", "a-1", "b-1"]);
}

pub async fn a_claim_of_large_events_is_smaller_and_leaves_the_others_to_the_next(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let ledger = open().await;
    let mebibyte = vec![b'x'; 1024 * 1024];
    for article in ["a", "b"] {
        for revision in 1..=10_u64 {
            let body = mebibyte.clone();
            let expect = revision.checked_sub(1).filter(|before| *before > 0);
            stored(&*ledger, &[Submission { body, ..submission(article, revision, expect) }]).await;
        }
    }
    let mut all = Vec::new();
    for claims in 1.. {
        let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(1_000)).await.unwrap();
        if rows.is_empty() {
            assert!(claims > 2, "twenty mebibytes are no single claim");
            break;
        }
        assert!(rows.len() <= 8, "a claim of {} MiB", rows.len());
        all.extend(rows.iter().map(|row| row.key.id.clone()));
        ledger.outbox_confirmed(&rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), at(1)).await.unwrap();
    }
    let wanted: Vec<String> = ["a", "b"].iter().flat_map(|a| (1..=10).map(move |n| format!("{a}-{n}"))).collect();
    assert_eq!(all, wanted);
}

pub async fn a_claimed_row_is_nobody_elses_until_its_lease_ends(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    assert_eq!(names(&claimed(&*ledger, "x", 1, 10).await), ["a-1"]);
    assert!(claimed(&*ledger, "y", 10, 10).await.is_empty(), "the lease runs to minute 11");
    assert_eq!(claimed(&*ledger, "y", 11, 10).await, [("a-1".to_owned(), 0)], "a lost claim is no attempt");
}

pub async fn a_later_row_of_an_article_never_overtakes_an_earlier_one(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("a", 2, Some(1)), submission("b", 1, None)]).await;
    assert_eq!(names(&claimed(&*ledger, "x", 1, 1).await), ["a-1"]);
    assert_eq!(names(&claimed(&*ledger, "y", 1, 10).await), ["b-1"], "a-2 waits while a-1 is in flight");
    let sequence = ledger.archived(&ArchiveQuery { limit: 1, ..ArchiveQuery::default() }).await.unwrap()[0].sequence;
    ledger.outbox_confirmed(&[sequence], at(2)).await.unwrap();
    assert_eq!(names(&claimed(&*ledger, "y", 2, 10).await), ["a-2"]);
}

pub async fn rows_of_one_article_may_be_claimed_together(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("a", 2, Some(1))]).await;
    assert_eq!(names(&claimed(&*ledger, "x", 1, 10).await), ["a-1", "a-2"]);
}

pub async fn a_confirmed_row_is_gone_whoever_held_it(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("b", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(10)).await.unwrap();
    assert_eq!(names(&claimed(&*ledger, "y", 20, 10).await), ["a-1", "b-1"]);
    let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
    ledger.outbox_confirmed(&sequences, at(21)).await.unwrap();
    ledger.outbox_confirmed(&sequences, at(22)).await.unwrap();
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 0);
    assert!(claimed(&*ledger, "z", 99, 10).await.is_empty());
    let archive = ledger.archived(&ArchiveQuery { limit: 10, ..ArchiveQuery::default() }).await.unwrap();
    assert_eq!(archive.len(), 2, "the archive keeps them");
    ledger.outbox_confirmed(&[987_654], at(23)).await.unwrap();
}

pub async fn a_number_is_never_used_again(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    let first = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(10)).await.unwrap()[0].sequence;
    ledger.outbox_confirmed(&[first], at(2)).await.unwrap();
    stored(&*ledger, &[submission("b", 1, None)]).await;
    let second = ledger.claim_outbox(&lease("x", 3), &ClaimRoom::of(10)).await.unwrap()[0].sequence;
    assert!(second > first);
    ledger.outbox_confirmed(&[first], at(4)).await.unwrap();
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 1, "a late repeat of the first takes nothing else away");
}

pub async fn a_failed_row_comes_back_when_it_is_due_and_counted(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(10)).await.unwrap();
    ledger.outbox_failed("x", &[rows[0].sequence], at(30), "no broker").await.unwrap();
    assert!(claimed(&*ledger, "y", 29, 10).await.is_empty(), "also when the lease would have ended");
    assert_eq!(claimed(&*ledger, "y", 30, 10).await, [("a-1".to_owned(), 1)]);
    ledger.outbox_failed("y", &[rows[0].sequence], at(40), &"lỗi ".repeat(5_000)).await.unwrap();
    assert_eq!(claimed(&*ledger, "z", 40, 10).await, [("a-1".to_owned(), 2)]);
}

pub async fn a_row_that_was_lost_cannot_be_given_back(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(10)).await.unwrap();
    assert_eq!(names(&claimed(&*ledger, "y", 11, 10).await), ["a-1"]);
    ledger.outbox_failed("x", &[rows[0].sequence], at(12), "too late").await.unwrap();
    assert!(claimed(&*ledger, "z", 12, 10).await.is_empty(), "y holds it until minute 21");
    assert_eq!(claimed(&*ledger, "z", 21, 10).await, [("a-1".to_owned(), 0)]);
}

pub async fn an_article_behind_a_failed_row_waits_and_others_do_not(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("a", 2, Some(1)), submission("b", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(1)).await.unwrap();
    ledger.outbox_failed("x", &[rows[0].sequence], at(30), "no").await.unwrap();
    assert_eq!(names(&claimed(&*ledger, "y", 2, 10).await), ["b-1"]);
    stored(&*ledger, &[submission("a", 3, Some(2))]).await;
    assert!(claimed(&*ledger, "y", 3, 10).await.is_empty(), "a new one behind it waits too");
    assert_eq!(names(&claimed(&*ledger, "z", 30, 10).await), ["a-1", "a-2", "b-1", "a-3"]);
}

pub async fn nothing_waits_behind_a_row_that_is_set_aside(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("a", 2, Some(1)), submission("b", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(1)).await.unwrap();
    let first = rows[0].sequence;
    let too_large = NotCarried::TooLong { part: MessagePart::Body, bytes: 20_000_000, bytes_max: 16_777_216 };
    let larger = NotCarried::TooLargeForBroker { bytes: 2_000_000, said: "larger than 1 MiB".into() };
    ledger.outbox_set_aside("nobody", &[first], at(1), at(30), &too_large).await.unwrap();
    assert_eq!(ledger.outbox_state().await.unwrap().set_aside, None, "only its holder can");
    ledger.outbox_set_aside("x", &[first], at(2), at(30), &too_large).await.unwrap();
    let state = ledger.outbox_state().await.unwrap();
    assert_eq!(state.waiting, 2);
    let set_aside = state.set_aside.unwrap();
    assert_eq!((set_aside.count, set_aside.since, set_aside.article.as_str()), (1, at(2), "a"));
    assert_eq!(set_aside.why, too_large);
    let steps = ledger.journey(&set_aside.article).await.unwrap();
    let said = |step: &JourneyStep| matches!(step, JourneyStep::SetAside { why } if *why == too_large);
    assert_eq!(
        steps.iter().filter(|line| said(&line.step)).map(|line| (line.at, line.revision)).collect::<Vec<_>>(),
        [(at(2), 1)]
    );

    assert_eq!(names(&claimed(&*ledger, "y", 3, 10).await), ["a-2", "b-1"], "those behind it go on");
    // it is tried again, fails for another reason, is set aside again: it was from the beginning, and nobody waits for it
    stored(&*ledger, &[submission("a", 3, Some(2))]).await;
    assert_eq!(claimed(&*ledger, "z", 30, 1).await, [("a-1".to_owned(), 1)]);
    ledger.outbox_failed("z", &[first], at(40), "no broker").await.unwrap();
    assert_eq!(names(&claimed(&*ledger, "y", 31, 10).await), ["a-2", "b-1", "a-3"], "their leases have ended");
    assert_eq!(claimed(&*ledger, "z", 40, 1).await, [("a-1".to_owned(), 2)]);
    ledger.outbox_set_aside("z", &[first], at(40), at(50), &larger).await.unwrap();
    let again = ledger.outbox_state().await.unwrap().set_aside.unwrap();
    assert_eq!((again.count, again.since, again.why), (1, at(2), larger));
    // the limit was raised
    ledger.outbox_confirmed(&[first], at(51)).await.unwrap();
    assert_eq!(ledger.outbox_state().await.unwrap().set_aside, None);
}

/// Of a portal; `""`: the home portal.
fn of(portal: &str, article: &str, revision: u64, lane: Lane) -> Submission {
    let name = if portal.is_empty() { article.to_owned() } else { format!("{portal} {article}") };
    let expect = revision.checked_sub(1).filter(|before| *before > 0);
    let mut one = submission("x", revision, expect);
    one.key.id = format!("{portal}/{article}-{revision}");
    Submission { article: name.parse().unwrap(), lane, ..one }
}

async fn claimed_in(ledger: &dyn IntakeLedger, holder: &str, now: i64, room: &ClaimRoom) -> Vec<String> {
    let rows = ledger.claim_outbox(&lease(holder, now), room).await.unwrap();
    rows.into_iter().map(|row| row.key.id).collect()
}

pub async fn portals_have_their_turns_and_those_of_one_go_in_order(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    for n in 0..5 {
        stored(&*ledger, &[of("loi", &format!("l{n}"), 1, Lane::Live)]).await;
    }
    stored(
        &*ledger,
        &[of("", "h0", 1, Lane::Live), of("na-son", "n0", 1, Lane::Live), of("na-son", "n1", 1, Lane::Live)],
    )
    .await;
    let room = ClaimRoom::of(5);
    assert_eq!(
        claimed_in(&*ledger, "x", 1, &room).await,
        ["loi/l0-1", "/h0-1", "na-son/n0-1", "loi/l1-1", "na-son/n1-1"]
    );
    assert_eq!(claimed_in(&*ledger, "y", 1, &room).await, ["loi/l2-1", "loi/l3-1", "loi/l4-1"]);
}

pub async fn a_portal_has_no_more_than_its_room(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    for n in 0..9 {
        let batch = ["loi", "na-son", ""].map(|portal| of(portal, &format!("a{n}"), 1, Lane::Live));
        stored(&*ledger, &batch).await;
    }
    let portals = BTreeMap::from([("loi".to_owned(), 0), ("na-son".to_owned(), 1), (String::new(), 50)]);
    let room = ClaimRoom { of_a_portal: 3, portals, ..ClaimRoom::of(20) };
    let mut claimed = claimed_in(&*ledger, "x", 1, &room).await;
    claimed.sort();
    assert_eq!(
        claimed,
        ["/a0-1", "/a1-1", "/a2-1", "na-son/a0-1"],
        "a portal's own room is never more than any portal's"
    );
    let rest = claimed_in(&*ledger, "y", 1, &ClaimRoom { max: 100, ..ClaimRoom::of(100) }).await;
    assert_eq!(rest.len(), 27 - 4, "what had no room waits, and nothing else does");
}

pub async fn however_many_portals_there_are_each_has_its_turn(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    for n in 0..3 {
        let batch: Vec<_> = (0..9).map(|p| of(&format!("p{p}"), &format!("a{n}"), 1, Lane::Live)).collect();
        stored(&*ledger, &batch).await;
    }
    let (room, mut served) = (ClaimRoom::of(3), Vec::new());
    for round in 0..3 {
        served.extend(claimed_in(&*ledger, &format!("r{round}"), 1, &room).await);
    }
    served.sort();
    assert_eq!(
        served,
        (0..9).map(|p| format!("p{p}/a0-1")).collect::<Vec<_>>(),
        "the first of each before anyone's second"
    );
}

pub async fn news_goes_before_back_files_and_back_files_have_their_own_room(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let ledger = open().await;
    for n in 0..4 {
        stored(&*ledger, &[of("kho", &format!("k{n}"), 1, Lane::BackFile)]).await;
    }
    stored(&*ledger, &[of("kho", "moi", 1, Lane::Live), of("na-son", "n0", 1, Lane::Live)]).await;
    let none = ClaimRoom { back_files: 0, ..ClaimRoom::of(10) };
    assert_eq!(claimed_in(&*ledger, "x", 1, &none).await, ["kho/moi-1", "na-son/n0-1"]);
    assert!(claimed_in(&*ledger, "x", 1, &none).await.is_empty(), "back-files wait entirely");
    stored(&*ledger, &[of("na-son", "n1", 1, Lane::Live)]).await;
    let state = ledger.outbox_state().await.unwrap();
    assert_eq!((state.waiting, state.back_files.unwrap().count), (7, 4));
    let some = ClaimRoom { back_files: 2, ..ClaimRoom::of(10) };
    assert_eq!(claimed_in(&*ledger, "y", 1, &some).await, ["na-son/n1-1", "kho/k0-1", "kho/k1-1"]);
    let rows = ledger.claim_outbox(&lease("z", 1), &some).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.lane, row.key.id.as_str())).collect::<Vec<_>>(),
        [(Lane::BackFile, "kho/k2-1"), (Lane::BackFile, "kho/k3-1")]
    );
}

pub async fn news_takes_with_it_what_waits_of_its_article(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[of("kho", "a", 1, Lane::BackFile), of("kho", "b", 1, Lane::BackFile)]).await;
    stored(&*ledger, &[of("kho", "a", 2, Lane::BackFile)]).await;
    stored(&*ledger, &[of("kho", "a", 3, Lane::Live)]).await;
    let news = ClaimRoom { back_files: 0, ..ClaimRoom::of(10) };
    assert_eq!(
        claimed_in(&*ledger, "x", 1, &news).await,
        ["kho/a-1", "kho/a-2", "kho/a-3"],
        "in order, and all at once"
    );
    assert_eq!(ledger.outbox_state().await.unwrap().back_files.unwrap().count, 1);
}

pub async fn a_back_file_row_behind_news_of_its_article_goes_after_it(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[of("kho", "a", 1, Lane::Live), of("kho", "a", 2, Lane::BackFile)]).await;
    stored(&*ledger, &[of("kho", "a", 3, Lane::BackFile), of("kho", "b", 1, Lane::Live)]).await;
    let one = ClaimRoom { back_files: 1, ..ClaimRoom::of(1) };
    assert_eq!(claimed_in(&*ledger, "x", 1, &one).await, ["kho/a-1"]);
    assert_eq!(claimed_in(&*ledger, "y", 1, &ClaimRoom::of(10)).await, ["kho/b-1"], "a-2 waits for a-1");
    assert_eq!(claimed_in(&*ledger, "z", 11, &ClaimRoom::of(10)).await, ["kho/a-1", "kho/a-2", "kho/a-3", "kho/b-1"]);
}

pub async fn several_relays_never_share_a_row_nor_break_an_articles_order(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let (one, two) = (open().await, open().await);
    let mut batch = Vec::new();
    for n in 0..24 {
        let (portal, lane) = ([("", Lane::Live), ("kho", Lane::BackFile), ("loi", Lane::Live)])[n % 3];
        batch.extend((1..=2).map(|revision| of(portal, &format!("a{n:02}"), revision, lane)));
    }
    stored(&*one, &batch).await;
    let room = ClaimRoom { back_files: 2, of_a_portal: 3, ..ClaimRoom::of(6) };
    let claim = async |ledger: Arc<dyn IntakeLedger>, holder: &'static str| {
        let mut claims = Vec::new();
        for round in 0..40 {
            let rows = ledger.claim_outbox(&lease(&format!("{holder}{round}"), 1), &room).await.unwrap();
            let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
            claims.extend(rows.into_iter().map(|row| (row.sequence, row.article)));
            ledger.outbox_confirmed(&sequences, at(2)).await.unwrap();
        }
        claims
    };
    let (first, second) = tokio::join!(claim(one.clone(), "one"), claim(two, "two"));
    for claims in [&first, &second] {
        let mut last: BTreeMap<&ArticleKey, i64> = BTreeMap::new();
        for (sequence, article) in claims {
            assert!(last.insert(article, *sequence).is_none_or(|before| before < *sequence), "{article} out of order");
        }
    }
    let mut all: Vec<i64> = first.iter().chain(&second).map(|(sequence, _)| *sequence).collect();
    all.sort_unstable();
    let rows = all.len();
    all.dedup();
    assert_eq!((rows, all.len()), (48, 48), "each once");
}

pub async fn any_lanes_and_any_claims_keep_each_articles_order(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    // a row of numbers that nobody chose: what comes in, in which lane, and what is claimed between
    let mut seed = 7_u64;
    let mut next = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut revisions, mut sent) = ([0_u64; 6], BTreeMap::<String, u64>::new());
    let mut out = 0;
    for round in 0..120 {
        let submitting = round < 60;
        if submitting {
            let n = next(6);
            let place = usize::try_from(n).unwrap();
            revisions[place] += 1;
            let lane = if next(3) == 0 { Lane::Live } else { Lane::BackFile };
            stored(&*ledger, &[of(["", "kho"][place % 2], &format!("a{n}"), revisions[place], lane)]).await;
        }
        if next(3) == 0 || !submitting {
            let max = u32::try_from(1 + next(4)).unwrap();
            let room = ClaimRoom { back_files: u32::try_from(next(3)).unwrap(), ..ClaimRoom::of(max) };
            let rows = ledger.claim_outbox(&lease(&format!("r{round}"), 1), &room).await.unwrap();
            for row in &rows {
                let revision = row.key.id.rsplit('-').next().unwrap().parse().unwrap();
                let before = sent.insert(row.article.to_string(), revision).unwrap_or_default();
                assert_eq!(before + 1, revision, "{} in round {round}", row.article);
            }
            out += rows.len();
            ledger.outbox_confirmed(&rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), at(2)).await.unwrap();
        }
    }
    assert_eq!(out, 60, "all went out");
}

pub async fn the_outbox_says_how_much_waits_and_since_when(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let empty = ledger.outbox_state().await.unwrap();
    assert_eq!((empty.waiting, empty.oldest_at, empty.back_files), (0, None, None));
    stored(&*ledger, &[Submission { at: at(5), ..submission("a", 1, None) }]).await;
    stored(&*ledger, &[Submission { at: at(7), ..submission("b", 1, None) }]).await;
    let rows = ledger.claim_outbox(&lease("x", 8), &ClaimRoom::of(1)).await.unwrap();
    let full = ledger.outbox_state().await.unwrap();
    assert_eq!((full.waiting, full.oldest_at), (2, Some(at(5))), "claimed is not confirmed");
    ledger.outbox_confirmed(&[rows[0].sequence], at(9)).await.unwrap();
    let half = ledger.outbox_state().await.unwrap();
    assert_eq!((half.waiting, half.oldest_at, half.back_files), (1, Some(at(7)), None));
    stored(&*ledger, &[Submission { at: at(3), lane: Lane::BackFile, ..submission("c", 1, None) }]).await;
    let mixed = ledger.outbox_state().await.unwrap();
    assert_eq!((mixed.waiting, mixed.oldest_at), (2, Some(at(7))), "of news");
    let back_files = mixed.back_files.unwrap();
    assert_eq!((back_files.count, back_files.oldest_at), (1, Some(at(3))));
}

pub async fn archiving_the_same_event_twice_keeps_it_once(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let batch = [archived("a", "e1", 1), archived("a", "e1", 2), archived("b", "e2", 3)];
    assert_eq!(ledger.archive(&batch).await.unwrap(), 2);
    assert_eq!(ledger.archive(&batch).await.unwrap(), 0);
    let archive = ledger.archived(&ArchiveQuery { limit: 10, ..ArchiveQuery::default() }).await.unwrap();
    assert_eq!(archive.len(), 2);
    assert_eq!(archive[0].at, at(1), "the first stays");
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 0, "what came from the bus is not owed to it");
}

pub async fn what_was_submitted_is_in_the_archive_already(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    assert_eq!(ledger.archive(&[archived("a", "a-1", 5), archived("b", "b-1", 5)]).await.unwrap(), 1);
    assert_eq!(ledger.submit(&[submission("b", 1, None)]).await.unwrap(), [Submitted::Repeat]);
}

pub async fn an_archived_event_of_others_is_not_what_stands_here(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    ledger.archive(&[archived("a", "e1", 1)]).await.unwrap();
    assert_eq!(ledger.current(&[id("a")]).await.unwrap(), [None]);
}

pub async fn the_archive_is_read_page_by_page_in_order(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let events: Vec<Archived> = (0..7).map(|n| archived("a", &format!("e{n}"), n)).collect();
    ledger.archive(&events).await.unwrap();
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = ledger.archived(&ArchiveQuery { after, limit: 3, ..ArchiveQuery::default() }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.sequence;
        seen.extend(page.into_iter().map(|event| event.key.id));
    }
    assert_eq!(seen, (0..7).map(|n| format!("e{n}")).collect::<Vec<_>>());
}

pub async fn the_archive_can_be_asked_by_time_and_by_article(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    ledger.archive(&[archived("a", "e1", 1), archived("b", "e2", 2), archived("a", "e3", 3)]).await.unwrap();
    // A clock that stepped back: a later number with an earlier time.
    ledger.archive(&[archived("a", "e4", 0)]).await.unwrap();
    let ask = async |since: Option<i64>, article: Option<&str>, after: i64| {
        let query = ArchiveQuery { after, since: since.map(at), article: article.map(id), limit: 10 };
        let found = ledger.archived(&query).await.unwrap();
        found.into_iter().map(|event| event.key.id).collect::<Vec<_>>()
    };
    assert_eq!(ask(Some(2), None, 0).await, ["e2", "e3"]);
    assert_eq!(ask(None, Some("a"), 0).await, ["e1", "e3", "e4"]);
    assert_eq!(ask(Some(1), Some("a"), 0).await, ["e1", "e3"]);
    let first = ledger.archived(&ArchiveQuery { limit: 1, ..ArchiveQuery::default() }).await.unwrap()[0].sequence;
    assert_eq!(ask(Some(0), Some("a"), first).await, ["e3", "e4"]);
    assert!(ask(Some(99), None, 0).await.is_empty());
}

pub async fn the_newest_archived_event_of_an_article_is_the_one_of_its_highest_revision(
    open: impl AsyncFn() -> Arc<dyn IntakeLedger>,
) {
    let ledger = open().await;
    let of = |event: &str, revision: u64| Archived { revision, ..archived("a", event, 1) };
    ledger.archive(&[of("e1", 2), of("e2", 7), of("e3", 3)]).await.unwrap();
    ledger.archive(&[Archived { revision: 99, ..archived("b", "x", 1) }]).await.unwrap();
    let newest = async || ledger.newest(&id("a")).await.unwrap().map(|event| (event.key.id, event.revision));
    assert_eq!(newest().await, Some(("e2".to_owned(), 7)));
    ledger.archive(&[of("e4", 7)]).await.unwrap();
    assert_eq!(newest().await, Some(("e4".to_owned(), 7)), "of two with one revision, the later");
    assert_eq!(ledger.newest(&id("c")).await.unwrap(), None);
}

pub async fn a_journey_says_what_came_in_and_when_the_bus_had_it(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("b", 1, None)]).await;
    let steps = ledger.journey(&id("a")).await.unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].step.as_str(), steps[0].revision, steps[0].at), ("submitted", 1, at(0)));
    let rows = ledger.claim_outbox(&lease("x", 1), &ClaimRoom::of(10)).await.unwrap();
    ledger.outbox_confirmed(&[rows[0].sequence], at(3)).await.unwrap();
    ledger.outbox_confirmed(&[rows[0].sequence], at(4)).await.unwrap();
    let steps = ledger.journey(&id("a")).await.unwrap();
    let lines: Vec<_> = steps.iter().map(|step| (step.outlet.as_str(), step.step.as_str(), step.at)).collect();
    assert_eq!(lines, [("intake", "submitted", at(0)), ("intake", "relayed", at(3))]);
    ledger.archive(&[archived("c", "c-1", 9)]).await.unwrap();
    assert_eq!(ledger.journey(&id("c")).await.unwrap()[0].step.as_str(), "archived");
    assert!(ledger.journey(&id("nothing")).await.unwrap().is_empty());
}

pub async fn what_was_submitted_survives_a_crash(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    assert_eq!(claimed(&*ledger, "x", 1, 10).await.len(), 1);
    drop(ledger);
    let ledger = open().await;
    assert!(claimed(&*ledger, "y", 2, 10).await.is_empty(), "the lease of the dead still runs");
    assert_eq!(names(&claimed(&*ledger, "y", 11, 10).await), ["a-1"]);
    assert_eq!(ledger.submit(&[submission("a", 1, None)]).await.unwrap(), [Submitted::Repeat]);
}

pub async fn two_stores_never_claim_the_same_row(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let (one, two) = (open().await, open().await);
    let batch: Vec<Submission> = (0..20).map(|n| submission(&format!("a{n:02}"), 1, None)).collect();
    stored(&*one, &batch).await;
    let mut seen = Vec::new();
    for round in 0..5 {
        let ledger = if round % 2 == 0 { &one } else { &two };
        seen.extend(claimed(&**ledger, &format!("h{round}"), 1, 4).await.into_iter().map(|(name, _)| name));
    }
    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((seen.len(), distinct.len()), (20, 20));
}

pub async fn an_empty_batch_is_no_work(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    assert!(ledger.submit(&[]).await.unwrap().is_empty());
    assert!(ledger.current(&[]).await.unwrap().is_empty());
    assert_eq!(ledger.archive(&[]).await.unwrap(), 0);
    ledger.outbox_confirmed(&[], at(1)).await.unwrap();
    ledger.outbox_failed("x", &[], at(1), "").await.unwrap();
}

pub async fn the_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    open().await.ping().await.unwrap();
}

pub async fn an_id_used_again_for_other_content_is_taken_by_its_version(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let said = |event_type, revision, hash: &str| Archived {
        event_type,
        revision,
        content_hash: hash.into(),
        body: hash.as_bytes().to_vec(),
        ..archived("a", "a", 1)
    };
    let all = [
        said(EventType::ArticlePublished, 1, "one"),
        said(EventType::ArticleUpdated, 2, "two"),
        said(EventType::ArticleWithdrawn, 3, "three"),
    ];
    assert_eq!(ledger.archive(&all[..2]).await.unwrap(), 2);
    assert_eq!(ledger.archive(&all).await.unwrap(), 1);
    assert_eq!(ledger.archive(&all).await.unwrap(), 0);
    let query = ArchiveQuery { limit: 10, ..ArchiveQuery::default() };
    let found = ledger.archived(&query).await.unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.key.sent_id(), one.revision, one.body.as_slice())).collect();
    assert_eq!(told, [("a", 1, &b"one"[..]), ("a", 2, b"two"), ("a", 3, b"three")], "each is replayed");
    let steps = ledger.journey(&id("a")).await.unwrap();
    assert_eq!(steps.iter().filter(|step| step.step.as_str() == "id_used_again").count(), 2, "{steps:?}");
}
