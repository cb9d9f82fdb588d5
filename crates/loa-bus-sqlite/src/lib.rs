//! Durable queues in a SQLite file: the embedded default behind the traits of `loa-bus`.
//!
//! A body is stored once, and each queue it goes to has a row that points to it. A publish is one
//! transaction, synced to disk before it returns. A received message is *held*: its row names the
//! process that holds it. When that process dies, the operating system ends its file lock, and the
//! next process that looks gives the message back (`holder.rs`). Several processes may have the
//! same file open, on one machine.
//!
//! It knows nothing of events. The clock is handed in and only stamps dead letters; no decision
//! depends on it.
//!
//! ```no_run
//! # async fn example() -> Result<(), loa_bus::BusError> {
//! use loa_bus::Administer;
//! let clock: loa_bus::Clock = std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
//! let bus = loa_bus_sqlite::SqliteBus::open("data/bus.db", clock).await?;
//! bus.declare().await?;
//! # Ok(()) }
//! ```

mod bus;
mod condition;
mod consumer;
mod dead;
mod fault;
mod holder;
mod publish;
mod queue_file;
mod rows;
mod schema;

pub use bus::SqliteBus;
