//! The service as a whole: it owns the keepers and runs two loops, one that takes events in and one
//! that writes anew.
//!
//! Events go from the bus through [`Service::accept`] into the ledger. [`Service::step`] asks the
//! ledger what changed and has the keepers write it anew; the loop and the tests call the same
//! step. A step is safe to repeat at any point: one that fails half-way is done again from the same
//! change number, and writing the same rows gives the same bytes. When the ledger is away, a step
//! brings back what readers were shown before the start.

mod refreshing;

use crate::{
    Config, FeedError, Identity,
    keep::{
        archives::Archives, budget::Budget, changes::Changes, combinations::Combinations, feeds::Feeds,
        overview::Overviews, writer::Writer,
    },
    last_good::{LastGood, files::Folder},
    names::Names,
    pacing::{Pacing, rest_after},
    page::pages::Pages,
};
use jiff::Timestamp;
use loa_area::Directory;
use loa_bus::{Bus, Queue};
use loa_domain::{Calendar, Event, Outlet, Worker};
use loa_feed::{Site, TagAuthority, TagError, Window, feeds_of};
use loa_store::{Accepted, FeedArrival, FeedLedger, StoreError};
use loa_worker::{ConsumeOptions, DriveOptions, Portals, Progress, Status, WakeUp, World, consume, drive};
use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

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
    pub(crate) writer: Arc<Writer>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) portals: Portals,
    /// The portal's own address.
    pub(crate) portal: Url,
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) archives: Archives,
    pub(crate) combinations: Combinations,
    pub(crate) overviews: Overviews,
    /// Most full responses with an unchanged document to one address; see [`Config::full_responses_max`].
    pub(crate) full_responses_max: u32,
    changes: Arc<Changes>,
    last_good: Arc<LastGood>,
    /// Whether the ledger was away at the last step.
    is_away: AtomicBool,
    pacing: Mutex<Pacing>,
    wake_up: WakeUp,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whether there may be more to do.
    pub progress: Progress,
    /// How long to rest before the next one.
    pub rest: Duration,
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
        let folder =
            Folder::new(&config.last_good_dir, config.last_good_feeds_max, config.last_good_bytes_max, world.bytes());
        let budget = Budget::of(config.memory_bytes_max);
        let (full_responses_max, portals, portal) =
            (config.full_responses_max, identity.portals.clone(), identity.portal_url.clone());
        let writer = Arc::new(writer(config, identity, ledger, directory.clone(), world)?);
        let (changes, last_good) = (Arc::new(Changes::default()), Arc::new(LastGood::new(folder)));
        let feeds = Arc::new(Feeds::new(writer.clone(), changes.clone(), last_good.clone(), budget.feeds));
        Ok(Self(Arc::new(Inner {
            archives: Archives::new(writer.clone(), changes.clone(), feeds.clone(), budget.archives),
            combinations: Combinations::new(writer.clone(), changes.clone(), budget.combinations),
            overviews: Overviews::new(writer.clone(), last_good.clone(), feeds.clone()),
            full_responses_max,
            writer,
            directory,
            portals,
            portal,
            feeds,
            changes,
            last_good,
            is_away: AtomicBool::new(false),
            pacing: Mutex::default(),
            wake_up: WakeUp::default(),
        })))
    }

    /// Takes a batch of events in, in one transaction. Events seen before change nothing.
    ///
    /// # Errors
    /// When the ledger does not take them; then it took none.
    pub async fn accept(&self, batch: &[Event]) -> Result<Accepted, StoreError> {
        self.accept_at(batch, self.0.writer.now()).await
    }

    /// As [`Self::accept`], as of an instant: for a ledger that is being restored.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub async fn accept_at(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        let portals = self.0.portals.list();
        let home = &portals.home().slug;
        let arrivals: Vec<FeedArrival> = batch
            .iter()
            .map(|event| FeedArrival {
                feeds: event
                    .content()
                    .map(|content| feeds_of(content, &event.reach, event.portal.as_ref().unwrap_or(home)))
                    .unwrap_or_default(),
                event: event.clone(),
            })
            .collect();
        let accepted = self.0.writer.ledger.accept(&arrivals, at).await?;
        metrics::counter!("loa_feed_events_accepted_total").increment(accepted.fresh);
        metrics::counter!("loa_event_ids_used_again_total", "outlet" => "feed").increment(accepted.reused);
        self.0.wake_up.wake();
        Ok(accepted)
    }

    /// Consumes `loa.feed` and keeps what is cached up to date, until `stop`.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let arrivals =
            consume(ConsumeOptions::of(Queue::Feed), bus, Arc::new(self.clone()), status.clone(), stop.clone());
        let writing = drive(DriveOptions::of(Worker::Of(Outlet::Feed)), &self.0.wake_up, &status, &stop, || async {
            let step = self.step(Instant::now()).await;
            self.0.report_caches();
            let Step { progress, rest } = step?;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(rest) => {}
            }
            Ok::<Progress, FeedError>(progress)
        });
        tokio::join!(arrivals, writing);
    }

    /// Writes anew what changed since the last step, of the feeds that somebody reads, and the list of all feeds when its rest
    /// is over. `at`: now, by the clock that rests are counted with.
    ///
    /// # Errors
    /// When the ledger is away; the next step does the same work. A feed that cannot be written for another reason (a row
    /// that cannot be read, a defect) is logged and keeps its last good bytes; the others go through.
    pub async fn step(&self, at: Instant) -> Result<Step, FeedError> {
        let inner = &self.0;
        let (written, progress) = inner.refresh_feeds_or_fall_back().await?;
        let rest = rest_after(written, at.elapsed());
        let pacing = *inner.pacing.lock().unwrap_or_else(PoisonError::into_inner);
        if pacing.overview_is_due(at) {
            let began = Instant::now().max(at);
            inner.combinations.keep_form_date().await;
            inner.overviews.refresh().await?;
            let pacing = pacing.overview_written(began, Instant::now());
            *inner.pacing.lock().unwrap_or_else(PoisonError::into_inner) = pacing;
        }
        Ok(Step { progress, rest })
    }

    /// Whether the ledger answers, for `loa check`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.0.writer.ledger.ping().await
    }
}

/// What makes documents of the ledger's rows: the site as feeds name it, their names, their pages, their length.
fn writer(
    config: Config,
    identity: Identity,
    ledger: Arc<dyn FeedLedger>,
    directory: Arc<Directory>,
    world: World,
) -> Result<Writer, SetupError> {
    let on = identity.tag_date.parse().map_err(|_| SetupError::Date(identity.tag_date.clone()))?;
    let calendar = Calendar::new(identity.zone);
    let site = Arc::new(Site {
        tag: TagAuthority::new(&identity.tag_authority, on)?,
        base: identity.public_url,
        title: identity.portal_name,
        publisher: config.publisher,
        language: config.language,
        ttl_minutes: config.ttl_minutes,
        hub: identity.hub,
        calendar: calendar.clone(),
    });
    let window = Window {
        entries_max: config.entries_max as usize,
        bytes_max: config.document_bytes_max as usize,
        tombstones_max: config.tombstones_max as usize,
    };
    let names = Names::new(site.clone(), directory, calendar.clone(), config.categories, identity.portals);
    let pages = Pages::new(site.clone(), calendar)?;
    Ok(Writer { names: Arc::new(names), pages: Arc::new(pages), site, window, ledger, world })
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("site", &self.0.writer.site).finish()
    }
}
