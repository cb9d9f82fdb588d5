//! Intake as the watch sees it: pages and withdrawals, in this process, by the same path as `loa import`.
//!
//! The relay of `loa intake` or `loa up` sends on what this stores.

use async_trait::async_trait;
use loa_domain::{ArticleKey, HOME, PortalSlug, with_causes};
use loa_portal::PortalPage;
use loa_svc_intake::{ImportOptions, Imported, IntakeError, Service};
use loa_svc_watch::{PublishError, Published, Publisher};

/// The door.
pub struct IntakeDoor(pub Service);

#[async_trait]
impl Publisher for IntakeDoor {
    async fn publish(&self, portal: &str, page: PortalPage) -> Result<Published, PublishError> {
        let portal = portal_of(portal)?;
        let key = portal.clone().filter(|slug| slug.as_str() != HOME);
        let report = self.0.import_page(page, ImportOptions { portal, is_same: false }).await.map_err(away)?;
        let parts: Vec<&Imported> = report.article.iter().chain(&report.documents).collect();
        let refused =
            parts.iter().filter_map(|part| part.outcome.as_ref().err().map(|refusal| refusal.flaw.clone())).collect();
        // a document's own page has no article
        let main = report.article.as_ref().or(report.documents.first());
        let taken = main.and_then(|main| main.outcome.as_ref().ok().map(|answer| (main.id.clone(), answer)));
        Ok(Published {
            unchanged: parts.iter().all(|part| part.outcome.as_ref().is_ok_and(|answer| answer.unchanged)),
            article: taken.map(|(id, _)| ArticleKey::new(key.as_ref(), &id)),
            refused,
        })
    }

    async fn withdraw(&self, _portal: &str, article: &ArticleKey, reason: &str) -> Result<(), PublishError> {
        match self.0.withdraw(article.as_str(), reason).await {
            Ok(_) | Err(IntakeError::Unknown(_)) => Ok(()),
            Err(error) => Err(away(error)),
        }
    }
}

fn away(error: IntakeError) -> PublishError {
    PublishError(with_causes(&error))
}

/// The portal of a source; `None`: the home portal.
fn portal_of(text: &str) -> Result<Option<PortalSlug>, PublishError> {
    let slug = (!text.is_empty()).then(|| PortalSlug::new(text)).transpose();
    slug.map_err(|error| PublishError(error.to_string()))
}
