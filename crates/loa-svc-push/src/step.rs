//! One step: record what ended, claim what is due, set it going. A step never waits for a receiver.
//!
//! Attempts run beside the steps, each in a slot; what they came to is gathered and recorded by the next step, many at
//! a time. So a receiver that needs its whole 20 seconds holds only its own slots. Should the process die between
//! sending and recording, the lease ends and the delivery is sent again under the same `webhook-id`.

use crate::{
    Service,
    rest::{Rota, Sign},
    send::Sent,
    service::Inner,
};
use bytes::Bytes;
use jiff::Timestamp;
use loa_domain::{AttemptOutcome, EndpointId};
use loa_store::{AttemptRecord, DueDelivery, Lease, StoreError};
use loa_webhook::{Answer, Failure, Patience, WebhookId};
use loa_worker::Progress;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

/// An attempt that ended and is not yet in the ledger.
pub(crate) struct Finished {
    /// The lease it was made under.
    holder: String,
    record: AttemptRecord,
}

impl Service {
    /// Records attempts that ended, claims as many due deliveries as there are free slots, and starts them.
    ///
    /// # Errors
    /// When the ledger is away. Nothing is lost: what ended is kept for the next step.
    pub async fn step(&self) -> Result<Progress, StoreError> {
        let _one_at_a_time = self.0.stepping.lock().await;
        let recorded = self.0.record().await?;
        let started = self.0.start().await?;
        let slots = self.0.config.in_flight_max.max(1) as usize;
        metrics::gauge!("loa_push_in_flight").set(slots.saturating_sub(self.0.slots.available_permits()) as f64);
        if recorded + started > 0 {
            return Ok(Progress::Worked);
        }
        self.0.report_lateness().await?;
        Ok(Progress::Idle)
    }

    /// Waits until no attempt is under way, and records what they came to.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn drain(&self) -> Result<(), StoreError> {
        // the semaphore is never closed, so this only waits
        let all = self.0.slots.acquire_many(self.0.config.in_flight_max.max(1)).await;
        drop(all);
        let _one_at_a_time = self.0.stepping.lock().await;
        self.0.record().await.map(drop)
    }
}

impl Inner {
    async fn record(&self) -> Result<usize, StoreError> {
        let mut by_holder: BTreeMap<String, Vec<AttemptRecord>> = BTreeMap::new();
        for finished in self.finished().drain(..) {
            by_holder.entry(finished.holder).or_default().push(finished.record);
        }
        let mut recorded = 0;
        while let Some((holder, records)) = by_holder.pop_first() {
            match self.ledger.record(&holder, &records).await {
                Ok(changed) => {
                    let late = (records.len() as u64).saturating_sub(changed);
                    if late > 0 {
                        tracing::warn!(
                            late,
                            "attempts ended after their lease; others decide about those deliveries now"
                        );
                    }
                    recorded += records.len();
                }
                Err(error) => {
                    by_holder.insert(holder, records);
                    let kept = by_holder.into_iter().flat_map(|(holder, records)| {
                        records.into_iter().map(move |record| Finished { holder: holder.clone(), record })
                    });
                    self.finished().extend(kept);
                    return Err(error);
                }
            }
        }
        Ok(recorded)
    }

    async fn start(self: &Arc<Self>) -> Result<usize, StoreError> {
        let rota = self.rests().rota(self.world.now());
        let Rota { resting, probing } = rota;
        let all_but_probes: Vec<EndpointId> = resting.iter().chain(&probing).cloned().collect();
        let mut started = self.claim(&all_but_probes, self.config.in_flight_per_endpoint_max.max(1)).await?;
        if !probing.is_empty() {
            started += self.claim(&resting, 1).await?;
        }
        Ok(started)
    }

    async fn claim(self: &Arc<Self>, skip: &[EndpointId], per_endpoint: u32) -> Result<usize, StoreError> {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        if free == 0 {
            return Ok(0);
        }
        let now = self.world.now();
        let lease = Lease { holder: uuid_like(self.world.bytes()), now, until: later(now, self.config.lease()) };
        let due = self.ledger.claim(&lease, skip, per_endpoint, free).await?;
        let started = due.len();
        for delivery in due {
            // only steps take slots, and only one steps at a time; should one be missing all the same, the lease ends
            let Ok(slot) = self.slots.clone().try_acquire_owned() else { break };
            self.rests().began(&delivery.endpoint.id);
            tokio::spawn(attempt(self.clone(), delivery, lease.holder.clone(), slot));
        }
        Ok(started)
    }

    /// How late the latest delivery is: with nothing more to start, what is overdue waits for slots or rests.
    async fn report_lateness(&self) -> Result<(), StoreError> {
        let due_at = self.ledger.next_due().await?;
        let late = due_at.map_or(0.0, |due_at| self.world.now().duration_since(due_at).as_secs_f64().max(0.0));
        metrics::gauge!("loa_push_overdue_seconds").set(late);
        Ok(())
    }

