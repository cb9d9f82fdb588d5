//! The way in: articles and documents from HTTP or from portal pages become events, and events go
//! out to the bus.
//!
//! Intake builds a CloudEvent from each submission and decodes it with `loa-event` before it stores
//! anything. One transaction stores article state, event and outbox row; the answer 202 comes after
//! it. The relay publishes the outbox with confirms. The archive keeps every event of every
//! producer, for replay. Intake knows no outlet; the bus does.
//!
//! The path: `api.rs` or [`Service::import_page`] → [`Service::publish`] (`submit.rs`) → ledger →
//! [`Service::step`] (`relay.rs`) → bus → [`Service::accept`] (`archive.rs`) → ledger. The way back
//! is [`Service::replay`] and, for a lost ledger, [`Service::restore`]. [`Audit`] asks the outlets what they have seen of the
//! archive.

mod allowance;
mod answer;
mod api;
mod api_state;
mod archive;
mod audit;
mod config;
mod describe;
mod heartbeat;
mod import;
mod in_turn;
mod last_state;
mod portals;
mod problems;
mod raw_content;
mod relay;
mod restore;
mod rounds;
mod service;
mod submit;
mod throttle;
mod turns;

pub use answer::{IntakeError, Renumbered, SubmissionAnswer};
pub use archive::Replayed;
pub use audit::Audit;
pub use config::{Config, Portal};
pub use import::{ImportOptions, ImportReport, Imported, not_yet_posted};
pub use portals::NewPortal;
pub use raw_content::RawContent;
pub use restore::{CopyAge, RestoreError, Restored, Restoring};
pub use service::Service;
