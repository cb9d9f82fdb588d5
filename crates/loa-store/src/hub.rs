//! The WebSub hub's part of the push ledger: topics that somebody wants, subscriptions, and what each is owed.
//!
//! A topic is fetched; when its bytes are others, it has a further version, and every subscription that was last given an
//! older one is owed the newest: never a queue of old ones. What a subscriber asked for stands apart from what was verified,
//! and takes its place only then. Callbacks of one host are called a few at a time, and rest together when they fail.

use crate::{Lease, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{BreakerRule, HubMode, HubState, HubSubscriptionId, LastCall, SignatureAlgorithm};
use std::{sync::Arc, time::Duration};

/// Which topics: each kind has its own fetches and its own share of what the hub takes on. Of combinations there are more than
/// anybody can count, and each costs the feed service a document of its own; they never crowd out the feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicKind {
    /// A feed.
    Feed,
    /// Feeds that a reader put together.
    Combination,
}

/// What a subscriber asks for. Its subscription is the one of (`topic`, `callback_form`).
#[derive(Clone, PartialEq, Eq)]
pub struct HubSubscriptionRequest {
    /// Which of the two.
    pub mode: HubMode,
    /// The topic, as it names itself.
    pub topic: String,
    /// What kind of topic it is.
    pub kind: TopicKind,
    /// The topic, as the subscriber wrote it: that is what it is asked about.
    pub topic_written: String,
    /// Where to call, as the subscriber wrote it.
    pub callback: String,
    /// The same in the form in which callbacks are compared.
    pub callback_form: String,
    /// Whose limits it counts against.
    pub host: String,
    /// For how long it would be granted, in seconds.
    pub lease_seconds: u64,
    /// What to sign with.
    pub secret: Option<Vec<u8>>,
    /// How to sign.
    pub algorithm: SignatureAlgorithm,
    /// To be given back when asking.
    pub token: Option<String>,
}

impl std::fmt::Debug for HubSubscriptionRequest {
    /// Without what may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubSubscriptionRequest")
            .field("mode", &self.mode)
            .field("topic", &self.topic)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// How much the hub takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubLimits {
    /// Subscriptions, verified or not.
    pub subscriptions_max: u32,
    /// The same, for each host.
    pub subscriptions_per_host_max: u32,
    /// Requests that are not decided yet.
    pub requests_max: u32,
    /// Topics that somebody wants.
    pub topics_max: u32,
    /// How much of each of these is for combinations at most, in percent.
    pub combinations_percent: u32,
    /// Requests that a host may have in one go; beyond it one for each `request_interval`.
    pub requests_per_host_burst: u32,
    /// See `requests_per_host_burst`.
    pub request_interval: Duration,
}

/// Whether a request was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubTaken {
    /// It is in the ledger.
    Taken,
    /// The hub has as many subscriptions, requests or topics as it takes on.
    Full,
    /// The callback's host has.
    HostFull,
    /// As much of it is for combinations as may be.
    CombinationsFull,
    /// The callback's host asks too often; again after this long.
    TooOften(Duration),
}

/// A topic to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTopic {
    /// Which.
    pub topic: String,
    /// The validator of what is kept of it; `None` when nothing is.
    pub etag: Option<String>,
    /// What `Last-Modified` said of what is kept.
    pub modified_at: Option<Timestamp>,
    /// When what is kept was taken.
    pub changed_at: Option<Timestamp>,
}

/// What a fetch of a topic came to.
#[derive(Clone, PartialEq, Eq)]
pub enum FetchOutcome {
    /// It is as it was.
    Unchanged,
    /// These are its bytes. (Equal bytes are no change.)
    Read {
        /// Validator.
        etag: Option<String>,
        /// `Last-Modified`.
        modified_at: Option<Timestamp>,
        /// `Content-Type`, as it was said.
        content_type: String,
        /// The whole document.
        body: Arc<[u8]>,
    },
    /// There is no such topic; why, for subscribers.
    Missing(String),
    /// It could not be fetched.
    Failed,
}

impl std::fmt::Debug for FetchOutcome {
    /// Without the document.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchanged => f.write_str("Unchanged"),
            Self::Read { etag, .. } => f.debug_struct("Read").field("etag", etag).finish_non_exhaustive(),
            Self::Missing(why) => f.debug_tuple("Missing").field(why).finish(),
            Self::Failed => f.write_str("Failed"),
        }
    }
}

/// When topics are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRule {
    /// Between fetches after something may have changed: the first, second, … delay; the last one again and again.
    pub delays: Vec<Duration>,
    /// The same for combinations, of which each look may have a document written.
    pub combination_delays: Vec<Duration>,
    /// The shortest time between two fetches.
    pub fetch_pause: Duration,
    /// The shortest time between two changes of a topic that are told.
    pub notice_pause: Duration,
}

