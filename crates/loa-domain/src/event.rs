//! An event: something happened to an article or a document. `loa-event` reads and writes its form
//! on the wire.

use crate::{AreaId, ArticleId, ArticleKey, Content, PortalSlug, Version, Withdrawal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An event's identity (CloudEvents 1.0, `source` + `id`): two with the same key and the same content are one event.
///
/// A producer may use an id again for other content, against the standard. Whoever keeps events gives the second content a key
/// of its own ([`EventKey::with_content`]), so that it is an event like any other (`docs/adr/0016-an-id-used-again.md`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventKey {
    /// The portal's URI.
    pub source: String,
    /// Unique within the source.
    pub id: String,
}

impl EventKey {
    /// The key of other content under this one.
    pub fn with_content(&self, content_hash: &str) -> Self {
        // an id is visible ASCII, so that no producer's id looks like this
        Self { source: self.source.clone(), id: format!("{} {content_hash}", self.sent_id()) }
    }

    /// The id as the producer sent it.
    pub fn sent_id(&self) -> &str {
        self.id.split(' ').next().unwrap_or_default()
    }

    /// Whether this is the key of other content under an id that was used before.
    pub fn is_used_again(&self) -> bool {
        self.content_hash().is_some()
    }

    /// The content's hash, where the key is of other content under an id that was used before.
    pub fn content_hash(&self) -> Option<&str> {
        self.id.split_once(' ').map(|(_, hash)| hash)
    }

    /// The key as one text: in the order of ids, and of sources where two producers number their events alike.
    pub fn rank(&self) -> String {
        // a space comes before all that an id could go on with
        format!("{} {}", self.sent_id(), self.source)
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
    /// Whose it is, by its source; `None`: the home portal's.
    pub portal: Option<PortalSlug>,
    /// Its type, as sent. A `published` for a known subject is an update and the other way round: the revision decides.
    pub event_type: EventType,
    /// What it does.
    pub change: Change,
    /// `areas` of the content and everything that succeeded them: the feeds and wishes it belongs to. Sorted, no repeats.
    pub reach: Vec<AreaId>,
    /// When it happened, by the portal's clock (CloudEvents `time`); absent when unsaid.
    pub time: Option<Timestamp>,
    /// Tells two contents under one key apart: a hash of the data as they were sent, whatever the order of their fields and the
    /// mode, and of whether they take something back. 32 hex digits.
    pub content_hash: String,
    /// The event in structured mode, `application/cloudevents+json`: the received bytes where it came structured,
    /// otherwise written once, unknown fields included. Webhooks carry exactly these bytes.
    pub original_bytes: Vec<u8>,
}

impl Event {
    /// The article or document it is about: which of all the installation's.
    pub fn subject(&self) -> ArticleKey {
        ArticleKey::new(self.portal.as_ref(), self.id())
    }

    /// Its portal's id of the article or document.
    pub fn id(&self) -> &ArticleId {
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
        Version { revision, withdrawn, event_id: format!("{} {}", self.key.rank(), self.content_hash) }
    }

    /// The content, unless it is a withdrawal.
    pub fn content(&self) -> Option<&Content> {
        match &self.change {
            Change::Live(content) => Some(content),
            Change::Withdrawn(_) => None,
        }
    }
}
