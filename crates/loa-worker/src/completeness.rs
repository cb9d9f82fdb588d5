//! What the audit's figures mean: which outlet is complete, which binding is silent, who else uses this vhost.
//!
//! Pure: it is handed what stands in intake's ledger. `/readyz`, `loa check` and the console say the same because they ask
//! here.

use crate::status::CLOCKS_DIFFER_MAX;
use jiff::{SignedDuration, Timestamp};
use loa_bus::Queue;
use loa_domain::{Fault, Missing, Outlet};
use loa_store::{Completeness, GAPS_COUNTED_MAX, Gaps, HeardHeartbeat};
use std::{collections::BTreeMap, time::Duration};

/// How long an audit may be behind its delay before its answer counts as unknown.
const BEHIND_MAX: Duration = Duration::from_secs(60);
/// How long another installation is remembered after its last heartbeat, at the least.
const STRANGER_REMEMBERED: Duration = Duration::from_secs(120);
/// What a heartbeat may take from its publisher to the ledger that notes it.
pub const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// How an installation is audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditRule {
    /// Whether outlets are asked at all.
    pub is_on: bool,
    /// How long an event may be on its way before it is asked for.
    pub delay: Duration,
    /// Between two heartbeats; `None`: none are sent.
    pub heartbeat: Option<Duration>,
}

/// How one outlet stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was archived is seen, as far as the delay allows to say.
    Complete,
    /// Some events may still stand in the outlet's queue.
    Late(Gaps),
    /// Some events passed the queue, and the outlet has not seen them.
    NotReceived(Gaps),
    /// Not known yet: the audit works, and is far behind.
    Behind {
        /// When the first of what it has not come to was archived.
        since: Timestamp,
    },
    /// Nobody knows: the outlet was not asked, or did not answer.
    Unknown {
        /// Since when events wait to be audited; `None`: it was not asked once.
        since: Option<Timestamp>,
    },
}

/// The queue of an outlet, or of the archive.
pub fn queue_of(outlet: Outlet) -> Queue {
    match outlet {
        Outlet::Intake => Queue::Archive,
        Outlet::Feed => Queue::Feed,
        Outlet::Digest => Queue::Digest,
        Outlet::Push => Queue::Push,
    }
}

/// Whose a queue is.
pub(crate) fn outlet_of(queue: Queue) -> Outlet {
    match queue {
        Queue::Archive => Outlet::Intake,
        Queue::Feed => Outlet::Feed,
        Queue::Digest => Outlet::Digest,
        Queue::Push => Outlet::Push,
    }
}

/// What an outlet's figures mean at `now`, with this delay.
pub fn judge(state: &Completeness, now: Timestamp, delay: Duration) -> Verdict {
    let deadline = SignedDuration::try_from(delay + BEHIND_MAX).unwrap_or(SignedDuration::MAX);
    // Figures of an audit that stands still say nothing. One that never began has nothing to say unless something waits.
    let is_old = |since: &Timestamp| now.duration_since(*since) > deadline;
    let behind = state.unaudited_since.filter(is_old);
    if let Some(since) = behind.filter(|_| state.asked_at.as_ref().is_none_or(is_old)) {
        return Verdict::Unknown { since: Some(since) };
    }
    match (&state.not_received, &state.late, behind) {
        (Some(gaps), ..) => Verdict::NotReceived(gaps.clone()),
        // it works and has not come so far yet: what it has not asked about is no "complete"
        (None, _, Some(since)) => Verdict::Behind { since },
        (None, Some(gaps), None) => Verdict::Late(gaps.clone()),
        (None, None, None) => Verdict::Complete,
    }
}

/// What a verdict means; `None` when all is well. `dead`: how many dead letters the outlet's queue has, if that is known.
pub fn fault(outlet: Outlet, verdict: &Verdict, dead: Option<u64>) -> Option<Fault> {
    Some(match verdict {
        Verdict::Complete => return None,
        Verdict::Late(gaps) => Fault::Late { outlet, missing: missing(gaps) },
        Verdict::NotReceived(gaps) => Fault::NotReceived { outlet, missing: missing(gaps), dead },
        Verdict::Behind { since } => Fault::AuditBehind { outlet, since: *since },
        Verdict::Unknown { since } => Fault::NotAudited { outlet, since: *since },
    })
}

