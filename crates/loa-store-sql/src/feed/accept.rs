//! Accepting events: computes in memory which version of each subject stands, then writes the changed rows.

use crate::{
    counter,
    db::{Db, Tx},
    fault::Result,
    row::{Kept, from_row, ms, row_of, signed, to_json},
    seen::{self, CHUNK, Fresh},
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, Change, Content, Event, FeedName, Version};
use loa_store::{Accepted, FeedArrival};
use sqlx::QueryBuilder;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// What becomes of one subject in this batch.
#[derive(Default)]
struct Subject<'a> {
    /// The highest version known.
    version: Option<Version>,
    /// The arrival that brought it, when it is one of this batch.
    stands: Option<&'a FeedArrival>,
    /// Feeds that this batch's publications belong to, standing or stale.
    feeds: BTreeSet<&'a FeedName>,
}

/// What happened to one feed in this batch.
#[derive(Default)]
struct Touched {
    entries_added: i64,
    changed: bool,
    entered: bool,
    /// What its category is called by the newest of this batch's publications: published, revision, label.
    label: Option<(i64, i64, String)>,
}

/// Takes a batch in.
pub(super) async fn accept(db: &Db, batch: &[FeedArrival], at: Timestamp) -> Result<Accepted> {
    let mut tx = db.begin().await?;
    let unknown = seen::unknown(&mut tx, batch, |one| &one.event, |one| &mut one.event.key).await?;
    let mut subjects = subjects(&mut tx, &unknown.fresh).await?;
    let mut accepted = Accepted { duplicates: unknown.duplicates, reused: unknown.reused, ..Accepted::default() };
    let mut fresh = Vec::new();
    for arrival in &unknown.fresh {
        let arrival = arrival.as_ref();
        let event = &arrival.event;
        let subject = subjects.entry(event.subject()).or_default();
        subject.feeds.extend(&arrival.feeds);
        let version = event.version();
        let stale = subject.version.as_ref().is_some_and(|standing| *standing > version);
        if !stale {
            subject.version = Some(version);
            subject.stands = Some(arrival);
        }
        accepted.fresh += 1;
        accepted.stale += u64::from(stale);
        fresh.push(Fresh { event, stale });
    }
    if fresh.is_empty() {
        return Ok(accepted); // nothing was written: the transaction ends by being dropped
    }
    seen::note(&mut tx, &fresh, at).await?;
    let mut touched = BTreeMap::new();
    for (article, subject) in &subjects {
        write_subject(&mut tx, article, subject, &mut touched).await?;
    }
    for Fresh { event, .. } in &fresh {
        note_label(event, &mut touched)?;
    }
    name(&mut tx, &mut touched).await?;
    touch(&mut tx, &touched, at).await?;
    tx.commit().await?;
    Ok(accepted)
}

from_row!(VersionRow in "item" by article { article: String, revision: i64, withdrawn: i64, event_id: String });

