//! WebSub (W3C Recommendation of 23 January 2018): the hub's rules, as pure functions.
//!
//! `request.rs` reads a request, `topic.rs` finds the topic an address means, `intent.rs` writes the question to a callback
//! and judges its answer, `signature.rs` signs a body. Subscriptions and schedules are the business of the ledger and of
//! `loa-svc-hub`.

mod address;
mod intent;
mod request;
mod signature;
mod topic;

pub use address::same_address_form;
pub use intent::{Intent, IntentAnswer, intent_url, judge_intent};
pub use request::{HubFault, HubRequest, LeaseRule, Subscribing, parse_hub_request};
pub use signature::hub_signature;
pub use topic::{Topic, Topics};
