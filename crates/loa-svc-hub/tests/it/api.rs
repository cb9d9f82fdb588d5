//! The operators' API of the hub.

use crate::tokens::Tokens;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use loa_domain::{HubMode, SignatureAlgorithm};
use loa_store::{HubLedger, HubLimits, HubSubscriptionRequest, TopicKind};
use loa_store_sql::PushStore;
use loa_svc_hub::{Config, Identity, Service};
use loa_testkit::clock::HandClock;
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt;

struct Desk {
    _folder: TempDir,
    ledger: Arc<dyn HubLedger>,
    clock: HandClock,
    router: Router,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        Self::on(folder, store)
    }

    /// Of an installation that runs no hub any more: its subscriptions can be seen and ended all the same.
    fn on(folder: TempDir, store: PushStore) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ledger: Arc<dyn HubLedger> = Arc::new(store);
        let clock = HandClock::at("2023-11-16T01:05:00Z");
        let public_url: url::Url = "https://loa.example.gov.vn/".parse().unwrap();
        let identity = Identity { feed_url: public_url.clone(), public_url };
        let config = Config { enabled: false, ..Config::default() };
        let service = Service::new(config, &identity, ledger.clone(), clock.world(1)).unwrap();
        Self { _folder: folder, ledger, clock, router: service.router(Arc::new(Tokens)) }
    }

    async fn ask(&self, method: &str, path: &str, token: &str) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (status, problem) = (response.status(), response.headers().get("content-type").cloned());
        let comes_back = response.headers().contains_key("retry-after");
        assert_eq!(comes_back, status == StatusCode::SERVICE_UNAVAILABLE, "{status} {path}");
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
    for (method, path) in [("GET", "/v1/hub/subscriptions"), ("DELETE", "/v1/hub/subscriptions/h1")] {
        for token in ["", "wrong"] {
            assert_eq!(desk.ask(method, path, token).await.0, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
        assert_eq!(desk.ask(method, path, "publish").await.0, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(desk.ask(method, path, "away").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }
    let read = desk.ask("DELETE", "/v1/hub/subscriptions/h1", "read").await;
    assert_eq!(read.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn subscriptions_at_the_hub_are_listed_page_by_page_without_secrets_and_can_be_ended() {
    let desk = Desk::new().await;
    let limits = HubLimits {
        subscriptions_max: 10,
        subscriptions_per_host_max: 10,
        requests_max: 10,
        topics_max: 10,
        combinations_percent: 20,
        requests_per_host_burst: 10,
        request_interval: std::time::Duration::from_secs(1),
    };
    for (host, form) in [("a.example", "atom"), ("a.example", "rss"), ("b.example", "atom")] {
        let topic = format!("https://loa.example.gov.vn/feeds/all.{form}");
        let callback = format!("https://{host}/cb?k=bi-mat");
        let request = HubSubscriptionRequest {
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
        desk.ledger.hub_request(&request, &limits, desk.clock.now()).await.unwrap();
    }
    let list = async |query: &str| {
        let (status, list) = desk.ask("GET", &format!("/v1/hub/subscriptions{query}"), "read").await;
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
    let gone = desk.ask("DELETE", "/v1/hub/subscriptions/h2", "operate").await;
    assert_eq!(gone, (StatusCode::NO_CONTENT, Value::Null));
    let view = list("?after=h1&limit=1").await["subscriptions"][0].clone();
    assert_eq!((&view["id"], &view["state"]), (&json!("h2"), &json!("pending")), "until its subscriber was told");
}

#[tokio::test]
async fn while_the_ledger_is_away_every_answer_says_when_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
    let desk = Desk::on(folder, store.clone());
    store.close().await;
    for (method, path) in [("GET", "/v1/hub/subscriptions"), ("DELETE", "/v1/hub/subscriptions/h1")] {
        let (status, problem) = desk.ask(method, path, "operate").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}: {problem}");
    }
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_sentence() {
    let desk = Desk::new().await;
    for (method, path, expected) in [
        ("GET", "/v1/hub/subscriptions?colour=red", 400),
        ("GET", "/v1/hub/subscriptions?limit=many", 400),
        ("DELETE", "/v1/hub/subscriptions/h99", 404),
        ("DELETE", "/v1/hub/subscriptions/nonsense", 404),
    ] {
        let (status, problem) = desk.ask(method, path, "operate").await;
        assert_eq!(status.as_u16(), expected, "{method} {path}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
    }
}
