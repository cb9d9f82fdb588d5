//! Why a message is among the dead letters, as a fact, beside the sentence that is kept for machines; and why one stays there.

use crate::{Flaw, NotCarried, Quoted, ServerWords};
use serde::{Deserialize, Serialize};

/// Why a message is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum DeadCause {
    /// It is no event that can be taken.
    Flaw(Flaw),
    /// It was given back too often: whoever consumes it could not accept it.
    DeliveryLimit,
    /// The broker moved it for a reason of its own.
    Broker {
        /// In the broker's word.
        said: ServerWords,
    },
    /// No queue takes its routing key.
    NotRouted {
        /// Which.
        key: Quoted,
        /// With what queues are bound.
        bindings: String,
    },
    /// Somebody moved it and said nothing.
    Unsaid,
    /// What keeps the queues cannot read it any more.
    Unreadable {
        /// What the engine says.
        said: ServerWords,
    },
}

impl DeadCause {
    /// The longest JSON of one that is kept, in bytes; a longer one is not kept, and the sentence stands alone.
    pub const JSON_BYTES_MAX: usize = 1_024;

    /// What is wrong with the message, where that is why.
    pub fn flaw(&self) -> Option<&Flaw> {
        match self {
            Self::Flaw(flaw) => Some(flaw),
            Self::DeliveryLimit
            | Self::Broker { .. }
            | Self::NotRouted { .. }
            | Self::Unsaid
            | Self::Unreadable { .. } => None,
        }
    }

    /// The word for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Flaw(flaw) => flaw.kind().as_str(),
            Self::DeliveryLimit => "delivery-limit",
            Self::Broker { .. } => "broker",
            Self::NotRouted { .. } => "not-routed",
            Self::Unsaid => "unsaid",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// Its JSON, to be kept with the message; `None`: there is no room for it.
    pub fn to_json(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|json| json.len() <= Self::JSON_BYTES_MAX)
    }

    /// Reads [`Self::to_json`] back; anybody may have written it. `None`: it is too long, unknown to this version, or broken.
    pub fn of_json(json: &str) -> Option<Self> {
        serde_json::from_str(Some(json).filter(|json| json.len() <= Self::JSON_BYTES_MAX)?).ok()
    }
}

/// Why a letter stays where it is though it was to go again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StayReason {
    /// No queue takes its routing key, or the one that was given.
    NotRouted {
        /// Which.
        key: Quoted,
        /// With what queues are bound.
        bindings: String,
    },
    /// The bus does not take it as it is.
    NotCarried(NotCarried),
}

impl StayReason {
    /// The word for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotRouted { .. } => "not-routed",
            Self::NotCarried(_) => "not-carried",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_back_and_what_is_broken_or_too_long_is_none() {
        let causes = [
            DeadCause::Flaw(Flaw::Missing { name: "title".into() }),
            DeadCause::DeliveryLimit,
            DeadCause::Broker { said: "maxlen".into() },
        ];
        for cause in causes {
            assert_eq!(DeadCause::of_json(&cause.to_json().unwrap()), Some(cause));
        }
        assert_eq!(DeadCause::Unsaid.to_json().as_deref(), Some(r#"{"cause":"unsaid"}"#));
        for broken in ["", "{", r#"{"cause":"of another version"}"#, r#"{"cause":"flaw","flaw":"?"}"#] {
            assert_eq!(DeadCause::of_json(broken), None, "{broken}");
        }
        let long = format!("{}{}", DeadCause::Unsaid.to_json().unwrap(), " ".repeat(2_000));
        assert_eq!(DeadCause::of_json(&long), None);
        let wordy = DeadCause::Broker { said: "ộ".repeat(1_000).into() };
        assert_eq!(wordy.to_json(), None);
    }
}
