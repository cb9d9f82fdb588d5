//! An entry as given, and the item that every format writes from it: text cleaned, addresses
//! absolute, the id made.
//!
//! Items are made once for a feed and written three times; a format only maps fields.

use crate::{Site, TagAuthority, body, plain::uri, words};
use jiff::Timestamp;
use loa_domain::{AreaId, ArticleKey, Content, FeedName, clean_line, clean_text, escape_html, media_type_of};
use url::Url;

/// What a file is said to be of which nothing is known (RFC 2046 §4.5.1).
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// An area with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaLabel {
    /// Ours.
    pub id: AreaId,
    /// As people read it: `xã Na Son`.
    pub name: String,
}

/// What stands in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which of all articles and documents.
    pub article: ArticleKey,
    /// What it says.
    pub content: Content,
    /// The areas it is about, with their names. May be empty.
    pub areas: Vec<AreaLabel>,
    /// Whose it is; `None`: the home portal's, and there is no other to tell it from.
    pub portal: Option<EntryPortal>,
}

/// Whose an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPortal {
    /// What its ids are made from.
    pub tag: TagAuthority,
    /// The feed of the portal alone.
    pub feed: FeedName,
    /// The portal's name, as people read it.
    pub name: String,
}

/// What is left of a withdrawn entry (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// What was withdrawn.
    pub article: ArticleKey,
    /// When.
    pub at: Timestamp,
    /// For people; may be empty.
    pub reason: String,
    /// What its portal's ids are made from; `None`: it is the home portal's.
    pub tag: Option<TagAuthority>,
}

/// What a feed says for good when others take its place: its first entry, for readers that know no other way to learn it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// Since when. Never moves.
    pub at: Timestamp,
    /// Plain text, one line.
    pub title: String,
    /// Plain text.
    pub summary: String,
    /// The feeds to follow instead: title and address of the page.
    pub instead: Vec<(String, String)>,
}

/// A term of a list, for machines and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The slug or area id.
    pub term: String,
    /// As people read it.
    pub label: String,
}

/// A picture or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Absolute.
    pub url: String,
    /// Never empty: `application/octet-stream` when unknown.
    pub media_type: String,
    /// 0: unknown.
    pub bytes: u64,
    /// For people; may be empty.
    pub title: String,
}

impl Media {
    /// Its size as people read it, `1,4 MB`; empty when unknown.
    pub fn size(&self) -> String {
        if self.bytes == 0 { String::new() } else { words::size(self.bytes) }
    }
}

/// An entry ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    /// A `tag:` URI that never changes.
    pub id: String,
    /// Which of all articles and documents; `None` for what we say ourselves ([`Farewell`]).
    pub article: Option<ArticleKey>,
    /// Where it can be read.
    pub url: String,
    /// Plain text, one line.
    pub title: String,
    /// Plain text; may be empty.
    pub summary: String,
    /// What is known of a document (number, kind, issuer, day), name and value, in the order officials write it: what
    /// `summary` says in one line. An article has none.
    pub facts: Vec<(&'static str, String)>,
    /// The whole, as HTML: lead, picture, body, source, list of files.
    pub content_html: String,
    /// BCP 47.
    pub language: String,
    /// Whose it is, where several portals publish.
    pub portal: Option<EntryPortal>,
    /// Who wrote or issued it; may be empty.
    pub author: String,
    /// Its category; a document has none.
    pub category: Option<Label>,
    /// What kind of paper a document is (`Quyết định`); may be unknown. An article has none.
    pub kind: Option<Label>,
    /// The areas it is about.
    pub areas: Vec<Label>,
    /// The main picture.
    pub image: Option<Media>,
    /// All files, the main one first.
    pub attachments: Vec<Media>,
    /// Never moves.
    pub published_at: Timestamp,
    /// Moves with significant changes only; never before `published_at`.
    pub modified_at: Timestamp,
}

