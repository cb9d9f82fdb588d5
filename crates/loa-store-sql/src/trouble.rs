//! Tests: what callers are told when the engine is in trouble (a lock that is not released, a full disk).

use crate::{IntakeStore, db::Db, db::Tx};
use loa_domain::{EventKey, EventType};
use loa_store::{IntakeViews, Ledger, StoreErrorKind, Submission, Submissions, Submitted};

async fn tell_writer(db: &Db, pragma: &'static str) {
    let Db::Sqlite(file) = db else { panic!("a file is in trouble here") };
    sqlx::raw_sql(pragma).execute(&file.write).await.unwrap();
}

fn submission(n: usize) -> Submission {
    Submission {
        key: EventKey { source: "s".into(), id: format!("e{n}") },
        event_type: EventType::ArticlePublished,
        article: format!("a{n}").parse().unwrap(),
        revision: 1,
        fingerprint: String::new(),
        expect: None,
        category: "kinh-te".into(),
        routing_key: "article.published.kinh-te".into(),
        lane: loa_domain::Lane::Live,
        body: vec![b'x'; 200_000],
        at: "2026-03-01T00:00:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_lock_that_is_not_given_up_is_unavailable_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("intake.db");
    let (one, two) = (IntakeStore::open(&path).await.unwrap(), IntakeStore::open(&path).await.unwrap());
    tell_writer(&two.db, "PRAGMA busy_timeout = 0").await;
    let held: Tx = one.db.begin().await.unwrap();
    let error = two.submit(&[submission(1)]).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert_eq!(error.to_string(), "could not store submissions: the ledger is busy");
    assert_eq!(two.outbox_state().await.unwrap().waiting, 0);
    drop(held);
    // The lock is given back by the dropped transaction's connection, before it serves anyone else.
    one.ping().await.unwrap();
    drop(one.db.begin().await.unwrap());
    tell_writer(&two.db, "PRAGMA busy_timeout = 10000").await;
    assert_eq!(two.submit(&[submission(1)]).await.unwrap(), [Submitted::Stored]);
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = IntakeStore::open(folder.path().join("intake.db")).await.unwrap();
    tell_writer(&store.db, "PRAGMA max_page_count = 200").await; // 200 pages of 4 KiB
    assert_eq!(store.submit(&[submission(1)]).await.unwrap(), [Submitted::Stored]);
    let error = store.submit(&[submission(2), submission(3), submission(4), submission(5)]).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().starts_with("could not store submissions: the disk that holds the file "), "{error}");
    assert_eq!(store.outbox_state().await.unwrap().waiting, 1);
    tell_writer(&store.db, "PRAGMA max_page_count = 100000").await;
    assert_eq!(store.submit(&[submission(2)]).await.unwrap(), [Submitted::Stored], "room again: it goes on");
}

#[tokio::test]
async fn a_connection_whose_transaction_the_engine_ended_by_itself_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let store = IntakeStore::open(folder.path().join("intake.db")).await.unwrap();
    for commits in [false, true] {
        // what SQLite does by itself when the disk is full in the middle of a transaction, or at its end
        let mut tx = store.db.begin().await.unwrap();
        on!(&mut tx, c: D => sqlx::raw_sql("ROLLBACK").execute(c).await.map(drop).unwrap());
        if commits {
            assert!(tx.commit().await.is_err());
        } else {
            drop(tx);
        }
        let n = usize::from(commits);
        assert_eq!(store.submit(&[submission(n)]).await.unwrap(), [Submitted::Stored], "it goes on");
        let mut tx = store.db.snapshot().await.unwrap();
        on!(&mut tx, c: D => sqlx::raw_sql("ROLLBACK").execute(c).await.map(drop).unwrap());
        drop(tx);
        drop(store.db.snapshot().await.unwrap());
    }
}
