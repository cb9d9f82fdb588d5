//! The outbox relay: claim, publish with confirms, record. An event leaves the outbox only once the bus has it.
//!
//! Dying between confirm and record sends the event again under the same id, which every receiver takes for the same
//! event. Of one article the rows are claimed in order; between articles no order is promised, nor needed.

use crate::Service;
use jiff::Timestamp;
use loa_bus::{BusError, BusErrorKind, Message, Outgoing, Publish, Route};
use loa_event::STRUCTURED;
use loa_store::{Lease, OutboxRow, StoreError};
use loa_worker::{Progress, Status, TOPOLOGY};
use std::collections::{BTreeMap, BTreeSet};

impl Service {
    /// A [`Self::step`], unless a queue is known to be missing: an exchange confirms what reaches some of its queues, and
    /// the one that is missing would never see it. Events wait in the outbox until `loa migrate` has made it again.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub async fn relay<B: Publish + ?Sized>(&self, bus: &B, status: &Status) -> Result<Progress, StoreError> {
        match status.shut(TOPOLOGY) {
            None => self.step(bus).await,
            Some(_) => Ok(Progress::Idle),
        }
    }

    /// Sends one window of the outbox. `Idle`: nothing is due, the bus takes nothing (then nothing is claimed), or it took
    /// nothing of this; the next try is recorded.
    ///
    /// # Errors
    /// When the ledger is away. What the bus has confirmed and the ledger could not record is sent again after its lease.
    pub async fn step<B: Publish + ?Sized>(&self, bus: &B) -> Result<Progress, StoreError> {
        let service = &self.0;
        if let Err(error) = bus.takes() {
            // its doors say why; claiming would only count tries that were none
            tracing::debug!(kind = error.kind.as_str(), %error, "the bus takes nothing for now; nothing is claimed");
            return Ok(Progress::Idle);
        }
        let now = service.world.now();
        let holder = format!("relay-{:032x}", u128::from_le_bytes(service.world.bytes()));
        let until = now.saturating_add(service.config.relay_lease()).unwrap_or(Timestamp::MAX);
        let lease = Lease { holder, now, until };
        let rows = service.ledger.claim_outbox(&lease, service.config.relay_batch_max.clamp(1, 1_000)).await?;
        if rows.is_empty() {
            return Ok(Progress::Idle);
        }
        let answers = bus.publish(rows.iter().map(outgoing).collect()).await;
        let (confirmed, failed) = sort(&rows, answers);
        if !confirmed.is_empty() {
            service.ledger.outbox_confirmed(&confirmed, service.world.now()).await?;
            metrics::counter!("loa_outbox_confirmed_total").increment(confirmed.len() as u64);
        }
        for (attempts, failures) in &failed {
            self.give_back(&lease.holder, *attempts, failures).await?;
        }
        Ok(if confirmed.is_empty() { Progress::Idle } else { Progress::Worked })
    }

    /// Gives rows back that the bus did not take: those of equal attempts together.
    async fn give_back(&self, holder: &str, attempts: u32, failures: &Failures) -> Result<(), StoreError> {
        let wait = self.0.config.relay_retry(attempts).mul_f64(1.0 + self.0.world.chance() / 4.0);
        let due_at = self.0.world.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        let kinds: Vec<&str> = failures.kinds.iter().copied().collect();
        if failures.needs_operator {
            tracing::error!(events = failures.sequences.len(), kinds = ?kinds, error = %failures.sentence, "the bus does not take events; somebody must act");
        } else {
            tracing::warn!(events = failures.sequences.len(), kinds = ?kinds, error = %failures.sentence, "the bus did not take events; they are tried again");
        }
        metrics::counter!("loa_outbox_failures_total").increment(failures.sequences.len() as u64);
        self.0.ledger.outbox_failed(holder, &failures.sequences, due_at, &failures.sentence).await
    }
}

/// Rows that failed alike.
#[derive(Default)]
struct Failures {
    sequences: Vec<i64>,
    kinds: BTreeSet<&'static str>,
    sentence: String,
    needs_operator: bool,
}

fn outgoing(row: &OutboxRow) -> Outgoing {
    let message = Message {
        id: row.key.id.clone(),
        content_type: STRUCTURED.to_owned(),
        headers: BTreeMap::new(),
        body: row.body.clone().into(),
    };
    Outgoing { route: Route::Topic(row.routing_key.clone()), message }
}

/// Splits rows into confirmed sequences and failures by the number of earlier attempts. A missing answer is a failure.
fn sort(rows: &[OutboxRow], answers: Vec<Result<(), BusError>>) -> (Vec<i64>, BTreeMap<u32, Failures>) {
    let (mut confirmed, mut failed) = (Vec::new(), BTreeMap::<u32, Failures>::new());
    let mut answers = answers.into_iter();
    for row in rows {
        let unanswered = || Err(BusError::new(BusErrorKind::Unavailable, "the bus did not answer for this event"));
        match answers.next().unwrap_or_else(unanswered) {
            Ok(()) => confirmed.push(row.sequence),
            Err(error) => {
                let failures = failed.entry(row.attempts).or_default();
                failures.sequences.push(row.sequence);
                failures.kinds.insert(error.kind.as_str());
                failures.needs_operator |=
                    matches!(error.kind, BusErrorKind::Unroutable | BusErrorKind::Refused | BusErrorKind::Rejected);
                if failures.sentence.is_empty() {
                    failures.sentence = error.to_string();
                }
            }
        }
    }
    (confirmed, failed)
}
