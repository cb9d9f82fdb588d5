//! Opening: made once, migrated once, refused with a sentence when it is not what this program knows.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use jiff::{SignedDuration, Timestamp};
use loa_domain::{Because, HubState, MailReason, MailState, PauseReason, Scope};
use loa_store::{
    AccessLedger, CallClass, DigestViews, FeedViews, HubAbout, HubLedger, HubQuery, Lease, Mails, StoreErrorKind,
};
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
    store.add_token("cms", Scope::Publish, "aa", &[], "2026-03-01T00:00:00Z".parse().unwrap()).await.unwrap();
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
    store.add_token("cms", Scope::Publish, "aa", &[], "2026-03-01T00:00:00Z".parse().unwrap()).await.unwrap();
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
    let error = store.standing(&"bai-1".parse().unwrap()).await.unwrap_err();
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
         INSERT INTO mail (run, subscription, email_key, state, attempts, in_doubt, detail) VALUES
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

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

/// What an earlier version wrote, under its words: a mail in doubt, a subscription at the hub that is asked, a host left alone.
const OLD_DIGEST: &str = "ALTER TABLE mail RENAME COLUMN in_doubt TO orphaned;
    DELETE FROM migration WHERE version = 25;
    INSERT INTO wish (id, key, every_area, every_category) VALUES (1, 'areas=*;categories=*', 1, 1);
    INSERT INTO run (id, frequency, due_on, slot, zone, cutoff, planned, planned_to, created_at)
        VALUES (7, 'daily', '2023-11-16', 'tay-080222000', 'Asia/Ho_Chi_Minh', 0, 1, '', 0);
    INSERT INTO subscriber (id, email, email_key, created_at) VALUES ('p', 'a@b.vn', 'a@b.vn', 0);
    INSERT INTO subscription (id, subscriber, frequency, wish, state, token, token_hash, since, considered)
        VALUES ('s', 'p', 'daily', 1, 'active', 't', 't', 0, 0);
    INSERT INTO mail (run, subscription, email_key, state, ready_at, attempts, orphaned, detail)
        VALUES (7, 's', 'a@b.vn', 'submitting', 0, 2, 1, '');";
const OLD_PUSH: &str = "ALTER TABLE hub_topic RENAME COLUMN fetched_at TO looked_at;
    ALTER TABLE hub_topic RENAME COLUMN fetches TO looks;
    ALTER TABLE hub_subscription RENAME COLUMN call_class TO lane;
    ALTER TABLE hub_host RENAME COLUMN openings TO rests;
    ALTER TABLE hub_host RENAME COLUMN calls_from TO rest_until;
    ALTER TABLE hub_host RENAME COLUMN requests_at TO wishes_at;
    ALTER TABLE hub_request RENAME TO hub_wish;
    UPDATE counter SET name = 'hub_wish' WHERE name = 'hub_request';
    UPDATE counter SET name = 'hub_swept_at' WHERE name = 'hub_cleaned_up_at';
    DROP INDEX hub_request_asked; CREATE INDEX hub_wish_asked ON hub_wish (asked_at, subscription);
    DROP INDEX hub_topic_fetch; CREATE INDEX hub_topic_look ON hub_topic (combination, ready_at, topic);
    DELETE FROM migration WHERE version = 25;
    INSERT INTO hub_topic (topic, version, looks, ready_at, content_type, body)
        VALUES ('https://a.vn/feeds/all.atom', 1, 3, 0, 'application/atom+xml', x'00');
    INSERT INTO hub_subscription (number, topic, callback_form, host, callback, algorithm, version, tries, lane, ready_at,
        created_at, detail) VALUES (1, 'https://a.vn/feeds/all.atom', 'https://b.vn/cb', 'b.vn', 'https://b.vn/cb', 'sha256',
        0, 0, 1, 0, 0, '');
    INSERT INTO hub_wish (subscription, number, mode, topic_written, callback, algorithm, lease_seconds, reason, version,
        asked_at, due_at, tries) VALUES (1, 41, 'subscribe', 'https://a.vn/feeds/all.atom', 'https://b.vn/cb', 'sha256',
        864000, '', 1, 0, 0, 0);
    INSERT INTO hub_host (host, verify_at, failures, rests, rest_until, wishes_at) VALUES ('b.vn', 0, 3, 1, 7200000, 0);";

#[tokio::test]
async fn what_was_written_under_the_words_of_before_is_read_under_those_of_now() {
    let folder = tempfile::tempdir().unwrap();
    let (digest, push) = (folder.path().join("digest.db"), folder.path().join("push.db"));
    DigestStore::open(&digest).await.unwrap().close().await;
    PushStore::open(&push).await.unwrap().close().await;
    execute(&digest, OLD_DIGEST).await;
    execute(&push, OLD_PUSH).await;

    let store = DigestStore::open(&digest).await.unwrap();
    let lease = Lease { holder: "a".into(), now: at(1), until: at(2) };
    assert!(store.claim_mails(&lease, 10).await.unwrap().is_empty(), "in doubt twice, it is not sent a third time");
    let mails = store.mails(7, "", 10).await.unwrap();
    assert_eq!((mails[0].state, mails.len()), (MailState::Uncertain, 1));
    assert_eq!(store.run(7).await.unwrap().unwrap().key.slot, "tay-080222000", "its Message-IDs are made of it");

    let store = PushStore::open(&push).await.unwrap();
    let calls = store.hub_claim(CallClass::Requests, &lease, 5, 10).await.unwrap();
    assert_eq!(calls.iter().map(|call| call.call.about()).collect::<Vec<_>>(), [HubAbout::Request(41)]);
    let query = HubQuery { topic: None, host: Some("b.vn".into()), after: None, limit: 10 };
    assert_eq!(store.hub_subscriptions(&query).await.unwrap()[0].state, HubState::Pending);
}
