//! What one word is in an old encoding: a syllable, the capitals of an office or a kind of paper, or nothing.
//!
//! What is no word stays what it is: measures, signs that stand alone, figures. Pure.

use super::{
    letters::{is_strange, letters_of},
    syllable::is_syllable,
    words::Word,
};
use loa_domain::OldEncoding;

/// Signs of Latin-1 that stand beside one letter in texts of today, and say what they say: `Nº`, `2ª`, `B¥`, `n×m`.
const SIGNS: &str = "ºª¥£©®¢×÷½¼¾";
const MEASURES: &str = " km² km³ cm² cm³ dm² dm³ mm² mm³ hm² °c °f °k nº ";
/// Capitals of a name in short; VNI's `Ñ` is Spanish among vowels.
const CONSONANTS: &str = "BCDĐGHKLMNPQRSTVX";

/// What a word is in an encoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// What it was.
    Same,
    /// A syllable or capitals, letter by letter.
    Letters(Vec<String>),
    /// Nothing that can be read.
    Nothing,
}

/// Reads a word of a text that is in an encoding.
pub(super) fn reading(word: &Word, encoding: OldEncoding) -> Reading {
    let text = &*word.text;
    let core = text.trim_matches(|c: char| c.is_ascii_digit());
    if core.is_ascii() || core.contains(|c| c > '\u{ff}') || is_measure(core) || is_sign(core) && !word.is_before_c {
        return Reading::Same;
    }
    let letters = letters_of(text, encoding);
    let read = letters.concat();
    match () {
        () if read == text => Reading::Same,
        () if is_syllable(&read) && (has_even_capitals(&read) || has_small_accents(text, encoding)) => {
            Reading::Letters(letters)
        }
        () if is_short_name(word, &read, encoding) => Reading::Letters(letters),
        () => Reading::Nothing,
    }
}

/// Whether a word says nothing about the encoding of its text, whatever it would be read as.
pub(super) fn says_nothing(word: &str) -> bool {
    let is_sign = |c: char| SIGNS.contains(c);
    let letters = word.chars().filter(|c| c.is_alphabetic() && !is_sign(*c)).count();
    let is_product = || {
        let mut chars = word.chars();
        matches!((chars.next(), chars.next(), chars.next(), chars.next()), (Some(_), Some('×' | '÷'), Some(_), None))
    };
    word.contains(|c: char| c.is_ascii_digit())
        || is_measure(word)
        || word.contains(is_sign) && (letters <= 1 || is_product())
}

/// Capitals in which `Đ` stands: `QĐ`, `HĐND`, and `Đ` in `Đ/c`.
pub(super) fn is_short_name(word: &Word, read: &str, encoding: OldEncoding) -> bool {
    if word.is_before_c && read == "Đ" {
        return true;
    }
    let is_one = |c: char| CONSONANTS.contains(c) || encoding != OldEncoding::Vni && c.is_ascii_uppercase();
    let changed = || word.text.chars().zip(read.chars()).filter(|(was, is)| was != is);
    read.chars().count() > 1 && read.chars().all(is_one) && changed().count() > 0 && changed().all(|(_, is)| is == 'Đ')
}

/// Whether a word has a character that Vietnamese does not have, and an encoding has.
pub(super) fn has_strange(word: &str, encoding: OldEncoding) -> bool {
    word.chars().any(|c| is_strange(c, encoding))
}

/// Whether no capital stands behind a small letter.
pub(super) fn has_even_capitals(word: &str) -> bool {
    let letters = || word.chars().filter(|c| c.is_alphabetic());
    letters().zip(letters().skip(1)).all(|(one, next)| !(one.is_lowercase() && next.is_uppercase()))
}

/// TCVN3 has no capitals with tones: among capitals a small letter stands for one.
pub(super) fn has_small_accents(word: &str, encoding: OldEncoding) -> bool {
    encoding == OldEncoding::Tcvn3 && !word.contains(|c: char| c.is_ascii_lowercase())
}

/// `m²`, `x³`, `µm`: what is written so means that.
fn is_measure(word: &str) -> bool {
    let mut letters = word.chars();
    let is_short = match (letters.next(), letters.next(), letters.next()) {
        (Some(first), Some(second), None) => {
            first == 'µ' && "mgls".contains(second) || first.is_ascii_alphabetic() && "²³¹°".contains(second)
        }
        _ => false,
    };
    is_short || MEASURES.contains(&format!(" {} ", word.to_lowercase()))
}

/// Signs without a letter.
fn is_sign(word: &str) -> bool {
    !word.contains(|c: char| c.is_alphabetic() && !SIGNS.contains(c))
}
