//! A feed service on a throw-away ledger, with a hand-wound clock, a directory of three areas, and a door that can be shut.

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use jiff::Timestamp;
use loa_area::{AreaFile, Directory};
use loa_domain::{ArticleKey, Category, CategorySlug, Event, EventKey, FeedName, JourneyLine};
use loa_http::ClientAddress;
use loa_store::{
    Accepted, FeedArrival, FeedChanges, FeedEntry, FeedSummary, FeedViews, Ledger, Receptions, Rendered, Said,
    StoreError, StoreErrorKind, Tombstone,
};
use loa_store_sql::FeedStore;
use loa_svc_feed::{Config, FeedError, Identity, Service, Step};
use loa_testkit::clock::HandClock;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::Semaphore, time::Instant};
use tower::ServiceExt;

/// Full responses with one unchanged document that one address gets in ten minutes.
pub const FULL_RESPONSES_MAX: u32 = 5;

pub const FORMATS: [&str; 3] = ["rss", "atom", "json"];

pub const AREAS: &str = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
    na-son,03205,Na Son,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,2025-07-01,na-son-moi,\n\
    na-son-moi,03203,Na Son,Xã,,Tỉnh Điện Biên,2025-07-01,,,\n\
    pu-nhi,03370,Pu Nhi,Xã,,Tỉnh Điện Biên,2025-07-01,,,\n";

/// What a ledger says while its door is shut.
pub struct Door {
    inner: FeedStore,
    pub shut: AtomicBool,
    /// Only writing fails: the disk is full.
    pub full: AtomicBool,
    /// Dates are kept only when this lets them: one permit each.
    pub dates: Semaphore,
    /// How many have come to have their date kept.
    pub waiting: AtomicUsize,
    /// How often entries were read.
    pub reading: AtomicUsize,
}

impl Door {
    fn open(&self) -> Result<&FeedStore, StoreError> {
        if self.shut.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the door is shut"));
        }
        Ok(&self.inner)
    }

    fn writable(&self) -> Result<&FeedStore, StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the disk is full"));
        }
        self.open()
    }
}

#[async_trait]
impl FeedChanges for Door {
    async fn accept(&self, batch: &[FeedArrival], at: Timestamp) -> Result<Accepted, StoreError> {
        self.writable()?.accept(batch, at).await
    }
    async fn changed(&self, after: i64, limit: u32) -> Result<(Vec<FeedName>, i64), StoreError> {
        self.open()?.changed(after, limit).await
    }
    async fn changed_at(&self, feeds: &[FeedName]) -> Result<Timestamp, StoreError> {
        self.open()?.changed_at(feeds).await
    }
    async fn rendered(
        &self,
        name: &str,
        fingerprint: &str,
        change: i64,
        candidate: Timestamp,
    ) -> Result<Rendered, StoreError> {
        let ledger = self.writable()?;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.dates.acquire().await.unwrap().forget();
        ledger.rendered(name, fingerprint, change, candidate).await
    }
}

#[async_trait]
impl FeedViews for Door {
    async fn entries(
        &self,
        feed: &FeedName,
        before: Option<(Timestamp, ArticleKey)>,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        self.reading.fetch_add(1, Ordering::SeqCst);
        self.open()?.entries(feed, before, limit).await
    }
    async fn tombstones(&self, feed: &FeedName, limit: u32) -> Result<Vec<Tombstone>, StoreError> {
        self.open()?.tombstones(feed, limit).await
    }
    async fn counted(&self, feed: &FeedName, from: Timestamp, until: Timestamp) -> Result<u64, StoreError> {
        self.open()?.counted(feed, from, until).await
    }
    async fn between(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        self.reading.fetch_add(1, Ordering::SeqCst);
        self.open()?.between(feed, from, until, skip, limit).await
    }
    async fn around(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        self.open()?.around(feed, from, until).await
    }
    async fn summaries(&self, until: Timestamp) -> Result<Vec<FeedSummary>, StoreError> {
        self.open()?.summaries(until).await
    }
    async fn standing(&self, article: &ArticleKey) -> Result<Option<Result<FeedEntry, Tombstone>>, StoreError> {
        self.open()?.standing(article).await
    }
}

#[async_trait]
impl Receptions for Door {
    async fn not_seen(&self, events: &[Said]) -> Result<Vec<EventKey>, StoreError> {
        self.open()?.not_seen(events).await
    }
}

#[async_trait]
impl Ledger for Door {
    async fn ping(&self) -> Result<(), StoreError> {
        self.open()?.ping().await
    }
    async fn journey(&self, article: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError> {
        self.open()?.journey(article).await
    }
}

pub struct House {
    pub clock: HandClock,
    pub service: Service,
    pub door: Arc<Door>,
    router: Router,
    folder: TempDir,
    directory: Arc<Directory>,
    zone: &'static str,
    /// Each step is an hour after the one before, by the clock that rests are counted with.
    hours: AtomicU64,
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn feed(&self) -> feed_rs::model::Feed {
        feed_rs::parser::parse(&self.body[..]).expect("an independent reader takes it")
    }

