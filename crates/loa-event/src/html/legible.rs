//! Makes a body legible without a browser: what the sanitiser would drop with all that it says becomes text and links first.
//!
//! Players, sounds, films, objects and embedded pages become links with a word before them; pictures that a script would load
//! get their real address; formulas and drawings become their text; of forms what is filled in stays; Word's islands go.
//! Each is counted, for a note. Only bodies that hold something of this kind are read here ([`is_needed`]): others are not
//! touched, so that they come out as they always did.
//!
//! It is no gate: what it writes goes through the sanitiser like everything else. One walk over a tree that `loa-html` has
//! measured; whatever it looks at beside an element is bounded.

mod drawing;
mod elements;
mod embedded;
mod fields;
mod formula;
mod lazy;
mod needed;
mod own;
mod place;
mod unscripted;
mod word_formula;

pub(super) use needed::is_needed;
pub(crate) use own::own_words;

use super::{pictures::is_unseen, tags::is_hidden, tally::Tally, text::BLOCKS, work::Work};
use crate::limits::EVENT_BYTES_MAX;
use ego_tree::NodeRef;
use elements::{is_island, written};
use embedded::{Embed, called};
use fields::filled_in;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment, tendril::TendrilSink};
use lazy::Addresses;
use loa_domain::{Altered, Embedded, clean_line, escape_html, is_blank};
use loa_words::Words;
use needed::SCHEMES;
use place::BodySoFar;
use scraper::{Html, HtmlTreeSink, Node, node::Element};
use std::collections::HashSet;
use unscripted::{has_unscripted_beside, scripted_pictures};
use url::Url;
use word_formula::is_empty_degree;

/// Writes a body anew, legible. It stops beyond the bytes of an event; then it is refused by its length.
pub(super) fn legible(html: &str, base: &Url, words: &dyn Words, tally: &mut Tally, work: &Work) -> String {
    let tree = tree_of(html);
    let mut walk = Walk {
        base,
        words,
        tally,
        place: BodySoFar::default(),
        addresses: Addresses::new(base, work),
        later: HashSet::new(),
        unscripted: 0,
        open: Vec::new(),
    };
    if html.to_ascii_lowercase().contains("<noscript") {
        walk.later = scripted_pictures(&tree, &mut walk.addresses, base);
    }
    let mut next = tree.tree.root().first_child().and_then(|root| root.first_child()).map(|node| (node, true));
    while let Some((node, opens)) = next {
        work.scanned(1);
        if walk.place.bytes() > EVENT_BYTES_MAX {
            break;
        }
        let goes_in = opens && walk.open(node);
        next = match node.first_child().filter(|_| goes_in) {
            Some(child) => Some((child, true)),
            None => {
                if goes_in || !opens {
                    walk.close(node);
                }
                let parent =
                    node.parent().filter(|parent| parent.parent().is_some_and(|above| above.parent().is_some()));
                node.next_sibling().map(|sibling| (sibling, true)).or_else(|| parent.map(|parent| (parent, false)))
            }
        };
    }
    let written = walk.place.finish();
    work.scanned(2 * written.len());
    written
}

/// As somebody reads it who runs no scripts.
fn tree_of(html: &str) -> Html {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    parse_fragment(HtmlTreeSink::new(Html::new_fragment()), options, context, Vec::new(), false).one(html)
}

/// The walk and what it has met.
struct Walk<'w> {
    base: &'w Url,
    words: &'w dyn Words,
    tally: &'w mut Tally,
    place: BodySoFar,
    addresses: Addresses<'w>,
    /// Addresses of the pictures outside `noscript`, where there is one.
    later: HashSet<String>,
    /// How many `noscript` are open.
    unscripted: usize,
    /// Elements that name an embedded page beside what they hold, and how many were embedded when each began.
    open: Vec<(ego_tree::NodeId, usize)>,
}

