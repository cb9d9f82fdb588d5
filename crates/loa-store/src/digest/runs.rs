//! Runs: opened on schedule, planned into mails, stopped and let go on.

use crate::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{Account, Because, Frequency, PauseReason, RunKey, RunState};

/// Matched articles that one mail takes at most. A mail shows fewer and counts the rest, so more would only make a reader's
/// backlog of a million cost as much memory and time at once; what is over goes into the next run's mail.
pub const MAIL_MATCHES_MAX: u32 = 1_000;

/// What the schedule does.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Whether an active subscription of this frequency is owed anything: so that no empty run is opened.
    async fn owed(&self, frequency: Frequency, oldest: Timestamp, cutoff: Timestamp) -> Result<bool, StoreError>;

    /// Opens a run, or finds it: one for each key. Returns it and whether it is new.
    async fn open_run(&self, key: &RunKey, cutoff: Timestamp, at: Timestamp) -> Result<(Run, bool), StoreError>;

    /// Plans up to `max` further mails of a run: for each active subscription of its frequency with something owed (matched,
    /// accepted in (since, cutoff] and not before `oldest`, not delivered in this or a higher revision; and corrections, however
    /// old, for what was sent to it and is withdrawn) one mail with its items, reserved as delivered, in one transaction. What
    /// a run passes over as older than `oldest` stays passed over. May plan fewer, even none, with `complete: false`, after
    /// looking at many: call again. When nobody is left, the audience is frozen. Never an empty mail. Of what was matched, one
    /// mail takes at most [`MAIL_MATCHES_MAX`], in the order of acceptance; the rest stays owed, to the next run. Idempotent.
    /// `NotFound`.
    async fn plan(&self, run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Result<Plan, StoreError>;

    /// Stops a run with a reason, or (`None`) lets it go on. When it stops, mails that are held and whose dialogue has not
    /// begun go back. `NotFound`.
    async fn pause_run(&self, run: i64, why: Option<&Because<PauseReason>>, at: Timestamp) -> Result<(), StoreError>;
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// What makes it unique.
    pub key: RunKey,
    /// What was accepted up to then is in it.
    pub cutoff: Timestamp,
    /// Whether its audience is frozen.
    pub planned: bool,
    /// Why it is stopped, until an operator resumes it; `None` while it runs.
    pub paused: Option<Because<PauseReason>>,
    /// In figures.
    pub account: Account,
    /// When it was opened.
    pub created_at: Timestamp,
}

impl Run {
    /// Where it stands.
    pub fn state(&self) -> RunState {
        match (&self.paused, self.planned, self.account.waiting) {
            (Some(_), ..) => RunState::Paused,
            (None, false, _) => RunState::Planning,
            (None, true, 1..) => RunState::Sending,
            (None, true, 0) => RunState::Ended,
        }
    }
}

/// What one call of planning came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Mails planned by this call.
    pub mails: u64,
    /// Whether the audience is complete and frozen now.
    pub complete: bool,
}
