//! What the operators' API answers when it does not do what was asked.

use crate::OperationError;
use loa_http::Problem;
use loa_store::StoreError;

/// A ledger's error, as a problem.
pub(super) fn ledger(error: StoreError) -> Problem {
    Problem::of_ledger("digest", &error)
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Ledger(error) => ledger(error),
            OperationError::TooMany => Self::new(422, "Too many", error.to_string()).at("/areas"),
            OperationError::NoArea(_) => Self::new(422, "No such area", error.to_string()).at("/areas"),
            OperationError::Render(error) => {
                tracing::error!(error = %error, "a digest could not be rendered");
                Self::fault("the digest could not be rendered; the log says more")
            }
        }
    }
}
