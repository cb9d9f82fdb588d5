//! Runs every rule of `loa-store`'s suite against SQLite, each as a test of its own, on files of its own.
#![allow(clippy::unwrap_used)] // a panic is the failure message

use async_trait::async_trait;
use loa_store::{AccessLedger, DigestLedger, FeedLedger, IntakeLedger, PushLedger, conformance::Place};
use loa_store_sql::{AccessStore, DigestStore, FeedStore, IntakeStore, PushStore};
use std::sync::Arc;

struct Folder(tempfile::TempDir);

async fn folder() -> Folder {
    Folder(tempfile::tempdir().unwrap())
}

#[async_trait]
impl Place for Folder {
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
}

loa_store::ledger_conformance_tests!(crate::folder, 48);
