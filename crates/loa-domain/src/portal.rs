//! Portals: who publishes. One is the *home* portal, of the configuration; an installation may carry others beside it.
//!
//! Pure: what a portal is, whose an event's `source` is, and which portal may stand beside which. Where the others are kept
//! and how a process learns of them is not known here.

use crate::{AreaId, PortalSlug};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use url::Url;

/// The home portal's slug, of every installation. No other portal can have it.
pub const HOME: &str = "home";

/// Who publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Portal {
    /// Its short name in addresses and commands; `home` is the home portal's. Never changes.
    pub slug: PortalSlug,
    /// Its name, as people read it.
    pub name: String,
    /// Its address.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uri"))]
    pub url: Url,
    /// The CloudEvents `source` of its events. Never changes.
    pub source: String,
    /// The name that its entries' ids are made from (RFC 4151). Never changes.
    pub tag_authority: String,
    /// A day on which that name was the portal's own. Never changes.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub tag_date: Date,
    /// The area of what names none and shows none in its text.
    #[serde(default)]
    pub area: Option<AreaId>,
    /// When it was added. Given by Loa.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub added_at: Timestamp,
    /// Since when it publishes no more; `None`: it does.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub retired_at: Option<Timestamp>,
}

/// Why a portal cannot be added or retired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortalRefusal {
    /// A field is outside its bounds.
    #[error("{field} is {text:?}; {must}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it is.
        text: String,
        /// What it must be.
        must: &'static str,
    },
    /// It is the home portal's.
    #[error("`home` is the home portal, which the configuration describes; it can be neither added nor retired")]
    Home,
    /// The slug is taken.
    #[error("there is another portal {0} already, and it stays as it was added; take another slug")]
    Taken(PortalSlug),
    /// Two portals cannot send events under one source.
    #[error(
        "the source {source_uri:?} is the portal {slug}'s; each portal has its own, for it tells whose an event is"
    )]
    SameSource {
        /// The source.
        source_uri: String,
        /// Whose it is.
        slug: PortalSlug,
    },
    /// Two portals cannot make ids from one authority and day.
    #[error(
        "tag authority and date are the portal {0}'s; with both alike, ids of two articles would be one: take the portal's own \
         domain, or another day on which it was its own"
    )]
    SameTag(PortalSlug),
    /// There is none of this slug.
    #[error("there is no portal {0}; `loa portals list` names them")]
    Unknown(PortalSlug),
    /// There are too many.
    #[error("an installation has at most {0} portals")]
    TooMany(usize),
}

/// Whose a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose<'a> {
    /// A portal's that publishes.
    Of(&'a Portal),
    /// A portal's that was retired.
    Retired(&'a Portal),
    /// Nobody's that this installation knows.
    Unknown,
}

/// All portals of an installation: the home portal, then the others by slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalList {
    home: Portal,
    others: Vec<Portal>,
}

impl Portal {
    /// Whether it is the home portal.
    pub fn is_home(&self) -> bool {
        self.slug.as_str() == HOME
    }

    /// Its slug, as a subject's key holds it: `None` for the home portal.
    pub fn key_slug(&self) -> Option<&PortalSlug> {
        (!self.is_home()).then_some(&self.slug)
    }

    /// Checks what types do not say.
    ///
    /// # Errors
    /// The first field outside its bounds.
    pub fn check(&self) -> Result<(), PortalRefusal> {
        let refuse =
            |field, text: &str, must| Err(PortalRefusal::Field { field, text: text.chars().take(100).collect(), must });
        if self.name != crate::clean_line(&self.name) || self.name.is_empty() || self.name.chars().count() > 200 {
            return refuse("name", &self.name, "it must be one line of 1 to 200 characters");
        }
        if !matches!(self.url.scheme(), "http" | "https") || self.url.host_str().is_none() || has_user(&self.url) {
            return refuse("url", self.url.as_str(), "it must be an http or https address without a user");
        }
        let plain = self.source.len() <= 1_000 && self.source.bytes().all(|b| b.is_ascii_graphic());
        if !plain || Url::parse(&self.source).is_err() {
            return refuse("source", &self.source, "it must be an absolute URI, at most 1,000 bytes of ASCII");
        }
        if !is_tag_authority(&self.tag_authority) {
            let must = "it must be a host name or an e-mail address in lower case";
            return refuse("tag_authority", &self.tag_authority, must);
        }
        Ok(())
    }

