//! Revisions, repeats, withdrawals.

use crate::{House, article, document, titled};
use loa_bus::Queue;
use loa_domain::{Change, EventType};
use loa_svc_intake::{IntakeError, RawContent};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn the_same_content_again_is_the_same_revision_and_no_event() {
    let house = House::new().await;
    let first = house.service.publish(RawContent::Article(article("bai-1"))).await.expect("taken");
    assert_eq!((first.revision, first.unchanged), (1, false));
    // the same members in another order, and with the revision it was given
    let mut again = json!({ "revision": 1 });
    for (name, value) in article("bai-1").as_object().expect("an object").iter().rev() {
        again[name] = value.clone();
    }
    for item in [RawContent::Article(article("bai-1")), RawContent::Article(again)] {
        let repeat = house.service.publish(item).await.expect("taken");
        assert_eq!((repeat.revision, repeat.unchanged, &repeat.event_id), (1, true, &first.event_id));
    }
    assert_eq!(house.waiting().await, 1);
}

#[tokio::test]
async fn an_edit_is_the_next_revision_and_goes_out_as_an_update() {
    let house = House::new().await;
    house.service.publish(titled("bai-1", "Một")).await.expect("taken");
    let edit = house.service.publish(titled("bai-1", "Hai")).await.expect("taken");
    assert_eq!((edit.revision, edit.unchanged), (2, false));
    let back = house.service.publish(titled("bai-1", "Một")).await.expect("taken");
    assert_eq!(back.revision, 3, "going back to an earlier text is an edit too");
    house.relay().await;
    let events: Vec<_> = house.drain(Queue::Feed).await.iter().map(|message| house.decode(message)).collect();
    let types: Vec<_> = events.iter().map(|event| (event.event_type, event.version().revision)).collect();
    let (published, updated) = (EventType::ArticlePublished, EventType::ArticleUpdated);
    assert_eq!(types, [(published, 1), (updated, 2), (updated, 3)]);
    assert_eq!(events.iter().map(|event| &event.key.id).collect::<BTreeSet<_>>().len(), 3);
}

#[tokio::test]
async fn a_producers_own_revision_is_kept_and_an_older_one_is_refused() {
    let house = House::new().await;
    let mut data = article("bai-1");
    data["revision"] = json!(7);
    assert_eq!(house.service.publish(RawContent::Article(data.clone())).await.expect("taken").revision, 7);
    data["title"] = json!("Khác");
    let error =
        house.service.publish(RawContent::Article(data.clone())).await.expect_err("other content, same revision");
    assert!(matches!(error, IntakeError::NotNewer { given: 7, standing: 7, .. }), "{error}");
    data["revision"] = json!(6);
    assert!(matches!(
        house.service.publish(RawContent::Article(data)).await,
        Err(IntakeError::NotNewer { given: 6, .. })
    ));
    assert_eq!(house.waiting().await, 1);
}

#[tokio::test]
async fn editors_who_save_at_the_same_moment_get_a_revision_each() {
    let house = House::new().await;
    let saves = (0..40).map(|n| {
        let service = house.service.clone();
        tokio::spawn(async move { service.publish(titled("bai-1", &format!("Bản {n}"))).await })
    });
    let mut revisions = BTreeSet::new();
    for save in saves.collect::<Vec<_>>() {
        revisions.insert(save.await.expect("no panic").expect("taken").revision);
    }
    assert_eq!(revisions, (1..=40).collect());
    assert_eq!(house.waiting().await, 40);
}

#[tokio::test]
async fn a_withdrawal_is_a_revision_of_its_own_and_repeats_change_nothing() {
    let house = House::new().await;
    house.service.publish(RawContent::Article(article("bai-1"))).await.expect("taken");
    house.service.publish(RawContent::Document(document("vb-1"))).await.expect("taken");
    let gone = house.service.withdraw("bai-1", "Sai số liệu").await.expect("withdrawn");
    assert_eq!((gone.revision, gone.unchanged), (2, false));
    let again = house.service.withdraw("bai-1", "Lý do khác").await.expect("withdrawn");
    assert_eq!((again.revision, again.unchanged, &again.event_id), (2, true, &gone.event_id));
    house.service.withdraw("vb-1", "").await.expect("withdrawn");
    house.relay().await;
    let messages = house.drain(Queue::Push).await;
    let events: Vec<_> = messages.iter().map(|message| house.decode(message)).collect();
    let types: Vec<_> = events.iter().map(|event| event.event_type).collect();
    assert_eq!(types[2..], [EventType::ArticleWithdrawn, EventType::DocumentWithdrawn]);
    let Change::Withdrawn(withdrawal) = &events[2].change else { panic!("{:?}", events[2]) };
    assert_eq!((withdrawal.reason.as_str(), withdrawal.at), ("Sai số liệu", house.clock.now()));

    let back = house.service.publish(RawContent::Article(article("bai-1"))).await.expect("taken");
    assert_eq!((back.revision, back.unchanged), (3, false), "the same text published anew");
}

