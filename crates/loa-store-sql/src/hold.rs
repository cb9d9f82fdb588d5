//! A ledger that is being restored is held: its row `held` in `counter` survives a crash, and whoever would act on what
//! the ledger says it owes is told to wait.

use crate::{
    db::{Db, Tx},
    fault::{Result, refuse},
};
use loa_store::StoreErrorKind;

/// Holds the ledger, or lets it go.
pub(crate) async fn set(db: &Db, held: bool) -> Result<()> {
    let mut tx = db.begin().await?;
    let statement = if held {
        "INSERT INTO counter (name, value) VALUES ('held', 1) ON CONFLICT (name) DO NOTHING"
    } else {
        "DELETE FROM counter WHERE name = 'held'"
    };
    on!(&mut tx, c: D => sqlx::query(statement).execute(c).await?.rows_affected());
    tx.commit().await
}

/// Refuses to go on while the ledger is held.
pub(crate) async fn refuse_if_held(tx: &mut Tx, ledger: &str) -> Result<()> {
    let held: Option<i64> =
        on!(tx, c: D => sqlx::query_scalar("SELECT value FROM counter WHERE name = 'held'").fetch_optional(c).await?);
    match held {
        None => Ok(()),
        Some(_) => Err(refuse(
            StoreErrorKind::Unavailable,
            format!("a restore of the {ledger} ledger has begun and not ended: run `loa restore {ledger}` again"),
        )),
    }
}
