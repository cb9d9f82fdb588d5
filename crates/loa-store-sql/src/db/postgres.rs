//! PostgreSQL: one pool for a process, a schema for each ledger, and transactions that stay correct behind a pooler that
//! gives every transaction another server connection.
//!
//! Nothing here is kept in a session. The schema's name, the deadlines and the ledger's lock are set inside each
//! transaction and end with it; single reads are transactions too; no statement has a name on the server unless the
//! settings allow it. Every wait has a deadline on both sides: a peer that has vanished without a word costs seconds, not
//! the fifteen minutes of TCP.

use super::Tx;
use crate::fault::{Fault, Result, refuse};
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use loa_store::{StoreError, StoreErrorKind};
use sqlx::{
    AssertSqlSafe, Connection, Either, Execute, Executor, PgConnection, PgPool, Postgres as Engine, SqlStr,
    postgres::{PgConnectOptions, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use std::{str::FromStr, sync::Arc, time::Duration};

/// How long a caller waits for a connection, new or free, before it is told "unavailable".
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(6);
/// How long one try to connect may take, when we want to know why there is no connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection may take to prove that it is alive, before it is used and when it is given back.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long we wait for the answer to one statement. Longer than the server's own limits, whose sentence says more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The server's own limits, in each transaction: a statement; waiting for a lock; and doing nothing at all, which is how a
/// process looks that was stopped in the middle (its locks must not stop its replicas).
const LIMITS: &str = "SET LOCAL statement_timeout = '25s'; SET LOCAL lock_timeout = '15s'; \
    SET LOCAL idle_in_transaction_session_timeout = '15s'";

/// Where the ledgers are.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://user@host:5432/database`, with or without a password.
    pub url: String,
    /// The user's password, when it is not in the address.
    pub password: Option<String>,
    /// What the names of the ledgers' schemas begin with: letters, digits and `_`, at most 40.
    pub schema_prefix: String,
    /// Most connections of this process.
    pub connections_max: u32,
    /// Prepared statements kept on each connection. 0 is right behind a pooler in transaction mode.
    pub statement_cache_max: usize,
}

impl std::fmt::Debug for PostgresConfig {
    /// Without the address, which may hold the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresConfig").field("schema_prefix", &self.schema_prefix).finish_non_exhaustive()
    }
}

/// A process's connections to PostgreSQL, shared by its ledgers. Clones are the same connections.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
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
        // the cause is left out: it may repeat the address, and with it the password
        let mut options = PgConnectOptions::from_str(&config.url)
            .map_err(|_| {
                rejected("the database's address is none; one looks like postgres://loa@host:5432/loa".into())
            })?
            // a pooler does not know this one and would refuse us; no ledger keeps a float
            .extra_float_digits(None)
            .application_name("loa")
            .statement_cache_capacity(config.statement_cache_max);
        if let Some(password) = &config.password {
            options = options.password(password);
        }
        let pool = PgPoolOptions::new()
            .max_connections(config.connections_max.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, _| prove_alive(connection))
            .after_release(|connection, _| prove_alive(connection))
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            schema_prefix: config.schema_prefix.as_str().into(),
            statements_have_names: config.statement_cache_max > 0,
        })
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
            statements_have_names: self.statements_have_names,
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

/// With whom a writing transaction shares the ledger. All of these locks end with the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// With nobody: what it reads cannot change under it. This is what every transaction on SQLite has.
    Alone,
    /// With others of the kind, each on rows that it locks or holds the lease of.
    Beside,
    /// As `Beside`, but no two at once: for claims whose choice depends on what else is claimed.
    InTurn,
}

/// A ledger's schema.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pool: PgPool,
    statements_have_names: bool,
    begin: Arc<str>,
    snapshot: Arc<str>,
    lock: i64,
    name: Arc<str>,
}

