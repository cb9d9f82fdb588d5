//! A formula (MathML) as text: `200 m²`, `(a + b)/2`, `√(x)`. What it says in figures must not get lost with its layout, nor
//! change: what a layout holds together stands in brackets.
//!
//! Pure: one element of a tree in, HTML of text, `sup` and `sub` out. Where a formula gives its source beside it
//! (`annotation`), that is read only when nothing else is there. Nested deeper than [`DEPTH_MAX`], it is told as bare text.

use ego_tree::NodeRef;
use loa_domain::escape_html;
use scraper::{Node, node::Element};

/// Levels that have a layout. Each level copies what is inside it.
const DEPTH_MAX: usize = 32;
/// Signs with a blank on either side.
const RELATIONS: &str = "=+-−×÷<>≤≥≠±≈→⇒⇔·∙*";
const RAISED: [(&str, &str); 2] =
    [("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ"), ("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")];

/// A formula in one line of HTML; empty: it says nothing.
pub(super) fn html_of(formula: NodeRef<'_, Node>) -> String {
    let mut line = Line::default();
    line.children(formula, 0);
    let written = line.0.trim().to_owned();
    if !written.is_empty() {
        return written;
    }
    let source = formula.descendants().find(|node| name(*node) == "annotation").map(text_of).unwrap_or_default();
    let alternative = || formula.value().as_element().and_then(|element| element.attr("alttext")).unwrap_or_default();
    escape_html(if source.is_empty() { alternative().trim() } else { &source })
}

fn name<'t>(node: NodeRef<'t, Node>) -> &'t str {
    node.value().as_element().map_or("", Element::name)
}

/// The bare text of an element, in one line.
fn text_of(node: NodeRef<'_, Node>) -> String {
    let texts = node.descendants().filter_map(|inner| inner.value().as_text());
    texts.flat_map(|text| text.split_whitespace()).collect::<Vec<_>>().join(" ")
}

fn elements<'t>(node: NodeRef<'t, Node>) -> impl Iterator<Item = NodeRef<'t, Node>> {
    node.children().filter(|child| child.value().is_element())
}

/// Signs behind which a fraction is one thing; and signs that would count for its lower half only.
const DIVISIONS: &str = "/÷:";
const BEHIND: &str = "!%'′";
/// Signs that are not seen: of a product, of a function and its argument, of a list, of a sum.
const UNSEEN: [char; 4] = ['\u{2061}', '\u{2062}', '\u{2063}', '\u{2064}'];

/// What is written so far, and where the fraction begins that it ends with.
#[derive(Default)]
struct Line(String, Option<usize>);

impl Line {
    fn children(&mut self, node: NodeRef<'_, Node>, depth: usize) {
        for child in node.children() {
            match child.value() {
                Node::Text(text) => text.split_whitespace().for_each(|word| self.token(word)),
                Node::Element(_) => self.element(child, depth + 1),
                _ => {}
            }
        }
    }

    fn element(&mut self, node: NodeRef<'_, Node>, depth: usize) {
        let part = |place: usize| elements(node).nth(place).map(|part| of(part, depth)).unwrap_or_default();
        match name(node) {
            "annotation" | "annotation-xml" | "mphantom" | "none" | "mprescripts" => {}
            _ if depth > DEPTH_MAX => self.token(&text_of(node)),
            "mo" => self.operator(&text_of(node)),
            "mi" | "mn" | "mtext" | "ms" => self.token(&text_of(node)),
            "mspace" => self.blank(),
            "mfrac" if is_without_line(node) => {
                let (above, below) = (part(0), part(1));
                let is_open = self.0.ends_with('(');
                self.token_html(&if is_open { format!("{above}; {below}") } else { format!("({above}; {below})") });
            }
            "mfrac" => self.fraction(&format!("{}/{}", grouped(&part(0)), grouped(&part(1)))),
            "msqrt" => self.token_html(&format!("√({})", of_children(node, depth))),
            "mroot" => self.token_html(&format!("{}√({})", raised(&part(1), 0), part(0))),
            "msup" | "mover" => self.token_html(&format!("{}{}", held(&part(0)), raised(&part(1), 0))),
            "msub" | "munder" => self.token_html(&format!("{}{}", held(&part(0)), raised(&part(1), 1))),
            "msubsup" | "munderover" => {
                let (above, below) = (raised(&part(2), 0), raised(&part(1), 1));
                self.token_html(&format!("{}{below}{above}", held(&part(0))));
            }
            "mfenced" => self.fenced(node, depth),
            "mtr" | "mtd" | "mlabeledtr" => {
                let within = of_children(node, depth);
                self.1 = None;
                let sign = if name(node) == "mtd" { ", " } else { "; " };
                let begins = self.0.is_empty() || self.0.ends_with(' ');
                self.0.push_str(if begins { "" } else { sign });
                self.0.push_str(&within);
            }
            "mtable" => self.token_html(&format!("[{}]", of_children(node, depth))),
            _ => self.children(node, depth),
        }
    }

