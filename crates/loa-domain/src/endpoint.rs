//! The nouns of the push outlet: endpoints, deliveries, attempts.

use crate::{EndpointId, EventType};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// Which events an endpoint wants. Empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFilter {
    /// Event types; empty: all of them.
    pub event_types: BTreeSet<EventType>,
}

impl EventFilter {
    /// Whether an event of this type is wanted.
    pub fn matches(&self, event_type: EventType) -> bool {
        self.event_types.is_empty() || self.event_types.contains(&event_type)
    }
}

/// Whether an endpoint gets deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EndpointState {
    /// It does.
    Enabled,
    /// It does not; deliveries wait.
    Disabled {
        /// For people: `410 Gone`, `by operator`.
        reason: String,
    },
}

/// Where webhooks go.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Ours.
    pub id: EndpointId,
    /// https, or http where configured.
    pub url: Url,
    /// For people.
    pub description: String,
    /// Signing secrets (raw bytes, 24 to 64), the newest first; several while rotating. Never logged.
    pub secrets: Vec<Vec<u8>>,
    /// Which events it wants.
    pub filter: EventFilter,
    /// Whether it gets any.
    pub state: EndpointState,
    /// When it was added; events accepted earlier are not owed to it.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Endpoint {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("url", &self.url.as_str())
            .field("state", &self.state)
            .finish()
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Due, waiting for its next attempt, or in flight.
    Pending,
    /// Answered 2xx.
    Delivered,
    /// The schedule is used up, or the answer was final.
    Failed,
    /// A newer revision of the same article was delivered first; sending this one would undo it.
    Superseded,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Superseded];

    /// The word kept in ledgers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What follows from one attempt: the decision that the ledger records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// 2xx.
    Delivered,
    /// Again at this instant.
    Retry(Timestamp),
    /// Never again; the delivery has failed.
    GiveUp,
    /// 410: never again, and the endpoint is disabled.
    Gone,
}