impl Schema {
    /// Begins a writing transaction.
    pub(crate) async fn begin(&self, company: Company) -> Result<Tx> {
        let mut tx = self.open(&self.begin).await?;
        // Writing, a ledger is shared by readers-and-writer rules: whoever works under leases takes the shared side.
        let lock = match company {
            Company::Alone => format!("SELECT pg_advisory_xact_lock({})", self.lock),
            Company::Beside => format!("SELECT pg_advisory_xact_lock_shared({})", self.lock),
            Company::InTurn => format!(
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
        let opening = self.pool.begin_with(AssertSqlSafe(begin.clone()));
        match within(ANSWER_TIMEOUT, opening).await {
            Ok(transaction) => Ok(Tx::Postgres(transaction, self.statements_have_names)),
            Err(sqlx::Error::PoolTimedOut) if self.pool.size() == 0 => Err(self.why_no_connection().await.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The pool tries again and again by itself, and in the end says only that it took too long.
    async fn why_no_connection(&self) -> sqlx::Error {
        let options = self.pool.connect_options();
        match within(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await {
            Ok(_) => sqlx::Error::PoolTimedOut, // it has just come back
            Err(error) => error,
        }
    }

    /// Makes the schema when it is not there: the first thing of a migration, under the lock.
    pub(crate) async fn make(&self, tx: &mut Tx) -> Result<()> {
        let create = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", self.name);
        on!(tx, c: D => sqlx::raw_sql(AssertSqlSafe(create)).execute(c).await.map(drop)?);
        Ok(())
    }

    /// Whether the schema has the table `migration`.
    pub(crate) async fn was_ever_migrated(&self, tx: &mut Tx) -> Result<bool> {
        let tables: i64 = on!(tx, c: D => sqlx::query_scalar(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = $1 AND table_name = 'migration'",
        )
        .bind(&*self.name)
        .fetch_one(c)
        .await?);
        Ok(tables > 0)
    }

    /// Closes the process's connections, of all ledgers.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Ends a transaction; what it wrote is on disk when this returns. When no answer comes, it may be or not: whoever tries
/// again finds out, since everything a ledger does may be done twice.
pub(super) async fn commit(transaction: sqlx::Transaction<'static, Engine>) -> Result<()> {
    within(ANSWER_TIMEOUT, transaction.commit()).await.map_err(Fault::Sql)
}

async fn within<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(no_answer(limit)))
}

/// A connection inside a transaction, as statements see it: answers come within the deadline, and a statement has a name
/// on the server only when the settings allow it. (With a cache of size 0 the driver would name every statement all the
/// same, and never forget one: behind a pooler, two clients would use one name for two statements.)
#[derive(Debug)]
pub(crate) struct Bounded<'t> {
    pub(crate) connection: &'t mut PgConnection,
    pub(crate) statements_have_names: bool,
}

/// A statement that will have no name on the server.
struct Nameless<E>(E, bool);

impl<'q, E: Execute<'q, Engine>> Execute<'q, Engine> for Nameless<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(&mut self) -> std::result::Result<Option<sqlx::postgres::PgArguments>, sqlx::error::BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.1 && self.0.persistent()
    }
}

type Step = Either<PgQueryResult, PgRow>;

impl<'c> Executor<'c> for &'c mut Bounded<'_> {
    type Database = Engine;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Engine>,
    {
        // All of a statement's answer is waited for at once: ledgers read pages, never whole tables.
        let all = async move {
            let query = Nameless(query, self.statements_have_names);
            within(ANSWER_TIMEOUT, self.connection.fetch_many(query).try_collect::<Vec<Step>>()).await
        };
        all.map(|answer| match answer {
            Ok(steps) => stream::iter(steps.into_iter().map(Ok)).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        })
        .flatten_stream()
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Engine>,
    {
        let query = Nameless(query, self.statements_have_names);
        within(ANSWER_TIMEOUT, self.connection.fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        within(ANSWER_TIMEOUT, self.connection.prepare_with(sql, parameters)).boxed()
    }
}

/// A server that is older than we know to work is refused in a sentence rather than by a statement it does not know.
pub(crate) fn refuse_old_server(version: i64) -> Result<()> {
    const OLDEST: i64 = 13;
    if version / 10_000 >= OLDEST {
        return Ok(());
    }
    let what = format!("the database is PostgreSQL {}; {OLDEST} or newer is needed", version / 10_000);
    Err(refuse(StoreErrorKind::Unavailable, what))
}
