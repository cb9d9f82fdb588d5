//! The archive: every event once, in order of arrival, whoever produced it. Replay reads it in pages.

use crate::{
    counter,
    db::{Db, Tx, through},
    fault::{Result, corrupt},
    row::{Kept, from_row, ms, row_of, signed},
    seen::{self, CHUNK, Said},
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, EventKey, EventType, JourneyLine, JourneyStep, NotCarried, Outlet};
use loa_store::{ArchiveQuery, Archived};
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};
use tokio::time::Instant;

/// The most rows one page of the archive has.
const PAGE_MAX: u32 = 1_000;
/// Events of one article that cannot be read are passed over on the way to its newest, so many at most.
const UNREADABLE_PASSED_OVER_MAX: i64 = 16;

/// An event on its way into the archive.
pub(super) struct Entry<'a> {
    pub(super) key: &'a EventKey,
    pub(super) event_type: EventType,
    pub(super) article: &'a ArticleKey,
    pub(super) revision: u64,
    /// `None`: it is an event of ours, whose key says it all.
    pub(super) content_hash: Option<&'a str>,
    pub(super) routing_key: &'a str,
    pub(super) body: &'a [u8],
    pub(super) at: Timestamp,
}

/// Archives what is not there yet; returns how many that was.
pub(super) async fn archive(db: &Db, events: &[Archived]) -> Result<u64> {
    let mut tx = db.begin().await?;
    let keys: Vec<(EventKey, EventKey)> =
        events.iter().map(|event| (event.key.clone(), event.key.with_content(&event.content_hash))).collect();
    let mut said = said(&mut tx, &keys.iter().flat_map(|(key, again)| [key, again]).collect::<Vec<_>>()).await?;
    let mut fresh = Vec::new();
    for (event, (key, again)) in events.iter().zip(&keys) {
        let (hash, revision, withdrawn) =
            (event.content_hash.as_str(), signed(event.revision)?, event.event_type.is_withdrawal());
        let known = said.get(key);
        let is_new = !known.is_some_and(|known| known.is(hash, revision, withdrawn)) && !said.contains_key(again);
        if is_new {
            let key = if known.is_none() { key } else { again };
            if key.is_used_again() {
                seen::warn_of_reuse(key, &event.article);
            }
            said.insert(key.clone(), Said { content_hash: Some(hash.to_owned()), revision, withdrawn });
            fresh.push(Entry {
                key,
                content_hash: Some(hash),
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

from_row!(SaidRow in "archive" by event_id {
    event_source: String,
    event_id: String,
    event_type: String,
    revision: i64,
    content_hash: Option<String>,
});

/// What is archived under these keys.
async fn said(tx: &mut Tx, keys: &[&EventKey]) -> Result<HashMap<EventKey, Said>> {
    let mut found = HashMap::new();
    for chunk in keys.chunks(CHUNK) {
        let rows: Vec<Kept<SaidRow>> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT event_source, event_id, event_type, revision, content_hash FROM archive \
                 WHERE (event_source, event_id) IN (",
            );
            query.push_values(chunk, |mut row, key| {
                row.push_bind(key.source.as_str()).push_bind(key.id.as_str());
            });
            query.push(")");
            query.build_query_as().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        for row in rows {
            // what was said cannot be told by anything else: its batch is held
            let row = row.read()?;
            let cell = row_of("archive", &row.event_id);
            let read = cell.word("event_type", &row.event_type, |word| word.parse::<EventType>().ok());
            // of one that cannot be read the hash tells whether the same is said again
            let event_type = tx.found().sort("archive", &row.event_id, read)?;
            let withdrawn = event_type.is_some_and(|event_type| event_type.is_withdrawal());
            let said = Said { content_hash: row.content_hash, revision: row.revision, withdrawn };
            found.insert(EventKey { source: row.event_source, id: row.event_id }, said);
        }
    }
    Ok(found)
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
                 archived_at, submitted, content_hash) ",
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
                    .push_bind(i64::from(submitted))
                    .push_bind(entry.content_hash);
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(first)
}

from_row!(ArchiveRow in "archive" by sequence {
    sequence: i64,
    event_source: String,
    event_id: String,
    event_type: String,
    article: String,
    revision: i64,
    content_hash: Option<String>,
    routing_key: String,
    body: Vec<u8>,
    archived_at: i64,
});

/// Reads the whole archive, until it is time to end: then `false`. Bodies are left where they are, for they may be large; of one
/// that is short all is read, since only such a one may be of another type.
pub(super) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let rows = "SELECT sequence, event_source, event_id, event_type, article, revision, content_hash, routing_key, \
                CASE WHEN length(body) > 32 THEN substr(body, 1, 1) ELSE body END AS body, archived_at FROM archive WHERE sequence > $1 ORDER BY sequence LIMIT $2";
    through(db, rows, 0_i64, until, |row: ArchiveRow| row.read().map(drop)).await
}

/// A page of the archive, in order of sequence.
pub(super) async fn archived(db: &Db, query: &ArchiveQuery) -> Result<Vec<Archived>> {
    let mut tx = db.snapshot().await?;
    let after = match query.since {
        Some(since) if query.after == 0 => before_first_since(&mut tx, since).await?,
        _ => query.after,
    };
    let limit = query.limit.clamp(1, PAGE_MAX);
    let rows: Vec<Kept<ArchiveRow>> = on!(&mut tx, c: D => {
        let mut select = QueryBuilder::<D>::new(
            "SELECT sequence, event_source, event_id, event_type, article, revision, content_hash, routing_key, body, archived_at \
             FROM archive WHERE sequence > ",
        );
        select.push_bind(after);
        if let Some(since) = query.since {
            select.push(" AND archived_at >= ").push_bind(ms(since));
        }
        if let Some(article) = &query.article {
            select.push(" AND article = ").push_bind(article.as_str());
        }
        select.push(" ORDER BY sequence LIMIT ").push_bind(i64::from(limit));
        select.build_query_as().fetch_all(c).await?
    });
    let last = rows.last().and_then(|row| row.key().parse().ok());
    let is_full = rows.len() == limit as usize;
    let mut page = Vec::with_capacity(rows.len());
    for row in rows {
        let (sequence, read) = (row.key(), row.read().and_then(ArchiveRow::read));
        page.extend(tx.found().sort("archive", sequence, read)?);
    }
    match last {
        // an empty page is the end of the archive: one of which nothing can be read is not
        Some(last) if page.is_empty() && is_full => {
            drop(tx);
            Box::pin(archived(db, &ArchiveQuery { after: last, ..query.clone() })).await
        }
        _ => Ok(page),
    }
}

/// The archived event of an article with the highest revision. Its body alone is read, however many there are.
pub(super) async fn newest(db: &Db, article: &ArticleKey) -> Result<Option<Archived>> {
    let mut tx = db.snapshot().await?;
    let sequences: Vec<i64> = on!(&mut tx, c: D => {
        sqlx::query_scalar("SELECT sequence FROM archive WHERE article = $1 ORDER BY revision DESC, sequence DESC LIMIT $2")
            .bind(article.as_str())
            .bind(UNREADABLE_PASSED_OVER_MAX)
            .fetch_all(c)
            .await?
    });
    for sequence in sequences {
        let row: Option<Kept<ArchiveRow>> = on!(&mut tx, c: D => sqlx::query_as(
            "SELECT sequence, event_source, event_id, event_type, article, revision, content_hash, routing_key, body, archived_at \
             FROM archive WHERE sequence = $1",
        )
        .bind(sequence)
        .fetch_optional(c)
        .await?);
        let Some(row) = row else { continue };
        let (sequence, read) = (row.key(), row.read().and_then(ArchiveRow::read));
        if let Some(event) = tx.found().sort("archive", sequence, read)? {
            return Ok(Some(event));
        }
    }
    Ok(None)
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
            content_hash: self.content_hash.unwrap_or_default(),
            routing_key: self.routing_key,
            body: self.body,
            at: cell.time("archived_at", self.archived_at)?,
        })
    }
}

