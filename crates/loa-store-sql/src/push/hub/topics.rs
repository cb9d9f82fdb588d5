//! Topics: when they are fetched, and what follows when their bytes have changed.

use super::standing::kept_kind;
use crate::{
    db::{Db, Locking, Tx},
    fault::Result,
    restoring::refuse_during_restore,
    row::{from_row, ms, row_of},
};
use jiff::Timestamp;
use loa_store::{DueTopic, FetchOutcome, FetchRule, Lease, TopicKind};
use std::time::Duration;

/// Topics to be looked at, the longest due first.
pub(super) const DUE: &str =
    "SELECT topic FROM hub_topic WHERE combination = $1 AND ready_at <= $2 ORDER BY ready_at, topic LIMIT $3";

/// Has topics looked at soon: all, or those named.
pub(super) async fn ring(db: &Db, topics: Option<&[String]>, rule: &FetchRule, at: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut rung = 0;
    match topics {
        None => rung += ring_some(&mut tx, None, rule, ms(at)).await?,
        Some(topics) => {
            for topic in topics {
                rung += ring_some(&mut tx, Some(topic), rule, ms(at)).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(rung)
}

/// The schedule begins anew; nothing is looked at again, or told of a change again, before the rule allows it.
async fn ring_some(tx: &mut Tx, topic: Option<&str>, rule: &FetchRule, at_ms: i64) -> Result<u64> {
    let rung = on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_topic SET looks = 0, \
         ready_at = CASE WHEN holder IS NULL AND ready_at > $1 THEN $1 ELSE ready_at END \
         WHERE ($2 IS NULL OR topic = $2)",
    )
    .bind(at_ms)
    .bind(topic)
    .execute(c)
    .await?
    .rows_affected());
    // an instant that lies ahead is of a clock that was set back since
    for (column, pause) in [("looked_at", rule.fetch_pause), ("changed_at", rule.notice_pause)] {
        let earliest = format!("{column} + $1");
        let delay = format!(
            "UPDATE hub_topic SET ready_at = {earliest} \
             WHERE holder IS NULL AND ready_at < {earliest} AND {column} <= $3 AND ($2 IS NULL OR topic = $2)"
        );
        on!(&mut *tx, c: D => sqlx::query(sqlx::AssertSqlSafe(delay))
            .bind(millis(pause))
            .bind(topic)
            .bind(at_ms)
            .execute(c)
            .await?
            .rows_affected());
    }
    Ok(rung)
}

from_row!(DueRow {
    etag: Option<String>,
    modified_at: Option<i64>,
    changed_at: Option<i64>,
});

/// Claims topics.
pub(super) async fn claim(db: &Db, kind: TopicKind, lease: &Lease, max: u32) -> Result<Vec<DueTopic>> {
    let mut tx = db.begin_serial().await?;
    refuse_during_restore(&mut tx, "push").await?;
    let free = tx.locking(DUE, Locking::FreeRows);
    let due: Vec<String> = on!(&mut tx, c: D => sqlx::query_scalar(free)
        .bind(kept_kind(kind))
        .bind(ms(lease.now))
        .bind(i64::from(max))
        .fetch_all(c)
        .await?);
    let mut claimed = Vec::with_capacity(due.len());
    for topic in due {
        on!(&mut tx, c: D => sqlx::query("UPDATE hub_topic SET holder = $2, ready_at = $3 WHERE topic = $1")
            .bind(topic.as_str())
            .bind(lease.holder.as_str())
            .bind(ms(lease.until))
            .execute(c)
            .await?
            .rows_affected());
        let row: DueRow = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT etag, modified_at, changed_at FROM hub_topic WHERE topic = $1",
        )
        .bind(topic.as_str())
        .fetch_one(c)
        .await?);
        let key = topic.clone();
        let cell = row_of("hub_topic", &key);
        // without them it is fetched as if for the first time
        let modified_at = row.modified_at.map(|at| cell.time("modified_at", at)).transpose();
        let changed_at = row.changed_at.map(|at| cell.time("changed_at", at)).transpose();
        claimed.push(DueTopic {
            topic,
            etag: row.etag,
            modified_at: tx.found().sort("hub_topic", &key, modified_at)?.flatten(),
            changed_at: tx.found().sort("hub_topic", &key, changed_at)?.flatten(),
        });
    }
    tx.commit().await?;
    Ok(claimed)
}

