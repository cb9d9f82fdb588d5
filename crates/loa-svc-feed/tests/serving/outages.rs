//! The ledger is away; a message is no event.

use crate::house::House;
use loa_bus::Message;
use loa_testkit::build::{article, published};
use loa_worker::Handler;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn while_the_ledger_is_away_the_last_good_bytes_go_out() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    let before = house.get("/feeds/all.rss").await;
    house.get("/feeds").await;
    house.door.shut.store(true, Ordering::SeqCst);
    assert!(house.step().await.is_err(), "the loop is told, and tries again");
    assert!(house.service.accept(&[published(article("b", 1))]).await.is_err());
    let during = house.get("/feeds/all.rss").await;
    assert_eq!(during.status, 200);
    assert!(during.body == before.body);
    assert_eq!(during.header("etag"), before.header("etag"));
    assert_eq!(house.get("/feeds").await.status, 200);

    let cold = house.get("/feeds/area-pu-nhi.rss").await;
    assert_eq!(cold.status, 503);
    assert!(!cold.header("retry-after").is_empty());
    assert_eq!(cold.header("cache-control"), "no-store");
    assert_eq!(house.get("/a/a").await.status, 503);

    house.door.shut.store(false, Ordering::SeqCst);
    house.take(&[published(article("b", 1))]).await;
    assert_eq!(house.get("/feeds/all.rss").await.ids().len(), 2);
    assert_eq!(house.get("/feeds/area-pu-nhi.rss").await.status, 200);
}

#[tokio::test]
async fn with_a_full_disk_feeds_are_served_without_a_date_that_could_not_be_kept() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    house.door.full.store(true, Ordering::SeqCst);
    let answer = house.get("/feeds/all.rss").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.ids(), ["a"]);
    assert_eq!(answer.header("last-modified"), "");
    assert!(!answer.header("etag").is_empty());
    house.door.full.store(false, Ordering::SeqCst);
    assert!(!house.get("/feeds/all.rss").await.header("last-modified").is_empty());
}

#[tokio::test]
async fn a_change_that_met_an_outage_is_written_by_the_next_step() {
    let house = House::new().await;
    house.take(&[published(article("a", 1))]).await;
    assert_eq!(house.get("/feeds/all.rss").await.ids().len(), 1);
    house.service.accept(&[published(article("b", 1))]).await.unwrap();
    house.door.full.store(true, Ordering::SeqCst);
    assert!(house.step().await.is_err(), "Last-Modified could not be kept");
    assert_eq!(house.get("/feeds/all.rss").await.ids().len(), 1, "no half change");
    house.door.full.store(false, Ordering::SeqCst);
    house.step().await.unwrap();
    assert_eq!(house.get("/feeds/all.rss").await.ids().len(), 2);
}

#[tokio::test]
async fn what_was_read_before_something_shown_since_is_not_shown_after_it() {
    let house = std::sync::Arc::new(House::new().await);
    let ids = async || house.get("/feeds/all.rss").await.ids().len();
    house.take(&[published(article("a", 1))]).await;
    house.door.full.store(true, Ordering::SeqCst);
    assert_eq!(ids().await, 1, "without a date: asked for, but not cached");
    house.door.full.store(false, Ordering::SeqCst);
    house.door.dates.forget_permits(1_000);
    house.service.accept(&[published(article("b", 1))]).await.unwrap();
    let asked = house.door.waiting.load(Ordering::SeqCst);
    let held_up = tokio::spawn({
        let house = house.clone();
        async move { house.step().await }
    });
    // until its rows are read, and it waits for its date
    while house.door.waiting.load(Ordering::SeqCst) == asked {
        tokio::task::yield_now().await;
    }
    house.service.accept(&[published(article("c", 1))]).await.unwrap();
    house.door.full.store(true, Ordering::SeqCst);
    assert_eq!(ids().await, 3, "without a date");
    house.door.full.store(false, Ordering::SeqCst);
    house.door.dates.add_permits(1_000);
    held_up.await.unwrap().unwrap();
    assert_eq!(ids().await, 3, "the one that was held up was read again");
}

fn message(body: &[u8]) -> Message {
    Message {
        id: "m1".into(),
        content_type: "application/cloudevents+json".into(),
        headers: Default::default(),
        body: body.to_vec().into(),
    }
}

#[tokio::test]
async fn a_message_that_is_no_event_is_refused_with_reason_and_position_and_a_good_one_is_taken() {
    let house = House::new().await;
    let refused = house.service.decode(&message(b"{\"specversion\": \"1.0\", ")).unwrap_err();
    assert!(!refused.reason.is_empty() && refused.position.contains("line"), "{refused:?}");
    let event = published(article("a", 1));
    let decoded = house.service.decode(&message(&event.original_bytes)).unwrap();
    assert_eq!(decoded.reach.len(), 2, "the area and its successor");
    Handler::accept(&house.service, vec![decoded]).await.unwrap();
    house.step().await.unwrap();
    assert_eq!(house.get("/feeds/area-na-son-moi.rss").await.ids(), ["a"]);
    house.door.shut.store(true, Ordering::SeqCst);
    let held = Handler::accept(&house.service, vec![event]).await.unwrap_err();
    assert!(matches!(held, loa_worker::AcceptError::Unavailable(_)), "an outage is nobody's fault: the batch is held");
}
