//! Facts about the installation as a whole that operators are told beside its faults ([`loa_domain::Fault`]): what is late,
//! broken or stopped, and what a trial came to.

use loa_domain::{Because, Dependency, DisableReason, EndpointId, Outlet, PauseReason, RunKey, Trouble};

/// What needs somebody. The sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// A ledger does not answer: what it knows is missing.
    LedgerAway(Outlet),
    /// The watch's ledger does not answer: how the portals are that are watched is not known.
    WatchAway,
    /// One of this process's dependencies is down.
    Down(Dependency, Trouble),
    /// The connection to the bus is not as it should be.
    Bus(Trouble),
    /// Messages that cannot be processed.
    DeadLetters {
        /// In this queue.
        queue: String,
        /// So many.
        count: u64,
    },
    /// What came in does not reach the bus.
    OutboxLate {
        /// So many events wait.
        waiting: u64,
        /// The oldest since so long.
        oldest_seconds: u64,
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

/// How the connection to the bus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Messages flow.
    Up,
    /// The first connection is being opened.
    Connecting,
    /// The bus takes nothing for now.
    Blocked,
    /// The bus does not let us in.
    Refused,
    /// There is none.
    Down,
}

impl Connection {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Up, Self::Connecting, Self::Blocked, Self::Refused, Self::Down];
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
