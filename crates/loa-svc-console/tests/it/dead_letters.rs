//! Dead letters over HTTP: who may look, who may act, and what comes of it.

use crate::{House, operators::bury};
use axum::http::StatusCode;
use loa_bus::{Measure, Message, Outgoing, Publish, Queue, Route};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The answer to who may read.
async fn read(house: &House, path: &str) -> (StatusCode, Value) {
    let (status, headers, body) = house.get(path, "Bearer reader").await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    if !status.is_success() {
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(body["status"], status.as_u16());
    }
    (status, body)
}

/// The names of the letters that a list has.
async fn names(house: &House, query: &str) -> Vec<String> {
    let (status, list) = read(house, &format!("/v1/dead-letters{query}")).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    let letters = list["letters"].as_array().expect("a list");
    letters.iter().map(|letter| letter["letter"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn letters_are_listed_in_pages_and_shown_whole_to_who_may_read() {
    let house = House::new().await;
    for number in 0..3 {
        bury(&house, &format!("m-{number}"), "no title").await;
    }
    let all = names(&house, "").await;
    assert_eq!(all.len(), 3);
    assert_eq!(names(&house, "?queue=feed&limit=2").await, all[..2]);
    assert_eq!(names(&house, &format!("?limit=2&after={}", all[1])).await, all[2..]);
    assert!(names(&house, "?queue=unrouted").await.is_empty());
    let (status, letter) = read(&house, &format!("/v1/dead-letters/{}", all[1])).await;
    assert_eq!(status, StatusCode::OK);
    let said = ["letter", "message_id", "reason", "position", "body"].map(|name| letter[name].clone());
    assert_eq!(said, [&all[1], "m-1", "no title", "/data/title", "x"].map(|text| json!(text)));
    assert!(letter["advice"][1].as_str().expect("advice").contains(&all[1]));
    for (path, expected) in [
        ("/v1/dead-letters?queue=nowhere", StatusCode::BAD_REQUEST),
        ("/v1/dead-letters?after=nothing", StatusCode::BAD_REQUEST),
        ("/v1/dead-letters?limit=many", StatusCode::BAD_REQUEST),
        ("/v1/dead-letters/feed/999", StatusCode::NOT_FOUND),
        ("/v1/dead-letters/feed/m-1", StatusCode::NOT_FOUND),
        ("/v1/dead-letters/nowhere/1", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(read(&house, path).await.0, expected, "{path}");
    }
    assert_eq!(house.get("/v1/dead-letters", "Bearer cms").await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.get("/v1/dead-letters", "").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn letters_are_redriven_and_discarded_by_name_by_who_may_operate_and_all_or_none_are_there() {
    let house = House::new().await;
    for number in 0..3 {
        bury(&house, &format!("m-{number}"), "no title").await;
    }
    let all = names(&house, "").await;
    let named = |names: &[&str]| json!({ "letters": names }).to_string();
    let (redrive, discard) = ("/v1/dead-letters/redrive", "/v1/dead-letters/discard");
    for path in [redrive, discard] {
        assert_eq!(house.post(path, "reader", &named(&[&all[0]])).await.0, StatusCode::FORBIDDEN);
        let (status, problem) = house.post(path, "look", &named(&[&all[0], "feed/999"])).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(problem["detail"].as_str().expect("a sentence").contains("feed/999"), "{problem}");
        assert_eq!(house.post(path, "look", &named(&[])).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(house.post(path, "look", &named(&vec!["feed/1"; 1_001])).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(house.post(path, "look", &named(&["m-0"])).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let with_key = json!({ "letters": [all[0]], "key": "article.published.tin-tuc" }).to_string();
    assert_eq!(
        house.post(redrive, "look", &with_key).await.0,
        StatusCode::UNPROCESSABLE_ENTITY,
        "it has its own queue"
    );
    assert_eq!(names(&house, "").await, all, "nothing was changed");

    let (status, redriven) = house.post(redrive, "look", &named(&[&all[0]])).await;
    assert_eq!((status, redriven), (StatusCode::OK, json!({ "redriven": 1, "stayed": 0, "reasons": [] })));
    let (status, gone) = house.post(discard, "look", &named(&[&all[2]])).await;
    assert_eq!((status, gone), (StatusCode::OK, json!({ "discarded": [{ "letter": all[2], "message_id": "m-2" }] })));
    assert_eq!(names(&house, "").await, all[1..2]);
    assert_eq!(house.bus.depth(Queue::Feed).await.expect("counted"), (1, 1));
}

#[tokio::test]
async fn what_no_queue_took_is_redriven_under_the_key_that_is_given() {
    let house = House::new().await;
    let message = Message { id: "m".into(), content_type: String::new(), headers: BTreeMap::new(), body: "x".into() };
    let sent = house.bus.publish(vec![Outgoing { route: Route::Topic("news".into()), message }]).await;
    sent.into_iter().for_each(|answer| answer.expect("kept"));
    let stray = names(&house, "?queue=unrouted").await;
    let redrive = async |asked: Value| house.post("/v1/dead-letters/redrive", "look", &asked.to_string()).await;
    let (status, stays) = redrive(json!({ "letters": stray })).await;
    assert_eq!(
        (status, &stays["redriven"], &stays["reasons"][0]["letter"]),
        (StatusCode::OK, &json!(0), &json!(stray[0]))
    );
    let (status, problem) = redrive(json!({ "letters": stray, "key": "news" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (status, moved) = redrive(json!({ "letters": stray, "key": "article.published.tin-tuc" })).await;
    assert_eq!((status, &moved["redriven"]), (StatusCode::OK, &json!(1)));
    assert_eq!(house.bus.unrouted().await.expect("counted"), 0);
    assert_eq!(house.bus.depth(Queue::Push).await.expect("counted").0, 1);
}
