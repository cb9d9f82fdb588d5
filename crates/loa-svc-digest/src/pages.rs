//! Pages for subscribers: templates compiled once, filled with models. No script, light and dark, from 360 px on.

use crate::Identity;
use jiff::civil::Date;
use loa_area::{Area, Directory};
use loa_domain::{AreaId, Category, Frequency, SubscriptionState, Wish};
use loa_mail::{WishWords, frequency_words};
use loa_store::Subscription;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context, syntax::SyntaxConfig};
use std::{collections::BTreeMap, fmt::Write as _};

const TEMPLATES: [(&str, &str); 8] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("choices.html", include_str!("templates/choices.html")),
    ("subscribe.html", include_str!("templates/subscribe.html")),
    ("answered.html", include_str!("templates/answered.html")),
    ("confirm.html", include_str!("templates/confirm.html")),
    ("unsubscribe.html", include_str!("templates/unsubscribe.html")),
    ("manage.html", include_str!("templates/manage.html")),
    ("note.html", include_str!("templates/note.html")),
];

/// The pages of one list.
pub(crate) struct Pages {
    templates: Environment<'static>,
    portal: String,
    list: String,
    /// What stands before our paths: empty, unless we live below one.
    base: String,
}

/// What can be chosen, and what is.
pub(crate) struct Choices(Value);

/// What somebody typed, to be shown again.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub email: String,
    pub frequency: Option<Frequency>,
    pub fault: String,
}

impl Pages {
    pub(crate) fn new(identity: Identity, list: String) -> Result<Self, Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        templates.set_formatter(|out, state, value| {
            if value.is_none() {
                return Ok(());
            }
            let text = value.to_string();
            let raw = value.is_safe() || !matches!(state.auto_escape(), AutoEscape::Html);
            Ok(out.write_str(&if raw { text } else { escape(&text) })?)
        });
        for (name, text) in TEMPLATES {
            templates.add_template(name, text)?;
        }
        let base = identity.public_url.path().trim_end_matches('/').to_owned();
        Ok(Self { templates, portal: identity.portal_name, list, base })
    }

    pub(crate) fn subscribe(&self, choices: Choices, typed: &Typed) -> Result<String, Error> {
        let chosen = typed.frequency.unwrap_or(Frequency::Daily);
        let frequencies: Vec<Value> = [
            (Frequency::Daily, "Hằng ngày, vào buổi sáng"),
            (Frequency::Weekly, "Hằng tuần"),
            (Frequency::Immediate, "Ngay khi có tin"),
        ]
        .map(|(frequency, label)| {
            context! { value => frequency.as_str(), label => label, checked => frequency == chosen }
        })
        .into();
        self.fill(
            "subscribe.html",
            "index",
            context! { choices => choices.0, frequencies => frequencies, email => &typed.email, fault => &typed.fault },
        )
    }

    pub(crate) fn answered(&self, email: &str) -> Result<String, Error> {
        self.fill("answered.html", "noindex", context! { email => email })
    }

    pub(crate) fn confirm(&self, subscription: &Subscription, words: &WishWords) -> Result<String, Error> {
        let state = if subscription.state == SubscriptionState::Active { "active" } else { "open" };
        self.fill("confirm.html", "noindex", context! { state => state, ..about(subscription, words) })
    }

    pub(crate) fn unsubscribe(&self, subscription: &Subscription, words: &WishWords) -> Result<String, Error> {
        let ended = subscription.state == SubscriptionState::Unsubscribed;
        self.fill(
            "unsubscribe.html",
            "noindex",
            context! { ended => ended, known => true, ..about(subscription, words) },
        )
    }

    /// As after unsubscribing, for a token that nobody has: says no more about it.
    pub(crate) fn unsubscribed_unknown(&self) -> Result<String, Error> {
        self.fill("unsubscribe.html", "noindex", context! { ended => true, known => false })
    }

    pub(crate) fn manage(
        &self,
        subscription: &Subscription,
        choices: Choices,
        saved: bool,
        fault: &str,
    ) -> Result<String, Error> {
        self.fill(
            "manage.html",
            "noindex",
            context! {
                choices => choices.0, saved => saved, fault => fault, ..about(subscription, &WishWords::default())
            },
        )
    }

    pub(crate) fn note(&self, heading: &str, words: &str) -> Result<String, Error> {
        self.fill("note.html", "noindex", context! { heading => heading, words => words })
    }

    fn fill(&self, name: &str, robots: &str, own: Value) -> Result<String, Error> {
        let page = context! {
            portal => &self.portal, list => &self.list, base => &self.base, robots => robots, ..own
        };
        self.templates.get_template(name)?.render(page)
    }
}

impl Choices {
    /// All areas in force on that day, those of the wish beside them, and all categories; what the wish has is checked.
    pub(crate) fn new(directory: &Directory, on: Date, categories: &[Category], wish: &Wish) -> Self {
        let mut groups: BTreeMap<String, Vec<&Area>> = BTreeMap::new();
        let former = wish.areas.iter().filter_map(|id| directory.get(id)).filter(|area| !area.is_in_force(on));
        for area in directory.in_force(on).into_iter().chain(former) {
            groups.entry(area.province.clone()).or_default().push(area);
        }
        let areas: Vec<Value> = groups
            .into_iter()
            .map(|(province, mut areas)| {
                areas.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
                let open = areas.iter().any(|area| wish.areas.contains(&area.id));
                let areas: Vec<Value> = areas
                    .iter()
                    .map(|area| {
                        let note = if area.is_in_force(on) { "" } else { " (địa bàn cũ)" };
                        let label = format!("{}{note}", area.full_name());
                        context! { value => area.id.as_str(), label => label, checked => wish.areas.contains(&area.id) }
                    })
                    .collect();
                context! { label => province, areas => areas, open => open }
            })
            .collect();
        let categories: Vec<Value> = categories
            .iter()
            .map(|category| {
                let checked = wish.categories.contains(&category.slug);
                context! { value => category.slug.as_str(), label => &category.label, checked => checked }
            })
            .collect();
        Self(context! { areas => areas, categories => categories })
    }
}

/// Whether people may choose this area: in force that day, or theirs already.
pub(crate) fn may_choose(directory: &Directory, on: Date, id: &AreaId, wish: &Wish) -> bool {
    directory.get(id).is_some_and(|area| area.is_in_force(on) || wish.areas.contains(id))
}

fn about(subscription: &Subscription, words: &WishWords) -> Value {
    context! {
        token => &subscription.token,
        frequency => frequency_words(subscription.frequency),
        wish => context! { areas => words.areas_line(), categories => words.categories_line() },
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // writing to a string does not fail; control characters have no place in a page
            c if c.is_control() && !matches!(c, '\n' | '\t') => drop(write!(out, "\u{fffd}")),
            c => out.push(c),
        }
    }
    out
}
