//! Imports a portal's page: its article and the papers beside it are published like anything else.
//! The other articles that it names, and the lines that were not understood, are only reported.
//!
//! A page does not say all that an event needs, so this file chooses a few values, always the same
//! for the same page. Importing a page twice changes nothing.

use crate::{IntakeError, RawContent, Service, SubmissionAnswer};
use loa_domain::ArticleId;
use loa_event::Refusal;
use loa_portal::{NotUnderstood, OtherItem, Pager, PortalArticle, PortalDocument, PortalPage};
use loa_store::ArchiveQuery;
use serde_json::{Map, Value, json};
use url::Url;

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Its article.
    pub article: Imported,
    /// The papers beside it, in the order of the page.
    pub documents: Vec<Imported>,
    /// Other articles it names; not imported.
    pub other_items: Vec<OtherItem>,
    /// Where its list of other articles stands in the whole.
    pub pager: Option<Pager>,
    /// Lines that were not understood. Empty: all of them were.
    pub not_understood: Vec<NotUnderstood>,
    /// What was chosen because the page does not say it, a sentence each.
    pub assumed: Vec<String>,
}

/// What became of one thing on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its id.
    pub id: ArticleId,
    /// Its title; a paper's begins with its number.
    pub title: String,
    /// Taken in (or there before), or refused with a sentence.
    pub outcome: Result<SubmissionAnswer, Refusal>,
}

impl Service {
    /// Takes a page in. What is refused is reported, and does not keep the rest out. Idempotent.
    ///
    /// `address` is where the page was read from, when it does not say so itself; relative to it, and else to the
    /// portal's address, its pictures are looked for.
    ///
    /// # Errors
    /// When the ledger is away or others hold an article: what was taken in before stays; import the page again.
    pub async fn import_page(&self, page: PortalPage, address: Option<&Url>) -> Result<ImportReport, IntakeError> {
        let mut assumed = Vec::new();
        let base = page.article.url.as_ref().or(address).unwrap_or(&self.0.portal.url).clone();
        let (article_id, title) = (page.article.id.clone(), page.article.title.clone());
        let published_at = match page.article.published_at {
            Some(at) => at.to_string(),
            None => self.undated(&article_id, None, &title, &mut assumed).await?,
        };
        let has_address = page.article.url.is_some() || address.is_some();
        let data = self.article(page.article, &base, has_address, &published_at, &mut assumed);
        let article = self.take(article_id, title, RawContent::Article(data)).await?;

        let mut documents = Vec::with_capacity(page.documents.len());
        for document in page.documents {
            let (id, title) = (document.id.clone(), format!("{}: {}", document.number, document.title));
            let public_at = match document.issued_on {
                Some(_) => None,
                None => Some(self.undated(&id, Some(&published_at), &document.number, &mut assumed).await?),
            };
            let data = self.document(document, &base, public_at, &mut assumed);
            documents.push(self.take(id, title, RawContent::Document(data)).await?);
        }
        Ok(ImportReport {
            article,
            documents,
            other_items: page.other_items,
            pager: page.pager,
            not_understood: page.report,
            assumed,
        })
    }

    async fn take(&self, id: ArticleId, title: String, content: RawContent) -> Result<Imported, IntakeError> {
        match self.publish(content).await {
            Ok(answered) => Ok(Imported { id, title, outcome: Ok(answered) }),
            Err(IntakeError::Refused(refusal)) => Ok(Imported { id, title, outcome: Err(refusal) }),
            Err(error) => Err(error),
        }
    }

    fn article(
        &self,
        article: PortalArticle,
        base: &Url,
        has_address: bool,
        published_at: &str,
        assumed: &mut Vec<String>,
    ) -> Value {
        let url = match (article.url, has_address) {
            (Some(url), _) => url,
            (None, true) => base.clone(),
            (None, false) => within(&self.0.portal.url, &article.id, assumed),
        };
        let image = |image: loa_portal::PortalImage| {
            let address = image.url.or_else(|| base.join(&image.name).ok())?;
            Some(json!({ "url": address, "alt": image.alt }))
        };
        let config = &self.0.config;
        json!({
            "id": article.id,
            "url": url,
            "title": article.title,
            "summary": article.summary,
            "content_html": article.content_html,
            "language": "vi",
            "category": { "slug": config.import_category_slug, "label": config.import_category_label },
            "source_name": article.source_name,
            "images": article.images.into_iter().filter_map(image).collect::<Vec<_>>(),
            "published_at": published_at,
        })
    }

    fn document(
        &self,
        document: PortalDocument,
        base: &Url,
        public_at: Option<String>,
        assumed: &mut Vec<String>,
    ) -> Value {
        let mut data = Map::new();
        data.insert("id".into(), json!(document.id));
        data.insert("number".into(), document.number.into());
        data.insert("kind".into(), document.kind.into());
        data.insert("issuer".into(), document.issuer.into());
        data.insert("title".into(), document.title.into());
        let url = document.url.unwrap_or_else(|| within(base, &document.id, assumed));
        data.insert("url".into(), json!(url));
        if let Some(day) = document.issued_on {
            data.insert("issued_on".into(), json!(day));
            // the start of that day where the portal is; papers of a page carry no time
            data.insert("published_at".into(), format!("{day}T00:00:00+07:00").into());
        }
        if let Some(at) = public_at {
            data.insert("published_at".into(), at.into());
        }
        Value::Object(data)
    }

    /// The instant of publication of something undated: as it was said first, else `stand_in`, else now. Without the
    /// first, the same paper beside a hundred articles would change a hundred times.
    async fn undated(
        &self,
        id: &ArticleId,
        stand_in: Option<&str>,
        what: &str,
        assumed: &mut Vec<String>,
    ) -> Result<String, IntakeError> {
        let query = ArchiveQuery { article: Some(id.clone()), limit: 1, ..ArchiveQuery::default() };
        let first = self.0.ledger.archived(&query).await?.into_iter().next();
        let first = first.and_then(|event| serde_json::from_slice::<Value>(&event.body).ok());
        if let Some(at) = first.as_ref().and_then(|event| event.pointer("/data/published_at")).and_then(Value::as_str) {
            return Ok(at.to_owned());
        }
        let (at, why) = match stand_in {
            Some(at) => (at.to_owned(), "the article's time of posting is taken"),
            None => (self.0.world.now().to_string(), "the time of this import is taken"),
        };
        assumed.push(format!("`{what}` has no date; {why}"));
        Ok(at)
    }
}

/// An address for what the page gives none: a place within a page that exists, so that nobody is led to a 404.
fn within(base: &Url, id: &ArticleId, assumed: &mut Vec<String>) -> Url {
    let mut url = base.clone();
    url.set_fragment(Some(id.as_str()));
    assumed.push(format!("the page does not say where `{id}` can be read; {url} is taken"));
    url
}
