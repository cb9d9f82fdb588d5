//! Reads the pages of a source's articles that are due, and hands what is new or changed to intake.
//!
//! Pages that are missing are judged together, when all due pages were looked at: many at once are the site's fault.

use crate::{
    decide::{
        self, MissingRule, are_too_many, missing_again, others_are_there, page_digest, refused_warning, seems_gone,
    },
    look::Look,
    take::From,
    tally::Tally,
    visitor::{Asked, Fetched},
};
use loa_domain::{WatchFailure, WatchKind, WatchWarning, WatchedState};
use loa_portal::{PAGE_BYTES_MAX, PageError, PortalPage, article_of, read_selected};
use loa_store::{StoreError, StoreErrorKind, WatchedItem};
use loa_words::Language;
use std::collections::HashSet;
use url::Url;

/// Requests in a row that fail before a look leaves the host alone.
const FAILURES_MAX: u32 = 3;

/// Pages that are asked for to see whether all of a site is gone.
const OTHERS_MAX: usize = 3;

/// What asking for one page came to.
enum Reading {
    Page(Box<PortalPage>),
    /// It is there, and cannot be read as an article.
    Unreadable(WatchFailure),
    NotModified,
    Missing(u16),
    /// It is not given to us.
    Refused(WatchFailure),
    /// The host is not asked any more in this look.
    Stop,
    /// It may be had the next time.
    Later(WatchFailure),
}

