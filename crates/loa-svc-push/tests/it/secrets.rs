//! Signing secrets, and their rotation.

use crate::stage::Stage;
use loa_testkit::{
    build::{article, published},
    http::{HttpStandIn, Reply},
};
use loa_webhook::VerifyError;
use loa_words::Language;

#[tokio::test]
async fn while_rotating_both_secrets_verify_and_after_retiring_only_the_new() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (id, old) = stage.endpoint(&portal, "/").await;
    portal.script([Reply::status(500)]);
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    let new = stage.service.rotate_secret(&id, true).await.unwrap();
    stage.advance(5).await;
    let retried = portal.requests().pop().unwrap();
    assert_eq!((stage.verify(&retried, &new), stage.verify(&retried, &old)), (Ok(()), Ok(())));
    assert_eq!(retried.header("webhook-signature").unwrap().split(' ').count(), 2);

    stage.service.retire_secrets(&id).await.unwrap();
    stage.accept(&[published(article("bai-2", 1))]).await;
    stage.run_until_idle().await;
    let last = portal.requests().pop().unwrap();
    assert_eq!((stage.verify(&last, &new), stage.verify(&last, &old)), (Ok(()), Err(VerifyError::Mismatch)));
}

#[tokio::test]
async fn a_rotation_without_overlap_ends_the_old_secret_at_once() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (id, old) = stage.endpoint(&portal, "/").await;
    let new = stage.service.rotate_secret(&id, false).await.unwrap();
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    let request = portal.requests().pop().unwrap();
    assert_eq!((stage.verify(&request, &new), stage.verify(&request, &old)), (Ok(()), Err(VerifyError::Mismatch)));
}

#[tokio::test]
async fn a_test_ping_is_signed_and_reported_and_is_no_delivery() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (id, secret) = stage.endpoint(&portal, "/").await;
    let report = stage.service.test_endpoint(&id).await.unwrap();
    assert!(report.delivered && report.status == Some(204), "{report:?}");
    let request = portal.requests().pop().unwrap();
    assert_eq!(stage.verify(&request, &secret), Ok(()));
    assert!(request.text().contains("vn.loa.endpoint.test.v1"));
    portal.always(Reply::text(401, "sai chữ ký"));
    let report = stage.service.test_endpoint(&id).await.unwrap();
    assert!(!report.delivered);
    let told = report.told(Language::Vietnamese);
    assert!(told.contains("sai chữ ký") && !told.contains('\n'), "{told}");
    assert!(stage.deliveries().await.is_empty());
}
