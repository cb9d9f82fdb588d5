//! The WebSub hub's part of the push ledger: topics that somebody wants, subscriptions, and what each is owed.
//!
//! A topic is looked at; when its bytes are others, it has a further version, and every subscription that was last given an
//! older one is owed the newest: never a queue of old ones. What a subscriber asked for stands apart from what was verified,
//! and takes its place only then. Callbacks of one host are called a few at a time, and rest together when they fail.

use crate::{Lease, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{HubMode, HubSubscriptionId, SignatureAlgorithm};
use std::{sync::Arc, time::Duration};

/// Which topics: each kind has its own looks and its own share of what the hub takes on. Of combinations there are more than
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
pub struct HubWish {
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

impl std::fmt::Debug for HubWish {
    /// Without what may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubWish")
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
    /// Wishes that are not settled yet.
    pub wishes_max: u32,
    /// Topics that somebody wants.
    pub topics_max: u32,
    /// How much of each of these is for combinations at most, in percent.
    pub combinations_percent: u32,
    /// Wishes that a host may have in one go; beyond it one for each `wish_interval`.
    pub wishes_per_host_burst: u32,
    /// See `wishes_per_host_burst`.
    pub wish_interval: Duration,
}

/// Whether a wish was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubTaken {
    /// It is in the ledger.
    Taken,
    /// The hub has as many subscriptions, wishes or topics as it takes on.
    Full,
    /// The callback's host has.
    HostFull,
    /// As much of it is for combinations as may be.
    CombinationsFull,
    /// The callback's host asks too often; again after this long.
    TooOften(Duration),
}

/// A topic to be looked at.
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

/// What a look at a topic came to.
#[derive(Clone, PartialEq, Eq)]
pub enum Look {
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
    /// It could not be looked at.
    Failed,
}

impl std::fmt::Debug for Look {
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

/// When topics are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookRule {
    /// Between looks after something may have changed: the first, second, … delay; the last one again and again.
    pub delays: Vec<Duration>,
    /// The same for combinations, of which each look may have a document written.
    pub combination_delays: Vec<Duration>,
    /// The shortest time between two looks.
    pub look_pause: Duration,
    /// The shortest time between two changes of a topic that are told.
    pub notice_pause: Duration,
}

/// Which calls: each lane has its own limits, so that strangers who are asked never delay subscribers who are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubLane {
    /// Telling subscribers of a further version.
    Deliveries,
    /// Settling wishes: asking, denying.
    Wishes,
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
    /// To ask whether it means its wish.
    Verify {
        /// Which wish, of those that came one after the other.
        wish: i64,
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
        /// Which wish.
        wish: i64,
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
            Self::Verify { wish, .. } | Self::Deny { wish, .. } => HubAbout::Wish(*wish),
            Self::Deliver { version, .. } => HubAbout::Version(*version),
        }
    }
}

impl std::fmt::Debug for HubCall {
    /// Without secrets and documents.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Verify { wish, mode, .. } => {
                f.debug_struct("Verify").field("wish", wish).field("mode", mode).finish()
            }
            Self::Deny { wish, reason, .. } => {
                f.debug_struct("Deny").field("wish", wish).field("reason", reason).finish()
            }
            Self::Deliver { version, .. } => f.debug_struct("Deliver").field("version", version).finish(),
        }
    }
}

/// What a call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubAbout {
    /// A wish, by its number.
    Wish(i64),
    /// A version of the topic.
    Version(i64),
}

/// What follows from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubOutcome {
    /// The wish is meant: what was asked holds from now on. Or: the version was taken.
    Done,
    /// The wish is not meant, or nobody can be asked; or the denial was told. What held before holds on.
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
    /// Failures in a row that lead to a rest.
    pub failures: u32,
    /// The first rest; doubles with each further one.
    pub rest: Duration,
    /// The longest.
    pub rest_max: Duration,
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
    /// A sentence for operators; no secrets, no control characters. At most 300 characters are kept.
    pub detail: String,
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubState {
    /// Asked for, not verified yet.
    Pending,
    /// Verified, and told of changes until its lease ends.
    Active,
}

