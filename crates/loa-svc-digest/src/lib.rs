//! The digest outlet: one mail with what a mailbox is owed, at its hour, once.
//!
//! Events come from the queue `loa.digest`. [`Service::accept`] takes them into the ledger, which matches them with wishes.
//! [`Service::step`] opens runs when they are due, freezes their audience, and sends: claim, compose, mark as submitting,
//! speak SMTP, record. All state stands in the ledger; memory holds only what may be lost (shared renderings, a pause while the
//! mail server is away). The crate knows neither the other outlets nor how a mail looks; `loa-mail` does.
//!
//! The files, in the order of the way: `arrivals.rs` (bus → ledger), `schedule.rs` (when), `runs.rs` (due → frozen audience),
//! `sending.rs` (audience → SMTP) with `smtp.rs` (the dialogue), `submit.rs` (what an answer means) and `outcomes.rs` (what
//! follows from it); `operations.rs` and `api.rs` for operators, `pages.rs` and `http.rs` for subscribers,
//! with `limits.rs` and `desk.rs` for the mails that they cause.

mod api;
mod arrivals;
mod config;
mod desk;
mod http;
mod limited;
mod limits;
mod operations;
mod outcomes;
mod pages;
mod renderings;
mod run_watch;
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
