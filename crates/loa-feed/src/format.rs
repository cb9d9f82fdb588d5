//! The three formats: their addresses and media types.

use crate::{ArchiveName, Feed, Site};
use jiff::Timestamp;

/// A feed format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// RSS 2.0.
    Rss,
    /// Atom 1.0 (RFC 4287).
    Atom,
    /// JSON Feed 1.1.
    Json,
}

impl Format {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// What stands behind the feed's name in its address, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Json => "json",
        }
    }

    /// Reads [`Self::extension`] back.
    pub fn parse(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }

    /// The `type` of an autodiscovery link. No parameters: readers compare it byte by byte.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }

    /// The `Content-Type` it is served with. JSON has no charset parameter (RFC 8259 §11).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }
}

/// A writer failed. Nothing in an entry can cause it; it is a defect.
#[derive(Debug, thiserror::Error)]
#[error("the feed could not be written as {format}")]
pub struct RenderError {
    pub(crate) format: &'static str,
    #[source]
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}

impl RenderError {
    pub(crate) fn new(format: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { format, source: source.into() }
    }
}

/// An instant for Atom, JSON Feed and `dcterms`: `2023-11-16T01:02:22Z` (RFC 3339, whole seconds), in UTC. Readers that know
/// no offset, or lose it behind a fraction, would show another time than that of the portal.
pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What stands before the root element of an XML document of ours. The style is for people who open a feed in a browser; it
/// is named without host, so that it is found wherever the feed is reached.
pub(crate) fn prolog(site: &Site) -> String {
    let style = format!("{}/feeds.css", site.base.path().trim_end_matches('/')).replace('&', "&amp;");
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?xml-stylesheet type=\"text/css\" href=\"{style}\"?>\n")
}

/// The address of a document in a format: what `self` links say, byte for byte.
pub(crate) fn self_url(site: &Site, feed: &Feed, format: Format) -> String {
    match feed.position().archive {
        None => current_url(site, feed, format),
        Some(archive) => archive_url(site, feed, archive, format),
    }
}

/// The address of what readers subscribe to.
pub(crate) fn current_url(site: &Site, feed: &Feed, format: Format) -> String {
    site.url(&format!("feeds/{}.{}", feed.head().name, format.extension()))
}

/// The address of one of a feed's archive documents.
pub(crate) fn archive_url(site: &Site, feed: &Feed, archive: ArchiveName, format: Format) -> String {
    site.url(&format!("feeds/{}/{archive}.{}", feed.head().name, format.extension()))
}

/// The links from one document of a feed to the others (RFC 5005 §4): relation and address.
pub(crate) fn neighbours(site: &Site, feed: &Feed, format: Format) -> Vec<(&'static str, String)> {
    let position = feed.position();
    let link = |rel, name: Option<ArchiveName>| name.map(|name| (rel, archive_url(site, feed, name, format)));
    let mut links: Vec<_> =
        [link("prev-archive", position.previous), link("next-archive", position.next)].into_iter().flatten().collect();
    // the archive that is all there is has no other document beside it (RFC 5005 §2)
    if position.archive.is_some() && !position.is_complete() {
        links.push(("current", current_url(site, feed, format)));
    }
    links
}

/// What RFC 5005 has a document say of itself, by element name: `archive` (§4), and `complete` (§2) when it is the only one,
/// so that nobody looks for more.
pub(crate) fn history(feed: &Feed) -> impl Iterator<Item = &'static str> {
    let position = feed.position();
    let archive = position.archive.map(|_| "archive");
    archive.into_iter().chain(position.is_complete().then_some("complete"))
}

/// The hub that a document names: archives are no topics.
pub(crate) fn hub<'a>(site: &'a Site, feed: &Feed) -> Option<&'a url::Url> {
    site.hub.as_ref().filter(|_| feed.position().archive.is_none())
}

/// The namespace of RFC 5005.
pub(crate) const HISTORY: &str = "http://purl.org/syndication/history/1.0";

/// What an HTTP answer with this document says in `Link` (WebSub §4: where its hub is, and its one address); `None` while
/// there is no hub.
pub fn discovery_link(site: &Site, feed: &Feed, format: Format) -> Option<String> {
    let hub = hub(site, feed)?;
    Some(format!("<{hub}>; rel=\"hub\", <{}>; rel=\"self\"", self_url(site, feed, format)))
}
