//! The consuming loop over real queues in a file, with a ledger that misbehaves on command.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

use async_trait::async_trait;
use loa_bus::{
    Administer, Bus, BusError, BusErrorKind, Chosen, Connect, Consume, Consumer, DeadLetter, DeadReason, Discarded,
    HEARTBEAT, HEARTBEAT_HOST, HEARTBEAT_INSTALLATION, HEARTBEAT_SENT_AT, Health, Measure, Message, Outgoing, Place,
    Publish, Queue, Received, Redriven, Route, Settlement, Tag,
};
use loa_bus_sqlite::SqliteBus;
use loa_domain::{BusFact, Dependency, Fault, Outlet, TopologyThing, TroubleKind};
use loa_worker::{
    AcceptError, ConsumeOptions, DependencyState, HEARTBEAT_AGE, Handler, Inspection, Status, WatchOptions, consume,
    watch,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A ledger in memory. Bodies tell it what to do: `bad` cannot be decoded, `new` is of a source that
/// only a refresh makes known, `strange` of one that nobody knows, `torn` panics while being decoded, `bomb`
/// panics while being accepted, `sour` is not accepted, `taken` is always somebody else's already.
#[derive(Default)]
struct Ledger {
    accepted: Mutex<Vec<String>>,
    batches: AtomicU32,
    /// Answers that it is away.
    away: AtomicBool,
    /// Answers so many times that another replica was first.
    conflicts: AtomicU32,
    /// How often what messages are decoded by was brought up to date; and so many times that cannot be done.
    refreshed: AtomicU32,
    unrefreshable: AtomicU32,
    /// Holds each accept until it is let go.
    hold: AtomicBool,
    let_go: Notify,
    /// Rung at each call of accept.
    called: Notify,
}

#[async_trait]
impl Handler for Ledger {
    type Item = (String, String);

    fn decode(&self, message: &Message) -> Result<Self::Item, DeadReason> {
        let body = String::from_utf8(message.body.to_vec()).unwrap();
        assert!(body != "torn", "a defect in decoding");
        if body == "bad" {
            return Err(DeadReason { reason: "no title".to_owned(), cause: None, position: "/data/title".to_owned() });
        }
        if body == "strange" || (body == "new" && self.refreshed.load(Ordering::SeqCst) == 0) {
            return Err(DeadReason { reason: "no portal's".to_owned(), cause: None, position: "/source".to_owned() });
        }
        Ok((message.id.clone(), body))
    }

    async fn refresh(&self) -> Result<(), AcceptError> {
        if self.unrefreshable.load(Ordering::SeqCst) > 0 {
            self.unrefreshable.fetch_sub(1, Ordering::SeqCst);
            return Err(AcceptError::Unavailable("the list is away".into()));
        }
        self.refreshed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn accept(&self, batch: Vec<Self::Item>) -> Result<(), AcceptError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        self.called.notify_one();
        if self.away.load(Ordering::SeqCst) {
            return Err(AcceptError::Unavailable("disk is full".into()));
        }
        if self.conflicts.load(Ordering::SeqCst) > 0 {
            self.conflicts.fetch_sub(1, Ordering::SeqCst);
            return Err(AcceptError::Conflict("such a row is there already".into()));
        }
        if self.hold.load(Ordering::SeqCst) {
            self.let_go.notified().await;
        }
        for (_, body) in &batch {
            assert!(body != "bomb", "a defect in accepting");
            if body == "sour" {
                return Err(AcceptError::Failed("a constraint does not hold".into()));
            }
            if body == "taken" {
                return Err(AcceptError::Conflict("such a row is there already".into()));
            }
        }
        self.accepted.lock().unwrap().extend(batch.into_iter().map(|(id, _)| id));
        Ok(())
    }
}

/// A service in miniature.
struct House {
    bus: Arc<dyn Bus>,
    ledger: Arc<Ledger>,
    status: Arc<Status>,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

async fn queues() -> (Arc<SqliteBus>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock: loa_bus::Clock = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
    let bus = SqliteBus::open(folder.path().join("bus.db"), clock).await.unwrap();
    bus.declare().await.unwrap();
    (Arc::new(bus), folder)
}

/// Publishes bodies as messages `0`, `1`, … and starts to consume them.
async fn house(ledger: Ledger, bodies: &[&str]) -> House {
    let (bus, folder) = queues().await;
    publish(&*bus, bodies).await;
    start(bus, folder, ledger)
}

fn start(bus: Arc<dyn Bus>, folder: tempfile::TempDir, ledger: Ledger) -> House {
    let (ledger, status, stop) = (Arc::new(ledger), Arc::new(Status::default()), CancellationToken::new());
    let options = ConsumeOptions {
        wait: Duration::from_millis(50),
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(5),
        ..ConsumeOptions::of(Queue::Feed)
    };
    let running = tokio::spawn(consume(options, bus.clone(), ledger.clone(), status.clone(), stop.clone()));
    House { bus, ledger, status, stop, running, _folder: folder }
}

async fn publish(bus: &dyn Publish, bodies: &[&str]) {
    let batch = bodies.iter().enumerate().map(|(n, body)| Outgoing {
        route: Route::Queue(Queue::Feed),
        message: Message {
            id: n.to_string(),
            content_type: if *body == "beat" { HEARTBEAT.to_owned() } else { String::new() },
            headers: BTreeMap::new(),
            body: if *body == "beat" { "{}".into() } else { bytes::Bytes::copy_from_slice(body.as_bytes()) },
        },
    });
    for outcome in bus.publish(batch.collect()).await {
        outcome.unwrap();
    }
}

impl House {
    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let waiting = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
    }

    async fn until_accepted(&self, ids: &[&str]) {
        self.until(&format!("{ids:?} to be accepted"), async || *self.ledger.accepted.lock().unwrap() == ids).await;
    }

    async fn dead(&self) -> Vec<DeadLetter> {
        self.bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap()
    }

    /// Stops; returns messages ready and dead, after what was held has gone back.
    async fn stop(self) -> (u64, u64) {
        self.stop.cancel();
        timeout(PATIENCE, self.running).await.expect("it stops").unwrap();
        self.bus.depth(Queue::Feed).await.unwrap()
    }
}

#[tokio::test]
async fn poison_is_isolated_and_its_neighbours_go_through() {
    let house = house(Ledger::default(), &["a", "bad", "c"]).await;
    house.until_accepted(&["0", "2"]).await;
    house.until("the dead letter", async || house.dead().await.len() == 1).await;
    let dead = house.dead().await.remove(0);
    assert_eq!((dead.message.id.as_str(), dead.reason.reason.as_str()), ("1", "no title"));
    assert_eq!(dead.reason.position, "/data/title");
    assert_eq!(house.stop().await, (0, 1));
}

#[tokio::test]
async fn a_source_counts_as_unknown_only_after_what_is_known_was_brought_up_to_date() {
    let house = house(Ledger::default(), &["new", "strange", "c"]).await;
    house.until_accepted(&["0", "2"]).await;
    house.until("the dead letter", async || house.dead().await.len() == 1).await;
    let dead = house.dead().await.remove(0);
    assert_eq!((dead.message.id.as_str(), dead.reason.position.as_str()), ("1", "/source"));
    assert_eq!(house.stop().await, (0, 1));
}

#[tokio::test]
async fn while_nothing_is_known_of_sources_the_batch_is_held_and_no_event_is_judged() {
    let ledger = Ledger { unrefreshable: 30.into(), ..Ledger::default() };
    let house = house(ledger, &["new", "new"]).await;
    house.until_accepted(&["0", "1"]).await;
    assert_eq!(house.ledger.unrefreshable.load(Ordering::SeqCst), 0, "it was tried again and again");
    assert!(house.dead().await.is_empty());
    house.until("readiness", async || house.status.ready()).await;
    assert_eq!(house.stop().await, (0, 0));
}

#[tokio::test]
async fn a_ledger_that_is_away_holds_the_batch_and_then_takes_it() {
    let ledger = Ledger { away: true.into(), ..Ledger::default() };
    let house = house(ledger, &["a", "bad", "c"]).await;
    for _ in 0..30 {
        timeout(PATIENCE, house.ledger.called.notified()).await.expect("it is tried again and again");
    }
    assert!(!house.status.ready(), "readiness says so");
    assert!(
        matches!(&house.status.dependencies()[&Dependency::Accepting(Outlet::Feed)], DependencyState::Down(why) if why.detail.as_str().contains("disk is full"))
    );
    assert!(house.dead().await.is_empty(), "nothing of the batch is settled meanwhile");
    assert_eq!(house.bus.depth(Queue::Feed).await.unwrap(), (0, 0), "it is held, and no delivery is counted");
    house.ledger.away.store(false, Ordering::SeqCst);
    house.until_accepted(&["0", "2"]).await;
    house.until("readiness", async || house.status.ready()).await;
    assert_eq!(house.stop().await, (0, 1));
}

#[tokio::test]
async fn a_conflict_with_another_replica_is_tried_again_in_place_and_costs_no_delivery() {
    let ledger = Ledger { conflicts: 3.into(), ..Ledger::default() };
    let house = house(ledger, &["a", "b", "c"]).await;
    house.until_accepted(&["0", "1", "2"]).await;
    assert_eq!(house.ledger.batches.load(Ordering::SeqCst), 4, "the same batch, whole");
    assert!(house.status.ready(), "it is no outage");
    assert_eq!(house.stop().await, (0, 0));
}

#[tokio::test]
async fn a_panic_in_decoding_costs_its_own_message_only() {
    let house = house(Ledger::default(), &["a", "torn", "c"]).await;
    house.until_accepted(&["0", "2"]).await;
    house.until("the delivery limit", async || house.dead().await.len() == 1).await;
    let dead = house.dead().await.remove(0);
    assert_eq!(dead.message.id, "1");
    assert!(dead.reason.reason.contains("delivery limit"), "{:?}", dead.reason);
    assert_eq!(*house.ledger.accepted.lock().unwrap(), ["0", "2"], "the neighbours went through once");
    assert_eq!(house.stop().await, (0, 1));
}

#[tokio::test]
async fn a_panic_or_failure_in_accepting_costs_its_own_message_only() {
    for fault in ["bomb", "sour", "taken"] {
        let house = house(Ledger::default(), &["a", "b", fault, "d", "e", "f", "g"]).await;
        house.until_accepted(&["0", "1", "3", "4", "5", "6"]).await;
        house.until("the delivery limit", async || house.dead().await.len() == 1).await;
        assert_eq!(house.dead().await[0].message.id, "2", "{fault}");
        assert_eq!(house.stop().await, (0, 1), "{fault}");
    }
}

#[tokio::test]
async fn a_heartbeat_is_acked_and_never_reaches_the_handler() {
    let house = house(Ledger::default(), &["beat", "a", "beat"]).await;
    house.until_accepted(&["1"]).await;
    assert_eq!(house.stop().await, (0, 0));
}

#[tokio::test]
async fn the_newest_heartbeat_that_came_through_is_noted() {
    let (bus, folder) = queues().await;
    for sent_at in ["2026-11-23T08:00:00Z", "2026-11-23T08:01:00Z", "yesterday", "2026-11-23T07:59:00Z"] {
        let message = Message {
            id: sent_at.to_owned(),
            content_type: HEARTBEAT.to_owned(),
            headers: BTreeMap::from([(HEARTBEAT_SENT_AT.to_owned(), sent_at.to_owned())]),
            body: "{}".into(),
        };
        bus.publish(vec![Outgoing { route: Route::Queue(Queue::Feed), message }]).await.remove(0).unwrap();
    }
    let house = start(bus, folder, Ledger::default());
    let newest = "2026-11-23T08:01:00Z".parse().ok();
    house.until("the newest", async || house.status.noted(HEARTBEAT_AGE, "loa.feed") == newest).await;
    assert_eq!(house.stop().await, (0, 0), "each is acked, also one that does not say when it was sent");
}

#[tokio::test]
async fn a_heartbeat_of_the_future_hides_no_later_one_and_the_clock_is_named() {
    let now: jiff::Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    let clock = Arc::new(Mutex::new(now));
    let reader = clock.clone();
    let folder = tempfile::tempdir().unwrap();
    let bus = SqliteBus::open(folder.path().join("bus.db"), Arc::new(move || now)).await.unwrap();
    bus.declare().await.unwrap();
    let (status, stop) = (Arc::new(Status::by(Arc::new(move || *reader.lock().unwrap()))), CancellationToken::new());
    let (bus, ledger) = (Arc::new(bus), Arc::new(Ledger::default()));
    let consuming =
        tokio::spawn(consume(ConsumeOptions::of(Queue::Feed), bus.clone(), ledger, status.clone(), stop.clone()));
    let beat = async |sent_at: &str, key: &str| {
        let headers = [(HEARTBEAT_SENT_AT, sent_at), (HEARTBEAT_INSTALLATION, "9f"), (HEARTBEAT_HOST, "vps-2")];
        let message = Message {
            id: sent_at.to_owned(),
            content_type: HEARTBEAT.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: "{}".into(),
        };
        bus.publish(vec![Outgoing { route: Route::Topic(key.to_owned()), message }]).await.remove(0).unwrap();
    };
    let until = async |sent_at: jiff::Timestamp| {
        let waiting = async {
            while status.noted(HEARTBEAT_AGE, "loa.feed") != Some(sent_at) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("it is heard");
    };
    beat("2027-01-01T00:00:00Z", "article.heartbeat").await;
    until(now).await;
    let ahead = Fault::ClockAhead { host: "vps-2".into() };
    assert_eq!(status.faults(), [(ahead.name(), ahead)].into());
    let later = now + jiff::SignedDuration::from_secs(30);
    *clock.lock().unwrap() = later;
    beat(&later.to_string(), "system.heartbeat").await;
    until(later).await;
    let heard: Vec<_> =
        status.take_heard().into_iter().map(|one| (one.binding, one.installation, one.sent_at)).collect();
    assert_eq!(heard, [("article.#".into(), "9f".into(), now), ("system.heartbeat".into(), "9f".into(), later)]);
    assert!(status.faults().is_empty(), "its clock is right again");
    stop.cancel();
    consuming.await.unwrap();
}

#[tokio::test]
async fn the_topology_is_watched_and_readiness_names_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let clock: loa_bus::Clock = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
    let bus = Arc::new(SqliteBus::open(folder.path().join("bus.db"), clock).await.unwrap());
    let (status, stop) = (Arc::new(Status::default()), CancellationToken::new());
    let options = WatchOptions {
        queues: vec![Queue::Feed],
        unrouted: true,
        every: Duration::from_millis(5),
        inspect_every: None,
        inspection: Inspection::Leftovers,
    };
    let watching = tokio::spawn(watch(options, bus.clone(), status.clone(), stop.clone()));
    let until = async |is_so: &dyn Fn() -> bool| {
        let waiting = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("it is reported");
    };
    until(&|| {
        let missing = BusFact::Missing { thing: TopologyThing::Queue { name: "loa.archive".into() } };
        status.why_down(Dependency::Topology).is_some_and(|why| why.facts == [missing])
    })
    .await;
    bus.declare().await.unwrap();
    until(&|| status.dependencies().get(&Dependency::Topology) == Some(&DependencyState::Up)).await;
    // a broker that is away says nothing of its queues
    bus.close().await;
    stop.cancel();
    timeout(PATIENCE, watching).await.expect("it stops").unwrap();
    assert!(status.ready());
}

#[tokio::test]
async fn stopping_finishes_the_batch_in_hand() {
    let ledger = Ledger { hold: true.into(), ..Ledger::default() };
    let house = house(ledger, &["a", "b"]).await;
    timeout(PATIENCE, house.ledger.called.notified()).await.expect("the batch is being accepted");
    house.stop.cancel();
    house.ledger.let_go.notify_one();
    let ledger = house.ledger.clone();
    assert_eq!(house.stop().await, (0, 0), "accepted and acked");
    assert_eq!(*ledger.accepted.lock().unwrap(), ["0", "1"]);
}

#[tokio::test]
async fn stopping_while_the_ledger_is_away_gives_the_batch_back() {
    let ledger = Ledger { away: true.into(), ..Ledger::default() };
    let house = house(ledger, &["a", "bad"]).await;
    timeout(PATIENCE, house.ledger.called.notified()).await.expect("the batch is being tried");
    assert_eq!(house.stop().await, (2, 0), "both are there for the next process");
}

#[tokio::test]
async fn a_missing_queue_is_told_and_consumed_once_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let clock: loa_bus::Clock = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
    let bus = Arc::new(SqliteBus::open(folder.path().join("bus.db"), clock).await.unwrap());
    let house = start(bus, folder, Ledger::default());
    // before the first try it is not ready either, and nothing is said yet
    let told = || match house.status.dependencies().get(&Dependency::Queue(Outlet::Feed)) {
        Some(DependencyState::Down(why)) => why.kind == TroubleKind::TopologyMissing,
        _ => false,
    };
    house.until("the report", async || told()).await;
    assert!(!house.status.ready());
    house.bus.declare().await.unwrap();
    publish(&*house.bus, &["a"]).await;
    house.until_accepted(&["0"]).await;
    house.until("readiness", async || house.status.ready()).await;
    assert_eq!(house.stop().await, (0, 0));
}

