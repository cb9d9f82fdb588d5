//! A combination of feeds, written in the one form that was asked for, and when it last changed.
//!
//! Nothing of a combination is stored, and yet its date must step with every version, never go
//! back, and be the same on every replica. So it is made of what the ledger knows anyway: when one
//! of its parts last changed, and when its newest entry was published (one dated in the future
//! appears without a change). The third date, that of the form which this program gives to feeds,
//! is kept under the fingerprint that is made here.

use super::{FeedRows, Writer, assembled};
use crate::{
    error::FeedError,
    keep::{cache::Cached, changes::Validity},
    names::Labels,
    page::document::{Document, HTML},
};
use jiff::Timestamp;
use loa_domain::{Combination, FeedName};
use loa_feed::{Feed, Format, discovery_link, render};
use loa_http::fingerprint;

/// A combination in one form; `None` is the page.
pub(crate) type CombinedKey = (Combination, Option<Format>);

/// A combination in one form, as it can be served.
pub(crate) struct CombinedDocument {
    pub(crate) validity: Validity,
    pub(crate) document: Document,
    /// When it last changed; `None`: it changed while it was read. It is served so once, and not cached.
    pub(crate) changed_at: Option<Timestamp>,
}

impl Cached for CombinedDocument {
    fn cost(&self) -> usize {
        self.document.cost()
    }

    fn validity(&self) -> &Validity {
        &self.validity
    }
}

impl Writer {
    pub(crate) async fn combination(&self, key: &CombinedKey) -> Result<CombinedDocument, FeedError> {
        let (combination, format) = key;
        let parts = combination.parts();
        let before = self.ledger.changed_at(&parts).await?;
        let rows = self.rows(&FeedName::Combined(combination.clone())).await?;
        let validity = Validity { as_of: rows.as_of, due_at: rows.due_at };
        let (document, newest) = self.combined(combination, *format, rows).await?;
        // when its parts changed meanwhile, nobody knows whether it has the change
        let changed_at = (self.ledger.changed_at(&parts).await? == before)
            .then(|| newest.map_or(before, |at| before.max(whole_second(at))));
        Ok(CombinedDocument { validity, document, changed_at })
    }

    /// Writes it, and says when its newest entry was published.
    async fn combined(
        &self,
        combination: &Combination,
        format: Option<Format>,
        rows: FeedRows,
    ) -> Result<(Document, Option<Timestamp>), FeedError> {
        let mut labels = Labels::new();
        for section in combination.sections() {
            if let FeedName::Category(slug) = &section {
                let newest = self.ledger.entries(&section, None, 1).await?;
                labels.extend(self.category_label(&section, &newest).await?.map(|label| (slug.clone(), label)));
            }
        }
        let head = self.names.combined_head(combination, &labels);
        let (site, pages, names, window) = (self.site.clone(), self.pages.clone(), self.names.clone(), self.window);
        let written = tokio::task::spawn_blocking(move || -> Result<_, FeedError> {
            let today = names.day(rows.now);
            let feed = assembled(&site, &names, head, rows, window);
            let document = match format {
                Some(format) => Document::new(format.content_type(), render(format, &site, &feed)?)
                    .with_link(discovery_link(&site, &feed, format)),
                None => Document::new(HTML, pages.feed(&names, &feed, &labels, today)?),
            };
            Ok((document, feed.entries().first().map(|item| item.published_at)))
        });
        written.await?
    }

    /// A fingerprint of everything that makes the same entries read otherwise: program, settings, templates, the directory of
    /// areas.
    pub(crate) fn form(&self) -> Result<String, FeedError> {
        let empty = Feed::assemble(&self.site, self.names.head(&FeedName::All, None), &[], &[], self.window);
        let mut pieces = vec![env!("CARGO_PKG_VERSION").to_owned(), format!("{:?}", self.window)];
        for format in Format::ALL {
            pieces.push(render(format, &self.site, &empty)?);
        }
        let today = self.names.day(Timestamp::UNIX_EPOCH);
        pieces.push(self.pages.feed(&self.names, &empty, &Labels::new(), today)?);
        pieces.extend(self.names.directory().iter().map(|area| format!("{area:?}")));
        pieces.push(self.names.calendar().zone_name().to_owned());
        Ok(fingerprint(pieces.iter().map(|piece| piece.as_bytes())))
    }
}

/// The first whole second that is not before an instant.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().saturating_add(i64::from(at.subsec_nanosecond() > 0))).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_not_before_what_it_dates() {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(whole_second(at), at);
        let later = at + jiff::SignedDuration::from_millis(1);
        assert_eq!(whole_second(later), at + jiff::SignedDuration::from_secs(1));
    }
}
