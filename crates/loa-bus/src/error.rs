//! The errors of the bus, sorted by what the caller should do.

use loa_domain::NotCarried;
use std::error::Error;

/// What the caller should do about a [`BusError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BusErrorKind {
    /// The broker cannot be reached, the session ended, or an answer did not come in time: try again. A publish that
    /// failed like this may have arrived; publish it again under the same id.
    Unavailable,
    /// The broker answers but takes nothing for now (memory or disk alarm, queue at its limit): try
    /// again later.
    Blocked,
    /// No queue took the message, or the queue does not exist: the topology is missing. `loa migrate` makes it.
    Unroutable,
    /// The broker refuses our login or lacks a right for us: an operator must correct the
    /// configuration. Trying again fast is useless.
    Refused,
    /// The message is larger than the contract allows, or a header cannot be carried.
    Rejected,
}

impl BusErrorKind {
    /// The word used in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Blocked => "blocked",
            Self::Unroutable => "unroutable",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
        }
    }
}

/// An error of the bus: a kind to branch on, a sentence for people, the cause.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct BusError {
    /// The kind to branch on.
    pub kind: BusErrorKind,
    /// What was tried and how it ended; lower case, no full stop.
    pub what: String,
    /// What happened, in one word of a small set: for metrics, finer than `kind`, and never to branch on.
    pub cause: &'static str,
    /// Why this one message is not taken, where that is known as a fact.
    pub not_carried: Option<Box<NotCarried>>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl BusError {
    /// An error without a deeper cause.
    pub fn new(kind: BusErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), cause: kind.as_str(), not_carried: None, source: None }
    }

    /// An error with its cause.
    pub fn caused(
        kind: BusErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, what: what.into(), cause: kind.as_str(), not_carried: None, source: Some(source.into()) }
    }

    /// An error of one message: the adapter's words are the fact's.
    pub fn not_carried(self, why: NotCarried) -> Self {
        Self { not_carried: Some(Box::new(why)), ..self }
    }

    /// The same error with a finer word for metrics than its kind's.
    pub fn because(self, cause: &'static str) -> Self {
        Self { cause, ..self }
    }
}
