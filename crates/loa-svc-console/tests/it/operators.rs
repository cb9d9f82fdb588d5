//! What operators see, and that nobody else does.

use crate::{House, OPERATOR};
use axum::http::{HeaderValue, StatusCode};
use loa_bus::{Consume, DeadReason, Measure, Message, Outgoing, Publish, Queue, Route, Settlement};
use loa_domain::{
    ArticleKey, DeadCause, Dependency, DisableReason, EndpointId, EndpointState, EventFilter, EventType, Fault, Flaw,
    LedgerName, Outlet, Selectors, Trouble, TroubleKind, WatchKind,
};
use loa_store::{
    AuditRound, Audits, Endpoints, HeardHeartbeat, Lease, Outbox, Submission, Submissions, WatchLedger, WatchSource,
};
use loa_testkit::build::{article, published};
use loa_worker::DependencyState;
use std::{collections::BTreeMap, time::Duration};

#[tokio::test]
async fn only_a_token_that_may_read_sees_the_console() {
    let house = House::new().await;
    for path in ["/console", "/console/articles/bai-1", "/console/articles?id=a", "/console/dead/feed"] {
        for sent in ["", "Basic eDp3cm9uZw==", "Basic eDpjbXM=", "Basic !"] {
            let (status, headers, page) = house.get(path, sent).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {sent}");
            assert!(
                headers["www-authenticate"].to_str().expect("ASCII").starts_with("Basic ") && page.contains("token")
            );
        }
        assert_ne!(house.get(path, OPERATOR).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    let (status, headers, _) = house.get("/v1/articles/bai-1/journey", OPERATOR).await;
    assert_eq!((status, headers["www-authenticate"].to_str().expect("ASCII")), (StatusCode::UNAUTHORIZED, "Bearer"));
    for (path, token) in [("/console", "Basic eDphd2F5"), ("/v1/articles/bai-1/journey", "Bearer away")] {
        let (status, headers, _) = house.get(path, token).await;
        assert_eq!(
            (status, &headers["retry-after"]),
            (StatusCode::SERVICE_UNAVAILABLE, &HeaderValue::from_static("30"))
        );
    }
}

#[tokio::test]
async fn a_quiet_house_has_no_alarms() {
    let (status, headers, page) = House::new().await.get("/console", OPERATOR).await;
    assert_eq!((status, headers["cache-control"].to_str().expect("ASCII")), (StatusCode::OK, "no-store"));
    assert!(
        page.contains("Mọi việc bình thường") && page.contains("20/11/2023 10:00") && page.contains("loa.digest"),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_late_dead_shut_or_disabled_is_an_alarm_with_what_to_do() {
    let house = House::new().await;
    house.intake.submit(&[submission(&house)]).await.expect("stored");
    house.clock.advance(Duration::from_secs(600));
    house
        .status
        .report(Dependency::Queue(Outlet::Feed), DependencyState::Down(Trouble::new(TroubleKind::BusAway, "no route")));
    let away = Trouble { place: "/data/feed.db".into(), ..Trouble::new(TroubleKind::DiskFull, "code 13") };
    house.status.fault(Fault::Store { ledger: LedgerName::Of(Outlet::Feed), trouble: away });

    house.push.add_endpoint(&endpoint(&house)).await.expect("added");
    bury(&house, "g-1", "this is no <CloudEvent>").await;
    let (_, _, page) = house.get("/console", OPERATOR).await;
    for words in [
        "1 tin chờ phát, tin lâu nhất đã chờ 10 phút",
        "1 tin hỏng trong loa.feed",
        "Không thông: việc nhận tin từ hàng đợi loa.feed.",
        "<code>bus loa.feed</code>",
        "Không có kết nối với hàng đợi: kiểm tra máy chủ hàng đợi có chạy và có nối tới được không. Chi tiết kỹ thuật: «no \
         route».",
        "Đĩa chứa /data/feed.db đã đầy: hãy dọn chỗ, sau đó hệ thống tự chạy tiếp.",
        "Nơi nhận trả lời 410",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("lang=\"en\""), "nothing of ours is said in English: {page}");
    assert!(!page.contains("s3cret"), "an address's query may hold a secret");
    let (_, _, page) = house.get("/console/dead/feed", OPERATOR).await;
    assert!(
        page.contains("this is no &lt;CloudEvent&gt;") && page.contains("g-1") && page.contains("/data/title"),
        "{page}"
    );
    assert_eq!(house.bus.depth(Queue::Feed).await.expect("a depth").1, 1, "looking changes nothing");
    assert_eq!(house.get("/console/dead/nowhere", OPERATOR).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_source_that_nobody_looks_at_is_an_alarm_wherever_the_watch_runs() {
    let house = House::new().await;
    let source = WatchSource {
        name: "na-son".into(),
        portal: String::new(),
        address: "https://na-son.example/rss?key=secret".into(),
        host: "na-son.example".into(),
        kind: WatchKind::Feed,
        selectors: Selectors::default(),
        since: None,
        every_seconds: 900,
        created_at: house.clock.now(),
    };
    house.watch.add_watch(&source).await.expect("added");
    let (_, _, page) = house.get("/console", OPERATOR).await;
    assert!(!page.contains("na-son"), "it is due now: {page}");
    house.clock.advance(Duration::from_secs(2 * 3_600));
    let (_, _, page) = house.get("/console", OPERATOR).await;
    for words in ["Nguồn tin «na-son» (https://na-son.example/rss) cần xem lại", "quá hạn mà chưa tiến trình nào xem"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn what_an_outlet_has_not_received_and_who_else_is_there_are_alarms() {
    let house = House::new().await;
    house.intake.submit(&[submission(&house)]).await.expect("stored");
    let lease = Lease { holder: "relay".into(), now: house.clock.now(), until: house.clock.now() };
    let row = house.intake.claim_outbox(&lease, &loa_store::ClaimRoom::of(1)).await.expect("claimed").remove(0);
    house.intake.outbox_confirmed(&[row.sequence], house.clock.now()).await.expect("confirmed");
    house.clock.advance(Duration::from_secs(600));
    let now = house.clock.now();
    for (outlet, missing) in [(Outlet::Feed, vec![row.sequence]), (Outlet::Digest, Vec::new())] {
        let round = AuditRound { outlet, from: 0, to: row.sequence, missing, at: now, passed_at: Some(now) };
        assert!(house.intake.audited(&round).await.expect("audited"));
    }
    let other = HeardHeartbeat {
        queue: "loa.feed".into(),
        binding: "article.#".into(),
        installation: "9f".into(),
        host: "vps-2".into(),
        sent_at: now,
        first_at: now,
        heard_at: now,
    };
    house.intake.heartbeats_heard(&[other]).await.expect("noted");
    let (_, _, page) = house.get("/console", OPERATOR).await;
    for words in ["chưa nhận được 1 tin", "10 phút", "Không rõ kênh", "Một hệ thống khác (9f, máy vps-2)"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    let (_, _, page) = house.get("/console/articles/bai-1", OPERATOR).await;
    assert!(page.contains("chưa nhận được"), "{page}");
}

#[tokio::test]
async fn a_journey_has_the_steps_of_every_ledger() {
    let house = House::new().await;
    house.intake.submit(&[submission(&house)]).await.expect("stored");
    house.clock.advance(Duration::from_secs(2));
    house.stands(published(article("bai-1", 1))).await;
    let (status, _, body) = house.get("/v1/articles/bai-1/journey", "Bearer look").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("Đã tiếp nhận tin bài mới."), "{body}");
    assert!(body.find("\"intake\"") < body.find("\"feed\"") && body.contains("\"unavailable\":[]"), "{body}");
    let (_, _, page) = house.get("/console/articles/bai-1", OPERATOR).await;
    assert!(page.contains("Tiếp nhận") && page.contains("Nguồn tin") && page.contains("bản 1"), "{page}");
    assert!(page.contains("đã tiếp nhận") && page.contains("Kênh phát đã nhận và ghi sổ bản này."), "{page}");
    let (_, _, page) = house.get("/console/articles/bai-9", OPERATOR).await;
    assert!(page.contains("Không nơi nào biết"));
    assert_eq!(house.get("/v1/articles/bai-9/journey", "Bearer look").await.0, StatusCode::NOT_FOUND);
    let (status, headers, _) = house.get("/console/articles?id=%20b%C3%A0i%2F1%20", OPERATOR).await;
    assert_eq!(
        (status, headers["location"].to_str().expect("ASCII")),
        (StatusCode::SEE_OTHER, "/console/articles/b%C3%A0i%2F1")
    );
}

fn submission(house: &House) -> Submission {
    let event = published(article("bai-1", 1));
    Submission {
        key: event.key.clone(),
        event_type: EventType::ArticlePublished,
        article: "bai-1".parse::<ArticleKey>().expect("an id"),
        revision: 1,
        fingerprint: "f".into(),
        expect: None,
        category: "tin-tuc".into(),
        routing_key: "article.published.tin-tuc".into(),
        lane: loa_domain::Lane::Live,
        body: event.original_bytes,
        at: house.clock.now(),
    }
}

fn endpoint(house: &House) -> loa_domain::Endpoint {
    loa_domain::Endpoint {
        id: EndpointId::new("tinh").expect("an id"),
        url: "https://tinh.example/nhan?key=s3cret".parse().expect("an address"),
        description: "Cổng tỉnh".into(),
        secrets: vec![vec![1; 32]],
        filter: EventFilter::default(),
        state: EndpointState::Disabled { reason: DisableReason::Gone, note: String::new() },
        created_at: house.clock.now(),
    }
}

#[tokio::test]
async fn a_dead_letter_is_told_in_vietnamese_where_its_cause_is_known_and_marked_as_english_where_it_is_not() {
    let house = House::new().await;
    bury(&house, "before", "it was <so>").await;
    bury_for(
        &house,
        "now",
        "`title` is missing or empty; send it",
        Some(DeadCause::Flaw(Flaw::Missing { name: "title".into() })),
    )
    .await;
    let (_, _, page) = house.get("/console/dead/feed", OPERATOR).await;
    assert!(page.contains("<h3 lang=\"en\">it was &lt;so&gt;</h3>"), "{page}");
    assert!(page.contains("<h3>Trường `title` bị thiếu hoặc để trống; hãy gửi trường này.</h3>"), "{page}");
    assert!(!page.contains("send it") && page.matches("lang=\"en\"").count() == 1, "{page}");
    assert!(page.contains("Nơi gửi cần gửi lại cho đúng") && page.contains("loa dead-letters redrive feed/"), "{page}");
    let (_, _, list) = house.get("/v1/dead-letters", "Bearer reader").await;
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let told = |at: usize| (list["letters"][at]["kind"].clone(), list["letters"][at]["reason"].clone());
    assert_eq!(told(0), (serde_json::Value::Null, "it was <so>".into()));
    assert_eq!(
        told(1),
        ("missing".into(), "`title` is missing or empty; send it".into()),
        "machines are told in English"
    );
}

pub(crate) async fn bury(house: &House, id: &str, reason: &str) {
    bury_for(house, id, reason, None).await;
}

async fn bury_for(house: &House, id: &str, reason: &str, cause: Option<DeadCause>) {
    let message = Message { id: id.into(), content_type: String::new(), headers: BTreeMap::new(), body: "x".into() };
    let sent = house.bus.publish(vec![Outgoing { route: Route::Queue(Queue::Feed), message }]).await;
    sent.into_iter().for_each(|answer| answer.expect("published"));
    let mut consumer = house.bus.consume(Queue::Feed, 10).await.expect("a consumer");
    let received = consumer.receive(1, Duration::from_secs(5)).await.expect("a batch");
    let dead = DeadReason { reason: reason.into(), cause, position: "/data/title".into() };
    consumer.settle(vec![(received[0].tag, Settlement::Dead(dead))]).await.expect("settled");
    consumer.close().await.expect("closed");
}
