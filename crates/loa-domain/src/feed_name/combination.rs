//! A feed that combines others: `area-x+area-y+category-z` is what is about x or y, and in z;
//! `category-z+portal-p` is what p publishes in z.
//!
//! A combination has one name: its parts sorted, each once. So caches, readers and hubs know it
//! under one address. Pure; what stands in it is the ledger's question.

use crate::{AreaId, CategorySlug, FeedName, PortalSlug};
use std::fmt;

/// Two parts or more: areas, sections (categories, `documents`), and portals. What stands in one of the areas **and** in one of
/// the sections **and** is one of the portals'; a side of which there are none does not ask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Combination {
    areas: Vec<AreaId>,
    categories: Vec<CategorySlug>,
    documents: bool,
    portals: Vec<PortalSlug>,
}

impl Combination {
    /// Most parts. Each costs a look into the ledger when the feed is asked for.
    pub const PARTS_MAX: usize = 8;

    /// The feed of these parts, in any order: of one part, that part's feed. `None` for none, for more than
    /// [`Self::PARTS_MAX`] different ones, and when `all` is to be combined, which leaves nothing to choose.
    pub fn of(parts: impl IntoIterator<Item = FeedName>) -> Option<FeedName> {
        let mut parts: Vec<FeedName> = parts.into_iter().collect();
        parts.sort();
        parts.dedup();
        if parts.len() < 2 {
            return parts.pop();
        }
        if parts.len() > Self::PARTS_MAX {
            return None;
        }
        let mut combination = Self { areas: Vec::new(), categories: Vec::new(), documents: false, portals: Vec::new() };
        for part in parts {
            match part {
                FeedName::Area(id) => combination.areas.push(id),
                FeedName::Category(slug) => combination.categories.push(slug),
                FeedName::Documents => combination.documents = true,
                FeedName::Portal(slug) => combination.portals.push(slug),
                FeedName::All | FeedName::Combined(_) => return None,
            }
        }
        Some(FeedName::Combined(combination))
    }

    /// The areas, sorted. May be empty.
    pub fn areas(&self) -> Vec<FeedName> {
        self.areas.iter().cloned().map(FeedName::Area).collect()
    }

    /// The categories, sorted, and `documents`. May be empty.
    pub fn sections(&self) -> Vec<FeedName> {
        let categories = self.categories.iter().cloned().map(FeedName::Category);
        categories.chain(self.documents.then_some(FeedName::Documents)).collect()
    }

    /// The portals, sorted. May be empty.
    pub fn portals(&self) -> Vec<FeedName> {
        self.portals.iter().cloned().map(FeedName::Portal).collect()
    }

    /// Areas, sections and portals, those sides of which there are any: what stands in it stands in one part of each.
    pub fn sides(&self) -> Vec<Vec<FeedName>> {
        let sides = [self.areas(), self.sections(), self.portals()];
        sides.into_iter().filter(|side| !side.is_empty()).collect()
    }

    /// All parts, in the order of the address.
    pub fn parts(&self) -> Vec<FeedName> {
        self.sides().into_iter().flatten().collect()
    }
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts().iter().enumerate() {
            if place > 0 {
                f.write_str("+")?;
            }
            part.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, canonical: Option<&str>) {
        assert_eq!(FeedName::read(text).map(|name| name.to_string()).as_deref(), canonical, "{text:?}");
    }

    #[test]
    fn a_combination_in_any_order_has_one_address() {
        let one = "area-x+area-y+category-z+documents";
        for text in [one, "documents+category-z+area-y+area-x", "area-y+area-x+area-y+documents+category-z"] {
            check(text, Some(one));
        }
        check("area-x area-y", Some("area-x+area-y"));
        check("portal-p+area-x+documents+portal-home", Some("area-x+documents+portal-home+portal-p"));
        assert!(FeedName::parse(one).is_some());
        assert!(FeedName::parse("area-y+area-x").is_none(), "another form is not its address");
        let name = FeedName::parse(one).unwrap();
        let json = serde_json::to_string(&name).unwrap();
        assert_eq!(serde_json::from_str::<FeedName>(&json).unwrap(), name);
    }

    #[test]
    fn one_part_is_that_part_and_what_leaves_no_choice_is_no_combination() {
        check("area-x+area-x", Some("area-x"));
        check("all", Some("all"));
        for text in ["", "+", "area-x+", "+area-x", "all+area-x", "area-x+nowhere", "area-x++area-y", "area-X+area-y"] {
            check(text, None);
        }
        let many = |count: usize| (0..count).map(|n| format!("area-{n}")).collect::<Vec<_>>().join("+");
        check(&many(8), Some(&many(8)));
        check(&many(9), None);
        check(&format!("{}+area-1", many(8)), Some(&many(8)));
    }
}
