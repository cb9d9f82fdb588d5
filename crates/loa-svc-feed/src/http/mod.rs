//! The addresses of the feed outlet: bytes from the keepers to readers.
//!
//! Looking changes nothing: there is no other method than GET and HEAD. `asking` answers searches,
//! `articles` leads on to articles, `instead` is what is answered where there is nothing to give,
//! `throttle` asks those to wait who take the same document in full again and again. It is the
//! topmost room: it knows the service, and nothing of how anything is written or stored.

mod articles;
mod asking;
mod instead;
mod throttle;

use crate::{
    error::FeedError,
    keep::writer::{ArchiveDocument, ArchiveKey},
    page::{
        addresses::path,
        document::{Document, Terms},
        pages::Pages,
    },
    service::Service,
};
use articles::article;
use asking::{Reply, reply};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use instead::{away, missing_feed, moved, page, unless_known};
use jiff::civil::Date;
use loa_domain::FeedName;
use loa_feed::{ArchiveName, Format, Site};
use loa_http::from_own_page;
use std::sync::Arc;
use throttle::{CountedRequest, Throttle};

/// How long a page may be kept, in seconds: people press "reload" and expect news.
const PAGE_MAX_AGE: u32 = 60;
/// How long the document of a closed month may be kept, in seconds. A late edit or a withdrawal still changes it, so whoever
/// keeps it for others (a cache in front) asks as often as for a feed.
const CLOSED_MAX_AGE: u32 = 86_400;
/// How long the document of another month may be kept, in seconds: what falls out of the feed must be found here.
const OPEN_MAX_AGE: u32 = 60;

const PAGE_TERMS: Terms = Terms { max_age: PAGE_MAX_AGE, shared_max_age: None, shared_with_scripts: false };

/// What answers readers.
#[derive(Clone)]
struct Readers {
    service: Service,
    throttle: Arc<Throttle>,
}

impl Service {
    /// `/feeds`, `/feeds/{feed}` as page, `.rss`, `.atom` and `.json`, `/feeds/{feed}/{yyyy-mm}` in the same forms,
    /// `/feeds.opml`, `/feeds.css`, `/a/{article}`. Each router counts full responses for itself.
    pub fn router(&self) -> Router {
        let throttle = Throttle::new(self.0.full_responses_max, self.0.writer.world.bytes());
        Router::new()
            .route("/feeds", get(feeds))
            .route(
                "/feeds/",
                get(async |State(readers): State<Readers>| Redirect::permanent(&path(readers.site(), "feeds"))),
            )
            .route("/feeds.opml", open(get(opml)))
            .route("/feeds.css", get(stylesheet))
            .route("/feeds/{feed}", open(get(feed)))
            .route("/feeds/{feed}/{archive}", open(get(archive)))
            .route("/a/{*article}", get(article))
            .with_state(Readers { service: self.clone(), throttle: Arc::new(throttle) })
    }
}

impl Readers {
    fn site(&self) -> &Site {
        &self.service.0.writer.site
    }

    fn pages(&self) -> &Pages {
        &self.service.0.writer.pages
    }

    fn today(&self) -> Date {
        let writer = &self.service.0.writer;
        writer.names.day(writer.now())
    }

    /// The name under which a feed goes on.
    fn since(&self, name: &FeedName) -> FeedName {
        self.service.0.writer.names.since(name, self.today())
    }

    fn terms(&self, format: Option<Format>) -> Terms {
        if format.is_some() { self.feed_terms() } else { PAGE_TERMS }
    }

    fn feed_terms(&self) -> Terms {
        Terms { max_age: self.site().ttl_minutes * 60, shared_max_age: None, shared_with_scripts: true }
    }

    fn archive_terms(&self, archive: &ArchiveDocument, format: Option<Format>) -> Terms {
        let now = self.service.0.writer.now();
        // a page is for people: what was withdrawn is to be gone when they look again
        let is_closed = format.is_some() && archive.closes_at.is_some_and(|at| at <= now);
        Terms {
            max_age: if is_closed { CLOSED_MAX_AGE } else { OPEN_MAX_AGE },
            shared_max_age: is_closed.then_some(self.site().ttl_minutes * 60),
            shared_with_scripts: format.is_some(),
        }
    }

    /// A document's answer, or a request to wait. Pages are exempt: they are for people, who press "reload".
    fn throttled(&self, format: Option<Format>, request: &CountedRequest, answer: Response) -> Response {
        match format {
            Some(_) => self.throttle.throttled(request, answer, self.service.0.writer.now()),
            None => answer,
        }
    }
}

/// Lets scripts of other sites ask whether they may send conditional requests (CORS preflight); changes nothing.
fn open(router: MethodRouter<Readers>) -> MethodRouter<Readers> {
    router.options(async || {
        [
            (header::ALLOW, "GET, HEAD, OPTIONS"),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "If-None-Match, If-Modified-Since"),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ]
    })
}

