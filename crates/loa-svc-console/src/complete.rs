//! Whether each outlet has received what was archived, for the overview: as alarms in the operators' language.
//!
//! Figures come from intake's ledger, where the audit and all processes note what they find; `loa_worker::completeness` says
//! what they mean, here as on `/readyz` and for `loa check`.

use crate::Service;
use jiff::{SignedDuration, Timestamp};
use loa_bus::Queue;
use loa_store::{Completeness, GAPS_COUNTED_MAX, Gaps, StoreError};
use loa_words::Alarm;
use loa_worker::completeness::{HeartbeatFault, Verdict, judge, judge_heartbeats};

/// How long events may wait in an outlet's queue before it is an alarm: an import of thousands is none.
const LATE_MAX: SignedDuration = SignedDuration::from_secs(60);

impl Service {
    /// What needs somebody. `empty`: queues in which no message is ready.
    ///
    /// # Errors
    /// When intake's ledger does not answer.
    pub(crate) async fn completeness(&self, empty: &[Queue]) -> Result<Vec<Alarm>, StoreError> {
        let (rule, now, intake) = (self.0.site.audit, self.0.world.now(), &self.0.doors.intake);
        let settle = SignedDuration::try_from(rule.settle).unwrap_or(SignedDuration::MAX);
        let mut alarms = Vec::new();
        if rule.is_on {
            let states = intake.completeness(now.saturating_sub(settle).unwrap_or(Timestamp::MIN)).await?;
            alarms.extend(states.iter().filter_map(|state| alarm(state, judge(state, now, rule.settle), now)));
        }
        let (own, heard) = (intake.installation().await?, intake.heartbeats().await?);
        let faults = judge_heartbeats(&heard, &own, now, rule.heartbeat, empty);
        alarms.extend(faults.into_iter().map(|fault| of_heartbeats(fault, now)));
        Ok(alarms)
    }
}

fn alarm(state: &Completeness, verdict: Verdict, now: Timestamp) -> Option<Alarm> {
    let outlet = state.outlet;
    let figures = |gaps: &Gaps| (gaps.count, gaps.count >= GAPS_COUNTED_MAX.into(), seconds(gaps.since, now));
    match verdict {
        Verdict::Complete => None,
        Verdict::Late(gaps) if now.duration_since(gaps.since) <= LATE_MAX => None,
        Verdict::Late(gaps) => {
            let (count, or_more, seconds) = figures(&gaps);
            Some(Alarm::Late { outlet, count, or_more, seconds })
        }
        Verdict::NotReceived(gaps) => {
            let (count, or_more, seconds) = figures(&gaps);
            Some(Alarm::NotReceived { outlet, count, or_more, seconds })
        }
        Verdict::Behind { .. } | Verdict::Unknown { .. } => Some(Alarm::CompletenessUnknown(outlet)),
    }
}

fn of_heartbeats(fault: HeartbeatFault, now: Timestamp) -> Alarm {
    match fault {
        HeartbeatFault::Silent { queue, binding, since } => Alarm::BindingSilent {
            queue: queue.name().to_owned(),
            binding: binding.to_owned(),
            seconds: since.map(|since| seconds(since, now)),
        },
        HeartbeatFault::FromTheFuture { queue, seconds } => {
            Alarm::FromTheFuture { queue: queue.name().to_owned(), seconds }
        }
        HeartbeatFault::OtherInstallation { installation, host, since } => {
            Alarm::OtherInstallation { installation, host, seconds: seconds(since, now) }
        }
    }
}

fn seconds(since: Timestamp, now: Timestamp) -> u64 {
    now.duration_since(since).as_secs().max(0).cast_unsigned()
}
