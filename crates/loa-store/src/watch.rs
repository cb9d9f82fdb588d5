//! The watch's ledger: sources that are looked at, how each is, and the articles that each has named.
//!
//! A source is looked at by one holder at a time, and of one host by one holder at a time, so that a host is asked one thing
//! at a time by however many replicas. What a look finds is recorded item by item, before anything is done about it.

use crate::{Lease, StoreError};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use loa_domain::{ArticleKey, Fault, Selectors, WatchFailure, WatchKind, WatchWarning, WatchedState};
use serde::{Deserialize, Serialize};

/// Looks in a row that fail before a source is a fault.
const FAILURES_MAX: u32 = 3;
/// So long after it was due, nobody seems to look at a source.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

/// A source, as an operator set it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchSource {
    /// Its name: unique, for ever the same.
    pub name: String,
    /// The portal whose articles it names; empty: the installation's own.
    pub portal: String,
    /// Where it is.
    pub address: String,
    /// What is asked one thing at a time.
    pub host: String,
    /// What kind it is.
    pub kind: WatchKind,
    /// How it is read where evidence alone does not.
    pub selectors: Selectors,
    /// Articles published from then on are published although they were there before the watch; `None`: none of those.
    pub since: Option<Timestamp>,
    /// Between two looks, in seconds.
    pub every_seconds: u64,
    /// When it was added.
    pub created_at: Timestamp,
}

/// How a source is. Kept as JSON: members may be added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchState {
    /// Validator of the list as it was last read.
    pub etag: Option<String>,
    /// The same, by its time, as written.
    pub last_modified: Option<String>,
    /// The digest of the settings under which it was read: others ask for it anew.
    pub settings_digest: String,
    /// Whether the first look is done: what was there before is known.
    pub is_known: bool,
    /// When that began last: articles first seen until then were there before.
    pub first_looked_at: Option<Timestamp>,
    /// When the source was first looked at.
    pub began_at: Option<Timestamp>,
    /// When the last article was published, at the latest, that its list named then: older ones stood behind it, and come into the
    /// list when others leave it.
    pub behind_until: Option<Timestamp>,
    /// When a page of an article was there last: a page that is missing since before that is no fault of the whole site.
    pub page_read_at: Option<Timestamp>,
    /// What a sitemap's index names.
    pub children: Vec<WatchedChild>,
    /// When it was last looked at.
    pub looked_at: Option<Timestamp>,
    /// When it was last looked at without a fault.
    pub succeeded_at: Option<Timestamp>,
    /// Looks in a row that failed.
    pub failures: u32,
    /// Why the last look failed; `None`: it did not.
    #[serde(default, deserialize_with = "loa_domain::noted_failure::deserialize")]
    pub error: Option<WatchFailure>,
    /// What is odd about it.
    pub warnings: Vec<WatchWarning>,
    /// How many articles it named last.
    pub listed: u32,
    /// When the newest of them was published.
    pub newest_at: Option<Timestamp>,
    /// How long it usually takes until the next, at most, in seconds; `None`: it named too few to say.
    pub usual_seconds: Option<u64>,
}

/// A sitemap that an index names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchedChild {
    /// Where it is.
    pub address: String,
    /// When the index says now that it was changed last; `None`: it does not say.
    pub named_at: Option<Timestamp>,
    /// What it said of that when this was read.
    pub changed_at: Option<Timestamp>,
    /// Whether the index named it when the source was looked at first: what stood there then was there before.
    pub was_there: bool,
    /// When it was asked for last.
    pub tried_at: Option<Timestamp>,
    /// When it was read last; `None`: never.
    pub read_at: Option<Timestamp>,
    /// Validator of it as it was read.
    pub etag: Option<String>,
    /// The same, by its time, as written.
    pub last_modified: Option<String>,
}

/// A source with how it is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchView {
    /// As it was set up.
    pub source: WatchSource,
    /// How it is.
    pub state: WatchState,
    /// When it is looked at next.
    pub due_at: Timestamp,
    /// How many of its articles stand where.
    pub counts: Vec<(WatchedState, u64)>,
}

