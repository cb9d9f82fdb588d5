//! What becomes of a feed when its area does: one successor takes its place; several are named.
//!
//! Old ids answer for ever. A reader is led on by 301, the one thing that every feed reader understands. Where an area was
//! divided there is no one place to lead to: the old feed stays, and ends with an entry that names the others
//! (`docs/adr/0012-feeds-of-former-areas-and-combined-feeds.md`).

use crate::{naming::Names, words};
use jiff::{
    Timestamp,
    civil::{Date, time},
    tz::{Offset, TimeZone, offset},
};
use loa_area::Area;
use loa_domain::{Combination, FeedName};
use loa_feed::Farewell;

/// The day in Vietnam.
pub(crate) fn day(at: Timestamp) -> Date {
    at.to_zoned_datetime(TimeZone::fixed(offset(7))).datetime().date()
}

/// Midnight in Vietnam, as a day begins.
fn midnight(on: Date) -> Timestamp {
    let zone: Offset = offset(7);
    zone.to_timestamp(on.to_datetime(time(0, 0, 0, 0))).unwrap_or(Timestamp::MIN)
}

impl Names {
    /// The name under which a feed goes on: of an area with one successor, that one's; of a combination, with those in
    /// force in the place of former areas. Otherwise its own.
    pub(crate) fn since(&self, name: &FeedName, today: Date) -> FeedName {
        match name {
            FeedName::Area(_) => match self.heirs(name, today).as_slice() {
                [heir] => heir.clone(),
                _ => name.clone(),
            },
            FeedName::Combined(combination) => {
                let parts = combination.parts();
                let all = Combination::of(parts.iter().flat_map(|part| self.heirs(part, today)));
                // a divided area has several, and there may be too many: then the one to assume stands for it
                let assumed = || Combination::of(parts.iter().map(|part| self.assumed_heir(part, today)));
                all.or_else(assumed).unwrap_or_else(|| name.clone())
            }
            _ => name.clone(),
        }
    }

    /// What an ended area's feed says at last, when several took its place.
    pub(crate) fn farewell(&self, name: &FeedName, today: Date) -> Option<Farewell> {
        let heirs = self.several_heirs(name, today);
        let (FeedName::Area(id), false) = (name, heirs.is_empty()) else { return None };
        let area = self.directory().get(id)?;
        let called: Vec<String> = heirs.iter().map(|heir| self.area_of(heir)).collect();
        Some(Farewell {
            at: midnight(area.valid_until?),
            title: words::farewell_title(&self.called(area)),
            summary: words::farewell_summary(&self.called(area), &called),
            instead: self
                .instead(name, today)
                .iter()
                .map(|heir| (self.title(heir), self.site().page_url(heir)))
                .collect(),
        })
    }

    /// When the feed's farewell is due, while it is not yet.
    pub(crate) fn farewell_due_at(&self, name: &FeedName, now: Timestamp) -> Option<Timestamp> {
        let FeedName::Area(id) = name else { return None };
        let area = self.directory().get(id)?;
        let at = midnight(area.valid_until?);
        (area.successors.len() > 1 && at > now).then_some(at)
    }

    /// The feeds that took the place of a divided area's, and all of them in one. Empty for every other feed.
    pub(crate) fn instead(&self, name: &FeedName, today: Date) -> Vec<FeedName> {
        let mut heirs = self.several_heirs(name, today);
        heirs.extend(self.together(&heirs));
        heirs
    }

    /// The areas that went into this one, as people call them.
    pub(crate) fn before(&self, name: &FeedName) -> Vec<String> {
        let FeedName::Area(id) = name else { return Vec::new() };
        self.directory().predecessors(id).into_iter().map(words::area_in_sentence).collect()
    }

    fn several_heirs(&self, name: &FeedName, today: Date) -> Vec<FeedName> {
        match name {
            FeedName::Area(_) => Some(self.heirs(name, today)).filter(|heirs| heirs.len() > 1).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn together(&self, heirs: &[FeedName]) -> Option<FeedName> {
        Combination::of(heirs.iter().cloned()).filter(|name| matches!(name, FeedName::Combined(_)))
    }

    /// Those in force in the place of a part; itself, when it is in force or nothing took its place.
    fn heirs(&self, part: &FeedName, today: Date) -> Vec<FeedName> {
        let FeedName::Area(id) = part else { return vec![part.clone()] };
        let heirs: Vec<&Area> = self.directory().successors(id, today);
        if heirs.is_empty() {
            return vec![part.clone()];
        }
        heirs.into_iter().map(|area| FeedName::Area(area.id.clone())).collect()
    }

    fn assumed_heir(&self, part: &FeedName, today: Date) -> FeedName {
        let FeedName::Area(id) = part else { return part.clone() };
        self.directory().successor(id, today).map_or_else(|| part.clone(), |area| FeedName::Area(area.id.clone()))
    }

    fn area_of(&self, name: &FeedName) -> String {
        match name {
            FeedName::Area(id) => self.directory().get(id).map_or_else(|| id.to_string(), |area| self.called(area)),
            other => other.to_string(),
        }
    }
}
