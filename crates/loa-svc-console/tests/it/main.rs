//! The console over real ledgers: what each page shows, and to whom.

mod dead_letters;
mod operators;
mod public;

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use loa_area::Directory;
use loa_bus::Administer;
use loa_bus_sqlite::SqliteBus;
use loa_domain::{Calendar, CategorySlug, Event, FeedName, Scope};
use loa_http::{AccessUnavailable, Caller, TokenCheck};
use loa_store::{FeedArrival, FeedChanges};
use loa_store_sql::{DigestStore, FeedStore, IntakeStore, PushStore, WatchStore};
use loa_svc_console::{Config, Doors, Service, Site};
use loa_testkit::clock::HandClock;
use loa_worker::{Status, completeness::AuditRule};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) struct House {
    pub router: Router,
    pub feed: Arc<FeedStore>,
    pub intake: Arc<IntakeStore>,
    pub push: Arc<PushStore>,
    pub watch: Arc<WatchStore>,
    pub bus: Arc<SqliteBus>,
    pub clock: HandClock,
    pub status: Arc<Status>,
    _folder: TempDir,
}

impl House {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        let clock = HandClock::at("2023-11-20T03:00:00Z");
        let world = clock.world(1);
        let bus = Arc::new(SqliteBus::open(file("bus.db"), world.clock.clone()).await.expect("a bus"));
        bus.declare().await.expect("a topology");
        let intake = Arc::new(IntakeStore::open(file("intake.db")).await.expect("a ledger"));
        let feed = Arc::new(FeedStore::open(file("feed.db")).await.expect("a ledger"));
        let digest = Arc::new(DigestStore::open(file("digest.db")).await.expect("a ledger"));
        let push = Arc::new(PushStore::open(file("push.db")).await.expect("a ledger"));
        let watch = Arc::new(WatchStore::open(file("watch.db")).await.expect("a ledger"));
        let status = Arc::new(Status::default());
        let doors = Doors {
            intake: intake.clone(),
            feed: feed.clone(),
            digest,
            push: push.clone(),
            watch: watch.clone(),
            bus: bus.clone(),
            tokens: Arc::new(Tokens),
        };
        let site = Site {
            portal_name: "Cổng <Điện Biên Đông>".into(),
            portal_url: "https://dienbiendong.example/".parse().expect("an address"),
            calendar: Calendar::new(jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone")),
            audit: AuditRule { is_on: true, delay: Duration::from_secs(20), heartbeat: Some(Duration::from_secs(30)) },
        };
        let (directory, tasks) = (Arc::new(Directory::empty()), tokio_util::task::TaskTracker::new());
        let service = Service::new(Config::default(), site, doors, directory, status.clone(), world, tasks);
        Self { router: service.router(), feed, intake, push, watch, bus, clock, status, _folder: folder }
    }

    /// Puts an event into the feed ledger, in `all` and its category.
    pub async fn stands(&self, event: Event) {
        let category = CategorySlug::new("tin-tuc").expect("a slug");
        let feeds =
            if event.content().is_some() { vec![FeedName::All, FeedName::Category(category)] } else { Vec::new() };
        self.feed.accept(&[FeedArrival { event, feeds }], self.clock.now()).await.expect("accepted");
    }

    /// Posts JSON with a bearer token; returns the status and the answer's JSON.
    pub async fn post(&self, path: &str, token: &str, body: &str) -> (StatusCode, serde_json::Value) {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    pub async fn get(&self, path: &str, authorization: &str) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::get(path);
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }
}

/// `x:look` in base64: the password is a token of scope `operate`, which includes `read`.
pub(crate) const OPERATOR: &str = "Basic eDpsb29r";

struct Tokens;

#[async_trait]
impl TokenCheck for Tokens {
    async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable> {
        match secret {
            "look" => Ok(Some(Caller::new("operator", Scope::Operate))),
            "reader" => Ok(Some(Caller::new("reader", Scope::Read))),
            "cms" => Ok(Some(Caller::new("cms", Scope::Publish))),
            "away" => Err(AccessUnavailable("away".into())),
            _ => Ok(None),
        }
    }
}
