//! Bytes to text: UTF-8 with or without its byte order mark, UTF-16 with it, windows-1258 where the
//! page itself says so. Anything else is refused, never guessed.

use crate::PageError;
use encoding_rs::WINDOWS_1258;
use loa_domain::{EncodingFault, twice_encoded};

/// Where in a page it says its encoding, in bytes (HTML §13.2.3.2 looks at 1,024; portals put scripts and styles before it).
const DECLARED_WITHIN: usize = 65_536;
/// The longest name of an encoding that is read, in characters.
const DECLARED_CHARS_MAX: usize = 40;

/// Decodes a page. The mark, if any, is not part of the text.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, PageError> {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest)?,
        [0xff, 0xfe, 0, 0, ..] => return Err(refused(1, EncodingFault::Utf32)),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => match declared_1258(bytes) {
            Some(text) => text,
            None => utf8(bytes)?,
        },
    };
    if let Some(at) = twice_encoded(&text) {
        let shown: String = text[at..].chars().take(12).collect();
        return Err(refused(line_of(&text.as_bytes()[..at]), EncodingFault::EncodedTwice { shown: shown.into() }));
    }
    match text.find('\0') {
        Some(at) => Err(refused(line_of(&text.as_bytes()[..at]), EncodingFault::ZeroBytes)),
        None => Ok(text),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, PageError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| {
        let at = e.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        refused(line_of(&bytes[..at]), EncodingFault::NotUtf8 { at: at + 1, byte })
    })
}

/// The text of a page that says it is in windows-1258, and is not UTF-8 after all. Its letters and tones stand apart; whoever
/// cleans the text puts them together.
fn declared_1258(bytes: &[u8]) -> Option<String> {
    if std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let head = String::from_utf8_lossy(bytes.get(..DECLARED_WITHIN).unwrap_or(bytes)).to_ascii_lowercase();
    let is_1258 = |value: &str| matches!(value, "windows-1258" | "cp1258" | "x-cp1258");
    if !["charset", "encoding"].into_iter().any(|name| declared(&head, name).any(is_1258)) {
        return None;
    }
    WINDOWS_1258.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
}

/// The values that are given to this name, as browsers read them (HTML §2.5.3): `charset = 'x'`, `charset=x`.
fn declared<'h>(head: &'h str, name: &'h str) -> impl Iterator<Item = &'h str> {
    head.match_indices(name).filter_map(move |(at, _)| {
        let value =
            head[at + name.len()..].trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
        let value = value.trim_start();
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ';' | '>' | '/' | '?');
        let (end, _) = value.char_indices().take(DECLARED_CHARS_MAX + 1).find(|(_, c)| ends(*c))?;
        Some(&value[..end]).filter(|value| !value.is_empty())
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, PageError> {
    let units = bytes.chunks(2).map(|pair| match *pair {
        [one, two] => unit([one, two]),
        // Half a unit at the end: an unpaired surrogate, refused below.
        _ => 0xd800,
    });
    let mut text = String::with_capacity(bytes.len());
    for decoded in char::decode_utf16(units) {
        let Ok(c) = decoded else {
            return Err(refused(line_of(text.as_bytes()), EncodingFault::BrokenUtf16));
        };
        text.push(c);
    }
    Ok(text)
}

fn refused(line: usize, why: EncodingFault) -> PageError {
    PageError::Encoding { line, why }
}

fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}
