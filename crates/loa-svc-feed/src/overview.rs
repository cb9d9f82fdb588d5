//! All feeds at a glance: the page `/feeds` and the list `/feeds.opml`, and which names there are.

use crate::{Service, document::Document, publishing::FeedError, service::Inner, words};
use loa_domain::FeedName;
use loa_feed::{Item, Outline, OutlineGroup, opml};
use loa_store::FeedSummary;
use std::{collections::BTreeMap, sync::Arc};

/// Latest entries shown on the page of all feeds.
const LATEST: usize = 10;

/// Everything about all feeds together.
pub(crate) struct Overview {
    pub(crate) as_of: i64,
    pub(crate) summaries: BTreeMap<FeedName, FeedSummary>,
    pub(crate) page: Document,
    pub(crate) opml: Document,
}

impl Service {
    /// The overview at hand; made now, if nobody asked before.
    pub(crate) async fn overview(&self) -> Result<Arc<Overview>, FeedError> {
        if let Some(overview) = self.0.shelf.overview() {
            return Ok(overview);
        }
        // wanted, so that steps keep its latest entries up to date
        self.snapshot(&FeedName::All).await?;
        let overview = self.0.write_overview(self.0.shelf.seen()).await?;
        self.0.shelf.put_overview(overview.clone());
        Ok(overview)
    }

    /// Whether there is a feed of this name: known to the directory or the configuration, or it had an entry once.
    pub(crate) async fn exists(&self, name: &FeedName) -> Result<bool, FeedError> {
        if self.0.names.knows(name) || self.0.shelf.feed(name).is_some() {
            return Ok(true);
        }
        Ok(self.overview().await?.summaries.contains_key(name))
    }
}

impl Inner {
    pub(crate) async fn write_overview(&self, as_of: i64) -> Result<Arc<Overview>, FeedError> {
        let summaries: BTreeMap<FeedName, FeedSummary> =
            self.ledger.summaries().await?.into_iter().map(|summary| (summary.feed.clone(), summary)).collect();
        let latest: Vec<Item> = match self.shelf.feed(&FeedName::All) {
            Some(all) => all.feed.items().iter().take(LATEST).cloned().collect(),
            None => Vec::new(),
        };
        let (site, pages, names) = (self.site.clone(), self.pages.clone(), self.names.clone());
        let written = tokio::task::spawn_blocking(move || -> Result<Overview, FeedError> {
            let listed = names.listed(&summaries);
            let page = Document::new(crate::document::HTML, pages.feeds(&listed, &latest)?)?;
            let outlines = |names: &[crate::naming::Listed]| -> Vec<Outline> {
                names.iter().map(|feed| Outline { name: feed.name.clone(), title: feed.title.clone() }).collect()
            };
            let groups = [
                OutlineGroup { title: String::new(), outlines: outlines(&listed.general) },
                OutlineGroup { title: words::CATEGORIES.to_owned(), outlines: outlines(&listed.categories) },
                OutlineGroup { title: words::AREAS.to_owned(), outlines: outlines(&listed.areas) },
            ];
            let opml = Document::new("text/x-opml; charset=utf-8", opml(&site, &groups)?)?;
            Ok(Overview { as_of, page, opml, summaries })
        })
        .await??;
        Ok(Arc::new(written))
    }
}
