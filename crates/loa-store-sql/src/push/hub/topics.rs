//! Topics: when they are fetched, and what follows when their bytes have changed.

use super::standing::kept_kind;
use crate::{
    db::{Db, Locking, Tx},
    fault::{Fault, Result, is_of_wrong_type},
    restoring::refuse_during_restore,
    row::{Kept, from_row, ms, row_of},
};
use jiff::Timestamp;
use loa_store::{DueTopic, FetchOutcome, FetchRule, Lease, TopicKind};
use std::time::Duration;

/// Topics to be fetched, the longest due first.
pub(super) const DUE: &str =
    "SELECT topic FROM hub_topic WHERE combination = $1 AND ready_at <= $2 ORDER BY ready_at, topic LIMIT $3";

/// Has topics fetched soon: all, or those named.
pub(super) async fn fetch_soon(db: &Db, topics: Option<&[String]>, rule: &FetchRule, at: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut due = 0;
    match topics {
        None => {
            due += match fetch_some_soon(&mut tx, None, rule, ms(at)).await {
                Err(Fault::Sql(error)) if is_of_wrong_type(&error) => fetch_each_soon(&mut tx, rule, ms(at)).await?,
                due => due?,
            }
        }
        Some(topics) => {
            for topic in topics {
                let written = fetch_some_soon(&mut tx, Some(topic), rule, ms(at)).await;
                due += tx.found().sort_part("hub_topic", topic, written)?.unwrap_or(0);
            }
        }
    }
    tx.commit().await?;
    Ok(due)
}

/// Has all fetched soon, one by one: one of them has a value of another type than its column, for which SQLite refuses any change
/// of it. It stays as it is.
async fn fetch_each_soon(tx: &mut Tx, rule: &FetchRule, at_ms: i64) -> Result<u64> {
    let topics: Vec<Kept<NamedRow>> =
        on!(&mut *tx, c: D => sqlx::query_as("SELECT topic FROM hub_topic").fetch_all(c).await?);
    let mut due = 0;
    for NamedRow { topic } in tx.found().rows(topics) {
        let written = fetch_some_soon(tx, Some(&topic), rule, at_ms).await;
        due += tx.found().sort_part("hub_topic", &topic, written)?.unwrap_or(0);
    }
    Ok(due)
}

/// The schedule begins anew; nothing is fetched again, or told of a change again, before the rule allows it.
async fn fetch_some_soon(tx: &mut Tx, topic: Option<&str>, rule: &FetchRule, at_ms: i64) -> Result<u64> {
    let due = on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_topic SET fetches = 0, \
         ready_at = CASE WHEN holder IS NULL AND ready_at > $1 THEN $1 ELSE ready_at END \
         WHERE ($2 IS NULL OR topic = $2)",
    )
    .bind(at_ms)
    .bind(topic)
    .execute(c)
    .await?
    .rows_affected());
    // an instant that lies ahead is of a clock that was set back since
    for (column, pause) in [("fetched_at", rule.fetch_pause), ("changed_at", rule.notice_pause)] {
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
    Ok(due)
}

from_row!(NamedRow in "hub_topic" by topic { topic: String });
from_row!(DueRow {
    etag: Option<String>,
    modified_at: Option<i64>,
    changed_at: Option<i64>,
});

async fn due_row(tx: &mut Tx, topic: &str) -> Result<DueRow> {
    Ok(on!(tx, c: D => sqlx::query_as("SELECT etag, modified_at, changed_at FROM hub_topic WHERE topic = $1")
        .bind(topic)
        .fetch_one(c)
        .await?))
}

async fn put_under_lease(tx: &mut Tx, topic: &str, lease: &Lease) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE hub_topic SET holder = $2, ready_at = $3 WHERE topic = $1")
        .bind(topic)
        .bind(lease.holder.as_str())
        .bind(ms(lease.until))
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

