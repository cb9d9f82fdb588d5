//! Which of two states of one article stands: a total order, so that any order of arrival ends in
//! the same state (`docs/adr/0007-version-order.md`).

use serde::{Deserialize, Serialize};

/// One state of one article. The order is the order of the fields: a higher revision wins; at one revision a
/// withdrawal wins over a publication (the careful choice); the event's id, then its
/// source, then its content's hash, decide what careless producers left equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Grows with each edit; 1 and up.
    pub revision: u64,
    /// Whether this state is a withdrawal.
    pub withdrawn: bool,
    /// The event that brought it: [`crate::EventKey::rank`], and the hash of its content.
    pub event_id: String,
}

/// The highest revision that a publication may have: half of what the contract can say. Producers number edits from 1, by
/// seconds, milliseconds or microseconds since 1970, or by date and time to the hundredth of a second (`2026112908150000`);
/// nobody counts higher. Above it, one slip would leave no revision for the next edit, for ever.
///
/// A withdrawal may be higher: what is taken back must be gone, whatever stands.
pub const PUBLISHED_REVISION_MAX: u64 = 1 << 52;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn every_usual_way_to_number_edits_fits_and_a_slip_does_not() {
        let now: Timestamp = "2026-11-29T08:15:00Z".parse().unwrap();
        let usual =
            [1, 4_000_000_000, now.as_second() as u64, now.as_millisecond() as u64, now.as_microsecond() as u64];
        for revision in usual.into_iter().chain([20_261_129_081_500, 2_026_112_908_150_099]) {
            assert!(revision <= PUBLISHED_REVISION_MAX, "{revision}");
        }
        for slip in [9_007_199_254_740_991, now.as_nanosecond() as u64] {
            assert!(slip > PUBLISHED_REVISION_MAX, "{slip}");
        }
    }

    #[test]
    fn at_one_revision_a_withdrawal_wins() {
        let live = Version { revision: 3, withdrawn: false, event_id: "z".into() };
        let gone = Version { revision: 3, withdrawn: true, event_id: "a".into() };
        let again = Version { revision: 4, withdrawn: false, event_id: "a".into() };
        assert!(gone > live && again > gone);
    }
}
