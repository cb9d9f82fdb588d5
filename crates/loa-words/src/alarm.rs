//! Facts about the installation as a whole that operators are told: what is late, broken or stopped, and what a trial came to.

use loa_domain::{Because, DisableReason, EndpointId, Outlet, PauseReason, RunKey, ServerWords};

/// What needs somebody. The sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// A ledger does not answer: what it knows is missing.
    LedgerAway(Outlet),
    /// This process has not reached one of its dependencies.
    NotConnected(String),
    /// Something at the broker (a queue, the policies on it) is not as it should be.
    TopologyDiffers(String),
    /// The bus takes nothing just now (memory or disk), in its own words.
    BusBlocked(ServerWords),
    /// The bus does not let us in.
    BusRefuses(ServerWords),
    /// The bus cannot be reached.
    BusDown(ServerWords),
    /// Messages that cannot be processed.
    DeadLetters {
        /// In this queue.
        queue: String,
        /// So many.
        count: u64,
    },
    /// Messages that no queue took: no outlet has them.
    Unrouted {
        /// So many.
        count: u64,
    },
    /// Events that the bus will never take as it is.
    SetAside {
        /// So many.
        count: u64,
        /// The oldest since so long.
        seconds: u64,
        /// The article of one of them.
        article: String,
        /// What the bus said.
        words: ServerWords,
    },
    /// What came in does not reach the bus.
    OutboxLate {
        /// So many events wait.
        waiting: u64,
        /// The oldest since so long.
        oldest_seconds: u64,
    },
    /// Events passed an outlet's queue, and the outlet has not seen them.
    NotReceived {
        /// Which outlet.
        outlet: Outlet,
        /// So many.
        count: u64,
        /// Or more: not all were counted.
        or_more: bool,
        /// The oldest since so long.
        seconds: u64,
    },
    /// Events wait in an outlet's queue for longer than they should.
    Late {
        /// Which outlet.
        outlet: Outlet,
        /// So many.
        count: u64,
        /// Or more: not all were counted.
        or_more: bool,
        /// The oldest since so long.
        seconds: u64,
    },
    /// Nobody has asked this outlet what it has seen.
    CompletenessUnknown(Outlet),
    /// Heartbeats do not come through a binding.
    BindingSilent {
        /// Of this queue.
        queue: String,
        /// Which; empty: any of them.
        binding: String,
        /// Since so long; `None`: nothing ever did.
        seconds: Option<u64>,
    },
    /// Heartbeats of a queue come from the future: the clocks of two machines differ.
    FromTheFuture {
        /// Of this queue.
        queue: String,
        /// So far.
        seconds: u64,
    },
    /// Another installation publishes to this broker's vhost.
    OtherInstallation {
        /// Its id.
        installation: String,
        /// Its machine.
        host: String,
        /// Since so long.
        seconds: u64,
    },
    /// A digest run is stopped.
    RunPaused {
        /// Which.
        run: RunKey,
        /// Its number.
        id: i64,
        /// So many mails wait.
        waiting: u64,
        /// Why.
        why: Because<PauseReason>,
    },
    /// A run's account does not balance: a defect of ours.
    RunUnbalanced(RunKey),
    /// Deliveries were given up.
    DeliveriesFailed {
        /// So many.
        count: usize,
        /// Or more: not all were counted.
        or_more: bool,
    },
    /// An endpoint gets nothing.
    EndpointDisabled {
        /// Which.
        endpoint: EndpointId,
        /// Why.
        reason: DisableReason,
        /// What the operator noted.
        note: String,
    },
}

/// What a test webhook came to, beyond its own answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// It was taken.
    Taken,
    /// A delivery with this answer would be tried again.
    WouldRetry,
    /// A delivery with this answer would be given up.
    WouldGiveUp,
    /// A delivery with this answer would disable the endpoint.
    WouldDisable,
}
