//! The settings of the feed outlet: section `[feed]` of the configuration, and who publishes.
//!
//! Defaults are those of `config/default.toml`, which a test of `loa` holds. A value out of range is
//! found here and told as a sentence. Where settings come from (files, environment) is not known here.

use loa_domain::Category;
use loa_worker::Portals;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};
use url::Url;

/// Section `[feed]`. [`Config::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where `loa feed` listens when it runs as a process of its own.
    pub listen: SocketAddr,
    /// Who answers for the feeds (a person or an office); empty: the portal's name.
    pub publisher: String,
    /// The language of most articles (BCP 47).
    pub language: String,
    /// How long a reader may keep a feed before asking again, in minutes (1 to 1,440). Readers take the longest of all
    /// hints they find, so each says the same.
    pub ttl_minutes: u32,
    /// Most items in a feed (1 to 1,000).
    pub entries_max: u32,
    /// Most bytes of a feed before compression (10,000 and up). An entry that would take more
    /// than a fifth of it is shown by its lead.
    pub document_bytes_max: u32,
    /// Most tombstones in a feed (0 to 1,000).
    pub tombstones_max: u32,
    /// Most bytes of memory for caches (10,000,000 and up); see `keep/budget.rs`. The longest unasked are let go and written
    /// again when somebody asks.
    pub memory_bytes_max: u64,
    /// Folder in which the last good state of feeds is kept, to be served after a restart while the ledger is away. Empty: none.
    pub last_good_dir: PathBuf,
    /// Most feeds kept so (0: none, at most 100,000), and most bytes of their files.
    pub last_good_feeds_max: u32,
    /// See `last_good_feeds_max`.
    pub last_good_bytes_max: u64,
    /// Most full responses (200) with one unchanged document to one address within ten minutes (0: any number; at most 1,000,000).
    pub full_responses_max: u32,
    /// Categories that have a feed before their first article, in the order in which they are listed.
    pub categories: Vec<Category>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8082)),
            publisher: String::new(),
            language: "vi".to_owned(),
            ttl_minutes: 15,
            entries_max: 50,
            document_bytes_max: 250_000,
            tombstones_max: 50,
            memory_bytes_max: 201_326_592,
            last_good_dir: PathBuf::new(),
            last_good_feeds_max: 1_000,
            last_good_bytes_max: 268_435_456,
            full_responses_max: 300,
            categories: Vec::new(),
        }
    }
}

impl Config {
    /// The first setting that is out of range, as a sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        let outside = |name: &str, value: u32, low: u32, high: u32| {
            (!(low..=high).contains(&value)).then(|| format!("feed.{name} is {value}; it must be from {low} to {high}"))
        };
        outside("ttl_minutes", self.ttl_minutes, 1, 1_440)
            .or_else(|| outside("entries_max", self.entries_max, 1, 1_000))
            .or_else(|| outside("document_bytes_max", self.document_bytes_max, 10_000, u32::MAX))
            .or_else(|| outside("tombstones_max", self.tombstones_max, 0, 1_000))
            .or_else(|| {
                let least = 10_000_000;
                (self.memory_bytes_max < least)
                    .then(|| format!("feed.memory_bytes_max is {}; it must be {least} or more", self.memory_bytes_max))
            })
            .or_else(|| outside("last_good_feeds_max", self.last_good_feeds_max, 0, 100_000))
            .or_else(|| outside("full_responses_max", self.full_responses_max, 0, 1_000_000))
    }
}

/// Who publishes, and where: what the whole installation shares.
#[derive(Debug, Clone)]
pub struct Identity {
    /// All portals of the installation.
    pub portals: Portals,
    /// The portal's name, as people read it.
    pub portal_name: String,
    /// The portal's own address: `/a/ID` leads there.
    pub portal_url: Url,
    /// Where readers find us: stands in feeds and pages.
    pub public_url: Url,
    /// The authority of `tag:` ids (RFC 4151). Never to be changed.
    pub tag_authority: String,
    /// A day on which it was ours, `2026-01-01`. Never to be changed.
    pub tag_date: String,
    /// The zone whose months archives are made of.
    pub zone: jiff::tz::TimeZone,
    /// The WebSub hub that feeds name; `None`: they name none.
    pub hub: Option<Url>,
}
