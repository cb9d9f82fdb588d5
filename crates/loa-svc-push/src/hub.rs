//! The WebSub hub for our own feeds (W3C Recommendation of 23 January 2018).
//!
//! No notice of a change is kept anywhere, so none can be lost: whenever an event came in, when somebody pings, and by a
//! sweep, the topics that somebody wants are *looked at* where readers find them, by a conditional request. Bytes that are
//! others are a further version, and each subscription knows which it was last given; so what goes out is live by then, is
//! the newest, and is collapsed however fast changes follow each other. All of it stands in the push ledger, under leases.
//!
//! `door.rs` takes in what subscribers ask, `step.rs` turns the wheel, `look.rs` reads topics, `call.rs` calls callbacks,
//! `networks.rs` counts calls by where they go, `operations.rs` is for operators. What the words mean is `loa_webhook::websub`'s.

mod call;
mod config;
mod door;
mod look;
mod networks;
mod operations;
mod step;

pub use config::HubConfig;
pub(crate) use door::router;

use crate::{
    Config, Identity, SetupError,
    egress::{ClientOptions, Guard, client},
};
use call::Called;
use jiff::Timestamp;
use loa_store::{HostRule, HubLimits, HubSweepRule, Look, LookRule, PushLedger};
use loa_webhook::{
    EgressPolicy, Network,
    websub::{LeaseRule, Topics},
};
use loa_worker::{Bell, DriveOptions, Status, World, drive};
use networks::{NetworkRule, Networks};
use reqwest::Client;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64},
    },
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Looks at topics under way at a time.
const LOOKS_MAX: u32 = 4;
/// The same of combinations, each of which may have a document written by the feed service, which writes one at a time too.
const COMBINATION_LOOKS_MAX: u32 = 1;
/// A network may have as much as so many hosts: it may be several owners' after all.
const NETWORK_HOSTS: u32 = 2;
/// How often the wheel turns when no bell rings: short, for a feed is live a moment after its event came in.
const TURN: Duration = Duration::from_millis(500);
/// The shortest time between two looks at a topic.
const LOOK_PAUSE: Duration = Duration::from_millis(300);
/// Looks after something may have changed: the feed service may be slower than we are, or was away for a moment. The sweep
/// follows.
const LOOK_DELAYS_MS: [u64; 7] = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
/// The same for combinations: fewer.
const COMBINATION_DELAYS_MS: [u64; 3] = [1_000, 8_000, 30_000];
/// How long a wish may wait for the first look at its topic, and be asked about.
const WISH_MAX: Duration = Duration::from_secs(86_400);
/// Rows of each kind swept in one go.
const SWEEP_MAX: u32 = 1_000;

/// The hub.
pub(crate) struct Hub {
    config: HubConfig,
    ledger: Arc<dyn PushLedger>,
    world: World,
    /// Our address as hub, as feeds name it.
    url: Url,
    topics: Topics,
    /// Where topics are read, without a `/` at the end.
    feeds: String,
    guard: Guard,
    networks: Arc<Networks>,
    /// Calls strangers' callbacks: guarded.
    caller: Client,
    /// Reads our own feeds.
    reader: Client,
    bell: Bell,
    /// An event came in since the topics were last rung for.
    something_happened: AtomicBool,
    rung_at_ms: AtomicI64,
    swept_at_ms: AtomicI64,
    /// One for each delivery under way; those for wishes are their own, so that strangers never delay subscribers.
    slots: Arc<Semaphore>,
    wish_slots: Arc<Semaphore>,
    look_slots: Arc<Semaphore>,
    combination_slots: Arc<Semaphore>,
    /// Only one step at a time claims and records.
    stepping: tokio::sync::Mutex<()>,
    /// Calls that ended and are not yet in the ledger; never more than there are slots.
    called: Mutex<Vec<Called>>,
    /// The same of looks: the lease they were made under, topic, what came of it.
    looked: Mutex<Vec<(String, String, Look)>>,
}

