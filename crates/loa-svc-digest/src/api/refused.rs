//! Refusals as answers: a [`Problem`] with its media type and headers.

use crate::OperationError;
use axum::{
    extract::rejection::{JsonRejection, QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use loa_store::{StoreError, StoreErrorKind};
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

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self(match error.kind {
            StoreErrorKind::Unavailable => {
                tracing::warn!(error = %error, "the digest ledger is away");
                Problem::new(503, "Not available just now", "the digest ledger cannot be reached just now; try again")
            }
            StoreErrorKind::NotFound => Problem::new(404, "Not found", error.to_string()),
            kind => {
                tracing::error!(error = %error, ?kind, "the digest ledger failed");
                Problem::new(500, "A fault of Loa", "the digest ledger failed; the log says more")
            }
        })
    }
}

impl From<OperationError> for Refused {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Ledger(error) => error.into(),
            OperationError::TooMany => Problem::new(422, "Too many", error.to_string()).at("/areas").into(),
            OperationError::NoArea(_) => Problem::new(422, "No such area", error.to_string()).at("/areas").into(),
            OperationError::Render(error) => {
                tracing::error!(error = %error, "a digest could not be rendered");
                Problem::new(500, "A fault of Loa", "the digest could not be rendered; the log says more").into()
            }
        }
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
