//! Text as HTML: the one place where it is escaped, for feeds, mails and pages alike.

/// Text made safe inside HTML and its quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_markup_in_plain_text_stays_text() {
        assert_eq!(escape_html("a<b>&\"'/Đ"), "a&lt;b&gt;&amp;&quot;&#39;/Đ");
    }
}
