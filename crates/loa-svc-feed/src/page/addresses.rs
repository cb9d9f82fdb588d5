//! The addresses of our own pages, as paths: without host, so that pages work wherever they are reached.
//!
//! Pure. What stands at an address is not known here.

use loa_domain::{ArticleKey, FeedName};
use loa_feed::Site;
use url::form_urlencoded;

/// A path on this site: without host, so that pages work wherever they are reached.
pub(crate) fn path(site: &Site, rest: &str) -> String {
    format!("{}/{rest}", site.base.path().trim_end_matches('/'))
}

/// Where an article accounts for itself: its page when it stands, a notice when it is gone.
pub(crate) fn article_path(site: &Site, article: &ArticleKey) -> String {
    let mut url = site.base.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty().push("a").push(article.as_str());
        }
        Err(()) => return path(site, "feeds"),
    }
    url.path().to_owned()
}

/// Where a feed is put together with others; empty for `all`, which has everything.
pub(crate) fn combine_path(site: &Site, name: &FeedName) -> String {
    match name {
        FeedName::All => String::new(),
        FeedName::Combined(combination) => picks_path(site, &combination.parts()),
        part => picks_path(site, std::slice::from_ref(part)),
    }
}

/// A page of what was looked for.
pub(crate) fn found_path(site: &Site, text: &str, picks: &[FeedName], page: u32) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("q", text);
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    // a `+` in a name parts it: only parts are picked
    query.extend_pairs(picks.iter().map(|name| ("pick", name.to_string())));
    format!("{}?{}#ket-qua", path(site, "feeds"), query.finish())
}

/// Where these are picked.
pub(crate) fn picks_path(site: &Site, picks: &[FeedName]) -> String {
    let picks: Vec<String> = picks.iter().map(|name| format!("pick={name}")).collect();
    format!("{}?{}#tu-chon", path(site, "feeds"), picks.join("&"))
}
