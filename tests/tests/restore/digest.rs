//! Restoring the digest ledger: no second mail, nobody forgotten, no mail to who has left.

use crate::town::Town;
use loa_domain::{Frequency, SubscriptionState, Wish};
use loa_testkit::{
    build::{article, published, withdrawn},
    smtp::{Fault, Stage},
};

/// Two readers and an article, mailed on Thursday; then the copy.
async fn thursday() -> Town {
    let town = Town::new().await;
    town.subscribe("na").await;
    town.subscribe("tia").await;
    town.publish(published(article("bai-1", 1))).await;
    town.at("2023-11-16T07:00:00+07:00").await;
    assert_eq!((town.mailbox("na").0, town.mailbox("tia").0), (1, 1));
    town.copy("digest").await;
    town
}

#[tokio::test]
async fn a_restored_ledger_is_equal_to_the_lost_one() {
    let mut town = thursday().await;
    town.subscribe("luan").await;
    town.publish(published(article("bai-2", 1))).await;
    town.publish(published(article("bai-1", 2))).await;
    town.at("2023-11-17T07:00:00+07:00").await;
    town.publish(withdrawn("bai-2", 2)).await;
    town.publish(published(article("bai-3", 1))).await;
    let (lost, journeys) = (town.digest_stands().await, town.journeys("digest", &["bai-1", "bai-2", "bai-3"]).await);
    let sent = town.catcher.mails().len();

    let restored = town.lose_and_restore("digest").await;
    assert_eq!(restored.events, 4);
    assert_eq!(town.digest_stands().await, lost);
    assert_eq!(town.journeys("digest", &["bai-1", "bai-2", "bai-3"]).await, journeys);

    town.come_to_rest().await;
    assert_eq!(town.catcher.mails().len(), sent, "no second mail");
    town.at("2023-11-18T07:00:00+07:00").await;
    for name in ["na", "tia", "luan"] {
        let (mails, last) = town.mailbox(name);
        assert_eq!(mails, if name == "luan" { 2 } else { 3 });
        assert!(last.contains("Bản tin bai-3") && last.contains("Đính chính: tin đã được gỡ (1)"), "{last}");
        assert!(!last.contains("Bản tin bai-1"), "{last}");
    }
}

#[tokio::test]
async fn a_restore_can_be_repeated_and_begun_again_in_the_middle() {
    let mut town = thursday().await;
    town.publish(published(article("bai-2", 1))).await;
    town.at("2023-11-17T07:00:00+07:00").await;
    let lost = town.digest_stands().await;
    let copied_at = town.lose("digest").await;
    // a first restore that got as far as half of it: marked, and one event in
    town.digest_ledger.set_restoring(true).await.unwrap();
    town.digest_ledger.accept(&[published(article("bai-2", 1))], copied_at).await.unwrap();
    assert!(town.digest.step().await.is_err(), "nothing goes out of a ledger half restored");
    for _ in 0..2 {
        town.try_restore("digest", copied_at).await.unwrap();
        assert_eq!(town.digest_stands().await.mails, lost.mails);
    }
    town.come_to_rest().await;
    assert_eq!((town.mailbox("na").0, town.mailbox("tia").0), (2, 2));
}

#[tokio::test]
async fn who_left_since_the_copy_is_not_mailed_and_who_came_is() {
    let mut town = thursday().await;
    let left = town.digest_ledger.subscribers("", 10).await.unwrap()[0].subscriptions[0].clone();
    town.subscriptions().unsubscribe(&left.token_hash, town.clock.now()).await.unwrap();
    town.wind(1);
    town.subscribe("luan").await;
    town.publish(published(article("bai-2", 1))).await;
    let lost = town.digest_stands().await;
    town.lose_and_restore("digest").await;
    assert_eq!(town.digest_stands().await, lost);
    town.at("2023-11-17T07:00:00+07:00").await;
    assert_eq!(left.email.as_str(), "na@example.vn");
    assert_eq!(town.mailbox("na").0, 1, "it left");
    assert_eq!((town.mailbox("tia").0, town.mailbox("luan").0), (2, 1));
    assert!(!town.mailbox("luan").1.contains("bai-1"), "it came later");
    // its links still work
    let link = town.digest_ledger.by_token(&left.token_hash).await.unwrap().unwrap();
    assert_eq!(link.state, SubscriptionState::Unsubscribed);
}

