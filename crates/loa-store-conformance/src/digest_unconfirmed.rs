//! Rules of the digest ledger about what strangers leave behind: wishes that nobody confirmed, and the keys that were mailed to
//! their mailboxes.

use crate::{
    build::{Draft, at},
    digest::{accept, got, request, run, subscribe, wish},
};
use loa_domain::{Frequency, SubscriptionState};
use loa_store::{DigestLedger, Subscription, SubscriptionRequest};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! digest_unconfirmed_rules {
    ($test:ident) => {
        $test!(a_key_finds_its_subscription_for_its_time_and_keys_work_side_by_side);
        $test!(who_leaves_is_not_brought_back_by_a_key_of_before);
        $test!(what_nobody_confirmed_is_gone_with_its_mailbox_in_small_steps);
        $test!(what_was_mailed_before_is_ended_again_and_keeps_its_account);
        $test!(confirming_in_time_keeps_a_subscription);
    };
}

async fn pending(ledger: &dyn DigestLedger, name: &str, minute: i64) -> Subscription {
    let asked = SubscriptionRequest {
        state: SubscriptionState::Pending,
        at: at(minute),
        ..request(name, wish(&["na-son"], &[]))
    };
    subscribe(ledger, asked).await
}

pub async fn a_key_finds_its_subscription_for_its_time_and_keys_work_side_by_side(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    let made = subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    assert!(ledger.add_key("hash-na", "key-1", at(10)).await.unwrap());
    assert!(ledger.add_key("hash-na", "key-2", at(20)).await.unwrap());
    assert!(!ledger.add_key("nothing", "key-3", at(20)).await.unwrap());
    let find = async |key: &str, minute: i64| ledger.by_key(key, at(minute)).await.unwrap();
    assert_eq!((find("key-1", 9).await, find("key-2", 9).await), (Some(made.clone()), Some(made.clone())));
    assert_eq!((find("key-1", 10).await, find("key-2", 19).await), (None, Some(made)), "until its time");
    assert_eq!(find("key-3", 1).await, None);
    assert_eq!(find("hash-na", 1).await, None, "a token is no key");
}

pub async fn who_leaves_is_not_brought_back_by_a_key_of_before(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    ledger.add_key("hash-na", "key", at(90)).await.unwrap();
    ledger.unsubscribe("hash-na", at(5)).await.unwrap();
    assert_eq!(ledger.by_key("key", at(6)).await.unwrap(), None);
    ledger.add_key("hash-na", "another", at(90)).await.unwrap();
    assert!(ledger.by_key("another", at(6)).await.unwrap().is_some(), "what is mailed to it afterwards does");
}

pub async fn what_nobody_confirmed_is_gone_with_its_mailbox_in_small_steps(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    for (name, minute) in [("a", 1), ("b", 2), ("c", 3), ("d", 50)] {
        pending(&*ledger, name, minute).await;
    }
    subscribe(&*ledger, request("e", wish(&[], &[]))).await;
    let weekly = SubscriptionRequest {
        frequency: Frequency::Weekly,
        subscription: loa_domain::SubscriptionId::new("s-c-weekly").unwrap(),
        token: "token-c-weekly".into(),
        token_hash: "hash-c-weekly".into(),
        ..request("c", wish(&[], &[]))
    };
    subscribe(&*ledger, weekly).await;
    let expire = async || ledger.expire_unconfirmed(at(50), at(60), 2).await.unwrap();
    assert_eq!([expire().await, expire().await, expire().await], [2, 1, 0]);
    let left: Vec<_> = ledger.subscribers("", 10).await.unwrap();
    let left: Vec<_> = left.iter().map(|one| (one.email.as_str(), one.subscriptions.len())).collect();
    assert_eq!(left, [("c@example.gov.vn", 1), ("d@example.gov.vn", 1), ("e@example.gov.vn", 1)]);
    assert_eq!(ledger.by_token("hash-a").await.unwrap(), None);
    pending(&*ledger, "a", 60).await;
    assert!(ledger.confirm("hash-a", at(61)).await.unwrap().is_some(), "and it may be asked for again");
}

pub async fn what_was_mailed_before_is_ended_again_and_keeps_its_account(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&["na-son"], &[]))).await;
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live()], 1).await;
    assert_eq!(run(&*ledger, "1", 2).await, [got("na", &["news:a@1"])]);
    ledger.unsubscribe("hash-na", at(3)).await.unwrap();
    pending(&*ledger, "na", 4).await;
    ledger.add_key("hash-na", "key", at(900)).await.unwrap();
    assert_eq!(ledger.expire_unconfirmed(at(50), at(60), 10).await.unwrap(), 1);
    let kept = ledger.by_token("hash-na").await.unwrap().unwrap();
    assert_eq!(kept.state, SubscriptionState::Unsubscribed);
    assert_eq!(ledger.by_key("key", at(61)).await.unwrap(), None);
    let account = ledger.runs(1).await.unwrap()[0].account;
    assert!(account.balances() && account.sent == 1, "{account:?}");
}

pub async fn confirming_in_time_keeps_a_subscription(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    pending(&*ledger, "na", 1).await;
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live()], 2).await;
    ledger.confirm("hash-na", at(3)).await.unwrap();
    accept(&*ledger, &[Draft::of("b").areas(&["na-son"]).live()], 4).await;
    assert_eq!(ledger.expire_unconfirmed(at(50), at(60), 10).await.unwrap(), 0);
    assert_eq!(run(&*ledger, "1", 61).await, [got("na", &["news:b@1"])], "what came before it is not owed");
}
