//! All settings as types. `config/default.toml` is their manual, `load.rs` reads them.
//!
//! [`Config::check`] refuses what the types allow and the program does not. Each service checks its
//! own section when it is set up.

mod areas;
mod identity;
mod load;
mod postgres;
mod rabbitmq;
mod secret;

pub use areas::{AreasConfig, NONE, VIET_NAM};
pub use identity::PortalConfig;
pub use load::{layered, load};
pub use postgres::PostgresSettings;
pub use rabbitmq::RabbitmqConfig;
pub use secret::Secret;

use anyhow::Context;
use loa_address::Host;
use loa_domain::CategorySlug;
use loa_http::TrustedProxies;
use serde::Deserialize;
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};
use url::Url;

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the embedded ledgers and queues live.
    pub data_dir: PathBuf,
    /// Who publishes.
    pub portal: PortalConfig,
    /// How people reach us.
    pub site: SiteConfig,
    /// Which areas there are.
    pub areas: AreasConfig,
    /// The broker.
    pub bus: BusConfig,
    /// The ledgers.
    pub store: StoreConfig,
    /// What restored ledgers learn from.
    pub receipts: ReceiptsConfig,
    /// The process that runs everything.
    pub up: Listen,
    /// The way in.
    pub intake: loa_svc_intake::Config,
    /// Feeds.
    pub feed: loa_svc_feed::Config,
    /// Digests.
    pub digest: loa_svc_digest::Config,
    /// Webhooks.
    pub push: loa_svc_push::Config,
    /// The WebSub hub.
    pub hub: loa_svc_hub::Config,
    /// Looking at portals that cannot call us.
    pub watch: loa_svc_watch::Config,
    /// The console.
    pub console: loa_svc_console::Config,
    /// Connections.
    pub http: HttpConfig,
    /// Health and metrics.
    pub health: HealthConfig,
    /// Stopping.
    pub stop: StopConfig,
    /// Logs.
    pub log: LogConfig,
}

impl Config {
    /// What types do not say: bounds, and what does not fit together. The feed, digest and push services check their own
    /// sections when they are set up.
    pub fn check(&self) -> anyhow::Result<()> {
        self.zone()?;
        self.site.proxies()?;
        if self.bus.kind == BusKind::Rabbitmq {
            self.bus.rabbitmq.ready()?;
        }
        if self.store.kind == StoreKind::Postgres {
            self.store.postgres.ready()?;
        }
        anyhow::ensure!(
            matches!(self.site.public_url.scheme(), "http" | "https"),
            "`site.public_url` begins with https:// (or http:// while trying things out); {} does not",
            self.site.public_url
        );
        self.check_identity()?;
        anyhow::ensure!(
            !self.data_dir.as_os_str().is_empty(),
            "`data_dir` is empty; `.` is the folder that the program is started in"
        );
        CategorySlug::new(self.intake.import_category_slug.as_str()).context("`intake.import_category_slug`")?;
        let rabbitmq = &self.bus.rabbitmq;
        for (key, value, least, most) in [
            ("intake.relay_batch_max", u64::from(self.intake.relay_batch_max), 1, 1_000),
            ("intake.relay_lease_seconds", self.intake.relay_lease_seconds, 1, 86_400),
            ("intake.relay_retry_seconds_max", self.intake.relay_retry_seconds_max, 1, 86_400),
            ("console.front_entries_max", u64::from(self.console.front_entries_max), 1, 100),
            ("bus.probe_interval_seconds", self.bus.probe_interval_seconds, 1, 3_600),
            ("intake.heartbeat_seconds", self.intake.heartbeat_seconds, 0, 86_400),
            ("intake.audit_seconds", self.intake.audit_seconds, 0, 3_600),
            ("intake.audit_delay_seconds", self.intake.audit_delay_seconds, 1, 3_600),
            ("bus.rabbitmq.heartbeat_seconds", rabbitmq.heartbeat_seconds, 1, 3_600),
            ("bus.rabbitmq.confirm_timeout_seconds", rabbitmq.confirm_timeout_seconds, 1, 3_600),
            ("bus.rabbitmq.connect_timeout_seconds", rabbitmq.connect_timeout_seconds, 1, 3_600),
            ("store.postgres.connections_max", u64::from(self.store.postgres.connections_max), 1, 100),
            ("store.postgres.statement_cache_max", u64::from(self.store.postgres.statement_cache_max), 0, 1_000),
            ("receipts.days_kept", u64::from(self.receipts.days_kept), 2, 400),
            ("stop.grace_seconds", self.stop.grace_seconds, 0, 3_600),
        ] {
            anyhow::ensure!((least..=most).contains(&value), "{key} is {value}; it must be from {least} to {most}");
        }
        // else another relay would take over what this one is still waiting for, and publish it a second time
        anyhow::ensure!(
            self.bus.kind != BusKind::Rabbitmq || self.intake.relay_lease_seconds > rabbitmq.confirm_timeout_seconds,
            "`intake.relay_lease_seconds` must be longer than `bus.rabbitmq.confirm_timeout_seconds`"
        );
        Ok(())
    }

