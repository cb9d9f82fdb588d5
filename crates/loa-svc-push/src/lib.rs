//! The push outlet: every event, signed, to every endpoint that wants it, until it is there or hope is used up.
//!
//! Events come from the queue `loa.push` and are owed from the moment the ledger has them; what is due goes out over
//! HTTPS, one attempt at a time, and the answer decides what follows. What is sent are the bytes that were frozen when
//! the event was accepted. All retry state lives in the ledger; only rests (circuit breaker, `Retry-After` of a whole
//! receiver) live in memory, for losing them loses nothing. It knows neither the other outlets nor what articles say.
//!
//! The way through: [`Service::accept`] → ledger → [`Service::step`] (`step.rs`: claim, act, record) with `send.rs`
//! (one request), `egress.rs` (where it may go), `rest.rs` (who is left alone for a while). `operations.rs` and `api/`
//! are what operators do. `hub/` is the WebSub hub, on the same ledger and behind the same guard.

mod api;
mod arrivals;
mod config;
mod egress;
mod hub;
mod operations;
mod rest;
mod send;
mod service;
mod step;

pub use config::Config;
pub use hub::HubConfig;
pub use operations::{AddedEndpoint, NewEndpoint, OperationError, TestReport};
pub use service::{Identity, Service, SetupError};
