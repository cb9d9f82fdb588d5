//! A feed in every form: RSS, Atom, JSON Feed and its page.
//!
//! The ledger's rows and the version before come in; documents, their fingerprint's `Last-Modified` and
//! the link to the newest archive document come out. Work for the processor runs apart from readers.

use super::{FeedRows, Writer, assembled};
use crate::{
    error::FeedError,
    keep::{cache::Cached, changes::Validity},
    names::{Labels, Names},
    page::{
        document::{Document, HTML},
        pages::Pages,
    },
};
use jiff::{Timestamp, civil::Date};
use loa_domain::{FeedName, shown_until};
use loa_feed::{Feed, Format, Position, Site, discovery_link, render};
use loa_http::fingerprint;

/// One feed, written in every form.
pub(crate) struct WrittenFeed {
    pub(crate) validity: Validity,
    /// It is from before the start, read back while the ledger is away: to be written anew as soon as it can be.
    pub(crate) is_read_back: bool,
    pub(crate) feed: Feed,
    /// `None`: the ledger could not keep one; it is served without, and not cached.
    pub(crate) last_modified: Option<Timestamp>,
    pub(crate) documents: [Document; Format::ALL.len()],
    pub(crate) page: Document,
}

impl WrittenFeed {
    pub(crate) fn name(&self) -> &FeedName {
        &self.feed.head().name
    }

    pub(crate) fn document(&self, format: Format) -> &Document {
        match format {
            Format::Rss => &self.documents[0],
            Format::Atom => &self.documents[1],
            Format::Json => &self.documents[2],
        }
    }
}

impl Cached for WrittenFeed {
    fn cost(&self) -> usize {
        // the items are about as large as one of the documents
        self.documents.iter().chain([&self.page]).map(Document::cost).sum::<usize>() + self.documents[0].cost() / 2
    }

    fn validity(&self) -> &Validity {
        &self.validity
    }
}

impl Writer {
    /// Writes a feed of what was read. `must_keep`: fail when the ledger cannot keep `Last-Modified`; otherwise go without.
    pub(crate) async fn feed(
        &self,
        name: &FeedName,
        rows: FeedRows,
        before: Option<std::sync::Arc<WrittenFeed>>,
        must_keep: bool,
    ) -> Result<WrittenFeed, FeedError> {
        let (now, validity) = (rows.now, Validity { as_of: rows.as_of, due_at: rows.due_at });
        let label = self.category_label(name, &rows.standing).await?;
        let head = self.names.head(name, label.as_deref());
        let dated = rows.standing.iter().map(|row| (row.content.published_at(), row.article.clone()));
        let dated: Vec<_> = dated.collect();
        let (site, names, window) = (self.site.clone(), self.names.clone(), self.window);
        let feed = tokio::task::spawn_blocking(move || assembled(&site, &names, head, rows, window)).await?;
        let previous = self.after_feed(name, &feed, &dated, shown_until(now)).await?;
        let feed = feed.at(Position { previous, ..Position::default() });
        let (site, pages, names) = (self.site.clone(), self.pages.clone(), self.names.clone());
        let (feed, documents, page) = tokio::task::spawn_blocking(move || {
            let today = names.day(now);
            let (documents, page) = in_every_form(&site, &pages, &names, &feed, today, before.as_deref())?;
            Ok::<_, FeedError>((feed, documents, page))
        })
        .await??;
        let fingerprint = fingerprint(documents.iter().chain([&page]).map(|document| document.tag().as_bytes()));
        let last_modified = self.last_modified(&name.to_string(), &fingerprint, validity.as_of, now, must_keep).await?;
        Ok(WrittenFeed { validity, is_read_back: false, feed, last_modified, documents, page })
    }
}

fn in_every_form(
    site: &Site,
    pages: &Pages,
    names: &Names,
    feed: &Feed,
    today: Date,
    before: Option<&WrittenFeed>,
) -> Result<([Document; Format::ALL.len()], Document), FeedError> {
    let document = |format: Format| -> Result<Document, FeedError> {
        let before = before.map(|before| before.document(format));
        let document = Document::following(before, format.content_type(), render(format, site, feed)?)?;
        Ok(document.with_link(discovery_link(site, feed, format)))
    };
    let documents = [document(Format::Rss)?, document(Format::Atom)?, document(Format::Json)?];
    let page = pages.feed(names, feed, &Labels::new(), today)?;
    Ok((documents, Document::following(before.map(|before| &before.page), HTML, page)?))
}
