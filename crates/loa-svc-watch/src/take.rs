//! Hands what was read to intake, where it is new or changed, and notes what it was published as.

use crate::{
    decide::{self, look_again, page_digest},
    look::Look,
    tally::Tally,
};
use jiff::Timestamp;
use loa_domain::{ArticleId, WatchFailure, WatchedState};
use loa_portal::PortalPage;
use loa_store::{StoreError, StoreErrorKind, WatchedItem};

/// Articles of one title that are compared.
const NAMESAKES_MAX: u32 = 5;

/// Where an article was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// In the source itself, which has its whole text.
    List,
    /// On its page.
    Page,
}

impl Look<'_> {
    /// Hands a page over, if it is new or changed. Returns whether the look goes on.
    pub(crate) async fn take(
        &mut self,
        mut item: WatchedItem,
        mut page: PortalPage,
        from: From,
        tally: &mut Tally,
    ) -> Result<bool, StoreError> {
        let digest = page_digest(&page);
        let published_at = page.article.as_ref().and_then(|article| article.published_at);
        if item.digest.as_ref() == Some(&digest) {
            item.error = None;
            return self.record_one(item).await.map(|()| true);
        }
        if self.was_there_before(&item, published_at) {
            (item.state, item.due_at, item.listed_at) = (WatchedState::Known, None, published_at);
            return self.record_one(item).await.map(|()| true);
        }
        if item.article.is_none() {
            let old = self.moved_from(&item, published_at).await?;
            let is_named_beside = old.is_none() && item.state == WatchedState::Moved;
            if is_named_beside {
                // the list has both addresses: the article is published under the other one
                item.due_at = None;
                return self.record_one(item).await.map(|()| true);
            }
            if let Some(old) = old
                && !self.move_here(&mut item, old, published_at, tally).await?
            {
                return Ok(true);
            }
        }
        let known = item.article.as_ref().and_then(|known| ArticleId::new(known.id()).ok());
        if let (Some(known), Some(article)) = (known, &mut page.article) {
            // the article that it was published as, whatever the page says of its address now
            (article.id, article.address_id, article.has_own_id) = (known, None, true);
        }
        self.publish(&mut item, page, published_at, digest, tally).await?;
        // its page shows what is changed from here on
        (item.is_text_of_list, item.page_digest) = (from == From::List, None);
        self.record_one(item).await?;
        Ok(true)
    }

    /// Hands a page to intake, and notes in the item what came of it.
    async fn publish(
        &self,
        item: &mut WatchedItem,
        page: PortalPage,
        published_at: Option<Timestamp>,
        digest: String,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        let published = match self.inner.publisher.publish(&self.source.portal, page).await {
            Ok(published) => published,
            // nothing is recorded: the page stays due
            Err(error) => {
                return Err(StoreError::new(StoreErrorKind::Unavailable, format!("intake takes nothing: {error}")));
            }
        };
        let outcome = match (&published.article, published.unchanged) {
            (Some(_), false) => "published",
            (Some(_), true) => "unchanged",
            (None, _) => "refused",
        };
        metrics::counter!("loa_watch_items_total", "outcome" => outcome).increment(1);
        let flaws = published.refused;
        item.error = (!flaws.is_empty()).then_some(WatchFailure::Refused { flaws });
        if let Some(article) = published.article {
            tracing::info!(source = %self.source.name, %article, outcome, "an article of a watched portal");
            (item.article, item.state, item.digest) = (Some(article), WatchedState::Published, Some(digest));
            item.listed_at = published_at.or(item.listed_at);
            return Ok(());
        }
        tally.refused += 1;
        tally.why.clone_from(&item.error);
        if item.state != WatchedState::Published {
            item.state = WatchedState::Refused;
        }
        Ok(())
    }

    /// Gives an item the article that it was under another address. Returns whether it was published there, and is to be
    /// published here; what nobody was told of is not told now.
    async fn move_here(
        &self,
        item: &mut WatchedItem,
        mut old: WatchedItem,
        published_at: Option<Timestamp>,
        tally: &mut Tally,
    ) -> Result<bool, StoreError> {
        (item.state, item.article) = (old.state, old.article.take());
        (old.state, old.due_at, old.digest) = (WatchedState::Moved, None, None);
        old.looked_at = Some(self.now);
        let was_published = item.state == WatchedState::Published;
        if !was_published {
            (item.due_at, item.listed_at) = (None, published_at);
        }
        // both at once, and before anything is published: whatever comes between, the article is not taken for another; and
        // its page is asked for without validators then, or it would be as it was
        let due_at = if was_published { Some(self.now) } else { item.due_at };
        tally.left.insert(old.address.clone());
        let moved = [old, WatchedItem { due_at, etag: None, last_modified: None, ..item.clone() }];
        self.inner.ledger.record_watched(self.holder, &self.source.name, &moved, None).await?;
        Ok(was_published)
    }

    /// Whether a page, read because its list does not say its time, was published before the instant that was asked for.
    fn was_there_before(&self, item: &WatchedItem, published_at: Option<Timestamp>) -> bool {
        let was_there = self.state.first_looked_at.is_some_and(|first| item.first_seen_at <= first)
            || self.stood_behind(published_at);
        let is_older = |since| published_at.is_none_or(|at| at < since);
        item.article.is_none() && was_there && self.source.since.is_none_or(is_older)
    }

    /// The article that this page was before its address changed.
    async fn moved_from(
        &self,
        item: &WatchedItem,
        published_at: Option<Timestamp>,
    ) -> Result<Option<WatchedItem>, StoreError> {
        if item.title_key.is_empty() || self.named.is_empty() {
            return Ok(None);
        }
        let ledger = &self.inner.ledger;
        let namesakes = ledger.watched_by_title(&self.source.name, &item.title_key, NAMESAKES_MAX).await?;
        let zone = &self.inner.visitor.0.zone;
        Ok(namesakes.into_iter().find(|known| {
            let is_listed = self.named.contains_key(&known.address);
            known.address != item.address && decide::has_moved(known, published_at, is_listed, zone)
        }))
    }

    /// Counts a look at a page, and says when the next is.
    pub(crate) fn looked(&self, item: &mut WatchedItem) {
        item.looks = item.looks.saturating_add(1);
        item.looked_at = Some(self.now);
        item.due_at = look_again(item.looks, &self.inner.config().look_again_seconds, self.now);
    }

    pub(crate) async fn record_one(&self, item: WatchedItem) -> Result<(), StoreError> {
        self.inner.ledger.record_watched(self.holder, &self.source.name, &[item], None).await
    }
}