    /// Whether another description is of the same portal, whenever it was added or retired.
    pub fn is_same(&self, other: &Self) -> bool {
        let plain = |portal: &Self| Self { added_at: Timestamp::UNIX_EPOCH, retired_at: None, ..portal.clone() };
        plain(self) == plain(other)
    }
}

impl PortalList {
    /// Most portals of an installation, the home portal included: a province's communes, departments and schools.
    pub const MAX: usize = 1_000;

    /// The home portal alone.
    pub fn only(home: Portal) -> Self {
        Self { home, others: Vec::new() }
    }

    /// The home portal and others. Of others that cannot stand beside the portals before them (by slug) only the first counts:
    /// the configuration may have changed since they were added.
    pub fn of(home: Portal, mut others: Vec<Portal>) -> Self {
        others.sort_by(|a, b| a.slug.cmp(&b.slug));
        let mut list = Self::only(home);
        for portal in others {
            if list.admits(&portal) == Ok(true) {
                list.others.push(portal);
            }
        }
        list
    }

    /// Whether a portal can be added: `Ok(false)` when it is there already, just so.
    ///
    /// # Errors
    /// Why it cannot stand beside the others.
    pub fn admits(&self, portal: &Portal) -> Result<bool, PortalRefusal> {
        if portal.is_home() {
            return Err(PortalRefusal::Home);
        }
        portal.check()?;
        if let Some(known) = self.get(&portal.slug) {
            return if known.is_same(portal) { Ok(false) } else { Err(PortalRefusal::Taken(portal.slug.clone())) };
        }
        if let Some(other) = self.iter().find(|other| other.source == portal.source) {
            return Err(PortalRefusal::SameSource { source_uri: portal.source.clone(), slug: other.slug.clone() });
        }
        let tag = |portal: &Portal| (portal.tag_authority.clone(), portal.tag_date);
        if let Some(other) = self.iter().find(|other| tag(other) == tag(portal)) {
            return Err(PortalRefusal::SameTag(other.slug.clone()));
        }
        if self.iter().count() >= Self::MAX {
            return Err(PortalRefusal::TooMany(Self::MAX));
        }
        Ok(true)
    }

    /// The home portal.
    pub fn home(&self) -> &Portal {
        &self.home
    }

    /// All of them: the home portal, then the others by slug. Retired ones too.
    pub fn iter(&self) -> impl Iterator<Item = &Portal> {
        std::iter::once(&self.home).chain(&self.others)
    }

    /// The portal of this slug.
    pub fn get(&self, slug: &PortalSlug) -> Option<&Portal> {
        self.iter().find(|portal| portal.slug == *slug)
    }

    /// The portal that a subject's key names; `None`: the home portal.
    pub fn of_key(&self, slug: Option<&PortalSlug>) -> Option<&Portal> {
        slug.map_or(Some(&self.home), |slug| self.get(slug))
    }

    /// Whether there is another than the home portal.
    pub fn has_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whose a source is.
    pub fn whose(&self, source: &str) -> Whose<'_> {
        match self.iter().find(|portal| portal.source == source) {
            Some(portal) if portal.retired_at.is_some() => Whose::Retired(portal),
            Some(portal) => Whose::Of(portal),
            None => Whose::Unknown,
        }
    }
}

