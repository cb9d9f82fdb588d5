//! The push outlet: sends every event, signed, to every endpoint that wants it, until the endpoint has taken it or the
//! retry schedule has ended.
//!
//! Events come from the queue `loa.push`; the ledger owes them from the moment it has them. What is due goes out over
//! HTTPS, one attempt at a time, and the answer decides what follows. Every attempt sends the original bytes of the event.
//! All retry state is in the ledger; only circuit breakers are in memory, because losing them loses nothing. The outlet
//! knows neither the other outlets nor what articles say.
//!
//! The way through: [`Service::accept`] → ledger → [`Service::step`] (`step.rs`: claim, act, record) with `send.rs`
//! (one request, through `loa-egress`) and `breakers.rs` (which endpoints are left alone). `operations.rs` and `api/` are
//! for operators. The WebSub hub is a service of its own, `loa-svc-hub`.

mod api;
mod arrivals;
mod breakers;
mod config;
mod operations;
mod send;
mod service;
mod step;

pub use config::Config;
pub use operations::{AddedEndpoint, NewEndpoint, OperationError, TestReport};
pub use service::{Listener, Service, SetupError};
