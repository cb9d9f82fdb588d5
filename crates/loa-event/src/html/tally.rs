//! What cleaning changed that a reader might miss, counted by kind. It holds figures; what they say is `loa-words`' matter.

use loa_domain::Altered;
use std::collections::BTreeMap;

/// How many of each.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<Altered, usize>);

impl Tally {
    pub(super) fn add(&mut self, what: Altered) {
        self.add_many(what, 1);
    }

    pub(super) fn add_many(&mut self, what: Altered, count: usize) {
        if count > 0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// Each that was met, in the order in which it is told.
    pub(super) fn told(self) -> Vec<(Altered, usize)> {
        self.0.into_iter().collect()
    }
}
