//! What the operators' API answers when it does not do what was asked.

use crate::OperationError;
use loa_http::Problem;

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::NoSubscription(_) => Self::not_found(error.to_string()),
            OperationError::Ledger(error) => Self::of_ledger("hub", &error),
        }
    }
}
