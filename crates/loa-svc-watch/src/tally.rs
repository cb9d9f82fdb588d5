//! What the pages of one look came to, for what is judged of all of them together.

use loa_domain::WatchFailure;
use loa_store::WatchedItem;
use std::collections::HashSet;

/// What the pages of one look came to.
#[derive(Default)]
pub(crate) struct Tally {
    /// Pages that were asked for.
    pub(crate) asked: u32,
    /// Those of them that the site had an answer for: that they are there, or missing.
    pub(crate) answered: u32,
    /// Those that could not be had or read, or that intake refused.
    pub(crate) refused: u32,
    /// Why the last of them was not.
    pub(crate) why: Option<WatchFailure>,
    pub(crate) missing: Vec<WatchedItem>,
    /// Requests in a row that failed.
    pub(crate) failures: u32,
    /// Addresses that articles were found to have left in this look: whatever is read there is not about them.
    pub(crate) left: HashSet<String>,
}
