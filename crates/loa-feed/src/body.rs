//! The text of an entry: its summary, and its whole body as HTML.
//!
//! Readers show the body instead of the summary, so the body holds everything: the lead, the main
//! picture, the portal's text, its author, every file. What the portal's own HTML already shows is
//! not shown twice.

use crate::{plain::uri, words};
use loa_domain::{Article, Attachment, Content, Document, clean_line, escape_html, unescape_html};
use std::fmt::Write as _;

/// Plain text. An article's lead (may be empty); for a document, what it is in one line.
pub(crate) fn summary(content: &Content) -> String {
    match content {
        Content::Article(article) => article.summary.clone(),
        Content::Document(document) => {
            facts(document).into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
        }
    }
}

/// What is known of a document; nothing of an article.
pub(crate) fn facts_of(content: &Content) -> Vec<(&'static str, String)> {
    match content {
        Content::Article(_) => Vec::new(),
        Content::Document(document) => facts(document),
    }
}

/// The whole, as HTML.
pub(crate) fn html(content: &Content) -> String {
    match content {
        Content::Article(article) => article_html(article, &article.content_html, &article.attachments),
        Content::Document(document) => document_html(document, &document.attachments),
    }
}

/// What stands for an entry too large for a feed: everything but the portal's text, whose place a link takes, and the
/// first `files_max` files.
pub(crate) fn short_html(content: &Content, files_max: usize) -> String {
    let files = content.attachments();
    let files = &files[..files.len().min(files_max)];
    match content {
        Content::Article(article) => {
            let link = format!("<p><a href=\"{}\">{}</a></p>", escape_html(&uri(&article.url)), words::WHOLE_TEXT);
            article_html(article, &link, files)
        }
        Content::Document(document) => document_html(document, files),
    }
}

fn article_html(article: &Article, text: &str, files: &[Attachment]) -> String {
    let mut out = String::with_capacity(text.len() + 1_024);
    let lead = clean_line(&article.summary);
    if !lead.is_empty() && !clean_line(&plain(text)).contains(&lead) {
        let _ = write!(out, "<p><strong>{}</strong></p>", escape_html(&lead));
    }
    if let Some(image) = article.images.first() {
        let address = image.url.as_str();
        let shown = text.contains(address) || text.contains(&escape_html(address));
        if !shown {
            let _ = write!(
                out,
                "<p><img src=\"{}\" alt=\"{}\"></p>",
                escape_html(&uri(&image.url)),
                escape_html(&clean_line(&image.alt))
            );
        }
    }
    out.push_str(text);
    let source = clean_line(&article.source_name);
    if !source.is_empty() {
        let _ = write!(out, "<p><em>{}: {}</em></p>", words::SOURCE, escape_html(&source));
    }
    files_html(&mut out, files);
    if clean_line(&plain(&out)).is_empty() && !out.contains("<img") {
        // readers take an entry without any text for a broken one
        let _ = write!(out, "<p>{}</p>", escape_html(&clean_line(&article.title)));
    }
    out
}

fn document_html(document: &Document, files: &[Attachment]) -> String {
    let mut out = String::new();
    out.push_str("<ul>");
    for (name, value) in facts(document) {
        let _ = write!(out, "<li>{name}: {}</li>", escape_html(&value));
    }
    let _ = write!(out, "<li>{}: {}</li></ul>", words::ABSTRACT, escape_html(&clean_line(&document.title)));
    let _ = write!(
        out,
        "<p><a href=\"{}\">{} {}</a></p>",
        escape_html(&uri(&document.url)),
        words::DOCUMENT,
        escape_html(&clean_line(&document.number))
    );
    files_html(&mut out, files);
    out
}

/// What is known of a document, in the order officials write it.
fn facts(document: &Document) -> Vec<(&'static str, String)> {
    let day = document.issued_on.map(|on| format!("{:02}/{:02}/{:04}", on.day(), on.month(), on.year()));
    [
        (words::NUMBER, clean_line(&document.number)),
        (words::KIND, clean_line(&document.kind)),
        (words::ISSUER, clean_line(&document.issuer)),
        (words::ISSUED_ON, day.unwrap_or_default()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

fn files_html(out: &mut String, files: &[Attachment]) {
    if files.is_empty() {
        return;
    }
    let _ = write!(out, "<p>{}:</p><ul>", words::ATTACHMENTS);
    for file in files {
        let title = file.name();
        let title = if title.is_empty() { file.url.to_string() } else { title };
        let _ = write!(out, "<li><a href=\"{}\">{}</a>", escape_html(&uri(&file.url)), escape_html(&title));
        if file.bytes > 0 {
            let _ = write!(out, " ({})", words::size(file.bytes));
        }
        out.push_str("</li>");
    }
    out.push_str("</ul>");
}

/// Sanitised HTML without its tags, the five common entities read: for comparing, never for showing.
fn plain(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    unescape_html(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_entities_are_left_out_where_texts_are_compared() {
        assert_eq!(clean_line(&plain("<p>Tại huyện &amp; xã</p><p>x</p>")), "Tại huyện & xã x");
    }

    #[test]
    fn sizes_read_as_vietnamese_write_them() {
        assert_eq!([words::size(999), words::size(12_300), words::size(1_400_000)], ["999 B", "13 KB", "1,4 MB"]);
    }
}
