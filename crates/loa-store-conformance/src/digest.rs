//! Rules of the digest ledger: events, subscriptions, what is owed. Runs and mails: `digest_runs.rs`.
//!
//! Long, for it is one list: each rule stands by itself and is read alone, and the list of the suite is held against the file
//! (`rules_written`).

use crate::{
    build::{Draft, area, at, id, slug},
    receptions,
};
use loa_domain::{
    Account, EmailAddress, Event, Frequency, ItemKind, JourneyStep, MailId, MailOutcome, RunKey, SubscriberId,
    SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{Accepted, DigestLedger, DueMail, Lease, StoreErrorKind, Subscription, SubscriptionRequest};
use std::sync::Arc;

/// Calls `$test!(rule)` for each rule of this file.
#[macro_export]
macro_rules! digest_rules {
    ($test:ident) => {
        $test!(what_was_not_accepted_is_not_seen);
        $test!(accepting_an_event_twice_changes_nothing);
        $test!(the_higher_version_stands_whatever_came_first);
        $test!(a_subscription_comes_back_as_it_was_asked_for);
        $test!(a_mailbox_has_one_subscription_for_each_frequency);
        $test!(addresses_that_differ_in_case_are_one_mailbox);
        $test!(active_lifts_any_state_and_pending_never_lowers_active);
        $test!(a_token_is_one_subscriptions_only);
        $test!(subscribers_are_listed_by_address_page_by_page);
        $test!(a_mailbox_is_found_by_its_address_whatever_the_case);
        $test!(a_subscription_is_found_by_its_token);
        $test!(confirming_makes_pending_active_and_nothing_else);
        $test!(unsubscribing_is_idempotent_and_knows_unknown_tokens);
        $test!(confirmation_mails_are_counted_for_each_mailbox);
        $test!(a_confirmation_mail_that_did_not_go_out_is_not_counted);
        $test!(a_wish_is_matched_by_area_and_category);
        $test!(a_document_fits_only_wishes_for_every_category);
        $test!(a_subscription_owes_nothing_accepted_before_it);
        $test!(a_clock_that_steps_back_takes_nothing_from_a_subscription);
        $test!(a_confirmed_subscription_owes_nothing_accepted_before_its_confirmation);
        $test!(a_reactivated_subscription_owes_nothing_accepted_before_that);
        $test!(a_changed_wish_keeps_what_it_was_owed_and_still_wishes);
        $test!(a_changed_wish_owes_nothing_that_only_the_new_wish_would_have_matched);
        $test!(a_wish_asked_for_again_unchanged_loses_nothing);
        $test!(what_was_kept_at_a_change_of_wish_goes_when_it_is_withdrawn);
        $test!(only_active_subscriptions_are_owed);
        $test!(nothing_is_owed_after_it_was_planned);
        $test!(what_is_too_old_is_not_owed);
        $test!(what_is_accepted_after_the_cutoff_waits_for_the_next_run);
        $test!(a_back_dated_article_is_owed);
        $test!(what_was_withdrawn_is_not_owed);
        $test!(an_update_is_owed_to_those_who_had_the_article);
        $test!(an_edit_that_moves_an_article_away_is_owed_to_nobody_there);
        $test!(a_preview_shows_what_a_wish_would_have_been_sent);
        $test!(a_journey_says_what_was_accepted_and_how_many_were_sent_it);
        $test!(subscriptions_and_matches_survive_a_crash);
        $test!(an_empty_batch_is_no_work);
        $test!(the_ledger_answers_a_ping);
        $test!(an_id_used_again_for_other_content_is_taken_by_its_version);
    };
}

/// A wish for these areas and categories.
pub(super) fn wish(areas: &[&str], categories: &[&str]) -> Wish {
    Wish {
        areas: areas.iter().map(|text| area(text)).collect(),
        categories: categories.iter().map(|text| slug(text)).collect(),
    }
}

/// An active, daily subscription from minute 0 of `name`@example.gov.vn, with ids and token made of the name.
pub(super) fn request(name: &str, wish: Wish) -> SubscriptionRequest {
    SubscriptionRequest {
        subscriber: SubscriberId::new(format!("p-{name}")).unwrap(),
        subscription: SubscriptionId::new(format!("s-{name}")).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.gov.vn")).unwrap(),
        wish,
        frequency: Frequency::Daily,
        state: SubscriptionState::Active,
        token: format!("token-{name}"),
        token_hash: format!("hash-{name}"),
        at: at(0),
    }
}

/// Subscribes one.
pub(super) async fn subscribe(ledger: &dyn DigestLedger, request: SubscriptionRequest) -> Subscription {
    ledger.subscribe(&[request]).await.unwrap().remove(0)
}

/// Accepts events at a minute.
pub(super) async fn accept(ledger: &dyn DigestLedger, events: &[Event], minute: i64) -> Accepted {
    ledger.accept(events, at(minute)).await.unwrap()
}

/// A run's key: daily, of this slot.
pub(super) fn key(slot: &str) -> RunKey {
    RunKey {
        frequency: Frequency::Daily,
        on: "2026-03-01".parse().unwrap(),
        slot: slot.into(),
        zone: "Asia/Ho_Chi_Minh".into(),
    }
}

/// Opens a run with a cut-off at `minute` and plans all of it; returns its number and its count of mails.
pub(super) async fn planned(ledger: &dyn DigestLedger, slot: &str, minute: i64) -> (i64, u64) {
    let (run, _) = ledger.open_run(&key(slot), at(minute), at(minute)).await.unwrap();
    let mut mails = 0;
    loop {
        let plan = ledger.plan(run.id, at(-1_000), 2, at(minute)).await.unwrap();
        mails += plan.mails;
        if plan.complete {
            return (run.id, mails);
        }
    }
}

/// Claims everything due.
pub(super) async fn claim(ledger: &dyn DigestLedger, holder: &str, now: i64) -> Vec<DueMail> {
    let lease = Lease { holder: holder.into(), now: at(now), until: at(now + 10) };
    ledger.claim_mails(&lease, 1_000).await.unwrap()
}

/// What a mail says: `news:a@1`, in its order.
pub(super) fn lines(mail: &DueMail) -> Vec<String> {
    mail.items.iter().map(|item| format!("{}:{}@{}", item.kind.as_str(), item.article, item.revision)).collect()
}

/// Sends a mail as the service does: dialogue begun, then recorded.
pub(super) async fn send(ledger: &dyn DigestLedger, holder: &str, mail: &MailId, minute: i64) {
    let begun = ledger.submitting(holder, std::slice::from_ref(mail), at(minute)).await.unwrap();
    assert_eq!(begun, std::slice::from_ref(mail));
    let record =
        loa_store::MailRecord { id: mail.clone(), outcome: MailOutcome::Sent("250 ok".into()), at: at(minute) };
    assert_eq!(ledger.record_mails(holder, &[record]).await.unwrap(), 1);
}

/// Runs a digest to its end: plans, claims and sends; returns who got what.
pub(super) async fn run(ledger: &dyn DigestLedger, slot: &str, minute: i64) -> Vec<(String, Vec<String>)> {
    planned(ledger, slot, minute).await;
    let mut got = Vec::new();
    for mail in claim(ledger, slot, minute).await {
        send(ledger, slot, &mail.id, minute).await;
        let name = mail.subscription.email.as_str().split('@').next().unwrap().to_owned();
        got.push((name, lines(&mail)));
    }
    got.sort();
    got
}

pub(super) fn got(who: &str, lines: &[&str]) -> (String, Vec<String>) {
    (who.to_owned(), lines.iter().map(|line| (*line).to_owned()).collect())
}

async fn owed(ledger: &dyn DigestLedger, minute: i64) -> bool {
    ledger.owed(Frequency::Daily, at(-1_000), at(minute)).await.unwrap()
}

pub async fn accepting_an_event_twice_changes_nothing(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    let event = Draft::of("a").live();
    let twice = accept(&*ledger, &[event.clone(), event.clone()], 1).await;
    assert_eq!(twice, Accepted { fresh: 1, duplicates: 1, stale: 0, reused: 0 });
    assert_eq!(run(&*ledger, "1", 2).await, [got("na", &["news:a@1"])]);
    assert_eq!(accept(&*ledger, &[event], 3).await, Accepted { fresh: 0, duplicates: 1, stale: 0, reused: 0 });
    assert!(!owed(&*ledger, 9).await, "sent once");
}

pub async fn the_higher_version_stands_whatever_came_first(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    let late = accept(&*ledger, &[Draft::of("a").revision(2).title("Mới").live(), Draft::of("a").live()], 1).await;
    assert_eq!(late, Accepted { fresh: 2, duplicates: 0, stale: 1, reused: 0 });
    accept(&*ledger, &[Draft::of("b").revision(2).withdrawn(""), Draft::of("b").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    let mails = claim(&*ledger, "x", 2).await;
    assert_eq!(lines(&mails[0]), ["news:a@2"]);
    assert_eq!(mails[0].items[0].content.title(), "Mới");
}

pub async fn a_subscription_comes_back_as_it_was_asked_for(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let asked = request("na", wish(&["na-son", "phi-nhu"], &["kinh-te"]));
    let made = subscribe(&*ledger, asked.clone()).await;
    assert_eq!(made.id, asked.subscription);
    assert_eq!((&made.email, &made.wish), (&asked.email, &asked.wish));
    assert_eq!((made.frequency, made.state, made.since), (Frequency::Daily, SubscriptionState::Active, at(0)));
    assert_eq!((&made.token, &made.token_hash), (&asked.token, &asked.token_hash));
    let listed = ledger.subscribers("", 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, listed[0].created_at), (&asked.subscriber, at(0)));
    assert_eq!(listed[0].subscriptions, [made]);
    let nonsense = SubscriptionRequest { state: SubscriptionState::Suspended, ..request("b", wish(&[], &[])) };
    assert_eq!(ledger.subscribe(&[nonsense]).await.unwrap_err().kind, StoreErrorKind::Rejected);
}

pub async fn a_mailbox_has_one_subscription_for_each_frequency(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let daily = request("na", wish(&["na-son"], &[]));
    let weekly = SubscriptionRequest {
        frequency: Frequency::Weekly,
        subscriber: SubscriberId::new("p-unused").unwrap(),
        subscription: SubscriptionId::new("s-weekly").unwrap(),
        token: "token-weekly".into(),
        token_hash: "hash-weekly".into(),
        ..daily.clone()
    };
    let again = SubscriptionRequest {
        subscription: SubscriptionId::new("s-unused").unwrap(),
        token: "unused".into(),
        token_hash: "unused".into(),
        wish: wish(&["phi-nhu"], &[]),
        at: at(5),
        ..daily.clone()
    };
    let made = ledger.subscribe(&[daily, weekly, again]).await.unwrap();
    assert_eq!(made[2].id.as_str(), "s-na", "ids and tokens of an existing one stay");
    assert_eq!((made[2].token.as_str(), &made[2].wish), ("token-na", &wish(&["phi-nhu"], &[])));
    let listed = ledger.subscribers("", 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    let ids: Vec<&str> = listed[0].subscriptions.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["s-na", "s-weekly"]);
    assert_eq!(ledger.by_token("unused").await.unwrap(), None);
}

pub async fn addresses_that_differ_in_case_are_one_mailbox(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    let shouted = SubscriptionRequest {
        email: EmailAddress::parse("NA@EXAMPLE.gov.vn").unwrap(),
        ..request("other", wish(&["na-son"], &[]))
    };
    assert_eq!(subscribe(&*ledger, shouted).await.id.as_str(), "s-na");
    assert_eq!(ledger.subscribers("", 10).await.unwrap().len(), 1);
}

pub async fn active_lifts_any_state_and_pending_never_lowers_active(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let active = request("na", wish(&[], &[]));
    let pending = SubscriptionRequest { state: SubscriptionState::Pending, ..active.clone() };
    assert_eq!(subscribe(&*ledger, pending.clone()).await.state, SubscriptionState::Pending);
    assert_eq!(subscribe(&*ledger, active.clone()).await.state, SubscriptionState::Active);
    assert_eq!(subscribe(&*ledger, pending.clone()).await.state, SubscriptionState::Active);
    ledger.unsubscribe("hash-na", at(1)).await.unwrap();
    assert_eq!(subscribe(&*ledger, pending).await.state, SubscriptionState::Pending, "asked for anew: confirm anew");
    ledger.unsubscribe("hash-na", at(2)).await.unwrap();
    let lifted = subscribe(&*ledger, SubscriptionRequest { at: at(3), ..active }).await;
    assert_eq!((lifted.state, lifted.since), (SubscriptionState::Active, at(3)));
}

pub async fn a_token_is_one_subscriptions_only(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    let stolen = SubscriptionRequest { token_hash: "hash-na".into(), ..request("b", wish(&[], &[])) };
    let error = ledger.subscribe(&[request("c", wish(&[], &[])), stolen]).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.subscribers("", 10).await.unwrap().len(), 1, "never half a batch");
}

pub async fn subscribers_are_listed_by_address_page_by_page(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    for name in ["d", "b", "a", "c", "e"] {
        subscribe(&*ledger, request(name, wish(&[], &[]))).await;
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = ledger.subscribers(&after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.email.key();
        seen.extend(page.into_iter().map(|one| one.email.to_string()));
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"].map(|name| format!("{name}@example.gov.vn")));
}

pub async fn a_mailbox_is_found_by_its_address_whatever_the_case(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    for name in ["n", "na", "nam"] {
        subscribe(&*ledger, request(name, wish(&[], &[]))).await;
    }
    let shouted = EmailAddress::parse("NA@EXAMPLE.gov.vn").unwrap();
    let found = ledger.subscriber(&shouted).await.unwrap().unwrap();
    assert_eq!(found.id.as_str(), "p-na");
    assert_eq!(found.subscriptions.len(), 1);
    let unknown = EmailAddress::parse("a@example.gov.vn").unwrap();
    assert_eq!(ledger.subscriber(&unknown).await.unwrap(), None);
}

pub async fn a_subscription_is_found_by_its_token(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let made = subscribe(&*ledger, request("na", wish(&["na-son"], &[]))).await;
    subscribe(&*ledger, request("b", wish(&[], &[]))).await;
    assert_eq!(ledger.by_token("hash-na").await.unwrap(), Some(made));
    assert_eq!(ledger.by_token("token-na").await.unwrap(), None, "the hash finds it, not the token");
}

pub async fn confirming_makes_pending_active_and_nothing_else(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, SubscriptionRequest { state: SubscriptionState::Pending, ..request("na", wish(&[], &[])) })
        .await;
    let confirmed = ledger.confirm("hash-na", at(5)).await.unwrap().unwrap();
    assert_eq!((confirmed.state, confirmed.since), (SubscriptionState::Active, at(5)));
    let again = ledger.confirm("hash-na", at(9)).await.unwrap().unwrap();
    assert_eq!(again, confirmed, "idempotent");
    ledger.unsubscribe("hash-na", at(10)).await.unwrap();
    let ended = ledger.confirm("hash-na", at(11)).await.unwrap().unwrap();
    assert_eq!(ended.state, SubscriptionState::Unsubscribed, "an old link does not bring it back");
    assert_eq!(ledger.confirm("nothing", at(1)).await.unwrap(), None);
}

pub async fn unsubscribing_is_idempotent_and_knows_unknown_tokens(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    for minute in [1, 2] {
        let ended = ledger.unsubscribe("hash-na", at(minute)).await.unwrap().unwrap();
        assert_eq!(ended.state, SubscriptionState::Unsubscribed);
    }
    assert_eq!(ledger.unsubscribe("nothing", at(1)).await.unwrap(), None);
    assert_eq!(ledger.subscribers("", 10).await.unwrap()[0].subscriptions.len(), 1, "it is kept, ended");
}

pub async fn confirmation_mails_are_counted_for_each_mailbox(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let email = EmailAddress::parse("na@example.gov.vn").unwrap();
    let shouted = EmailAddress::parse("NA@example.gov.vn").unwrap();
    let other = EmailAddress::parse("b@example.gov.vn").unwrap();
    let allow = async |email: &EmailAddress, since: i64, now: i64| {
        ledger.allow_confirmation(email, at(since), 2, at(now)).await.unwrap()
    };
    assert!(allow(&email, 0, 10).await);
    assert!(allow(&shouted, 0, 10).await);
    assert!(!allow(&email, 0, 11).await, "two are enough");
    assert!(allow(&other, 0, 11).await);
    assert!(allow(&email, 11, 20).await, "what was counted before `since` is forgotten");
    assert!(!ledger.allow_confirmation(&other, at(0), 0, at(12)).await.unwrap());
}

pub async fn a_confirmation_mail_that_did_not_go_out_is_not_counted(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let email = EmailAddress::parse("na@example.gov.vn").unwrap();
    let allow = async |now: i64| ledger.allow_confirmation(&email, at(0), 2, at(now)).await.unwrap();
    assert!(allow(10).await && allow(11).await && !allow(11).await);
    ledger.release_confirmation(&email, at(10)).await.unwrap();
    ledger.release_confirmation(&email, at(10)).await.unwrap();
    assert!(allow(11).await, "the place of the one that did not go out is free");
    assert!(!allow(11).await, "and only that one");
}

pub async fn a_wish_is_matched_by_area_and_category(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    for (name, wish) in [
        ("all", wish(&[], &[])),
        ("area", wish(&["na-son", "phi-nhu"], &[])),
        ("both", wish(&["na-son"], &["kinh-te"])),
        ("category", wish(&[], &["y-te", "kinh-te"])),
        ("other", wish(&["keo-lom"], &["giao-duc"])),
    ] {
        subscribe(&*ledger, request(name, wish)).await;
    }
    let events = [
        Draft::of("a").areas(&["na-son"]).live(),
        Draft::of("b").category("y-te", "Y tế").areas(&["na-son", "phi-nhu"]).published(5).live(),
        Draft::of("c").published(6).live(),
    ];
    accept(&*ledger, &events, 1).await;
    assert_eq!(
        run(&*ledger, "1", 2).await,
        [
            got("all", &["news:c@1", "news:b@1", "news:a@1"]),
            got("area", &["news:b@1", "news:a@1"]),
            got("both", &["news:a@1"]),
            got("category", &["news:c@1", "news:b@1", "news:a@1"]),
        ]
    );
}

pub async fn a_document_fits_only_wishes_for_every_category(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("all", wish(&[], &[]))).await;
    subscribe(&*ledger, request("area", wish(&["na-son"], &[]))).await;
    subscribe(&*ledger, request("category", wish(&[], &["kinh-te"]))).await;
    accept(&*ledger, &[Draft::of("d").areas(&["na-son"]).document()], 1).await;
    assert_eq!(run(&*ledger, "1", 2).await, [got("all", &["news:d@1"]), got("area", &["news:d@1"])]);
}

pub async fn a_subscription_owes_nothing_accepted_before_it(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("old", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    subscribe(&*ledger, SubscriptionRequest { at: at(2), ..request("same", wish(&[], &[])) }).await;
    subscribe(&*ledger, SubscriptionRequest { at: at(2), ..request("other", wish(&[], &["kinh-te"])) }).await;
    assert_eq!(run(&*ledger, "1", 3).await, [got("old", &["news:a@1"])]);
    accept(&*ledger, &[Draft::of("b").live()], 4).await;
    assert_eq!(run(&*ledger, "2", 5).await.len(), 3);
}

pub async fn a_confirmed_subscription_owes_nothing_accepted_before_its_confirmation(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    subscribe(&*ledger, SubscriptionRequest { state: SubscriptionState::Pending, ..request("na", wish(&[], &[])) })
        .await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    ledger.confirm("hash-na", at(2)).await.unwrap();
    accept(&*ledger, &[Draft::of("b").live()], 3).await;
    assert_eq!(run(&*ledger, "1", 4).await, [got("na", &["news:b@1"])]);
}

pub async fn a_clock_that_steps_back_takes_nothing_from_a_subscription(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, SubscriptionRequest { at: at(10), ..request("na", wish(&[], &[])) }).await;
    accept(&*ledger, &[Draft::of("a").live()], 5).await;
    assert_eq!(
        run(&*ledger, "1", 11).await,
        [got("na", &["news:a@1"])],
        "it came after the subscription, whatever its time"
    );
}

pub async fn a_reactivated_subscription_owes_nothing_accepted_before_that(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("told").live()], 1).await;
    run(&*ledger, "1", 2).await;
    accept(&*ledger, &[Draft::of("a").live()], 3).await;
    ledger.unsubscribe("hash-na", at(4)).await.unwrap();
    accept(&*ledger, &[Draft::of("b").live(), Draft::of("told").revision(2).withdrawn("")], 5).await;
    subscribe(&*ledger, SubscriptionRequest { at: at(6), ..request("na", wish(&[], &[])) }).await;
    assert!(!owed(&*ledger, 9).await);
    accept(&*ledger, &[Draft::of("c").live()], 7).await;
    assert_eq!(run(&*ledger, "2", 8).await, [got("na", &["news:c@1"])]);
}

