//! What feeds are called: their heads, the names of areas and categories, and the order in which people find them.

use crate::words;
use loa_area::Directory;
use loa_domain::{AreaId, Category, CategorySlug, FeedName};
use loa_feed::{FeedHead, Site};
use loa_store::FeedSummary;
use std::{collections::BTreeMap, sync::Arc};

/// Areas in force without any entry that the page still lists; beyond that it would be a gazetteer, not a page.
const EMPTY_AREAS_MAX: usize = 300;
/// How alike a mistyped name and a known one must be to be suggested (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.87;
/// Most suggestions.
const SUGGESTIONS: usize = 3;

/// Names.
pub(crate) struct Names {
    site: Arc<Site>,
    directory: Arc<Directory>,
    categories: Vec<Category>,
}

/// A feed in a list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: FeedName,
    pub(crate) title: String,
    pub(crate) entries: u64,
    pub(crate) newest_at: Option<jiff::Timestamp>,
}

/// The lists of the page of all feeds.
pub(crate) struct Lists {
    pub(crate) general: Vec<Listed>,
    pub(crate) categories: Vec<Listed>,
    /// With entries.
    pub(crate) areas: Vec<Listed>,
    /// In force, nothing in them yet; at most [`EMPTY_AREAS_MAX`], otherwise none.
    pub(crate) empty_areas: Vec<Listed>,
}

impl Names {
    pub(crate) fn new(site: Arc<Site>, directory: Arc<Directory>, categories: Vec<Category>) -> Self {
        Self { site, directory, categories }
    }

    /// Whether the feed exists whatever the ledger says.
    pub(crate) fn knows(&self, name: &FeedName) -> bool {
        match name {
            FeedName::All | FeedName::Documents => true,
            FeedName::Category(slug) => self.categories.iter().any(|category| category.slug == *slug),
            FeedName::Area(id) => self.directory.get(id).is_some(),
        }
    }

    /// What a feed is called. `newest`: what its newest entry calls its category, the freshest label there is.
    pub(crate) fn head(&self, name: &FeedName, newest: Option<&str>) -> FeedHead {
        let portal = self.site.title.as_str();
        let (title, description) = match name {
            FeedName::All => (words::ALL.to_owned(), words::all_description(portal)),
            FeedName::Documents => (words::DOCUMENTS.to_owned(), words::documents_description(portal)),
            FeedName::Category(slug) => {
                let label = self.category(slug, newest);
                (words::category_title(&label), words::category_description(&label, portal))
            }
            FeedName::Area(id) => match self.directory.get(id) {
                Some(area) => {
                    let called = words::area_in_sentence(area);
                    let description = match area.valid_until {
                        None => words::area_description(&called, portal),
                        Some(_) => words::former_area_description(&called, portal),
                    };
                    (words::area_title(&called), description)
                }
                None => (words::area_title(id.as_str()), words::area_description(id.as_str(), portal)),
            },
        };
        FeedHead { name: name.clone(), title, description }
    }

    /// An area's name as a label, `Xã Na Son`; its id, when the directory does not know it.
    pub(crate) fn area(&self, id: &AreaId) -> String {
        self.directory.get(id).map_or_else(|| id.to_string(), loa_area::Area::full_name)
    }

    fn category(&self, slug: &CategorySlug, newest: Option<&str>) -> String {
        let configured = self.categories.iter().find(|category| category.slug == *slug).map(|c| c.label.as_str());
        newest.into_iter().chain(configured).find(|label| !label.trim().is_empty()).unwrap_or(slug.as_str()).to_owned()
    }

    /// All feeds in the order in which people look for them.
    pub(crate) fn listed(&self, summaries: &BTreeMap<FeedName, FeedSummary>) -> Lists {
        let general = [FeedName::All, FeedName::Documents].map(|name| self.one(name, summaries)).to_vec();
        let mut slugs: Vec<&CategorySlug> = self.categories.iter().map(|category| &category.slug).collect();
        let (mut areas, mut empty_areas) = (Vec::new(), Vec::new());
        for (name, summary) in summaries {
            match name {
                FeedName::Category(slug) if !slugs.contains(&slug) => slugs.push(slug),
                FeedName::Area(_) if summary.entries > 0 => areas.push(self.one(name.clone(), summaries)),
                _ => {}
            }
        }
        let categories = slugs.into_iter().map(|slug| self.one(FeedName::Category(slug.clone()), summaries)).collect();
        let empty = || {
            let in_force = self.directory.iter().filter(|area| area.valid_until.is_none());
            in_force
                .map(|area| FeedName::Area(area.id.clone()))
                .filter(|name| summaries.get(name).is_none_or(|s| s.entries == 0))
        };
        if empty().nth(EMPTY_AREAS_MAX).is_none() {
            empty_areas = empty().map(|name| self.one(name, summaries)).collect();
        }
        Lists { general, categories, areas, empty_areas }
    }

    fn one(&self, name: FeedName, summaries: &BTreeMap<FeedName, FeedSummary>) -> Listed {
        let summary = summaries.get(&name);
        let title = match &name {
            FeedName::Category(slug) => self.category(slug, summary.map(|s| s.label.as_str())),
            FeedName::Area(id) => self.directory.get(id).map_or_else(
                || id.to_string(),
                |area| {
                    let called = words::area_in_sentence(area);
                    let mut letters = called.chars();
                    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
                },
            ),
            _ => self.head(&name, None).title,
        };
        Listed { title, entries: summary.map_or(0, |s| s.entries), newest_at: summary.and_then(|s| s.newest_at), name }
    }

    /// Known feeds whose names are like a mistyped one, the most alike first.
    pub(crate) fn suggestions(&self, typed: &str, summaries: &BTreeMap<FeedName, FeedSummary>) -> Vec<Listed> {
        let typed = typed.to_lowercase();
        let configured = self.categories.iter().map(|category| FeedName::Category(category.slug.clone()));
        let mut known: Vec<FeedName> = [FeedName::All, FeedName::Documents].into_iter().chain(configured).collect();
        known.extend(summaries.keys().cloned());
        known.sort();
        known.dedup();
        let mut alike: Vec<(f64, FeedName)> = known
            .into_iter()
            .map(|name| (strsim::jaro_winkler(&typed, &name.to_string()), name))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        alike.into_iter().take(SUGGESTIONS).map(|(_, name)| self.one(name, summaries)).collect()
    }
}
