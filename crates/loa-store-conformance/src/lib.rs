//! The rules that every adapter of the ledgers must keep: one function for each rule, named for the rule. For
//! tests only.
//!
//! A rule is handed a way to *open* the ledger. Every call gives a new store on the same place, which is
//! empty at first. Dropping a store without closing it and opening another looks like a crash; two open
//! stores are two processes. Rules set the time; they never read a clock.
//!
//! An adapter implements [`LedgerPlace`] and makes one test of each rule with [`ledger_conformance_tests`],
//! and with them one that proves that the rules call every method of every door (`recorded.rs`).
#![allow(clippy::unwrap_used, missing_docs)] // a rule that panics has said which rule was broken

pub mod access;
pub mod audit;
pub mod build;
pub mod crowd;
pub mod digest;
pub mod digest_receipts;
pub mod digest_runs;
pub mod digest_unconfirmed;
pub mod digest_upcoming;
pub mod feed;
pub mod hub;
pub mod hub_restore;
pub mod intake;
pub mod leftovers;
pub mod order;
pub mod push;
pub mod push_receipts;
pub mod push_upcoming;
pub mod receipts;
mod receptions;
mod recorded;
mod run;
pub mod standing;
pub mod story;
mod suite;
pub mod watch;

use async_trait::async_trait;
use loa_store::{
    AccessLedger, DigestLedger, FeedLedger, HubLedger, IntakeLedger, PushLedger, ReceiptLedger, WatchLedger,
};
use std::{collections::BTreeMap, sync::Arc};

pub use run::run;
pub use suite::{Coverage, RecordedPlace, rules_written};

/// A place of a test's own, at first empty. Each call opens another store on it, as another process would.
#[async_trait]
pub trait LedgerPlace: Send + Sync {
    async fn access(&self) -> Arc<dyn AccessLedger>;
    async fn intake(&self) -> Arc<dyn IntakeLedger>;
    async fn feed(&self) -> Arc<dyn FeedLedger>;
    async fn digest(&self) -> Arc<dyn DigestLedger>;
    async fn push(&self) -> Arc<dyn PushLedger>;
    /// In the push ledger's place.
    async fn hub(&self) -> Arc<dyn HubLedger>;
    async fn receipts(&self) -> Arc<dyn ReceiptLedger>;
    async fn watch(&self) -> Arc<dyn WatchLedger>;

    /// How many rows each table of a ledger has, looked at from outside.
    async fn rows(&self, ledger: &str) -> BTreeMap<String, i64>;
}
