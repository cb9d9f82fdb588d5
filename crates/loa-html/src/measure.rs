//! Measures a text piece by piece, and stops at the first bound.

use crate::{
    Excess,
    attributes::most_in_one_tag,
    bounds::{ATTRIBUTES_MAX, DEPTH_MAX, GROWTH_BYTES, NAMES_MAX, PAGE_ATTRIBUTES_MAX, STEPS_AT_LEAST, STEPS_PER_BYTE},
    tree::{Count, Tree},
};
use html5ever::{ParseOpts, QualName, local_name, ns, parse_document, parse_fragment, tendril::TendrilSink};
use loa_domain::HtmlExcess;
use std::rc::Rc;

/// What is fed at once, in bytes: what a bound may be overstepped by.
const PIECE_BYTES: usize = 4_096;

/// How a text will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As what stands inside a `div`.
    Fragment,
    /// As what stands inside a `div`, for somebody who runs no scripts: what a `noscript` holds is read, too.
    Unscripted,
    /// As a whole page.
    Page,
}

/// What reading a text costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Steps of the parser: questions about open elements, nodes made and passed.
    pub steps: u64,
    /// What is written, in bytes: start tags with all attributes, and text.
    pub bytes: u64,
    /// The most elements inside each other.
    pub depth: usize,
}

/// Reads a text as the parser does, keeps nothing of it, and says what that cost. Takes at most as many steps as the
/// bounds allow and a piece of 4 KiB more.
///
/// # Errors
/// The first bound that the text oversteps.
pub fn measure(html: &str, shape: Shape) -> Result<Measure, Excess> {
    let most = most_in_one_tag(html);
    // a page has scripts, and their text may look like a tag without end
    let allowed = if matches!(shape, Shape::Page) { PAGE_ATTRIBUTES_MAX } else { ATTRIBUTES_MAX };
    if most > allowed {
        return Err(Excess { kind: HtmlExcess::Attributes(most), steps: 0 });
    }
    let count = Rc::new(Count::default());
    let tree = Tree::new(count.clone());
    let mut parser = match shape {
        Shape::Page => parse_document(tree, ParseOpts::default()),
        Shape::Fragment | Shape::Unscripted => {
            let context = QualName::new(None, ns!(html), local_name!("div"));
            let mut options = ParseOpts::default();
            options.tree_builder.scripting_enabled = matches!(shape, Shape::Fragment);
            parse_fragment(tree, options, context, Vec::new(), false)
        }
    };
    let length = html.len() as u64;
    let mut rest = html;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
        parser.process(piece.into());
        check(&count, length)?;
        rest = behind;
    }
    parser.finish();
    check(&count, length)?;
    Ok(Measure { steps: count.steps.get(), bytes: count.bytes.get(), depth: count.depth.get() })
}

fn check(count: &Count, length: u64) -> Result<(), Excess> {
    let steps = count.steps.get();
    let kind = if count.depth.get() > DEPTH_MAX {
        HtmlExcess::Depth(DEPTH_MAX)
    } else if count.names.borrow().len() > NAMES_MAX {
        HtmlExcess::Names(NAMES_MAX)
    } else if count.bytes.get() > 2 * length + GROWTH_BYTES {
        HtmlExcess::Growth
    } else if steps > STEPS_PER_BYTE * length + STEPS_AT_LEAST {
        HtmlExcess::Steps
    } else {
        return Ok(());
    };
    Err(Excess { kind, steps })
}
