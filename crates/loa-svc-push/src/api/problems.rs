//! What the operators' API answers when it does not do what was asked.

use crate::OperationError;
use loa_http::Problem;

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        let sentence = error.to_string();
        match error {
            OperationError::Address(_) | OperationError::Unresolved { .. } => {
                Self::new(422, "The address may not be called", sentence).at("/url")
            }
            OperationError::TooLong(_) => Self::new(422, "Too long", sentence),
            OperationError::Exists(_) => Self::new(409, "The endpoint exists", sentence).at("/url"),
            OperationError::NoEndpoint(_) | OperationError::NoDelivery(_) => Self::not_found(sentence),
            OperationError::Final(_) => Self::new(409, "The delivery is at its end", sentence),
            OperationError::Ledger(error) => Self::of_ledger("push", &error),
        }
    }
}
