//! The errors of the bus, sorted by what the caller should do.

use loa_domain::{BusFact, BusReason, NotCarried, with_causes};
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

/// An error of the bus: a kind to branch on, a sentence for the log, the cause; and why, as facts, for people.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct BusError {
    /// The kind to branch on.
    pub kind: BusErrorKind,
    /// What was tried and how it ended; lower case, no full stop.
    pub what: String,
    /// What happened, in one word of a small set: for metrics, finer than `kind`, and never to branch on.
    pub cause: &'static str,
    /// Why, as facts, where they are known.
    pub reason: Option<Box<BusReason>>,
    /// Why this one message is not taken, where that is known as a fact.
    pub not_carried: Option<Box<NotCarried>>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl BusError {
    /// An error without a deeper cause.
    pub fn new(kind: BusErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), cause: kind.as_str(), reason: None, not_carried: None, source: None }
    }

    /// An error with its cause.
    pub fn caused(
        kind: BusErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            what: what.into(),
            cause: kind.as_str(),
            reason: None,
            not_carried: None,
            source: Some(source.into()),
        }
    }

    /// An error of one message: the adapter's words are the fact's.
    pub fn not_carried(self, why: NotCarried) -> Self {
        Self { not_carried: Some(Box::new(why)), ..self }
    }

    /// The same error for another message; its cause is kept as text.
    pub fn again(&self) -> Self {
        let same = match &self.source {
            Some(cause) => Self::caused(self.kind, self.what.clone(), cause.to_string()),
            None => Self::new(self.kind, self.what.clone()),
        };
        Self { reason: self.reason.clone(), not_carried: self.not_carried.clone(), ..same.because(self.cause) }
    }

    /// The same error, of which a fact is known.
    pub fn about(self, fact: BusFact) -> Self {
        self.with(BusReason::of(fact))
    }

    /// The same error, of which it is known why.
    pub fn with(self, reason: BusReason) -> Self {
        Self { reason: Some(Box::new(reason)), ..self }
    }

    /// Why, for people: facts, and what others said. Our own sentence is for the log, and is told only where nothing else is known.
    pub fn reason(&self) -> BusReason {
        let mut reason = self.reason.as_deref().cloned().unwrap_or_default();
        match &self.source {
            Some(source) if reason.said.is_empty() => reason.said = with_causes(&**source).into(),
            None if reason == BusReason::default() => reason.said = self.what.as_str().into(),
            _ => {}
        }
        reason
    }

    /// The same error with a finer word for metrics than its kind's.
    pub fn because(self, cause: &'static str) -> Self {
        Self { cause, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_facts_and_what_others_said_and_our_sentence_for_want_of_both() {
        let error = || BusError::caused(BusErrorKind::Unavailable, "cannot publish", "reset by peer");
        assert_eq!(error().reason(), BusReason::said("reset by peer"));
        let about = error().about(BusFact::ConnectionLost).reason();
        assert_eq!((about.facts, about.said.as_str()), (vec![BusFact::ConnectionLost], "reset by peer"));
        let alone = BusError::new(BusErrorKind::Unavailable, "cannot publish");
        assert_eq!(alone.reason(), BusReason::said("cannot publish"));
        assert_eq!(alone.about(BusFact::NotInTime).reason(), BusReason::of(BusFact::NotInTime));
    }
}
