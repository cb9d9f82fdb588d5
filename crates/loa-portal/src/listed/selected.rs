//! An article's page by selectors, where evidence alone does not read it. What has no selector is read by evidence.

use crate::{PageError, PortalPage, encoding, read::read_from};
use jiff::tz::TimeZone;
use loa_domain::{SelectorFor, Selectors, clean_line, escape_html};
use loa_html::{Shape, measure};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// Reads an article's page with selectors; without any as [`crate::read_listed`] does. `address` is whose page it is, `base` where
/// redirects led to it: its relative addresses begin there.
///
/// # Errors
/// As [`crate::read_listed`], and a selector that cannot be read or finds nothing: what it should find is not guessed then.
pub fn read_selected(
    bytes: &[u8],
    address: &Url,
    base: &Url,
    zone: &TimeZone,
    listed_title: Option<&str>,
    selectors: &Selectors,
) -> Result<PortalPage, PageError> {
    if !selectors.is_for_pages() {
        return read_from(bytes, Some(base), Some(address), zone, listed_title);
    }
    if bytes.len() > crate::PAGE_BYTES_MAX {
        return Err(PageError::TooLarge { bytes: bytes.len(), max: crate::PAGE_BYTES_MAX });
    }
    let text = encoding::decode(bytes)?;
    measure(&text, Shape::Page).map_err(|excess| PageError::TooCostly { excess: excess.kind })?;
    let tree = Html::parse_document(&text);
    let title = found(&tree, SelectorFor::Title, selectors.title.as_deref())?.map(words);
    let time = found(&tree, SelectorFor::Time, selectors.time.as_deref())?.map(words);
    let body = found(&tree, SelectorFor::Body, selectors.body.as_deref())?.map(|element| element.inner_html());
    let source = found(&tree, SelectorFor::Source, selectors.source.as_deref())?.map(words);
    // what has no selector is taken from the page as evidence reads it, and the page is refused where that does not
    let by_evidence = match (&title, &time, &body) {
        (Some(_), Some(_), Some(_)) => None,
        _ => read_from(bytes, Some(base), Some(address), zone, title.as_deref().or(listed_title))?.article,
    };
    let read = by_evidence.as_ref();
    let title = title.or_else(|| read.map(|article| article.title.clone())).unwrap_or_default();
    let said = |at: jiff::Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%d/%m/%Y %H:%M:%S").to_string();
    let time = time.or_else(|| read.and_then(|article| article.published_at).map(said)).unwrap_or_default();
    let body = body.or_else(|| read.map(|article| article.content_html.clone())).unwrap_or_default();
    let label = if crate::label::of_time(&time).is_some() { "" } else { "Thời gian đăng: " };
    let source = source.or_else(|| read.map(|article| article.source_name.clone()).filter(|name| !name.is_empty()));
    let source = source.map(|name| match crate::label::of(&name) {
        Some(_) => format!("<p>{}</p>", escape_html(&name)),
        None => format!("<p>Nguồn tin: {}</p>", escape_html(&name)),
    });
    let page = format!(
        "<!DOCTYPE html><html><head><title>{0}</title></head><body><article><h1 itemprop=\"headline\">{0}</h1>\
         <p>{label}{1}</p><div itemprop=\"articleBody\">{body}</div>{2}</article></body></html>",
        escape_html(&title),
        escape_html(&time),
        source.unwrap_or_default()
    );
    read_from(page.as_bytes(), Some(base), Some(address), zone, Some(&title))
}

fn found<'t>(tree: &'t Html, what: SelectorFor, written: Option<&str>) -> Result<Option<ElementRef<'t>>, PageError> {
    let Some(written) = written else { return Ok(None) };
    let selector =
        Selector::parse(written).map_err(|_| PageError::UnreadableSelector { what, selector: written.into() })?;
    tree.select(&selector).next().map(Some).ok_or_else(|| PageError::IdleSelector { what, selector: written.into() })
}

fn words(element: ElementRef<'_>) -> String {
    clean_line(&element.text().collect::<String>())
}