/// Claims topics.
pub(super) async fn claim(db: &Db, kind: TopicKind, lease: &Lease, max: u32) -> Result<Vec<DueTopic>> {
    let mut tx = db.begin_serial().await?;
    refuse_during_restore(&mut tx, "push").await?;
    let free = tx.locking(DUE, Locking::FreeRows);
    // what cannot be written stays due, and takes nobody's place
    let unreadable = i64::try_from(tx.found().unreadable_in("hub_topic")).unwrap_or(0);
    let due: Vec<Kept<NamedRow>> = on!(&mut tx, c: D => sqlx::query_as(free)
        .bind(kept_kind(kind))
        .bind(ms(lease.now))
        .bind(i64::from(max).saturating_add(unreadable))
        .fetch_all(c)
        .await?);
    let mut claimed = Vec::with_capacity(due.len());
    for NamedRow { topic } in tx.found().rows(due) {
        if claimed.len() >= max as usize {
            break; // what was only looked at stays due
        }
        let held = put_under_lease(&mut tx, &topic, lease).await;
        if tx.found().sort_part("hub_topic", &topic, held)?.is_none() {
            continue;
        }
        claimed.push(due_topic(&mut tx, topic).await?);
    }
    tx.commit().await?;
    Ok(claimed)
}

/// A claimed topic with what is known of it. What cannot be read of it is left out: it is fetched as if for the first time.
async fn due_topic(tx: &mut Tx, topic: String) -> Result<DueTopic> {
    let read = due_row(tx, &topic).await;
    let unknown = DueRow { etag: None, modified_at: None, changed_at: None };
    let row = tx.found().sort("hub_topic", &topic, read)?.unwrap_or(unknown);
    let cell = row_of("hub_topic", &topic);
    let modified_at = row.modified_at.map(|at| cell.time("modified_at", at)).transpose();
    let changed_at = row.changed_at.map(|at| cell.time("changed_at", at)).transpose();
    let modified_at = tx.found().sort("hub_topic", &topic, modified_at)?.flatten();
    let changed_at = tx.found().sort("hub_topic", &topic, changed_at)?.flatten();
    Ok(DueTopic { topic, etag: row.etag, modified_at, changed_at })
}

from_row!(BytesRow in "hub_topic" by topic { topic: String, content_type: String, body: Vec<u8> });
from_row!(TopicRow { version: i64, fetches: i64, holder: Option<String>, combination: i64 });

/// Records fetches; returns how many brought a further version.
pub(super) async fn record(
    db: &Db,
    holder: &str,
    fetches: &[(String, FetchOutcome)],
    rule: &FetchRule,
    at: Timestamp,
) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut changed = 0;
    for (topic, fetch) in fetches {
        let row: Option<TopicRow> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT version, fetches, holder, combination FROM hub_topic WHERE topic = $1",
        )
        .bind(topic.as_str())
        .fetch_optional(c)
        .await?);
        let Some(row) = row.filter(|row| row.holder.as_deref() == Some(holder)) else { continue };
        let is_other = keep(&mut tx, topic, &row, fetch, ms(at)).await?;
        let delays = if row.combination == 0 { &rule.delays } else { &rule.combination_delays };
        let place = usize::try_from(row.fetches).unwrap_or(usize::MAX).min(delays.len().saturating_sub(1));
        let mut pause = delays.get(place).copied().unwrap_or(rule.fetch_pause).max(rule.fetch_pause);
        if is_other {
            changed += 1;
            pause = pause.max(rule.notice_pause);
        }
        on!(&mut tx, c: D => sqlx::query(
            "UPDATE hub_topic SET holder = NULL, fetches = fetches + 1, fetched_at = $2, ready_at = $3 WHERE topic = $1",
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

/// Keeps what a fetch said; whether the topic has a further version now.
async fn keep(tx: &mut Tx, topic: &str, row: &TopicRow, fetch: &FetchOutcome, at_ms: i64) -> Result<bool> {
    let is_other = match fetch {
        FetchOutcome::Failed => return Ok(false),
        FetchOutcome::Unchanged if row.version == 0 => return Ok(false),
        FetchOutcome::Missing(why) => {
            keep_missing(tx, topic, why.as_str(), at_ms).await?;
            return Ok(false);
        }
        FetchOutcome::Unchanged => false,
        FetchOutcome::Read { etag, modified_at, content_type, body } => {
            let document = ReadDocument { etag: etag.as_deref(), modified_at: modified_at.map(ms), content_type, body };
            keep_document(tx, topic, row.version, &document, at_ms).await?
        }
    };
    tell_of(tx, topic, row.version + i64::from(is_other), is_other, at_ms).await?;
    Ok(is_other)
}

/// Keeps that a topic is missing, and has those denied who asked for it.
async fn keep_missing(tx: &mut Tx, topic: &str, why: &str, at_ms: i64) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query("UPDATE hub_topic SET missing = $2 WHERE topic = $1")
        .bind(topic)
        .bind(why)
        .execute(c)
        .await?
        .rows_affected());
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_request SET mode = 'denied', reason = $2, due_at = $3 WHERE due_at IS NULL \
         AND subscription IN (SELECT number FROM hub_subscription WHERE topic = $1)",
    )
    .bind(topic)
    .bind(why)
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
    Ok(())
}

