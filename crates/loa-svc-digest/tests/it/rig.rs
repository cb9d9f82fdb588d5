//! The test rig: a digest service with its ledger, mail catcher and clock, stepped by hand.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use jiff::{Timestamp, tz::TimeZone};
use loa_area::{AreaFile, Directory};
use loa_domain::{AreaId, Article, EmailAddress, Event, Frequency, Scope, Wish};
use loa_http::{AccessUnavailable, Caller, TokenCheck};
use loa_store::{DigestDoors, DigestLedger, DigestViews, Run, Subscription};
use loa_store_sql::DigestStore;
use loa_svc_digest::{Config, Identity, Service, SmtpConfig};
use loa_testkit::{
    build,
    clock::HandClock,
    smtp::{Catcher, Mail},
};
use loa_worker::Progress;
use std::{sync::Arc, time::Duration};
use tower::ServiceExt;

/// A Thursday, an hour before the daily digest.
pub const MORNING: &str = "2023-11-16T06:00:00+07:00";

pub struct Rig {
    pub service: Service,
    pub ledger: Arc<DigestStore>,
    pub catcher: Catcher,
    pub clock: HandClock,
    directory: Arc<Directory>,
    seed: u64,
    folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Rig {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(DigestStore::open(&folder.path().join("digest.db")).await.unwrap());
        let (catcher, clock) = (Catcher::start().await.unwrap(), HandClock::at(MORNING));
        let directory = Arc::new(directory());
        let service = service(&catcher, ledger.clone(), &clock, directory.clone(), 1);
        Self { service, ledger, catcher, clock, directory, seed: 1, folder }
    }

    /// Another process on the same ledger, as after a crash.
    pub async fn restart(&mut self) {
        self.seed += 1;
        self.ledger = Arc::new(DigestStore::open(&self.folder.path().join("digest.db")).await.unwrap());
        self.service = self.another(self.seed);
    }

    pub fn another(&self, seed: u64) -> Service {
        service(&self.catcher, self.ledger.clone(), &self.clock, self.directory.clone(), seed)
    }

    pub async fn add(&self, email: &str, frequency: Frequency) -> Subscription {
        self.add_wish(email, Wish::default(), frequency).await
    }

    pub async fn add_wish(&self, email: &str, wish: Wish, frequency: Frequency) -> Subscription {
        let subscription =
            self.service.add_subscriber(EmailAddress::parse(email).unwrap(), wish, frequency).await.unwrap();
        // what is accepted at the same instant is not owed: life is finer grained than a clock wound by hand
        self.wind(1);
        subscription
    }

    pub async fn accept(&self, events: &[Event]) {
        self.service.accept(events).await.unwrap();
        self.wind(1);
    }

    pub async fn publish(&self, id: &str, revision: u64) {
        self.accept(&[build::published(build::article(id, revision))]).await;
    }

    pub fn wind(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn set(&self, instant: &str) {
        self.clock.set(instant.parse::<Timestamp>().unwrap());
    }

    /// Steps until there is nothing to do.
    pub async fn run_until_idle(&self) {
        for _ in 0..100 {
            if self.service.step().await.unwrap() == Progress::Idle {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    pub async fn at(&self, instant: &str) {
        self.set(instant);
        self.run_until_idle().await;
    }

    /// The newest run that is not weekly (last Monday's, made up, is always there); every account must always balance.
    pub async fn run(&self) -> Run {
        let runs = self.ledger.runs(100).await.unwrap();
        assert!(runs.iter().all(|run| run.account.balances()), "{runs:?}");
        runs.into_iter().find(|run| run.key.frequency != Frequency::Weekly).expect("a run")
    }

    /// Sent, failed, suppressed, uncertain, waiting of the newest run.
    pub async fn account(&self) -> [u64; 5] {
        let account = self.run().await.account;
        [account.sent, account.failed, account.suppressed, account.uncertain, account.waiting]
    }

    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.catcher.mails()
    }

    pub fn router(&self) -> Router {
        self.service.router(Arc::new(Tokens))
    }

    /// The path of a link in the last mail to an address: `/confirm/…`, `/manage/…` or `/u/…`.
    pub fn link(&self, address: &str, page: &str) -> String {
        let mail = self.catcher.mails_to(address).pop().expect("a mail");
        let text = mail.text();
        let mark = format!("/{page}/");
        let start = text.find(&mark).unwrap_or_else(|| panic!("no {mark} in {text}"));
        text[start..].split_whitespace().next().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, "", "").await
    }

    pub async fn post(&self, path: &str, form: &str) -> Answer {
        self.ask(Method::POST, path, "application/x-www-form-urlencoded", form).await
    }

    pub async fn ask(&self, method: Method, path: &str, kind: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router().oneshot(request).await.unwrap();
        self.service.form_mails_written().await;
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1_000_000).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

fn service(
    catcher: &Catcher,
    ledger: Arc<DigestStore>,
    clock: &HandClock,
    directory: Arc<Directory>,
    seed: u64,
) -> Service {
    let config = Config {
        from_address: EmailAddress::parse("ban-tin@tin.dienbiendong.example").unwrap(),
        unsubscribe_address: "huy-dang-ky@tin.dienbiendong.example".into(),
        smtp: SmtpConfig {
            host: catcher.address().ip().to_string(),
            port: catcher.address().port(),
            timeout_seconds: 2,
            ..SmtpConfig::default()
        },
        ..Config::default()
    };
    let identity = Identity {
        portals: build::portals(),
        portal_name: "huyện Điện Biên Đông".into(),
        public_url: "https://tin.dienbiendong.example/".parse().unwrap(),
        zone: TimeZone::get("Asia/Ho_Chi_Minh").unwrap(),
    };
    let ledger: Arc<dyn DigestLedger> = ledger;
    Service::new(config, identity, DigestDoors::of(&ledger), directory, clock.world(seed)).unwrap()
}

pub fn directory() -> Directory {
    Directory::load(&[
        AreaFile {
            label: "before",
            text: include_str!("../../../../config/areas/dien-bien-dong-before-2025-07-01.csv"),
        },
        AreaFile { label: "from", text: include_str!("../../../../config/areas/dien-bien-dong-from-2025-07-01.csv") },
    ])
    .unwrap()
}

pub fn area(id: &str) -> AreaId {
    AreaId::new(id).unwrap()
}

/// An article about one area of 2023.
pub fn article_about(id: &str, place: &str) -> Article {
    Article { areas: vec![area(place)], ..build::article(id, 1) }
}

/// Knows `operator`, which may do all, and `reader`; `away` stands for a ledger that cannot be asked.
struct Tokens;

#[async_trait::async_trait]
impl TokenCheck for Tokens {
    async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable> {
        let scope = match secret {
            "operator" => Scope::Operate,
            "reader" => Scope::Read,
            "away" => return Err(AccessUnavailable("away".into())),
            _ => return Ok(None),
        };
        Ok(Some(Caller::new(secret, scope)))
    }
}
