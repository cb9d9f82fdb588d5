//! The console: the public front page, and for operators an overview, the journey of an article and the
//! dead letters.
//!
//! The console owns no ledger, and its pages change nothing; `/v1/dead-letters` redrives and discards. It asks each ledger and the bus, merges their answers
//! by time, and shows them. A ledger that is away is named as away; the rest is shown. Pages are in
//! Vietnamese and work without scripts. What operators see needs a token of scope `read`.
//!
//! The path: `router.rs` → `access.rs` (who) → `overview.rs`, `journey.rs`, `front.rs` (what) →
//! `pages.rs` (how). For machines: `api.rs` → `dead_letters/`, in turn by
//! `walks.rs`.

mod access;
mod api;
mod complete;
mod config;
pub mod dead_letters;
mod front;
mod journey;
mod overview;
mod pages;
mod router;
mod service;
mod walks;

pub use config::{Config, Site};
pub use journey::Journey;
pub use service::{Doors, Service};
