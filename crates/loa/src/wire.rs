//! Wires an installation: which bus, which ledgers and which directory, by the settings.
//!
//! [`App`] opens each of them when it is first asked for, and hands it to the services. This is the
//! only place where a door meets its adapter; services know doors only. Long, for it opens everything
//! there is, once each; schemas and topology are made in `making.rs`.

mod making;

use crate::{
    access::{self, LedgerTokens},
    config::{BusKind, Config, StoreKind},
    embedded::{self, Locks},
    intake_door::IntakeDoor,
};
use anyhow::Context;
use jiff::SignedDuration;
use loa_area::Directory;
use loa_bus::{Administer, Bus, Declared, Health};
use loa_bus_rabbitmq::{RabbitBus, RabbitConfig};
use loa_bus_sqlite::SqliteBus;
use loa_domain::{AreaId, BusReason, Calendar, Outlet, Scope};
use loa_http::TokenCheck;
use loa_store::{
    AccessLedger, DigestDoors, DigestLedger, FeedLedger, HubLedger, IntakeLedger, Notary, PushDoors, PushLedger,
    ReceiptLedger, Receptions, WatchLedger,
};
use loa_store_sql::{
    AccessStore, DigestStore, FeedStore, IntakeStore, LedgerPlace, Postgres, PostgresConfig, PushStore, ReceiptStore,
    WatchStore,
};
use loa_svc_console as console;
use loa_svc_digest as digest;
use loa_svc_feed as feed;
use loa_svc_hub as hub;
use loa_svc_intake as intake;
use loa_svc_push as push;
use loa_svc_watch as watch;
use loa_words::Language;
use loa_worker::{Portals, Status, World};
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;
use url::Url;

/// How long a command waits for a broker before it says that it is not there.
const BROKER_WAIT: Duration = Duration::from_secs(15);

/// How long a process that begins waits for the list of portals.
const PORTALS_WAIT: Duration = Duration::from_secs(3);

