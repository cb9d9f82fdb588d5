//! One step: record what ended, claim what is due, set it going. A step never waits for a receiver.
//!
//! Attempts run beside the steps, each in a slot ([`loa_worker::InFlight`]); the next step records what they came to, many
//! at a time. So a receiver that needs its whole 20 seconds holds only its own slots. Should the process die between
//! sending and recording, the lease ends and the delivery is sent again under the same `webhook-id`.

use crate::{
    Service,
    breakers::NotClosed,
    send::{Call, Sent},
    service::Inner,
};
use bytes::Bytes;
use jiff::Timestamp;
use loa_domain::{AttemptError, AttemptOutcome, EndpointId};
use loa_store::{AttemptRecord, DueDelivery, Lease, StoreError, lease_holder};
use loa_webhook::{Answer, Failure, Patience, WebhookId};
use loa_worker::Progress;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

impl Service {
    /// Records attempts that ended, claims as many due deliveries as there are free slots, and starts them.
    ///
    /// # Errors
    /// When the ledger is away. Nothing is lost: what ended is kept for the next step.
    pub async fn step(&self) -> Result<Progress, StoreError> {
        let _one_at_a_time = self.0.stepping.lock().await;
        let recorded = self.0.record().await?;
        let started = self.0.start().await?;
        metrics::gauge!("loa_push_in_flight").set(f64::from(self.0.attempts.under_way()));
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
        self.0.attempts.ended().await;
        let _one_at_a_time = self.0.stepping.lock().await;
        self.0.record().await.map(drop)
    }
}

impl Inner {
    async fn record(&self) -> Result<usize, StoreError> {
        let mut recorded = 0;
        while let Some(ended) = self.attempts.take_ended() {
            let changed = self.doors.deliveries.record(ended.lease(), ended.results()).await?;
            let late = (ended.results().len() as u64).saturating_sub(changed);
            if late > 0 {
                tracing::warn!(late, "attempts ended after their lease; others decide about those deliveries now");
            }
            recorded += ended.recorded();
        }
        Ok(recorded)
    }

    async fn start(self: &Arc<Self>) -> Result<usize, StoreError> {
        let NotClosed { open, half_open } = self.breakers().not_closed(self.world.now());
        let not_closed: Vec<EndpointId> = open.iter().chain(&half_open).cloned().collect();
        let mut started = self.claim(&not_closed, self.config.in_flight_per_endpoint_max.max(1)).await?;
        if !half_open.is_empty() {
            started += self.claim(&open, 1).await?;
        }
        Ok(started)
    }

    async fn claim(self: &Arc<Self>, skip: &[EndpointId], per_endpoint: u32) -> Result<usize, StoreError> {
        let free = self.attempts.free();
        if free == 0 {
            return Ok(0);
        }
        let now = self.world.now();
        let lease = Lease { holder: lease_holder(self.world.bytes()), now, until: later(now, self.config.lease()) };
        let due = self.doors.deliveries.claim(&lease, skip, per_endpoint, free).await?;
        let started = due.len();
        for delivery in due {
            self.breakers().begin(&delivery.endpoint.id);
            let (started_at, began, doomed, known) = (self.world.now(), Instant::now(), self.clone(), delivery.clone());
            self.attempts.start(lease.holder.clone(), attempt(self.clone(), delivery, started_at), move |panic| {
                tracing::error!(delivery = %known.id, error = %panic, "sending panicked: a defect of ours");
                let sent = Sent::failed(Failure::Ours, "", began);
                doomed.conclude(&known, sent, started_at)
            });
        }
        Ok(started)
    }

    /// How late the latest delivery is: with nothing more to start, what is overdue waits for slots or breakers.
    async fn report_lateness(&self) -> Result<(), StoreError> {
        let due_at = self.doors.due_times.next_due().await?;
        let late = due_at.map_or(0.0, |due_at| self.world.now().duration_since(due_at).as_secs_f64().max(0.0));
        metrics::gauge!("loa_push_overdue_seconds").set(late);
        Ok(())
    }

    /// What follows from one attempt: for its endpoint, for the log, and for the ledger.
    fn conclude(&self, delivery: &DueDelivery, sent: Sent, started_at: Timestamp) -> AttemptRecord {
        let now = self.world.now();
        let outcome = self.decide(delivery, &sent, now);
        self.tell_breaker(&delivery.endpoint.id, &sent, now);
        report(delivery, &sent, &outcome);
        AttemptRecord {
            delivery: delivery.id.clone(),
            started_at,
            duration_ms: u64::try_from(sent.duration.as_millis()).unwrap_or(u64::MAX),
            status: sent.status,
            error: sent.error(),
            words: sent.words,
            outcome,
        }
    }

    /// What follows from one attempt for its delivery.
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

    /// What the answer, or the lack of one, says of the endpoint as a whole.
    fn tell_breaker(&self, endpoint: &EndpointId, sent: &Sent, now: Timestamp) {
        let failing = sent.failure.is_some_and(|f| f != Failure::Ours) || sent.status.is_some_and(|s| s >= 500);
        let mut breakers = self.breakers();
        if !failing {
            breakers.succeed(endpoint, now);
        } else if let Some(until) = breakers.fail(endpoint, now) {
            tracing::warn!(%endpoint, %until, "the endpoint keeps failing and is left alone for a while; its deliveries wait");
            metrics::counter!("loa_push_breaker_opened_total").increment(1);
        }
        if let Answer::RetryLater { after: Some(requested_wait), pause: true, .. } = sent.answer {
            let until = later(now, requested_wait.min(Duration::from_secs(self.config.retry.retry_after_seconds_max)));
            tracing::info!(%endpoint, %until, "the endpoint asks to be left alone");
            breakers.pause(endpoint, until);
        }
    }
}

/// One attempt, from its start to what is recorded of it.
async fn attempt(inner: Arc<Inner>, delivery: DueDelivery, started_at: Timestamp) -> AttemptRecord {
    let id = WebhookId::of(&delivery.event);
    let body = Bytes::from_owner(delivery.body.clone());
    let attempt = delivery.attempts.saturating_add(1);
    let call = Call { id: &id, body, attempt, portal: delivery.article.portal_text() };
    let sent = inner.sender.send(&delivery.endpoint, call, started_at).await;
    inner.conclude(&delivery, sent, started_at)
}

fn report(delivery: &DueDelivery, sent: &Sent, outcome: &AttemptOutcome) {
    let class = sent.error().map_or("delivered", AttemptError::as_str);
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
