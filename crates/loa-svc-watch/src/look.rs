//! One look at a source: its list is read as far as a known article, and what is new is recorded before anything is done
//! about it. Then the pages that are due are read (`pages.rs`).

use crate::{
    decide::{self, is_of_kind, key, kind_of, late_warning, rhythm, since},
    inner::Inner,
    visitor::{Asked, Document, Fetched},
};
use jiff::Timestamp;
use loa_domain::{WatchFailure, WatchKind, WatchWarning, WatchedState};
use loa_portal::{Listed, ListedItem, SOURCE_BYTES_MAX, read_source};
use loa_store::{StoreError, WatchSource, WatchState, WatchedChild, WatchedItem};
use std::collections::{HashMap, HashSet};
use url::Url;

/// Articles recorded in one transaction.
const RECORDED_MAX: usize = 200;

/// Looks in a row that may break off between two pages of a list. After so many, what was read is taken all the same.
const BROKEN_LOOKS_MAX: u32 = 3;

/// A look that is under way.
pub(crate) struct Look<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) holder: &'a str,
    pub(crate) source: &'a WatchSource,
    pub(crate) state: WatchState,
    pub(crate) warnings: Vec<WatchWarning>,
    pub(crate) paused_until: Option<Timestamp>,
    /// Whether some of the list could be read and some could not.
    pub(crate) is_partly: bool,
    /// What the list names now, by address.
    pub(crate) named: HashMap<String, ListedItem>,
    pub(crate) now: Timestamp,
}

/// What was gathered from a list, before it is recorded.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Articles that were not known.
    pub(crate) fresh: Vec<WatchedItem>,
    /// How many were known.
    pub(crate) known: u32,
    pub(crate) pages: u32,
    /// When what it names was published, each at the latest.
    times: Vec<Timestamp>,
    earliest: Option<Timestamp>,
    /// Whether it names more than is read of it.
    pub(crate) is_cut: bool,
    /// When the last of what it names was published, at the latest.
    last_until: Option<Timestamp>,
    /// Whether some of it was there before the watch.
    has_old: bool,
}

/// What a page of a list has.
pub(crate) struct Found {
    pub(crate) items: usize,
    pub(crate) known: usize,
}

/// What a list came to.
pub(crate) enum List {
    /// It was read; the articles on it that were not known before, and those it says something new of.
    Read,
    /// Some of it was read, and some could not be.
    Partly(WatchFailure),
    /// It is as it was.
    Unchanged,
    /// It could not be read: nothing else is asked of this host now.
    Failed(WatchFailure),
}

