//! Promise 2 of README.md as a property: any order, any batches, any duplicates of one set of events end in equal readable state.

use crate::{
    LedgerPlace,
    build::{Draft, area, at, id, slug},
    run,
};
use jiff::Timestamp;
use loa_domain::{
    DeliveryState, EmailAddress, Endpoint, EndpointId, EndpointState, Event, EventFilter, EventType, FeedName,
    Frequency, RunKey, SubscriberId, SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{DeliveryQuery, DigestLedger, FeedArrival, Lease, SubscriptionRequest};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::BTreeMap, sync::Arc};

const ARTICLES: [&str; 3] = ["a", "b", "c"];
const AREAS: [&str; 2] = ["na-son", "phi-nhu"];
const CATEGORIES: [&str; 2] = ["kinh-te", "y-te"];

/// When all events are accepted.
const ACCEPTED: i64 = 100;

/// One event: article, revision, what it does, whose event it is (two producers may be careless about revisions, and number
/// their events alike), dated before a minute. Some events have their article's id, whatever they say of it.
fn event(dated_before: i64) -> impl Strategy<Value = Event> {
    (0..3_usize, 1..5_u64, 0..5_u8, 0..4_usize, 0..2_usize, 0..dated_before, 0..4_u8).prop_map(
        |(article, revision, what, areas, category, minute, producer)| {
            let areas: Vec<&str> =
                AREAS.iter().enumerate().filter(|(n, _)| areas >> n & 1 == 1).map(|(_, a)| *a).collect();
            let draft = Draft::of(ARTICLES[article])
                .revision(revision)
                .areas(&areas)
                .category(CATEGORIES[category], &format!("Nhãn {category}{minute}"))
                .published(minute)
                .title(&format!("Tin {revision} {minute}"))
                .source(&format!("https://{}.example.gov.vn", producer % 2))
                .event(&if producer < 2 {
                    ARTICLES[article].to_owned()
                } else {
                    format!("{article}-{revision}-{}", u8::from(what < 2))
                });
            match what {
                0 | 1 => draft.withdrawn(&format!("lý do {minute}")),
                2 => draft.document(),
                _ => draft.live(),
            }
        },
    )
}

/// A set of events, and two ways in which it may arrive: batches of indexes, with repeats.
fn arrivals(dated_before: i64) -> impl Strategy<Value = (Vec<Event>, Vec<Vec<usize>>, Vec<Vec<usize>>)> {
    prop::collection::vec(event(dated_before), 1..10).prop_flat_map(|events| {
        let distinct: Vec<Event> = events
            .into_iter()
            .map(|event| ((event.key.rank(), event.content_hash.clone()), event))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect();
        let way = {
            let indexes: Vec<usize> = (0..distinct.len()).collect();
            let count = distinct.len();
            (Just(indexes).prop_shuffle(), prop::collection::vec(0..count, 0..5), 1..4_usize).prop_map(
                |(mut order, repeats, size)| {
                    order.extend(repeats);
                    order.chunks(size).map(<[usize]>::to_vec).collect::<Vec<_>>()
                },
            )
        };
        (Just(distinct), way.clone(), way)
    })
}

fn feeds_of(event: &Event) -> Vec<FeedName> {
    let Some(content) = event.content() else { return Vec::new() };
    let own = content.category().map_or(FeedName::Documents, |category| FeedName::Category(category.slug.clone()));
    [FeedName::All, own].into_iter().chain(event.reach.iter().cloned().map(FeedName::Area)).collect()
}

async fn feeds_read(place: &dyn LedgerPlace, events: &[Event], way: &[Vec<usize>]) -> String {
    let ledger = place.feed().await;
    for batch in way {
        let batch: Vec<FeedArrival> =
            batch.iter().map(|n| FeedArrival { feeds: feeds_of(&events[*n]), event: events[*n].clone() }).collect();
        ledger.accept(&batch, at(ACCEPTED)).await.unwrap();
    }
    let mut read = format!("{:#?}\n", ledger.summaries(Timestamp::MAX).await.unwrap());
    let feeds = [FeedName::All, FeedName::Documents]
        .into_iter()
        .chain(CATEGORIES.map(|text| FeedName::Category(slug(text))))
        .chain(AREAS.map(|text| FeedName::Area(area(text))));
    for feed in feeds {
        read += &format!("{feed}: {:#?}\n", ledger.entries(&feed, None, 100).await.unwrap());
        read += &format!("{feed}: {:#?}\n", ledger.tombstones(&feed, 100).await.unwrap());
    }
    for article in ARTICLES {
        read += &format!("{:#?}\n", ledger.standing(&id(article)).await.unwrap());
    }
    read
}

fn wishes() -> Vec<Wish> {
    let mut wishes = vec![Wish::default()];
    for text in AREAS {
        wishes.push(Wish { areas: [area(text)].into(), ..Wish::default() });
        wishes.push(Wish { areas: [area(text)].into(), categories: [slug("kinh-te")].into() });
    }
    wishes.push(Wish { categories: CATEGORIES.map(slug).into(), ..Wish::default() });
    wishes.push(Wish { areas: AREAS.map(area).into(), ..Wish::default() });
    wishes
}

