//! The console service: the ledgers, the bus and the tokens that it asks.

use crate::{Config, Site, pages::Pages};
use loa_area::Directory;
use loa_bus::Bus;
use loa_http::TokenCheck;
use loa_store::{DigestViews, FeedViews, IntakeViews, PushViews};
use loa_worker::{Status, World};
use std::sync::Arc;

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
}

impl Service {
    /// Sets the service up. `status` is the process's own, shown to operators.
    pub fn new(
        config: Config,
        site: Site,
        doors: Doors,
        directory: Arc<Directory>,
        status: Arc<Status>,
        world: World,
    ) -> Self {
        let pages = Pages::new(&site);
        Self(Arc::new(Inner { config, site, doors, directory, status, world, pages }))
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.0.config).field("site", &self.0.site).finish()
    }
}
