//! Errors of ledgers, sorted by what the caller should do.

use loa_domain::{ServerWords, Trouble, TroubleKind, with_causes};
use std::error::Error;

/// What to do about a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The ledger cannot be reached, is busy or damaged, or its disk is full: hold the work and try again.
    Unavailable,
    /// Somebody else was first: read again, decide again.
    Conflict,
    /// The lease under which this was done has ended: the work is somebody else's now. Drop the result.
    Stale,
    /// There is no such row.
    NotFound,
    /// A row cannot be read back: names table, column and key. An operator must look.
    Corrupt,
    /// The ledger will never take this (a value out of range): a defect of the caller.
    Rejected,
}

/// An error at a ledger: a kind to branch on, a sentence for people, the cause behind it.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StoreError {
    /// To branch on.
    pub kind: StoreErrorKind,
    /// What was tried and what came of it; lower case, no full stop.
    pub what: String,
    /// What an administrator acts on, where the adapter knows it better than by `kind`, and where it lies.
    pub lies: Option<(TroubleKind, String)>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error without a deeper cause.
    pub fn new(kind: StoreErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), lies: None, source: None }
    }

    /// An error with its cause.
    pub fn caused(
        kind: StoreErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, what: what.into(), lies: None, source: Some(source.into()) }
    }

    /// The same error, of which an administrator's part is known. `place`: the file, schema or ledger; may be empty.
    pub fn lying_in(self, trouble: TroubleKind, place: impl Into<String>) -> Self {
        Self { lies: Some((trouble, place.into())), ..self }
    }

    /// The error as a fact for whoever keeps Loa running. What lies in a known place is told without our sentence, which would
    /// say the same again: only what the engine said is left.
    pub fn trouble(&self) -> Trouble {
        let kind = match (&self.lies, self.kind) {
            (Some((kind, _)), _) => *kind,
            (None, StoreErrorKind::Unavailable) => TroubleKind::LedgerAway,
            (None, StoreErrorKind::Corrupt) => TroubleKind::UnreadableRow,
            (
                None,
                StoreErrorKind::Conflict | StoreErrorKind::Stale | StoreErrorKind::NotFound | StoreErrorKind::Rejected,
            ) => TroubleKind::Defect,
        };
        let place = self.lies.as_ref().map(|(_, place)| place.clone()).unwrap_or_default();
        let detail = match (&self.source, place.is_empty()) {
            (Some(source), false) => with_causes(&**source),
            (None, false) => String::new(),
            (_, true) => with_causes(self),
        };
        Trouble { place, ..Trouble::new(kind, ServerWords::new(&detail)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_place_is_told_by_kind_and_place_and_the_engines_words() {
        let full = || StoreError::caused(StoreErrorKind::Unavailable, "could not accept: the disk is full", "code 13");
        assert_eq!(
            full().trouble(),
            Trouble::new(TroubleKind::LedgerAway, "could not accept: the disk is full: code 13")
        );
        assert_eq!(
            full().lying_in(TroubleKind::DiskFull, "/x/feed.db").trouble(),
            Trouble { place: "/x/feed.db".into(), ..Trouble::new(TroubleKind::DiskFull, "code 13") }
        );
    }

    #[test]
    fn what_no_ledger_will_ever_take_is_a_defect() {
        let error = StoreError::new(StoreErrorKind::Rejected, "a value is none that the database can keep");
        assert_eq!(error.trouble().kind, TroubleKind::Defect);
    }
}
