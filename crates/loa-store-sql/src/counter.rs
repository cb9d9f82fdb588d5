//! Counters whose numbers grow in the order of commits. Taking a number locks the counter's row until the
//! transaction ends, so a higher number is never visible before a lower one. (On PostgreSQL an identity
//! column does not promise that.)

use crate::{db::Tx, fault::Result, row::ms};
use jiff::Timestamp;

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

/// Moves a counter of whole seconds (in milliseconds) on to the first one that is not before `at`; where it is further already,
/// by one second. Two moves within one second, by clocks that agree, give the same.
pub(crate) async fn step(tx: &mut Tx, name: &'static str, at: Timestamp) -> Result<i64> {
    let second = ms(at).saturating_add(999).div_euclid(1_000) * 1_000;
    Ok(on!(tx, c: D => sqlx::query_scalar(
        "UPDATE counter SET value = CASE WHEN value > $2 THEN value + 1000 ELSE $2 END WHERE name = $1 RETURNING value",
    )
    .bind(name)
    .bind(second)
    .fetch_one(c)
    .await?))
}
