//! Turns an engine's error into one that callers can branch on.
//!
//! Inside this crate `?` carries a [`Fault`]. At the door [`During`](crate::db::During) turns it into a `StoreError`
//! that says what was tried.

use loa_domain::TroubleKind;
use loa_store::{StoreError, StoreErrorKind};
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};
use std::{error::Error, fmt::Display};

/// What went wrong, before anyone has said what was tried.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The engine said so.
    Sql(sqlx::Error),
    /// We said so, in a sentence of its own.
    Known(StoreError),
    /// The server cannot be reached or does not let us in: what was met at each address, to stand behind what was tried.
    Away(String),
    /// The ledger's place is not as it should be: what lies there, which file, a sentence with what to do, and the engine's
    /// or the system's words, if there are any.
    InPlace(InPlace),
}

/// What we found wrong with a ledger's place.
#[derive(Debug)]
pub(crate) struct InPlace {
    pub(crate) kind: TroubleKind,
    pub(crate) place: String,
    pub(crate) says: String,
    pub(crate) detail: String,
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// A fault of ours: a kind and a sentence.
pub(crate) fn refuse(kind: StoreErrorKind, what: impl Into<String>) -> Fault {
    Fault::Known(StoreError::new(kind, what))
}

/// The same where an administrator's part is known.
pub(crate) fn refuse_until(trouble: TroubleKind, what: impl Into<String>) -> Fault {
    Fault::Known(StoreError::new(StoreErrorKind::Unavailable, what).lying_in(trouble, ""))
}

/// A row that cannot be read back.
pub(crate) fn corrupt(
    table: &str,
    column: &str,
    key: impl Display,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> Fault {
    let what = format!("{table}.{column} of {key} cannot be read back");
    Fault::Known(StoreError::caused(StoreErrorKind::Corrupt, what, source))
}

impl Fault {
    /// The error of the door: `doing` fits behind "could not ", `place` is a file or a schema.
    pub(crate) fn told(self, doing: &str, place: &str) -> StoreError {
        match self {
            Self::Known(error) => error,
            Self::Away(why) => StoreError::new(StoreErrorKind::Unavailable, format!("could not {doing}: {why}")),
            Self::InPlace(InPlace { kind, place, says, detail }) => {
                let what = format!("could not {doing}: {says}");
                let error = match detail.is_empty() {
                    true => StoreError::new(StoreErrorKind::Unavailable, what),
                    false => StoreError::caused(StoreErrorKind::Unavailable, what, detail),
                };
                error.lying_in(kind, place)
            }
            Self::Sql(error) => {
                let verdict = judge(&error);
                let what = format!("could not {doing}: {}", verdict.says.replace("{place}", place));
                let error = StoreError::caused(verdict.kind, what, error);
                match verdict.trouble {
                    Some(trouble) if verdict.lies_in_place => error.lying_in(trouble, place),
                    Some(trouble) => error.lying_in(trouble, ""),
                    None => error,
                }
            }
        }
    }
}

/// Whether another process has SQLite's file locked, so that waiting helps.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|database| {
        database.try_downcast_ref::<PgDatabaseError>().is_none() && matches!(sqlite_code(database), 5 | 6 | 15)
    })
}

/// Whether SQLite refuses to write a row because a value of it has another type than its column (SQLITE_CONSTRAINT_DATATYPE). Our
/// statements never bring such a value; it stood there, and any change of its row is refused for it.
pub(crate) fn is_of_wrong_type(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|database| {
        database.try_downcast_ref::<PgDatabaseError>().is_none() && database.code().as_deref() == Some("3091")
    })
}

/// The low byte of an extended code is the primary code: <https://www.sqlite.org/rescode.html>.
fn sqlite_code(database: &dyn DatabaseError) -> i32 {
    database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default() & 0xff
}

/// What an engine's error means, in words.
pub(crate) fn came_of(error: &sqlx::Error) -> String {
    judge(error).says.replace("{place}", "the database")
}

