//! The lead, the pictures and the body of an article, from the blocks that are its text.
//!
//! Which blocks these are was decided before (`region.rs`, `article.rs`); this file writes them. HTML
//! is still to be sanitised.

use crate::{
    PortalImage,
    block::{Block, Form},
    label::Label,
    reader::{Reader, label_of},
};
use std::collections::BTreeSet;

/// What an article's text is.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) summary: String,
    pub(crate) content_html: String,
    pub(crate) content_text: String,
    pub(crate) images: Vec<PortalImage>,
    /// The first block of the lead, and whether the page's form calls it so.
    pub(crate) lead: Option<(usize, bool)>,
    /// The first and last block of the body, and how many blocks it has.
    pub(crate) blocks: Option<(usize, usize, usize)>,
}

/// Writes the blocks; `None` when there is no text but the lead.
///
/// The lead is what the page's form calls so; else the first paragraph, where it stands first and other text or a picture
/// follows. One paragraph alone is a body.
pub(crate) fn write(reader: &mut Reader, places: &[usize]) -> Option<Body> {
    let roles: Vec<(usize, Role)> = places.iter().map(|&place| (place, role(reader, place))).collect();
    let texts: Vec<usize> = roles.iter().filter(|(_, role)| *role == Role::Text).map(|(place, _)| *place).collect();
    let (leads, is_named) = leads(reader, &texts, &roles);
    if texts.len() == leads.len() {
        return None;
    }
    let mut writing = Writing::default();
    for &(place, role) in &roles {
        let block = reader.blocks[place].clone();
        if role != Role::None {
            reader.take(place);
        }
        if leads.contains(&place) {
            writing.lead(&block);
        } else {
            writing.block(place, &block, role);
        }
    }
    let mut body = writing.end();
    body.lead = leads.first().map(|&place| (place, is_named));
    Some(body)
}

/// What a block is within the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Text,
    Image,
    /// Words under a picture, or its credit.
    Caption,
    None,
}

fn role(reader: &Reader, place: usize) -> Role {
    let block = &reader.blocks[place];
    let is_credit = || matches!(label_of(block), Some((Label::Source | Label::Author, _)));
    let is_under_picture = || {
        let before = place.checked_sub(1).map(|before| &reader.blocks[before].form);
        matches!(before, Some(Form::Image { .. } | Form::Caption))
    };
    match &block.form {
        Form::Image { .. } => Role::Image,
        Form::Caption if !block.text.is_empty() => Role::Caption,
        _ if !block.is_words() => Role::None,
        _ if is_credit() && is_under_picture() => Role::Caption,
        _ => Role::Text,
    }
}

/// Which blocks are the lead, and whether the page's form calls them so.
fn leads(reader: &Reader, texts: &[usize], roles: &[(usize, Role)]) -> (BTreeSet<usize>, bool) {
    let is_lead = |place: &usize| reader.blocks[*place].form == Form::Lead;
    let named: BTreeSet<usize> = texts.iter().copied().filter(is_lead).collect();
    if !named.is_empty() {
        return (named, true);
    }
    let image_is_first = roles.first().is_some_and(|(_, role)| *role == Role::Image);
    let has_image = roles.iter().any(|(_, role)| *role == Role::Image);
    let first = texts.first().filter(|&&first| {
        !image_is_first && (texts.len() > 1 || has_image) && reader.blocks[first].form == Form::Plain
    });
    (first.copied().into_iter().collect(), false)
}

/// A body in the making, and the element that holds the block before.
#[derive(Default)]
struct Writing {
    body: Body,
    /// How the open list or quotation is told from another, and how it closes.
    open: Option<(usize, &'static str)>,
}

impl Writing {
    fn lead(&mut self, block: &Block) {
        if !self.body.summary.is_empty() {
            self.body.summary.push(' ');
        }
        self.body.summary.push_str(block.text.trim());
    }

    fn block(&mut self, place: usize, block: &Block, role: Role) {
        let html = match (role, &block.form) {
            (Role::Image, Form::Image { name, url }) => {
                let image = PortalImage { name: name.clone(), url: url.clone(), alt: block.text.clone() };
                self.body.images.push(image);
                // The main picture stands apart; others stay where they are.
                if self.body.images.len() > 1 { block.to_html() } else { String::new() }
            }
            (Role::Caption, _) => match self.body.images.last_mut().filter(|image| image.alt.is_empty()) {
                Some(image) => {
                    image.alt.clone_from(&block.text);
                    String::new()
                }
                None => self.text(block),
            },
            (Role::Text, _) => self.text(block),
            _ => return,
        };
        let (first, _, count) = self.body.blocks.unwrap_or((place, place, 0));
        self.body.blocks = Some((first, place, count + usize::from(role == Role::Text)));
        if !html.is_empty() {
            self.surround(block);
            self.body.content_html.push_str(&html);
            self.body.content_html.push('\n');
        }
    }

    fn text(&mut self, block: &Block) -> String {
        self.body.content_text.push_str(&block.text);
        self.body.content_text.push('\n');
        block.to_html()
    }

    /// Closes the list or quotation that the block is not of, and opens the one it is of.
    fn surround(&mut self, block: &Block) {
        const QUOTE: usize = usize::MAX;
        let (of, opening, closing) = match (&block.form, &block.place.list) {
            (Form::Item, Some((list, opening))) => {
                (Some(*list), opening.as_str(), if opening.starts_with("<ol") { "</ol>\n" } else { "</ul>\n" })
            }
            (Form::Quote, _) => (Some(QUOTE), "<blockquote>", "</blockquote>\n"),
            _ => (None, "", ""),
        };
        if self.open.map(|(open, _)| open) == of {
            return;
        }
        self.close();
        if let Some(of) = of {
            self.body.content_html.push_str(opening);
            self.body.content_html.push('\n');
            self.open = Some((of, closing));
        }
    }

    fn close(&mut self) {
        if let Some((_, closing)) = self.open.take() {
            self.body.content_html.push_str(closing);
        }
    }

    fn end(mut self) -> Body {
        self.close();
        let mut body = self.body;
        body.content_html.truncate(body.content_html.trim_end().len());
        body.content_text.truncate(body.content_text.trim_end().len());
        body
    }
}
