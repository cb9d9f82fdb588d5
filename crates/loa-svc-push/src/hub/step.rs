//! One turn of the wheel: record what ended, look at topics that are due, call callbacks that are due. A step never waits
//! for anybody; looks and calls run beside the steps, each in a slot, and are recorded by the next.

use super::{COMBINATION_LOOKS_MAX, Hub, LOOKS_MAX, SWEEP_MAX, call::Called, hex, later};
use jiff::Timestamp;
use loa_store::{CallRecord, HubDue, HubLane, Lease, Look, StoreError, TopicKind};
use loa_worker::Progress;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::OwnedSemaphorePermit;

/// The shortest time between two rounds for events that came in: an import of thousands is one round a second.
const RING_PAUSE_MS: i64 = 1_000;

impl Hub {
    /// An event came in: topics may have changed, or will in a moment.
    pub(crate) fn something_happened(&self) {
        self.something_happened.store(true, Ordering::Release);
        self.bell.ring();
    }

    /// Records what ended, and starts what is due.
    ///
    /// # Errors
    /// When the ledger is away. Nothing is lost: what ended is kept for the next step.
    pub(crate) async fn step(self: &Arc<Self>) -> Result<Progress, StoreError> {
        let _one_at_a_time = self.stepping.lock().await;
        let recorded = self.record().await?;
        self.ring().await?;
        let swept = self.sweep().await?;
        let now = self.world.now();
        let HubDue { deliver_at, verify_at, look_at, combination_look_at } = self.ledger.hub_next_due().await?;
        let mut started = 0;
        for (kind, due_at) in [(TopicKind::Feed, look_at), (TopicKind::Combination, combination_look_at)] {
            if due_at.is_some_and(|at| at <= now) {
                started += self.start_looks(kind).await?;
            }
        }
        for (lane, due_at) in [(HubLane::Deliveries, deliver_at), (HubLane::Wishes, verify_at)] {
            if due_at.is_some_and(|at| at <= now) {
                started += self.start_calls(lane).await?;
            }
        }
        if recorded + started + swept > 0 {
            return Ok(Progress::Worked);
        }
        let late = deliver_at.map_or(0.0, |due_at| now.duration_since(due_at).as_secs_f64().max(0.0));
        metrics::gauge!("loa_hub_overdue_seconds").set(late);
        Ok(Progress::Idle)
    }

    /// Waits until nothing is under way, and records what it came to.
    ///
    /// # Errors
    /// When the ledger is away.
    pub(crate) async fn drain(&self) -> Result<(), StoreError> {
        // the semaphores are never closed, so this only waits
        let calls = self.slots.acquire_many(self.config.in_flight_max).await;
        let looks = self.look_slots.acquire_many(LOOKS_MAX).await;
        let combinations = self.combination_slots.acquire_many(COMBINATION_LOOKS_MAX).await;
        let wishes = self.wish_slots.acquire_many(self.config.in_flight_max).await;
        drop((calls, looks, combinations, wishes));
        let _one_at_a_time = self.stepping.lock().await;
        self.record().await.map(drop)
    }

    async fn record(&self) -> Result<usize, StoreError> {
        Ok(self.record_looks().await? + self.record_calls().await?)
    }

    async fn record_looks(&self) -> Result<usize, StoreError> {
        let mut by_holder: BTreeMap<String, Vec<(String, Look)>> = BTreeMap::new();
        for (holder, topic, look) in self.looked().drain(..) {
            by_holder.entry(holder).or_default().push((topic, look));
        }
        let mut recorded = 0;
        while let Some((holder, looks)) = by_holder.pop_first() {
            let (rule, now) = (self.look_rule(), self.world.now());
            match self.ledger.hub_record_looks(&holder, &looks, &rule, now).await {
                Ok(changed) => {
                    metrics::counter!("loa_hub_changes_total").increment(changed);
                    recorded += looks.len();
                }
                Err(error) => {
                    by_holder.insert(holder, looks);
                    let kept = by_holder.into_iter().flat_map(|(holder, looks)| {
                        looks.into_iter().map(move |(topic, look)| (holder.clone(), topic, look))
                    });
                    self.looked().extend(kept);
                    return Err(error);
                }
            }
        }
        Ok(recorded)
    }

    async fn record_calls(&self) -> Result<usize, StoreError> {
        let mut by_holder: BTreeMap<String, Vec<CallRecord>> = BTreeMap::new();
        for called in self.called().drain(..) {
            by_holder.entry(called.holder).or_default().push(called.record);
        }
        let mut recorded = 0;
        while let Some((holder, records)) = by_holder.pop_first() {
            match self.ledger.hub_record(&holder, &records, &self.host_rule()).await {
                Ok(_) => recorded += records.len(),
                Err(error) => {
                    by_holder.insert(holder, records);
                    let kept = by_holder.into_iter().flat_map(|(holder, records)| {
                        records.into_iter().map(move |record| Called { holder: holder.clone(), record })
                    });
                    self.called().extend(kept);
                    return Err(error);
                }
            }
        }
        Ok(recorded)
    }

