//! What feeds are called: their titles and descriptions, and the names of areas and categories.
//!
//! Pure: the site, the directory of areas and the configured categories in; names and texts for
//! people out. The rest of the room: `words` (the catalogue), `listing` (all feeds in order),
//! `finding` (search and suggestions), `succession` (what becomes of a former area's feed). It asks
//! no ledger; what the ledger knows of feeds is handed in as summaries.

pub(crate) mod finding;
pub(crate) mod listing;
mod succession;
pub(crate) mod words;

use jiff::civil::Date;
use loa_area::{Area, AreaSearch, Directory};
use loa_domain::{AreaId, ArticleKey, Calendar, Category, CategorySlug, Combination, FeedName, PortalSlug};
use loa_feed::{EntryPortal, FeedHead, Site, TagAuthority};
use loa_store::FeedSummary;
use loa_worker::Portals;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

/// Knows every name that a feed may have.
pub(crate) struct Names {
    site: Arc<Site>,
    directory: Arc<Directory>,
    calendar: Calendar,
    categories: Vec<Category>,
    portals: Portals,
    search: AreaSearch,
    /// Areas that share their name and kind with another one of their time: they are called with their district and province.
    namesakes: HashSet<AreaId>,
    /// Of the areas in force, when they are too many to list and in several.
    provinces: Vec<String>,
}

/// What the ledger knows of each feed.
pub(crate) type Summaries = BTreeMap<FeedName, FeedSummary>;

/// What categories are called by their newest entries.
pub(crate) type Labels = BTreeMap<CategorySlug, String>;

impl Names {
    pub(crate) fn new(
        site: Arc<Site>,
        directory: Arc<Directory>,
        calendar: Calendar,
        categories: Vec<Category>,
        portals: Portals,
    ) -> Self {
        let mut same: HashMap<(String, Option<Date>), Vec<&AreaId>> = HashMap::new();
        for area in directory.iter() {
            same.entry((area.full_name(), area.valid_until)).or_default().push(&area.id);
        }
        let namesakes = same.into_values().filter(|ids| ids.len() > 1).flatten().cloned().collect();
        let provinces = listing::provinces(&directory);
        let search = AreaSearch::new(&directory);
        Self { site, directory, calendar, categories, portals, search, namesakes, provinces }
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn portals(&self) -> &Portals {
        &self.portals
    }

    /// Whose an entry is, to be said with it; `None` where there is one portal only.
    pub(crate) fn portal_of(&self, key: &ArticleKey) -> Option<EntryPortal> {
        let list = self.portals.list();
        let portal = list.of_key(key.portal().as_ref()).filter(|_| list.has_several())?;
        let tag = TagAuthority::new(&portal.tag_authority, portal.tag_date).ok()?;
        Some(EntryPortal { tag, feed: FeedName::Portal(portal.slug.clone()), name: portal.name.clone() })
    }

    /// What the ids of another portal than the home portal are made from.
    pub(crate) fn tag_of(&self, key: &ArticleKey) -> Option<TagAuthority> {
        key.portal_text().and_then(|_| self.portal_of(key)).map(|portal| portal.tag)
    }

    fn portal(&self, slug: &PortalSlug) -> String {
        self.portals.list().get(slug).map_or_else(|| slug.to_string(), |portal| portal.name.clone())
    }

    /// Whether the feed exists whatever the ledger says.
    pub(crate) fn knows(&self, name: &FeedName) -> bool {
        match name {
            FeedName::All | FeedName::Documents => true,
            FeedName::Category(slug) => self.categories.iter().any(|category| category.slug == *slug),
            FeedName::Area(id) => self.directory.get(id).is_some(),
            FeedName::Portal(slug) => self.portals.list().get(slug).is_some(),
            FeedName::Combined(combination) => combination.parts().iter().all(|part| self.knows(part)),
        }
    }

    /// What a feed is called. `newest`: what its newest entry calls its category, which the settings outrank.
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
            FeedName::Portal(slug) => {
                let name = self.portal(slug);
                (name.clone(), words::portal_description(&name))
            }
            FeedName::Combined(combination) => return self.combined_head(combination, &Labels::new()),
        };
        FeedHead { name: name.clone(), title, description }
    }

    /// What a combination is called. `labels`: what the newest entries of its categories call them.
    pub(crate) fn combined_head(&self, combination: &Combination, labels: &Labels) -> FeedHead {
        let part = |part: &FeedName| match part {
            FeedName::Area(id) => self.directory.get(id).map_or_else(|| id.to_string(), |area| self.called(area)),
            FeedName::Category(slug) => self.category(slug, labels.get(slug).map(String::as_str)),
            FeedName::Portal(slug) => self.portal(slug),
            _ => words::DOCUMENTS.to_owned(),
        };
        let called = |parts: Vec<FeedName>| parts.iter().map(part).collect::<Vec<_>>();
        let (areas, sections) = (called(combination.areas()), called(combination.sections()));
        // what several portals publish is named as they are; what one publishes, in the place of the whole
        let portals = called(combination.portals()).join(", ");
        let site = if portals.is_empty() { self.site.title.clone() } else { portals.clone() };
        FeedHead {
            name: FeedName::Combined(combination.clone()),
            title: match (areas.is_empty() && sections.is_empty(), portals.is_empty()) {
                (true, _) => portals,
                (false, true) => words::combined_title(&areas, &sections),
                (false, false) => format!("{} – {portals}", words::combined_title(&areas, &sections)),
            },
            description: if areas.is_empty() && sections.is_empty() {
                words::portal_description(&site)
            } else {
                words::combined_description(&areas, &sections, &site)
            },
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
        self.listed_one(name.clone(), &Summaries::new()).title
    }

    /// An area's name as a label, `Xã Na Son`; its id, when the directory does not know it.
    pub(crate) fn area(&self, id: &AreaId) -> String {
        self.directory.get(id).map_or_else(|| id.to_string(), loa_area::Area::full_name)
    }

    /// What a category is called: what the settings call it, else what its newest entry does.
    pub(crate) fn category(&self, slug: &CategorySlug, newest: Option<&str>) -> String {
        let configured = self.categories.iter().find(|category| category.slug == *slug).map(|c| c.label.as_str());
        configured.into_iter().chain(newest).find(|label| !label.trim().is_empty()).unwrap_or(slug.as_str()).to_owned()
    }
}