pub async fn a_changed_wish_keeps_what_it_was_owed_and_still_wishes(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&["na-son", "phi-nhu"], &[]))).await;
    accept(&*ledger, &[Draft::of("old").areas(&["phi-nhu"]).live()], 1).await;
    run(&*ledger, "1", 1).await;
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live(), Draft::of("b").areas(&["phi-nhu"]).live()], 2).await;
    let changed = SubscriptionRequest { at: at(3), ..request("na", wish(&["phi-nhu"], &[])) };
    assert_eq!(subscribe(&*ledger, changed).await.since, at(3));
    // And a second change before the run.
    subscribe(&*ledger, SubscriptionRequest { at: at(4), ..request("na", wish(&["phi-nhu"], &["kinh-te"])) }).await;
    accept(&*ledger, &[Draft::of("c").areas(&["phi-nhu"]).published(9).live()], 5).await;
    assert!(owed(&*ledger, 6).await);
    assert_eq!(run(&*ledger, "2", 6).await, [got("na", &["news:c@1", "news:b@1"])]);
    assert!(!owed(&*ledger, 9).await);
}

pub async fn a_changed_wish_owes_nothing_that_only_the_new_wish_would_have_matched(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&["na-son"], &[]))).await;
    subscribe(&*ledger, request("other", wish(&["phi-nhu"], &[]))).await;
    accept(&*ledger, &[Draft::of("a").areas(&["phi-nhu"]).live()], 1).await;
    subscribe(&*ledger, SubscriptionRequest { at: at(2), ..request("na", wish(&["phi-nhu"], &[])) }).await;
    assert_eq!(run(&*ledger, "1", 3).await, [got("other", &["news:a@1"])]);
    accept(&*ledger, &[Draft::of("b").areas(&["phi-nhu"]).live()], 4).await;
    assert_eq!(run(&*ledger, "2", 5).await.len(), 2);
}

