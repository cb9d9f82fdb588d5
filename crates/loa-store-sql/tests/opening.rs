//! Opening: made once, migrated once, refused with a sentence when it is not what this program knows.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use loa_domain::Scope;
use loa_store::{AccessLedger, FeedLedger, StoreErrorKind};
use loa_store_sql::{AccessStore, DigestStore, FeedStore, IntakeStore, PushStore};
use std::path::Path;

async fn execute(path: &Path, sql: &'static str) {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_ledger_is_made_with_its_folder_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/of/loa/access.db");
    let store = AccessStore::open(&path).await.unwrap();
    store.add_token("cms", Scope::Publish, "aa", "2026-03-01T00:00:00Z".parse().unwrap()).await.unwrap();
    drop(store);
    for _ in 0..2 {
        assert_eq!(AccessStore::open(&path).await.unwrap().tokens().await.unwrap().len(), 1);
    }
    let by_address = AccessStore::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    assert_eq!(by_address.tokens().await.unwrap().len(), 1);
    assert_eq!(AccessStore::open_checked(&path).await.unwrap().tokens().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_closed_ledger_is_one_file_and_says_that_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.db");
    let store = AccessStore::open(&path).await.unwrap();
    store.add_token("cms", Scope::Publish, "aa", "2026-03-01T00:00:00Z".parse().unwrap()).await.unwrap();
    store.close().await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["access.db"]);
    assert_eq!(store.tokens().await.unwrap_err().kind, StoreErrorKind::Unavailable);
    assert_eq!(AccessStore::open(&path).await.unwrap().tokens().await.unwrap().len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_a_ledger() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digest.db");
    let _store = DigestStore::open(&path).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}

#[tokio::test]
async fn an_address_of_an_unknown_kind_is_refused_with_a_sentence() {
    let error = FeedStore::connect("mysql://localhost/loa").await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Rejected);
    assert!(error.to_string().contains("\"mysql\""), "{error}");
}

#[tokio::test]
async fn a_ledger_that_is_not_there_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.db");
    let error = FeedStore::open_checked(&path).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("loa migrate"), "{error}");
    assert!(!path.exists());
}

#[tokio::test]
async fn an_older_ledger_asks_to_be_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.db");
    std::fs::write(&path, "").unwrap();
    let error = FeedStore::open_checked(&path).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("older than this program"), "{error}");
    assert!(error.to_string().contains("loa migrate"), "{error}");
    FeedStore::open(&path).await.unwrap();
    FeedStore::open_checked(&path).await.unwrap();
}

#[tokio::test]
async fn a_newer_ledger_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("push.db");
    drop(PushStore::open(&path).await.unwrap());
    execute(&path, "INSERT INTO migration (version, name) VALUES (9000, 'from the future')").await;
    for error in [PushStore::open(&path).await.unwrap_err(), PushStore::open_checked(&path).await.unwrap_err()] {
        assert_eq!(error.kind, StoreErrorKind::Rejected);
        assert!(error.to_string().contains("newer than this program"), "{error}");
    }
}

#[tokio::test]
async fn a_newer_ledger_that_says_it_works_with_this_program_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("push.db");
    drop(PushStore::open(&path).await.unwrap());
    execute(&path, "INSERT INTO migration (version, name, works_with) VALUES (9000, 'an index', 4)").await;
    PushStore::open(&path).await.unwrap();
    PushStore::open_checked(&path).await.unwrap();
    execute(&path, "UPDATE migration SET works_with = 3 WHERE version = 9000").await;
    let error = PushStore::open(&path).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Rejected, "step 3 is another ledger's: {error}");
}

#[tokio::test]
async fn a_file_made_before_steps_said_what_they_work_with_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("push.db");
    drop(PushStore::open(&path).await.unwrap());
    execute(&path, "ALTER TABLE migration DROP COLUMN works_with").await;
    PushStore::open_checked(&path).await.unwrap();
    PushStore::open(&path).await.unwrap();
}

#[tokio::test]
async fn another_ledgers_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("intake.db");
    drop(IntakeStore::open(&path).await.unwrap());
    let error = DigestStore::open(&path).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Rejected);
    assert!(error.to_string().contains("not the digest ledger"), "{error}");
    IntakeStore::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.db");
    std::fs::write(&path, "this is a text of some length, and certainly no database. ".repeat(100)).unwrap();
    let error = FeedStore::open(&path).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_open_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digest.db");
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { DigestStore::open(&path).await.map(drop) })
        })
        .collect();
    for one in opening {
        one.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_back_names_table_column_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.db");
    let store = FeedStore::open(&path).await.unwrap();
    execute(
        &path,
        "INSERT INTO item (article, revision, withdrawn, event_id, event_source, content, label, reason, sort_at)
         VALUES ('bai-1', 1, 0, 'e', 's', '{\"kind\":', '', '', 0);
         INSERT INTO place (feed, gone, sort_at, article) VALUES ('all', 0, 0, 'bai-1')",
    )
    .await;
    let error = store.entries(&loa_domain::FeedName::All, None, 10).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
    assert_eq!(error.to_string(), "item.content of bai-1 cannot be read back");
    assert!(std::error::Error::source(&error).is_some());
}
