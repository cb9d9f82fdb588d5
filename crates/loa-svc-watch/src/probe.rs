//! Shows what a source would give, before it is added: its form, its items, some of their pages as they would be published,
//! and better sources that the page names. It opens no ledger and writes nothing.

use crate::{
    Visitor,
    decide::{key, kind_of, listed_at},
    visitor::{Asked, Fetched, quoted},
};
use jiff::Timestamp;
use loa_domain::{Selectors, SourceClue, WatchFailure, WatchKind};
use loa_portal::{
    Listed, ListedItem, NotUnderstood, PAGE_BYTES_MAX, PortalPage, SOURCE_BYTES_MAX, article_of, read_selected,
    read_source,
};
use url::Url;

/// Feeds that a page names which are looked at.
const FEEDS_MAX: usize = 3;

/// What was found at an address.
#[derive(Debug)]
pub struct Probe {
    /// What stands there, or why nothing can be read.
    pub source: Result<ProbedSource, WatchFailure>,
    /// Feeds and doors for machines that the page names, each with what it has; more trusted than the page itself.
    pub better: Vec<(Url, Result<ProbedSource, WatchFailure>)>,
    /// Some of its articles, as they would be published.
    pub pages: Vec<ProbedPage>,
}

/// A source that was read.
#[derive(Debug)]
pub struct ProbedSource {
    /// What kind it is.
    pub kind: WatchKind,
    /// What speaks for that.
    pub why: SourceClue,
    /// Where it has moved for good.
    pub moved_to: Option<Url>,
    /// Its articles: address, title, time of the list.
    pub items: Vec<(String, String, Option<Timestamp>)>,
    /// How many of them have their whole text in it.
    pub whole_texts: usize,
    /// Where it goes on.
    pub next: Option<Url>,
    /// What it names and is not taken.
    pub left_out: Vec<NotUnderstood>,
}

/// An article's page that was read.
#[derive(Debug)]
pub struct ProbedPage {
    /// Where.
    pub address: String,
    /// As it would be published, or why it is refused.
    pub page: Result<Box<PortalPage>, WatchFailure>,
    /// Whether it was read from the source itself.
    pub is_from_source: bool,
}

impl Visitor {
    /// Reads one page as an article, by the site's rules and within the watch's limits. `of`: the address whose page it is, where
    /// that is another than the one that it is read from.
    ///
    /// # Errors
    /// Why it was not had, or is no article.
    pub async fn read_article(&self, address: &Url, of: Option<&Url>) -> Result<PortalPage, WatchFailure> {
        let asked = Asked { address, etag: None, last_modified: None, bytes_max: PAGE_BYTES_MAX };
        let document = match self.0.fetch(&asked).await {
            Fetched::Read(document) => document,
            other => return Err(said(address, other)),
        };
        let (of, zone) = (of.unwrap_or(address), &self.0.zone);
        read_selected(&document.bytes, of, &document.address, zone, None, &Selectors::default())
            .map_err(WatchFailure::from)
    }

    /// Looks at an address as a source, and at `pages` of its articles.
    pub async fn probe(&self, address: &Url, selectors: &Selectors, pages: usize) -> Probe {
        let (source, listed) = match self.list(address, selectors).await {
            Ok((source, listed)) => (Ok(source), Some(listed)),
            Err(why) => (Err(why), None),
        };
        let mut better = Vec::new();
        for feed in listed.iter().flat_map(|listed| &listed.feeds).take(FEEDS_MAX) {
            let read = self.list(feed, &Selectors::default()).await.map(|(source, _)| source);
            better.push((feed.clone(), read));
        }
        let mut shown = Vec::new();
        let items = listed.map(|listed| listed.items).unwrap_or_default();
        for item in items.iter().take(pages) {
            let (page, is_from_source) = self.page(item, selectors).await;
            shown.push(ProbedPage { address: key(item), page: page.map(Box::new), is_from_source });
        }
        Probe { source, better, pages: shown }
    }

    async fn list(&self, address: &Url, selectors: &Selectors) -> Result<(ProbedSource, Listed), WatchFailure> {
        let asked = Asked { address, etag: None, last_modified: None, bytes_max: SOURCE_BYTES_MAX };
        let document = match self.0.fetch(&asked).await {
            Fetched::Read(document) => document,
            other => return Err(said(address, other)),
        };
        let read = read_source(&document.bytes, &document.address, &self.0.zone, selectors);
        let mut listed = read.map_err(WatchFailure::from)?;
        if let (true, Some(child)) = (listed.items.is_empty(), listed.children.first().cloned()) {
            let child = child.address;
            let asked = Asked { address: &child, etag: None, last_modified: None, bytes_max: SOURCE_BYTES_MAX };
            match self.0.fetch(&asked).await {
                Fetched::Read(document) => {
                    let read = read_source(&document.bytes, &document.address, &self.0.zone, selectors);
                    let (why, children) = (SourceClue::Index { shown: quoted(&child) }, listed.children);
                    listed = Listed { why, children, ..read.map_err(WatchFailure::from)? };
                }
                other => return Err(said(&child, other)),
            }
        }
        let item = |item: &ListedItem| (key(item), item.title.clone(), listed_at(item, &self.0.zone));
        let source = ProbedSource {
            kind: kind_of(listed.form),
            why: listed.why.clone(),
            moved_to: document.moved_to,
            items: listed.items.iter().map(item).collect(),
            whole_texts: listed.items.iter().filter(|item| item.content.is_some()).count(),
            next: listed.next.clone(),
            left_out: listed.left_out.clone(),
        };
        Ok((source, listed))
    }

    async fn page(&self, item: &ListedItem, selectors: &Selectors) -> (Result<PortalPage, WatchFailure>, bool) {
        if let Some(read) = article_of(item, &self.0.zone) {
            return (read.map_err(WatchFailure::from), true);
        }
        let address = loa_portal::without_visitor(&item.address);
        let asked = Asked { address: &address, etag: None, last_modified: None, bytes_max: PAGE_BYTES_MAX };
        let page = match self.0.fetch(&asked).await {
            Fetched::Read(document) => {
                let title = Some(item.title.as_str()).filter(|title| !title.is_empty());
                read_selected(&document.bytes, &address, &document.address, &self.0.zone, title, selectors)
                    .map_err(WatchFailure::from)
            }
            other => Err(said(&address, other)),
        };
        (page, false)
    }
}

fn said(address: &Url, fetched: Fetched) -> WatchFailure {
    match fetched {
        Fetched::Missing(status) => WatchFailure::Missing { address: quoted(address), status },
        Fetched::Paused(until) => WatchFailure::Rest { until },
        Fetched::Forbidden(why) | Fetched::Refused(_, why) | Fetched::Failed(why) => why,
        Fetched::Read(_) | Fetched::NotModified => WatchFailure::NotAsked { address: quoted(address) },
    }
}