pub async fn a_wish_asked_for_again_unchanged_loses_nothing(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&["na-son"], &[]))).await;
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live()], 1).await;
    let again = subscribe(&*ledger, SubscriptionRequest { at: at(2), ..request("na", wish(&["na-son"], &[])) }).await;
    assert_eq!(again.since, at(0));
    assert_eq!(run(&*ledger, "1", 3).await, [got("na", &["news:a@1"])]);
}

pub async fn what_was_kept_at_a_change_of_wish_goes_when_it_is_withdrawn(
    open: impl AsyncFn() -> Arc<dyn DigestLedger>,
) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&["na-son"], &[]))).await;
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live()], 1).await;
    subscribe(&*ledger, SubscriptionRequest { at: at(2), ..request("na", wish(&[], &[])) }).await;
    assert!(owed(&*ledger, 3).await);
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 3).await;
    assert!(!owed(&*ledger, 4).await);
    assert!(run(&*ledger, "1", 4).await.is_empty());
}

pub async fn only_active_subscriptions_are_owed(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, SubscriptionRequest { state: SubscriptionState::Pending, ..request("p", wish(&[], &[])) })
        .await;
    subscribe(&*ledger, request("u", wish(&[], &[]))).await;
    subscribe(&*ledger, SubscriptionRequest { frequency: Frequency::Weekly, ..request("w", wish(&[], &[])) }).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert!(owed(&*ledger, 2).await);
    ledger.unsubscribe("hash-u", at(2)).await.unwrap();
    assert!(!owed(&*ledger, 3).await);
    assert!(ledger.owed(Frequency::Weekly, at(-1), at(3)).await.unwrap());
    assert!(!ledger.owed(Frequency::Immediate, at(-1), at(3)).await.unwrap());
    assert!(run(&*ledger, "1", 3).await.is_empty());
}

