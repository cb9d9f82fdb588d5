//! Restores that cannot know everything: each says so and lets nothing go out.

use crate::town::Town;
use jiff::SignedDuration;
use loa_store::ReceiptLedger;
use loa_svc_intake::{CopyAge, RestoreError, Restoring};
use loa_testkit::build::{article, published};

#[tokio::test]
async fn a_copy_older_than_the_receipts_is_refused_and_gives_nothing_out() {
    let mut town = Town::new().await;
    town.subscribe("na").await;
    town.copy("digest").await;
    town.publish(published(article("bai-1", 1))).await;
    town.at("2023-11-16T07:00:00+07:00").await;
    let copied_at = town.lose("digest").await;
    // weeks later, pruning has come past the copy
    let pruned_to = copied_at + SignedDuration::from_secs(1);
    assert!(town.receipts.prune(pruned_to, 1_000).await.unwrap() > 0);
    let error = town.try_restore("digest", copied_at).await.unwrap_err();
    assert!(matches!(error, RestoreError::CopyTooOld { .. }), "{error:?}");
    assert!(town.digest.step().await.is_err(), "it would mail everyone a second time");
    assert_eq!(town.mailbox("na").0, 1);

    // the operator takes it on himself
    let how = Restoring { copy: CopyAge::MadeAt(copied_at), even_if_incomplete: true };
    town.intake.restore(&*town.digest_ledger, &*town.receipts, how, |_| ()).await.unwrap();
    town.come_to_rest().await;
}

#[tokio::test]
async fn while_the_archive_lacks_an_article_that_was_mailed_the_ledger_gives_nothing_out() {
    let mut town = Town::new().await;
    town.subscribe("na").await;
    town.copy("digest").await;
    // the archive's queue is behind: the digest outlet has it first
    let event = published(article("bai-1", 1));
    town.digest.accept(std::slice::from_ref(&event)).await.unwrap();
    town.at("2023-11-16T07:00:00+07:00").await;
    let lost = town.digest_stands().await;
    let copied_at = town.lose("digest").await;
    let restored = town.try_restore("digest", copied_at).await.unwrap();
    assert_eq!(restored.deferred, 2, "its beginning and its end");
    assert!(town.digest.step().await.is_err(), "it gives nothing out");

    // the archive catches up; the same again
    town.intake.accept(&[event]).await.unwrap();
    let restored = town.try_restore("digest", copied_at).await.unwrap();
    assert_eq!(restored.deferred, 0);
    assert_eq!(town.digest_stands().await, lost);
    town.at("2023-11-17T07:00:00+07:00").await;
    assert_eq!(town.mailbox("na").0, 1);
}

#[tokio::test]
async fn without_receipts_nothing_is_restored() {
    let mut town = Town::new().await;
    town.copy("push").await;
    let copied_at = town.lose("push").await;
    let folder = tempfile::tempdir().unwrap();
    let empty = loa_store_sql::ReceiptStore::open(folder.path().join("receipts.db")).await.unwrap();
    let how = Restoring { copy: CopyAge::MadeAt(copied_at), even_if_incomplete: false };
    let error = town.intake.restore(&*town.push_ledger, &empty, how, |_| ()).await.unwrap_err();
    assert!(matches!(error, RestoreError::NoReceipts), "{error:?}");
    assert!(town.push.step().await.is_err());
}
