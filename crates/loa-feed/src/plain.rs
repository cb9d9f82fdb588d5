//! Plain text and addresses in a form that every reader shows alike.
//!
//! Titles and names are plain text. But many readers take them for HTML, and RSS does not say which
//! they are. So text that looks like a tag or a reference gets an invisible word joiner (U+2060)
//! behind its first sign. Readers of text and readers of HTML then both show it, and none obeys it.

use url::Url;

const JOINER: char = '\u{2060}';

/// Plain text that is shown as it is, also by readers that take it for HTML.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, sign) in text.char_indices() {
        out.push(sign);
        let behind = &text[at + sign.len_utf8()..];
        if (sign == '<' && begins_a_tag(behind)) || (sign == '&' && is_a_reference(behind)) {
            out.push(JOINER);
        }
    }
    out
}

fn begins_a_tag(behind: &str) -> bool {
    behind.starts_with(|next: char| next.is_ascii_alphabetic() || "/!?".contains(next))
}

/// Whether a reader of HTML might find a reference: `#…`, or a name, of which some need no end. `AT&T` and `Q & A` are none.
fn is_a_reference(behind: &str) -> bool {
    let word: &str = behind.split(|next: char| !next.is_alphanumeric() && next != '_').next().unwrap_or_default();
    let name = word.chars().take_while(char::is_ascii_alphanumeric).count();
    behind.starts_with('#') || name > 1 || word.contains(|next: char| !next.is_alphabetic())
}

/// An address with only such characters as a URI may have (RFC 3986 §2). The URL standard, by which portals' addresses are
/// read, leaves a few of others as they are.
pub(crate) fn uri(address: &Url) -> String {
    let text = address.as_str();
    let place = address.host_str().and_then(|host| text.find(host).map(|at| at + host.len())).unwrap_or_default();
    let (before, behind) = text.split_at(place);
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(before);
    for sign in behind.chars() {
        match sign {
            '|' | '^' | '`' | '{' | '}' | '[' | ']' | '\\' | '"' | '<' | '>' | ' ' => {
                out.push_str(&format!("%{:02X}", u32::from(sign)));
            }
            _ => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_html_is_shown_by_readers_of_text_and_of_html() {
        for same in ["A & B", "AT&T", "R&D", "1 < 2 > 0", "a<1", "Điện Biên", "& đ", "a &", "a <", ""] {
            assert_eq!(shown(same), same);
        }
        for (text, expected) in [
            ("<b>x</b>", "<\u{2060}b>x<\u{2060}/b>"),
            ("<!-- -->", "<\u{2060}!-- -->"),
            ("A &amp; B", "A &\u{2060}amp; B"),
            ("&#60;", "&\u{2060}#60;"),
            ("&copy", "&\u{2060}copy"),
            ("&COPYthị", "&\u{2060}COPYthị"),
            ("&x1", "&\u{2060}x1"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn an_address_has_only_characters_that_a_uri_may_have() {
        for (address, expected) in [
            ("https://a.vn/x;y=1|2?a={b}^[c]#`d", "https://a.vn/x;y=1%7C2?a=%7Bb%7D%5E%5Bc%5D#%60d"),
            ("https://[2001:db8::1]/a?b=1&c=%C3%AA", "https://[2001:db8::1]/a?b=1&c=%C3%AA"),
        ] {
            assert_eq!(uri(&Url::parse(address).unwrap()), expected);
        }
    }
}
