//! Submissions: article state, event and outbox row of a whole batch in one transaction.

use super::archive::{Entry, append, known};
use crate::{
    db::{Db, Tx},
    fault::Result,
    row::{from_row, ms, row_of, signed},
    seen::CHUNK,
};
use loa_domain::{ArticleId, EventKey, EventType, Version};
use loa_store::{Current, Submission, Submitted};
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};

/// What stands of each article, in the order asked.
pub(super) async fn current(db: &Db, articles: &[ArticleId]) -> Result<Vec<Option<Current>>> {
    let mut tx = db.snapshot().await?;
    let found = standing(&mut tx, &articles.iter().collect::<Vec<_>>()).await?;
    Ok(articles.iter().map(|article| found.get(article).cloned()).collect())
}

/// Stores a batch; one outcome for each, in order. What a submission sees as current includes those before it.
pub(super) async fn submit(db: &Db, batch: &[Submission]) -> Result<Vec<Submitted>> {
    let mut tx = db.begin().await?;
    let mut known = known(&mut tx, &batch.iter().map(|one| &one.key).collect::<Vec<_>>()).await?;
    let mut current = standing(&mut tx, &batch.iter().map(|one| &one.article).collect::<Vec<_>>()).await?;
    let (mut outcomes, mut stored, mut changed) = (Vec::with_capacity(batch.len()), Vec::new(), HashSet::new());
    for one in batch {
        let stands = current.get(&one.article);
        if known.contains(&one.key) {
            outcomes.push(Submitted::Repeat);
        } else if stands.map(|stands| stands.revision) != one.expect {
            outcomes.push(Submitted::Conflict(stands.cloned()));
        } else {
            known.insert(one.key.clone());
            stored.push(one);
            if stands.is_none_or(|stands| version_of(one) > version_standing(stands)) {
                current.insert(one.article.clone(), brought_by(one));
                changed.insert(&one.article);
            }
            outcomes.push(Submitted::Stored);
        }
    }
    owe(&mut tx, &stored).await?;
    let rows: Vec<_> = changed.into_iter().filter_map(|article| Some((article, current.get(article)?))).collect();
    keep_standing(&mut tx, &rows).await?;
    tx.commit().await?;
    Ok(outcomes)
}

fn version_of(one: &Submission) -> Version {
    Version { revision: one.revision, withdrawn: one.event_type.is_withdrawal(), event_id: one.key.rank() }
}

fn version_standing(current: &Current) -> Version {
    Version { revision: current.revision, withdrawn: current.withdrawn, event_id: current.event.rank() }
}

fn brought_by(one: &Submission) -> Current {
    Current {
        revision: one.revision,
        withdrawn: one.event_type.is_withdrawal(),
        fingerprint: one.fingerprint.clone(),
        event: one.key.clone(),
        category: one.category.clone(),
    }
}

from_row!(StandingRow {
    article: String,
    revision: i64,
    withdrawn: i64,
    fingerprint: String,
    event_source: String,
    event_id: String,
    category: String,
});

async fn standing(tx: &mut Tx, articles: &[&ArticleId]) -> Result<HashMap<ArticleId, Current>> {
    let mut found = HashMap::new();
    for chunk in articles.chunks(CHUNK) {
        let rows: Vec<StandingRow> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT article, revision, withdrawn, fingerprint, event_source, event_id, category FROM standing \
                 WHERE article IN (",
            );
            let mut list = query.separated(", ");
            for article in chunk {
                list.push_bind(article.as_str());
            }
            query.push(")");
            query.build_query_as().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        for row in rows {
            let Some(article) = chunk.iter().find(|article| article.as_str() == row.article) else { continue };
            let read = row_of("standing", &row.article).count("revision", row.revision);
            let Some(revision) = tx.found().sort("standing", &row.article, read)? else {
                // the archive has every version: what stands is told by it as well
                if let Some(current) = highest(tx, article, row.category).await? {
                    found.insert((*article).clone(), current);
                }
                continue;
            };
            let current = Current {
                revision,
                withdrawn: row.withdrawn == 1,
                fingerprint: row.fingerprint,
                event: EventKey { source: row.event_source, id: row.event_id },
                category: row.category,
            };
            found.insert((*article).clone(), current);
        }
    }
    Ok(found)
}

from_row!(HighestRow { revision: i64, event_type: String, event_source: String, event_id: String });

/// The highest version of an article in the archive. What was said then is not compared: the next submission is taken for
/// another one.
async fn highest(tx: &mut Tx, article: &ArticleId, category: String) -> Result<Option<Current>> {
    let rows: Vec<HighestRow> = on!(tx, c: D => sqlx::query_as(
        "SELECT revision, event_type, event_source, event_id FROM archive WHERE article = $1 AND submitted = 1 \
         AND revision = (SELECT MAX(h.revision) FROM archive AS h WHERE h.article = $1 AND h.submitted = 1)",
    )
    .bind(article.as_str())
    .fetch_all(c)
    .await?);
    let current = |row: HighestRow| {
        let withdrawn = row.event_type.parse::<EventType>().ok()?.is_withdrawal();
        let event = EventKey { source: row.event_source, id: row.event_id };
        let revision = u64::try_from(row.revision).ok()?;
        Some(Current { revision, withdrawn, fingerprint: String::new(), event, category: category.clone() })
    };
    let rank = |current: &Current| (current.withdrawn, current.event.rank());
    Ok(rows.into_iter().filter_map(current).max_by_key(rank))
}

async fn keep_standing(tx: &mut Tx, changed: &[(&ArticleId, &Current)]) -> Result<()> {
    let mut rows = Vec::with_capacity(changed.len());
    for (article, current) in changed {
        rows.push((article, current, signed(current.revision)?));
    }
    for chunk in rows.chunks(CHUNK) {
        on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO standing (article, revision, withdrawn, fingerprint, event_source, event_id, category) ",
            );
            query.push_values(chunk, |mut row, (article, current, revision)| {
                row.push_bind(article.as_str())
                    .push_bind(*revision)
                    .push_bind(i64::from(current.withdrawn))
                    .push_bind(current.fingerprint.as_str())
                    .push_bind(current.event.source.as_str())
                    .push_bind(current.event.id.as_str())
                    .push_bind(current.category.as_str());
            });
            query.push(
                " ON CONFLICT (article) DO UPDATE SET revision = excluded.revision, withdrawn = excluded.withdrawn, \
                 fingerprint = excluded.fingerprint, event_source = excluded.event_source, \
                 event_id = excluded.event_id, category = excluded.category",
            );
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

/// Archives the stored ones and owes them to the bus.
async fn owe(tx: &mut Tx, stored: &[&Submission]) -> Result<()> {
    let entries: Vec<Entry<'_>> = stored
        .iter()
        .map(|one| Entry {
            key: &one.key,
            event_type: one.event_type,
            article: &one.article,
            revision: one.revision,
            content_hash: None,
            routing_key: &one.routing_key,
            body: &one.body,
            at: one.at,
        })
        .collect();
    let first = append(tx, &entries, true).await?;
    let rows: Vec<(i64, &&Submission)> = (first..).zip(stored).collect();
    for chunk in rows.chunks(CHUNK) {
        on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO outbox (sequence, article, ready_at, attempts, error, submitted_at) ",
            );
            query.push_values(chunk, |mut row, (sequence, one)| {
                row.push_bind(*sequence)
                    .push_bind(one.article.as_str())
                    .push_bind(0_i64)
                    .push_bind(0_i64)
                    .push_bind("")
                    .push_bind(ms(one.at));
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}