    /// The last parts of the outward ids, in order.
    pub fn ids(&self) -> Vec<String> {
        self.feed().entries.iter().map(|entry| entry.id.rsplit('/').next().unwrap().to_owned()).collect()
    }
}

impl House {
    pub async fn new() -> Self {
        Self::among(AREAS, "2024-06-01T00:00:00Z").await
    }

    /// With another `site.zone`.
    pub async fn in_zone(zone: &'static str, at: &str) -> Self {
        Self::on(tempfile::tempdir().unwrap(), HandClock::at(at), areas(AREAS), zone).await
    }

    /// With another directory of areas, at another time.
    pub async fn among(areas: &str, at: &str) -> Self {
        Self::on(tempfile::tempdir().unwrap(), HandClock::at(at), self::areas(areas), "Asia/Ho_Chi_Minh").await
    }

    async fn on(folder: TempDir, clock: HandClock, directory: Arc<Directory>, zone: &'static str) -> Self {
        let path: PathBuf = folder.path().join("feed.db");
        let inner = FeedStore::open(&path).await.unwrap();
        let door = Arc::new(Door {
            inner,
            shut: AtomicBool::new(false),
            full: AtomicBool::new(false),
            dates: Semaphore::new(1_000),
            waiting: AtomicUsize::new(0),
            reading: AtomicUsize::new(0),
        });
        let identity = Identity {
            portals: loa_testkit::build::portals(),
            portal_name: "Cổng thông tin Điện Biên Đông".into(),
            portal_url: "https://cong.dienbiendong-moi.example/".parse().unwrap(),
            public_url: "https://loa.example.vn/".parse().unwrap(),
            tag_authority: "loa.example.vn".into(),
            tag_date: "2026-01-01".into(),
            zone: jiff::tz::TimeZone::get(zone).unwrap(),
            hub: Some("https://loa.example.vn/hub".parse().unwrap()),
        };
        let slug = CategorySlug::new("giao-duc").unwrap();
        let config = Config {
            categories: vec![Category { slug, label: "Giáo dục".into() }],
            full_responses_max: FULL_RESPONSES_MAX,
            last_good_dir: folder.path().join("last-good"),
            ..Config::default()
        };
        let service = Service::new(config, identity, door.clone(), directory.clone(), clock.world(1)).unwrap();
        let router = service.router();
        Self { clock, service, door, router, folder, directory, zone, hours: AtomicU64::default() }
    }

    /// The same ledger under a new process.
    pub async fn restarted(self) -> Self {
        let Self { clock, folder, service, door, router, directory, zone, .. } = self;
        drop((service, door, router));
        Self::on(folder, clock, directory, zone).await
    }

    /// The same ledger under a new process that cannot reach it.
    pub async fn restarted_without_ledger(self) -> Self {
        let house = self.restarted().await;
        house.door.shut.store(true, Ordering::SeqCst);
        house
    }

    /// Where the last good state is kept.
    pub fn last_good_dir(&self) -> PathBuf {
        self.folder.path().join("last-good")
    }

    /// Takes events in, one batch each, and steps.
    pub async fn take(&self, events: &[Event]) {
        for event in events {
            self.service.accept(std::slice::from_ref(event)).await.unwrap();
        }
        self.step().await.unwrap();
    }

    /// A step of the service, long after the one before: nothing rests any more.
    pub async fn step(&self) -> Result<Step, FeedError> {
        let hours = self.hours.fetch_add(1, Ordering::SeqCst) + 1;
        self.service.step(Instant::now() + Duration::from_secs(3_600 * hours)).await
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask_from(None, method, path, headers).await
    }

    /// As the listener would hand it on that knows who asks.
    pub async fn ask_from(&self, client: Option<&str>, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(client) = client {
            request = request.extension(ClientAddress(client.parse().unwrap()));
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        if status == StatusCode::OK && method_has_body(&headers) && !body.is_empty() {
            assert_eq!(headers[header::CONTENT_LENGTH], body.len().to_string().as_str());
        }
        Answer { status, headers, body }
    }

    /// The body as it would go to the socket.
    pub async fn shared(&self, path: &str, coding: &str) -> axum::body::Bytes {
        let request = Request::builder().uri(path).header("accept-encoding", coding).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        to_bytes(response.into_body(), usize::MAX).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }
}

fn areas(text: &str) -> Arc<Directory> {
    Arc::new(Directory::load(&[AreaFile { label: "areas.csv", text }]).unwrap())
}

fn method_has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_LENGTH)
}
