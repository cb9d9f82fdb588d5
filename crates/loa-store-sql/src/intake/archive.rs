//! The archive: every event once, in the order it came, whoever produced it. Replay reads it page by page.

use crate::{
    counter,
    db::{Db, Tx},
    fault::{Result, corrupt},
    row::{from_row, ms, row_of, signed},
    seen::CHUNK,
};
use jiff::Timestamp;
use loa_domain::{ArticleId, EventKey, EventType, JourneyStep};
use loa_store::{ArchiveQuery, Archived};
use sqlx::QueryBuilder;
use std::collections::HashSet;

/// The most rows one page of the archive has.
const PAGE_MAX: u32 = 1_000;

/// An event on its way into the archive.
pub(super) struct Entry<'a> {
    pub(super) key: &'a EventKey,
    pub(super) event_type: EventType,
    pub(super) article: &'a ArticleId,
    pub(super) revision: u64,
    pub(super) routing_key: &'a str,
    pub(super) body: &'a [u8],
    pub(super) at: Timestamp,
}

/// Archives what is not there yet; returns how many that was.
pub(super) async fn archive(db: &Db, events: &[Archived]) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut known = known(&mut tx, &events.iter().map(|event| &event.key).collect::<Vec<_>>()).await?;
    let mut fresh = Vec::new();
    for event in events {
        if known.insert(event.key.clone()) {
            fresh.push(Entry {
                key: &event.key,
                event_type: event.event_type,
                article: &event.article,
                revision: event.revision,
                routing_key: &event.routing_key,
                body: &event.body,
                at: event.at,
            });
        }
    }
    append(&mut tx, &fresh, false).await?;
    tx.commit().await?;
    Ok(fresh.len() as u64)
}

/// Those of these keys that are archived already.
pub(super) async fn known(tx: &mut Tx, keys: &[&EventKey]) -> Result<HashSet<EventKey>> {
    let mut found = HashSet::new();
    for chunk in keys.chunks(CHUNK) {
        let rows: Vec<(String, String)> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT event_source, event_id FROM archive WHERE (event_source, event_id) IN (",
            );
            query.push_values(chunk, |mut row, key| {
                row.push_bind(key.source.as_str()).push_bind(key.id.as_str());
            });
            query.push(")");
            query.build_query_as().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        found.extend(rows.into_iter().map(|(source, id)| EventKey { source, id }));
    }
    Ok(found)
}

/// Appends entries that are known not to be there; returns the number of the first, the others follow it.
pub(super) async fn append(tx: &mut Tx, entries: &[Entry<'_>], submitted: bool) -> Result<i64> {
    if entries.is_empty() {
        return Ok(0);
    }
    let first = counter::take(tx, "archive", entries.len()).await?;
    let mut rows = Vec::with_capacity(entries.len());
    for (sequence, entry) in (first..).zip(entries) {
        rows.push((sequence, entry, signed(entry.revision)?));
    }
    for chunk in rows.chunks(CHUNK) {
        on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO archive (sequence, event_source, event_id, event_type, article, revision, routing_key, body, \
                 archived_at, submitted) ",
            );
            query.push_values(chunk, |mut row, (sequence, entry, revision)| {
                row.push_bind(*sequence)
                    .push_bind(entry.key.source.as_str())
                    .push_bind(entry.key.id.as_str())
                    .push_bind(entry.event_type.as_str())
                    .push_bind(entry.article.as_str())
                    .push_bind(*revision)
                    .push_bind(entry.routing_key)
                    .push_bind(entry.body)
                    .push_bind(ms(entry.at))
                    .push_bind(i64::from(submitted));
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(first)
}

from_row!(ArchiveRow {
    sequence: i64,
    event_source: String,
    event_id: String,
    event_type: String,
    article: String,
    revision: i64,
    routing_key: String,
    body: Vec<u8>,
    archived_at: i64,
});

/// A page of the archive, in order of sequence.
pub(super) async fn archived(db: &Db, query: &ArchiveQuery) -> Result<Vec<Archived>> {
    let mut tx = db.snapshot().await?;
    let after = match query.since {
        Some(since) if query.after == 0 => before_first_since(&mut tx, since).await?,
        _ => query.after,
    };
    let rows: Vec<ArchiveRow> = on!(&mut tx, c: D => {
        let mut select = QueryBuilder::<D>::new(
            "SELECT sequence, event_source, event_id, event_type, article, revision, routing_key, body, archived_at \
             FROM archive WHERE sequence > ",
        );
        select.push_bind(after);
        if let Some(since) = query.since {
            select.push(" AND archived_at >= ").push_bind(ms(since));
        }
        if let Some(article) = &query.article {
            select.push(" AND article = ").push_bind(article.as_str());
        }
        select.push(" ORDER BY sequence LIMIT ").push_bind(i64::from(query.limit.clamp(1, PAGE_MAX)));
        select.build_query_as().fetch_all(c).await?
    });
    rows.into_iter().map(ArchiveRow::read).collect()
}

/// The number just before the first archived at or after `since`: spares the first page a walk over all that is older.
async fn before_first_since(tx: &mut Tx, since: Timestamp) -> Result<i64> {
    let first: Option<i64> = on!(tx, c: D => sqlx::query_scalar(
        // The `+ 0` keeps the planner from walking up the numbers until it meets the time.
        "SELECT MIN(sequence + 0) FROM archive WHERE archived_at >= $1",
    )
    .bind(ms(since))
    .fetch_one(c)
    .await?);
    Ok(first.map_or(0, |first| first - 1))
}

impl ArchiveRow {
    fn read(self) -> Result<Archived> {
        let cell = row_of("archive", &self.sequence);
        Ok(Archived {
            sequence: self.sequence,
            key: EventKey { source: self.event_source, id: self.event_id },
            event_type: self.event_type.parse().map_err(|()| {
                corrupt("archive", "event_type", self.sequence, format!("{:?} is no event type", self.event_type))
            })?,
            article: cell.text("article", self.article)?,
            revision: cell.count("revision", self.revision)?,
            routing_key: self.routing_key,
            body: self.body,
            at: cell.time("archived_at", self.archived_at)?,
        })
    }
}

from_row!(JourneyRow {
    sequence: i64,
    event_type: String,
    revision: i64,
    archived_at: i64,
    submitted: i64,
    confirmed_at: Option<i64>,
});

/// `accepted` for what came in through intake and `archived` for what others published; `sent` when the bus confirmed it.
pub(super) async fn journey(db: &Db, article: &ArticleId) -> Result<Vec<JourneyStep>> {
    let rows: Vec<JourneyRow> = read!(db, pool => sqlx::query_as(
        "SELECT sequence, event_type, revision, archived_at, submitted, confirmed_at FROM archive WHERE article = $1 \
         ORDER BY sequence",
    )
    .bind(article.as_str())
    .fetch_all(pool)
    .await?);
    let mut steps = Vec::new();
    for row in rows {
        let cell = row_of("archive", &row.sequence);
        let revision = cell.count("revision", row.revision)?;
        let mut line = |at, step: &str, detail: String| {
            steps.push(JourneyStep { at, outlet: "intake".into(), step: step.into(), revision, detail });
        };
        let (step, how) = if row.submitted == 1 { ("accepted", "came in") } else { ("archived", "was on the bus") };
        line(cell.time("archived_at", row.archived_at)?, step, format!("{} {how}", row.event_type));
        if let Some(at) = row.confirmed_at {
            line(cell.time("confirmed_at", at)?, "sent", "the bus confirmed it".into());
        }
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}
