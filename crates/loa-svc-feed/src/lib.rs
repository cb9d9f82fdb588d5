//! The feed outlet: what stands in each feed, kept in a ledger, written once per change, served from memory.
//!
//! Events come from the queue `loa.feed`; [`Service::accept`] takes them into the ledger, [`Service::step`] writes anew
//! what changed of the feeds that somebody reads, and [`Service::router`] serves the bytes. A feed that nobody asked for yet
//! is written at its first request. When the ledger is away, readers keep getting the last good bytes, after a restart too (`kept.rs`,
//! `falling_back.rs`).
//!
//! It knows neither the other outlets nor how a feed format looks (`loa-feed` does). In memory there is nothing that the
//! ledger does not hold: after a restart the same bytes with the same `ETag` and `Last-Modified` go out.
//!
//! The way through: `arrivals.rs` (bus → ledger), `publishing.rs` (ledger → bytes), `shelf.rs` (bytes at hand), `archives.rs`
//! (what no longer fits into a feed), `combining.rs` (feeds that readers put together), `succession.rs` (what becomes of former
//! areas' feeds), `http.rs` and `document.rs` (bytes → reader), `repeats.rs` (who takes the same bytes again and again), `naming.rs`
//! and `pages.rs` (what people read), `asking.rs` (what people look for and put together).

mod archives;
mod arrivals;
mod asking;
mod combining;
mod config;
mod dating;
mod document;
mod falling_back;
mod flights;
mod http;
mod kept;
mod memory;
mod naming;
mod overview;
mod page_models;
mod pages;
mod publishing;
mod repeats;
mod service;
mod shelf;
mod succession;
mod words;

pub use config::{Config, Identity};
pub use publishing::FeedError;
pub use service::{Service, SetupError};
