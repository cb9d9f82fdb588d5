//! The public front page: what Loa is for a resident, and the latest articles.
//!
//! The feed ledger answers; when it is away, the page says so and shows the rest.

use crate::Service;
use jiff::Timestamp;
use loa_domain::{ArticleKey, Content, FeedName, shown_until};
use loa_store::{FeedEntry, FeedSummary};
use serde::Serialize;

/// The front page.
#[derive(Debug, Serialize)]
pub(crate) struct Front {
    portal: String,
    portal_url: String,
    entries: Vec<Entry>,
    /// Those with the latest news, at most [`AREAS_MAX`].
    areas: Vec<Link>,
    more_areas: bool,
    categories: Vec<Link>,
    /// The feed ledger did not answer: say so, show the rest.
    away: bool,
}

#[derive(Debug, Serialize)]
struct Entry {
    title: String,
    url: String,
    summary: String,
    published: String,
    published_iso: String,
    /// The category; `None`: it is a document.
    category: Option<String>,
    areas: Vec<String>,
    updated: bool,
}

#[derive(Debug, Serialize)]
struct Link {
    label: String,
    url: String,
    count: u64,
}

/// Areas shown on the front page; the page of all feeds finds the others.
const AREAS_MAX: usize = 40;
/// The lead is cut to this many characters.
const SUMMARY_CHARS_MAX: usize = 280;

impl Service {
    /// What the front page says now.
    pub(crate) async fn front(&self) -> Front {
        let site = &self.0.site;
        let mut front = Front {
            portal: site.portal_name.clone(),
            portal_url: site.portal_url.to_string(),
            entries: Vec::new(),
            areas: Vec::new(),
            more_areas: false,
            categories: Vec::new(),
            away: false,
        };
        let ledger = &self.0.doors.feed;
        let limit = self.0.config.front_entries_max.clamp(1, 100);
        let (until, shown_until) = (self.shown_until(), shown_until(self.0.world.now()));
        let (entries, summaries) =
            tokio::join!(ledger.entries(&FeedName::All, until, limit), ledger.summaries(shown_until));
        match (entries, summaries) {
            (Ok(entries), Ok(summaries)) => {
                front.entries = entries.into_iter().map(|entry| self.entry(entry)).collect();
                let mut summaries: Vec<FeedSummary> = summaries
                    .into_iter()
                    .filter(|summary| summary.entries > 0 && self.is_followed(&summary.feed))
                    .collect();
                summaries.sort_by(|a, b| b.newest_at.cmp(&a.newest_at).then_with(|| a.feed.cmp(&b.feed)));
                for summary in summaries {
                    let link =
                        |label: String| Link { label, url: format!("/feeds/{}", summary.feed), count: summary.entries };
                    match &summary.feed {
                        FeedName::Area(_) if front.areas.len() >= AREAS_MAX => front.more_areas = true,
                        FeedName::Area(id) => {
                            let label =
                                self.0.directory.get(id).map_or_else(|| id.to_string(), loa_area::Area::full_name);
                            front.areas.push(link(label));
                        }
                        FeedName::Category(slug) if summary.label.is_empty() => {
                            front.categories.push(link(slug.to_string()))
                        }
                        FeedName::Category(_) => front.categories.push(link(summary.label.clone())),
                        FeedName::All | FeedName::Documents | FeedName::Portal(_) | FeedName::Combined(_) => {}
                    }
                }
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::warn!(error = %error, "the front page is shown without articles");
                front.away = true;
            }
        }
        front
    }

    /// Whether a feed is one to follow: those of former areas lead on to their successors'.
    fn is_followed(&self, name: &FeedName) -> bool {
        self.0.directory.is_followed(name, self.0.site.calendar.day(self.0.world.now()))
    }

    /// Before all that is dated in the future: it shows when its time has come, as in the feeds.
    fn shown_until(&self) -> Option<(Timestamp, ArticleKey)> {
        // the first of all ids there may be: none sorts before it
        Some((shown_until(self.0.world.now()), ArticleKey::first()))
    }

    fn entry(&self, entry: FeedEntry) -> Entry {
        let content = entry.content.dated_by(self.0.world.now());
        let category = match &content {
            Content::Article(article) => Some(article.category.label.clone()),
            Content::Document(_) => None,
        };
        let area = |id| self.0.directory.get(id).map(loa_area::Area::full_name);
        Entry {
            title: content.title(),
            url: content.url().to_string(),
            summary: cut(content.summary()),
            published: self.0.site.calendar.date_time(content.published_at()),
            published_iso: content.published_at().to_string(),
            areas: content.areas().iter().filter_map(area).collect(),
            updated: content.modified_at() > content.published_at(),
            category,
        }
    }
}

/// At most [`SUMMARY_CHARS_MAX`] characters, cut between words.
fn cut(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(SUMMARY_CHARS_MAX) else { return text.to_owned() };
    let head = &text[..end];
    let head = head.rsplit_once(char::is_whitespace).map_or(head, |(head, _)| head);
    format!("{}…", head.trim_end_matches([',', '.', ';', ':', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_lead_is_cut_between_words() {
        assert_eq!(cut("ngắn"), "ngắn");
        let long = cut(&"chương trình ".repeat(100));
        assert!(
            long.chars().count() <= SUMMARY_CHARS_MAX + 1 && long.ends_with('…') && !long.ends_with(" …"),
            "{long}"
        );
    }
}
