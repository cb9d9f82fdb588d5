//! Why a dependency is down, and what to do, in English.

use loa_domain::TroubleKind;

/// How a ledger comes back.
const RESTORE: &str = "stop every `loa` that uses it and bring the ledger back from its copy with `loa restore` \
                       (docs/operating/backup-and-restore.md); until then what comes in waits";

/// Why a dependency is down, and what to do.
pub(super) fn kind(kind: TroubleKind, place: &str) -> String {
    match kind {
        TroubleKind::NotTried => "It was not tried yet.".into(),
        TroubleKind::Defect => "A defect of Loa; the log says more, please report it.".into(),
        TroubleKind::BusConnecting => "Connecting: the broker has not answered yet.".into(),
        TroubleKind::BusBlocked => "The broker takes nothing for now; what is published waits in the outbox.".into(),
        TroubleKind::BusRefuses => {
            "The broker refuses us: check user name, password, rights, and whether a queue was made with other arguments."
                .into()
        }
        TroubleKind::BusAway => "No connection to the broker: see whether it runs and can be reached.".into(),
        TroubleKind::TopologyMissing => "Exchanges or queues are missing: `loa migrate` makes them.".into(),
        TroubleKind::LedgerAway => "The ledger does not answer: see whether its database runs and can be reached.".into(),
        TroubleKind::LedgerBusy => "The ledger is busy; it is tried again.".into(),
        TroubleKind::LedgerRefuses => {
            "The database refuses us: a login, a right, a connection, or writes. The detail says which.".into()
        }
        TroubleKind::MigrationDue => {
            "The ledger's tables are missing, or older than this program: run `loa migrate`.".into()
        }
        TroubleKind::RestoreUnfinished => {
            "A restore of the ledger has begun and not ended: run the same `loa restore` again.".into()
        }
        TroubleKind::DiskFull => {
            format!("The disk that holds {} is full: make room, and it goes on by itself.", within(place))
        }
        TroubleKind::DiskError => format!(
            "The machine cannot read or write the files of {}: look at its disk, and at the logs of the system and the database.",
            within(place)
        ),
        TroubleKind::CannotOpen => {
            format!("Cannot be opened: {}. Look whether it is there, and whether this user may read and write it and its folder.", within(place))
        }
        TroubleKind::NotWritable => {
            format!("May not be written: {}. Look at its owner and rights, and whether its disk is mounted read-only.", within(place))
        }
        TroubleKind::Damaged => format!("The data in {} is damaged: {RESTORE}.", within(place)),
        TroubleKind::IndexDamaged => format!(
            "An index is damaged in {}: `REINDEX SCHEMA` makes it anew, if the tables are whole; until then what comes in \
             waits.",
            within(place)
        ),
        TroubleKind::NotALedger => {
            format!("What stands in {} is no ledger of ours: emptied, overwritten or exchanged; {RESTORE}.", within(place))
        }
        TroubleKind::FileGone => {
            format!("The file {} was deleted or moved away while it was in use: {RESTORE}.", within(place))
        }
        TroubleKind::LogDeleted => format!(
            "The write-ahead log {} was deleted while it was in use: what stands in it is being brought into the file, and then it \
             goes on by itself. Whoever deletes such files must stop doing so.",
            if place.is_empty() { "of the ledger" } else { place }
        ),
        TroubleKind::UnreadableRow => {
            "A row of the ledger cannot be read, and work waits for it: run the newest program that wrote this ledger, or bring the \
             ledger back from its copy with `loa restore` (docs/operating/backup-and-restore.md)."
                .into()
        }
    }
}

/// The same in the middle of a sentence.
fn within(place: &str) -> &str {
    if place.is_empty() { "the ledger" } else { place }
}
