//! One step of the hub: record what ended, fetch topics that are due, call callbacks that are due.
//!
//! A step never waits for anybody: fetches and calls run beside the steps, each in a slot ([`InFlight`]), and the next step
//! records them. Everything that is due comes from the ledger.

use crate::{
    Service,
    service::{CLEAN_UP_MAX, Inner, later},
};
use jiff::Timestamp;
use loa_store::{CallClass, CallRecord, FetchOutcome, HubDue, Lease, StoreError, TopicKind, lease_holder};
use loa_worker::{InFlight, Progress};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// The shortest time between two rounds for events that came in: an import of thousands is one round a second.
const ROUND_PAUSE_MS: i64 = 1_000;

impl Service {
    /// An event came in somewhere: topics may have changed, or will in a moment.
    pub fn something_happened(&self) {
        self.0.something_happened.store(true, Ordering::Release);
        self.0.wake_up.wake();
    }

    /// Records what ended, and starts what is due; idle where the configuration wants no hub.
    ///
    /// # Errors
    /// When the ledger is away. Nothing is lost: what ended is kept for the next step.
    pub async fn step(&self) -> Result<Progress, StoreError> {
        if !self.0.config.enabled {
            return Ok(Progress::Idle);
        }
        let _one_at_a_time = self.0.stepping.lock().await;
        self.0.step().await
    }

    /// Waits until nothing is under way, and records what it came to.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn drain(&self) -> Result<(), StoreError> {
        let hub = &self.0;
        tokio::join!(
            hub.deliveries.ended(),
            hub.requests.ended(),
            hub.fetches.ended(),
            hub.combination_fetches.ended()
        );
        let _one_at_a_time = hub.stepping.lock().await;
        hub.record().await.map(drop)
    }
}

impl Inner {
    async fn step(self: &Arc<Self>) -> Result<Progress, StoreError> {
        let recorded = self.record().await?;
        self.fetch_soon().await?;
        let cleaned_up = self.clean_up().await?;
        let now = self.world.now();
        let HubDue { deliver_at, verify_at, fetch_at, combination_fetch_at } = self.ledger.hub_next_due().await?;
        let mut started = 0;
        for (kind, due_at) in [(TopicKind::Feed, fetch_at), (TopicKind::Combination, combination_fetch_at)] {
            if due_at.is_some_and(|at| at <= now) {
                started += self.start_fetches(kind).await?;
            }
        }
        for (call_class, due_at) in [(CallClass::Deliveries, deliver_at), (CallClass::Requests, verify_at)] {
            if due_at.is_some_and(|at| at <= now) {
                started += self.start_calls(call_class).await?;
            }
        }
        if recorded + started + cleaned_up > 0 {
            return Ok(Progress::Worked);
        }
        let late = deliver_at.map_or(0.0, |due_at| now.duration_since(due_at).as_secs_f64().max(0.0));
        metrics::gauge!("loa_hub_overdue_seconds").set(late);
        Ok(Progress::Idle)
    }

    async fn record(&self) -> Result<usize, StoreError> {
        let mut recorded = 0;
        for fetches in [&self.fetches, &self.combination_fetches] {
            while let Some(ended) = fetches.take_ended() {
                let (rule, now) = (self.fetch_rule(), self.world.now());
                let changed = self.ledger.hub_record_fetches(ended.lease(), ended.results(), &rule, now).await?;
                metrics::counter!("loa_hub_changes_total").increment(changed);
                recorded += ended.recorded();
            }
        }
        for calls in [&self.deliveries, &self.requests] {
            while let Some(ended) = calls.take_ended() {
                self.ledger.hub_record(ended.lease(), ended.results(), &self.host_rule()).await?;
                recorded += ended.recorded();
            }
        }
        Ok(recorded)
    }

    /// Has all topics fetched when an event came in, once in a while.
    async fn fetch_soon(&self) -> Result<(), StoreError> {
        let now = self.world.now();
        let too_soon = is_within(now, &self.told_at_ms, ROUND_PAUSE_MS);
        if too_soon || !self.something_happened.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        if let Err(error) = self.ledger.hub_fetch_soon(None, &self.fetch_rule(), now).await {
            self.something_happened.store(true, Ordering::Release);
            return Err(error);
        }
        self.told_at_ms.store(now.as_millisecond(), Ordering::Release);
        Ok(())
    }

