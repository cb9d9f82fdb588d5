//! Accepting events: which version of each subject stands, which wishes it fits, who is owed a correction.
//!
//! What is dated in the future is kept, and matched at its time (`accept/upcoming.rs`). SQL decides which wishes
//! fit, by the rule of `Wish::matches`; a property test compares the two.

pub(super) mod upcoming;

use crate::{
    counter,
    db::{Db, Tx},
    fault::Result,
    row::{from_row, ms, row_of, signed, to_json},
    seen::{self, CHUNK, Fresh},
};
use jiff::Timestamp;
use loa_domain::{ArticleId, Change, Content, Event, Standing, Version, standing_of};
use loa_store::Accepted;
use sqlx::QueryBuilder;
use std::{borrow::Cow, collections::BTreeMap};

/// What becomes of one subject in this batch.
#[derive(Default)]
struct Subject<'a> {
    /// The highest version known.
    version: Option<Version>,
    /// The event that brought it, when it is one of this batch.
    stands: Option<&'a Event>,
    /// From when on it may go out, while that is to come.
    shown_from: Option<Timestamp>,
    /// The highest publication known whose time has come: what a correction shows.
    content_version: Option<Version>,
    /// The event that brought it, when it is one of this batch.
    content: Option<&'a Event>,
}

/// Takes a batch in.
pub(super) async fn accept(db: &Db, batch: &[Event], at: Timestamp) -> Result<Accepted> {
    let mut tx = db.begin().await?;
    // what came before this batch by its time is taken in before it
    let admitted = upcoming::admit(&mut tx, at).await?;
    let unknown = seen::unknown(&mut tx, batch, |event| event, |event| &mut event.key).await?;
    let mut subjects = subjects(&mut tx, &unknown.fresh).await?;
    let mut accepted = Accepted { duplicates: unknown.duplicates, reused: unknown.reused, ..Accepted::default() };
    let mut fresh = Vec::new();
    for event in &unknown.fresh {
        let event = event.as_ref();
        let stale = subjects.entry(event.subject()).or_default().take(event, at);
        accepted.fresh += 1;
        accepted.stale += u64::from(stale);
        fresh.push(Fresh { event, stale });
    }
    if fresh.is_empty() && admitted == 0 {
        return Ok(accepted); // nothing was written: the transaction ends by being dropped
    }
    seen::note(&mut tx, &fresh, at).await?;
    for (article, subject) in &subjects {
        write_subject(&mut tx, article, subject, at).await?;
    }
    tx.commit().await?;
    Ok(accepted)
}

impl<'a> Subject<'a> {
    /// Takes a fresh event in; says whether it is stale.
    fn take(&mut self, event: &'a Event, at: Timestamp) -> bool {
        let version = event.version();
        let shown_from = match standing_of(event, at) {
            Standing::NotYet { from } => Some(from),
            _ => None,
        };
        let was_shown = !version.withdrawn && shown_from.is_none();
        if was_shown && self.content_version.as_ref().is_none_or(|known| *known < version) {
            self.content_version = Some(version.clone());
            self.content = Some(event);
        }
        let stale = self.version.as_ref().is_some_and(|standing| *standing > version);
        if !stale {
            self.version = Some(version);
            self.stands = Some(event);
            self.shown_from = shown_from;
        }
        stale
    }
}

from_row!(VersionRow {
    article: String,
    revision: i64,
    withdrawn: i64,
    event_id: String,
    content_revision: i64,
    content_event_id: String,
    shown_from: Option<i64>,
});

impl VersionRow {
    fn read<'a>(&self) -> Result<Subject<'a>> {
        let cell = row_of("item", &self.article);
        let content_revision = cell.count("content_revision", self.content_revision)?;
        let (revision, withdrawn) = (cell.count("revision", self.revision)?, self.withdrawn == 1);
        Ok(Subject {
            shown_from: self.shown_from.map(|at| cell.time("shown_from", at)).transpose()?,
            version: Some(Version { revision, withdrawn, event_id: self.event_id.clone() }),
            content_version: (content_revision > 0).then(|| Version {
                revision: content_revision,
                withdrawn: false,
                event_id: self.content_event_id.clone(),
            }),
            ..Subject::default()
        })
    }
}

