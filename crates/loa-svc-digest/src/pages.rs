//! Pages for subscribers: templates compiled once, filled with models. No script, light and dark, from 360 px on.

use crate::Identity;
use jiff::civil::Date;
use loa_area::{Area, Directory};
use loa_domain::{AreaId, Category, Frequency, SubscriptionState, Wish};
use loa_http::{Shell, Templates};
use loa_mail::WishWords;
use loa_store::Subscription;
use loa_words::{Language, Notice};
use minijinja::{Error, Value, context};
use std::collections::BTreeMap;

/// What the pages are written in.
pub(crate) const LANGUAGE: Language = Language::Vietnamese;

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
    templates: Templates,
    list: String,
}

/// What can be chosen, and what is.
pub(crate) struct Choices(Value);

/// What stood in the address that was opened.
pub(crate) struct Link {
    pub text: String,
    /// Whether it was mailed to the mailbox alone; else it is the token of every digest.
    pub is_key: bool,
}

/// What somebody typed, to be shown again.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub email: String,
    pub frequency: Option<Frequency>,
    pub fault: String,
}

impl Pages {
    pub(crate) fn new(identity: Identity, list: String) -> Result<Self, Error> {
        let base = identity.public_url.path().trim_end_matches('/').to_owned();
        let shell = Shell { portal: identity.portal_name, language: "vi".to_owned(), base };
        Ok(Self { templates: Templates::new(&shell, &TEMPLATES)?, list })
    }

    pub(crate) fn subscribe(&self, choices: Choices, typed: &Typed) -> Result<String, Error> {
        let chosen = typed.frequency.unwrap_or(Frequency::Daily);
        let frequencies: Vec<Value> = [Frequency::Daily, Frequency::Weekly, Frequency::Immediate]
            .map(|frequency| {
                let label = LANGUAGE.words().frequency_choice(frequency);
                context! { value => frequency.as_str(), label => label, checked => frequency == chosen }
            })
            .into();
        self.fill(
            "subscribe.html",
            "index",
            context! { choices => choices.0, frequencies => frequencies, email => &typed.email, fault => &typed.fault },
        )
    }

    /// `email`: to be shown to whoever typed it, and to nobody else.
    pub(crate) fn answered(&self, email: Option<&str>) -> Result<String, Error> {
        self.fill("answered.html", "noindex", context! { email => email })
    }

    pub(crate) fn confirm(&self, subscription: &Subscription, link: &Link, words: &WishWords) -> Result<String, Error> {
        let state = match (subscription.state, link.is_key) {
            (SubscriptionState::Active, _) => "active",
            (_, true) => "open",
            (_, false) => "by_mail",
        };
        self.fill("confirm.html", "noindex", context! { state => state, ..about(subscription, link, words) })
    }

    pub(crate) fn unsubscribe(
        &self,
        subscription: &Subscription,
        link: &Link,
        words: &WishWords,
    ) -> Result<String, Error> {
        let ended = subscription.state == SubscriptionState::Unsubscribed;
        self.fill(
            "unsubscribe.html",
            "noindex",
            context! { ended => ended, known => true, ..about(subscription, link, words) },
        )
    }

    /// As after unsubscribing, for a token that nobody has: says no more about it.
    pub(crate) fn unsubscribed_unknown(&self) -> Result<String, Error> {
        self.fill("unsubscribe.html", "noindex", context! { ended => true, known => false })
    }

    pub(crate) fn manage(
        &self,
        subscription: &Subscription,
        link: &Link,
        choices: Choices,
        saved: bool,
        fault: &str,
    ) -> Result<String, Error> {
        self.fill(
            "manage.html",
            "noindex",
            context! {
                choices => choices.0, saved => saved, fault => fault, is_key => link.is_key,
                ..about(subscription, link, &WishWords::default())
            },
        )
    }

    pub(crate) fn note(&self, heading: Notice, words: Notice) -> Result<String, Error> {
        let said = |notice| LANGUAGE.words().notice(notice);
        self.fill("note.html", "noindex", context! { heading => said(heading), words => said(words) })
    }

    fn fill(&self, name: &str, robots: &str, own: Value) -> Result<String, Error> {
        self.templates.render(name, context! { list => &self.list, robots => robots, ..own })
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
                        let (former, checked) = (!area.is_in_force(on), wish.areas.contains(&area.id));
                        context! { value => area.id.as_str(), label => area.full_name(), former, checked }
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

fn about(subscription: &Subscription, link: &Link, words: &WishWords) -> Value {
    context! {
        token => &subscription.token,
        link => &link.text,
        frequency => LANGUAGE.words().frequency(subscription.frequency),
        wish => context! { areas => words.areas_line(), categories => words.categories_line() },
    }
}
