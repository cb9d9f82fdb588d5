//! What axum could not read of a request, as problems.
//!
//! Handlers take `Result<Json<T>, JsonRejection>` and let the token in first: who has none is told 401,
//! whatever else is wrong with the request.

use crate::Problem;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use loa_domain::IdError;

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status().as_u16(), "The body was not understood", rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(400, "The query was not understood", rejection.body_text())
    }
}

/// An id in a path that can be none.
impl From<IdError> for Problem {
    fn from(error: IdError) -> Self {
        Self::new(400, "Not an id", error.to_string())
    }
}
