//! The table `seen`: the events that a ledger has accepted. It makes accepting an event twice change nothing,
//! and it is where a journey begins. Several ledgers have this table, all alike.

use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{from_row, ms, row_of, signed},
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, Event, EventKey, JourneyLine, JourneyStep, Outlet, Version};
use sqlx::QueryBuilder;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// Rows in one statement: far below the limit of bound values, and one text for the statement cache.
pub(crate) const CHUNK: usize = 200;

/// An event that has just been seen.
pub(crate) struct Fresh<'a> {
    pub(crate) event: &'a Event,
    pub(crate) stale: bool,
}

/// Those of these keys that were seen before.
pub(crate) async fn known(tx: &mut Tx, keys: &[&EventKey]) -> Result<HashSet<EventKey>> {
    let mut found = HashSet::new();
    for chunk in keys.chunks(CHUNK) {
        let rows: Vec<(String, String)> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT event_source, event_id FROM seen WHERE (event_source, event_id) IN (",
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

/// The events of a batch that are not known, in order: what follows is to be written for each of them.
pub(crate) struct Unknown<'a, T: Clone> {
    /// Where an id was used before for other content, the event has a key of its own ([`EventKey::with_content`]).
    pub(crate) fresh: Vec<Cow<'a, T>>,
    pub(crate) duplicates: u64,
    pub(crate) reused: u64,
}

from_row!(SaidRow { event_source: String, event_id: String, revision: i64, withdrawn: i64, content_hash: Option<String> });

/// What is known of a key.
pub(crate) struct Said {
    pub(crate) content_hash: Option<String>,
    pub(crate) revision: i64,
    pub(crate) withdrawn: bool,
}

impl Said {
    /// Whether the same was said. Programs of before kept no hash; their rows say less.
    pub(crate) fn is(&self, content_hash: &str, revision: i64, withdrawn: bool) -> bool {
        match &self.content_hash {
            Some(known) => known == content_hash,
            None => (self.revision, self.withdrawn) == (revision, withdrawn),
        }
    }
}

/// Sorts out what was seen before. `event` and `key` find the event in what a ledger is handed.
pub(crate) async fn unknown<'a, T: Clone>(
    tx: &mut Tx,
    batch: &'a [T],
    event: impl Fn(&T) -> &Event,
    key: impl Fn(&mut T) -> &mut EventKey,
) -> Result<Unknown<'a, T>> {
    let keys: Vec<EventKey> = batch
        .iter()
        .map(&event)
        .flat_map(|event| [event.key.clone(), event.key.with_content(&event.content_hash)])
        .collect();
    let mut said = said(tx, &keys).await?;
    let mut unknown = Unknown { fresh: Vec::with_capacity(batch.len()), duplicates: 0, reused: 0 };
    for one in batch {
        let (event, version) = (event(one), event(one).version());
        let (hash, revision) = (event.content_hash.as_str(), signed(version.revision)?);
        let again = event.key.with_content(hash);
        let known = said.get(&event.key);
        let now = || Said { content_hash: Some(hash.to_owned()), revision, withdrawn: version.withdrawn };
        if known.is_some_and(|known| known.is(hash, revision, version.withdrawn)) || said.contains_key(&again) {
            unknown.duplicates += 1;
        } else if known.is_none() {
            said.insert(event.key.clone(), now());
            unknown.fresh.push(Cow::Borrowed(one));
        } else {
            warn_of_reuse(&event.key, &event.subject());
            said.insert(again.clone(), now());
            let mut renamed = one.clone();
            *key(&mut renamed) = again;
            unknown.fresh.push(Cow::Owned(renamed));
            unknown.reused += 1;
        }
    }
    Ok(unknown)
}

/// A line for operators: the producer is to be told.
pub(crate) fn warn_of_reuse(key: &EventKey, article: &ArticleKey) {
    tracing::warn!(source = %key.source, id = %key.sent_id(), %article, "an event's id was used again for other content; it is taken in by its version");
}

/// What is known of these keys.
async fn said(tx: &mut Tx, keys: &[EventKey]) -> Result<HashMap<EventKey, Said>> {
    let mut found = HashMap::new();
    for chunk in keys.chunks(CHUNK) {
        let rows: Vec<SaidRow> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT event_source, event_id, revision, withdrawn, content_hash FROM seen \
                 WHERE (event_source, event_id) IN (",
            );
            query.push_values(chunk, |mut row, key| {
                row.push_bind(key.source.as_str()).push_bind(key.id.as_str());
            });
            query.push(")");
            query.build_query_as().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        found.extend(rows.into_iter().map(|row| {
            let said = Said { content_hash: row.content_hash, revision: row.revision, withdrawn: row.withdrawn == 1 };
            (EventKey { source: row.event_source, id: row.event_id }, said)
        }));
    }
    Ok(found)
}

