//! The door itself: two links, a publisher, and the calls that join them.

use crate::{
    carriage::Parcel,
    config::{RabbitConfig, Random},
    consumer::{ChannelConsumer, Opening},
    dead::Graveyard,
    fault::closed,
    link::{Link, Session},
    publish::Publisher,
    topology,
};
use async_trait::async_trait;
use loa_bus::{
    Administer, BusError, BusErrorKind, Clock, Consume, Consumer, DeadLetter, Health, Message, Outgoing, Publish,
    Queue, UNROUTED, limits,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// The longest wait for both supervisors' farewells.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A RabbitMQ broker, reached or not.
pub struct RabbitBus {
    clock: Clock,
    answer_timeout: Duration,
    publishing: Arc<Link>,
    consuming: Arc<Link>,
    publisher: Arc<Publisher>,
    closed: AtomicBool,
    supervisors: TaskTracker,
    stop: CancellationToken,
    // a bus that is dropped without `close` leaves no supervisors behind
    _stop_when_dropped: DropGuard,
}

impl RabbitBus {
    /// Begins to connect, and goes on for ever; returns at once, whether the broker is there or not. To be called inside
    /// a tokio runtime. [`Administer::health`] says how it goes.
    ///
    /// # Errors
    /// `Refused` when the address cannot be understood, or wants TLS of a build that has none.
    pub fn connect(config: RabbitConfig, clock: Clock, random: Random) -> Result<Self, BusError> {
        let uri = config.uri()?;
        let stop = CancellationToken::new();
        let supervisors = TaskTracker::new();
        let link = |role| {
            let link = Arc::new(Link::new(role));
            supervisors.spawn(link.clone().supervise(config.clone(), uri.clone(), random.clone(), stop.clone()));
            link
        };
        let (publishing, consuming) = (link("publishing"), link("consuming"));
        supervisors.close();
        Ok(Self {
            clock,
            answer_timeout: config.confirm_timeout,
            publisher: Arc::new(Publisher::new(publishing.clone(), config.confirm_timeout)),
            publishing,
            consuming,
            closed: AtomicBool::new(false),
            supervisors,
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        })
    }

    fn open(&self) -> Result<(), BusError> {
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    /// The consuming session: operators' questions go there too, because an alarm does not block it.
    async fn session(&self) -> Result<Session, BusError> {
        self.open()?;
        self.consuming.session(Instant::now() + self.answer_timeout).await
    }

    async fn graveyard(&self, queue: Queue) -> Result<Graveyard, BusError> {
        let channel = topology::open(&self.session().await?, self.answer_timeout).await?;
        Ok(Graveyard::new(channel, queue, self.answer_timeout))
    }
}

#[async_trait]
impl Publish for RabbitBus {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), BusError>> {
        if self.open().is_err() {
            return batch.iter().map(|_| Err(closed())).collect();
        }
        let mut outcomes: Vec<_> = batch.iter().map(limits::check).collect();
        let (places, parcels): (Vec<usize>, Vec<Parcel>) = batch
            .into_iter()
            .enumerate()
            .filter(|(place, _)| outcomes[*place].is_ok())
            .map(|(place, outgoing)| (place, Parcel::outgoing(outgoing)))
            .unzip();
        for (place, outcome) in places.into_iter().zip(self.publisher.publish(&parcels).await) {
            outcomes[place] = outcome;
        }
        outcomes
    }

    fn takes(&self) -> Result<(), BusError> {
        self.open()?;
        match self.publishing.health() {
            // while connecting, a publish waits for the connection
            Health::Up | Health::Connecting => Ok(()),
            health @ Health::Blocked(_) => Err(BusError::new(BusErrorKind::Blocked, health.to_string())),
            health @ Health::Refused(_) => Err(BusError::new(BusErrorKind::Refused, health.to_string())),
            health @ Health::Down(_) => Err(BusError::new(BusErrorKind::Unavailable, health.to_string())),
        }
    }
}

#[async_trait]
impl Consume for RabbitBus {
    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<Box<dyn Consumer>, BusError> {
        let opening = Opening {
            session: self.session().await?,
            publisher: self.publisher.clone(),
            clock: self.clock.clone(),
            queue,
            prefetch,
            answer_timeout: self.answer_timeout,
        };
        Ok(Box::new(ChannelConsumer::open(opening).await?))
    }
}

#[async_trait]
impl Administer for RabbitBus {
    async fn declare(&self) -> Result<Vec<String>, BusError> {
        topology::declare(&self.session().await?, self.answer_timeout).await
    }

    async fn check(&self) -> Result<(), BusError> {
        topology::check(&self.session().await?, self.answer_timeout).await
    }

    async fn depth(&self, queue: Queue) -> Result<(u64, u64), BusError> {
        let channel = topology::open(&self.session().await?, self.answer_timeout).await?;
        let ready = topology::depth(&channel, queue.name(), self.answer_timeout).await?;
        let dead = topology::depth(&channel, queue.dead_name(), self.answer_timeout).await?;
        Ok((ready, dead))
    }

    async fn unrouted(&self) -> Result<u64, BusError> {
        let channel = topology::open(&self.session().await?, self.answer_timeout).await?;
        topology::depth(&channel, UNROUTED, self.answer_timeout).await
    }

    async fn dead_letters(&self, queue: Queue, max: usize) -> Result<Vec<DeadLetter>, BusError> {
        self.graveyard(queue).await?.look(max).await
    }

    async fn redrive(&self, queue: Queue, ids: &[String]) -> Result<u64, BusError> {
        self.graveyard(queue).await?.redrive(ids, &self.publisher).await
    }

    async fn discard(&self, queue: Queue, ids: &[String]) -> Result<Vec<Message>, BusError> {
        if ids.is_empty() {
            return self.open().map(|()| Vec::new());
        }
        let letters = self.graveyard(queue).await?.discard(ids).await?;
        Ok(letters.into_iter().map(|letter| letter.message).collect())
    }

    fn health(&self) -> Health {
        // not reached is worse than not taken, and that worse than not heard of yet
        let severity = |health: &Health| match health {
            Health::Up => 0,
            Health::Connecting => 1,
            Health::Blocked(_) => 2,
            Health::Refused(_) => 3,
            Health::Down(_) => 4,
        };
        self.doors().into_iter().map(|(_, health)| health).max_by_key(severity).unwrap_or(Health::Connecting)
    }

    fn doors(&self) -> Vec<(&'static str, Health)> {
        if self.open().is_err() {
            return vec![("bus", Health::Down("closed by us".to_owned()))];
        }
        let mut publishing = self.publishing.health();
        if publishing == Health::Up
            && let Some(why) = self.publisher.refusal()
        {
            publishing = Health::Refused(why);
        }
        vec![("bus publishing", publishing), ("bus consuming", self.consuming.health())]
    }

    async fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.publisher.close().await;
        self.stop.cancel();
        if tokio::time::timeout(CLOSE_TIMEOUT, self.supervisors.wait()).await.is_err() {
            tracing::debug!("the broker did not answer our farewell in time");
        }
    }
}

impl std::fmt::Debug for RabbitBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RabbitBus").field("health", &self.health()).finish_non_exhaustive()
    }
}
