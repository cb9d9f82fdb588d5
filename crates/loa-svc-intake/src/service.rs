//! The service as a whole: what it holds, and the two loops it runs.

use crate::{Config, Portal};
use loa_area::Directory;
use loa_bus::{Bus, Queue};
use loa_domain::{ArticleId, JourneyStep};
use loa_store::{IntakeLedger, OutboxState, StoreError};
use loa_worker::{Bell, ConsumeOptions, DriveOptions, Status, World, consume, drive};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Intake. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) portal: Portal,
    pub(crate) ledger: Arc<dyn IntakeLedger>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) world: World,
    /// Rung when the outbox has something.
    pub(crate) bell: Bell,
}

impl Service {
    /// Sets the service up. Opens nothing.
    pub fn new(
        config: Config,
        portal: Portal,
        ledger: Arc<dyn IntakeLedger>,
        directory: Arc<Directory>,
        world: World,
    ) -> Self {
        Self(Arc::new(Inner { config, portal, ledger, directory, world, bell: Bell::default() }))
    }

    /// Relays the outbox to the bus and archives what the bus brings, until `stop`. What is unconfirmed then is sent by
    /// whoever runs next.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let options = ConsumeOptions::of(Queue::Archive);
        let archiving = consume(options, bus.clone(), Arc::new(self.clone()), status.clone(), stop.clone());
        let relaying = drive(DriveOptions::named("intake"), &self.0.bell, &status, &stop, || self.step(&*bus));
        tokio::join!(archiving, relaying);
    }

    /// How full the outbox is.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn outbox(&self) -> Result<OutboxState, StoreError> {
        self.0.ledger.outbox_state().await
    }

    /// What intake knows of an article, oldest first.
    ///
    /// # Errors
    /// When the ledger is away.
    pub async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError> {
        self.0.ledger.journey(article).await
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.0.config).field("portal", &self.0.portal).finish()
    }
}
