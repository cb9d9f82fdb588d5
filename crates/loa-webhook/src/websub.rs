//! WebSub (W3C Recommendation of 23 January 2018): the hub's rules, as pure functions.
//!
//! A request into what it asks (`request.rs`), an address into a topic of ours (`topic.rs`), the question to a callback and
//! what its answer means (`intent.rs`), a body into its signature (`signature.rs`). Who is subscribed, and when somebody is
//! called, is the ledger's and the push service's business.

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
