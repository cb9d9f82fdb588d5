//! The settings of intake: section `[intake]` of the configuration.

use loa_domain::{BackFileRule, Calendar};
use loa_worker::Portals;
use loa_worker::completeness::AuditRule;
use serde::Deserialize;
use std::{net::SocketAddr, time::Duration};

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
    /// What was last published or changed longer ago than so many days when it comes in belongs to a back-file; 0: nothing does.
    pub backfile_after_days: u32,
    /// Events of back-files that go to the bus in a second, at most (1 to 100,000).
    pub backfile_per_second: u32,
    /// While so many messages are ready in one of the outlets' queues, back-files wait, and a portal's burst is
    /// `portal_per_second` (1 to 100,000).
    pub queue_ready_max: u32,
    /// Where there are several portals: news of one portal that goes to the bus at once (1 to 100,000).
    pub portal_burst: u32,
    /// Where there are several portals: news of one portal beyond its burst that goes to the bus in a second (1 to 100,000).
    pub portal_per_second: u32,
    /// Where there are several portals: submissions of one portal that are taken over HTTP in a second (0 to 100,000; 0: as many
    /// as it sends).
    pub submissions_per_second: u32,
    /// How often a heartbeat is sent to every outlet, in seconds; 0: never.
    pub heartbeat_seconds: u64,
    /// How often outlets are asked what they have seen of the archive, in seconds; 0: never.
    pub audit_seconds: u64,
    /// How long after it was archived, and taken by the bus, an event is asked for, in seconds (1 to 3,600).
    pub audit_delay_seconds: u64,
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
            backfile_after_days: 2,
            backfile_per_second: 100,
            queue_ready_max: 64,
            portal_burst: 60,
            portal_per_second: 10,
            submissions_per_second: 100,
            heartbeat_seconds: 30,
            audit_seconds: 5,
            audit_delay_seconds: 20,
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
        AuditRule { is_on: self.audit_seconds > 0, delay: self.audit_delay(), heartbeat: self.heartbeat_every() }
    }

    /// Between two rounds of the audit; `None`: there is none.
    pub fn audit_every(&self) -> Option<Duration> {
        Some(self.audit_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// How long an event may be on its way to an outlet before the audit asks for it.
    pub fn audit_delay(&self) -> Duration {
        Duration::from_secs(self.audit_delay_seconds.max(1))
    }

    /// Which events belong to back-files.
    pub(crate) fn back_files(&self) -> BackFileRule {
        BackFileRule { after_days: self.backfile_after_days }
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
#[derive(Debug, Clone)]
pub struct Portal {
    /// All portals of the installation.
    pub portals: Portals,
    /// The machine that this process runs on, for its heartbeats.
    pub host: String,
    /// The days of its zone.
    pub calendar: Calendar,
}
