//! The audit: asks each outlet which archived events it has seen, and writes down what it has not.
//!
//! A round costs what is new and what is open, in bounded pages, never the archive. Several replicas may run it: a page
//! counts once. A ledger that does not answer is unknown, and delays no other. What is found becomes faults of `/readyz`,
//! gauges, and rows that `loa check`, the console and a journey read.

use crate::Config;
use jiff::{SignedDuration, Timestamp};
use loa_bus::{Bus, BusError, Measure, Queue};
use loa_domain::{Fault, FaultName, Outlet, Trouble};
use loa_store::{ArchiveQuery, Archived, AuditEvent, AuditRound, IntakeLedger, Receptions, Said, StoreError};
use loa_worker::{
    Status, World,
    completeness::{ON_ITS_WAY, Verdict, fault, judge, judge_heartbeats, queue_of},
    trouble_of,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Events asked for at a time.
const PAGE: u32 = 500;
/// Pages of one outlet in one round; a round that ends at it goes on in the next.
const PAGES_MAX: u32 = 20;
/// How long heartbeats are remembered.
const HEARTBEATS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What was found of each outlet.
const GAP_EVENTS: &str = "loa_outlet_gap_events";
const GAP_AGE: &str = "loa_outlet_gap_age_seconds";
const LATE_EVENTS: &str = "loa_outlet_late_events";

/// The audit of one installation.
pub struct Audit {
    ledger: Arc<dyn IntakeLedger>,
    outlets: Vec<(Outlet, Arc<dyn Receptions>)>,
    world: World,
    delay: Duration,
    every: Option<Duration>,
    heartbeat: Option<Duration>,
    /// Since when a binding or a queue looks silent, by the fault's name.
    suspected: Mutex<BTreeMap<FaultName, Timestamp>>,
}

impl Audit {
    /// Sets the audit up; asks nobody.
    pub fn new(
        config: &Config,
        ledger: Arc<dyn IntakeLedger>,
        outlets: Vec<(Outlet, Arc<dyn Receptions>)>,
        world: World,
    ) -> Self {
        Self {
            ledger,
            outlets,
            world,
            delay: config.audit_delay(),
            every: config.audit_every(),
            heartbeat: config.heartbeat_every(),
            suspected: Mutex::default(),
        }
    }

    /// Looks from time to time until `stop`.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let Some(every) = self.every else { return };
        let looking = async {
            loop {
                self.step(&*bus, &status).await;
                tokio::time::sleep(every).await;
            }
        };
        // a round that is cut is done again
        let _: Option<()> = stop.run_until_cancelled(looking).await;
    }

    /// Goes through the archive from `since` on, and asks an outlet for each event; changes nothing. Returns how many events were
    /// looked at, and what was missing. For what was archived before the audit began.
    ///
    /// # Errors
    /// When intake's ledger or the outlet's does not answer.
    pub async fn missing_since(
        &self,
        outlet: Outlet,
        since: Timestamp,
    ) -> Result<(u64, Option<loa_store::Gaps>), StoreError> {
        let Some((_, door)) = self.outlets.iter().find(|(known, _)| *known == outlet) else { return Ok((0, None)) };
        let until = earlier(self.world.now(), self.delay);
        let mut query = ArchiveQuery { since: Some(since), limit: PAGE, ..ArchiveQuery::default() };
        let (mut looked, mut gaps) = (0, None::<loa_store::Gaps>);
        loop {
            let page = self.ledger.archived(&query).await?;
            let Some(last) = page.last() else { return Ok((looked, gaps)) };
            query.after = last.sequence;
            let due: Vec<_> = page.into_iter().filter(|event| event.at <= until).collect();
            let content_hash = |event: &Archived| Some(event.content_hash.clone()).filter(|hash| !hash.is_empty());
            let said = |event: &Archived| Said { key: event.key.clone(), content_hash: content_hash(event) };
            let asked: Vec<_> = due.iter().map(said).collect();
            let missing: std::collections::HashSet<_> = door.not_seen(&asked).await?.into_iter().collect();
            looked += due.len() as u64;
            for event in due.into_iter().filter(|event| missing.contains(&event.key)) {
                let gap = gaps.get_or_insert_with(|| loa_store::Gaps {
                    count: 0,
                    since: event.at,
                    article: event.article.clone(),
                    event: event.key.clone(),
                });
                gap.count += 1;
                gap.since = gap.since.min(event.at);
            }
        }
    }

    /// One round: asks each outlet, and reports.
    pub async fn step<B: Measure + ?Sized>(&self, bus: &B, status: &Status) {
        let mut depths = BTreeMap::new();
        for queue in Queue::ALL {
            depths.insert(queue, bus.depth(queue).await);
        }
        let mut away = BTreeMap::new();
        for (outlet, door) in &self.outlets {
            let empty = matches!(depths.get(&queue_of(*outlet)), Some(Ok((0, _))));
            if let Err(error) = self.ask(*outlet, &**door, empty).await {
                away.insert(*outlet, trouble_of(&error));
            }
        }
        self.report_completeness(status, &depths, &away).await;
        self.report_heartbeats(status, &depths).await;
    }

    /// Asks one outlet what it has seen: of what is new, and of what was missing. `empty`: no message is ready in its queue.
    async fn ask(&self, outlet: Outlet, door: &dyn Receptions, empty: bool) -> Result<(), StoreError> {
        let begun = self.world.now();
        // what the bus had some time ago and is not ready any more is in the consumer's hands for a moment at most
        let emptied_at = empty.then(|| earlier(begun, self.delay / 4));
        let mut overtaken_at: Option<Timestamp> = None;
        for page in 0..PAGES_MAX {
            let next = self.ledger.unaudited(outlet, PAGE).await?;
            let whole = next.events.len() as u32 == PAGE;
            let due: Vec<AuditEvent> = next.events.into_iter().take_while(|event| self.is_due(event, begun)).collect();
            let more = whole && due.len() as u32 == PAGE;
            if due.is_empty() && page > 0 {
                break;
            }
            let (seen, missing) = split(door, &due).await?;
            // One queue keeps its order: who has seen a later event has passed the earlier ones.
            let newest = seen.iter().filter_map(|event| event.routed_at).max().map(|at| earlier(at, self.delay));
            overtaken_at = overtaken_at.max(newest);
            let round = AuditRound {
                outlet,
                from: next.reached,
                to: due.last().map_or(next.reached, |event| event.sequence),
                missing: missing.iter().map(|event| event.sequence).collect(),
                at: begun,
                passed_at: emptied_at.max(overtaken_at),
            };
            if !self.ledger.audited(&round).await? || !more {
                break;
            }
        }
        self.ask_about_gaps(outlet, door).await
    }

    /// Looks at open gaps again, those that nobody looked at for the longest time first.
    async fn ask_about_gaps(&self, outlet: Outlet, door: &dyn Receptions) -> Result<(), StoreError> {
        for _ in 0..PAGES_MAX {
            let gaps = self.ledger.gaps_to_ask_about(outlet, PAGE).await?;
            if gaps.is_empty() {
                break;
            }
            let (seen, missing) = split(door, &gaps).await?;
            let numbers = |events: &[AuditEvent]| events.iter().map(|event| event.sequence).collect::<Vec<_>>();
            self.ledger.gaps_asked_about(outlet, &numbers(&seen), &numbers(&missing), self.world.now()).await?;
            // a page of which nothing came is followed by others like it; their turn comes
            if seen.is_empty() || (gaps.len() as u32) < PAGE {
                break;
            }
        }
        Ok(())
    }

    /// Whether an event was archived, and routed, long enough ago to be asked for. One that a clock ahead of ours dated far
    /// into the future is asked for at once: waiting for it would hold up all behind it.
    fn is_due(&self, event: &AuditEvent, now: Timestamp) -> bool {
        let last = event.routed_at.unwrap_or(event.archived_at).max(event.archived_at);
        let age = now.duration_since(last);
        let delay = signed(self.delay);
        age >= delay || age < -delay
    }

    async fn report_completeness(
        &self,
        status: &Status,
        depths: &BTreeMap<Queue, Result<(u64, u64), BusError>>,
        away: &BTreeMap<Outlet, Trouble>,
    ) {
        let now = self.world.now();
        let states = self.ledger.completeness(earlier(now, self.delay)).await;
        for (outlet, _) in &self.outlets {
            let unanswered = |trouble| Fault::AuditUnanswered { outlet: *outlet, trouble };
            let state = match &states {
                Ok(states) => states.iter().find(|state| state.outlet == *outlet),
                Err(error) => {
                    unknown(status, *outlet, unanswered(trouble_of(error)));
                    continue;
                }
            };
            if let Some(trouble) = away.get(outlet) {
                unknown(status, *outlet, unanswered(trouble.clone()));
                continue;
            }
            let verdict = state.map_or(Verdict::Unknown { since: None }, |state| judge(state, now, self.delay));
            let dead = depths.get(&queue_of(*outlet)).and_then(|depth| depth.as_ref().ok()).map(|(_, dead)| *dead);
            let fault = fault(*outlet, &verdict, dead);
            if let (Verdict::Behind { .. } | Verdict::Unknown { .. }, Some(fault)) = (&verdict, &fault) {
                unknown(status, *outlet, fault.clone());
                continue;
            }
            let count = |gaps: Option<&loa_store::Gaps>| gaps.map_or(0.0, |gaps| gaps.count as f64);
            let gap = state.and_then(|state| state.not_received.as_ref());
            measure(
                *outlet,
                count(gap),
                gap.map(|gaps| now.duration_since(gaps.since).as_secs_f64().max(0.0)).unwrap_or(0.0),
            );
            metrics::gauge!(LATE_EVENTS, "outlet" => outlet.as_str())
                .set(count(state.and_then(|state| state.late.as_ref())));
            status.judge(FaultName::Completeness(*outlet), fault);
        }
    }

    async fn report_heartbeats(&self, status: &Status, depths: &BTreeMap<Queue, Result<(u64, u64), BusError>>) {
        let now = self.world.now();
        let heard = async {
            let (own, heard) = (self.ledger.installation().await?, self.ledger.heartbeats().await?);
            if heard.iter().any(|one| now.duration_since(one.heard_at) > HEARTBEATS_KEPT) {
                self.ledger.forget_heartbeats(now.saturating_sub(HEARTBEATS_KEPT).unwrap_or(Timestamp::MIN)).await?;
            }
            Ok::<_, StoreError>((own, heard))
        };
        let (own, heard) = match heard.await {
            Ok(answer) => answer,
            // the ledger's own dependency says so; what was known stays
            Err(error) => return tracing::debug!(%error, "the heartbeats cannot be read"),
        };
        let is_empty = |queue: &Queue| matches!(depths.get(queue), Some(Ok((0, _))));
        let empty: Vec<Queue> = Queue::ALL.into_iter().filter(is_empty).collect();
        let found = self.confirmed(judge_heartbeats(&heard, &own, now, self.heartbeat, &empty), now);
        let names: BTreeSet<FaultName> = found.iter().map(Fault::name).collect();
        for known in status.faults().into_keys().filter(|name| is_of_heartbeats(name) && !names.contains(name)) {
            status.ended(&known);
        }
        let strangers = names.iter().filter(|name| matches!(name, FaultName::Installation(_))).count();
        metrics::gauge!("loa_other_installations").set(strangers as f64);
        for fault in found {
            status.fault(fault);
        }
    }
}

