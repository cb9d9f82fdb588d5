//! What somebody asks of the page of all feeds, read from the address: `/feeds?q=…&pick=…`.
//!
//! Pure: a query in, what it means out. What was picked travels in the address; nothing is kept. It
//! does not know which feeds there are.

use crate::names::finding::PAGES_MAX;
use loa_domain::{Combination, FeedName, clean_line};
use url::form_urlencoded;

/// Most characters of what is looked for that are read.
const QUERY_CHARS_MAX: usize = 100;
/// Most picked feeds that are read: enough to say that they are too many.
const PICKS_MAX: usize = 2 * Combination::PARTS_MAX;

/// What somebody asks the page of all feeds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) text: String,
    /// Which page of what is found, from 1; 0: not said.
    pub(crate) page: u32,
    /// Parts of a combination, sorted, each once. Names that can be none are left out.
    pub(crate) picks: Vec<FeedName>,
    /// Whether the feed of what was picked is wanted now.
    pub(crate) is_built: bool,
}

/// Why what was picked makes no feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unbuilt {
    Nothing,
    TooMany,
}

impl Asked {
    /// Reads a query; what cannot be understood was not asked.
    pub(crate) fn read(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "q" => asked.text = clean_line(&value.chars().take(QUERY_CHARS_MAX).collect::<String>()),
                "pick" if asked.picks.len() < PICKS_MAX => match FeedName::read(&value) {
                    Some(FeedName::Combined(combination)) => asked.picks.extend(combination.parts()),
                    Some(FeedName::All) | None => {}
                    Some(part) => asked.picks.push(part),
                },
                "page" => asked.page = value.parse().unwrap_or(0).min(PAGES_MAX),
                "build" => asked.is_built = true,
                _ => {}
            }
        }
        asked.picks.sort();
        asked.picks.dedup();
        asked.picks.truncate(PICKS_MAX);
        asked
    }

    /// The feed of what was picked.
    pub(crate) fn built(&self) -> Result<FeedName, Unbuilt> {
        let too_many = self.picks.len() > Combination::PARTS_MAX;
        Combination::of(self.picks.iter().cloned()).ok_or(if too_many { Unbuilt::TooMany } else { Unbuilt::Nothing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_within_bounds_and_nonsense_was_not_asked() {
        let asked = Asked::read("q=+Na+Son%0A&pick=area-b&pick=area-a%2Bdocuments&pick=all&pick=%00&pick=area-b&x=1");
        assert_eq!(asked.text, "Na Son");
        assert_eq!(asked.picks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["documents", "area-a", "area-b"]);
        assert_eq!(Asked::read("utm_source=zalo&q=&%ff=%fe&page=x"), Asked::default());
        assert_eq!(["page=7", "page=4000000000", "page=-1"].map(|query| Asked::read(query).page), [7, PAGES_MAX, 0]);
        let long = Asked::read(&format!("q={}&{}", "ệ".repeat(10_000), "pick=area-a&".repeat(1_000)));
        assert_eq!((long.text.chars().count(), long.picks.len()), (100, 1));
        let many: String = (0..1_000).map(|n| format!("pick=area-{n}&")).collect();
        assert_eq!(Asked::read(&many).picks.len(), PICKS_MAX);
    }
}
