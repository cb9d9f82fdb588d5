//! Which article a page is of: that of its address, or the one that has its title and time.
//!
//! It reads the ledger and writes nothing. Between its answer and the publication another import may
//! publish the same id; the later one is a revision then.

use super::{data::is_stand_in, posted::not_yet_posted};
use crate::{IntakeError, Service};
use jiff::Timestamp;
use loa_domain::{ArticleId, ArticleKey, Flaw, Portal};
use loa_event::Refusal;
use loa_portal::PortalArticle;
use loa_store::{ArchiveQuery, Archived, StoreError};
use serde_json::Value;
use url::Url;

/// Which article a page is of.
pub(super) enum Known {
    /// This one; and what was said of it before, where the page leaves it open.
    Is {
        /// Its id.
        id: ArticleId,
        /// What stands of it.
        said: Option<Said>,
    },
    /// Nobody can say: the page has title and time, or the address, of another article; or its time has not come.
    Refused(ArticleId, Refusal),
}

/// What stands of an article, as far as a page may leave it open.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// Where it is read; `None` when the portal's front page stands in.
    pub(super) url: Option<Url>,
    pub(super) published_at: String,
    title: String,
    text: String,
}

impl Said {
    /// Whether nothing that readers know an article by is a page's: neither title nor time nor text.
    fn has_nothing_of(&self, article: &PortalArticle) -> bool {
        let at: Option<Timestamp> = self.published_at.parse().ok();
        self.title != article.title
            && article.published_at.is_some_and(|posted| at.is_some_and(|at| at != posted))
            && self.text != text_of(&article.summary, &article.content_html)
    }
}

impl Service {
    /// Says which article a page is of. `is_same`: who imports it says that title and time are enough.
    pub(super) async fn which(
        &self,
        portal: &Portal,
        article: &PortalArticle,
        is_same: bool,
    ) -> Result<Known, IntakeError> {
        if let Some(refusal) = not_yet_posted(article, self.0.world.now()) {
            return Ok(Known::Refused(article.address_id.as_ref().unwrap_or(&article.id).clone(), refusal));
        }
        let named = self.said(portal, &article.id).await?;
        if article.has_own_id {
            // Some systems lead from an article that is gone to another one.
            if !is_same && named.as_ref().is_some_and(|said| said.has_nothing_of(article)) {
                return Ok(Known::Refused(article.id.clone(), not_that_article(&article.id)));
            }
            return Ok(Known::Is { id: article.id.clone(), said: named });
        }
        let has_its_text = |said: &Said| said.text == text_of(&article.summary, &article.content_html);
        if let Some(by_address) = &article.address_id {
            // An article that was published by its title and time keeps its id.
            let is_it = named.as_ref().is_some_and(|said| match &said.url {
                Some(url) => article.url.as_ref() == Some(url),
                None => is_same || has_its_text(said),
            });
            let id = if is_it { &article.id } else { by_address };
            let said = if is_it { named } else { self.said(portal, by_address).await? };
            // Some systems say of all their pages that they stand at one address.
            let is_another = article.is_url_claimed && said.as_ref().is_some_and(|said| said.has_nothing_of(article));
            if is_another && !is_same {
                return Ok(Known::Refused(id.clone(), another_article(id, article)));
            }
            return Ok(Known::Is { id: id.clone(), said });
        }
        match named {
            Some(said) if !is_same && !has_its_text(&said) => {
                Ok(Known::Refused(article.id.clone(), another_text(&article.id)))
            }
            said => Ok(Known::Is { id: article.id.clone(), said }),
        }
    }

    /// When something was said to be published first; `None` when it never was said.
    pub(super) async fn first_said(&self, portal: &Portal, id: &ArticleId) -> Result<Option<String>, IntakeError> {
        let query =
            ArchiveQuery { article: Some(ArticleKey::new(portal.key_slug(), id)), limit: 1, ..ArchiveQuery::default() };
        let first = self.0.ledger.archived(&query).await?.into_iter().next();
        Ok(first.and_then(|event| data_of(&event)).and_then(|data| member(&data, "published_at")))
    }

    /// What stands of an article that is not withdrawn.
    async fn said(&self, portal: &Portal, id: &ArticleId) -> Result<Option<Said>, StoreError> {
        let Some(event) = self
            .0
            .ledger
            .newest(&ArticleKey::new(portal.key_slug(), id))
            .await?
            .filter(|event| !event.event_type.is_withdrawal())
        else {
            return Ok(None);
        };
        let Some(data) = data_of(&event) else { return Ok(None) };
        let url = member(&data, "url").and_then(|url| url.parse().ok());
        let summary = member(&data, "summary").unwrap_or_default();
        Ok(Some(Said {
            url: url.filter(|url| !is_stand_in(url, &portal.url)),
            published_at: member(&data, "published_at").unwrap_or_default(),
            title: member(&data, "title").unwrap_or_default(),
            text: text_of(&summary, &member(&data, "content_html").unwrap_or_default()),
        }))
    }
}

fn another_article(id: &ArticleId, article: &PortalArticle) -> Refusal {
    let address = article.url.as_ref().map_or("", Url::as_str).into();
    Refusal::at("/data/id", Flaw::AnotherArticle { address, id: id.as_str().into() })
}

fn not_that_article(id: &ArticleId) -> Refusal {
    Refusal::at("/data/id", Flaw::NothingOfIt { id: id.as_str().into() })
}

fn another_text(id: &ArticleId) -> Refusal {
    Refusal::at("/data/id", Flaw::AnotherText { id: id.as_str().into() })
}

fn data_of(event: &Archived) -> Option<Value> {
    let mut event: Value = serde_json::from_slice(&event.body).ok()?;
    event.get_mut("data").map(Value::take)
}

fn member(data: &Value, name: &str) -> Option<String> {
    data.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// What readers read of an article, for comparison: its words, without the tags and spaces between them.
fn text_of(summary: &str, content_html: &str) -> String {
    let mut is_tag = false;
    let words = content_html.chars().map(|c| {
        let was_tag = is_tag;
        is_tag = (is_tag || c == '<') && c != '>';
        if is_tag || was_tag { ' ' } else { c }
    });
    let words: String = words.collect();
    summary.split_whitespace().chain(words.split_whitespace()).collect()
}
