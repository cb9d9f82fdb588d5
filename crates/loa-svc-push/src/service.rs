//! The service as a whole: what it holds, and the two loops it runs.

use crate::{Config, breakers::Breakers, send::Sender};
use loa_area::Directory;
use loa_bus::{Bus, Queue};
use loa_domain::{BreakerRule, Calendar, Event, NetworkError, Outlet, Worker};
use loa_egress::{ClientError, Guard, client};
use loa_store::{Accepted, AttemptRecord, PushDoors, StoreError};
use loa_worker::{ConsumeOptions, DriveOptions, InFlight, Portals, Status, WakeUp, World, consume, drive};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Why the service can't be set up: the configuration is wrong. Each sentence says where to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A network can't be read.
    #[error("push.allow_networks: {0}")]
    Network(#[from] NetworkError),
    /// The HTTP client can't be built.
    #[error("push: {0}")]
    Client(#[from] ClientError),
}

/// Told whenever events came in that were not seen before.
pub type Listener = Arc<dyn Fn() + Send + Sync>;

/// The push outlet. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) doors: PushDoors,
    pub(crate) world: World,
    pub(crate) directory: Arc<Directory>,
    pub(crate) calendar: Calendar,
    pub(crate) portals: Portals,
    pub(crate) sender: Sender,
    pub(crate) wake_up: WakeUp,
    /// Attempts under way, and those that ended and are not yet in the ledger.
    pub(crate) attempts: InFlight<String, AttemptRecord>,
    /// Only one step at a time claims and records.
    pub(crate) stepping: tokio::sync::Mutex<()>,
    breakers: Mutex<Breakers>,
    listener: Option<Listener>,
}

impl Service {
    /// Sets the service up. Opens nothing yet. A TLS provider must have been installed in the process.
    ///
    /// # Errors
    /// When the configuration is wrong; see [`SetupError`].
    pub fn new(
        config: Config,
        doors: PushDoors,
        directory: Arc<Directory>,
        calendar: Calendar,
        portals: Portals,
        world: World,
        listener: Option<Listener>,
    ) -> Result<Self, SetupError> {
        let guard = Guard::new(config.egress_policy()?);
        let sender = Sender { client: client(&config.client(Some(&guard)))?, guard };
        let rule = BreakerRule {
            failures: config.breaker_failures.max(1),
            open: Duration::from_secs(config.breaker_open_seconds),
            open_max: Duration::from_secs(config.breaker_open_seconds_max),
        };
        let wake_up = WakeUp::default();
        Ok(Self(Arc::new(Inner {
            attempts: InFlight::new(config.in_flight_max, wake_up.clone()),
            doors,
            world,
            directory,
            calendar,
            portals,
            sender,
            wake_up,
            stepping: tokio::sync::Mutex::new(()),
            breakers: Mutex::new(Breakers::new(rule)),
            listener,
            config,
        })))
    }

    /// Takes a batch of events in: one delivery owed to each endpoint that wants it. Events seen before change nothing.
    ///
    /// # Errors
    /// When the ledger does not take them; then it took none.
    pub async fn accept(&self, batch: &[Event]) -> Result<Accepted, StoreError> {
        let accepted = self.0.doors.arrivals.accept(batch, self.0.world.now()).await?;
        metrics::counter!("loa_push_events_accepted_total").increment(accepted.fresh);
        metrics::counter!("loa_event_ids_used_again_total", "outlet" => "push").increment(accepted.reused);
        self.0.wake_up.wake();
        if let Some(listener) = self.0.listener.as_ref().filter(|_| accepted.fresh > 0) {
            listener();
        }
        Ok(accepted)
    }

    /// Consumes `loa.push` and delivers until `stop`; then waits for attempts under way, up to the configured time, and
    /// records them. What is still under way then is sent again, under the same id, when its lease has ended.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let arrivals =
            consume(ConsumeOptions::of(Queue::Push), bus, Arc::new(self.clone()), status.clone(), stop.clone());
        let delivering =
            drive(DriveOptions::of(Worker::Of(Outlet::Push)), &self.0.wake_up, &status, &stop, || self.step());
        tokio::join!(arrivals, delivering);
        let longest = Duration::from_secs(self.0.config.stop_seconds_max);
        match tokio::time::timeout(longest, self.drain()).await {
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
        self.0.doors.views.ping().await
    }
}

impl Inner {
    pub(crate) fn breakers(&self) -> MutexGuard<'_, Breakers> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.0.config).finish()
    }
}
