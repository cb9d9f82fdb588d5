//! What follows from what `loa migrate` made: a queue or a binding that was not there let news pass by, and the archive has
//! them. The line that brings them, for each outlet.

use jiff::Timestamp;
use loa_bus::{Declared, Queue};
use loa_domain::Outlet;
use loa_store::{ArchiveQuery, Completeness, IntakeLedger, StoreError};
use loa_worker::completeness::queue_of;
use std::collections::BTreeSet;

/// The lines that are due; none on an installation whose archive is empty.
pub async fn due(ledger: &dyn IntakeLedger, things: &[Declared], now: Timestamp) -> Result<Vec<String>, StoreError> {
    let missed: BTreeSet<Queue> = things.iter().filter_map(Declared::missed).collect();
    if missed.is_empty() {
        return Ok(Vec::new());
    }
    if ledger.archived(&ArchiveQuery { limit: 1, ..ArchiveQuery::default() }).await?.is_empty() {
        return Ok(Vec::new());
    }
    let states = ledger.completeness(now).await?;
    let line = |queue: Queue| match Outlet::ALL.into_iter().find(|outlet| queue_of(*outlet) == queue) {
        None | Some(Outlet::Intake) => format!(
            "due: nothing for {queue}: what came from other producers while it was not there is not in the archive; the outlets \
             have it"
        ),
        Some(outlet) => replay(outlet, states.iter().find(|state| state.outlet == outlet)),
    };
    Ok(missed.into_iter().map(line).collect())
}

fn replay(outlet: Outlet, state: Option<&Completeness>) -> String {
    // what the outlet has seen, the audit knows; where it knows nothing, all is sent, and recognised
    let since = state.and_then(|state| {
        let gaps = [&state.not_received, &state.late].into_iter().flatten().map(|gaps| gaps.since);
        gaps.chain(state.unaudited_since).chain([state.asked_at?]).min()
    });
    let since = since.map_or_else(String::new, |since| format!(" --since {since}"));
    format!(
        "due: `loa replay --outlet {}{since}` brings what {} missed; no mail and no webhook goes out twice",
        outlet.as_str(),
        queue_of(outlet)
    )
}
