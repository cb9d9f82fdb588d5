//! Whether two spellings of an address are one. Escapes of characters that need none are decoded
//! before topics and callbacks are compared (WebSub §5.1, RFC 3986 §6.2.2).

use url::Url;

/// The form in which addresses are compared: read as a URL, escapes of unreserved characters undone, the others in
/// capitals, no fragment. What is sent is never this form but what the subscriber wrote.
pub fn same_address_form(url: &Url) -> String {
    let whole = url.as_str();
    let text = whole.split('#').next().unwrap_or(whole);
    let mut form = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        form.push_str(before);
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                form.push(char::from(byte));
                rest = &after[2..];
            }
            Some(byte) => {
                form.push_str(&format!("%{byte:02X}"));
                rest = &after[2..];
            }
            None => {
                form.push('%');
                rest = after;
            }
        }
    }
    form.push_str(rest);
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, same: bool) {
        let form = |text: &str| same_address_form(&text.parse().unwrap());
        assert_eq!(form(one) == form(other), same, "{one} {other}");
    }

    #[test]
    fn escapes_that_mean_nothing_make_no_other_address() {
        check("https://a.vn/feeds/all%2Eatom", "https://a.vn/feeds/all.atom", true);
        check("https://a.vn/%7euser?x=%41", "https://A.vn:443/~user?x=A", true);
        check("https://a.vn/a%2fb", "https://a.vn/a%2Fb", true);
        check("https://a.vn/x#top", "https://a.vn/x", true);
    }

    #[test]
    fn escapes_that_mean_something_stay() {
        check("https://a.vn/a%2Fb", "https://a.vn/a/b", false);
        check("https://a.vn/?a=1%26b=2", "https://a.vn/?a=1&b=2", false);
        check("https://a.vn/A", "https://a.vn/a", false);
        check("https://a.vn/%E1%BA%A1", "https://a.vn/ạ", true);
        check("https://a.vn/100%", "https://a.vn/100%25", false);
    }
}
