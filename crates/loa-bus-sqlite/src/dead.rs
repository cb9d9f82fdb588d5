//! Letters of a place (dead ones, and what no binding took): lists, redrives and discards them.
//!
//! A letter's name is the number of its row, which is never given twice.

use crate::{
    publish::destinations,
    queue_file::QueueFile,
    rows::{array, forget_bodies, message_as_far_as_it_goes},
};
use jiff::Timestamp;
use loa_bus::{
    Chosen, DeadLetter, DeadReason, DiscardedLetter, OddHeaders, Past, Place, Queue, Redriven, Route, is_routed,
    limits::{ListRoom, stays_unrouted, why_unrouted},
};
use loa_domain::DeadCause;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use std::collections::{BTreeSet, HashMap};

/// Letters moved by one transaction: keeps other writers' wait short.
const MOVED_PER_TRANSACTION: usize = 500;

/// The columns of a message with an empty body, and how long the body is.
macro_rules! columns_without_body {
    () => {
        "b.message_id, b.content_type, b.headers, b.routing_key, x'' AS body, coalesce(length(b.body), 0) AS bytes"
    };
}

/// The letters of a place with these numbers, with all that is known of them but the bodies.
fn without_bodies(place: Place) -> &'static str {
    match place {
        Place::Dead(_) => concat!(
            "SELECT d.id, d.reason, d.cause, d.position, d.dead_at, d.deaths, d.first_dead_at, d.buried_by, ",
            columns_without_body!(),
            " FROM dead d JOIN body b ON b.id = d.body_id
              WHERE d.id IN (SELECT value FROM json_each($1)) ORDER BY d.id"
        ),
        Place::Unrouted => concat!(
            "SELECT e.position AS id, ",
            columns_without_body!(),
            " FROM entry e JOIN body b ON b.id = e.body_id
              WHERE e.position IN (SELECT value FROM json_each($1)) ORDER BY e.position"
        ),
    }
}

/// The bodies of the letters of a place with these numbers.
fn bodies(place: Place) -> &'static str {
    match place {
        Place::Dead(_) => {
            "SELECT d.id, b.body FROM dead d JOIN body b ON b.id = d.body_id
             WHERE d.id IN (SELECT value FROM json_each($1))"
        }
        Place::Unrouted => {
            "SELECT e.position AS id, b.body FROM entry e JOIN body b ON b.id = e.body_id
             WHERE e.position IN (SELECT value FROM json_each($1))"
        }
    }
}

/// Which letters are looked through: those after one number up to another, and at most so many are taken.
struct Between {
    after: i64,
    newest: i64,
    max: usize,
}

impl Between {
    fn all(max: usize) -> Self {
        Self { after: 0, newest: i64::MAX, max }
    }
}

impl QueueFile {
    /// The oldest letters of a place that are meant, with the bodies that there is room for.
    pub(crate) async fn dead_letters(
        &self,
        place: Place,
        chosen: &Chosen,
        max: usize,
    ) -> sqlx::Result<Vec<DeadLetter>> {
        let mut connection = self.read.acquire().await?;
        let found = choose(&mut connection, place, chosen, Between::all(max)).await?;
        let rows = sqlx::query(without_bodies(place)).bind(array(found)).fetch_all(&mut *connection).await?;
        let mut letters = rows.iter().map(|row| letter(place, row)).collect::<sqlx::Result<Vec<_>>>()?;
        let mut room = ListRoom::default();
        let fitting = letters.iter().filter(|letter| room.takes(letter.bytes)).filter_map(|it| it.key.parse().ok());
        let rows = sqlx::query(bodies(place)).bind(array(fitting)).fetch_all(&mut *connection).await?;
        let mut read = HashMap::new();
        for row in rows {
            read.insert(row.try_get::<i64, _>("id")?.to_string(), row.try_get_unchecked::<Vec<u8>, _>("body")?);
        }
        for letter in &mut letters {
            if let Some(body) = read.remove(&letter.key) {
                letter.message.body = body.into();
            }
        }
        Ok(letters)
    }

