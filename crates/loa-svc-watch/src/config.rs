//! The settings of the watch: section `[watch]` of the configuration.

use jiff::SignedDuration;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Section `[watch]`. [`Config::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where `loa watch` listens when it runs as a process of its own: health and metrics.
    pub listen: SocketAddr,
    /// Whom a portal's administrator can ask about our visits: an address of a page or a mailbox. Empty: `site.public_url`.
    pub contact: String,
    /// Between two looks at a source that does not say otherwise, in seconds (1 to 604,800).
    pub every_seconds: u64,
    /// Sources looked at at a time, of different hosts (1 to 64).
    pub sources_in_flight_max: u32,
    /// Between two requests to one host, in milliseconds (0 to 60,000).
    pub pause_ms: u64,
    /// Longest wait for a connection, in milliseconds (100 to 60,000).
    pub connect_timeout_ms: u64,
    /// Longest time for one request, in milliseconds (100 to 120,000).
    pub total_timeout_ms: u64,
    /// Longest time for one look at a source, in seconds (5 to 3,600).
    pub look_seconds_max: u64,
    /// Pages of a list that are read in one look (1 to 100).
    pub list_pages_max: u32,
    /// Articles' pages that are read in one look (1 to 1,000).
    pub article_pages_max: u32,
    /// When an article's page is read again, in seconds after the one before.
    pub look_again_seconds: Vec<u64>,
    /// An article is withdrawn when its page was missing so often in a row (2 to 100) …
    pub missing_looks_min: u32,
    /// … and for so long, in seconds (0 to 2,592,000).
    pub missing_seconds_min: u64,
    /// What readers are told of a withdrawn article.
    pub withdrawal_reason: String,
    /// The longest `Retry-After` that is honoured, in seconds (1 to 604,800).
    pub retry_after_seconds_max: u64,
    /// Names that may resolve to private addresses.
    pub allow_hosts: Vec<String>,
    /// Networks that may be called although they are not public.
    pub allow_networks: Vec<String>,
    /// Certificate authorities to trust beside the system's, as PEM files (a government's own).
    pub trusted_ca_files: Vec<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8086)),
            contact: String::new(),
            every_seconds: 900,
            sources_in_flight_max: 8,
            pause_ms: 2_000,
            connect_timeout_ms: 5_000,
            total_timeout_ms: 20_000,
            look_seconds_max: 600,
            list_pages_max: 10,
            article_pages_max: 50,
            look_again_seconds: vec![3_600, 21_600, 86_400, 259_200, 604_800],
            missing_looks_min: 3,
            missing_seconds_min: 86_400,
            withdrawal_reason: "Bài đã được gỡ khỏi cổng thông tin.".into(),
            retry_after_seconds_max: 86_400,
            allow_hosts: Vec::new(),
            allow_networks: Vec::new(),
            trusted_ca_files: Vec::new(),
        }
    }
}

impl Config {
    /// The first setting that is out of range, as a sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        let ranges = [
            ("every_seconds", self.every_seconds, 1, 604_800),
            ("sources_in_flight_max", u64::from(self.sources_in_flight_max), 1, 64),
            ("pause_ms", self.pause_ms, 0, 60_000),
            ("connect_timeout_ms", self.connect_timeout_ms, 100, 60_000),
            ("total_timeout_ms", self.total_timeout_ms, 100, 120_000),
            ("look_seconds_max", self.look_seconds_max, 5, 3_600),
            ("list_pages_max", u64::from(self.list_pages_max), 1, 100),
            ("article_pages_max", u64::from(self.article_pages_max), 1, 1_000),
            ("missing_looks_min", u64::from(self.missing_looks_min), 2, 100),
            ("missing_seconds_min", self.missing_seconds_min, 0, 2_592_000),
            ("retry_after_seconds_max", self.retry_after_seconds_max, 1, 604_800),
        ];
        let fault = ranges
            .into_iter()
            .find(|(_, value, low, high)| !(low..=high).contains(&value))
            .map(|(name, value, low, high)| format!("watch.{name} is {value}; it must be from {low} to {high}"));
        let reason = || {
            self.withdrawal_reason.trim().is_empty().then(|| {
                "watch.withdrawal_reason is empty; readers of a withdrawn article must be told something".to_owned()
            })
        };
        fault.or_else(reason)
    }

    pub(crate) fn pause(&self) -> Duration {
        Duration::from_millis(self.pause_ms)
    }

    /// For how long a page must be missing until its article is withdrawn.
    pub(crate) fn missing_time_min(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.missing_seconds_min).unwrap_or(i64::MAX))
    }

    pub(crate) fn look_max(&self) -> Duration {
        Duration::from_secs(self.look_seconds_max)
    }

    /// How long a claimed source is ours: a look's longest time and a margin for recording it.
    pub(crate) fn lease(&self) -> Duration {
        self.look_max() + Duration::from_secs(60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(Config::default().fault(), None);
        let config = Config { missing_looks_min: 1, ..Config::default() };
        assert_eq!(config.fault().as_deref(), Some("watch.missing_looks_min is 1; it must be from 2 to 100"));
    }
}