pub async fn nothing_is_owed_after_it_was_planned(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    assert!(!owed(&*ledger, 0).await);
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    assert!(!owed(&*ledger, 0).await);
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    assert!(!owed(&*ledger, 0).await, "accepted after that cut-off");
    assert!(owed(&*ledger, 1).await);
    planned(&*ledger, "1", 1).await;
    assert!(!owed(&*ledger, 1).await, "reserved, though not sent yet");
    assert_eq!(planned(&*ledger, "2", 2).await.1, 0, "and no other run takes it");
}

pub async fn what_is_too_old_is_not_owed(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("a").live()], 10).await;
    accept(&*ledger, &[Draft::of("b").live()], 20).await;
    assert!(ledger.owed(Frequency::Daily, at(20), at(30)).await.unwrap());
    assert!(!ledger.owed(Frequency::Daily, at(21), at(30)).await.unwrap());
    let (run, _) = ledger.open_run(&key("1"), at(30), at(30)).await.unwrap();
    ledger.plan(run.id, at(20), 10, at(30)).await.unwrap();
    assert_eq!(lines(&claim(&*ledger, "x", 30).await[0]), ["news:b@1"], "accepted at `oldest` is not too old");
}

pub async fn what_is_accepted_after_the_cutoff_waits_for_the_next_run(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("at").live()], 10).await;
    accept(&*ledger, &[Draft::of("after").live()], 11).await;
    assert_eq!(run(&*ledger, "1", 10).await, [got("na", &["news:at@1"])]);
    // Accepted under an earlier time than the cut-off, but after the run: late is not lost.
    accept(&*ledger, &[Draft::of("late").published(5).live()], 9).await;
    assert_eq!(run(&*ledger, "2", 20).await, [got("na", &["news:late@1", "news:after@1"])]);
}

