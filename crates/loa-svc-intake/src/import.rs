//! Imports a portal's page: its article and the papers beside it are published like anything else.
//! The other articles that it names, and the lines that were left out, are only reported.
//!
//! A page does not say all that an event needs, so `import/data.rs` chooses a few values, always the
//! same for the same page; `import/identity.rs` says which article a page is of. Importing a page twice
//! changes nothing.

mod data;
mod identity;
mod posted;

pub use posted::not_yet_posted;

use crate::{IntakeError, RawContent, Service, SubmissionAnswer};
use data::Maker;
use identity::Known;
use loa_domain::{ArticleId, Assumption, Portal, PortalSlug};
use loa_event::Refusal;
use loa_portal::{Evidence, NotUnderstood, OtherItem, Pager, PortalPage};

/// What an importer is told beside the page.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Whose page it is; `None`: the home portal's.
    pub portal: Option<PortalSlug>,
    /// Whether a page without an address is the article that has its title and time, though its text is another.
    pub is_same: bool,
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Its article; `None` for a document's page.
    pub article: Option<Imported>,
    /// The papers beside it, in the order of the page.
    pub documents: Vec<Imported>,
    /// Other articles it names; not imported.
    pub other_items: Vec<OtherItem>,
    /// Where its list of other articles stands in the whole.
    pub pager: Option<Pager>,
    /// Why each value was taken.
    pub evidence: Vec<Evidence>,
    /// Lines that were left out. Empty: all of them were taken.
    pub not_understood: Vec<NotUnderstood>,
    /// What was chosen because the page does not say it, and what of the page is not published.
    pub assumed: Vec<Assumption>,
}

/// What became of one thing on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its id.
    pub id: ArticleId,
    /// Its title; a paper's begins with its number.
    pub title: String,
    /// Taken in (or there before), or refused.
    pub outcome: Result<SubmissionAnswer, Refusal>,
}

impl Service {
    /// Takes a page in. What is refused is reported, and does not keep the rest out. Idempotent.
    ///
    /// A page whose address is known is that address's article for ever: a mended title or time is a revision. Without an
    /// address, title and time say which article it is; then a page with another text is refused, unless
    /// [`ImportOptions::is_same`] says that it is the same.
    ///
    /// # Errors
    /// When the ledger is away or others hold an article: what was taken in before stays; import the page again.
    pub async fn import_page(&self, page: PortalPage, options: ImportOptions) -> Result<ImportReport, IntakeError> {
        let portal = self.portal(options.portal.as_ref()).await?;
        let mut maker = Maker::new(&self.0.config, &portal, &self.0.portal.calendar);
        let base = page.article.as_ref().and_then(|article| article.url.clone()).or_else(|| {
            let document = page.documents.first().filter(|_| page.article.is_none());
            document.and_then(|document| document.url.clone())
        });
        let is_document_page = page.article.is_none();
        let article = match page.article {
            Some(article) => {
                let title = article.title.clone();
                match self.which(&portal, &article, options.is_same).await? {
                    Known::Refused(id, refusal) => Some(Imported { id, title, outcome: Err(refusal) }),
                    Known::Is { id, said } => {
                        let published_at = match (article.published_at, said.as_ref()) {
                            (Some(at), _) => at.to_string(),
                            (None, Some(said)) => said.published_at.clone(),
                            (None, None) => maker.undated(&id, self.0.world.now()),
                        };
                        let url = said.and_then(|said| said.url);
                        let data = maker.article(article, &id, url, &published_at, &page.files);
                        Some(self.take(&portal, id, title, RawContent::Article(data)).await?)
                    }
                }
            }
            None => None,
        };
        let mut documents = Vec::with_capacity(page.documents.len());
        for document in page.documents {
            let (id, title) = (document.id.clone(), format!("{}: {}", document.number, document.title));
            let public_at = match document.issued_on {
                Some(_) => None,
                None => self.first_said(&portal, &id).await?,
            };
            let files = if is_document_page { page.files.as_slice() } else { &[] };
            let data = maker.document(document, base.as_ref(), public_at, files);
            documents.push(self.take(&portal, id, title, RawContent::Document(data)).await?);
        }
        Ok(ImportReport {
            article,
            documents,
            other_items: page.other_items,
            pager: page.pager,
            evidence: page.evidence,
            not_understood: page.report,
            assumed: maker.assumed,
        })
    }

    async fn take(
        &self,
        portal: &Portal,
        id: ArticleId,
        title: String,
        content: RawContent,
    ) -> Result<Imported, IntakeError> {
        match self.publish_for(portal.key_slug(), content).await {
            Ok(answered) => Ok(Imported { id, title, outcome: Ok(answered) }),
            Err(IntakeError::Refused(refusal)) => Ok(Imported { id, title, outcome: Err(refusal) }),
            Err(error) => Err(error),
        }
    }
}
