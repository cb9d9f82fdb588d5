//! What an operator sees first: what is late, what is broken, what to do. Each door is asked; one that is away is said
//! to be away, and the rest is shown.

use crate::{
    Service,
    words::{age, date_time},
};
use loa_bus::{DeadLetter, Health, Queue};
use loa_domain::{DeliveryState, EndpointState};
use loa_store::{DeliveryQuery, StoreError};
use loa_worker::DoorState;
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
    bus: String,
    queues: Vec<QueueRow>,
    outbox: Option<OutboxRow>,
    runs: Vec<RunRow>,
    endpoints: Vec<EndpointRow>,
    pending: Option<Count>,
    failed: Option<Count>,
    feeds: Option<FeedsRow>,
    doors: Vec<DoorRow>,
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
struct DoorRow {
    name: String,
    shut: Option<String>,
}

/// The page of one queue's dead letters.
#[derive(Debug, Serialize)]
pub(crate) struct DeadPage {
    portal: String,
    queue: String,
    short: String,
    /// Why they cannot be shown; empty when they can.
    away: String,
    letters: Vec<LetterRow>,
    capped: bool,
}

#[derive(Debug, Serialize)]
struct LetterRow {
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
            now: date_time(self.0.world.now()),
            alarms: Vec::new(),
            bus: String::new(),
            queues: Vec::new(),
            outbox: None,
            runs: Vec::new(),
            endpoints: Vec::new(),
            pending: None,
            failed: None,
            feeds: None,
            doors: self.doors(),
        };
        self.look_at_bus(&mut overview).await;
        self.look_at_intake(&mut overview).await;
        self.look_at_feed(&mut overview).await;
        self.look_at_digest(&mut overview).await;
        self.look_at_push(&mut overview).await;
        for door in overview.doors.iter().filter(|door| door.shut.is_some()) {
            overview.alarms.push(format!("Tiến trình này chưa nối được với «{}».", door.name));
        }
        overview
    }

    /// The dead letters of one queue.
    pub(crate) async fn dead_page(&self, queue: Queue) -> DeadPage {
        let mut page = DeadPage {
            portal: self.0.site.portal_name.clone(),
            queue: queue.to_string(),
            short: short(queue),
            away: String::new(),
            letters: Vec::new(),
            capped: false,
        };
        match self.0.doors.bus.dead_letters(queue, DEAD_LETTERS_MAX).await {
            Ok(letters) => {
                page.capped = letters.len() >= DEAD_LETTERS_MAX;
                page.letters = letters.into_iter().map(letter).collect();
            }
            Err(error) => {
                tracing::warn!(queue = %queue, error = %error, "dead letters cannot be shown");
                page.away = error.to_string();
            }
        }
        page
    }

    fn doors(&self) -> Vec<DoorRow> {
        let row = |(name, state)| match state {
            DoorState::Open => DoorRow { name, shut: None },
            DoorState::Shut(why) => DoorRow { name, shut: Some(why) },
        };
        self.0.status.doors().into_iter().map(row).collect()
    }

    async fn look_at_bus(&self, overview: &mut Overview) {
        let bus = &self.0.doors.bus;
        overview.bus = match bus.health() {
            Health::Up => "đang chạy".to_owned(),
            Health::Connecting => "đang nối".to_owned(),
            Health::Blocked(why) => {
                overview.alarms.push(format!("Hàng đợi tạm không nhận tin: {why}"));
                format!("tạm không nhận tin: {why}")
            }
            Health::Refused(why) => {
                overview
                    .alarms
                    .push(format!("Hàng đợi từ chối kết nối, hãy xem lại tên người dùng, mật khẩu và quyền: {why}"));
                format!("từ chối kết nối: {why}")
            }
            Health::Down(why) => {
                overview.alarms.push(format!("Mất kết nối với hàng đợi: {why}"));
                format!("mất kết nối: {why}")
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
                overview.alarms.push(format!(
                    "{dead} tin hỏng trong {queue}: xem lý do, báo nơi gửi sửa, rồi chạy lại bằng «loa dead redrive»."
                ));
            }
            overview.queues.push(QueueRow { name: queue.to_string(), short: short(queue), ready, dead });
        }
    }

    async fn look_at_intake(&self, overview: &mut Overview) {
        let now = self.0.world.now();
        let Some(state) = answered(overview, "intake", self.0.doors.intake.outbox_state().await) else { return };
        let late =
            |at: jiff::Timestamp| now.duration_since(at).as_secs() > self.0.config.outbox_late_seconds.cast_signed();
        let late = state.oldest_at.is_some_and(late);
        let oldest = state.oldest_at.map(|at| age(at, now));
        if let (true, Some(oldest)) = (late, &oldest) {
            overview.alarms.push(format!(
                "{} tin chờ phát, tin lâu nhất đã chờ {oldest}: kiểm tra kết nối với hàng đợi.",
                state.waiting
            ));
        }
        overview.outbox = Some(OutboxRow { waiting: state.waiting, oldest, late });
    }

    async fn look_at_feed(&self, overview: &mut Overview) {
        let Some(summaries) = answered(overview, "feed", self.0.doors.feed.summaries().await) else { return };
        let all = summaries.iter().find(|summary| summary.feed == loa_domain::FeedName::All);
        overview.feeds = Some(FeedsRow {
            feeds: summaries.iter().filter(|summary| summary.entries > 0).count(),
            entries: all.map_or(0, |summary| summary.entries),
            newest: all.and_then(|summary| summary.newest_at).map(date_time),
        });
    }

    async fn look_at_digest(&self, overview: &mut Overview) {
        let Some(runs) = answered(overview, "digest", self.0.doors.digest.runs(20).await) else { return };
        let Some(stuck) = answered(overview, "digest", self.0.doors.digest.stuck_runs(STUCK_MAX).await) else { return };
        for run in stuck {
            let Some(why) = run.paused.filter(|_| run.account.waiting > 0) else { continue };
            overview.alarms.push(format!(
                "Đợt thư {} đang dừng, {} thư chờ: {why}. Khi máy chủ thư đã nhận lại, cho gửi tiếp bằng POST /v1/digest-runs/{}/resume.",
                run.key, run.account.waiting, run.id
            ));
        }
        for run in runs {
            let account = run.account;
            if run.planned && !account.balances() {
                overview.alarms.push(format!(
                    "Số liệu của đợt thư {} không khớp: đây là lỗi phần mềm, hãy báo người phát triển.",
                    run.key
                ));
            }
            overview.runs.push(RunRow {
                key: run.key.to_string(),
                cutoff: date_time(run.cutoff),
                planned: account.planned,
                sent: account.sent,
                failed: account.failed,
                suppressed: account.suppressed,
                uncertain: account.uncertain,
                waiting: account.waiting,
                balances: account.balances(),
                frozen: run.planned,
                paused: run.paused,
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
        overview.pending = answered(overview, "push", pending).map(count);
        overview.failed = answered(overview, "push", failed).map(count);
        if let Some(failed) = overview.failed.as_ref().filter(|failed| failed.count > 0) {
            let more = if failed.capped { " trở lên" } else { "" };
            overview
                .alarms
                .push(format!("{}{more} lượt chuyển tiếp không thành: xem /v1/deliveries?state=failed.", failed.count));
        }
        for endpoint in answered(overview, "push", endpoints).unwrap_or_default() {
            let disabled = match endpoint.state {
                EndpointState::Enabled => None,
                EndpointState::Disabled { reason } => Some(reason),
            };
            if let Some(why) = &disabled {
                overview.alarms.push(format!("Nơi nhận {} đang tắt: {why}", endpoint.id));
            }
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

/// The answer, or an alarm (once for each ledger) and nothing.
fn answered<T>(overview: &mut Overview, ledger: &str, answer: Result<T, StoreError>) -> Option<T> {
    answer
        .inspect_err(|error| {
            tracing::warn!(ledger, error = %error, "a ledger cannot be shown");
            let alarm = format!("Sổ «{ledger}» không trả lời: phần này của trang đang thiếu.");
            if !overview.alarms.contains(&alarm) {
                overview.alarms.push(alarm);
            }
        })
        .ok()
}

fn short(queue: Queue) -> String {
    queue.name().trim_start_matches("loa.").to_owned()
}

fn letter(letter: DeadLetter) -> LetterRow {
    LetterRow {
        id: letter.message.id,
        reason: letter.reason.reason,
        position: letter.reason.position,
        routing_key: letter.routing_key,
        dead_at: letter.dead_at.map(date_time),
        bytes: letter.message.body.len(),
    }
}
