//! The service as a whole: what it holds, and the two loops it runs.

use crate::{
    Config, Identity,
    archives::Archives,
    dating::FormDate,
    flights::Flights,
    kept::Kept,
    memory::Shares,
    naming::Names,
    pages::Pages,
    publishing::FeedError,
    repeats::Repeats,
    shelf::{Shelf, Snapshot},
};
use jiff::Timestamp;
use loa_area::Directory;
use loa_bus::{Bus, Queue};
use loa_domain::{Event, FeedName};
use loa_feed::{Site, TagAuthority, TagError, Window, feeds_of};
use loa_store::{Accepted, FeedArrival, FeedLedger, StoreError};
use loa_worker::{Bell, ConsumeOptions, DriveOptions, Progress, Status, World, consume, drive};
use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Feeds written at a time because somebody asked for one that is not at hand. Writing is work for the processor.
const WRITING_MAX: usize = 2;
/// The shortest rest between two rounds of writing, which is as long as the round before at least: an import of thousands of
/// articles writes each feed twenty times a second at most and takes half a processor, a single article goes out at once, and
/// what comes in between is seen within this and two rounds.
const COALESCE: Duration = Duration::from_millis(50);

/// The shortest rest between two writings of page and list of all feeds, which is ten times as long as the writing at least:
/// with ten thousand feeds it must not keep news from them.
const OVERVIEW_REST: Duration = Duration::from_secs(1);

/// Why the service can't be set up: the configuration is wrong. Each sentence says where to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A setting is out of range.
    #[error("{0}")]
    Setting(String),
    /// The authority of ids is none.
    #[error("site.tag_authority: {0}")]
    Authority(#[from] TagError),
    /// The day of the authority is none.
    #[error("site.tag_date is {0:?}; it must be a day like 2026-01-01")]
    Date(String),
    /// A template of ours does not compile: a defect.
    #[error("the pages cannot be set up")]
    Pages(#[from] minijinja::Error),
}

/// The feed outlet. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) site: Arc<Site>,
    pub(crate) window: Window,
    pub(crate) names: Arc<Names>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) ledger: Arc<dyn FeedLedger>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) world: World,
    pub(crate) shares: Shares,
    pub(crate) shelf: Shelf,
    pub(crate) zone: jiff::tz::TimeZone,
    pub(crate) archives: Archives,
    pub(crate) form_date: FormDate,
    /// `None`: the last good state is kept in memory alone.
    pub(crate) kept: Option<Arc<Kept>>,
    /// Whether the ledger was away at the last step.
    pub(crate) fallen_back: AtomicBool,
    /// Whether the last sheet could not be written.
    pub(crate) cannot_keep: AtomicBool,
    /// Feeds being written because somebody asked.
    pub(crate) flights: Flights<FeedName, Result<Arc<Snapshot>, Arc<FeedError>>>,
    pub(crate) writing: Semaphore,
    pub(crate) repeats: Repeats,
    bell: Bell,
}

impl Service {
    /// Sets the service up. Opens nothing yet.
    ///
    /// # Errors
    /// When the configuration is wrong; see [`SetupError`].
    pub fn new(
        config: Config,
        identity: Identity,
        ledger: Arc<dyn FeedLedger>,
        directory: Arc<Directory>,
        world: World,
    ) -> Result<Self, SetupError> {
        if let Some(fault) = config.fault() {
            return Err(SetupError::Setting(fault));
        }
        let on = identity.tag_date.parse().map_err(|_| SetupError::Date(identity.tag_date.clone()))?;
        let site = Arc::new(Site {
            tag: TagAuthority::new(&identity.tag_authority, on)?,
            base: identity.public_url,
            title: identity.portal_name,
            publisher: config.publisher.clone(),
            language: config.language.clone(),
            ttl_minutes: config.ttl_minutes,
            hub: identity.hub,
        });
        let shares = Shares::of(config.memory_bytes_max);
        let names = Arc::new(Names::new(site.clone(), directory.clone(), config.categories));
        Ok(Self(Arc::new(Inner {
            pages: Arc::new(Pages::new(site.clone())?),
            window: Window {
                entries_max: config.entries_max as usize,
                bytes_max: config.document_bytes_max as usize,
                tombstones_max: config.tombstones_max as usize,
            },
            site,
            names,
            ledger,
            directory,
            kept: Kept::new(&config.snapshot_dir, config.snapshots_max, config.snapshot_bytes_max, world.bytes())
                .map(Arc::new),
            repeats: Repeats::new(config.whole_answers_max, world.bytes()),
            world,
            shelf: Shelf::new(shares),
            shares,
            fallen_back: AtomicBool::new(false),
            cannot_keep: AtomicBool::new(false),
            zone: identity.zone,
            archives: Archives::new(shares.archives),
            form_date: FormDate::default(),
            flights: Flights::default(),
            writing: Semaphore::new(WRITING_MAX),
            bell: Bell::default(),
        })))
    }

    /// Takes a batch of events in, in one transaction. Events seen before change nothing.
    ///
    /// # Errors
    /// When the ledger does not take them; then it took none.
    pub async fn accept(&self, batch: &[Event]) -> Result<Accepted, StoreError> {
        self.accept_at(batch, self.0.world.now()).await
    }

    /// As [`Self::accept`], as of an instant: for a ledger that is being restored.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub async fn accept_at(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        let arrivals: Vec<FeedArrival> = batch
            .iter()
            .map(|event| FeedArrival {
                feeds: event.content().map(|content| feeds_of(content, &event.reach)).unwrap_or_default(),
                event: event.clone(),
            })
            .collect();
        let accepted = self.0.ledger.accept(&arrivals, at).await?;
        metrics::counter!("loa_feed_events_accepted_total").increment(accepted.fresh);
        self.0.bell.ring();
        Ok(accepted)
    }

    /// Consumes `loa.feed` and keeps what is at hand up to date, until `stop`.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let arrivals =
            consume(ConsumeOptions::of(Queue::Feed), bus, Arc::new(self.clone()), status.clone(), stop.clone());
        let overview = Mutex::new((tokio::time::Instant::now(), Duration::ZERO));
        let publishing = drive(DriveOptions::named("feed"), &self.0.bell, &status, &stop, || async {
            let began = tokio::time::Instant::now();
            let written = self.round_or_fall_back().await;
            self.0.report_memory();
            let written = written?;
            if written.feeds > 0 {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(COALESCE.max(began.elapsed())) => {}
                }
            }
            let (written_at, rest) = *overview.lock().unwrap_or_else(PoisonError::into_inner);
            if written_at.elapsed() >= rest {
                let began = tokio::time::Instant::now();
                self.keep_form_date().await;
                self.refresh_overview().await?;
                let rest = OVERVIEW_REST.max(10 * began.elapsed());
                *overview.lock().unwrap_or_else(PoisonError::into_inner) = (began, rest);
            }
            Ok::<Progress, crate::FeedError>(written.progress)
        });
        tokio::join!(arrivals, publishing);
    }

    /// Whether the ledger answers, for `loa check`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.0.ledger.ping().await
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("site", &self.0.site).finish()
    }
}
