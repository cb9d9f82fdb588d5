//! What subscribers open and send: the form, confirming, unsubscribing, changing.
//!
//! GET and HEAD change nothing, ever: mail scanners open every link, and some run scripts (promise 5). What changes
//! something is a POST that says what it wants, in a form of ours or as RFC 8058 has it. Tokens stand in addresses, so no
//! page of ours tells another site where it was called from, and none is kept by a cache.

mod form;
mod links;
mod subscribe;

use crate::Service;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use loa_store::{StoreError, StoreErrorKind};
use loa_worker::TokenCheck;
use std::sync::Arc;

/// The longest request body, in bytes: a form with every area of the country.
const BODY_MAX: usize = 256 * 1024;

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

/// Puts the headers on that every page of ours has. A page says itself when it may be kept.
async fn guarded(mut response: Response) -> Response {
    const HEADERS: [(header::HeaderName, &str); 4] = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Why a page could not be shown as asked.
enum Fault {
    Store(StoreError),
    Page(minijinja::Error),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<minijinja::Error> for Fault {
    fn from(error: minijinja::Error) -> Self {
        Self::Page(error)
    }
}

type Page = Result<Response, Fault>;

fn page(status: StatusCode, html: String) -> Response {
    (status, Html(html)).into_response()
}

impl IntoResponse for Fault {
    /// Plain words: a page of ours may be what failed.
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::Store(error) if error.kind == StoreErrorKind::Unavailable => {
                tracing::warn!(error = %error, "a subscriber's page could not be served: the ledger is away");
                (StatusCode::SERVICE_UNAVAILABLE, "Máy chủ đang bận. Xin thử lại sau ít phút.")
            }
            Self::Store(error) => {
                tracing::error!(error = %error, kind = ?error.kind, "a subscriber's page failed at the ledger");
                (StatusCode::INTERNAL_SERVER_ERROR, "Máy chủ gặp lỗi. Xin thử lại sau.")
            }
            Self::Page(error) => {
                tracing::error!(error = %error, "a page could not be rendered: a defect of ours");
                (StatusCode::INTERNAL_SERVER_ERROR, "Máy chủ gặp lỗi. Xin thử lại sau.")
            }
        };
        let html = format!(
            "<!doctype html><html lang=\"vi\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>Loa</title><p>{words}</p></html>"
        );
        page(status, html)
    }
}
