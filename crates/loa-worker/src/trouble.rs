//! Errors of doors as facts for whoever keeps Loa running: which trouble an error, or a connection, means.
//!
//! Pure. The kinds are those of `loa-domain`, by the kinds of the errors and never by their text.

use loa_bus::{BusError, BusErrorKind, Health};
use loa_domain::{BusReason, ServerWords, Trouble, TroubleKind, with_causes};
use loa_store::StoreError;
use std::error::Error;

/// What an error means: that of the first error of a ledger or of the bus in its chain. What was said before that is kept in
/// the detail. An error that is neither counts as a ledger that does not answer, as everywhere in the loops.
pub fn trouble_of(error: &(dyn Error + 'static)) -> Trouble {
    let (mut said, mut cause) = (Vec::new(), Some(error));
    while let Some(one) = cause {
        let store = one.downcast_ref::<StoreError>().map(StoreError::trouble);
        if let Some(trouble) = store.or_else(|| one.downcast_ref::<BusError>().map(of_bus)) {
            said.push(trouble.detail.as_str().to_owned());
            said.retain(|part| !part.is_empty());
            return Trouble { detail: ServerWords::new(&said.join(": ")), ..trouble };
        }
        said.push(one.to_string());
        cause = one.source();
    }
    Trouble::new(TroubleKind::LedgerAway, ServerWords::new(&with_causes(error)))
}

/// What an error of the bus means.
fn of_bus(error: &BusError) -> Trouble {
    let kind = match error.kind {
        BusErrorKind::Unavailable => TroubleKind::BusAway,
        BusErrorKind::Blocked => TroubleKind::BusBlocked,
        BusErrorKind::Unroutable => TroubleKind::TopologyMissing,
        BusErrorKind::Refused => TroubleKind::BusRefuses,
        // what we hand over is checked before
        BusErrorKind::Rejected => TroubleKind::Defect,
    };
    of_reason(kind, error.reason())
}

fn of_reason(kind: TroubleKind, reason: BusReason) -> Trouble {
    Trouble { facts: reason.facts, ..Trouble::new(kind, reason.said) }
}

/// What the state of a connection to the bus means; `None`: messages flow.
pub fn trouble_of_bus(health: &Health) -> Option<Trouble> {
    let (kind, reason) = match health {
        Health::Up => return None,
        Health::Connecting => return Some(TroubleKind::BusConnecting.into()),
        Health::Blocked(reason) => (TroubleKind::BusBlocked, reason),
        Health::Refused(reason) => (TroubleKind::BusRefuses, reason),
        Health::Down(reason) => (TroubleKind::BusAway, reason),
    };
    Some(of_reason(kind, reason.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_store::StoreErrorKind;

    #[derive(Debug, thiserror::Error)]
    #[error("feeds are served from the last good state")]
    struct Served(#[source] StoreError);

    #[test]
    fn an_error_of_a_ledger_is_found_below_what_was_said_of_it() {
        let full = StoreError::caused(StoreErrorKind::Unavailable, "could not accept: full", "code 13");
        let trouble = trouble_of(&Served(full.lying_in(TroubleKind::DiskFull, "/x/feed.db")));
        assert_eq!((trouble.kind, trouble.place.as_str()), (TroubleKind::DiskFull, "/x/feed.db"));
        assert_eq!(trouble.detail.as_str(), "feeds are served from the last good state: code 13");
    }

    #[test]
    fn errors_and_states_of_the_bus_are_the_same_kinds() {
        let error = |kind| trouble_of(&BusError::new(kind, "no route")).kind;
        assert_eq!(error(BusErrorKind::Unavailable), trouble_of_bus(&Health::Down(BusReason::default())).unwrap().kind);
        assert_eq!(error(BusErrorKind::Blocked), trouble_of_bus(&Health::Blocked(BusReason::default())).unwrap().kind);
        assert_eq!(error(BusErrorKind::Refused), trouble_of_bus(&Health::Refused(BusReason::default())).unwrap().kind);
        assert_eq!(error(BusErrorKind::Unroutable), TroubleKind::TopologyMissing);
        assert_eq!(trouble_of_bus(&Health::Up), None);
    }

    #[test]
    fn what_is_neither_is_a_ledger_that_does_not_answer() {
        let error = "x".parse::<u8>().unwrap_err();
        assert_eq!(trouble_of(&error), Trouble::new(TroubleKind::LedgerAway, "invalid digit found in string"));
    }
}
