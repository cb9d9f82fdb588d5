//! All feeds in the order in which people look for them, with the ledger's figures of each.
//!
//! Pure: summaries of feeds and a day in, lists for the page and for OPML out. Lists are bounded.

use super::{Names, Summaries, words};
use jiff::{Timestamp, civil::Date};
use loa_area::{Directory, folded};
use loa_domain::{CategorySlug, FeedName};
use loa_store::FeedSummary;
use std::collections::HashSet;

/// Areas that the page of all feeds lists: those with the latest news, and those in force without any yet. The others are
/// found by searching; all of a country's would be a gazetteer, not a page.
pub(crate) const AREAS_LISTED_MAX: usize = 60;
/// Areas in the list for readers (OPML), those with the latest news. Nobody follows more.
const AREAS_OUTLINED_MAX: usize = 500;
/// Categories that are listed. A portal has a dozen or two.
const CATEGORIES_MAX: usize = 200;

/// A feed in a list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: FeedName,
    pub(crate) title: String,
    pub(crate) entries: u64,
    pub(crate) newest_at: Option<Timestamp>,
}

/// The lists of the page of all feeds.
pub(crate) struct Lists {
    pub(crate) general: Vec<Listed>,
    pub(crate) categories: Vec<Listed>,
    /// The portals, when there are several: the home portal first.
    pub(crate) portals: Vec<Listed>,
    /// With entries, those with the latest news.
    pub(crate) areas: Vec<Listed>,
    /// How many more there are with entries.
    pub(crate) more_areas: usize,
    /// In force, nothing in them yet; when there are more than [`AREAS_LISTED_MAX`], none.
    pub(crate) empty_areas: Vec<Listed>,
    /// The areas for a reader's list.
    pub(crate) outlined: Vec<Listed>,
    /// To look for areas by, where there are too many to list them.
    pub(crate) provinces: Vec<String>,
}

impl Names {
    /// All feeds in the order in which people look for them.
    pub(crate) fn listed(&self, summaries: &Summaries, today: Date) -> Lists {
        let general = [FeedName::All, FeedName::Documents].map(|name| self.listed_one(name, summaries)).to_vec();
        let mut slugs: Vec<&CategorySlug> = self.categories.iter().map(|category| &category.slug).collect();
        let mut with_news: Vec<(&FeedName, &FeedSummary)> = Vec::new();
        for (name, summary) in summaries {
            match name {
                FeedName::Category(slug) if !slugs.contains(&slug) && slugs.len() < CATEGORIES_MAX => slugs.push(slug),
                // a former area leads on to its successor, and is not followed any more
                FeedName::Area(_) if summary.entries > 0 && self.since(name, today) == *name => {
                    with_news.push((name, summary));
                }
                _ => {}
            }
        }
        let categories =
            slugs.into_iter().map(|slug| self.listed_one(FeedName::Category(slug.clone()), summaries)).collect();
        with_news.sort_by(|a, b| b.1.newest_at.cmp(&a.1.newest_at).then_with(|| a.0.cmp(b.0)));
        let latest = |most: usize| {
            let mut names: Vec<&FeedName> = with_news.iter().take(most).map(|(name, _)| *name).collect();
            names.sort();
            names.into_iter().map(|name| self.listed_one(name.clone(), summaries)).collect::<Vec<_>>()
        };
        let empty = self.in_force_without_news(summaries);
        Lists {
            general,
            categories,
            portals: self.portal_feeds().into_iter().map(|name| self.listed_one(name, summaries)).collect(),
            areas: latest(AREAS_LISTED_MAX),
            more_areas: with_news.len().saturating_sub(AREAS_LISTED_MAX),
            outlined: latest(AREAS_OUTLINED_MAX),
            empty_areas: empty.into_iter().map(|name| self.listed_one(name, summaries)).collect(),
            provinces: self.provinces.clone(),
        }
    }

    /// The feeds of portals; none where there is one portal only, whose feed is `all`.
    fn portal_feeds(&self) -> Vec<FeedName> {
        let list = self.portals().list();
        let several = list.iter().filter(|_| list.has_several());
        several.map(|portal| FeedName::Portal(portal.slug.clone())).collect()
    }

    /// None, when there are more than [`AREAS_LISTED_MAX`].
    fn in_force_without_news(&self, summaries: &Summaries) -> Vec<FeedName> {
        let in_force = self.directory.iter().filter(|area| area.valid_until.is_none());
        let empty: Vec<FeedName> = in_force
            .map(|area| FeedName::Area(area.id.clone()))
            .filter(|name| summaries.get(name).is_none_or(|summary| summary.entries == 0))
            .take(AREAS_LISTED_MAX + 1)
            .collect();
        if empty.len() > AREAS_LISTED_MAX { Vec::new() } else { empty }
    }

    /// One feed as a list has it.
    pub(crate) fn listed_one(&self, name: FeedName, summaries: &Summaries) -> Listed {
        let summary = summaries.get(&name);
        let title = match &name {
            FeedName::Category(slug) => self.category(slug, summary.map(|s| s.label.as_str())),
            FeedName::Area(id) => {
                self.directory.get(id).map_or_else(|| id.to_string(), |area| words::capitalised(&self.called(area)))
            }
            FeedName::Combined(combination) => {
                let label = |name: &FeedName| match name {
                    FeedName::Category(slug) => Some((slug.clone(), summaries.get(name)?.label.clone())),
                    _ => None,
                };
                self.combined_head(combination, &combination.sections().iter().filter_map(label).collect()).title
            }
            _ => self.head(&name, None).title,
        };
        Listed { title, entries: summary.map_or(0, |s| s.entries), newest_at: summary.and_then(|s| s.newest_at), name }
    }
}

/// The provinces of the areas in force, by their names without `Tỉnh`; none where a list of the areas does.
pub(super) fn provinces(directory: &Directory) -> Vec<String> {
    let in_force = || directory.iter().filter(|area| area.valid_until.is_none() && !area.province.is_empty());
    let found: HashSet<&str> = in_force().map(|area| area.province.as_str()).collect();
    if in_force().count() <= AREAS_LISTED_MAX || found.len() < 2 {
        return Vec::new();
    }
    let name = |province: &str| {
        let kinds = ["Thành phố ", "Tỉnh "];
        folded(kinds.into_iter().find_map(|kind| province.strip_prefix(kind)).unwrap_or(province))
    };
    let mut found: Vec<String> = found.into_iter().map(str::to_owned).collect();
    found.sort_by_cached_key(|province| name(province));
    found
}
