//! What becomes of an area's feed when its area does: one successor takes its place; several are
//! named.
//!
//! Old names answer for ever. A reader is led on by 301, the one redirect that every feed reader
//! understands. The feed of an area that was divided has no one place to lead to: it stays, and
//! ends with an entry that names the others
//! (`docs/adr/0012-feeds-of-former-areas-and-combined-feeds.md`). Pure: the directory of areas, a
//! name and a day in; names and texts out.

use super::{Names, words};
use jiff::{Timestamp, civil::Date};
use loa_domain::{Combination, FeedName};
use loa_feed::Farewell;

impl Names {
    /// The day of an instant in the site's zone.
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        self.calendar.day(at)
    }

    /// The name under which a feed goes on; its own, while it does.
    pub(crate) fn since(&self, name: &FeedName, today: Date) -> FeedName {
        self.directory.feed_since(name, today)
    }

    /// What an ended area's feed says at last, when several took its place.
    pub(crate) fn farewell(&self, name: &FeedName, today: Date) -> Option<Farewell> {
        let successors = self.several_successors(name, today);
        let (FeedName::Area(id), false) = (name, successors.is_empty()) else { return None };
        let area = self.directory.get(id)?;
        let called: Vec<String> = successors.iter().map(|successor| self.area_of(successor)).collect();
        Some(Farewell {
            at: self.calendar.day_begins(area.valid_until?),
            title: words::farewell_title(&self.called(area)),
            summary: words::farewell_summary(&self.called(area), &called),
            instead: self
                .instead(name, today)
                .iter()
                .map(|successor| (self.title(successor), self.site.page_url(successor)))
                .collect(),
        })
    }

    /// When the feed's farewell is due, while it is not yet.
    pub(crate) fn farewell_due_at(&self, name: &FeedName, now: Timestamp) -> Option<Timestamp> {
        let FeedName::Area(id) = name else { return None };
        let area = self.directory.get(id)?;
        let at = self.calendar.day_begins(area.valid_until?);
        (area.successors.len() > 1 && at > now).then_some(at)
    }

    /// The feeds that took the place of a divided area's, and all of them in one. Empty for every other feed.
    pub(crate) fn instead(&self, name: &FeedName, today: Date) -> Vec<FeedName> {
        let mut successors = self.several_successors(name, today);
        let together = Combination::of(successors.iter().cloned());
        successors.extend(together.filter(|name| matches!(name, FeedName::Combined(_))));
        successors
    }

    /// The areas that went into this one, as people call them.
    pub(crate) fn before(&self, name: &FeedName) -> Vec<String> {
        let FeedName::Area(id) = name else { return Vec::new() };
        self.directory.predecessors(id).into_iter().map(words::area_in_sentence).collect()
    }

    fn several_successors(&self, name: &FeedName, today: Date) -> Vec<FeedName> {
        match self.directory.successor_feeds(name, today) {
            several if several.len() > 1 => several,
            _ => Vec::new(),
        }
    }

    fn area_of(&self, name: &FeedName) -> String {
        match name {
            FeedName::Area(id) => self.directory.get(id).map_or_else(|| id.to_string(), |area| self.called(area)),
            other => other.to_string(),
        }
    }
}
