//! The keeper of archive documents (RFC 5005 §4): everything that stands in a feed, month by month,
//! however old.
//!
//! They are written when somebody asks for one, once however many do, and cached while memory
//! allows. A cached one is true as long as its feed has not changed; while the ledger is away it is
//! served on. Each month has its page, too: people's way to older news.

use super::{
    OVERTAKEN_MAX,
    cache::{Cache, CacheFigures},
    changes::Changes,
    feeds::Feeds,
    flights::Flights,
    writer::{ArchiveDocument, ArchiveKey, Writer},
};
use crate::error::FeedError;
use loa_store::StoreErrorKind;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Archive documents written at a time. Apart from the feeds' own: who walks through years of archives holds nobody up.
const WRITING_MAX: usize = 2;

/// An archive document; `None` when nothing that stands was published then.
type Answer = Result<Option<Arc<ArchiveDocument>>, Arc<FeedError>>;

/// The archive documents in memory.
pub(crate) struct Archives {
    writer: Arc<Writer>,
    changes: Arc<Changes>,
    /// For what a feed is called now.
    feeds: Arc<Feeds>,
    cache: Cache<ArchiveKey, ArchiveDocument>,
    flights: Flights<ArchiveKey, Answer>,
    writing: Semaphore,
}

impl Archives {
    pub(crate) fn new(writer: Arc<Writer>, changes: Arc<Changes>, feeds: Arc<Feeds>, bytes_max: usize) -> Self {
        let (cache, flights, writing) = (Cache::new(bytes_max), Flights::default(), Semaphore::new(WRITING_MAX));
        Self { writer, changes, feeds, cache, flights, writing }
    }

    /// One of a feed's archive documents; `None` when nothing that stands was published then.
    pub(crate) async fn get(&self, key: &ArchiveKey) -> Answer {
        let cached = self.cache.get(key);
        if let Some(true_one) = cached.clone().filter(|cached| self.is_true(key, cached)) {
            return Ok(Some(true_one));
        }
        let write = async {
            // the semaphore is never closed; were it, writing without a permit is right as well
            let _permit = self.writing.acquire().await.ok();
            match self.cache.get(key).filter(|cached| self.is_true(key, cached)) {
                Some(cached) => Ok(Some(cached)),
                None => self.write(key).await.map_err(Arc::new),
            }
        };
        match self.flights.once(key, write).await {
            Err(error) if error.may_pass() && cached.is_some() => Ok(cached),
            written => written,
        }
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        self.cache.figures()
    }

    pub(crate) fn bytes_max(&self) -> usize {
        self.cache.cost_max()
    }

    fn is_true(&self, key: &ArchiveKey, cached: &ArchiveDocument) -> bool {
        self.changes.is_current(std::slice::from_ref(&key.0), &cached.validity, self.writer.now())
    }

    async fn write(&self, key: &ArchiveKey) -> Result<Option<Arc<ArchiveDocument>>, FeedError> {
        for _ in 1..OVERTAKEN_MAX {
            match self.write_once(key).await {
                // another replica has told readers of a later change meanwhile
                Err(FeedError::Ledger(error)) if error.kind == StoreErrorKind::Stale => {}
                written => return written,
            }
        }
        self.write_once(key).await
    }

    async fn write_once(&self, key: &ArchiveKey) -> Result<Option<Arc<ArchiveDocument>>, FeedError> {
        let (feed, name, _) = key;
        let Some(rows) = self.writer.archive_rows(feed, *name).await? else {
            self.cache.remove(key);
            return Ok(None);
        };
        let head = self.feeds.get(feed).await?.feed.head().clone();
        let archive = Arc::new(self.writer.archive(key, head, rows, self.cache.peek(key)).await?);
        if archive.last_modified.is_some() {
            self.cache.put(key.clone(), archive.clone());
        }
        Ok(Some(archive))
    }
}
