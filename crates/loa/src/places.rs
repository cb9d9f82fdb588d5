//! Looks after the places where this process's ledgers are kept: damage, a full disk, missing rights, rows that cannot be read,
//! and logs that grow.
//!
//! What keeps a service from its own ledger makes it unready, by the dependency `store NAME`. What is wrong with a ledger that
//! it only reads (the audit asks all outlets), an unreadable row, and a long log are faults: taking this process out of
//! service would mend none of them.

use crate::{config::Config, embedded, fault_error::FaultError, wire::App};
use loa_domain::{Dependency, Fault, FaultName, LedgerName, Outlet};
use loa_store_sql::{LedgerState, files_of};
use loa_words::Language;
use loa_worker::{DependencyState, Status};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A log longer than this, in bytes, is a fault. After a burst it is cut back to this; so it is longer only while it grows.
pub const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Looks until `stop`. `own` are the ledgers without which this process does not do its work.
pub async fn look_after(app: Arc<App>, own: &'static [LedgerName], stop: CancellationToken) {
    let looking = async {
        loop {
            for place in app.places() {
                let state = place.condition().await;
                if let Some(name) = LedgerName::parse(place.ledger()) {
                    tell(&app.status, name, own.contains(&name), &state);
                }
            }
            measure_logs(&app.config, &app.status);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    // looking changes nothing: it may be cut anywhere
    let _: Option<()> = stop.run_until_cancelled(looking).await;
}

fn tell(status: &Status, name: LedgerName, is_own: bool, state: &LedgerState) {
    let (ledger, place) = (name.as_str(), Dependency::Place(name));
    match (&state.trouble, is_own) {
        (Some(trouble), true) => {
            if status.report(place, DependencyState::Down(trouble.clone())) {
                let said = Language::English.words().trouble(trouble);
                tracing::error!(ledger, kind = trouble.kind.as_str(), error = %said, "a ledger cannot do its work; somebody must see to it");
            }
        }
        (None, true) if status.why_down(place).is_some() => {
            status.report(place, DependencyState::Up);
            tracing::info!(ledger, "the ledger does its work again");
        }
        (None, true) => {}
        (trouble, false) => {
            let fault = trouble.clone().map(|trouble| Fault::Store { ledger: name, trouble });
            status.judge(FaultName::Store(name), fault);
        }
    }
    metrics::gauge!("loa_ledger_unreadable_rows", "ledger" => ledger).set(state.unreadable as f64);
    status.judge(FaultName::Unreadable(name), unreadable(name, state));
}

/// What it means that rows cannot be read: the first ones by table, column and key.
pub fn unreadable(ledger: LedgerName, state: &LedgerState) -> Option<Fault> {
    (!state.examples.is_empty()).then(|| Fault::UnreadableRows {
        ledger,
        count: state.unreadable,
        examples: state.examples.clone(),
    })
}

/// Fails when an event of the archive was passed over because it cannot be read: whoever reads all of it must hear of that.
pub async fn archive_could_be_read(app: &App) -> anyhow::Result<()> {
    let intake = LedgerName::Of(Outlet::Intake);
    for place in app.places().iter().filter(|place| place.ledger() == intake.as_str()) {
        if let Some(fault) = unreadable(intake, &place.condition().await) {
            return Err(anyhow::Error::from(FaultError::new(fault, app.world.now())).context("not everything is there"));
        }
    }
    Ok(())
}

/// The length of an embedded ledger's log, in bytes; `None` where it has none.
pub fn log_bytes(config: &Config, ledger: &str) -> Option<u64> {
    let [_, log, _] = files_of(&embedded::path(config, ledger));
    Some(std::fs::metadata(log).ok()?.len())
}

/// What is wrong with a log of this length.
pub fn long_log(config: &Config, ledger: LedgerName, bytes: u64) -> Option<Fault> {
    let file = embedded::path(config, ledger.as_str()).display().to_string();
    (bytes > LOG_BYTES_MAX).then_some(Fault::LongLog { ledger, file, bytes })
}

fn measure_logs(config: &Config, status: &Status) {
    for ledger in embedded::EMBEDDED {
        let Some(bytes) = log_bytes(config, ledger) else { continue };
        metrics::gauge!("loa_ledger_log_bytes", "ledger" => ledger).set(bytes as f64);
        if let Some(name) = LedgerName::parse(ledger) {
            status.judge(FaultName::Log(name), long_log(config, name, bytes));
        }
    }
}
