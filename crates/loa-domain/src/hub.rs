//! The values of the WebSub hub: what a subscriber asks for, and how the documents it gets are
//! signed, and what a call came to.

use crate::{ServerWords, reason::words};
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

/// Where a subscription at the hub stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubState {
    /// Asked for, not verified yet.
    Pending,
    /// Verified, and told of changes until its lease ends.
    Active,
}

impl HubState {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Pending, Self::Active];

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
        }
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

/// What a call of a subscriber came to, as a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HubReason {
    /// The subscriber confirmed its request.
    Confirmed,
    /// The subscriber took a change.
    Taken,
    /// The subscriber was told that its request was denied.
    DenialTold,
    /// It answered otherwise than by 2xx.
    Http,
    /// It answered 2xx, and its body is not the challenge.
    NotTheChallenge,
    /// Its name does not resolve.
    Dns,
    /// The address is not one that the hub may call.
    Blocked,
    /// No connection: refused, reset, unreachable.
    Connect,
    /// The certificate or the handshake failed.
    Tls,
    /// The time was used up.
    Timeout,
    /// The connection broke, or what came back is not HTTP.
    Protocol,
    /// As many are called in its network already as may be.
    NetworkFull,
    /// Its network was asked too often lately.
    NetworkTooOften,
    /// It was called several times, and what came of it was never recorded.
    NeverRecorded,
    /// The fault is Loa's own.
    Ours,
    /// An earlier version noted a sentence instead of a reason.
    NotedBefore,
}

words!(HubReason {
    Confirmed = "confirmed",
    Taken = "taken",
    DenialTold = "denial_told",
    Http = "http",
    NotTheChallenge = "not_the_challenge",
    Dns = "dns",
    Blocked = "blocked",
    Connect = "connect",
    Tls = "tls",
    Timeout = "timeout",
    Protocol = "protocol",
    NetworkFull = "network_full",
    NetworkTooOften = "network_too_often",
    NeverRecorded = "never_recorded",
    Ours = "ours",
    NotedBefore = "noted_before",
});

/// What the last call of a subscriber came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastCall {
    /// The fact.
    pub reason: HubReason,
    /// The status of its answer, where one came.
    pub status: Option<u16>,
    /// What the other side, or a library of ours, said.
    #[serde(skip_serializing_if = "ServerWords::is_empty")]
    pub words: ServerWords,
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
        for reason in HubReason::ALL {
            assert_eq!(HubReason::parse(reason.as_str()), Some(*reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert_eq!((HubMode::parse("publish"), SignatureAlgorithm::parse("md5")), (None, None));
    }
}
