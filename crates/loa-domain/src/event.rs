//! An event: something happened to an article or a document. `loa-event` reads and writes its form on the wire.

use crate::{AreaId, ArticleId, Content, Version, Withdrawal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An event's identity (CloudEvents 1.0, `source` + `id`): two with the same key are one event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventKey {
    /// The portal's URI.
    pub source: String,
    /// Unique within the source.
    pub id: String,
}

impl EventKey {
    /// The key as one text: in the order of ids, and of sources where two producers number their events alike. Two keys never
    /// have the same.
    pub fn rank(&self) -> String {
        // an id is visible ASCII, so that a space comes before all it could go on with
        format!("{} {}", self.id, self.source)
    }
}

/// The five types of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventType {
    /// `vn.loa.article.published.v1`
    #[serde(rename = "vn.loa.article.published.v1")]
    ArticlePublished,
    /// `vn.loa.article.updated.v1`
    #[serde(rename = "vn.loa.article.updated.v1")]
    ArticleUpdated,
    /// `vn.loa.article.withdrawn.v1`
    #[serde(rename = "vn.loa.article.withdrawn.v1")]
    ArticleWithdrawn,
    /// `vn.loa.document.issued.v1`
    #[serde(rename = "vn.loa.document.issued.v1")]
    DocumentIssued,
    /// `vn.loa.document.withdrawn.v1`
    #[serde(rename = "vn.loa.document.withdrawn.v1")]
    DocumentWithdrawn,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ArticlePublished,
        Self::ArticleUpdated,
        Self::ArticleWithdrawn,
        Self::DocumentIssued,
        Self::DocumentWithdrawn,
    ];

    /// The CloudEvents `type` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ArticlePublished => "vn.loa.article.published.v1",
            Self::ArticleUpdated => "vn.loa.article.updated.v1",
            Self::ArticleWithdrawn => "vn.loa.article.withdrawn.v1",
            Self::DocumentIssued => "vn.loa.document.issued.v1",
            Self::DocumentWithdrawn => "vn.loa.document.withdrawn.v1",
        }
    }

    /// The first two words of the routing key, `article.published`.
    pub fn route(self) -> &'static str {
        match self {
            Self::ArticlePublished => "article.published",
            Self::ArticleUpdated => "article.updated",
            Self::ArticleWithdrawn => "article.withdrawn",
            Self::DocumentIssued => "document.issued",
            Self::DocumentWithdrawn => "document.withdrawn",
        }
    }

    /// Whether the event takes something back.
    pub fn is_withdrawal(self) -> bool {
        matches!(self, Self::ArticleWithdrawn | Self::DocumentWithdrawn)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|t| t.as_str() == text).ok_or(())
    }
}

/// What an event does to its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The subject now reads like this (first publication, edit, or re-publication after a withdrawal).
    Live(Box<Content>),
    /// The subject is gone.
    Withdrawn(Withdrawal),
}

/// A decoded, normalised event: what each outlet's `accept` takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its identity.
    pub key: EventKey,
    /// Its type, as sent. A `published` for a known subject is an update and the other way round: the revision decides.
    pub event_type: EventType,
    /// What it does.
    pub change: Change,
    /// `areas` of the content and everything that succeeded them: the feeds and wishes it belongs to. Sorted, no repeats.
    pub reach: Vec<AreaId>,
    /// When it happened, by the portal's clock (CloudEvents `time`); absent when unsaid.
    pub time: Option<Timestamp>,
    /// The event in structured mode, `application/cloudevents+json`: the received bytes where it came structured,
    /// otherwise written once, unknown fields included. Webhooks carry exactly these bytes.
    pub frozen: Vec<u8>,
}

impl Event {
    /// The article or document it is about.
    pub fn subject(&self) -> &ArticleId {
        match &self.change {
            Change::Live(content) => content.id(),
            Change::Withdrawn(withdrawal) => &withdrawal.id,
        }
    }

    /// The state it brings, for comparing with the state that stands.
    pub fn version(&self) -> Version {
        let (revision, withdrawn) = match &self.change {
            Change::Live(content) => (content.revision(), false),
            Change::Withdrawn(withdrawal) => (withdrawal.revision, true),
        };
        Version { revision, withdrawn, event_id: self.key.rank() }
    }

    /// The content, unless it is a withdrawal.
    pub fn content(&self) -> Option<&Content> {
        match &self.change {
            Change::Live(content) => Some(content),
            Change::Withdrawn(_) => None,
        }
    }
}
