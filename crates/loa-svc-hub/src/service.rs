//! The service as a whole: what it holds, the rules it hands to its ledger, and the loop it runs.

use crate::{
    Config,
    networks::{NetworkRule, Networks},
};
use jiff::Timestamp;
use loa_domain::{BreakerRule, NetworkError, Worker};
use loa_egress::{ClientError, ClientOptions, Guard, client};
use loa_store::{CallRecord, FetchOutcome, FetchRule, HostRule, HubCleanUpRule, HubLedger, HubLimits, StoreError};
use loa_webhook::{
    EgressPolicy,
    websub::{LeaseRule, Topics},
};
use loa_worker::{DriveOptions, InFlight, Status, WakeUp, World, drive};
use reqwest::Client;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Fetches of topics under way at a time.
const FETCHES_MAX: u32 = 4;
/// The same of combinations, each of which may have a document written by the feed service, which writes one at a time too.
const COMBINATION_FETCHES_MAX: u32 = 1;
/// A network may have as much as so many hosts: it may be several owners' after all.
const NETWORK_HOSTS: u32 = 2;
/// How often the wheel turns without a wake-up: short, for a feed is live a moment after its event came in.
const TURN: Duration = Duration::from_millis(500);
/// The shortest time between two fetches of a topic.
const FETCH_PAUSE: Duration = Duration::from_millis(300);
/// Fetches after something may have changed: the feed service may be slower than we are, or was away for a moment. The poll
/// follows.
const FETCH_DELAYS_MS: [u64; 7] = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
/// The same for combinations: fewer.
const COMBINATION_DELAYS_MS: [u64; 3] = [1_000, 8_000, 30_000];
/// How long a request may wait for the first fetch of its topic, and be asked about.
const REQUEST_MAX: Duration = Duration::from_secs(86_400);
/// Rows of each kind cleaned up in one go.
pub(crate) const CLEAN_UP_MAX: u32 = 1_000;

/// Why the hub can't be set up: the configuration is wrong. Each sentence says where to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A network can't be read.
    #[error("hub.allow_networks: {0}")]
    Network(#[from] NetworkError),
    /// A setting is out of range, or can't be read.
    #[error("{0}")]
    Setting(String),
    /// An HTTP client can't be built.
    #[error("hub: {0}")]
    Client(#[from] ClientError),
}

/// Where people and machines find this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Where readers find the feeds: stands in them. The hub's topics are below it.
    pub public_url: Url,
    /// Where the hub reads the feeds, when the configuration does not say; often the same.
    pub feed_url: Url,
}

/// The hub. Clones are the same service.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) ledger: Arc<dyn HubLedger>,
    pub(crate) world: World,
    /// Our address as hub, as feeds name it.
    pub(crate) url: Url,
    pub(crate) topics: Topics,
    /// Where topics are read, without a `/` at the end.
    pub(crate) feeds: String,
    pub(crate) guard: Guard,
    pub(crate) networks: Arc<Networks>,
    /// Who asks.
    pub(crate) clients: Networks,
    /// Calls strangers' callbacks: guarded.
    pub(crate) caller: Client,
    /// Reads our own feeds.
    pub(crate) reader: Client,
    pub(crate) wake_up: WakeUp,
    /// An event came in since the topics were last said to have changed.
    pub(crate) something_happened: AtomicBool,
    pub(crate) told_at_ms: AtomicI64,
    pub(crate) cleaned_up_at_ms: AtomicI64,
    /// Deliveries have slots of their own, so that strangers never delay subscribers.
    pub(crate) deliveries: InFlight<String, CallRecord>,
    pub(crate) requests: InFlight<String, CallRecord>,
    pub(crate) fetches: InFlight<String, (String, FetchOutcome)>,
    pub(crate) combination_fetches: InFlight<String, (String, FetchOutcome)>,
    /// Only one step at a time claims and records.
    pub(crate) stepping: tokio::sync::Mutex<()>,
}

impl Service {
    /// Sets the hub up. Opens nothing yet. A TLS provider must have been installed in the process.
    ///
    /// # Errors
    /// When the configuration is wrong; see [`SetupError`].
    pub fn new(
        config: Config,
        identity: &Identity,
        ledger: Arc<dyn HubLedger>,
        world: World,
    ) -> Result<Self, SetupError> {
        if let Some(fault) = config.fault() {
            return Err(SetupError::Setting(fault));
        }
        let policy = EgressPolicy::read(&config.allow_hosts, &config.allow_networks, config.allow_plain_http)?;
        let guard = Guard::new(policy);
        let options = |guard| ClientOptions {
            connect_timeout: config.total_timeout().min(Duration::from_secs(5)),
            total_timeout: config.total_timeout(),
            idle_per_host: 1,
            trusted_ca_files: &config.trusted_ca_files,
            guard,
        };
        let (caller, reader) = (client(&options(Some(&guard)))?, client(&options(None))?);
        let feeds = match config.feed_url.as_str() {
            "" => identity.feed_url.clone(),
            text => Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .ok_or_else(|| SetupError::Setting(format!("hub.feed_url is {text:?}; it must be an address")))?,
        };
        let wake_up = WakeUp::default();
        Ok(Self(Arc::new(Inner {
            url: hub_url(&identity.public_url),
            topics: Topics::new(&identity.public_url),
            feeds: feeds.as_str().trim_end_matches('/').to_owned(),
            guard,
            networks: Arc::default(),
            clients: Networks::default(),
            caller,
            reader,
            // what came in while nobody ran is looked for first
            something_happened: AtomicBool::new(true),
            told_at_ms: AtomicI64::new(i64::MIN),
            cleaned_up_at_ms: AtomicI64::new(i64::MIN),
            deliveries: InFlight::new(config.in_flight_max, wake_up.clone()),
            requests: InFlight::new(config.in_flight_max, wake_up.clone()),
            fetches: InFlight::new(FETCHES_MAX, wake_up.clone()),
            combination_fetches: InFlight::new(COMBINATION_FETCHES_MAX, wake_up.clone()),
            wake_up,
            stepping: tokio::sync::Mutex::default(),
            ledger,
            world,
            config,
        })))
    }

