//! What stands in a cleaned body and was written here, not by whoever sent it: the word before a link that took something's
//! place, and what the link is called where that is its address.
//!
//! Pure: cleaned HTML in, places out.

use super::embedded::{called, shortened};
use loa_domain::{Embedded, unescape_html};
use loa_words::Language;
use std::ops::Range;
use url::Url;

/// Where our own words stand, in order.
pub(crate) fn own_words(html: &str) -> Vec<Range<usize>> {
    const LINK: &str = ": <a href=\"";
    let words = Embedded::ALL.map(|what| Language::Vietnamese.words().embedded(what));
    let links = html.match_indices(LINK).filter_map(|(at, _)| {
        let word = words.iter().find(|word| html[..at].ends_with(**word))?;
        let begin = at - word.len();
        Some(begin..named_by_its_address(html, at + LINK.len()).unwrap_or(at))
    });
    links.collect()
}

/// The end of a link's text, where that is what we call its address.
fn named_by_its_address(html: &str, at: usize) -> Option<usize> {
    let (address, behind) = html[at..].split_once('"')?;
    let name = behind.split_once('>')?.1.split('<').next()?;
    let url = Url::parse(&unescape_html(address)).ok()?;
    let end = html.len() - behind.len() + behind.find('>')? + 1 + name.len();
    (unescape_html(name) == shortened(&called(&url))).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_words_are_found_and_what_was_called_by_others_is_theirs() {
        let link = "<a href=\"https://a.vn/Qu%E1%BB%B9.pdf\" rel=\"x\">";
        for (html, own) in [
            (
                format!("<p>Xem tệp: {link}Quỹ.pdf</a> é</p>"),
                "Xem tệp: <a href=\"https://a.vn/Qu%E1%BB%B9.pdf\" rel=\"x\">Quỹ.pdf",
            ),
            (format!("<p>Xem tệp: {link}Quü</a></p>"), "Xem tệp"),
        ] {
            let found: Vec<&str> = own_words(&html).into_iter().map(|place| &html[place]).collect();
            assert_eq!(found, [own]);
        }
        assert!(own_words(&format!("<p>Xem tệp {link}Quỹ.pdf</a></p>")).is_empty());
    }
}
