//! What a portal publishes: articles and documents, each a whole state and never a difference.
//!
//! `loa-event` and `loa-portal` make these values. By then text is normalised (`text.rs`), HTML
//! sanitised, and addresses absolute.

use crate::{AreaId, ArticleId, CategorySlug};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use url::Url;

/// A category of the portal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Category {
    /// The part of its address.
    pub slug: CategorySlug,
    /// Its name, as people read it.
    pub label: String,
}

/// A picture of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Absolute http or https address.
    pub url: Url,
    /// For instance `image/jpeg`; empty when unknown.
    #[serde(default)]
    pub media_type: String,
    /// Size in bytes; 0 when unknown.
    #[serde(default)]
    pub bytes: u64,
    /// What it shows, for those who do not see it.
    #[serde(default)]
    pub alt: String,
}

/// A file of an article or document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Absolute http or https address.
    pub url: Url,
    /// For instance `application/pdf`; `application/octet-stream` when unknown.
    pub media_type: String,
    /// Size in bytes; 0 when unknown.
    #[serde(default)]
    pub bytes: u64,
    /// The file's name for people; empty when it has none.
    #[serde(default)]
    pub title: String,
}

/// An article, at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// The portal's id.
    pub id: ArticleId,
    /// Grows with each edit; 1 and up.
    pub revision: u64,
    /// Where it can be read.
    pub url: Url,
    /// One line of plain text.
    pub title: String,
    /// The lead, plain text; may be empty.
    pub summary: String,
    /// The body: sanitised HTML with absolute addresses; may be empty.
    pub content_html: String,
    /// A language tag (BCP 47); `vi` unless the portal says otherwise.
    pub language: String,
    /// Its category.
    pub category: Category,
    /// The areas it is about: named by the event, or found in its text. May be empty.
    pub areas: Vec<AreaId>,
    /// *Nguồn tin*: who wrote it; empty when unsaid.
    pub source_name: String,
    /// Pictures, the main one first.
    pub images: Vec<Image>,
    /// Files, the main one first.
    pub attachments: Vec<Attachment>,
    /// When it was first published.
    pub published_at: Timestamp,
    /// When it was last changed significantly; equals `published_at` when never.
    pub modified_at: Timestamp,
}

/// An official paper with a number and symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The portal's id.
    pub id: ArticleId,
    /// Grows with each edit; 1 and up.
    pub revision: u64,
    /// Number and symbol as written, `1184/KL-UBND`.
    pub number: String,
    /// Its kind, as far as it is said (`Kết luận Thanh tra`); may be empty.
    pub kind: String,
    /// Who issued it; may be empty.
    pub issuer: String,
    /// The day of issue, when known.
    pub issued_on: Option<Date>,
    /// One line of plain text.
    pub title: String,
    /// Where it can be read.
    pub url: Url,
    /// The areas it is about. May be empty.
    pub areas: Vec<AreaId>,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// When the portal made it public; never absent, for a reader takes an undated entry for new.
    pub published_at: Timestamp,
}

/// The taking back of an article or document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// What is withdrawn.
    pub id: ArticleId,
    /// The revision that the withdrawal is; publications up to it are gone.
    pub revision: u64,
    /// For people; may be empty.
    pub reason: String,
    /// When the portal withdrew it.
    pub at: Timestamp,
}

/// An article or a document: what a feed entry or a digest line is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "content_type", rename_all = "lowercase")]
pub enum Content {
    /// An article.
    Article(Article),
    /// A document.
    Document(Document),
}

impl Content {
    /// The portal's id.
    pub fn id(&self) -> &ArticleId {
        match self {
            Self::Article(a) => &a.id,
            Self::Document(d) => &d.id,
        }
    }

    /// Grows with each edit.
    pub fn revision(&self) -> u64 {
        match self {
            Self::Article(a) => a.revision,
            Self::Document(d) => d.revision,
        }
    }

    /// One line of plain text. A document's begins with its number.
    pub fn title(&self) -> String {
        match self {
            Self::Article(a) => a.title.clone(),
            Self::Document(d) => format!("{}: {}", d.number, d.title),
        }
    }

    /// Plain text; empty for a document.
    pub fn summary(&self) -> &str {
        match self {
            Self::Article(a) => &a.summary,
            Self::Document(_) => "",
        }
    }

    /// Where it can be read.
    pub fn url(&self) -> &Url {
        match self {
            Self::Article(a) => &a.url,
            Self::Document(d) => &d.url,
        }
    }

    /// The areas it is about.
    pub fn areas(&self) -> &[AreaId] {
        match self {
            Self::Article(a) => &a.areas,
            Self::Document(d) => &d.areas,
        }
    }

    /// Its category; a document has none.
    pub fn category(&self) -> Option<&Category> {
        match self {
            Self::Article(a) => Some(&a.category),
            Self::Document(_) => None,
        }
    }

    /// Its files.
    pub fn attachments(&self) -> &[Attachment] {
        match self {
            Self::Article(a) => &a.attachments,
            Self::Document(d) => &d.attachments,
        }
    }

    /// When it was first public.
    pub fn published_at(&self) -> Timestamp {
        match self {
            Self::Article(a) => a.published_at,
            Self::Document(d) => d.published_at,
        }
    }

    /// When it last changed significantly.
    pub fn modified_at(&self) -> Timestamp {
        match self {
            Self::Article(a) => a.modified_at,
            Self::Document(d) => d.published_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_with_its_kind_can_be_kept_and_read_back() {
        let document = Content::Document(Document {
            id: ArticleId::new("vb-1").unwrap(),
            revision: 1,
            number: "1184/KL-UBND".into(),
            kind: "Kết luận Thanh tra".into(),
            issuer: String::new(),
            issued_on: None,
            title: "Công tác quản lý ngân sách xã".into(),
            url: "https://portal.example/vb-1".parse().unwrap(),
            areas: Vec::new(),
            attachments: Vec::new(),
            published_at: "2023-11-16T01:02:22Z".parse().unwrap(),
        });
        let kept = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<Content>(&kept).unwrap(), document);
    }
}
