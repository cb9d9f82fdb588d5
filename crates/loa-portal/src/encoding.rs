//! Bytes to text: UTF-8 with or without its byte order mark, UTF-16 with it. Anything else is
//! refused, never guessed.

use crate::PageError;

/// Decodes a page. The mark, if any, is not part of the text.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, PageError> {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest)?,
        [0xff, 0xfe, 0, 0, ..] => return Err(refused(1, "it begins with the mark of UTF-32".to_owned())),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => utf8(bytes)?,
    };
    match text.find('\0') {
        Some(at) => Err(refused(
            line_of(&text.as_bytes()[..at]),
            "it has zero bytes, as UTF-16 without its mark or a binary file has".to_owned(),
        )),
        None => Ok(text),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, PageError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| {
        let at = e.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        refused(line_of(&bytes[..at]), format!("byte {} (0x{byte:02x}) is not UTF-8", at + 1))
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
            return Err(refused(
                line_of(text.as_bytes()),
                "it begins with the mark of UTF-16 but is cut or broken".to_owned(),
            ));
        };
        text.push(c);
    }
    Ok(text)
}

fn refused(line: usize, why: String) -> PageError {
    PageError::Encoding { line, why }
}

fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}