impl Hub {
    /// The hub that the configuration wants, if it wants one.
    pub(crate) fn of(
        config: &Config,
        identity: &Identity,
        ledger: Arc<dyn PushLedger>,
        world: World,
    ) -> Result<Option<Arc<Self>>, SetupError> {
        let (trusted_ca_files, config) = (&config.trusted_ca_files, config.hub.clone());
        if !config.enabled {
            return Ok(None);
        }
        if let Some(fault) = config.fault() {
            return Err(SetupError::Setting(fault));
        }
        let allow_networks: Vec<Network> = config
            .allow_networks
            .iter()
            .map(|text| text.parse().map_err(|error| SetupError::Setting(format!("push.hub.allow_networks: {error}"))))
            .collect::<Result<_, _>>()?;
        let guard = Guard::new(EgressPolicy {
            allow_hosts: config.allow_hosts.clone(),
            allow_networks,
            plain_http: config.allow_plain_http,
        });
        let options = |guard| ClientOptions {
            connect_timeout: config.total_timeout().min(Duration::from_secs(5)),
            total_timeout: config.total_timeout(),
            idle_per_host: 1,
            trusted_ca_files,
            guard,
        };
        let (caller, reader) = (client(&options(Some(&guard)))?, client(&options(None))?);
        let feeds = match config.feed_url.as_str() {
            "" => identity.feed_url.clone(),
            text => Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .ok_or_else(|| SetupError::Setting(format!("push.hub.feed_url is {text:?}; it must be an address")))?,
        };
        Ok(Some(Arc::new(Self {
            url: hub_url(&identity.public_url),
            topics: Topics::new(&identity.public_url),
            feeds: feeds.as_str().trim_end_matches('/').to_owned(),
            guard,
            networks: Arc::default(),
            caller,
            reader,
            bell: Bell::default(),
            // what came in while nobody ran is looked for first
            something_happened: AtomicBool::new(true),
            rung_at_ms: AtomicI64::new(i64::MIN),
            swept_at_ms: AtomicI64::new(i64::MIN),
            slots: Arc::new(Semaphore::new(config.in_flight_max as usize)),
            wish_slots: Arc::new(Semaphore::new(config.in_flight_max as usize)),
            look_slots: Arc::new(Semaphore::new(LOOKS_MAX as usize)),
            combination_slots: Arc::new(Semaphore::new(COMBINATION_LOOKS_MAX as usize)),
            stepping: tokio::sync::Mutex::default(),
            called: Mutex::default(),
            looked: Mutex::default(),
            ledger,
            world,
            config,
        })))
    }

    /// Tells subscribers until `stop`. Calls under way then are for [`Self::drain`].
    pub(crate) async fn run(self: &Arc<Self>, status: &Status, stop: &CancellationToken) {
        let options = DriveOptions { sweep: TURN, ..DriveOptions::named("hub") };
        drive(options, &self.bell, status, stop, || self.step()).await;
    }

    fn leases(&self) -> LeaseRule {
        LeaseRule {
            min: self.config.lease_seconds_min,
            default: self.config.lease_seconds_default,
            max: self.config.lease_seconds_max,
        }
    }

    fn limits(&self) -> HubLimits {
        HubLimits {
            subscriptions_max: self.config.subscriptions_max,
            subscriptions_per_host_max: self.config.subscriptions_per_host_max,
            wishes_max: self.config.requests_waiting_max,
            topics_max: self.config.topics_max,
            combinations_percent: self.config.combinations_percent,
            wishes_per_host_burst: self.config.requests_per_host_burst,
            wish_interval: Duration::from_secs(self.config.requests_per_host_seconds),
        }
    }

    fn look_rule(&self) -> LookRule {
        let sweep = self.config.sweep();
        let delays = |delays: &[u64]| {
            let delays = delays.iter().map(|delay| Duration::from_millis(*delay)).filter(|delay| *delay < sweep);
            delays.chain([sweep]).collect()
        };
        LookRule {
            delays: delays(&LOOK_DELAYS_MS),
            combination_delays: delays(&COMBINATION_DELAYS_MS),
            look_pause: LOOK_PAUSE,
            notice_pause: Duration::from_secs(self.config.notice_seconds_min),
        }
    }

    fn sweep_rule(&self) -> HubSweepRule {
        HubSweepRule {
            wish_max: WISH_MAX,
            lease_max: Duration::from_secs(self.config.lease_seconds_max),
            set_back_min: self.config.sweep(),
            max: SWEEP_MAX,
        }
    }

    fn host_rule(&self) -> HostRule {
        HostRule {
            failures: self.config.host_failures,
            rest: Duration::from_secs(self.config.host_rest_seconds),
            rest_max: Duration::from_secs(self.config.host_rest_seconds_max),
            subscriptions_per_network_max: self.config.subscriptions_per_host_max.saturating_mul(NETWORK_HOSTS),
        }
    }

    /// Half of the places of a lane are for others, whoever fills the rest.
    fn network_rule(&self) -> NetworkRule {
        let interval_ms = self.config.requests_per_host_seconds.saturating_mul(1_000) / u64::from(NETWORK_HOSTS);
        NetworkRule {
            in_flight_max: self.config.in_flight_max.div_ceil(2),
            burst: self.config.requests_per_host_burst.saturating_mul(NETWORK_HOSTS),
            interval_ms: i64::try_from(interval_ms).unwrap_or(i64::MAX),
        }
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// Where the hub is, as feeds name it.
pub(crate) fn hub_url(public_url: &Url) -> Url {
    let mut url = public_url.clone();
    url.set_path(&format!("{}/hub", public_url.path().trim_end_matches('/')));
    url
}

impl Identity {
    /// Where the hub is, as feeds name it.
    pub fn hub_url(&self) -> Url {
        hub_url(&self.public_url)
    }
}

/// An instant later, or the end of time.
fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
