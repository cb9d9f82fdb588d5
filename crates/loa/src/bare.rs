//! Answers that nobody wrote: an address that there is not, a method that it does not know, a
//! request that the server could not read. The framework leaves them empty or in its own English;
//! here they get a page or a problem (RFC 9457).
//!
//! What a service said itself (a page, a problem, a text with a header of its own) is left alone.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use loa_http::{Problem, RETRY_AFTER_SECONDS, SHELL_STYLE, page_headers};
use loa_words::{BarePage, Language};

/// The page; `{{ style }}` is that of all pages.
const PAGE: &str = include_str!("bare.html");

/// Dresses a bare answer. Also says `nosniff` on everything, for no answer of ours is to be guessed at; `no-store` on every miss
/// and fault, for no cache is to make it everybody's; and when to come back on every 503: the one of a request that took too
/// long says nothing by itself.
pub async fn dressed(request: Request, next: Next) -> Response {
    let (is_head, for_machines) = (request.method() == Method::HEAD, request.uri().path().starts_with("/v1/"));
    let is_hub = request.uri().path() == "/hub";
    let mut response = next.run(request).await;
    // the Recommendation wants the hub's reasons as plain text (WebSub §5.1), as it gives them; where there is no hub, it gives none
    let is_hubs = is_hub && response.status() != StatusCode::NOT_FOUND;
    if !is_hubs && is_bare(&response) {
        let status = response.status();
        let words = if for_machines { problem(status) } else { page(status) };
        let mut dressed = words.into_response();
        *dressed.status_mut() = status;
        if is_head {
            *dressed.body_mut() = axum::body::Body::empty();
        }
        keep(response.headers(), dressed.headers_mut());
        response = dressed;
    }
    response.headers_mut().entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    if response.status().is_client_error() || response.status().is_server_error() {
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(RETRY_AFTER_SECONDS.into());
    }
    response
}

/// An error with no content type, or with the text of the framework's own refusals.
fn is_bare(response: &Response) -> bool {
    let unread = matches!(
        response.status(),
        StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::INTERNAL_SERVER_ERROR
    );
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    unread && content_type.is_none_or(|found| found.starts_with("text/plain"))
}

/// What the bare answer said beside its body.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [header::ALLOW, header::CONNECTION, header::CACHE_CONTROL] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}

fn problem(status: StatusCode) -> Response {
    let detail = match status {
        StatusCode::NOT_FOUND => "there is nothing at this address",
        StatusCode::METHOD_NOT_ALLOWED => "this address does not know this method; `Allow` names those it does",
        StatusCode::REQUEST_TIMEOUT => "the request did not arrive in time; send it again",
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than this address takes",
        StatusCode::INTERNAL_SERVER_ERROR => "a fault of ours; the operators have been told in the log",
        _ => "the address cannot be read: it must be percent-encoded UTF-8",
    };
    Problem::new(status.as_u16(), status.canonical_reason().unwrap_or("Problem"), detail).into_response()
}

fn page(status: StatusCode) -> Response {
    let (title, advice) = Language::Vietnamese.words().bare_page(match status {
        StatusCode::NOT_FOUND => BarePage::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => BarePage::OnlyToLookAt,
        StatusCode::REQUEST_TIMEOUT => BarePage::TooSlow,
        StatusCode::PAYLOAD_TOO_LARGE => BarePage::TooLarge,
        StatusCode::INTERNAL_SERVER_ERROR => BarePage::Fault,
        _ => BarePage::Unreadable,
    });
    // neither holds a character that HTML would take for its own
    let html = PAGE.replace("{{ style }}", SHELL_STYLE).replace("{{ title }}", title).replace("{{ advice }}", advice);
    let mut response = Html(html).into_response();
    page_headers(response.headers_mut(), "style-src 'unsafe-inline'");
    response
}
