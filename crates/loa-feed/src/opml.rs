//! Writes OPML 2.0 (opml.org/spec2.opml): all feeds in one file, for importing into a reader.

use crate::{RenderError, Site, format::prolog};
use loa_domain::{FeedName, clean_line};
use quick_xml::{Writer, events::BytesText};

/// One feed of the list. It is listed as RSS, the one format every reader takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name in addresses.
    pub name: FeedName,
    /// Its name for people.
    pub title: String,
}

/// Feeds that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineGroup {
    /// For people; empty: the feeds stand at the top.
    pub title: String,
    /// In the order they are written.
    pub outlines: Vec<Outline>,
}

/// Writes the list. Carries no date: the same feeds, the same bytes.
///
/// # Errors
/// See [`RenderError`].
pub fn opml(site: &Site, groups: &[OutlineGroup]) -> Result<String, RenderError> {
    let mut writer = Writer::new(Vec::new());
    written(&mut writer, site, groups).map_err(|error| RenderError::new("OPML", error))?;
    let list = String::from_utf8(writer.into_inner()).map_err(|error| RenderError::new("OPML", error))?;
    Ok(prolog(site) + &list + "\n")
}

/// OPML's texts are HTML to some readers and plain text to others, so what only one of them would show is replaced by its wide
/// form: `<`, and `&` where no space follows.
fn unmarked(text: &str) -> String {
    let mut signs = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(sign) = signs.next() {
        out.push(match sign {
            '<' => '＜',
            '&' if signs.peek().is_some_and(|next| *next != ' ') => '＆',
            other => other,
        });
    }
    out
}

fn written(writer: &mut Writer<Vec<u8>>, site: &Site, groups: &[OutlineGroup]) -> std::io::Result<()> {
    writer.create_element("opml").with_attribute(("version", "2.0")).write_inner_content(|opml| {
        opml.create_element("head").write_inner_content(|head| {
            let title = unmarked(&clean_line(&site.title));
            head.create_element("title").write_text_content(BytesText::new(&title))?;
            let owner = unmarked(&clean_line(&site.publisher));
            head.create_element("ownerName").write_text_content(BytesText::new(&owner))?;
            Ok(())
        })?;
        opml.create_element("body")
            .write_inner_content(|body| groups.iter().try_for_each(|group| section(body, site, group)))?;
        Ok(())
    })?;
    Ok(())
}

fn section(writer: &mut Writer<Vec<u8>>, site: &Site, group: &OutlineGroup) -> std::io::Result<()> {
    if group.outlines.is_empty() {
        return Ok(());
    }
    let each = |writer: &mut Writer<Vec<u8>>| group.outlines.iter().try_for_each(|outline| line(writer, site, outline));
    if group.title.is_empty() {
        return each(writer);
    }
    let title = unmarked(&clean_line(&group.title));
    writer.create_element("outline").with_attribute(("text", title.as_str())).write_inner_content(each)?;
    Ok(())
}

fn line(writer: &mut Writer<Vec<u8>>, site: &Site, outline: &Outline) -> std::io::Result<()> {
    let title = unmarked(&clean_line(&outline.title));
    let feed = site.url(&format!("feeds/{}.rss", outline.name));
    let page = site.page_url(&outline.name);
    writer
        .create_element("outline")
        .with_attribute(("text", title.as_str()))
        .with_attribute(("title", title.as_str()))
        .with_attribute(("type", "rss"))
        .with_attribute(("version", "RSS2"))
        .with_attribute(("language", site.language.as_str()))
        .with_attribute(("xmlUrl", feed.as_str()))
        .with_attribute(("htmlUrl", page.as_str()))
        .write_empty()?;
    Ok(())
}
