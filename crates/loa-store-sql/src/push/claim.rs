//! Claiming due deliveries: the oldest due version of an article first, never two of one article to one
//! endpoint at once, no endpoint over its limit, and each endpoint's first before any endpoint's second.
//!
//! Each endpoint's own index gives as many as the endpoint may still have in flight; the batch is filled
//! round by round. The cost is (endpoints with something due) × (their room), whatever the backlog.

use super::{endpoints, upcoming};
use crate::{
    db::{Db, Locking, Tx},
    fault::{Result, corrupt},
    restoring::refuse_during_restore,
    row::{SET_ASIDE_MS, from_row, ms, row_of},
};
use loa_domain::{DeliveryId, Endpoint, EndpointId, EventKey};
use loa_store::{DueDelivery, Lease};
use std::{collections::HashSet, sync::Arc};

/// Enabled endpoints with something due, the longest waiting first.
pub(super) const WAITING: &str = "SELECT id, first FROM \
    (SELECT e.id AS id, (SELECT MIN(d.ready_at) FROM delivery AS d WHERE d.endpoint = e.id AND d.ready_at IS NOT NULL) \
        AS first FROM endpoint AS e WHERE e.disabled IS NULL) AS waiting \
    WHERE first <= $1 ORDER BY first, id";
/// How many deliveries of an endpoint are leased.
pub(super) const IN_FLIGHT: &str =
    "SELECT COUNT(*) FROM delivery WHERE endpoint = $1 AND holder IS NOT NULL AND ready_at > $2";
/// Due deliveries of an endpoint, longest due first, less those whose article is in flight or has an older version due.
/// The `+ 0` keeps the planner at the few deliveries of the article.
pub(super) const DUE: &str = "SELECT d.number FROM delivery AS d \
    WHERE d.endpoint = $1 AND d.ready_at IS NOT NULL AND d.ready_at <= $2 AND NOT EXISTS \
        (SELECT 1 FROM delivery AS o WHERE o.endpoint = d.endpoint AND o.article = d.article AND o.state = 'pending' \
         AND o.number <> d.number AND ((o.holder IS NOT NULL AND o.ready_at + 0 > $2) OR (o.ready_at + 0 <= $2 \
         AND (o.revision, o.withdrawn, o.version_id, o.number) < (d.revision, d.withdrawn, d.version_id, d.number)))) \
    ORDER BY d.ready_at, d.number LIMIT $3";

