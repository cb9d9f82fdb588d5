//! The overview for operators: what is late, what is broken, what to do. Every ledger and the bus are
//! asked; one that is away is named as away, and the rest is shown.

use crate::{
    Service,
    complete::is_alarm,
    dead_letters::explain,
    pages::LANGUAGE,
    walks::{ANSWER_WITHIN, Walk},
};
use loa_bus::{BusError, Chosen, DeadLetter, Health, Place, Queue, UNROUTED};
use loa_domain::{
    Calendar, DeliveryState, Dependency, EndpointState, Fault, FaultName, Outlet, TroubleKind, shown_until,
};
use loa_store::{DeliveryQuery, SetAside, StoreError};
use loa_words::{Alarm, Connection, Notice};
use loa_worker::{DependencyState, completeness::queue_of, trouble_of, trouble_of_bus, unrouted};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most rows counted or listed of anything; a figure that reaches it means "this many or more".
const ROWS_MAX: u32 = 1_000;
/// The most dead letters shown of one queue.
const DEAD_LETTERS_MAX: usize = 100;
/// Most runs of digests that are told of as stopped.
const STUCK_MAX: u32 = 20;

/// The overview page.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    portal: String,
    now: String,
    /// What needs somebody, most urgent first; empty: all is well.
    alarms: Vec<String>,
    /// How the connection is, in words.
    bus: &'static str,
    queues: Vec<QueueRow>,
    /// Messages that no queue took; `None`: not known.
    unrouted: Option<u64>,
    outbox: Option<OutboxRow>,
    runs: Vec<RunRow>,
    endpoints: Vec<EndpointRow>,
    pending: Option<Count>,
    failed: Option<Count>,
    feeds: Option<FeedsRow>,
    dependencies: Vec<DependencyRow>,
    /// What is wrong, by name: each is an alarm once, whoever found it.
    #[serde(skip)]
    faults: BTreeMap<FaultName, Fault>,
}

#[derive(Debug, Serialize)]
struct QueueRow {
    name: String,
    short: String,
    ready: Option<u64>,
    dead: Option<u64>,
}

#[derive(Debug, Serialize)]
struct OutboxRow {
    waiting: u64,
    oldest: Option<String>,
    late: bool,
}

#[derive(Debug, Serialize)]
struct RunRow {
    name: String,
    key: String,
    cutoff: String,
    planned: u64,
    sent: u64,
    failed: u64,
    suppressed: u64,
    uncertain: u64,
    waiting: u64,
    balances: bool,
    state: &'static str,
    frozen: bool,
    /// Why it is stopped.
    paused: Option<String>,
}

#[derive(Debug, Serialize)]
struct EndpointRow {
    id: String,
    url: String,
    description: String,
    /// Whether it gets anything, and why not.
    state: String,
    enabled: bool,
}

#[derive(Debug, Serialize)]
struct Count {
    count: usize,
    /// There may be more.
    capped: bool,
}

#[derive(Debug, Serialize)]
struct FeedsRow {
    feeds: usize,
    entries: u64,
    newest: Option<String>,
}

#[derive(Debug, Serialize)]
struct DependencyRow {
    /// In words.
    called: String,
    /// As `/readyz` and the manual name it.
    name: String,
    /// Why it is down.
    down: Option<String>,
}

/// The page of one place's letters.
#[derive(Debug, Serialize)]
pub(crate) struct DeadPage {
    portal: String,
    queue: String,
    short: String,
    /// Whether no queue took them.
    unrouted: bool,
    /// Why they cannot be shown; empty when they can.
    away: String,
    letters: Vec<LetterRow>,
    capped: bool,
}

#[derive(Debug, Serialize)]
struct LetterRow {
    name: String,
    id: String,
    reason: String,
    /// Whether only the English sentence is known.
    is_english: bool,
    /// What to do, a sentence each.
    advice: Vec<String>,
    position: String,
    routing_key: String,
    dead_at: Option<String>,
    bytes: usize,
}