/// Whether a text can be the authority of `tag:` URIs: a host name or an e-mail address in lower case (RFC 4151 §2.1).
pub fn is_tag_authority(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._@".contains(c);
    !name.is_empty() && name.len() <= 254 && name.chars().all(allowed) && name.matches('@').count() <= 1
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portal(slug: &str) -> Portal {
        Portal {
            slug: PortalSlug::new(slug).unwrap(),
            name: format!("Cổng {slug}"),
            url: Url::parse(&format!("https://{slug}.example/")).unwrap(),
            source: format!("https://{slug}.example/"),
            tag_authority: format!("{slug}.example"),
            tag_date: jiff::civil::date(2026, 7, 1),
            area: None,
            added_at: Timestamp::UNIX_EPOCH,
            retired_at: None,
        }
    }

    fn list(others: &[&str]) -> PortalList {
        PortalList::of(portal(HOME), others.iter().map(|slug| portal(slug)).collect())
    }

    #[test]
    fn adding_the_same_again_is_no_change_and_another_under_its_slug_is_refused() {
        let list = list(&["na-son"]);
        assert_eq!(list.admits(&portal("phi-nhu")), Ok(true));
        assert_eq!(list.admits(&Portal { retired_at: Some(Timestamp::MAX), ..portal("na-son") }), Ok(false));
        let other = Portal { name: "Khác".into(), ..portal("na-son") };
        assert_eq!(list.admits(&other), Err(PortalRefusal::Taken(other.slug)));
    }

    #[test]
    fn two_portals_have_neither_one_source_nor_one_tag_authority_and_date() {
        let list = list(&["na-son"]);
        for (known, slug) in [(portal("na-son"), "na-son"), (portal(HOME), HOME)] {
            let alike = Portal { source: known.source.clone(), ..portal("x") };
            assert!(
                matches!(list.admits(&alike), Err(PortalRefusal::SameSource { slug: of, .. }) if of.as_str() == slug)
            );
            let alike = Portal { tag_authority: known.tag_authority.clone(), ..portal("x") };
            assert_eq!(list.admits(&alike), Err(PortalRefusal::SameTag(known.slug)));
        }
        let another_day =
            Portal { tag_authority: "na-son.example".into(), tag_date: jiff::civil::date(2025, 1, 1), ..portal("x") };
        assert_eq!(list.admits(&another_day), Ok(true));
    }

    #[test]
    fn the_home_portal_is_in_every_list_and_cannot_be_added() {
        let list = list(&["b", "a"]);
        assert_eq!(list.iter().map(|one| one.slug.as_str()).collect::<Vec<_>>(), ["home", "a", "b"]);
        assert_eq!(list.admits(&portal(HOME)), Err(PortalRefusal::Home));
        assert!(list.home().key_slug().is_none() && list.has_several());
        assert!(!PortalList::only(portal(HOME)).has_several());
    }

    #[test]
    fn a_source_is_its_portals_whether_it_publishes_or_is_retired_or_nobodys() {
        let retired = Portal { retired_at: Some(Timestamp::UNIX_EPOCH), ..portal("cu") };
        let list = PortalList::of(portal(HOME), vec![portal("a"), retired]);
        assert!(matches!(list.whose("https://home.example/"), Whose::Of(one) if one.is_home()));
        assert!(matches!(list.whose("https://a.example/"), Whose::Of(one) if one.slug.as_str() == "a"));
        assert!(matches!(list.whose("https://cu.example/"), Whose::Retired(_)));
        assert_eq!(list.whose("https://a.example"), Whose::Unknown, "a source is a text, not an address");
    }

    #[test]
    fn a_portal_outside_the_bounds_is_refused_by_its_field() {
        let field = |portal: Portal| match portal.check() {
            Err(PortalRefusal::Field { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(Portal { name: " ".into(), ..portal("a") }), "name");
        assert_eq!(field(Portal { name: "a\nb".into(), ..portal("a") }), "name");
        assert_eq!(field(Portal { url: Url::parse("ftp://a.example/").unwrap(), ..portal("a") }), "url");
        assert_eq!(field(Portal { source: "na son".into(), ..portal("a") }), "source");
        assert_eq!(field(Portal { tag_authority: "Na-Son".into(), ..portal("a") }), "tag_authority");
    }
}
