//! What operators see: runs in figures, their mails, an article's journey, what a wish would bring.

use super::runs::{newest, one, run_key, stuck};
use crate::{
    db::{Db, Tx},
    fault::{Result, corrupt},
    row::{from_row, ms, row_of},
    seen,
};
use jiff::Timestamp;
use loa_domain::{Account, ArticleId, ItemKind, JourneyStep, MailId, MailState, Wish};
use loa_store::{DigestItem, MailView, Run};
use sqlx::QueryBuilder;

/// The most rows one list has.
const PAGE_MAX: u32 = 1_000;

/// Runs, newest first.
pub(super) async fn runs(db: &Db, limit: u32) -> Result<Vec<Run>> {
    newest(&mut db.snapshot().await?, i64::from(limit.clamp(1, PAGE_MAX))).await
}

pub(super) async fn stuck_runs(db: &Db, limit: u32) -> Result<Vec<Run>> {
    stuck(&mut db.snapshot().await?, i64::from(limit.clamp(1, PAGE_MAX))).await
}

pub(super) async fn run(db: &Db, run: i64) -> Result<Option<Run>> {
    one(&mut db.snapshot().await?, run).await
}

/// A run in figures, counted from its mails, so that it cannot drift from them.
pub(super) async fn account(tx: &mut Tx, run: i64) -> Result<Account> {
    let counts: Vec<(String, i64)> = on!(tx, c: D => sqlx::query_as(
        "SELECT state, COUNT(*) FROM mail WHERE run = $1 GROUP BY state",
    )
    .bind(run)
    .fetch_all(c)
    .await?);
    let mut account = Account::default();
    for (state, count) in counts {
        let cell = row_of("mail", &run);
        let count = cell.count("state", count)?;
        account.planned += count;
        *match cell.word("state", &state, MailState::parse)? {
            MailState::Planned | MailState::Submitting => &mut account.waiting,
            MailState::Sent => &mut account.sent,
            MailState::Failed => &mut account.failed,
            MailState::Suppressed => &mut account.suppressed,
            MailState::Uncertain => &mut account.uncertain,
        } += count;
    }
    Ok(account)
}

from_row!(MailRow {
    subscription: String,
    email: String,
    state: String,
    attempts: i64,
    detail: String,
    changed_at: Option<i64>,
});

/// Mails of a run in order of address.
pub(super) async fn mails(db: &Db, run: i64, after: &str, limit: u32) -> Result<Vec<MailView>> {
    let rows: Vec<MailRow> = read!(db, pool => sqlx::query_as(
        "SELECT m.subscription, p.email, m.state, m.attempts, m.detail, m.changed_at FROM mail AS m \
         JOIN subscription AS s ON s.id = m.subscription JOIN subscriber AS p ON p.id = s.subscriber \
         WHERE m.run = $1 AND m.email_key > $2 ORDER BY m.email_key LIMIT $3",
    )
    .bind(run)
    .bind(after)
    .bind(i64::from(limit.clamp(1, PAGE_MAX)))
    .fetch_all(pool)
    .await?);
    rows.into_iter()
        .map(|row| {
            let key = format!("run {run}, {}", row.subscription);
            let cell = row_of("mail", &key);
            Ok(MailView {
                id: MailId { run, subscription: cell.text("subscription", row.subscription)? },
                email: cell.text("email", row.email)?,
                state: cell.word("state", &row.state, MailState::parse)?,
                attempts: cell.small("attempts", row.attempts)?,
                detail: row.detail,
                at: row.changed_at.map(|at| cell.time("changed_at", at)).transpose()?,
            })
        })
        .collect()
}

from_row!(PreviewRow { article: String, revision: i64, content: Option<String> });

