//! Text that may leave Loa: NFC, only characters that XML 1.0 allows, one kind of line end.
//!
//! Decoding an event normalises its text once. Feeds, mails and pages rely on that; no writer
//! filters by itself.

use unicode_normalization::UnicodeNormalization;

/// Whether XML 1.0 allows the character in a document (production 2, `Char`), less the two byte-order oddities
/// and the bidirectional overrides that can make a title read as something else.
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
        && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        && (c as u32) & 0xfffe != 0xfffe
}

/// `Default_Ignorable_Code_Point` of Unicode (DerivedCoreProperties.txt): drawn as nothing.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a reader would see anything at all.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Text of several lines: NFC, illegal characters dropped, CRLF and CR turned into LF. Idempotent.
pub fn clean_text(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    unix.chars().filter(|&c| is_xml_char(c)).nfc().collect()
}

/// Text of one line: as [`clean_text`], and every run of white space (non-breaking too) is one space; none at the ends.
pub fn clean_line(text: &str) -> String {
    clean_text(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decomposed_vietnamese_becomes_composed() {
        assert_eq!(clean_line("Đie\u{302}\u{323}n Bie\u{302}n"), "Điện Biên");
    }

    #[test]
    fn characters_no_xml_reader_takes_are_dropped() {
        assert_eq!(clean_text("a\u{0}b\u{b}c\u{fffe}d\u{202e}e\r\nf\rg"), "abcde\nf\ng");
        assert_eq!(clean_line(" a\u{a0}\n b "), "a b");
    }

    #[test]
    fn text_of_nothing_visible_is_blank() {
        assert!(is_blank("") && is_blank(" \u{200b}\u{a0}\u{ad}\u{fe0f}\u{3164}"));
        assert!(!is_blank("\u{200b}.") && !is_blank("\u{1f468}\u{200d}\u{1f33e}"));
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(text in "\\PC*|.*") {
            let once = clean_text(&text);
            prop_assert_eq!(clean_text(&once), once.clone());
            prop_assert!(once.chars().all(is_xml_char));
        }
    }
}
