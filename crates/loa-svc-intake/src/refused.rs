//! What intake's API answers when it does not do what was asked: a problem (RFC 9457), with the headers it needs.

use crate::{IntakeError, item::place};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use loa_event::{Refusal, RefusalKind};
use loa_store::StoreErrorKind;
use loa_worker::Problem;

/// After how many seconds to try again when a ledger is away.
const RETRY_AFTER_SECONDS: &str = "5";

/// A problem on its way out.
pub(crate) struct Refused(pub Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.0.to_json()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        response
    }
}

/// A refusal by the gate. `wrapper` is the member of the request's body that `data` came from: empty for the whole body.
pub(crate) fn refused(refusal: &Refusal, wrapper: &str) -> Problem {
    let (status, title) = match refusal.kind {
        RefusalKind::TooLarge => (413, "Too large"),
        RefusalKind::NotJson | RefusalKind::DuplicateKey | RefusalKind::TooDeep => (400, "The body cannot be read"),
        _ => (422, "The content is not accepted"),
    };
    let detail = match refusal.text {
        Some(_) => refusal.to_string(),
        None => refusal.sentence.clone(),
    };
    let problem = Problem::new(status, title, detail);
    problem.at(place(&refusal.pointer, wrapper))
}

/// Any error of intake, as a problem.
pub(crate) fn problem(error: &IntakeError, wrapper: &str) -> Problem {
    match error {
        IntakeError::Refused(refusal) => refused(refusal, wrapper),
        IntakeError::BadId(_) | IntakeError::Unknown(_) => Problem::new(404, "Not found", error.to_string()),
        IntakeError::NotNewer { .. } => {
            Problem::new(409, "A newer revision stands", error.to_string()).at(format!("{wrapper}/revision"))
        }
        IntakeError::Busy(_) => Problem::new(503, "Try again", error.to_string()),
        IntakeError::Ledger(cause) if cause.kind == StoreErrorKind::Unavailable => {
            tracing::warn!(error = %cause, "the ledger does not take what came in");
            Problem::new(503, "Not available just now", "nothing was stored, for the ledger does not answer; try again")
        }
        IntakeError::Ledger(cause) => {
            tracing::error!(error = %cause, kind = ?cause.kind, "the ledger refused what came in");
            Problem::new(500, "A fault of ours", "nothing was stored; the operators have been told in the log")
        }
        IntakeError::Bus(cause) => {
            tracing::warn!(error = %cause, "the bus does not take events");
            Problem::new(503, "Not available just now", "the bus does not take events just now; try again")
        }
    }
}
