//! Checks that a sanitised body is harmless, by the grammar of the text alone, without the parser
//! that sanitised it.
//!
//! It is stricter than a browser: every `<` must begin a tag of the list, written as a serialiser
//! writes it. So no lenient parser can find anything else in another reading.

/// Elements that may do something, or change how the rest is read.
const FORBIDDEN: &str = " script style iframe object embed applet frame frameset noframes noembed noscript form input button select \
    option textarea svg math base meta link template plaintext xmp listing title head body html video audio source track portal \
    marquee isindex ";
/// The attributes that are left; what they hold is looked at.
const ALLOWED: &str = " href src cite alt title rel lang dir align char charoff width height border colspan rowspan headers scope \
    span start summary cellpadding cellspacing valign datetime color hreflang axis abbr frame rules noshade size reversed value \
    type compact nowrap bgcolor open hspace vspace ";

/// Looks at a body.
///
/// # Panics
/// When something in it could act, load from another scheme than http, or be read as markup that it is not.
pub fn harmless_html(html: &str) {
    let mut parts = html.split('<');
    let text = parts.next().unwrap_or_default();
    assert!(!text.contains('>'), "a bare `>` in {html:?}");
    for part in parts {
        let rest = tag(part).unwrap_or_else(|why| panic!("{why} at `<{}` in {html:?}", head(part)));
        assert!(!rest.contains('>'), "a bare `>` after `<{}` in {html:?}", head(part));
    }
}

fn head(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Reads a tag behind its `<`; what follows it is text.
fn tag(part: &str) -> Result<&str, String> {
    let closing = part.starts_with('/');
    let part = part.strip_prefix('/').unwrap_or(part);
    let length = part.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, mut rest) = part.split_at(length);
    if name.is_empty() || name.bytes().any(|b| b.is_ascii_uppercase()) || FORBIDDEN.contains(&format!(" {name} ")) {
        return Err(format!("the element {name:?}"));
    }
    loop {
        if let Some(text) = rest.strip_prefix('>') {
            return Ok(text);
        }
        if closing {
            return Err("an end tag with more than a name".to_owned());
        }
        rest = attribute(rest)?;
    }
}

fn attribute(rest: &str) -> Result<&str, String> {
    let rest = rest.strip_prefix(' ').ok_or("no space before an attribute")?;
    let (name, rest) = rest.split_once("=\"").ok_or("an attribute without a quoted value")?;
    let (value, rest) = rest.split_once('"').ok_or("a value without an end")?;
    if !ALLOWED.contains(&format!(" {name} ")) {
        return Err(format!("the attribute {name:?}"));
    }
    let address = matches!(name, "href" | "src" | "cite");
    if address && !["https://", "http://", "mailto:"].iter().any(|scheme| value.starts_with(scheme)) {
        return Err(format!("the address {:?}", head(value)));
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::harmless_html;

    #[test]
    fn what_a_sanitiser_writes_is_harmless() {
        harmless_html("");
        harmless_html(
            "<p>a &lt;script&gt; <a href=\"https://a.vn/?a&amp;b\" rel=\"noopener noreferrer\">x</a><br></p>",
        );
        harmless_html("<h2 lang=\"vi\">a</h2><img src=\"http://a.vn/1\" alt=\"a &quot; b\">");
    }

    #[test]
    fn what_acts_is_not() {
        for bad in [
            "<script>1</script>",
            "<p onclick=\"x\">",
            "<a href=\"javascript:x\">",
            "<a href=\"//a.vn\">",
            "<p class=\"x\">",
            "<P>",
            "a > b",
            "<p x>",
            "<p title='a'>",
            "< p>",
            "<!-- -->",
            "<p></p x=\"1\">",
            "<svg>",
            "<p",
        ] {
            assert!(std::panic::catch_unwind(|| harmless_html(bad)).is_err(), "{bad:?}");
        }
    }
}
