//! The last good state of feeds: what readers were shown before the start comes back when the ledger is away, and what is
//! shown is put on disk.
//!
//! A part of the keeper of feeds. Files are read and written by `last_good/`.

use super::Feeds;
use crate::{
    error::FeedError,
    keep::{changes::Validity, writer::WrittenFeed},
    last_good::LastGoodFeed,
    page::document::{Document, HTML},
};
use loa_domain::{FeedName, with_causes};
use loa_feed::{Feed, FeedHead, Format, discovery_link};
use std::sync::{Arc, PoisonError};

/// Feeds looked at together when the last good state of a former life is gone through.
const SIFTED: u32 = 100;

impl Feeds {
    /// Puts what readers were shown before the start in its place, where nothing was shown since.
    pub(crate) fn read_back(&self, last_good: LastGoodFeed) {
        let feed = self.written_feed(last_good);
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // under the lock of `shown`, as above
        if !shown.contains_key(feed.name()) && self.cache.peek(feed.name()).is_none() {
            self.cache.put(feed.name().clone(), Arc::new(feed));
        }
    }

    fn written_feed(&self, last_good: LastGoodFeed) -> WrittenFeed {
        let LastGoodFeed { name, title, description, told_at, documents: [rss, atom, json], page } = last_good;
        let site = &self.writer.site;
        // its items stand in its documents alone
        let feed = Feed::assemble(site, FeedHead { name, title, description }, &[], &[], self.writer.window);
        let document = |format: Format, bytes| {
            Document::of(format.content_type(), bytes).with_link(discovery_link(site, &feed, format))
        };
        WrittenFeed {
            // before anything that is read from the ledger
            validity: Validity { as_of: i64::MIN, due_at: None },
            is_read_back: true,
            last_modified: Some(told_at),
            documents: [document(Format::Rss, rss), document(Format::Atom, atom), document(Format::Json, json)],
            page: Document::of(HTML, page),
            feed,
        }
    }

    pub(super) async fn keep_last_good(&self, feed: &WrittenFeed) {
        // what has no date is not kept
        let Some(told_at) = feed.last_modified else { return };
        let head = feed.feed.head();
        let last_good = LastGoodFeed {
            name: head.name.clone(),
            title: head.title.clone(),
            description: head.description.clone(),
            told_at,
            documents: feed.documents.each_ref().map(Document::text),
            page: feed.page.text(),
        };
        self.last_good.keep_feed(last_good, feed.validity.as_of).await;
    }

    /// The ledger is back: what was read back and nobody asked for goes, the names of what somebody did ask for come back.
    pub(super) fn to_write_anew(&self) -> Vec<FeedName> {
        let read_back = self.cache.keys(|feed| feed.is_read_back);
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked_for, unasked): (Vec<_>, Vec<_>) = read_back.into_iter().partition(|name| wanted.contains(name));
        unasked.iter().for_each(|name| self.cache.remove(name));
        asked_for
    }

    /// Forgets the last good state of feeds that changed and that nobody reads: it is kept up to date no more, and what was
    /// withdrawn must not come back.
    pub(super) async fn forget_unread(&self, changed: &[FeedName]) {
        if !self.last_good.is_kept() {
            return;
        }
        let names = match self.changes.seen() {
            0 => match self.stale_last_good().await {
                Ok(names) => names,
                Err(error) => {
                    return tracing::warn!(error = %with_causes(&error), "the last good state cannot be gone through");
                }
            },
            _ => {
                let wanted = self.wanted_of(changed.to_vec());
                changed.iter().filter(|name| !wanted.contains(name)).cloned().collect()
            }
        };
        self.last_good.forget(&names).await;
    }

    /// The feeds whose last good state of a former life is not surely true any more, and that nobody reads.
    async fn stale_last_good(&self) -> Result<Vec<FeedName>, FeedError> {
        let true_until = self.last_good.as_of().await?;
        let mut stale = Vec::new();
        let Some(mut after) = true_until.values().min().copied() else { return Ok(stale) };
        loop {
            let (names, upto) = self.writer.ledger.changed(after, SIFTED).await?;
            let is_full_page = names.len() >= SIFTED as usize;
            let wanted = self.wanted_of(names.clone());
            let unread = names.into_iter().filter(|name| !wanted.contains(name));
            stale.extend(unread.filter(|name| true_until.get(&name.to_string()).is_some_and(|until| *until < upto)));
            if !is_full_page {
                return Ok(stale);
            }
            after = upto;
        }
    }
}