/// Claims due deliveries.
pub(super) async fn claim(
    db: &Db,
    lease: &Lease,
    skip: &[EndpointId],
    per_endpoint: u32,
    max: u32,
) -> Result<Vec<DueDelivery>> {
    upcoming::admit_all(db, lease.now).await?;
    let skip: HashSet<&str> = skip.iter().map(EndpointId::as_str).collect();
    // In turn: how much an endpoint may still have, and whether an article is in flight, depends on what others claim.
    let mut tx = db.begin_serial().await?;
    refuse_during_restore(&mut tx, "push").await?;
    let waiting: Vec<(String, i64)> =
        on!(&mut tx, c: D => sqlx::query_as(WAITING).bind(ms(lease.now)).fetch_all(c).await?);
    let mut hands = Vec::new();
    for (id, _) in waiting.into_iter().filter(|(endpoint, _)| !skip.contains(endpoint.as_str())) {
        // what is owed to one that cannot be read stays due
        let Some(endpoint) = endpoint(&mut tx, &id).await? else { continue };
        let due = due(&mut tx, &id, lease, per_endpoint, max).await?;
        if !due.is_empty() {
            hands.push((endpoint, due));
        }
    }
    let dealt = deal(&hands, max);
    let claimed = take(&mut tx, lease, &dealt).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// The endpoint with this id; `None`: it cannot be read.
async fn endpoint(tx: &mut Tx, id: &str) -> Result<Option<Endpoint>> {
    let read = async {
        let known: EndpointId = row_of("endpoint", &id).text("id", id.to_owned())?;
        endpoints::read(tx, &known)
            .await?
            .ok_or_else(|| corrupt("endpoint", "id", id, "it is referred to, but is not there"))
    };
    let read = read.await;
    tx.found().sort("endpoint", id, read)
}

async fn due(tx: &mut Tx, endpoint: &str, lease: &Lease, per_endpoint: u32, max: u32) -> Result<Vec<i64>> {
    let in_flight: i64 = on!(&mut *tx, c: D => sqlx::query_scalar(IN_FLIGHT)
        .bind(endpoint)
        .bind(ms(lease.now))
        .fetch_one(c)
        .await?);
    let room = i64::from(per_endpoint).saturating_sub(in_flight).min(i64::from(max));
    if room <= 0 {
        return Ok(Vec::new());
    }
    let free = tx.locking(DUE, Locking::FreeRows);
    Ok(on!(tx, c: D => sqlx::query_scalar(free)
        .bind(endpoint)
        .bind(ms(lease.now))
        .bind(room)
        .fetch_all(c)
        .await?))
}

/// Deals one to each endpoint, then a second to each, until `max` are dealt.
fn deal<T>(hands: &[(T, Vec<i64>)], max: u32) -> Vec<(&T, i64)> {
    let rounds = hands.iter().map(|(_, due)| due.len()).max().unwrap_or(0);
    (0..rounds)
        .flat_map(|round| hands.iter().filter_map(move |(to, due)| due.get(round).map(|number| (to, *number))))
        .take(max as usize)
        .collect()
}

from_row!(DueRow {
    number: i64,
    event_source: String,
    event_id: String,
    event_type: String,
    article: String,
    revision: i64,
    body: Vec<u8>,
    tries: i64,
});

async fn take(tx: &mut Tx, lease: &Lease, dealt: &[(&Endpoint, i64)]) -> Result<Vec<DueDelivery>> {
    let mut claimed = Vec::with_capacity(dealt.len());
    let mut bodies: Vec<(EventKey, Arc<[u8]>)> = Vec::new();
    for (endpoint, number) in dealt {
        on!(&mut *tx, c: D => sqlx::query("UPDATE delivery SET holder = $2, ready_at = $3 WHERE number = $1")
            .bind(*number)
            .bind(lease.holder.as_str())
            .bind(ms(lease.until))
            .execute(c)
            .await?
            .rows_affected());
        let row: DueRow = on!(&mut *tx, c: D => sqlx::query_as(
            "SELECT d.number, v.event_source, v.event_id, v.event_type, d.article, d.revision, v.body, d.tries \
             FROM delivery AS d JOIN event AS v ON v.id = d.event WHERE d.number = $1",
        )
        .bind(*number)
        .fetch_one(c)
        .await?);
        let read = row.read((*endpoint).clone(), &mut bodies);
        match tx.found().sort("delivery", number, read)? {
            Some(due) => claimed.push(due),
            None => set_aside(tx, *number, lease).await?,
        }
    }
    Ok(claimed)
}

/// Tries one that cannot be read again later. It takes no place among what its endpoint has in flight.
async fn set_aside(tx: &mut Tx, number: i64, lease: &Lease) -> Result<()> {
    on!(tx, c: D => sqlx::query("UPDATE delivery SET holder = NULL, ready_at = $2 WHERE number = $1")
        .bind(number)
        .bind(ms(lease.now).saturating_add(SET_ASIDE_MS))
        .execute(c)
        .await?
        .rows_affected());
    Ok(())
}

impl DueRow {
    /// Deliveries of one event share its bytes.
    fn read(self, endpoint: Endpoint, bodies: &mut Vec<(EventKey, Arc<[u8]>)>) -> Result<DueDelivery> {
        let cell = row_of("delivery", &self.number);
        let event = EventKey { source: self.event_source, id: self.event_id };
        let body = match bodies.iter().find(|(key, _)| *key == event) {
            Some((_, body)) => body.clone(),
            None => {
                let body: Arc<[u8]> = self.body.into();
                bodies.push((event.clone(), body.clone()));
                body
            }
        };
        Ok(DueDelivery {
            id: delivery_id(self.number)?,
            endpoint,
            event_type: cell.word("event_type", &self.event_type, |word| word.parse().ok())?,
            article: cell.text("article", self.article)?,
            revision: cell.count("revision", self.revision)?,
            attempts: cell.small("tries", self.tries)?,
            event,
            body,
        })
    }
}

/// A delivery's id: `d` and its number.
pub(super) fn delivery_id(number: i64) -> Result<DeliveryId> {
    row_of("delivery", &number).text("number", format!("d{number}"))
}

/// Reads [`delivery_id`] back; `None` for an id that no delivery can have.
pub(super) fn delivery_number(id: &DeliveryId) -> Option<i64> {
    let digits = id.as_str().strip_prefix('d')?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushStore;

    #[tokio::test]
    async fn a_claim_is_served_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = PushStore::open(folder.path().join("push.db")).await.unwrap();
        store.db.assert_served_by_indexes(WAITING, &["e"]).await; // endpoints are few, and each is to be asked
        store.db.assert_served_by_indexes(IN_FLIGHT, &[]).await;
        store.db.assert_served_by_indexes(DUE, &[]).await;
        let due = store.db.steps_of(DUE).await;
        let siblings = due.iter().find(|step| step.starts_with("SEARCH o ")).unwrap();
        assert!(siblings.contains("endpoint=? AND article=? AND state=?"), "{due:?}");
    }

    #[test]
    fn a_batch_is_dealt_round_by_round() {
        let hands = [("a", vec![1, 2, 3, 4]), ("b", vec![5]), ("c", vec![6, 7])];
        let dealt: Vec<i64> = deal(&hands, 5).into_iter().map(|(_, number)| number).collect();
        assert_eq!(dealt, [1, 5, 6, 2, 7]);
    }

    #[test]
    fn a_delivery_id_reads_back_and_nothing_else_does() {
        assert_eq!(delivery_number(&delivery_id(42).unwrap()), Some(42));
        for bad in ["42", "d", "d-1", "d+1", "dx", "d99999999999999999999"] {
            assert_eq!(delivery_number(&DeliveryId::new(bad).unwrap()), None, "{bad}");
        }
    }
}