impl Look<'_> {
    /// Reads the texts that the list has and the pages that are due.
    pub(crate) async fn pages(&mut self) -> Result<(), StoreError> {
        let mut tally = Tally::default();
        self.changed_texts(&mut tally).await?;
        let max = self.inner.config().article_pages_max;
        for item in self.inner.ledger.watched_due(&self.source.name, self.now, max).await? {
            if tally.left.contains(&item.address) {
                continue;
            }
            let goes_on = match self.text_of(&item) {
                Some(text) if matches!(item.state, WatchedState::Waiting | WatchedState::Refused) => {
                    self.text(item, text, &mut tally).await?
                }
                text => self.page(item, text, &mut tally).await?,
            };
            if !goes_on {
                break;
            }
        }
        self.warnings.extend(refused_warning(tally.refused, tally.asked, tally.why.as_ref()));
        self.missing(tally).await
    }

    /// The text of an article that the list itself has now.
    fn text_of(&self, item: &WatchedItem) -> Option<Result<PortalPage, PageError>> {
        self.named.get(&item.address).and_then(|listed| article_of(listed, &self.inner.visitor.0.zone))
    }

    /// Published articles whose texts the feed itself has: each is compared with every look that brought the feed. That says
    /// nothing of their pages, which are looked at by their schedule all the same.
    async fn changed_texts(&mut self, tally: &mut Tally) -> Result<(), StoreError> {
        if self.source.kind != WatchKind::Feed {
            return Ok(());
        }
        let mut addresses: Vec<String> =
            self.named.iter().filter(|(_, item)| item.content.is_some()).map(|(address, _)| address.clone()).collect();
        addresses.sort_unstable();
        let known = self.inner.ledger.watched(&self.source.name, &addresses).await?;
        for item in known.into_iter().flatten().filter(|item| item.state == WatchedState::Published) {
            match self.text_of(&item) {
                Some(Ok(page)) if item.digest.as_ref() != Some(&page_digest(&page)) => {
                    tally.asked += 1;
                    self.take(item, page, From::List, tally).await?;
                }
                Some(Err(error)) => {
                    tally.asked += 1;
                    tally.refused += 1;
                    tally.why = Some(error.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes an article that is not published yet from the list's own text. Returns whether the look goes on.
    async fn text(
        &mut self,
        mut item: WatchedItem,
        text: Result<PortalPage, PageError>,
        tally: &mut Tally,
    ) -> Result<bool, StoreError> {
        tally.asked += 1;
        match text {
            Ok(page) => {
                self.looked(&mut item);
                self.take(item, page, From::List, tally).await
            }
            Err(error) => self.refuse(item, error.into(), tally).await.map(|()| true),
        }
    }

    /// Asks for one page. `text`: what the list has of it. Returns whether the look goes on.
    async fn page(
        &mut self,
        mut item: WatchedItem,
        text: Option<Result<PortalPage, PageError>>,
        tally: &mut Tally,
    ) -> Result<bool, StoreError> {
        let reading = self.reading(&mut item).await;
        tally.asked += 1;
        let is_there = matches!(reading, Reading::Page(_) | Reading::Unreadable(_) | Reading::NotModified);
        if is_there {
            (item.missing, item.missing_since) = (0, None);
            self.state.page_read_at = Some(self.now);
        }
        if is_there || matches!(reading, Reading::Missing(_)) {
            tally.answered += 1;
        }
        if !matches!(reading, Reading::Later(_) | Reading::Stop) {
            (tally.failures, item.failures) = (0, 0);
        }
        match reading {
            Reading::Page(page) => return self.found(item, *page, text, tally).await,
            Reading::NotModified => {
                self.looked(&mut item);
                self.record_one(item).await?;
            }
            // its text is the list's; it is there, which is all that its page was asked for
            Reading::Unreadable(_) if item.is_text_of_list => {
                self.looked(&mut item);
                self.record_one(item).await?;
            }
            Reading::Unreadable(why) | Reading::Refused(why) => self.refuse(item, why, tally).await?,
            Reading::Missing(status) => self.is_missing(item, status, tally).await?,
            Reading::Later(why) => {
                tally.failures += 1;
                tally.refused += 1;
                tally.why = Some(why.clone());
                item.error = Some(why);
                item.due_at = Some(decide::due_again(self.source.every_seconds, item.failures, self.now));
                item.failures = item.failures.saturating_add(1);
                self.record_one(item).await?;
                return Ok(tally.failures < FAILURES_MAX);
            }
            Reading::Stop => return Ok(false),
        }
        Ok(true)
    }

    /// A page that was read. Returns whether the look goes on.
    async fn found(
        &mut self,
        mut item: WatchedItem,
        page: PortalPage,
        text: Option<Result<PortalPage, PageError>>,
        tally: &mut Tally,
    ) -> Result<bool, StoreError> {
        if matches!(item.state, WatchedState::Withdrawn | WatchedState::Moved) {
            // it is looked at as often as what is new
            item.looks = 0;
        }
        self.looked(&mut item);
        let is_listed = text.is_some();
        if item.is_text_of_list && item.state == WatchedState::Published {
            let digest = page_digest(&page);
            // what the list has is compared with the list; after it left, its page shows whether it was changed
            if is_listed || item.page_digest.as_ref().is_none_or(|known| *known == digest) {
                (item.page_digest, item.error) = (Some(digest), None);
                return self.record_one(item).await.map(|()| true);
            }
        }
        match text {
            Some(Ok(text)) if item.article.is_some() => self.take(item, text, From::List, tally).await,
            _ => self.take(item, page, From::Page, tally).await,
        }
    }

    async fn is_missing(&self, mut item: WatchedItem, status: u16, tally: &mut Tally) -> Result<(), StoreError> {
        let why = WatchFailure::Missing { address: item.address.as_str().into(), status };
        match item.state {
            WatchedState::Published => {
                item.error = Some(why);
                tally.missing.push(item);
                Ok(())
            }
            // as before; it is looked for again when it is named again
            WatchedState::Withdrawn | WatchedState::Moved => {
                (item.looked_at, item.due_at) = (Some(self.now), None);
                self.record_one(item).await
            }
            WatchedState::Known | WatchedState::Waiting | WatchedState::Refused => self.refuse(item, why, tally).await,
        }
    }

    async fn reading(&mut self, item: &mut WatchedItem) -> Reading {
        let (visitor, selectors) = (&self.inner.visitor.0, &self.source.selectors);
        let Ok(address) = item.address.parse::<Url>() else {
            return Reading::Refused(WatchFailure::NoAddress { text: item.address.as_str().into() });
        };
        let is_read = item.state == WatchedState::Published;
        let asked = Asked {
            address: &address,
            etag: item.etag.as_deref().filter(|_| is_read),
            last_modified: item.last_modified.as_deref().filter(|_| is_read),
            bytes_max: PAGE_BYTES_MAX,
        };
        match visitor.fetch(&asked).await {
            Fetched::Read(document) => {
                (item.etag, item.last_modified) = (document.etag, document.last_modified);
                let title = Some(item.title.as_str()).filter(|title| !title.is_empty());
                // identity is the address that the list has, wherever it leads
                match read_selected(&document.bytes, &address, &document.address, &visitor.zone, title, selectors) {
                    Ok(page) => Reading::Page(Box::new(page)),
                    Err(error) => Reading::Unreadable(error.into()),
                }
            }
            Fetched::NotModified => Reading::NotModified,
            Fetched::Missing(status) => Reading::Missing(status),
            Fetched::Paused(until) => {
                self.paused_until = Some(until);
                Reading::Stop
            }
            Fetched::Forbidden(why) | Fetched::Refused(_, why) => Reading::Refused(why),
            Fetched::Failed(why) => Reading::Later(why),
        }
    }

    async fn refuse(&self, mut item: WatchedItem, failure: WatchFailure, tally: &mut Tally) -> Result<(), StoreError> {
        let why = Language::English.words().watch_failure(&failure);
        tracing::info!(source = %self.source.name, address = %item.address, %why, "a page of a watched portal is refused");
        metrics::counter!("loa_watch_items_total", "outcome" => "refused").increment(1);
        tally.refused += 1;
        tally.why = Some(failure.clone());
        self.looked(&mut item);
        item.error = Some(failure);
        if matches!(item.state, WatchedState::Waiting | WatchedState::Known) {
            item.state = WatchedState::Refused;
        }
        self.record_one(item).await
    }

    /// Judges the pages that are missing, and withdraws those that are gone.
    async fn missing(&mut self, mut tally: Tally) -> Result<(), StoreError> {
        tally.missing.retain(|item| !tally.left.contains(&item.address));
        let count = u32::try_from(tally.missing.len()).unwrap_or(u32::MAX);
        let config = self.inner.config();
        let rule = MissingRule { looks_min: config.missing_looks_min, time_min: config.missing_time_min() };
        let mut too_many = are_too_many(count, tally.answered);
        let addresses: HashSet<String> = tally.missing.iter().map(|item| item.address.clone()).collect();
        let mut gone = Vec::new();
        for mut item in tally.missing {
            item.looked_at = Some(self.now);
            item.due_at = Some(missing_again(rule, self.now));
            let seems_gone = seems_gone(&mut item, rule, self.now);
            gone.push((item, seems_gone));
        }
        let unsure =
            |(item, seems_gone): &(WatchedItem, bool)| *seems_gone && !others_are_there(item, self.state.page_read_at);
        if !too_many && gone.iter().any(unsure) {
            too_many = !self.another_is_there(&addresses).await;
        }
        if too_many {
            self.warnings.push(WatchWarning::ManyMissing { missing: count, looked_at: tally.answered });
        }
        for (mut item, seems_gone) in gone {
            if seems_gone && !too_many {
                self.withdraw(&mut item).await?;
            }
            self.record_one(item).await?;
        }
        Ok(())
    }

    /// Whether a page of the list that is none of these is there: else all of the site may be gone.
    async fn another_is_there(&mut self, missing: &HashSet<String>) -> bool {
        let mut others: Vec<&String> = self.named.keys().filter(|address| !missing.contains(*address)).collect();
        others.sort_unstable();
        // a list may name what is gone for long: one of them alone says nothing
        for address in others.into_iter().filter_map(|address| address.parse::<Url>().ok()).take(OTHERS_MAX) {
            let asked = Asked { address: &address, etag: None, last_modified: None, bytes_max: PAGE_BYTES_MAX };
            match self.inner.visitor.0.fetch(&asked).await {
                Fetched::Read(_) => {
                    self.state.page_read_at = Some(self.now);
                    return true;
                }
                Fetched::Paused(until) => {
                    self.paused_until = Some(until);
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    async fn withdraw(&self, item: &mut WatchedItem) -> Result<(), StoreError> {
        if let Some(article) = &item.article {
            let reason = &self.inner.config().withdrawal_reason;
            self.inner.publisher.withdraw(&self.source.portal, article, reason).await.map_err(|error| {
                StoreError::new(StoreErrorKind::Unavailable, format!("intake takes nothing: {error}"))
            })?;
            tracing::info!(source = %self.source.name, %article, missing = item.missing, "an article is gone, and withdrawn");
            metrics::counter!("loa_watch_items_total", "outcome" => "withdrawn").increment(1);
        }
        // were it there again, it would be published again, as it is then
        (item.state, item.due_at, item.digest) = (WatchedState::Withdrawn, None, None);
        Ok(())
    }
}
