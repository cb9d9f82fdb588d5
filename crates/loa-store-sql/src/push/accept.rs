//! Taking events in: the frozen bytes once, and one delivery for each endpoint that wants them.

use super::endpoints;
use crate::{
    counter,
    db::{Db, Tx},
    fault::Result,
    row::{ms, signed},
    seen::{self, CHUNK, Fresh},
};
use jiff::Timestamp;
use loa_domain::{DeliveryState, Endpoint, Event, Version};
use loa_store::Accepted;
use sqlx::QueryBuilder;
use std::collections::{HashMap, hash_map::Entry};

/// A delivery on its way in.
struct Planned<'a> {
    event: i64,
    endpoint: &'a Endpoint,
    version: &'a Version,
    article: &'a str,
    state: DeliveryState,
}

/// Takes a batch in.
pub(super) async fn accept(db: &Db, batch: &[Event], at: Timestamp) -> Result<Accepted> {
    let mut tx = db.begin().await?;
    let endpoints = endpoints::list(&mut tx).await?;
    let mut known = seen::known(&mut tx, &batch.iter().map(|event| &event.key).collect::<Vec<_>>()).await?;
    let mut highest: HashMap<&str, Version> = HashMap::new();
    let mut accepted = Accepted::default();
    let mut fresh = Vec::new();
    for event in batch {
        if !known.insert(event.key.clone()) {
            accepted.duplicates += 1;
            continue;
        }
        let version = event.version();
        let stale = match highest.entry(event.subject().as_str()) {
            Entry::Occupied(mut standing) if *standing.get() < version => {
                standing.insert(version);
                false
            }
            Entry::Occupied(_) => true,
            Entry::Vacant(vacant) => {
                let standing = highest_seen(&mut tx, event.subject().as_str()).await?;
                let stale = standing.as_ref().is_some_and(|standing| *standing > version);
                vacant.insert(standing.filter(|_| stale).unwrap_or(version));
                stale
            }
        };
        accepted.fresh += 1;
        accepted.stale += u64::from(stale);
        fresh.push(Fresh { event, stale });
    }
    if fresh.is_empty() {
        return Ok(accepted); // nothing was written: the transaction ends by being dropped
    }
    seen::note(&mut tx, &fresh, at).await?;
    plan(&mut tx, &endpoints, &fresh, at).await?;
    tx.commit().await?;
    Ok(accepted)
}

async fn highest_seen(tx: &mut Tx, article: &str) -> Result<Option<Version>> {
    let row: Option<(i64, i64, String)> = on!(tx, c: D => sqlx::query_as(
        "SELECT revision, withdrawn, event_id FROM seen WHERE article = $1 \
         ORDER BY revision DESC, withdrawn DESC, event_id DESC LIMIT 1",
    )
    .bind(article)
    .fetch_optional(c)
    .await?);
    Ok(row.map(|(revision, withdrawn, event_id)| Version {
        revision: u64::try_from(revision).unwrap_or_default(),
        withdrawn: withdrawn == 1,
        event_id,
    }))
}

async fn plan(tx: &mut Tx, endpoints: &[Endpoint], fresh: &[Fresh<'_>], at: Timestamp) -> Result<()> {
    let wanted: Vec<(&Event, Version)> = fresh
        .iter()
        .filter(|one| endpoints.iter().any(|endpoint| endpoint.filter.matches(one.event.event_type)))
        .map(|one| (one.event, one.event.version()))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let first = counter::take(tx, "event", wanted.len()).await?;
    let numbered: Vec<(i64, &Event)> = (first..).zip(wanted.iter().map(|(event, _)| *event)).collect();
    freeze(tx, &numbered).await?;
    let mut planned = Vec::new();
    for (number, (event, version)) in (first..).zip(&wanted) {
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.filter.matches(event.event_type)) {
            let article = event.subject().as_str();
            let undone = newer_delivered(tx, endpoint.id.as_str(), article, version).await?;
            let state = if undone { DeliveryState::Superseded } else { DeliveryState::Pending };
            planned.push(Planned { event: number, endpoint, version, article, state });
        }
    }
    owe(tx, &planned, at).await
}

/// Whether a newer version of the article was delivered to the endpoint.
pub(super) async fn newer_delivered(tx: &mut Tx, endpoint: &str, article: &str, version: &Version) -> Result<bool> {
    let found: Option<i64> = on!(tx, c: D => sqlx::query_scalar(
        "SELECT number FROM delivery WHERE endpoint = $1 AND article = $2 AND state = 'delivered' \
         AND (revision, withdrawn, version_id) > ($3, $4, $5) LIMIT 1",
    )
    .bind(endpoint)
    .bind(article)
    .bind(signed(version.revision)?)
    .bind(i64::from(version.withdrawn))
    .bind(version.event_id.as_str())
    .fetch_optional(c)
    .await?);
    Ok(found.is_some())
}

async fn freeze(tx: &mut Tx, numbered: &[(i64, &Event)]) -> Result<()> {
    for chunk in numbered.chunks(CHUNK) {
        on!(&mut *tx, c: D => {
            let mut query =
                QueryBuilder::<D>::new("INSERT INTO event (id, event_source, event_id, event_type, body) ");
            query.push_values(chunk, |mut row, (number, event)| {
                row.push_bind(*number)
                    .push_bind(event.key.source.as_str())
                    .push_bind(event.key.id.as_str())
                    .push_bind(event.event_type.as_str())
                    .push_bind(event.frozen.as_slice());
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

async fn owe(tx: &mut Tx, planned: &[Planned<'_>], at: Timestamp) -> Result<()> {
    let first = counter::take(tx, "delivery", planned.len()).await?;
    let mut rows = Vec::with_capacity(planned.len());
    for (number, one) in (first..).zip(planned) {
        rows.push((number, one, signed(one.version.revision)?));
    }
    for chunk in rows.chunks(CHUNK) {
        on!(&mut *tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO delivery (number, endpoint, event, article, revision, withdrawn, version_id, state, \
                 ready_at, tries, attempts, created_at, changed_at) ",
            );
            query.push_values(chunk, |mut row, (number, one, revision)| {
                row.push_bind(*number)
                    .push_bind(one.endpoint.id.as_str())
                    .push_bind(one.event)
                    .push_bind(one.article)
                    .push_bind(*revision)
                    .push_bind(i64::from(one.version.withdrawn))
                    .push_bind(one.version.event_id.as_str())
                    .push_bind(one.state.as_str())
                    .push_bind((one.state == DeliveryState::Pending).then_some(ms(at)))
                    .push_bind(0_i64)
                    .push_bind(0_i64)
                    .push_bind(ms(at))
                    .push_bind(ms(at));
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}
