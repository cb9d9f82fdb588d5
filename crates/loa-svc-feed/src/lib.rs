//! The feed outlet: the feeds of a portal, written once for each change and served from memory.
//!
//! Events come from the queue `loa.feed`. [`Service::accept`] takes them into the ledger,
//! [`Service::step`] writes anew what changed of the feeds that somebody reads, and
//! [`Service::router`] serves the bytes. A feed that nobody asked for yet is written at its first
//! request. When the ledger is away, readers keep getting the last good bytes, after a restart too.
//!
//! The crate knows neither the other outlets nor how a feed format looks (`loa-feed` does). Memory
//! holds nothing that the ledger does not: after a restart the same bytes with the same `ETag` and
//! `Last-Modified` go out.
//!
//! Five rooms stand one above the other; none imports from one above it:
//!
//! - `names/`: what feeds are called, how they are found, who followed whom. Pure.
//! - `page/`: a page or a document from what is given. Pure.
//! - `last_good/`: the last good state on disk.
//! - `keep/`: the writer (from rows to bytes) and the four keepers with their caches.
//! - `http/`: the addresses, on top.
//!
//! `service.rs` stands between `keep/` and `http/`: it owns the keepers and the loops.
//! `arrivals.rs` decodes what the bus brings, `pacing.rs` says how often is written. `error.rs` and
//! `config.rs` are on the ground.

mod arrivals;
mod config;
mod error;
mod http;
mod keep;
mod last_good;
mod names;
mod pacing;
mod page;
mod service;

pub use config::{Config, Identity};
pub use error::FeedError;
pub use service::{Service, SetupError, Step};