    /// Throws away what came to its end, from time to time; how much it was.
    async fn clean_up(&self) -> Result<usize, StoreError> {
        let now = self.world.now();
        if is_within(
            now,
            &self.cleaned_up_at_ms,
            i64::try_from(self.config.poll_interval().as_millis()).unwrap_or(i64::MAX),
        ) {
            return Ok(0);
        }
        let cleaned_up = self.ledger.hub_clean_up(&self.clean_up_rule(), now).await?;
        if cleaned_up.set_back > Duration::ZERO {
            tracing::warn!(
                seconds = cleaned_up.set_back.as_secs(),
                "the clock was set back; the hub goes on by the one it has now"
            );
        }
        if cleaned_up.lapsed > 0 {
            tracing::warn!(
                requests = cleaned_up.lapsed,
                "requests to the hub could not be decided within a day; they are dropped"
            );
        }
        metrics::counter!("loa_hub_expired_total").increment(cleaned_up.expired);
        metrics::gauge!("loa_hub_subscriptions").set(cleaned_up.subscriptions as f64);
        metrics::gauge!("loa_hub_topics").set(cleaned_up.topics as f64);
        let full = cleaned_up.expired.max(cleaned_up.lapsed) >= u64::from(CLEAN_UP_MAX);
        if !full {
            self.cleaned_up_at_ms.store(now.as_millisecond(), Ordering::Release);
        }
        Ok(usize::from(full))
    }

    fn lease(&self) -> Lease {
        let now = self.world.now();
        Lease { holder: lease_holder(self.world.bytes()), now, until: later(now, self.config.lease()) }
    }

    async fn start_fetches(self: &Arc<Self>, kind: TopicKind) -> Result<usize, StoreError> {
        let fetches = self.fetches_of(kind);
        if fetches.free() == 0 {
            return Ok(0);
        }
        let lease = self.lease();
        let due = self.ledger.hub_claim_topics(kind, &lease, fetches.free()).await?;
        let started = due.len();
        for topic in due {
            let (hub, name) = (self.clone(), topic.topic.clone());
            let work = async move {
                let fetch = hub.fetch(&topic).await;
                (topic.topic, fetch)
            };
            fetches.start(lease.holder.clone(), work, |panic| {
                tracing::error!(error = %panic, "fetching a topic panicked: a defect of ours");
                (name, FetchOutcome::Failed)
            });
        }
        Ok(started)
    }

    async fn start_calls(self: &Arc<Self>, call_class: CallClass) -> Result<usize, StoreError> {
        let calls = self.calls_of(call_class);
        if calls.free() == 0 {
            return Ok(0);
        }
        let lease = self.lease();
        let due = self.ledger.hub_claim(call_class, &lease, self.config.in_flight_per_host_max, calls.free()).await?;
        let started = due.len();
        for call in due {
            let (hub, doomed, known) = (self.clone(), self.clone(), call.clone());
            calls.start(lease.holder.clone(), async move { hub.call(&call).await }, move |panic| {
                tracing::error!(subscription = %known.subscription, error = %panic, "calling panicked: a defect of ours");
                doomed.broken(&known)
            });
        }
        Ok(started)
    }

    fn fetches_of(&self, kind: TopicKind) -> &InFlight<String, (String, FetchOutcome)> {
        match kind {
            TopicKind::Feed => &self.fetches,
            TopicKind::Combination => &self.combination_fetches,
        }
    }

    fn calls_of(&self, call_class: CallClass) -> &InFlight<String, CallRecord> {
        match call_class {
            CallClass::Deliveries => &self.deliveries,
            CallClass::Requests => &self.requests,
        }
    }
}

/// Whether so little time has passed since. A clock that was set back silences nothing until that time comes again.
fn is_within(now: Timestamp, since_ms: &AtomicI64, pause_ms: i64) -> bool {
    let passed = now.as_millisecond().saturating_sub(since_ms.load(Ordering::Acquire));
    (0..pause_ms).contains(&passed)
}