/// Which calls: each class has its own limits, so that strangers who are asked never delay subscribers who are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallClass {
    /// Telling subscribers of a further version.
    Deliveries,
    /// Deciding requests: asking, denying.
    Requests,
}

/// A callback to be called.
#[derive(Clone, PartialEq, Eq)]
pub struct DueCall {
    /// For which subscription.
    pub subscription: HubSubscriptionId,
    /// Where to.
    pub callback: String,
    /// Its host.
    pub host: String,
    /// What for.
    pub call: HubCall,
    /// Calls made for this before: the place in the schedule.
    pub tries: u32,
}

impl std::fmt::Debug for DueCall {
    /// Without the callback, which may hold a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DueCall")
            .field("subscription", &self.subscription)
            .field("host", &self.host)
            .field("call", &self.call)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

/// What a callback is called for.
#[derive(Clone, PartialEq, Eq)]
pub enum HubCall {
    /// To ask whether it means its request.
    Verify {
        /// Which request, of those that came one after the other.
        request: i64,
        /// What it asked for.
        mode: HubMode,
        /// As it was written.
        topic: String,
        /// For how long it would be granted, in seconds.
        lease_seconds: u64,
        /// To be given back.
        token: Option<String>,
    },
    /// To say that it is not subscribed.
    Deny {
        /// Which request.
        request: i64,
        /// As it was written.
        topic: String,
        /// Why, for people.
        reason: String,
    },
    /// To give it the topic's newest version.
    Deliver {
        /// Which.
        version: i64,
        /// The topic, as it names itself.
        topic: String,
        /// What the topic's `Content-Type` said.
        content_type: String,
        /// The whole document.
        body: Arc<[u8]>,
        /// What to sign with.
        secret: Option<Vec<u8>>,
        /// How to sign.
        algorithm: SignatureAlgorithm,
    },
}

impl HubCall {
    /// What it is about, for its record.
    pub fn about(&self) -> HubAbout {
        match self {
            Self::Verify { request, .. } | Self::Deny { request, .. } => HubAbout::Request(*request),
            Self::Deliver { version, .. } => HubAbout::Version(*version),
        }
    }
}

impl std::fmt::Debug for HubCall {
    /// Without secrets and documents.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Verify { request, mode, .. } => {
                f.debug_struct("Verify").field("request", request).field("mode", mode).finish()
            }
            Self::Deny { request, reason, .. } => {
                f.debug_struct("Deny").field("request", request).field("reason", reason).finish()
            }
            Self::Deliver { version, .. } => f.debug_struct("Deliver").field("version", version).finish(),
        }
    }
}

/// What a call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubAbout {
    /// A request, by its number.
    Request(i64),
    /// A version of the topic.
    Version(i64),
}

/// What follows from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubOutcome {
    /// The request is meant: what was asked holds from now on. Or: the version was taken.
    Done,
    /// The request is not meant, or nobody can be asked; or the denial was told. What held before holds on.
    Dropped,
    /// Again at this instant.
    Retry(Timestamp),
    /// Nobody was called; at this instant somebody may be. No try is counted.
    Later(Timestamp),
    /// This version is given up; the subscription lives on, and the next version is tried again.
    GiveUp,
    /// The subscriber wants no more: the subscription ends.
    Gone,
}

/// What a call says about its host as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostSign {
    /// Nothing: only deliveries are to those who were verified.
    Nothing,
    /// It lives.
    Alive,
    /// It fails.
    Failing,
    /// It asks to be left alone until then.
    Pause(Timestamp),
}

/// When a host is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRule {
    /// When its breaker opens, and for how long.
    pub breaker: BreakerRule,
    /// Subscriptions that are verified in one network. Who is over it is told so.
    pub subscriptions_per_network_max: u32,
}

/// What one call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Of which subscription.
    pub subscription: HubSubscriptionId,
    /// What it was about.
    pub about: HubAbout,
    /// When it ended.
    pub at: Timestamp,
    /// What follows.
    pub outcome: HubOutcome,
    /// What it says about the host.
    pub sign: HostSign,
    /// The network it went to, where somebody was verified; empty: it is not known.
    pub network: String,
    /// The same for operators; no secrets.
    pub told: LastCall,
}

/// A subscription as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubSubscriptionView {
    /// Ours.
    pub id: HubSubscriptionId,
    /// The topic.
    pub topic: String,
    /// Where it is called.
    pub callback: String,
    /// The callback's host.
    pub host: String,
    /// Where it stands.
    pub state: HubState,
    /// When its lease ends.
    pub ends_at: Option<Timestamp>,
    /// Whether what it gets is signed.
    pub signed: bool,
    /// Whether it is owed a version.
    pub owed: bool,
    /// Calls that failed in a row, for what is owed.
    pub tries: u32,
    /// When it was first asked for.
    pub created_at: Timestamp,
    /// When it last took a version.
    pub delivered_at: Option<Timestamp>,
    /// What its last call came to; `None`: there was none.
    pub last_call: Option<LastCall>,
}

