//! Numbers that grow in the order of commits: taking one holds the counter's row until the transaction ends, so a higher
//! number is never visible before a lower one. (An identity column would not promise that on PostgreSQL.)

use crate::{db::Tx, fault::Result};

/// Takes `count` numbers of a counter; returns the first of them.
pub(crate) async fn take(tx: &mut Tx, name: &'static str, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let last: i64 = on!(tx, c: D => sqlx::query_scalar(
        "UPDATE counter SET value = value + $2 WHERE name = $1 RETURNING value",
    )
    .bind(name)
    .bind(count)
    .fetch_one(c)
    .await?);
    Ok(last - count + 1)
}

/// The last number taken; 0 when none was.
pub(crate) async fn last(tx: &mut Tx, name: &'static str) -> Result<i64> {
    Ok(on!(tx, c: D => sqlx::query_scalar("SELECT value FROM counter WHERE name = $1").bind(name).fetch_one(c).await?))
}
