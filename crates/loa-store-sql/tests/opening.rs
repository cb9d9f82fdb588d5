//! Opening: made once, migrated once, refused with a sentence when it is not what this program knows.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use loa_domain::{Because, MailReason, PauseReason, Scope};
use loa_store::{AccessLedger, DigestViews, FeedViews, StoreErrorKind};
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
async fn a_file_that_is_no_ledger_is_said_so_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.db");
    std::fs::write(&path, "this is a text of some length, and certainly no database. ".repeat(100)).unwrap();
    let error = FeedStore::open(&path).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("feed.db is no ledger"), "{error}");
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
    let error = store.standing(&loa_domain::ArticleId::new("bai-1").unwrap()).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
    assert_eq!(error.to_string(), "item.content of bai-1 cannot be read back");
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn reasons_that_were_kept_as_sentences_become_words_or_are_shown_as_noted_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digest.db");
    DigestStore::open(&path).await.unwrap().close().await;
    execute(
        &path,
        "ALTER TABLE mail DROP COLUMN reason; ALTER TABLE run DROP COLUMN pause_reason;
         DELETE FROM migration WHERE version = 14;
         INSERT INTO wish (id, key, every_area, every_category) VALUES (1, 'areas=*;categories=*', 1, 1);
         INSERT INTO run (id, frequency, due_on, slot, zone, cutoff, planned, planned_to, paused, created_at)
            VALUES (7, 'daily', '2023-11-16', '', 'Asia/Ho_Chi_Minh', 0, 1, '', '554 5.7.1 policy', 0);
         INSERT INTO subscriber (id, email, email_key, created_at)
            VALUES ('pa', 'a@b.vn', 'a@b.vn', 0), ('pb', 'b@b.vn', 'b@b.vn', 0), ('pc', 'c@b.vn', 'c@b.vn', 0);
         INSERT INTO subscription (id, subscriber, frequency, wish, state, token, token_hash, since, considered)
            SELECT 's' || id, id, 'daily', 1, 'active', id, id, 0, 0 FROM subscriber;
         INSERT INTO mail (run, subscription, email_key, state, attempts, orphaned, detail) VALUES
            (7, 'spa', 'a@b.vn', 'suppressed', 0, 0, 'đăng ký đã kết thúc'),
            (7, 'spb', 'b@b.vn', 'failed', 1, 0, '550 5.1.1 no such user'),
            (7, 'spc', 'c@b.vn', 'sent', 1, 0, '250 ok');",
    )
    .await;
    let store = DigestStore::open(&path).await.unwrap();
    let mails = store.mails(7, "", 10).await.unwrap();
    let told: Vec<_> = mails.iter().map(|mail| (mail.reason, mail.words.as_str())).collect();
    assert_eq!(
        told,
        [
            (Some(MailReason::SubscriptionEnded), ""),
            (Some(MailReason::NotedBefore), "550 5.1.1 no such user"),
            (None, "250 ok")
        ]
    );
    let paused = store.run(7).await.unwrap().unwrap().paused;
    assert_eq!(paused, Some(Because::said(PauseReason::NotedBefore, "554 5.7.1 policy")));
}