/// What an engine's error means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    kind: StoreErrorKind,
    /// In words; `{place}` stands for the ledger's file, or its schema.
    says: &'static str,
    /// What an administrator acts on, where it is more than that the ledger is away.
    trouble: Option<TroubleKind>,
    /// It lies in the place where the ledger is kept, and stays until somebody has seen to it.
    pub(crate) lies_in_place: bool,
    /// A small write that succeeds does not prove that it is over.
    pub(crate) lingers: bool,
}

/// It passes by itself, or lies in what was asked.
const fn so(kind: StoreErrorKind, says: &'static str) -> Verdict {
    Verdict { kind, says, trouble: None, lies_in_place: false, lingers: false }
}

/// The ledger is there and not to be had just now.
const fn busy(says: &'static str) -> Verdict {
    Verdict { trouble: Some(TroubleKind::LedgerBusy), ..so(StoreErrorKind::Unavailable, says) }
}

/// The server is there and refuses us: somebody must change a setting, here or there.
const fn refuses(says: &'static str) -> Verdict {
    Verdict { trouble: Some(TroubleKind::LedgerRefuses), ..so(StoreErrorKind::Unavailable, says) }
}

/// It lies in the ledger's place: nobody's message is at fault, work is held until somebody has seen to it.
const fn in_place(trouble: TroubleKind, says: &'static str) -> Verdict {
    Verdict { kind: StoreErrorKind::Unavailable, says, trouble: Some(trouble), lies_in_place: true, lingers: false }
}

/// The same of a disk that is full.
const fn full(says: &'static str) -> Verdict {
    Verdict { lingers: true, ..in_place(TroubleKind::DiskFull, says) }
}

/// Sorts an engine's error by what the caller should do, by codes and never by text.
pub(crate) fn judge(error: &sqlx::Error) -> Verdict {
    use StoreErrorKind::{Conflict, Corrupt, NotFound, Rejected, Unavailable};
    match error {
        sqlx::Error::Database(database) => {
            if database.is_unique_violation() {
                return so(Conflict, "such a row is there already");
            }
            if database.try_downcast_ref::<PgDatabaseError>().is_some() {
                return judge_sqlstate(&database.code().unwrap_or_default());
            }
            judge_sqlite(sqlite_code(database.as_ref()))
        }
        sqlx::Error::PoolTimedOut => busy("all connections were busy for too long"),
        sqlx::Error::PoolClosed => so(Unavailable, "the ledger is being closed"),
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            so(Unavailable, "the database did not answer in time")
        }
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            so(Unavailable, "the database cannot be reached")
        }
        // the driver's handshake says so of a certificate it does not trust
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            so(Unavailable, "no trusted connection to the database could be made")
        }
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => so(Unavailable, "the connection broke"),
        sqlx::Error::Tls(_) => so(Unavailable, "no trusted connection to the database could be made"),
        // The far end said something else than it should: another program, or a connection cut in a bad place.
        sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => so(Unavailable, "the connection was out of step"),
        sqlx::Error::RowNotFound => so(NotFound, "there is no such row"),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => so(
            Corrupt,
            "a column of {place} holds what is no value of its kind; work waits until the ledger was brought back from its copy \
                 with `loa restore` (docs/operating/backup-and-restore.md)",
        ),
        _ => so(Rejected, "the statement and the schema do not fit each other"),
    }
}

