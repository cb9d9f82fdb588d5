//! The addresses of the feed outlet. Looking changes nothing: there is no other method than GET and HEAD.

use crate::{
    Service,
    asking::Reply,
    combining::Combined,
    document::{Document, HTML, Terms},
    page_models::path,
    publishing::{FeedError, chain},
    repeats::Asking,
    service::Inner,
    succession::day,
};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use loa_domain::{ArticleId, FeedName};
use loa_feed::{ArchiveName, Format};
use std::collections::BTreeMap;

/// How long a page may be kept, in seconds: people press "reload" and expect news.
const PAGE_MAX_AGE: u32 = 60;
/// When to come back while the ledger is away, in seconds.
const RETRY_AFTER: &str = "30";

impl Service {
    /// `/feeds`, `/feeds/{feed}` as page, `.rss`, `.atom` and `.json`, `/feeds/{feed}/{yyyy-mm}` in the same forms,
    /// `/feeds.opml`, `/feeds.css`, `/a/{article}`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/feeds", get(feeds))
            .route(
                "/feeds/",
                get(async |State(service): State<Self>| Redirect::permanent(&path(&service.0.site, "feeds"))),
            )
            .route("/feeds.opml", open(get(opml)))
            .route("/feeds.css", get(stylesheet))
            .route("/feeds/{feed}", open(get(feed)))
            .route("/feeds/{feed}/{archive}", open(get(archive)))
            .route("/a/{*article}", get(article))
            .with_state(self.clone())
    }

    fn terms(&self, format: Option<Format>) -> Terms {
        if format.is_some() { self.feed_terms() } else { PAGE_TERMS }
    }

    fn feed_terms(&self) -> Terms {
        Terms { max_age: self.0.site.ttl_minutes * 60, shared_max_age: None, shared_with_scripts: true }
    }
}

const PAGE_TERMS: Terms = Terms { max_age: PAGE_MAX_AGE, shared_max_age: None, shared_with_scripts: false };