    fn fenced(&mut self, node: NodeRef<'_, Node>, depth: usize) {
        let sign = |attribute: &str, usual: &str| {
            let given = node.value().as_element().and_then(|element| element.attr(attribute));
            escape_html(given.unwrap_or(usual).trim())
        };
        let parts: Vec<String> = elements(node).map(|part| of(part, depth)).collect();
        let between = format!("{} ", sign("separators", ",").chars().next().unwrap_or(','));
        self.token_html(&format!("{}{}{}", sign("open", "("), parts.join(&between), sign("close", ")")));
    }

    fn token(&mut self, text: &str) {
        self.token_html(&escape_html(text));
    }

    /// A number, a name or a group. A name behind a number is a unit; two names of several letters are two words.
    fn token_html(&mut self, html: &str) {
        let (Some(first), last) = (html.chars().next(), self.0.chars().next_back()) else { return };
        self.close_fraction();
        let last = self.0.chars().next_back().or(last);
        let unit = first.is_alphabetic() && last.is_some_and(|c| c.is_ascii_digit());
        let words = html.chars().nth(1).is_some_and(char::is_alphabetic) && last.is_some_and(char::is_alphanumeric);
        let figures = first.is_ascii_digit() && last.is_some_and(char::is_numeric);
        // the sign of a root would stand raised at what is before it
        let root = html.contains('√') && (first == '<' || first.is_numeric() && !first.is_ascii_digit());
        if unit || words || figures || root {
            self.blank();
        }
        self.0.push_str(html);
    }

    /// A fraction beside something without a sign between is a factor; two numbers are one: `2 1/2`.
    fn fraction(&mut self, html: &str) {
        self.close_fraction();
        let last = self.0.trim_end().chars().next_back();
        let is_mixed = html.starts_with(|c: char| c.is_ascii_digit()) && last.is_some_and(|c| c.is_ascii_digit());
        if !is_mixed && last.is_some_and(|c| c.is_alphanumeric() || ")>".contains(c) || DIVISIONS.contains(c)) {
            self.0.push_str(&format!("({html})"));
        } else {
            self.token_html(html);
            self.1 = Some(self.0.len() - html.len());
        }
    }

    /// Something follows that is no sign between two things.
    fn close_fraction(&mut self) {
        if let Some(begin) = self.1.take() {
            // of a mixed number, the whole stands before it
            let whole = self.0[..begin].trim_end_matches(' ').trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let begin = if self.0[whole..begin].trim().is_empty() { begin } else { whole };
            self.0.insert(begin, '(');
            self.0.insert(self.0.trim_end().len(), ')');
        }
    }

    fn operator(&mut self, sign: &str) {
        let sign = sign.trim_matches(UNSEEN);
        if sign.is_empty() {
            return;
        }
        if BEHIND.contains(sign) || sign == "(" {
            self.close_fraction();
        }
        self.1 = None;
        let is_relation = sign.chars().count() == 1 && RELATIONS.contains(sign);
        let is_between = self.0.chars().next_back().is_some_and(|c| c.is_alphanumeric() || ")>²³!%".contains(c));
        let sign = escape_html(sign);
        if is_relation && is_between {
            self.0.push_str(&format!(" {sign} "));
        } else {
            self.0.push_str(&sign);
        }
    }

    fn blank(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with(' ') {
            self.0.push(' ');
        }
    }
}

fn of(node: NodeRef<'_, Node>, depth: usize) -> String {
    let mut line = Line::default();
    line.element(node, depth + 1);
    line.0.trim().to_owned()
}

fn of_children(node: NodeRef<'_, Node>, depth: usize) -> String {
    let mut line = Line::default();
    line.children(node, depth + 1);
    line.0.trim().to_owned()
}

/// Whether what stands above and below has no line between: a binomial, or two of a column.
fn is_without_line(node: NodeRef<'_, Node>) -> bool {
    let thickness = node.value().as_element().and_then(|element| element.attr("linethickness")).unwrap_or("1").trim();
    thickness.starts_with('0') && thickness.bytes().all(|b| !b.is_ascii_digit() || b == b'0')
}

