//! When mails go out, to whom, and that they go out once.

use crate::rig::{Rig, area, article_about};
use loa_domain::{Frequency, Wish};
use loa_store::DigestViews;
use loa_testkit::build;

#[tokio::test]
async fn an_article_is_mailed_once_at_its_hour_and_never_again() {
    let rig = Rig::new().await;
    rig.add("van-phong@nason.example", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    rig.run_until_idle().await;
    assert!(rig.mails().is_empty(), "not before seven");

    rig.at("2023-11-16T07:00:00+07:00").await;
    let mails = rig.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject(), "Bản tin 16/11/2023: Bản tin bai-1");
    assert_eq!(mails[0].to, ["van-phong@nason.example"]);
    assert!(mails[0].text().contains("https://dienbiendong.example/bai-viet/bai-1"));
    assert_eq!(rig.account().await, [1, 0, 0, 0, 0]);

    for later in ["2023-11-16T07:00:30+07:00", "2023-11-16T15:00:00+07:00", "2023-11-17T07:00:00+07:00"] {
        rig.at(later).await;
    }
    assert_eq!(rig.mails().len(), 1);
    let run = rig.run().await;
    assert_eq!((run.key.to_string().as_str(), run.planned, run.account.planned), ("daily-2023-11-17", true, 0));
    assert!(rig.service.run_now(Frequency::Daily).await.unwrap().is_none(), "nothing is owed, no run is opened");
}

#[tokio::test]
async fn the_same_event_twice_and_in_any_order_is_one_line_with_the_newest_text() {
    let rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Daily).await;
    for revision in [3, 1, 2, 3] {
        rig.publish("bai-1", revision).await;
    }
    rig.at("2023-11-16T07:00:00+07:00").await;
    assert_eq!(rig.mails().len(), 1);
    let text = rig.mails()[0].text();
    assert!(text.contains("Bản tin bai-1 (sửa lần 2)") && text.contains("Tin mới (1)"), "{text}");
}

#[tokio::test]
async fn an_update_is_one_line_that_says_so_in_the_next_digest() {
    let rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    rig.at("2023-11-16T07:00:00+07:00").await;
    rig.set("2023-11-16T09:00:00+07:00");
    for revision in [2, 3] {
        rig.publish("bai-1", revision).await;
    }
    rig.at("2023-11-17T07:00:00+07:00").await;
    let mails = rig.mails();
    assert_eq!(mails.len(), 2);
    let text = mails[1].text();
    assert!(
        text.contains("Tin được cập nhật (1)") && text.contains("(sửa lần 2)") && !text.contains("Tin mới"),
        "{text}"
    );
    assert_eq!(mails[1].subject(), "Bản tin 17/11/2023: Cập nhật: Bản tin bai-1 (sửa lần 2)");
    assert_ne!(mails[0].message_id(), mails[1].message_id());
}

#[tokio::test]
async fn each_mailbox_gets_what_it_wished_for_and_nobody_gets_an_empty_mail() {
    let rig = Rig::new().await;
    // a subscription to the commune of today gets what is about the commune it came from
    let na_son = Wish { areas: [area("na-son-03203-2025")].into(), ..Wish::default() };
    let muong_luan = Wish { areas: [area("muong-luan-03214-2025")].into(), ..Wish::default() };
    rig.add_wish("na-son@example.vn", na_son, Frequency::Daily).await;
    rig.add_wish("muong-luan@example.vn", muong_luan, Frequency::Daily).await;
    rig.add("tat-ca@example.vn", Frequency::Daily).await;
    let mut event = build::published(article_about("bai-1", "na-son-03205-2004"));
    event.reach = crate::rig::directory().reach(&event.reach);
    rig.accept(&[event]).await;
    rig.at("2023-11-16T07:00:00+07:00").await;
    let to: Vec<String> = rig.mails().iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(to.len(), 2);
    assert!(to.contains(&"na-son@example.vn".to_owned()) && to.contains(&"tat-ca@example.vn".to_owned()));
    let mail = &rig.catcher.mails_to("na-son@example.vn")[0];
    assert!(mail.text().contains("Địa bàn: Xã Na Son.") && mail.text().contains("· Xã Na Son"), "{}", mail.text());
}