/// Lets scripts of other sites ask whether they may send conditional requests (CORS preflight); changes nothing.
fn open(router: MethodRouter<Service>) -> MethodRouter<Service> {
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

async fn feeds(State(service): State<Service>, RawQuery(query): RawQuery, request: HeaderMap) -> Response {
    match service.reply(query.as_deref().unwrap_or_default()).await {
        Ok(Reply::Plain(overview)) => overview.page.answer(&request, overview.last_modified, PAGE_TERMS).await,
        Ok(Reply::Page(text)) => page(StatusCode::OK, Ok(text), &request).await,
        Ok(Reply::Feed(name)) => Redirect::to(&path(&service.0.site, &format!("feeds/{name}"))).into_response(),
        Err(error) => away(&service, &error, &request).await,
    }
}

/// What makes a feed readable that is opened in a browser.
async fn stylesheet(request: HeaderMap) -> Response {
    let terms = Terms { max_age: 86_400, shared_max_age: None, shared_with_scripts: false };
    let style = include_str!("templates/feeds.css").to_owned();
    Document::new("text/css; charset=utf-8", style).answer(&request, None, terms).await
}

async fn opml(State(service): State<Service>, asking: Asking, request: HeaderMap) -> Response {
    match service.overview().await {
        Ok(overview) => {
            let answer = overview.opml.answer(&request, overview.last_modified, service.feed_terms()).await;
            service.0.spared(&asking, answer)
        }
        Err(error) => away(&service, &error, &request).await,
    }
}

async fn feed(
    State(service): State<Service>,
    Path(file): Path<String>,
    asking: Asking,
    request: HeaderMap,
) -> Response {
    let (stem, format) = match file.rsplit_once('.') {
        None => (file.as_str(), None),
        Some((stem, extension)) => match Format::parse(extension) {
            Some(format) => (stem, Some(format)),
            None => return missing_feed(&service, stem, &request).await,
        },
    };
    let Some(name) = FeedName::read(stem) else { return missing_feed(&service, stem, &request).await };
    match service.exists(&name).await {
        Ok(true) => {}
        Ok(false) => return missing_feed(&service, stem, &request).await,
        Err(error) => return away(&service, &error, &request).await,
    }
    let form = format.map_or("html", Format::extension);
    let response = match service.0.names.since(&name, day(service.0.world.now())) {
        address if address.to_string() != stem => {
            let form = format.map(|format| format!(".{}", format.extension())).unwrap_or_default();
            moved(&service, &format!("{address}{form}"))
        }
        FeedName::Combined(combination) => match service.combined(&combination, format).await {
            Ok(Combined { document, dated }) => {
                let last_modified = dated.and_then(|dated| dated.told(&service.0.form_date, service.0.world.now()));
                document.answer(&request, last_modified, service.terms(format)).await
            }
            Err(error) => away(&service, &error, &request).await,
        },
        name => match service.snapshot(&name).await {
            Ok(snapshot) => {
                let document = format.map_or(&snapshot.page, |format| snapshot.document(format));
                document.answer(&request, snapshot.last_modified, service.terms(format)).await
            }
            Err(error) => away(&service, &error, &request).await,
        },
    };
    // pages are for people, who press "reload"
    let response = if format.is_some() { service.0.spared(&asking, response) } else { response };
    metrics::counter!("loa_feed_requests_total", "format" => form, "status" => response.status().as_str().to_owned())
        .increment(1);
    response
}

/// A month of a feed, or a part of it.
async fn archive(
    State(service): State<Service>,
    Path((feed, file)): Path<(String, String)>,
    asking: Asking,
    request: HeaderMap,
) -> Response {
    let (stem, extension) = file.rsplit_once('.').map_or((file.as_str(), None), |(stem, ext)| (stem, Some(ext)));
    let document = ArchiveName::parse(stem).and_then(|archive| {
        let format = match extension {
            Some(extension) => Some(Format::parse(extension)?),
            None => None,
        };
        // a combination has none
        let name = FeedName::parse(&feed).filter(|name| !matches!(name, FeedName::Combined(_)))?;
        Some((name, archive, format))
    });
    let Some((name, archive, format)) = document else { return missing_feed(&service, &feed, &request).await };
    match service.exists(&name).await {
        Ok(true) => {}
        Ok(false) => return missing_feed(&service, &feed, &request).await,
        Err(error) => return away(&service, &error, &request).await,
    }
    let since = service.0.names.since(&name, day(service.0.world.now()));
    if since != name {
        let form = format.map(|format| format!(".{}", format.extension())).unwrap_or_default();
        return moved(&service, &format!("{since}/{archive}{form}"));
    }
    let response = match service.archive(&name, archive, format).await {
        Ok(Some(archive)) => {
            let terms = service.archive_terms(&archive, format);
            let answer = archive.document.answer(&request, archive.last_modified, terms).await;
            // pages are for people, who press "reload"
            if format.is_some() { service.0.spared(&asking, answer) } else { answer }
        }
        Ok(None) => missing_feed(&service, &feed, &request).await,
        Err(error) => away(&service, &error, &request).await,
    };
    metrics::counter!("loa_feed_requests_total", "format" => "archive", "status" => response.status().as_str().to_owned())
        .increment(1);
    response
}

impl Inner {
    fn spared(&self, asking: &Asking, answer: Response) -> Response {
        self.repeats.spared(asking, answer, self.world.now())
    }
}

/// What became of an article: on to it while it stands, 410 when it was withdrawn.
async fn article(State(service): State<Service>, Path(id): Path<String>, request: HeaderMap) -> Response {
    let Ok(article) = ArticleId::new(id) else {
        return page(StatusCode::NOT_FOUND, service.0.pages.missing_article(), &request).await;
    };
    match service.0.ledger.standing(&article).await {
        Ok(Some(Ok(entry))) => {
            let mut response = Redirect::to(entry.content.url().as_str()).into_response();
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
            response
        }
        Ok(Some(Err(stone))) => page(StatusCode::GONE, service.0.pages.gone(stone.at, &stone.reason), &request).await,
        Ok(None) => page(StatusCode::NOT_FOUND, service.0.pages.missing_article(), &request).await,
        Err(error) => away(&service, &error.into(), &request).await,
    }
}

/// Leads on, for good, to the one address of a feed's document.
fn moved(service: &Service, document: &str) -> Response {
    let address = path(&service.0.site, &format!("feeds/{document}"));
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

async fn missing_feed(service: &Service, typed: &str, request: &HeaderMap) -> Response {
    // suggestions are a kindness: without the ledger the page does without them
    let overview = service.overview().await.ok();
    let none = BTreeMap::new();
    let summaries = overview.as_ref().map_or(&none, |overview| &overview.summaries);
    let suggestions = service.0.names.suggestions(typed, summaries, day(service.0.world.now()));
    page(StatusCode::NOT_FOUND, service.0.pages.missing_feed(typed, &suggestions), request).await
}

async fn away(service: &Service, error: &FeedError, request: &HeaderMap) -> Response {
    if error.may_pass() {
        tracing::warn!(error = %chain(error), "a reader could not be served");
    } else {
        tracing::error!(error = %chain(error), "a reader could not be served");
    }
    let mut response = page(StatusCode::SERVICE_UNAVAILABLE, service.0.pages.away(), request).await;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A page made for one request.
async fn page(status: StatusCode, text: Result<String, minijinja::Error>, request: &HeaderMap) -> Response {
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(error = %chain(&error), "a page could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    Document::new(HTML, text).answer_as(status, request, PAGE_TERMS).await
}
