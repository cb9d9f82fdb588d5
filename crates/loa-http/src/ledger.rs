//! What a caller is told when a ledger did not do its part: one status for each kind of error, for the
//! API and for pages alike.
//!
//! Nothing was changed when one of these is answered: a ledger's transaction is whole or not at all.

use crate::Problem;
use axum::http::StatusCode;
use loa_domain::with_causes;
use loa_store::{StoreError, StoreErrorKind};

/// The status for an error of a ledger: 503 when the same request may succeed later, 404 when there is
/// no such row, 500 when somebody must look.
pub fn status_of(kind: StoreErrorKind) -> StatusCode {
    match kind {
        StoreErrorKind::Unavailable | StoreErrorKind::Conflict | StoreErrorKind::Stale => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        StoreErrorKind::NotFound => StatusCode::NOT_FOUND,
        StoreErrorKind::Corrupt | StoreErrorKind::Rejected => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// The problem for an error of a ledger, which is logged here. `ledger`: its name, like `digest`.
    pub fn of_ledger(ledger: &str, error: &StoreError) -> Self {
        let status = status_of(error.kind);
        match error.kind {
            StoreErrorKind::NotFound => return Self::not_found(error.to_string()),
            _ if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE => {
                tracing::error!(ledger, error = %with_causes(error), kind = ?error.kind, "a ledger failed");
            }
            _ => tracing::warn!(ledger, error = %with_causes(error), "a ledger is away"),
        }
        match error.kind {
            StoreErrorKind::Unavailable => Self::unavailable(format!(
                "the {ledger} ledger cannot be reached just now; nothing was changed; try again"
            )),
            StoreErrorKind::Conflict | StoreErrorKind::Stale => Self::unavailable(format!(
                "the {ledger} ledger is being changed by others just now; nothing was changed; try again"
            )),
            _ => Self::fault(format!("the {ledger} ledger failed; the log says more")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StoreErrorKind::{Conflict, Corrupt, NotFound, Rejected, Stale, Unavailable};

    #[test]
    fn each_kind_of_a_ledgers_error_has_one_status_and_what_may_pass_says_when_to_come_back() {
        for (kind, status) in
            [(Unavailable, 503), (Conflict, 503), (Stale, 503), (NotFound, 404), (Corrupt, 500), (Rejected, 500)]
        {
            let problem = Problem::of_ledger("digest", &StoreError::new(kind, "read a run"));
            assert_eq!((problem.status, status_of(kind).as_u16()), (status, status), "{kind:?}");
            assert_eq!(problem.retry_after_seconds.is_some(), status == 503, "{kind:?}");
        }
    }
}
