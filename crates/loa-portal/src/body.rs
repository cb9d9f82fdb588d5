//! The lead, the pictures and the body of an article: everything between the time of posting and
//! the first label.

use crate::{
    PortalImage,
    block::{Block, Form},
    label,
    reader::Reader,
};
use std::collections::BTreeSet;

/// What stands between.
pub(crate) struct Body {
    pub(crate) summary: String,
    pub(crate) content_html: String,
    pub(crate) content_text: String,
    pub(crate) images: Vec<PortalImage>,
}

/// Reads blocks `start..end`; `None` when there is no text but the lead.
///
/// The lead is what the page's form calls so; else the first paragraph, where it stands first and other text or a picture
/// follows. One paragraph alone is a body.
pub(crate) fn read(reader: &mut Reader, start: usize, end: usize) -> Option<Body> {
    let blocks: Vec<(usize, Block)> = (start..end).map(|place| (place, reader.blocks[place].clone())).collect();
    let is_text = |block: &Block| {
        !block.text.is_empty()
            && !matches!(block.form, Form::Image { .. } | Form::Furniture | Form::Embedded | Form::Caption)
            && !matches!(label::of(&block.text), Some((label::Label::Views | label::Label::Posted, _)))
    };
    let texts: Vec<usize> = blocks.iter().filter(|(_, block)| is_text(block)).map(|(place, _)| *place).collect();
    let is_image = |block: &Block| matches!(block.form, Form::Image { .. });
    let leads = leads(
        reader,
        &texts,
        blocks.first().is_some_and(|(_, b)| is_image(b)),
        blocks.iter().any(|(_, b)| is_image(b)),
    );
    if texts.len() == leads.len() {
        return None;
    }
    let mut body =
        Body { summary: String::new(), content_html: String::new(), content_text: String::new(), images: Vec::new() };
    let mut in_list = false;
    for (place, block) in &blocks {
        let is_taken = is_text(block);
        if leads.contains(place) {
            if !body.summary.is_empty() {
                body.summary.push(' ');
            }
            body.summary.push_str(block.text.trim());
            reader.take(*place);
            continue;
        }
        let html = match &block.form {
            Form::Image { name, url } => {
                reader.take(*place);
                body.images.push(PortalImage { name: name.clone(), url: url.clone(), alt: block.text.clone() });
                // The main picture stands apart; others stay where they are.
                if body.images.len() > 1 { block.to_html() } else { String::new() }
            }
            Form::Caption => match body.images.last_mut().filter(|image| image.alt.is_empty()) {
                Some(image) => {
                    image.alt.clone_from(&block.text);
                    reader.take(*place);
                    String::new()
                }
                None => {
                    reader.take(*place);
                    body.content_text.push_str(&block.text);
                    body.content_text.push('\n');
                    block.to_html()
                }
            },
            _ if is_taken => {
                reader.take(*place);
                body.content_text.push_str(&block.text);
                body.content_text.push('\n');
                block.to_html()
            }
            _ => continue,
        };
        let is_item = block.form == Form::Item && is_taken;
        if is_item != in_list && !html.is_empty() {
            body.content_html.push_str(if is_item { "<ul>\n" } else { "</ul>\n" });
            in_list = is_item;
        }
        body.content_html.push_str(&html);
        if !html.is_empty() {
            body.content_html.push('\n');
        }
    }
    if in_list {
        body.content_html.push_str("</ul>\n");
    }
    body.content_html.truncate(body.content_html.trim_end().len());
    body.content_text.truncate(body.content_text.trim_end().len());
    Some(body)
}

/// Which blocks are the lead.
fn leads(reader: &Reader, texts: &[usize], image_is_first: bool, has_image: bool) -> BTreeSet<usize> {
    let named: BTreeSet<usize> =
        texts.iter().copied().filter(|&place| reader.blocks[place].form == Form::Lead).collect();
    if !named.is_empty() {
        return named;
    }
    match texts {
        [first, ..]
            if !image_is_first && (texts.len() > 1 || has_image) && reader.blocks[*first].form == Form::Plain =>
        {
            BTreeSet::from([*first])
        }
        _ => BTreeSet::new(),
    }
}
