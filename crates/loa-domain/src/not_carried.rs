//! Why the bus does not take a message as it is, as facts. What a broker said is a field of its own. Intake's ledger keeps one as
//! JSON with an event that is set aside; earlier versions noted sentences there.

use crate::ServerWords;
use serde::{Deserialize, Serialize};

/// Why a message is not carried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotCarried {
    /// A part of it is longer than any broker takes.
    TooLong {
        /// Which part.
        part: MessagePart,
        /// Its bytes.
        bytes: usize,
        /// So many can be carried.
        bytes_max: usize,
    },
    /// It is larger than this broker takes, which says so only when it is asked to.
    TooLargeForBroker {
        /// The bytes of its body.
        bytes: usize,
        /// What the broker said.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        said: ServerWords,
    },
    /// Its row in the ledger cannot be read; the log says more.
    Unreadable,
    /// Another reason, in words: of an adapter, or of an earlier version.
    Told {
        /// The words.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        said: ServerWords,
    },
}

/// A part of a message that has a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessagePart {
    /// The body.
    Body,
    /// The routing key.
    RoutingKey,
    /// The id.
    MessageId,
    /// The content type.
    ContentType,
    /// The name of one header.
    HeaderName,
    /// All headers together.
    Headers,
}

impl MessagePart {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Body, Self::RoutingKey, Self::MessageId, Self::ContentType, Self::HeaderName, Self::Headers];
}

impl NotCarried {
    /// Its JSON, for a ledger.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`Self::to_json`] back, or a sentence.
    pub fn of_noted(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::Told { said: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_back_and_a_sentence_is_kept_as_words() {
        let long = "x".repeat(5_000);
        for why in [
            NotCarried::TooLong { part: MessagePart::Headers, bytes: 100_000, bytes_max: 98_304 },
            NotCarried::TooLargeForBroker { bytes: 7, said: long.as_str().into() },
            NotCarried::Unreadable,
        ] {
            assert_eq!(NotCarried::of_noted(&why.to_json()), why);
        }
        assert_eq!(NotCarried::of_noted("no broker"), NotCarried::Told { said: "no broker".into() });
    }
}
