//! One row that our own code cannot read is set aside, named and counted; the others go on, and nothing is lost to it.
//!
//! Such a row is written behind the program's back, into a file. What an engine finds wrong by itself: `tests/damaged.rs`.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use loa_domain::{
    EmailAddress, Endpoint, EndpointId, EndpointState, Event, EventFilter, FeedName, Frequency, MailOutcome, RunKey,
    SubscriberId, SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{
    ArchiveQuery, Arrivals, Deliveries, Endpoints, EventArchive, FeedArrival, FeedChanges, FeedViews, MailRecord,
    Mails, Outbox, Runs, Submissions, SubscriptionRequest, Subscriptions,
};
use loa_store_conformance::build::{Draft, at, id, lease, submission};
use loa_store_sql::{DigestStore, FeedStore, IntakeStore, LedgerPlace, PushStore};
use std::path::{Path, PathBuf};

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    (folder, path)
}

async fn execute(path: &Path, sql: &'static str) {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).foreign_keys(false);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// How many rows are set aside, the first of them by name.
async fn told(place: LedgerPlace, words: &str) -> u64 {
    let state = place.condition().await;
    assert_eq!(state.trouble, None, "the others go on");
    assert!(state.examples.iter().any(|said| said.contains(words)), "{state:?}");
    state.unreadable
}

async fn nothing_is_told(place: LedgerPlace) {
    let state = place.condition().await;
    assert_eq!((state.unreadable, state.examples), (0, Vec::new()));
}

// ── digest ──

async fn reader(store: &DigestStore) {
    let request = SubscriptionRequest {
        subscriber: SubscriberId::new("p-na").unwrap(),
        subscription: SubscriptionId::new("s-na").unwrap(),
        email: EmailAddress::parse("na@example.gov.vn").unwrap(),
        wish: Wish { areas: [].into(), categories: [].into() },
        frequency: Frequency::Daily,
        state: SubscriptionState::Active,
        token: "token".into(),
        token_hash: "hash".into(),
        at: at(0),
    };
    store.subscribe(&[request]).await.unwrap();
}

async fn planned(store: &DigestStore, slot: &str, minute: i64) {
    let key = RunKey {
        frequency: Frequency::Daily,
        on: "2026-03-01".parse().unwrap(),
        slot: slot.into(),
        zone: "Asia/Ho_Chi_Minh".into(),
    };
    let (run, _) = store.open_run(&key, at(minute), at(minute)).await.unwrap();
    while !store.plan(run.id, at(-1_000), 9, at(minute)).await.unwrap().complete {}
}

/// What the mails say that are claimed; each is sent.
async fn mailed(store: &DigestStore, holder: &str, minute: i64) -> Vec<Vec<String>> {
    let mut said = Vec::new();
    for mail in store.claim_mails(&lease(holder, minute), 9).await.unwrap() {
        let id = std::slice::from_ref(&mail.id);
        assert_eq!(store.submitting(holder, id, at(minute)).await.unwrap(), id);
        let record = MailRecord { id: mail.id, outcome: MailOutcome::Sent("250 ok".into()), at: at(minute) };
        assert_eq!(store.record_mails(holder, &[record]).await.unwrap(), 1);
        said.push(mail.items.iter().map(|item| item.article.to_string()).collect());
    }
    said
}

#[tokio::test]
async fn an_upcoming_article_that_cannot_be_read_holds_no_other_back_nor_what_comes_in() {
    let (_folder, path) = place();
    let store = DigestStore::open(&path).await.unwrap();
    reader(&store).await;
    let upcoming = ["a", "b", "c"].map(|name| Draft::of(name).published(60).live());
    Arrivals::accept(&store, &upcoming, at(1)).await.unwrap();
    execute(&path, "UPDATE item SET upcoming = '{\"kind\":' WHERE article = 'a'").await;

    Arrivals::accept(&store, &[Draft::of("nay").live()], at(70)).await.unwrap();
    planned(&store, "1", 71).await;
    assert_eq!(mailed(&store, "x", 71).await, [["c", "b", "nay"]]);
    assert_eq!(told(store.place(), "item.upcoming of a cannot be read back").await, 1);

    // somebody has mended it
    execute(&path, "UPDATE item SET upcoming = content WHERE article = 'a'").await;
    planned(&store, "2", 80).await;
    assert_eq!(mailed(&store, "y", 80).await, [["a"]]);
    nothing_is_told(store.place()).await;
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_left_out_of_a_mail_and_stays_owed() {
    let (_folder, path) = place();
    let store = DigestStore::open(&path).await.unwrap();
    reader(&store).await;
    Arrivals::accept(&store, &[Draft::of("a").live(), Draft::of("b").live()], at(1)).await.unwrap();
    planned(&store, "1", 2).await;
    execute(&path, "CREATE TABLE kept AS SELECT content FROM item WHERE article = 'a'").await;
    execute(&path, "UPDATE item SET content = '{\"kind\":' WHERE article = 'a'").await;
    assert_eq!(mailed(&store, "x", 2).await, [["b"]]);
    assert_eq!(told(store.place(), "item.content of a cannot be read back").await, 1);

    // a mail of which nothing can be read waits; it is not sent empty, nor given up
    planned(&store, "2", 5).await;
    assert!(mailed(&store, "y", 5).await.is_empty());
    assert!(mailed(&store, "y", 6).await.is_empty(), "nor looked at again and again");
    execute(&path, "UPDATE item SET content = (SELECT content FROM kept) WHERE article = 'a'").await;
    assert_eq!(mailed(&store, "z", 16).await, [["a"]]);
    nothing_is_told(store.place()).await;
}

#[tokio::test]
async fn an_article_whose_row_cannot_be_read_is_judged_by_what_was_seen_of_it() {
    let (_folder, path) = place();
    let digest = DigestStore::open(&path).await.unwrap();
    let (_other, feed_path) = place();
    let feed = FeedStore::open(&feed_path).await.unwrap();
    let arrival = |event: Event| FeedArrival { event, feeds: vec![FeedName::All] };
    let second = || Draft::of("a").revision(2).live();
    Arrivals::accept(&digest, &[second()], at(1)).await.unwrap();
    FeedChanges::accept(&feed, &[arrival(second())], at(1)).await.unwrap();
    for path in [&path, &feed_path] {
        execute(path, "UPDATE item SET revision = -5 WHERE article = 'a'").await;
    }
    let older = Arrivals::accept(&digest, &[Draft::of("a").live()], at(2)).await.unwrap();
    assert_eq!((older.fresh, older.stale), (1, 1), "the ledger knows that a higher one came");
    let older = FeedChanges::accept(&feed, &[arrival(Draft::of("a").live())], at(2)).await.unwrap();
    assert_eq!((older.fresh, older.stale), (1, 1));
    assert_eq!(told(digest.place(), "item.revision of a cannot be read back").await, 1);
    assert_eq!(told(feed.place(), "item.revision of a cannot be read back").await, 1);
    // a newer version writes the row anew
    let newer = || Draft::of("a").revision(3).live();
    assert_eq!(Arrivals::accept(&digest, &[newer()], at(3)).await.unwrap().stale, 0);
    assert_eq!(FeedChanges::accept(&feed, &[arrival(newer())], at(3)).await.unwrap().stale, 0);
    Arrivals::accept(&digest, &[Draft::of("a").revision(4).live()], at(4)).await.unwrap();
    nothing_is_told(digest.place()).await;
}

// ── feed ──

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_left_out_of_its_feeds_and_the_others_are_shown() {
    let (_folder, path) = place();
    let store = FeedStore::open(&path).await.unwrap();
    let arrivals =
        ["a", "b", "c"].map(|name| FeedArrival { event: Draft::of(name).live(), feeds: vec![FeedName::All] });
    FeedChanges::accept(&store, &arrivals, at(1)).await.unwrap();
    execute(&path, "UPDATE item SET content = '{\"kind\":' WHERE article = 'b'").await;
    let entries = store.entries(&FeedName::All, None, 10).await.unwrap();
    let shown: Vec<_> = entries.iter().map(|entry| entry.content.id().to_string()).collect();
    assert_eq!(shown, ["c", "a"]);
    assert_eq!(told(store.place(), "item.content of b cannot be read back").await, 1);
    execute(&path, "INSERT INTO feed (name, change, entries, entered) VALUES ('???', 99, 0, 1)").await;
    let (names, _) = store.changed(0, 10).await.unwrap();
    assert_eq!(names, [FeedName::All]);
    assert_eq!(store.summaries(at(9)).await.unwrap().len(), 1);
}

// ── push ──

async fn endpoints(store: &PushStore) {
    for name in ["tinh", "so"] {
        let endpoint = Endpoint {
            id: EndpointId::new(name).unwrap(),
            url: format!("https://{name}.example.gov.vn/loa").parse().unwrap(),
            description: String::new(),
            secrets: vec![vec![7; 32]],
            filter: EventFilter::default(),
            state: EndpointState::Enabled,
            created_at: at(0),
        };
        store.add_endpoint(&endpoint).await.unwrap();
    }
}

async fn due(store: &PushStore, minute: i64) -> Vec<String> {
    let due = store.claim(&lease("x", minute), &[], 100, 100).await.unwrap();
    let mut names: Vec<_> = due.iter().map(|one| format!("{}:{}", one.endpoint.id, one.article)).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_delivery_that_cannot_be_read_is_tried_again_later_and_the_others_go_out() {
    let (_folder, path) = place();
    let store = PushStore::open(&path).await.unwrap();
    endpoints(&store).await;
    Arrivals::accept(&store, &[Draft::of("a").live(), Draft::of("b").live()], at(1)).await.unwrap();
    execute(&path, "UPDATE delivery SET revision = -1 WHERE article = 'a' AND endpoint = 'so'").await;
    assert_eq!(due(&store, 2).await, ["so:b", "tinh:a", "tinh:b"]);
    assert_eq!(told(store.place(), "delivery.revision of").await, 1);
    assert!(due(&store, 3).await.is_empty());
    execute(&path, "UPDATE delivery SET revision = 1").await;
    assert!(due(&store, 15).await.contains(&"so:a".to_owned()));
    nothing_is_told(store.place()).await;
}

#[tokio::test]
async fn what_an_endpoint_is_owed_that_cannot_be_read_waits_for_it_and_others_get_theirs() {
    let (_folder, path) = place();
    let store = PushStore::open(&path).await.unwrap();
    endpoints(&store).await;
    execute(&path, "CREATE TABLE kept AS SELECT filter FROM endpoint WHERE id = 'so'").await;
    execute(&path, "UPDATE endpoint SET filter = '{\"ev' WHERE id = 'so'").await;
    Arrivals::accept(&store, &[Draft::of("a").live()], at(1)).await.unwrap();
    assert_eq!(due(&store, 2).await, ["tinh:a"]);
    assert_eq!(told(store.place(), "endpoint.filter of so cannot be read back").await, 1);
    execute(&path, "UPDATE endpoint SET filter = (SELECT filter FROM kept) WHERE id = 'so'").await;
    assert_eq!(due(&store, 3).await, ["so:a"], "nothing is lost to it");
    nothing_is_told(store.place()).await;
}

#[tokio::test]
async fn an_upcoming_event_that_cannot_be_read_holds_no_other_back_nor_what_comes_in() {
    let (_folder, path) = place();
    let store = PushStore::open(&path).await.unwrap();
    endpoints(&store).await;
    let upcoming = ["a", "b"].map(|name| Draft::of(name).published(60).live());
    Arrivals::accept(&store, &upcoming, at(1)).await.unwrap();
    execute(&path, "UPDATE upcoming SET revision = -1 WHERE article = 'a'").await;
    assert_eq!(due(&store, 70).await, ["so:b", "tinh:b"]);
    Arrivals::accept(&store, &[Draft::of("nay").live()], at(71)).await.unwrap();
    assert_eq!(due(&store, 71).await, ["so:nay", "tinh:nay"]);
    assert_eq!(told(store.place(), "upcoming.revision of").await, 1);
    execute(&path, "UPDATE upcoming SET revision = 1").await;
    assert_eq!(due(&store, 72).await, ["so:a", "tinh:a"]);
    nothing_is_told(store.place()).await;
}

// ── intake ──

#[tokio::test]
async fn an_outbox_row_that_cannot_be_read_is_tried_again_later_and_the_others_go_out() {
    let (_folder, path) = place();
    let store = IntakeStore::open(&path).await.unwrap();
    store.submit(&[submission("a", 1, None), submission("b", 1, None)]).await.unwrap();
    execute(&path, "UPDATE archive SET article = '' WHERE article = 'a'").await;
    let claimed =
        |rows: Vec<loa_store::OutboxRow>| rows.into_iter().map(|row| row.article.to_string()).collect::<Vec<_>>();
    assert_eq!(claimed(store.claim_outbox(&lease("x", 1), &loa_store::ClaimRoom::of(9)).await.unwrap()), ["b"]);
    assert_eq!(told(store.place(), "archive.article of 1 cannot be read back").await, 1);
    execute(&path, "UPDATE archive SET article = 'a' WHERE article = ''").await;
    assert_eq!(claimed(store.claim_outbox(&lease("y", 20), &loa_store::ClaimRoom::of(9)).await.unwrap()), ["a", "b"]);
    nothing_is_told(store.place()).await;
}

#[tokio::test]
async fn what_stands_of_an_article_is_told_by_the_archive_where_its_row_cannot_be_read() {
    let (_folder, path) = place();
    let store = IntakeStore::open(&path).await.unwrap();
    store.submit(&[submission("a", 1, None), submission("b", 1, None)]).await.unwrap();
    store.submit(&[submission("a", 2, Some(1))]).await.unwrap();
    execute(&path, "UPDATE standing SET revision = -9 WHERE article = 'a'").await;
    let current = store.current(&[id("a"), id("b")]).await.unwrap();
    assert_eq!(current.iter().flatten().map(|one| one.revision).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(told(store.place(), "standing.revision of a cannot be read back").await, 1);
    let stored = store.submit(&[submission("a", 3, Some(2))]).await.unwrap();
    assert_eq!(stored, [loa_store::Submitted::Stored]);
    store.current(&[id("a")]).await.unwrap();
    nothing_is_told(store.place()).await;
}

#[tokio::test]
async fn an_archived_event_that_cannot_be_read_is_passed_over_and_named_by_a_replay() {
    let (_folder, path) = place();
    let store = IntakeStore::open(&path).await.unwrap();
    store.submit(&[submission("a", 1, None), submission("b", 1, None), submission("c", 1, None)]).await.unwrap();
    execute(&path, "UPDATE archive SET event_type = 'vn.loa.articl' WHERE sequence <= 2").await;
    let mut query = ArchiveQuery { limit: 1, ..ArchiveQuery::default() };
    let mut read = Vec::new();
    loop {
        let page = store.archived(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = last.sequence;
        read.extend(page.iter().map(|event| event.article.to_string()));
    }
    assert_eq!(read, ["c"], "a page of which nothing can be read is not the end");
    assert_eq!(told(store.place(), "archive.event_type of 1 cannot be read back").await, 2);
}