impl Walk<'_> {
    /// A node begins; whether its children are walked through.
    fn open(&mut self, node: NodeRef<'_, Node>) -> bool {
        let element = match node.value() {
            Node::Text(text) => {
                self.place.text(text);
                return false;
            }
            Node::Element(element) => element,
            // comments, and with them Word's conditional ones
            _ => return false,
        };
        if element.name.ns == ns!(svg) {
            self.drawing(node);
            return false;
        }
        if element.name.ns == ns!(mathml) {
            self.formula(node);
            return false;
        }
        self.open_element(node, element)
    }

    /// An element of a page begins; whether its children are walked through.
    fn open_element(&mut self, node: NodeRef<'_, Node>, element: &Element) -> bool {
        match element.name() {
            "script" | "template" | "title" => {
                self.tally.add(Altered::Scripts);
                false
            }
            "style" | "source" | "track" | "param" => false,
            name if is_island(name) => false,
            "noscript" => {
                self.unscripted += 1;
                true
            }
            "img" | "amp-img" | "amp-anim" => {
                self.picture(node, element);
                false
            }
            "iframe" | "amp-iframe" => self.frame(element),
            "embed" | "oembed" | "bgsound" | "amp-youtube" | "lite-youtube" | "amp-vimeo" | "lite-vimeo"
            | "amp-dailymotion" | "amp-facebook" => self.embedded(embedded::of(element, self.base)),
            "video" | "amp-video" => self.embedded(embedded::media(node, element, Embedded::Film, self.base)),
            "audio" | "amp-audio" => self.embedded(embedded::media(node, element, Embedded::Sound, self.base)),
            "object" | "applet" => self.embedded(embedded::object(node, element, self.base)),
            "area" => {
                self.area(element);
                false
            }
            "canvas" => {
                self.tally.add(Altered::Drawings);
                true
            }
            "input" | "textarea" | "select" | "button" | "isindex" => {
                self.field(node, element);
                false
            }
            _ if is_hidden(element) => {
                self.tally.add_many(Altered::HiddenPassages, usize::from(says_something(node)));
                false
            }
            name => {
                if names_embedded(element) {
                    self.open.push((node.id(), self.place.embedded()));
                }
                self.look_at_link(name, element);
                self.formula_of_word(node, name);
                if let Some(written) = written(name).filter(|_| !is_empty_degree(node)) {
                    self.place.start(written, element.attrs());
                }
                true
            }
        }
    }

    fn close(&mut self, node: NodeRef<'_, Node>) {
        let Some(element) = node.value().as_element() else { return };
        if element.name().starts_with("m:") {
            let sign = word_formula::behind(node);
            if !sign.is_empty() {
                self.place.text(sign);
            }
        }
        if element.name() == "noscript" {
            self.unscripted = self.unscripted.saturating_sub(1);
        } else if let Some(written) = written(element.name())
            && element.name.ns == ns!(html)
            && !is_empty_degree(node)
        {
            self.place.end(written);
        }
        if self.open.last().is_some_and(|(id, _)| *id == node.id()) {
            let before = self.open.pop().map_or(0, |(_, embedded)| embedded);
            // the player itself may stand inside
            if self.place.embedded() == before {
                self.embedded(embedded::of(element, self.base));
            }
        }
    }

    /// Puts a link where something is embedded; whether what it holds instead is walked through: only where there is no link.
    fn embedded(&mut self, embed: Option<Embed>) -> bool {
        let Some(embed) = embed else {
            self.tally.add(Altered::EmbeddedWithoutAddress);
            return true;
        };
        self.tally.add(Altered::Embedded);
        self.place.link(self.words.embedded(embed.kind), embed.address.as_str(), &embed.name);
        false
    }

    fn frame(&mut self, element: &Element) -> bool {
        if is_unseen(element.attrs()) {
            self.tally.add(Altered::UnseenFrames);
        } else {
            self.embedded(embedded::of(element, self.base));
        }
        // text in a frame is for programs from before frames
        false
    }

    /// A place on a picture that leads somewhere. What it says stays, wherever it leads.
    fn area(&mut self, element: &Element) {
        let alt = element.attr("alt").map(clean_line).filter(|alt| !is_blank(alt));
        if let Some(mut embed) = embedded::of(element, self.base) {
            embed.name = alt.unwrap_or_else(|| called(&embed.address));
            self.embedded(Some(embed));
            return;
        }
        let address = element.attr("href").unwrap_or_default().trim();
        let says = escape_html(&alt.unwrap_or_default());
        if is_called_or_written_to(address) && !self.place.is_in_a_link() {
            let says = if says.is_empty() { escape_html(address) } else { says };
            self.place.inserted(&format!("<a href=\"{}\">{says}</a>", escape_html(address)));
        } else {
            self.place.inserted(&says);
            self.tally.add_many(Altered::UnusableAddresses, usize::from(!address.is_empty() && address != "#"));
        }
    }

    fn picture(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        let address = self.addresses.real(node, element);
        let is_repeated = address.as_ref().and_then(|text| embedded::address(text, self.base));
        let is_repeated = self.unscripted > 0 && is_repeated.is_some_and(|url| self.later.contains(url.as_str()));
        let stands_beside = || address.is_none() && !is_unseen(element.attrs()) && has_unscripted_beside(node);
        if !is_repeated && !stands_beside() {
            let others = element.attrs().filter(|(name, _)| !matches!(*name, "src" | "srcset"));
            self.place.picture(address.as_deref(), others);
        }
    }

    fn drawing(&mut self, node: NodeRef<'_, Node>) {
        self.tally.add(Altered::Drawings);
        for address in drawing::pictures_of(node) {
            self.place.picture(Some(address), std::iter::empty());
        }
        self.place.inserted(&escape_html(&drawing::text_of(node)));
    }

    fn formula(&mut self, node: NodeRef<'_, Node>) {
        self.tally.add(Altered::Formulas);
        self.place.inserted(&formula::html_of(node));
    }

    /// Word's own formulas are counted, and what their layout says is written with signs.
    fn formula_of_word(&mut self, node: NodeRef<'_, Node>, name: &str) {
        if name == "m:omath" {
            self.tally.add(Altered::Formulas);
        } else if name.starts_with("m:") {
            let sign = word_formula::before(node);
            if !sign.is_empty() {
                self.place.text(&sign);
            }
        }
    }

    /// What is filled in stays; fields that nobody sees say nothing.
    fn field(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        if let Some(html) = filled_in(node, element) {
            self.tally.add(Altered::FormFields);
            self.place.inserted(&html);
        }
    }

    fn look_at_link(&mut self, name: &str, element: &Element) {
        let address = if name == "a" { element.attr("href").unwrap_or_default().trim() } else { "" };
        let lower = address.to_ascii_lowercase();
        let says_nothing = matches!(lower.trim_end_matches(';'), "javascript:" | "javascript:void(0)" | "about:blank");
        let is_other = self.base.join(address).map_or(true, |url| !SCHEMES.contains(&url.scheme()));
        if is_other && !says_nothing {
            self.tally.add(Altered::UnusableAddresses);
        }
    }
}

/// Whether an element holds anything that somebody would see: a mark that holds nothing says nothing.
fn says_something(node: NodeRef<'_, Node>) -> bool {
    node.descendants().skip(1).any(|inner| match inner.value() {
        Node::Text(text) => !is_blank(text),
        Node::Element(element) => element.name() == "img",
        _ => false,
    })
}

/// Whether an element says beside what it holds which page it shows, as editors write it.
fn names_embedded(element: &Element) -> bool {
    let class = || element.attr("class").unwrap_or_default();
    element.attr("data-oembed-url").is_some() || element.attr("data-href").is_some() && class().contains("fb-")
}

/// An address of mail or of a telephone.
fn is_called_or_written_to(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "mailto" | "tel"))
}

/// Whether an element ends a line.
fn is_block(name: &str) -> bool {
    BLOCKS.contains(&format!(" {name} "))
}
