//! The values of the push outlet: endpoints, deliveries, attempts.

use crate::{DisableReason, EndpointId, EventType};
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
#[serde(tag = "state", rename_all = "snake_case", from = "Told")]
pub enum EndpointState {
    /// It does.
    Enabled,
    /// It does not; deliveries wait.
    Disabled {
        /// Why.
        reason: DisableReason,
        /// What the operator noted; empty: nothing.
        #[serde(skip_serializing_if = "String::is_empty")]
        note: String,
    },
}

/// The form that is read: earlier versions told one text, which was `410 Gone` or an operator's.
#[derive(Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Told {
    Enabled,
    Disabled {
        reason: String,
        #[serde(default)]
        note: String,
    },
}

impl From<Told> for EndpointState {
    fn from(told: Told) -> Self {
        match told {
            Told::Enabled => Self::Enabled,
            Told::Disabled { reason, note } => match DisableReason::parse(&reason) {
                Some(reason) => Self::Disabled { reason, note },
                None => Self::disabled_by(&reason),
            },
        }
    }
}

impl EndpointState {
    /// As one text, which a ledger keeps; `None`: enabled.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Enabled => None,
            Self::Disabled { reason, note } if note.is_empty() => Some(reason.as_str().to_owned()),
            Self::Disabled { reason, note } => Some(format!("{}: {note}", reason.as_str())),
        }
    }

    /// Disabled, by the text of [`Self::as_text`] or by what an earlier version kept.
    pub fn disabled_by(text: &str) -> Self {
        let (word, note) = text.split_once(": ").unwrap_or((text, ""));
        match (DisableReason::parse(word), text) {
            (Some(reason), _) => Self::Disabled { reason, note: note.to_owned() },
            (None, "410 Gone") => Self::Disabled { reason: DisableReason::Gone, note: String::new() },
            (None, "by operator") => Self::Disabled { reason: DisableReason::Operator, note: String::new() },
            (None, note) => Self::Disabled { reason: DisableReason::Operator, note: note.to_owned() },
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_an_endpoint_is_disabled_reads_back_and_so_does_what_earlier_versions_kept() {
        let disabled = |reason, note: &str| EndpointState::Disabled { reason, note: note.to_owned() };
        let (gone, operator) = (DisableReason::Gone, DisableReason::Operator);
        for state in [disabled(gone, ""), disabled(operator, ""), disabled(operator, "bảo trì: đến thứ hai")] {
            assert_eq!(EndpointState::disabled_by(&state.as_text().unwrap()), state);
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<EndpointState>(&json).unwrap(), state, "{json}");
        }
        for (text, state) in [
            ("410 Gone", disabled(gone, "")),
            ("by operator", disabled(operator, "")),
            ("bảo trì", disabled(operator, "bảo trì")),
            ("", disabled(operator, "")),
        ] {
            assert_eq!(EndpointState::disabled_by(text), state);
            let told = serde_json::json!({ "state": "disabled", "reason": text });
            assert_eq!(serde_json::from_value::<EndpointState>(told).unwrap(), state);
        }
        assert_eq!(EndpointState::Enabled.as_text(), None);
        let told = serde_json::to_string(&EndpointState::Enabled).unwrap();
        assert_eq!(serde_json::from_str::<EndpointState>(&told).unwrap(), EndpointState::Enabled);
    }
}
