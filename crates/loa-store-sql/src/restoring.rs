//! The mark of a ledger that is being restored: the row `restoring` in `counter`, which survives a crash.
//! While it is there, nothing is opened, planned or claimed.

use crate::{
    db::{Db, Tx},
    fault::{Result, refuse_until},
};
use loa_domain::TroubleKind;

/// Sets or removes the mark. Idempotent.
pub(crate) async fn set(db: &Db, restoring: bool) -> Result<()> {
    let mut tx = db.begin().await?;
    let statement = if restoring {
        "INSERT INTO counter (name, value) VALUES ('restoring', 1) ON CONFLICT (name) DO NOTHING"
    } else {
        "DELETE FROM counter WHERE name = 'restoring'"
    };
    on!(&mut tx, c: D => sqlx::query(statement).execute(c).await?.rows_affected());
    tx.commit().await
}

/// Refuses to go on while the ledger is being restored.
pub(crate) async fn refuse_during_restore(tx: &mut Tx, ledger: &str) -> Result<()> {
    let mark: Option<i64> = on!(tx, c: D => sqlx::query_scalar("SELECT value FROM counter WHERE name = 'restoring'")
        .fetch_optional(c)
        .await?);
    match mark {
        None => Ok(()),
        Some(_) => Err(refuse_until(
            TroubleKind::RestoreUnfinished,
            format!("a restore of the {ledger} ledger has begun and not ended: run `loa restore {ledger}` again"),
        )),
    }
}
