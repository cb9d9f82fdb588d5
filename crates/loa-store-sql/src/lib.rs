//! The ledgers of `loa-store` on SQL: SQLite as the embedded default, shaped so that PostgreSQL joins without a second
//! copy of any statement (see `db.rs`).
//!
//! One file for each ledger. Every writing method is one `BEGIN IMMEDIATE` transaction, synced on commit, so several
//! processes can share a file (`loa subscribers add` beside `loa up`). This crate knows neither clock nor randomness:
//! times and ids come in through the door; times are kept as epoch milliseconds.
//!
//! ```no_run
//! # async fn example() -> Result<(), loa_store::StoreError> {
//! use loa_store::FeedLedger;
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
mod hold;
mod intake;
mod push;
mod receipts;
mod row;
mod schema;
mod seen;
#[cfg(test)]
mod trouble;

pub use access::AccessStore;
pub use copy::{CopyMark, copy_in, copy_out, files_of};
pub use db::{Postgres, PostgresConfig};
pub use digest::DigestStore;
pub use feed::FeedStore;
pub use intake::IntakeStore;
pub use push::PushStore;
pub use receipts::ReceiptStore;
