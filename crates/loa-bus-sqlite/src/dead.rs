//! The dead letters: looking, second chances, burial.

use crate::{
    bus::Shared,
    rows::{array, forget_bodies, message, message_columns},
};
use jiff::Timestamp;
use loa_bus::{DeadLetter, DeadReason, Message, Past, Queue};
use sqlx::{Row, SqliteConnection};

/// Dead letters moved by one transaction: keeps other writers' wait short.
const MOVED_PER_TRANSACTION: i64 = 500;

impl Shared {
    /// The oldest dead letters of a queue.
    pub(crate) async fn dead_letters(&self, queue: Queue, max: usize) -> sqlx::Result<Vec<DeadLetter>> {
        let rows = sqlx::query(concat!(
            "SELECT d.reason, d.position, d.dead_at, d.deaths, d.first_dead_at, d.buried_by, ",
            message_columns!(),
            " FROM dead d JOIN body b ON b.id = d.body_id WHERE d.queue = $1 ORDER BY d.id LIMIT $2"
        ))
        .bind(queue.name())
        .bind(i64::try_from(max).unwrap_or(i64::MAX))
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                let (message, routing_key) = message(row)?;
                let reason = DeadReason { reason: row.try_get("reason")?, position: row.try_get("position")? };
                let dead_at = Timestamp::from_millisecond(row.try_get("dead_at")?).ok();
                let first_dead_at: Option<i64> = row.try_get("first_dead_at")?;
                let past = Past {
                    deaths: u32::try_from(row.try_get::<i64, _>("deaths")?).unwrap_or(u32::MAX),
                    first_dead_at: first_dead_at.and_then(|at| Timestamp::from_millisecond(at).ok()),
                };
                let buried_by = row.try_get("buried_by")?;
                Ok(DeadLetter { message, queue, routing_key, reason, dead_at, past, buried_by })
            })
            .collect()
    }

    /// Moves dead letters to the end of the queue they died in, oldest first; all of them when `ids` is empty.
    pub(crate) async fn redrive(&self, queue: Queue, ids: &[String]) -> sqlx::Result<u64> {
        // those that die again while this runs are left for another time
        let newest: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM dead WHERE queue = $1")
            .bind(queue.name())
            .fetch_one(&self.read)
            .await?;
        let mut moved = 0;
        loop {
            let mut transaction = self.begin().await?;
            let chosen = choose(&mut transaction, queue, ids, newest).await?;
            if chosen.is_empty() {
                return Ok(moved);
            }
            let chosen = array(chosen);
            sqlx::query(
                "INSERT INTO entry (queue, body_id, deaths, first_dead_at)
                 SELECT queue, body_id, deaths, first_dead_at FROM dead WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id",
            )
            .bind(&chosen)
            .execute(&mut *transaction)
            .await?;
            moved += sqlx::query("DELETE FROM dead WHERE id IN (SELECT value FROM json_each($1))")
                .bind(&chosen)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            transaction.commit().await?;
            self.bell(queue).notify_waiters();
        }
    }

    /// Deletes dead letters by message id, and returns what they were; none when `ids` is empty.
    pub(crate) async fn discard(&self, queue: Queue, ids: &[String]) -> sqlx::Result<Vec<Message>> {
        let mut discarded = Vec::new();
        if ids.is_empty() {
            return Ok(discarded);
        }
        loop {
            let mut transaction = self.begin().await?;
            let chosen = choose(&mut transaction, queue, ids, i64::MAX).await?;
            if chosen.is_empty() {
                return Ok(discarded);
            }
            let chosen = array(chosen);
            let rows = sqlx::query(concat!(
                "SELECT ",
                message_columns!(),
                " FROM dead d JOIN body b ON b.id = d.body_id
                 WHERE d.id IN (SELECT value FROM json_each($1)) ORDER BY d.id"
            ))
            .bind(&chosen)
            .fetch_all(&mut *transaction)
            .await?;
            let bodies: Vec<i64> =
                sqlx::query_scalar("DELETE FROM dead WHERE id IN (SELECT value FROM json_each($1)) RETURNING body_id")
                    .bind(&chosen)
                    .fetch_all(&mut *transaction)
                    .await?;
            forget_bodies(&mut transaction, &bodies).await?;
            transaction.commit().await?;
            for row in &rows {
                discarded.push(message(row)?.0);
            }
        }
    }
}

/// The oldest dead letters up to `newest` that are meant: those with a message id in `ids`, or any when it is empty.
async fn choose(
    connection: &mut SqliteConnection,
    queue: Queue,
    ids: &[String],
    newest: i64,
) -> sqlx::Result<Vec<i64>> {
    let ids = serde_json::to_string(ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query_scalar(
        "SELECT d.id FROM dead d JOIN body b ON b.id = d.body_id
         WHERE d.queue = $1 AND d.id <= $2
           AND ($3 = '[]' OR b.message_id IN (SELECT value FROM json_each($3)))
         ORDER BY d.id LIMIT $4",
    )
    .bind(queue.name())
    .bind(newest)
    .bind(ids)
    .bind(MOVED_PER_TRANSACTION)
    .fetch_all(connection)
    .await
}
