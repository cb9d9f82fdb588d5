//! The API: what it answers, and to whom.

use crate::{House, Tokens, article, document};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: axum::http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII")).unwrap_or_default()
    }
}

pub(crate) async fn ask(router: &Router, method: &str, path: &str, token: &str, body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = router.clone().oneshot(request.body(body.into()).expect("a request")).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.expect("a body");
    Answer { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

pub(crate) async fn router(house: &House) -> Router {
    house.service.router(Arc::new(Tokens { away: false }))
}

#[tokio::test]
async fn an_article_is_accepted_with_revision_event_and_the_address_of_its_journey() {
    let house = House::new().await;
    let router = router(&house).await;
    let answer = ask(&router, "POST", "/v1/articles", "cms", article("bài-1/2").to_string()).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::ACCEPTED, "/v1/articles/b%C3%A0i-1%2F2/journey")
    );
    assert_eq!(
        (&answer.body["id"], &answer.body["revision"], &answer.body["unchanged"]),
        (&json!("bài-1/2"), &json!(1), &json!(false))
    );
    let repeat = ask(&router, "POST", "/v1/articles", "cms", article("bài-1/2").to_string()).await;
    assert_eq!((repeat.status, &repeat.body["unchanged"]), (StatusCode::OK, &json!(true)));
    assert_eq!(repeat.body["event_id"], answer.body["event_id"]);
    let current = ask(&router, "GET", "/v1/articles/b%C3%A0i-1%2F2", "operator", "").await;
    assert_eq!(
        (current.status, &current.body["revision"], &current.body["withdrawn"]),
        (StatusCode::OK, &json!(1), &json!(false))
    );
}

#[tokio::test]
async fn documents_go_the_same_way_and_withdrawals_take_a_reason_from_body_or_query() {
    let house = House::new().await;
    let router = router(&house).await;
    let answer = ask(&router, "POST", "/v1/articles", "cms", json!({ "document": document("vb-1") }).to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    ask(&router, "POST", "/v1/articles", "cms", json!({ "article": article("bai-1") }).to_string()).await;
    let gone = ask(&router, "DELETE", "/v1/articles/vb-1", "cms", json!({ "reason": "Thay thế" }).to_string()).await;
    assert_eq!((gone.status, &gone.body["revision"]), (StatusCode::ACCEPTED, &json!(2)));
    let gone = ask(&router, "DELETE", "/v1/articles/bai-1?reason=Sai%20s%E1%BB%91", "cms", "").await;
    assert_eq!(gone.status, StatusCode::ACCEPTED);
    let again = ask(&router, "DELETE", "/v1/articles/bai-1", "cms", "").await;
    assert_eq!(again.status, StatusCode::OK);
    house.relay().await;
    let messages = house.drain(loa_bus::Queue::Digest).await;
    let reasons: Vec<_> = messages
        .iter()
        .filter_map(|message| match house.decode(message).change {
            loa_domain::Change::Withdrawn(withdrawal) => Some(withdrawal.reason),
            loa_domain::Change::Live(_) => None,
        })
        .collect();
    assert_eq!(reasons, ["Thay thế", "Sai số"]);
    assert_eq!(ask(&router, "DELETE", "/v1/articles/bai-9", "cms", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_a_token_with_the_scope_publishes() {
    let house = House::new().await;
    let router = router(&house).await;
    for (token, method, path, status, challenge) in [
        ("", "POST", "/v1/articles", StatusCode::UNAUTHORIZED, "Bearer"),
        ("wrong", "POST", "/v1/articles", StatusCode::UNAUTHORIZED, "Bearer"),
        ("operator", "POST", "/v1/articles", StatusCode::FORBIDDEN, ""),
        ("operator", "DELETE", "/v1/articles/bai-1", StatusCode::FORBIDDEN, ""),
        ("cms", "GET", "/v1/articles/bai-1", StatusCode::FORBIDDEN, ""),
    ] {
        let answer = ask(&router, method, path, token, article("bai-1").to_string()).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, challenge), "{token} {method}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let away = house.service.router(Arc::new(Tokens { away: true }));
    let answer = ask(&away, "POST", "/v1/articles", "cms", article("bai-1").to_string()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    assert_eq!(house.waiting().await, 0);
    house.ledger.close().await;
    for (method, path, token) in [("POST", "/v1/articles", "cms"), ("GET", "/v1/articles/bai-1", "operator")] {
        let answer = ask(&router, method, path, token, article("bai-1").to_string()).await;
        assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"), "{path}");
    }
}

#[tokio::test]
async fn a_fault_in_the_body_is_a_problem_with_a_pointer_into_that_body() {
    let house = House::new().await;
    let router = router(&house).await;
    let mut untitled = article("bai-1");
    untitled["title"] = json!(" ");
    let mut relative = document("vb-1");
    relative["url"] = json!("/vb-1");
    let mut no_id = article("bai-1");
    no_id["id"] = json!(null);
    for (body, status, pointer, words) in [
        (untitled.to_string(), 422, "/title", "title"),
        (json!({ "document": relative }).to_string(), 422, "/document/url", "relative"),
        (no_id.to_string(), 422, "/id", "missing"),
        ("{\"id\": \"a\", \"id\": \"b\"}".to_owned(), 400, "/id", "twice"),
        ("{\"title\": \"\\ud800\"}".to_owned(), 400, "/title", "line 1"),
        ("[]".to_owned(), 422, "", "object"),
    ] {
        let answer = ask(&router, "POST", "/v1/articles", "cms", body.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, "application/problem+json"),
            "{body}"
        );
        assert_eq!(answer.body["pointer"], json!(pointer), "{body} {:?}", answer.body);
        assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{:?}", answer.body);
    }
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn what_is_too_large_or_no_json_or_out_of_date_is_refused() {
    let house = House::new().await;
    let router = router(&house).await;
    let mut large = article("bai-1");
    large["x"] = json!("a".repeat(1_048_576));
    assert_eq!(
        ask(&router, "POST", "/v1/articles", "cms", large.to_string()).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    large["x"] = json!("a".repeat(1_048_576 - 500));
    let edge = ask(&router, "POST", "/v1/articles", "cms", large.to_string()).await;
    assert_eq!(edge.status, StatusCode::PAYLOAD_TOO_LARGE, "the event around it counts too: {:?}", edge.body);

    let xml = Request::post("/v1/articles").header("authorization", "Bearer cms").header("content-type", "text/xml");
    let answer = router.clone().oneshot(xml.body(Body::from("<a/>")).expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);

    let mut old = article("bai-1");
    old["revision"] = json!(3);
    ask(&router, "POST", "/v1/articles", "cms", old.to_string()).await;
    old["revision"] = json!(2);
    let answer = ask(&router, "POST", "/v1/articles", "cms", old.to_string()).await;
    assert_eq!((answer.status, &answer.body["pointer"]), (StatusCode::CONFLICT, &json!("/revision")));
}