    /// Moves dead letters to the end of the queue they died in, and what no binding took to the queues that this routing key
    /// reaches; oldest first. Tells what is moved, also when a later one meets an error.
    pub(crate) async fn redrive(
        &self,
        place: Place,
        chosen: &Chosen,
        routing_key: Option<&str>,
        redriven: &mut Redriven,
    ) -> sqlx::Result<()> {
        // those that come while this runs are left for another time
        let newest: i64 = sqlx::query_scalar(match place {
            Place::Dead(_) => "SELECT coalesce(max(id), 0) FROM dead WHERE queue = $1",
            Place::Unrouted => "SELECT coalesce(max(position), 0) FROM entry WHERE queue = $1",
        })
        .bind(keeper(place))
        .fetch_one(&self.read)
        .await?;
        let mut reached = 0;
        loop {
            let mut transaction = self.begin().await?;
            let between = Between { after: reached, newest, max: MOVED_PER_TRANSACTION };
            let found = choose(&mut transaction, place, chosen, between).await?;
            let Some(last) = found.last() else { return Ok(()) };
            reached = *last;
            let mut next = Redriven::default();
            if matches!(chosen, Chosen::Keys(_)) {
                next.met.extend(found.iter().map(i64::to_string));
            }
            let queues = match place {
                Place::Dead(queue) => {
                    next.moved += again(&mut transaction, found).await?;
                    BTreeSet::from([queue.name()])
                }
                Place::Unrouted => route(&mut transaction, &found, routing_key, &mut next).await?,
            };
            transaction.commit().await?;
            redriven.and(next);
            for queue in queues.into_iter().filter_map(Queue::parse) {
                self.wake_up(queue).notify_waiters();
            }
        }
    }

    /// Deletes letters, and tells each that is gone, also when a later one meets an error.
    pub(crate) async fn discard(
        &self,
        place: Place,
        chosen: &Chosen,
        discarded: &mut Vec<DiscardedLetter>,
    ) -> sqlx::Result<()> {
        loop {
            let mut transaction = self.begin().await?;
            let found = choose(&mut transaction, place, chosen, Between::all(MOVED_PER_TRANSACTION)).await?;
            if found.is_empty() {
                return Ok(());
            }
            let found = array(found);
            let delete = match place {
                Place::Dead(_) => "DELETE FROM dead WHERE id IN (SELECT value FROM json_each($1)) RETURNING body_id",
                Place::Unrouted => {
                    "DELETE FROM entry WHERE position IN (SELECT value FROM json_each($1)) RETURNING body_id"
                }
            };
            let rows = sqlx::query(without_bodies(place)).bind(&found).fetch_all(&mut *transaction).await?;
            let bodies: Vec<i64> = sqlx::query_scalar(delete).bind(&found).fetch_all(&mut *transaction).await?;
            forget_bodies(&mut transaction, &bodies).await?;
            let letters = rows.iter().map(|row| letter(place, row)).collect::<sqlx::Result<Vec<_>>>()?;
            transaction.commit().await?;
            discarded.extend(letters.into_iter().map(DiscardedLetter::from));
        }
    }
}

/// What the rows of a place have in the column `queue`.
fn keeper(place: Place) -> &'static str {
    match place {
        Place::Dead(queue) => queue.name(),
        Place::Unrouted => place.name(),
    }
}

fn letter(place: Place, row: &SqliteRow) -> sqlx::Result<DeadLetter> {
    let (message, routing_key) = message_as_far_as_it_goes(row)?;
    let mut letter = DeadLetter {
        key: row.try_get::<i64, _>("id")?.to_string(),
        place,
        bytes: usize::try_from(row.try_get_unchecked::<i64, _>("bytes")?).unwrap_or_default(),
        message,
        odd_headers: OddHeaders::new(),
        routing_key,
        reason: DeadReason { reason: String::new(), cause: None, position: String::new() },
        dead_at: None,
        past: Past::default(),
        buried_by: String::new(),
    };
    if place == Place::Unrouted {
        letter.reason = why_unrouted(&letter.routing_key);
        return Ok(letter);
    }
    let cause = DeadCause::of_json(row.try_get("cause")?);
    letter.reason = DeadReason { reason: row.try_get("reason")?, cause, position: row.try_get("position")? };
    letter.dead_at = Timestamp::from_millisecond(row.try_get("dead_at")?).ok();
    let first_dead_at: Option<i64> = row.try_get("first_dead_at")?;
    letter.past.deaths = u32::try_from(row.try_get::<i64, _>("deaths")?).unwrap_or(u32::MAX);
    letter.past.first_dead_at = first_dead_at.and_then(|at| Timestamp::from_millisecond(at).ok());
    letter.buried_by = row.try_get("buried_by")?;
    Ok(letter)
}

