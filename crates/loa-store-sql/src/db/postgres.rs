//! PostgreSQL: one pool for each process, one schema for each ledger, and transactions that are correct
//! behind a pooler in transaction mode.
//!
//! No state is kept in a session. Each transaction sets the schema's name, the deadlines and the ledger's
//! lock, and all of them end with it. Single reads are transactions too. Statements have no names on the
//! server unless the settings allow it. Every wait has a deadline on both sides: a peer that vanished costs
//! seconds, not the fifteen minutes of TCP.

mod bounded;
mod config;
mod dial;
mod rights;
mod server;

pub(crate) use bounded::Bounded;
pub use config::PostgresConfig;

use self::dial::{Dialler, is_no_connection, takes_writes};
use super::{Found, Tx};
use crate::db::During;
use crate::fault::{Fault, Result, refuse_until};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use loa_domain::TroubleKind;
use loa_store::{StoreError, StoreErrorKind};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Postgres as Engine, Transaction, postgres::PgPoolOptions};
use std::{sync::Arc, time::Duration};

/// How long a caller waits for a connection, new or free, before it is told "unavailable".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(6);
/// How long a connection may take to prove that it is alive, before it is used and when it is given back.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long we wait for the answer to one statement. Longer than the server's own limits, whose sentence says more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The server's own limits, in each transaction: a statement; waiting for a lock; and doing nothing at all, which is how a
/// process looks that was stopped in the middle (its locks must not stop its replicas).
const LIMITS: &str = "SET LOCAL statement_timeout = '25s'; SET LOCAL lock_timeout = '15s'; \
    SET LOCAL idle_in_transaction_session_timeout = '15s'";

/// A process's connections to PostgreSQL, shared by its ledgers. Clones are the same connections.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
    dialler: Dialler,
    schema_prefix: Arc<str>,
    statements_have_names: bool,
}

impl Postgres {
    /// Sets the connections up and opens none: the server need not be there yet.
    ///
    /// # Errors
    /// `Rejected` when the settings cannot be used; the sentence says which.
    pub fn new(config: &PostgresConfig) -> std::result::Result<Self, StoreError> {
        let rejected = |what: String| StoreError::new(StoreErrorKind::Rejected, what);
        let prefix = &config.schema_prefix;
        if prefix.len() > 40 || !prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            return Err(rejected(format!("schema prefix {prefix:?}: at most 40 of a-z, 0-9 and _ are possible")));
        }
        let dialler = Dialler::new(config.server()?, config.random.clone());
        let pool = PgPoolOptions::new()
            .max_connections(config.connections_max.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            // a primary that comes back as a standby, a name that leads to another server now
            .after_connect(|connection, _| refuse_standby(connection))
            .before_acquire(|connection, _| prove_alive(connection))
            .after_release(|connection, _| prove_alive(connection))
            .connect_lazy_with(dialler.first_options());
        Ok(Self {
            pool,
            dialler,
            schema_prefix: config.schema_prefix.as_str().into(),
            statements_have_names: config.statement_cache_max > 0,
        })
    }

