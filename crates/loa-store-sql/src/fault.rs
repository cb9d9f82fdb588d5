//! From an engine's error to one the callers can branch on.
//!
//! Inside this crate `?` carries a [`Fault`]; at the door [`During`] turns it into a `StoreError` that says what was tried.

use loa_store::{StoreError, StoreErrorKind};
use sqlx::postgres::PgDatabaseError;
use std::{error::Error, fmt::Display};

/// What went wrong, before anyone has said what was tried.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The engine said so.
    Sql(sqlx::Error),
    /// We said so, in a sentence of its own.
    Known(StoreError),
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

/// Says what was tried when a fault leaves the crate.
pub(crate) trait During<T> {
    /// `doing` fits behind "could not ".
    fn during(self, doing: &str) -> std::result::Result<T, StoreError>;
}

impl<T> During<T> for Result<T> {
    fn during(self, doing: &str) -> std::result::Result<T, StoreError> {
        self.map_err(|fault| match fault {
            Fault::Known(error) => error,
            Fault::Sql(error) => {
                let (kind, came_of_it) = judge(&error);
                StoreError::caused(kind, format!("could not {doing}: {came_of_it}"), error)
            }
        })
    }
}

/// Sorts an engine's error by what the caller should do, by codes and never by text.
fn judge(error: &sqlx::Error) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Conflict, Corrupt, Rejected, Unavailable};
    match error {
        sqlx::Error::Database(database) => {
            if database.is_unique_violation() {
                return (Conflict, "such a row is there already");
            }
            if database.try_downcast_ref::<PgDatabaseError>().is_some() {
                return judge_sqlstate(&database.code().unwrap_or_default());
            }
            // https://www.sqlite.org/rescode.html: the low byte of an extended code is the primary code.
            let code = database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default();
            match code & 0xff {
                5 | 6 => (Unavailable, "the ledger is busy"),
                13 => (Unavailable, "the disk is full"),
                7 => (Unavailable, "there is not enough memory"),
                10 | 14 => (Unavailable, "the disk or file cannot be read or written"),
                3 | 8 | 23 => (Unavailable, "the file may not be written"),
                4 | 9 => (Unavailable, "the statement was interrupted"),
                11 | 26 => (Corrupt, "the file is damaged or no ledger"),
                19 => (Rejected, "a rule of the schema forbids it"),
                _ => (Rejected, "the engine refused the statement"),
            }
        }
        sqlx::Error::PoolTimedOut => (Unavailable, "all connections were busy for too long"),
        sqlx::Error::PoolClosed => (Unavailable, "the ledger is being closed"),
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            (Unavailable, "the database did not answer in time")
        }
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            (Unavailable, "the database cannot be reached")
        }
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => (Unavailable, "the connection broke"),
        sqlx::Error::Tls(_) => (Unavailable, "no trusted connection to the database could be made"),
        // The far end said something else than it should: another program, or a connection cut in a bad place.
        sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => (Unavailable, "the connection was out of step"),
        sqlx::Error::RowNotFound => (StoreErrorKind::NotFound, "there is no such row"),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => (Corrupt, "a column holds another type of value"),
        _ => (Rejected, "the statement and the schema do not fit each other"),
    }
}

/// Sorts PostgreSQL's codes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>). What lies in the
/// surroundings (network, rights, a missing schema, a full disk) is `Unavailable`: work is held, and goes on once somebody
/// has seen to it. What lies in the row itself never gets better.
fn judge_sqlstate(code: &str) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Corrupt, Rejected, Unavailable};
    match (code.get(..2).unwrap_or_default(), code) {
        (_, "40001" | "40P01" | "55P03") => (Unavailable, "the ledger is busy"),
        (_, "57014") => (Unavailable, "the statement took too long"),
        (_, "25P03") => (Unavailable, "the database ended a transaction that had stood still for too long"),
        (_, "25006") => (Unavailable, "the database takes no writes now; is it a standby?"),
        (_, "53100") => (Unavailable, "the database's disk is full"),
        (_, "53300") => (Unavailable, "the database has no free connection"),
        ("53", _) => (Unavailable, "the database lacks resources"),
        ("08" | "57", _) => (Unavailable, "the database went away or is starting"),
        ("58", _) => (Unavailable, "the database cannot read or write its disk"),
        ("28", _) => (Unavailable, "the database refuses this user or password"),
        ("3D", _) => (Unavailable, "there is no such database"),
        (_, "42501") => (Unavailable, "the database's user lacks a right"),
        (_, "42P01" | "42703") | ("3F", _) => (Unavailable, "the ledger's schema is not there: run `loa migrate`"),
        ("XX", _) => (Corrupt, "the database is damaged"),
        ("23", _) => (Rejected, "a rule of the schema forbids it"),
        ("22", _) => (Rejected, "a value is none that the database can keep"),
        _ => (Rejected, "the engine refused the statement"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_surroundings_is_held_and_what_lies_in_the_row_is_not() {
        for code in [
            "08006", "25006", "25P03", "28P01", "3D000", "3F000", "40001", "40P01", "42501", "42P01", "42703", "53100",
            "53300", "55P03", "57014", "57P01", "57P03", "58030",
        ] {
            assert_eq!(judge_sqlstate(code).0, StoreErrorKind::Unavailable, "{code}");
        }
        for code in ["22021", "23502", "23503", "23514", "42601", "", "x"] {
            assert_eq!(judge_sqlstate(code).0, StoreErrorKind::Rejected, "{code}");
        }
        assert_eq!(judge_sqlstate("XX001").0, StoreErrorKind::Corrupt);
    }

    #[test]
    fn a_row_that_cannot_be_read_back_names_table_column_and_key() {
        let error = Err::<(), _>(corrupt("item", "content", "bai-1", "expected value")).during("read").unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt);
        assert_eq!(error.to_string(), "item.content of bai-1 cannot be read back");
        assert_eq!(error.source().unwrap().to_string(), "expected value");
    }

    #[test]
    fn a_pool_without_a_free_connection_is_unavailable() {
        let error = Err::<(), _>(Fault::Sql(sqlx::Error::PoolTimedOut)).during("claim mails").unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        assert_eq!(error.to_string(), "could not claim mails: all connections were busy for too long");
    }
}
