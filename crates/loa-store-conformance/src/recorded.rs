//! Ledgers that remember which of their methods were called: how the suite proves that its rules reach every method of every
//! door, on each engine that it is run on.
//!
//! A method that is added to a door does not compile before it stands here, and the suite fails before a rule calls it.

use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    ArticleKey, Because, DeliveryId, EmailAddress, Endpoint, EndpointId, EndpointState, Event, EventKey, FeedName,
    Frequency, HubSubscriptionId, JourneyLine, MailId, NotCarried, Outlet, PauseReason, Portal, PortalSlug, RunKey,
    Scope, Token, Wish,
};
use loa_store::{
    Accepted, AccessLedger, ArchiveQuery, Archived, Arrivals, Attempt, AttemptReceipt, AttemptRecord, AuditEvent,
    AuditRound, Audits, Book, CallClass, CallRecord, Completeness, Confirmations, Current, Deliveries, DeliveryQuery,
    DeliveryView, DigestItem, DigestLedger, DigestViews, DueCall, DueDelivery, DueMail, DueTimes, DueTopic, Endpoints,
    EventArchive, FeedArrival, FeedChanges, FeedEntry, FeedLedger, FeedSummary, FeedViews, FetchOutcome, FetchRule,
    HeardHeartbeat, HostRule, HubCleanUpRule, HubCleanedUp, HubDue, HubLedger, HubLimits, HubQuery,
    HubSubscriptionRequest, HubSubscriptionView, HubTaken, IntakeLedger, IntakeViews, Lease, Ledger, MailBegun,
    MailRecord, MailView, Mails, Noted, Outbox, OutboxRow, OutboxState, Plan, PortalLedger, PushLedger, PushViews,
    Receipt, ReceiptLedger, Receptions, Rendered, Restorable, Run, Runs, Said, StoreError, Submission, Submissions,
    Submitted, Subscriber, Subscription, SubscriptionRequest, Subscriptions, Tombstone, TopicKind, Unaudited,
    WatchLedger, WatchSource, WatchState, WatchView, WatchViews, WatchedItem,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// A ledger, and where its calls are remembered.
pub(crate) struct Recorded<L: ?Sized> {
    pub(crate) ledger: Arc<L>,
    pub(crate) calls: &'static Calls,
}

/// The methods that were called.
#[derive(Debug, Default)]
pub struct Calls(Mutex<BTreeSet<&'static str>>);

impl Calls {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeSet::new()))
    }

    fn note(&self, method: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(method);
    }

    /// Methods that nobody called.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let called = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        METHODS.iter().copied().filter(|method| !called.contains(method)).collect()
    }
}

/// The name of a method in the record.
macro_rules! name {
    ($ledger:ident, $door:ident, $method:ident) => {
        concat!(stringify!($ledger), ": ", stringify!($door), "::", stringify!($method))
    };
}

/// Of a door's methods, what `Restorable` has besides.
macro_rules! not_async {
    (Restorable) => {
        fn book(&self) -> Option<Book> {
            self.ledger.book()
        }
    };
    ($door:ident) => {};
}

macro_rules! recorded {
    ($($ledger:ident {$(
        $door:ident {$( $method:ident($($argument:ident: $type:ty),*) -> $answer:ty; )*}
    )*})*) => {
        $($(
            #[async_trait]
            impl $door for Recorded<dyn $ledger> {
                not_async!($door);

                $(
                    async fn $method(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                        self.calls.note(name!($ledger, $door, $method));
                        self.ledger.$method($($argument),*).await
                    }
                )*
            }
        )*)*

        const METHODS: &[&str] = &[$($($(name!($ledger, $door, $method),)*)*)*];
    };
}