pub async fn a_back_dated_article_is_owed(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("a").published(-1_000_000).live()], 5).await;
    assert_eq!(run(&*ledger, "1", 6).await, [got("na", &["news:a@1"])]);
}

pub async fn what_was_withdrawn_is_not_owed(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 2).await;
    assert!(!owed(&*ledger, 3).await);
    assert_eq!(planned(&*ledger, "1", 3).await.1, 0, "no empty mail");
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 4).await;
    assert_eq!(run(&*ledger, "2", 5).await, [got("na", &["news:a@3"])], "published again is news");
}

pub async fn an_update_is_owed_to_those_who_had_the_article(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    run(&*ledger, "1", 2).await;
    subscribe(&*ledger, SubscriptionRequest { at: at(3), ..request("later", wish(&[], &[])) }).await;
    accept(&*ledger, &[Draft::of("a").revision(2).live()], 4).await;
    accept(&*ledger, &[Draft::of("a").revision(3).live()], 5).await;
    let second = run(&*ledger, "2", 6).await;
    assert_eq!(second, [got("later", &["news:a@3"]), got("na", &["update:a@3"])], "edits collapse into the newest");
}

pub async fn an_edit_that_moves_an_article_away_is_owed_to_nobody_there(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("here", wish(&["na-son"], &[]))).await;
    subscribe(&*ledger, request("there", wish(&["phi-nhu"], &[]))).await;
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live()], 1).await;
    accept(&*ledger, &[Draft::of("a").revision(2).areas(&["phi-nhu"]).live()], 2).await;
    assert_eq!(run(&*ledger, "1", 3).await, [got("there", &["news:a@2"])]);
}

