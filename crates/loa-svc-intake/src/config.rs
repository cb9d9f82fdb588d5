//! The settings of intake: section `[intake]` of the configuration.

use loa_worker::completeness::AuditRule;
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
    /// After how long an event that is set aside, because the bus does not take it as it is, is tried again, in seconds.
    pub relay_set_aside_retry_seconds: u64,
    /// How often a heartbeat is sent to every outlet, in seconds; 0: never.
    pub heartbeat_seconds: u64,
    /// How often outlets are asked what they have seen of the archive, in seconds; 0: never.
    pub audit_seconds: u64,
    /// How long after it was archived, and taken by the bus, an event is asked for, in seconds (1 to 3,600).
    pub audit_settle_seconds: u64,
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
            relay_set_aside_retry_seconds: 300,
            heartbeat_seconds: 30,
            audit_seconds: 5,
            audit_settle_seconds: 20,
            import_category_slug: "tin-tuc".into(),
            import_category_label: "Tin tức".into(),
        }
    }
}

impl Config {
    /// Between two heartbeats; `None`: none are sent.
    pub fn heartbeat_every(&self) -> Option<Duration> {
        Some(self.heartbeat_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// The rule of the audit, for whoever judges what it found.
    pub fn audit_rule(&self) -> AuditRule {
        AuditRule { is_on: self.audit_seconds > 0, settle: self.audit_settle(), heartbeat: self.heartbeat_every() }
    }

    /// Between two rounds of the audit; `None`: there is none.
    pub fn audit_every(&self) -> Option<Duration> {
        Some(self.audit_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// How long an event may be on its way to an outlet before the audit asks for it.
    pub fn audit_settle(&self) -> Duration {
        Duration::from_secs(self.audit_settle_seconds.max(1))
    }

    pub(crate) fn relay_lease(&self) -> Duration {
        Duration::from_secs(self.relay_lease_seconds.max(1))
    }

    /// After how long an event that is set aside is tried again.
    pub(crate) fn relay_set_aside_retry(&self) -> Duration {
        Duration::from_secs(self.relay_set_aside_retry_seconds.max(1))
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
    /// The machine that this process runs on, for its heartbeats.
    pub host: String,
    /// Its address; relative addresses in its pages are read against it.
    pub url: Url,
}