/// Sorts SQLite's codes. Our statements are fixed and tested, so an "error" (1) is a table that is not there: the file was
/// emptied, or is another one.
fn judge_sqlite(code: i32) -> Verdict {
    use StoreErrorKind::{Rejected, Unavailable};
    match code {
        // 15: processes that race for the lock of the write-ahead log
        5 | 6 | 15 => busy("the ledger is busy"),
        7 => so(Unavailable, "there is not enough memory"),
        4 | 9 => so(Unavailable, "the statement was interrupted"),
        13 => full("the disk that holds {place} is full: make room, and it goes on by itself"),
        10 => in_place(
            TroubleKind::DiskError,
            "{place} cannot be read or written: look at its disk, in the system's log too",
        ),
        14 => in_place(
            TroubleKind::CannotOpen,
            "{place} cannot be opened: is it there, and may this user read and write it and its folder?",
        ),
        3 | 8 | 23 => in_place(
            TroubleKind::NotWritable,
            "{place} may not be written: look at its owner and rights, and whether its disk is mounted read-only",
        ),
        11 => in_place(
            TroubleKind::Damaged,
            "{place} is damaged: stop every `loa` that uses it and bring the ledger back from its copy with `loa restore` \
             (docs/operating/backup-and-restore.md); until then what comes in waits",
        ),
        26 => in_place(
            TroubleKind::NotALedger,
            "{place} is no ledger, or its beginning was overwritten: stop every `loa` that uses it and bring the ledger back \
             from its copy with `loa restore` (docs/operating/backup-and-restore.md); until then what comes in waits",
        ),
        1 | 17 => in_place(
            TroubleKind::NotALedger,
            "{place} lacks a table of ours: was the file emptied, or exchanged for another one? `loa restore` brings the \
             ledger back from its copy (docs/operating/backup-and-restore.md)",
        ),
        19 => so(Rejected, "a rule of the schema forbids it"),
        _ => so(Rejected, "the engine refused the statement"),
    }
}

