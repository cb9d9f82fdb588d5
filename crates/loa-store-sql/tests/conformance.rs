//! Runs every rule of `loa-store-conformance` against SQLite, each as a test of its own, on files of its own: as this program
//! makes them, and as the next one may have migrated them already while this one still runs.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use async_trait::async_trait;
use loa_store::{
    AccessLedger, DigestLedger, FeedLedger, HubLedger, IntakeLedger, PushLedger, ReceiptLedger, WatchLedger,
};
use loa_store_conformance::LedgerPlace;
use loa_store_sql::{AccessStore, DigestStore, FeedStore, IntakeStore, PushStore, ReceiptStore, WatchStore};
use sqlx::Connection;
use std::{collections::BTreeMap, sync::Arc};

struct Folder(tempfile::TempDir);

async fn folder() -> Folder {
    Folder(tempfile::tempdir().unwrap())
}

#[async_trait]
impl LedgerPlace for Folder {
    async fn access(&self) -> Arc<dyn AccessLedger> {
        Arc::new(AccessStore::open(self.0.path().join("access.db")).await.unwrap())
    }

    async fn intake(&self) -> Arc<dyn IntakeLedger> {
        Arc::new(IntakeStore::open(self.0.path().join("intake.db")).await.unwrap())
    }

    async fn feed(&self) -> Arc<dyn FeedLedger> {
        Arc::new(FeedStore::open(self.0.path().join("feed.db")).await.unwrap())
    }

    async fn digest(&self) -> Arc<dyn DigestLedger> {
        Arc::new(DigestStore::open(self.0.path().join("digest.db")).await.unwrap())
    }

    async fn push(&self) -> Arc<dyn PushLedger> {
        Arc::new(PushStore::open(self.0.path().join("push.db")).await.unwrap())
    }

    async fn hub(&self) -> Arc<dyn HubLedger> {
        Arc::new(PushStore::open(self.0.path().join("push.db")).await.unwrap())
    }

    async fn receipts(&self) -> Arc<dyn ReceiptLedger> {
        Arc::new(ReceiptStore::open(self.0.path().join("receipts.db")).await.unwrap())
    }

    async fn watch(&self) -> Arc<dyn WatchLedger> {
        Arc::new(WatchStore::open(self.0.path().join("watch.db")).await.unwrap())
    }

    async fn rows(&self, ledger: &str) -> BTreeMap<String, i64> {
        let mut hand = hand(&self.0.path().join(format!("{ledger}.db"))).await;
        let mut rows = BTreeMap::new();
        for table in tables(&mut hand).await {
            let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            rows.insert(table, sqlx::query_scalar(count).fetch_one(&mut hand).await.unwrap());
        }
        rows
    }
}

mod as_this_program_makes_them {
    loa_store_conformance::ledger_conformance_tests!(crate::folder, 48);
}

/// Files to which a later program has added columns and a table.
struct NextFolder(Folder);

async fn next_folder() -> NextFolder {
    let folder = folder().await;
    drop((
        folder.access().await,
        folder.intake().await,
        folder.feed().await,
        folder.digest().await,
        folder.push().await,
        folder.receipts().await,
        folder.watch().await,
    ));
    for ledger in ["access", "intake", "feed", "digest", "push", "receipts", "watch"] {
        add_what_comes_next(&folder.0.path().join(format!("{ledger}.db"))).await;
    }
    NextFolder(folder)
}

/// A hand of our own in a ledger's file.
async fn hand(path: &std::path::Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    sqlx::SqliteConnection::connect_with(&options).await.unwrap()
}

async fn tables(hand: &mut sqlx::SqliteConnection) -> Vec<String> {
    let list = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    sqlx::query_scalar(list).fetch_all(hand).await.unwrap()
}

async fn add_what_comes_next(path: &std::path::Path) {
    let mut hand = hand(path).await;
    let tables = tables(&mut hand).await;
    let mut step = String::from(
        "INSERT INTO migration (version, name, works_with) SELECT 9000, 'next', MAX(version) FROM migration; \
         CREATE TABLE next (id INTEGER);",
    );
    for table in tables {
        step += &format!("ALTER TABLE {table} ADD COLUMN next TEXT NOT NULL DEFAULT 'x';");
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(step)).execute(&mut hand).await.unwrap();
    hand.close().await.unwrap();
}

#[async_trait]
impl LedgerPlace for NextFolder {
    async fn access(&self) -> Arc<dyn AccessLedger> {
        self.0.access().await
    }

    async fn intake(&self) -> Arc<dyn IntakeLedger> {
        self.0.intake().await
    }

    async fn feed(&self) -> Arc<dyn FeedLedger> {
        self.0.feed().await
    }

    async fn digest(&self) -> Arc<dyn DigestLedger> {
        self.0.digest().await
    }

    async fn push(&self) -> Arc<dyn PushLedger> {
        self.0.push().await
    }

    async fn hub(&self) -> Arc<dyn HubLedger> {
        self.0.hub().await
    }

    async fn receipts(&self) -> Arc<dyn ReceiptLedger> {
        self.0.receipts().await
    }

    async fn watch(&self) -> Arc<dyn WatchLedger> {
        self.0.watch().await
    }

    async fn rows(&self, ledger: &str) -> BTreeMap<String, i64> {
        self.0.rows(ledger).await
    }
}

mod as_the_next_program_leaves_them {
    loa_store_conformance::ledger_conformance_tests!(crate::next_folder, 4);
}
