//! Withdrawn means gone (promise 4 of README.md).

use crate::rig::Rig;
use loa_domain::{Frequency, MailReason};
use loa_store::{DigestViews, Ledger};
use loa_testkit::{
    build,
    smtp::{Fault, Stage},
};

#[tokio::test]
async fn what_is_withdrawn_before_the_run_is_never_mailed() {
    let rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    rig.accept(&[build::withdrawn("bai-1", 2)]).await;
    rig.at("2023-11-16T07:00:00+07:00").await;
    assert!(rig.mails().is_empty());
    assert_eq!(rig.run().await.account.planned, 0);
}

#[tokio::test]
async fn what_is_withdrawn_between_planning_and_sending_is_suppressed_with_a_reason() {
    let rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    rig.catcher.misbehave(Fault::at(Stage::RcptTo).times(1).reply("451 4.7.1 later"));
    rig.at("2023-11-16T07:00:00+07:00").await;
    assert_eq!(rig.account().await, [0, 0, 0, 0, 1]);
    rig.accept(&[build::withdrawn("bai-1", 2)]).await;
    rig.at("2023-11-16T09:00:00+07:00").await;
    assert!(rig.mails().is_empty());
    assert_eq!(rig.account().await, [0, 0, 1, 0, 0]);
    let run = rig.run().await;
    assert_eq!(rig.ledger.mails(run.id, "", 10).await.unwrap()[0].reason, Some(MailReason::NothingLeft));
}

#[tokio::test]
async fn what_was_read_is_corrected_to_exactly_those_who_had_it() {
    let rig = Rig::new().await;
    rig.add("co@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    rig.at("2023-11-16T07:00:00+07:00").await;
    rig.set("2023-11-16T08:00:00+07:00");
    rig.add("den-sau@example.vn", Frequency::Daily).await;
    rig.publish("bai-2", 1).await;
    rig.accept(&[build::withdrawn("bai-1", 2)]).await;
    rig.at("2023-11-17T07:00:00+07:00").await;

    let had = rig.catcher.mails_to("co@example.vn");
    assert_eq!(had.len(), 2);
    let text = had[1].text();
    assert!(text.contains("Đính chính: tin đã được gỡ (1)") && text.contains("Lý do: Đăng nhầm."), "{text}");
    assert!(text.contains("Tin mới (1)") && text.contains("bai-2"));
    let had_not = rig.catcher.mails_to("den-sau@example.vn");
    assert_eq!(had_not.len(), 1);
    assert!(!had_not[0].text().contains("bai-1"));

    rig.at("2023-11-18T07:00:00+07:00").await;
    assert_eq!(rig.mails().len(), 3, "a correction is sent once");
    let journey = rig.ledger.journey(&"bai-1".parse().unwrap()).await.unwrap();
    assert!(journey.iter().any(|step| step.step.as_str() == "corrected"), "{journey:?}");
}
