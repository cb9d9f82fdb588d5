//! A document in memory, and how it is answered: validators, coding, freshness (RFC 9110, RFC 9111).
//!
//! Bytes come in with their content type. Answers go out whole or as 304, in the coding that a reader
//! takes, each with its `ETag`. A document does not know what it is about, nor where it is cached.

use crate::error::FeedError;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use jiff::Timestamp;
use loa_domain::with_causes;
use loa_http::{Encoding, Revalidation, encoded, etag, fingerprint, http_date, negotiate, page_headers, revalidate};
use tokio::sync::OnceCell;

/// The content type of pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// A document, in each coding that anybody asked for.
///
/// Answers share its bytes; none copies them. A coding is made once, however many ask, and from then on beforehand for the
/// next version too ([`Document::following`]): what nobody takes costs no time and no memory.
pub(crate) struct Document {
    content_type: &'static str,
    link: Option<HeaderValue>,
    tag: String,
    identity: Bytes,
    coded: [OnceCell<Bytes>; 3],
}

/// How long it may be kept, and by whom it may be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Seconds.
    pub(crate) max_age: u32,
    /// Seconds, for those who keep it for others; `None`: as for all.
    pub(crate) shared_max_age: Option<u32>,
    /// Whether scripts of other sites may read it.
    pub(crate) shared_with_scripts: bool,
}

impl Document {
    /// Makes the validators of a text.
    pub(crate) fn new(content_type: &'static str, text: String) -> Self {
        let mut identity = text.into_bytes();
        identity.shrink_to_fit();
        Self::of(content_type, Bytes::from(identity))
    }

    /// As [`Self::new`], of bytes that were one's [`Self::text`].
    pub(crate) fn of(content_type: &'static str, identity: Bytes) -> Self {
        Self { content_type, link: None, tag: fingerprint([&identity[..]]), identity, coded: Default::default() }
    }

    /// As [`Self::new`], in every coding that the version before was asked for. Work for the processor: not on the request
    /// path.
    pub(crate) fn following(before: Option<&Self>, content_type: &'static str, text: String) -> std::io::Result<Self> {
        let document = Self::new(content_type, text);
        for encoding in Encoding::ALL {
            if let (Some(cell), Some(_)) = (document.cell(encoding), before.and_then(|before| before.made(encoding))) {
                // nobody else has it yet
                drop(cell.set(Bytes::from(encoded(encoding, &document.identity)?)));
            }
        }
        Ok(document)
    }

    /// The same document, whose answers say this in `Link`.
    pub(crate) fn with_link(self, link: Option<String>) -> Self {
        // addresses of ours: always a header value
        Self { link: link.and_then(|link| HeaderValue::try_from(link).ok()), ..self }
    }

    /// What it takes in memory once readers have asked for every coding, in bytes.
    pub(crate) fn cost(&self) -> usize {
        const FRAME: usize = 1_000;
        FRAME + 2 * self.identity.len()
    }

    /// Its bytes as they are.
    pub(crate) fn text(&self) -> Bytes {
        self.identity.clone()
    }

