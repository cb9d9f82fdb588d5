//! Tokens of the API and their scopes. Only a token's hash is ever stored.

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
        [Self::Publish, Self::Operate, Self::Read].into_iter().find(|s| s.as_str() == text)
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
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked; `None` while it works.
    pub revoked_at: Option<Timestamp>,
}
