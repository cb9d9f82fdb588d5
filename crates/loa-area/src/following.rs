//! What the followers of a feed see when areas are reorganised: under which name it goes on, and which feeds took its place.
//!
//! Pure: the directory, a feed's name and a day in; names out. Served feeds, their lists and the front page ask here, so that
//! none of them leads to a feed that another calls ended.

use crate::Directory;
use jiff::civil::Date;
use loa_domain::{Combination, FeedName};

impl Directory {
    /// The name under which a feed goes on: of an area with one successor, that one's; of a combination, with those in
    /// force in the place of former areas. Otherwise its own.
    pub fn feed_since(&self, name: &FeedName, today: Date) -> FeedName {
        match name {
            FeedName::Area(_) => match self.successor_feeds(name, today).as_slice() {
                [one] => one.clone(),
                _ => name.clone(),
            },
            FeedName::Combined(combination) => {
                let parts = combination.parts();
                let all = Combination::of(parts.iter().flat_map(|part| self.successor_feeds(part, today)));
                // a divided area has several, and there may be too many: then the one to assume stands for it
                let assumed = || Combination::of(parts.iter().map(|part| self.assumed_successor_feed(part, today)));
                all.or_else(assumed).unwrap_or_else(|| name.clone())
            }
            _ => name.clone(),
        }
    }

    /// The feeds in force in the place of an area's; the feed itself, when it is in force or nothing took its place.
    pub fn successor_feeds(&self, name: &FeedName, today: Date) -> Vec<FeedName> {
        let FeedName::Area(id) = name else { return vec![name.clone()] };
        match self.successors(id, today) {
            successors if successors.is_empty() => vec![name.clone()],
            successors => successors.into_iter().map(|area| FeedName::Area(area.id.clone())).collect(),
        }
    }

    /// Whether people are still to follow a feed: not when one area, or several, took the place of its own.
    pub fn is_followed(&self, name: &FeedName, today: Date) -> bool {
        self.successor_feeds(name, today) == [name.clone()]
    }

    fn assumed_successor_feed(&self, part: &FeedName, today: Date) -> FeedName {
        let FeedName::Area(id) = part else { return part.clone() };
        self.successor(id, today).map_or_else(|| part.clone(), |area| FeedName::Area(area.id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AreaFile;
    use jiff::civil::date;

    /// One area that went into another, one that was divided, one that nothing took the place of, one to come.
    fn directory() -> Directory {
        let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
            one-2004,001,One,Xã,,P,,2025-07-01,one-2025,\n\
            one-2025,011,One,Xã,,P,2025-07-01,,,\n\
            parted-2004,002,Parted,Xã,,P,,2025-07-01,one-2025:part;two-2025:part-default,\n\
            two-2025,012,Two,Xã,,P,2025-07-01,,,\n\
            gone-2004,003,Gone,Xã,,P,,2025-07-01,,\n";
        Directory::load(&[AreaFile { label: "areas.csv", text }]).unwrap()
    }

    fn name(text: &str) -> FeedName {
        FeedName::parse(text).unwrap()
    }

    #[test]
    fn a_feed_goes_on_under_the_name_of_the_one_that_took_its_place() {
        let (directory, today) = (directory(), date(2025, 7, 1));
        let since = |text: &str| directory.feed_since(&name(text), today).to_string();
        assert_eq!(since("area-one-2004"), "area-one-2025");
        assert_eq!(since("area-one-2025"), "area-one-2025");
        assert_eq!(since("area-parted-2004"), "area-parted-2004", "of two, neither");
        assert_eq!(since("area-gone-2004"), "area-gone-2004");
        assert_eq!(since("all"), "all");
        assert_eq!(since("area-gone-2004+area-one-2004"), "area-gone-2004+area-one-2025");
        assert_eq!(since("area-gone-2004+area-parted-2004"), "area-gone-2004+area-one-2025+area-two-2025");
        assert_eq!(directory.feed_since(&name("area-one-2004"), date(2025, 6, 30)), name("area-one-2004"));
    }

    #[test]
    fn a_feed_is_followed_until_its_area_has_successors() {
        let (directory, before, today) = (directory(), date(2025, 6, 30), date(2025, 7, 1));
        for (feed, is_followed) in [
            ("area-one-2004", false),
            ("area-one-2025", true),
            ("area-parted-2004", false),
            ("area-gone-2004", true),
            ("area-unknown", true),
            ("documents", true),
        ] {
            assert_eq!(directory.is_followed(&name(feed), today), is_followed, "{feed}");
            assert!(directory.is_followed(&name(feed), before), "{feed}, the day before");
        }
    }
}
