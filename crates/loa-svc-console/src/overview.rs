//! The overview for operators: what is late, what is broken, what to do. Every ledger and the bus are
//! asked; one that is away is named as away, and the rest is shown.

use crate::{Service, pages::LANGUAGE};
use loa_bus::{Chosen, DeadLetter, Health, Place, Queue, UNROUTED};
use loa_domain::{Calendar, DeliveryState, EndpointState, Outlet, ServerWords, shown_until};
use loa_store::{DeliveryQuery, StoreError};
use loa_words::Alarm;
use loa_worker::{DependencyState, TOPOLOGY_FAULT};
use serde::Serialize;

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
    /// `up`, `connecting`, `blocked`, `refused` or `down`; the template says it.
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
    frozen: bool,
    paused: Option<String>,
}

#[derive(Debug, Serialize)]
struct EndpointRow {
    id: String,
    url: String,
    description: String,
    disabled: Option<String>,
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
    name: String,
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
        };
        self.look_at_bus(&mut overview).await;
        self.look_at_intake(&mut overview).await;
        self.look_at_completeness(&mut overview).await;
        self.look_at_feed(&mut overview).await;
        self.look_at_digest(&mut overview).await;
        self.look_at_push(&mut overview).await;
        for row in overview.dependencies.iter().filter(|row| row.down.is_some()) {
            overview.alarms.push(said(Alarm::NotConnected(row.name.clone())));
        }
        for name in self.0.status.faults().keys().filter_map(|name| name.strip_prefix(TOPOLOGY_FAULT)) {
            overview.alarms.push(said(Alarm::TopologyDiffers(name.to_owned())));
        }
        // said in words above; here with the operators' own, and the command that mends it
        let fault = |(name, sentence)| DependencyRow { name, down: Some(sentence) };
        overview.dependencies.extend(self.0.status.faults().into_iter().map(fault));
        overview
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
        match self.0.doors.bus.dead_letters(place, &Chosen::All, DEAD_LETTERS_MAX).await {
            Ok(letters) => {
                page.capped = letters.len() >= DEAD_LETTERS_MAX;
                page.letters = letters.into_iter().map(|one| letter(&self.0.site.calendar, one)).collect();
            }
            Err(error) => {
                tracing::warn!(%place, error = %error, "dead letters cannot be shown");
                page.away = error.to_string();
            }
        }
        page
    }

    fn dependencies(&self) -> Vec<DependencyRow> {
        let row = |(name, state)| match state {
            DependencyState::Up => DependencyRow { name, down: None },
            DependencyState::Down(why) => DependencyRow { name, down: Some(why) },
        };
        self.0.status.dependencies().into_iter().map(row).collect()
    }

    async fn look_at_bus(&self, overview: &mut Overview) {
        let bus = &self.0.doors.bus;
        overview.bus = match bus.health() {
            Health::Up => "up",
            Health::Connecting => "connecting",
            Health::Blocked(why) => {
                overview.alarms.push(said(Alarm::BusBlocked(ServerWords::new(&why))));
                "blocked"
            }
            Health::Refused(why) => {
                overview.alarms.push(said(Alarm::BusRefuses(ServerWords::new(&why))));
                "refused"
            }
            Health::Down(why) => {
                overview.alarms.push(said(Alarm::BusDown(ServerWords::new(&why))));
                "down"
            }
        };
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
                if count > 0 {
                    overview.alarms.push(said(Alarm::Unrouted { count }));
                }
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
        if let Some(set_aside) = state.set_aside {
            overview.alarms.push(said(Alarm::SetAside {
                count: set_aside.count,
                seconds: waited(set_aside.since),
                article: set_aside.article.to_string(),
                words: ServerWords::new(&set_aside.error),
            }));
        }
        let oldest = oldest_seconds.map(|seconds| LANGUAGE.words().span(seconds));
        overview.outbox = Some(OutboxRow { waiting: state.waiting, oldest, late });
    }

    async fn look_at_completeness(&self, overview: &mut Overview) {
        let is_empty =
            |queue: &Queue| overview.queues.iter().any(|row| row.name == queue.name() && row.ready == Some(0));
        let empty: Vec<Queue> = Queue::ALL.into_iter().filter(is_empty).collect();
        let alarms = answered(overview, Outlet::Intake, self.completeness(&empty).await).unwrap_or_default();
        overview.alarms.extend(alarms.into_iter().map(said));
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
                frozen: run.planned,
                paused: run.paused.map(|why| LANGUAGE.words().pause(&why)),
            });
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
            let disabled = match endpoint.state {
                EndpointState::Enabled => None,
                EndpointState::Disabled { reason, note } => {
                    let disabled = LANGUAGE.words().disabled(reason, &note);
                    let endpoint = endpoint.id.clone();
                    overview.alarms.push(said(Alarm::EndpointDisabled { endpoint, reason, note }));
                    Some(disabled)
                }
            };
            overview.endpoints.push(EndpointRow {
                id: endpoint.id.to_string(),
                // the query of a receiver's address may hold its secret
                url: endpoint.url[..url::Position::AfterPath].to_owned(),
                description: endpoint.description,
                disabled,
            });
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
    LetterRow {
        name: letter.name(),
        id: letter.message.id,
        reason: letter.reason.reason,
        position: letter.reason.position,
        routing_key: letter.routing_key,
        dead_at: letter.dead_at.map(|at| calendar.date_time(at)),
        bytes: letter.message.body.len(),
    }
}