/// What a fetch brought.
struct ReadDocument<'a> {
    etag: Option<&'a str>,
    modified_at: Option<i64>,
    content_type: &'a str,
    body: &'a [u8],
}

/// Keeps a topic's document; whether its bytes are others than those that are kept.
async fn keep_document(
    tx: &mut Tx,
    topic: &str,
    version: i64,
    document: &ReadDocument<'_>,
    at_ms: i64,
) -> Result<bool> {
    let stands = version > 0 && stands(tx, topic, document.content_type, document.body).await?;
    let kept = if stands {
        "UPDATE hub_topic SET etag = $2, modified_at = $3 WHERE topic = $1"
    } else {
        "UPDATE hub_topic SET etag = $2, modified_at = $3, version = version + 1, changed_at = $4, \
         content_type = $5, body = $6 WHERE topic = $1"
    };
    on!(&mut *tx, c: D => {
        let mut query = sqlx::query(kept).bind(topic).bind(document.etag).bind(document.modified_at);
        if !stands {
            query = query.bind(at_ms).bind(document.content_type).bind(document.body);
        }
        query.execute(c).await?.rows_affected()
    });
    Ok(!stands)
}

/// Makes a topic's requests due that waited for it to be read, and its subscriptions when it has another version.
async fn tell_of(tx: &mut Tx, topic: &str, version: i64, is_other: bool, at_ms: i64) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query("UPDATE hub_topic SET missing = NULL WHERE topic = $1 AND missing IS NOT NULL")
        .bind(topic)
        .execute(c)
        .await?
        .rows_affected());
    // those who asked before it could be fetched begin with what was seen now
    let waited = on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_request SET due_at = $2, version = $3 WHERE due_at IS NULL \
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
    Ok(())
}

/// Whether these are the bytes that are kept. What cannot be read is written anew.
async fn stands(tx: &mut Tx, topic: &str, content_type: &str, body: &[u8]) -> Result<bool> {
    let kept: Option<Kept<BytesRow>> = on!(tx, c: D => sqlx::query_as(
        "SELECT topic, content_type, body FROM hub_topic WHERE topic = $1",
    )
    .bind(topic)
    .fetch_optional(c)
    .await?);
    let kept = kept.and_then(|row| row.read().ok()).map(|row| (row.content_type, row.body));
    Ok(kept.is_some_and(|(kept_type, kept_body)| kept_type == content_type && kept_body == body))
}

/// Makes those subscriptions of a topic ready that have something due since just now, and their hosts. Those that are ready
/// already, or in somebody's hands, see it then.
async fn make_ready(tx: &mut Tx, topic: &str, at_ms: i64) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "UPDATE hub_subscription SET ready_at = $2, call_class = CASE WHEN EXISTS \
            (SELECT 1 FROM hub_request AS w WHERE w.subscription = hub_subscription.number AND w.due_at <= $2) \
            THEN 1 ELSE 0 END \
         WHERE topic = $1 AND holder IS NULL AND (ready_at IS NULL OR ready_at > $2) AND (due_at = $2 OR EXISTS \
            (SELECT 1 FROM hub_request AS w WHERE w.subscription = hub_subscription.number AND w.due_at = $2))",
    )
    .bind(topic)
    .bind(at_ms)
    .execute(c)
    .await?
    .rows_affected());
    for hosts in [
        "UPDATE hub_host SET deliver_at = CASE WHEN calls_from > $2 THEN calls_from ELSE $2 END \
         WHERE (deliver_at IS NULL OR deliver_at > $2) \
         AND host IN (SELECT s.host FROM hub_subscription AS s WHERE s.topic = $1 AND s.call_class = 0 AND s.ready_at = $2)",
        "UPDATE hub_host SET verify_at = $2 WHERE (verify_at IS NULL OR verify_at > $2) \
         AND host IN (SELECT s.host FROM hub_subscription AS s WHERE s.topic = $1 AND s.call_class = 1 AND s.ready_at = $2)",
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
