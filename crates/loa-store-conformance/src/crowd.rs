//! Rules for several stores on one place at once, like `loa subscribers add` beside `loa up`, or
//! two replicas: all are served, and nothing is done twice.

use crate::{
    LedgerPlace,
    build::{Draft, at},
};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{
    AttemptOutcome, DeliveryId, EmailAddress, Endpoint, EndpointId, EndpointState, Event, EventFilter, Frequency,
    RunKey, ServerWords, SubscriberId, SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{
    AttemptRecord, DeliveryQuery, DigestLedger, FeedArrival, Lease, Submission, Submitted, SubscriptionRequest,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

pub async fn writers_queue_and_every_event_is_fresh_exactly_once(place: &dyn LedgerPlace) {
    let mut writers = Vec::new();
    for _ in 0..4 {
        let store = place.feed().await;
        writers.push(tokio::spawn(async move {
            let mut fresh = 0;
            for n in 0..40 {
                let event = Draft::of(&format!("a{n}")).live();
                let arrival = FeedArrival { event, feeds: vec![loa_domain::FeedName::All] };
                fresh += store.accept(&[arrival], at(n)).await.unwrap().fresh;
            }
            fresh
        }));
    }
    let mut fresh = 0;
    for writer in writers {
        fresh += writer.await.unwrap();
    }
    assert_eq!(fresh, 40);
    let summary = place.feed().await.summaries(Timestamp::MAX).await.unwrap();
    assert_eq!(summary[0].entries, 40);
}

fn request(n: usize) -> SubscriptionRequest {
    SubscriptionRequest {
        subscriber: SubscriberId::new(format!("p{n}")).unwrap(),
        subscription: SubscriptionId::new(format!("s{n:03}")).unwrap(),
        email: EmailAddress::parse(&format!("n{n}@example.gov.vn")).unwrap(),
        wish: Wish::default(),
        frequency: Frequency::Daily,
        state: SubscriptionState::Active,
        token: format!("t{n}"),
        token_hash: format!("h{n}"),
        at: at(0),
    }
}

pub async fn planners_and_senders_share_a_run_without_repeats(place: &dyn LedgerPlace) {
    let first = place.digest().await;
    first.subscribe(&(0..120).map(request).collect::<Vec<_>>()).await.unwrap();
    let events: Vec<Event> = vec![Draft::of("a").live()];
    first.accept(&events, at(1)).await.unwrap();
    let mut workers = Vec::new();
    for worker in 0..4 {
        let store = place.digest().await;
        workers.push(tokio::spawn(async move { work(store, worker).await }));
    }
    let (mut planned, mut sent) = (0, Vec::new());
    for worker in workers {
        let (mails, ids) = worker.await.unwrap();
        planned += mails;
        sent.extend(ids);
    }
    assert_eq!(planned, 120);
    assert_eq!((sent.len(), sent.iter().collect::<BTreeSet<_>>().len()), (120, 120));
}

async fn work(store: Arc<dyn DigestLedger>, worker: usize) -> (u64, Vec<String>) {
    let key = RunKey {
        frequency: Frequency::Daily,
        on: "2026-03-01".parse().unwrap(),
        slot: String::new(),
        zone: "Asia/Ho_Chi_Minh".into(),
    };
    let long_ago: Timestamp = at(0) - SignedDuration::from_hours(1);
    let (run, _) = store.open_run(&key, at(2), at(2)).await.unwrap();
    let mut planned = 0;
    loop {
        let plan = store.plan(run.id, long_ago, 7, at(2)).await.unwrap();
        planned += plan.mails;
        if plan.complete {
            break;
        }
    }
    let mut sent = Vec::new();
    for round in 0.. {
        let lease = Lease { holder: format!("w{worker}-{round}"), now: at(3), until: at(13) };
        let mails = store.claim_mails(&lease, 5).await.unwrap();
        if mails.is_empty() {
            break;
        }
        let ids: Vec<_> = mails.iter().map(|mail| mail.id.clone()).collect();
        let held = store.submitting(&lease.holder, &ids, at(4)).await.unwrap();
        sent.extend(held.iter().map(|mail| mail.subscription.to_string()));
    }
    (planned, sent)
}

/// What is in flight just now, by whom, as the workers of one rule see it.
#[derive(Default)]
struct Flights(Mutex<BTreeMap<String, Vec<String>>>);

impl Flights {
    /// Notes a flight of a holder; at most `others_max` of others may be up at the same time.
    fn begin(&self, key: &str, holder: &str, others_max: usize) {
        let mut flights = self.0.lock().unwrap();
        let up = flights.entry(key.to_owned()).or_default();
        let others = up.iter().filter(|one| *one != holder).count();
        assert!(others <= others_max, "{holder} was given {key}, which {up:?} hold");
        up.push(holder.to_owned());
    }

    fn end(&self, key: &str, holder: &str) {
        let mut flights = self.0.lock().unwrap();
        let up = flights.get_mut(key).unwrap();
        up.remove(up.iter().position(|one| one == holder).unwrap());
    }
}

pub async fn relays_side_by_side_send_each_event_once_and_no_article_twice_at_a_time(place: &dyn LedgerPlace) {
    const ARTICLES: usize = 30;
    const REVISIONS: usize = 4;
    let ledger = place.intake().await;
    for revision in 1..=REVISIONS as u64 {
        let batch: Vec<Submission> = (0..ARTICLES).map(|n| submission(n, revision)).collect();
        assert!(ledger.submit(&batch).await.unwrap().iter().all(|one| *one == Submitted::Stored));
    }
    let flights = Arc::new(Flights::default());
    let mut relays = Vec::new();
    for relay in 0..4 {
        let (store, flights) = (place.intake().await, flights.clone());
        relays.push(tokio::spawn(async move {
            let mut sent = Vec::new();
            for round in 0..10_000 {
                let lease = Lease { holder: format!("r{relay}-{round}"), now: at(1), until: at(11) };
                let rows = store.claim_outbox(&lease, &loa_store::ClaimRoom::of(7)).await.unwrap();
                if rows.is_empty() && store.outbox_state().await.unwrap().waiting == 0 {
                    return sent;
                }
                for row in &rows {
                    flights.begin(row.article.as_str(), &lease.holder, 0);
                }
                tokio::task::yield_now().await;
                for row in &rows {
                    flights.end(row.article.as_str(), &lease.holder);
                }
                let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
                // The flight is over before it is recorded: only then may the next of the article begin.
                store.outbox_confirmed(&sequences, at(2)).await.unwrap();
                sent.extend(sequences);
            }
            panic!("it never came to rest");
        }));
    }
    let mut sent = Vec::new();
    for relay in relays {
        sent.extend(relay.await.unwrap());
    }
    sent.sort_unstable();
    assert_eq!(sent, (1..=(ARTICLES * REVISIONS) as i64).collect::<Vec<_>>(), "each once, none left behind");
}

fn submission(n: usize, revision: u64) -> Submission {
    let event = Draft::of(&format!("a{n}")).revision(revision).live();
    Submission {
        article: event.subject(),
        key: event.key,
        event_type: event.event_type,
        revision,
        fingerprint: format!("{revision}"),
        expect: (revision > 1).then_some(revision - 1),
        category: "kinh-te".into(),
        routing_key: "article.published.kinh-te".into(),
        lane: loa_domain::Lane::Live,
        body: b"{}".to_vec(),
        at: at(0),
    }
}

pub async fn pushers_side_by_side_keep_the_limits_of_each_endpoint_and_article(place: &dyn LedgerPlace) {
    const PER_ENDPOINT: usize = 3;
    let ledger = place.push().await;
    for name in ["one", "two"] {
        let endpoint = Endpoint {
            id: EndpointId::new(name).unwrap(),
            url: "https://tinh.example.gov.vn/".parse().unwrap(),
            description: String::new(),
            secrets: vec![vec![1; 32]],
            filter: EventFilter::default(),
            state: EndpointState::Enabled,
            created_at: at(0),
        };
        ledger.add_endpoint(&endpoint).await.unwrap();
    }
    let events: Vec<Event> =
        (0..25).flat_map(|n| [1, 2].map(|revision| Draft::of(&format!("a{n}")).revision(revision).live())).collect();
    ledger.accept(&events, at(0)).await.unwrap();
    let flights = Arc::new(Flights::default());
    let mut pushers = Vec::new();
    for pusher in 0..4 {
        let (store, flights) = (place.push().await, flights.clone());
        pushers.push(tokio::spawn(async move {
            let mut delivered = Vec::new();
            for round in 0..10_000 {
                let lease = Lease { holder: format!("p{pusher}-{round}"), now: at(1), until: at(11) };
                let due = store.claim(&lease, &[], PER_ENDPOINT as u32, 4).await.unwrap();
                if due.is_empty() && store.next_due().await.unwrap().is_none() {
                    return delivered;
                }
                for one in &due {
                    flights.begin(one.endpoint.id.as_str(), one.id.as_str(), PER_ENDPOINT - 1);
                    flights.begin(&format!("{} to {}", one.article, one.endpoint.id), one.id.as_str(), 0);
                }
                tokio::task::yield_now().await;
                for one in &due {
                    flights.end(one.endpoint.id.as_str(), one.id.as_str());
                    flights.end(&format!("{} to {}", one.article, one.endpoint.id), one.id.as_str());
                }
                let records: Vec<AttemptRecord> = due.iter().map(|one| went_through(&one.id)).collect();
                assert_eq!(store.record(&lease.holder, &records).await.unwrap(), due.len() as u64);
                delivered.extend(due.into_iter().map(|one| one.id));
            }
            panic!("it never came to rest");
        }));
    }
    let mut delivered = Vec::new();
    for pusher in pushers {
        delivered.extend(pusher.await.unwrap());
    }
    let distinct: BTreeSet<_> = delivered.iter().collect();
    assert_eq!((delivered.len(), distinct.len()), (100, 100), "each delivery once");
}

fn went_through(delivery: &DeliveryId) -> AttemptRecord {
    AttemptRecord {
        delivery: delivery.clone(),
        started_at: at(1),
        duration_ms: 1,
        status: Some(204),
        error: None,
        words: ServerWords::default(),
        outcome: AttemptOutcome::Delivered,
    }
}

/// Two who accept the same events at once, again and again: constraints and locks leave each event in the ledger once.
pub async fn the_same_events_accepted_side_by_side_are_owed_once(place: &dyn LedgerPlace) {
    let ledger = place.push().await;
    let endpoint = Endpoint {
        id: EndpointId::new("one").unwrap(),
        url: "https://tinh.example.gov.vn/".parse().unwrap(),
        description: String::new(),
        secrets: vec![vec![1; 32]],
        filter: EventFilter::default(),
        state: EndpointState::Enabled,
        created_at: at(0),
    };
    ledger.add_endpoint(&endpoint).await.unwrap();
    let mut accepting = Vec::new();
    for replica in 0..4_usize {
        let store = place.push().await;
        accepting.push(tokio::spawn(async move {
            let mut fresh = 0;
            for round in 0..20_usize {
                // overlapping batches, in another order for each
                let mut batch: Vec<Event> = (0..6)
                    .map(|n| Draft::of(&format!("a{}", (round * 4 + n) % 50)).revision(1 + (round % 3) as u64).live())
                    .collect();
                batch.rotate_left(replica);
                fresh += store.accept(&batch, at(1)).await.unwrap().fresh;
            }
            fresh
        }));
    }
    let mut fresh = 0;
    for replica in accepting {
        fresh += replica.await.unwrap();
    }
    let owed = ledger.deliveries(&DeliveryQuery { limit: 1_000, ..DeliveryQuery::default() }).await.unwrap();
    let keys: BTreeSet<_> = owed.iter().map(|one| one.event.id.clone()).collect();
    assert_eq!((owed.len(), keys.len() as u64), (keys.len(), fresh), "fresh exactly once, owed exactly once");
}
