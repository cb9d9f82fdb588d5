//! What subscribers open and send: the form, confirming, unsubscribing, changing.
//!
//! GET and HEAD change nothing, ever: mail scanners open every link, and some run scripts (promise 5 of README.md). What changes
//! something is a POST that says what it wants, in a form of ours or as RFC 8058 has it. Tokens stand in addresses, so no
//! page of ours tells another site where it was called from, and none is kept by a cache.

mod form;
mod form_mails;
mod links;
mod subscribe;

use crate::{Service, pages::LANGUAGE};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use loa_http::{TokenCheck, page_headers, retry_later, status_of};
use loa_store::StoreError;
use loa_words::Notice;
use std::sync::Arc;

/// The longest request body, in bytes: a form with some 1,500 areas ticked. A wish holds fewer, and says so.
const BODY_MAX: usize = 64 * 1024;

impl Service {
    /// The pages of subscribers and the operators' API of this outlet, with absolute paths; to be merged into the process's
    /// router.
    pub fn router(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        Router::new()
            .route("/subscribe", get(subscribe::show).post(subscribe::ask))
            .route("/confirm/{token}", get(links::confirm).post(links::confirmed))
            .route("/u/{token}", get(links::unsubscribe).post(links::unsubscribed))
            .route("/manage/{token}", get(links::manage).post(links::managed))
            .layer(middleware::map_response(guarded))
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .with_state(self.clone())
            .merge(self.api(tokens))
    }
}

/// Puts the headers on that every page of ours has; its address may hold a token, which no other site is to see. A page says
/// itself when it may be kept.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    page_headers(headers, "style-src 'unsafe-inline'");
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Why a page could not be shown as asked.
enum PageFault {
    Store(StoreError),
    Template(minijinja::Error),
}

impl From<StoreError> for PageFault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<minijinja::Error> for PageFault {
    fn from(error: minijinja::Error) -> Self {
        Self::Template(error)
    }
}

type PageResult = Result<Response, PageFault>;

fn page(status: StatusCode, html: String) -> Response {
    (status, Html(html)).into_response()
}

impl IntoResponse for PageFault {
    /// Plain words: a page of ours may be what failed.
    fn into_response(self) -> Response {
        let status = match self {
            Self::Store(error) => {
                let status = status_of(error.kind);
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    tracing::warn!(error = %error, "a subscriber's page could not be served: the ledger is away");
                } else {
                    tracing::error!(error = %error, kind = ?error.kind, "a subscriber's page failed at the ledger");
                }
                status
            }
            Self::Template(error) => {
                tracing::error!(error = %error, "a page could not be rendered: a defect of ours");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let is_passing = status == StatusCode::SERVICE_UNAVAILABLE;
        let notice = if is_passing { Notice::Busy } else { Notice::Fault };
        let html = format!(
            "<!doctype html><html lang=\"vi\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>Loa</title><p>{}</p></html>",
            LANGUAGE.words().notice(notice)
        );
        let response = page(status, html);
        if is_passing { retry_later(response) } else { response }
    }
}
