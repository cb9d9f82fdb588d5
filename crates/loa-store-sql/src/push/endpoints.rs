//! Endpoints. Their secrets are in a table of their own, the newest first, and never in an error.

use crate::{
    db::{Db, Tx, through},
    fault::{Result, refuse},
    row::{Kept, from_row, ms, row_of, to_json},
};
use loa_domain::{Endpoint, EndpointId, EndpointState, EventFilter, EventType};
use loa_store::StoreErrorKind;
use std::collections::HashMap;
use tokio::time::Instant;

/// Adds an endpoint.
pub(super) async fn add(db: &Db, endpoint: &Endpoint) -> Result<()> {
    let mut tx = db.begin().await?;
    let added = on!(&mut tx, c: D => sqlx::query(
        "INSERT INTO endpoint (id, url, description, filter, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(endpoint.id.as_str())
    .bind(endpoint.url.as_str())
    .bind(endpoint.description.as_str())
    .bind(to_json(&endpoint.filter)?)
    .bind(endpoint.state.as_text())
    .bind(ms(endpoint.created_at))
    .execute(c)
    .await?
    .rows_affected());
    if added == 0 {
        return Err(refuse(StoreErrorKind::Conflict, format!("there is an endpoint {} already", endpoint.id)));
    }
    keep_secrets(&mut tx, &endpoint.id, &endpoint.secrets).await?;
    tx.commit().await
}

/// Reads every endpoint, until it is time to end: then `false`.
pub(super) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let rows =
        "SELECT id, url, description, filter, disabled, created_at FROM endpoint WHERE id > $1 ORDER BY id LIMIT $2";
    through(db, rows, String::new(), until, |row: EndpointRow| row.read(Vec::new()).map(drop)).await
}

/// All endpoints, by id.
pub(super) async fn all(db: &Db) -> Result<Vec<Endpoint>> {
    list(&mut db.snapshot().await?).await
}

/// All endpoints, within a transaction.
pub(super) async fn list(tx: &mut Tx) -> Result<Vec<Endpoint>> {
    let rows: Vec<EndpointRow> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT id, url, description, filter, disabled, created_at FROM endpoint ORDER BY id",
    )
    .fetch_all(c)
    .await?);
    let secrets: Vec<(String, Vec<u8>)> = on!(tx, c: D => sqlx::query_as(
        "SELECT endpoint, secret FROM endpoint_secret ORDER BY endpoint, place",
    )
    .fetch_all(c)
    .await?);
    let mut by_endpoint: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for (endpoint, secret) in secrets {
        by_endpoint.entry(endpoint).or_default().push(secret);
    }
    rows.into_iter()
        .map(|row| {
            let secrets = by_endpoint.remove(&row.id).unwrap_or_default();
            row.read(secrets)
        })
        .collect()
}

/// What is to be known of an endpoint to owe it something.
pub(super) struct Wants {
    pub(super) id: EndpointId,
    filter: Option<EventFilter>,
}

impl Wants {
    /// Whether it is owed events of this type. One whose filter cannot be read is owed all: they wait for it until somebody
    /// has seen to it, while those that were left out would be lost to it.
    pub(super) fn wants(&self, event_type: EventType) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(event_type))
    }
}

from_row!(WantsRow in "endpoint" by id { id: String, filter: String });

/// What every endpoint wants, by id.
pub(super) async fn wants(tx: &mut Tx) -> Result<Vec<Wants>> {
    let rows: Vec<Kept<WantsRow>> = on!(&mut *tx, c: D => sqlx::query_as("SELECT id, filter FROM endpoint ORDER BY id")
        .fetch_all(c)
        .await?);
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.key();
        let cell = row_of("endpoint", &id);
        let read = row.read().and_then(|row| cell.json("filter", &row.filter));
        let filter = match &read {
            // whether all of the row can be read is found when it is claimed for
            Ok(_) => read.ok(),
            Err(_) => tx.found().sort("endpoint", &id, read)?,
        };
        // it is a key of ours; one that is none has no deliveries that anybody could claim
        let read = cell.text::<EndpointId>("id", id.clone());
        if let Some(id) = match read {
            Ok(id) => Some(id),
            Err(_) => tx.found().sort("endpoint", &id, read)?,
        } {
            all.push(Wants { id, filter });
        }
    }
    Ok(all)
}