impl HubState {
    /// A word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
        }
    }
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
    /// What its last call came to.
    pub detail: String,
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
    /// A wish is to be settled, or a lease of one ends.
    pub verify_at: Option<Timestamp>,
    /// A feed is to be looked at, or a lease of one ends.
    pub look_at: Option<Timestamp>,
    /// The same of combinations.
    pub combination_look_at: Option<Timestamp>,
}

/// What is swept away, and what is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubSweepRule {
    /// How long a wish may wait to be settled.
    pub wish_max: Duration,
    /// How long a lease may still last: a clock that was far ahead makes none for ever.
    pub lease_max: Duration,
    /// A last sweep that lies further ahead than this says that the clock was set back since.
    pub set_back_min: Duration,
    /// Rows of each kind at a time.
    pub max: u32,
}

/// What the hub holds, and what was swept away just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HubSwept {
    /// Subscriptions whose lease ended.
    pub expired: u64,
    /// Wishes that could not be settled in time.
    pub lapsed: u64,
    /// By how much the clock was set back since the last sweep; zero when it was not.
    pub set_back: Duration,
    /// Subscriptions now, verified or not.
    pub subscriptions: u64,
    /// Topics that somebody wants now.
    pub topics: u64,
}

/// The hub's part of the push ledger.
#[async_trait]
pub trait HubLedger: Send + Sync {
    /// Takes a wish in, in place of an earlier one of the same subscription that is not settled yet. What holds for the
    /// subscription stays until the wish is verified. A topic that is not known yet is looked at first.
    async fn hub_wish(&self, wish: &HubWish, limits: &HubLimits, at: Timestamp) -> Result<HubTaken, StoreError>;

    /// Something may have changed: all topics, or those named, are looked at soon. Topics nobody wants are none. Returns how
    /// many.
    async fn hub_ring(&self, topics: Option<&[String]>, rule: &LookRule, at: Timestamp) -> Result<u64, StoreError>;

    /// Claims up to `max` topics of a kind that are to be looked at.
    async fn hub_claim_topics(&self, kind: TopicKind, lease: &Lease, max: u32) -> Result<Vec<DueTopic>, StoreError>;

    /// Records looks, each fenced by `holder`; a late one changes nothing. Bytes that are others are a further version, owed to
    /// every subscription of the topic; the first bytes settle what wishes wait for. A topic that is missing and never was read
    /// is forgotten. Returns how many brought a further version.
    async fn hub_record_looks(
        &self,
        holder: &str,
        looks: &[(String, Look)],
        rule: &LookRule,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Claims up to `max` calls of a lane that are due: at most `per_host` in flight for each host in that lane, one for each
    /// subscription in either. A wish that was claimed before and not recorded has one try more. No delivery to a host that rests, or for a subscription whose lease has ended. Of one
    /// subscription what is due first goes first, and a wish when both are.
    async fn hub_claim(
        &self,
        lane: HubLane,
        lease: &Lease,
        per_host: u32,
        max: u32,
    ) -> Result<Vec<DueCall>, StoreError>;

    /// Records calls and what follows, each fenced by `holder`; of a late one only counts that a version was taken. An answer
    /// about a wish that was replaced meanwhile changes nothing. Returns how many counted.
    async fn hub_record(&self, holder: &str, records: &[CallRecord], rule: &HostRule) -> Result<u64, StoreError>;

    /// When something is to be done next. A look that changes nothing.
    async fn hub_next_due(&self) -> Result<HubDue, StoreError>;

    /// Deletes what came to its end: subscriptions whose lease ended, wishes that waited too long, topics nobody wants, hosts
    /// nobody speaks of. When the clock was set back since the last sweep, everything that was to be done later than now is to be
    /// done as much earlier: nothing waits until the clock is there again.
    async fn hub_sweep(&self, rule: &HubSweepRule, at: Timestamp) -> Result<HubSwept, StoreError>;

    /// Subscriptions, in the order in which they were first asked for.
    async fn hub_subscriptions(&self, query: &HubQuery) -> Result<Vec<HubSubscriptionView>, StoreError>;

    /// Ends a subscription, whatever its lease; its subscriber is told why. `NotFound`.
    async fn hub_remove(&self, id: &HubSubscriptionId, reason: &str, at: Timestamp) -> Result<(), StoreError>;
}
