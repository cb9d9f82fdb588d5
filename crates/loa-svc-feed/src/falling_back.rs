//! When the ledger is away: what was shown before the start is shown again, and goes as soon as the ledger is back.

use crate::{
    Service,
    document::{Document, HTML},
    kept::Sheet,
    overview::{KEPT_AS, OPML, Overview},
    publishing::{FeedError, Round, chain},
    service::Inner,
    shelf::Snapshot,
    succession::day,
};
use jiff::Timestamp;
use loa_domain::FeedName;
use loa_feed::{Feed, FeedHead, Format, discovery_link};
use loa_store::FeedSummary;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Feeds looked at together when the sheets of a former life are gone through.
const SIFTED: u32 = 100;

/// What a sheet says beside its texts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum About {
    /// RSS, Atom, JSON Feed, page.
    Feed { title: String, description: String },
    /// Page and OPML of all feeds.
    Overview { summaries: Vec<Summary> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Summary {
    feed: String,
    label: String,
    entries: u64,
    newest_at: Option<Timestamp>,
}

impl Service {
    /// A round; when the ledger is away, what was shown before the start is put where nothing is.
    pub(crate) async fn round_or_fall_back(&self) -> Result<Round, FeedError> {
        let inner = &self.0;
        match self.round().await {
            Ok(round) => {
                inner.fallen_back.store(false, Ordering::Release);
                Ok(round)
            }
            Err(error) if error.may_pass() => {
                if !inner.fallen_back.swap(true, Ordering::AcqRel) {
                    inner.fall_back().await;
                }
                Err(FeedError::LastGoodState { feeds: inner.shelf.at_hand().count, source: Box::new(error) })
            }
            Err(error) => Err(error),
        }
    }
}

impl Inner {
    async fn fall_back(&self) {
        let Some(kept) = self.kept.clone() else { return };
        let bytes_max = self.shelf.bytes_max() / 3;
        let sheets = match tokio::task::spawn_blocking(move || kept.newest::<About>(bytes_max)).await {
            Ok(Ok(sheets)) => sheets,
            Ok(Err(error)) => return tracing::warn!(error = %error, "the last good state cannot be read back"),
            Err(error) => return tracing::error!(error = %chain(&error), "reading the last good state back panicked"),
        };
        let count = sheets.len();
        for sheet in sheets {
            if matches!(sheet.about, About::Feed { .. }) {
                if let Some(snapshot) = self.feed_of(sheet) {
                    self.shelf.read_back(Arc::new(snapshot));
                }
            } else if let Some(overview) = self.overview_of(sheet).filter(|_| self.shelf.overview().is_none()) {
                self.shelf.put_overview(Arc::new(overview));
            }
        }
        tracing::warn!(sheets = count, "the ledger is away: feeds are served from the last good state");
    }

    /// Keeps what a feed reads like now. That it cannot be kept is no reason not to show it.
    pub(crate) async fn keep_sheet(&self, snapshot: &Arc<Snapshot>) {
        let Some(told_at) = snapshot.last_modified else { return };
        let head = snapshot.feed.head();
        self.keep(Sheet {
            name: head.name.to_string(),
            told_at,
            as_of: snapshot.as_of,
            about: About::Feed { title: head.title.clone(), description: head.description.clone() },
            texts: snapshot.documents.iter().chain([&snapshot.page]).map(Document::text).collect(),
        })
        .await;
    }

    pub(crate) async fn keep_overview(&self, overview: &Overview) {
        let Some(told_at) = overview.last_modified else { return };
        let summary = |summary: &FeedSummary| Summary {
            feed: summary.feed.to_string(),
            label: summary.label.clone(),
            entries: summary.entries,
            newest_at: summary.newest_at,
        };
        self.keep(Sheet {
            name: KEPT_AS.to_owned(),
            told_at,
            as_of: overview.as_of,
            about: About::Overview { summaries: overview.summaries.values().map(summary).collect() },
            texts: vec![overview.page.text(), overview.opml.text()],
        })
        .await;
    }

    async fn keep(&self, sheet: Sheet<About>) {
        let Some(kept) = self.kept.clone() else { return };
        let outcome = tokio::task::spawn_blocking(move || kept.keep(&sheet)).await;
        let fault = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(chain(&error)),
        };
        let was_fault = self.cannot_keep.swap(fault.is_some(), Ordering::AcqRel);
        if let Some(error) = fault.filter(|_| !was_fault) {
            tracing::warn!(error, "the last good state cannot be kept on disk; after a restart it will not be there");
        }
    }

    /// Forgets the sheets of feeds that changed and that nobody reads: they are kept up to date no more, and what was
    /// withdrawn must not come back.
    pub(crate) async fn forget_sheets(&self, changed: &[FeedName]) {
        let Some(kept) = self.kept.clone() else { return };
        let wanted = self.shelf.wanted_of(changed.to_vec());
        let names: Vec<String> = match self.shelf.seen() {
            0 => match self.sift().await {
                Ok(names) => names,
                Err(error) => return tracing::warn!(error = %chain(&error), "the sheets cannot be gone through"),
            },
            _ => changed.iter().filter(|name| !wanted.contains(name)).map(FeedName::to_string).collect(),
        };
        if names.is_empty() {
            return;
        }
        let forgetting = tokio::task::spawn_blocking(move || kept.forget(&names)).await;
        if !matches!(forgetting, Ok(Ok(()))) {
            tracing::warn!(outcome = ?forgetting, "sheets that are not true any more cannot be removed");
        }
    }

    /// The sheets of a former life that are not surely true any more.
    async fn sift(&self) -> Result<Vec<String>, FeedError> {
        let Some(kept) = self.kept.clone() else { return Ok(Vec::new()) };
        let true_until = tokio::task::spawn_blocking(move || kept.as_of()).await??;
        let mut stale = Vec::new();
        let Some(mut after) = true_until.values().min().copied() else { return Ok(stale) };
        loop {
            let (names, upto) = self.ledger.changed(after, SIFTED).await?;
            let full_page = names.len() >= SIFTED as usize;
            let wanted = self.shelf.wanted_of(names.clone());
            let gone_by = names.iter().filter(|name| !wanted.contains(name)).map(FeedName::to_string);
            stale.extend(gone_by.filter(|name| true_until.get(name).is_some_and(|until| *until < upto)));
            if !full_page {
                return Ok(stale);
            }
            after = upto;
        }
    }

    fn feed_of(&self, sheet: Sheet<About>) -> Option<Snapshot> {
        let About::Feed { title, description } = sheet.about else { return None };
        let name = FeedName::parse(&sheet.name)?;
        let [rss, atom, json, page] = <[_; 4]>::try_from(sheet.texts).ok()?;
        // its items stand in its texts alone
        let feed = Feed::assemble(&self.site, FeedHead { name, title, description }, &[], &[], self.window);
        let document = |format: Format, text| {
            Document::of(format.content_type(), text).with_link(discovery_link(&self.site, &feed, format))
        };
        Some(Snapshot {
            began: 0,
            read: 0,
            as_of: sheet.as_of,
            read_back: true,
            last_modified: Some(sheet.told_at),
            due_at: None,
            documents: [document(Format::Rss, rss), document(Format::Atom, atom), document(Format::Json, json)],
            page: Document::of(HTML, page),
            used: AtomicU64::default(),
            feed,
        })
    }

    fn overview_of(&self, sheet: Sheet<About>) -> Option<Overview> {
        let About::Overview { summaries } = sheet.about else { return None };
        let [page, opml] = <[_; 2]>::try_from(sheet.texts).ok()?;
        let summary = |summary: Summary| {
            let feed = FeedName::parse(&summary.feed)?;
            let Summary { label, entries, newest_at, .. } = summary;
            Some((feed.clone(), FeedSummary { feed, label, entries, newest_at }))
        };
        let summaries: BTreeMap<FeedName, FeedSummary> = summaries.into_iter().filter_map(summary).collect();
        let today = day(self.world.now());
        Some(Overview {
            day: today,
            listed: self.names.listed(&summaries, today),
            // they stand in the text alone
            latest: Vec::new(),
            as_of: sheet.as_of,
            read_back: true,
            last_modified: Some(sheet.told_at),
            summaries,
            page: Document::of(HTML, page),
            opml: Document::of(OPML, opml),
        })
    }
}