#[tokio::test]
async fn what_never_came_in_cannot_be_withdrawn() {
    let house = House::new().await;
    assert!(matches!(house.service.withdraw("bai-9", "").await, Err(IntakeError::Unknown(_))));
    assert!(matches!(house.service.withdraw("b c 9", "").await, Err(IntakeError::BadId(_))));
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn what_another_producer_published_can_be_withdrawn_once_it_is_archived() {
    let house = House::new().await;
    let event = loa_testkit::build::published(loa_testkit::build::article("ngoai-1", 4));
    house.service.accept(std::slice::from_ref(&event)).await.expect("archived");
    let gone = house.service.withdraw("ngoai-1", "").await.expect("withdrawn");
    assert_eq!(gone.revision, 5);
    house.relay().await;
    let message = house.drain(Queue::Feed).await.remove(0);
    assert_eq!(house.decode(&message).key.source, event.key.source, "of the producer's source");
    assert!(house.service.withdraw("ngoai-1", "").await.expect("withdrawn").unchanged);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let house = House::new().await;
    for (name, value) in
        [("title", json!("")), ("url", json!("/x")), ("id", json!(null)), ("published_at", json!("hôm nay"))]
    {
        let mut data = article("bai-1");
        data[name] = value;
        let error = house.service.publish(RawContent::Article(data)).await.expect_err("refused");
        let IntakeError::Refused(refusal) = error else { panic!("{error}") };
        assert!(refusal.pointer == format!("/data/{name}") || refusal.pointer == "/subject", "{refusal:?}");
    }
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn areas_the_directory_does_not_know_are_told_to_the_producer() {
    let house = House::new().await;
    let mut data = article("bai-1");
    data["areas"] = json!(["sao-hoa"]);
    let receipt = house.service.publish(RawContent::Article(data)).await.expect("taken");
    assert!(receipt.notes.len() == 1 && receipt.notes[0].contains("sao-hoa"), "{receipt:?}");
}

#[tokio::test]
async fn a_revision_that_is_no_whole_number_is_refused_never_replaced() {
    let house = House::new().await;
    for revision in [json!("7"), json!(-1), json!(1.5), json!(0), json!(18_446_744_073_709_551_615_u64), json!([])] {
        let mut data = article("bai-1");
        data["revision"] = revision.clone();
        match house.service.publish(RawContent::Article(data)).await {
            Err(IntakeError::Refused(refusal)) => assert_eq!(refusal.pointer, "/data/revision", "{revision}"),
            other => panic!("{revision}: {other:?}"),
        }
    }
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn what_has_no_id_is_told_so_by_the_name_it_was_sent_under() {
    let house = House::new().await;
    for id in [json!(null), json!(""), json!(5)] {
        let mut data = article("bai-1");
        data["id"] = id.clone();
        match house.service.publish(RawContent::Article(data)).await {
            Err(IntakeError::Refused(refusal)) => {
                assert_eq!(refusal.pointer, "/data/id", "{id}");
                assert!(refusal.sentence().contains("`id`"), "{id}: {}", refusal.sentence());
            }
            other => panic!("{id}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_revision_beyond_reason_is_refused_and_the_article_goes_on() {
    let house = House::new().await;
    let beyond = |revision: u64| {
        let mut data = article("bai-1");
        data["revision"] = json!(revision);
        RawContent::Article(data)
    };
    house.service.publish(beyond(5)).await.expect("taken");
    for revision in [loa_event::limits::REVISION_MAX, loa_domain::PUBLISHED_REVISION_MAX + 1] {
        match house.service.publish(beyond(revision)).await {
            Err(IntakeError::Refused(refusal)) => {
                assert_eq!(refusal.pointer, "/data/revision");
                assert!(refusal.sentence().contains(&revision.to_string()), "{}", refusal.sentence());
            }
            other => panic!("{revision}: {other:?}"),
        }
    }
    let mut next = article("bai-1");
    next["title"] = json!("Bản sửa");
    assert_eq!(house.service.publish(RawContent::Article(next)).await.expect("taken").revision, 6);
}

#[tokio::test]
async fn an_operator_lets_a_producers_revisions_begin_anew_after_a_slip() {
    let house = House::new().await;
    let own = |revision: u64, title: &str| {
        let mut data = article("bai-1");
        (data["revision"], data["title"]) = (json!(revision), json!(title));
        RawContent::Article(data)
    };
    assert!(matches!(house.service.renumber("bai-1").await, Err(IntakeError::Unknown(_))));
    house.service.publish(own(3, "Một")).await.expect("taken");
    house.service.publish(own(4_000_000_000_000, "Trượt tay")).await.expect("taken");
    let behind = house.service.publish(own(4, "Hai")).await.expect_err("behind");
    assert!(matches!(behind, IntakeError::NotNewer { given: 4, .. }), "{behind}");
    for _ in 0..2 {
        assert_eq!(house.service.renumber("bai-1").await.expect("renumbered").counted_from, 4_000_000_000_000);
    }
    let again = house.service.publish(own(4_000_000_000_000, "Trượt tay")).await.expect("a repeat of the slip");
    assert!(again.unchanged, "{again:?}");
    let next = house.service.publish(own(4, "Hai")).await.expect("taken");
    assert_eq!((next.revision, next.unchanged), (4_000_000_000_004, false));
    assert!(house.service.publish(own(4, "Hai")).await.expect("a repeat").unchanged);
    let older = house.service.publish(own(3, "Ba")).await.expect_err("older by its own numbers");
    assert!(matches!(older, IntakeError::NotNewer { given: 3, standing: 4, .. }), "{older}");
    assert_eq!(house.service.publish(titled("bai-1", "Bốn")).await.expect("taken").revision, 4_000_000_000_005);
    house.relay().await;
    let events: Vec<_> = house.drain(Queue::Feed).await.iter().map(|message| house.decode(message)).collect();
    let revisions: Vec<u64> = events.iter().map(|event| event.version().revision).collect();
    assert!(revisions.is_sorted() && revisions.ends_with(&[4_000_000_000_004, 4_000_000_000_005]), "{revisions:?}");
}

#[tokio::test]
async fn nothing_follows_the_highest_revision_and_the_operator_is_told() {
    let house = House::new().await;
    let mut data = article("bai-1");
    data["revision"] = json!(loa_domain::PUBLISHED_REVISION_MAX);
    house.service.publish(RawContent::Article(data)).await.expect("taken");
    let error = house.service.renumber("bai-1").await.expect_err("nothing is left");
    assert!(matches!(error, IntakeError::NothingFollows { .. }) && error.to_string().contains("another id"), "{error}");
}

#[tokio::test]
async fn a_change_dated_in_the_future_is_taken_and_its_producer_told() {
    let house = House::new().await;
    let mut data = article("bai-1");
    data["modified_at"] = json!("2099-01-01T00:00:00Z");
    let answered = house.service.publish(RawContent::Article(data)).await.expect("taken");
    assert!(answered.notes[0].contains("`modified_at` is 2099-01-01T00:00:00Z, in the future"), "{:?}", answered.notes);
}

#[tokio::test]
async fn an_article_of_the_highest_revision_can_still_be_withdrawn() {
    let house = House::new().await;
    let highest = loa_domain::PUBLISHED_REVISION_MAX;
    let mut data = article("bai-1");
    data["revision"] = json!(highest);
    house.service.publish(RawContent::Article(data)).await.expect("taken");
    let gone = house.service.withdraw("bai-1", "Đăng nhầm").await.expect("withdrawn");
    assert_eq!((gone.revision, gone.unchanged), (highest + 1, false));
    house.relay().await;
    let events: Vec<_> = house.drain(Queue::Feed).await.iter().map(|message| house.decode(message)).collect();
    assert!(events[1].version() > events[0].version(), "the withdrawal stands, in any order");
    // what every outlet would refuse is not taken
    let mut again = article("bai-1");
    again["title"] = json!("Lại đăng");
    match house.service.publish(RawContent::Article(again)).await {
        Err(IntakeError::Refused(refusal)) => assert_eq!(refusal.pointer, "/data/revision"),
        other => panic!("{other:?}"),
    }
}
