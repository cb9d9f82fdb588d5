//! Keys under which two spellings of one Vietnamese name are equal. Pure functions on text.
//!
//! A syllable has at most one tone. Writers place it in one of two ways (`Hòa`, `Hoà`), so a key
//! takes the tone from its letter and puts it behind the syllable. A folded key leaves out tones
//! and marks altogether.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The five written tones, as combining marks: grave, acute, hook above, tilde, dot below.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{309}', '\u{303}', '\u{323}'];

/// The key of one word: lower case, letters with their own marks (`â`, `ơ`, `đ`), the tone behind.
pub(crate) fn key(word: &str) -> String {
    let mut tones = String::new();
    let mut letters = String::new();
    for c in word.nfd().filter(|&c| !is_invisible(c)).flat_map(char::to_lowercase) {
        if TONES.contains(&c) { tones.push(c) } else { letters.push(c) }
    }
    letters.push_str(&tones);
    letters
}

/// The key of one word without tones and marks: `Điện` → `dien`.
pub(crate) fn bare(word: &str) -> String {
    let letters = word.nfd().filter(|&c| !is_combining_mark(c) && !is_invisible(c)).flat_map(char::to_lowercase);
    letters.map(|c| if c == 'đ' { 'd' } else { c }).collect()
}

/// A text without tones, marks and capitals, its words parted by one space: for people who type `na son`.
pub fn folded(name: &str) -> String {
    keyed(name, bare)
}

/// A name's key by a word's key, words parted by one space.
pub(crate) fn keyed(name: &str, key: fn(&str) -> String) -> String {
    words(name).map(key).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a text has a letter that only Vietnamese writing has: a tone, a mark or `đ`.
pub(crate) fn has_marks(text: &str) -> bool {
    text.nfd().any(|c| is_combining_mark(c) || c == 'đ' || c == 'Đ')
}

/// Whether the character belongs to a word: a letter, a digit or a mark upon a letter.
pub(crate) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || is_invisible(c)
}

/// Soft hyphens, zero-width spaces and joiners, variation marks: pasted along, seen by nobody.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word_char(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tone_placement_case_and_composition_make_no_difference() {
        for (one, two) in
            [("Hòa", "HOÀ"), ("Thủy", "Thuỷ"), ("Điện", "đie\u{302}\u{323}n"), ("Khuyến", "khuyê\u{301}n")]
        {
            assert_eq!(key(one), key(two));
        }
        assert_ne!(key("Son"), key("Sơn"));
        assert_ne!(key("Dình"), key("Dinh"));
        assert_eq!(folded("Điện  Biên Đông"), "dien bien dong");
    }
}
