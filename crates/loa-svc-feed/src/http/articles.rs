//! `/a/{article}`: what became of an article.

use super::{
    Readers,
    instead::{away, page},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use loa_domain::{ArticleKey, shown_until};
use url::Url;

/// What became of an article: on to it while it stands, 410 when it was withdrawn. Leads on to its portal's own host only: an
/// editor may name any address, and nobody is to be sent elsewhere under the site's name. Such an address is shown instead.
pub(super) async fn article(State(readers): State<Readers>, Path(id): Path<String>, request: HeaderMap) -> Response {
    let Ok(article) = id.parse::<ArticleKey>() else {
        return page(StatusCode::NOT_FOUND, readers.pages().missing_article(), &request).await;
    };
    let writer = &readers.service.0.writer;
    match writer.ledger.standing(&article).await {
        Ok(Some(Ok(entry))) if entry.content.published_at() < shown_until(writer.world.now()) => {
            let url = entry.content.url();
            let portals = readers.service.0.portals.list();
            let address = match article.portal() {
                None => Some(readers.service.0.portal.clone()),
                slug => portals.of_key(slug.as_ref()).map(|portal| portal.url.clone()),
            };
            let own = Url::parse(&entry.source).ok().into_iter().chain(address);
            if !own.into_iter().any(|own| is_of_portal(url, &own)) {
                return page(StatusCode::OK, readers.pages().elsewhere(&entry.content), &request).await;
            }
            let mut response = Redirect::to(url.as_str()).into_response();
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
            response
        }
        Ok(Some(Err(stone))) => page(StatusCode::GONE, readers.pages().gone(stone.at, &stone.reason), &request).await,
        // what is dated in the future is unknown until its time
        Ok(Some(Ok(_)) | None) => page(StatusCode::NOT_FOUND, readers.pages().missing_article(), &request).await,
        Err(error) => away(&readers, &error.into(), &request).await,
    }
}

/// Whether an address is the portal's own, which is at `portal` (its address in the settings, or the `source` of its events): of
/// the same host, with or without `www.`, or of one below it.
fn is_of_portal(url: &Url, portal: &Url) -> bool {
    let plain = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    let Some(portal) = portal.host_str().map(plain) else { return false };
    let host = url.host_str().map(plain).unwrap_or_default();
    // a name of one word is a machine's, and whatever stands below it another's
    let is_below = || portal.contains('.') && host.strip_suffix(&portal).is_some_and(|below| below.ends_with('.'));
    url.username().is_empty() && url.password().is_none() && (host == portal || is_below())
}
