//! Pages for people: templates compiled once, filled with models.
//!
//! Server-rendered, light and dark; everything works without a script. Feeds, lists and queries
//! come in, the text of a page goes out. It asks nobody for anything and keeps nothing.

use super::{
    addresses, models as model,
    query::{Asked, Unbuilt},
};
use crate::names::{
    Labels, Names,
    finding::Found,
    listing::{AREAS_LISTED_MAX, Listed, Lists},
    words,
};
use jiff::{Timestamp, civil::Date};
use loa_domain::{Calendar, Content, FeedName};
use loa_feed::{Feed, FeedItem, Site};
use loa_http::{Shell, Templates};
use minijinja::{context, value::Serde};
use std::sync::Arc;

/// Withdrawn entries shown on a feed's page.
const GONE_SHOWN: usize = 10;

const TEMPLATES: [(&str, &str); 9] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("entries.html", include_str!("templates/entries.html")),
    ("feeds.html", include_str!("templates/feeds.html")),
    ("feed.html", include_str!("templates/feed.html")),
    ("gone.html", include_str!("templates/gone.html")),
    ("missing_feed.html", include_str!("templates/missing_feed.html")),
    ("missing_article.html", include_str!("templates/missing_article.html")),
    ("elsewhere.html", include_str!("templates/elsewhere.html")),
    ("away.html", include_str!("templates/away.html")),
];

/// The pages.
pub(crate) struct Pages {
    site: Arc<Site>,
    calendar: Calendar,
    templates: Templates,
}

/// What the page of all feeds shows.
pub(crate) struct ListOfFeeds<'a> {
    pub(crate) lists: &'a Lists,
    /// The latest entries of all feeds.
    pub(crate) latest: &'a [FeedItem],
    pub(crate) asked: &'a Asked,
    /// Whether a page of ours asked: then the words are shown again. Words in a link may be anybody's.
    pub(crate) is_shown: bool,
    pub(crate) found: &'a Found,
    /// The feeds that were picked, as lists have them.
    pub(crate) picked: &'a [Listed],
    /// Why what was picked makes no feed.
    pub(crate) unbuilt: Option<Unbuilt>,
}

impl Pages {
    pub(crate) fn new(site: Arc<Site>, calendar: Calendar) -> Result<Self, minijinja::Error> {
        let shell = Shell {
            portal: loa_domain::clean_line(&site.title),
            language: site.language.clone(),
            base: site.base.path().trim_end_matches('/').to_owned(),
        };
        Ok(Self { templates: Templates::new(&shell, &TEMPLATES)?, site, calendar })
    }

    /// The page of all feeds, with nothing looked for.
    pub(crate) fn feeds(&self, lists: &Lists, latest: &[FeedItem]) -> Result<String, minijinja::Error> {
        let (asked, found) = (&Asked::default(), &Found::default());
        self.asked(&ListOfFeeds { lists, latest, asked, is_shown: false, found, picked: &[], unbuilt: None })
    }

    /// The page of all feeds, with what was found and picked.
    pub(crate) fn asked(&self, of: &ListOfFeeds<'_>) -> Result<String, minijinja::Error> {
        let ListOfFeeds { lists, latest, asked, is_shown, found, picked, unbuilt } = *of;
        let choices = model::choices(lists, asked, picked);
        let found_lines: Vec<_> =
            found.feeds.iter().map(|feed| model::found_line(&self.site, &self.calendar, feed, asked)).collect();
        let lines = |feeds: &[Listed]| -> Vec<model::FeedLine> {
            feeds.iter().map(|feed| model::feed_line(&self.site, &self.calendar, feed)).collect()
        };
        let latest: Vec<_> = latest.iter().map(|item| model::entry(&self.site, &self.calendar, item)).collect();
        let page = asked.page.max(1);
        let turned = |page: u32| addresses::found_path(&self.site, &asked.text, &asked.picks, page);
        let provinces = lists.provinces.iter().map(|province| model::Link {
            label: province.clone(),
            href: addresses::found_path(&self.site, province, &asked.picks, 1),
        });
        self.filled(
            "feeds.html",
            context! {
                asked => !asked.text.is_empty(),
                q => if is_shown { asked.text.as_str() } else { "" },
                found => Serde(found_lines),
                total => found.total,
                more_found => found.more,
                page => page,
                pages => found.pages,
                previous_page => (page > 1).then(|| turned(page - 1)),
                next_page => (page < found.pages).then(|| turned(page + 1)),
                provinces => Serde(provinces.collect::<Vec<_>>()),
                nothing => unbuilt == Some(Unbuilt::Nothing),
                too_many => unbuilt == Some(Unbuilt::TooMany),
                picked => Serde(choices.picked),
                places => Serde(choices.places),
                sections => Serde(choices.sections),
                parts_max => loa_domain::Combination::PARTS_MAX,
                general => Serde(lines(&lists.general)),
                categories => Serde(lines(&lists.categories)),
                portals => Serde(lines(&lists.portals)),
                senders => Serde(choices.portals),
                areas => Serde(lines(&lists.areas)),
                more_areas => lists.more_areas,
                areas_max => AREAS_LISTED_MAX,
                empty_areas => Serde(lines(&lists.empty_areas)),
                entries => Serde(latest),
                alternates => Serde(model::alternates(&self.site, &FeedName::All)),
                opml => self.site.url("feeds.opml"),
                copy => copy(),
            },
        )
    }

