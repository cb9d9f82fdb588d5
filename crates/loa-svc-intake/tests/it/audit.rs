//! The audit: what an outlet has not seen is named, and closes by the replay that it names.

use crate::{House, titled};
use async_trait::async_trait;
use loa_bus::Queue;
use loa_domain::{ArticleKey, EventKey, Fault, FaultName, JourneyLine, Outlet, TroubleKind};
use loa_store::{
    ArchiveQuery, Audits, HeardHeartbeat, IntakeViews, Ledger, Receptions, Said, StoreError, StoreErrorKind,
};
use loa_svc_intake::{Audit, Config};
use loa_worker::Status;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

/// An outlet that remembers event ids; away when told so.
#[derive(Default)]
struct Memory {
    seen: Mutex<BTreeSet<String>>,
    away: Mutex<bool>,
}

#[async_trait]
impl Ledger for Memory {
    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn journey(&self, _: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Receptions for Memory {
    async fn not_seen(&self, events: &[Said]) -> Result<Vec<EventKey>, StoreError> {
        if *self.away.lock().expect("no panic") {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the file is locked"));
        }
        let seen = self.seen.lock().expect("no panic");
        Ok(events.iter().map(|event| &event.key).filter(|key| !seen.contains(&key.id)).cloned().collect())
    }
}

struct Audited {
    house: House,
    feed: Arc<Memory>,
    audit: Audit,
    status: Status,
}

impl Audited {
    async fn new() -> Self {
        let (house, feed, other) = (House::new().await, Arc::new(Memory::default()), Arc::new(Memory::default()));
        let outlets: Vec<(Outlet, Arc<dyn Receptions>)> =
            vec![(Outlet::Feed, feed.clone()), (Outlet::Push, other.clone())];
        let audit = Audit::new(&Config::default(), house.ledger.clone(), outlets, house.clock.world(2));
        *other.away.lock().expect("no panic") = true;
        Self { house, feed, audit, status: Status::default() }
    }

    /// Publishes an article; the queue of the feed has it.
    async fn publish(&self, id: &str) {
        self.house.service.publish(titled(id, "Bí xanh được mùa")).await.expect("submitted");
        self.house.relay().await;
    }

    /// The outlet takes what its queue has.
    async fn consume(&self) {
        for message in self.house.drain(Queue::Feed).await {
            self.feed.seen.lock().expect("no panic").insert(message.id);
        }
    }

    async fn look(&self, seconds: u64) -> Option<Fault> {
        self.house.clock.advance(Duration::from_secs(seconds));
        self.audit.step(&*self.house.bus, &self.status).await;
        self.status.faults().remove(&FaultName::Completeness(Outlet::Feed))
    }
}

#[tokio::test]
async fn what_an_outlet_has_not_received_is_named_and_closes_by_the_replay_it_names() {
    let all = Audited::new().await;
    all.publish("seen").await;
    all.consume().await;
    assert_eq!(all.look(30).await, None);
    all.publish("purged").await;
    all.house.drain(Queue::Feed).await;
    assert_eq!(all.look(5).await, None, "it may be on its way");
    let Some(Fault::NotReceived { missing, .. }) = all.look(30).await else { panic!("it is not named") };
    assert_eq!((missing.count, missing.article.as_str()), (1, "purged"));
    let query = ArchiveQuery { since: Some(missing.since), ..ArchiveQuery::default() };
    let sent = all.house.service.replay(&*all.house.bus, Queue::Feed, query, |_| {}).await.expect("replayed");
    assert_eq!(sent.sent, 1);
    all.consume().await;
    assert_eq!(all.look(5).await, None);
    assert!(all.house.ledger.completeness(all.house.clock.now()).await.expect("figures")[0].not_received.is_none());
}

#[tokio::test]
async fn what_stands_in_the_queue_is_late_and_not_lost() {
    let all = Audited::new().await;
    all.publish("waits").await;
    assert!(matches!(all.look(30).await, Some(Fault::Late { missing, .. }) if missing.count == 1));
    all.consume().await;
    assert_eq!(all.look(5).await, None);
}

#[tokio::test]
async fn what_was_overtaken_is_lost_although_the_queue_is_never_empty() {
    let all = Audited::new().await;
    all.publish("stolen").await;
    all.house.drain(Queue::Feed).await;
    all.house.clock.advance(Duration::from_secs(30));
    all.publish("later").await;
    all.consume().await;
    all.publish("waits").await;
    let fault = all.look(30).await;
    assert!(
        matches!(&fault, Some(Fault::NotReceived { missing, .. }) if (missing.count, missing.article.as_str()) == (1, "stolen")),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_is_unknown_and_delays_no_other() {
    let all = Audited::new().await;
    all.publish("seen").await;
    all.consume().await;
    assert_eq!(all.look(30).await, None);
    match &all.status.faults()[&FaultName::Completeness(Outlet::Push)] {
        Fault::AuditUnanswered { trouble, .. } => {
            assert_eq!(trouble.kind, TroubleKind::LedgerAway);
            assert!(trouble.detail.as_str().contains("the file is locked"), "{trouble:?}");
        }
        other => panic!("{other:?}"),
    }
    *all.feed.away.lock().expect("no panic") = true;
    assert!(matches!(all.look(5).await, Some(Fault::AuditUnanswered { .. })));
}

#[tokio::test]
async fn what_the_bus_has_not_taken_is_no_gap_of_an_outlet() {
    let all = Audited::new().await;
    all.house.service.publish(titled("held", "Bí xanh được mùa")).await.expect("submitted");
    assert_eq!(all.look(60).await, None);
    all.house.relay().await;
    assert_eq!(all.look(5).await, None, "it is on its way now");
    all.consume().await;
    assert_eq!(all.look(60).await, None);
}

/// A round of heartbeats as the feed's and the archive's queue heard it, by each binding of each but those `without`.
async fn heard(all: &Audited, without: &[(Queue, &str)]) {
    let (now, own) = (all.house.clock.now(), all.house.ledger.installation().await.expect("an id"));
    let bindings =
        Queue::ALL.into_iter().flat_map(|queue| queue.bindings().iter().map(move |binding| (queue, *binding)));
    let round: Vec<HeardHeartbeat> = bindings
        .filter(|one| !without.contains(one))
        .map(|(queue, binding)| HeardHeartbeat {
            queue: queue.name().to_owned(),
            binding: binding.to_owned(),
            installation: own.clone(),
            host: String::new(),
            sent_at: now,
            first_at: now,
            heard_at: now,
        })
        .collect();
    all.house.ledger.heartbeats_heard(&round).await.expect("noted");
}

#[tokio::test]
async fn after_a_pause_of_all_heartbeats_no_binding_is_called_lost_that_only_comes_second() {
    let all = Audited::new().await;
    let silent =
        || all.status.faults().into_keys().filter(|name| matches!(name, FaultName::Binding(..))).collect::<Vec<_>>();
    heard(&all, &[]).await;
    all.look(5).await;
    // the broker was away
    all.house.clock.advance(Duration::from_secs(300));
    let last = (Queue::Feed, Queue::Feed.bindings()[0]);
    heard(&all, &[last]).await;
    all.look(1).await;
    assert!(silent().is_empty(), "it is on its way: {:?}", silent());
    heard(&all, &[]).await;
    all.look(5).await;
    assert!(silent().is_empty(), "{:?}", silent());
    // and one that does not come is called lost
    for _ in 0..4 {
        all.house.clock.advance(Duration::from_secs(30));
        heard(&all, &[last]).await;
        all.look(1).await;
    }
    assert_eq!(silent(), [FaultName::Binding(Outlet::Feed, last.1)]);
}