#[tokio::test]
async fn missed_runs_merge_into_one_and_nothing_is_sent_by_night() {
    let mut rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    // two mornings go by without the service
    rig.set("2023-11-17T12:00:00+07:00");
    rig.publish("bai-2", 1).await;
    rig.restart().await;
    rig.at("2023-11-18T02:00:00+07:00").await;
    rig.at("2023-11-18T06:30:00+07:00").await;
    assert!(rig.mails().is_empty());
    rig.at("2023-11-18T07:00:00+07:00").await;
    assert_eq!(rig.mails().len(), 1);
    let text = rig.mails()[0].text();
    assert!(text.contains("bai-1") && text.contains("bai-2"), "{text}");
}

#[tokio::test]
async fn several_schedulers_make_one_run_and_one_mail() {
    let rig = Rig::new().await;
    for n in 0..25 {
        rig.add(&format!("nguoi-{n}@example.vn"), Frequency::Daily).await;
    }
    rig.publish("bai-1", 1).await;
    rig.set("2023-11-16T07:00:00+07:00");
    let services: Vec<_> = (10..14).map(|seed| rig.another(seed)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for service in services {
        tasks.spawn(async move { while service.step().await.unwrap() == loa_worker::Progress::Worked {} });
    }
    tasks.join_all().await;
    rig.run_until_idle().await;
    assert_eq!(rig.ledger.runs(10).await.unwrap().iter().filter(|r| r.key.frequency == Frequency::Daily).count(), 1);
    let mut to: Vec<_> = rig.mails().iter().flat_map(|mail| mail.to.clone()).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), rig.mails().len()), (25, 25));
}

#[tokio::test]
async fn what_is_wanted_at_once_waits_for_company_and_then_goes_even_by_night() {
    let rig = Rig::new().await;
    rig.set("2023-11-16T02:00:00+07:00");
    rig.add("a@example.vn", Frequency::Immediate).await;
    rig.publish("bai-1", 1).await;
    rig.run_until_idle().await;
    assert!(rig.mails().is_empty(), "company may come");
    rig.wind(20);
    rig.publish("bai-2", 1).await;
    rig.run_until_idle().await;
    assert!(rig.mails().is_empty());
    rig.wind(60);
    rig.run_until_idle().await;
    assert_eq!(rig.mails().len(), 1);
    let text = rig.mails()[0].text();
    assert!(text.contains("bai-1") && text.contains("bai-2"));
    rig.wind(7_200);
    rig.run_until_idle().await;
    assert_eq!(rig.mails().len(), 1);
}

#[tokio::test]
async fn a_weekly_digest_comes_on_its_day() {
    let rig = Rig::new().await;
    rig.at("2023-11-16T08:00:00+07:00").await;
    rig.add("a@example.vn", Frequency::Weekly).await;
    rig.publish("bai-1", 1).await;
    rig.at("2023-11-19T12:00:00+07:00").await;
    assert!(rig.mails().is_empty());
    rig.at("2023-11-20T07:00:00+07:00").await;
    assert_eq!(rig.mails()[0].subject(), "Bản tin tuần 20/11/2023: Bản tin bai-1");
}

#[tokio::test]
async fn a_run_by_hand_sends_what_is_owed_now_and_the_scheduled_run_does_not_repeat_it() {
    let rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    rig.set("2023-11-16T22:00:00+07:00");
    let run = rig.service.run_now(Frequency::Daily).await.unwrap().unwrap();
    assert_eq!((run.account.planned, run.account.sent), (1, 1));
    rig.at("2023-11-17T07:00:00+07:00").await;
    assert_eq!(rig.mails().len(), 1);
}

#[tokio::test]
async fn a_preview_shows_what_a_wish_would_get_and_sends_nothing() {
    let rig = Rig::new().await;
    assert!(rig.service.preview(&Wish::default()).await.unwrap().is_none());
    rig.publish("bai-1", 1).await;
    let preview = rig.service.preview(&Wish::default()).await.unwrap().unwrap();
    assert_eq!(preview.items, 1);
    assert!(preview.html.contains("Bản tin bai-1") && preview.text.contains("Bản tin bai-1"));
    assert!(!preview.html.contains('\u{1}'));
    assert!(rig.mails().is_empty());
}
