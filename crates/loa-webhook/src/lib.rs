//! A delivery into a signed request (Standard Webhooks), and an answer into an outcome.
//!
//! Pure: no socket, no clock, no randomness. The bytes of an event come from the ledger, as it had them at first; the
//! instant, the secrets and what the receiver answered are handed in by the push service. It also holds the rules of
//! where a webhook may go at all, so that creating an endpoint and delivering to it can't disagree; and, in [`websub`],
//! those of the WebSub hub.
//!
//! ```
//! use loa_webhook::{Secret, WebhookId, sign, verify};
//! let secret = Secret::new(vec![7; 32])?;
//! let id = WebhookId::of(&loa_domain::EventKey { source: "https://huyen.example".into(), id: "42".into() });
//! let now = "2023-11-16T01:02:22Z".parse()?;
//! let headers = sign(&id, now, b"{}", std::slice::from_ref(&secret))?;
//! verify(|name| headers.get(name), b"{}", &[secret], now)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod egress;
mod retry_after;
mod secret;
mod signature;
mod webhook_id;
pub mod websub;

pub use answer::{Answer, Failure, Patience, judge_failure, judge_status};
pub use egress::{EgressPolicy, allowed, parse_url};
pub use retry_after::retry_after;
pub use secret::{Secret, SecretError};
pub use signature::{
    HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, SignError, SignedHeaders, TOLERANCE, VerifyError, sign, verify,
};
pub use webhook_id::WebhookId;

/// The `Content-Type` of each webhook: one CloudEvent in structured mode (CloudEvents HTTP binding §3.2).
pub const CONTENT_TYPE: &str = "application/cloudevents+json";