from_row!(TopicRow { version: i64, looks: i64, holder: Option<String>, combination: i64 });

/// Records looks; returns how many brought a further version.
pub(super) async fn record(
    db: &Db,
    holder: &str,
    looks: &[(String, FetchOutcome)],
    rule: &FetchRule,
    at: Timestamp,
) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut changed = 0;
    for (topic, look) in looks {
        let row: Option<TopicRow> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT version, looks, holder, combination FROM hub_topic WHERE topic = $1",
        )
        .bind(topic.as_str())
        .fetch_optional(c)
        .await?);
        let Some(row) = row.filter(|row| row.holder.as_deref() == Some(holder)) else { continue };
        let is_other = keep(&mut tx, topic, &row, look, ms(at)).await?;
        let delays = if row.combination == 0 { &rule.delays } else { &rule.combination_delays };
        let place = usize::try_from(row.looks).unwrap_or(usize::MAX).min(delays.len().saturating_sub(1));
        let mut pause = delays.get(place).copied().unwrap_or(rule.fetch_pause).max(rule.fetch_pause);
        if is_other {
            changed += 1;
            pause = pause.max(rule.notice_pause);
        }
        on!(&mut tx, c: D => sqlx::query(
            "UPDATE hub_topic SET holder = NULL, looks = looks + 1, looked_at = $2, ready_at = $3 WHERE topic = $1",
        )
        .bind(topic.as_str())
        .bind(ms(at))
        .bind(ms(at).saturating_add(millis(pause)))
        .execute(c)
        .await?
        .rows_affected());
    }
    tx.commit().await?;
    Ok(changed)
}

/// Keeps what a look said; whether the topic has a further version now.
async fn keep(tx: &mut Tx, topic: &str, row: &TopicRow, look: &FetchOutcome, at_ms: i64) -> Result<bool> {
    match look {
        FetchOutcome::Failed => return Ok(false),
        FetchOutcome::Unchanged if row.version == 0 => return Ok(false),
        FetchOutcome::Missing(why) => {
            on!(&mut *tx, c: D => sqlx::query("UPDATE hub_topic SET missing = $2 WHERE topic = $1")
                .bind(topic)
                .bind(why.as_str())
                .execute(c)
                .await?
                .rows_affected());
            on!(&mut *tx, c: D => sqlx::query(
                "UPDATE hub_wish SET mode = 'denied', reason = $2, due_at = $3 WHERE due_at IS NULL \
                 AND subscription IN (SELECT number FROM hub_subscription WHERE topic = $1)",
            )
            .bind(topic)
            .bind(why.as_str())
            .bind(at_ms)
            .execute(c)
            .await?
            .rows_affected());
            make_ready(tx, topic, at_ms).await?;
            // names that lead nowhere take up no room
            on!(tx, c: D => sqlx::query("DELETE FROM hub_topic WHERE topic = $1 AND version = 0")
                .bind(topic)
                .execute(c)
                .await?
                .rows_affected());
            return Ok(false);
        }
        FetchOutcome::Unchanged | FetchOutcome::Read { .. } => {}
    }
    let is_other = match look {
        FetchOutcome::Read { etag, modified_at, content_type, body } => {
            let stands = row.version > 0 && stands(tx, topic, content_type, body).await?;
            let kept = if stands {
                "UPDATE hub_topic SET etag = $2, modified_at = $3 WHERE topic = $1"
            } else {
                "UPDATE hub_topic SET etag = $2, modified_at = $3, version = version + 1, changed_at = $4, \
                 content_type = $5, body = $6 WHERE topic = $1"
            };
            on!(&mut *tx, c: D => {
                let mut query = sqlx::query(kept)
                    .bind(topic)
                    .bind(etag.as_deref())
                    .bind(modified_at.map(ms));
                if !stands {
                    query = query.bind(at_ms).bind(content_type.as_str()).bind(&body[..]);
                }
                query.execute(c).await?.rows_affected()
            });
            !stands
        }
        _ => false,
    };
    let version = row.version + i64::from(is_other);
    on!(&mut *tx, c: D => sqlx::query("UPDATE hub_topic SET missing = NULL WHERE topic = $1 AND missing IS NOT NULL")
        .bind(topic)
        .execute(c)
        .await?
        .rows_affected());
    // those who asked before it could be looked at begin with what was seen now
    let waited = on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_wish SET due_at = $2, version = $3 WHERE due_at IS NULL \
         AND subscription IN (SELECT number FROM hub_subscription WHERE topic = $1)",
    )
    .bind(topic)
    .bind(at_ms)
    .bind(version)
    .execute(c)
    .await?
    .rows_affected());
    let mut owed = 0;
    if is_other {
        owed = on!(&mut *tx, c: D => sqlx::query(
            "UPDATE hub_subscription SET due_at = $2, tries = 0 WHERE topic = $1 AND ends_at > $2 AND version < $3",
        )
        .bind(topic)
        .bind(at_ms)
        .bind(version)
        .execute(c)
        .await?
        .rows_affected());
    }
    if waited + owed > 0 {
        make_ready(tx, topic, at_ms).await?;
    }
    Ok(is_other)
}

