//! What a process remembers of runs, so that it asks the ledger less. `runs.rs` reads and writes it.
//!
//! Nothing depends on it: whoever loses it asks again.

use jiff::Timestamp;
use loa_domain::{Frequency, RunKey};
use std::collections::{BTreeMap, BTreeSet};

/// What this process remembers of runs. Losing it costs a few questions.
#[derive(Debug, Default)]
pub(crate) struct RunWatch {
    /// The last run opened, of each scheduled frequency.
    pub(crate) opened: BTreeMap<Frequency, RunKey>,
    /// Runs whose audience is not frozen.
    pub(crate) unplanned: BTreeSet<i64>,
    /// When the ledger was last asked for what other processes left behind.
    pub(crate) polled_at: Option<Timestamp>,
    /// When to ask next whether somebody who wants it at once is owed something.
    pub(crate) immediate_at: Option<Timestamp>,
    /// Whether events were accepted since the last look.
    pub(crate) came: bool,
}

impl RunWatch {
    /// Events were accepted: look when their window has passed.
    pub(crate) fn something_came(&mut self) {
        self.came = true;
    }
}
