//! Which addresses are topics: the documents of our own feeds, under the address that they name as
//! `self`, and nothing else. A hub that took any topic would fetch any address for anybody.

use super::same_address_form;
use loa_domain::FeedName;
use url::Url;

/// The forms of a feed that are topics: each has one representation (WebSub §4).
const EXTENSIONS: [&str; 3] = ["rss", "atom", "json"];

/// A document of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its address, byte for byte as it names itself.
    pub url: String,
    /// The same below the public address: `feeds/all.atom`.
    pub path: String,
    /// Whether it is feeds that a reader put together.
    pub is_combination: bool,
}

/// Knows our topics by their form. Whether there is such a feed, the feed service knows.
#[derive(Debug, Clone)]
pub struct Topics {
    public: String,
}

impl Topics {
    /// The topics below the address that stands in feeds.
    pub fn new(public_url: &Url) -> Self {
        Self { public: public_url.as_str().trim_end_matches('/').to_owned() }
    }

    /// The topic that an address means; `None` when it is none of ours.
    pub fn find(&self, address: &str) -> Option<Topic> {
        let form = same_address_form(&Url::parse(address.trim()).ok()?);
        let public = same_address_form(&Url::parse(&self.public).ok()?);
        let path = form.strip_prefix(public.trim_end_matches('/'))?.strip_prefix('/')?;
        let (name, extension) = path.strip_prefix("feeds/")?.rsplit_once('.')?;
        let name = FeedName::parse(name)?;
        let ours = EXTENSIONS.contains(&extension) && path == format!("feeds/{name}.{extension}");
        let is_combination = matches!(name, FeedName::Combined(_));
        ours.then(|| Topic { url: format!("{}/{path}", self.public), path: path.to_owned(), is_combination })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: Option<&str>) {
        let topics = Topics::new(&"https://loa.example.gov.vn/tin/".parse().unwrap());
        assert_eq!(topics.find(address).map(|topic| topic.path).as_deref(), expected, "{address}");
    }

    #[test]
    fn the_documents_of_feeds_are_topics_however_they_are_spelt() {
        check("https://loa.example.gov.vn/tin/feeds/all.atom", Some("feeds/all.atom"));
        check("HTTPS://LOA.example.gov.vn:443/tin/feeds/all%2Ejson", Some("feeds/all.json"));
        check(
            "https://loa.example.gov.vn/tin/feeds/area-na-son-03205-2004.rss",
            Some("feeds/area-na-son-03205-2004.rss"),
        );
        let topics = Topics::new(&"http://127.0.0.1:8080/".parse().unwrap());
        assert_eq!(
            topics.find("http://127.0.0.1:8080/feeds/all.rss").unwrap().url,
            "http://127.0.0.1:8080/feeds/all.rss"
        );
    }

    #[test]
    fn a_combination_is_a_topic_by_its_one_address() {
        let topics = Topics::new(&"https://loa.example.gov.vn/".parse().unwrap());
        let find = |name: &str| topics.find(&format!("https://loa.example.gov.vn/feeds/{name}.atom"));
        assert!(find("area-x+area-y").is_some_and(|topic| topic.is_combination));
        assert!(find("area-x%2Barea-y").is_none(), "an escape of `+` means something, and feeds are not named so");
        assert_eq!(find("area-y+area-x"), None);
        assert!(find("area-x").is_some_and(|topic| !topic.is_combination));
    }

    #[test]
    fn nothing_else_is_a_topic() {
        for other in [
            "",
            "feeds/all.atom",
            "https://loa.example.gov.vn/feeds/all.atom",
            "https://loa.example.gov.vn/tin/feeds/all",
            "https://loa.example.gov.vn/tin/feeds/all.xml",
            "https://loa.example.gov.vn/tin/feeds/nothing.atom",
            "https://loa.example.gov.vn/tin/feeds/all.atom?x=1",
            "https://loa.example.gov.vn/tin/feeds/category-a/2026-01.atom",
            "https://loa.example.gov.vn/tin/feeds/../feeds/../all.atom",
            "http://loa.example.gov.vn/tin/feeds/all.atom",
            "https://loa.example.gov.vn.evil.example/tin/feeds/all.atom",
            "https://loa.example.gov.vn/tin/feeds.opml",
            "https://169.254.169.254/latest/meta-data/",
        ] {
            check(other, None);
        }
    }
}
