//! Intake on the embedded adapters, stepped by hand: publish, `step()`, look.

mod api;
mod archive;
mod audit;
mod flood;
mod heartbeat;
mod import;
mod relay;
mod submit;

use async_trait::async_trait;
use loa_area::{AreaFile, Directory};
use loa_bus::{Administer, Consume, Message, Queue, Settlement};
use loa_bus_sqlite::SqliteBus;
use loa_domain::{Calendar, Event, Scope};
use loa_http::{AccessUnavailable, Caller, TokenCheck};
use loa_store::IntakeViews;
use loa_store_sql::IntakeStore;
use loa_svc_intake::{Config, Portal, RawContent, Service};
use loa_testkit::{
    build::{calendar, portals},
    clock::HandClock,
};
use loa_worker::Portals;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

pub(crate) const SOURCE: &str = "https://dienbiendong.example/";

/// An intake with its ledger and a bus, each a file in a folder of its own.
pub(crate) struct House {
    pub service: Service,
    pub ledger: Arc<IntakeStore>,
    pub bus: Arc<SqliteBus>,
    pub clock: HandClock,
    pub directory: Arc<Directory>,
    _folder: TempDir,
}

impl House {
    pub async fn new() -> Self {
        Self::with_days(calendar()).await
    }

    /// One whose portal has these days.
    pub async fn with_days(calendar: Calendar) -> Self {
        // articles of these tests are of one day, whatever theirs is
        Self::set_up(calendar, Config { backfile_after_days: 0, ..Config::default() }, portals()).await
    }

    /// One with other settings and portals.
    pub async fn set_up(calendar: Calendar, config: Config, portals: Portals) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = HandClock::at("2023-11-20T03:00:00Z");
        let world = clock.world(1);
        let ledger = Arc::new(IntakeStore::open(folder.path().join("intake.db")).await.expect("a ledger"));
        let bus = Arc::new(SqliteBus::open(folder.path().join("bus.db"), world.clock.clone()).await.expect("a bus"));
        bus.declare().await.expect("a topology");
        let portal = Portal { portals, host: "vps-1".into(), calendar };
        let directory = Arc::new(directory());
        let service = Service::new(config, portal, ledger.clone(), directory.clone(), world);
        Self { service, ledger, bus, clock, directory, _folder: folder }
    }

    /// Steps the relay until nothing is due.
    pub async fn relay(&self) {
        while self.service.step(&*self.bus).await.expect("a step") == loa_worker::Progress::Worked {}
    }

    /// Takes every message out of a queue.
    pub async fn drain(&self, queue: Queue) -> Vec<Message> {
        let mut consumer = self.bus.consume(queue, 500).await.expect("a consumer");
        let mut messages = Vec::new();
        loop {
            let batch = consumer.receive(500, Duration::from_millis(20)).await.expect("a batch");
            if batch.is_empty() {
                consumer.close().await.expect("closed");
                return messages;
            }
            consumer
                .settle(batch.iter().map(|received| (received.tag, Settlement::Ack)).collect())
                .await
                .expect("settled");
            messages.extend(batch.into_iter().map(|received| received.message));
        }
    }

    pub fn decode(&self, message: &Message) -> Event {
        let id = Some(message.id.as_str());
        loa_event::decode(
            Some(&message.content_type),
            &message.headers,
            id,
            &message.body,
            &self.directory,
            &calendar(),
        )
        .expect("an event")
    }

    pub async fn waiting(&self) -> u64 {
        self.ledger.outbox_state().await.expect("a state").waiting
    }
}

/// The real directory of Điện Biên Đông.
fn directory() -> Directory {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config/areas");
    let paths = std::fs::read_dir(folder).expect("config/areas").map(|entry| entry.expect("an entry").path());
    let csv = paths.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    let texts: Vec<_> = csv.map(|path| std::fs::read_to_string(path).expect("text")).collect();
    let files: Vec<_> = texts.iter().map(|text| AreaFile { label: "config/areas", text }).collect();
    Directory::load(&files).expect("a directory")
}

/// An article without a revision.
pub(crate) fn article(id: &str) -> Value {
    json!({
        "id": id,
        "url": format!("{SOURCE}tin/{id}"),
        "title": "Bí xanh Tìa Dình được mùa",
        "content_html": "<p>Bà con phấn khởi.</p>",
        "category": { "slug": "kinh-te", "label": "Kinh tế" },
        "published_at": "2023-11-16T08:02:22+07:00"
    })
}

pub(crate) fn document(id: &str) -> Value {
    json!({ "id": id, "number": "1184/KL-UBND", "kind": "Kết luận", "title": "Công tác quản lý ngân sách",
        "url": format!("{SOURCE}vb/{id}"), "issued_on": "2023-11-10" })
}

pub(crate) fn titled(id: &str, title: &str) -> RawContent {
    let mut article = article(id);
    article["title"] = json!(title);
    RawContent::Article(article)
}

/// Knows two tokens; the ledger behind it is away when told so.
pub(crate) struct Tokens {
    pub away: bool,
}

#[async_trait]
impl TokenCheck for Tokens {
    async fn find(&self, secret: &str) -> Result<Option<Caller>, AccessUnavailable> {
        if self.away {
            return Err(AccessUnavailable("away".into()));
        }
        let scope = match secret {
            "cms" => Scope::Publish,
            "operator" => Scope::Operate,
            _ => return Ok(None),
        };
        Ok(Some(Caller::new(secret, scope)))
    }
}