/// The subjects of a batch, with the version that stands of each.
async fn subjects<'a>(tx: &mut Tx, batch: &'a [Cow<'_, FeedArrival>]) -> Result<BTreeMap<ArticleKey, Subject<'a>>> {
    let mut subjects: BTreeMap<ArticleKey, Subject<'a>> =
        batch.iter().map(|one| (one.event.subject(), Subject::default())).collect();
    let articles: Vec<ArticleKey> = subjects.keys().cloned().collect();
    for chunk in articles.chunks(CHUNK) {
        let rows: Vec<Kept<VersionRow>> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT article, revision, withdrawn, event_id FROM item WHERE article IN (",
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
            let Some(article) = articles.iter().find(|article| article.as_str() == key) else { continue };
            let read = row.read().and_then(|row| Ok((row_of("item", &key).count("revision", row.revision)?, row)));
            let version = match tx.found().sort("item", &key, read)? {
                Some((revision, row)) => {
                    Some(Version { revision, withdrawn: row.withdrawn == 1, event_id: row.event_id })
                }
                // every event of the article is in `seen`: what stands is told by them as well
                None => seen::highest(tx, article, true).await?,
            };
            subjects.insert(article.clone(), Subject { version, ..Subject::default() });
        }
    }
    Ok(subjects)
}

/// Writes how one subject stands after the batch, and where it is to be read.
async fn write_subject(
    tx: &mut Tx,
    article: &ArticleKey,
    subject: &Subject<'_>,
    touched: &mut BTreeMap<String, Touched>,
) -> Result<()> {
    let mut newly_stood = false;
    for feed in &subject.feeds {
        let feed = feed.to_string();
        let added = on!(&mut *tx, c: D => sqlx::query(
            "INSERT INTO stood (article, feed) VALUES ($1, $2) ON CONFLICT (article, feed) DO NOTHING",
        )
        .bind(article.as_str())
        .bind(feed.as_str())
        .execute(c)
        .await?
        .rows_affected());
        newly_stood |= added > 0;
        touched.entry(feed).or_default().entered = true;
    }
    let gone = subject.version.as_ref().is_some_and(|version| version.withdrawn);
    match subject.stands {
        Some(arrival) => {
            keep_item(tx, arrival).await?;
            let feeds = if gone { grave_feeds(tx, article).await? } else { names(&arrival.feeds) };
            replace_places(tx, article, gone, &feeds, true, touched).await
        }
        // A publication came after its withdrawal: nothing stands anew, but there are more feeds to say "gone" in.
        None if gone && newly_stood => {
            let feeds = grave_feeds(tx, article).await?;
            replace_places(tx, article, true, &feeds, false, touched).await
        }
        None => Ok(()),
    }
}

fn names(feeds: &[FeedName]) -> BTreeSet<String> {
    feeds.iter().map(FeedName::to_string).collect()
}

/// Where a withdrawn subject's tombstone goes: every feed it ever belonged to, `all` when there is none.
async fn grave_feeds(tx: &mut Tx, article: &ArticleKey) -> Result<BTreeSet<String>> {
    let stood: Vec<String> = on!(tx, c: D => sqlx::query_scalar("SELECT feed FROM stood WHERE article = $1")
        .bind(article.as_str())
        .fetch_all(c)
        .await?);
    Ok(if stood.is_empty() { [FeedName::All.to_string()].into() } else { stood.into_iter().collect() })
}

async fn keep_item(tx: &mut Tx, arrival: &FeedArrival) -> Result<()> {
    let event = &arrival.event;
    let version = event.version();
    let label = event.content().and_then(Content::category).map_or("", |category| category.label.as_str());
    let (content, reason, sort_at) = match &event.change {
        Change::Live(content) => (Some(to_json(content)?), "", content.published_at()),
        Change::Withdrawn(withdrawal) => (None, withdrawal.reason.as_str(), withdrawal.at),
    };
    on!(tx, c: D => sqlx::query(
        "INSERT INTO item (article, revision, withdrawn, event_id, event_source, content, label, reason, sort_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (article) DO UPDATE SET revision = excluded.revision, withdrawn = excluded.withdrawn, \
         event_id = excluded.event_id, event_source = excluded.event_source, content = excluded.content, \
         label = excluded.label, reason = excluded.reason, sort_at = excluded.sort_at",
    )
    .bind(event.subject().as_str())
    .bind(signed(version.revision)?)
    .bind(i64::from(version.withdrawn))
    .bind(version.event_id)
    .bind(event.key.source.as_str())
    .bind(content)
    .bind(label)
    .bind(reason)
    .bind(ms(sort_at))
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// Replaces where a subject is to be read. Touches every feed it left, entered, or (when its version is new) stays in.
async fn replace_places(
    tx: &mut Tx,
    article: &ArticleKey,
    gone: bool,
    feeds: &BTreeSet<String>,
    anew: bool,
    touched: &mut BTreeMap<String, Touched>,
) -> Result<()> {
    let before: HashMap<String, i64> = on!(&mut *tx, c: D => sqlx::query_as::<_, (String, i64)>(
        "DELETE FROM place WHERE article = $1 RETURNING feed, gone",
    )
    .bind(article.as_str())
    .fetch_all(c)
    .await?)
    .into_iter()
    .collect();
    for (feed, was_gone) in &before {
        let feed_touched = touched.entry(feed.clone()).or_default();
        feed_touched.changed |= anew || !feeds.contains(feed);
        feed_touched.entries_added -= i64::from(*was_gone == 0);
    }
    for feed in feeds {
        on!(&mut *tx, c: D => sqlx::query(
            "INSERT INTO place (feed, gone, sort_at, article) \
             SELECT $1, $2, sort_at, article FROM item WHERE article = $3",
        )
        .bind(feed.as_str())
        .bind(i64::from(gone))
        .bind(article.as_str())
        .execute(c)
        .await?
        .rows_affected());
        let feed_touched = touched.entry(feed.clone()).or_default();
        feed_touched.changed |= anew || !before.contains_key(feed);
        feed_touched.entries_added += i64::from(!gone);
    }
    Ok(())
}

/// Notes what a publication calls its category. Stale ones count: which label is kept must not depend on the order.
fn note_label(event: &Event, touched: &mut BTreeMap<String, Touched>) -> Result<()> {
    let Some((content, category)) = event.content().and_then(|content| Some((content, content.category()?))) else {
        return Ok(());
    };
    let feed = FeedName::Category(category.slug.clone()).to_string();
    if let Some(touched) = touched.get_mut(&feed) {
        let label = (ms(content.published_at()), signed(content.revision())?, category.label.clone());
        touched.label = touched.label.take().max(Some(label));
    }
    Ok(())
}

/// Keeps what categories are called, where this batch says it last. A feed that gets another name is changed.
async fn name(tx: &mut Tx, touched: &mut BTreeMap<String, Touched>) -> Result<()> {
    for (name, feed) in touched {
        on!(&mut *tx, c: D => sqlx::query(
            "INSERT INTO feed (name, change, entries, entered) VALUES ($1, 0, 0, 0) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name.as_str())
        .execute(&mut *c)
        .await
        .map(drop)?);
        let Some((at, revision, label)) = &feed.label else { continue };
        let named = on!(&mut *tx, c: D => sqlx::query(
            "UPDATE feed SET label_at = $2, label_revision = $3, label = $4 \
             WHERE name = $1 AND (label_at, label_revision, label) < ($2, $3, $4)",
        )
        .bind(name.as_str())
        .bind(*at)
        .bind(*revision)
        .bind(label.as_str())
        .execute(c)
        .await?
        .rows_affected());
        feed.changed |= named > 0;
    }
    Ok(())
}

/// Counts entries and gives each changed feed its change number and time.
async fn touch(tx: &mut Tx, touched: &BTreeMap<String, Touched>, at: Timestamp) -> Result<()> {
    let changed = touched.values().filter(|feed| feed.changed).count();
    let (mut change, changed_at) = match changed {
        0 => (0, 0),
        _ => (counter::take(tx, "change", changed).await?, counter::step(tx, "changed_at", at).await?),
    };
    for (name, feed) in touched {
        on!(&mut *tx, c: D => sqlx::query(
            "UPDATE feed SET change = CASE WHEN $2 > 0 THEN $2 ELSE change END, \
             changed_at = CASE WHEN $2 > 0 THEN $5 ELSE changed_at END, entries = entries + $3, \
             entered = CASE WHEN $4 = 1 THEN 1 ELSE entered END WHERE name = $1",
        )
        .bind(name.as_str())
        .bind(if feed.changed { change } else { 0 })
        .bind(feed.entries_added)
        .bind(i64::from(feed.entered))
        .bind(changed_at)
        .execute(c)
        .await?
        .rows_affected());
        change += i64::from(feed.changed);
    }
    Ok(())
}
