//! The last good state: what readers were shown, kept on disk, so that it can be shown again after
//! a restart while the ledger is away.
//!
//! Keepers hand it in before readers see it; the service has it read back when the ledger does not
//! answer, and keepers forget what is not true any more. The ledger is the truth: nothing here is
//! read while the ledger can be. That something cannot be kept is no reason not to show it, so
//! faults are logged here and go no further. It knows documents by their bytes alone.

pub(crate) mod files;

use crate::{error::FeedError, names::Summaries};
use bytes::Bytes;
use files::{Folder, LastGoodFile};
use jiff::Timestamp;
use loa_domain::{FeedName, with_causes};
use loa_store::FeedSummary;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Where the last good state is kept.
pub(crate) struct LastGood {
    /// `None`: nowhere; what is in memory is all there is.
    folder: Option<Arc<Folder>>,
    /// Whether the last one could not be kept.
    is_faulty: AtomicBool,
}

/// A feed, as readers were shown it.
pub(crate) struct LastGoodFeed {
    pub(crate) name: FeedName,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Its `Last-Modified`.
    pub(crate) told_at: Timestamp,
    /// RSS, Atom, JSON Feed.
    pub(crate) documents: [Bytes; 3],
    pub(crate) page: Bytes,
}

/// The list of all feeds, as readers were shown it.
pub(crate) struct LastGoodOverview {
    pub(crate) summaries: Summaries,
    /// Its `Last-Modified`.
    pub(crate) told_at: Timestamp,
    /// The change number up to which it was true.
    pub(crate) as_of: i64,
    pub(crate) page: Bytes,
    pub(crate) opml: Bytes,
}

/// One of them, read back.
pub(crate) enum ReadBack {
    Feed(LastGoodFeed),
    Overview(LastGoodOverview),
}

/// The name of the list of all feeds among the files; no feed's.
const OVERVIEW: &str = "feeds";

/// What a file says beside its texts.
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

impl LastGood {
    pub(crate) fn new(folder: Option<Folder>) -> Self {
        Self { folder: folder.map(Arc::new), is_faulty: AtomicBool::new(false) }
    }

    /// Whether anything is kept on disk.
    pub(crate) fn is_kept(&self) -> bool {
        self.folder.is_some()
    }

    /// Keeps what a feed reads like now. `as_of`: the change number up to which it is true.
    pub(crate) async fn keep_feed(&self, feed: LastGoodFeed, as_of: i64) {
        self.keep(LastGoodFile {
            name: feed.name.to_string(),
            told_at: feed.told_at,
            as_of,
            about: About::Feed { title: feed.title, description: feed.description },
            texts: feed.documents.into_iter().chain([feed.page]).collect(),
        })
        .await;
    }

    /// Keeps what the list of all feeds reads like now.
    pub(crate) async fn keep_overview(&self, overview: LastGoodOverview) {
        let summary = |summary: &FeedSummary| Summary {
            feed: summary.feed.to_string(),
            label: summary.label.clone(),
            entries: summary.entries,
            newest_at: summary.newest_at,
        };
        self.keep(LastGoodFile {
            name: OVERVIEW.to_owned(),
            told_at: overview.told_at,
            as_of: overview.as_of,
            about: About::Overview { summaries: overview.summaries.values().map(summary).collect() },
            texts: vec![overview.page, overview.opml],
        })
        .await;
    }

    /// What readers were shown last, the last written first, until it has so many bytes. Empty when it cannot be read.
    pub(crate) async fn newest(&self, bytes_max: usize) -> Vec<ReadBack> {
        match self.blocking(move |folder| folder.newest::<About>(bytes_max)).await {
            Ok(files) => files.into_iter().filter_map(read_back).collect(),
            Err(error) => {
                tracing::warn!(error = %with_causes(&error), "the last good state cannot be read back");
                Vec::new()
            }
        }
    }

    /// Forgets the last good state of these feeds.
    pub(crate) async fn forget(&self, feeds: &[FeedName]) {
        if feeds.is_empty() {
            return;
        }
        let names: Vec<String> = feeds.iter().map(FeedName::to_string).collect();
        if let Err(error) = self.blocking(move |folder| folder.forget(&names)).await {
            tracing::warn!(error = %with_causes(&error), "a last good state that is not true any more cannot be removed");
        }
    }

    /// Up to which change number each is true, by its name.
    pub(crate) async fn as_of(&self) -> Result<BTreeMap<String, i64>, FeedError> {
        self.blocking(Folder::as_of).await
    }

    async fn keep(&self, file: LastGoodFile<About>) {
        let outcome = self.blocking(move |folder| folder.keep(&file)).await;
        let was_faulty = self.is_faulty.swap(outcome.is_err(), Ordering::AcqRel);
        if let Err(error) = outcome
            && !was_faulty
        {
            tracing::warn!(error = %with_causes(&error), "the last good state cannot be kept on disk; after a restart it will not be there");
        }
    }

    /// Does something with the folder, apart from the readers. Nothing, where none is kept.
    async fn blocking<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FeedError> {
        let Some(folder) = self.folder.clone() else { return Ok(T::default()) };
        let done = tokio::task::spawn_blocking(move || work(&folder)).await?;
        done.map_err(FeedError::LastGoodFile)
    }
}

/// `None`: it is none of ours any more.
fn read_back(file: LastGoodFile<About>) -> Option<ReadBack> {
    let LastGoodFile { name, told_at, as_of, about, texts } = file;
    match about {
        About::Feed { title, description } => {
            let name = FeedName::parse(&name)?;
            let [rss, atom, json, page] = <[_; 4]>::try_from(texts).ok()?;
            let documents = [rss, atom, json];
            Some(ReadBack::Feed(LastGoodFeed { name, title, description, told_at, documents, page }))
        }
        About::Overview { summaries } => {
            let [page, opml] = <[_; 2]>::try_from(texts).ok()?;
            let summary = |summary: Summary| {
                let feed = FeedName::parse(&summary.feed)?;
                let Summary { label, entries, newest_at, .. } = summary;
                Some((feed.clone(), FeedSummary { feed, label, entries, newest_at }))
            };
            let summaries = summaries.into_iter().filter_map(summary).collect();
            Some(ReadBack::Overview(LastGoodOverview { summaries, told_at, as_of, page, opml }))
        }
    }
}
