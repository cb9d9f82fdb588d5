//! Tokens of the API and their scopes. Only a token's hash is ever stored.

use crate::PortalSlug;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Publish and withdraw articles.
    Publish,
    /// Everything an operator does; includes `Read`.
    Operate,
    /// Look, change nothing.
    Read,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Publish, Self::Operate, Self::Read];

    /// The word kept in ledgers and taken on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Operate => "operate",
            Self::Read => "read",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether a token of this scope may do what `wanted` asks.
    pub fn allows(self, wanted: Self) -> bool {
        self == wanted || (self == Self::Operate && wanted == Self::Read)
    }
}

/// A token as it is kept: never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// A short name for people, unique.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// The portals for which it may publish and withdraw, sorted; empty: all of them.
    #[serde(default)]
    pub portals: Vec<PortalSlug>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked; `None` while it works.
    pub revoked_at: Option<Timestamp>,
}

/// Whether a caller that is bound to these portals (none: to no portal) may publish for one.
pub fn may_publish_for(bound_to: &[PortalSlug], portal: &PortalSlug) -> bool {
    bound_to.is_empty() || bound_to.contains(portal)
}