    /// Where the server was reached, whether encrypted, and as whom, for people. Behind a pooler, encryption is that of the
    /// pooler's own connection.
    ///
    /// # Errors
    /// `Unavailable` when it was not.
    pub async fn reached(&self) -> std::result::Result<String, StoreError> {
        let ask = async {
            let mut transaction = open(&self.pool, &self.dialler, "BEGIN READ ONLY".into()).await?;
            let (user, is_encrypted): (String, bool) = sqlx::query_as(
                "SELECT CAST(current_user AS TEXT),
                        COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), FALSE)",
            )
            .persistent(false)
            .fetch_one(&mut *transaction)
            .await?;
            commit(transaction).await?;
            let at = self.dialler.chosen().await.unwrap_or_default();
            let how = if is_encrypted { "encrypted by TLS" } else { "not encrypted" };
            Ok(format!("{at}, {how}, as {user}"))
        };
        let answered: Result<String> = ask.await;
        answered.during_at("reach the database", "the database")
    }

    /// How many pages of the database failed their checksum since its statistics began, and when the last did; `None`: none, or
    /// the server keeps no checksums.
    ///
    /// # Errors
    /// `Unavailable` when the server does not answer.
    pub async fn damaged_pages(&self) -> std::result::Result<Option<(u64, Option<Timestamp>)>, StoreError> {
        let ask = async {
            let mut transaction = open(&self.pool, &self.dialler, "BEGIN READ ONLY".into()).await?;
            let (pages, last_at): (Option<i64>, Option<i64>) = sqlx::query_as(
                "SELECT checksum_failures, CAST(EXTRACT(EPOCH FROM checksum_last_failure) * 1000 AS BIGINT) \
                 FROM pg_stat_database WHERE datname = current_database()",
            )
            .persistent(false)
            .fetch_one(&mut *transaction)
            .await?;
            commit(transaction).await?;
            let pages = pages.and_then(|pages| u64::try_from(pages).ok()).filter(|pages| *pages > 0);
            Ok(pages.map(|pages| (pages, last_at.and_then(|at| Timestamp::from_millisecond(at).ok()))))
        };
        let answered: Result<_> = ask.await;
        answered.during_at("ask the database for damaged pages", "the database")
    }

    /// Closes all connections. Later calls answer `Unavailable`.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The part of the database that a ledger has for itself.
    pub(crate) fn schema(&self, ledger: &str) -> Schema {
        let name = format!("{}{ledger}", self.schema_prefix);
        Schema {
            pool: self.pool.clone(),
            dialler: self.dialler.clone(),
            statements_have_names: self.statements_have_names,
            found: Arc::default(),
            begin: format!("BEGIN; SET LOCAL search_path TO \"{name}\"; {LIMITS}").into(),
            snapshot: format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO \"{name}\"; {LIMITS}"
            )
            .into(),
            lock: key_of(&name),
            name: name.into(),
        }
    }
}

/// Whether a connection answers in time. What an earlier holder left unfinished is rolled back by then, or the connection
/// is thrown away.
fn prove_alive(connection: &mut PgConnection) -> BoxFuture<'_, sqlx::Result<bool>> {
    Box::pin(async move {
        match tokio::time::timeout(PING_TIMEOUT, connection.ping()).await {
            Ok(answer) => answer.map(|()| true),
            // an error, so that it is dropped as it is, without a farewell to a peer that does not listen
            Err(_) => Err(no_answer(PING_TIMEOUT)),
        }
    })
}

fn refuse_standby(connection: &mut PgConnection) -> BoxFuture<'_, sqlx::Result<()>> {
    Box::pin(async move {
        if !within(PING_TIMEOUT, takes_writes(connection)).await? {
            return Err(sqlx::Error::Configuration("the server is a standby now".into()));
        }
        Ok(())
    })
}

fn no_answer(after: Duration) -> sqlx::Error {
    let what = format!("the database did not answer within {} s", after.as_secs());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, what))
}

/// The number of an advisory lock: FNV-1a of a name, so that every replica finds the same one.
fn key_of(name: &str) -> i64 {
    let hash =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}

/// How a writing transaction locks its ledger. All of these locks end with the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockMode {
    /// Nobody else writes: what it reads cannot change under it. On SQLite every writing transaction is like this.
    Exclusive,
    /// Others in this mode write as well, each on rows that it locks or has the lease of.
    Shared,
    /// As `Shared`, but no two at once: for claims whose choice depends on what else is claimed.
    Serial,
}

/// A ledger's schema.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pool: PgPool,
    dialler: Dialler,
    statements_have_names: bool,
    found: Arc<Found>,
    begin: Arc<str>,
    snapshot: Arc<str>,
    lock: i64,
    name: Arc<str>,
}

impl Schema {
    /// Begins a writing transaction.
    pub(crate) async fn begin(&self, mode: LockMode) -> Result<Tx> {
        let mut tx = self.open(&self.begin).await?;
        // Writing, a ledger is shared by readers-and-writer rules: whoever works under leases takes the shared side.
        let lock = match mode {
            LockMode::Exclusive => format!("SELECT pg_advisory_xact_lock({})", self.lock),
            LockMode::Shared => format!("SELECT pg_advisory_xact_lock_shared({})", self.lock),
            LockMode::Serial => format!(
                "SELECT pg_advisory_xact_lock_shared({}); SELECT pg_advisory_xact_lock({})",
                self.lock,
                self.lock.wrapping_add(1)
            ),
        };
        on!(&mut tx, c: D => sqlx::raw_sql(AssertSqlSafe(lock)).execute(c).await.map(drop)?);
        Ok(tx)
    }

