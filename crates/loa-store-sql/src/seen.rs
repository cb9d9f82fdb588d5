//! Which events a ledger has seen: what makes accepting one twice change nothing, and what a journey begins with.
//! The table `seen` is the same in each ledger that has it.

use crate::{
    db::Tx,
    fault::Result,
    row::{from_row, ms, row_of, signed},
};
use jiff::Timestamp;
use loa_domain::{ArticleId, Event, EventKey, JourneyStep};
use sqlx::QueryBuilder;
use std::collections::HashSet;

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
                "INSERT INTO seen (event_source, event_id, article, revision, withdrawn, stale, seen_at) ",
            );
            query.push_values(chunk, |mut row, (one, revision, withdrawn)| {
                row.push_bind(one.event.key.source.as_str())
                    .push_bind(one.event.key.id.as_str())
                    .push_bind(one.event.subject().as_str())
                    .push_bind(*revision)
                    .push_bind(i64::from(*withdrawn))
                    .push_bind(i64::from(one.stale))
                    .push_bind(ms(at));
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

from_row!(SeenRow { event_id: String, revision: i64, withdrawn: i64, stale: i64, seen_at: i64 });

/// One line for each event of an article, oldest first: `accepted`, `withdrawn`, or `stale` for one that came too late to
/// stand.
pub(crate) async fn journey(tx: &mut Tx, outlet: &str, article: &ArticleId) -> Result<Vec<JourneyStep>> {
    let rows: Vec<SeenRow> = on!(tx, c: D => sqlx::query_as(
        "SELECT event_id, revision, withdrawn, stale, seen_at FROM seen WHERE article = $1 \
         ORDER BY seen_at, revision, withdrawn, event_id",
    )
    .bind(article.as_str())
    .fetch_all(c)
    .await?);
    rows.into_iter()
        .map(|row| {
            let cell = row_of("seen", &row.event_id);
            let (step, detail) = match (row.stale == 1, row.withdrawn == 1) {
                (true, true) => ("stale", "a withdrawal came after a newer version and changed nothing"),
                (true, false) => ("stale", "a publication came after a newer version and changed nothing"),
                (false, true) => ("withdrawn", "the withdrawal was accepted"),
                (false, false) => ("accepted", "the publication was accepted"),
            };
            Ok(JourneyStep {
                at: cell.time("seen_at", row.seen_at)?,
                outlet: outlet.to_owned(),
                step: step.to_owned(),
                revision: cell.count("revision", row.revision)?,
                detail: detail.to_owned(),
            })
        })
        .collect()
}
