//! From "it is time" to a frozen audience: opens the runs that are due and plans them, each step safe to repeat.
//!
//! What is remembered here (which run was opened, which is still being planned) only spares the ledger questions; the
//! ledger's unique key is what keeps a run from being opened twice.

use crate::Service;
use jiff::{SignedDuration, Timestamp};
use loa_domain::{AgeRule, Frequency, RunKey};
use loa_store::{Run, StoreError};
use loa_worker::Progress;

/// Mails planned in one transaction.
const PLAN_MAX: u32 = 1_000;
/// How often the ledger is asked for what other processes left behind, and whether anything is wanted at once.
const POLL_INTERVAL: SignedDuration = SignedDuration::from_secs(30);
/// Unconfirmed wishes ended in one poll: the form cannot make as many in that time.
const EXPIRED_AT_A_TIME: u32 = 200;
/// Runs in which mails may wait.
const RUNS_LOOKED_AT: u32 = 50;
/// Runs that are stuck, looked at in one poll: the oldest.
const STUCK_LOOKED_AT: u32 = 200;

impl Service {
    /// Opens what is due and plans one batch of what is open.
    pub(crate) async fn open_and_plan(&self, now: Timestamp) -> Result<Progress, StoreError> {
        for frequency in [Frequency::Daily, Frequency::Weekly] {
            let Some(key) = self.0.schedule.due(frequency, now) else { continue };
            if self.0.watch().opened.get(&frequency) == Some(&key) {
                continue;
            }
            // opened even when nothing is owed: the empty account tells that it was not forgotten
            self.open(&key, now).await?;
            self.0.watch().opened.insert(frequency, key);
        }
        self.open_immediate(now).await?;
        self.poll(now).await?;
        let Some(run) = self.0.watch().unplanned.first().copied() else { return Ok(Progress::Idle) };
        self.plan_some(run, now).await?;
        Ok(Progress::Worked)
    }

    /// Opens a run, or finds it.
    pub(crate) async fn open(&self, key: &RunKey, now: Timestamp) -> Result<Run, StoreError> {
        let (run, fresh) = self.0.doors.runs.open_run(key, now, now).await?;
        if fresh {
            tracing::info!(run = run.id, key = %key, "digest run opened");
            metrics::counter!("loa_digest_runs_opened_total", "frequency" => key.frequency.as_str()).increment(1);
        }
        if !run.planned {
            self.0.watch().unplanned.insert(run.id);
        }
        Ok(run)
    }

    /// Plans one batch of a run. Returns whether its audience is frozen now.
    pub(crate) async fn plan_some(&self, run: i64, now: Timestamp) -> Result<bool, StoreError> {
        let plan = self.0.doors.runs.plan(run, self.oldest(now), PLAN_MAX, now).await?;
        if plan.complete {
            self.0.watch().unplanned.remove(&run);
            tracing::info!(run, "digest run planned");
        }
        metrics::counter!("loa_digest_mails_planned_total").increment(plan.mails);
        Ok(plan.complete)
    }

    /// What was accepted before is no news any more.
    pub(crate) fn oldest(&self, now: Timestamp) -> Timestamp {
        AgeRule::days(self.0.config.item_days_max, now).oldest()
    }

    /// Opens a run for those who want it at once, when something has waited for company long enough.
    async fn open_immediate(&self, now: Timestamp) -> Result<(), StoreError> {
        let window = SignedDuration::from_secs(i64::from(self.0.config.immediate_window_seconds));
        {
            let mut watch = self.0.watch();
            if std::mem::take(&mut watch.came) {
                let soon = now.saturating_add(window).unwrap_or(now);
                watch.immediate_at = Some(watch.immediate_at.map_or(soon, |at| at.min(soon)));
            }
            if watch.immediate_at.is_some_and(|at| now < at) {
                return Ok(());
            }
            watch.immediate_at = Some(now.saturating_add(window.min(POLL_INTERVAL)).unwrap_or(now));
        }
        let cutoff = now.saturating_sub(window).unwrap_or(now);
        if self.0.doors.runs.owed(Frequency::Immediate, self.oldest(now), cutoff).await?
            && let Some(key) = self.0.schedule.due(Frequency::Immediate, now)
        {
            self.open(&key, now).await?;
        }
        Ok(())
    }

    /// Finds runs that another process, or this one before it crashed, did not plan to the end.
    async fn poll(&self, now: Timestamp) -> Result<(), StoreError> {
        let due = self.0.watch().polled_at.is_none_or(|at| now >= at.saturating_add(POLL_INTERVAL).unwrap_or(at));
        if due {
            let runs = self.0.doors.views.runs(RUNS_LOOKED_AT).await?;
            let stuck = self.0.doors.views.stuck_runs(STUCK_LOOKED_AT).await?;
            let old = stuck.iter().filter(|run| runs.iter().all(|newer| newer.id != run.id));
            let waiting: u64 = runs.iter().chain(old).map(|run| run.account.waiting).sum();
            #[allow(clippy::cast_precision_loss, reason = "a gauge")]
            metrics::gauge!("loa_digest_mails_waiting").set(waiting as f64);
            metrics::gauge!("loa_digest_runs_paused")
                .set(stuck.iter().filter(|run| run.paused.is_some() && run.account.waiting > 0).count() as f64);
            {
                let mut watch = self.0.watch();
                watch.unplanned = stuck.iter().filter(|run| !run.planned).map(|run| run.id).collect();
                watch.polled_at = Some(now);
            }
            self.expire_unconfirmed(now).await?;
        }
        Ok(())
    }

    /// Ends some of what was asked for on the form and not confirmed in time.
    async fn expire_unconfirmed(&self, now: Timestamp) -> Result<(), StoreError> {
        let days = SignedDuration::from_hours(24 * i64::from(self.0.config.pending_days_max));
        let before = now.saturating_sub(days).unwrap_or(Timestamp::MIN);
        let ended = self.0.doors.confirmations.expire_unconfirmed(before, now, EXPIRED_AT_A_TIME).await?;
        if ended > 0 {
            metrics::counter!("loa_digest_unconfirmed_expired_total").increment(ended);
            tracing::info!(ended, "wishes that nobody confirmed are gone");
        }
        Ok(())
    }
}
