//! What tells one article or document of an installation from all others: its portal, and its id there.

use crate::{ArticleId, IdError, PortalSlug};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An article or document of an installation: (portal, its id there). Two portals may give one id; these are two articles.
///
/// Kept and shown as one text. Of the installation's own portal (the *home* portal) it is the id alone, so that an
/// installation with one portal keeps every key it ever had; of any other it is the portal's slug, one space, and the id. No id
/// holds a space, so neither form can be taken for the other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(min_length = 1, max_length = 241))]
pub struct ArticleKey(String);

impl ArticleKey {
    /// The longest text, in bytes: slug, space, id.
    pub const LENGTH_MAX: usize = PortalSlug::LENGTH_MAX + 1 + ArticleId::LENGTH_MAX;

    /// The key of a portal's id; `None`: the home portal.
    pub fn new(portal: Option<&PortalSlug>, id: &ArticleId) -> Self {
        match portal {
            Some(portal) => Self(format!("{portal} {id}")),
            None => Self(id.as_str().to_owned()),
        }
    }

    /// The text that stands in ledgers.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose it is; `None`: the home portal's.
    pub fn portal(&self) -> Option<PortalSlug> {
        self.portal_text().and_then(|slug| PortalSlug::new(slug).ok())
    }

    /// As [`Self::portal`], as text.
    pub fn portal_text(&self) -> Option<&str> {
        self.0.split_once(' ').map(|(portal, _)| portal)
    }

    /// The portal's id, as text.
    pub fn id(&self) -> &str {
        self.0.split_once(' ').map_or(&self.0, |(_, id)| id)
    }

    /// What comes before every key in the order of texts. No producer's id.
    pub fn first() -> Self {
        Self("!".to_owned())
    }
}

impl From<ArticleId> for ArticleKey {
    /// Of the home portal.
    fn from(id: ArticleId) -> Self {
        Self(id.into())
    }
}

impl From<&ArticleId> for ArticleKey {
    /// Of the home portal.
    fn from(id: &ArticleId) -> Self {
        Self::new(None, id)
    }
}

impl FromStr for ArticleKey {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(' ') {
            Some((portal, id)) => Ok(Self::new(Some(&PortalSlug::new(portal)?), &ArticleId::new(id)?)),
            None => ArticleId::new(text).map(Self::from),
        }
    }
}

impl TryFrom<String> for ArticleKey {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ArticleKey> for String {
    fn from(key: ArticleKey) -> String {
        key.0
    }
}

impl AsRef<str> for ArticleKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArticleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArticleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(portal: Option<&str>, id: &str) -> ArticleKey {
        let portal = portal.map(|slug| PortalSlug::new(slug).unwrap());
        ArticleKey::new(portal.as_ref(), &ArticleId::new(id).unwrap())
    }

    #[test]
    fn a_key_of_the_home_portal_is_the_id_and_nothing_else() {
        let home = key(None, "Tin/4-sản-phẩm");
        assert_eq!(home.as_str(), "Tin/4-sản-phẩm");
        assert_eq!((home.portal(), home.id()), (None, "Tin/4-sản-phẩm"));
        assert_eq!(home, ArticleKey::from(ArticleId::new("Tin/4-sản-phẩm").unwrap()));
        assert_eq!(serde_json::to_string(&home).unwrap(), "\"Tin/4-sản-phẩm\"");
    }

    #[test]
    fn one_id_of_two_portals_is_two_keys_and_each_is_read_back_from_its_text() {
        let keys =
            [key(None, "tin-1"), key(Some("na-son"), "tin-1"), key(Some("na"), "son-tin-1"), key(None, "na-son")];
        for (place, one) in keys.iter().enumerate() {
            assert_eq!(one.as_str().parse::<ArticleKey>().as_ref(), Ok(one));
            assert!(keys[place + 1..].iter().all(|other| other != one), "{one}");
        }
        assert_eq!(keys[1].as_str(), "na-son tin-1");
        assert_eq!((keys[1].portal().unwrap().as_str(), keys[1].id()), ("na-son", "tin-1"));
    }

    #[test]
    fn a_text_that_no_portal_and_id_make_is_no_key() {
        for bad in [
            "",
            " ",
            " tin-1",
            "na-son ",
            "Na-Son tin-1",
            "na-son tin 1",
            "na-son  tin-1",
            "na-son\ttin-1",
            "na-son ..",
        ] {
            assert!(bad.parse::<ArticleKey>().is_err(), "{bad:?}");
        }
        let longest = key(Some(&"p".repeat(PortalSlug::LENGTH_MAX)), &"x".repeat(ArticleId::LENGTH_MAX));
        assert_eq!(longest.as_str().len(), ArticleKey::LENGTH_MAX);
    }

    #[test]
    fn the_first_key_comes_before_every_other() {
        for later in [key(None, "0"), key(Some("0"), "0"), key(Some("-"), "!"), key(None, "\"")] {
            assert!(ArticleKey::first() < later, "{later}");
        }
    }
}
