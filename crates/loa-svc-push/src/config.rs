//! The settings of the push outlet: section `[push]` of the configuration.

use loa_domain::{NetworkError, RetrySchedule};
use loa_egress::{ClientOptions, Guard};
use loa_webhook::EgressPolicy;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Section `[push]`. [`Config::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where `loa push` listens when it runs as a process of its own.
    pub listen: SocketAddr,
    /// Longest wait for a connection, TLS included, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Longest time for one attempt from name look-up to the last byte read, in milliseconds. Standard Webhooks advises 15 to 30 s.
    pub total_timeout_ms: u64,
    /// Attempts under way at a time, in all.
    pub in_flight_max: u32,
    /// Attempts under way at a time, for each endpoint.
    pub in_flight_per_endpoint_max: u32,
    /// When to try again.
    pub retry: RetrySchedule,
    /// Attempts after which hope ends when the receiver says that the request is wrong (401, 404, a forbidden address).
    pub short_attempts_max: u32,
    /// Failures in a row after which an endpoint is left alone for a while.
    pub breaker_failures: u32,
    /// How long at first, in seconds; doubles with each try that fails.
    pub breaker_open_seconds: u64,
    /// How long at most, in seconds.
    pub breaker_open_seconds_max: u64,
    /// Names that may resolve to private addresses and be called over plain http; `*.example` takes each name below.
    pub allow_hosts: Vec<String>,
    /// Networks (`10.20.0.0/16`) that may be called although they are not public, over plain http too.
    pub allow_networks: Vec<String>,
    /// Certificate authorities to trust beside the system's, as PEM files (a government's own).
    pub trusted_ca_files: Vec<PathBuf>,
    /// How long a soft stop waits for attempts under way, in seconds; what is left is sent again after its lease.
    pub stop_seconds_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8084)),
            connect_timeout_ms: 5_000,
            total_timeout_ms: 20_000,
            in_flight_max: 64,
            in_flight_per_endpoint_max: 4,
            retry: RetrySchedule::three_days(),
            short_attempts_max: 8,
            breaker_failures: 5,
            breaker_open_seconds: 60,
            breaker_open_seconds_max: 900,
            allow_hosts: Vec::new(),
            allow_networks: Vec::new(),
            trusted_ca_files: Vec::new(),
            stop_seconds_max: 25,
        }
    }
}

impl Config {
    /// Where webhooks may go.
    ///
    /// # Errors
    /// When a network can't be read; the sentence quotes it.
    pub(crate) fn egress_policy(&self) -> Result<EgressPolicy, NetworkError> {
        EgressPolicy::read(&self.allow_hosts, &self.allow_networks, false)
    }

    /// What the client of webhooks is like.
    pub(crate) fn client<'a>(&'a self, guard: Option<&'a Guard>) -> ClientOptions<'a> {
        ClientOptions {
            connect_timeout: Duration::from_millis(self.connect_timeout_ms),
            total_timeout: Duration::from_millis(self.total_timeout_ms),
            idle_per_host: self.in_flight_per_endpoint_max as usize,
            trusted_ca_files: &self.trusted_ca_files,
            guard,
        }
    }

    /// How long a claimed delivery is ours: an attempt's longest time and a margin for recording it.
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(self.total_timeout_ms) + Duration::from_secs(30)
    }
}
