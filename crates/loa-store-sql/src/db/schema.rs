//! Migrations: embedded, forward only, all pending ones in one exclusive transaction. Two processes that
//! start at once migrate once. The table `migration` lists what was applied.
//!
//! Step numbers count through all ledgers, so a file that is opened as another ledger is noticed. The texts
//! are in `migrations/<engine>/`, under the same names for both engines.
//!
//! A program and the one before it can share a ledger while replicas are replaced one by one: each step
//! names the oldest step that a program must know to work beside it (`works_with`). A step that only adds
//! (tables, indexes, columns with a default) works with the one before. A step that removes something comes
//! a release later, when no program reads it any more.

use crate::{
    db::{Db, Tx},
    fault::{Result, refuse, refuse_until},
    row::from_row,
};
use loa_domain::TroubleKind;
use loa_store::StoreErrorKind;

/// A step of a ledger's schema.
#[derive(Debug)]
pub(crate) struct Migration {
    version: i64,
    name: &'static str,
    /// Programs whose newest step is this one, or a later one, work on a ledger that has this step.
    works_with: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal, works_with $works_with:literal) => {
        Migration {
            version: $version,
            name: $name,
            works_with: $works_with,
            sqlite: include_str!(concat!("../../migrations/sqlite/000", $version, "_", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/000", $version, "_", $name, ".sql")),
        }
    };
    ($version:literal in $file:literal, $name:literal, works_with $works_with:literal) => {
        Migration {
            version: $version,
            name: $name,
            works_with: $works_with,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../../migrations/postgres/", $file)),
        }
    };
}

pub(crate) const INTAKE: &[Migration] = &[
    migration!(1, "intake", works_with 1),
    migration!(17 in "0017_audit.sql", "audit", works_with 1),
    migration!(22 in "0022_intake_content_hash.sql", "intake_content_hash", works_with 1),
    migration!(23 in "0023_outbox_set_aside.sql", "outbox_set_aside", works_with 1),
    migration!(26 in "0026_renumbered.sql", "renumbered", works_with 1),
    migration!(29 in "0029_outbox_turns.sql", "outbox_turns", works_with 1),
];
pub(crate) const FEED: &[Migration] = &[
    migration!(2, "feed", works_with 2),
    migration!(7, "rendering_change", works_with 2),
    migration!(12 in "0012_feed_changed_at.sql", "feed_changed_at", works_with 2),
    migration!(19 in "0019_feed_content_hash.sql", "feed_content_hash", works_with 2),
    migration!(27 in "0027_feed_portals.sql", "feed_portals", works_with 27),
];
pub(crate) const DIGEST: &[Migration] = &[
    migration!(3, "digest", works_with 3),
    migration!(10 in "0010_stuck_runs.sql", "stuck_runs", works_with 3),
    migration!(13 in "0013_digest_upcoming.sql", "digest_upcoming", works_with 3),
    migration!(14 in "0014_reasons.sql", "reasons", works_with 3),
    migration!(20 in "0020_digest_content_hash.sql", "digest_content_hash", works_with 3),
    migration!(24 in "0024_subscription_keys.sql", "subscription_keys", works_with 3),
    migration!(25 in "0025_digest_words.sql", "digest_words", works_with 25),
];
pub(crate) const PUSH: &[Migration] = &[
    migration!(4, "push", works_with 4),
    migration!(8, "hub", works_with 4),
    migration!(11 in "0011_hub_shares.sql", "hub_shares", works_with 8),
    migration!(15 in "0015_push_upcoming.sql", "push_upcoming", works_with 8),
    migration!(18 in "0018_hub_reasons.sql", "hub_reasons", works_with 8),
    migration!(21 in "0021_push_content_hash.sql", "push_content_hash", works_with 8),
    migration!(25 in "0025_push_words.sql", "push_words", works_with 25),
];
pub(crate) const ACCESS: &[Migration] =
    &[migration!(5, "access", works_with 5), migration!(27 in "0027_portals.sql", "portals", works_with 5)];
pub(crate) const RECEIPTS: &[Migration] = &[migration!(6, "receipts", works_with 6)];
pub(crate) const WATCH: &[Migration] = &[migration!(28 in "0028_watch.sql", "watch", works_with 28)];

/// Brings a ledger to this program's schema. Idempotent.
///
/// # Errors
/// `Rejected` when the ledger is newer than this program can work with, or another one.
pub(crate) async fn migrate(db: &Db, ledger: &str, migrations: &[Migration]) -> Result<()> {
    let mut tx = begin(db).await?;
    let applied = applied(&mut tx).await?;
    refuse_unknown(ledger, migrations, &applied)?;
    for migration in migrations.iter().filter(|migration| applied.iter().all(|one| one.version != migration.version)) {
        // Not bounded in time, unlike every other statement: building an index over years of news may take minutes.
        match &mut tx {
            Tx::Sqlite(t, _) => sqlx::raw_sql(migration.sqlite).execute(&mut **t).await.map(drop)?,
            Tx::Postgres(t, ..) => {
                sqlx::raw_sql("SET LOCAL statement_timeout = 0").execute(&mut **t).await?;
                sqlx::raw_sql(migration.postgres).execute(&mut **t).await.map(drop)?;
            }
        }
        on!(&mut tx, c: D => sqlx::query("INSERT INTO migration (version, name, works_with) VALUES ($1, $2, $3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(migration.works_with)
            .execute(c)
            .await?
            .rows_affected());
        tracing::info!(ledger, version = migration.version, name = migration.name, "schema migrated");
    }
    tx.commit().await
}

/// Begins a migration in an exclusive transaction, whatever the ledger looks like, with the table `migration` in place.
async fn begin(db: &Db) -> Result<Tx> {
    let mut tx = db.begin_unchecked().await?;
    if is_there(&mut tx).await? {
        return Ok(tx);
    }
    on!(&mut tx, c: D => sqlx::query(
        "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY NOT NULL, name TEXT NOT NULL, works_with BIGINT)",
    )
    .execute(c)
    .await?
    .rows_affected());
    if !says_what_works_with(&mut tx).await? {
        on!(&mut tx, c: D => sqlx::query("ALTER TABLE migration ADD COLUMN works_with BIGINT").execute(c).await?.rows_affected());
    }
    Ok(tx)
}

/// Whether a schema on a server has its table: `IF NOT EXISTS` wants the right to make one all the same, and whoever finds
/// nothing to do needs no such right. A file is its owner's.
async fn is_there(tx: &mut Tx) -> Result<bool> {
    match tx {
        Tx::Sqlite(..) => Ok(false),
        Tx::Postgres(t, ..) => {
            let select = sqlx::query_scalar("SELECT to_regclass('migration') IS NOT NULL").persistent(false);
            Ok(select.fetch_one(&mut **t).await?)
        }
    }
}

/// Files made before there was PostgreSQL lack the column.
async fn says_what_works_with(tx: &mut Tx) -> Result<bool> {
    match tx {
        Tx::Sqlite(t, _) => {
            let columns: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM pragma_table_info('migration') WHERE name = 'works_with'")
                    .fetch_one(&mut **t)
                    .await?;
            Ok(columns > 0)
        }
        Tx::Postgres(..) => Ok(true),
    }
}

/// Checks that a file has a schema this program can work on, and changes nothing.
///
/// # Errors
/// As [`check`].
pub(crate) async fn check_file(db: &Db, ledger: &str, migrations: &[Migration]) -> Result<()> {
    let mut tx = db.snapshot().await?;
    let tables: i64 = on!(&mut tx, c: D => sqlx::query_scalar(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'migration'",
    )
    .fetch_one(c)
    .await?);
    check(&mut tx, tables > 0, ledger, migrations).await
}

/// Checks that a ledger has a schema this program can work on, and changes nothing.
///
/// # Errors
/// `Unavailable` when it is older (migrating makes it available), `Rejected` when it is too new, or another ledger.
pub(crate) async fn check(tx: &mut Tx, was_migrated: bool, ledger: &str, migrations: &[Migration]) -> Result<()> {
    let applied = if was_migrated { applied(tx).await? } else { Vec::new() };
    refuse_unknown(ledger, migrations, &applied)?;
    match migrations.iter().find(|migration| applied.iter().all(|one| one.version != migration.version)) {
        None => Ok(()),
        Some(missing) => Err(refuse_until(
            TroubleKind::MigrationDue,
            format!(
                "the {ledger} ledger is older than this program (it lacks {} {:?}): run `loa migrate`",
                missing.version, missing.name
            ),
        )),
    }
}

from_row!(AppliedRow { version: i64, works_with: Option<i64> });

async fn applied(tx: &mut Tx) -> Result<Vec<AppliedRow>> {
    let select = if says_what_works_with(tx).await? {
        "SELECT version, works_with FROM migration ORDER BY version"
    } else {
        "SELECT version, NULL AS works_with FROM migration ORDER BY version"
    };
    Ok(on!(tx, c: D => sqlx::query_as(select).fetch_all(c).await?))
}

/// Steps that this program does not know are fine when they say that they work with one that it does.
fn refuse_unknown(ledger: &str, migrations: &[Migration], applied: &[AppliedRow]) -> Result<()> {
    let known = |version: i64| migrations.iter().any(|migration| migration.version == version);
    match applied.iter().find(|one| !known(one.version) && !one.works_with.is_some_and(known)) {
        None => Ok(()),
        Some(one) => Err(refuse(
            StoreErrorKind::Rejected,
            format!(
                "this is not the {ledger} ledger, or it is newer than this program (it has step {}, which is unknown \
                 here and does not work with what is known): use the program that wrote it, or another place",
                one.version
            ),
        )),
    }
}

/// The opening functions that all ledgers have.
macro_rules! ledger_store {
    ($(#[$doc:meta])* $store:ident, $ledger:literal, $migrations:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $store {
            pub(crate) db: $crate::db::Db,
        }

        impl $store {
            /// Opens the ledger's file; makes it and its folder when they are not there, and brings its schema up to date.
            ///
            /// # Errors
            /// `Unavailable`: cannot be made, read or locked now, is damaged, or no SQLite file. `Rejected`: another ledger's
            /// file, or newer than this program.
            pub async fn open(path: impl AsRef<std::path::Path>) -> std::result::Result<Self, loa_store::StoreError> {
                let path = path.as_ref();
                Self::migrated($crate::db::Db::file(path, true).await, &path.display().to_string()).await
            }

            /// Opens the ledger's file as it is, and changes nothing in it.
            ///
            /// # Errors
            /// As [`Self::open`], and `Unavailable` when it is not there or older than this program: `loa migrate` is due.
            pub async fn open_checked(path: impl AsRef<std::path::Path>) -> std::result::Result<Self, loa_store::StoreError> {
                use $crate::db::During;
                let path = path.as_ref();
                if !path.exists() {
                    let what =
                        format!("there is no {} ledger at {}: run `loa migrate`", $ledger, path.display());
                    let error = loa_store::StoreError::new(loa_store::StoreErrorKind::Unavailable, what);
                    return Err(error.lying_in(loa_domain::TroubleKind::MigrationDue, ""));
                }
                let opening = concat!("open the ", $ledger, " ledger");
                let db = $crate::db::Db::file(path, false).await.during_at(opening, &path.display().to_string())?;
                $crate::db::schema::check_file(&db, $ledger, $crate::db::schema::$migrations).await.during(opening, &db)?;
                Ok(Self { db })
            }

            /// As [`Self::open`], by address: `sqlite:data/feed.db`.
            ///
            /// # Errors
            /// As [`Self::open`], and `Rejected` for an address of an unknown kind.
            pub async fn connect(url: &str) -> std::result::Result<Self, loa_store::StoreError> {
                Self::migrated($crate::db::Db::connect(url, true).await, url).await
            }

            /// The ledger in its schema on PostgreSQL. Opens nothing: the server may be away; every method says
            /// `Unavailable` until it is there and [`Self::migrate`] was called once, by whomever.
            pub fn on(server: &$crate::Postgres) -> Self {
                Self { db: $crate::db::Db::schema(server, $ledger, $crate::db::schema::$migrations) }
            }

            /// Brings the ledger's schema up to date; makes it when it is not there. Idempotent, also at once from several
            /// processes.
            ///
            /// # Errors
            /// `Unavailable`: cannot be reached, written or locked now. `Rejected`: newer than this program can work with.
            pub async fn migrate(&self) -> std::result::Result<(), loa_store::StoreError> {
                use $crate::db::During;
                let migrating = concat!("migrate the ", $ledger, " ledger");
                $crate::db::schema::migrate(&self.db, $ledger, $crate::db::schema::$migrations).await.during(migrating, &self.db)
            }

            /// Closes the ledger, of all clones of this store: a file folds its log into itself. On PostgreSQL the connections
            /// are the process's, and those of its other ledgers close with them. Nothing is lost without it.
            pub async fn close(&self) {
                self.db.close().await;
            }

            /// What there is to say of the place where the ledger is kept.
            pub fn place(&self) -> $crate::LedgerPlace {
                $crate::LedgerPlace::of($ledger, self.db.clone())
            }

            async fn migrated(
                db: $crate::fault::Result<$crate::db::Db>,
                place: &str,
            ) -> std::result::Result<Self, loa_store::StoreError> {
                use $crate::db::During;
                let opening = concat!("open the ", $ledger, " ledger");
                let db = db.during_at(opening, place)?;
                $crate::db::schema::migrate(&db, $ledger, $crate::db::schema::$migrations).await.during(opening, &db)?;
                Ok(Self { db })
            }
        }
    };
}
pub(crate) use ledger_store;
