//! A mail server that misbehaves: nothing is lost, nothing is doubled silently, and the account
//! balances.

use crate::rig::Rig;
use loa_domain::{Frequency, MailState};
use loa_store::DigestViews;
use loa_testkit::smtp::{Fault, Stage};
use std::time::Duration;

async fn with_mailboxes(count: usize) -> Rig {
    let rig = Rig::new().await;
    for n in 0..count {
        rig.add(&format!("nguoi-{n:02}@example.vn"), Frequency::Daily).await;
    }
    rig.publish("bai-1", 1).await;
    rig
}

#[tokio::test]
async fn a_crash_after_the_last_dot_sends_once_more_under_the_same_message_id() {
    let mut rig = with_mailboxes(1).await;
    rig.catcher.misbehave(Fault::at(Stage::FinalDot).times(1).keep_then_hang());
    rig.set("2023-11-16T07:00:00+07:00");
    let service = rig.service.clone();
    let sending = tokio::spawn(async move { while service.step().await.is_ok() {} });
    rig.catcher.wait_for(1).await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());

    rig.restart().await;
    rig.run_until_idle().await;
    assert_eq!(rig.mails().len(), 1, "the lease protects it");
    rig.wind(901);
    rig.run_until_idle().await;
    let mails = rig.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message_id(), mails[1].message_id());
    assert_eq!(mails[0].from, mails[1].from);
    assert_eq!(rig.account().await, [1, 0, 0, 0, 0]);
    rig.wind(7_200);
    rig.run_until_idle().await;
    assert_eq!(rig.mails().len(), 2);
}