/// Whether these are the bytes that are kept.
async fn stands(tx: &mut Tx, topic: &str, content_type: &str, body: &[u8]) -> Result<bool> {
    let kept: Option<(String, Vec<u8>)> = on!(tx, c: D => sqlx::query_as(
        "SELECT content_type, body FROM hub_topic WHERE topic = $1",
    )
    .bind(topic)
    .fetch_optional(c)
    .await?);
    Ok(kept.is_some_and(|(kept_type, kept_body)| kept_type == content_type && kept_body == body))
}

/// Makes those subscriptions of a topic ready that have something due since just now, and their hosts. Those that are ready
/// already, or in somebody's hands, see it then.
async fn make_ready(tx: &mut Tx, topic: &str, at_ms: i64) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_subscription SET ready_at = $2, lane = CASE WHEN EXISTS \
            (SELECT 1 FROM hub_wish AS w WHERE w.subscription = hub_subscription.number AND w.due_at <= $2) \
            THEN 1 ELSE 0 END \
         WHERE topic = $1 AND holder IS NULL AND (ready_at IS NULL OR ready_at > $2) AND (due_at = $2 OR EXISTS \
            (SELECT 1 FROM hub_wish AS w WHERE w.subscription = hub_subscription.number AND w.due_at = $2))",
    )
    .bind(topic)
    .bind(at_ms)
    .execute(c)
    .await?
    .rows_affected());
    for hosts in [
        "UPDATE hub_host SET deliver_at = CASE WHEN rest_until > $2 THEN rest_until ELSE $2 END \
         WHERE (deliver_at IS NULL OR deliver_at > $2) \
         AND host IN (SELECT s.host FROM hub_subscription AS s WHERE s.topic = $1 AND s.lane = 0 AND s.ready_at = $2)",
        "UPDATE hub_host SET verify_at = $2 WHERE (verify_at IS NULL OR verify_at > $2) \
         AND host IN (SELECT s.host FROM hub_subscription AS s WHERE s.topic = $1 AND s.lane = 1 AND s.ready_at = $2)",
    ] {
        on!(&mut *tx, c: D => sqlx::query(hosts).bind(topic).bind(at_ms).execute(c).await?.rows_affected());
    }
    Ok(())
}

fn millis(pause: Duration) -> i64 {
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushStore;

    #[tokio::test]
    async fn due_topics_are_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        store.db.assert_served_by_indexes(DUE, &[]).await;
    }
}
