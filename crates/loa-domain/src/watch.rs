//! The nouns of the watch: sources that are looked at, and the articles that they name.
//!
//! Facts only. What is done about them is decided in `loa-svc-watch`; how they are kept is not known here.

use serde::{Deserialize, Serialize};

/// What kind of source it is, in order of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchKind {
    /// RSS, Atom, JSON Feed, or posts of WordPress's REST door: whole texts are taken from it, and links where it has none.
    Feed,
    /// A sitemap: addresses.
    Sitemap,
    /// A list page: links, and its further pages.
    Listing,
}

impl WatchKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Feed, Self::Sitemap, Self::Listing];

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Sitemap => "sitemap",
            Self::Listing => "listing",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// CSS selectors for a portal that evidence alone does not read; each may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selectors {
    /// On the list: the links to articles, or elements that hold one each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
    /// On an article's page: its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its time of posting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Selectors {
    /// Whether one is set for an article's page.
    pub fn is_for_pages(&self) -> bool {
        self.title.is_some() || self.time.is_some() || self.body.is_some() || self.source.is_some()
    }
}

/// Where an article of a source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchedState {
    /// It was there before the watch began; nobody is told.
    Known,
    /// Its page is to be read.
    Waiting,
    /// It was handed to intake.
    Published,
    /// Its page cannot be read, or intake refused it.
    Refused,
    /// It was withdrawn.
    Withdrawn,
    /// It stands at another address now.
    Moved,
}

impl WatchedState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Known, Self::Waiting, Self::Published, Self::Refused, Self::Withdrawn, Self::Moved];

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Moved => "moved",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
