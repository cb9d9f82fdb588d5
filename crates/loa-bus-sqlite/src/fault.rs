//! SQLite's errors, sorted by what a caller of the bus should do, and said with what an operator should.

use loa_bus::{BusError, BusErrorKind};
use loa_domain::{BusFact, QueuesFileFault};
use std::path::Path;

// https://www.sqlite.org/rescode.html; the low byte of an extended code
const ERROR: i32 = 1;
const PERM: i32 = 3;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const AUTH: i32 = 23;
const NOTADB: i32 = 26;

/// What brings queues back: what was on its way is in intake's archive.
const ANEW: &str = "stop every `loa` that uses it, move it and the files beside it (`-wal`, `-shm`) away, run `loa migrate`, \
    and send what was on its way again: `loa replay --outlet feed`, `digest`, `push` (docs/operating/backup-and-restore.md)";

/// A failure while doing `what` with the queues' file.
pub(crate) fn fault(what: &str, path: &Path, error: sqlx::Error) -> BusError {
    if matches!(error, sqlx::Error::PoolClosed) {
        return closed();
    }
    let file = path.display();
    let (kind, why, found) = match primary_code(&error) {
        // an operator makes room on a full disk, and publishing then works again by itself
        Some(FULL) => (
            BusErrorKind::Blocked,
            format!(": the disk that holds {file} is full: make room"),
            Some(QueuesFileFault::DiskFull),
        ),
        Some(PERM | READONLY | AUTH) => (
            BusErrorKind::Refused,
            format!(
                ": {file} may not be written: look at its owner and rights, and whether its disk is mounted read-only"
            ),
            Some(QueuesFileFault::NotWritable),
        ),
        Some(CORRUPT) => {
            (BusErrorKind::Refused, format!(": {file} is damaged: {ANEW}"), Some(QueuesFileFault::Damaged))
        }
        Some(NOTADB) => (
            BusErrorKind::Refused,
            format!(": {file} is no file of queues, or its beginning was overwritten: {ANEW}"),
            Some(QueuesFileFault::NotQueues),
        ),
        Some(ERROR) => (
            BusErrorKind::Refused,
            format!(": {file} lacks a table of ours: was it emptied, or exchanged for another one? {ANEW}"),
            Some(QueuesFileFault::TableMissing),
        ),
        Some(IOERR) => (
            BusErrorKind::Unavailable,
            format!(": {file} cannot be read or written: look at its disk, in the system's log too"),
            Some(QueuesFileFault::DiskError),
        ),
        Some(CANTOPEN) => (
            BusErrorKind::Unavailable,
            format!(": {file} cannot be opened: is it there, and may this user read and write it and its folder?"),
            Some(QueuesFileFault::CannotOpen),
        ),
        // busy, pool timeouts: try again
        _ => (BusErrorKind::Unavailable, String::new(), None),
    };
    let error = BusError::caused(kind, format!("cannot {what}{why}"), error);
    match found {
        Some(fault) => error.about(of_file(path, fault)),
        None => error,
    }
}

fn of_file(path: &Path, fault: QueuesFileFault) -> BusFact {
    BusFact::QueuesFile { file: path.display().to_string(), fault }
}

/// The queues' file is not the one that was opened: what is written to that one is gone when it is closed.
pub(crate) fn gone(what: &str, path: &Path) -> BusError {
    let file = path.display();
    BusError::new(
        BusErrorKind::Refused,
        format!("cannot {what}: {file} was deleted, moved away or exchanged while it was in use: {ANEW}"),
    )
    .about(of_file(path, QueuesFileFault::Gone))
}

/// Whether an error lies in the file, so that a connection may remember what it should not.
pub(crate) fn lies_in_file(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(ERROR | IOERR | CORRUPT | CANTOPEN | NOTADB))
}

/// The error of every call after `close`.
pub(crate) fn closed() -> BusError {
    BusError::new(BusErrorKind::Unavailable, "the queues are closed").about(BusFact::ClosedByUs)
}

/// Whether another process has the file locked, so that waiting helps.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    matches!(primary_code(error), Some(BUSY | LOCKED))
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
