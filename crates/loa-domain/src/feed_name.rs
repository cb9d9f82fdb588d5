//! Feed names: `all`, `documents`, `category-{slug}`, `area-{id}`, `portal-{slug}`, and combinations
//! of all but the first.

mod combination;

pub use combination::Combination;

use crate::{AreaId, CategorySlug, PortalSlug};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A feed's name, as it stands in its address. Every feed that can be named exists: an area or category with
/// nothing in it yet is a valid, empty feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FeedName {
    /// Everything.
    All,
    /// Official papers.
    Documents,
    /// One category.
    Category(CategorySlug),
    /// One area, with what reached it from its predecessors.
    Area(AreaId),
    /// One portal: what it publishes itself.
    Portal(PortalSlug),
    /// What a reader put together: some areas, some categories, some portals.
    Combined(Combination),
}

impl FeedName {
    /// Reads a name; `None` when no feed can have it, or when it is a combination in another form than its one address.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text).filter(|name| !matches!(name, Self::Combined(_)) || name.to_string() == text)
    }

    /// Reads a name as somebody may write it: the parts of a combination in any order, more than once, parted by the blanks
    /// that some programs make of `+`. Its `Display` is its one address.
    pub fn read(text: &str) -> Option<Self> {
        let parts: Option<Vec<Self>> = text.split(['+', ' ']).map(Self::part).collect();
        Combination::of(parts?)
    }

    fn part(text: &str) -> Option<Self> {
        match text {
            "all" => Some(Self::All),
            "documents" => Some(Self::Documents),
            _ => {
                if let Some(slug) = text.strip_prefix("category-") {
                    CategorySlug::new(slug).ok().map(Self::Category)
                } else if let Some(slug) = text.strip_prefix("portal-") {
                    PortalSlug::new(slug).ok().map(Self::Portal)
                } else {
                    text.strip_prefix("area-").and_then(|id| AreaId::new(id).ok()).map(Self::Area)
                }
            }
        }
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Documents => f.write_str("documents"),
            Self::Category(slug) => write!(f, "category-{slug}"),
            Self::Area(id) => write!(f, "area-{id}"),
            Self::Portal(slug) => write!(f, "portal-{slug}"),
            Self::Combined(combination) => combination.fmt(f),
        }
    }
}

impl TryFrom<String> for FeedName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("no feed can be named {text:?}"))
    }
}

impl From<FeedName> for String {
    fn from(name: FeedName) -> String {
        name.to_string()
    }
}