    /// Begins a reading transaction: all of its statements see the same moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        self.open(&self.snapshot).await
    }

    async fn open(&self, begin: &Arc<str>) -> Result<Tx> {
        let transaction = open(&self.pool, &self.dialler, begin.clone()).await?;
        Ok(Tx::Postgres(transaction, self.statements_have_names, self.found.clone()))
    }

    /// Makes the schema when it is not there: the first thing of a migration, under the lock.
    pub(crate) async fn make(&self, tx: &mut Tx) -> Result<()> {
        let is_there: bool = on!(tx, c: D => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)",
        )
        .bind(&*self.name)
        .fetch_one(c)
        .await?);
        if is_there {
            // `IF NOT EXISTS` wants the right to make one all the same
            return Ok(());
        }
        rights::refuse_making(tx, &self.name).await?;
        let create = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", self.name);
        on!(tx, c: D => sqlx::raw_sql(AssertSqlSafe(create)).execute(c).await.map(drop)?);
        Ok(())
    }

    /// Whether the schema has the table `migration`.
    pub(crate) async fn was_ever_migrated(&self, tx: &mut Tx) -> Result<bool> {
        let tables: i64 = on!(tx, c: D => sqlx::query_scalar(
            // unlike information_schema it shows what we have no right to as well
            "SELECT COUNT(*) FROM pg_class AS t JOIN pg_namespace AS place ON place.oid = t.relnamespace
              WHERE place.nspname = $1 AND t.relname = 'migration'",
        )
        .bind(&*self.name)
        .fetch_one(c)
        .await?);
        Ok(tables > 0)
    }

    /// Refuses a schema in which our user lacks a right, with the `GRANT` that mends it.
    pub(crate) async fn refuse_missing_rights(&self, tx: &mut Tx) -> Result<()> {
        rights::refuse_missing(tx, &self.name).await
    }

    /// What was found wrong with it.
    pub(crate) fn found(&self) -> &Found {
        &self.found
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Closes the process's connections, of all ledgers.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Begins a transaction. Where the pool cannot connect, the server is chosen anew, once.
async fn open(pool: &PgPool, dialler: &Dialler, begin: Arc<str>) -> Result<Transaction<'static, Engine>> {
    let may_connect = pool.num_idle() == 0 && pool.size() < pool.options().get_max_connections();
    let number = if may_connect { Some(dialler.prepare(pool).await?) } else { None };
    let opening = || within(ANSWER_TIMEOUT, pool.begin_with(AssertSqlSafe(begin.clone())));
    let opened = match opening().await {
        Err(error) if is_no_connection(&error, pool) => {
            let number = match number {
                Some(number) => number,
                None => dialler.prepare(pool).await?,
            };
            dialler.choose_again(pool, number).await?;
            opening().await
        }
        other => other,
    };
    Ok(opened?)
}

/// Ends a transaction; what it wrote is on disk when this returns. When no answer comes, it may be or not: whoever tries
/// again finds out, since everything a ledger does may be done twice.
pub(super) async fn commit(transaction: Transaction<'static, Engine>) -> Result<()> {
    within(ANSWER_TIMEOUT, transaction.commit()).await.map_err(Fault::Sql)
}

async fn within<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(no_answer(limit)))
}

/// A server that is older than we know to work is refused in a sentence rather than by a statement it does not know.
pub(crate) fn refuse_old_server(version: i64) -> Result<()> {
    const OLDEST: i64 = 13;
    if version / 10_000 >= OLDEST {
        return Ok(());
    }
    let what = format!("the database is PostgreSQL {}; {OLDEST} or newer is needed", version / 10_000);
    Err(refuse_until(TroubleKind::LedgerRefuses, what))
}
