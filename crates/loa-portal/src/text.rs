//! A page of text, cut into blocks: each line that is not blank.
//!
//! It knows lines, bullets and names of pictures, and no words of a portal. Addresses that a line
//! holds become absolute by the page's own, where that is known.

use crate::{
    block::{Block, BlockPlace, Form},
    element::absolute,
};
use loa_domain::clean_line;
use url::Url;

const BULLETS: [char; 9] = ['•', '·', '▪', '◦', '‣', '●', '○', '■', '❖'];
const PICTURES: [&str; 8] = [".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".jfif", ".svg"];

/// Cuts a text page into blocks.
pub(crate) fn of_text(text: &str, address: Option<&Url>) -> Vec<Block> {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    unix.split('\n').enumerate().filter_map(|(place, line)| of_line(place + 1, line, address)).collect()
}

fn of_line(number: usize, line: &str, address: Option<&Url>) -> Option<Block> {
    let cleaned = clean_line(line);
    let unbulleted = cleaned.trim_start_matches(BULLETS).trim_start();
    // A lone bullet says nothing; a line of other signs is kept and told.
    if unbulleted.is_empty() {
        return None;
    }
    let form = if is_picture(unbulleted) {
        // `occop.jpg` names a file; only with a path does it say where the file is.
        let url = unbulleted.contains('/').then(|| absolute(address, unbulleted)).flatten();
        Form::Image { name: unbulleted.to_owned(), url }
    } else if unbulleted.len() < cleaned.len() {
        Form::Item
    } else {
        Form::Plain
    };
    let text = if matches!(form, Form::Image { .. }) { "" } else { unbulleted };
    let list = (form == Form::Item).then(|| (0, "<ul>".to_owned()));
    let place = BlockPlace { list, ..BlockPlace::default() };
    Some(Block { line: number, text: text.to_owned(), form, place, ..Block::default() })
}

/// Whether a line is the name of a picture's file and nothing else.
fn is_picture(line: &str) -> bool {
    const WORDS_MAX: usize = 6;
    let lower = line.to_lowercase();
    let stem = PICTURES.iter().find_map(|ending| lower.strip_suffix(ending));
    stem.is_some_and(|stem| {
        let address = stem.strip_prefix("https://").or_else(|| stem.strip_prefix("http://"));
        let name = address.unwrap_or(stem);
        !name.is_empty()
            && name.len() <= 150
            && !name.contains([':', ';', '"', '“', '”'])
            && name.split(' ').count() <= WORDS_MAX
    })
}
