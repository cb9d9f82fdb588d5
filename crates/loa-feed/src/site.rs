//! The site: who publishes, where it is served, and the authority that ids are made from.
//!
//! An id must outlive the domain it was first served from. So it is a `tag:` URI (RFC 4151) of a
//! configured authority and date and of the article's id; it holds neither the portal's address nor
//! ours.

use jiff::{Timestamp, civil::Date};
use loa_domain::{ArticleKey, Calendar, FeedName, clean_line, is_tag_authority};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// RFC 3986 `pchar` and `/` stay, all else is percent-encoded: two different texts never become one.
const NOT_PCHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/');

/// Why a text cannot be the authority of `tag:` URIs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tag authority is a host name or an e-mail address in lower case, not {0:?}")]
pub struct TagError(String);

/// The authority of our ids: a name that was ours on a day. Configured once, never changed; the domain may pass to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagAuthority {
    name: String,
    on: Date,
}

impl TagAuthority {
    /// Checks and keeps a name and the day on which it was ours (RFC 4151 §2.1).
    ///
    /// # Errors
    /// When the name is neither a host name nor an e-mail address, or not in lower case.
    pub fn new(name: &str, on: Date) -> Result<Self, TagError> {
        if is_tag_authority(name) { Ok(Self { name: name.to_owned(), on }) } else { Err(TagError(name.to_owned())) }
    }

    /// The id of an entry, by its own portal's authority: the same in every format, at every revision, in every feed, for ever.
    pub fn entry(&self, article: &ArticleKey) -> String {
        self.uri("entry", article.id())
    }

    /// The id of a feed.
    pub fn feed(&self, name: &FeedName) -> String {
        self.uri("feed", &name.to_string())
    }

    /// The id of the entry with which a feed says what took its place.
    pub(crate) fn farewell(&self, name: &FeedName) -> String {
        self.uri("farewell", &name.to_string())
    }

    /// The id of a list of terms: `category`, `kind` or `area`.
    pub(crate) fn scheme(&self, list: &str) -> String {
        self.uri("terms", list)
    }

    /// An instant for feeds in which nothing ever happened: the authority's day, midnight UTC.
    pub(crate) fn epoch(&self) -> Timestamp {
        jiff::tz::Offset::UTC.to_timestamp(self.on.at(0, 0, 0, 0)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn uri(&self, kind: &str, specific: &str) -> String {
        format!("tag:{},{}:{kind}/{}", self.name, self.on, utf8_percent_encode(specific, NOT_PCHAR))
    }
}

/// The publisher of all feeds of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What ids are made from.
    pub tag: TagAuthority,
    /// Where the feeds are served: absolute, with a `/` at the end.
    pub base: Url,
    /// The portal's name, as people read it.
    pub title: String,
    /// Who answers for the feeds; the author of what names no author.
    pub publisher: String,
    /// The language of most entries (BCP 47).
    pub language: String,
    /// How long a reader may keep a feed before asking again, in minutes.
    pub ttl_minutes: u32,
    /// The WebSub hub; `None` while there is none.
    pub hub: Option<Url>,
    /// In whose days and months people read dates, and with whose offset formats write them.
    pub calendar: Calendar,
}

impl Site {
    /// Who stands behind entries that name nobody: the publisher, or else the title.
    pub(crate) fn author(&self) -> String {
        clean_line(if self.publisher.is_empty() { &self.title } else { &self.publisher })
    }

    /// The absolute address of a path without a leading `/`.
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// The address of a feed's page for people.
    pub fn page_url(&self, name: &FeedName) -> String {
        self.url(&format!("feeds/{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn an_id_is_made_of_authority_day_and_article_and_of_no_address() {
        let tag = TagAuthority::new("loa.gov.vn", date(2026, 1, 1)).unwrap();
        let id = |text: &str| tag.entry(&text.parse::<ArticleKey>().unwrap());
        assert_eq!(id("bai-1"), "tag:loa.gov.vn,2026-01-01:entry/bai-1");
        assert_eq!(id("a/b?c#d%2F"), "tag:loa.gov.vn,2026-01-01:entry/a/b%3Fc%23d%252F");
        assert_eq!(id("tin-Điện"), "tag:loa.gov.vn,2026-01-01:entry/tin-%C4%90i%E1%BB%87n");
    }

    #[test]
    fn an_authority_that_could_break_an_id_is_refused() {
        for bad in ["", "Loa.gov.vn", "loa gov", "a@b@c", "loa.gov.vn,2026", "điện.vn"] {
            assert!(TagAuthority::new(bad, date(2026, 1, 1)).is_err(), "{bad:?}");
        }
    }
}
