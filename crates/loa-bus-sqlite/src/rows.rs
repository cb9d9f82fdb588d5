//! Statements that several parts need. Each takes a connection with an open immediate transaction
//! and works on a batch; none reads more rows than it moves.

use loa_bus::{DELIVERY_LIMIT, DeadReason, Message};
use loa_domain::DeadCause;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

/// The columns of [`message`], of a `body` that is called `b`.
macro_rules! message_columns {
    () => {
        "b.message_id, b.content_type, b.headers, b.routing_key, b.body"
    };
}
pub(crate) use message_columns;

/// Reads a message and its routing key.
pub(crate) fn message(row: &SqliteRow) -> sqlx::Result<(Message, String)> {
    let headers: &str = row.try_get("headers")?;
    let headers = serde_json::from_str(headers)
        .map_err(|error| sqlx::Error::ColumnDecode { index: "body.headers".to_owned(), source: error.into() })?;
    let message = Message {
        id: row.try_get("message_id")?,
        content_type: row.try_get("content_type")?,
        headers,
        body: row.try_get::<Vec<u8>, _>("body")?.into(),
    };
    Ok((message, row.try_get("routing_key")?))
}

/// The same of a row that [`message`] could not read, as far as it goes: a dead letter is shown and discarded all the same.
pub(crate) fn message_as_far_as_it_goes(row: &SqliteRow) -> sqlx::Result<(Message, String)> {
    let text = |column: &str| -> sqlx::Result<String> {
        Ok(String::from_utf8_lossy(row.try_get_unchecked::<&[u8], _>(column)?).into_owned())
    };
    let message = Message {
        id: text("message_id")?,
        content_type: text("content_type")?,
        headers: serde_json::from_str(&text("headers")?).unwrap_or_default(),
        body: row.try_get_unchecked::<Vec<u8>, _>("body")?.into(),
    };
    Ok((message, text("routing_key")?))
}

/// The column `cause` of a letter.
pub(crate) fn cause_of(reason: &DeadReason) -> String {
    reason.cause.as_ref().and_then(DeadCause::to_json).unwrap_or_default()
}

/// Moves held or ready messages that cannot be read back to the dead letters: the others of the queue go on.
pub(crate) async fn set_aside(
    connection: &mut SqliteConnection,
    unreadable: &[(i64, DeadReason)],
    now: jiff::Timestamp,
) -> sqlx::Result<()> {
    for (position, reason) in unreadable {
        tracing::error!(position, reason = %reason.reason, "a message cannot be read back; it is moved to the dead letters");
        sqlx::query(
            "INSERT INTO dead (queue, body_id, reason, cause, position, dead_at, deaths, first_dead_at, buried_by)
             SELECT queue, body_id, $2, $5, '', $3, deaths + 1, coalesce(first_dead_at, $3), $4
             FROM entry WHERE position = $1",
        )
        .bind(position)
        .bind(&reason.reason)
        .bind(now.as_millisecond())
        .bind(concat!("loa ", env!("CARGO_PKG_VERSION")))
        .bind(cause_of(reason))
        .execute(&mut *connection)
        .await?;
        sqlx::query("DELETE FROM entry WHERE position = $1").bind(position).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Numbers as a JSON array, for `json_each`: one text of a statement whatever the count.
pub(crate) fn array(numbers: impl IntoIterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for number in numbers {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}

/// Gives held messages back to their places, or, those that have come back too often, to the dead letters.
/// Returns how many are ready again.
pub(crate) async fn give_back(
    connection: &mut SqliteConnection,
    positions: &[i64],
    now: jiff::Timestamp,
) -> sqlx::Result<u64> {
    if positions.is_empty() {
        return Ok(0);
    }
    let positions = array(positions.iter().copied());
    let ready = sqlx::query(
        "UPDATE entry SET holder = NULL, session = NULL
         WHERE position IN (SELECT value FROM json_each($1)) AND deliveries <= $2",
    )
    .bind(&positions)
    .bind(i64::from(DELIVERY_LIMIT))
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let worn_out = sqlx::query(
        "INSERT INTO dead (queue, body_id, reason, cause, position, dead_at, deaths, first_dead_at)
         SELECT queue, body_id, 'given back after ' || deliveries || ' deliveries: the delivery limit', $4, '', $3,
                deaths + 1, coalesce(first_dead_at, $3)
         FROM entry
         WHERE position IN (SELECT value FROM json_each($1)) AND deliveries > $2
         ORDER BY position",
    )
    .bind(&positions)
    .bind(i64::from(DELIVERY_LIMIT))
    .bind(now.as_millisecond())
    .bind(DeadCause::DeliveryLimit.to_json().unwrap_or_default())
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if worn_out > 0 {
        tracing::warn!(messages = worn_out, "delivered too often without being settled: moved to the dead letters");
        sqlx::query("DELETE FROM entry WHERE position IN (SELECT value FROM json_each($1)) AND deliveries > $2")
            .bind(&positions)
            .bind(i64::from(DELIVERY_LIMIT))
            .execute(&mut *connection)
            .await?;
    }
    Ok(ready)
}

/// Deletes those of the bodies that nothing points to any more.
pub(crate) async fn forget_bodies(connection: &mut SqliteConnection, bodies: &[i64]) -> sqlx::Result<()> {
    if bodies.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM body
         WHERE id IN (SELECT value FROM json_each($1))
           AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.body_id = body.id)
           AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.body_id = body.id)",
    )
    .bind(array(bodies.iter().copied()))
    .execute(connection)
    .await?;
    Ok(())
}