impl Look<'_> {
    /// Looks. What is odd stands in the state afterwards.
    ///
    /// # Errors
    /// When the ledger is away, or the source is somebody else's now.
    pub(crate) async fn run(&mut self) -> Result<(), StoreError> {
        self.state.looked_at = Some(self.now);
        let list = self.list().await?;
        match list {
            List::Failed(why) => {
                self.state.failures = self.state.failures.saturating_add(1);
                self.state.error = Some(why);
                // what was odd before stays so as long as nothing else is known
                let known = std::mem::take(&mut self.state.warnings);
                let is_new = |one: &WatchWarning| {
                    !self.warnings.iter().any(|w| std::mem::discriminant(w) == std::mem::discriminant(one))
                };
                let kept: Vec<WatchWarning> = known.into_iter().filter(is_new).collect();
                self.warnings.extend(kept);
            }
            List::Read | List::Partly(_) | List::Unchanged => {
                if matches!(list, List::Unchanged) {
                    let stays = |one: &WatchWarning| {
                        matches!(
                            one,
                            WatchWarning::Empty { .. } | WatchWarning::Moved { .. } | WatchWarning::TooLong { .. }
                        )
                    };
                    self.warnings.extend(self.state.warnings.iter().filter(|one| stays(one)).cloned());
                }
                // a host that asked to be left alone is asked nothing more
                if self.paused_until.is_none() {
                    self.pages().await?;
                }
                self.is_partly = matches!(list, List::Partly(_));
                if let List::Partly(why) = list {
                    self.state.failures = self.state.failures.saturating_add(1);
                    self.state.error = Some(why);
                } else {
                    (self.state.failures, self.state.error) = (0, None);
                    self.state.succeeded_at = Some(self.now);
                }
            }
        }
        self.warnings.extend(late_warning(&self.state, self.now));
        let before = std::mem::take(&mut self.state.warnings);
        self.state.warnings = std::mem::take(&mut self.warnings).into_iter().map(|one| since(&before, one)).collect();
        Ok(())
    }

    /// Reads the list, page by page as far as a known article.
    async fn list(&mut self) -> Result<List, StoreError> {
        let Ok(address) = self.source.address.parse::<Url>() else {
            return Ok(List::Failed(WatchFailure::NoAddress { text: self.source.address.as_str().into() }));
        };
        let digest = decide::settings_digest(self.source);
        let max = self.inner.config().article_pages_max;
        let due = self.inner.ledger.watched_due(&self.source.name, self.now, max).await?;
        // a text that only the list has must be read again, and what is missing is judged beside what the list names
        let needs_list = due.iter().any(|item| item.state == WatchedState::Waiting || item.missing > 0);
        let asks_anew = digest != self.state.settings_digest || needs_list;
        let validators = (self.state.etag.clone(), self.state.last_modified.clone());
        let (etag, last_modified) = if asks_anew { (None, None) } else { validators };
        let asked = Asked {
            address: &address,
            etag: etag.as_deref(),
            last_modified: last_modified.as_deref(),
            bytes_max: SOURCE_BYTES_MAX,
        };
        let document = match self.inner.visitor.0.fetch(&asked).await {
            Fetched::Read(document) => document,
            // an index that is as it was says nothing of sitemaps whose time of change it does not name
            Fetched::NotModified if !self.state.children.is_empty() => return self.sitemaps(None).await,
            Fetched::NotModified => return Ok(List::Unchanged),
            other => return Ok(self.failed(other)),
        };
        if let Some(to) = &document.moved_to {
            self.warnings.push(WatchWarning::Moved { to: to.to_string() });
        }
        let validators = (document.etag.clone(), document.last_modified.clone());
        let first = match self.read(&document) {
            Ok(listed) => listed,
            Err(why) => return Ok(List::Failed(why)),
        };
        let outcome = match self.source.kind {
            WatchKind::Sitemap => self.sitemaps(Some(first)).await?,
            _ => self.walk(first).await?,
        };
        if matches!(outcome, List::Read | List::Partly(_)) {
            (self.state.etag, self.state.last_modified) = validators;
            self.state.settings_digest = digest;
        }
        Ok(outcome)
    }

    /// Goes on from the first page of the list to the next, and records what is new.
    async fn walk(&mut self, first: Listed) -> Result<List, StoreError> {
        let is_first_look = !self.state.is_known;
        let (mut gathered, mut listed, mut broken) = (Gathered::default(), Some(first), None);
        while let Some(page) = listed.take() {
            let found = self.gather(page.items, page.is_cut, is_first_look, &mut gathered).await?;
            let reaches_back =
                self.source.since.is_some_and(|since| is_first_look && gathered.earliest.is_none_or(|at| at >= since));
            let goes_on = if is_first_look { reaches_back } else { found.known == 0 };
            let next = page.next.filter(|_| goes_on && found.items > 0);
            let Some(next) = next.filter(|_| gathered.pages < self.inner.config().list_pages_max) else { break };
            let asked = Asked { address: &next, etag: None, last_modified: None, bytes_max: SOURCE_BYTES_MAX };
            match self.inner.visitor.0.fetch(&asked).await {
                Fetched::Read(document) => match self.read(&document) {
                    Ok(page) => listed = Some(page),
                    Err(why) => broken = Some(List::Failed(why)),
                },
                // the list has ended; WordPress says 400 behind its last page
                Fetched::NotModified | Fetched::Missing(_) | Fetched::Refused(400, _) => {}
                other => broken = Some(self.failed(other)),
            }
        }
        // were the first pages recorded, the next look would end at them, and never see what stands behind
        if let Some(broken) = broken.filter(|_| self.state.failures < BROKEN_LOOKS_MAX) {
            return Ok(broken);
        }
        if is_first_look && !self.named.is_empty() {
            (self.state.began_at, self.state.behind_until) = (Some(self.now), gathered.last_until);
        }
        self.record(&mut gathered, None).await?;
        self.judge(&gathered, is_first_look);
        Ok(List::Read)
    }

    /// Sorts the articles of a page of the list: what is known and said anew is recorded at once, what is new is gathered.
    /// `was_there`: they were there before the watch.
    pub(crate) async fn gather(
        &mut self,
        items: Vec<ListedItem>,
        is_cut: bool,
        was_there: bool,
        gathered: &mut Gathered,
    ) -> Result<Found, StoreError> {
        let zone = self.inner.visitor.0.zone.clone();
        let items: Vec<ListedItem> = items.into_iter().filter(|item| !self.named.contains_key(&key(item))).collect();
        gathered.pages += 1;
        gathered.is_cut |= is_cut;
        gathered.has_old |= was_there;
        let earliest = items.iter().filter_map(|item| decide::listed_at(item, &zone));
        gathered.earliest = earliest.chain(gathered.earliest).min();
        let last = items.iter().rev().find_map(|item| decide::behind(item, &zone, self.now));
        gathered.last_until = last.or(gathered.last_until);
        // a sitemap says when a page was changed, and that alone
        let is_sitemap = self.source.kind == WatchKind::Sitemap;
        let changed_at = |item: &ListedItem| item.changed_at.filter(|_| is_sitemap);
        let until =
            items.iter().filter_map(|item| decide::listed_until(item, &zone, self.now).or_else(|| changed_at(item)));
        gathered.times.extend(until);
        let addresses: Vec<String> = items.iter().map(key).collect();
        let known = self.inner.ledger.watched(&self.source.name, &addresses).await?;
        let (mut found, mut again) = (Found { items: items.len(), known: 0 }, Vec::new());
        let mut here = HashSet::new();
        let returns = self.inner.config().missing_time_min();
        for (item, known) in items.iter().zip(known) {
            match known {
                Some(known) => {
                    found.known += 1;
                    again.extend(decide::seen_again(&known, item, &zone, returns, self.now));
                }
                // two addresses may differ by the visitor alone
                None if !here.insert(key(item)) => {}
                None => {
                    let was_there = was_there || self.stood_behind(decide::listed_until(item, &zone, self.now));
                    gathered.fresh.push(decide::first_seen(item, was_there, self.source, &zone, self.now));
                }
            }
        }
        for some in again.chunks(RECORDED_MAX) {
            self.inner.ledger.record_watched(self.holder, &self.source.name, some, None).await?;
        }
        gathered.known = gathered.known.saturating_add(u32::try_from(found.known).unwrap_or(u32::MAX));
        self.named.extend(items.into_iter().map(|item| (key(&item), item)));
        Ok(found)
    }

    /// Whether an article of a list stood behind what the first look read. A sitemap is read whole.
    pub(crate) fn stood_behind(&self, published_until: Option<Timestamp>) -> bool {
        self.source.kind != WatchKind::Sitemap
            && published_until.is_some_and(|until| decide::stood_behind(&self.state, until))
    }

    /// Records what is new, the oldest first, so that a look that is cut off leaves none out: the next one pages on until it
    /// meets what was recorded. What follows from the first look is recorded with the last of them, so that a look that is cut
    /// off later is no first look again. `children`: how the sitemaps of an index are, once all of it is recorded.
    pub(crate) async fn record(
        &mut self,
        gathered: &mut Gathered,
        children: Option<Vec<WatchedChild>>,
    ) -> Result<(), StoreError> {
        gathered.fresh.reverse();
        let count = gathered.fresh.len();
        if gathered.has_old && count > 0 {
            self.state.first_looked_at = Some(self.now);
        }
        let mut left = gathered.fresh.chunks(RECORDED_MAX).peekable();
        while let Some(some) = left.next() {
            if left.peek().is_none() {
                self.state.is_known = true;
                if let Some(children) = &children {
                    self.state.children.clone_from(children);
                }
            }
            let state = gathered.has_old.then_some(&self.state);
            self.inner.ledger.record_watched(self.holder, &self.source.name, some, state).await?;
        }
        self.state.children = children.unwrap_or_default();
        metrics::counter!("loa_watch_items_total", "outcome" => "seen").increment(count as u64);
        gathered.fresh.clear();
        Ok(())
    }

    /// What is odd about the list as it was read.
    pub(crate) fn judge(&mut self, gathered: &Gathered, is_first_look: bool) {
        let items = u32::try_from(self.named.len()).unwrap_or(u32::MAX);
        // of an index, only what has changed is read
        let is_index = !self.state.children.is_empty();
        if !is_index || items > 0 {
            self.state.listed = items;
        }
        if items == 0 && !is_index {
            self.warnings.push(WatchWarning::Empty { since: self.now });
        } else if !is_first_look && gathered.known == 0 && !is_index {
            self.warnings.push(WatchWarning::NoneKnown { items, pages: gathered.pages });
        }
        if gathered.is_cut {
            self.warnings.push(WatchWarning::TooLong { items });
        }
        let (newest_at, usual_seconds) = rhythm(&gathered.times, self.now);
        self.state.newest_at = newest_at.max(self.state.newest_at);
        self.state.usual_seconds = usual_seconds.or(self.state.usual_seconds);
        self.state.is_known |= items > 0;
    }

    pub(crate) fn read(&mut self, document: &Document) -> Result<Listed, WatchFailure> {
        let (zone, selectors) = (&self.inner.visitor.0.zone, &self.source.selectors);
        let read = read_source(&document.bytes, &document.address, zone, selectors);
        let why = match read {
            Ok(listed) if is_of_kind(&listed, self.source) => return Ok(listed),
            Ok(listed) => WatchFailure::OtherKind { was: self.source.kind, is: kind_of(listed.form) },
            Err(error) => error.into(),
        };
        if self.state.is_known {
            self.warnings.push(WatchWarning::FormChanged { since: self.now, why: why.clone() });
        }
        Err(why)
    }

    pub(crate) fn failed(&mut self, fetched: Fetched) -> List {
        List::Failed(match fetched {
            Fetched::Paused(until) => {
                self.paused_until = Some(until);
                WatchFailure::Rest { until }
            }
            Fetched::Missing(status) => WatchFailure::Missing { address: self.source.address.as_str().into(), status },
            Fetched::Forbidden(why) | Fetched::Refused(_, why) | Fetched::Failed(why) => why,
            Fetched::Read(_) | Fetched::NotModified => {
                WatchFailure::NotAsked { address: self.source.address.as_str().into() }
            }
        })
    }
}