    /// Tells subscribers until `stop`; then waits for calls under way, up to the configured time, and records them. What is
    /// still under way then is done again when its lease has ended. Where the configuration wants no hub, this returns at
    /// once.
    pub async fn run(&self, status: Arc<Status>, stop: CancellationToken) {
        if !self.0.config.enabled {
            return;
        }
        let options = DriveOptions { poll_interval: TURN, ..DriveOptions::of(Worker::Hub) };
        drive(options, &self.0.wake_up, &status, &stop, || self.step()).await;
        let longest = Duration::from_secs(self.0.config.stop_seconds_max);
        match tokio::time::timeout(longest, self.drain()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "calls of the hub that ended during the stop could not be recorded; they will be repeated")
            }
            Err(_) => {
                tracing::warn!("calls of the hub were still under way at the end of the stop; they will be repeated")
            }
        }
    }

    /// Whether the ledger answers, for `loa check`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.0.ledger.hub_next_due().await.map(drop)
    }
}

impl Inner {
    pub(crate) fn leases(&self) -> LeaseRule {
        LeaseRule {
            min: self.config.lease_seconds_min,
            default: self.config.lease_seconds_default,
            max: self.config.lease_seconds_max,
        }
    }

    pub(crate) fn limits(&self) -> HubLimits {
        HubLimits {
            subscriptions_max: self.config.subscriptions_max,
            subscriptions_per_host_max: self.config.subscriptions_per_host_max,
            requests_max: self.config.requests_waiting_max,
            topics_max: self.config.topics_max,
            combinations_percent: self.config.combinations_percent,
            requests_per_host_burst: self.config.requests_per_host_burst,
            request_interval: Duration::from_secs(self.config.requests_per_host_seconds),
        }
    }

    pub(crate) fn fetch_rule(&self) -> FetchRule {
        let poll = self.config.poll_interval();
        let delays = |delays: &[u64]| {
            let delays = delays.iter().map(|delay| Duration::from_millis(*delay)).filter(|delay| *delay < poll);
            delays.chain([poll]).collect()
        };
        FetchRule {
            delays: delays(&FETCH_DELAYS_MS),
            combination_delays: delays(&COMBINATION_DELAYS_MS),
            fetch_pause: FETCH_PAUSE,
            notice_pause: Duration::from_secs(self.config.notice_seconds_min),
        }
    }

    pub(crate) fn clean_up_rule(&self) -> HubCleanUpRule {
        HubCleanUpRule {
            request_max: REQUEST_MAX,
            lease_max: Duration::from_secs(self.config.lease_seconds_max),
            set_back_min: self.config.poll_interval(),
            max: CLEAN_UP_MAX,
        }
    }

    pub(crate) fn host_rule(&self) -> HostRule {
        HostRule {
            breaker: BreakerRule {
                failures: self.config.breaker_failures,
                open: Duration::from_secs(self.config.breaker_open_seconds),
                open_max: Duration::from_secs(self.config.breaker_open_seconds_max),
            },
            subscriptions_per_network_max: self.config.subscriptions_per_host_max.saturating_mul(NETWORK_HOSTS),
        }
    }

    /// Half of the places of a call class are for others, whoever fills the rest.
    pub(crate) fn network_rule(&self) -> NetworkRule {
        let interval_ms = self.config.requests_per_host_seconds.saturating_mul(1_000) / u64::from(NETWORK_HOSTS);
        NetworkRule {
            in_flight_max: self.config.in_flight_max.div_ceil(2),
            burst: self.config.requests_per_host_burst.saturating_mul(NETWORK_HOSTS),
            interval_ms: i64::try_from(interval_ms).unwrap_or(i64::MAX),
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("url", &self.0.url.as_str()).finish_non_exhaustive()
    }
}

/// Where the hub is, as feeds name it.
pub fn hub_url(public_url: &Url) -> Url {
    let mut url = public_url.clone();
    url.set_path(&format!("{}/hub", public_url.path().trim_end_matches('/')));
    url
}

/// An instant later, or the end of time.
pub(crate) fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