impl Service {
    /// Everything at a glance.
    pub(crate) async fn overview(&self) -> Overview {
        let mut overview = Overview {
            portal: self.0.site.portal_name.clone(),
            now: self.0.site.calendar.date_time(self.0.world.now()),
            alarms: Vec::new(),
            bus: "",
            queues: Vec::new(),
            unrouted: None,
            outbox: None,
            runs: Vec::new(),
            endpoints: Vec::new(),
            pending: None,
            failed: None,
            feeds: None,
            dependencies: self.dependencies(),
            faults: self.0.status.faults(),
        };
        self.look_at_bus(&mut overview).await;
        self.look_at_intake(&mut overview).await;
        self.look_at_completeness(&mut overview).await;
        self.look_at_feed(&mut overview).await;
        self.look_at_digest(&mut overview).await;
        self.look_at_push(&mut overview).await;
        self.look_at_watch(&mut overview).await;
        self.tell_what_is_wrong(&mut overview);
        overview
    }

    /// Faults, those that need somebody first, and dependencies that are down.
    fn tell_what_is_wrong(&self, overview: &mut Overview) {
        let now = self.0.world.now();
        let faults = std::mem::take(&mut overview.faults);
        let told = faults.values().filter(|fault| is_alarm(fault, now));
        overview.alarms.extend(told.map(|fault| LANGUAGE.words().fault(fault, now)));
        for (dependency, state) in self.0.status.dependencies() {
            if let DependencyState::Down(trouble) = state {
                overview.alarms.push(said(Alarm::Down(dependency, trouble)));
            }
        }
    }

    /// The letters of one place.
    pub(crate) async fn dead_page(&self, place: Place) -> DeadPage {
        let mut page = DeadPage {
            portal: self.0.site.portal_name.clone(),
            queue: match place {
                Place::Dead(queue) => queue.to_string(),
                Place::Unrouted => place.to_string(),
            },
            short: place.word().to_owned(),
            unrouted: place == Place::Unrouted,
            away: String::new(),
            letters: Vec::new(),
            capped: false,
        };
        let (bus, calendar) = (self.0.doors.bus.clone(), self.0.site.calendar.clone());
        let look = async move {
            let letters = bus.dead_letters(place, &Chosen::All, DEAD_LETTERS_MAX).await?;
            Ok::<Vec<_>, BusError>(letters.into_iter().map(|one| letter(&calendar, one)).collect())
        };
        let looked = match self.0.walks.walk(ANSWER_WITHIN, look).await {
            Walk::Done(looked) => looked,
            Walk::GoesOn | Walk::NotBegun | Walk::BrokeOff => {
                LANGUAGE.words().notice(Notice::LettersGoneThrough).clone_into(&mut page.away);
                return page;
            }
        };
        match looked {
            Ok(letters) => {
                page.capped = letters.len() >= DEAD_LETTERS_MAX;
                page.letters = letters;
            }
            Err(error) => {
                tracing::warn!(%place, error = %error, "dead letters cannot be shown");
                page.away = LANGUAGE.words().trouble(&trouble_of(&error));
            }
        }
        page
    }

    fn dependencies(&self) -> Vec<DependencyRow> {
        let row = |(dependency, state): (Dependency, _)| DependencyRow {
            called: LANGUAGE.words().dependency(dependency),
            name: dependency.to_string(),
            down: match state {
                DependencyState::Up => None,
                DependencyState::Down(trouble) => Some(LANGUAGE.words().trouble(&trouble)),
            },
        };
        self.0.status.dependencies().into_iter().map(row).collect()
    }

    async fn look_at_bus(&self, overview: &mut Overview) {
        let bus = &self.0.doors.bus;
        let health = bus.health();
        overview.bus = LANGUAGE.words().connection(match &health {
            Health::Up => Connection::Up,
            Health::Connecting => Connection::Connecting,
            Health::Blocked(_) => Connection::Blocked,
            Health::Refused(_) => Connection::Refused,
            Health::Down(_) => Connection::Down,
        });
        // the first moments after a start are no alarm
        let trouble = trouble_of_bus(&health).filter(|trouble| trouble.kind != TroubleKind::BusConnecting);
        overview.alarms.extend(trouble.map(|trouble| said(Alarm::Bus(trouble))));
        for queue in Queue::ALL {
            let (ready, dead) = match bus.depth(queue).await {
                Ok((ready, dead)) => (Some(ready), Some(dead)),
                Err(error) => {
                    tracing::warn!(queue = %queue, error = %error, "a queue's depth cannot be shown");
                    (None, None)
                }
            };
            if let Some(dead) = dead.filter(|dead| *dead > 0) {
                overview.alarms.push(said(Alarm::DeadLetters { queue: queue.to_string(), count: dead }));
            }
            overview.queues.push(QueueRow { name: queue.to_string(), short: short(queue), ready, dead });
        }
        match bus.unrouted().await {
            Ok(count) => {
                overview.unrouted = Some(count);
                overview.judge(FaultName::Unrouted, unrouted(count));
            }
            Err(error) => tracing::warn!(queue = UNROUTED, error = %error, "a queue's depth cannot be shown"),
        }
    }

