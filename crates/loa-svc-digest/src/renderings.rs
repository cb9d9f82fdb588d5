//! Renderings that several mailboxes share: equal run, equal wish, equal items.
//!
//! Kept in memory only, a bounded number, forgotten all at once: losing them costs time and nothing else.

use jiff::Timestamp;
use loa_area::Directory;
use loa_domain::{ArticleKey, Category, CategorySlug, ItemKind, PortalList, RunKey, Wish};
use loa_mail::{Digest, Letterhead, MailItem, RenderError, Rendered, WishWords};
use loa_store::DigestItem;
use loa_worker::Portals;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Renderings kept. A rendering is 100 to 300 KB at most.
const KEPT_MAX: usize = 128;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    run: RunKey,
    wish: String,
    items: Vec<(ItemKind, String, u64)>,
}

/// Writes digests, each distinct one once.
#[derive(Debug)]
pub(crate) struct Renderings {
    letterhead: Arc<Letterhead>,
    directory: Arc<Directory>,
    categories: Vec<Category>,
    portals: Portals,
    kept: Mutex<HashMap<Key, Arc<Rendered>>>,
}

impl Renderings {
    pub(crate) fn new(
        letterhead: Arc<Letterhead>,
        directory: Arc<Directory>,
        categories: Vec<Category>,
        portals: Portals,
    ) -> Self {
        Self { letterhead, directory, categories, portals, kept: Mutex::default() }
    }

    /// The digest of these items for this wish, as they are shown at `now`.
    ///
    /// # Errors
    /// When there are no items, or a template fails.
    pub(crate) fn of(
        &self,
        run: &RunKey,
        wish: &Wish,
        items: &[DigestItem],
        now: Timestamp,
    ) -> Result<Arc<Rendered>, RenderError> {
        let key = Key {
            run: run.clone(),
            wish: wish.key(),
            items: items.iter().map(|item| (item.kind, item.article.to_string(), item.revision)).collect(),
        };
        if let Some(rendered) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(rendered.clone());
        }
        let portals = self.portals.list();
        let digest = Digest {
            run: run.clone(),
            wish: self.words(wish, &[], items),
            items: items
                .iter()
                .map(|item| MailItem {
                    kind: item.kind,
                    content: item.content.clone().dated_by(now),
                    reason: item.reason.clone(),
                    portal: whose(&portals, &item.article),
                })
                .collect(),
        };
        let rendered = Arc::new(self.letterhead.render(&digest, &self.directory)?);
        metrics::counter!("loa_digest_renderings_total").increment(1);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, rendered.clone());
        Ok(rendered)
    }

    /// A wish in words; a category's label comes from the settings, from those offered, or from an item that has it.
    pub(crate) fn words(&self, wish: &Wish, offered: &[Category], items: &[DigestItem]) -> WishWords {
        let label = |slug: &CategorySlug| {
            let known = self.categories.iter().chain(offered).find(|category| category.slug == *slug);
            let seen = items.iter().filter_map(|item| item.content.category()).find(|category| category.slug == *slug);
            known.or(seen).map(|category| category.label.clone())
        };
        WishWords::of(wish, &self.directory, label)
    }
}

/// The name of the portal whose an item is; empty where there is one portal only.
fn whose(portals: &PortalList, article: &ArticleKey) -> String {
    let slug = article.portal();
    match portals.of_key(slug.as_ref()) {
        Some(portal) if portals.has_several() => portal.name.clone(),
        Some(_) => String::new(),
        // the list was not read yet: its slug says it too
        None => slug.map(String::from).unwrap_or_default(),
    }
}
