//! Accepting events: which version of each subject stands, which wishes it fits, who is owed a correction.
//!
//! What is dated in the future is kept, and matched at its time (`accept/upcoming.rs`). SQL decides which wishes
//! fit, by the rule of `Wish::matches`; a property test compares the two.

pub(super) mod upcoming;

use crate::{
    counter,
    db::{Db, Tx},
    fault::{Fault, Result, is_of_wrong_type},
    row::{Kept, from_row, ms, row_of, signed, to_json},
    seen::{self, CHUNK, Fresh},
};
use jiff::Timestamp;
use loa_domain::{ArticleKey, Change, Content, Event, Standing, Version, standing_of};
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

from_row!(VersionRow in "item" by article {
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
async fn subjects<'a>(tx: &mut Tx, batch: &'a [Cow<'_, Event>]) -> Result<BTreeMap<ArticleKey, Subject<'a>>> {
    let mut subjects: BTreeMap<ArticleKey, Subject<'a>> =
        batch.iter().map(|event| (event.subject(), Subject::default())).collect();
    let articles: Vec<ArticleKey> = subjects.keys().cloned().collect();
    for chunk in articles.chunks(CHUNK) {
        let rows: Vec<Kept<VersionRow>> = on!(tx, c: D => {
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
            let key = row.key();
            let Some(article) = articles.iter().find(|article| article.as_str() == key) else { continue };
            let read = tx.found().sort("item", &key, row.read().and_then(|row| row.read()))?;
            let subject = match read {
                Some(subject) => subject,
                // every event of the article is in `seen`: what stands is told by them as well
                None => Subject {
                    version: seen::highest(tx, article, true).await?,
                    content_version: seen::highest(tx, article, false).await?,
                    ..Subject::default()
                },
            };
            subjects.insert(article.clone(), subject);
        }
    }
    Ok(subjects)
}

/// Writes how one subject stands after the batch, and what follows for wishes and subscriptions.
async fn write_subject(tx: &mut Tx, article: &ArticleKey, subject: &Subject<'_>, at: Timestamp) -> Result<()> {
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

/// The version that stands, with 14 values; what was shown before stays, unless a higher publication is kept now.
const KEEP: &str = "INSERT INTO item (article, revision, withdrawn, event_id, reason, accepted_at, sequence, \
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
            ELSE item.content_revision END";
/// Gives a row of SQLite's its types again, of which a value has another: any change is refused that leaves that one where it is.
/// What was shown before stays if all of it has its type; the rest is written over right after.
const TYPES_AGAIN: &str = "UPDATE item SET revision = 0, withdrawn = 1, event_id = '', reason = '', accepted_at = 0, \
    sequence = $2, shown_from = NULL, upcoming = NULL, \
    content = CASE WHEN k.stays THEN item.content END, \
    content_revision = CASE WHEN k.stays THEN item.content_revision ELSE 0 END, \
    content_event_id = CASE WHEN k.stays THEN item.content_event_id ELSE '' END, \
    category = CASE WHEN k.stays THEN item.category ELSE '' END, \
    published_at = CASE WHEN k.stays THEN item.published_at ELSE 0 END \
    FROM (SELECT typeof(content) IN ('text', 'null') AND typeof(content_revision) = 'integer' \
        AND typeof(content_event_id) = 'text' AND typeof(category) = 'text' AND typeof(published_at) = 'integer' AS stays \
        FROM item WHERE article = $1) AS k WHERE item.article = $1";

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
    let article = event.subject();
    let values = Values {
        article: article.as_str(),
        revision: signed(version.revision)?,
        withdrawn: i64::from(version.withdrawn),
        event_id: version.event_id,
        reason,
        at_ms: ms(at),
        sequence,
        content: known.map(|(_, content)| content).or(upcoming).map(to_json).transpose()?,
        content_revision: signed(known.map_or(0, |(_, content)| content.revision()))?,
        content_event_id: known.map_or_else(String::new, |(event, _)| event.version().event_id),
        category: known.map_or("", |(_, content)| category(content)),
        published_at: ms(published_at),
        shown_from: subject.shown_from.map(ms),
        upcoming: upcoming.map(to_json).transpose()?,
    };
    match values.write(tx).await {
        Err(Fault::Sql(error)) if is_of_wrong_type(&error) => {
            on!(&mut *tx, c: D => sqlx::query(TYPES_AGAIN)
                .bind(values.article)
                .bind(sequence)
                .execute(c)
                .await?
                .rows_affected());
            values.write(tx).await?;
            tx.found().readable("item", event.subject());
            Ok(())
        }
        written => written,
    }
}

/// A row of `item`.
struct Values<'a> {
    article: &'a str,
    revision: i64,
    withdrawn: i64,
    event_id: String,
    reason: &'a str,
    at_ms: i64,
    sequence: i64,
    content: Option<String>,
    content_revision: i64,
    content_event_id: String,
    category: &'a str,
    published_at: i64,
    shown_from: Option<i64>,
    upcoming: Option<String>,
}

impl Values<'_> {
    async fn write(&self, tx: &mut Tx) -> Result<()> {
        on!(tx, c: D => sqlx::query(KEEP)
            .bind(self.article)
            .bind(self.revision)
            .bind(self.withdrawn)
            .bind(self.event_id.as_str())
            .bind(self.reason)
            .bind(self.at_ms)
            .bind(self.sequence)
            .bind(self.content.as_deref())
            .bind(self.content_revision)
            .bind(self.content_event_id.as_str())
            .bind(self.category)
            .bind(self.published_at)
            .bind(self.shown_from)
            .bind(self.upcoming.as_deref())
            .execute(c)
            .await?
            .rows_affected());
        Ok(())
    }
}

/// Of one that nobody can write what was there before stays as it is.
async fn keep_last_content(tx: &mut Tx, article: &ArticleKey, event: &Event) -> Result<()> {
    let written = write_last_content(tx, article, event).await;
    tx.found().sort_part("item", article, written).map(drop)
}

async fn write_last_content(tx: &mut Tx, article: &ArticleKey, event: &Event) -> Result<()> {
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

async fn keep_reach(tx: &mut Tx, article: &ArticleKey, event: &Event) -> Result<()> {
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
async fn forget(tx: &mut Tx, article: &ArticleKey) -> Result<()> {
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
async fn owe_corrections(tx: &mut Tx, article: &ArticleKey) -> Result<()> {
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
