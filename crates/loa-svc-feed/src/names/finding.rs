//! Search: feeds by a place or a subject, and suggestions for a mistyped address.
//!
//! Places are found by their names of today and of former times. Pure: a text, the summaries of feeds
//! and a day in, feeds out. Results are bounded, however many fit.

use super::{
    Names, Summaries,
    listing::{Listed, Lists},
    words,
};
use jiff::civil::Date;
use loa_area::folded;
use loa_domain::{AreaId, FeedName};

/// Areas shown on a page of a search.
const FOUND_MAX: usize = 30;
/// How alike a mistyped name and a known one must be to be suggested (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.87;
/// Most suggestions.
const SUGGESTIONS: usize = 3;
/// Most pages of found areas: who wants more types more.
pub(crate) const PAGES_MAX: u32 = 20;

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
    /// Feeds for somebody who looks for a place or a subject, by its name of today or of former times.
    pub(crate) fn found(&self, text: &str, page: u32, summaries: &Summaries, lists: &Lists, today: Date) -> Found {
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
            let successors = self.directory.successor_feeds(&own, today);
            FoundFeed {
                title: words::area_with_place(area),
                is_former: successors != [own],
                feeds: successors.into_iter().map(|name| self.listed_one(name, summaries)).collect(),
            }
        }));
        Found { feeds, total, more, pages }
    }

    /// Known feeds whose names are like a mistyped one, the most alike first; for a combination, like each of its parts
    /// that there is not.
    pub(crate) fn suggestions(&self, typed: &str, summaries: &Summaries, today: Date) -> Vec<Listed> {
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

    fn alike(&self, typed: &str, summaries: &Summaries, today: Date) -> Vec<Listed> {
        let configured = self.categories.iter().map(|category| FeedName::Category(category.slug.clone()));
        let mut known: Vec<FeedName> = [FeedName::All, FeedName::Documents].into_iter().chain(configured).collect();
        known.extend(summaries.keys().filter(|name| matches!(name, FeedName::Category(_))).cloned());
        known.extend(self.portals().list().iter().map(|portal| FeedName::Portal(portal.slug.clone())));
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
        names.map(|name| self.listed_one(name, summaries)).collect()
    }
}
