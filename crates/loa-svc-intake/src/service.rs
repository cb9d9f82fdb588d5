//! The intake service: what it holds, and the loops it runs.

use crate::{Config, Portal, rounds::Rounds, throttle::Throttle, turns::Turns};
use loa_area::Directory;
use loa_bus::{Bus, Queue};
use loa_domain::{ArticleKey, FaultName, JourneyLine, Outlet, Worker};
use loa_store::{IntakeLedger, OutboxState, SetAside, StoreError};
use loa_worker::{Bounded, ConsumeOptions, DriveOptions, Progress, Status, WakeUp, World, consume, drive};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How long the oldest event has waited for the bus.
const OUTBOX_AGE: &str = "loa_outbox_oldest_age_seconds";
/// How long the oldest event of back-files has waited for the bus.
const BACK_FILES_AGE: &str = "loa_outbox_back_files_oldest_age_seconds";
/// The time between two looks at the outbox; counting a large one takes some milliseconds.
const OUTBOX_LOOK: Duration = Duration::from_secs(5);

/// Intake. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) portal: Portal,
    pub(crate) ledger: Arc<dyn IntakeLedger>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) world: World,
    /// Woken when the outbox has something.
    pub(crate) wake_up: WakeUp,
    /// Where submissions are put through the gate.
    pub(crate) decoding: Bounded,
    /// The heartbeats that were sent.
    pub(crate) rounds: Mutex<Rounds>,
    /// What went to the bus, and what may go now.
    pub(crate) turns: Mutex<Turns>,
    /// Whose submissions are taken when.
    pub(crate) throttle: Mutex<Throttle>,
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
        Self(Arc::new(Inner {
            config,
            portal,
            ledger,
            directory,
            world,
            wake_up: WakeUp::default(),
            decoding: Bounded::default(),
            rounds: Mutex::default(),
            turns: Mutex::default(),
            throttle: Mutex::default(),
        }))
    }

    /// Relays the outbox to the bus, archives what the bus brings, and sends heartbeats, until `stop`. What is unconfirmed
    /// then is sent by whoever runs next.
    pub async fn run(&self, bus: Arc<dyn Bus>, status: Arc<Status>, stop: CancellationToken) {
        let options = ConsumeOptions::of(Queue::Archive);
        let archiving = consume(options, bus.clone(), Arc::new(self.clone()), status.clone(), stop.clone());
        let relaying = drive(DriveOptions::of(Worker::Of(Outlet::Intake)), &self.0.wake_up, &status, &stop, || async {
            self.look_at_queues(&*bus).await;
            let progress = self.relay(&*bus, &status).await?;
            Ok::<Progress, StoreError>(self.await_turn(progress, &stop).await)
        });
        let (measuring, beating) = (self.measure_until(&stop, &status), self.beat_until(&stop, &*bus));
        tokio::join!(archiving, relaying, measuring, beating);
    }

    async fn measure_until(&self, stop: &CancellationToken, status: &Status) {
        loop {
            self.measure(status).await;
            if stop.run_until_cancelled(tokio::time::sleep(OUTBOX_LOOK)).await.is_none() {
                return;
            }
        }
    }

    async fn beat_until(&self, stop: &CancellationToken, bus: &dyn Bus) {
        let Some(every) = self.beat_every() else { return };
        let beating = async {
            loop {
                self.beat_and_tell(bus).await;
                tokio::time::sleep(every).await;
            }
        };
        // it ends with the stop only
        let _: Option<()> = stop.run_until_cancelled(beating).await;
    }

    /// Measures the outbox: also, and above all, while nothing leaves it.
    async fn measure(&self, status: &Status) {
        match self.outbox().await {
            Ok(state) => {
                metrics::gauge!("loa_outbox_waiting").set(state.waiting as f64);
                let set_aside = state.set_aside.as_ref().map_or(0, |set_aside| set_aside.count);
                metrics::gauge!("loa_outbox_set_aside").set(set_aside as f64);
                status.judge(FaultName::SetAside, state.set_aside.as_ref().map(SetAside::fault));
                note_age(status, OUTBOX_AGE, state.oldest_at);
                let back_files = state.back_files.as_ref();
                metrics::gauge!("loa_outbox_back_files_waiting")
                    .set(back_files.map_or(0, |waiting| waiting.count) as f64);
                note_age(status, BACK_FILES_AGE, back_files.and_then(|waiting| waiting.oldest_at));
                self.tell_of_holding(status, back_files.is_some());
            }
            // the relay's own dependency says so; the age goes on being counted
            Err(error) => tracing::debug!(%error, "the outbox cannot be measured"),
        }
    }

    async fn beat_and_tell(&self, bus: &dyn Bus) {
        let outcome = match self.beat(bus).await {
            Ok(0) => "sent",
            Ok(queues) => {
                tracing::debug!(queues, "queues that are too deep get no heartbeat");
                "sent_in_part"
            }
            Err(error) => {
                // the bus's connections tell why; the ages of heartbeats tell that it matters
                tracing::debug!(kind = error.kind.as_str(), %error, "a heartbeat was not sent");
                "failed"
            }
        };
        metrics::counter!("loa_heartbeats_sent_total", "outcome" => outcome).increment(1);
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
    pub async fn journey(&self, article: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError> {
        self.0.ledger.journey(article).await
    }
}

fn note_age(status: &Status, metric: &'static str, oldest_at: Option<jiff::Timestamp>) {
    match oldest_at {
        Some(at) => status.note(metric, "", at),
        None => {
            status.forget(metric, "");
            metrics::gauge!(metric).set(0.0);
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("config", &self.0.config).field("portal", &self.0.portal).finish()
    }
}