/// An article of a source, by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedItem {
    /// Its page.
    pub address: String,
    /// Its title in the list, as lists are compared; empty where it has none.
    pub title_key: String,
    /// Its title in the list.
    pub title: String,
    /// When the source says it was published.
    pub listed_at: Option<Timestamp>,
    /// When the source says it was changed.
    pub changed_at: Option<Timestamp>,
    /// Where it stands.
    pub state: WatchedState,
    /// What it was published as.
    pub article: Option<ArticleKey>,
    /// The digest of the article as it was read last: what counters change is not in it.
    pub digest: Option<String>,
    /// Whether that was read from the source itself, which has its whole text.
    pub is_text_of_list: bool,
    /// Where it was: the digest of its page, which shows that it was changed after the source named it last.
    pub page_digest: Option<String>,
    /// Validator of its page.
    pub etag: Option<String>,
    /// The same, by its time, as written.
    pub last_modified: Option<String>,
    /// When the source first named it.
    pub first_seen_at: Timestamp,
    /// When its page was last read.
    pub looked_at: Option<Timestamp>,
    /// When it is to be read next; `None`: not any more, unless the source says that it changed.
    pub due_at: Option<Timestamp>,
    /// How often its page was read.
    pub looks: u32,
    /// How often in a row its page could not be had for a fault of the site or of the way there.
    pub failures: u32,
    /// How often in a row its page was missing.
    pub missing: u32,
    /// Since when.
    pub missing_since: Option<Timestamp>,
    /// Why it is refused, or what went wrong last.
    pub error: Option<WatchFailure>,
}

impl WatchView {
    /// What is wrong with a source that somebody must look at; `None`: nothing.
    pub fn fault(&self, now: Timestamp) -> Option<Fault> {
        let failures = self.state.failures;
        let error = self.state.error.clone().filter(|_| failures >= FAILURES_MAX);
        let is_overdue = now.duration_since(self.due_at) > OVERDUE;
        let overdue = is_overdue.then_some(WatchWarning::Overdue { since: self.due_at });
        let warnings: Vec<WatchWarning> = overdue.into_iter().chain(self.state.warnings.iter().cloned()).collect();
        let is_fault = error.is_some() || !warnings.is_empty();
        is_fault.then(|| Fault::Watched {
            source: self.source.name.clone(),
            // a query may hold a key
            address: self.source.address.split('?').next().unwrap_or_default().to_owned(),
            failed: error.map(|error| (failures, error)),
            warnings,
        })
    }
}

/// What is seen of sources.
#[async_trait]
pub trait WatchViews: Send + Sync {
    /// All sources, by name. Counting their articles costs as much as there are: without `counted`, `counts` is empty.
    async fn watches(&self, counted: bool) -> Result<Vec<WatchView>, StoreError>;
}

/// The ledger.
#[async_trait]
pub trait WatchLedger: WatchViews {
    /// Adds a source, due at once. `Conflict` when the name is taken.
    async fn add_watch(&self, source: &WatchSource) -> Result<(), StoreError>;

    /// Removes a source and what it has named; articles stay published. `NotFound`.
    async fn remove_watch(&self, name: &str) -> Result<(), StoreError>;

    /// Claims sources to look at, the longest due first, at most one of each host and none of a host that another holder has.
    /// `only`: this one, due or not.
    async fn claim_watches(
        &self,
        lease: &Lease,
        only: Option<&str>,
        max: u32,
    ) -> Result<Vec<(WatchSource, WatchState)>, StoreError>;

    /// What is known of these addresses of a source, in the order asked.
    async fn watched(&self, name: &str, addresses: &[String]) -> Result<Vec<Option<WatchedItem>>, StoreError>;

    /// Articles of a source with this title, the newest first; at most `limit`.
    async fn watched_by_title(&self, name: &str, title_key: &str, limit: u32) -> Result<Vec<WatchedItem>, StoreError>;

    /// Articles of a source whose pages are to be read at `now`, the longest due first; at most `limit`.
    async fn watched_due(&self, name: &str, now: Timestamp, limit: u32) -> Result<Vec<WatchedItem>, StoreError>;

    /// Records articles of a source as they are now, and with them how the source is, where that follows from them. `Stale`
    /// when `holder` does not hold it any more.
    async fn record_watched(
        &self,
        holder: &str,
        name: &str,
        items: &[WatchedItem],
        state: Option<&WatchState>,
    ) -> Result<(), StoreError>;

    /// Ends a look: how the source is, when it is due again, and until when its host is left alone. `Stale` when `holder` does
    /// not hold it any more.
    async fn end_watch(
        &self,
        holder: &str,
        name: &str,
        state: &WatchState,
        due_at: Timestamp,
        host_rests_until: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}
