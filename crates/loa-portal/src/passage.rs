//! Which blocks are an article's text: from behind its title to before what only stands behind an
//! article.
//!
//! Lines between title and time, labels within the text, and links that close it are told or taken as
//! what they are.

use crate::{
    PortalPage,
    behind::{self, Credits},
    block::{Block, Form},
    count::number,
    file::is_file,
    label::Label,
    posting::Posting,
    reader::{Reader, label_of},
    region::Region,
    stamp::{self, is_name},
};
use loa_domain::LeftOut;

/// The first block that may be text: behind title and time, unless text stands between the two.
pub(crate) fn start_of_text(reader: &Reader, region: Region, title: Option<usize>, posting: &Posting) -> usize {
    let time = posting.blocks;
    let behind_title = title.map_or(0, |title| title + 1);
    let Some((time, last)) = time.filter(|(time, _)| title.is_none_or(|title| *time > title)) else {
        return behind_title;
    };
    let between = &reader.blocks[behind_title..time];
    let has_text = title.is_some() && between.iter().any(|block| region.holds(block) && is_text_line(block));
    if has_text { behind_title } else { last + 1 }
}

fn is_text_line(block: &Block) -> bool {
    (block.is_prose() || block.form == Form::Lead) && label_of(block).is_none()
}

/// Lines between title and time, and the one behind both: a name is who the article is from.
pub(crate) fn head_lines(
    reader: &mut Reader,
    region: Region,
    title: Option<usize>,
    posting: &Posting,
    credits: &mut Credits,
) {
    let (Some(title), Some((time, last))) = (title, posting.blocks) else { return };
    let between = title + 1..time;
    let mut names: Vec<usize> = between.filter(|&place| region.holds(&reader.blocks[place])).collect();
    if last + 1 < reader.blocks.len() && reader.blocks[last + 1].place.hint.is_author {
        names.push(last + 1);
    }
    for place in names {
        let block = &reader.blocks[place];
        let is_byline = reader.is_value(place) && is_name(&block.text) && !block.is_prose();
        if is_byline && credits.source.is_none() {
            credits.source = Some((block.text.clone(), place));
            reader.take(place);
        }
    }
}

/// The blocks of the text between `start` and `end`. A label within them is told, or is the count of readers.
pub(crate) fn text_blocks(
    reader: &mut Reader,
    region: Region,
    (start, end): (usize, usize),
    title: Option<usize>,
    views: &mut Option<u64>,
    read: &mut PortalPage,
) -> Vec<usize> {
    let time = (start..end).find(|&place| reader.used[place] && stamp::line(reader, place).is_some());
    let mut places = Vec::new();
    for place in start..end {
        let block = reader.blocks[place].clone();
        if !region.holds(&block) || reader.used[place] {
            continue;
        }
        // Between title and time stand tools and the way through the site, beside text.
        let is_head = title.is_some() && time.is_some_and(|time| place < time);
        if is_head && block.is_words() && !is_text_line(&block) && time.is_some_and(|time| time - start <= 6) {
            continue;
        }
        match label_of(&block) {
            Some((Label::Views, value)) => {
                reader.take_number(place, number(value), views, LeftOut::ReadersWithoutNumber);
            }
            Some((Label::Posted | Label::Updated, _)) if stamp::is_time_alone(reader, place) => {
                reader.note(place, LeftOut::SecondTime);
            }
            Some((Label::Files, _)) => {
                behind::files(reader, place, &block, read);
            }
            Some((Label::Share | Label::Tool | Label::Rating | Label::Tags | Label::Ago, _)) => {}
            _ if block.is_words() || matches!(block.form, Form::Image { .. }) => places.push(place),
            _ => {}
        }
    }
    places
}

/// Lets go what closes a text without being of it: files, which are kept as such, and lists of links under their heading.
pub(crate) fn without_trailing_links(reader: &mut Reader, mut places: Vec<usize>, read: &mut PortalPage) -> Vec<usize> {
    let mut files = Vec::new();
    while let Some(&last) = places.last() {
        let block = reader.blocks[last].clone();
        let is_file = block.place.is_link && block.links.iter().all(|(_, url)| is_file(url));
        let is_list_of_links = block.place.is_link && matches!(block.form, Form::Item | Form::Heading);
        // The heading of what was let go.
        let is_left_heading = block.form == Form::Heading;
        if is_file && block.is_words() {
            files.push(last);
        } else if is_list_of_links {
            reader.note(last, LeftOut::TrailingLink);
        } else if is_left_heading {
            reader.note(last, LeftOut::EmptyHeading);
        } else {
            break;
        }
        places.pop();
    }
    for &place in files.iter().rev() {
        let block = reader.blocks[place].clone();
        behind::files(reader, place, &block, read);
    }
    places
}
