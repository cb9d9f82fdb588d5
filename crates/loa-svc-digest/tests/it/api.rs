//! What operators ask for over HTTP.

use crate::rig::{Answer, Rig};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use loa_domain::Frequency;
use serde_json::{Value, json};

async fn call(rig: &Rig, token: &str, method: &str, path: &str, body: Option<Value>) -> (Answer, Value) {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = body.map_or_else(Body::empty, |value| Body::from(value.to_string()));
    let answer = rig.send(request.body(body).unwrap()).await;
    let value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    (answer, value)
}

#[tokio::test]
async fn addresses_are_for_operators_only() {
    let rig = Rig::new().await;
    rig.add("a@example.vn", Frequency::Daily).await;
    for path in ["/v1/subscribers", "/v1/digest-runs/1/mails"] {
        for (token, status) in [("", 401), ("wrong", 401), ("reader", 403)] {
            let (answer, problem) = call(&rig, token, "GET", path, None).await;
            assert_eq!(answer.status.as_u16(), status, "{path} {token}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert_eq!(problem["status"], status);
        }
    }
    let (_, listing) = call(&rig, "operator", "GET", "/v1/subscribers", None).await;
    assert_eq!(listing["subscribers"][0]["email"], "a@example.vn");
    assert_eq!(listing["subscribers"][0]["subscriptions"][0]["frequency"], "daily");
    assert!(!listing.to_string().contains("token"), "tokens belong in mails");
}

#[tokio::test]
async fn a_subscriber_is_added_and_a_run_is_started_and_read() {
    let rig = Rig::new().await;
    let wish = json!({ "email": "A@Example.vn", "areas": ["na-son-03203-2025"], "frequency": "daily" });
    let (answer, kept) = call(&rig, "operator", "POST", "/v1/subscribers", Some(wish)).await;
    assert_eq!((answer.status, &kept["state"]), (StatusCode::CREATED, &json!("active")));
    let (answer, none) = call(&rig, "operator", "POST", "/v1/digest-runs", Some(json!({ "frequency": "daily" }))).await;
    assert_eq!((answer.status, none), (StatusCode::OK, Value::Null));
    rig.add("b@example.vn", Frequency::Daily).await;
    rig.publish("bai-1", 1).await;
    let (answer, run) = call(&rig, "operator", "POST", "/v1/digest-runs", Some(json!({ "frequency": "daily" }))).await;
    assert_eq!((answer.status, &run["account"]["planned"]), (StatusCode::CREATED, &json!(1)));
    rig.run_until_idle().await;
    let (_, one) = call(&rig, "reader", "GET", &format!("/v1/digest-runs/{}", run["id"]), None).await;
    assert_eq!(one["account"]["sent"], 1);
    let (_, runs) = call(&rig, "reader", "GET", "/v1/digest-runs", None).await;
    assert!(runs["runs"].as_array().unwrap().contains(&one));
    let path = format!("/v1/digest-runs/{}/mails", run["id"]);
    let (_, mails) = call(&rig, "operator", "GET", &path, None).await;
    assert_eq!((&mails["mails"][0]["email"], &mails["mails"][0]["state"]), (&json!("b@example.vn"), &json!("sent")));
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_its_place() {
    let rig = Rig::new().await;
    for (body, status, pointer) in [
        (json!({ "email": "x", "frequency": "daily" }), 422, json!("/email")),
        (json!({ "email": "a@b.vn", "areas": ["ha-noi"], "frequency": "daily" }), 422, json!("/areas")),
        (json!({ "email": "a@b.vn", "frequency": "hourly" }), 422, Value::Null),
        (json!({ "email": "a@b.vn", "frequency": "daily", "extra": 1 }), 422, Value::Null),
    ] {
        let (answer, problem) = call(&rig, "operator", "POST", "/v1/subscribers", Some(body)).await;
        assert_eq!((answer.status.as_u16(), &problem["pointer"]), (status, &pointer), "{problem}");
    }
    let (answer, _) = call(&rig, "operator", "POST", "/v1/digest-runs/99/resume", None).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let (answer, _) = call(&rig, "reader", "GET", "/v1/digest-runs/99", None).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn while_the_ledger_is_away_the_api_and_the_pages_say_when_to_come_back() {
    let rig = Rig::new().await;
    rig.ledger.close().await;
    for (token, method, path, body) in [
        ("reader", "GET", "/v1/digest-runs", None),
        ("operator", "GET", "/v1/digest-runs/1/mails", None),
        ("operator", "POST", "/v1/digest-runs", Some(json!({ "frequency": "daily" }))),
        ("operator", "POST", "/v1/subscribers", Some(json!({ "email": "a@example.vn", "frequency": "daily" }))),
        ("away", "GET", "/v1/subscribers", None),
        ("", "GET", "/subscribe", None),
    ] {
        let (answer, problem) = call(&rig, token, method, path, body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
        assert_eq!(answer.headers["retry-after"], "30", "{method} {path}");
        assert!(path == "/subscribe" || problem["detail"].to_string().contains("try again"), "{path}: {problem}");
    }
}
