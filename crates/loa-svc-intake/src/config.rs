//! The settings of intake: section `[intake]` of the configuration.

use serde::Deserialize;
use std::{net::SocketAddr, time::Duration};
use url::Url;

/// Section `[intake]`. [`Config::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where `loa intake` listens when it runs as a process of its own.
    pub listen: SocketAddr,
    /// Events published to the bus in one window of confirms (1 to 1,000).
    pub relay_batch_max: u32,
    /// How long a claimed outbox row is nobody else's, in seconds; longer than the bus's deadline for a confirm.
    pub relay_lease_seconds: u64,
    /// The longest wait before an event that the bus did not take is tried again, in seconds.
    pub relay_retry_seconds_max: u64,
    /// How often a heartbeat is sent to every outlet, in seconds; 0: never.
    pub heartbeat_seconds: u64,
    /// The category of articles imported from pages, which do not say theirs: the part of its address.
    pub import_category_slug: String,
    /// The same category's name for people.
    pub import_category_label: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            relay_batch_max: 256,
            relay_lease_seconds: 60,
            relay_retry_seconds_max: 5,
            heartbeat_seconds: 30,
            import_category_slug: "tin-tuc".into(),
            import_category_label: "Tin tức".into(),
        }
    }
}

impl Config {
    pub(crate) fn relay_lease(&self) -> Duration {
        Duration::from_secs(self.relay_lease_seconds.max(1))
    }

    /// The wait before the next try, after `attempts` failed ones: half a second, doubling. A broker that comes back is
    /// not kept waiting for long, whatever the number of tries before.
    pub(crate) fn relay_retry(&self, attempts: u32) -> Duration {
        let doubled = Duration::from_millis(500) * 2_u32.pow(attempts.min(16));
        doubled.min(Duration::from_secs(self.relay_retry_seconds_max.max(1)))
    }
}

/// Who publishes through this intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    /// The CloudEvents `source` of its events: an absolute URI that never changes.
    pub source: String,
    /// Its address; relative addresses in its pages are read against it.
    pub url: Url,
}
