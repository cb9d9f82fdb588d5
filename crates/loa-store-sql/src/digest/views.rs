//! Read-only questions to the digest ledger: runs in figures, mails, journeys, previews of a wish.

use super::runs::{add, newest, one, run_key, stuck};
use crate::{
    db::{Db, Tx},
    fault::{Result, corrupt},
    row::{from_row, ms, row_of},
    seen,
};
use jiff::Timestamp;
use loa_domain::{
    Account, ArticleKey, ItemKind, JourneyLine, JourneyStep, MailId, MailReason, MailState, Outlet, ServerWords, Wish,
};
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

from_row!(MailRow {
    subscription: String,
    email: String,
    state: String,
    attempts: i64,
    reason: Option<String>,
    detail: String,
    changed_at: Option<i64>,
});

/// Mails of a run in order of address.
pub(super) async fn mails(db: &Db, run: i64, after: &str, limit: u32) -> Result<Vec<MailView>> {
    let rows: Vec<MailRow> = read!(db, pool => sqlx::query_as(
        "SELECT m.subscription, p.email, m.state, m.attempts, m.reason, m.detail, m.changed_at FROM mail AS m \
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
            let state = cell.word("state", &row.state, MailState::parse)?;
            Ok(MailView {
                id: MailId { run, subscription: cell.text("subscription", row.subscription)? },
                email: cell.text("email", row.email)?,
                state,
                attempts: cell.small("attempts", row.attempts)?,
                reason: match row.reason {
                    _ if state == MailState::Sent => None,
                    Some(word) => Some(cell.word("reason", &word, MailReason::parse)?),
                    // a program of before kept one sentence and no reason
                    None if !row.detail.is_empty() => Some(MailReason::NotedBefore),
                    None => None,
                },
                words: ServerWords::from(row.detail),
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
            "SELECT i.article, i.revision, i.content FROM item AS i WHERE i.withdrawn = 0 \
             AND i.shown_from IS NULL AND i.accepted_at >= ",
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

from_row!(WaitingRow { revision: i64, shown_from: i64 });

/// What was accepted about an article, and one line for each run and kind: to how many, and what came of it.
pub(super) async fn journey(db: &Db, article: &ArticleKey) -> Result<Vec<JourneyLine>> {
    let mut tx = db.snapshot().await?;
    let mut steps = seen::journey(&mut tx, Outlet::Digest, article).await?;
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
    let row: Option<WaitingRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT revision, shown_from FROM item WHERE article = $1 AND withdrawn = 0 AND shown_from IS NOT NULL",
    )
    .bind(article.as_str())
    .fetch_optional(c)
    .await?);
    if let Some(row) = row {
        let cell = row_of("item", article);
        steps.push(JourneyLine {
            at: cell.time("shown_from", row.shown_from)?,
            outlet: Outlet::Digest,
            revision: cell.count("revision", row.revision)?,
            step: JourneyStep::Waiting,
        });
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

/// The states of one run's mails about an article, as one line.
async fn run_line(tx: &mut Tx, rows: &[MailedRow]) -> Result<JourneyLine> {
    let run = rows[0].run;
    let cell = row_of("mail_item", &run);
    let mut mails = Account::default();
    for row in rows {
        add(&mut mails, cell.word("state", &row.state, MailState::parse)?, cell.count("state", row.mails)?);
    }
    let at = rows.iter().filter_map(|row| row.changed_at).max().unwrap_or(rows[0].created_at);
    let run = run_key(tx, run).await?;
    Ok(JourneyLine {
        at: cell.time("changed_at", at)?,
        outlet: Outlet::Digest,
        revision: cell.count("revision", rows.iter().map(|row| row.revision).max().unwrap_or_default())?,
        step: match (rows[0].withdrawn == 1, mails.sent > 0) {
            (correction, false) => JourneyStep::Planned { run, correction, mails },
            (false, true) => JourneyStep::Mailed { run, mails },
            (true, true) => JourneyStep::Corrected { run, mails },
        },
    })
}
