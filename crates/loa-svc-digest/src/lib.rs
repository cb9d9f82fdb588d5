//! The digest outlet: what each mailbox is owed, in one mail, at its hour, once.
//!
//! Events come from the queue `loa.digest`; [`Service::accept`] takes them into the ledger, which matches them with wishes.
//! [`Service::step`] opens runs when they are due, freezes their audience, and sends: claim, compose, mark as submitting,
//! speak SMTP, record. All state lives in the ledger; in memory there is only what can be lost (shared renderings, a rest
//! while the mail server is away). It knows neither the other outlets nor how a mail looks (`loa-mail` does).
//!
//! The way through: `arrivals.rs` (bus → ledger), `schedule.rs` (when), `runs.rs` (what is due → frozen audience),
//! `sending.rs` (audience → SMTP) with `smtp.rs` (the dialogue), `submit.rs` (what an answer means) and
//! `outcomes.rs` (what follows from it), `operations.rs`
//! and `api.rs` (operators), `pages.rs` and `http.rs` (subscribers).

mod api;
mod arrivals;
mod config;
mod http;
mod operations;
mod outcomes;
mod pages;
mod renderings;
mod runs;
mod schedule;
mod sending;
mod service;
mod smtp;
mod submit;

pub use config::{Config, Identity, SmtpConfig, Tls, WeeklyOn};
pub use operations::{OperationError, Preview};
pub use service::{Service, SetupError};
pub use smtp::SmtpSubmit;
pub use submit::{Session, Submit, Unreachable, Verdict};
