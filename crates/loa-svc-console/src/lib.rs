//! What people see of the whole: the public front page, and for operators an overview, the journey of an article and
//! the dead letters.
//!
//! It owns no ledger and changes nothing: it asks each ledger and the bus, merges their answers by time, and shows them.
//! A ledger that is away is named as away; the rest is shown all the same. Pages are rendered here, in Vietnamese, and
//! work without scripts; what operators see needs a token of scope `read`.
//!
//! The way through: `router.rs` → `access.rs` (who) → `overview.rs`, `journey.rs`, `front.rs` (what) → `pages.rs` (how).

mod access;
mod config;
mod front;
mod journey;
mod overview;
mod pages;
mod router;
mod service;
mod words;

pub use config::{Config, Site};
pub use journey::Journey;
pub use service::{Doors, Service};
