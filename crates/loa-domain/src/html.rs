//! Text as HTML and back: the one place where it is escaped and read again, for feeds, mails, pages and imports alike.

/// Text made safe inside HTML and its quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => push_escaped_html(&mut out, c),
        }
    }
    out
}

/// Text as it stands between tags, where quotes need no escape; not for attributes. Who shows it as it is written, shows the
/// quotes as well.
pub fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push_escaped_html(&mut out, c));
    out
}

/// Appends a character of a text between tags, where quotes need no escape; not for attributes.
pub fn push_escaped_html(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        c => out.push(c),
    }
}

/// Text with the references read that an HTML serialiser writes (WHATWG HTML §13.3); others stay as they are.
pub fn unescape_html(text: &str) -> String {
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_markup_in_plain_text_stays_text() {
        assert_eq!(escape_html("a<b>&\"'/Đ"), "a&lt;b&gt;&amp;&quot;&#39;/Đ");
    }

    #[test]
    fn between_tags_quotes_stay_as_they_are() {
        assert_eq!(escape_text("a<b>&\"'"), "a&lt;b&gt;&amp;\"'");
    }

    #[test]
    fn a_reference_is_read_once() {
        assert_eq!(unescape_html("a&nbsp;&lt;b&gt; &quot;c&quot; &amp;lt;"), "a <b> \"c\" &lt;");
    }
}