/// Sorts PostgreSQL's codes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>). What lies in the
/// surroundings (network, rights, a missing schema, a full disk, a damaged page) is `Unavailable`: work is held, and goes on
/// once somebody has seen to it. What lies in the row itself never gets better.
fn judge_sqlstate(code: &str) -> Verdict {
    use StoreErrorKind::{Rejected, Unavailable};
    match (code.get(..2).unwrap_or_default(), code) {
        ("40", _) | (_, "55P03") => busy("the ledger is busy"),
        (_, "57014" | "25P04") => busy("the statement took too long"),
        (_, "25P03") => so(Unavailable, "the database ended a transaction that had stood still for too long"),
        (_, "26000" | "42P05") => so(
            Unavailable,
            "a prepared statement was not where it should be: is a pooler between, and `statement_cache_max` above 0?",
        ),
        (_, "25006") => refuses("the database takes no writes now; is it a standby?"),
        (_, "53100") => {
            full("the disk of the database that holds {place} is full: make room, and it goes on by itself")
        }
        (_, "53300") => refuses(
            "the database has no free connection for us: lower `store.postgres.connections_max`, or raise the limit of the \
             server, the role or the database",
        ),
        ("53", _) => so(Unavailable, "the database lacks resources"),
        (_, "57P04") => so(Unavailable, "the database was dropped"),
        ("08" | "57", _) => so(Unavailable, "the database went away or is starting"),
        ("58", _) => in_place(
            TroubleKind::DiskError,
            "the database cannot read or write the files of {place}: look at its disk and its log; a file that is missing is \
             damage, see docs/operating/backup-and-restore.md",
        ),
        ("28", _) => refuses("the database refuses this user or password"),
        ("3D", _) => refuses("there is no such database"),
        (_, "42501") => refuses("the database's user lacks a right (`loa check` names the GRANT)"),
        (_, "42P01" | "42703") | ("3F", _) => Verdict {
            trouble: Some(TroubleKind::MigrationDue),
            ..so(Unavailable, "the ledger's schema is not there: run `loa migrate`")
        },
        (_, "XX002") => in_place(
            TroubleKind::IndexDamaged,
            "an index of {place} is damaged: `REINDEX SCHEMA` makes it anew, if the tables are whole; until then what comes in \
             waits",
        ),
        (_, "XX000") => so(Unavailable, "the database met an error within itself; its log says more"),
        ("XX", _) => in_place(
            TroubleKind::Damaged,
            "{place} is damaged: stop every `loa`, save the database's files, and bring the ledger back from its backup \
             (docs/operating/backup-and-restore.md); until then what comes in waits",
        ),
        ("23", _) => so(Rejected, "a rule of the schema forbids it"),
        ("22", _) => so(Rejected, "a value is none that the database can keep"),
        _ => so(Rejected, "the engine refused the statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_surroundings_is_held_and_what_lies_in_the_row_is_not() {
        for code in [
            "08006", "25006", "25P03", "25P04", "26000", "40003", "42P05", "28P01", "3D000", "3F000", "40001", "40P01",
            "42501", "42P01", "42703", "53100", "53200", "53300", "55P03", "57014", "57P01", "57P02", "57P03", "57P04",
            "58030", "58P01", "XX000", "XX001", "XX002",
        ] {
            assert_eq!(judge_sqlstate(code).kind, StoreErrorKind::Unavailable, "{code}");
        }
        for code in ["22021", "23502", "23503", "23514", "42601", "", "x"] {
            assert_eq!(judge_sqlstate(code).kind, StoreErrorKind::Rejected, "{code}");
        }
        for code in [1, 3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26] {
            assert_eq!(judge_sqlite(code).kind, StoreErrorKind::Unavailable, "{code}");
        }
        for code in [18, 19, 20] {
            assert_eq!(judge_sqlite(code).kind, StoreErrorKind::Rejected, "{code}");
        }
    }

    #[test]
    fn what_stays_until_somebody_has_seen_to_it_is_told_apart_from_what_passes_and_names_its_place() {
        let sqlite = [1, 3, 8, 10, 11, 13, 14, 26].map(judge_sqlite);
        let postgres = ["53100", "58030", "58P01", "XX001", "XX002"].map(judge_sqlstate);
        for verdict in sqlite.into_iter().chain(postgres) {
            assert!(verdict.lies_in_place && verdict.says.contains("{place}"), "{verdict:?}");
        }
        assert!([4, 5, 6, 7, 9, 19].map(judge_sqlite).iter().all(|verdict| !verdict.lies_in_place));
        assert!(
            ["40001", "57P01", "53300", "08006", "28P01", "XX000"]
                .map(judge_sqlstate)
                .iter()
                .all(|it| !it.lies_in_place)
        );
    }

    #[test]
    fn what_lies_in_a_place_is_told_by_a_kind_and_that_place() {
        let kinds = [(10, "disk_error"), (11, "damaged"), (13, "disk_full"), (26, "not_a_ledger")];
        for (code, kind) in kinds {
            assert_eq!(judge_sqlite(code).trouble.unwrap().as_str(), kind, "{code}");
        }
        for (code, kind) in [("53100", "disk_full"), ("28P01", "ledger_refuses"), ("42P01", "migration_due")] {
            assert_eq!(judge_sqlstate(code).trouble.unwrap().as_str(), kind, "{code}");
        }
        let gone = InPlace {
            kind: TroubleKind::FileGone,
            place: "/x/feed.db".into(),
            says: "it was deleted".into(),
            detail: "No such file or directory".into(),
        };
        let error = Fault::InPlace(gone).told("accept", "x");
        assert_eq!(error.to_string(), "could not accept: it was deleted");
        let trouble = error.trouble();
        assert_eq!((trouble.place.as_str(), trouble.detail.as_str()), ("/x/feed.db", "No such file or directory"));
    }

    #[test]
    fn a_row_that_cannot_be_read_back_names_table_column_and_key() {
        let error = corrupt("item", "content", "bai-1", "expected value").told("read", "x");
        assert_eq!(error.kind, StoreErrorKind::Corrupt);
        assert_eq!(error.to_string(), "item.content of bai-1 cannot be read back");
        assert_eq!(error.source().unwrap().to_string(), "expected value");
    }

    #[test]
    fn a_pool_without_a_free_connection_is_unavailable() {
        let error = Fault::Sql(sqlx::Error::PoolTimedOut).told("claim mails", "x");
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert_eq!(error.to_string(), "could not claim mails: all connections were busy for too long");
    }
}
