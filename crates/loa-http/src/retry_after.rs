//! `Retry-After` (RFC 9110 §10.2.3) on every 503: one policy, for the API and for pages alike.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

/// When to come back after a 503, in seconds. A busy ledger answers again within seconds, a database
/// that is restarted within a minute; who asks sooner only adds to its load.
pub const RETRY_AFTER_SECONDS: u32 = 30;

/// Makes an answer a 503 that says when to come back, and that nobody keeps.
pub fn retry_later(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_retry_after(&mut response, RETRY_AFTER_SECONDS);
    response
}

pub(crate) fn set_retry_after(response: &mut Response, seconds: u32) {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    #[test]
    fn a_page_that_cannot_be_shown_now_is_kept_by_nobody() {
        let mut page = "away".into_response();
        page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        let page = retry_later(page);
        assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(page.headers()[header::RETRY_AFTER], "30");
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-store");
    }
}
