//! What Word's own formulas (OMML in HTML) say by their layout, as signs before and behind their elements: brackets, the line
//! of a fraction, roots. The elements themselves are walked through, see `written`.
//!
//! A parser of HTML does not know that `<m:deg/>` is closed, so what follows may stand inside. Pure: an element in, signs out.

use ego_tree::NodeRef;
use scraper::{Node, node::Element};

/// How many nodes around or inside an element are looked at; where there are more, it is taken for more than one thing.
const LOOKED_AT: usize = 60;

/// What stands before what an element holds.
pub(super) fn before(node: NodeRef<'_, Node>) -> String {
    let bracket = if is_held(node) { "(" } else { "" };
    match name(node) {
        "m:f" => before_fraction(node).to_owned(),
        "m:den" if node.parent().is_some_and(is_without_line) => "; ".to_owned(),
        "m:den" => format!("/{bracket}"),
        "m:d" => property(node, "m:dpr", "m:begchr").unwrap_or("(").to_owned(),
        "m:nary" => property(node, "m:narypr", "m:chr").unwrap_or("∫").to_owned(),
        "m:m" => "[".to_owned(),
        "m:mr" if has_one_before(node) => "; ".to_owned(),
        "m:e" => match around(node) {
            "m:rad" => "√(".to_owned(),
            "m:mr" if has_one_before(node) => ", ".to_owned(),
            "m:d" if has_one_before(node) => "|".to_owned(),
            _ => bracket.to_owned(),
        },
        _ => bracket.to_owned(),
    }
}

/// What stands behind it.
pub(super) fn behind(node: NodeRef<'_, Node>) -> &str {
    match name(node) {
        "m:f" if before_fraction(node) == "(" => ")",
        "m:d" => property(node, "m:dpr", "m:endchr").unwrap_or(")"),
        "m:m" => "]",
        "m:e" if around(node) == "m:rad" => ")",
        _ if is_held(node) => ")",
        _ => "",
    }
}

/// Whether it says nothing but what is inside: a root's degree that is not there.
pub(super) fn is_empty_degree(node: NodeRef<'_, Node>) -> bool {
    name(node) == "m:deg" && (elements(node).any(|child| name(child) == "m:e") || text(node).as_deref() == Some(""))
}

/// Whether it stands in brackets, so that what is beside it counts for all of it.
fn is_held(node: NodeRef<'_, Node>) -> bool {
    match name(node) {
        "m:num" | "m:den" => !node.parent().is_some_and(is_without_line) && !is_one_thing(node),
        "m:e" => match around(node) {
            "m:ssup" | "m:ssub" | "m:ssubsup" | "m:spre" | "m:nary" => !is_one_thing(node),
            "m:func" => !is_bracketed(node),
            _ => false,
        },
        _ => false,
    }
}

fn before_fraction(node: NodeRef<'_, Node>) -> &'static str {
    if is_without_line(node) {
        let is_in_brackets = around(node) == "m:e" && node.parent().is_some_and(|e| around(e) == "m:d");
        return if is_in_brackets { "" } else { "(" };
    }
    let beside = |node: Option<NodeRef<'_, Node>>| node.map_or(Some(String::new()), text);
    let says = |node: &NodeRef<'_, Node>| text(*node).as_deref() != Some("");
    let (Some(left), Some(right)) = (
        beside(node.prev_siblings().take(LOOKED_AT).find(says)),
        beside(node.next_siblings().take(LOOKED_AT).find(says)),
    ) else {
        return "(";
    };
    let (left, right) = (left.chars().next_back(), right.chars().next());
    let is_figure = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let touches = |c: char, signs: &str| c.is_alphanumeric() || signs.contains(c);
    match () {
        () if right.is_some_and(|c| touches(c, "([{√!%'′")) => "(",
        () if is_figure(left) && is_figure(text(node).and_then(|text| text.chars().next())) => " ",
        () if left.is_some_and(|c| touches(c, ")]}/÷:!")) => "(",
        () => "",
    }
}

fn is_without_line(fraction: NodeRef<'_, Node>) -> bool {
    property(fraction, "m:fpr", "m:type").is_some_and(|kind| kind.eq_ignore_ascii_case("nobar"))
}

/// Whether it is one number or name, or stands in brackets of its own.
fn is_one_thing(node: NodeRef<'_, Node>) -> bool {
    let has_layout = || {
        node.descendants()
            .take(LOOKED_AT)
            .skip(1)
            .any(|inner| matches!(name(inner), "m:f" | "m:rad" | "m:ssup" | "m:ssub"))
    };
    let is_plain = |text: String| text.chars().all(char::is_alphanumeric);
    is_bracketed(node) || text(node).is_some_and(is_plain) && !has_layout()
}

fn is_bracketed(node: NodeRef<'_, Node>) -> bool {
    let mut inside = elements(node).filter(|child| name(*child) != "m:ctrlpr");
    inside.next().is_some_and(|only| name(only) == "m:d") && inside.next().is_none()
}

/// The text of a node without blanks; `None`: there is much inside.
fn text(node: NodeRef<'_, Node>) -> Option<String> {
    let mut inside = node.descendants();
    let looked_at = inside.by_ref().take(LOOKED_AT);
    let texts = looked_at.filter_map(|inner| inner.value().as_text());
    let text: String = texts.flat_map(|text| text.chars()).filter(|c| !c.is_whitespace()).collect();
    inside.next().is_none().then_some(text)
}

fn property<'t>(node: NodeRef<'t, Node>, properties: &str, wanted: &str) -> Option<&'t str> {
    let properties = elements(node).take(LOOKED_AT).find(|child| name(*child) == properties)?;
    let mut inside = properties.descendants().take(LOOKED_AT);
    inside.find(|inner| name(*inner) == wanted)?.value().as_element()?.attr("m:val")
}

/// The name of the element around, past a degree that was not closed.
fn around<'t>(node: NodeRef<'t, Node>) -> &'t str {
    let parent = node.parent();
    let parent =
        if parent.is_some_and(|parent| name(parent) == "m:deg") { parent.and_then(|deg| deg.parent()) } else { parent };
    parent.map_or("", name)
}

fn has_one_before(node: NodeRef<'_, Node>) -> bool {
    node.prev_siblings().take(LOOKED_AT).any(|sibling| name(sibling) == name(node))
}

fn elements<'t>(node: NodeRef<'t, Node>) -> impl Iterator<Item = NodeRef<'t, Node>> {
    node.children().filter(|child| child.value().is_element())
}

fn name<'t>(node: NodeRef<'t, Node>) -> &'t str {
    node.value().as_element().map_or("", Element::name)
}
