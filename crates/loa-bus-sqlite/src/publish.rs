//! Publishes: one batch is one transaction, on disk before the answer.

use crate::{
    bus::SqliteBus,
    queue_file::{QueueFile, missing},
};
use async_trait::async_trait;
use loa_bus::{BusError, BusErrorKind, Outgoing, Publish, Queue, Route, UNROUTED, limits, routing_key_matches};
use loa_domain::BusFact;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::{collections::BTreeSet, time::Duration};

/// The longest a publish takes, whatever the disk does.
const DEADLINE: Duration = Duration::from_secs(10);
/// Rows per insert into queues: two bound values each.
const ENTRIES_PER_STATEMENT: usize = 200;

#[async_trait]
impl Publish for SqliteBus {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), BusError>> {
        if let Err(error) = self.shared.open() {
            return all(batch.len(), &error);
        }
        let outcome = tokio::time::timeout(DEADLINE, self.shared.store(&batch)).await;
        match outcome {
            Ok(stored) => match self.shared.outcome("publish", stored) {
                Ok(outcomes) => outcomes,
                Err(error) => all(batch.len(), &error),
            },
            Err(_) => {
                let late = BusError::new(BusErrorKind::Unavailable, "the queues did not take the messages within 10 s")
                    .about(BusFact::NotInTime);
                all(batch.len(), &late)
            }
        }
    }
}

/// The same failure for each message of a batch.
fn all(count: usize, error: &BusError) -> Vec<Result<(), BusError>> {
    (0..count).map(|_| Err(error.again())).collect()
}

/// The queues a route leads to; `loa.unrouted` where no binding takes it.
pub(crate) fn destinations(route: &Route) -> Vec<&'static str> {
    match route {
        Route::Queue(queue) => vec![queue.name()],
        Route::Topic(key) => {
            let bound: Vec<_> = Queue::ALL
                .into_iter()
                .filter(|queue| queue.bindings().iter().any(|binding| routing_key_matches(binding, key)))
                .map(Queue::name)
                .collect();
            if bound.is_empty() { vec![UNROUTED] } else { bound }
        }
    }
}

impl QueueFile {
    /// Stores what can be stored of a batch, all in one transaction.
    async fn store(&self, batch: &[Outgoing]) -> sqlx::Result<Vec<Result<(), BusError>>> {
        let mut transaction = self.begin().await?;
        let declared: Vec<String> = sqlx::query_scalar("SELECT name FROM queue").fetch_all(&mut *transaction).await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut entries: Vec<(&'static str, i64)> = Vec::with_capacity(batch.len());
        for outgoing in batch {
            let queues = destinations(&outgoing.route);
            let absent = queues.iter().find(|name| !declared.iter().any(|known| known == *name));
            let outcome = match absent {
                Some(name) => Err(missing(name)),
                None => limits::check(outgoing),
            };
            if outcome.is_ok() {
                let body = insert_body(&mut transaction, outgoing).await?;
                entries.extend(queues.into_iter().map(|queue| (queue, body)));
            }
            outcomes.push(outcome);
        }
        for chunk in entries.chunks(ENTRIES_PER_STATEMENT) {
            let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO entry (queue, body_id) ");
            insert.push_values(chunk, |mut row, (queue, body)| {
                row.push_bind(*queue).push_bind(*body);
            });
            insert.build().persistent(chunk.len() == ENTRIES_PER_STATEMENT).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        let queues: BTreeSet<_> = entries.iter().map(|(queue, _)| *queue).collect();
        for queue in queues.into_iter().filter_map(Queue::parse) {
            self.wake_up(queue).notify_waiters();
        }
        Ok(outcomes)
    }
}

async fn insert_body(connection: &mut SqliteConnection, outgoing: &Outgoing) -> sqlx::Result<i64> {
    let message = &outgoing.message;
    let routing_key = match &outgoing.route {
        Route::Topic(key) => key.as_str(),
        Route::Queue(_) => "",
    };
    let headers = serde_json::to_string(&message.headers).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let inserted = sqlx::query(
        "INSERT INTO body (message_id, content_type, headers, routing_key, body) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&message.id)
    .bind(&message.content_type)
    .bind(headers)
    .bind(routing_key)
    .bind(&message.body[..])
    .execute(connection)
    .await?;
    Ok(inserted.last_insert_rowid())
}
