//! Rules about rows that nobody can read any more: after a repeat, a refusal, an edit, an end. They
//! are counted in the tables themselves, because no method shows them and they would only grow.

use crate::{
    LedgerPlace,
    build::{Draft, area, at, lease},
    digest::{planned, request, run, subscribe},
};
use loa_domain::{
    EmailAddress, Endpoint, EndpointId, EndpointState, Event, EventFilter, FeedName, SubscriptionState, Wish,
};
use loa_store::{FeedArrival, StoreErrorKind, Submission, SubscriptionRequest};

fn arrival(event: Event, feeds: &[FeedName]) -> FeedArrival {
    FeedArrival { event, feeds: feeds.to_vec() }
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::new("one").unwrap(),
        url: "https://tinh.example.gov.vn/".parse().unwrap(),
        description: String::new(),
        secrets: vec![vec![1; 32], vec![2; 32], vec![3; 32]],
        filter: EventFilter::default(),
        state: EndpointState::Enabled,
        created_at: at(0),
    }
}

fn submission(revision: u64) -> Submission {
    let event = Draft::of("a").revision(revision).live();
    Submission {
        article: event.subject(),
        key: event.key,
        event_type: event.event_type,
        revision,
        fingerprint: format!("{revision}"),
        expect: (revision > 1).then(|| revision - 1),
        category: "kinh-te".into(),
        routing_key: "article.published.kinh-te".into(),
        lane: loa_domain::Lane::Live,
        body: b"{}".to_vec(),
        at: at(0),
    }
}

pub async fn a_repeat_leaves_every_table_as_it_was(place: &dyn LedgerPlace) {
    let (feed, digest, push) = (place.feed().await, place.digest().await, place.push().await);
    subscribe(&*digest, request("na", Wish::default())).await;
    push.add_endpoint(&endpoint()).await.unwrap();
    let events =
        [Draft::of("a").areas(&["na-son"]).live(), Draft::of("b").live(), Draft::of("b").revision(2).withdrawn("sai")];
    let arrivals: Vec<FeedArrival> = events.iter().map(|event| arrival(event.clone(), &[FeedName::All])).collect();
    let mut before = None;
    for minute in [1, 2, 3] {
        feed.accept(&arrivals, at(minute)).await.unwrap();
        digest.accept(&events, at(minute)).await.unwrap();
        push.accept(&events, at(minute)).await.unwrap();
        let rows = (place.rows("feed").await, place.rows("digest").await, place.rows("push").await);
        assert_eq!(*before.get_or_insert(rows.clone()), rows);
    }
}

pub async fn a_refused_batch_leaves_nothing(place: &dyn LedgerPlace) {
    let intake = place.intake().await;
    intake.submit(&[submission(1)]).await.unwrap();
    let before = place.rows("intake").await;
    let error = intake.submit(&[submission(2), Submission { revision: u64::MAX, ..submission(3) }]).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Rejected);
    assert_eq!(place.rows("intake").await, before);
    let digest = place.digest().await;
    let before = place.rows("digest").await;
    let event = Draft::of("a").revision(u64::MAX).live();
    assert!(digest.accept(&[Draft::of("b").live(), event], at(1)).await.is_err());
    assert_eq!(place.rows("digest").await, before);
}

pub async fn a_confirmed_event_leaves_the_outbox_and_stays_in_the_archive(place: &dyn LedgerPlace) {
    let intake = place.intake().await;
    for revision in 1..=3 {
        intake.submit(&[submission(revision)]).await.unwrap();
    }
    let rows = intake.claim_outbox(&lease("x", 1), &loa_store::ClaimRoom::of(10)).await.unwrap();
    intake.outbox_confirmed(&rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), at(2)).await.unwrap();
    let rows = place.rows("intake").await;
    assert_eq!((rows["outbox"], rows["archive"], rows["standing"]), (0, 3, 1));
}

pub async fn an_edited_article_stands_nowhere_it_does_not_belong_any_more(place: &dyn LedgerPlace) {
    let (feed, digest) = (place.feed().await, place.digest().await);
    for (name, wished) in [("na", "na-son"), ("phi", "phi-nhu")] {
        subscribe(&*digest, request(name, Wish { areas: [area(wished)].into(), ..Wish::default() })).await;
    }
    for (revision, areas) in [(1, ["na-son"]), (2, ["phi-nhu"]), (3, ["na-son"])] {
        let event = Draft::of("a").revision(revision).areas(&areas).live();
        let feeds = [FeedName::All, FeedName::Area(area(areas[0]))];
        feed.accept(&[arrival(event.clone(), &feeds)], at(1)).await.unwrap();
        digest.accept(&[event], at(1)).await.unwrap();
        let (feed, digest) = (place.rows("feed").await, place.rows("digest").await);
        assert_eq!((feed["item"], feed["place"]), (1, 2), "revision {revision}");
        assert_eq!((digest["item"], digest["item_reach"], digest["matched"]), (1, 1, 1), "revision {revision}");
    }
}

