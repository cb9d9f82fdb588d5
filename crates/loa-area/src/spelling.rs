//! Keys under which two spellings of one Vietnamese name are equal. Pure functions on text.
//!
//! A syllable has at most one tone. Writers place it in one of two ways (`Hòa`, `Hoà`), so a key
//! takes the tone from its letter and puts it behind the syllable. A folded key leaves out tones
//! and marks altogether. A letter that only looks like a Vietnamese one (`Ð`, a Cyrillic `о`, a
//! full-width `Ｎ`) is that one.

use loa_domain::seen_as;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The five written tones, as combining marks: grave, acute, hook above, tilde, dot below.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{309}', '\u{303}', '\u{323}'];

/// The key of one word: lower case, letters with their own marks (`â`, `ơ`, `đ`), the tone behind.
pub(crate) fn key(word: &str) -> String {
    let mut tones = String::new();
    let mut letters = String::new();
    for c in letters_of(word) {
        if TONES.contains(&c) { tones.push(c) } else { letters.push(c) }
    }
    letters.push_str(&tones);
    letters
}

/// The key of one word without tones and marks: `Điện` → `dien`.
pub(crate) fn bare(word: &str) -> String {
    letters_of(word).filter(|&c| !is_combining_mark(c)).map(|c| if c == 'đ' { 'd' } else { c }).collect()
}

/// The letters and marks of a word, each for itself, in lower case, as they are seen.
fn letters_of(word: &str) -> impl Iterator<Item = char> {
    let mut letters = word.nfkd().filter(|&c| !is_invisible(c)).map(seen_as).flat_map(char::to_lowercase).peekable();
    let mut last = ' ';
    std::iter::from_fn(move || {
        let letter = letters.next()?;
        let letter = match letter {
            // a `d` with a stroke put through it
            'd' if letters.next_if(|&mark| matches!(mark, '\u{335}'..='\u{338}')).is_some() => 'đ',
            // a caron is taken for a breve, which only `a` has
            '\u{30c}' if last == 'a' => '\u{306}',
            other => other,
        };
        last = letter;
        Some(letter)
    })
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
    text.nfd().any(|c| is_combining_mark(c) || matches!(seen_as(c), 'đ' | 'Đ'))
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

    #[test]
    fn letters_that_look_alike_are_the_same() {
        for (one, other) in [
            ("Điện", "Ðiện"),
            ("Điện", "Ɖiện"),
            ("đông", "ðông"),
            ("đông", "d\u{335}ông"),
            ("Na", "Ｎａ"),
            ("Son", "Sоn"),
            ("xã", "хã"),
            ("Háng", "Нáng"),
            ("năm", "nǎm"),
            ("Na", "𝐍𝐚"),
        ] {
            assert_eq!((key(one), bare(one)), (key(other), bare(other)), "{other}");
        }
        assert!(has_marks("Ða") && !has_marks("Sоn"));
    }
}