async fn feeds(State(readers): State<Readers>, RawQuery(query): RawQuery, request: HeaderMap) -> Response {
    match reply(&readers.service, query.as_deref().unwrap_or_default(), from_own_page(&request)).await {
        Ok(Reply::Plain(overview)) => overview.page.answer(&request, overview.last_modified, PAGE_TERMS).await,
        Ok(Reply::Html(text)) => page(StatusCode::OK, Ok(text), &request).await,
        Ok(Reply::Feed(name)) => Redirect::to(&path(readers.site(), &format!("feeds/{name}"))).into_response(),
        Err(error) => away(&readers, &error, &request).await,
    }
}

/// What makes a feed readable that is opened in a browser.
async fn stylesheet(request: HeaderMap) -> Response {
    let terms = Terms { max_age: 86_400, shared_max_age: None, shared_with_scripts: false };
    let style = include_str!("../page/templates/feeds.css").to_owned();
    Document::new("text/css; charset=utf-8", style).answer(&request, None, terms).await
}

async fn opml(State(readers): State<Readers>, counted: CountedRequest, request: HeaderMap) -> Response {
    match readers.service.0.overviews.get().await {
        Ok(overview) => {
            let answer = overview.opml.answer(&request, overview.last_modified, readers.feed_terms()).await;
            readers.throttle.throttled(&counted, answer, readers.service.0.writer.now())
        }
        Err(error) => away(&readers, &error, &request).await,
    }
}

async fn feed(
    State(readers): State<Readers>,
    Path(file): Path<String>,
    counted: CountedRequest,
    request: HeaderMap,
) -> Response {
    let (stem, format) = match file.rsplit_once('.') {
        None => (file.as_str(), None),
        Some((stem, extension)) => match Format::parse(extension) {
            Some(format) => (stem, Some(format)),
            None => return missing_feed(&readers, stem, &request).await,
        },
    };
    let Some(name) = FeedName::read(stem) else { return missing_feed(&readers, stem, &request).await };
    if let Some(response) = unless_known(&readers, &name, stem, &request).await {
        return response;
    }
    let response = match readers.since(&name) {
        address if address.to_string() != stem => moved(&readers, &format!("{address}{}", extension(format))),
        name => match document(&readers, name, format, &request).await {
            Ok(answer) => answer,
            Err(error) => away(&readers, &error, &request).await,
        },
    };
    let response = readers.throttled(format, &counted, response);
    count(format.map_or("html", Format::extension), &response);
    response
}

/// A feed or a combination in one form; `None` is the page.
async fn document(
    readers: &Readers,
    name: FeedName,
    format: Option<Format>,
    request: &HeaderMap,
) -> Result<Response, FeedError> {
    let (outlet, terms) = (&readers.service.0, readers.terms(format));
    if let FeedName::Combined(combination) = name {
        let combined = outlet.combinations.get(&(combination, format)).await?;
        return Ok(combined.document.answer(request, outlet.combinations.last_modified(&combined), terms).await);
    }
    let feed = outlet.feeds.get(&name).await?;
    let document = format.map_or(&feed.page, |format| feed.document(format));
    Ok(document.answer(request, feed.last_modified, terms).await)
}

/// A month of a feed, or a part of it.
async fn archive(
    State(readers): State<Readers>,
    Path((feed, file)): Path<(String, String)>,
    counted: CountedRequest,
    request: HeaderMap,
) -> Response {
    let Some(key) = archive_key(&feed, &file) else { return missing_feed(&readers, &feed, &request).await };
    let (name, archive, format) = &key;
    if let Some(response) = unless_known(&readers, name, &feed, &request).await {
        return response;
    }
    let since = readers.since(name);
    if since != *name {
        return moved(&readers, &format!("{since}/{archive}{}", extension(*format)));
    }
    let response = match readers.service.0.archives.get(&key).await {
        Ok(Some(archive)) => {
            let terms = readers.archive_terms(&archive, *format);
            let answer = archive.document.answer(&request, archive.last_modified, terms).await;
            readers.throttled(*format, &counted, answer)
        }
        Ok(None) => missing_feed(&readers, &feed, &request).await,
        Err(error) => away(&readers, &error, &request).await,
    };
    count("archive", &response);
    response
}

/// Reads `area-x` and `2025-07.atom`.
fn archive_key(feed: &str, file: &str) -> Option<ArchiveKey> {
    let (stem, format) = match file.rsplit_once('.') {
        Some((stem, extension)) => (stem, Some(Format::parse(extension)?)),
        None => (file, None),
    };
    // a combination has none
    let name = FeedName::parse(feed).filter(|name| !matches!(name, FeedName::Combined(_)))?;
    Some((name, ArchiveName::parse(stem)?, format))
}

fn extension(format: Option<Format>) -> String {
    format.map(|format| format!(".{}", format.extension())).unwrap_or_default()
}

fn count(form: &'static str, response: &Response) {
    let status = response.status().as_str().to_owned();
    metrics::counter!("loa_feed_requests_total", "format" => form, "status" => status).increment(1);
}
