//! Order within one article: a newer revision may overtake an older one, and is never undone.

use crate::stage::Stage;
use loa_domain::DeliveryState::{Delivered, Superseded};
use loa_testkit::{
    build::{article, published, withdrawn},
    http::{HttpStandIn, Reply},
};

#[tokio::test]
async fn a_newer_revision_overtakes_and_the_older_is_never_sent_after_it() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    portal.script([Reply::status(500)]);
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    stage.accept(&[published(article("bai-1", 2))]).await;
    stage.run_until_idle().await;
    assert_eq!(stage.states().await, [(1, Superseded), (2, Delivered)]);
    stage.advance(100_000).await;
    let bodies: Vec<String> = portal.requests().iter().map(|r| r.text()).collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[1].contains(r#""revision":2"#));
}

#[tokio::test]
async fn an_older_revision_that_arrives_late_is_not_sent() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[withdrawn("bai-1", 3)]).await;
    stage.run_until_idle().await;
    stage.accept(&[published(article("bai-1", 1)), published(article("bai-1", 2))]).await;
    stage.advance(100_000).await;
    assert_eq!(portal.requests().len(), 1, "a publication must not undo a withdrawal");
    assert_eq!(stage.states().await, [(1, Superseded), (2, Superseded), (3, Delivered)]);
}

#[tokio::test]
async fn revisions_that_wait_together_are_sent_oldest_first_one_at_a_time() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[published(article("bai-1", 2)), published(article("bai-1", 1)), withdrawn("bai-1", 3)]).await;
    stage.service.step().await.unwrap();
    stage.service.drain().await.unwrap();
    assert_eq!(portal.requests().len(), 1, "one of an article at a time");
    stage.run_until_idle().await;
    let order: Vec<bool> = portal.requests().iter().map(|r| r.text().contains("withdrawn")).collect();
    assert_eq!(order, [false, false, true]);
    assert!(portal.requests()[0].text().contains(r#""revision":1"#));
}
