//! Pages for people: templates compiled once, filled with models. Server-rendered, light and dark, everything works without
//! a script.

use crate::{
    asking::{Asked, Unbuilt},
    naming::{AREAS_LISTED_MAX, Found, Labels, Listed, Lists, Names},
    overview::Overview,
    page_models as model, words,
};
use jiff::{Timestamp, civil::Date};
use loa_domain::FeedName;
use loa_feed::{Feed, Item, Site};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, syntax::SyntaxConfig, value::Serde};
use std::{fmt::Write as _, sync::Arc};

/// Withdrawn entries shown on a feed's page.
const GONE_SHOWN: usize = 10;

/// The pages.
pub(crate) struct Pages {
    site: Arc<Site>,
    templates: Environment<'static>,
}

impl Pages {
    pub(crate) fn new(site: Arc<Site>) -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        templates.set_formatter(|out, state, value| {
            if value.is_none() {
                return Ok(());
            }
            let text = value.to_string();
            let raw = value.is_safe() || !matches!(state.auto_escape(), AutoEscape::Html);
            // unlike minijinja's own, leaves `/` alone: readers that look for feeds do not all decode addresses
            if raw {
                out.write_str(&text)?
            } else {
                escape(out, &text)?
            }
            Ok(())
        });
        for (name, text) in [
            ("layout.html", include_str!("templates/layout.html")),
            ("entries.html", include_str!("templates/entries.html")),
            ("feeds.html", include_str!("templates/feeds.html")),
            ("feed.html", include_str!("templates/feed.html")),
            ("gone.html", include_str!("templates/gone.html")),
            ("missing_feed.html", include_str!("templates/missing_feed.html")),
            ("missing_article.html", include_str!("templates/missing_article.html")),
            ("away.html", include_str!("templates/away.html")),
        ] {
            templates.add_template(name, text)?;
        }
        Ok(Self { site, templates })
    }

    /// All feeds, and the latest entries.
    pub(crate) fn feeds(&self, lists: &Lists, latest: &[Item]) -> Result<String, minijinja::Error> {
        self.directory_page(lists, latest, &Asked::default(), &Found::default(), &[], None)
    }

    /// The page of all feeds, with what was found and picked.
    pub(crate) fn asked(
        &self,
        names: &Names,
        overview: &Overview,
        asked: &Asked,
        found: &Found,
        unbuilt: Option<Unbuilt>,
    ) -> Result<String, minijinja::Error> {
        let picked: Vec<Listed> = asked.picks.iter().map(|name| names.one(name.clone(), &overview.summaries)).collect();
        self.directory_page(&overview.listed, &overview.latest, asked, found, &picked, unbuilt)
    }

    fn directory_page(
        &self,
        lists: &Lists,
        latest: &[Item],
        asked: &Asked,
        found: &Found,
        picked: &[Listed],
        unbuilt: Option<Unbuilt>,
    ) -> Result<String, minijinja::Error> {
        let choices = model::choices(lists, asked, picked);
        let found_lines: Vec<_> = found.feeds.iter().map(|feed| model::found_line(&self.site, feed, asked)).collect();
        let lines = |feeds: &[Listed]| -> Vec<model::FeedLine> {
            feeds.iter().map(|feed| model::feed_line(&self.site, feed)).collect()
        };
        let latest: Vec<_> = latest.iter().map(|item| model::entry(&self.site, item)).collect();
        let page = asked.page.max(1);
        let turned = |page: u32| model::found_path(&self.site, &asked.text, &asked.picks, page);
        let provinces = lists.provinces.iter().map(|province| model::Link {
            label: province.clone(),
            href: model::found_path(&self.site, province, &asked.picks, 1),
        });
        self.filled(
            "feeds.html",
            context! {
                q => asked.text.as_str(),
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
        let entries: Vec<_> = feed.entries().iter().map(|item| model::entry(&self.site, item)).collect();
        let mut gone = model::gone(&self.site, feed);
        gone.truncate(GONE_SHOWN);
        let instead = names.instead(name, today);
        let parts = match name {
            FeedName::Combined(combination) => combination.parts(),
            _ => Vec::new(),
        };
        let link = |name: &FeedName| model::Link {
            label: match name {
                FeedName::Category(slug) => labels.get(slug).cloned().unwrap_or_else(|| names.title(name)),
                name => names.title(name),
            },
            href: model::path(&self.site, &format!("feeds/{name}")),
        };
        let position = feed.position();
        let archive = |archive| Serde(model::archive_link(&self.site, name, archive));
        self.filled(
            "feed.html",
            context! {
                month => position.archive.map(words::month),
                home => model::path(&self.site, &format!("feeds/{name}")),
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
                combine => model::combine_path(&self.site, name),
                copy => copy(),
            },
        )
    }

    /// An article that was withdrawn.
    pub(crate) fn gone(&self, at: Timestamp, reason: &str) -> Result<String, minijinja::Error> {
        let reason = loa_domain::clean_line(reason);
        self.filled("gone.html", context! { at => Serde(model::moment(at)), reason => reason })
    }

    /// A feed that there is not.
    pub(crate) fn missing_feed(&self, typed: &str, suggestions: &[Listed]) -> Result<String, minijinja::Error> {
        let typed: String = loa_domain::clean_line(typed).chars().take(80).collect();
        let suggestions: Vec<_> = suggestions.iter().map(|feed| model::feed_line(&self.site, feed)).collect();
        self.filled("missing_feed.html", context! { typed => typed, suggestions => Serde(suggestions) })
    }

    /// An article that nobody heard of.
    pub(crate) fn missing_article(&self) -> Result<String, minijinja::Error> {
        self.filled("missing_article.html", context! {})
    }

    /// The ledger is away, and the feed is not at hand.
    pub(crate) fn away(&self) -> Result<String, minijinja::Error> {
        self.filled("away.html", context! {})
    }

    fn filled(&self, name: &str, values: minijinja::Value) -> Result<String, minijinja::Error> {
        let shared = context! {
            portal => loa_domain::clean_line(&self.site.title),
            language => self.site.language.as_str(),
            root => model::path(&self.site, ""),
            feeds_path => model::path(&self.site, "feeds"),
            subscribe_path => model::path(&self.site, "subscribe"),
            ..values
        };
        self.templates.get_template(name)?.render(shared)
    }
}

/// The one script; [`crate::document::page_headers`] lets it run.
fn copy() -> minijinja::Value {
    minijinja::Value::from_safe_string(include_str!("templates/copy.js").trim().to_owned())
}

fn escape(out: &mut minijinja::Output<'_>, text: &str) -> std::fmt::Result {
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&#39;")?,
            _ => out.write_char(c)?,
        }
    }
    Ok(())
}
