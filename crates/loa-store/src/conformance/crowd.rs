//! Several stores on one place at once, as `loa subscribers add` beside `loa up`, or two replicas: nobody is turned away,
//! nothing is done twice.

use super::{
    Place,
    build::{Draft, at},
};
use crate::{DigestLedger, FeedArrival, Lease, SubscriptionRequest};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{EmailAddress, Event, Frequency, RunKey, SubscriberId, SubscriptionId, SubscriptionState, Wish};
use std::{collections::BTreeSet, sync::Arc};

pub async fn writers_queue_and_every_event_is_fresh_exactly_once(place: &dyn Place) {
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
    let summary = place.feed().await.summaries().await.unwrap();
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

pub async fn planners_and_senders_share_a_run_without_repeats(place: &dyn Place) {
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
