//! Whether each outlet has received what was archived, for the overview.
//!
//! Figures come from intake's ledger, where the audit and all processes note what they find; `loa_worker::completeness` says
//! what they mean, here as on `/readyz` and for `loa check`.

use crate::Service;
use jiff::{SignedDuration, Timestamp};
use loa_bus::Queue;
use loa_domain::{Fault, Outlet};
use loa_store::StoreError;
use loa_worker::completeness::{fault, judge, judge_heartbeats};

/// How long events may wait in an outlet's queue before it is an alarm: an import of thousands is none.
const LATE_MAX: SignedDuration = SignedDuration::from_secs(60);

impl Service {
    /// What is wrong. `empty`: queues in which no message is ready; `dead`: the dead letters of an outlet, if they are known.
    ///
    /// # Errors
    /// When intake's ledger does not answer.
    pub(crate) async fn completeness(
        &self,
        empty: &[Queue],
        dead: impl Fn(Outlet) -> Option<u64>,
    ) -> Result<Vec<Fault>, StoreError> {
        let (rule, now, intake) = (self.0.site.audit, self.0.world.now(), &self.0.doors.intake);
        let delay = SignedDuration::try_from(rule.delay).unwrap_or(SignedDuration::MAX);
        let mut faults = Vec::new();
        if rule.is_on {
            let states = intake.completeness(now.saturating_sub(delay).unwrap_or(Timestamp::MIN)).await?;
            let judged = states
                .iter()
                .filter_map(|state| fault(state.outlet, &judge(state, now, rule.delay), dead(state.outlet)));
            faults.extend(judged.filter(|fault| is_alarm(fault, now)));
        }
        let (own, heard) = (intake.installation().await?, intake.heartbeats().await?);
        faults.extend(judge_heartbeats(&heard, &own, now, rule.heartbeat, empty));
        Ok(faults)
    }
}

/// Whether somebody must be told: what is late since a moment only is on its way.
pub(crate) fn is_alarm(fault: &Fault, now: Timestamp) -> bool {
    !matches!(fault, Fault::Late { missing, .. } if now.duration_since(missing.since) <= LATE_MAX)
}
