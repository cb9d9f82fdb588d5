//! Where on a page the article stands: the smallest element that holds its title and its text, and
//! where in it the text ends.
//!
//! Systems put blocks of news, laws and links on every side of an article. What stands outside the
//! region is never its body or its date.

use crate::{
    block::{Block, Elements, Form},
    label::Label,
    reader::label_of,
};

/// Blocks of text that a body has at least, beside a lead.
const TEXTS_MIN: usize = 2;
/// A shorter text without a sign at its end may be a byline or a tool.
const TEXT_CHARS_MIN: usize = 20;

/// A part of the tree of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    begin: usize,
    end: usize,
}

impl Region {
    /// The whole page.
    pub(crate) fn whole() -> Self {
        Self { begin: 0, end: usize::MAX }
    }

    /// Whether a block stands in it, and not beside the article.
    pub(crate) fn holds(self, block: &Block) -> bool {
        (self.begin..self.end).contains(&block.place.element) && !block.place.is_aside
    }
}

/// The region of the article whose title ends at block `title`.
pub(crate) fn of_article(blocks: &[Block], elements: &Elements, title: usize) -> Region {
    let titled = blocks[title].place.element;
    // The nearest element behind the title that systems name for an article's text.
    let named = elements.bodies.iter().copied().find(|&body| body > titled);
    let texts = || blocks[title + 1..].iter().filter(|block| is_text(block)).map(|block| block.place.element);
    let mut root = None;
    // A named element far behind, with other articles' titles between, is another's.
    let is_near = |body: usize| texts().take(TEXTS_MIN + 1).any(|text| text >= body && text < elements.ends[body]);
    if let Some(body) = named.filter(|&body| is_near(body)) {
        return region(elements, common(elements, titled, body));
    }
    for (texts_in, text) in texts().enumerate() {
        let inside = root.is_some_and(|root: usize| (root..elements.ends[root]).contains(&text));
        if texts_in >= TEXTS_MIN && !inside {
            break;
        }
        if !inside {
            root = Some(common(elements, root.unwrap_or(titled), text));
        }
    }
    root.map_or_else(Region::whole, |root| region(elements, root))
}

fn region(elements: &Elements, root: usize) -> Region {
    Region { begin: root, end: elements.ends[root] }
}

/// The smallest element that holds both.
fn common(elements: &Elements, one: usize, other: usize) -> usize {
    let mut root = one;
    while !(root..elements.ends[root]).contains(&other) && root > 0 {
        root = elements.parents[root];
    }
    root
}

/// Whether a block may be a part of an article's text.
fn is_text(block: &Block) -> bool {
    let is_long = block.text.chars().nth(TEXT_CHARS_MIN).is_some();
    let is_article = matches!(block.form, Form::Plain | Form::Lead | Form::Item | Form::Table | Form::Quote);
    is_article
        && !block.place.is_aside
        && !block.place.is_link
        && label_of(block).is_none()
        && (is_long || block.is_prose())
}

/// The block before which the article's text ends: the first label that only stands behind an article. Labels that also
/// stand above or within one end it where no more text follows.
pub(crate) fn end_of_text(blocks: &[Block], region: Region, start: usize) -> usize {
    let behind = behind(blocks, region, start);
    let mut has_text = false;
    for place in start..blocks.len() {
        let block = &blocks[place];
        if !region.holds(block) {
            continue;
        }
        let Behind { paragraphs: follows, has_source } = behind[place - start];
        let ends = match label_of(block).map(|(label, _)| label) {
            None
            | Some(
                Label::DocumentDetail
                | Label::DocumentTitle
                | Label::Posted
                | Label::Updated
                | Label::Ago
                | Label::Views,
            ) => {
                has_text |= block.is_words();
                false
            }
            // Files stand above a text, too.
            Some(Label::Files) => has_text && follows < 2,
            // A credit under a picture, or in the middle of the text.
            Some(Label::Source | Label::Author) => match place.checked_sub(1).map(|before| &blocks[before].form) {
                Some(Form::Image { .. } | Form::Caption) => follows < 1,
                _ => follows < 2 && !(follows == 1 && has_source),
            },
            Some(Label::Share | Label::Tool | Label::Tags | Label::Rating) => has_text && follows < 1,
            Some(_) => true,
        };
        if ends {
            return place;
        }
    }
    blocks.len()
}

/// What follows a block before the article must have ended.
#[derive(Debug, Clone, Copy, Default)]
struct Behind {
    paragraphs: usize,
    /// Whether the source is named behind them.
    has_source: bool,
}

/// What follows each block from `start` on.
fn behind(blocks: &[Block], region: Region, start: usize) -> Vec<Behind> {
    let mut found = vec![Behind::default(); blocks.len() - start];
    let mut behind = Behind::default();
    for place in (start..blocks.len()).rev() {
        found[place - start] = behind;
        let block = &blocks[place];
        if !region.holds(block) {
            continue;
        }
        match label_of(block).map(|(label, _)| label) {
            None => behind.paragraphs += usize::from(block.is_prose()),
            // The last of the text: paragraphs before it are the article's.
            Some(Label::Source) if behind.paragraphs == 0 => behind.has_source = true,
            Some(
                Label::Source
                | Label::Author
                | Label::Files
                | Label::Share
                | Label::Tool
                | Label::Tags
                | Label::Rating
                | Label::DocumentDetail
                | Label::DocumentTitle
                | Label::Posted
                | Label::Updated
                | Label::Ago
                | Label::Views,
            ) => {}
            Some(_) => behind = Behind::default(),
        }
    }
    found
}