    async fn look_at_intake(&self, overview: &mut Overview) {
        let now = self.0.world.now();
        let Some(state) = answered(overview, Outlet::Intake, self.0.doors.intake.outbox_state().await) else { return };
        let late =
            |at: jiff::Timestamp| now.duration_since(at).as_secs() > self.0.config.outbox_late_seconds.cast_signed();
        let late = state.oldest_at.is_some_and(late);
        let waited = |at: jiff::Timestamp| now.duration_since(at).as_secs().max(0).cast_unsigned();
        let oldest_seconds = state.oldest_at.map(waited);
        if let (true, Some(oldest_seconds)) = (late, oldest_seconds) {
            overview.alarms.push(said(Alarm::OutboxLate { waiting: state.waiting, oldest_seconds }));
        }
        overview.judge(FaultName::SetAside, state.set_aside.as_ref().map(SetAside::fault));
        let oldest = oldest_seconds.map(|seconds| LANGUAGE.words().span(seconds));
        overview.outbox = Some(OutboxRow { waiting: state.waiting, oldest, late });
    }

    async fn look_at_completeness(&self, overview: &mut Overview) {
        let is_empty =
            |queue: &Queue| overview.queues.iter().any(|row| row.name == queue.name() && row.ready == Some(0));
        let empty: Vec<Queue> = Queue::ALL.into_iter().filter(is_empty).collect();
        let depths: BTreeMap<String, Option<u64>> =
            overview.queues.iter().map(|row| (row.name.clone(), row.dead)).collect();
        let dead = |outlet| depths.get(queue_of(outlet).name()).copied().flatten();
        let looked = self.completeness(&empty, dead).await;
        // what this process said of it before is older
        let faults = answered(overview, Outlet::Intake, looked).unwrap_or_default();
        overview.faults.extend(faults.into_iter().map(|fault| (fault.name(), fault)));
    }

    async fn look_at_feed(&self, overview: &mut Overview) {
        let Some(summaries) =
            answered(overview, Outlet::Feed, self.0.doors.feed.summaries(shown_until(self.0.world.now())).await)
        else {
            return;
        };
        let all = summaries.iter().find(|summary| summary.feed == loa_domain::FeedName::All);
        overview.feeds = Some(FeedsRow {
            feeds: summaries.iter().filter(|summary| summary.entries > 0).count(),
            entries: all.map_or(0, |summary| summary.entries),
            newest: all.and_then(|summary| summary.newest_at).map(|at| self.0.site.calendar.date_time(at)),
        });
    }

    async fn look_at_digest(&self, overview: &mut Overview) {
        let Some(runs) = answered(overview, Outlet::Digest, self.0.doors.digest.runs(20).await) else { return };
        let Some(stuck) = answered(overview, Outlet::Digest, self.0.doors.digest.stuck_runs(STUCK_MAX).await) else {
            return;
        };
        for run in stuck {
            let Some(why) = run.paused.filter(|_| run.account.waiting > 0) else { continue };
            let waiting = run.account.waiting;
            overview.alarms.push(said(Alarm::RunPaused { run: run.key, id: run.id, waiting, why }));
        }
        for run in runs {
            let account = run.account;
            if run.planned && !account.balances() {
                overview.alarms.push(said(Alarm::RunUnbalanced(run.key.clone())));
            }
            overview.runs.push(RunRow {
                name: LANGUAGE.words().run(&run.key),
                key: run.key.to_string(),
                cutoff: self.0.site.calendar.date_time(run.cutoff),
                planned: account.planned,
                sent: account.sent,
                failed: account.failed,
                suppressed: account.suppressed,
                uncertain: account.uncertain,
                waiting: account.waiting,
                balances: account.balances(),
                state: LANGUAGE.words().run_state(run.state()),
                frozen: run.planned,
                paused: run.paused.map(|why| LANGUAGE.words().pause(&why)),
            });
        }
    }

