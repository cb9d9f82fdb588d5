//! What is filled in in a field of a form. Pure: an element in, text out.

use ego_tree::NodeRef;
use loa_domain::escape_html;
use scraper::{Node, node::Element};

/// The HTML of what a reader sees in a field; `None`: nobody sees the field.
pub(super) fn filled_in(node: NodeRef<'_, Node>, element: &Element) -> Option<String> {
    let kind = element.attr("type").unwrap_or("text").trim().to_ascii_lowercase();
    Some(match (element.name(), kind.as_str()) {
        ("input", "hidden") => return None,
        ("input", "checkbox" | "radio") => {
            if element.attr("checked").is_some() {
                "☑".to_owned()
            } else {
                "☐".to_owned()
            }
        }
        ("input", "submit" | "button" | "reset" | "image" | "file" | "password" | "color" | "range") => String::new(),
        ("input", _) => escape_html(element.attr("value").unwrap_or_default().trim()),
        ("textarea", _) => escape_html(texts_of(node).trim()).replace('\n', "<br>"),
        ("select", _) => escape_html(&chosen(node)),
        _ => String::new(),
    })
}

fn texts_of(node: NodeRef<'_, Node>) -> String {
    node.descendants().filter_map(|inner| inner.value().as_text().map(|text| &**text)).collect()
}

/// What is chosen of a list; all of it where nothing is.
fn chosen(select: NodeRef<'_, Node>) -> String {
    let options = || {
        select
            .descendants()
            .filter_map(|node| Some((node, node.value().as_element()?)))
            .filter(|(_, e)| e.name() == "option")
    };
    let text = |(node, _): (NodeRef<'_, Node>, &Element)| texts_of(node).trim().to_owned();
    let chosen: Vec<String> = options().filter(|(_, e)| e.attr("selected").is_some()).map(text).collect();
    let chosen = if chosen.is_empty() { options().map(text).collect() } else { chosen };
    chosen.join(", ")
}
