//! Fonts whose name says in which old encoding a text is written: `.VnTime` (TCVN3), `VNI-Times` (VNI).
//!
//! Only a name where a font is named counts: in `face=` or `font-family:`. Pure: HTML as it was sent in, encodings out.

use loa_domain::OldEncoding;

/// Bytes of a list of fonts that are looked at.
const LIST_BYTES_MAX: usize = 200;

/// The encodings that the fonts of a body name.
pub(super) fn named_by_fonts(html: &str) -> Vec<OldEncoding> {
    let html = html.to_ascii_lowercase().replace("&quot;", "\"").replace("&#39;", "'");
    let mut named = Vec::new();
    for sign in ["face", "font-family"] {
        for (at, _) in html.match_indices(sign) {
            let before = html[..at].chars().next_back();
            let is_whole = before.is_none_or(|c| c.is_whitespace() || "\"';{".contains(c));
            let list = html[at + sign.len()..].trim_start();
            if let Some(list) = list.strip_prefix(['=', ':']).filter(|_| is_whole) {
                let list = &list[..list.floor_char_boundary(LIST_BYTES_MAX)];
                let list = list.split(['>', '<', ';', '{', '}']).next().unwrap_or_default();
                named.extend(list.split([',', '"', '\'']).filter_map(encoding_of));
            }
        }
    }
    named
}

fn encoding_of(font: &str) -> Option<OldEncoding> {
    let font = font.trim();
    let begins_with_a_letter = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic());
    match () {
        () if font.strip_prefix(".vn").is_some_and(begins_with_a_letter) => Some(OldEncoding::Tcvn3),
        () if font.strip_prefix("vni-").is_some_and(begins_with_a_letter) => Some(OldEncoding::Vni),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_font_names_its_own_encoding_and_nothing_else_does() {
        for (html, named) in [
            ("<font face=\".VnTime\">", vec![OldEncoding::Tcvn3]),
            ("<font size=2 face=.VnTimeH>", vec![OldEncoding::Tcvn3]),
            ("<p style=\"font-size:1px;font-family:Arial, '.VnArial'\">", vec![OldEncoding::Tcvn3]),
            ("<p style=\"font-family:&quot;VNI-Times&quot;\">", vec![OldEncoding::Vni]),
            ("<p style='font-family:Arial'>xem a.vn, .vn/ và .VnTime</p>", vec![]),
            ("<a href=\"https://xa.gov.vn/x\" style=\"font-family:Arial\">", vec![]),
            ("<p style=\"font-family:x.vnexpress, .vn\">", vec![]),
            ("surface=.vntime", vec![]),
            ("face", vec![]),
        ] {
            assert_eq!(named_by_fonts(html), named, "{html}");
        }
    }
}
