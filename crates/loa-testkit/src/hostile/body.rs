//! Checks the cleaning of a body with its work counted, the strict reading of JSON, and that of a directory of areas.

use super::legal_text;
use loa_area::{AreaFile, Directory};

/// A body of HTML: cleaning it takes no more work than its length allows.
///
/// # Panics
/// When it takes more.
pub fn html_body(bytes: &[u8]) {
    /// Readings of one body at most.
    const READINGS: u64 = 4;
    /// What may be overstepped in the last piece that is read, by all that may be open.
    const LAST_PIECE: u64 = 4_096 * 2_000;
    let html = String::from_utf8_lossy(bytes);
    let Ok(base) = "https://dienbiendong.gov.vn/tin/1".parse() else { return };
    let work = loa_event::work_of_cleaning(&html, &base);
    // a character that is no UTF-8 became three bytes; addresses become absolute; what was left open is written again
    let length = 8 * html.len() as u64 + loa_html::GROWTH_BYTES;
    let bound = READINGS * (loa_html::STEPS_PER_BYTE * length + loa_html::STEPS_AT_LEAST + LAST_PIECE);
    assert!(work <= bound, "{work} steps for {} bytes", html.len());
}

/// A text of JSON: it is refused with a sentence, or can be written and read again.
///
/// # Panics
/// When a promise is broken.
pub fn strict_json(bytes: &[u8]) {
    match loa_event::strict_json(bytes) {
        Ok(value) => {
            let again = loa_event::strict_json(value.to_string().as_bytes());
            assert_eq!(again.as_ref(), Ok(&value), "read again, another value");
        }
        Err(refusal) => {
            let shown = refusal.to_string();
            legal_text(&shown);
            assert!(!shown.contains('\n') && !refusal.sentence().is_empty(), "{refusal:?}");
        }
    }
}

/// A directory of areas as CSV: it is refused with a sentence that names the place, or answers questions.
///
/// # Panics
/// When a promise is broken.
pub fn areas_csv(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Directory::load(&[AreaFile { label: "areas.csv", text: &text }]) {
        Ok(directory) => {
            let day = jiff::civil::date(2024, 1, 1);
            for area in &directory {
                assert_eq!(directory.get(&area.id), Some(area));
            }
            directory.find("xã Na Son, huyện Điện Biên Đông", day);
        }
        Err(error) => assert!(error.to_string().len() > 10, "{error}"),
    }
}
