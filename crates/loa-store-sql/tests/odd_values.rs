//! A text that is no UTF-8, and a value of another type, in a row: that row is set aside, named and counted, and the others of
//! the same statement go on.
//!
//! SQLite keeps any bytes for a text. Types are strict in our tables, so another one is damage of the file; it is made here by a
//! connection that is told that they are not. PostgreSQL keeps neither.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use loa_domain::{
    EmailAddress, Endpoint, EndpointId, EndpointState, EventFilter, FeedName, Frequency, HubMode, MailOutcome,
    NotCarried, RunKey, SignatureAlgorithm, SubscriberId, SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{
    ArchiveQuery, Arrivals, CallClass, Deliveries, Endpoints, EventArchive, FeedArrival, FeedChanges, FeedViews,
    FetchOutcome, FetchRule, HubLedger, HubLimits, HubSubscriptionRequest, HubTaken, IntakeViews, MailRecord, Mails,
    Outbox, Runs, Submissions, SubscriptionRequest, Subscriptions, TopicKind,
};
use loa_store_conformance::build::{Draft, at, id, lease, submission};
use loa_store_sql::{DigestStore, FeedStore, IntakeStore, LedgerPlace, PushStore};
use sqlx::{Connection, SqliteConnection};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// No UTF-8, bytes, and a number, where a text should be.
const NO_TEXTS: [&str; 3] = ["CAST(x'74ff' AS TEXT)", "x'7461'", "7"];
/// A text where a number should be.
const NO_NUMBER: &str = "'bảy'";

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    (folder, path)
}

