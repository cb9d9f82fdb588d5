//! The service as a whole: what it holds, and the two loops it runs.

use crate::{
    Config,
    egress::{Guard, client},
    hub::Hub,
    rest::{BreakerRule, Rests},
    send::Sender,
    step::Finished,
};
use loa_area::Directory;
use loa_bus::{Bus, Queue};
use loa_domain::Event;
use loa_store::{Accepted, PushLedger, StoreError};
use loa_webhook::NetworkError;
use loa_worker::{Bell, ConsumeOptions, DriveOptions, Status, World, consume, drive};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Why the service can't be set up: the configuration is wrong. Each sentence says where to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A network can't be read.
    #[error("push.allow_networks: {0}")]
    Network(#[from] NetworkError),
    /// A setting is out of range, or can't be read.
    #[error("{0}")]
    Setting(String),
    /// A CA file can't be read.
    #[error("the CA file {path} cannot be read (push.trusted_ca_files)")]
    CaFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The binary must install a provider before it builds services; without one, reqwest would panic.
    #[error("no TLS provider is installed in this process")]
    NoTlsProvider,
    /// The HTTP client can't be built.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
}

/// The push outlet. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) ledger: Arc<dyn PushLedger>,
    pub(crate) world: World,
    pub(crate) directory: Arc<Directory>,
    pub(crate) sender: Sender,
    pub(crate) bell: Bell,
    /// One slot for each attempt that may be under way.
    pub(crate) slots: Arc<Semaphore>,
    /// Only one step at a time claims and records.
    pub(crate) stepping: tokio::sync::Mutex<()>,
    /// Attempts that ended and are not yet in the ledger; never more than there are slots.
    finished: Mutex<Vec<Finished>>,
    rests: Mutex<Rests>,
    /// `None`: the configuration wants no hub.
    pub(crate) hub: Option<Arc<Hub>>,
}

/// Where people and machines find this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where readers find the feeds: stands in them. The hub's topics are below it.
    pub public_url: Url,
    /// Where the hub reads the feeds, when the configuration does not say; often the same.
    pub feed_url: Url,
}

impl Service {
    /// Sets the service up. Opens nothing yet. A TLS provider must have been installed in the process.
    ///
    /// # Errors
    /// When the configuration is wrong; see [`SetupError`].
    pub fn new(
        config: Config,
        identity: &Identity,
        ledger: Arc<dyn PushLedger>,
        directory: Arc<Directory>,
        world: World,
    ) -> Result<Self, SetupError> {
        let guard = Guard::new(config.egress_policy()?);
        let sender = Sender { client: client(&config.client(Some(&guard)))?, guard };
        let rule = BreakerRule {
            failures: config.breaker_failures.max(1),
            rest: Duration::from_secs(config.breaker_rest_seconds),
            rest_max: Duration::from_secs(config.breaker_rest_seconds_max),
        };
        let hub = Hub::of(&config, identity, ledger.clone(), world.clone())?;
        Ok(Self(Arc::new(Inner {
            hub,
            slots: Arc::new(Semaphore::new(config.in_flight_max.max(1) as usize)),
            ledger,
            world,
            directory,
            sender,
            bell: Bell::default(),
            stepping: tokio::sync::Mutex::new(()),
            finished: Mutex::default(),
            rests: Mutex::new(Rests::new(rule)),
            config,
        })))
    }

    /// Takes a batch of events in: one delivery owed to each endpoint that wants it. Events seen before change nothing.
    ///
    /// # Errors
    /// When the ledger does not take them; then it took none.
    pub async fn accept(&self, batch: &[Event]) -> Result<Accepted, StoreError> {
        let accepted = self.0.ledger.accept(batch, self.0.world.now()).await?;
        metrics::counter!("loa_push_events_accepted_total").increment(accepted.fresh);
        self.0.bell.ring();
        if let Some(hub) = self.0.hub.as_ref().filter(|_| accepted.fresh > 0) {
            hub.something_happened();
        }
        Ok(accepted)
    }

    /// Consumes `loa.push` and delivers until `stop`; then waits for attempts under way, up to the configured time, and
    /// records them. What is still under way then is sent again, under the same id, when its lease has ended.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let arrivals =
            consume(ConsumeOptions::of(Queue::Push), bus, Arc::new(self.clone()), status.clone(), stop.clone());
        let delivering = drive(DriveOptions::named("push"), &self.0.bell, &status, &stop, || self.step());
        let telling = async {
            if let Some(hub) = &self.0.hub {
                hub.run(&status, &stop).await;
            }
        };
        tokio::join!(arrivals, delivering, telling);
        let longest = Duration::from_secs(self.0.config.stop_seconds_max);
        let draining = async {
            let (telling, delivering) = tokio::join!(self.hub_drain(), self.drain());
            telling.and(delivering)
        };
        match tokio::time::timeout(longest, draining).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "attempts that ended during the stop could not be recorded; they will be repeated")
            }
            Err(_) => tracing::warn!("attempts were still under way at the end of the stop; they will be repeated"),
        }
    }

    /// Whether the ledger answers, for `loa check`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.0.ledger.ping().await
    }
}

impl Inner {
    pub(crate) fn finished(&self) -> MutexGuard<'_, Vec<Finished>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rests(&self) -> MutexGuard<'_, Rests> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.0.config).finish()
    }
}
