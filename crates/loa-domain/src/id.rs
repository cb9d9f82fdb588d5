//! Typed ids: bounded text, checked once where it enters and trusted inside.

use crate::text::{is_invisible, is_xml_char};
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Why a text is not an id. The message names the id's kind, the fault and the offending text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {fault}: {text:?}")]
pub struct IdError {
    what: &'static str,
    /// What is wrong with it.
    pub fault: IdFault,
    /// The beginning of the text.
    pub text: String,
}

/// What is wrong with a text that should be an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum IdFault {
    /// There is none.
    Empty,
    /// It is too long.
    TooLong {
        /// So many bytes are allowed.
        max: usize,
    },
    /// It has a character that is not allowed.
    Character {
        /// Which.
        character: char,
    },
    /// It has a segment of one or two dots, which means another place in every address (RFC 3986 §5.2.4), encoded or not.
    Dots,
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { max } => write!(f, "is longer than {max} bytes"),
            Self::Character { character } => {
                write!(f, "has the character U+{:04X}, which is not allowed", u32::from(*character))
            }
            Self::Dots => f.write_str("cannot stand in an address, for it has a segment of dots"),
        }
    }
}

fn check(what: &'static str, text: &str, length_max: usize, allowed: fn(char) -> bool) -> Result<(), IdError> {
    let fault = if text.is_empty() {
        IdFault::Empty
    } else if text.len() > length_max {
        IdFault::TooLong { max: length_max }
    } else if let Some(character) = text.chars().find(|&c| !allowed(c)) {
        IdFault::Character { character }
    } else if text.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) {
        IdFault::Dots
    } else {
        return Ok(());
    };
    Err(IdError { what, fault, text: text.chars().take(80).collect() })
}

/// Seen, and legal in XML: an id stands in feeds, mails and pages, and two ids that look alike must not differ in what
/// nobody sees.
fn printable(c: char) -> bool {
    is_xml_char(c) && !c.is_control() && !c.is_whitespace() && !is_invisible(c)
}

fn slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:tt, $allowed:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(min_length = 1, max_length = $max))]
        pub struct $name(String);

        impl $name {
            /// The longest text taken, in bytes.
            pub const LENGTH_MAX: usize = $max;

            /// Checks a text and wraps it, in NFC: two ways to write one letter are one id.
            ///
            /// # Errors
            /// When the text is empty, longer than [`Self::LENGTH_MAX`] bytes, has a character that is not allowed, or a
            /// segment (between `/` or `\\`) of one or two dots.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                // too long to be looked at is too long in any form
                let text = if text.is_ascii() || text.len() > 4 * $max { text } else { text.nfc().collect() };
                check($what, &text, $max, $allowed)?;
                Ok(Self(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

typed_id!(
    /// An article's or document's id, as its portal gives it: printable characters without spaces. The event's `subject`.
    ArticleId, "article id", 200, printable
);
typed_id!(
    /// A portal's short name in addresses and commands: `a-z`, `0-9` and `-`.
    PortalSlug, "portal", 40, slug
);
typed_id!(
    /// An area in a period, under an id of ours that never changes: `a-z`, `0-9` and `-`, so it can stand in an address.
    AreaId, "area id", 100, slug
);
typed_id!(
    /// The part of a category's address: `a-z`, `0-9` and `-`.
    CategorySlug, "category slug", 100, slug
);
typed_id!(
    /// A mailbox's id (ours, random).
    SubscriberId, "subscriber id", 64, printable
);
typed_id!(
    /// The id of one wish of one mailbox (ours, random).
    SubscriptionId, "subscription id", 64, printable
);
typed_id!(
    /// The id of one subscription at the hub (ours): `h12`.
    HubSubscriptionId, "hub subscription id", 64, printable
);
typed_id!(
    /// A webhook endpoint's id (ours).
    EndpointId, "endpoint id", 64, printable
);
typed_id!(
    /// The id of one event owed to one endpoint (ours).
    DeliveryId, "delivery id", 128, printable
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_a_space_or_control_or_invisible_character_is_refused() {
        for bad in [
            "",
            "a b",
            "a\u{0}",
            "a\u{202e}b",
            "a\u{200b}",
            "a\u{fe0f}",
            "a\u{ffff}",
            ".",
            "..",
            "a/../b",
            "./a",
            "a\\..",
        ] {
            assert!(ArticleId::new(bad).is_err(), "{bad:?}");
        }
        assert!(ArticleId::new("a/.b/..c/...").is_ok(), "dots within a name are no segment of dots");
        assert!(ArticleId::new("x".repeat(201)).is_err());
        assert!(ArticleId::new("bài-1/2").is_ok());
    }

    #[test]
    fn two_ways_to_write_one_letter_are_one_id() {
        assert_eq!(ArticleId::new("ba\u{300}i"), ArticleId::new("b\u{e0}i"));
        let decomposed = "a\u{302}\u{323}".repeat(66);
        assert_eq!(ArticleId::new(decomposed).unwrap().as_str().len(), 198, "what is kept is measured, not what came");
    }

    #[test]
    fn an_area_id_can_stand_in_an_address() {
        assert!(AreaId::new("na-son-2025").is_ok());
        assert!(AreaId::new("Na Son").is_err());
    }
}
