//! Checks the reading of a portal's page: any input gives an error that says what to do, or an
//! article that could be published.

use super::legal_text;
use jiff::tz::{TimeZone, offset};
use loa_portal::{PortalPage, read};

/// A portal page, text or HTML; `None` when it was refused.
///
/// # Panics
/// When a promise is broken.
pub fn portal_page(bytes: &[u8]) -> Option<PortalPage> {
    let address = "https://dienbiendong.gov.vn/tin/1".parse().ok();
    let zone = TimeZone::fixed(offset(7));
    let page = match read(bytes, address.as_ref(), &zone) {
        Ok(page) => page,
        Err(error) => {
            let sentence = loa_words::Language::English.words().page_error(&error);
            assert!(sentence.len() > 10 && sentence.len() < 2_000, "{sentence:?}");
            return None;
        }
    };
    assert!(page.article.is_some() || page.documents.len() == 1, "a page of nothing: {page:?}");
    if let Some(article) = &page.article {
        assert!(!article.title.is_empty() && !article.content_html.is_empty(), "an article of nothing: {article:?}");
        let texts = [&article.title, &article.summary, &article.content_html, &article.content_text];
        texts.into_iter().chain([&article.source_name, &article.author]).for_each(|text| legal_text(text));
    }
    page.files.iter().for_each(|file| legal_text(&file.title));
    for document in &page.documents {
        assert!(!document.number.is_empty(), "a document without a number: {document:?}");
        for text in [&document.number, &document.kind, &document.title, &document.issuer] {
            legal_text(text);
        }
    }
    page.other_items.iter().for_each(|item| legal_text(&item.title));
    assert_eq!(read(bytes, address.as_ref(), &zone).ok().as_ref(), Some(&page), "the same bytes, another page");
    Some(page)
}