#[tokio::test]
async fn a_mail_that_twice_may_have_gone_out_is_uncertain_and_left_alone() {
    let rig = with_mailboxes(1).await;
    rig.catcher.misbehave(Fault::at(Stage::FinalDot).keep_then_drop());
    rig.at("2023-11-16T07:00:00+07:00").await;
    for _ in 0..4 {
        rig.wind(901);
        rig.run_until_idle().await;
    }
    assert_eq!(rig.account().await, [0, 0, 0, 1, 0]);
    let ids: Vec<String> = rig.mails().iter().map(|mail| mail.message_id()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_address_refused_for_good_fails_alone_and_a_busy_one_gets_its_mail_later() {
    let rig = with_mailboxes(12).await;
    rig.catcher.misbehave(Fault::at(Stage::RcptTo).of("nguoi-03@example.vn").reply("550 5.1.1 no such user"));
    rig.catcher.misbehave(Fault::at(Stage::RcptTo).of("nguoi-05@example.vn").times(2).reply("451 4.7.1 greylisted"));
    rig.at("2023-11-16T07:00:00+07:00").await;
    assert_eq!(rig.account().await, [10, 1, 0, 0, 1]);
    rig.wind(90);
    rig.run_until_idle().await;
    assert_eq!(rig.account().await, [10, 1, 0, 0, 1], "greylisted a second time");
    rig.wind(400);
    rig.run_until_idle().await;
    assert_eq!(rig.account().await, [11, 1, 0, 0, 0]);
    assert_eq!(rig.mails().len(), 11);
    let run = rig.run().await;
    let failed: Vec<_> =
        rig.ledger.mails(run.id, "", 100).await.unwrap().into_iter().filter(|m| m.state == MailState::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].words.as_str().contains("5.1.1 no such user"));
}

#[tokio::test]
async fn a_server_that_closes_in_the_middle_costs_nobody_a_mail_and_nobody_gets_two() {
    for fault in [
        Fault::at(Stage::RcptTo).of("nguoi-04@example.vn").times(1).reply("421 4.3.2 closing"),
        Fault::at(Stage::MailFrom).times(1),
        Fault::at(Stage::Data).of("nguoi-07@example.vn").times(1),
        Fault::at(Stage::RcptTo).of("nguoi-01@example.vn").times(1).hang(),
    ] {
        let rig = with_mailboxes(12).await;
        rig.catcher.misbehave(fault.clone());
        rig.at("2023-11-16T07:00:00+07:00").await;
        rig.run().await;
        for _ in 0..3 {
            rig.wind(120);
            rig.run_until_idle().await;
        }
        assert_eq!(rig.account().await, [12, 0, 0, 0, 0], "{fault:?}");
        assert_eq!(rig.mails().len(), 12, "{fault:?}");
    }
}

#[tokio::test]
async fn a_mail_server_that_is_away_fails_nobody() {
    let rig = with_mailboxes(3).await;
    rig.catcher.misbehave(Fault::at(Stage::Greeting));
    rig.at("2023-11-16T07:00:00+07:00").await;
    for _ in 0..20 {
        rig.wind(30);
        rig.run_until_idle().await;
    }
    assert_eq!(rig.account().await, [0, 0, 0, 0, 3]);
    assert!(rig.catcher.sessions() < 18, "it is not hammered: {}", rig.catcher.sessions());
    rig.catcher.behave();
    rig.wind(120);
    rig.run_until_idle().await;
    assert_eq!(rig.account().await, [3, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_server_that_refuses_us_stops_the_run_until_an_operator_resumes_it() {
    for (stage, words) in [
        (Stage::MailFrom, "550 5.7.1 sender rejected"),
        (Stage::FinalDot, "550 5.7.515 not authenticated"),
        (Stage::RcptTo, "554 5.7.1 relay access denied"),
    ] {
        let rig = with_mailboxes(30).await;
        rig.catcher.misbehave(Fault::at(stage).reply(words));
        rig.at("2023-11-16T07:00:00+07:00").await;
        let run = rig.run().await;
        let why = run.paused.as_ref().expect("stopped");
        assert!(why.words.as_str().contains(&words[4..9]), "{stage:?} {run:?}");
        assert_eq!((run.account.waiting, run.account.failed), (30, 0), "{stage:?}: nobody's fault but ours");
        rig.catcher.behave();
        rig.wind(3_600);
        rig.run_until_idle().await;
        assert!(rig.mails().is_empty(), "{stage:?}: a stopped run stays stopped");
        rig.service.resume_run(run.id).await.unwrap();
        rig.wind(3_600);
        rig.run_until_idle().await;
        assert_eq!(rig.account().await, [30, 0, 0, 0, 0], "{stage:?}");
        assert_eq!(rig.mails().len(), 30, "{stage:?}: nobody twice");
    }
}

#[tokio::test]
async fn one_address_that_is_refused_for_policy_stops_nobody_else() {
    let rig = with_mailboxes(12).await;
    rig.catcher.misbehave(Fault::at(Stage::RcptTo).of("nguoi-02@example.vn").reply("550 5.7.1 members only"));
    rig.at("2023-11-16T07:00:00+07:00").await;
    assert_eq!(rig.account().await, [11, 0, 0, 0, 1]);
    for hour in 8..20 {
        rig.at(&format!("2023-11-16T{hour:02}:00:00+07:00")).await;
    }
    let run = rig.run().await;
    assert_eq!(
        (run.paused, run.account.sent, run.account.failed),
        (None, 11, 1),
        "after five tries it means the address"
    );
}

#[tokio::test]
async fn who_unsubscribes_before_its_mail_goes_gets_none() {
    let rig = Rig::new().await;
    let subscription = rig.add("a@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    rig.catcher.misbehave(Fault::at(Stage::RcptTo).times(1).reply("451 4.7.1 later"));
    rig.at("2023-11-16T07:00:00+07:00").await;
    rig.post(&format!("/u/{}", subscription.token), "List-Unsubscribe=One-Click").await;
    rig.at("2023-11-16T09:00:00+07:00").await;
    assert!(rig.mails().is_empty());
    assert_eq!(rig.account().await, [0, 0, 1, 0, 0]);
}

#[tokio::test]
async fn a_late_mail_waits_for_the_morning_and_is_given_up_after_days() {
    let rig = with_mailboxes(1).await;
    rig.catcher.misbehave(Fault::at(Stage::RcptTo).reply("451 4.3.0 disk full"));
    rig.at("2023-11-16T20:30:00+07:00").await;
    for _ in 0..12 {
        rig.clock.advance(Duration::from_secs(1_800));
        rig.run_until_idle().await;
    }
    rig.catcher.behave();
    rig.at("2023-11-17T03:00:00+07:00").await;
    assert!(rig.mails().is_empty(), "no digest at three in the morning");
    rig.at("2023-11-17T06:00:00+07:00").await;
    assert_eq!(rig.mails().len(), 1);

    let rig = with_mailboxes(1).await;
    rig.catcher.misbehave(Fault::at(Stage::RcptTo).reply("451 4.3.0 disk full"));
    rig.at("2023-11-16T07:00:00+07:00").await;
    let run = rig.run().await;
    rig.at("2023-11-19T08:00:00+07:00").await;
    let ended = rig.ledger.runs(10).await.unwrap().into_iter().find(|r| r.id == run.id).unwrap();
    assert_eq!((ended.account.failed, ended.account.waiting), (1, 0));
}

#[tokio::test]
async fn the_headers_that_mail_programs_look_for_arrive() {
    let rig = with_mailboxes(1).await;
    rig.at("2023-11-16T07:00:00+07:00").await;
    let mail = &rig.mails()[0];
    let subscriber = rig.ledger.subscribers("", 1).await.unwrap().remove(0);
    let token = &subscriber.subscriptions[0].token;
    assert_eq!(
        mail.header("List-Unsubscribe").unwrap(),
        format!(
            "<https://tin.dienbiendong.example/u/{token}>, \
             <mailto:huy-dang-ky@tin.dienbiendong.example?subject=huy-dang-ky%20{token}>"
        )
    );
    assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert!(mail.header("List-Id").unwrap().ends_with("<ban-tin.tin.dienbiendong.example>"));
    assert!(mail.from.starts_with("ban-tin+") && mail.from.contains(subscriber.subscriptions[0].id.as_str()));
    assert_eq!(mail.helo, "tin.dienbiendong.example");
}
