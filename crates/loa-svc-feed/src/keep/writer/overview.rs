//! All feeds at a glance: the page `/feeds`, and the list for readers `/feeds.opml`.
//!
//! The ledger's summaries and the latest entries come in, two documents and one `Last-Modified` for
//! both come out.

use super::Writer;
use crate::{
    error::FeedError,
    names::{
        Summaries,
        listing::{Listed, Lists},
        words,
    },
    page::document::{Document, HTML},
};
use jiff::{Timestamp, civil::Date};
use loa_feed::{FeedItem, Outline, OutlineGroup, Site, opml};
use loa_http::fingerprint;
use std::sync::Arc;

/// The name under which the ledger keeps when page and list last changed; no feed's.
const WRITTEN_AS: &str = "feeds";
/// The content type of the list.
pub(crate) const OPML: &str = "text/x-opml; charset=utf-8";

/// Everything about all feeds together.
pub(crate) struct Overview {
    /// The change number up to which it is true.
    pub(crate) as_of: i64,
    /// It is from before the start, read back while the ledger is away.
    pub(crate) is_read_back: bool,
    /// `None`: the ledger could not keep one.
    pub(crate) last_modified: Option<Timestamp>,
    /// The day on which it was true: areas end at midnight.
    pub(crate) day: Date,
    pub(crate) summaries: Summaries,
    pub(crate) listed: Lists,
    pub(crate) latest: Vec<FeedItem>,
    pub(crate) page: Document,
    pub(crate) opml: Document,
}

impl Overview {
    /// Bytes of memory that its documents take.
    pub(crate) fn cost(&self) -> usize {
        self.page.cost() + self.opml.cost()
    }
}

impl Writer {
    /// Writes page and list. `latest`: the latest entries of all feeds. `must_keep`: as for a feed.
    pub(crate) async fn overview(
        &self,
        latest: Vec<FeedItem>,
        before: Option<Arc<Overview>>,
        must_keep: bool,
    ) -> Result<Overview, FeedError> {
        // asked before the rest is read
        let as_of = self.as_of().await?;
        let summaries = self.summaries().await?;
        let (site, pages, names, day) =
            (self.site.clone(), self.pages.clone(), self.names.clone(), self.names.day(self.now()));
        let written = tokio::task::spawn_blocking(move || -> Result<Overview, FeedError> {
            let listed = names.listed(&summaries, day);
            let before = before.as_deref();
            let page = pages.feeds(&listed, &latest)?;
            let page = Document::following(before.map(|before| &before.page), HTML, page)?;
            let opml = outlined(&site, &listed)?;
            let opml = Document::following(before.map(|before| &before.opml), OPML, opml)?;
            let (is_read_back, last_modified) = (false, None);
            Ok(Overview { as_of, is_read_back, last_modified, day, summaries, listed, latest, page, opml })
        })
        .await??;
        let fingerprint = fingerprint([written.page.tag().as_bytes(), written.opml.tag().as_bytes()]);
        let last_modified = self.last_modified(WRITTEN_AS, &fingerprint, as_of, self.now(), must_keep).await?;
        Ok(Overview { last_modified, ..written })
    }
}

fn outlined(site: &Site, listed: &Lists) -> Result<String, FeedError> {
    let group = |title: &str, feeds: &[Listed]| OutlineGroup {
        title: title.to_owned(),
        outlines: feeds.iter().map(|feed| Outline { name: feed.name.clone(), title: feed.title.clone() }).collect(),
    };
    let groups = [
        group("", &listed.general),
        group(words::CATEGORIES, &listed.categories),
        group(words::PORTALS, &listed.portals),
        group(words::AREAS, &listed.outlined),
    ];
    Ok(opml(site, &groups)?)
}