    /// What was seen in the ledger says more than what this process remembers of its own watch, if it has one.
    async fn look_at_watch(&self, overview: &mut Overview) {
        match self.0.doors.watch.watches(false).await {
            Ok(views) => {
                let now = self.0.world.now();
                overview.faults.retain(|name, _| !matches!(name, FaultName::Watched(_)));
                let faults = views.iter().filter_map(|view| view.fault(now));
                overview.faults.extend(faults.map(|fault| (fault.name(), fault)));
            }
            Err(error) => {
                tracing::warn!(%error, "the watch's ledger cannot be shown");
                overview.alarms.push(said(Alarm::WatchAway));
            }
        }
    }

    async fn look_at_push(&self, overview: &mut Overview) {
        let push = &self.0.doors.push;
        let query = |state| DeliveryQuery { endpoint: None, state: Some(state), article: None, limit: ROWS_MAX };
        let (pending, failed) = (query(DeliveryState::Pending), query(DeliveryState::Failed));
        let (endpoints, pending, failed) =
            tokio::join!(push.endpoints(), push.deliveries(&pending), push.deliveries(&failed));
        let count = |rows: Vec<_>| Count { count: rows.len(), capped: rows.len() >= ROWS_MAX as usize };
        overview.pending = answered(overview, Outlet::Push, pending).map(count);
        overview.failed = answered(overview, Outlet::Push, failed).map(count);
        if let Some(failed) = overview.failed.as_ref().filter(|failed| failed.count > 0) {
            let alarm = Alarm::DeliveriesFailed { count: failed.count, or_more: failed.capped };
            overview.alarms.push(said(alarm));
        }
        for endpoint in answered(overview, Outlet::Push, endpoints).unwrap_or_default() {
            let (state, enabled) =
                (LANGUAGE.words().endpoint(&endpoint.state), endpoint.state == EndpointState::Enabled);
            if let EndpointState::Disabled { reason, note } = endpoint.state {
                overview.alarms.push(said(Alarm::EndpointDisabled { endpoint: endpoint.id.clone(), reason, note }));
            }
            overview.endpoints.push(EndpointRow {
                id: endpoint.id.to_string(),
                // the query of a receiver's address may hold its secret
                url: endpoint.url[..url::Position::AfterPath].to_owned(),
                description: endpoint.description,
                state,
                enabled,
            });
        }
    }
}

impl Overview {
    /// What was looked at just now says more than what this process remembers.
    fn judge(&mut self, name: FaultName, fault: Option<Fault>) {
        match fault {
            Some(fault) => drop(self.faults.insert(name, fault)),
            None => drop(self.faults.remove(&name)),
        }
    }
}

fn said(alarm: Alarm) -> String {
    LANGUAGE.words().alarm(&alarm)
}

/// The answer, or an alarm (once for each ledger) and nothing.
fn answered<T>(overview: &mut Overview, ledger: Outlet, answer: Result<T, StoreError>) -> Option<T> {
    answer
        .inspect_err(|error| {
            tracing::warn!(ledger = ledger.as_str(), error = %error, "a ledger cannot be shown");
            let alarm = said(Alarm::LedgerAway(ledger));
            if !overview.alarms.contains(&alarm) {
                overview.alarms.push(alarm);
            }
        })
        .ok()
}

fn short(queue: Queue) -> String {
    queue.name().trim_start_matches("loa.").to_owned()
}

fn letter(calendar: &Calendar, letter: DeadLetter) -> LetterRow {
    let told = explain::reason(&letter, LANGUAGE);
    LetterRow {
        name: letter.name(),
        advice: explain::advised(&letter, &[], LANGUAGE),
        id: letter.message.id,
        is_english: told.is_none(),
        reason: told.unwrap_or(letter.reason.reason),
        position: letter.reason.position,
        routing_key: letter.routing_key,
        dead_at: letter.dead_at.map(|at| calendar.date_time(at)),
        bytes: letter.bytes,
    }
}
