//! The way in: articles and documents over HTTP or from portal pages become events, and events go out to the bus.
//!
//! Whatever comes in is built into a CloudEvent and put through `loa-event`'s gate before it is stored; article state,
//! event and outbox row are one transaction, and 202 is answered after it. The relay sends the outbox to the bus with
//! confirms. The archive keeps every event of every producer, for replay. It knows no outlet; the bus does.
//!
//! The way through: `api.rs` or [`Service::import_page`] → [`Service::publish`] (`submit.rs`) → ledger → [`Service::step`]
//! (`relay.rs`) → bus → [`Service::accept`] (`archive.rs`) → ledger. Back: [`Service::replay`] and, for a ledger that was lost,
//! [`Service::restore`].

mod answer;
mod api;
mod archive;
mod config;
mod describe;
mod heartbeat;
mod import;
mod item;
mod refused;
mod relay;
mod restore;
mod service;
mod standing;
mod submit;

pub use answer::{IntakeError, Receipt};
pub use config::{Config, Portal};
pub use import::{ImportReport, Imported};
pub use item::Item;
pub use restore::{CopyAge, Restorable, RestoreError, Restored, Restoring};
pub use service::Service;
