//! The text of a drawing (SVG): what no feed reader or mail draws can still be read.
//!
//! Pure: one element of a tree in, text out.

use ego_tree::NodeRef;
use scraper::{Node, node::Element};

/// What can be read in a drawing: its text, and its title or description where the text does not say it. One line; empty:
/// nothing.
pub(super) fn text_of(drawing: NodeRef<'_, Node>) -> String {
    let (mut text, mut title) = (Vec::new(), Vec::new());
    for node in drawing.descendants() {
        let Node::Text(words) = node.value() else { continue };
        let parent = node.parent().and_then(|parent| parent.value().as_element()).map(Element::name);
        let into = match parent {
            Some("script" | "style" | "metadata") => continue,
            Some("title" | "desc") => &mut title,
            _ => &mut text,
        };
        into.extend(words.split_whitespace());
    }
    let (text, mut title) = (text.join(" "), title.join(" "));
    if title.is_empty() {
        title = label(drawing).unwrap_or_default();
    }
    match () {
        () if title.is_empty() || text.contains(&title) => text,
        () if title.contains(&text) => title,
        () => format!("{title}: {text}"),
    }
}

fn label(drawing: NodeRef<'_, Node>) -> Option<String> {
    let label = drawing.value().as_element()?.attr("aria-label")?;
    Some(label.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The addresses of pictures inside a drawing, as written.
pub(super) fn pictures_of(drawing: NodeRef<'_, Node>) -> impl Iterator<Item = &str> {
    drawing.descendants().filter_map(|node| {
        let element = node.value().as_element().filter(|element| element.name() == "image")?;
        element.attrs().find(|(name, _)| *name == "href").map(|(_, address)| address)
    })
}
