//! A problem, as RFC 9457 has it: what a service answers when it does not do what was asked.
//!
//! A handler returns `Result<_, Problem>`; the status, the media type and the headers that the status
//! asks for (`WWW-Authenticate`, `Retry-After`) are made here. Knows no service's errors: those become
//! problems where they are defined.

use crate::retry_after::{RETRY_AFTER_SECONDS, set_retry_after};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use loa_domain::Scope;
use serde::Serialize;

/// A problem as RFC 9457 has it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A short, fixed summary.
    pub title: String,
    /// What, where, what to do: this time.
    pub detail: String,
    /// A JSON pointer into the request's body; absent when the fault is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong with an event, in a word for machines (`missing`, `bad-date`, …); absent where nothing is said of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// `Retry-After`, in seconds; a header, not part of the body. Always there with 503.
    #[serde(skip)]
    pub retry_after_seconds: Option<u32>,
}

impl Problem {
    /// The media type.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem about the request as a whole.
    pub fn new(status: u16, title: impl Into<String>, detail: impl Into<String>) -> Self {
        let retry_after_seconds = (status == 503).then_some(RETRY_AFTER_SECONDS);
        Self { status, title: title.into(), detail: detail.into(), pointer: None, kind: None, retry_after_seconds }
    }

    /// Something that the service needs does not answer just now: 503.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "Not available just now", detail)
    }

    /// There is no such thing: 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "Not found", detail)
    }

    /// A fault of ours: 500.
    pub fn fault(detail: impl Into<String>) -> Self {
        Self::new(500, "A fault of Loa", detail)
    }

    /// No usable token was given.
    pub fn unauthorized(scope: Scope) -> Self {
        Self::new(
            401,
            "A token is needed",
            format!(
                "send `Authorization: Bearer TOKEN` with a token of scope `{}`; `loa token create --scope {}` makes one",
                scope.as_str(),
                scope.as_str()
            ),
        )
    }

    /// The token works, but not for this.
    pub fn forbidden(scope: Scope, wanted: Scope) -> Self {
        Self::new(
            403,
            "The token does not allow this",
            format!("this token's scope is `{}`; here one of scope `{}` is needed", scope.as_str(), wanted.as_str()),
        )
    }

    /// Points into the body.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Says what is wrong with an event, in a word for machines.
    pub fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Says when to come back.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The body.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| r#"{"title":"Problem"}"#.to_owned())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, Self::MEDIA_TYPE)], self.to_json()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750 §3
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            set_retry_after(&mut response, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(problem: Problem, name: header::HeaderName) -> Option<String> {
        let response = problem.into_response();
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    #[test]
    fn a_problem_is_answered_with_its_status_its_type_and_the_headers_that_the_status_asks_for() {
        let gone = Problem::new(410, "Gone", "it was withdrawn").at("/id");
        assert_eq!(gone.to_json(), r#"{"status":410,"title":"Gone","detail":"it was withdrawn","pointer":"/id"}"#);
        assert_eq!(gone.clone().into_response().status(), StatusCode::GONE);
        assert_eq!(header(gone.clone(), header::CONTENT_TYPE).as_deref(), Some("application/problem+json"));
        assert_eq!(header(gone, header::RETRY_AFTER), None);
        let unauthorized = Problem::unauthorized(Scope::Read);
        assert_eq!(header(unauthorized, header::WWW_AUTHENTICATE).as_deref(), Some("Bearer"));
        let many = Problem::new(429, "Too many", "wait").retry_after(7);
        assert_eq!(header(many, header::RETRY_AFTER).as_deref(), Some("7"));
    }

    #[test]
    fn every_503_says_when_to_come_back_and_not_in_the_body() {
        let problem = Problem::unavailable("the ledger is away; try again");
        assert!(!problem.to_json().contains("retry"), "{}", problem.to_json());
        assert_eq!(header(problem, header::RETRY_AFTER), Some(RETRY_AFTER_SECONDS.to_string()));
    }
}