impl FeedItem {
    pub(crate) fn of(site: &Site, entry: &Entry) -> Self {
        let content = &entry.content;
        let (language, author) = match content {
            Content::Article(article) => (article.language.as_str(), article.source_name.as_str()),
            Content::Document(document) => ("", document.issuer.as_str()),
        };
        let language = clean_line(language);
        Self {
            id: entry.portal.as_ref().map_or(&site.tag, |portal| &portal.tag).entry(&entry.article),
            portal: entry.portal.clone(),
            article: Some(entry.article.clone()),
            url: uri(content.url()),
            title: clean_line(&content.title()),
            summary: clean_text(&body::summary(content)).trim().to_owned(),
            facts: body::facts_of(content),
            content_html: clean_text(&body::html(content)),
            language: if language.is_empty() { site.language.clone() } else { language },
            author: clean_line(author),
            category: content
                .category()
                .map(|category| Label { term: category.slug.to_string(), label: clean_line(&category.label) }),
            kind: kind(content),
            areas: entry
                .areas
                .iter()
                .map(|area| Label { term: area.id.to_string(), label: clean_line(&area.name) })
                .collect(),
            image: main_image(content),
            attachments: content.attachments().iter().map(file).collect(),
            published_at: content.published_at(),
            modified_at: content.modified_at().max(content.published_at()),
        }
    }

    /// The item of a farewell; it leads to the feed's own page, which names the others too.
    pub(crate) fn of_farewell(site: &Site, feed: &FeedName, farewell: &Farewell) -> Self {
        let summary = clean_text(&farewell.summary).trim().to_owned();
        let mut html = format!("<p>{}</p><ul>", escape_html(&summary));
        for (title, page) in &farewell.instead {
            html.push_str(&format!("<li><a href=\"{}\">{}</a></li>", escape_html(page), escape_html(title)));
        }
        html.push_str("</ul>");
        Self {
            id: site.tag.farewell(feed),
            portal: None,
            article: None,
            url: site.page_url(feed),
            title: clean_line(&farewell.title),
            summary,
            facts: Vec::new(),
            content_html: clean_text(&html),
            language: site.language.clone(),
            author: String::new(),
            category: None,
            kind: None,
            areas: Vec::new(),
            image: None,
            attachments: Vec::new(),
            published_at: farewell.at,
            modified_at: farewell.at,
        }
    }

    /// The item of an entry too large for a feed: readers get its lead, its picture, a link to the whole, and its first files.
    pub(crate) fn short(self, entry: &Entry) -> Self {
        const FILES_MAX: usize = 10;
        let mut attachments = self.attachments;
        attachments.truncate(FILES_MAX);
        Self { content_html: clean_text(&body::short_html(&entry.content, FILES_MAX)), attachments, ..self }
    }

    /// What the item adds to the longest of the formats, in bytes, rather more than less.
    pub(crate) fn weight(&self) -> usize {
        const FRAME: usize = 1_200;
        const EACH_MEDIA: usize = 200;
        // Atom escapes markup: `<` becomes four bytes, a quote six
        let escaped = |text: &str| text.len() + 5 * text.bytes().filter(|b| b"<>&\"'".contains(b)).count();
        let media: usize = self.attachments.iter().map(|a| EACH_MEDIA + 2 * a.url.len() + a.title.len()).sum();
        FRAME + media + escaped(&self.content_html) + 2 * escaped(&self.summary) + escaped(&self.title) + self.url.len()
    }
}

fn kind(content: &Content) -> Option<Label> {
    let Content::Document(document) = content else { return None };
    let label = clean_line(&document.kind);
    (!label.is_empty()).then(|| Label { term: label.to_lowercase(), label })
}

fn main_image(content: &Content) -> Option<Media> {
    let Content::Article(article) = content else { return None };
    let image = article.images.first()?;
    let media_type = match clean_line(&image.media_type) {
        known if is_media_type(&known) => known,
        _ => image_type_of(&image.url)?.to_owned(),
    };
    Some(Media { url: uri(&image.url), media_type, bytes: image.bytes, title: clean_line(&image.alt) })
}

fn file(attachment: &loa_domain::Attachment) -> Media {
    let said = clean_line(&attachment.media_type);
    let media_type = match media_type_of(&attachment.url) {
        // portals that do not know say so of every file
        Some(known) if !is_media_type(&said) || said == UNKNOWN_TYPE => known.to_owned(),
        _ if is_media_type(&said) => said,
        _ => UNKNOWN_TYPE.to_owned(),
    };
    Media { url: uri(&attachment.url), media_type, bytes: attachment.bytes, title: attachment.name() }
}

/// `type/subtype` of RFC 6838 names; parameters are not taken.
fn is_media_type(text: &str) -> bool {
    let name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c));
    text.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

fn image_type_of(url: &Url) -> Option<&'static str> {
    match media_type_of(url) {
        None if url.path().to_ascii_lowercase().ends_with(".svg") => Some("image/svg+xml"),
        known => known.filter(|known| known.starts_with("image/")),
    }
}
