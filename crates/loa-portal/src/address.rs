//! Where a page stands: what it says itself, and what its importer says.
//!
//! No address is made up. One that many pages share (the site's front page) is none.

use crate::head::Head;
use loa_domain::{Clue, LeftOut};
use url::Url;

/// The address of a page.
#[derive(Debug, Default)]
pub(crate) struct Address {
    pub(crate) url: Option<Url>,
    /// Who says so; `None` where there is none.
    pub(crate) clue: Option<Clue>,
    /// Whether the page alone says so.
    pub(crate) is_claimed: bool,
    /// What was said and not believed, and why.
    pub(crate) notes: Vec<(String, LeftOut)>,
}

/// Decides where a page stands. `given` is where it was read from.
///
/// Its canonical link wins: it is the same for all ways to one page. It is not believed when it is the site's front page, or
/// of another site than the one the page was read from.
pub(crate) fn of_page(head: &Head, given: Option<&Url>) -> Address {
    let mut address = Address::default();
    for (said, by) in [(&head.canonical, "link rel=canonical"), (&head.open_graph_url, "og:url")] {
        let Some(url) = said else { continue };
        if is_front(url) && given.is_none_or(|given| !is_front(given)) {
            address.notes.push((url.to_string(), LeftOut::FrontPage { by: by.into() }));
        } else if given.is_some_and(|given| host(given) != host(url)) {
            address.notes.push((url.to_string(), LeftOut::OtherSite { by: by.into() }));
        } else {
            let is_claimed = given != Some(url);
            return Address { url: Some(url.clone()), clue: Some(Clue::Machines(by.into())), is_claimed, ..address };
        }
    }
    Address { url: given.cloned(), clue: given.map(|_| Clue::ReadFrom), ..address }
}

fn is_front(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none()
}

fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}