    /// The zone of `site.zone`.
    pub fn zone(&self) -> anyhow::Result<jiff::tz::TimeZone> {
        jiff::tz::TimeZone::get(&self.site.zone).with_context(|| {
            format!("`site.zone` {:?} is not a time zone; Vietnam's is Asia/Ho_Chi_Minh", self.site.zone)
        })
    }
}

/// A setting that is empty where it is not set.
fn text(setting: &str) -> Option<String> {
    (!setting.is_empty()).then(|| setting.to_owned())
}

/// A file that is empty where it is not set.
fn file(setting: &Path) -> Option<PathBuf> {
    (!setting.as_os_str().is_empty()).then(|| setting.to_owned())
}

/// A list of servers.
fn hosts(setting: &str, list: &[String]) -> anyhow::Result<Vec<Host>> {
    list.iter().map(|host| host.parse().map_err(|error| anyhow::anyhow!("`{setting}` has {host:?}: {error}"))).collect()
}

/// How people reach us.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteConfig {
    /// The address that stands in feeds and mails; no slash at the end.
    pub public_url: Url,
    /// The authority of `tag:` ids (RFC 4151): a domain that was ours on `tag_date`. Never to be changed. Empty: not set.
    pub tag_authority: String,
    /// See `tag_authority`.
    pub tag_date: String,
    /// IANA name of the zone in which digests are scheduled and times are read.
    pub zone: String,
    /// Networks in which our proxies stand.
    pub trusted_proxies: Vec<String>,
}

impl SiteConfig {
    /// Whether our address leads nobody but this machine to us.
    pub fn is_only_here(&self) -> bool {
        self.public_url.host().is_some_and(|host| match host {
            url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        })
    }

    /// The proxies that are believed.
    pub fn proxies(&self) -> anyhow::Result<TrustedProxies> {
        TrustedProxies::parse(&self.trusted_proxies).context("`site.trusted_proxies`")
    }
}

/// Which broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusKind {
    /// Queues in a file: one machine.
    Sqlite,
    /// RabbitMQ.
    Rabbitmq,
}

/// The broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusConfig {
    /// Which.
    pub kind: BusKind,
    /// How often a service asks whether its queue is there, and how deep.
    pub probe_interval_seconds: u64,
    /// Where RabbitMQ is.
    pub rabbitmq: RabbitmqConfig,
}

impl BusConfig {
    /// Whether there is a management API that is asked.
    pub fn is_managed(&self) -> bool {
        self.kind == BusKind::Rabbitmq && !self.rabbitmq.management_url.is_empty()
    }
}

/// Which engine the ledgers are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// A file for each ledger, in `data_dir`.
    Sqlite,
    /// A schema for each ledger, on a server.
    Postgres,
}

/// The ledgers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// On which engine.
    pub kind: StoreKind,
    /// Where PostgreSQL is.
    pub postgres: PostgresSettings,
}

/// What restored ledgers learn from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptsConfig {
    /// How long receipts are kept: a copy must be younger to be restored.
    pub days_kept: u32,
    /// Folder of the embedded ledger of receipts; empty: `data_dir`.
    pub folder: PathBuf,
}

/// Where a process listens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port; port 0: any free one.
    pub listen: SocketAddr,
}

/// What a process's main listener takes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Connections at a time.
    pub connections_max: u32,
    /// Connections at a time from one client address.
    pub connections_per_address_max: u32,
}

impl HttpConfig {
    /// The first setting that is out of range, as a sentence.
    pub fn fault(&self) -> Option<String> {
        [
            ("connections_max", self.connections_max, 16),
            ("connections_per_address_max", self.connections_per_address_max, 1),
        ]
        .into_iter()
        .find(|(_, value, low)| !(*low..=16_384).contains(value))
        .map(|(name, value, low)| format!("http.{name} is {value}; it must be from {low} to 16384"))
    }
}

/// Where health and metrics are asked besides the main listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// At which address of this machine.
    pub address: IpAddr,
    /// Its port is that of the main listener and so many; 0: no listener of its own.
    pub port_offset: u16,
}

/// Stopping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopConfig {
    /// Longest time for finishing what is in flight.
    pub grace_seconds: u64,
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// How they look.
    pub format: LogFormat,
    /// What services log: `info`, or `info,loa_svc_push=debug`.
    pub filter: String,
    /// What commands log that answer and end.
    pub command_filter: String,
}
