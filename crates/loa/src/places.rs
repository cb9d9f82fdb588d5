//! Looks after the places where this process's ledgers are kept: damage, a full disk, missing rights, rows that cannot be read,
//! and logs that grow.
//!
//! What keeps a service from its own ledger makes it unready, by the dependency `store NAME`. What is wrong with a ledger that
//! it only reads (the audit asks all outlets), an unreadable row, and a long log are faults: taking this process out of
//! service would mend none of them.

use crate::{config::Config, embedded, wire::App};
use loa_store_sql::{LedgerState, files_of};
use loa_worker::{DependencyState, Status};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A log longer than this, in bytes, is a fault. After a burst it is cut back to this; so it is longer only while it grows.
pub const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Looks until `stop`. `own` are the ledgers without which this process does not do its work.
pub async fn look_after(app: Arc<App>, own: &'static [&'static str], stop: CancellationToken) {
    let looking = async {
        loop {
            for place in app.places() {
                let state = place.look().await;
                tell(&app.status, place.ledger(), own.contains(&place.ledger()), &state);
            }
            measure_logs(&app.config, &app.status);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    // looking changes nothing: it may be cut anywhere
    let _: Option<()> = stop.run_until_cancelled(looking).await;
}

fn tell(status: &Status, ledger: &str, is_own: bool, state: &LedgerState) {
    let name = format!("store {ledger}");
    match (&state.trouble, is_own) {
        (Some(trouble), true) => {
            if status.report(&name, DependencyState::Down(trouble.clone())) {
                tracing::error!(ledger, error = %trouble, "a ledger cannot do its work; somebody must see to it");
            }
        }
        (None, true) if status.why_down(&name).is_some() => {
            status.report(&name, DependencyState::Up);
            tracing::info!(ledger, "the ledger does its work again");
        }
        (None, true) => {}
        (trouble, false) => {
            status.fault(&name, trouble.clone());
        }
    }
    metrics::gauge!("loa_ledger_unreadable_rows", "ledger" => ledger.to_owned()).set(state.unreadable as f64);
    status.fault(&format!("unreadable {ledger}"), unreadable(ledger, state));
}

fn unreadable(ledger: &str, state: &LedgerState) -> Option<String> {
    let example = state.example.as_ref()?;
    Some(format!(
        "{} of the {ledger} ledger's rows cannot be read and are set aside, the others go on: {example}. Run the newest \
         program that wrote this ledger; if that does not help, bring the ledger back from its copy \
         (docs/operating/backup-and-restore.md)",
        state.unreadable
    ))
}

/// Fails when an event of the archive was passed over because it cannot be read: whoever reads all of it must hear of that.
pub async fn archive_could_be_read(app: &App) -> anyhow::Result<()> {
    for place in app.places().iter().filter(|place| place.ledger() == "intake") {
        if let Some(said) = unreadable("intake", &place.look().await) {
            anyhow::bail!("not everything is there: {said}");
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
pub fn long_log(config: &Config, ledger: &str, bytes: u64) -> Option<String> {
    let file = embedded::path(config, ledger);
    (bytes > LOG_BYTES_MAX).then(|| {
        format!(
            "the log {}-wal has grown to {} MB: somebody reads one moment of {} and does not end (a `sqlite3` that was left in a \
             transaction, a copy that hangs), so that it cannot be folded into the file; `fuser {}` names who has it open. \
             End that one: the log is then folded by itself, and nothing is lost",
            file.display(),
            bytes / 1_000_000,
            file.display(),
            file.display()
        )
    })
}

fn measure_logs(config: &Config, status: &Status) {
    for ledger in embedded::EMBEDDED {
        let Some(bytes) = log_bytes(config, ledger) else { continue };
        metrics::gauge!("loa_ledger_log_bytes", "ledger" => ledger).set(bytes as f64);
        status.fault(&format!("log {ledger}"), long_log(config, ledger, bytes));
    }
}
