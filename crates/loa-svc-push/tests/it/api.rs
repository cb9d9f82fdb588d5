//! The operators' API.

use crate::stage::Stage;
use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use loa_domain::{HubMode, Scope, SignatureAlgorithm};
use loa_store::{HubLimits, HubWish, TopicKind};
use loa_testkit::{
    build::{article, published},
    http::{HttpStandIn, Reply},
};
use loa_worker::{AccessUnavailable, TokenCheck};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

/// Tokens `operate`, `read` and `publish`; `away` stands for a ledger that cannot be asked.
struct Tokens;

#[async_trait]
impl TokenCheck for Tokens {
    async fn find(&self, secret: &str) -> Result<Option<(String, Scope)>, AccessUnavailable> {
        if secret == "away" {
            return Err(AccessUnavailable("away".into()));
        }
        Ok(Scope::parse(secret).map(|scope| (scope.as_str().to_owned(), scope)))
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
        ("GET", "/v1/hub/subscriptions"),
        ("DELETE", "/v1/hub/subscriptions/h1"),
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
async fn a_secret_is_shown_where_it_is_made_and_never_again() {
    let desk = Desk::new().await;
    let wish = json!({ "url": desk.portal.url("/hook"), "description": "Cổng tỉnh" });
    let (status, added) = desk.ask("POST", "/v1/endpoints", "operate", wish).await;
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
async fn an_endpoint_can_be_tested_disabled_and_enabled() {
    let desk = Desk::new().await;
    let (_, added) = desk.ask("POST", "/v1/endpoints", "operate", json!({ "url": desk.portal.url("/") })).await;
    let path = format!("/v1/endpoints/{}", added["id"].as_str().unwrap());
    let (_, report) = desk.ask("POST", &format!("{path}/test"), "operate", Value::Null).await;
    assert_eq!((&report["delivered"], &report["status"]), (&json!(true), &json!(204)));
    let (_, off) = desk.ask("PATCH", &path, "operate", json!({ "enabled": false, "reason": "bảo trì" })).await;
    assert_eq!((&off["state"], &off["reason"]), (&json!("disabled"), &json!("bảo trì")));
    let (_, on) = desk.ask("PATCH", &path, "operate", json!({ "enabled": true })).await;
    assert_eq!(on["state"], "enabled");
}

#[tokio::test]
async fn a_delivery_shows_its_attempts_and_can_be_redriven() {
    let desk = Desk::new().await;
    desk.ask("POST", "/v1/endpoints", "operate", json!({ "url": desk.portal.url("/") })).await;
    desk.portal.script([Reply::text(415, "không hiểu")]);
    desk.stage.accept(&[published(article("bai-1", 1))]).await;
    desk.stage.settle().await;
    let (_, list) = desk.ask("GET", "/v1/deliveries?state=failed&article=bai-1", "read", Value::Null).await;
    let path = format!("/v1/deliveries/{}", list["deliveries"][0]["id"].as_str().unwrap());
    let (_, one) = desk.ask("GET", &path, "read", Value::Null).await;
    assert_eq!((&one["attempts"], &one["log"][0]["status"]), (&json!(1), &json!(415)));
    assert_eq!(one["webhook_id"], desk.portal.requests()[0].header("webhook-id").unwrap());
    assert_eq!(desk.ask("POST", &format!("{path}/redrive"), "operate", Value::Null).await.0, StatusCode::ACCEPTED);
    desk.stage.settle().await;
    assert_eq!(desk.ask("GET", &path, "read", Value::Null).await.1["state"], "delivered");
    assert_eq!(desk.ask("POST", &format!("{path}/redrive"), "operate", Value::Null).await.0, StatusCode::CONFLICT);
    assert_eq!(desk.ask("GET", "/v1/deliveries?state=failed", "read", Value::Null).await.1["deliveries"], json!([]));
}

#[tokio::test]
async fn subscriptions_at_the_hub_are_listed_page_by_page_without_secrets_and_can_be_ended() {
    let desk = Desk::new().await;
    let limits = HubLimits {
        subscriptions_max: 10,
        subscriptions_per_host_max: 10,
        wishes_max: 10,
        topics_max: 10,
        combinations_percent: 20,
        wishes_per_host_burst: 10,
        wish_interval: std::time::Duration::from_secs(1),
    };
    for (host, form) in [("a.example", "atom"), ("a.example", "rss"), ("b.example", "atom")] {
        let topic = format!("https://loa.example.gov.vn/feeds/all.{form}");
        let callback = format!("https://{host}/cb?k=bi-mat");
        let wish = HubWish {
            mode: HubMode::Subscribe,
            kind: TopicKind::Feed,
            topic_written: topic.clone(),
            topic,
            callback_form: callback.clone(),
            callback,
            host: host.into(),
            lease_seconds: 86_400,
            secret: Some(b"mat-khau".to_vec()),
            algorithm: SignatureAlgorithm::Sha256,
            token: None,
        };
        desk.stage.ledger.hub_wish(&wish, &limits, desk.stage.clock.now()).await.unwrap();
    }
    let list = async |query: &str| {
        let (status, list) = desk.ask("GET", &format!("/v1/hub/subscriptions{query}"), "read", Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{list}");
        assert!(!list.to_string().contains("mat"), "{list}");
        list
    };
    let ids = |list: &Value| -> Vec<String> {
        let all = list["subscriptions"].as_array().unwrap();
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = list("").await;
    assert_eq!((ids(&all), all.get("next")), (vec!["h1".into(), "h2".into(), "h3".into()], None));
    let first = &all["subscriptions"][0];
    assert_eq!((&first["callback"], &first["host"]), (&json!("https://a.example/cb"), &json!("a.example")));
    assert_eq!((&first["state"], &first["ends_at"]), (&json!("pending"), &Value::Null));
    let page = list("?limit=2").await;
    assert_eq!((ids(&page), &page["next"]), (vec!["h1".into(), "h2".into()], &json!("h2")));
    let page = list("?limit=2&after=h2").await;
    assert_eq!((ids(&page), page.get("next")), (vec!["h3".to_owned()], None));
    assert_eq!(ids(&list("?host=a.example").await), ["h1", "h2"]);
    assert_eq!(ids(&list("?topic=https://loa.example.gov.vn/feeds/all.atom&host=a.example").await), ["h1"]);
    assert_eq!(ids(&list("?host=c.example").await), [""; 0]);
    let gone = desk.ask("DELETE", "/v1/hub/subscriptions/h2", "operate", Value::Null).await;
    assert_eq!(gone, (StatusCode::NO_CONTENT, Value::Null));
    let view = list("?after=h1&limit=1").await["subscriptions"][0].clone();
    assert_eq!((&view["id"], &view["state"]), (&json!("h2"), &json!("pending")), "until its subscriber was told");
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
        ("GET", "/v1/hub/subscriptions?colour=red", Value::Null, 400),
        ("GET", "/v1/hub/subscriptions?limit=many", Value::Null, 400),
        ("DELETE", "/v1/hub/subscriptions/h99", Value::Null, 404),
        ("DELETE", "/v1/hub/subscriptions/nonsense", Value::Null, 404),
    ] {
        let (status, problem) = desk.ask(method, path, "operate", body).await;
        assert_eq!(status.as_u16(), expected, "{method} {path}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
    assert!(desk.stage.service.endpoints().await.unwrap().is_empty());
}
