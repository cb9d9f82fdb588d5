//! Migrations: embedded, forward only, all pending ones in one transaction under the write lock, so two processes that
//! start at once migrate once. What was applied stands in the table `migration`.
//!
//! Versions count through all ledgers, so a file opened as another ledger is noticed. Texts per engine live in
//! `migrations/<engine>/`, under the same names.

use crate::{
    db::{Db, Tx},
    fault::{Result, refuse},
};
use loa_store::StoreErrorKind;

/// A step of a ledger's schema.
pub(crate) struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/000", $version, "_", $name, ".sql")),
        }
    };
}

pub(crate) const INTAKE: &[Migration] = &[migration!(1, "intake")];
pub(crate) const FEED: &[Migration] = &[migration!(2, "feed")];
pub(crate) const DIGEST: &[Migration] = &[migration!(3, "digest")];
pub(crate) const PUSH: &[Migration] = &[migration!(4, "push")];
pub(crate) const ACCESS: &[Migration] = &[migration!(5, "access")];

/// Brings a ledger to this program's schema. Idempotent.
///
/// # Errors
/// `Rejected` when the ledger is newer than this program, or another one.
pub(crate) async fn migrate(db: &Db, ledger: &str, migrations: &[Migration]) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, c: D => sqlx::query(
        "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY NOT NULL, name TEXT NOT NULL)",
    )
    .execute(c)
    .await?);
    let applied = applied(&mut tx).await?;
    refuse_unknown(ledger, migrations, &applied)?;
    for migration in migrations.iter().filter(|migration| !applied.contains(&migration.version)) {
        match &mut tx {
            Tx::Sqlite(t) => sqlx::raw_sql(migration.sqlite).execute(&mut **t).await.map(drop)?,
        }
        on!(&mut tx, c: D => sqlx::query("INSERT INTO migration (version, name) VALUES ($1, $2)")
            .bind(migration.version)
            .bind(migration.name)
            .execute(c)
            .await?);
        tracing::info!(ledger, version = migration.version, name = migration.name, "schema migrated");
    }
    tx.commit().await
}

/// Checks that a ledger has this program's schema, and changes nothing.
///
/// # Errors
/// `Unavailable` when it is older (migrating makes it available), `Rejected` when it is newer, or another ledger.
pub(crate) async fn check(db: &Db, ledger: &str, migrations: &[Migration]) -> Result<()> {
    let mut tx = db.snapshot().await?;
    let applied = if was_ever_migrated(&mut tx).await? { applied(&mut tx).await? } else { Vec::new() };
    refuse_unknown(ledger, migrations, &applied)?;
    match migrations.iter().find(|migration| !applied.contains(&migration.version)) {
        None => Ok(()),
        Some(missing) => Err(refuse(
            StoreErrorKind::Unavailable,
            format!(
                "the {ledger} ledger is older than this program (it lacks {} {:?}): run `loa migrate`",
                missing.version, missing.name
            ),
        )),
    }
}

async fn was_ever_migrated(tx: &mut Tx) -> Result<bool> {
    let tables: i64 = match tx {
        Tx::Sqlite(t) => {
            sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'migration'")
                .fetch_one(&mut **t)
                .await?
        }
    };
    Ok(tables > 0)
}

async fn applied(tx: &mut Tx) -> Result<Vec<i64>> {
    Ok(on!(tx, c: D => sqlx::query_scalar("SELECT version FROM migration ORDER BY version").fetch_all(c).await?))
}

fn refuse_unknown(ledger: &str, migrations: &[Migration], applied: &[i64]) -> Result<()> {
    match applied.iter().find(|version| migrations.iter().all(|migration| migration.version != **version)) {
        None => Ok(()),
        Some(version) => Err(refuse(
            StoreErrorKind::Rejected,
            format!(
                "this is not the {ledger} ledger, or it is newer than this program (it has step {version}, which is \
                 unknown here): use the program that wrote it, or another file"
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
            /// `Unavailable`: cannot be made, read or locked now. `Rejected`: another ledger's file, or newer than this
            /// program. `Corrupt`: no SQLite file.
            pub async fn open(path: impl AsRef<std::path::Path>) -> std::result::Result<Self, loa_store::StoreError> {
                Self::migrated($crate::db::Db::file(path.as_ref(), true).await).await
            }

            /// Opens the ledger's file as it is, and changes nothing in it.
            ///
            /// # Errors
            /// As [`Self::open`], and `Unavailable` when it is not there or older than this program: `loa migrate` is due.
            pub async fn open_checked(path: impl AsRef<std::path::Path>) -> std::result::Result<Self, loa_store::StoreError> {
                use $crate::fault::During;
                let path = path.as_ref();
                if !path.exists() {
                    let what =
                        format!("there is no {} ledger at {}: run `loa migrate`", $ledger, path.display());
                    return Err(loa_store::StoreError::new(loa_store::StoreErrorKind::Unavailable, what));
                }
                let opening = concat!("open the ", $ledger, " ledger");
                let db = $crate::db::Db::file(path, false).await.during(opening)?;
                $crate::schema::check(&db, $ledger, $crate::schema::$migrations).await.during(opening)?;
                Ok(Self { db })
            }

            /// As [`Self::open`], by address: `sqlite:data/feed.db`.
            ///
            /// # Errors
            /// As [`Self::open`], and `Rejected` for an address of an unknown kind.
            pub async fn connect(url: &str) -> std::result::Result<Self, loa_store::StoreError> {
                Self::migrated($crate::db::Db::connect(url, true).await).await
            }

            /// Closes the ledger, of all clones of this store, and folds its log into its file. Nothing is lost without it.
            pub async fn close(&self) {
                self.db.close().await;
            }

            async fn migrated(db: $crate::fault::Result<$crate::db::Db>) -> std::result::Result<Self, loa_store::StoreError> {
                use $crate::fault::During;
                let opening = concat!("open the ", $ledger, " ledger");
                let db = db.during(opening)?;
                $crate::schema::migrate(&db, $ledger, $crate::schema::$migrations).await.during(opening)?;
                Ok(Self { db })
            }
        }
    };
}
pub(crate) use ledger_store;
