//! The engines behind the ledgers: an enum of engines, an enum of their transactions, and two macros that
//! compile an expression once for each engine with its native types. No other file knows the engine.
//!
//! Each statement is written once, in portable SQL: `$1`, `ON CONFLICT`, `RETURNING`, row values, times as
//! `i64` milliseconds, no functions of a dialect. Only migrations and row locks (`Tx::locking`) have two
//! texts.
//!
//! On SQLite every writing transaction locks the file. On PostgreSQL each has a [`LockMode`]: exclusive
//! where it decides by what it reads (accepting, subscribing, planning), shared or serial where it works on
//! rows under a lease. Constraints ensure that two replicas never do one thing twice; the locks only keep
//! them from trying.

/// Reads outside a transaction of the caller's: `read!(db, c => query.fetch_all(c).await?)`.
macro_rules! read {
    ($db:expr, $c:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite(file) => {
                let $c = file.reader()?;
                $body
            }
            $crate::db::Db::Postgres(..) => {
                let mut tx = $db.snapshot().await?;
                on!(&mut tx, $c: D => $body)
            }
        }
    };
}

/// One statement in a transaction: `on!(tx, c: D => query.execute(c).await?.rows_affected())`; `D` names the engine's type inside.
macro_rules! on {
    ($tx:expr, $c:ident : $D:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(transaction, _) => {
                #[allow(dead_code)]
                type $D = sqlx::Sqlite;
                let $c = &mut **transaction;
                $body
            }
            $crate::db::Tx::Postgres(transaction, statements_have_names, _) => {
                #[allow(dead_code)]
                type $D = sqlx::Postgres;
                let $c = &mut $crate::db::Bounded {
                    connection: &mut **transaction,
                    statements_have_names: *statements_have_names,
                };
                $body
            }
        }
    };
}

mod during;
mod files;
mod found;
mod place;
mod postgres;
pub(crate) mod schema;
mod sqlite;
mod through;

pub(crate) use during::During;
pub use files::files_of;
pub(crate) use found::{Found, Met};
pub use place::{LedgerPlace, LedgerState};
pub(crate) use through::{share_of, through, through_part};

pub(crate) use postgres::{Bounded, LockMode, Schema, refuse_old_server};
pub use postgres::{Postgres, PostgresConfig};

use crate::fault::{Result, refuse};
use loa_store::StoreErrorKind;
use schema::Migration;
use sqlite::{File, Whereabouts};
use sqlx::{Sqlite, Transaction, sqlite::SqliteConnectOptions};
use std::{path::Path, str::FromStr, sync::Arc};
use tokio::sync::OnceCell;

/// A ledger's place.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    /// A file of its own.
    Sqlite(File),
    /// A schema of its own.
    Postgres(Schema, Arc<Expected>),
}

/// What a ledger on a server must be like. It is looked at with the first transaction, since the server may be away when
/// the program starts.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) ledger: &'static str,
    pub(crate) migrations: &'static [Migration],
    checked: OnceCell<()>,
}

/// A transaction. Dropped without [`Tx::commit`], it is rolled back.
pub(crate) enum Tx {
    /// With where its file is to be, still, when it has been committed.
    Sqlite(Transaction<'static, Sqlite>, Arc<Whereabouts>),
    /// With whether its statements may have names on the server, and what was found wrong with its ledger.
    Postgres(Transaction<'static, sqlx::Postgres>, bool, Arc<Found>),
}

/// What a reading statement locks of the rows it finds, until the transaction ends.
#[derive(Clone, Copy)]
pub(crate) enum Locking {
    /// The rows: whoever else wants to write or lock them waits.
    Rows,
    /// The rows that nobody else has locked; others are passed over.
    FreeRows,
}

impl Db {
    /// Opens a file; makes it, readable by its owner only, when `create` is set and it is not there.
    pub(crate) async fn file(path: &Path, create: bool) -> Result<Self> {
        File::open(path, create).await.map(Self::Sqlite)
    }

    /// Opens what an address names: `sqlite:PATH`.
    pub(crate) async fn connect(url: &str, create: bool) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            let scheme = url.split(':').next().unwrap_or_default();
            let what = format!("no ledger can be kept at a {scheme:?} address; known: sqlite:PATH");
            return Err(refuse(StoreErrorKind::Rejected, what));
        }
        let path = SqliteConnectOptions::from_str(url)?.get_filename().to_owned();
        Self::file(&path, create).await
    }

    /// A ledger's schema on a server; nothing is opened yet.
    pub(crate) fn schema(server: &Postgres, ledger: &'static str, migrations: &'static [Migration]) -> Self {
        let expected = Expected { ledger, migrations, checked: OnceCell::new() };
        Self::Postgres(server.schema(ledger), Arc::new(expected))
    }

    /// Begins a writing transaction in [`LockMode::Exclusive`].
    pub(crate) async fn begin(&self) -> Result<Tx> {
        self.begin_in_mode(LockMode::Exclusive).await
    }

    /// Begins a writing transaction in [`LockMode::Shared`].
    pub(crate) async fn begin_shared(&self) -> Result<Tx> {
        self.begin_in_mode(LockMode::Shared).await
    }

