//! The settings of the hub: section `[hub]` of the configuration.

use loa_domain::RetrySchedule;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// Section `[hub]`. [`Config::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether there is a hub, and feeds name it.
    pub enabled: bool,
    /// Where the hub reads the feeds; empty: `site.public_url`, and `loa up` its own listener.
    pub feed_url: String,
    /// How long a subscription lasts at least, in seconds.
    pub lease_seconds_min: u64,
    /// How long, when the subscriber does not say.
    pub lease_seconds_default: u64,
    /// How long at most.
    pub lease_seconds_max: u64,
    /// Most subscriptions, verified or not (1 to 1,000,000).
    pub subscriptions_max: u32,
    /// Most subscriptions of one host (1 to 100,000).
    pub subscriptions_per_host_max: u32,
    /// Most topics that somebody wants (1 to 10,000); each keeps its newest document.
    pub topics_max: u32,
    /// How much of subscriptions, topics and waiting requests is for combinations of feeds at most, in percent (1 to 100).
    pub combinations_percent: u32,
    /// Most requests that wait for their verification (1 to 100,000).
    pub requests_waiting_max: u32,
    /// Requests that name callbacks of one host: so many in one go (1 to 10,000) …
    pub requests_per_host_burst: u32,
    /// … and beyond that one in so many seconds (1 to 3,600).
    pub requests_per_host_seconds: u64,
    /// Requests of one client, by its network: so many in one go (1 to 10,000) …
    pub requests_per_client_burst: u32,
    /// … and beyond that one in so many seconds (1 to 3,600).
    pub requests_per_client_seconds: u64,
    /// The longest document that is told, in bytes (10,000 to 16,777,216).
    pub document_bytes_max: usize,
    /// How often topics are fetched when no event came in, in seconds (1 to 3,600).
    pub poll_interval_seconds: u64,
    /// The shortest time between two changes of one topic that are told, in seconds (0 to 3,600).
    pub notice_seconds_min: u64,
    /// Longest time for one call of a callback, in milliseconds (100 to 60,000).
    pub total_timeout_ms: u64,
    /// Deliveries under way at a time, in all (1 to 256), and as many verifications.
    pub in_flight_max: u32,
    /// Deliveries under way at a time, for each host (1 to 16), and as many verifications.
    pub in_flight_per_host_max: u32,
    /// Delay before each further try to ask a callback that gave no answer.
    pub verification_delays_seconds: Vec<u64>,
    /// Failures in a row after which a host is left alone for a while (1 and up).
    pub breaker_failures: u32,
    /// How long at first, in seconds; doubles.
    pub breaker_open_seconds: u64,
    /// How long at most, in seconds.
    pub breaker_open_seconds_max: u64,
    /// Whether callbacks may be called over plain http.
    pub allow_plain_http: bool,
    /// Names of callbacks that may resolve to private addresses.
    pub allow_hosts: Vec<String>,
    /// Networks of callbacks that may be called although they are not public.
    pub allow_networks: Vec<String>,
    /// Certificate authorities to trust beside the system's, as PEM files (a government's own).
    pub trusted_ca_files: Vec<PathBuf>,
    /// How long a soft stop waits for calls under way, in seconds; what is left is done again after its lease.
    pub stop_seconds_max: u64,
    /// When to try again to tell a subscriber of a change.
    pub retry: RetrySchedule,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            feed_url: String::new(),
            lease_seconds_min: 86_400,
            lease_seconds_default: 864_000,
            lease_seconds_max: 2_592_000,
            subscriptions_max: 10_000,
            subscriptions_per_host_max: 500,
            topics_max: 1_000,
            combinations_percent: 20,
            requests_waiting_max: 2_000,
            requests_per_host_burst: 150,
            requests_per_host_seconds: 5,
            requests_per_client_burst: 300,
            requests_per_client_seconds: 5,
            document_bytes_max: 1_048_576,
            poll_interval_seconds: 60,
            notice_seconds_min: 5,
            total_timeout_ms: 10_000,
            in_flight_max: 32,
            in_flight_per_host_max: 2,
            verification_delays_seconds: vec![10, 60],
            breaker_failures: 5,
            breaker_open_seconds: 60,
            breaker_open_seconds_max: 900,
            allow_plain_http: true,
            allow_hosts: Vec::new(),
            allow_networks: Vec::new(),
            trusted_ca_files: Vec::new(),
            stop_seconds_max: 25,
            retry: RetrySchedule {
                delays_seconds: vec![10, 60, 300, 1_800, 7_200, 14_400],
                jitter_percent: 20,
                retry_after_seconds_max: 14_400,
            },
        }
    }
}

impl Config {
    /// The first setting that is out of range, as a sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        let lease_max = 31_536_000; // a year: nothing is for ever
        let ranges = [
            ("lease_seconds_min", self.lease_seconds_min, 1, lease_max),
            ("lease_seconds_default", self.lease_seconds_default, self.lease_seconds_min, lease_max),
            ("lease_seconds_max", self.lease_seconds_max, self.lease_seconds_default, lease_max),
            ("subscriptions_max", u64::from(self.subscriptions_max), 1, 1_000_000),
            ("subscriptions_per_host_max", u64::from(self.subscriptions_per_host_max), 1, 100_000),
            ("topics_max", u64::from(self.topics_max), 1, 10_000),
            ("combinations_percent", u64::from(self.combinations_percent), 1, 100),
            ("requests_waiting_max", u64::from(self.requests_waiting_max), 1, 100_000),
            ("requests_per_host_burst", u64::from(self.requests_per_host_burst), 1, 10_000),
            ("requests_per_host_seconds", self.requests_per_host_seconds, 1, 3_600),
            ("requests_per_client_burst", u64::from(self.requests_per_client_burst), 1, 10_000),
            ("requests_per_client_seconds", self.requests_per_client_seconds, 1, 3_600),
            ("document_bytes_max", self.document_bytes_max as u64, 10_000, 16_777_216),
            ("poll_interval_seconds", self.poll_interval_seconds, 1, 3_600),
            ("notice_seconds_min", self.notice_seconds_min, 0, 3_600),
            ("total_timeout_ms", self.total_timeout_ms, 100, 60_000),
            ("in_flight_max", u64::from(self.in_flight_max), 1, 256),
            ("in_flight_per_host_max", u64::from(self.in_flight_per_host_max), 1, 16),
            ("breaker_failures", u64::from(self.breaker_failures), 1, u64::from(u32::MAX)),
        ];
        ranges
            .into_iter()
            .find(|(_, value, low, high)| !(low..=high).contains(&value))
            .map(|(name, value, low, high)| format!("hub.{name} is {value}; it must be from {low} to {high}"))
    }

    pub(crate) fn total_timeout(&self) -> Duration {
        Duration::from_millis(self.total_timeout_ms)
    }

    /// Longest time for asking a callback: whoever cannot answer so little in so little time is asked again later. Strangers who
    /// never answer must not hold up those who come after them.
    pub(crate) fn asking_timeout(&self) -> Duration {
        self.total_timeout().min(Duration::from_secs(5))
    }

    pub(crate) fn poll_interval(&self) -> Duration {
        Duration::from_secs(self.poll_interval_seconds)
    }

    /// How long what was claimed is ours: a call's longest time and a margin for recording it.
    pub(crate) fn lease(&self) -> Duration {
        self.total_timeout() + Duration::from_secs(30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(Config::default().fault(), None);
        let config = Config { lease_seconds_max: 60, ..Config::default() };
        assert_eq!(config.fault().unwrap(), "hub.lease_seconds_max is 60; it must be from 864000 to 31536000");
    }
}
