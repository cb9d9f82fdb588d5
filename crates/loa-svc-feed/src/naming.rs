//! What feeds are called: their heads, the names of areas and categories, and the order in which people find them.

use crate::{asking::PAGES_MAX, words};
use jiff::{Timestamp, civil::Date};
use loa_area::{Area, AreaSearch, Directory, folded};
use loa_domain::{AreaId, Category, CategorySlug, Combination, FeedName};
use loa_feed::{FeedHead, Site};
use loa_store::FeedSummary;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

/// Areas that the page of all feeds lists: those with the latest news, and those in force without any yet. The others are
/// found by searching; all of a country's would be a gazetteer, not a page.
pub(crate) const AREAS_LISTED_MAX: usize = 60;
/// Areas in the list for readers (OPML), those with the latest news. Nobody follows more.
const AREAS_OUTLINED_MAX: usize = 500;
/// Categories that are listed. A portal has a dozen or two.
const CATEGORIES_MAX: usize = 200;
/// Areas shown on a page of a search.
const FOUND_MAX: usize = 30;
/// How alike a mistyped name and a known one must be to be suggested (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.87;
/// Most suggestions.
const SUGGESTIONS: usize = 3;

/// Names.
pub(crate) struct Names {
    site: Arc<Site>,
    directory: Arc<Directory>,
    categories: Vec<Category>,
    search: AreaSearch,
    /// Areas that share their name and kind with another one of their time: they are called with their district and province.
    namesakes: HashSet<AreaId>,
    /// Of the areas in force, when they are too many to list and in several.
    provinces: Vec<String>,
}

/// What categories are called by their newest entries.
pub(crate) type Labels = BTreeMap<CategorySlug, String>;

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

/// What a search came to.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) feeds: Vec<FoundFeed>,
    /// How many fit, on all pages.
    pub(crate) total: usize,
    /// How many areas fit that come after those shown.
    pub(crate) more: usize,
    /// How many pages there are to look at.
    pub(crate) pages: u32,
}

/// A feed that was looked for.
pub(crate) struct FoundFeed {
    /// What was found, with its district and province.
    pub(crate) title: String,
    /// The feeds it has: its own, or those of the areas that took its place.
    pub(crate) feeds: Vec<Listed>,
    /// Whether others took its place.
    pub(crate) is_former: bool,
}

