//! What is published of a page: the `data` of its events, as the contract has them.
//!
//! Pure: values of a page in, JSON out, and a fact for each thing that was chosen or could not be
//! published. The same page gives the same data.

use crate::Config;
use jiff::Timestamp;
use loa_domain::{ArticleId, Assumption, Calendar, Portal};
use loa_portal::{PortalArticle, PortalDocument, PortalFile, PortalImage};
use serde_json::{Map, Value, json};
use url::Url;

/// Makes data, and keeps what is to be told of it.
pub(super) struct Maker<'a> {
    config: &'a Config,
    portal: &'a Portal,
    calendar: &'a Calendar,
    pub(super) assumed: Vec<Assumption>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(config: &'a Config, portal: &'a Portal, calendar: &'a Calendar) -> Self {
        Self { config, portal, calendar, assumed: Vec::new() }
    }

    /// An article. `known_url` is where its readers find it since before.
    pub(super) fn article(
        &mut self,
        article: PortalArticle,
        id: &ArticleId,
        known_url: Option<Url>,
        published_at: &str,
        files: &[PortalFile],
    ) -> Value {
        let url = article.url.or(known_url).unwrap_or_else(|| self.within(None, id));
        if !article.author.is_empty() {
            self.assumed.push(Assumption::AuthorNotPublished { author: article.author.as_str().into() });
        }
        let images: Vec<Value> = article.images.into_iter().filter_map(|image| self.image(image)).collect();
        json!({
            "id": id,
            "url": url,
            "title": article.title,
            "summary": article.summary,
            "content_html": article.content_html,
            "language": "vi",
            "category": { "slug": self.config.import_category_slug, "label": self.config.import_category_label },
            "source_name": article.source_name,
            "images": images,
            "attachments": attachments(files),
            "published_at": published_at,
        })
    }

    /// A paper. `base` is the page that it was found on; `public_at` is when it was published first, where it has no day of
    /// issue. A paper of which nobody says when it was published is given no time: the event's own stands in.
    pub(super) fn document(
        &mut self,
        document: PortalDocument,
        base: Option<&Url>,
        public_at: Option<String>,
        files: &[PortalFile],
    ) -> Value {
        let mut data = Map::new();
        let url = document.url.unwrap_or_else(|| self.within(base, &document.id));
        data.insert("id".into(), json!(document.id));
        data.insert("number".into(), document.number.into());
        data.insert("kind".into(), document.kind.into());
        data.insert("issuer".into(), document.issuer.into());
        data.insert("title".into(), document.title.into());
        data.insert("url".into(), json!(url));
        if !files.is_empty() {
            data.insert("attachments".into(), attachments(files).into());
        }
        if let Some(day) = document.issued_on {
            data.insert("issued_on".into(), json!(day));
            // the start of that day where the portal is; papers of a page carry no time
            let calendar = self.calendar;
            data.insert("published_at".into(), calendar.rfc3339(calendar.day_begins(day)).into());
        }
        if let Some(at) = public_at {
            data.insert("published_at".into(), at.into());
        }
        Value::Object(data)
    }

    /// The time of an article that has a placeholder only.
    pub(super) fn undated(&mut self, id: &ArticleId, now: Timestamp) -> String {
        self.assumed.push(Assumption::TimeOfImport { id: id.clone() });
        now.to_string()
    }

    /// A picture; one without an address is told.
    fn image(&mut self, image: PortalImage) -> Option<Value> {
        let Some(url) = image.url else {
            self.assumed.push(Assumption::PictureWithoutAddress { name: image.name.as_str().into() });
            return None;
        };
        Some(json!({ "url": url, "alt": image.alt }))
    }

    /// An address for what the page gives none: a place within a page that exists, so that nobody is led to a 404.
    fn within(&mut self, base: Option<&Url>, id: &ArticleId) -> Url {
        let mut url = base.unwrap_or(&self.portal.url).clone();
        url.set_fragment(Some(id.as_str()));
        self.assumed.push(Assumption::AddressMade { id: id.clone(), url: url.to_string() });
        url
    }
}

/// Whether an address is the portal's front page, which stands in for that of an article.
pub(super) fn is_stand_in(url: &Url, portal: &Url) -> bool {
    let mut page = url.clone();
    page.set_fragment(None);
    url.fragment().is_some() && page == *portal
}

fn attachments(files: &[PortalFile]) -> Vec<Value> {
    files
        .iter()
        .map(|file| json!({ "url": file.url, "media_type": media_type(&file.url), "alt": file.title }))
        .collect()
}

/// The media type of a file by its ending; nobody asked for it yet.
fn media_type(url: &Url) -> &'static str {
    let ending = url.path().rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "pdf" => "application/pdf",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}