recorded! {
    AccessLedger {
        AccessLedger {
            add_token(name: &str, scope: Scope, secret_hash: &str, portals: &[PortalSlug], at: Timestamp) -> ();
            tokens() -> Vec<Token>;
            revoke_token(name: &str, at: Timestamp) -> ();
            token(secret_hash: &str) -> Option<Token>;
            ping() -> ();
        }
        PortalLedger {
            add_portal(portal: &Portal) -> ();
            portals() -> Vec<Portal>;
            retire_portal(slug: &PortalSlug, at: Timestamp) -> ();
        }
    }
    IntakeLedger {
        Submissions {
            current(articles: &[ArticleKey]) -> Vec<Option<Current>>;
            submit(batch: &[Submission]) -> Vec<Submitted>;
            renumber(article: &ArticleKey, revision_max: u64) -> Option<Current>;
        }
        Outbox {
            claim_outbox(lease: &Lease, room: &loa_store::ClaimRoom) -> Vec<OutboxRow>;
            outbox_confirmed(sequences: &[i64], at: Timestamp) -> ();
            outbox_failed(holder: &str, sequences: &[i64], due_at: Timestamp, error: &str) -> ();
            outbox_set_aside(holder: &str, sequences: &[i64], at: Timestamp, due_at: Timestamp, why: &NotCarried) -> ();
        }
        EventArchive {
            archive(events: &[Archived]) -> u64;
            newest(article: &ArticleKey) -> Option<Archived>;
            archived(query: &ArchiveQuery) -> Vec<Archived>;
        }
        Audits {
            unaudited(outlet: Outlet, limit: u32) -> Unaudited;
            audited(round: &AuditRound) -> bool;
            gaps_to_ask_about(outlet: Outlet, limit: u32) -> Vec<AuditEvent>;
            gaps_asked_about(outlet: Outlet, seen: &[i64], missing: &[i64], at: Timestamp) -> ();
            heartbeats_heard(heard: &[HeardHeartbeat]) -> ();
            forget_heartbeats(before: Timestamp) -> ();
        }
        IntakeViews {
            outbox_state() -> OutboxState;
            completeness(routed_until: Timestamp) -> Vec<Completeness>;
            heartbeats() -> Vec<HeardHeartbeat>;
            installation() -> String;
        }
        Ledger {
            ping() -> ();
            journey(article: &ArticleKey) -> Vec<JourneyLine>;
        }
    }
    FeedLedger {
        FeedChanges {
            accept(batch: &[FeedArrival], at: Timestamp) -> Accepted;
            changed(after: i64, limit: u32) -> (Vec<FeedName>, i64);
            changed_at(feeds: &[FeedName]) -> Timestamp;
            rendered(name: &str, fingerprint: &str, change: i64, candidate: Timestamp) -> Rendered;
        }
        FeedViews {
            entries(feed: &FeedName, before: Option<(Timestamp, ArticleKey)>, limit: u32) -> Vec<FeedEntry>;
            tombstones(feed: &FeedName, limit: u32) -> Vec<Tombstone>;
            counted(feed: &FeedName, from: Timestamp, until: Timestamp) -> u64;
            between(feed: &FeedName, from: Timestamp, until: Timestamp, skip: u64, limit: u32) -> Vec<FeedEntry>;
            around(feed: &FeedName, from: Timestamp, until: Timestamp) -> (Option<Timestamp>, Option<Timestamp>);
            summaries(until: Timestamp) -> Vec<FeedSummary>;
            standing(article: &ArticleKey) -> Option<Result<FeedEntry, Tombstone>>;
        }
        Receptions {
            not_seen(events: &[Said]) -> Vec<EventKey>;
        }
        Ledger {
            ping() -> ();
            journey(article: &ArticleKey) -> Vec<JourneyLine>;
        }
    }
    DigestLedger {
        Arrivals {
            accept(batch: &[Event], at: Timestamp) -> Accepted;
        }
        Subscriptions {
            subscribe(batch: &[SubscriptionRequest]) -> Vec<Subscription>;
            confirm(token_hash: &str, at: Timestamp) -> Option<Subscription>;
            unsubscribe(token_hash: &str, at: Timestamp) -> Option<Subscription>;
        }
        Confirmations {
            allow_confirmation(email: &EmailAddress, since: Timestamp, max: u32, at: Timestamp) -> bool;
            release_confirmation(email: &EmailAddress, at: Timestamp) -> ();
            add_key(token_hash: &str, key_hash: &str, until: Timestamp) -> bool;
            expire_unconfirmed(before: Timestamp, at: Timestamp, max: u32) -> u64;
        }
        Runs {
            owed(frequency: Frequency, oldest: Timestamp, cutoff: Timestamp) -> bool;
            open_run(key: &RunKey, cutoff: Timestamp, at: Timestamp) -> (Run, bool);
            plan(run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Plan;
            pause_run(run: i64, why: Option<&Because<PauseReason>>, at: Timestamp) -> ();
        }
        Mails {
            claim_mails(lease: &Lease, max: u32) -> Vec<DueMail>;
            submitting(holder: &str, ids: &[MailId], at: Timestamp) -> Vec<MailId>;
            record_mails(holder: &str, records: &[MailRecord]) -> u64;
            in_dialogue(ids: &[MailId]) -> Vec<MailBegun>;
        }
        DigestViews {
            subscribers(after: &str, limit: u32) -> Vec<Subscriber>;
            subscriber(email: &EmailAddress) -> Option<Subscriber>;
            by_token(token_hash: &str) -> Option<Subscription>;
            by_key(key_hash: &str, now: Timestamp) -> Option<Subscription>;
            preview(wish: &Wish, since: Timestamp, limit: u32) -> Vec<DigestItem>;
            runs(limit: u32) -> Vec<Run>;
            stuck_runs(limit: u32) -> Vec<Run>;
            run(run: i64) -> Option<Run>;
            mails(run: i64, after: &str, limit: u32) -> Vec<MailView>;
        }
        Restorable {
            learn(receipts: &[Receipt]) -> u64;
            set_restoring(restoring: bool) -> ();
        }
        Receptions {
            not_seen(events: &[Said]) -> Vec<EventKey>;
        }
        Ledger {
            ping() -> ();
            journey(article: &ArticleKey) -> Vec<JourneyLine>;
        }
    }
    PushLedger {
        Arrivals {
            accept(batch: &[Event], at: Timestamp) -> Accepted;
        }
        Endpoints {
            add_endpoint(endpoint: &Endpoint) -> ();
            set_endpoint_state(id: &EndpointId, state: &EndpointState) -> ();
            set_secrets(id: &EndpointId, secrets: &[Vec<u8>]) -> ();
        }
        DueTimes {
            next_due() -> Option<Timestamp>;
            redrive(id: &DeliveryId, at: Timestamp) -> ();
        }
        Deliveries {
            claim(lease: &Lease, skip: &[EndpointId], per_endpoint: u32, max: u32) -> Vec<DueDelivery>;
            record(holder: &str, records: &[AttemptRecord]) -> u64;
            receipts(records: &[AttemptRecord]) -> Vec<AttemptReceipt>;
        }
        PushViews {
            endpoints() -> Vec<Endpoint>;
            endpoint(id: &EndpointId) -> Option<Endpoint>;
            deliveries(query: &DeliveryQuery) -> Vec<DeliveryView>;
            delivery(id: &DeliveryId) -> (DeliveryView, Vec<Attempt>);
        }
        Restorable {
            learn(receipts: &[Receipt]) -> u64;
            set_restoring(restoring: bool) -> ();
        }
        Receptions {
            not_seen(events: &[Said]) -> Vec<EventKey>;
        }
        Ledger {
            ping() -> ();
            journey(article: &ArticleKey) -> Vec<JourneyLine>;
        }
    }
    HubLedger {
        HubLedger {
            hub_request(request: &HubSubscriptionRequest, limits: &HubLimits, at: Timestamp) -> HubTaken;
            hub_fetch_soon(topics: Option<&[String]>, rule: &FetchRule, at: Timestamp) -> u64;
            hub_claim_topics(kind: TopicKind, lease: &Lease, max: u32) -> Vec<DueTopic>;
            hub_record_fetches(holder: &str, fetches: &[(String, FetchOutcome)], rule: &FetchRule, at: Timestamp) -> u64;
            hub_claim(class: CallClass, lease: &Lease, per_host: u32, max: u32) -> Vec<DueCall>;
            hub_record(holder: &str, records: &[CallRecord], rule: &HostRule) -> u64;
            hub_next_due() -> HubDue;
            hub_clean_up(rule: &HubCleanUpRule, at: Timestamp) -> HubCleanedUp;
            hub_subscriptions(query: &HubQuery) -> Vec<HubSubscriptionView>;
            hub_remove(id: &HubSubscriptionId, reason: &str, at: Timestamp) -> ();
        }
    }
    ReceiptLedger {
        ReceiptLedger {
            begin(at: Timestamp) -> Timestamp;
            complete_since() -> Option<Timestamp>;
            incomplete_before(at: Timestamp) -> ();
            note(book: Book, receipts: &[Receipt], at: Timestamp) -> ();
            noted(book: Book, since: Timestamp, after: i64, limit: u32) -> Vec<Noted>;
            prune(before: Timestamp, max: u32) -> u64;
            ping() -> ();
        }
    }
    WatchLedger {
        WatchViews {
            watches(counted: bool) -> Vec<WatchView>;
        }
        WatchLedger {
            add_watch(source: &WatchSource) -> ();
            remove_watch(name: &str) -> ();
            claim_watches(lease: &Lease, only: Option<&str>, max: u32) -> Vec<(WatchSource, WatchState)>;
            watched(name: &str, addresses: &[String]) -> Vec<Option<WatchedItem>>;
            watched_by_title(name: &str, title_key: &str, limit: u32) -> Vec<WatchedItem>;
            watched_due(name: &str, now: Timestamp, limit: u32) -> Vec<WatchedItem>;
            record_watched(
                holder: &str,
                name: &str,
                items: &[WatchedItem],
                state: Option<&WatchState>
            ) -> ();
            end_watch(
                holder: &str,
                name: &str,
                state: &WatchState,
                due_at: Timestamp,
                host_rests_until: Option<Timestamp>
            ) -> ();
            ping() -> ();
        }
    }
}