/// The oldest letters that are meant.
async fn choose(
    connection: &mut SqliteConnection,
    place: Place,
    chosen: &Chosen,
    between: Between,
) -> sqlx::Result<Vec<i64>> {
    let encoded =
        |names: &BTreeSet<String>| serde_json::to_string(names).map_err(|error| sqlx::Error::Encode(error.into()));
    let (ids, keys) = match chosen {
        Chosen::All => (None, None),
        Chosen::Ids(ids) => (Some(encoded(ids)?), None),
        // what is no number names none of ours
        Chosen::Keys(keys) => (None, Some(array(keys.iter().filter_map(|key| key.parse().ok())))),
    };
    sqlx::query_scalar(match place {
        Place::Dead(_) => {
            "SELECT d.id FROM dead d JOIN body b ON b.id = d.body_id
             WHERE d.queue = $1 AND d.id > $2 AND d.id <= $3
               AND ($4 IS NULL OR b.message_id IN (SELECT value FROM json_each($4)))
               AND ($5 IS NULL OR d.id IN (SELECT value FROM json_each($5)))
             ORDER BY d.id LIMIT $6"
        }
        Place::Unrouted => {
            "SELECT e.position FROM entry e JOIN body b ON b.id = e.body_id
             WHERE e.queue = $1 AND e.holder IS NULL AND e.position > $2 AND e.position <= $3
               AND ($4 IS NULL OR b.message_id IN (SELECT value FROM json_each($4)))
               AND ($5 IS NULL OR e.position IN (SELECT value FROM json_each($5)))
             ORDER BY e.position LIMIT $6"
        }
    })
    .bind(keeper(place))
    .bind(between.after)
    .bind(between.newest)
    .bind(ids)
    .bind(keys)
    .bind(i64::try_from(between.max).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
}

/// Puts dead letters at the end of their queue.
async fn again(connection: &mut SqliteConnection, dead: Vec<i64>) -> sqlx::Result<u64> {
    let dead = array(dead);
    sqlx::query(
        "INSERT INTO entry (queue, body_id, deaths, first_dead_at)
         SELECT queue, body_id, deaths, first_dead_at FROM dead WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id",
    )
    .bind(&dead)
    .execute(&mut *connection)
    .await?;
    let gone = sqlx::query("DELETE FROM dead WHERE id IN (SELECT value FROM json_each($1))").bind(&dead);
    Ok(gone.execute(connection).await?.rows_affected())
}

/// Puts what no binding took into the queues that a routing key reaches: this one, or its own. Returns the queues.
async fn route(
    connection: &mut SqliteConnection,
    positions: &[i64],
    routing_key: Option<&str>,
    redriven: &mut Redriven,
) -> sqlx::Result<BTreeSet<&'static str>> {
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT e.position, e.body_id, b.routing_key FROM entry e JOIN body b ON b.id = e.body_id
         WHERE e.position IN (SELECT value FROM json_each($1)) ORDER BY e.position",
    )
    .bind(array(positions.iter().copied()))
    .fetch_all(&mut *connection)
    .await?;
    let mut reached = BTreeSet::new();
    for (position, body, own) in rows {
        let key = routing_key.unwrap_or(&own);
        if !is_routed(key) {
            redriven.stays(&position.to_string(), stays_unrouted(key));
            continue;
        }
        sqlx::query("UPDATE body SET routing_key = $2 WHERE id = $1")
            .bind(body)
            .bind(key)
            .execute(&mut *connection)
            .await?;
        for queue in destinations(&Route::Topic(key.to_owned())) {
            sqlx::query("INSERT INTO entry (queue, body_id) VALUES ($1, $2)")
                .bind(queue)
                .bind(body)
                .execute(&mut *connection)
                .await?;
            reached.insert(queue);
        }
        sqlx::query("DELETE FROM entry WHERE position = $1").bind(position).execute(&mut *connection).await?;
        redriven.moved += 1;
    }
    Ok(reached)
}
