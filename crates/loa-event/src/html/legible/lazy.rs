//! The address of a picture of a body: its own, or what the sources of the `picture` around it offer.
//!
//! Which attribute it stands in is `loa-html`'s to say. What a `picture` offers is worked out once, however many pictures stand
//! in it.

use super::embedded::address;
use crate::{html::work::Work, limits::URL_BYTES_MAX};
use ego_tree::{NodeId, NodeRef};
use loa_html::{PictureAttributes, PictureJudge, best_of_set};
use scraper::{Node, node::Element};
use std::{borrow::Cow, collections::HashMap};
use url::Url;

/// How many children of a `picture` are looked at.
const CHILDREN_MAX: usize = 40;

/// Finds the addresses of the pictures of one body.
pub(super) struct Addresses<'a> {
    judge: Judge<'a>,
    /// What the sources of each `picture` come to.
    of_sources: HashMap<NodeId, Option<String>>,
}

/// Where addresses begin, and who counts what is looked at.
struct Judge<'a> {
    base: &'a Url,
    work: &'a Work,
}

impl PictureJudge for Judge<'_> {
    fn is_good(&self, text: &str) -> bool {
        self.work.scanned(text.len());
        text.len() <= URL_BYTES_MAX && address(text, self.base).is_some()
    }

    fn looked_at(&self, bytes: usize) {
        self.work.scanned(bytes);
    }
}

impl<'a> Addresses<'a> {
    pub(super) fn new(base: &'a Url, work: &'a Work) -> Self {
        Self { judge: Judge { base, work }, of_sources: HashMap::new() }
    }

    /// The address of a picture; `None`: it has none that can be fetched.
    pub(super) fn real(&mut self, picture: NodeRef<'_, Node>, element: &Element) -> Option<String> {
        let Self { judge, of_sources } = self;
        let attributes: Vec<(&str, &str)> = element.attrs().collect();
        let around = || judge.of_picture_around(picture, of_sources).map(Cow::Owned);
        PictureAttributes { attributes: &attributes }.address(judge, around).map(Cow::into_owned)
    }
}

impl Judge<'_> {
    /// The best address of the sources that stand beside a picture in a `picture`.
    fn of_picture_around(
        &self,
        picture: NodeRef<'_, Node>,
        of_sources: &mut HashMap<NodeId, Option<String>>,
    ) -> Option<String> {
        let is_one = |node: &NodeRef<'_, Node>| node.value().as_element().is_some_and(|e| e.name() == "picture");
        let parent = picture.parent().filter(is_one)?;
        if let Some(known) = of_sources.get(&parent.id()) {
            self.looked_at(known.as_ref().map_or(0, String::len));
            return known.clone();
        }
        let found = self.of_sources_in(parent).map(str::to_owned);
        of_sources.insert(parent.id(), found.clone());
        found
    }

    /// Formats that every program shows come first.
    fn of_sources_in<'t>(&self, picture: NodeRef<'t, Node>) -> Option<&'t str> {
        let sources = || {
            let elements = picture.children().take(CHILDREN_MAX).filter_map(|child| child.value().as_element());
            elements.filter(|element| element.name() == "source")
        };
        let is_plain = |source: &&Element| !matches!(source.attr("type"), Some("image/webp" | "image/avif"));
        let set = |source: &'t Element| {
            ["srcset", "data-srcset", "src"].iter().find_map(|name| best_of_set(source.attr(name)?, self))
        };
        sources().filter(is_plain).find_map(set).or_else(|| sources().find_map(set))
    }
}
