//! Throwing away what came to its end, a bounded number at a time.

use super::standing::{end_active, end_request, find, refresh, refresh_host};
use crate::{
    counter,
    db::{Db, Tx},
    fault::Result,
    row::{ms, row_of},
};
use jiff::Timestamp;
use loa_store::{HubCleanUpRule, HubCleanedUp};
use std::time::Duration;

/// Subscriptions whose lease has ended.
pub(super) const EXPIRED: &str = "SELECT number FROM hub_subscription WHERE ends_at IS NOT NULL AND ends_at <= $1 \
    ORDER BY ends_at, number LIMIT $2";
/// Requests asked before an instant.
pub(super) const LAPSED: &str =
    "SELECT subscription FROM hub_request WHERE asked_at < $1 ORDER BY asked_at, subscription LIMIT $2";

/// Cleans up, and counts what is left.
pub(super) async fn clean_up(db: &Db, rule: &HubCleanUpRule, at: Timestamp) -> Result<HubCleanedUp> {
    let mut tx = db.begin().await?;
    let (max, now) = (rule.max, ms(at));
    let set_back = set_back(&mut tx, rule, now).await?;
    let longest = now.saturating_add(millis(rule.lease_max));
    on!(&mut tx, c: D => sqlx::query("UPDATE hub_subscription SET ends_at = $1 WHERE ends_at > $1")
        .bind(longest)
        .execute(c)
        .await?
        .rows_affected());
    let expired = numbers(&mut tx, EXPIRED, ms(at), max).await?;
    let mut cleaned_up = HubCleanedUp { expired: expired.len() as u64, set_back, ..HubCleanedUp::default() };
    for number in expired {
        end_active(&mut tx, number).await?;
        end(&mut tx, number, ms(at)).await?;
    }
    let lapsed = numbers(&mut tx, LAPSED, now.saturating_sub(millis(rule.request_max)), max).await?;
    cleaned_up.lapsed = lapsed.len() as u64;
    for number in lapsed {
        end_request(&mut tx, number).await?;
        end(&mut tx, number, ms(at)).await?;
    }
    on!(&mut tx, c: D => sqlx::query(
        "DELETE FROM hub_topic WHERE topic IN (SELECT t.topic FROM hub_topic AS t WHERE t.holder IS NULL \
         AND NOT EXISTS (SELECT 1 FROM hub_subscription AS s WHERE s.topic = t.topic) LIMIT $1)",
    )
    .bind(i64::from(max))
    .execute(c)
    .await?
    .rows_affected());
    on!(&mut tx, c: D => sqlx::query(
        "DELETE FROM hub_host WHERE host IN (SELECT h.host FROM hub_host AS h WHERE h.deliver_at IS NULL AND h.verify_at IS NULL \
         AND h.requests_at <= $1 AND (h.calls_from IS NULL OR h.calls_from <= $1) \
         AND NOT EXISTS (SELECT 1 FROM hub_subscription AS s WHERE s.host = h.host) ORDER BY h.requests_at, h.host LIMIT $2)",
    )
    .bind(ms(at))
    .bind(i64::from(max))
    .execute(c)
    .await?
    .rows_affected());
    let topics: i64 = on!(&mut tx, c: D => sqlx::query_scalar("SELECT COUNT(*) FROM hub_topic").fetch_one(c).await?);
    let cell = row_of("hub_topic", &"all");
    cleaned_up.topics = cell.count("number", topics)?;
    cleaned_up.subscriptions = cell.count("number", counter::last(&mut tx, "hub_rows").await?)?;
    tx.commit().await?;
    Ok(cleaned_up)
}

/// Notes the time, and puts the schedule right when the last clean-up's lies ahead of it: what was to be done later than now is
/// to be done as much earlier. Returns by how much.
async fn set_back(tx: &mut Tx, rule: &HubCleanUpRule, now: i64) -> Result<Duration> {
    let cleaned_up_at = counter::last(tx, "hub_cleaned_up_at").await?;
    let by = cleaned_up_at.saturating_sub(now);
    if by > 0 && by <= millis(rule.set_back_min) {
        // the clock of another replica
        return Ok(Duration::ZERO);
    }
    on!(&mut *tx, c: D => sqlx::query("UPDATE counter SET value = $1 WHERE name = 'hub_cleaned_up_at'")
        .bind(now)
        .execute(c)
        .await?
        .rows_affected());
    if by <= 0 {
        return Ok(Duration::ZERO);
    }
    for (table, columns) in AHEAD {
        for column in *columns {
            let earlier = format!("UPDATE {table} SET {column} = {column} - $1 WHERE {column} > $2");
            on!(&mut *tx, c: D => sqlx::query(sqlx::AssertSqlSafe(earlier))
                .bind(by)
                .bind(now)
                .execute(c)
                .await?
                .rows_affected());
        }
    }
    Ok(Duration::from_millis(by.unsigned_abs()))
}

/// Instants that say when something may be done next, or was done. When a subscription ends is none of them: it was told so.
const AHEAD: &[(&str, &[&str])] = &[
    ("hub_topic", &["ready_at", "fetched_at", "changed_at"]),
    ("hub_subscription", &["due_at", "ready_at"]),
    ("hub_request", &["due_at", "asked_at"]),
    ("hub_host", &["deliver_at", "verify_at", "calls_from", "requests_at"]),
];

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

async fn numbers(tx: &mut Tx, select: &'static str, before_ms: i64, max: u32) -> Result<Vec<i64>> {
    Ok(on!(tx, c: D => sqlx::query_scalar(select).bind(before_ms).bind(i64::from(max)).fetch_all(c).await?))
}

/// One that is in somebody's hands goes when it is put down.
async fn end(tx: &mut Tx, number: i64, at_ms: i64) -> Result<()> {
    let Some(standing) = find(tx, number).await? else { return Ok(()) };
    refresh(tx, number, at_ms).await?;
    refresh_host(tx, &standing.host).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushStore;

    #[tokio::test]
    async fn what_came_to_its_end_is_found_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        store.db.assert_served_by_indexes(EXPIRED, &[]).await;
        store.db.assert_served_by_indexes(LAPSED, &[]).await;
    }
}
