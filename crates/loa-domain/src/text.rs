//! Text that may leave Loa: NFC, only characters that XML 1.0 allows, one kind of line end.
//!
//! Decoding an event normalises its text once. Feeds, mails and pages rely on that; no writer
//! filters by itself.

use unicode_normalization::UnicodeNormalization;

/// Whether XML 1.0 allows the character in a document (production 2, `Char`), less the two byte-order oddities,
/// the bidirectional overrides that can make a title read as something else, and letters that nobody sees.
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
        && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        && (c as u32) & 0xfffe != 0xfffe
        && !is_unseen_letter(c)
}

/// Letters and signs that are drawn as nothing and are needed for no text that people read: a hidden message, a word that no
/// search finds, a name that only looks like another. Fillers of Hangul and Khmer, tags (once of languages, in some flags),
/// annotations, and controls of shapes, music and formulas. What shapes emoji and Indic or Arabic letters is not among them.
fn is_unseen_letter(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}' | '\u{2061}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
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

/// As many invisible characters one may need behind one that is seen: a variation selector and a joiner (`❤️‍🔥`). Of more,
/// which can only be a hidden message, the first ones stay.
const INVISIBLE_RUN_MAX: usize = 2;

/// Text of several lines: NFC, illegal characters dropped, runs of invisible ones cut, CRLF and CR turned into LF. Idempotent.
pub fn clean_text(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut run = 0;
    let mut is_ideograph = false;
    let kept = unix.chars().filter(move |&c| {
        if !is_xml_char(c) {
            return false;
        }
        if !is_invisible(c) {
            (run, is_ideograph) =
                (0, matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'));
            return true;
        }
        // variants of ideographs, of nothing else
        if matches!(c, '\u{e0100}'..='\u{e01ef}') && !is_ideograph {
            return false;
        }
        run += 1;
        run <= INVISIBLE_RUN_MAX
    });
    kept.nfc().collect()
}

/// Text of one line: as [`clean_text`], and every run of white space (non-breaking too) is one space; none at the ends.
pub fn clean_line(text: &str) -> String {
    clean_text(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text that came from outside, as it can stand on a terminal: what would move the cursor, change colours or turn the
/// reading direction, and what nobody sees, is written as `\u{…}`.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // what nobody sees would hide what is wrong; but a variation selector belongs to the sign before it
        let is_seen = !is_invisible(c) || matches!(c, '\u{fe00}'..='\u{fe0f}');
        if is_xml_char(c) && !c.is_control() && is_seen { shown.push(c) } else { shown.extend(c.escape_unicode()) }
    }
    shown
}

/// Where Vietnamese text begins to be UTF-8 whose bytes were taken for Latin letters and written as UTF-8 once more: `Xã bốn`
/// reads `XÃ£ bá»‘n`. `None` for all other text.
///
/// `á` stands before `º` in every few words then, and nowhere else; before `»` too, where a quotation may end so.
pub fn twice_encoded(text: &str) -> Option<usize> {
    const SIGNS_MIN: usize = 3;
    let at = text.find("áº")?;
    (text.matches("áº").take(SIGNS_MIN).count() == SIGNS_MIN && text.contains("á»")).then_some(at)
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
    fn what_nobody_sees_is_dropped_and_what_shapes_letters_stays() {
        let tags: String = "ẩn".chars().filter_map(|c| char::from_u32(0xe0000 + (c as u32 & 0x7f))).collect();
        assert_eq!(
            clean_line(&format!("Điện{tags} Biên\u{3164}\u{ffa0}\u{115f}\u{2064}\u{180e}\u{202e}\u{2066}")),
            "Điện Biên"
        );
        assert_eq!(clean_line(&format!("Họp{}dân", "\u{200b}\u{200c}".repeat(40))), "Họp\u{200b}\u{200c}dân");
        let smuggled: String = ('\u{e0100}'..'\u{e0180}').collect();
        assert_eq!(clean_text(&format!("😀{smuggled}!")), "😀!");
        for kept in [
            "❤\u{fe0f}\u{200d}🔥",
            "👨\u{200d}👩\u{200d}👧",
            "क\u{94d}\u{200d}ष",
            "می\u{200c}خواهم",
            "葛\u{e0100}",
            "Ộ đ ư",
            "văn\u{ad}bản",
            "1\u{fe0f}\u{20e3}",
        ] {
            assert_eq!(clean_text(kept), kept);
        }
    }

    #[test]
    fn what_came_from_outside_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2J\nb\u{202e}c\u{9b}"), "a\\u{1b}[2J\\u{a}b\\u{202e}c\\u{9b}");
        assert_eq!(plain("Điện Biên 📢 ❤\u{fe0f}"), "Điện Biên 📢 ❤\u{fe0f}");
        assert_eq!(plain("a\u{200b}b\u{ad}"), "a\\u{200b}b\\u{ad}");
    }

    #[test]
    fn text_of_nothing_visible_is_blank() {
        assert!(is_blank("") && is_blank(" \u{200b}\u{a0}\u{ad}\u{fe0f}\u{3164}"));
        assert!(!is_blank("\u{200b}.") && !is_blank("\u{1f468}\u{200d}\u{1f33e}"));
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(text in "\\PC*|.*|[a葛\u{200b}-\u{200f}\u{fe00}\u{e0100}\u{e0041}\u{302}\u{3164}\r\n]*") {
            let once = clean_text(&text);
            prop_assert_eq!(clean_text(&once), once.clone());
            prop_assert!(once.chars().all(is_xml_char));
        }
    }

    #[test]
    fn text_that_was_encoded_twice_is_told_from_text_that_is_right() {
        let right = "Xã Na Son có bốn sản phẩm đạt chuẩn «xã hội hoá», số 1º và 2º";
        let twice: String = right.bytes().map(char::from).collect();
        assert_eq!((twice_encoded(right), twice_encoded(&twice).is_some()), (None, true));
        assert!(twice_encoded(&clean_text(&twice)).is_some(), "also without its control characters");
    }
}