impl Audit {
    /// Leaves out what looks silent since a moment only. After a pause of all heartbeats (the broker was away) the first of a round
    /// comes through one binding a moment before it comes through the others.
    fn confirmed(&self, found: Vec<Fault>, now: Timestamp) -> Vec<Fault> {
        let mut suspected = self.suspected.lock().unwrap_or_else(PoisonError::into_inner);
        let names: BTreeMap<FaultName, Timestamp> = found
            .iter()
            .filter(|fault| matches!(fault, Fault::QueueSilent { .. } | Fault::BindingSilent { .. }))
            .map(|fault| (fault.name(), suspected.get(&fault.name()).copied().unwrap_or(now)))
            .collect();
        *suspected = names;
        let stands = |fault: &Fault| {
            suspected.get(&fault.name()).is_none_or(|since| now.duration_since(*since) >= signed(ON_ITS_WAY))
        };
        found.into_iter().filter(stands).collect()
    }
}

fn is_of_heartbeats(name: &FaultName) -> bool {
    matches!(name, FaultName::Heartbeats(_) | FaultName::Binding(..) | FaultName::Installation(_))
}

/// Which of these events an outlet has seen, and which not.
async fn split(door: &dyn Receptions, events: &[AuditEvent]) -> Result<(Vec<AuditEvent>, Vec<AuditEvent>), StoreError> {
    let asked: Vec<_> = events.iter().map(|event| event.said.clone()).collect();
    let missing = door.not_seen(&asked).await?;
    let missing: std::collections::HashSet<_> = missing.iter().collect();
    Ok(events.iter().cloned().partition(|event| !missing.contains(&event.said.key)))
}

/// Nobody can say: the gauges say so too.
fn unknown(status: &Status, outlet: Outlet, fault: Fault) {
    measure(outlet, f64::NAN, f64::NAN);
    metrics::gauge!(LATE_EVENTS, "outlet" => outlet.as_str()).set(f64::NAN);
    status.fault(fault);
}

fn measure(outlet: Outlet, events: f64, age: f64) {
    metrics::gauge!(GAP_EVENTS, "outlet" => outlet.as_str()).set(events);
    metrics::gauge!(GAP_AGE, "outlet" => outlet.as_str()).set(age);
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_sub(signed(by)).unwrap_or(Timestamp::MIN)
}