pub async fn a_preview_shows_what_a_wish_would_have_been_sent(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let events = [
        Draft::of("a").areas(&["na-son"]).published(1).live(),
        Draft::of("b").areas(&["na-son"]).category("y-te", "Y tế").published(3).live(),
        Draft::of("c").published(2).live(),
        Draft::of("d").published(4).live(),
        Draft::of("e").published(5).document(),
    ];
    accept(&*ledger, &events, 10).await;
    accept(&*ledger, &[Draft::of("d").revision(2).withdrawn("")], 11).await;
    let preview = async |wish: Wish, since: i64, limit: u32| {
        let items = ledger.preview(&wish, at(since), limit).await.unwrap();
        assert!(items.iter().all(|item| item.kind == ItemKind::News));
        items.into_iter().map(|item| item.article.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(preview(wish(&[], &[]), 0, 10).await, ["e", "b", "c", "a"]);
    assert_eq!(preview(wish(&[], &[]), 0, 2).await, ["e", "b"]);
    assert_eq!(preview(wish(&["na-son"], &[]), 0, 10).await, ["b", "a"]);
    assert_eq!(preview(wish(&["na-son"], &["kinh-te"]), 0, 10).await, ["a"]);
    assert!(preview(wish(&[], &[]), 11, 10).await.is_empty(), "accepted at `since` or later only");
    assert!(!owed(&*ledger, 99).await, "looking owes nobody anything");
}

pub async fn a_journey_says_what_was_accepted_and_how_many_were_sent_it(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    for name in ["x", "y", "z"] {
        subscribe(&*ledger, request(name, wish(&[], &[]))).await;
    }
    accept(&*ledger, &[Draft::of("a").live()], 1).await;
    planned(&*ledger, "1", 2).await;
    let mails = claim(&*ledger, "h", 3).await;
    send(&*ledger, "h", &mails[0].id, 4).await;
    send(&*ledger, "h", &mails[1].id, 4).await;
    let steps = ledger.journey(&id("a")).await.unwrap();
    let words: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.revision)).collect();
    assert_eq!(words, [("accepted", 1), ("mailed", 1)]);
    let JourneyStep::Mailed { run: by, mails } = &steps[1].step else { panic!("{steps:?}") };
    assert_eq!((by, *mails), (&key("1"), Account { planned: 3, sent: 2, waiting: 1, ..Account::default() }));
    accept(&*ledger, &[Draft::of("a").revision(2).withdrawn("")], 5).await;
    run(&*ledger, "2", 16).await;
    let steps = ledger.journey(&id("a")).await.unwrap();
    let words: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.revision)).collect();
    assert_eq!(words, [("accepted", 1), ("mailed", 1), ("withdrawn", 2), ("corrected", 2)]);
    let JourneyStep::Corrected { mails, .. } = &steps[3].step else { panic!("{steps:?}") };
    assert_eq!((mails.planned, mails.sent), (2, 2), "to those who had it");
}

