//! Errors of ledgers, sorted by what the caller should do.

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
    /// The cause.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error without a deeper cause.
    pub fn new(kind: StoreErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    /// An error with its cause.
    pub fn caused(
        kind: StoreErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, what: what.into(), source: Some(source.into()) }
    }
}