/// Real queues whose consumers end in the worst moment: after the accept, before the broker has heard the ack.
struct Torn {
    queues: Arc<SqliteBus>,
    /// Settlements still to be lost.
    lost: Arc<AtomicU32>,
}

struct TornConsumer(Box<dyn Consumer>, Arc<AtomicU32>);

#[async_trait]
impl Consumer for TornConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Received>, BusError> {
        self.0.receive(max, wait).await
    }

    async fn settle(&mut self, decisions: Vec<(Tag, Settlement)>) -> Result<(), BusError> {
        let more = self.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if more {
            return Err(BusError::new(BusErrorKind::Unavailable, "the connection was lost"));
        }
        self.0.settle(decisions).await
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        self.0.close().await
    }
}

#[async_trait]
impl Publish for Torn {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), BusError>> {
        self.queues.publish(batch).await
    }
}

#[async_trait]
impl Consume for Torn {
    async fn consume(&self, queue: Queue, prefetch: u16) -> Result<Box<dyn Consumer>, BusError> {
        Ok(Box::new(TornConsumer(self.queues.consume(queue, prefetch).await?, self.lost.clone())))
    }
}

#[async_trait]
impl Administer for Torn {
    async fn declare(&self) -> Result<Vec<loa_bus::Declared>, BusError> {
        self.queues.declare().await
    }
    async fn check(&self) -> Result<Vec<loa_domain::TopologyThing>, BusError> {
        self.queues.check().await
    }
    async fn dead_letters(&self, place: Place, chosen: &Chosen, max: usize) -> Result<Vec<DeadLetter>, BusError> {
        self.queues.dead_letters(place, chosen, max).await
    }
    async fn redrive(&self, place: Place, chosen: &Chosen, key: Option<&str>) -> Result<Redriven, BusError> {
        self.queues.redrive(place, chosen, key).await
    }
    async fn discard(&self, place: Place, chosen: &Chosen) -> Result<Discarded, BusError> {
        self.queues.discard(place, chosen).await
    }
}

#[async_trait]
impl Measure for Torn {
    async fn depth(&self, queue: Queue) -> Result<(u64, u64), BusError> {
        self.queues.depth(queue).await
    }
    async fn longest(&self, enough: u64) -> Result<(Queue, u64), BusError> {
        self.queues.longest(enough).await
    }
    async fn unrouted(&self) -> Result<u64, BusError> {
        self.queues.unrouted().await
    }
}

#[async_trait]
impl Connect for Torn {
    fn health(&self) -> Health {
        self.queues.health()
    }
    async fn close(&self) {
        self.queues.close().await;
    }
}

#[tokio::test]
async fn a_crash_between_accept_and_ack_brings_the_batch_again() {
    let (queues, folder) = queues().await;
    publish(&*queues, &["a", "b"]).await;
    let bus = Torn { queues, lost: Arc::new(3.into()) };
    let house = start(Arc::new(bus), folder, Ledger::default());
    // the ledger sees every repeat; that it takes none twice is its own promise
    house.until_accepted(&["0", "1", "0", "1", "0", "1", "0", "1"]).await;
    house.until("readiness", async || house.status.ready()).await;
    assert_eq!(house.stop().await, (0, 0));
}
