//! Rules of the intake ledger.

use crate::build::{SOURCE, at, id, lease};
use loa_domain::JourneyStep;
use loa_domain::{EventKey, EventType};
use loa_store::{ArchiveQuery, Archived, Current, IntakeLedger, StoreErrorKind, Submission, Submitted};
use std::sync::Arc;

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
        $test!(the_outbox_says_how_much_waits_and_since_when);
        $test!(archiving_the_same_event_twice_keeps_it_once);
        $test!(what_was_submitted_is_in_the_archive_already);
        $test!(an_archived_event_of_others_is_not_what_stands_here);
        $test!(the_archive_is_read_page_by_page_in_order);
        $test!(the_archive_can_be_asked_by_time_and_by_article);
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

fn submission(article: &str, revision: u64, expect: Option<u64>) -> Submission {
    Submission {
        key: key(&format!("{article}-{revision}")),
        event_type: if revision == 1 { EventType::ArticlePublished } else { EventType::ArticleUpdated },
        article: id(article),
        revision,
        fingerprint: format!("print-{article}-{revision}"),
        expect,
        category: "kinh-te".into(),
        routing_key: "article.published.kinh-te".into(),
        body: format!("{{\"revision\":{revision}}}").into_bytes(),
        at: at(0),
    }
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
    let rows = ledger.claim_outbox(&lease(holder, now), max).await.unwrap();
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
            category: "kinh-te".into()
        })]
    );
    let archive = ledger.archived(&ArchiveQuery { limit: 10, ..ArchiveQuery::default() }).await.unwrap();
    assert_eq!(archive.len(), 1);
    assert_eq!((&archive[0].key, &archive[0].body, archive[0].at), (&one.key, &one.body, one.at));
    let rows = ledger.claim_outbox(&lease("x", 1), 10).await.unwrap();
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
        let rows = ledger.claim_outbox(&lease("x", 1), 1_000).await.unwrap();
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
    let rows = ledger.claim_outbox(&lease("x", 1), 10).await.unwrap();
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
    let first = ledger.claim_outbox(&lease("x", 1), 10).await.unwrap()[0].sequence;
    ledger.outbox_confirmed(&[first], at(2)).await.unwrap();
    stored(&*ledger, &[submission("b", 1, None)]).await;
    let second = ledger.claim_outbox(&lease("x", 3), 10).await.unwrap()[0].sequence;
    assert!(second > first);
    ledger.outbox_confirmed(&[first], at(4)).await.unwrap();
    assert_eq!(ledger.outbox_state().await.unwrap().waiting, 1, "a late repeat of the first takes nothing else away");
}

pub async fn a_failed_row_comes_back_when_it_is_due_and_counted(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), 10).await.unwrap();
    ledger.outbox_failed("x", &[rows[0].sequence], at(30), "no broker").await.unwrap();
    assert!(claimed(&*ledger, "y", 29, 10).await.is_empty(), "also when the lease would have ended");
    assert_eq!(claimed(&*ledger, "y", 30, 10).await, [("a-1".to_owned(), 1)]);
    ledger.outbox_failed("y", &[rows[0].sequence], at(40), &"lỗi ".repeat(5_000)).await.unwrap();
    assert_eq!(claimed(&*ledger, "z", 40, 10).await, [("a-1".to_owned(), 2)]);
}

pub async fn a_row_that_was_lost_cannot_be_given_back(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), 10).await.unwrap();
    assert_eq!(names(&claimed(&*ledger, "y", 11, 10).await), ["a-1"]);
    ledger.outbox_failed("x", &[rows[0].sequence], at(12), "too late").await.unwrap();
    assert!(claimed(&*ledger, "z", 12, 10).await.is_empty(), "y holds it until minute 21");
    assert_eq!(claimed(&*ledger, "z", 21, 10).await, [("a-1".to_owned(), 0)]);
}

pub async fn an_article_behind_a_failed_row_waits_and_others_do_not(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("a", 2, Some(1)), submission("b", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), 1).await.unwrap();
    ledger.outbox_failed("x", &[rows[0].sequence], at(30), "no").await.unwrap();
    assert_eq!(names(&claimed(&*ledger, "y", 2, 10).await), ["b-1"]);
    stored(&*ledger, &[submission("a", 3, Some(2))]).await;
    assert!(claimed(&*ledger, "y", 3, 10).await.is_empty(), "a new one behind it waits too");
    assert_eq!(names(&claimed(&*ledger, "z", 30, 10).await), ["a-1", "a-2", "b-1", "a-3"]);
}

pub async fn nothing_waits_behind_a_row_that_is_set_aside(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("a", 2, Some(1)), submission("b", 1, None)]).await;
    let rows = ledger.claim_outbox(&lease("x", 1), 1).await.unwrap();
    let first = rows[0].sequence;
    ledger.outbox_set_aside("nobody", &[first], at(1), at(30), "too large").await.unwrap();
    assert_eq!(ledger.outbox_state().await.unwrap().set_aside, None, "only its holder can");
    ledger.outbox_set_aside("x", &[first], at(2), at(30), "too large").await.unwrap();
    let state = ledger.outbox_state().await.unwrap();
    assert_eq!(state.waiting, 2);
    let set_aside = state.set_aside.unwrap();
    assert_eq!((set_aside.count, set_aside.since, set_aside.article.as_str()), (1, at(2), "a"));
    assert_eq!(set_aside.error, "too large");
    let steps = ledger.journey(&set_aside.article).await.unwrap();
    let said = |step: &JourneyStep| matches!(step, JourneyStep::SetAside { error } if error == "too large");
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
    ledger.outbox_set_aside("z", &[first], at(40), at(50), "larger than 1 MiB").await.unwrap();
    let again = ledger.outbox_state().await.unwrap().set_aside.unwrap();
    assert_eq!((again.count, again.since, again.error.as_str()), (1, at(2), "larger than 1 MiB"));
    // the limit was raised
    ledger.outbox_confirmed(&[first], at(51)).await.unwrap();
    assert_eq!(ledger.outbox_state().await.unwrap().set_aside, None);
}

pub async fn the_outbox_says_how_much_waits_and_since_when(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    let empty = ledger.outbox_state().await.unwrap();
    assert_eq!((empty.waiting, empty.oldest_at), (0, None));
    stored(&*ledger, &[Submission { at: at(5), ..submission("a", 1, None) }]).await;
    stored(&*ledger, &[Submission { at: at(7), ..submission("b", 1, None) }]).await;
    let rows = ledger.claim_outbox(&lease("x", 8), 1).await.unwrap();
    let full = ledger.outbox_state().await.unwrap();
    assert_eq!((full.waiting, full.oldest_at), (2, Some(at(5))), "claimed is not confirmed");
    ledger.outbox_confirmed(&[rows[0].sequence], at(9)).await.unwrap();
    let half = ledger.outbox_state().await.unwrap();
    assert_eq!((half.waiting, half.oldest_at), (1, Some(at(7))));
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

pub async fn a_journey_says_what_came_in_and_when_the_bus_had_it(open: impl AsyncFn() -> Arc<dyn IntakeLedger>) {
    let ledger = open().await;
    stored(&*ledger, &[submission("a", 1, None), submission("b", 1, None)]).await;
    let steps = ledger.journey(&id("a")).await.unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].step.as_str(), steps[0].revision, steps[0].at), ("submitted", 1, at(0)));
    let rows = ledger.claim_outbox(&lease("x", 1), 10).await.unwrap();
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
