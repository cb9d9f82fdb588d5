//! The nouns of the WebSub hub: what a subscriber asks for, and how what it gets is signed.

use serde::{Deserialize, Serialize};

/// What a subscriber asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HubMode {
    /// To be told.
    Subscribe,
    /// Not to be told any more.
    Unsubscribe,
}

impl HubMode {
    /// The word of the Recommendation, which is also kept in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Subscribe, Self::Unsubscribe].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// How notifications are signed (WebSub §8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureAlgorithm {
    /// What old subscribers know, and nobody else should ask for.
    Sha1,
    /// What everybody knows.
    #[default]
    Sha256,
    /// Longer.
    Sha384,
    /// The longest.
    Sha512,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name in `X-Hub-Signature`, which is also kept in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for mode in [HubMode::Subscribe, HubMode::Unsubscribe] {
            assert_eq!(HubMode::parse(mode.as_str()), Some(mode));
        }
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::parse(algorithm.as_str()), Some(algorithm));
        }
        assert_eq!((HubMode::parse("publish"), SignatureAlgorithm::parse("md5")), (None, None));
    }
}
