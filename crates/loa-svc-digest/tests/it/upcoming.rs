//! Articles dated in the future: mailed at their time, by every frequency, and not before.

use crate::rig::Rig;
use loa_domain::{Event, Frequency};
use loa_testkit::build;

/// An article dated so; it is shown five minutes earlier.
fn dated(id: &str, revision: u64, at: &str) -> Event {
    let at = at.parse().unwrap();
    build::published(loa_domain::Article { published_at: at, modified_at: at, ..build::article(id, revision) })
}

async fn subjects(rig: &Rig, instant: &str) -> Vec<String> {
    let before = rig.mails().len();
    rig.at(instant).await;
    rig.mails()[before..].iter().map(|mail| format!("{} {}", mail.to[0], mail.subject())).collect()
}

#[tokio::test]
async fn each_frequency_mails_it_at_its_first_chance_after_its_time() {
    let rig = Rig::new().await;
    rig.add("ngay@example.vn", Frequency::Immediate).await;
    rig.add("ngay-mai@example.vn", Frequency::Daily).await;
    rig.accept(&[dated("hen", 1, "2023-11-16T09:00:00+07:00")]).await;
    assert!(subjects(&rig, "2023-11-16T07:00:00+07:00").await.is_empty(), "no empty digest either");
    assert!(subjects(&rig, "2023-11-16T08:54:59+07:00").await.is_empty());
    // nobody rings: the poll finds it, when it has waited for company as any article does
    assert_eq!(subjects(&rig, "2023-11-16T08:57:00+07:00").await, ["ngay@example.vn Bản tin hen"]);
    assert_eq!(
        subjects(&rig, "2023-11-17T07:00:00+07:00").await,
        ["ngay-mai@example.vn Bản tin 17/11/2023: Bản tin hen"]
    );
    assert!(subjects(&rig, "2023-11-18T07:00:00+07:00").await.is_empty(), "once");
}

#[tokio::test]
async fn a_restart_over_its_time_loses_nothing() {
    let mut rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Immediate).await;
    rig.accept(&[dated("hen", 1, "2023-11-16T09:00:00+07:00")]).await;
    rig.run_until_idle().await;
    rig.set("2023-11-18T09:00:00+07:00");
    rig.restart().await;
    rig.run_until_idle().await;
    rig.wind(120);
    rig.run_until_idle().await;
    assert_eq!(rig.mails().len(), 1);
}

#[tokio::test]
async fn a_withdrawal_before_its_time_leaves_nothing_to_mail() {
    let rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Immediate).await;
    rig.accept(&[dated("hen", 1, "2023-11-16T09:00:00+07:00")]).await;
    rig.accept(&[build::withdrawn("hen", 2)]).await;
    assert!(subjects(&rig, "2023-11-16T12:00:00+07:00").await.is_empty());
}