    /// Begins a writing transaction in [`LockMode::Serial`].
    pub(crate) async fn begin_serial(&self) -> Result<Tx> {
        self.begin_in_mode(LockMode::Serial).await
    }

    /// Begins a migration in [`LockMode::Exclusive`], on a ledger that need not be there.
    pub(crate) async fn begin_unchecked(&self) -> Result<Tx> {
        match self {
            Self::Sqlite(file) => file.begin().await,
            Self::Postgres(schema, _) => {
                let mut tx = schema.begin(LockMode::Exclusive).await?;
                schema.make(&mut tx).await?;
                Ok(tx)
            }
        }
    }

    async fn begin_in_mode(&self, mode: LockMode) -> Result<Tx> {
        match self {
            Self::Sqlite(file) => file.begin().await,
            Self::Postgres(schema, expected) => {
                expected.check(schema).await?;
                schema.begin(mode).await
            }
        }
    }

    /// Begins a reading transaction: all of its statements see the same moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        match self {
            Self::Sqlite(file) => file.snapshot().await,
            Self::Postgres(schema, expected) => {
                expected.check(schema).await?;
                schema.snapshot().await
            }
        }
    }

    /// The ledger's file, or its schema, as people call it.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("the file {}", file.path().display()),
            Self::Postgres(schema, _) => format!("the schema {}", schema.name()),
        }
    }

    /// What the engine found wrong with it.
    pub(crate) fn found(&self) -> &Found {
        match self {
            Self::Sqlite(file) => file.found(),
            Self::Postgres(schema, _) => schema.found(),
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(file) => file.close().await,
            Self::Postgres(schema, _) => schema.close().await,
        }
    }

    /// Proves that the ledger can be read.
    pub(crate) async fn ping(&self) -> Result<()> {
        let _: i64 = read!(self, c => sqlx::query_scalar("SELECT COUNT(*) FROM migration").fetch_one(c).await?);
        Ok(())
    }
}

impl Expected {
    /// Once: that the schema is there and fits this program.
    async fn check(&self, schema: &Schema) -> Result<()> {
        let look = async || {
            let mut tx = schema.snapshot().await?;
            let version: i64 = on!(&mut tx, c: D => sqlx::query_scalar(
                "SELECT CAST(current_setting('server_version_num') AS BIGINT)",
            )
            .fetch_one(c)
            .await?);
            refuse_old_server(version)?;
            let was_migrated = schema.was_ever_migrated(&mut tx).await?;
            if was_migrated {
                schema.refuse_missing_rights(&mut tx).await?;
            }
            schema::check(&mut tx, was_migrated, self.ledger, self.migrations).await
        };
        self.checked.get_or_try_init(look).await.copied()
    }
}

impl Tx {
    /// Ends the transaction; what it wrote is on disk when this returns.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(transaction, whereabouts) => {
                transaction.commit().await?;
                // what was written into a file that was deleted meanwhile is gone with it
                whereabouts.still()
            }
            Self::Postgres(transaction, ..) => postgres::commit(transaction).await,
        }
    }

    /// What was found wrong with the ledger.
    pub(crate) fn found(&self) -> &Found {
        match self {
            Self::Sqlite(_, whereabouts) => whereabouts.found(),
            Self::Postgres(.., found) => found,
        }
    }

    /// The text of a statement that is not the same for both engines.
    pub(crate) fn text(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite(..) => sqlite,
            Self::Postgres(..) => postgres,
        }
    }

    /// A reading statement that locks what it finds. SQLite needs no word for it: there, the transaction has the whole file.
    pub(crate) fn locking(&self, select: &'static str, what: Locking) -> sqlx::AssertSqlSafe<String> {
        let words = match (self, what) {
            (Self::Sqlite(..), _) => "",
            (Self::Postgres(..), Locking::Rows) => " FOR UPDATE",
            (Self::Postgres(..), Locking::FreeRows) => " FOR UPDATE SKIP LOCKED",
        };
        sqlx::AssertSqlSafe(format!("{select}{words}"))
    }
}

#[cfg(test)]
impl Db {
    /// How SQLite would go about a statement, one line a step.
    pub(crate) async fn steps_of(&self, statement: &str) -> Vec<String> {
        use sqlx::Row;
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let Self::Sqlite(file) = self else { panic!("this asks SQLite") };
        let rows = sqlx::query(explain).fetch_all(&file.write).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail")).collect()
    }

    /// Holds that a statement is served by indexes: it walks through no table (but those named) and sorts nothing.
    pub(crate) async fn assert_served_by_indexes(&self, statement: &str, may_be_walked: &[&str]) {
        let steps = self.steps_of(statement).await;
        for step in &steps {
            let walks = step
                .strip_prefix("SCAN ")
                .is_some_and(|rest| !may_be_walked.iter().any(|table| rest.split(' ').next() == Some(table)));
            let sorts = step.contains("TEMP B-TREE") && may_be_walked.is_empty();
            assert!(!walks && !sorts, "{step:?} in {steps:#?} of {statement}");
        }
        assert!(steps.iter().any(|step| step.starts_with("SEARCH ")), "{steps:#?}");
    }
}
