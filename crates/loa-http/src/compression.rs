//! Compression of pages that are made for one request: what is public goes out in the coding that the
//! client asks for.
//!
//! Documents that are kept have their codings and validators already and are left alone. So is what is
//! not public: where a secret and what a stranger chose stand in one page, its compressed length tells
//! about the secret (BREACH).

use crate::{
    content_coding::{Encoding, negotiate},
    representation::encoded,
};
use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The longest page that is compressed, in bytes: a form with every area of the country is a third of it.
const BYTES_MAX: u64 = 1 << 20;
/// Below this it is one packet either way.
const BYTES_MIN: u64 = 1_000;

/// Compresses an answer that is a public page and has no coding and no validator yet; a middleware.
pub async fn compress_public_pages(request: Request, next: Next) -> Response {
    let accepted: Vec<_> = request.headers().get_all(header::ACCEPT_ENCODING).iter().cloned().collect();
    let mut response = next.run(request).await;
    if !may_be_compressed(response.headers()) {
        return response;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let accepted: Vec<_> = accepted.iter().filter_map(|value| value.to_str().ok()).collect();
    let encoding = negotiate((!accepted.is_empty()).then(|| accepted.join(", ")).as_deref());
    let is_worth_it =
        response.body().size_hint().exact().is_some_and(|length| (BYTES_MIN..=BYTES_MAX).contains(&length));
    match encoding.name() {
        Some(name) if is_worth_it => with_coding(response, encoding, name).await,
        _ => response,
    }
}

/// Public words of ours, made for one request.
fn may_be_compressed(headers: &HeaderMap) -> bool {
    let says = |name: header::HeaderName, what: &[&str]| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        what.iter().any(|what| value.starts_with(what))
    };
    says(header::CACHE_CONTROL, &["public"])
        && says(header::CONTENT_TYPE, &["text/html", "text/css"])
        && [header::CONTENT_ENCODING, header::ETAG, header::VARY].iter().all(|name| !headers.contains_key(name))
}

async fn with_coding(response: Response, encoding: Encoding, name: &'static str) -> Response {
    let (mut head, body) = response.into_parts();
    let bytes = match to_bytes(body, usize::try_from(BYTES_MAX).unwrap_or(usize::MAX)).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::error!(error = %error, "a page could not be read to be compressed");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let plain = bytes.clone();
    let bytes = match tokio::task::spawn_blocking(move || encoded(encoding, &plain)).await {
        Ok(Ok(coded)) => {
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            coded.into()
        }
        failed => {
            tracing::error!(failure = ?failed.map(|coded| coded.map(drop)), "a page could not be compressed; it goes out as it is");
            bytes
        }
    };
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(head, Body::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, middleware, routing::get};
    use tower::ServiceExt;

    async fn answer(headers: &'static [(&'static str, &'static str)], accepted: &str) -> Response {
        let route = get(async move || {
            let mut response = Response::new(Body::from("Tin của chính quyền. ".repeat(200)));
            for (name, value) in headers {
                response.headers_mut().insert(*name, HeaderValue::from_static(value));
            }
            response
        });
        let router = Router::new().route("/", route).layer(middleware::from_fn(compress_public_pages));
        let request = axum::http::Request::get("/").header("accept-encoding", accepted).body(Body::empty());
        router.oneshot(request.expect("a request")).await.expect("an answer")
    }

    fn coding(response: &Response) -> Option<&str> {
        response.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok())
    }

    const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
    const PUBLIC: (&str, &str) = ("cache-control", "public, max-age=60");

    #[tokio::test]
    async fn a_public_page_goes_out_in_the_coding_that_is_asked_for() {
        for (accepted, expected) in [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("", None), ("gzip;q=0", None)] {
            let response = answer(&[HTML, PUBLIC], accepted).await;
            assert_eq!(coding(&response), expected, "{accepted}");
            assert_eq!(response.headers()[header::VARY], "Accept-Encoding", "{accepted}");
            let length = response.headers().get(header::CONTENT_LENGTH).cloned();
            let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("bytes");
            assert_eq!(bytes.len() < 500, expected.is_some(), "{accepted}");
            assert!(length.is_none_or(|length| length == bytes.len().to_string()), "{accepted}");
        }
    }

    #[tokio::test]
    async fn what_is_private_or_kept_or_no_page_is_left_alone() {
        let cases: [&[(&str, &str)]; 5] = [
            &[HTML, ("cache-control", "no-store")],
            &[HTML],
            &[HTML, PUBLIC, ("etag", "\"x\"")],
            &[HTML, PUBLIC, ("content-encoding", "zstd")],
            &[PUBLIC, ("content-type", "application/rss+xml")],
        ];
        for headers in cases {
            let response = answer(headers, "gzip, br").await;
            assert!(!matches!(coding(&response), Some("br" | "gzip")), "{headers:?}");
            assert!(!response.headers().contains_key(header::VARY), "{headers:?}");
        }
    }
}