fn missing(gaps: &Gaps) -> Missing {
    Missing {
        count: gaps.count,
        or_more: gaps.count >= GAPS_COUNTED_MAX.into(),
        since: gaps.since,
        article: gaps.article.to_string(),
        event: gaps.event.id.clone(),
    }
}

/// What heartbeats give away at `now`. `own`: our installation; `every`: between two heartbeats; `empty`: queues in which no
/// message is ready.
pub fn judge_heartbeats(
    heard: &[HeardHeartbeat],
    own: &str,
    now: Timestamp,
    every: Option<Duration>,
    empty: &[Queue],
) -> Vec<Fault> {
    let mut faults = strangers(heard, own, now, every.unwrap_or_default());
    let alone = faults.is_empty();
    faults.extend(Queue::ALL.into_iter().filter_map(|queue| from_the_future(heard, queue, now)));
    // half of the heartbeats that a stranger takes are no sign of a lost binding
    if let Some(every) = every.filter(|_| alone) {
        let is_past = |one: &&HeardHeartbeat| one.sent_at.duration_since(now) <= CLOCKS_DIFFER_MAX;
        let ours: Vec<&HeardHeartbeat> = heard.iter().filter(|one| one.installation == own).filter(is_past).collect();
        let known = |queue: &Queue| from_the_future(heard, *queue, now).is_none();
        let silent = |queue: Queue| silent(&ours, queue, now, every, empty.contains(&queue));
        faults.extend(Queue::ALL.into_iter().filter(known).flat_map(silent));
    }
    faults
}

/// The clock of a machine that consumes this queue is ahead of this one's, or this one is behind. The age of its heartbeats
/// would be below zero, and hide for as long that none comes through.
fn from_the_future(heard: &[HeardHeartbeat], queue: Queue, now: Timestamp) -> Option<Fault> {
    let newest = heard.iter().filter(|one| one.queue == queue.name()).map(|one| one.sent_at).max()?;
    let ahead = newest.duration_since(now);
    (ahead > CLOCKS_DIFFER_MAX)
        .then(|| Fault::HeartbeatsAhead { outlet: outlet_of(queue), seconds: ahead.as_secs().max(0).cast_unsigned() })
}

fn strangers(heard: &[HeardHeartbeat], own: &str, now: Timestamp, every: Duration) -> Vec<Fault> {
    let remembered = signed((every * 4).max(STRANGER_REMEMBERED));
    let mut known: BTreeMap<&str, (&str, Timestamp)> = BTreeMap::new();
    for one in heard.iter().filter(|one| one.installation != own && now.duration_since(one.heard_at) <= remembered) {
        let entry = known.entry(&one.installation).or_insert((&one.host, one.first_at));
        entry.1 = entry.1.min(one.first_at);
    }
    let fault = |(installation, (host, since)): (&str, (&str, Timestamp))| Fault::OtherInstallation {
        installation: installation.to_owned(),
        host: host.to_owned(),
        since,
    };
    known.into_iter().map(fault).collect()
}

/// The bindings of a queue through which the newest rounds of heartbeats did not come.
fn silent(ours: &[&HeardHeartbeat], queue: Queue, now: Timestamp, every: Duration, is_empty: bool) -> Vec<Fault> {
    // Whether anybody publishes at all is told by the age of heartbeats. Here the rounds that came through somewhere count.
    let Some(newest) = ours.iter().filter(|one| !one.binding.is_empty()).map(|one| one.sent_at).max() else {
        return Vec::new();
    };
    let here = || ours.iter().filter(|one| one.queue == queue.name());
    let is_missing = |since: Option<Timestamp>| {
        let begun = ours.iter().map(|one| one.first_at).min().unwrap_or(now);
        let last = since.unwrap_or(begun);
        now.duration_since(last) > signed(every * 3 / 2 + ON_ITS_WAY) && newest.duration_since(last) > signed(every / 2)
    };
    let last = here().map(|one| one.sent_at).max();
    if is_missing(last) {
        // its service is away, and heartbeats stand in the queue: it is late, and its bindings may be good
        let whole = Fault::QueueSilent { outlet: outlet_of(queue), since: last };
        return if is_empty { vec![whole] } else { Vec::new() };
    }
    let of = |binding: &str| here().find(|one| one.binding == binding).map(|one| one.sent_at);
    let lost = queue.bindings().iter().filter(|binding| is_missing(of(binding)));
    lost.map(|binding| Fault::BindingSilent { outlet: outlet_of(queue), binding, since: of(binding) }).collect()
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests;
