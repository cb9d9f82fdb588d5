//! Submissions: an article, its event and its outbox row in one transaction.

use crate::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, EventKey, EventType, Lane};

/// What producers bring.
#[async_trait]
pub trait Submissions: Send + Sync {
    /// What stands of each article, in the order asked; `None` where nothing came in.
    async fn current(&self, articles: &[ArticleKey]) -> Result<Vec<Option<Current>>, StoreError>;

    /// Stores article state, event (in the archive) and outbox row of each submission, all in one transaction; one outcome for
    /// each, in order; each sees those before it. An older version than the one that stands is stored and sent, but does not
    /// stand.
    async fn submit(&self, batch: &[Submission]) -> Result<Vec<Submitted>, StoreError>;

    /// Lets a producer's revisions of an article begin at 1 again: they are counted on from what stands, or from the highest
    /// version in the archive, whoever published it. Answers what stands then; `None` where nothing was ever published.
    /// Changes nothing where that is `revision_max` or more, which leaves no number. Idempotent as long as nothing else is
    /// published. No event is made.
    async fn renumber(&self, article: &ArticleKey, revision_max: u64) -> Result<Option<Current>, StoreError>;
}

/// What stands of an article or document that came in through intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Its revision.
    pub revision: u64,
    /// Whether it is withdrawn.
    pub withdrawn: bool,
    /// A digest of what the producer sent, to tell a repeat from an edit.
    pub fingerprint: String,
    /// The event that brought it.
    pub event: EventKey,
    /// The category in its routing key, for the withdrawal's.
    pub category: String,
    /// The revision from which the producer's own numbers are counted on; 0 unless an operator renumbered it.
    pub counted_from: u64,
}

/// An event to be stored, archived and sent on, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The event's identity.
    pub key: EventKey,
    /// Its type.
    pub event_type: EventType,
    /// Its subject.
    pub article: ArticleKey,
    /// The revision it brings.
    pub revision: u64,
    /// See [`Current::fingerprint`].
    pub fingerprint: String,
    /// The revision the caller saw as current; `None`: none. Anything else standing there is a conflict.
    pub expect: Option<u64>,
    /// The category in the routing key.
    pub category: String,
    /// Where it is published to.
    pub routing_key: String,
    /// The event in structured mode.
    pub body: Vec<u8>,
    /// Where it waits for the bus. News takes with it what waits of its article: all of these are news then, so that they go
    /// in order.
    pub lane: Lane,
    /// Now.
    pub at: Timestamp,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Stored; the outbox owes it to the bus.
    Stored,
    /// An event of this key is stored already: no change.
    Repeat,
    /// Something else stands than `expect` said; nothing was changed.
    Conflict(Option<Current>),
}