    /// Has all topics looked at when an event came in, once in a while.
    async fn ring(&self) -> Result<(), StoreError> {
        let now = self.world.now();
        let too_soon = is_within(now, &self.rung_at_ms, RING_PAUSE_MS);
        if too_soon || !self.something_happened.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        if let Err(error) = self.ledger.hub_ring(None, &self.look_rule(), now).await {
            self.something_happened.store(true, Ordering::Release);
            return Err(error);
        }
        self.rung_at_ms.store(now.as_millisecond(), Ordering::Release);
        Ok(())
    }

    /// Throws away what came to its end, from time to time; how much it was.
    async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.world.now();
        if is_within(now, &self.swept_at_ms, i64::try_from(self.config.sweep().as_millis()).unwrap_or(i64::MAX)) {
            return Ok(0);
        }
        let swept = self.ledger.hub_sweep(&self.sweep_rule(), now).await?;
        if swept.set_back > Duration::ZERO {
            tracing::warn!(
                seconds = swept.set_back.as_secs(),
                "the clock was set back; the hub goes on by the one it has now"
            );
        }
        if swept.lapsed > 0 {
            tracing::warn!(
                requests = swept.lapsed,
                "requests to the hub could not be settled within a day; they are dropped"
            );
        }
        metrics::counter!("loa_hub_expired_total").increment(swept.expired);
        metrics::gauge!("loa_hub_subscriptions").set(swept.subscriptions as f64);
        metrics::gauge!("loa_hub_topics").set(swept.topics as f64);
        let full = swept.expired.max(swept.lapsed) >= u64::from(SWEEP_MAX);
        if !full {
            self.swept_at_ms.store(now.as_millisecond(), Ordering::Release);
        }
        Ok(usize::from(full))
    }

    fn lease(&self) -> Lease {
        let now = self.world.now();
        Lease { holder: hex(&self.world.bytes::<16>()), now, until: later(now, self.config.lease()) }
    }

    async fn start_looks(self: &Arc<Self>, kind: TopicKind) -> Result<usize, StoreError> {
        let slots = match kind {
            TopicKind::Feed => &self.look_slots,
            TopicKind::Combination => &self.combination_slots,
        };
        let free = u32::try_from(slots.available_permits()).unwrap_or(u32::MAX);
        if free == 0 {
            return Ok(0);
        }
        let lease = self.lease();
        let due = self.ledger.hub_claim_topics(kind, &lease, free).await?;
        let started = due.len();
        for topic in due {
            // only steps take slots, and only one steps at a time; should one be missing all the same, the lease ends
            let Ok(slot) = slots.clone().try_acquire_owned() else { break };
            let (hub, holder) = (self.clone(), lease.holder.clone());
            tokio::spawn(async move {
                let looking = tokio::spawn({
                    let (hub, topic) = (hub.clone(), topic.clone());
                    async move { hub.look(&topic).await }
                });
                let look = looking.await.unwrap_or_else(|panic| {
                    tracing::error!(error = %panic, "looking at a topic panicked: a defect of ours");
                    Look::Failed
                });
                hub.looked().push((holder, topic.topic, look));
                ended(&hub, slot);
            });
        }
        Ok(started)
    }

    async fn start_calls(self: &Arc<Self>, lane: HubLane) -> Result<usize, StoreError> {
        let slots = match lane {
            HubLane::Deliveries => &self.slots,
            HubLane::Wishes => &self.wish_slots,
        };
        let free = u32::try_from(slots.available_permits()).unwrap_or(u32::MAX);
        if free == 0 {
            return Ok(0);
        }
        let lease = self.lease();
        let due = self.ledger.hub_claim(lane, &lease, self.config.in_flight_per_host_max, free).await?;
        let started = due.len();
        for call in due {
            // as above
            let Ok(slot) = slots.clone().try_acquire_owned() else { break };
            let (hub, holder) = (self.clone(), lease.holder.clone());
            tokio::spawn(async move {
                let calling = tokio::spawn({
                    let (hub, call) = (hub.clone(), call.clone());
                    async move { hub.call(&call).await }
                });
                let record = calling.await.unwrap_or_else(|panic| {
                    tracing::error!(subscription = %call.subscription, error = %panic, "calling panicked: a defect of ours");
                    hub.broken(&call)
                });
                hub.called().push(Called { holder, record });
                ended(&hub, slot);
            });
        }
        Ok(started)
    }

    fn called(&self) -> MutexGuard<'_, Vec<Called>> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn looked(&self) -> MutexGuard<'_, Vec<(String, String, Look)>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether so little time has passed since. A clock that was set back silences nothing until that time comes again.
fn is_within(now: Timestamp, since_ms: &AtomicI64, pause_ms: i64) -> bool {
    let passed = now.as_millisecond().saturating_sub(since_ms.load(Ordering::Acquire));
    (0..pause_ms).contains(&passed)
}

/// What ended is in its list before its slot is free, so that whoever waits for all slots finds all results.
fn ended(hub: &Hub, slot: OwnedSemaphorePermit) {
    drop(slot);
    hub.bell.ring();
}
