//! Submissions: article state, event and outbox row of a whole batch in one transaction.

use super::archive::{Entry, append, known};
use crate::{
    db::{Db, Tx, through},
    fault::Result,
    row::{Kept, from_row, ms, row_of, signed},
    seen::CHUNK,
};
use loa_domain::{ArticleKey, EventKey, EventType, Lane, Version};
use loa_store::{Current, Submission, Submitted};
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};
use tokio::time::Instant;

/// What stands of each article, in the order asked.
pub(super) async fn current(db: &Db, articles: &[ArticleKey]) -> Result<Vec<Option<Current>>> {
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
                let counted_from = stands.map_or(0, |stands| stands.counted_from);
                current.insert(one.article.clone(), Current { counted_from, ..brought_by(one) });
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

/// Counts an article's revisions on from the highest there is.
pub(super) async fn renumber(db: &Db, article: &ArticleKey, revision_max: u64) -> Result<Option<Current>> {
    let mut tx = db.begin().await?;
    let stands = standing(&mut tx, &[article]).await?.remove(article);
    let category = stands.as_ref().map(|stands| stands.category.clone());
    let highest = highest(&mut tx, article, false, category).await?;
    let Some(current) = [highest, stands].into_iter().flatten().max_by_key(version_standing) else { return Ok(None) };
    if current.revision >= revision_max {
        return Ok(Some(current));
    }
    let current = Current { counted_from: current.revision, ..current };
    keep_standing(&mut tx, &[(article, &current)]).await?;
    tx.commit().await?;
    Ok(Some(current))
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
        counted_from: 0,
    }
}

from_row!(StandingRow in "standing" by article {
    article: String,
    revision: i64,
    withdrawn: i64,
    fingerprint: String,
    event_source: String,
    event_id: String,
    category: String,
    counted_from: i64,
});

/// Reads what stands of each article, until it is time to end: then `false`.
pub(super) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let rows = "SELECT article, revision, withdrawn, fingerprint, event_source, event_id, category, counted_from \
                FROM standing WHERE article > $1 ORDER BY article LIMIT $2";
    through(db, rows, String::new(), until, |row: StandingRow| {
        row_of("standing", &row.article).count("revision", row.revision).map(drop)
    })
    .await
}