    /// What follows from one attempt, for the ledger and for the endpoint as a whole.
    fn decide(&self, delivery: &DueDelivery, sent: &Sent, now: Timestamp) -> AttemptOutcome {
        let attempts = delivery.attempts.saturating_add(1);
        match sent.answer {
            Answer::Delivered => AttemptOutcome::Delivered,
            Answer::Gone => AttemptOutcome::Gone,
            Answer::GiveUp => AttemptOutcome::GiveUp,
            Answer::RetryLater { patience: Patience::Short, .. } if attempts >= self.config.short_attempts_max => {
                AttemptOutcome::GiveUp
            }
            Answer::RetryLater { after, .. } => {
                let delay = self.config.retry.delay(attempts, self.world.chance(), after);
                delay.map_or(AttemptOutcome::GiveUp, |delay| AttemptOutcome::Retry(later(now, delay)))
            }
        }
    }

    /// Lets the endpoint rest where the answer, or the lack of one, asks for it.
    fn rest(&self, endpoint: &EndpointId, sent: &Sent, now: Timestamp) {
        let failing = sent.failure.is_some_and(|f| f != Failure::Ours) || sent.status.is_some_and(|s| s >= 500);
        let sign = if failing { Sign::Failing } else { Sign::Alive };
        let mut rests = self.rests();
        if let Some(until) = rests.ended(endpoint, sign, now) {
            tracing::warn!(%endpoint, %until, "the endpoint keeps failing and is left alone for a while; its deliveries wait");
            metrics::counter!("loa_push_breaker_opened_total").increment(1);
        }
        if let Answer::RetryLater { after: Some(wish), pause: true, .. } = sent.answer {
            let until = later(now, wish.min(Duration::from_secs(self.config.retry.retry_after_seconds_max)));
            tracing::info!(%endpoint, %until, "the endpoint asks to be left alone");
            rests.pause(endpoint, until);
        }
    }
}

/// One attempt, from its start to the list of what ended. Holds its slot until then.
async fn attempt(inner: Arc<Inner>, delivery: DueDelivery, holder: String, slot: OwnedSemaphorePermit) {
    let (started_at, began) = (inner.world.now(), Instant::now());
    let sending = tokio::spawn({
        let (inner, delivery) = (inner.clone(), delivery.clone());
        async move {
            let id = WebhookId::of(&delivery.event);
            let body = Bytes::from_owner(delivery.body);
            inner.sender.send(&delivery.endpoint, &id, body, delivery.attempts.saturating_add(1), started_at).await
        }
    });
    let sent = match sending.await {
        Ok(sent) => sent,
        Err(panic) => {
            tracing::error!(delivery = %delivery.id, error = %panic, "sending panicked: a defect of ours");
            Sent::failed(Failure::Ours, "sending failed inside Loa; see its log", began)
        }
    };
    let now = inner.world.now();
    let outcome = inner.decide(&delivery, &sent, now);
    inner.rest(&delivery.endpoint.id, &sent, now);
    report(&delivery, &sent, &outcome);
    let record = AttemptRecord {
        delivery: delivery.id,
        started_at,
        duration_ms: u64::try_from(sent.duration.as_millis()).unwrap_or(u64::MAX),
        status: sent.status,
        error_class: sent.error_class().to_owned(),
        detail: sent.detail,
        outcome,
    };
    inner.finished().push(Finished { holder, record });
    drop(slot);
    inner.bell.ring();
}

fn report(delivery: &DueDelivery, sent: &Sent, outcome: &AttemptOutcome) {
    let class = if sent.answer == Answer::Delivered { "delivered" } else { sent.error_class() };
    metrics::counter!("loa_push_attempts_total", "class" => class).increment(1);
    metrics::histogram!("loa_push_attempt_seconds").record(sent.duration.as_secs_f64());
    let (id, endpoint, article) = (&delivery.id, &delivery.endpoint.id, &delivery.article);
    let (attempt, status) = (delivery.attempts.saturating_add(1), sent.status.unwrap_or(0));
    match outcome {
        AttemptOutcome::Delivered => {
            tracing::info!(delivery = %id, %endpoint, %article, revision = delivery.revision, attempt, status, "webhook delivered");
        }
        AttemptOutcome::Retry(next_at) => {
            tracing::warn!(delivery = %id, %endpoint, %article, attempt, status, class, %next_at, "webhook not taken; again later");
        }
        AttemptOutcome::GiveUp => {
            tracing::error!(delivery = %id, %endpoint, %article, attempt, status, class, "webhook given up; `loa` can redrive it");
        }
        AttemptOutcome::Gone => {
            tracing::error!(delivery = %id, %endpoint, %article, attempt, status, "the endpoint answered 410 Gone and is disabled");
        }
    }
}

/// An instant later, or the end of time.
fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn uuid_like(bytes: [u8; 16]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