/// Which subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HubQuery {
    /// Only of this topic.
    pub topic: Option<String>,
    /// Only of callbacks at this host.
    pub host: Option<String>,
    /// Only after this one.
    pub after: Option<HubSubscriptionId>,
    /// At most this many (1 to 1,000), in the order in which they were first asked for.
    pub limit: u32,
}

/// When something of the hub is to be done next; `None`: nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HubDue {
    /// A subscriber is to be told, or a lease of one ends.
    pub deliver_at: Option<Timestamp>,
    /// A request is to be decided, or a lease of one ends.
    pub verify_at: Option<Timestamp>,
    /// A feed is to be fetched, or a lease of one ends.
    pub fetch_at: Option<Timestamp>,
    /// The same of combinations.
    pub combination_fetch_at: Option<Timestamp>,
}

/// What is cleaned up, and what is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubCleanUpRule {
    /// How long a request may wait to be decided.
    pub request_max: Duration,
    /// How long a lease may still last: a clock that was far ahead makes none for ever.
    pub lease_max: Duration,
    /// A last clean-up that lies further ahead than this says that the clock was set back since.
    pub set_back_min: Duration,
    /// Rows of each kind at a time.
    pub max: u32,
}

/// What the hub holds, and what was cleaned up just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HubCleanedUp {
    /// Subscriptions whose lease ended.
    pub expired: u64,
    /// Requests that could not be decided in time.
    pub lapsed: u64,
    /// By how much the clock was set back since the last clean-up; zero when it was not.
    pub set_back: Duration,
    /// Subscriptions now, verified or not.
    pub subscriptions: u64,
    /// Topics that somebody wants now.
    pub topics: u64,
}

/// The hub's ledger. Its tables stand in the push ledger's file or schema; nobody but the hub reads them.
#[async_trait]
pub trait HubLedger: Send + Sync {
    /// Takes a request in, in place of an earlier one of the same subscription that is not decided yet. What holds for the
    /// subscription stays until the request is verified. A topic that is not known yet is fetched first.
    async fn hub_request(
        &self,
        request: &HubSubscriptionRequest,
        limits: &HubLimits,
        at: Timestamp,
    ) -> Result<HubTaken, StoreError>;

    /// Something may have changed: all topics, or those named, are fetched soon. Topics nobody wants are none. Returns how
    /// many.
    async fn hub_fetch_soon(
        &self,
        topics: Option<&[String]>,
        rule: &FetchRule,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Claims up to `max` topics of a kind that are to be fetched.
    async fn hub_claim_topics(&self, kind: TopicKind, lease: &Lease, max: u32) -> Result<Vec<DueTopic>, StoreError>;

    /// Records fetches, each fenced by `holder`; a late one changes nothing. Bytes that are others are a further version, owed to
    /// every subscription of the topic; the first bytes are what requests wait for. A topic that is missing and never was read
    /// is forgotten. Returns how many brought a further version.
    async fn hub_record_fetches(
        &self,
        holder: &str,
        fetches: &[(String, FetchOutcome)],
        rule: &FetchRule,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Claims up to `max` calls of a class that are due: at most `per_host` in flight for each host in that class, one for each
    /// subscription in either. A request that was claimed before and not recorded has one try more. No delivery to a host that rests, or for a subscription whose lease has ended. Of one
    /// subscription what is due first goes first, and a request when both are.
    async fn hub_claim(
        &self,
        class: CallClass,
        lease: &Lease,
        per_host: u32,
        max: u32,
    ) -> Result<Vec<DueCall>, StoreError>;

    /// Records calls and what follows, each fenced by `holder`; of a late one only counts that a version was taken. An answer
    /// about a request that was replaced meanwhile changes nothing. Returns how many counted.
    async fn hub_record(&self, holder: &str, records: &[CallRecord], rule: &HostRule) -> Result<u64, StoreError>;

    /// When something is to be done next. A look that changes nothing.
    async fn hub_next_due(&self) -> Result<HubDue, StoreError>;

    /// Deletes what came to its end: subscriptions whose lease ended, requests that waited too long, topics nobody wants, hosts
    /// nobody speaks of. When the clock was set back since the last clean-up, everything that was to be done later than now is to be
    /// done as much earlier: nothing waits until the clock is there again.
    async fn hub_clean_up(&self, rule: &HubCleanUpRule, at: Timestamp) -> Result<HubCleanedUp, StoreError>;

    /// Subscriptions, in the order in which they were first asked for.
    async fn hub_subscriptions(&self, query: &HubQuery) -> Result<Vec<HubSubscriptionView>, StoreError>;

    /// Ends a subscription, whatever its lease; its subscriber is told why. `NotFound`.
    async fn hub_remove(&self, id: &HubSubscriptionId, reason: &str, at: Timestamp) -> Result<(), StoreError>;
}
