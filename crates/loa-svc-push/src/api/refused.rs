//! Refusals as answers: a [`Problem`] with its media type and headers.

use crate::OperationError;
use axum::{
    extract::rejection::{JsonRejection, QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use loa_domain::IdError;
use loa_store::StoreErrorKind;
use loa_worker::Problem;

/// A problem on its way out.
#[derive(Debug)]
pub(super) struct Refused(Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, Problem::MEDIA_TYPE)], self.0.to_json()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<OperationError> for Refused {
    fn from(error: OperationError) -> Self {
        let sentence = error.to_string();
        Self(match error {
            OperationError::Address(_) | OperationError::Unresolved { .. } => {
                Problem::new(422, "The address may not be called", sentence).at("/url")
            }
            OperationError::TooLong(_) => Problem::new(422, "Too long", sentence),
            OperationError::Exists(_) => Problem::new(409, "The endpoint exists", sentence).at("/url"),
            OperationError::NoEndpoint(_) | OperationError::NoDelivery(_) | OperationError::NoSubscription(_) => {
                Problem::new(404, "Not found", sentence)
            }
            OperationError::Final(_) => Problem::new(409, "The delivery is at its end", sentence),
            OperationError::Ledger(error) if error.kind == StoreErrorKind::Unavailable => {
                tracing::warn!(error = %error, "the push ledger is away");
                Problem::new(503, "Not available just now", "the push ledger cannot be reached just now; try again")
            }
            OperationError::Ledger(error) => {
                tracing::error!(error = %error, kind = ?error.kind, "the push ledger failed");
                Problem::new(500, "A fault of Loa", "the push ledger failed; the log says more")
            }
        })
    }
}

impl From<IdError> for Refused {
    fn from(error: IdError) -> Self {
        Self(Problem::new(400, "Not an id", error.to_string()))
    }
}

impl From<JsonRejection> for Refused {
    fn from(rejection: JsonRejection) -> Self {
        Self(Problem::new(rejection.status().as_u16(), "The body was not understood", rejection.body_text()))
    }
}

impl From<QueryRejection> for Refused {
    fn from(rejection: QueryRejection) -> Self {
        Self(Problem::new(400, "The query was not understood", rejection.body_text()))
    }
}
