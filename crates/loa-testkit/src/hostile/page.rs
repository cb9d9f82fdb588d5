//! Checks the reading of a portal's page: any input gives an error that says what to do, or an
//! article that could be published.

use super::legal_text;
use loa_portal::{PortalPage, read};

/// A portal page, text or HTML; `None` when it was refused.
///
/// # Panics
/// When a promise is broken.
pub fn portal_page(bytes: &[u8]) -> Option<PortalPage> {
    let address = "https://dienbiendong.gov.vn/tin/1".parse().ok();
    let page = match read(bytes, address.as_ref()) {
        Ok(page) => page,
        Err(error) => {
            let sentence = error.to_string();
            assert!(sentence.len() > 10 && sentence.len() < 2_000, "{sentence:?}");
            return None;
        }
    };
    let article = &page.article;
    assert!(!article.title.is_empty() && !article.content_html.is_empty(), "an article of nothing: {article:?}");
    for text in [&article.title, &article.summary, &article.content_html, &article.content_text, &article.source_name] {
        legal_text(text);
    }
    for document in &page.documents {
        assert!(!document.number.is_empty(), "a document without a number: {document:?}");
        for text in [&document.number, &document.kind, &document.title, &document.issuer] {
            legal_text(text);
        }
    }
    page.other_items.iter().for_each(|item| legal_text(&item.title));
    assert_eq!(read(bytes, address.as_ref()).ok().as_ref(), Some(&page), "the same bytes, another page");
    Some(page)
}