pub async fn a_wish_that_nobody_has_any_more_is_gone_with_all_it_matched(place: &dyn LedgerPlace) {
    let digest = place.digest().await;
    let narrow = Wish { areas: [area("na-son"), area("phi-nhu")].into(), ..Wish::default() };
    subscribe(&*digest, request("na", narrow)).await;
    digest.accept(&[Draft::of("a").areas(&["na-son"]).live()], at(1)).await.unwrap();
    subscribe(&*digest, request("na", Wish::default())).await;
    let rows = place.rows("digest").await;
    assert_eq!((rows["wish"], rows["wish_area"], rows["matched"], rows["carried"]), (1, 0, 0, 1));
    planned(&*digest, "1", 5).await;
    assert_eq!(place.rows("digest").await["carried"], 0, "planned, it is not carried on");
}

/// 119 wishes that nobody confirmed cost 119 rows with each article.
pub async fn a_wish_that_nobody_confirmed_costs_no_row_and_leaves_none(place: &dyn LedgerPlace) {
    let digest = place.digest().await;
    let empty = place.rows("digest").await;
    for n in 0..20 {
        let narrow = Wish { areas: [area("na-son"), area(&format!("xa-{n}"))].into(), ..Wish::default() };
        let asked = SubscriptionRequest { state: SubscriptionState::Pending, ..request(&format!("n{n}"), narrow) };
        subscribe(&*digest, asked).await;
        digest.add_key(&format!("hash-n{n}"), &format!("key-{n}"), at(10)).await.unwrap();
    }
    for n in 0..3 {
        digest.accept(&[Draft::of(&format!("a{n}")).areas(&["na-son"]).live()], at(1)).await.unwrap();
    }
    assert_eq!(place.rows("digest").await["matched"], 0, "nobody who is active wished for it");
    assert_eq!(digest.expire_unconfirmed(at(5), at(20), 100).await.unwrap(), 20);
    let rows = place.rows("digest").await;
    for table in ["subscriber", "subscription", "subscription_key", "wish", "wish_area", "matched"] {
        assert_eq!(rows[table], empty[table], "{table}");
    }
    let email = EmailAddress::parse("na@example.gov.vn").unwrap();
    digest.allow_confirmation(&email, at(0), 3, at(1)).await.unwrap();
    digest.expire_unconfirmed(at(5), at(20), 100).await.unwrap();
    assert_eq!(place.rows("digest").await["confirmation"], 0, "counts of mailboxes that never ask again go, too");
}

pub async fn who_leaves_is_owed_nothing_any_more(place: &dyn LedgerPlace) {
    let digest = place.digest().await;
    subscribe(&*digest, request("na", Wish::default())).await;
    digest.accept(&[Draft::of("a").live()], at(1)).await.unwrap();
    run(&*digest, "1", 2).await;
    digest.accept(&[Draft::of("a").revision(2).withdrawn("sai"), Draft::of("b").live()], at(3)).await.unwrap();
    assert_eq!(place.rows("digest").await["correction"], 1);
    digest.unsubscribe("hash-na", at(4)).await.unwrap();
    let rows = place.rows("digest").await;
    assert_eq!((rows["correction"], rows["carried"]), (0, 0));
    assert_eq!(planned(&*digest, "2", 5).await.1, 0);
}

pub async fn replaced_secrets_and_old_counts_of_confirmations_are_gone(place: &dyn LedgerPlace) {
    let (push, digest) = (place.push().await, place.digest().await);
    push.add_endpoint(&endpoint()).await.unwrap();
    push.set_secrets(&endpoint().id, &[vec![9; 32]]).await.unwrap();
    assert_eq!(place.rows("push").await["endpoint_secret"], 1);
    let email = EmailAddress::parse("na@example.gov.vn").unwrap();
    for minute in 0..10 {
        assert!(digest.allow_confirmation(&email, at(minute), 3, at(minute)).await.unwrap());
    }
    assert_eq!(place.rows("digest").await["confirmation"], 1, "what is older than `since` is not kept");
}