/// Those of these events that were never seen, in the order asked. Which of two contents under one id has the plain key differs
/// from ledger to ledger: a content is seen under either.
pub(crate) async fn not_seen(db: &Db, events: &[loa_store::Said]) -> Result<Vec<EventKey>> {
    let mut tx = db.snapshot().await?;
    let plain = |key: &EventKey| EventKey { source: key.source.clone(), id: key.sent_id().to_owned() };
    let hash = |event: &'_ loa_store::Said| event.content_hash.clone().or(event.key.content_hash().map(str::to_owned));
    let asked: Vec<EventKey> = events
        .iter()
        .flat_map(|event| {
            let of_its_own = hash(event).map(|hash| event.key.with_content(&hash));
            [Some(plain(&event.key)), of_its_own]
        })
        .flatten()
        .collect();
    let said = said(&mut tx, &asked).await?;
    let is_seen = |event: &loa_store::Said| {
        let under_plain_key = said.get(&plain(&event.key));
        match hash(event) {
            Some(hash) => {
                // Programs of before kept no hash: then the plain key is all that is known. Other content under an id came later.
                let of_before = !event.key.is_used_again();
                let is_it = |said: &Said| said.content_hash.as_ref().map_or(of_before, |known| *known == hash);
                said.contains_key(&event.key.with_content(&hash)) || under_plain_key.is_some_and(is_it)
            }
            None => under_plain_key.is_some(),
        }
    };
    Ok(events.iter().filter(|event| !is_seen(event)).map(|event| event.key.clone()).collect())
}

from_row!(HighestRow {
    revision: i64,
    withdrawn: i64,
    event_source: String,
    event_id: String,
    content_hash: Option<String>,
});

/// The highest version of an article among the events that were seen; with or without withdrawals. It serves where the row
/// that says what stands cannot be read.
pub(crate) async fn highest(tx: &mut Tx, article: &ArticleKey, withdrawals: bool) -> Result<Option<Version>> {
    let equals: Vec<HighestRow> = on!(tx, c: D => sqlx::query_as(
        "SELECT revision, withdrawn, event_source, event_id, content_hash FROM seen \
         WHERE article = $1 AND withdrawn <= $2 AND revision = \
            (SELECT MAX(h.revision) FROM seen AS h WHERE h.article = $1 AND h.withdrawn <= $2)",
    )
    .bind(article.as_str())
    .bind(i64::from(withdrawals))
    .fetch_all(c)
    .await?);
    let version = |row: HighestRow| {
        let key = EventKey { source: row.event_source, id: row.event_id };
        let event_id = match row.content_hash {
            Some(hash) => format!("{} {hash}", key.rank()),
            None => key.rank(),
        };
        Some(Version { revision: u64::try_from(row.revision).ok()?, withdrawn: row.withdrawn == 1, event_id })
    };
    Ok(equals.into_iter().filter_map(version).max())
}

/// Notes events as seen at `at`.
pub(crate) async fn note(tx: &mut Tx, fresh: &[Fresh<'_>], at: Timestamp) -> Result<()> {
    let mut rows = Vec::with_capacity(fresh.len());
    for one in fresh {
        let version = one.event.version();
        rows.push((one, signed(version.revision)?, version.withdrawn));
    }
    for chunk in rows.chunks(CHUNK) {
        on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO seen (event_source, event_id, article, revision, withdrawn, stale, seen_at, content_hash) ",
            );
            query.push_values(chunk, |mut row, (one, revision, withdrawn)| {
                row.push_bind(one.event.key.source.as_str())
                    .push_bind(one.event.key.id.as_str())
                    .push_bind(one.event.subject().as_str())
                    .push_bind(*revision)
                    .push_bind(i64::from(*withdrawn))
                    .push_bind(i64::from(one.stale))
                    .push_bind(ms(at))
                    .push_bind(one.event.content_hash.as_str());
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

from_row!(SeenRow { event_id: String, revision: i64, withdrawn: i64, stale: i64, seen_at: i64 });

/// One line for each event of an article, oldest first: accepted, withdrawn, or stale for one that came too late to stand.
pub(crate) async fn journey(tx: &mut Tx, outlet: Outlet, article: &ArticleKey) -> Result<Vec<JourneyLine>> {
    let rows: Vec<SeenRow> = on!(tx, c: D => sqlx::query_as(
        "SELECT event_id, revision, withdrawn, stale, seen_at FROM seen WHERE article = $1 \
         ORDER BY seen_at, revision, withdrawn, event_id",
    )
    .bind(article.as_str())
    .fetch_all(c)
    .await?);
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let cell = row_of("seen", &row.event_id);
        let (at, revision) = (cell.time("seen_at", row.seen_at)?, cell.count("revision", row.revision)?);
        let step = match (row.stale == 1, row.withdrawn == 1) {
            (true, withdrawal) => JourneyStep::Stale { withdrawal },
            (false, true) => JourneyStep::Withdrawn,
            (false, false) => JourneyStep::Accepted,
        };
        let key = EventKey { source: String::new(), id: row.event_id };
        let again = key.is_used_again().then_some(JourneyStep::IdUsedAgain);
        lines.extend(again.into_iter().chain([step]).map(|step| JourneyLine { at, outlet, revision, step }));
    }
    Ok(lines)
}