    /// The content's own mark.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    fn cell(&self, encoding: Encoding) -> Option<&OnceCell<Bytes>> {
        match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => self.coded.first(),
            Encoding::Brotli => self.coded.get(1),
            Encoding::Zstd => self.coded.get(2),
        }
    }

    fn made(&self, encoding: Encoding) -> Option<&Bytes> {
        self.cell(encoding).map_or(Some(&self.identity), OnceCell::get)
    }

    /// The bytes in a coding, made now if nobody asked for it before; identity, where that fails.
    async fn bytes(&self, encoding: Encoding) -> (Encoding, Bytes) {
        let Some(cell) = self.cell(encoding) else { return (encoding, self.identity.clone()) };
        let make = async || -> Result<Bytes, FeedError> {
            let identity = self.identity.clone();
            Ok(tokio::task::spawn_blocking(move || encoded(encoding, &identity)).await??.into())
        };
        match cell.get_or_try_init(make).await {
            Ok(bytes) => (encoding, bytes.clone()),
            Err(error) => {
                tracing::error!(error = %with_causes(&error), "a document could not be compressed; it goes out as it is");
                (Encoding::Identity, self.identity.clone())
            }
        }
    }

    /// The answer to one request and no other, with whatever status: no condition is about it (RFC 9110 §13.2.1), and nobody
    /// keeps it. A miss that a cache kept would be everybody's miss.
    pub(crate) async fn answer_as(&self, status: StatusCode, request: &HeaderMap) -> Response {
        let mut unconditional = HeaderMap::new();
        for coding in request.get_all(header::ACCEPT_ENCODING) {
            unconditional.append(header::ACCEPT_ENCODING, coding.clone());
        }
        let terms = Terms { max_age: 0, shared_max_age: None, shared_with_scripts: false };
        let mut response = self.answer(&unconditional, None, terms).await;
        *response.status_mut() = status;
        response.headers_mut().remove(header::ETAG);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The answer to a GET; axum takes the body away for a HEAD and leaves the rest.
    pub(crate) async fn answer(&self, request: &HeaderMap, last_modified: Option<Timestamp>, terms: Terms) -> Response {
        let encoding = negotiate(joined(request, header::ACCEPT_ENCODING).as_deref());
        let revalidation = revalidate(
            joined(request, header::IF_NONE_MATCH).as_deref(),
            joined(request, header::IF_MODIFIED_SINCE).as_deref(),
            &self.tag,
            last_modified,
        );
        let (encoding, bytes) = match revalidation {
            Revalidation::Full => self.bytes(encoding).await,
            Revalidation::NotModified => (encoding, Bytes::new()),
        };
        let length = bytes.len();
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        set(headers, header::ETAG, &etag(&self.tag, encoding));
        if let Some(at) = last_modified {
            set(headers, header::LAST_MODIFIED, &http_date(at));
        }
        // a reader that cannot reach us shows what it has for a day rather than an error (RFC 5861)
        let shared = terms.shared_max_age.map(|seconds| format!(", s-maxage={seconds}")).unwrap_or_default();
        let kept = format!("public, max-age={}{shared}, stale-if-error=86400", terms.max_age);
        set(headers, header::CACHE_CONTROL, &kept);
        if let Some(link) = &self.link {
            headers.insert(header::LINK, link.clone());
        }
        let opened_as = opened_as(self.content_type);
        let is_opened = opened_as.is_some() && request.get("sec-fetch-dest").is_some_and(|to| to == "document");
        let vary = if opened_as.is_some() { "Accept-Encoding, Sec-Fetch-Dest" } else { "Accept-Encoding" };
        headers.insert(header::VARY, HeaderValue::from_static(vary));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if terms.shared_with_scripts {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("ETag, Last-Modified, Content-Encoding"),
            );
        }
        if self.content_type == HTML {
            page_headers(headers, PAGE_SOURCES);
        }
        match revalidation {
            Revalidation::NotModified => *response.status_mut() = StatusCode::NOT_MODIFIED,
            Revalidation::Full => {
                let content_type = opened_as.filter(|_| is_opened).unwrap_or(self.content_type);
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
                if is_opened {
                    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(STYLED_XML));
                }
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
                if let Some(name) = encoding.name() {
                    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
                }
            }
        }
        response
    }
}

/// What a feed is called for a browser that opens it as a page (`Sec-Fetch-Dest: document`, which no feed reader sends): browsers
/// show feeds by their own type as plain text, and never look at their style. The bytes and their tag are the same.
fn opened_as(content_type: &str) -> Option<&'static str> {
    let is_shown_as_text = ["application/rss+xml", "application/atom+xml", "text/x-opml"];
    is_shown_as_text.iter().any(|kind| content_type.starts_with(kind)).then_some("application/xml; charset=utf-8")
}

/// A feed shown by a browser loads its style, and nothing else.
const STYLED_XML: &str = "default-src 'none'; style-src 'self'; frame-ancestors 'none'";

/// What a page loads: nothing, but for its own style and the one script of ours, which copies an address
/// (`templates/copy.js`, by its hash).
const PAGE_SOURCES: &str =
    "script-src 'sha256-vTqg7U/2oI9dAFni47wKKb/tCF7uYTUXr31o/uOYMKU='; style-src 'unsafe-inline'; img-src 'self' data:";

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
