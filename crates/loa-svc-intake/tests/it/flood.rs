//! A flood of one portal: news before back-files, portals by turns, and nothing stops where queues cannot be looked at.

use crate::{
    House, SOURCE,
    api::{ask, router},
    article,
    heartbeat::Refusing,
};
use axum::http::StatusCode;
use loa_bus::{Measure, Queue};
use loa_domain::PortalList;
use loa_svc_intake::{Config, RawContent};
use loa_testkit::build::{calendar, portal};
use loa_worker::{Portals, Progress};
use serde_json::json;
use std::time::Duration;

const QUEUE_READY_MAX: u64 = 20;

/// With three portals; the clock says 2023-11-20.
async fn house() -> House {
    let others = ["kho", "na-son"].map(|slug| portal(slug, &format!("https://{slug}.example/")));
    let portals = Portals::fixed(PortalList::of(portal(loa_domain::HOME, SOURCE), others.into()));
    let config = Config {
        queue_ready_max: 20,
        portal_burst: 30,
        portal_per_second: 5,
        submissions_per_second: 2,
        ..Config::default()
    };
    House::set_up(calendar(), config, portals).await
}

impl House {
    async fn publish(&self, slug: &str, id: &str, published_at: &str) {
        let mut data = article(id);
        (data["published_at"], data["url"]) = (json!(published_at), json!(format!("https://{slug}.example/{id}")));
        self.service.publish_for(Some(&slug.parse().expect("a slug")), RawContent::Article(data)).await.expect("taken");
    }

    async fn flood(&self, slug: &str, count: usize, published_at: &str) {
        for n in 0..count {
            self.publish(slug, &format!("{slug}-{n}"), published_at).await;
        }
    }

    /// So many tenths of a second pass, in each of which the relay does what it may.
    async fn tenths(&self, count: usize) {
        for _ in 0..count {
            self.service.look_at_queues(&*self.bus).await;
            self.relay().await;
            self.clock.advance(Duration::from_millis(100));
        }
    }

    async fn in_queue(&self, queue: Queue) -> Vec<String> {
        let messages = self.drain(queue).await;
        messages.iter().map(|message| self.decode(message).id().to_string()).collect()
    }
}

#[tokio::test]
async fn an_article_goes_out_while_anothers_back_file_waits() {
    let house = house().await;
    house.flood("kho", 60, "2019-01-01T08:00:00+07:00").await;
    house.publish("na-son", "tin-moi", "2023-11-20T09:59:00+07:00").await;
    house.tenths(1).await;
    let first = house.in_queue(Queue::Feed).await;
    assert_eq!((first[0].as_str(), first.len()), ("tin-moi", 11), "it is the first, with one slice of the back-file");
    let waiting = house.service.outbox().await.expect("a state");
    assert_eq!((waiting.waiting, waiting.back_files.map(|back_files| back_files.count)), (50, Some(50)));
}

#[tokio::test]
async fn back_files_wait_while_an_outlets_queue_is_long_and_news_goes_on() {
    let house = house().await;
    house.flood("kho", 60, "2019-01-01T08:00:00+07:00").await;
    house.tenths(20).await;
    let (ready, _) = house.bus.depth(Queue::Push).await.expect("a depth");
    assert!((QUEUE_READY_MAX..QUEUE_READY_MAX + 30).contains(&ready), "nobody takes any out: {ready}");
    house.publish("na-son", "tin-moi", "2023-11-20T09:59:00+07:00").await;
    house.tenths(1).await;
    assert_eq!(house.in_queue(Queue::Push).await.last().map(String::as_str), Some("tin-moi"));
    // one outlet that stands still is enough
    for queue in [Queue::Archive, Queue::Feed] {
        house.drain(queue).await;
    }
    house.tenths(10).await;
    assert_eq!(house.drain(Queue::Feed).await.len(), 0, "loa.digest is long");
    house.drain(Queue::Digest).await;
    house.tenths(10).await;
    assert!(!house.drain(Queue::Feed).await.is_empty(), "and when it is not, they go on");
}

#[tokio::test]
async fn a_portal_gone_wrong_waits_for_itself() {
    let house = house().await;
    house.flood("kho", 80, "2023-11-20T09:50:00+07:00").await;
    house.publish("na-son", "tin-moi", "2023-11-20T09:59:00+07:00").await;
    house.tenths(1).await;
    let sent = house.in_queue(Queue::Digest).await;
    assert!(sent[..2].contains(&"tin-moi".to_owned()), "in its turn: {sent:?}");
    assert_eq!(sent.len(), 31, "the other's burst, and no more");
    for queue in [Queue::Archive, Queue::Feed, Queue::Push] {
        house.drain(queue).await;
    }
    house.tenths(20).await;
    assert!((8..=12).contains(&house.drain(Queue::Digest).await.len()), "five a second");
}

#[tokio::test]
async fn where_the_broker_does_not_tell_back_files_go_on() {
    let house = house().await;
    house.flood("kho", 40, "2019-01-01T08:00:00+07:00").await;
    let silent = Refusing(house.bus.clone());
    for _ in 0..10 {
        house.service.look_at_queues(&silent).await;
        while house.service.step(&silent).await.expect("a step") == Progress::Worked {}
        house.clock.advance(Duration::from_millis(100));
    }
    assert_eq!((house.waiting().await, house.drain(Queue::Feed).await.len()), (0, 40));
}

#[tokio::test]
async fn a_portal_that_sends_too_fast_waits_and_is_then_asked_to_come_again_and_no_other_is() {
    let house = house().await;
    let router = router(&house).await;
    let post = |portal: &str, n: u32| {
        let (router, path) = (router.clone(), format!("/v1/articles?portal={portal}"));
        async move { ask(&router, "POST", &path, "cms", article(&format!("tin-{n}")).to_string()).await }
    };
    // two at once, then one each half second, of which two may wait
    for n in 0..4 {
        assert_eq!(post("kho", n).await.status, StatusCode::ACCEPTED, "{n}");
    }
    let refused = post("kho", 4).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "2"),
        "{}",
        refused.body
    );
    assert_eq!(post("na-son", 0).await.status, StatusCode::ACCEPTED);
    let gone = ask(&router, "DELETE", "/v1/articles/tin-0?portal=kho", "cms", "").await;
    assert_eq!(gone.status, StatusCode::ACCEPTED, "a withdrawal waits for nobody");
    house.clock.advance(Duration::from_secs(2));
    assert_eq!(post("kho", 4).await.status, StatusCode::ACCEPTED);
}
