//! The settings of the console: section `[console]` of the configuration, and who publishes.

use loa_domain::Calendar;
use loa_worker::completeness::AuditRule;
use serde::Deserialize;
use std::net::SocketAddr;
use url::Url;

/// Section `[console]`. [`Config::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where `loa console` listens when it runs as a process of its own.
    pub listen: SocketAddr,
    /// Articles on the front page (1 to 100).
    pub front_entries_max: u32,
    /// How long an event may wait for the bus before the overview calls it late, in seconds.
    pub outbox_late_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8085)), front_entries_max: 10, outbox_late_seconds: 60 }
    }
}

/// Who publishes, and where: what the whole installation shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The portal's name, as people read it.
    pub portal_name: String,
    /// The portal's address.
    pub portal_url: Url,
    /// In whose days dates are written.
    pub calendar: Calendar,
    /// How outlets are asked what they have seen.
    pub audit: AuditRule,
}
