//! PostgreSQL for the tests: the run's cluster, straight or through a PgBouncer in transaction
//! mode.
//!
//! Each test has schemas of its own in one database. `tests/system/database.py` makes the cluster;
//! `tests/README.md` has the agreement.

#![allow(dead_code)] // each test binary uses its part
#![allow(clippy::disallowed_methods, reason = "`tests/run` says in the environment where the servers are")]

use async_trait::async_trait;
use loa_store::{
    AccessLedger, DigestLedger, FeedLedger, HubLedger, IntakeLedger, PushLedger, ReceiptLedger, WatchLedger,
};
use loa_store_conformance::LedgerPlace;
use loa_store_sql::{
    AccessStore, DigestStore, FeedStore, IntakeStore, Postgres, PostgresConfig, PushStore, ReceiptStore, WatchStore,
};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::{Mutex, OnceCell};

/// The addresses of the run's cluster.
fn run_cluster() -> &'static Value {
    static AT: OnceLock<Value> = OnceLock::new();
    AT.get_or_init(|| {
        let json = std::env::var("LOA_TEST_POSTGRES").expect(
            "LOA_TEST_POSTGRES holds the addresses of a private PostgreSQL: start these tests with ./tests/run conformance",
        );
        serde_json::from_str(&json).expect("LOA_TEST_POSTGRES is what tests/system/database.py prints")
    })
}

/// The address of the one database that the tests share, straight (`url`) or through the pooler (`pooler_url`).
pub async fn address(key: &str) -> String {
    static DATABASE: OnceCell<String> = OnceCell::const_new();
    let of_cluster = |key: &str| run_cluster()[key].as_str().expect("an address").to_owned();
    let make = async || {
        let name = format!("loa_rust_{}", std::process::id());
        let mut hand = PgConnection::connect(&format!("{}/postgres", of_cluster("url"))).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut hand).await.unwrap();
        name
    };
    format!("{}/{}", of_cluster(key), DATABASE.get_or_init(make).await)
}

/// Schemas of a test's own. Each ledger opened has connections of its own, as each process would.
pub struct Schemas {
    pub config: PostgresConfig,
}

impl Schemas {
    fn at(url: String, connections_max: u32) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            config: PostgresConfig {
                schema_prefix: format!("t{}_{number}_", std::process::id()),
                connections_max,
                ..PostgresConfig::new(url)
            },
        }
    }

    /// Connections of another process.
    pub fn server(&self) -> Postgres {
        Postgres::new(&self.config).unwrap()
    }

    /// A hand of our own in a ledger's schema.
    pub async fn hand(&self, ledger: &str) -> PgConnection {
        let mut hand = PgConnection::connect(&address("url").await).await.unwrap();
        let path = format!("SET search_path TO {}{ledger}", self.config.schema_prefix);
        sqlx::raw_sql(sqlx::AssertSqlSafe(path)).execute(&mut hand).await.unwrap();
        hand
    }
}

/// Empty schemas, straight on the server.
pub async fn schemas() -> Schemas {
    Schemas::at(address("url").await, 4)
}

/// Empty schemas, straight on the server; connections keep their prepared statements.
pub async fn prepared_schemas() -> Schemas {
    let mut schemas = schemas().await;
    schemas.config.statement_cache_max = 100;
    schemas
}

/// Empty schemas behind the pooler, to which a later program has added columns and a table while this one still runs.
pub struct NextSchemas {
    schemas: Schemas,
    /// Ledgers that the later program has been at: only those that are opened, for most rules want one of six.
    added: Mutex<BTreeSet<&'static str>>,
}

/// See [`NextSchemas`].
pub async fn next_schemas() -> NextSchemas {
    NextSchemas { schemas: pooled_schemas().await, added: Mutex::default() }
}

