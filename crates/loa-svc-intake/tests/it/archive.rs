//! The archive keeps every producer's events once, garbage goes to the dead letters, and a replay
//! reaches one outlet alone.

use crate::{House, SOURCE, article};
use loa_bus::{Administer, Chosen, Measure, Message, Outgoing, Publish, Queue, Route};
use loa_event::STRUCTURED;
use loa_store::{ArchiveQuery, EventArchive};
use loa_svc_intake::RawContent;
use loa_worker::Status;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

fn foreign(id: &str, body: Vec<u8>) -> Outgoing {
    let message =
        Message { id: id.into(), content_type: STRUCTURED.into(), headers: BTreeMap::new(), body: body.into() };
    Outgoing { route: Route::Topic("article.published.tin-tuc".into()), message }
}

#[tokio::test]
async fn every_producers_event_is_archived_once_and_garbage_between_them_is_kept_with_its_reason() {
    let house = House::new().await;
    house.service.publish(RawContent::Article(article("bai-1"))).await.expect("taken");
    let event = loa_testkit::build::published(loa_testkit::build::article("ngoai-1", 1));
    let batch = vec![
        foreign("g", b"{\"specversion\": ".to_vec()),
        foreign(&event.key.id, event.original_bytes.clone()),
        foreign(&event.key.id, event.original_bytes.clone()),
    ];
    for answer in house.bus.publish(batch).await {
        answer.expect("published");
    }

    let (stop, status) = (CancellationToken::new(), Arc::new(Status::default()));
    let (service, bus, stopped) = (house.service.clone(), house.bus.clone(), stop.clone());
    let running = tokio::spawn(async move { service.run(bus, status, stopped).await });
    let arrived = async {
        while house.bus.depth(Queue::Archive).await.expect("a depth") != (0, 1) || house.waiting().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), arrived).await.expect("archived in time");
    stop.cancel();
    running.await.expect("no panic");

    let archived =
        house.ledger.archived(&ArchiveQuery { limit: 100, ..ArchiveQuery::default() }).await.expect("an archive");
    let ids: Vec<_> = archived.iter().map(|event| event.article.as_str()).collect();
    assert_eq!(ids, ["bai-1", "ngoai-1"]);
    assert_eq!(archived[1].body, event.original_bytes);
    assert_eq!(archived[0].key.source, SOURCE);
    let dead = house.bus.dead_letters(Queue::Archive.into(), &Chosen::All, 10).await.expect("letters");
    assert_eq!((dead.len(), dead[0].message.id.as_str()), (1, "g"));
    assert!(
        dead[0].reason.reason.contains("cut short") && dead[0].reason.position.contains("line 1"),
        "{:?}",
        dead[0].reason
    );
}

#[tokio::test]
async fn a_replay_reaches_one_outlet_under_the_same_ids_and_says_what_it_is() {
    let house = House::new().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(
            house.service.publish(RawContent::Article(article(&format!("bai-{n}")))).await.expect("taken").event_id,
        );
    }
    house.relay().await;
    for queue in Queue::ALL {
        house.drain(queue).await;
    }
    let mut heard = Vec::new();
    let replayed =
        house.service.replay(&*house.bus, Queue::Feed, ArchiveQuery::default(), |n| heard.push(n)).await.expect("sent");
    assert_eq!((replayed.sent, heard), (3, vec![3]));
    let replayed = house.drain(Queue::Feed).await;
    assert_eq!(replayed.iter().map(|message| message.id.clone()).collect::<Vec<_>>(), ids);
    assert!(replayed.iter().all(|message| message.headers.contains_key("loa-replay")));
    for queue in [Queue::Archive, Queue::Digest, Queue::Push] {
        assert!(house.drain(queue).await.is_empty(), "{queue}");
    }
    let one = ArchiveQuery { article: Some("bai-1".parse().expect("an id")), ..ArchiveQuery::default() };
    assert_eq!(house.service.replay(&*house.bus, Queue::Push, one, |_| ()).await.expect("sent").sent, 1);
}
