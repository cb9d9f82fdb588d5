//! Copies of SQLite files. A copy is made while others write, checked, and marked with its ledger and its
//! time; it is brought back beside its place. This file knows nothing of what a copy contains, so the
//! queues' file is copied the same way.

use crate::db::{During, files_of};
use crate::fault::{Fault, Result, refuse};
use jiff::Timestamp;
use loa_store::{StoreError, StoreErrorKind};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::{path::Path, time::Duration};
use tokio::{fs, io};

/// How long a copy waits for a lock. Writers do not hold it up; a file that is being opened or closed may.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a copy says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyMark {
    /// Of which ledger it is.
    pub ledger: String,
    /// What was written before then is in it; of what was written later, some may be.
    pub copied_at: Timestamp,
}

/// Copies the file at `from`, while others may write to it, into a new file at `to` that only its owner may read: one file
/// without a log beside it, checked, marked, and on disk when this returns. Returns its size in bytes.
///
/// # Errors
/// `Conflict` when there is something at `to`; `Corrupt` when the check finds the copy damaged (then so is its source);
/// `Unavailable` when something cannot be read or written now.
pub async fn copy_out(from: &Path, to: &Path, mark: &CopyMark) -> std::result::Result<u64, StoreError> {
    out(from, to, mark).await.during_at("copy a ledger", &from.display().to_string())
}

/// Brings a copy back beside its place: into a new file at `to`, checked, without its mark, which is returned if it has
/// one. What was at `to` before is replaced. The copy itself is only read.
///
/// # Errors
/// `Rejected` when a log lies beside the copy (then it is no copy, but a ledger that was in use); `Corrupt` when it is
/// damaged; `Unavailable` when something cannot be read or written now.
pub async fn copy_in(copy: &Path, to: &Path) -> std::result::Result<Option<CopyMark>, StoreError> {
    back(copy, to).await.during_at("bring a copy back", &copy.display().to_string())
}

async fn out(from: &Path, to: &Path, mark: &CopyMark) -> Result<u64> {
    make_private(to).await.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            refuse(StoreErrorKind::Conflict, format!("there is something at {} already", to.display()))
        }
        _ => at_file(to, error),
    })?;
    let mut source =
        SqliteConnectOptions::new().filename(from).read_only(true).busy_timeout(BUSY_TIMEOUT).connect().await?;
    sqlx::query("VACUUM INTO $1").bind(to.to_string_lossy().into_owned()).execute(&mut source).await?;
    source.close().await?;
    let mut copy = open(to).await?;
    sqlx::query("CREATE TABLE copy_mark (ledger TEXT NOT NULL, copied_at INTEGER NOT NULL) STRICT")
        .execute(&mut copy)
        .await?;
    sqlx::query("INSERT INTO copy_mark (ledger, copied_at) VALUES ($1, $2)")
        .bind(mark.ledger.as_str())
        .bind(mark.copied_at.as_millisecond())
        .execute(&mut copy)
        .await?;
    check(&mut copy, to).await?;
    copy.close().await?;
    sync(to).await
}

async fn back(copy: &Path, to: &Path) -> Result<Option<CopyMark>> {
    let [_, log, _] = files_of(copy);
    if fs::metadata(&log).await.is_ok_and(|log| log.len() > 0) {
        let what = format!(
            "{} has a log beside it ({}): it is a ledger that was in use, not a copy made by `loa backup`",
            copy.display(),
            log.display()
        );
        return Err(refuse(StoreErrorKind::Rejected, what));
    }
    for file in files_of(to) {
        match fs::remove_file(&file).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at_file(&file, error)),
            _ => {}
        }
    }
    let mut source = fs::File::open(copy).await.map_err(|error| at_file(copy, error))?;
    let mut target = make_private(to).await.map_err(|error| at_file(to, error))?;
    io::copy(&mut source, &mut target).await.map_err(|error| at_file(to, error))?;
    target.sync_all().await.map_err(|error| at_file(to, error))?;
    drop(target);
    let mut brought = open(to).await?;
    check(&mut brought, to).await?;
    let mark = take_mark(&mut brought).await?;
    brought.close().await?;
    sync(to).await?;
    Ok(mark)
}

async fn take_mark(copy: &mut SqliteConnection) -> Result<Option<CopyMark>> {
    let marked: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'copy_mark'")
            .fetch_one(&mut *copy)
            .await?;
    if marked == 0 {
        return Ok(None);
    }
    let row: Option<(String, i64)> =
        sqlx::query_as("SELECT ledger, copied_at FROM copy_mark").fetch_optional(&mut *copy).await?;
    sqlx::query("DROP TABLE copy_mark").execute(copy).await?;
    let Some((ledger, copied_at)) = row else { return Ok(None) };
    let copied_at = Timestamp::from_millisecond(copied_at)
        .map_err(|error| crate::fault::corrupt("copy_mark", "copied_at", &ledger, error))?;
    Ok(Some(CopyMark { ledger, copied_at }))
}