impl NextSchemas {
    /// Has the later program come to a ledger, once, after this one made it.
    async fn add_to(&self, ledger: &'static str, migrate: impl Future<Output = ()>) {
        let mut added = self.added.lock().await;
        if !added.insert(ledger) {
            return;
        }
        migrate.await;
        let mut hand = self.schemas.hand(ledger).await;
        let next = "INSERT INTO migration (version, name, works_with) SELECT 9000, 'next', MAX(version) FROM migration;
            DO $$ DECLARE t text; BEGIN
                FOR t IN SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() LOOP
                    EXECUTE format('ALTER TABLE %I ADD COLUMN next TEXT NOT NULL DEFAULT %L', t, 'x');
                END LOOP;
            END $$;
            CREATE TABLE next (id BIGINT)";
        sqlx::raw_sql(next).execute(&mut hand).await.unwrap();
    }
}

macro_rules! next_opened {
    ($self:ident, $ledger:ident) => {{
        $self.add_to(stringify!($ledger), async { drop($self.schemas.$ledger().await) }).await;
        $self.schemas.$ledger().await
    }};
}

#[async_trait]
impl LedgerPlace for NextSchemas {
    async fn access(&self) -> Arc<dyn AccessLedger> {
        next_opened!(self, access)
    }

    async fn intake(&self) -> Arc<dyn IntakeLedger> {
        next_opened!(self, intake)
    }

    async fn feed(&self) -> Arc<dyn FeedLedger> {
        next_opened!(self, feed)
    }

    async fn digest(&self) -> Arc<dyn DigestLedger> {
        next_opened!(self, digest)
    }

    async fn push(&self) -> Arc<dyn PushLedger> {
        next_opened!(self, push)
    }

    async fn hub(&self) -> Arc<dyn HubLedger> {
        // its tables are the push ledger's
        self.add_to("push", async { drop(self.schemas.push().await) }).await;
        self.schemas.hub().await
    }

    async fn receipts(&self) -> Arc<dyn ReceiptLedger> {
        next_opened!(self, receipts)
    }

    async fn watch(&self) -> Arc<dyn WatchLedger> {
        next_opened!(self, watch)
    }

    async fn rows(&self, ledger: &str) -> BTreeMap<String, i64> {
        self.schemas.rows(ledger).await
    }
}

/// Empty schemas, through the pooler in transaction mode.
pub async fn pooled_schemas() -> Schemas {
    Schemas::at(address("pooler_url").await, 4)
}

macro_rules! opened {
    ($store:ident, $server:expr) => {{
        let store = $store::on(&$server);
        store.migrate().await.unwrap();
        Arc::new(store)
    }};
}

#[async_trait]
impl LedgerPlace for Schemas {
    async fn access(&self) -> Arc<dyn AccessLedger> {
        opened!(AccessStore, self.server())
    }

    async fn intake(&self) -> Arc<dyn IntakeLedger> {
        opened!(IntakeStore, self.server())
    }

    async fn feed(&self) -> Arc<dyn FeedLedger> {
        opened!(FeedStore, self.server())
    }

    async fn digest(&self) -> Arc<dyn DigestLedger> {
        opened!(DigestStore, self.server())
    }

    async fn push(&self) -> Arc<dyn PushLedger> {
        opened!(PushStore, self.server())
    }

    async fn hub(&self) -> Arc<dyn HubLedger> {
        opened!(PushStore, self.server())
    }

    async fn receipts(&self) -> Arc<dyn ReceiptLedger> {
        opened!(ReceiptStore, self.server())
    }

    async fn watch(&self) -> Arc<dyn WatchLedger> {
        opened!(WatchStore, self.server())
    }

    async fn rows(&self, ledger: &str) -> BTreeMap<String, i64> {
        let mut hand = self.hand(ledger).await;
        let list = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";
        let tables: Vec<String> = sqlx::query_scalar(list).fetch_all(&mut hand).await.unwrap();
        let mut rows = BTreeMap::new();
        for table in tables {
            let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            rows.insert(table, sqlx::query_scalar(count).fetch_one(&mut hand).await.unwrap());
        }
        rows
    }
}