async fn open(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Runs a statement, for which no column of the table has a type; it is as before then.
async fn damage(path: &Path, table: &str, statement: &str) {
    let mut connection = open(path).await;
    let (was, version): (String, i64) = sqlx::query_as(
        "SELECT m.sql, v.schema_version FROM sqlite_master AS m, pragma_schema_version AS v WHERE m.name = $1",
    )
    .bind(table)
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let typeless = was.replace("STRICT", "").replace(" TEXT", "").replace(" INTEGER NOT", " NOT");
    for (step, sql) in [typeless, was].into_iter().enumerate() {
        let bump = format!("PRAGMA schema_version = {}", version + 1 + step as i64);
        for one in ["PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = $1 WHERE name = $2", &bump] {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(one.to_owned())).persistent(false);
            if one.contains("$1") {
                query = query.bind(sql.clone()).bind(table);
            }
            query.execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        connection = open(path).await;
        if step == 0 {
            sqlx::query("PRAGMA ignore_check_constraints = ON").execute(&mut connection).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
                .persistent(false)
                .execute(&mut connection)
                .await
                .unwrap();
        }
    }
    connection.close().await.unwrap();
}

/// Asserts that so many rows are set aside, and that each of these is named.
async fn told(place: LedgerPlace, count: u64, words: &[&str]) {
    let state = place.condition().await;
    assert_eq!((state.trouble.as_ref(), state.unreadable), (None, count), "{state:?}");
    for words in words {
        assert!(state.examples.iter().any(|said| said.contains(words)), "{words}: {state:?}");
    }
}

#[tokio::test]
async fn an_outbox_goes_on_around_rows_of_bad_text_and_other_types() {
    for (number, value) in NO_TEXTS.into_iter().enumerate() {
        let (_folder, path) = place();
        let store = IntakeStore::open(&path).await.unwrap();
        store.submit(&["a", "b", "c"].map(|name| submission(name, 1, None))).await.unwrap();
        damage(&path, "archive", &format!("UPDATE archive SET routing_key = {value} WHERE article = 'a'")).await;
        damage(&path, "outbox", &format!("UPDATE outbox SET attempts = {NO_NUMBER} WHERE article = 'c'")).await;
        let store = IntakeStore::open(&path).await.unwrap();
        let claimed = store.claim_outbox(&lease("x", 1), &loa_store::ClaimRoom::of(9)).await.unwrap();
        assert_eq!(claimed.iter().map(|row| row.article.as_str()).collect::<Vec<_>>(), ["b"], "{value}");
        told(store.place(), 2, &["archive.routing_key of 1 cannot be read back", "INTEGER column outbox.attempts"])
            .await;
        assert!(
            store.claim_outbox(&lease("y", 2), &loa_store::ClaimRoom::of(9)).await.unwrap().is_empty(),
            "nor tried again and again"
        );
        // a replay passes over it, and finds the others
        let page = store.archived(&ArchiveQuery { limit: 9, ..ArchiveQuery::default() }).await.unwrap();
        assert_eq!(page.len(), 2, "{number}");
    }
}

#[tokio::test]
async fn that_events_are_set_aside_is_told_though_the_first_or_all_of_them_cannot_be_read() {
    for value in NO_TEXTS {
        let (_folder, path) = place();
        let store = IntakeStore::open(&path).await.unwrap();
        store.submit(&["a", "b"].map(|name| submission(name, 1, None))).await.unwrap();
        let claimed = store.claim_outbox(&lease("x", 1), &loa_store::ClaimRoom::of(9)).await.unwrap();
        for (minute, row) in (1..).zip(&claimed) {
            store
                .outbox_set_aside(
                    "x",
                    &[row.sequence],
                    at(minute),
                    at(90),
                    &NotCarried::Told { said: "too large".into() },
                )
                .await
                .unwrap();
        }
        damage(&path, "outbox", &format!("UPDATE outbox SET error = {value} WHERE article = 'a'")).await;
        let store = IntakeStore::open(&path).await.unwrap();
        let told_of = store.outbox_state().await.unwrap().set_aside.unwrap();
        let too_large = NotCarried::Told { said: "too large".into() };
        assert_eq!((told_of.count, told_of.article.as_str(), told_of.why), (2, "b", too_large), "{value}");

        damage(&path, "outbox", &format!("UPDATE outbox SET article = {value} WHERE sequence = 2")).await;
        let told_of = IntakeStore::open(&path).await.unwrap().outbox_state().await.unwrap().set_aside.unwrap();
        assert_eq!((told_of.count, told_of.article.as_str(), told_of.since), (2, "a", at(0)), "{value}");
        assert_eq!(told_of.why, NotCarried::Unreadable);

        damage(&path, "archive", &format!("UPDATE archive SET article = {value} WHERE sequence = 1")).await;
        let told_of = IntakeStore::open(&path).await.unwrap().outbox_state().await.unwrap().set_aside.unwrap();
        assert_eq!((told_of.count, told_of.article.as_str()), (2, "unreadable-row-1"), "{value}");
    }
}

#[tokio::test]
async fn how_full_the_outbox_is_is_told_though_the_oldest_row_cannot_be_read() {
    let (_folder, path) = place();
    let store = IntakeStore::open(&path).await.unwrap();
    store.submit(&[submission("a", 1, None)]).await.unwrap();
    damage(&path, "outbox", &format!("UPDATE outbox SET submitted_at = {NO_NUMBER}")).await;
    let store = IntakeStore::open(&path).await.unwrap();
    let state = store.outbox_state().await.unwrap();
    assert_eq!((state.waiting, state.oldest_at, state.set_aside), (1, None, None));
    told(store.place(), 1, &["outbox.submitted_at of 1 cannot be read back"]).await;
}

#[tokio::test]
async fn what_stands_of_an_article_is_told_by_the_archive_where_its_row_has_bad_text() {
    let (_folder, path) = place();
    let store = IntakeStore::open(&path).await.unwrap();
    store.submit(&[submission("a", 1, None), submission("b", 1, None)]).await.unwrap();
    damage(&path, "standing", &format!("UPDATE standing SET category = {} WHERE article = 'a'", NO_TEXTS[0])).await;
    let store = IntakeStore::open(&path).await.unwrap();
    let current = store.current(&[id("a"), id("b")]).await.unwrap();
    let said: Vec<_> = current.iter().flatten().map(|one| (one.revision, one.category.as_str())).collect();
    assert_eq!(said, [(1, "kinh-te"), (1, "kinh-te")]);
    told(store.place(), 1, &["standing.category of a cannot be read back"]).await;
}

#[tokio::test]
async fn a_page_of_a_feed_goes_on_around_rows_of_bad_text_and_other_types() {
    for value in NO_TEXTS {
        let (_folder, path) = place();
        let store = FeedStore::open(&path).await.unwrap();
        let arrivals =
            ["a", "b", "c"].map(|name| FeedArrival { event: Draft::of(name).live(), feeds: vec![FeedName::All] });
        FeedChanges::accept(&store, &arrivals, at(1)).await.unwrap();
        damage(&path, "item", &format!("UPDATE item SET content = {value} WHERE article = 'b'")).await;
        damage(&path, "item", &format!("UPDATE item SET revision = {NO_NUMBER} WHERE article = 'c'")).await;
        let store = FeedStore::open(&path).await.unwrap();
        let entries = store.entries(&FeedName::All, None, 10).await.unwrap();
        assert_eq!(entries.iter().map(|entry| entry.content.id().to_string()).collect::<Vec<_>>(), ["a"], "{value}");
        told(store.place(), 2, &["item.content of b cannot be read back", "item.revision of c cannot be read back"])
            .await;
        // what comes in is judged by what was seen, and a newer version writes the row anew
        for name in ["b", "c"] {
            let newer = FeedArrival { event: Draft::of(name).revision(2).live(), feeds: vec![FeedName::All] };
            assert_eq!(FeedChanges::accept(&store, &[newer], at(2)).await.unwrap().stale, 0);
        }
        assert_eq!(store.entries(&FeedName::All, None, 10).await.unwrap().len(), 3);
        told(store.place(), 0, &[]).await;
    }
}

async fn reader(store: &DigestStore, name: &str) {
    let request = SubscriptionRequest {
        subscriber: SubscriberId::new(format!("p-{name}")).unwrap(),
        subscription: SubscriptionId::new(format!("s-{name}")).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.gov.vn")).unwrap(),
        wish: Wish { areas: [].into(), categories: [].into() },
        frequency: Frequency::Daily,
        state: SubscriptionState::Active,
        token: format!("token-{name}"),
        token_hash: format!("hash-{name}"),
        at: at(0),
    };
    store.subscribe(&[request]).await.unwrap();
}

/// A run of the daily mails, planned to its end.
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

#[tokio::test]
async fn mails_go_on_around_rows_of_bad_text_and_other_types() {
    for value in NO_TEXTS {
        let (_folder, path) = place();
        let store = DigestStore::open(&path).await.unwrap();
        for name in ["an", "ba", "cu", "du"] {
            reader(&store, name).await;
        }
        Arrivals::accept(&store, &[Draft::of("a").live(), Draft::of("b").live()], at(1)).await.unwrap();
        planned(&store, "1", 2).await;
        damage(&path, "mail", &format!("UPDATE mail SET state = {value} WHERE subscription = 's-an'")).await;
        damage(&path, "mail", &format!("UPDATE mail SET attempts = {NO_NUMBER} WHERE subscription = 's-ba'")).await;
        damage(&path, "subscription", &format!("UPDATE subscription SET token = {value} WHERE id = 's-cu'")).await;
        damage(&path, "item", &format!("UPDATE item SET reason = {value} WHERE article = 'b'")).await;
        let store = DigestStore::open(&path).await.unwrap();
        let mails = store.claim_mails(&lease("x", 2), 1).await.unwrap();
        let said: Vec<_> = mails.iter().map(|mail| (mail.id.subscription.as_str(), mail.items.len())).collect();
        assert_eq!(said, [("s-du", 1)], "{value}: they take nobody's place");
        let words = [
            "mail.state of 1/s-an cannot be read back",
            "mail.attempts of 1/s-ba cannot be read back",
            "subscription.token of s-cu cannot be read back",
            "item.reason of b cannot be read back",
        ];
        told(store.place(), 4, &words).await;
        let record = MailRecord { id: mails[0].id.clone(), outcome: MailOutcome::Sent("250 ok".into()), at: at(2) };
        assert_eq!(store.submitting("x", std::slice::from_ref(&mails[0].id), at(2)).await.unwrap().len(), 1);
        assert_eq!(store.record_mails("x", &[record]).await.unwrap(), 1);
    }
}

async fn endpoint(store: &PushStore, name: &str) {
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

#[tokio::test]
async fn deliveries_go_on_around_rows_of_bad_text_and_other_types() {
    for value in NO_TEXTS {
        let (_folder, path) = place();
        let store = PushStore::open(&path).await.unwrap();
        for name in ["tinh", "so"] {
            endpoint(&store, name).await;
        }
        Arrivals::accept(&store, &[Draft::of("a").live(), Draft::of("b").live()], at(1)).await.unwrap();
        damage(&path, "event", &format!("UPDATE event SET event_type = {value} WHERE event_id LIKE '%a%' AND id = 1"))
            .await;
        damage(&path, "endpoint", &format!("UPDATE endpoint SET filter = {value} WHERE id = 'so'")).await;
        let store = PushStore::open(&path).await.unwrap();
        let due = store.claim(&lease("x", 2), &[], 100, 100).await.unwrap();
        let due: Vec<_> = due.iter().map(|one| format!("{}:{}", one.endpoint.id, one.article)).collect();
        assert_eq!(due, ["tinh:b"], "{value}");
        told(store.place(), 2, &["endpoint.filter of so cannot be read back", "delivery.event_type of"]).await;
        // what comes in meanwhile is owed to both
        Arrivals::accept(&store, &[Draft::of("c").live()], at(3)).await.unwrap();
        let due = store.claim(&lease("x", 3), &[], 100, 100).await.unwrap();
        assert_eq!(due.len(), 1, "of the other it waits");
    }
}

#[tokio::test]
async fn a_survey_finds_the_rows_that_nobody_has_met_yet() {
    let (_folder, path) = place();
    let store = FeedStore::open(&path).await.unwrap();
    let arrivals: Vec<_> = (0..1_200)
        .map(|n| FeedArrival { event: Draft::of(&format!("a{n:04}")).live(), feeds: vec![FeedName::All] })
        .collect();
    FeedChanges::accept(&store, &arrivals, at(1)).await.unwrap();
    for article in ["a0000", "a0499", "a0500", "a1199"] {
        damage(&path, "item", &format!("UPDATE item SET content = {} WHERE article = '{article}'", NO_TEXTS[0])).await;
    }
    let place = FeedStore::open(&path).await.unwrap().place();
    told(place.clone(), 0, &[]).await;
    assert!(!place.survey(Duration::ZERO).await.unwrap(), "it was time to end");
    assert!(place.survey(Duration::from_secs(60)).await.unwrap());
    told(place, 4, &["item.content of a0000 cannot", "item.content of a0500 cannot", "item.content of a1199 cannot"])
        .await;
}

#[tokio::test]
async fn every_ledger_is_surveyed_and_a_good_one_has_nothing_to_tell() {
    let (_folder, path) = place();
    let file = |name: &str| path.with_file_name(name);
    let places = [
        IntakeStore::open(file("intake.db")).await.unwrap().place(),
        FeedStore::open(file("feed.db")).await.unwrap().place(),
        DigestStore::open(file("digest.db")).await.unwrap().place(),
        PushStore::open(file("push.db")).await.unwrap().place(),
    ];
    for place in places {
        assert!(place.survey(Duration::from_secs(60)).await.unwrap());
        told(place, 0, &[]).await;
    }
}

#[tokio::test]
async fn a_run_whose_pause_cannot_be_read_stops_and_the_others_go_on() {
    let (_folder, path) = place();
    let store = DigestStore::open(&path).await.unwrap();
    reader(&store, "an").await;
    reader(&store, "ba").await;
    Arrivals::accept(&store, &[Draft::of("a").live()], at(1)).await.unwrap();
    planned(&store, "1", 2).await;
    Arrivals::accept(&store, &[Draft::of("b").live()], at(3)).await.unwrap();
    planned(&store, "2", 4).await;
    damage(&path, "run", &format!("UPDATE run SET paused = {} WHERE slot = '1'", NO_TEXTS[1])).await;
    let store = DigestStore::open(&path).await.unwrap();
    for minute in [5, 6] {
        let mails = store.claim_mails(&lease(&format!("x{minute}"), minute), 1).await.unwrap();
        assert_eq!((mails.len(), mails[0].run.slot.as_str()), (1, "2"));
        told(store.place(), 1, &["run.paused of 1 cannot be read back"]).await;
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_given_up_holds_no_other_back() {
    let (_folder, path) = place();
    let store = DigestStore::open(&path).await.unwrap();
    reader(&store, "an").await;
    reader(&store, "ba").await;
    Arrivals::accept(&store, &[Draft::of("a").live()], at(1)).await.unwrap();
    planned(&store, "1", 2).await;
    let lost = "UPDATE mail SET state = 'submitting', in_doubt = 1, email_key = x'00' WHERE subscription = 's-an'";
    damage(&path, "mail", lost).await;
    let store = DigestStore::open(&path).await.unwrap();
    let mails = store.claim_mails(&lease("x", 3), 1).await.unwrap();
    assert_eq!(mails.iter().map(|mail| mail.id.subscription.as_str()).collect::<Vec<_>>(), ["s-ba"]);
    told(store.place(), 1, &["mail of 1/s-an cannot be written"]).await;
}

#[tokio::test]
async fn an_upcoming_article_that_cannot_be_written_holds_no_other_back() {
    let (_folder, path) = place();
    let store = DigestStore::open(&path).await.unwrap();
    reader(&store, "an").await;
    let upcoming = ["a", "b"].map(|name| Draft::of(name).published(60).live());
    Arrivals::accept(&store, &upcoming, at(1)).await.unwrap();
    damage(&path, "item", "UPDATE item SET reason = x'00' WHERE article = 'a'").await;
    let store = DigestStore::open(&path).await.unwrap();
    planned(&store, "1", 70).await;
    let mails = store.claim_mails(&lease("x", 70), 9).await.unwrap();
    let said: Vec<_> = mails.iter().flat_map(|mail| &mail.items).map(|item| item.article.as_str()).collect();
    assert_eq!(said, ["b"]);
    told(store.place(), 1, &["item of a cannot be written"]).await;
}

#[tokio::test]
async fn a_survey_reads_the_mails_of_every_run_and_a_good_one_takes_nothing_back() {
    let (_folder, path) = place();
    let store = DigestStore::open(&path).await.unwrap();
    for number in 0..60 {
        reader(&store, &format!("n{number:02}")).await;
    }
    for (slot, minute) in [("1", 2), ("2", 4)] {
        Arrivals::accept(&store, &[Draft::of(&format!("a{slot}")).live()], at(minute - 1)).await.unwrap();
        planned(&store, slot, minute).await;
    }
    for (run, subscription) in [(1, "s-n00"), (1, "s-n55"), (2, "s-n20")] {
        let bad =
            format!("UPDATE mail SET attempts = {NO_NUMBER} WHERE run = {run} AND subscription = '{subscription}'");
        damage(&path, "mail", &bad).await;
    }
    let place = DigestStore::open(&path).await.unwrap().place();
    assert!(place.survey(Duration::from_secs(60)).await.unwrap());
    let named = ["1/s-n00", "1/s-n55", "2/s-n20"].map(|name| format!("mail.attempts of {name} cannot be read back"));
    told(place, 3, &named.each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn a_survey_reads_all_of_what_waits() {
    let (_folder, path) = place();
    let store = IntakeStore::open(&path).await.unwrap();
    store.submit(&["a", "b", "c"].map(|name| submission(name, 1, None))).await.unwrap();
    damage(&path, "outbox", &format!("UPDATE outbox SET submitted_at = {NO_NUMBER} WHERE article = 'a'")).await;
    damage(&path, "outbox", &format!("UPDATE outbox SET error = {} WHERE article = 'b'", NO_TEXTS[0])).await;
    damage(&path, "archive", "UPDATE archive SET body = 7 WHERE article = 'c'").await;
    let place_of = IntakeStore::open(&path).await.unwrap().place();
    assert!(place_of.survey(Duration::from_secs(60)).await.unwrap());
    let words = ["outbox.submitted_at of 1 cannot", "outbox.error of 2 cannot", "archive.body of 3 cannot"];
    told(place_of, 3, &words).await;

    let (_folder, path) = place();
    let store = DigestStore::open(&path).await.unwrap();
    let upcoming = ["a", "b"].map(|name| Draft::of(name).published(60).live());
    Arrivals::accept(&store, &upcoming, at(1)).await.unwrap();
    damage(&path, "item", &format!("UPDATE item SET upcoming = {} WHERE article = 'a'", NO_TEXTS[0])).await;
    damage(&path, "item", &format!("UPDATE item SET shown_from = {NO_NUMBER} WHERE article = 'b'")).await;
    let place = DigestStore::open(&path).await.unwrap().place();
    assert!(place.survey(Duration::from_secs(60)).await.unwrap());
    told(place, 2, &["item.upcoming of a cannot be read back", "item.shown_from of b cannot be read back"]).await;
}

#[tokio::test]
async fn deliveries_that_cannot_be_written_take_no_place_among_what_an_endpoint_may_have() {
    let (_folder, path) = place();
    let store = PushStore::open(&path).await.unwrap();
    endpoint(&store, "so").await;
    let events: Vec<_> = (0..8).map(|number| Draft::of(&format!("a{number}")).live()).collect();
    Arrivals::accept(&store, &events, at(1)).await.unwrap();
    damage(&path, "delivery", &format!("UPDATE delivery SET created_at = {NO_NUMBER} WHERE number <= 4")).await;
    let store = PushStore::open(&path).await.unwrap();
    for (holder, names) in [("x", ["a4", "a5"]), ("y", ["a6", "a7"])] {
        let due = store.claim(&lease(holder, 2), &[], if holder == "x" { 2 } else { 4 }, 2).await.unwrap();
        assert_eq!(due.iter().map(|one| one.article.as_str()).collect::<Vec<_>>(), names);
    }
    told(store.place(), 4, &["delivery of 1 cannot be written", "delivery of 4 cannot be written"]).await;
    assert!(store.claim(&lease("z", 2), &[], 4, 9).await.unwrap().is_empty(), "it has as many as it may");
}

#[tokio::test]
async fn a_withdrawal_is_taken_in_over_an_article_with_values_of_other_types() {
    for (column, stays) in [("content", false), ("category", false), ("reason", true), ("sequence", true)] {
        let (_folder, path) = place();
        let store = DigestStore::open(&path).await.unwrap();
        reader(&store, "an").await;
        Arrivals::accept(&store, &[Draft::of("a").live(), Draft::of("b").live()], at(1)).await.unwrap();
        damage(&path, "item", &format!("UPDATE item SET {column} = x'00' WHERE article = 'a'")).await;
        let store = DigestStore::open(&path).await.unwrap();
        let accepted = Arrivals::accept(&store, &[Draft::of("a").revision(2).withdrawn("sai")], at(2)).await.unwrap();
        assert_eq!((accepted.fresh, accepted.stale), (1, 0), "{column}");
        told(store.place(), 0, &[]).await;
        let mut connection = open(&path).await;
        let kept: (i64, i64, bool) =
            sqlx::query_as("SELECT revision, withdrawn, content IS NOT NULL FROM item WHERE article = 'a'")
                .fetch_one(&mut connection)
                .await
                .unwrap();
        assert_eq!(kept, (2, 1, stays), "{column}");
        connection.close().await.unwrap();
        planned(&store, "1", 3).await;
        let mails = store.claim_mails(&lease("x", 3), 9).await.unwrap();
        let said: Vec<_> = mails.iter().flat_map(|mail| &mail.items).map(|item| item.article.as_str()).collect();
        assert_eq!(said, ["b"], "{column}");
    }
}

const TOPICS: [&str; 3] =
    ["https://loa.example.gov.vn/1", "https://loa.example.gov.vn/2", "https://loa.example.gov.vn/3"];

async fn wanted(store: &PushStore, topic: &str, host: &str, path: &str) {
    let limits = HubLimits {
        subscriptions_max: 100,
        subscriptions_per_host_max: 50,
        requests_max: 100,
        topics_max: 10,
        combinations_percent: 20,
        requests_per_host_burst: 50,
        request_interval: Duration::from_secs(60),
    };
    let callback = format!("https://{host}/{path}");
    let request = HubSubscriptionRequest {
        mode: HubMode::Subscribe,
        topic: topic.into(),
        kind: TopicKind::Feed,
        topic_written: topic.into(),
        callback_form: callback.clone(),
        callback,
        host: host.into(),
        lease_seconds: 864_000,
        secret: None,
        algorithm: SignatureAlgorithm::Sha256,
        token: None,
    };
    assert_eq!(store.hub_request(&request, &limits, at(0)).await.unwrap(), HubTaken::Taken);
}

fn fetch_rule() -> FetchRule {
    let pause = Duration::from_secs(60);
    FetchRule {
        delays: [pause].into(),
        combination_delays: [pause].into(),
        fetch_pause: pause,
        notice_pause: Duration::ZERO,
    }
}

#[tokio::test]
async fn topics_of_the_hub_that_cannot_be_written_take_nobodys_place() {
    let (_folder, path) = place();
    let store = PushStore::open(&path).await.unwrap();
    for topic in TOPICS {
        wanted(&store, topic, "a.example.gov.vn", topic.rsplit('/').next().unwrap()).await;
    }
    damage(&path, "hub_topic", &format!("UPDATE hub_topic SET version = {NO_NUMBER} WHERE topic LIKE '%/1'")).await;
    let store = PushStore::open(&path).await.unwrap();
    assert_eq!(store.hub_fetch_soon(None, &fetch_rule(), at(1)).await.unwrap(), 2);
    for (holder, topic) in [("x", TOPICS[1]), ("y", TOPICS[2])] {
        let due = store.hub_claim_topics(TopicKind::Feed, &lease(holder, 1), 1).await.unwrap();
        assert_eq!(due.iter().map(|due| due.topic.as_str()).collect::<Vec<_>>(), [topic]);
    }
    told(store.place(), 1, &["hub_topic of https://loa.example.gov.vn/1 cannot be written"]).await;
}

#[tokio::test]
async fn subscriptions_of_the_hub_that_cannot_be_written_take_nobodys_place() {
    let (_folder, path) = place();
    let store = PushStore::open(&path).await.unwrap();
    for (host, name) in [("a.example.gov.vn", "1"), ("a.example.gov.vn", "2"), ("b.example.gov.vn", "3")] {
        wanted(&store, TOPICS[0], host, name).await;
    }
    let due = store.hub_claim_topics(TopicKind::Feed, &lease("x", 1), 9).await.unwrap();
    let seen = FetchOutcome::Read { etag: None, modified_at: None, content_type: "a/b".into(), body: b"1"[..].into() };
    store.hub_record_fetches("x", &[(due[0].topic.clone(), seen)], &fetch_rule(), at(1)).await.unwrap();
    let bad = format!("UPDATE hub_subscription SET created_at = {NO_NUMBER} WHERE callback LIKE '%/1'");
    damage(&path, "hub_subscription", &bad).await;
    let store = PushStore::open(&path).await.unwrap();
    for (holder, callback) in [("y", "https://a.example.gov.vn/2"), ("z", "https://b.example.gov.vn/3")] {
        let calls = store.hub_claim(CallClass::Requests, &lease(holder, 2), 1, 1).await.unwrap();
        assert_eq!(calls.iter().map(|call| call.callback.as_str()).collect::<Vec<_>>(), [callback]);
    }
    told(store.place(), 1, &["hub_subscription of 1 cannot be written"]).await;
}