async fn standing(tx: &mut Tx, articles: &[&ArticleKey]) -> Result<HashMap<ArticleKey, Current>> {
    let mut found = HashMap::new();
    for chunk in articles.chunks(CHUNK) {
        let rows: Vec<Kept<StandingRow>> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT article, revision, withdrawn, fingerprint, event_source, event_id, category, counted_from \
                 FROM standing WHERE article IN (",
            );
            let mut list = query.separated(", ");
            for article in chunk {
                list.push_bind(article.as_str());
            }
            query.push(")");
            query.build_query_as().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        for row in rows {
            let key = row.key();
            let category = if let Kept::Row(row) = &row { Some(row.category.clone()) } else { None };
            let Some(article) = chunk.iter().find(|article| article.as_str() == key) else { continue };
            let read = row.read().and_then(|row| {
                let cell = row_of("standing", &key);
                Ok((cell.count("revision", row.revision)?, cell.count("counted_from", row.counted_from)?, row))
            });
            let Some((revision, counted_from, row)) = tx.found().sort("standing", &key, read)? else {
                // the archive has every version: what stands is told by it as well
                if let Some(current) = highest(tx, article, true, category).await? {
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
                counted_from,
            };
            found.insert((*article).clone(), current);
        }
    }
    Ok(found)
}

from_row!(HighestRow {
    revision: i64,
    event_type: String,
    event_source: String,
    event_id: String,
    routing_key: String,
});

/// The highest version of an article in the archive, of what came in through intake or of all. What was said then is not
/// compared: the next submission is taken for another one. `None` for a category: the routing key ends with it.
async fn highest(
    tx: &mut Tx,
    article: &ArticleKey,
    only_submitted: bool,
    category: Option<String>,
) -> Result<Option<Current>> {
    let rows: Vec<HighestRow> = on!(tx, c: D => sqlx::query_as(
        "SELECT revision, event_type, event_source, event_id, routing_key FROM archive \
         WHERE article = $1 AND submitted >= $2 \
         AND revision = (SELECT MAX(h.revision) FROM archive AS h WHERE h.article = $1 AND h.submitted >= $2)",
    )
    .bind(article.as_str())
    .bind(i64::from(only_submitted))
    .fetch_all(c)
    .await?);
    let current = |row: HighestRow| {
        let withdrawn = row.event_type.parse::<EventType>().ok()?.is_withdrawal();
        let event = EventKey { source: row.event_source, id: row.event_id };
        let revision = u64::try_from(row.revision).ok()?;
        let of_key = || row.routing_key.splitn(3, '.').nth(2).unwrap_or_default().to_owned();
        let category = category.clone().unwrap_or_else(of_key);
        Some(Current { revision, withdrawn, fingerprint: String::new(), event, category, counted_from: 0 })
    };
    let rank = |current: &Current| (current.withdrawn, current.event.rank());
    Ok(rows.into_iter().filter_map(current).max_by_key(rank))
}

async fn keep_standing(tx: &mut Tx, changed: &[(&ArticleKey, &Current)]) -> Result<()> {
    let mut rows = Vec::with_capacity(changed.len());
    for (article, current) in changed {
        rows.push((article, current, signed(current.revision)?, signed(current.counted_from)?));
    }
    for chunk in rows.chunks(CHUNK) {
        on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO standing \
                 (article, revision, withdrawn, fingerprint, event_source, event_id, category, counted_from) ",
            );
            query.push_values(chunk, |mut row, (article, current, revision, counted_from)| {
                row.push_bind(article.as_str())
                    .push_bind(*revision)
                    .push_bind(i64::from(current.withdrawn))
                    .push_bind(current.fingerprint.as_str())
                    .push_bind(current.event.source.as_str())
                    .push_bind(current.event.id.as_str())
                    .push_bind(current.category.as_str())
                    .push_bind(*counted_from);
            });
            query.push(
                " ON CONFLICT (article) DO UPDATE SET revision = excluded.revision, withdrawn = excluded.withdrawn, \
                 fingerprint = excluded.fingerprint, event_source = excluded.event_source, \
                 event_id = excluded.event_id, category = excluded.category, \
                 counted_from = excluded.counted_from",
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
    let news = take_along(tx, stored).await?;
    let rows: Vec<(i64, &&Submission)> = (first..).zip(stored).collect();
    for chunk in rows.chunks(CHUNK) {
        on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "INSERT INTO outbox (sequence, article, ready_at, attempts, error, submitted_at, lane, portal) ",
            );
            query.push_values(chunk, |mut row, (sequence, one)| {
                row.push_bind(*sequence)
                    .push_bind(one.article.as_str())
                    .push_bind(0_i64)
                    .push_bind(0_i64)
                    .push_bind("")
                    .push_bind(ms(one.at))
                    .push_bind(if news.contains(&one.article) { Lane::Live } else { one.lane }.number())
                    .push_bind(one.article.portal_text().unwrap_or_default());
            });
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

/// Keeps all rows of an article in one lane: where one of them is news, those that wait are. Returns the articles of which one
/// is, of those that are stored now.
async fn take_along<'a>(tx: &mut Tx, stored: &[&'a Submission]) -> Result<HashSet<&'a ArticleKey>> {
    let articles = |lane: Lane| stored.iter().filter(move |one| one.lane == lane).map(|one| &one.article);
    let mut news: HashSet<&ArticleKey> = articles(Lane::Live).collect();
    let brought: Vec<&ArticleKey> = news.iter().copied().collect();
    for chunk in brought.chunks(CHUNK) {
        // the `+ 0` keeps the planner at the few rows of the articles
        on!(&mut *tx, c: D => {
            let mut query = QueryBuilder::<D>::new("UPDATE outbox SET lane = 0 WHERE lane + 0 = 1 AND article IN (");
            let mut list = query.separated(", ");
            for article in chunk {
                list.push_bind(article.as_str());
            }
            query.push(")");
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    let old: Vec<&ArticleKey> = articles(Lane::BackFile).filter(|article| !news.contains(article)).collect();
    for chunk in old.chunks(CHUNK) {
        let waiting: Vec<String> = on!(&mut *tx, c: D => {
            let mut query = QueryBuilder::<D>::new("SELECT article FROM outbox WHERE lane + 0 = 0 AND article IN (");
            let mut list = query.separated(", ");
            for article in chunk {
                list.push_bind(article.as_str());
            }
            query.push(")");
            query.build_query_scalar().persistent(chunk.len() == CHUNK).fetch_all(c).await?
        });
        news.extend(chunk.iter().copied().filter(|article| waiting.iter().any(|known| known == article.as_str())));
    }
    Ok(news)
}
