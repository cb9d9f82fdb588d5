//! The ledgers of `loa-store` on SQL, for SQLite (the embedded default) and PostgreSQL. Each statement is
//! written once for both (see `db.rs`).
//!
//! On SQLite a ledger is a file, on PostgreSQL a schema. Every writing method is one transaction, synced on
//! commit, so several processes can share a ledger (`loa subscribers add` beside `loa up`). This crate has
//! neither clock nor randomness: times and ids are arguments. Times are stored as epoch milliseconds.
//!
//! ```no_run
//! # async fn example() -> Result<(), loa_store::StoreError> {
//! use loa_store::FeedChanges;
//! let ledger = loa_store_sql::FeedStore::open("data/feed.db").await?;
//! let (changed, upto) = ledger.changed(0, 100).await?;
//! # let _ = (changed, upto); Ok(()) }
//! ```

#[macro_use]
mod db;
mod access;
mod copy;
mod counter;
mod digest;
mod fault;
mod feed;
mod intake;
mod push;
mod receipts;
mod restoring;
mod row;
mod seen;
mod survey;
#[cfg(test)]
mod trouble;
mod watch;

pub use access::AccessStore;
pub use copy::{CopyMark, copy_in, copy_out};
pub use db::{LedgerPlace, LedgerState, Postgres, PostgresConfig, files_of};
pub use digest::DigestStore;
pub use feed::FeedStore;
pub use intake::IntakeStore;
pub use push::PushStore;
pub use receipts::ReceiptStore;
pub use watch::WatchStore;
