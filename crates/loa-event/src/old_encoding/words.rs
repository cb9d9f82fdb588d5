//! The words of a text, and where each letter of them stands: for evidence and for conversion, which must see the same words.
//!
//! Markup within a line does not end a word; our own words are nobody's evidence and are passed over. Pure.

use crate::html::{ends_a_line, own_words};

/// A word.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub text: String,
    /// Where each of its characters begins.
    pub places: Vec<usize>,
    /// Whether it stands in a tag, so in the value of an attribute: nobody reads it as a part of the text.
    pub is_in_tag: bool,
    /// Whether `/c` follows: of `§/c`, the first half is a word, too.
    pub is_before_c: bool,
}

/// The words of a plain text.
pub(super) fn of_text(text: &str) -> Vec<Word> {
    let mut words = Words::default();
    words.line(text, 0, false);
    words.end();
    words.found
}

/// The words of a cleaned body.
pub(super) fn of_html(html: &str) -> Vec<Word> {
    let mut words = Words::default();
    let mut own = own_words(html).into_iter().peekable();
    let mut at = 0;
    while at < html.len() {
        if let Some(place) = own.next_if(|place| place.start <= at) {
            words.end();
            at = at.max(place.end);
            continue;
        }
        let rest = &html[at..own.peek().map_or(html.len(), |place| place.start)];
        let length = match rest.as_bytes()[0] {
            b'<' => {
                let tag = &rest[..length_of_tag(rest)];
                words.tag(tag, at);
                tag.len()
            }
            b'&' => {
                words.end();
                rest.bytes().take(10).position(|byte| byte == b';').map_or(1, |end| end + 1)
            }
            _ => {
                let length = rest.find(['<', '&']).unwrap_or(rest.len());
                words.line(&rest[..length], at, false);
                length
            }
        };
        at += length;
    }
    words.end();
    words.found
}

/// As the sanitiser writes it: each value in double quotes.
fn length_of_tag(html: &str) -> usize {
    let mut is_quoted = false;
    let end = html.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b'>' && !is_quoted
    });
    end.map_or(html.len(), |end| end + 1)
}

#[derive(Debug, Default)]
struct Words {
    found: Vec<Word>,
    open: Word,
}

impl Words {
    fn line(&mut self, text: &str, begin: usize, is_in_tag: bool) {
        for (at, c) in text.char_indices() {
            if ends_a_word(c) {
                self.open.is_before_c = c == '/' && text[at + 1..].starts_with(['c', 'C']);
                self.end();
            } else {
                self.open.is_in_tag = is_in_tag;
                self.open.text.push(c);
                self.open.places.push(begin + at);
            }
        }
    }

    fn tag(&mut self, tag: &str, at: usize) {
        if ends_a_line(tag) {
            self.end();
        }
        if !tag.is_ascii() {
            self.end();
            self.line(tag, at, true);
        }
    }

    fn end(&mut self) {
        let word = std::mem::take(&mut self.open);
        if !word.text.is_empty() {
            self.found.push(word);
        }
    }
}

fn ends_a_word(c: char) -> bool {
    c.is_whitespace() || c.is_ascii() && !c.is_ascii_alphanumeric() || ('\u{2000}'..='\u{206f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_goes_through_markup_within_a_line_and_ends_at_a_block_and_at_a_reference() {
        let words = of_html("<p title=\"a>é\">H<b>é</b>i&nbsp;x<br>y</p>");
        let found: Vec<(&str, bool)> = words.iter().map(|word| (&*word.text, word.is_in_tag)).collect();
        assert_eq!(
            found,
            [("p", true), ("title", true), ("a", true), ("é", true), ("Héi", false), ("x", false), ("y", false)]
        );
        let text: Vec<String> = of_text("15/Q§-UBND, n×m").into_iter().map(|word| word.text).collect();
        assert_eq!(text, ["15", "Q§", "UBND", "n×m"]);
    }
}