/// One endpoint.
pub(super) async fn one(db: &Db, id: &EndpointId) -> Result<Option<Endpoint>> {
    read(&mut db.snapshot().await?, id).await
}

/// One endpoint, within a transaction.
pub(super) async fn read(tx: &mut Tx, id: &EndpointId) -> Result<Option<Endpoint>> {
    let row: Option<EndpointRow> = on!(&mut *tx, c: D => sqlx::query_as(
        "SELECT id, url, description, filter, disabled, created_at FROM endpoint WHERE id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(c)
    .await?);
    let Some(row) = row else { return Ok(None) };
    let secrets: Vec<Vec<u8>> = on!(tx, c: D => sqlx::query_scalar(
        "SELECT secret FROM endpoint_secret WHERE endpoint = $1 ORDER BY place",
    )
    .bind(id.as_str())
    .fetch_all(c)
    .await?);
    row.read(secrets).map(Some)
}

/// Keeps an endpoint as it is told, whether it is there or not.
pub(super) async fn put(tx: &mut Tx, endpoint: &Endpoint) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query(
        "INSERT INTO endpoint (id, url, description, filter, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (id) DO UPDATE SET url = excluded.url, description = excluded.description, \
         filter = excluded.filter, disabled = excluded.disabled",
    )
    .bind(endpoint.id.as_str())
    .bind(endpoint.url.as_str())
    .bind(endpoint.description.as_str())
    .bind(to_json(&endpoint.filter)?)
    .bind(endpoint.state.as_text())
    .bind(ms(endpoint.created_at))
    .execute(c)
    .await?
    .rows_affected());
    replace_secrets(tx, &endpoint.id, &endpoint.secrets).await
}

/// Enables or disables.
pub(super) async fn set_state(db: &Db, id: &EndpointId, state: &EndpointState) -> Result<()> {
    let mut tx = db.begin().await?;
    put_state(&mut tx, id, state).await?;
    tx.commit().await
}

/// Enables or disables, within a transaction.
pub(super) async fn put_state(tx: &mut Tx, id: &EndpointId, state: &EndpointState) -> Result<()> {
    let found = on!(tx, c: D => sqlx::query("UPDATE endpoint SET disabled = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(state.as_text())
        .execute(c)
        .await?
        .rows_affected());
    if found == 0 { Err(unknown(id)) } else { Ok(()) }
}

/// Replaces the secrets.
pub(super) async fn set_secrets(db: &Db, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<()> {
    let mut tx = db.begin().await?;
    if read(&mut tx, id).await?.is_none() {
        return Err(unknown(id));
    }
    replace_secrets(&mut tx, id, secrets).await?;
    tx.commit().await
}

async fn replace_secrets(tx: &mut Tx, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query("DELETE FROM endpoint_secret WHERE endpoint = $1")
        .bind(id.as_str())
        .execute(c)
        .await?
        .rows_affected());
    keep_secrets(tx, id, secrets).await
}

fn unknown(id: &EndpointId) -> crate::fault::Fault {
    refuse(StoreErrorKind::NotFound, format!("there is no endpoint {id}"))
}

async fn keep_secrets(tx: &mut Tx, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<()> {
    for (place, secret) in (0_i64..).zip(secrets) {
        on!(&mut *tx, c: D => sqlx::query(
            "INSERT INTO endpoint_secret (endpoint, place, secret) VALUES ($1, $2, $3)",
        )
        .bind(id.as_str())
        .bind(place)
        .bind(secret.as_slice())
        .execute(c)
        .await?
        .rows_affected());
    }
    Ok(())
}

from_row!(EndpointRow in "endpoint" by id {
    id: String,
    url: String,
    description: String,
    filter: String,
    disabled: Option<String>,
    created_at: i64,
});

impl EndpointRow {
    fn read(self, secrets: Vec<Vec<u8>>) -> Result<Endpoint> {
        let cell = row_of("endpoint", &self.id);
        Ok(Endpoint {
            id: cell.text("id", self.id.clone())?,
            url: cell.word("url", &self.url, |text| text.parse().ok())?,
            filter: cell.json("filter", &self.filter)?,
            created_at: cell.time("created_at", self.created_at)?,
            state: self.disabled.as_deref().map_or(EndpointState::Enabled, EndpointState::disabled_by),
            description: self.description.clone(),
            secrets,
        })
    }
}