impl Names {
    pub(crate) fn new(site: Arc<Site>, directory: Arc<Directory>, categories: Vec<Category>) -> Self {
        let mut same: HashMap<(String, Option<Date>), Vec<&AreaId>> = HashMap::new();
        for area in directory.iter() {
            same.entry((area.full_name(), area.valid_until)).or_default().push(&area.id);
        }
        let namesakes = same.into_values().filter(|ids| ids.len() > 1).flatten().cloned().collect();
        let provinces = provinces(&directory);
        Self { site, categories, search: AreaSearch::new(&directory), namesakes, provinces, directory }
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Whether the feed exists whatever the ledger says.
    pub(crate) fn knows(&self, name: &FeedName) -> bool {
        match name {
            FeedName::All | FeedName::Documents => true,
            FeedName::Category(slug) => self.categories.iter().any(|category| category.slug == *slug),
            FeedName::Area(id) => self.directory.get(id).is_some(),
            FeedName::Combined(combination) => combination.parts().iter().all(|part| self.knows(part)),
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
                    let called = self.called(area);
                    let description = match area.valid_until {
                        None => words::area_description(&called, portal),
                        Some(_) => words::former_area_description(&called, portal),
                    };
                    (words::area_title(&called), description)
                }
                None => (words::area_title(id.as_str()), words::area_description(id.as_str(), portal)),
            },
            FeedName::Combined(combination) => return self.combined_head(combination, &BTreeMap::new()),
        };
        FeedHead { name: name.clone(), title, description }
    }

    /// What a combination is called. `labels`: what the newest entries of its categories call them.
    pub(crate) fn combined_head(&self, combination: &Combination, labels: &Labels) -> FeedHead {
        let part = |part: &FeedName| match part {
            FeedName::Area(id) => self.directory.get(id).map_or_else(|| id.to_string(), |area| self.called(area)),
            FeedName::Category(slug) => self.category(slug, labels.get(slug).map(String::as_str)),
            _ => words::DOCUMENTS.to_owned(),
        };
        let called = |parts: Vec<FeedName>| parts.iter().map(part).collect::<Vec<_>>();
        let (areas, sections) = (called(combination.areas()), called(combination.sections()));
        FeedHead {
            name: FeedName::Combined(combination.clone()),
            title: words::combined_title(&areas, &sections),
            description: words::combined_description(&areas, &sections, &self.site.title),
        }
    }

    /// `xã Na Son`, as inside a sentence: with its period, when it is no more; with its place, when there is another of its
    /// name.
    pub(crate) fn called(&self, area: &Area) -> String {
        let called = words::area_in_sentence(area);
        if !self.namesakes.contains(&area.id) {
            return called;
        }
        let home = [area.district.as_str(), area.province.as_str()];
        home.into_iter().filter(|part| !part.is_empty()).fold(called, |called, part| format!("{called}, {part}"))
    }

    /// A feed's name in a list: `Xã Na Son`.
    pub(crate) fn title(&self, name: &FeedName) -> String {
        self.one(name.clone(), &BTreeMap::new()).title
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
    pub(crate) fn listed(&self, summaries: &BTreeMap<FeedName, FeedSummary>, today: Date) -> Lists {
        let general = [FeedName::All, FeedName::Documents].map(|name| self.one(name, summaries)).to_vec();
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
        let categories = slugs.into_iter().map(|slug| self.one(FeedName::Category(slug.clone()), summaries)).collect();
        with_news.sort_by(|a, b| b.1.newest_at.cmp(&a.1.newest_at).then_with(|| a.0.cmp(b.0)));
        let latest = |most: usize| {
            let mut names: Vec<&FeedName> = with_news.iter().take(most).map(|(name, _)| *name).collect();
            names.sort();
            names.into_iter().map(|name| self.one(name.clone(), summaries)).collect::<Vec<_>>()
        };
        let empty = self.in_force_without_news(summaries);
        Lists {
            general,
            categories,
            areas: latest(AREAS_LISTED_MAX),
            more_areas: with_news.len().saturating_sub(AREAS_LISTED_MAX),
            outlined: latest(AREAS_OUTLINED_MAX),
            empty_areas: empty.into_iter().map(|name| self.one(name, summaries)).collect(),
            provinces: self.provinces.clone(),
        }
    }

    /// None, when there are more than [`AREAS_LISTED_MAX`].
    fn in_force_without_news(&self, summaries: &BTreeMap<FeedName, FeedSummary>) -> Vec<FeedName> {
        let in_force = self.directory.iter().filter(|area| area.valid_until.is_none());
        let empty: Vec<FeedName> = in_force
            .map(|area| FeedName::Area(area.id.clone()))
            .filter(|name| summaries.get(name).is_none_or(|summary| summary.entries == 0))
            .take(AREAS_LISTED_MAX + 1)
            .collect();
        if empty.len() > AREAS_LISTED_MAX { Vec::new() } else { empty }
    }

    pub(crate) fn one(&self, name: FeedName, summaries: &BTreeMap<FeedName, FeedSummary>) -> Listed {
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

    /// Feeds for somebody who looks for a place or a subject, by its name of today or of former times.
    pub(crate) fn found(
        &self,
        text: &str,
        page: u32,
        summaries: &BTreeMap<FeedName, FeedSummary>,
        lists: &Lists,
        today: Date,
    ) -> Found {
        let words = folded(text);
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Found::default();
        }
        let is_meant = |title: &str| {
            let title = folded(title);
            words.iter().all(|word| title.split(' ').any(|known| known.starts_with(word)))
        };
        let sections = lists.general.iter().chain(&lists.categories).filter(|feed| is_meant(&feed.title));
        let sections: Vec<FoundFeed> = sections
            .cloned()
            .map(|feed| FoundFeed { title: feed.title.clone(), feeds: vec![feed], is_former: false })
            .take(FOUND_MAX)
            .collect();
        let (upto, before) = (FOUND_MAX * page as usize, FOUND_MAX * (page as usize - 1));
        let (areas, count) = self.search.find(&self.directory, text, today, upto);
        let (total, more) = (sections.len() + count, count - areas.len());
        let pages = u32::try_from(count.div_ceil(FOUND_MAX)).unwrap_or(u32::MAX).min(PAGES_MAX);
        let mut feeds = if page == 1 { sections } else { Vec::new() };
        feeds.extend(areas.into_iter().skip(before).map(|area| {
            let own = FeedName::Area(area.id.clone());
            let heirs: Vec<FeedName> = match self.directory.successors(&area.id, today) {
                heirs if heirs.is_empty() => vec![own.clone()],
                heirs => heirs.into_iter().map(|heir| FeedName::Area(heir.id.clone())).collect(),
            };
            FoundFeed {
                title: words::area_with_place(area),
                is_former: heirs != [own],
                feeds: heirs.into_iter().map(|name| self.one(name, summaries)).collect(),
            }
        }));
        Found { feeds, total, more, pages }
    }

    /// Known feeds whose names are like a mistyped one, the most alike first; for a combination, like each of its parts
    /// that there is not.
    pub(crate) fn suggestions(
        &self,
        typed: &str,
        summaries: &BTreeMap<FeedName, FeedSummary>,
        today: Date,
    ) -> Vec<Listed> {
        let typed: String = typed.to_lowercase().chars().take(2 * AreaId::LENGTH_MAX).collect();
        let is_unknown =
            |part: &&str| FeedName::read(part).is_none_or(|name| !self.knows(&name) && !summaries.contains_key(&name));
        let mut found: Vec<Listed> = Vec::new();
        for part in typed.split(['+', ' ']).filter(|part| !part.is_empty()).filter(is_unknown).take(SUGGESTIONS) {
            found.extend(self.alike(part, summaries, today));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.dedup_by(|a, b| a.name == b.name);
        found.truncate(2 * SUGGESTIONS);
        found
    }

    fn alike(&self, typed: &str, summaries: &BTreeMap<FeedName, FeedSummary>, today: Date) -> Vec<Listed> {
        let configured = self.categories.iter().map(|category| FeedName::Category(category.slug.clone()));
        let mut known: Vec<FeedName> = [FeedName::All, FeedName::Documents].into_iter().chain(configured).collect();
        known.extend(summaries.keys().filter(|name| matches!(name, FeedName::Category(_))).cloned());
        if let Some(place) = typed.strip_prefix("area-") {
            // a cut or mistyped address holds most of the area's name
            let letters: String = place.chars().map(|c| if c.is_alphabetic() { c } else { ' ' }).collect();
            let (areas, _) = self.search.find(&self.directory, &letters, today, SUGGESTIONS);
            known.extend(areas.into_iter().map(|area| FeedName::Area(area.id.clone())));
            let had: Vec<FeedName> =
                summaries.keys().filter(|name| matches!(name, FeedName::Area(_))).cloned().collect();
            known.extend(had);
        }
        known.sort();
        known.dedup();
        let mut alike: Vec<(f64, FeedName)> = known
            .into_iter()
            .map(|name| (strsim::jaro_winkler(typed, &name.to_string()), name))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let names = alike.into_iter().map(|(_, name)| self.since(&name, today)).take(SUGGESTIONS);
        names.map(|name| self.one(name, summaries)).collect()
    }
}

/// The provinces of the areas in force, by their names without `Tỉnh`; none where a list of the areas does.
fn provinces(directory: &Directory) -> Vec<String> {
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