/// A connection that leaves no log behind.
async fn open(path: &Path) -> Result<SqliteConnection> {
    Ok(SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Delete)
        .busy_timeout(BUSY_TIMEOUT)
        .connect()
        .await?)
}

/// Looks at every page and every index.
async fn check(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(connection).await?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(refuse(StoreErrorKind::Corrupt, format!("{} is damaged: {verdict}", path.display())))
}

async fn make_private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await
}

async fn sync(path: &Path) -> Result<u64> {
    let file = fs::File::open(path).await.map_err(|error| at_file(path, error))?;
    file.sync_all().await.map_err(|error| at_file(path, error))?;
    Ok(file.metadata().await.map_err(|error| at_file(path, error))?.len())
}

fn at_file(path: &Path, source: io::Error) -> Fault {
    let what = format!("{} cannot be read or written", path.display());
    Fault::Known(StoreError::caused(StoreErrorKind::Unavailable, what, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccessStore;
    use loa_domain::Scope;
    use loa_store::AccessLedger;

    fn mark() -> CopyMark {
        CopyMark { ledger: "access".into(), copied_at: "2026-03-01T00:00:00Z".parse().unwrap() }
    }

    async fn names(store: &AccessStore) -> Vec<String> {
        store.tokens().await.unwrap().into_iter().map(|token| token.name).collect()
    }

    #[tokio::test]
    async fn a_copy_made_while_others_write_is_what_stood_then_and_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let [ledger, copy, side] = ["access.db", "copy.db", "side.db"].map(|name| folder.path().join(name));
        let store = AccessStore::open(&ledger).await.unwrap();
        store.add_token("before", Scope::Read, "aa", &[], mark().copied_at).await.unwrap();
        let bytes = copy_out(&ledger, &copy, &mark()).await.unwrap();
        store.add_token("after", Scope::Read, "bb", &[], mark().copied_at).await.unwrap();
        assert_eq!(bytes, std::fs::metadata(&copy).unwrap().len());
        assert!(files_of(&copy)[1..].iter().all(|beside| !beside.exists()), "one file, nothing beside it");
        let before = std::fs::read(&copy).unwrap();

        assert_eq!(copy_in(&copy, &side).await.unwrap(), Some(mark()));
        assert_eq!(names(&AccessStore::open(&side).await.unwrap()).await, ["before"]);
        assert_eq!(std::fs::read(&copy).unwrap(), before, "the copy itself is not touched");
        assert_eq!(names(&store).await, ["after", "before"]);
    }

    #[tokio::test]
    async fn a_ledger_with_its_log_beside_it_is_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let [ledger, side] = ["access.db", "side.db"].map(|name| folder.path().join(name));
        let store = AccessStore::open(&ledger).await.unwrap();
        store.add_token("in the log only", Scope::Read, "aa", &[], mark().copied_at).await.unwrap();
        let error = copy_in(&ledger, &side).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Rejected);
        assert!(error.to_string().contains("access.db-wal"), "{error}");
        assert_eq!(names(&store).await.len(), 1);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn copies_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [ledger, copy, side] = ["access.db", "copy.db", "side.db"].map(|name| folder.path().join(name));
        AccessStore::open(&ledger).await.unwrap().close().await;
        copy_out(&ledger, &copy, &mark()).await.unwrap();
        copy_in(&copy, &side).await.unwrap();
        for file in [copy, side] {
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn nothing_is_overwritten_by_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let [ledger, copy] = ["access.db", "copy.db"].map(|name| folder.path().join(name));
        AccessStore::open(&ledger).await.unwrap().close().await;
        std::fs::write(&copy, "precious").unwrap();
        assert_eq!(copy_out(&ledger, &copy, &mark()).await.unwrap_err().kind, StoreErrorKind::Conflict);
        assert_eq!(std::fs::read_to_string(&copy).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_damaged_copy_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let [ledger, copy, side] = ["access.db", "copy.db", "side.db"].map(|name| folder.path().join(name));
        let store = AccessStore::open(&ledger).await.unwrap();
        for number in 0..200 {
            let name = format!("token-{number:03}");
            store.add_token(&name, Scope::Read, &name, &[], mark().copied_at).await.unwrap();
        }
        copy_out(&ledger, &copy, &mark()).await.unwrap();
        let mut bytes = std::fs::read(&copy).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 2_000].fill(0x5a);
        std::fs::write(&copy, bytes).unwrap();
        let error = copy_in(&copy, &side).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
    }
}
