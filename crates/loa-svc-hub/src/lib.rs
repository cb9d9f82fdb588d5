//! The WebSub hub for our own feeds (W3C Recommendation of 23 January 2018), run by `loa push` and `loa up`.
//!
//! The hub keeps no notice of a change, so it cannot lose one. When an event came in, when somebody pings, and by a poll,
//! it fetches the topics that have subscribers, by conditional requests, where readers find them. Changed bytes are a
//! further version of the topic, and a subscription knows which version it was last given. So the hub tells only what is
//! live and the newest, in one call however fast changes follow each other. All state is in the hub's ledger, under leases.
//! The hub knows neither events nor outlets: the push outlet tells it that something has happened.
//!
//! `requests.rs` takes what subscribers ask, `step.rs` is one step, `fetch.rs` reads topics, `call.rs` calls callbacks,
//! `networks.rs` counts calls by where they go; `operations.rs` and `api.rs` are for operators. What the words of the
//! protocol mean is decided in `loa_webhook::websub`.

mod api;
mod call;
mod config;
mod fetch;
mod networks;
mod operations;
mod problems;
mod requests;
mod service;
mod step;

pub use config::Config;
pub use operations::OperationError;
pub use service::{Identity, Service, SetupError, hub_url};
