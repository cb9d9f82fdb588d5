//! Implements the traits of `loa-bus`: two links, a publisher, and the calls that use them.

use crate::{
    asking::Asking,
    carriage::{Parcel, new_key},
    config::{RabbitConfig, Random},
    consumer::{ChannelConsumer, Opening},
    dead::Graveyard,
    fault::closed,
    inspection,
    link::{Link, Session},
    management::Management,
    publish::Publisher,
    rights::Whose,
    topology::{self, Declaring},
};
use async_trait::async_trait;
use loa_bus::{
    Administer, BusError, BusErrorKind, Chosen, Clock, Connect, Consume, Consumer, DeadLetter, Declared, Discarded,
    Finding, Health, Measure, Outgoing, Place, Publish, Queue, Redriven, UNROUTED, limits,
};
use loa_domain::{BusFact, BusReason, TopologyThing};
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
    random: Random,
    answer_timeout: Duration,
    whose: Whose,
    management: Option<Management>,
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
    /// a tokio runtime. [`Connect::health`] says how it goes.
    ///
    /// # Errors
    /// `Refused` when the settings cannot be used; the sentence says which.
    pub fn connect(config: RabbitConfig, clock: Clock, random: Random) -> Result<Self, BusError> {
        let server = config.server()?;
        let (whose, management) = (server.whose(), config.management(&server)?);
        let stop = CancellationToken::new();
        let supervisors = TaskTracker::new();
        let link = |role| {
            let link = Arc::new(Link::new(role));
            supervisors.spawn(link.clone().supervise(config.clone(), server.clone(), random.clone(), stop.clone()));
            link
        };
        let (publishing, consuming) = (link("publishing"), link("consuming"));
        supervisors.close();
        Ok(Self {
            clock,
            random,
            answer_timeout: config.confirm_timeout,
            whose,
            management,
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

    async fn graveyard(&self, place: Place) -> Result<Graveyard<'_>, BusError> {
        let channel = topology::open(&self.session().await?, self.answer_timeout).await?;
        Ok(Graveyard::new((channel, place), &self.publisher, new_key(&self.random), self.answer_timeout))
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
            Health::Blocked(reason) => {
                Err(BusError::new(BusErrorKind::Blocked, "the broker takes nothing for now").with(reason))
            }
            Health::Refused(reason) => Err(BusError::new(BusErrorKind::Refused, "the broker refuses us").with(reason)),
            Health::Down(reason) => {
                Err(BusError::new(BusErrorKind::Unavailable, "no connection to the broker").with(reason))
            }
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
            random: self.random.clone(),
            queue,
            prefetch,
            answer_timeout: self.answer_timeout,
        };
        Ok(Box::new(ChannelConsumer::open(opening).await?))
    }
}

#[async_trait]
impl Administer for RabbitBus {
    async fn declare(&self) -> Result<Vec<Declared>, BusError> {
        let declaring = Declaring {
            asking: Asking::over(self.session().await?, self.answer_timeout),
            publisher: &self.publisher,
            management: self.management.as_ref(),
            whose: &self.whose,
            answer_timeout: self.answer_timeout,
        };
        declaring.run().await
    }

    async fn check(&self) -> Result<Vec<TopologyThing>, BusError> {
        topology::check(Asking::over(self.session().await?, self.answer_timeout)).await
    }

    async fn inspect(&self) -> Result<Vec<Finding>, BusError> {
        let asking = Asking::over(self.session().await?, self.answer_timeout);
        inspection::inspect(asking, self.management.as_ref(), &self.whose).await
    }

    async fn leftovers(&self) -> Result<Vec<Finding>, BusError> {
        inspection::leftovers(Asking::over(self.session().await?, self.answer_timeout), &self.whose).await
    }

    async fn dead_letters(&self, place: Place, chosen: &Chosen, max: usize) -> Result<Vec<DeadLetter>, BusError> {
        if chosen.is_nothing() {
            return self.open().map(|()| Vec::new());
        }
        self.graveyard(place).await?.list(chosen, max).await
    }

    async fn redrive(&self, place: Place, chosen: &Chosen, routing_key: Option<&str>) -> Result<Redriven, BusError> {
        limits::check_redrive(place, routing_key)?;
        if chosen.is_nothing() {
            return self.open().map(|()| Redriven::default());
        }
        self.graveyard(place).await?.redrive(chosen, routing_key).await
    }

    async fn discard(&self, place: Place, chosen: &Chosen) -> Result<Discarded, BusError> {
        if chosen.is_nothing() {
            return self.open().map(|()| Discarded::default());
        }
        self.graveyard(place).await?.discard(chosen).await
    }
}

#[async_trait]
impl Measure for RabbitBus {
    async fn depth(&self, queue: Queue) -> Result<(u64, u64), BusError> {
        let channel = topology::open(&self.session().await?, self.answer_timeout).await?;
        let ready = topology::depth(&channel, queue.name(), self.answer_timeout).await?;
        let dead = topology::depth(&channel, queue.dead_name(), self.answer_timeout).await?;
        Ok((ready, dead))
    }

    async fn longest(&self, enough: u64) -> Result<(Queue, u64), BusError> {
        let channel = topology::open(&self.session().await?, self.answer_timeout).await?;
        let mut longest = (Queue::Archive, 0);
        for queue in Queue::ALL {
            let ready = topology::depth(&channel, queue.name(), self.answer_timeout).await?;
            if ready > longest.1 {
                longest = (queue, ready);
            }
            if ready >= enough {
                break;
            }
        }
        Ok(longest)
    }

    async fn unrouted(&self) -> Result<u64, BusError> {
        let channel = topology::open(&self.session().await?, self.answer_timeout).await?;
        topology::depth(&channel, UNROUTED, self.answer_timeout).await
    }
}

#[async_trait]
impl Connect for RabbitBus {
    fn health(&self) -> Health {
        // not reached is worse than not taken, and that worse than not heard of yet
        let severity = |health: &Health| match health {
            Health::Up => 0,
            Health::Connecting => 1,
            Health::Blocked(_) => 2,
            Health::Refused(_) => 3,
            Health::Down(_) => 4,
        };
        self.connections().into_iter().map(|(_, health)| health).max_by_key(severity).unwrap_or(Health::Connecting)
    }

    fn connections(&self) -> Vec<(&'static str, Health)> {
        if self.open().is_err() {
            return vec![("bus", Health::Down(BusReason::of(BusFact::ClosedByUs)))];
        }
        let mut publishing = self.publishing.health();
        if publishing == Health::Up
            && let Some(why) = self.publisher.refusal()
        {
            publishing = Health::Refused(why);
        }
        vec![("bus publishing", publishing), ("bus consuming", self.consuming.health())]
    }

    fn reached(&self) -> Option<String> {
        self.consuming.reached()
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