/// The name of this machine, for heartbeats; empty where the system does not tell.
/// Why the bus does not work, for an error message: what the adapter met, and what others said.
fn told(reason: &BusReason) -> String {
    let words = Language::English.words();
    let facts = reason.facts.iter().map(|fact| words.bus_fact(fact));
    let said = Some(reason.said.to_string()).filter(|said| !said.is_empty());
    facts.chain(said).collect::<Vec<_>>().join("; ")
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// One installation, wired: ledgers, bus and services, opened when first asked for and then shared.
pub struct App {
    /// All settings.
    pub config: Config,
    /// Clock and dice.
    pub world: World,
    /// Areas, of both periods.
    pub directory: Arc<Directory>,
    /// The zone in which people read times and digests are scheduled.
    pub zone: jiff::tz::TimeZone,
    /// Which dependencies are up, for `/readyz`.
    pub status: Arc<Status>,
    /// What the broker's and the database's own pages call this process: `loa feed@host`.
    name: String,
    bus: OnceCell<Arc<dyn Bus>>,
    /// What opening the embedded queues made.
    made_at_opening: OnceLock<Vec<Declared>>,
    postgres: OnceCell<Postgres>,
    intake: OnceCell<Arc<dyn IntakeLedger>>,
    feed: OnceCell<Arc<dyn FeedLedger>>,
    digest: OnceCell<Arc<dyn DigestLedger>>,
    push: OnceCell<PushStore>,
    access: OnceCell<Arc<dyn AccessLedger>>,
    portals: OnceCell<Portals>,
    receipts: OnceCell<Arc<dyn ReceiptLedger>>,
    watch: OnceCell<Arc<dyn WatchLedger>>,
    locks: Locks,
    places: Mutex<Vec<LedgerPlace>>,
    intake_service: OnceCell<intake::Service>,
    feed_service: OnceCell<feed::Service>,
    digest_service: OnceCell<digest::Service>,
    push_service: OnceCell<push::Service>,
    hub_service: OnceCell<hub::Service>,
    watch_service: OnceCell<watch::Service>,
    own_listener: OnceLock<Url>,
}

macro_rules! ledger {
    ($(#[$doc:meta])* $method:ident, $field:ident, $ledger:ident, $store:ident, $file:literal) => {
        $(#[$doc])*
        pub async fn $method(&self) -> anyhow::Result<Arc<dyn $ledger>> {
            let open = async || -> anyhow::Result<Arc<dyn $ledger>> {
                match self.config.store.kind {
                    StoreKind::Sqlite => {
                        let path = self.embedded_file($file)?;
                        self.locks.beside_others(&self.config, $file)?;
                        let store = $store::open(&path)
                            .await
                            .with_context(|| format!("cannot open the ledger {}", path.display()))?;
                        self.keep_place(store.place());
                        Ok(Arc::new(store) as Arc<dyn $ledger>)
                    }
                    StoreKind::Postgres => {
                        let store = $store::on(&self.postgres().await?);
                        self.keep_place(store.place());
                        Ok(Arc::new(store) as Arc<dyn $ledger>)
                    }
                }
            };
            Ok(self.$field.get_or_try_init(open).await?.clone())
        }
    };
}

impl App {
    /// An app that has opened nothing yet.
    pub fn new(config: Config, world: World) -> anyhow::Result<Self> {
        let (directory, status) = (Arc::new(config.areas.load()?), Arc::new(Status::by(world.clock.clone())));
        let is_known = |area: &str| AreaId::new(area).is_ok_and(|area| directory.get(&area).is_some());
        anyhow::ensure!(
            config.portal.area.is_empty() || is_known(&config.portal.area),
            "`portal.area` is {:?}; it must be the id of an area of the directory (`areas.within`, `areas.folder`)",
            config.portal.area
        );
        let zone = config.zone()?;
        Ok(Self {
            config,
            world,
            directory,
            zone,
            status,
            name: "loa".to_owned(),
            bus: OnceCell::new(),
            made_at_opening: OnceLock::new(),
            postgres: OnceCell::new(),
            intake: OnceCell::new(),
            feed: OnceCell::new(),
            digest: OnceCell::new(),
            push: OnceCell::new(),
            access: OnceCell::new(),
            portals: OnceCell::new(),
            receipts: OnceCell::new(),
            watch: OnceCell::new(),
            locks: Locks::default(),
            places: Mutex::default(),
            intake_service: OnceCell::new(),
            feed_service: OnceCell::new(),
            digest_service: OnceCell::new(),
            push_service: OnceCell::new(),
            hub_service: OnceCell::new(),
            watch_service: OnceCell::new(),
            own_listener: OnceLock::new(),
        })
    }

    /// The app under a name for the broker's and the database's own pages: `loa feed@host`. To be called before anything
    /// is opened.
    #[must_use]
    pub fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// Where the ledgers are kept that this process has opened so far.
    pub fn places(&self) -> Vec<LedgerPlace> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep_place(&self, place: LedgerPlace) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    }

    /// How many pages of the database failed their checksum, and when the last did; `None`: none, or it keeps no checksums.
    pub async fn database_damage(&self) -> anyhow::Result<Option<(u64, Option<jiff::Timestamp>)>> {
        match self.config.store.kind {
            StoreKind::Sqlite => Ok(None),
            StoreKind::Postgres => Ok(self.postgres().await?.damaged_pages().await?),
        }
    }

    /// This process's connections to PostgreSQL. Returns at once, whether the server is there or not.
    async fn postgres(&self) -> anyhow::Result<Postgres> {
        let connect = async || -> anyhow::Result<Postgres> {
            let settings = PostgresConfig {
                application_name: self.name.clone(),
                random: Some(self.world.random.clone()),
                ..self.config.store.postgres.ready()?
            };
            Postgres::new(&settings).context("`store.postgres` cannot be used")
        };
        Ok(self.postgres.get_or_try_init(connect).await?.clone())
    }

    /// Where PostgreSQL was reached, whether encrypted, and as whom; `None`: the ledgers are files.
    pub async fn database_reached(&self) -> anyhow::Result<Option<String>> {
        match self.config.store.kind {
            StoreKind::Sqlite => Ok(None),
            StoreKind::Postgres => Ok(Some(self.postgres().await?.reached().await?)),
        }
    }

    ledger!(
        /// Intake's ledger.
        intake_ledger, intake, IntakeLedger, IntakeStore, "intake"
    );
    ledger!(
        /// The feed outlet's ledger.
        feed_ledger, feed, FeedLedger, FeedStore, "feed"
    );
    ledger!(
        /// The digest outlet's ledger: to be read, or restored. Whoever writes is handed `digest_doors`.
        digest_ledger, digest, DigestLedger, DigestStore, "digest"
    );
    ledger!(
        /// Tokens.
        access_ledger, access, AccessLedger, AccessStore, "access"
    );

    ledger!(
        /// Receipts, as they are.
        bare_receipt_ledger, receipts, ReceiptLedger, ReceiptStore, "receipts"
    );

    ledger!(
        /// Sources that are looked at.
        watch_ledger, watch, WatchLedger, WatchStore, "watch"
    );

    /// The tables of the push outlet and of the hub, which stand in one place.
    async fn push_store(&self) -> anyhow::Result<PushStore> {
        let open = async || -> anyhow::Result<PushStore> {
            let store = match self.config.store.kind {
                StoreKind::Sqlite => {
                    let path = self.embedded_file("push")?;
                    self.locks.beside_others(&self.config, "push")?;
                    PushStore::open(&path)
                        .await
                        .with_context(|| format!("cannot open the ledger {}", path.display()))?
                }
                StoreKind::Postgres => PushStore::on(&self.postgres().await?),
            };
            self.keep_place(store.place());
            Ok(store)
        };
        Ok(self.push.get_or_try_init(open).await?.clone())
    }

    /// The push outlet's ledger: to be read, or restored. Whoever writes is handed `push_doors`.
    pub async fn push_ledger(&self) -> anyhow::Result<Arc<dyn PushLedger>> {
        Ok(Arc::new(self.push_store().await?))
    }

    /// The hub's ledger.
    pub async fn hub_ledger(&self) -> anyhow::Result<Arc<dyn HubLedger>> {
        Ok(Arc::new(self.push_store().await?))
    }

    /// Receipts: what a restored ledger learns from.
    pub async fn receipt_ledger(&self) -> anyhow::Result<Arc<dyn ReceiptLedger>> {
        let ledger = self.bare_receipt_ledger().await?;
        if self.is_embedded() {
            // a server that is away is no reason to end: there it is begun by `migrate`, or by the first note
            ledger.begin(self.world.now()).await?;
        }
        Ok(ledger)
    }

    /// What the digest service is handed. What goes out, and what people decide, is noted in the receipts.
    async fn digest_doors(&self) -> anyhow::Result<DigestDoors> {
        Ok(DigestDoors::noting(&self.digest_ledger().await?, self.notary().await?))
    }

    /// What the push service is handed. What goes out, and what operators decide, is noted in the receipts.
    async fn push_doors(&self) -> anyhow::Result<PushDoors> {
        Ok(PushDoors::noting(&self.push_ledger().await?, self.notary().await?))
    }

    async fn notary(&self) -> anyhow::Result<Notary> {
        let kept = SignedDuration::from_hours(24 * i64::from(self.config.receipts.days_kept));
        Ok(Notary::new(self.receipt_ledger().await?, self.world.clock.clone(), kept))
    }

    /// Whether the ledgers are files of ours.
    pub fn is_embedded(&self) -> bool {
        embedded::is_embedded(&self.config)
    }

    /// The file of an embedded ledger, or of the embedded queues.
    pub fn embedded_file(&self, name: &str) -> anyhow::Result<PathBuf> {
        embedded::file(&self.config, name)
    }

    /// The portals, shared by all services of this process. Read once where that is possible now; `cmd/serve.rs` goes on.
    pub async fn portals(&self) -> anyhow::Result<Portals> {
        let make = async || -> anyhow::Result<Portals> {
            let portals = Portals::of(self.config.home_portal()?, self.access_ledger().await?);
            // a command is to know them; a service whose ledger is away goes on, and asks again
            match tokio::time::timeout(PORTALS_WAIT, portals.refresh()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the list of portals cannot be read yet"),
                Err(_) => tracing::debug!("the list of portals cannot be read yet"),
            }
            Ok(portals)
        };
        Ok(self.portals.get_or_try_init(make).await?.clone())
    }

    /// Intake.
    pub async fn intake_service(&self) -> anyhow::Result<intake::Service> {
        let make = async || -> anyhow::Result<intake::Service> {
            let portal = intake::Portal {
                portals: self.portals().await?,
                host: host_name(),
                calendar: Calendar::new(self.zone.clone()),
            };
            let ledger = self.intake_ledger().await?;
            Ok(intake::Service::new(
                self.config.intake.clone(),
                portal,
                ledger,
                self.directory.clone(),
                self.world.clone(),
            ))
        };
        Ok(self.intake_service.get_or_try_init(make).await?.clone())
    }

    /// The audit: it asks each outlet's ledger, and changes intake's alone.
    pub async fn audit(&self) -> anyhow::Result<intake::Audit> {
        let outlets: Vec<(Outlet, Arc<dyn Receptions>)> = vec![
            (Outlet::Feed, self.feed_ledger().await?),
            (Outlet::Digest, self.digest_ledger().await?),
            (Outlet::Push, self.push_ledger().await?),
        ];
        Ok(intake::Audit::new(&self.config.intake, self.intake_ledger().await?, outlets, self.world.clone()))
    }

    /// The feed outlet.
    pub async fn feed_service(&self) -> anyhow::Result<feed::Service> {
        let make = async || self.feed_service_on(self.feed_ledger().await?, self.portals().await?);
        Ok(self.feed_service.get_or_try_init(make).await?.clone())
    }

    /// The feed outlet on another ledger than the app's own.
    pub fn feed_service_on(&self, ledger: Arc<dyn FeedLedger>, portals: Portals) -> anyhow::Result<feed::Service> {
        let home = self.config.home_portal()?;
        let identity = feed::Identity {
            portals,
            portal_name: home.name,
            portal_url: home.url,
            public_url: self.config.site.public_url.clone(),
            tag_authority: home.tag_authority,
            tag_date: home.tag_date.to_string(),
            zone: self.zone.clone(),
            hub: self.config.hub.enabled.then(|| hub::hub_url(&self.config.site.public_url)),
        };
        let mut config = self.config.feed.clone();
        if config.last_good_dir.as_os_str().is_empty() {
            config.last_good_dir = self.config.data_dir.join("feed-last-good");
        }
        feed::Service::new(config, identity, ledger, self.directory.clone(), self.world.clone())
            .context("the feed service cannot be set up")
    }

    /// The push outlet. It tells the hub when events came in.
    pub async fn push_service(&self) -> anyhow::Result<push::Service> {
        let make = async || -> anyhow::Result<push::Service> {
            let (doors, hub) = (self.push_doors().await?, self.hub_service().await?);
            let listener: push::Listener = Arc::new(move || hub.something_happened());
            let (config, directory) = (self.config.push.clone(), self.directory.clone());
            let (calendar, portals) = (Calendar::new(self.zone.clone()), self.portals().await?);
            push::Service::new(config, doors, directory, calendar, portals, self.world.clone(), Some(listener))
                .context("the push service cannot be set up")
        };
        Ok(self.push_service.get_or_try_init(make).await?.clone())
    }

    /// The WebSub hub.
    pub async fn hub_service(&self) -> anyhow::Result<hub::Service> {
        let make = async || -> anyhow::Result<hub::Service> {
            self.config.home_portal()?; // strangers are called in its name
            let public_url = self.config.site.public_url.clone();
            let identity =
                hub::Identity { feed_url: self.own_listener.get().unwrap_or(&public_url).clone(), public_url };
            hub::Service::new(self.config.hub.clone(), &identity, self.hub_ledger().await?, self.world.clone())
                .context("the hub cannot be set up")
        };
        Ok(self.hub_service.get_or_try_init(make).await?.clone())
    }

    /// Whoever asks portals; it needs no ledger.
    pub fn watch_visitor(&self) -> anyhow::Result<watch::Visitor> {
        let home = self.config.home_portal()?; // portals are asked in its name
        let site = &self.config.site;
        // an address of this machine is nothing to be asked at
        let contact = if site.is_only_here() { home.url } else { site.public_url.clone() };
        let identity = watch::Identity { public_url: contact, zone: self.zone.clone() };
        watch::Visitor::new(self.config.watch.clone(), identity, self.world.clone())
            .context("the watch cannot be set up")
    }

    /// The watch. What it finds goes to intake, in this process.
    pub async fn watch_service(&self) -> anyhow::Result<watch::Service> {
        let make = async || -> anyhow::Result<watch::Service> {
            let publisher = Arc::new(IntakeDoor(self.intake_service().await?));
            Ok(watch::Service::new(self.watch_visitor()?, self.watch_ledger().await?, publisher, self.world.clone()))
        };
        Ok(self.watch_service.get_or_try_init(make).await?.clone())
    }

    /// Says where this process serves everything, so that the hub reads the feeds here and not by way of the world. To be
    /// called before services are asked for.
    pub fn serves_at(&self, listener: SocketAddr) -> anyhow::Result<()> {
        let mut address = listener;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        let url = Url::parse(&format!("http://{address}/")).context("this process's own address")?;
        self.own_listener.set(url).map_err(|_| anyhow::anyhow!("this process serves at one address only"))
    }

    /// The digest outlet.
    pub async fn digest_service(&self) -> anyhow::Result<digest::Service> {
        let make = async || -> anyhow::Result<digest::Service> {
            let identity = digest::Identity {
                portals: self.portals().await?,
                portal_name: self.config.home_portal()?.name,
                public_url: self.config.site.public_url.clone(),
                zone: self.zone.clone(),
            };
            let doors = self.digest_doors().await?;
            digest::Service::new(
                self.config.digest.clone(),
                identity,
                doors,
                self.directory.clone(),
                self.world.clone(),
            )
            .context("the digest service cannot be set up")
        };
        Ok(self.digest_service.get_or_try_init(make).await?.clone())
    }

    /// The console. `tasks`: what is waited for before [`Self::close`].
    pub async fn console_service(&self, tasks: TaskTracker) -> anyhow::Result<console::Service> {
        let home = self.config.home_portal()?;
        let site = console::Site {
            portal_name: home.name,
            portal_url: home.url,
            calendar: Calendar::new(self.zone.clone()),
            audit: self.config.intake.audit_rule(),
        };
        let doors = console::Doors {
            intake: self.intake_ledger().await?,
            feed: self.feed_ledger().await?,
            digest: self.digest_ledger().await?,
            push: self.push_ledger().await?,
            watch: self.watch_ledger().await?,
            bus: self.bus().await?,
            tokens: self.tokens().await?,
        };
        let (directory, status) = (self.directory.clone(), self.status.clone());
        let (config, world) = (self.config.console.clone(), self.world.clone());
        Ok(console::Service::new(config, site, doors, directory, status, world, tasks))
    }

    /// The check of bearer tokens that services are handed.
    pub async fn tokens(&self) -> anyhow::Result<Arc<dyn TokenCheck>> {
        Ok(Arc::new(LedgerTokens(self.access_ledger().await?)))
    }

    /// Makes a token of the HTTP API and returns its secret, which is kept nowhere.
    pub async fn create_token(&self, name: &str, scope: Scope) -> anyhow::Result<String> {
        let ledger = self.access_ledger().await?;
        access::create(&*ledger, &self.world, name, scope, &[]).await.context("cannot keep the token")
    }

    /// The bus. Over RabbitMQ this returns at once, whether the broker is there or not.
    pub async fn bus(&self) -> anyhow::Result<Arc<dyn Bus>> {
        let open = async || -> anyhow::Result<Arc<dyn Bus>> {
            match self.config.bus.kind {
                BusKind::Sqlite => {
                    let path = self.embedded_file("bus")?;
                    self.locks.beside_others(&self.config, "bus")?;
                    let bus = SqliteBus::open(&path, self.world.clock.clone())
                        .await
                        .with_context(|| format!("cannot open the queues {}", path.display()))?;
                    // the file is ours alone, like the ledgers, which make their tables when they are opened
                    let made = bus.declare().await;
                    let made = made.with_context(|| format!("cannot make the queues in {}", path.display()))?;
                    let _ = self.made_at_opening.set(made); // it is opened once
                    Ok(Arc::new(bus) as Arc<dyn Bus>)
                }
                BusKind::Rabbitmq => {
                    let settings = self.config.bus.rabbitmq.ready()?;
                    let bus = RabbitBus::connect(
                        RabbitConfig { name: self.name.clone(), ..settings },
                        self.world.clock.clone(),
                        self.world.random.clone(),
                    )?;
                    Ok(Arc::new(bus) as Arc<dyn Bus>)
                }
            }
        };
        Ok(self.bus.get_or_try_init(open).await?.clone())
    }

    /// For commands: waits a while until the bus is there, then says what is wrong.
    ///
    /// # Errors
    /// The broker refuses us, or is not there after that while.
    pub async fn wait_for_bus(&self, bus: &Arc<dyn Bus>) -> anyhow::Result<()> {
        self.until_bus(bus, |_| false).await
    }

    /// For a look: says what is wrong once the first try has failed, at the latest after a while.
    ///
    /// # Errors
    /// The broker refuses us, cannot be reached, or does not answer within that while.
    pub async fn look_at_bus(&self, bus: &Arc<dyn Bus>) -> anyhow::Result<()> {
        self.until_bus(bus, |health| matches!(health, Health::Down(_))).await
    }

    async fn until_bus(&self, bus: &Arc<dyn Bus>, is_enough: fn(&Health) -> bool) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + BROKER_WAIT;
        loop {
            let health = bus.health();
            if health == Health::Up {
                return Ok(());
            }
            if let Health::Refused(reason) = &health {
                let why = told(reason);
                // waiting mends nothing
                let address = self.config.bus.rabbitmq.shown();
                anyhow::bail!(
                    "the broker at {address} refuses us ({why}); see the user, password and vhost in `bus.rabbitmq`"
                );
            }
            if is_enough(&health) || tokio::time::Instant::now() >= deadline {
                return self.not_there(health);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn not_there(&self, health: Health) -> anyhow::Result<()> {
        let why = match health {
            Health::Up | Health::Connecting => "it does not answer".to_owned(),
            Health::Blocked(reason) => format!("it takes nothing for now: {}", told(&reason)),
            Health::Refused(reason) | Health::Down(reason) => told(&reason),
        };
        if self.config.bus.kind == BusKind::Sqlite {
            anyhow::bail!("the queues in {} cannot be used: {why}", self.config.data_dir.display());
        }
        let address = self.config.bus.rabbitmq.shown();
        anyhow::bail!("the broker at {address} is not there ({why}); `bus.rabbitmq` says where it should be");
    }

    /// Asks each ledger that the console shows for an answer.
    pub async fn read_ledgers(&self) -> anyhow::Result<()> {
        self.intake_ledger().await?.ping().await.context("intake's ledger")?;
        self.feed_ledger().await?.ping().await.context("the feed ledger")?;
        self.digest_ledger().await?.ping().await.context("the digest ledger")?;
        self.push_ledger().await?.ping().await.context("the push ledger")?;
        self.watch_ledger().await?.ping().await.context("the watch ledger")?;
        self.access_ledger().await?.ping().await.context("the access ledger")
    }

    /// Closes the connections to the broker and the database, if any were opened.
    pub async fn close(&self) {
        if let Some(postgres) = self.postgres.get() {
            postgres.close().await;
        }
        if let Some(bus) = self.bus.get() {
            bus.close().await;
        }
    }
}