from_row!(JourneyRow {
    sequence: i64,
    event_id: String,
    event_type: String,
    revision: i64,
    archived_at: i64,
    submitted: i64,
    confirmed_at: Option<i64>,
});

/// Submitted is what came in through intake, archived what others published; relayed is what the bus confirmed.
pub(super) async fn journey(db: &Db, article: &ArticleKey) -> Result<Vec<JourneyLine>> {
    let rows: Vec<JourneyRow> = read!(db, pool => sqlx::query_as(
        "SELECT sequence, event_id, event_type, revision, archived_at, submitted, confirmed_at FROM archive WHERE article = $1 \
         ORDER BY sequence",
    )
    .bind(article.as_str())
    .fetch_all(pool)
    .await?);
    let mut steps = not_received(db, article).await?;
    steps.extend(set_aside(db, article).await?);
    for row in rows {
        let cell = row_of("archive", &row.sequence);
        let revision = cell.count("revision", row.revision)?;
        let event_type = cell.word("event_type", &row.event_type, |word| word.parse().ok())?;
        let step = match row.submitted {
            1 => JourneyStep::Submitted { event_type },
            _ => JourneyStep::Archived { event_type },
        };
        let mut line = |at, step| steps.push(JourneyLine { at, outlet: Outlet::Intake, revision, step });
        let key = EventKey { source: String::new(), id: row.event_id };
        if key.is_used_again() {
            line(cell.time("archived_at", row.archived_at)?, JourneyStep::IdUsedAgain);
        }
        line(cell.time("archived_at", row.archived_at)?, step);
        if let Some(at) = row.confirmed_at {
            line(cell.time("confirmed_at", at)?, JourneyStep::Relayed);
        }
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

from_row!(SetAsideRow { sequence: i64, revision: i64, error: String, set_aside_at: i64 });

/// One line for each event of an article that the bus does not take as it is.
async fn set_aside(db: &Db, article: &ArticleKey) -> Result<Vec<JourneyLine>> {
    let rows: Vec<SetAsideRow> = read!(db, pool => sqlx::query_as(
        "SELECT o.sequence, a.revision, o.error, o.set_aside_at FROM outbox AS o JOIN archive AS a ON a.sequence = o.sequence \
         WHERE o.article = $1 AND o.set_aside_at IS NOT NULL ORDER BY o.sequence",
    )
    .bind(article.as_str())
    .fetch_all(pool)
    .await?);
    let line = |row: SetAsideRow| {
        let cell = row_of("outbox", &row.sequence);
        Ok(JourneyLine {
            at: cell.time("set_aside_at", row.set_aside_at)?,
            outlet: Outlet::Intake,
            revision: cell.count("revision", row.revision)?,
            step: JourneyStep::SetAside { why: NotCarried::of_noted(&row.error) },
        })
    };
    rows.into_iter().map(line).collect()
}

from_row!(MissingRow { sequence: i64, outlet: String, revision: i64, looked_at: i64 });

/// One line for each event of an article that the bus has had and an outlet has not seen, as of the last look.
async fn not_received(db: &Db, article: &ArticleKey) -> Result<Vec<JourneyLine>> {
    let rows: Vec<MissingRow> = read!(db, pool => sqlx::query_as(
        "SELECT a.sequence, g.outlet, a.revision, g.looked_at FROM archive AS a JOIN gap AS g ON g.sequence = a.sequence \
         WHERE a.article = $1 AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.sequence = a.sequence)",
    )
    .bind(article.as_str())
    .fetch_all(pool)
    .await?);
    let line = |row: MissingRow| {
        let cell = row_of("gap", &row.sequence);
        Ok(JourneyLine {
            at: cell.time("looked_at", row.looked_at)?,
            outlet: cell.word("outlet", &row.outlet, Outlet::from_word)?,
            revision: cell.count("revision", row.revision)?,
            step: JourneyStep::NotReceived,
        })
    };
    rows.into_iter().map(line).collect()
}