#[tokio::test]
async fn a_correction_goes_to_exactly_those_who_had_the_article() {
    let mut town = thursday().await;
    town.publish(published(article("bai-2", 1))).await;
    town.at("2023-11-17T07:00:00+07:00").await;
    town.subscribe("luan").await;
    town.lose_and_restore("digest").await;
    town.publish(withdrawn("bai-2", 2)).await;
    town.at("2023-11-18T07:00:00+07:00").await;
    for name in ["na", "tia"] {
        let (mails, last) = town.mailbox(name);
        assert!(mails == 3 && last.contains("Đính chính"), "{last}");
    }
    assert_eq!(town.mailbox("luan").0, 0);
}

#[tokio::test]
async fn what_was_not_sent_yet_is_sent_once_under_its_own_id() {
    let mut town = thursday().await;
    town.publish(published(article("bai-2", 1))).await;
    // one of the two is put off by the mail server
    town.catcher.misbehave(Fault::at(Stage::RcptTo).times(1).reply("451 4.7.1 later"));
    town.at("2023-11-17T07:00:00+07:00").await;
    let lost = town.digest_stands().await;
    let run = town.newest_run().await;
    assert_eq!((run.account.sent, run.account.waiting), (1, 1));
    town.lose_and_restore("digest").await;
    assert_eq!(town.digest_stands().await, lost);
    town.at("2023-11-17T09:00:00+07:00").await;
    assert_eq!((town.mailbox("na").0, town.mailbox("tia").0), (2, 2));
    let account = town.newest_run().await.account;
    assert_eq!((town.newest_run().await.key, account.planned, account.sent), (run.key, 2, 2));
}

#[tokio::test]
async fn whom_todays_run_had_not_reached_when_the_ledger_was_lost_the_next_reaches() {
    let mut town = thursday().await;
    town.publish(published(article("bai-2", 1))).await;
    // na's mail went out; then the process, and the disk, were gone before tia's was begun: no receipt of it
    town.catcher.misbehave(Fault::at(Stage::RcptTo).times(1).reply("451 4.7.1 later"));
    town.at("2023-11-17T07:00:00+07:00").await;
    town.wish("phi", Wish::default(), Frequency::Immediate).await;
    town.publish(published(article("bai-3", 1))).await;
    town.lose_and_restore("digest").await;
    // phi wants it at once, and nothing had been opened for it
    town.at("2023-11-17T07:10:00+07:00").await;
    assert_eq!(town.mailbox("phi").0, 1);
    town.at("2023-11-18T07:00:00+07:00").await;
    assert_eq!((town.mailbox("na").0, town.mailbox("tia").0), (3, 3));
    town.at("2023-11-19T07:00:00+07:00").await;
    assert_eq!((town.mailbox("na").0, town.mailbox("tia").0, town.mailbox("phi").0), (3, 3, 1));
}

#[tokio::test]
async fn a_mail_lost_in_its_dialogue_goes_out_once_more_under_the_same_id() {
    let mut town = thursday().await;
    town.publish(published(article("bai-2", 1))).await;
    town.catcher.misbehave(Fault::at(Stage::FinalDot).times(1).keep_then_drop());
    town.at("2023-11-17T07:00:00+07:00").await;
    assert_eq!(town.newest_run().await.account.waiting, 2, "nobody knows whether the first went out");
    let lost = town.digest_stands().await;
    town.lose_and_restore("digest").await;
    assert_eq!(town.digest_stands().await, lost);
    town.at("2023-11-17T08:00:00+07:00").await;
    let account = town.newest_run().await.account;
    assert_eq!((account.planned, account.sent), (2, 2), "{account:?}");
    let ids: Vec<String> = town.catcher.mails().iter().map(|mail| mail.message_id()).collect();
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (5, 4), "repeated, and to be recognised: {ids:?}");
}
