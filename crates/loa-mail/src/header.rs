//! Header values written by hand: RFC 2047 for subjects, and values that must stay exactly as they
//! are.
//!
//! Outside text gets into a header only through this file or through a parsed address. So this is
//! the one place to read when asking whether a title can add a header.

use crate::ComposeError;
use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::message::header::{HeaderName, HeaderValue};

/// Longest line with an encoded word (RFC 2047 §2), without CRLF.
const LINE_MAX: usize = 76;
/// What an encoded word has beside its text.
const WORD_FRAME: usize = "=?utf-8?B??=".len();

/// A header of free text: as it is where it is short ASCII, otherwise as encoded words that split no character.
pub(crate) fn text(name: &'static str, value: &str) -> Result<HeaderValue, ComposeError> {
    let value = loa_domain::clean_line(value);
    let plain = value.is_ascii() && !value.contains("=?") && name.len() + 2 + value.len() <= LINE_MAX;
    let encoded = if plain { value.clone() } else { encoded_words(&value, name.len() + 2) };
    exact(name, encoded)
}

/// A phrase before an address or id: quoted ASCII, or encoded words.
pub(crate) fn phrase(value: &str, taken: usize) -> String {
    let value = loa_domain::clean_line(value);
    let atoms = value.bytes().all(|b| b.is_ascii_alphanumeric() || b" -_".contains(&b));
    if atoms && taken + value.len() < LINE_MAX { value } else { encoded_words(&value, taken) }
}

/// A header whose value must go out as it is: printable ASCII, folded where the caller put `\r\n` and a space.
///
/// # Errors
/// When it is anything else: a defect of the caller, or an address that should have been refused earlier.
pub(crate) fn exact(name: &'static str, value: String) -> Result<HeaderValue, ComposeError> {
    let lines = value.split("\r\n ").collect::<Vec<_>>();
    let fits = |line: &str| !line.is_empty() && line.len() < 900 && line.bytes().all(|b| (0x20..0x7f).contains(&b));
    if !lines.iter().all(|line| fits(line)) {
        return Err(ComposeError::Header(name));
    }
    Ok(HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), lines.join(" "), value))
}

/// Encoded words, one a line, none longer than 75 characters. `taken` is what the first line already has.
fn encoded_words(text: &str, taken: usize) -> String {
    let (mut out, mut rest, mut taken) = (String::new(), text, taken);
    while !rest.is_empty() {
        let bytes = (LINE_MAX - taken.min(LINE_MAX / 2) - WORD_FRAME) / 4 * 3;
        let end = rest.floor_char_boundary(bytes.max(4));
        let (word, remainder) = rest.split_at(end);
        if !out.is_empty() {
            out.push_str("\r\n ");
        }
        out.push_str("=?utf-8?B?");
        out.push_str(&STANDARD.encode(word));
        out.push_str("?=");
        (rest, taken) = (remainder, 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subject(value: &str) -> String {
        format!("{}", {
            let mut headers = lettre::message::header::Headers::new();
            headers.insert_raw(text("Subject", value).unwrap());
            headers
        })
    }

    #[test]
    fn a_short_ascii_subject_is_left_alone() {
        assert_eq!(subject("Thong bao"), "Subject: Thong bao\r\n");
    }

    #[test]
    fn a_subject_that_looks_like_an_encoded_word_is_encoded_itself() {
        assert_eq!(subject("=?utf-8?Q?Bcc?="), "Subject: =?utf-8?B?PT91dGYtOD9RP0JjYz89?=\r\n");
    }

    #[test]
    fn an_exact_header_takes_nothing_but_printable_ascii() {
        for bad in ["a\r\nBcc: x@y.z", "a\nb", "ă", "a\r\n \r\n b", "", "a\u{0}"] {
            assert!(exact("List-Id", bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(exact("List-Unsubscribe", "<https://a>,\r\n <mailto:b>".to_owned()).is_ok());
    }

    proptest! {
        #[test]
        fn any_subject_is_short_ascii_lines_and_reads_back(value in "\\PC{1,200}|[\\x00-\\x7f]{1,200}|[àếộữđ ]{1,200}") {
            let clean = loa_domain::clean_line(&value);
            prop_assume!(!clean.is_empty());
            let raw = subject(&value);
            for line in raw.trim_end().split("\r\n") {
                prop_assert!(line.len() <= LINE_MAX && line.is_ascii(), "{line:?}");
                for word in line.split(' ').filter(|word| word.starts_with("=?")) {
                    prop_assert!(word.len() <= 75, "{word:?}");
                }
            }
            let mail = format!("{raw}\r\nbody");
            let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
            prop_assert_eq!(parsed.subject().unwrap_or_default(), clean);
            prop_assert_eq!(parsed.headers().len(), 1);
        }
    }
}
