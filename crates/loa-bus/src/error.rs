//! What can go wrong at the door, sorted by what the caller should do.

use std::error::Error;

/// What to do about a [`BusError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BusErrorKind {
    /// The broker cannot be reached, the session ended, or an answer did not come in time: try again. A publish that
    /// failed like this may have arrived; publish it again under the same id.
    Unavailable,
    /// The broker is there but takes nothing for now (memory or disk alarm, queue at its limit): try again later.
    Blocked,
    /// No queue took the message, or the queue does not exist: the topology is missing. `loa migrate` makes it.
    Unroutable,
    /// The broker knows us not, or forbids it: an operator must mend the configuration. Trying again fast is useless.
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

/// An error at the door: a kind to branch on, a sentence for people, the cause behind it.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct BusError {
    /// To branch on.
    pub kind: BusErrorKind,
    /// What was tried and what came of it; lower case, no full stop.
    pub what: String,
    /// What happened, in one word of a small set: for metrics, finer than `kind`, and never to branch on.
    pub cause: &'static str,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl BusError {
    /// An error without a deeper cause.
    pub fn new(kind: BusErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), cause: kind.as_str(), source: None }
    }

    /// An error with its cause.
    pub fn caused(
        kind: BusErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, what: what.into(), cause: kind.as_str(), source: Some(source.into()) }
    }

    /// The same error with a finer word for metrics than its kind's.
    pub fn because(self, cause: &'static str) -> Self {
        Self { cause, ..self }
    }
}