/// What a wish would be sent if it had existed all the time: standing items accepted after `since`, newest first.
pub(super) async fn preview(db: &Db, wish: &Wish, since: Timestamp, limit: u32) -> Result<Vec<DigestItem>> {
    let mut tx = db.snapshot().await?;
    let rows: Vec<PreviewRow> = on!(&mut tx, c: D => {
        let mut query = QueryBuilder::<D>::new(
            "SELECT i.article, i.revision, i.content FROM item AS i WHERE i.withdrawn = 0 AND i.accepted_at > ",
        );
        query.push_bind(ms(since));
        if !wish.areas.is_empty() {
            query.push(" AND EXISTS (SELECT 1 FROM item_reach AS r WHERE r.article = i.article AND r.area IN (");
            let mut list = query.separated(", ");
            for area in &wish.areas {
                list.push_bind(area.as_str());
            }
            query.push("))");
        }
        if !wish.categories.is_empty() {
            query.push(" AND i.category IN (");
            let mut list = query.separated(", ");
            for category in &wish.categories {
                list.push_bind(category.as_str());
            }
            query.push(")");
        }
        query.push(" ORDER BY i.published_at DESC, i.article DESC LIMIT ");
        query.push_bind(i64::from(limit.clamp(1, PAGE_MAX)));
        query.build_query_as().persistent(false).fetch_all(c).await?
    });
    rows.into_iter()
        .map(|row| {
            let cell = row_of("item", &row.article);
            let json = row.content.as_deref().ok_or_else(|| corrupt("item", "content", &row.article, "is NULL"))?;
            Ok(DigestItem {
                kind: ItemKind::News,
                article: cell.text("article", row.article.clone())?,
                revision: cell.count("revision", row.revision)?,
                content: cell.json("content", json)?,
                reason: String::new(),
            })
        })
        .collect()
}

from_row!(MailedRow {
    run: i64,
    withdrawn: i64,
    revision: i64,
    state: String,
    mails: i64,
    changed_at: Option<i64>,
    created_at: i64,
});

/// What was accepted about an article, and one line for each run and kind: to how many, and what came of it.
pub(super) async fn journey(db: &Db, article: &ArticleId) -> Result<Vec<JourneyStep>> {
    let mut tx = db.snapshot().await?;
    let mut steps = seen::journey(&mut tx, "digest", article).await?;
    let rows: Vec<MailedRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT r.run, r.withdrawn, MAX(r.revision) AS revision, m.state, COUNT(*) AS mails, \
            MAX(m.changed_at) AS changed_at, MAX(n.created_at) AS created_at \
         FROM mail_item AS r JOIN mail AS m ON m.run = r.run AND m.subscription = r.subscription \
         JOIN run AS n ON n.id = r.run WHERE r.article = $1 AND (r.included = 1 OR r.exposed > 0) \
         GROUP BY r.run, r.withdrawn, m.state ORDER BY r.run, r.withdrawn, m.state",
    )
    .bind(article.as_str())
    .fetch_all(c)
    .await?);
    for lines in rows.chunk_by(|a, b| (a.run, a.withdrawn) == (b.run, b.withdrawn)) {
        steps.push(run_line(&mut tx, lines).await?);
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

/// The states of one run's mails about an article, as one line.
async fn run_line(tx: &mut Tx, rows: &[MailedRow]) -> Result<JourneyStep> {
    let run = rows[0].run;
    let cell = row_of("mail_item", &run);
    let counts: Vec<String> = rows.iter().map(|row| format!("{} {}", row.mails, row.state)).collect();
    let is_correction = rows[0].withdrawn == 1;
    let sent = rows.iter().any(|row| row.state == MailState::Sent.as_str());
    let at = rows.iter().filter_map(|row| row.changed_at).max().unwrap_or(rows[0].created_at);
    Ok(JourneyStep {
        at: cell.time("changed_at", at)?,
        outlet: "digest".into(),
        step: match (is_correction, sent) {
            (_, false) => "planned",
            (false, true) => "mailed",
            (true, true) => "corrected",
        }
        .into(),
        revision: cell.count("revision", rows.iter().map(|row| row.revision).max().unwrap_or_default())?,
        detail: format!(
            "{} in run {}: {}",
            if is_correction { "correction" } else { "item" },
            run_key(tx, run).await?,
            counts.join(", ")
        ),
    })
}
