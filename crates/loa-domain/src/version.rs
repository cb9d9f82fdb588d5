//! Which of two states of one article stands: a total order, so that any order of arrival ends in
//! the same state (`docs/adr/0007-version-order.md`).

use serde::{Deserialize, Serialize};

/// One state of one article. The order is the order of the fields: a higher revision wins; at one revision a
/// withdrawal wins over a publication (the careful choice); the event's id, then its
/// source, then its content's hash, settle what careless producers left equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Grows with each edit; 1 and up.
    pub revision: u64,
    /// Whether this state is a withdrawal.
    pub withdrawn: bool,
    /// The event that brought it: [`crate::EventKey::rank`], and the hash of its content.
    pub event_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_one_revision_a_withdrawal_wins() {
        let live = Version { revision: 3, withdrawn: false, event_id: "z".into() };
        let gone = Version { revision: 3, withdrawn: true, event_id: "a".into() };
        let again = Version { revision: 4, withdrawn: false, event_id: "a".into() };
        assert!(gone > live && again > gone);
    }
}