/// In brackets where it is more than one number or name.
fn grouped(html: &str) -> String {
    if html.chars().all(char::is_alphanumeric) { html.to_owned() } else { format!("({html})") }
}

/// What something is raised at: in brackets where that would count for its end only.
fn held(html: &str) -> String {
    let is_raised = |c: char| c.is_numeric() && !c.is_ascii_digit();
    let is_sign = html.chars().count() <= 1;
    let is_plain = html.chars().all(char::is_alphanumeric) && !html.contains(is_raised);
    if is_sign || is_plain || is_in_brackets(html) { html.to_owned() } else { format!("({html})") }
}

/// Whether the bracket that a text begins with ends where the text ends.
fn is_in_brackets(html: &str) -> bool {
    let mut open = 0_usize;
    for (at, c) in html.char_indices() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return at > 0 && at + c.len_utf8() == html.len();
        }
    }
    false
}

/// Above the line (0) or below it (1): in letters made for that, or else in an element. A lone sign stands as it is: `x¯`.
fn raised(html: &str, below: usize) -> String {
    let (plain, small) = RAISED[below];
    let letter = |c: char| plain.chars().position(|known| known == c).and_then(|place| small.chars().nth(place));
    let letters: Option<String> = html.chars().filter(|c| !c.is_whitespace()).map(letter).collect();
    let is_sign = html.chars().count() == 1 && !html.chars().all(char::is_alphanumeric);
    match letters {
        Some(letters) => letters,
        None if is_sign => html.to_owned(),
        None if below == 1 => format!("<sub>{html}</sub>"),
        None => format!("<sup>{html}</sup>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scraper::{Html, Selector};

    fn check(inner: &str, expected: &str) {
        let html = Html::parse_fragment(&format!("<math>{inner}</math>"));
        let formula = html.select(&Selector::parse("math").unwrap()).next().unwrap();
        assert_eq!(html_of(*formula), expected, "{inner}");
    }

    #[test]
    fn a_formula_has_the_value_that_its_layout_gives_it() {
        let half = "<mfrac><mn>1</mn><mn>2</mn></mfrac>";
        let sum = "<mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow>";
        check("<msup><mfrac><mn>3</mn><mn>2</mn></mfrac><mn>2</mn></msup>", "(3/2)²");
        check(&format!("<msup>{sum}<mn>2</mn></msup>"), "(a + b)²");
        check(&format!("<msup><mrow><mo>(</mo>{sum}<mo>)</mo></mrow><mn>2</mn></msup>"), "(a + b)²");
        check("<mo>(</mo><mi>a</mi><mo>+</mo><mi>b</mi><msup><mo>)</mo><mn>2</mn></msup>", "(a + b)²");
        check("<msup><msup><mi>a</mi><mn>2</mn></msup><mn>3</mn></msup>", "(a²)³");
        check(&format!("<msup><msqrt>{sum}</msqrt><mn>2</mn></msup>"), "(√(a + b))²");
        check(
            "<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo><mo>(</mo><mi>b</mi><mo>)</mo></mrow><mn>2</mn></msup>",
            "((a)(b))²",
        );
        check("<mo>(</mo><mfrac linethickness=\"0\"><mi>n</mi><mi>k</mi></mfrac><mo>)</mo>", "(n; k)");
        check("<mfrac linethickness=\"0px\"><mi>n</mi><mi>k</mi></mfrac>", "(n; k)");
        check(&format!("{half}<mi>x</mi>"), "(1/2)x");
        check(&format!("{half}<mo>\u{2062}</mo><mi>x</mi>"), "(1/2)x");
        check(&format!("<mi>x</mi>{half}"), "x(1/2)");
        check(&format!("<mn>2</mn>{half}"), "2 1/2");
        check(&format!("<mn>2</mn>{half}<mi>x</mi>"), "(2 1/2)x");
        check(&format!("<mi>a</mi><mo>/</mo>{half}"), "a/(1/2)");
        check(&format!("{half}<mspace></mspace><mi>x</mi>"), "(1/2) x");
        check(&format!("{half}<mo>!</mo>"), "(1/2)!");
        check(&format!("{half}<mo>+</mo>{half}"), "1/2 + 1/2");
        check("<mn>2</mn><mroot><mi>x</mi><mn>3</mn></mroot>", "2 ³√(x)");
        check(
            "<msub><mi>x</mi><mn>1</mn></msub><mo>=</mo><msubsup><mi>y</mi><mn>2</mn><mn>3</mn></msubsup>",
            "x₁ = y₂³",
        );
    }
}