/// The subjects of a batch, as they stand.
async fn subjects<'a>(tx: &mut Tx, batch: &'a [Cow<'_, Event>]) -> Result<BTreeMap<&'a ArticleId, Subject<'a>>> {
    let mut subjects: BTreeMap<&ArticleId, Subject<'_>> =
        batch.iter().map(|event| (event.subject(), Subject::default())).collect();
    let articles: Vec<&ArticleId> = subjects.keys().copied().collect();
    for chunk in articles.chunks(CHUNK) {
        let rows: Vec<VersionRow> = on!(tx, c: D => {
            let mut query = QueryBuilder::<D>::new(
                "SELECT article, revision, withdrawn, event_id, content_revision, content_event_id, shown_from FROM item \
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
            let Some(article) = articles.iter().find(|article| article.as_str() == row.article) else { continue };
            let read = tx.found().sort("item", &row.article, row.read())?;
            let subject = match read {
                Some(subject) => subject,
                // every event of the article is in `seen`: what stands is told by them as well
                None => Subject {
                    version: seen::highest(tx, article, true).await?,
                    content_version: seen::highest(tx, article, false).await?,
                    ..Subject::default()
                },
            };
            subjects.insert(article, subject);
        }
    }
    Ok(subjects)
}

/// Writes how one subject stands after the batch, and what follows for wishes and subscriptions.
async fn write_subject(tx: &mut Tx, article: &ArticleId, subject: &Subject<'_>, at: Timestamp) -> Result<()> {
    let Some(event) = subject.stands else {
        // A publication came after its withdrawal, or after one that waits for its time: it does not stand, but it says what
        // was there before.
        if let Some(content) = subject.content {
            keep_last_content(tx, article, content).await?;
            if subject.shown_from.is_none() {
                keep_reach(tx, article, content).await?;
            }
        }
        return Ok(());
    };
    let sequence = counter::take(tx, "item", 1).await?;
    keep_item(tx, event, subject, sequence, at).await?;
    forget(tx, article).await?;
    if let Some(publication) = Some(event).filter(|event| event.content().is_some()).or(subject.content) {
        keep_reach(tx, article, publication).await?;
    }
    match (&event.change, subject.shown_from) {
        (Change::Live(content), None) => match_wishes(tx, article.as_str(), category(content), sequence).await,
        (Change::Live(_), Some(_)) => Ok(()),
        (Change::Withdrawn(_), _) => owe_corrections(tx, article).await,
    }
}

pub(super) fn category(content: &Content) -> &str {
    content.category().map_or("", |category| category.slug.as_str())
}

/// Writes the version that stands; its content too, unless a higher publication is kept already. What one says that waits for
/// its time is kept beside what was shown before.
async fn keep_item(tx: &mut Tx, event: &Event, subject: &Subject<'_>, sequence: i64, at: Timestamp) -> Result<()> {
    let version = event.version();
    let reason = match &event.change {
        Change::Withdrawn(withdrawal) => withdrawal.reason.as_str(),
        Change::Live(_) => "",
    };
    let known = subject.content.and_then(|event| Some((event, event.content()?)));
    let upcoming = event.content().filter(|_| subject.shown_from.is_some());
    let published_at = match (known, &event.change) {
        (Some((_, content)), _) => content.published_at(),
        (None, Change::Withdrawn(withdrawal)) => withdrawal.at,
        (None, Change::Live(content)) => content.published_at(),
    };
    on!(tx, c: D => sqlx::query(
        "INSERT INTO item (article, revision, withdrawn, event_id, reason, accepted_at, sequence, \
         content, content_revision, content_event_id, category, published_at, shown_from, upcoming) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (article) DO UPDATE SET revision = excluded.revision, withdrawn = excluded.withdrawn, \
         event_id = excluded.event_id, reason = excluded.reason, accepted_at = excluded.accepted_at, \
         sequence = excluded.sequence, shown_from = excluded.shown_from, upcoming = excluded.upcoming, \
         content = CASE WHEN excluded.content_revision > 0 OR item.content IS NULL THEN excluded.content \
            ELSE item.content END, \
         content_event_id = CASE WHEN excluded.content_revision > 0 THEN excluded.content_event_id \
            ELSE item.content_event_id END, \
         category = CASE WHEN excluded.content_revision > 0 THEN excluded.category ELSE item.category END, \
         published_at = CASE WHEN excluded.content_revision > 0 OR item.content_revision = 0 \
            THEN excluded.published_at ELSE item.published_at END, \
         content_revision = CASE WHEN excluded.content_revision > 0 THEN excluded.content_revision \
            ELSE item.content_revision END",
    )
    .bind(event.subject().as_str())
    .bind(signed(version.revision)?)
    .bind(i64::from(version.withdrawn))
    .bind(version.event_id)
    .bind(reason)
    .bind(ms(at))
    .bind(sequence)
    .bind(known.map(|(_, content)| content).or(upcoming).map(to_json).transpose()?)
    .bind(signed(known.map_or(0, |(_, content)| content.revision()))?)
    .bind(known.map_or_else(String::new, |(event, _)| event.version().event_id))
    .bind(known.map_or("", |(_, content)| category(content)))
    .bind(ms(published_at))
    .bind(subject.shown_from.map(ms))
    .bind(upcoming.map(to_json).transpose()?)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

async fn keep_last_content(tx: &mut Tx, article: &ArticleId, event: &Event) -> Result<()> {
    let Some(content) = event.content() else { return Ok(()) };
    on!(tx, c: D => sqlx::query(
        "UPDATE item SET content = $2, content_revision = $3, content_event_id = $4, category = $5, published_at = $6 \
         WHERE article = $1",
    )
    .bind(article.as_str())
    .bind(to_json(content)?)
    .bind(signed(content.revision())?)
    .bind(event.version().event_id)
    .bind(category(content))
    .bind(ms(content.published_at()))
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

async fn keep_reach(tx: &mut Tx, article: &ArticleId, event: &Event) -> Result<()> {
    on!(&mut *tx, c: D => sqlx::query("DELETE FROM item_reach WHERE article = $1")
        .bind(article.as_str())
        .execute(c)
        .await?
        .rows_affected());
    for chunk in event.reach.chunks(CHUNK) {
        on!(&mut *tx, c: D => {
            let mut query = QueryBuilder::<D>::new("INSERT INTO item_reach (article, area) ");
            query.push_values(chunk, |mut row, area| {
                row.push_bind(article.as_str()).push_bind(area.as_str());
            });
            query.push(" ON CONFLICT (article, area) DO NOTHING");
            query.build().persistent(chunk.len() == CHUNK).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

/// Takes back what followed from the version that stood before.
async fn forget(tx: &mut Tx, article: &ArticleId) -> Result<()> {
    on!(tx, c: D => {
        sqlx::query("DELETE FROM matched WHERE article = $1").bind(article.as_str()).execute(&mut *c).await?;
        sqlx::query("DELETE FROM carried WHERE article = $1").bind(article.as_str()).execute(&mut *c).await?;
        sqlx::query("DELETE FROM correction WHERE article = $1").bind(article.as_str()).execute(&mut *c).await?.rows_affected()
    });
    Ok(())
}

/// Matches an item with wishes, by its reach and its category. A wish that nobody active has costs nothing: who confirms is owed
/// nothing of before, and strangers may fill in the form as often as they like.
pub(super) async fn match_wishes(tx: &mut Tx, article: &str, category: &str, sequence: i64) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "INSERT INTO matched (wish, sequence, article) SELECT w.id, $1, $2 FROM wish AS w \
         WHERE w.id IN (SELECT e.id FROM wish AS e WHERE e.every_area = 1 \
            UNION SELECT a.wish FROM item_reach AS r JOIN wish_area AS a ON a.area = r.area WHERE r.article = $2) \
         AND (w.every_category = 1 OR EXISTS (SELECT 1 FROM wish_category AS k WHERE k.wish = w.id AND k.category = $3)) \
         AND EXISTS (SELECT 1 FROM subscription AS s WHERE s.wish = w.id AND s.state = 'active')",
    )
    .bind(sequence)
    .bind(article)
    .bind(category)
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}

/// A correction is owed to everyone who may have read the article and was not told of its end since.
async fn owe_corrections(tx: &mut Tx, article: &ArticleId) -> Result<()> {
    on!(tx, c: D => sqlx::query(
        "INSERT INTO correction (subscription, article) \
         SELECT DISTINCT m.subscription, m.article FROM mail_item AS m \
         WHERE m.article = $1 AND m.withdrawn = 0 AND m.exposed > 0 AND NOT EXISTS \
            (SELECT 1 FROM mail_item AS k WHERE k.subscription = m.subscription AND k.article = m.article \
             AND k.withdrawn = 1 AND k.revision >= m.revision) \
         ON CONFLICT (subscription, article) DO NOTHING",
    )
    .bind(article.as_str())
    .execute(c)
    .await?
    .rows_affected());
    Ok(())
}
