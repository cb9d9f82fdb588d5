//! What is answered where there is no document to give: another address, a page that says so, or "later".

use super::Readers;
use crate::{
    error::FeedError,
    names::Summaries,
    page::{
        addresses::path,
        document::{Document, HTML},
    },
};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use loa_domain::{FeedName, with_causes};
use loa_http::retry_later;

/// What to answer when there is no feed of this name, or nobody knows; `None`: there is one.
pub(super) async fn unless_known(
    readers: &Readers,
    name: &FeedName,
    typed: &str,
    request: &HeaderMap,
) -> Option<Response> {
    match readers.service.0.overviews.knows(name).await {
        Ok(true) => None,
        Ok(false) => Some(missing_feed(readers, typed, request).await),
        Err(error) => Some(away(readers, &error, request).await),
    }
}

/// Leads on, for good, to the one address of a feed's document.
pub(super) fn moved(readers: &Readers, document: &str) -> Response {
    let address = path(readers.site(), &format!("feeds/{document}"));
    let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
    if let Ok(address) = HeaderValue::from_str(&address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    let headers = response.headers_mut();
    // a day: a directory may be mended
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

pub(super) async fn missing_feed(readers: &Readers, typed: &str, request: &HeaderMap) -> Response {
    // suggestions are a kindness: without the ledger the page does without them
    let overview = readers.service.0.overviews.get().await.ok();
    let none = Summaries::new();
    let summaries = overview.as_ref().map_or(&none, |overview| &overview.summaries);
    let suggestions = readers.service.0.writer.names.suggestions(typed, summaries, readers.today());
    page(StatusCode::NOT_FOUND, readers.pages().missing_feed(&suggestions), request).await
}

pub(super) async fn away(readers: &Readers, error: &FeedError, request: &HeaderMap) -> Response {
    if error.may_pass() {
        tracing::warn!(error = %with_causes(error), "a reader could not be served");
    } else {
        tracing::error!(error = %with_causes(error), "a reader could not be served");
    }
    retry_later(page(StatusCode::SERVICE_UNAVAILABLE, readers.pages().away(), request).await)
}

/// A page made for one request.
pub(super) async fn page(status: StatusCode, text: Result<String, minijinja::Error>, request: &HeaderMap) -> Response {
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(error = %with_causes(&error), "a page could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    Document::new(HTML, text).answer_as(status, request).await
}
