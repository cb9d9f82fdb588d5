//! Pictures inside and outside `noscript`: of two elements for one picture, one is shown.
//!
//! Pure: a tree in, addresses and answers out.

use super::{embedded::address, lazy::Addresses};
use crate::limits::EVENT_BYTES_MAX;
use ego_tree::{NodeRef, iter::Edge};
use loa_domain::is_blank;
use scraper::{Html, Node};
use std::collections::HashSet;
use url::Url;

/// How many nodes beside a picture are looked at, and within a `noscript` there.
const BESIDE_MAX: usize = 40;

/// The addresses of the pictures outside `noscript`.
pub(super) fn scripted_pictures(tree: &Html, found: &mut Addresses<'_>, base: &Url) -> HashSet<String> {
    let (mut unscripted, mut bytes, mut addresses) = (0_usize, 0_usize, HashSet::new());
    for edge in tree.tree.root().traverse() {
        let (Edge::Open(node) | Edge::Close(node)) = edge;
        let Some(element) = node.value().as_element() else { continue };
        match (edge, element.name()) {
            (Edge::Open(_), "noscript") => unscripted += 1,
            (Edge::Close(_), "noscript") => unscripted = unscripted.saturating_sub(1),
            // a body of more than an event's bytes of addresses is refused when they are written
            (Edge::Open(_), "img" | "amp-img") if unscripted == 0 && bytes <= EVENT_BYTES_MAX => {
                let found = found.real(node, element).and_then(|text| address(&text, base));
                bytes += found.as_ref().map_or(0, |found| found.as_str().len());
                addresses.extend(found.map(String::from));
            }
            _ => {}
        }
    }
    addresses
}

/// Whether a `noscript` with a picture stands right beside a picture, or beside the `picture` around it.
pub(super) fn has_unscripted_beside(node: NodeRef<'_, Node>) -> bool {
    let node = node.parent().filter(|parent| is_named(parent, "picture")).unwrap_or(node);
    let behind = node.next_siblings().take(BESIDE_MAX).find(says_something);
    let before = node.prev_siblings().take(BESIDE_MAX).find(says_something);
    [behind, before].into_iter().flatten().any(|beside| {
        is_named(&beside, "noscript") && beside.descendants().take(BESIDE_MAX).any(|inner| is_named(&inner, "img"))
    })
}

fn is_named(node: &NodeRef<'_, Node>, name: &str) -> bool {
    node.value().as_element().is_some_and(|element| element.name() == name)
}

fn says_something(node: &NodeRef<'_, Node>) -> bool {
    match node.value() {
        Node::Text(text) => !is_blank(text),
        Node::Comment(_) => false,
        _ => true,
    }
}