async fn digest_with_wishes(place: &dyn LedgerPlace) -> Arc<dyn DigestLedger> {
    let ledger = place.digest().await;
    let requests: Vec<SubscriptionRequest> = wishes()
        .into_iter()
        .enumerate()
        .map(|(n, wish)| SubscriptionRequest {
            subscriber: SubscriberId::new(format!("p{n}")).unwrap(),
            subscription: SubscriptionId::new(format!("s{n}")).unwrap(),
            email: EmailAddress::parse(&format!("n{n}@example.gov.vn")).unwrap(),
            wish,
            frequency: Frequency::Daily,
            state: SubscriptionState::Active,
            token: format!("t{n}"),
            token_hash: format!("h{n}"),
            at: at(0),
        })
        .collect();
    ledger.subscribe(&requests).await.unwrap();
    ledger
}

async fn digests_read(place: &dyn LedgerPlace, events: &[Event], way: &[Vec<usize>]) -> String {
    let ledger = digest_with_wishes(place).await;
    for batch in way {
        let batch: Vec<Event> = batch.iter().map(|n| events[*n].clone()).collect();
        ledger.accept(&batch, at(ACCEPTED)).await.unwrap();
    }
    let key = RunKey {
        frequency: Frequency::Daily,
        on: "2026-03-02".parse().unwrap(),
        slot: String::new(),
        zone: "Asia/Ho_Chi_Minh".into(),
    };
    let mut read = String::new();
    for wish in wishes() {
        let preview = ledger.preview(&wish, at(0), 100).await.unwrap();
        read += &format!("{preview:#?}\n");
        // The rule in SQL and the rule of the domain are one.
        for item in &preview {
            let reach = item.content.areas();
            assert!(wish.matches(&item.content, reach), "{} {wish:?}", item.article);
        }
    }
    let (run, _) = ledger.open_run(&key, at(200), at(200)).await.unwrap();
    ledger.plan(run.id, at(0), 100, at(200)).await.unwrap();
    let lease = Lease { holder: "x".into(), now: at(200), until: at(210) };
    let mails = ledger.claim_mails(&lease, 100).await.unwrap();
    for (n, wish) in wishes().iter().enumerate() {
        let mail = mails.iter().find(|mail| mail.id.subscription.as_str() == format!("s{n}"));
        let planned = mail.map(|mail| mail.items.clone()).unwrap_or_default();
        assert_eq!(planned, ledger.preview(wish, at(0), 100).await.unwrap(), "a first digest is its preview");
        read += &format!("{planned:#?}\n");
    }
    read
}

async fn deliveries_read(
    place: &dyn LedgerPlace,
    events: &[Event],
    way: &[Vec<usize>],
) -> Vec<(String, String, u64, DeliveryState)> {
    let ledger = place.push().await;
    for (name, event_types) in [("all", vec![]), ("gone", vec![EventType::ArticleWithdrawn])] {
        let endpoint = Endpoint {
            id: EndpointId::new(name).unwrap(),
            url: "https://tinh.example.gov.vn/".parse().unwrap(),
            description: String::new(),
            secrets: vec![vec![1; 32]],
            filter: EventFilter { event_types: event_types.into_iter().collect() },
            state: EndpointState::Enabled,
            created_at: at(0),
        };
        ledger.add_endpoint(&endpoint).await.unwrap();
    }
    for batch in way {
        let batch: Vec<Event> = batch.iter().map(|n| events[*n].clone()).collect();
        ledger.accept(&batch, at(ACCEPTED)).await.unwrap();
    }
    let found = ledger.deliveries(&DeliveryQuery { limit: 1_000, ..DeliveryQuery::default() }).await.unwrap();
    let mut read: Vec<_> =
        found.into_iter().map(|one| (one.endpoint.to_string(), one.event.rank(), one.revision, one.state)).collect();
    read.sort();
    read
}

/// Tries so many sets of events, each in two ways on two empty places.
fn try_both_ways<P: LedgerPlace, R: PartialEq + std::fmt::Debug>(
    make: impl AsyncFn() -> P,
    cases: u32,
    dated_before: i64,
    read: impl AsyncFn(&dyn LedgerPlace, &[Event], &[Vec<usize>]) -> R,
) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let found = TestRunner::new(config).run(&arrivals(dated_before), |(events, one, other)| {
        let (first, second) =
            run(async { (read(&make().await, &events, &one).await, read(&make().await, &events, &other).await) });
        prop_assert_eq!(first, second);
        Ok(())
    });
    found.unwrap_or_else(|error| panic!("{error}"));
}

pub fn any_order_of_the_same_events_ends_in_the_same_feeds<P: LedgerPlace>(make: impl AsyncFn() -> P, cases: u32) {
    try_both_ways(make, cases, ACCEPTED, feeds_read);
}

pub fn any_order_of_the_same_events_ends_in_the_same_digests<P: LedgerPlace>(make: impl AsyncFn() -> P, cases: u32) {
    // some are dated in the future when they come, and due when the digest is made
    try_both_ways(make, cases, ACCEPTED + 60, digests_read);
}

pub fn any_order_of_the_same_events_ends_in_the_same_deliveries<P: LedgerPlace>(make: impl AsyncFn() -> P, cases: u32) {
    try_both_ways(make, cases, ACCEPTED, deliveries_read);
}
