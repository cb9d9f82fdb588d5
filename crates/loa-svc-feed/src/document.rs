//! A document at hand, and how it is answered: validators, coding, freshness (RFC 9110, RFC 9111).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use jiff::Timestamp;
use loa_feed::{Answer, Encoding, Representation, http_date, negotiate, revalidate};

/// The content type of pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// A document in every coding, with the headers that never change.
pub(crate) struct Document {
    content_type: &'static str,
    link: Option<HeaderValue>,
    tag: String,
    identity: Coded,
    gzip: Coded,
}

struct Coded {
    bytes: Bytes,
    etag: String,
}

/// How long it may be kept, and by whom it may be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Seconds.
    pub(crate) max_age: u32,
    /// Whether scripts of other sites may read it.
    pub(crate) shared_with_scripts: bool,
}

impl Document {
    /// Compresses a text and makes its validators. Work for the processor: not on the request path.
    pub(crate) fn new(content_type: &'static str, text: String) -> std::io::Result<Self> {
        let representation = Representation::of(text)?;
        let coded = |encoding: Encoding| Coded {
            bytes: Bytes::copy_from_slice(representation.bytes(encoding)),
            etag: representation.etag(encoding),
        };
        Ok(Self {
            content_type,
            link: None,
            identity: coded(Encoding::Identity),
            gzip: coded(Encoding::Gzip),
            tag: representation.tag().to_owned(),
        })
    }

    /// The same document, whose answers say this in `Link`.
    pub(crate) fn with_link(self, link: Option<String>) -> Self {
        // addresses of ours: always a header value
        Self { link: link.and_then(|link| HeaderValue::try_from(link).ok()), ..self }
    }

    /// The content's own mark.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// The answer to a GET; axum takes the body away for a HEAD and leaves the rest.
    pub(crate) fn answer(&self, request: &HeaderMap, last_modified: Option<Timestamp>, terms: Terms) -> Response {
        let encoding = negotiate(joined(request, header::ACCEPT_ENCODING).as_deref());
        let coded = match encoding {
            Encoding::Identity => &self.identity,
            Encoding::Gzip => &self.gzip,
        };
        let answer = revalidate(
            joined(request, header::IF_NONE_MATCH).as_deref(),
            joined(request, header::IF_MODIFIED_SINCE).as_deref(),
            &self.tag,
            last_modified,
        );
        let mut response = match answer {
            Answer::Full => Response::new(Body::from(coded.bytes.clone())),
            Answer::NotModified => Response::new(Body::empty()),
        };
        let headers = response.headers_mut();
        set(headers, header::ETAG, &coded.etag);
        if let Some(at) = last_modified {
            set(headers, header::LAST_MODIFIED, &http_date(at));
        }
        // a reader that cannot reach us shows what it has for a day rather than an error (RFC 5861)
        set(headers, header::CACHE_CONTROL, &format!("public, max-age={}, stale-if-error=86400", terms.max_age));
        if let Some(link) = &self.link {
            headers.insert(header::LINK, link.clone());
        }
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if terms.shared_with_scripts {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("ETag, Last-Modified, Content-Encoding"),
            );
        }
        if self.content_type == HTML {
            page_headers(headers);
        }
        match answer {
            Answer::NotModified => *response.status_mut() = StatusCode::NOT_MODIFIED,
            Answer::Full => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(coded.bytes.len()));
                if let Some(name) = encoding.name() {
                    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
                }
            }
        }
        response
    }
}

/// What keeps a page from doing more than showing itself: it has no script and loads nothing.
pub(crate) fn page_headers(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // hexadecimal tags, dates and numbers: always a header value
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// All lines of a header as one list (RFC 9110 §5.3); bytes that are no text become a mark that matches nothing.
fn joined(request: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<_> = request.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
