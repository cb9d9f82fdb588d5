//! Reads a page as a list of articles: titles, the day of each, and where each can be read.
//!
//! What such a page is for is its links; a page of text has none, and gives titles with their days. It
//! decides nothing about the articles themselves.

use crate::{
    OtherItem, PageError,
    block::{Block, Form},
    reader::{Reader, label_of},
    stamp::{self, Line, Stamp},
};
use jiff::civil::Date;
use std::collections::HashMap;

/// A link of fewer words leads to a section, not to an article.
const WORDS_MIN: usize = 4;
/// Blocks behind a title in which its day may stand.
const NEAR: usize = 4;
/// A list has that many.
const ITEMS_MIN: usize = 2;

/// Reads the list. One address is one article; of its links the one with the most words is its title.
pub(crate) fn read(reader: &Reader) -> Result<Vec<OtherItem>, PageError> {
    let has_links = reader.blocks.iter().any(|block| block.place.is_link);
    let is_title = |place: usize| if has_links { is_linked(&reader.blocks[place]) } else { is_dated(reader, place) };
    let mut items: Vec<OtherItem> = Vec::new();
    let mut by_address: HashMap<String, usize> = HashMap::new();
    for place in (0..reader.blocks.len()).filter(|&place| is_title(place)) {
        let block = &reader.blocks[place];
        let url = block.links.first().map(|(_, url)| url.clone());
        let posted_on = day_behind(reader, place, has_links);
        let known = url.as_ref().and_then(|url| by_address.get(url.as_str()).copied());
        match known.and_then(|known| items.get_mut(known)) {
            Some(item) => {
                if block.text.len() > item.title.len() {
                    item.title.clone_from(&block.text);
                }
                item.posted_on = item.posted_on.or(posted_on);
            }
            None => {
                if let Some(url) = &url {
                    by_address.insert(url.to_string(), items.len());
                }
                items.push(OtherItem { title: block.text.clone(), posted_on, url });
            }
        }
    }
    if items.len() < ITEMS_MIN {
        return Err(PageError::NoList);
    }
    Ok(items)
}

/// Whether a block is the link to an article.
fn is_linked(block: &Block) -> bool {
    let has_words = block.form == Form::Heading || block.text.split(' ').nth(WORDS_MIN - 1).is_some();
    block.is_words() && block.place.is_link && !block.place.is_aside && has_words && label_of(block).is_none()
}

/// Whether a line is a title with its day on the next.
fn is_dated(reader: &Reader, place: usize) -> bool {
    reader.is_value(place)
        && stamp::line(reader, place).is_none()
        && reader.blocks.get(place + 1).is_some()
        && day(stamp::line(reader, place + 1)).is_some()
}

/// The day that stands close behind a title, before the next.
fn day_behind(reader: &Reader, place: usize, has_links: bool) -> Option<Date> {
    let near = place + 1..reader.blocks.len().min(place + 1 + NEAR);
    let own = near.take_while(|&next| !(has_links && is_linked(&reader.blocks[next])));
    own.filter_map(|next| day(stamp::line(reader, next))).next()
}

fn day(line: Option<Line>) -> Option<Date> {
    match line?.stamp {
        Stamp::At { day, .. } => Some(day),
        Stamp::Placeholder | Stamp::Impossible(_) => None,
    }
}
