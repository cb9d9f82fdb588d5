//! Where a page stands: what it says itself, and what its importer says.
//!
//! No address is made up. One that many pages share (the site's front page) is none.

use crate::head::Head;
use url::Url;

/// The address of a page.
#[derive(Debug, Default)]
pub(crate) struct Address {
    pub(crate) url: Option<Url>,
    /// Who says so.
    pub(crate) why: &'static str,
    /// Whether the page alone says so.
    pub(crate) is_claimed: bool,
    /// What was said and not believed, and why.
    pub(crate) notes: Vec<(String, String)>,
}

/// Decides where a page stands. `given` is where it was read from.
///
/// Its canonical link wins: it is the same for all ways to one page. It is not believed when it is the site's front page, or
/// of another site than the one the page was read from.
pub(crate) fn of_page(head: &Head, given: Option<&Url>) -> Address {
    let mut address = Address::default();
    for (said, why) in [(&head.canonical, "`link rel=canonical`"), (&head.open_graph_url, "`og:url`")] {
        let Some(url) = said else { continue };
        if is_front(url) && given.is_none_or(|given| !is_front(given)) {
            let why = format!("an address that the page says it has ({why}), but it is the site's front page");
            address.notes.push((url.to_string(), why));
        } else if given.is_some_and(|given| host(given) != host(url)) {
            let why =
                format!("an address that the page says it has ({why}), but on another site than it was read from");
            address.notes.push((url.to_string(), why));
        } else {
            let is_claimed = given != Some(url);
            return Address { url: Some(url.clone()), why, is_claimed, ..address };
        }
    }
    Address { url: given.cloned(), why: "where it was read from", ..address }
}

fn is_front(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none()
}

fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}