    /// One feed, or an archive of one, with the same items as its documents.
    /// `labels`: what categories that it is put together of are called.
    pub(crate) fn feed(
        &self,
        names: &Names,
        feed: &Feed,
        labels: &Labels,
        today: Date,
    ) -> Result<String, minijinja::Error> {
        let name = &feed.head().name;
        let entries: Vec<_> =
            feed.entries().iter().map(|item| model::entry(&self.site, &self.calendar, item)).collect();
        let mut gone = model::gone(&self.site, &self.calendar, feed);
        gone.truncate(GONE_SHOWN);
        let instead = names.instead(name, today);
        let parts = match name {
            FeedName::Combined(combination) => combination.parts(),
            _ => Vec::new(),
        };
        let link = |name: &FeedName| model::Link {
            label: match name {
                FeedName::Category(slug) => names.category(slug, labels.get(slug).map(String::as_str)),
                name => names.title(name),
            },
            href: addresses::path(&self.site, &format!("feeds/{name}")),
        };
        let position = feed.position();
        let archive = |archive| Serde(model::archive_link(&self.site, name, archive));
        self.filled(
            "feed.html",
            context! {
                month => position.archive.map(words::month),
                home => addresses::path(&self.site, &format!("feeds/{name}")),
                newer => position.next.map(archive),
                older => position.previous.map(archive),
                title => feed.head().title.as_str(),
                description => feed.head().description.as_str(),
                alternates => Serde(model::alternates(&self.site, name)),
                readers => Serde(model::readers(&self.site, name)),
                entries => Serde(entries),
                gone => Serde(gone),
                has_ended => feed.has_ended(),
                instead => Serde(instead.iter().map(link).collect::<Vec<_>>()),
                parts => Serde(parts.iter().map(link).collect::<Vec<_>>()),
                before => names.before(name),
                combine => addresses::combine_path(&self.site, name),
                copy => copy(),
            },
        )
    }

    /// An article that was withdrawn.
    pub(crate) fn gone(&self, at: Timestamp, reason: &str) -> Result<String, minijinja::Error> {
        let reason = loa_domain::clean_line(reason);
        self.filled("gone.html", context! { at => Serde(model::moment(&self.calendar, at)), reason => reason })
    }

    /// A feed that there is not. It does not say what was typed: anybody may have written the address.
    pub(crate) fn missing_feed(&self, suggestions: &[Listed]) -> Result<String, minijinja::Error> {
        let suggestions: Vec<_> =
            suggestions.iter().map(|feed| model::feed_line(&self.site, &self.calendar, feed)).collect();
        self.filled("missing_feed.html", context! { suggestions => Serde(suggestions) })
    }

    /// An article that nobody heard of.
    pub(crate) fn missing_article(&self) -> Result<String, minijinja::Error> {
        self.filled("missing_article.html", context! {})
    }

    /// An article whose address is on another host than its portal: the address as text, for whoever wants to go there.
    pub(crate) fn elsewhere(&self, content: &Content) -> Result<String, minijinja::Error> {
        self.filled("elsewhere.html", context! { title => content.title(), address => content.url().as_str() })
    }

    /// The ledger is away, and the feed is not cached.
    pub(crate) fn away(&self) -> Result<String, minijinja::Error> {
        self.filled("away.html", context! {})
    }

    fn filled(&self, name: &str, values: minijinja::Value) -> Result<String, minijinja::Error> {
        self.templates.render(name, values)
    }
}

/// The one script; [`super::document::page_headers`] lets it run.
fn copy() -> minijinja::Value {
    minijinja::Value::from_safe_string(include_str!("templates/copy.js").trim().to_owned())
}
