//! The operators' API.

use crate::stage::{Stage, config, service};
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use loa_domain::Scope;
use loa_http::{AccessUnavailable, Caller, TokenCheck};
use loa_store::PushLedger;
use loa_store_sql::PushStore;
use loa_testkit::{
    build::{article, published},
    http::{HttpStandIn, Reply},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// Tokens `operate`, `read` and `publish`; `away` stands for a ledger that cannot be asked.
struct Tokens;

#[async_trait]
impl TokenCheck for Tokens {
    async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable> {
        if secret == "away" {
            return Err(AccessUnavailable("away".into()));
        }
        Ok(Scope::parse(secret).map(|scope| Caller::new(scope.as_str(), scope)))
    }
}

struct Desk {
    stage: Stage,
    portal: HttpStandIn,
    router: Router,
}

impl Desk {
    async fn new() -> Self {
        let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
        let router = stage.service.router(Arc::new(Tokens));
        Self { stage, portal, router }
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (status, problem) = (response.status(), response.headers().get("content-type").cloned());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(response.headers()["retry-after"], "30", "{path}");
        }
        let bytes = to_bytes(response.into_body(), 1_000_000).await.unwrap();
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(problem.unwrap(), "application/problem+json", "{status} {path}");
        }
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }
}

#[tokio::test]
async fn without_a_fitting_token_nothing_is_answered() {
    let desk = Desk::new().await;
    for (method, path) in [
        ("GET", "/v1/endpoints"),
        ("POST", "/v1/endpoints"),
        ("GET", "/v1/endpoints/ep_x"),
        ("PATCH", "/v1/endpoints/ep_x"),
        ("POST", "/v1/endpoints/ep_x/test"),
        ("POST", "/v1/endpoints/ep_x/rotate-secret"),
        ("POST", "/v1/endpoints/ep_x/retire-secrets"),
        ("GET", "/v1/deliveries"),
        ("GET", "/v1/deliveries/x"),
        ("POST", "/v1/deliveries/x/redrive"),
    ] {
        for token in ["", "wrong"] {
            assert_eq!(desk.ask(method, path, token, Value::Null).await.0, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        assert_eq!(desk.ask(method, path, "publish", Value::Null).await.0, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(desk.ask(method, path, "away", Value::Null).await.0, StatusCode::SERVICE_UNAVAILABLE);
        if method != "GET" {
            assert_eq!(desk.ask(method, path, "read", json!({})).await.0, StatusCode::FORBIDDEN, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn while_the_ledger_is_away_every_answer_says_when_to_come_back() {
    let Desk { stage, portal, .. } = Desk::new().await;
    let store = Arc::new(PushStore::open(stage.folder.path().join("away.db")).await.unwrap());
    let ledger: Arc<dyn PushLedger> = store.clone();
    let router = service(config(), &ledger, &stage.clock).router(Arc::new(Tokens));
    let desk = Desk { stage, portal, router };
    store.close().await;
    for (method, path, body) in [
        ("GET", "/v1/endpoints", Value::Null),
        ("POST", "/v1/endpoints", json!({ "url": desk.portal.url("/hook") })),
        ("GET", "/v1/deliveries", Value::Null),
        ("POST", "/v1/deliveries/dl_x/redrive", Value::Null),
    ] {
        let (status, problem) = desk.ask(method, path, "operate", body).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}: {problem}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_where_it_is_made_and_never_again() {
    let desk = Desk::new().await;
    let asked = json!({ "url": desk.portal.url("/hook"), "description": "Cổng tỉnh" });
    let (status, added) = desk.ask("POST", "/v1/endpoints", "operate", asked).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("/v1/endpoints/{}", added["id"].as_str().unwrap());
    let (_, one) = desk.ask("GET", &path, "read", Value::Null).await;
    assert_eq!(
        (&one["state"], &one["secrets"], &one["description"]),
        (&json!("enabled"), &json!(1), &json!("Cổng tỉnh"))
    );
    let (_, rotated) = desk.ask("POST", &format!("{path}/rotate-secret"), "operate", Value::Null).await;
    assert_ne!(rotated["secret"], added["secret"]);
    let (_, list) = desk.ask("GET", "/v1/endpoints", "read", Value::Null).await;
    assert_eq!(list["endpoints"][0]["secrets"], 2);
    assert!(!list.to_string().contains("whsec_"));
    let (_, retired) = desk.ask("POST", &format!("{path}/retire-secrets"), "operate", Value::Null).await;
    assert_eq!(retired["secrets"], 1);
}

#[tokio::test]
async fn who_may_read_sees_endpoints_without_what_may_be_a_secret() {
    let desk = Desk::new().await;
    let asked = json!({ "url": desk.portal.url("/hook?key=geheim") });
    let (_, added) = desk.ask("POST", "/v1/endpoints", "operate", asked).await;
    assert!(added["url"].as_str().unwrap().ends_with("/hook?key=geheim"), "who adds it sees what was kept: {added}");
    let path = format!("/v1/endpoints/{}", added["id"].as_str().unwrap());
    for path in ["/v1/endpoints", &path] {
        let (_, shown) = desk.ask("GET", path, "read", Value::Null).await;
        let shown = shown.to_string();
        assert!(shown.contains("/hook\"") && !shown.contains("geheim"), "{shown}");
    }
}

#[tokio::test]
async fn an_endpoint_can_be_tested_disabled_and_enabled() {
    let desk = Desk::new().await;
    let (_, added) = desk.ask("POST", "/v1/endpoints", "operate", json!({ "url": desk.portal.url("/") })).await;
    let path = format!("/v1/endpoints/{}", added["id"].as_str().unwrap());
    let (_, report) = desk.ask("POST", &format!("{path}/test"), "operate", Value::Null).await;
    assert_eq!((&report["delivered"], &report["status"]), (&json!(true), &json!(204)));
    let (_, off) = desk.ask("PATCH", &path, "operate", json!({ "enabled": false, "reason": "bảo trì" })).await;
    assert_eq!(
        (&off["state"], &off["reason"], &off["note"]),
        (&json!("disabled"), &json!("operator"), &json!("bảo trì"))
    );
    let (_, on) = desk.ask("PATCH", &path, "operate", json!({ "enabled": true })).await;
    assert_eq!(on["state"], "enabled");
}

#[tokio::test]
async fn a_delivery_shows_its_attempts_and_can_be_redriven() {
    let desk = Desk::new().await;
    desk.ask("POST", "/v1/endpoints", "operate", json!({ "url": desk.portal.url("/") })).await;
    desk.portal.script([Reply::text(415, "không hiểu")]);
    desk.stage.accept(&[published(article("bai-1", 1))]).await;
    desk.stage.run_until_idle().await;
    let (_, list) = desk.ask("GET", "/v1/deliveries?state=failed&article=bai-1", "read", Value::Null).await;
    let path = format!("/v1/deliveries/{}", list["deliveries"][0]["id"].as_str().unwrap());
    let (_, one) = desk.ask("GET", &path, "read", Value::Null).await;
    assert_eq!((&one["attempts"], &one["log"][0]["status"]), (&json!(1), &json!(415)));
    assert_eq!(one["webhook_id"], desk.portal.requests()[0].header("webhook-id").unwrap());
    assert_eq!(desk.ask("POST", &format!("{path}/redrive"), "operate", Value::Null).await.0, StatusCode::ACCEPTED);
    desk.stage.run_until_idle().await;
    assert_eq!(desk.ask("GET", &path, "read", Value::Null).await.1["state"], "delivered");
    assert_eq!(desk.ask("POST", &format!("{path}/redrive"), "operate", Value::Null).await.0, StatusCode::CONFLICT);
    assert_eq!(desk.ask("GET", "/v1/deliveries?state=failed", "read", Value::Null).await.1["deliveries"], json!([]));
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_sentence() {
    let desk = Desk::new().await;
    for (method, path, body, expected) in [
        ("POST", "/v1/endpoints", json!({ "url": "https://10.0.0.1/" }), 422),
        ("POST", "/v1/endpoints", json!({ "url": desk.portal.url("/"), "colour": "red" }), 422),
        ("POST", "/v1/endpoints", json!({ "url": desk.portal.url("/"), "secret": "short" }), 422),
        ("POST", "/v1/endpoints", json!({ "url": desk.portal.url("/"), "description": "x".repeat(201) }), 422),
        ("POST", "/v1/endpoints", json!({ "url": desk.portal.url("/"), "event_types": ["nonsense"] }), 422),
        ("POST", "/v1/endpoints", Value::Null, 415),
        ("GET", "/v1/endpoints/ep_missing", Value::Null, 404),
        ("POST", "/v1/endpoints/ep_missing/test", Value::Null, 404),
        ("PATCH", "/v1/endpoints/ep_missing", json!({ "enabled": false }), 404),
        ("GET", "/v1/deliveries/missing", Value::Null, 404),
        ("POST", "/v1/deliveries/missing/redrive", Value::Null, 404),
        ("GET", "/v1/deliveries?state=nonsense", Value::Null, 400),
        ("GET", "/v1/deliveries?colour=red", Value::Null, 400),
    ] {
        let (status, problem) = desk.ask(method, path, "operate", body).await;
        assert_eq!(status.as_u16(), expected, "{method} {path}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
    assert!(desk.stage.service.endpoints().await.unwrap().is_empty());
}