pub async fn subscriptions_and_matches_survive_a_crash(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    let made = subscribe(&*ledger, request("na", wish(&["na-son"], &[]))).await;
    accept(&*ledger, &[Draft::of("a").areas(&["na-son"]).live()], 1).await;
    drop(ledger);
    let ledger = open().await;
    assert_eq!(ledger.by_token("hash-na").await.unwrap(), Some(made));
    assert_eq!(run(&*ledger, "1", 2).await, [got("na", &["news:a@1"])]);
}

pub async fn an_empty_batch_is_no_work(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    assert_eq!(accept(&*ledger, &[], 1).await, Accepted::default());
    assert!(ledger.subscribe(&[]).await.unwrap().is_empty());
    assert!(ledger.submitting("x", &[], at(1)).await.unwrap().is_empty());
    assert_eq!(ledger.record_mails("x", &[]).await.unwrap(), 0);
    assert!(ledger.claim_mails(&crate::build::lease("x", 1), 0).await.unwrap().is_empty());
}

pub async fn the_ledger_answers_a_ping(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    open().await.ping().await.unwrap();
}

pub async fn an_id_used_again_for_other_content_is_taken_by_its_version(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    subscribe(&*ledger, request("na", wish(&[], &[]))).await;
    let draft = || Draft::of("a").event("a");
    let all = [draft().live(), draft().revision(2).title("Sửa").live(), draft().revision(3).withdrawn("nhầm")];
    accept(&*ledger, &all[..1], 1).await;
    assert_eq!(run(&*ledger, "1", 2).await, [got("na", &["news:a@1"])]);
    let again = accept(&*ledger, &all[..2], 3).await;
    assert_eq!(again, Accepted { fresh: 1, duplicates: 1, stale: 0, reused: 1 });
    assert_eq!(run(&*ledger, "2", 4).await, [got("na", &["update:a@2"])]);
    accept(&*ledger, &all, 5).await;
    assert_eq!(run(&*ledger, "3", 6).await, [got("na", &["correction:a@3"])]);
    assert_eq!(accept(&*ledger, &all, 7).await, Accepted { duplicates: 3, ..Accepted::default() });
    let steps = ledger.journey(&id("a")).await.unwrap();
    assert_eq!(steps.iter().filter(|step| step.step.as_str() == "id_used_again").count(), 2, "{steps:?}");
}

pub async fn what_was_not_accepted_is_not_seen(open: impl AsyncFn() -> Arc<dyn DigestLedger>) {
    let ledger = open().await;
    receptions::what_was_not_accepted_is_not_seen(&*ledger, async |event, minute| {
        accept(&*ledger, &[event], minute).await;
    })
    .await;
}
