//! What can be asked of intake's ledger without changing anything.

use crate::{Completeness, HeardHeartbeat, Ledger, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, Fault, NotCarried};

/// Read-only: for the console and metrics.
#[async_trait]
pub trait IntakeViews: Ledger {
    /// How full the outbox is.
    async fn outbox_state(&self) -> Result<OutboxState, StoreError>;

    /// How complete each outlet is, in the order of the pipeline. Events that the bus has not had until `routed_until` are not
    /// counted: they are on their way.
    async fn completeness(&self, routed_until: Timestamp) -> Result<Vec<Completeness>, StoreError>;

    /// The newest heartbeat of each installation that came through each binding of each queue; at most some hundreds.
    async fn heartbeats(&self) -> Result<Vec<HeardHeartbeat>, StoreError>;

    /// This installation's id: 32 hexadecimal digits, random, made once.
    async fn installation(&self) -> Result<String, StoreError>;
}

/// How full the outbox is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Events not yet confirmed by the bus, without those set aside; 100,000 means that many or more.
    pub waiting: u64,
    /// Since when the oldest of them that is news waits.
    pub oldest_at: Option<Timestamp>,
    /// Those of them that belong to back-files.
    pub back_files: Option<WaitingBackFiles>,
    /// Events that the bus does not take as they are.
    pub set_aside: Option<SetAside>,
}

/// Events of back-files that wait for their turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingBackFiles {
    /// How many; 100,000 means that many or more.
    pub count: u64,
    /// Since when the oldest waits; `None`: it cannot be read.
    pub oldest_at: Option<Timestamp>,
}

/// Events that are set aside, and the one that is for the longest time. When none of the first can be read, it is one of these:
/// `since` then is when it came, and what cannot be read of it either is `unreadable-row-` and its number, and 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// How many; 100,000 means that many or more.
    pub count: u64,
    /// Since when it is.
    pub since: Timestamp,
    /// Its article.
    pub article: ArticleKey,
    /// Why, when it was last tried.
    pub why: NotCarried,
}

impl SetAside {
    /// What that means for operators.
    pub fn fault(&self) -> Fault {
        Fault::SetAside {
            count: self.count,
            since: self.since,
            article: self.article.to_string(),
            why: self.why.clone(),
        }
    }
}
