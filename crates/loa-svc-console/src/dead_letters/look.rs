//! Looks at letters, and says why an operation on them did not do what was asked.
//!
//! The bus is the only source. A look changes nothing ([ADR 0017](docs/adr/0017-looking-is-no-delivery.md)).

use loa_bus::{Bus, BusError, Chosen, DeadLetter, Place};

/// Most letters of one place that are looked at.
pub const LISTED_MAX: usize = 1_000;

/// Where names come from.
pub(super) const LISTED: &str = "`loa dead-letters list` names what is there";

/// Why an operation on dead letters did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// What was asked cannot be meant so.
    #[error("{0}")]
    Meant(String),
    /// There is no such letter.
    #[error("{0}")]
    NotThere(String),
    /// It means several letters, and must mean one.
    #[error("{0}")]
    Several(String),
    /// The bus did not do it.
    #[error("{what}")]
    Bus {
        /// What was tried, and what was done before.
        what: String,
        /// Why not.
        #[source]
        error: BusError,
    },
}

/// The oldest letters of a place that are meant.
pub(super) async fn letters(bus: &dyn Bus, place: Place, chosen: &Chosen) -> Result<Vec<DeadLetter>, DeadLetterError> {
    let cannot = |error| DeadLetterError::Bus { what: format!("cannot read {place}"), error };
    bus.dead_letters(place, chosen, LISTED_MAX).await.map_err(cannot)
}
