//! The outbox relay: claim, publish with confirms, record. An event leaves the outbox only once the
//! bus has it.
//!
//! If the process dies between confirm and record, the event is sent again under the same id, and
//! every receiver recognises it. Rows of one article are claimed in order. Between articles no
//! order is promised or needed: portals go by turns, news before back-files, each at its pace (`turns.rs`). An event that the bus will never take as it is (larger than the broker
//! allows) is set aside: nothing waits behind it, and it is tried again from time to time.

use crate::{Service, turns::Turns};
use jiff::Timestamp;
use loa_bus::{BusError, BusErrorKind, Measure, Message, Outgoing, Publish, Route};
use loa_domain::{Dependency, FaultName, NotCarried, with_causes};
use loa_event::STRUCTURED;
use loa_store::{Lease, OutboxRow, StoreError, lease_holder};
use loa_worker::{Progress, Status};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};
use tokio_util::sync::CancellationToken;

impl Service {
    /// A [`Self::step`], unless a queue is known to be missing: an exchange confirms what reaches some of its queues, and
    /// the one that is missing would never see it. Events wait in the outbox until `loa migrate` has made it again.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub async fn relay<B: Publish + ?Sized>(&self, bus: &B, status: &Status) -> Result<Progress, StoreError> {
        match status.why_down(Dependency::Topology) {
            None => self.step(bus).await,
            Some(_) => Ok(Progress::Idle),
        }
    }

    /// Asks the bus how long the outlets' queues are, where that matters for the next [`Self::step`] and is not known already.
    /// Where the bus does not tell, paces and confirms bound what is on its way.
    pub async fn look_at_queues<B: Publish + Measure + ?Sized>(&self, bus: &B) {
        if bus.takes().is_err() || !self.turns(|turns, now| turns.wants_a_look(now)) {
            return;
        }
        let enough = u64::from(self.0.config.queue_ready_max.max(1));
        let (longest, error) = match bus.longest(enough).await {
            Ok(longest) => (Some(longest), None),
            Err(error) => (None, Some(error)),
        };
        let is_other = self.turns(|turns, now| turns.looked(longest, now));
        match error {
            Some(error) if is_other => {
                tracing::warn!(kind = error.kind.as_str(), error = %with_causes(&error), "the length of the outlets' queues is not known; back-files go on at their pace, and do not wait for long queues");
            }
            None if is_other => tracing::info!("the length of the outlets' queues is known again"),
            _ => {}
        }
    }

    fn turns<T>(&self, of: impl FnOnce(&mut Turns, Timestamp) -> T) -> T {
        let now = self.0.world.now();
        of(&mut self.0.turns.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// After a step with nothing to do: waits until there is room for what may be waiting, or something comes in; then there is
    /// work. Where nothing waits, it returns at once.
    pub(crate) async fn await_turn(&self, progress: Progress, stop: &CancellationToken) -> Progress {
        if progress == Progress::Worked {
            return progress;
        }
        let Some(wait) = self.turns(|turns, _| turns.again_after()) else { return progress };
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.0.wake_up.woken() => {}
            () = tokio::time::sleep(wait) => {}
        }
        Progress::Worked
    }

    /// Tells operators whether back-files are held.
    pub(crate) fn tell_of_holding(&self, status: &Status, are_waiting: bool) {
        let config = &self.0.config;
        let (is_held, fault) = self.turns(|turns, now| (turns.is_held(), turns.fault(config, now)));
        metrics::gauge!("loa_outbox_back_files_held").set(f64::from(u8::from(is_held && are_waiting)));
        status.judge(FaultName::BackFilesHeld, fault.filter(|_| are_waiting));
    }

    /// Sends one window of the outbox. `Idle`: nothing is due, the bus takes nothing (then nothing is claimed), or it took
    /// nothing of this; the next try is recorded.
    ///
    /// # Errors
    /// When the ledger is away. What the bus has confirmed and the ledger could not record is sent again after its lease.
    pub async fn step<B: Publish + ?Sized>(&self, bus: &B) -> Result<Progress, StoreError> {
        let service = &self.0;
        if let Err(error) = bus.takes() {
            // its connections say why; claiming would only count tries that were none
            tracing::debug!(kind = error.kind.as_str(), %error, "the bus takes nothing for now; nothing is claimed");
            return Ok(Progress::Idle);
        }
        let now = service.world.now();
        let holder = lease_holder(service.world.bytes());
        let until = now.saturating_add(service.config.relay_lease()).unwrap_or(Timestamp::MAX);
        let lease = Lease { holder, now, until };
        let is_shared = service.portal.portals.list().has_several();
        let room = self.turns(|turns, now| turns.room(&service.config, is_shared, now));
        let rows = service.ledger.claim_outbox(&lease, &room).await?;
        self.turns(|turns, now| turns.claimed(&service.config, &room, &rows, now));
        if rows.is_empty() {
            return Ok(Progress::Idle);
        }
        let answers = bus.publish(rows.iter().map(outgoing).collect()).await;
        let Sorted { confirmed, failed, rejected } = sort(&rows, answers);
        if !confirmed.is_empty() {
            service.ledger.outbox_confirmed(&confirmed, service.world.now()).await?;
            metrics::counter!("loa_outbox_confirmed_total").increment(confirmed.len() as u64);
        }
        for (attempts, failures) in &failed {
            self.give_back(&lease.holder, *attempts, failures).await?;
        }
        for (why, sequences) in &rejected {
            self.set_aside(&lease.holder, sequences, why).await?;
        }
        Ok(if confirmed.is_empty() && rejected.is_empty() { Progress::Idle } else { Progress::Worked })
    }

    /// Sets rows aside that the bus will never take as they are.
    async fn set_aside(&self, holder: &str, sequences: &[i64], why: &NotCarried) -> Result<(), StoreError> {
        let now = self.0.world.now();
        let due_at = now.saturating_add(self.0.config.relay_set_aside_retry()).unwrap_or(Timestamp::MAX);
        tracing::error!(
            events = sequences.len(),
            why = why.to_json(),
            "the bus will not take events as they are; they are set aside"
        );
        metrics::counter!("loa_outbox_failures_total").increment(sequences.len() as u64);
        self.0.ledger.outbox_set_aside(holder, sequences, now, due_at, why).await
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

/// Rows by what the bus said of them.
#[derive(Default)]
struct Sorted {
    confirmed: Vec<i64>,
    /// By the number of earlier attempts.
    failed: BTreeMap<u32, Failures>,
    /// By the reason: these rows will never go as they are.
    rejected: BTreeMap<NotCarried, Vec<i64>>,
}

/// Sorts rows by what the bus said of them. A missing answer is a failure.
fn sort(rows: &[OutboxRow], answers: Vec<Result<(), BusError>>) -> Sorted {
    let mut sorted = Sorted::default();
    let mut answers = answers.into_iter();
    for row in rows {
        let unanswered = || Err(BusError::new(BusErrorKind::Unavailable, "the bus did not answer for this event"));
        match answers.next().unwrap_or_else(unanswered) {
            Ok(()) => sorted.confirmed.push(row.sequence),
            Err(error) if error.kind == BusErrorKind::Rejected => {
                let told = || NotCarried::Told { said: with_causes(&error).into() };
                let why = error.not_carried.as_deref().cloned().unwrap_or_else(told);
                sorted.rejected.entry(why).or_default().push(row.sequence);
            }
            Err(error) => {
                let failures = sorted.failed.entry(row.attempts).or_default();
                failures.sequences.push(row.sequence);
                failures.kinds.insert(error.kind.as_str());
                failures.needs_operator |= matches!(error.kind, BusErrorKind::Unroutable | BusErrorKind::Refused);
                if failures.sentence.is_empty() {
                    failures.sentence = with_causes(&error);
                }
            }
        }
    }
    sorted
}
