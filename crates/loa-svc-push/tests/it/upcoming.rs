//! Events of articles dated in the future: delivered at their time, by the poll alone, and not before.

use crate::stage::Stage;
use jiff::SignedDuration;
use loa_domain::{CLOCK_SKEW, DeliveryState::Delivered, Event};
use loa_testkit::{
    build::{article, published, withdrawn},
    http::HttpStandIn,
};

/// An article that is shown so many seconds from now.
fn shown_in(stage: &Stage, id: &str, revision: u64, seconds: i64) -> Event {
    let at = stage.clock.now() + CLOCK_SKEW + SignedDuration::from_secs(seconds);
    published(loa_domain::Article { published_at: at, modified_at: at, ..article(id, revision) })
}

#[tokio::test]
async fn it_is_delivered_at_its_time_without_anybody_ringing() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[shown_in(&stage, "hen", 1, 100)]).await;
    stage.advance(99).await;
    assert!(portal.requests().is_empty());
    stage.advance(1).await;
    assert_eq!(stage.states().await, [(1, Delivered)]);
    assert_eq!(portal.requests().len(), 1);
}

#[tokio::test]
async fn a_withdrawal_before_its_time_reaches_nobody() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[shown_in(&stage, "hen", 1, 100)]).await;
    stage.accept(&[withdrawn("hen", 2)]).await;
    stage.advance(1_000).await;
    assert!(portal.requests().is_empty(), "the article was never public");
}

#[tokio::test]
async fn a_revision_that_moves_the_time_takes_the_place_of_the_one_before() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[shown_in(&stage, "som", 1, 500), shown_in(&stage, "muon", 1, 100)]).await;
    stage.accept(&[shown_in(&stage, "som", 2, 100), shown_in(&stage, "muon", 2, 500)]).await;
    stage.advance(100).await;
    let told = |n: usize| {
        portal.requests()[n].text().contains("\"som\"") && portal.requests()[n].text().contains("\"revision\":2")
    };
    assert!(portal.requests().len() == 1 && told(0), "{:?}", portal.requests());
    stage.advance(400).await;
    assert_eq!(stage.states().await, [(2, Delivered), (2, Delivered)]);
}
