//! The console service: the ledgers, the bus and the tokens that it asks.

use crate::{Config, Site, pages::Pages, walks::Walks};
use loa_area::Directory;
use loa_bus::Bus;
use loa_http::TokenCheck;
use loa_store::{DigestViews, FeedViews, IntakeViews, PushViews, WatchViews};
use loa_worker::{Status, World};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// What the console asks. Of ledgers it is handed only what reads.
#[derive(Clone)]
pub struct Doors {
    /// What came in.
    pub intake: Arc<dyn IntakeViews>,
    /// What stands in feeds.
    pub feed: Arc<dyn FeedViews>,
    /// What was mailed.
    pub digest: Arc<dyn DigestViews>,
    /// What was delivered.
    pub push: Arc<dyn PushViews>,
    /// Portals that are watched.
    pub watch: Arc<dyn WatchViews>,
    /// Queues and dead letters.
    pub bus: Arc<dyn Bus>,
    /// Who may look.
    pub tokens: Arc<dyn TokenCheck>,
}

/// The console. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) site: Site,
    pub(crate) doors: Doors,
    pub(crate) directory: Arc<Directory>,
    pub(crate) status: Arc<Status>,
    pub(crate) world: World,
    pub(crate) pages: Pages,
    pub(crate) walks: Walks,
}

impl Service {
    /// Sets the service up. `status` is the process's own, shown to operators. `tasks`: what the process waits
    /// for before it closes the bus.
    pub fn new(
        config: Config,
        site: Site,
        doors: Doors,
        directory: Arc<Directory>,
        status: Arc<Status>,
        world: World,
        tasks: TaskTracker,
    ) -> Self {
        let (pages, walks) = (Pages::new(&site), Walks::new(tasks));
        Self(Arc::new(Inner { config, site, doors, directory, status, world, pages, walks }))
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.0.config).field("site", &self.0.site).finish()
    }
}
