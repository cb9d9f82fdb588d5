//! Read-only questions to the push ledger: deliveries, their attempts, journeys; and when the next is due.

use super::{
    claim::{delivery_id, delivery_number},
    upcoming,
};
use crate::{
    db::{Db, through},
    fault::{Result, refuse},
    row::{from_row, row_of},
    seen,
};
use jiff::Timestamp;
use loa_domain::{
    ArticleKey, AttemptError, DeliveryId, DeliveryState, EventKey, JourneyLine, JourneyStep, Outlet, ServerWords,
};
use loa_store::{Attempt, DeliveryQuery, DeliveryView, StoreErrorKind};
use sqlx::QueryBuilder;
use tokio::time::Instant;

/// The most deliveries one list has.
const PAGE_MAX: u32 = 1_000;

const VIEW: &str = "SELECT d.number, d.endpoint, v.event_source, v.event_id, v.event_type, d.article, d.revision, \
    d.state, d.attempts, d.ready_at, d.created_at FROM delivery AS d JOIN event AS v ON v.id = d.event ";

from_row!(ViewRow in "delivery" by number {
    number: i64,
    endpoint: String,
    event_source: String,
    event_id: String,
    event_type: String,
    article: String,
    revision: i64,
    state: String,
    attempts: i64,
    ready_at: Option<i64>,
    created_at: i64,
});

/// Reads every delivery, until it is time to end: then `false`.
pub(super) async fn survey(db: &Db, until: Instant) -> Result<bool> {
    let rows = "SELECT d.number, d.endpoint, v.event_source, v.event_id, v.event_type, d.article, d.revision, d.state, \
                d.attempts, d.ready_at, d.created_at FROM delivery AS d JOIN event AS v ON v.id = d.event \
                WHERE d.number > $1 ORDER BY d.number LIMIT $2";
    through(db, rows, 0_i64, until, |row: ViewRow| row.read().map(drop)).await
}

impl ViewRow {
    fn read(self) -> Result<DeliveryView> {
        let cell = row_of("delivery", &self.number);
        Ok(DeliveryView {
            id: delivery_id(self.number)?,
            endpoint: cell.text("endpoint", self.endpoint)?,
            event: EventKey { source: self.event_source, id: self.event_id },
            event_type: cell.word("event_type", &self.event_type, |word| word.parse().ok())?,
            article: cell.text("article", self.article)?,
            revision: cell.count("revision", self.revision)?,
            state: cell.word("state", &self.state, DeliveryState::parse)?,
            attempts: cell.small("attempts", self.attempts)?,
            due_at: self.ready_at.map(|at| cell.time("ready_at", at)).transpose()?,
            created_at: cell.time("created_at", self.created_at)?,
        })
    }
}

/// When the next pending delivery of an enabled endpoint is due, its lease ends, or an event's time comes.
pub(super) async fn next_due(db: &Db) -> Result<Option<Timestamp>> {
    let first: Option<i64> = read!(db, pool => sqlx::query_scalar(
        "SELECT MIN(first) FROM (SELECT (SELECT MIN(d.ready_at) FROM delivery AS d \
            WHERE d.endpoint = e.id AND d.ready_at IS NOT NULL) AS first \
         FROM endpoint AS e WHERE e.disabled IS NULL) AS waiting",
    )
    .fetch_one(pool)
    .await?);
    let first = first.into_iter().chain(upcoming::next(db).await?).min();
    first.map(|at| row_of("delivery", &"the next").time("ready_at", at)).transpose()
}

/// Deliveries, newest first.
pub(super) async fn deliveries(db: &Db, query: &DeliveryQuery) -> Result<Vec<DeliveryView>> {
    let mut tx = db.snapshot().await?;
    let rows: Vec<ViewRow> = on!(&mut tx, c: D => {
        let mut select = QueryBuilder::<D>::new(VIEW);
        let mut word = "WHERE";
        if let Some(endpoint) = &query.endpoint {
            select.push(word).push(" d.endpoint = ").push_bind(endpoint.as_str());
            word = " AND";
        }
        if let Some(state) = query.state {
            select.push(word).push(" d.state = ").push_bind(state.as_str());
            word = " AND";
        }
        if let Some(article) = &query.article {
            select.push(word).push(" d.article = ").push_bind(article.as_str());
        }
        select.push(" ORDER BY d.number DESC LIMIT ").push_bind(i64::from(query.limit.clamp(1, PAGE_MAX)));
        select.build_query_as().fetch_all(c).await?
    });
    rows.into_iter().map(ViewRow::read).collect()
}

from_row!(AttemptRow {
    number: i64,
    started_at: i64,
    duration_ms: i64,
    status: Option<i64>,
    error_class: String,
    detail: String,
});

/// One delivery with its attempts, oldest first.
pub(super) async fn delivery(db: &Db, id: &DeliveryId) -> Result<(DeliveryView, Vec<Attempt>)> {
    let unknown = || refuse(StoreErrorKind::NotFound, format!("there is no delivery {id}"));
    let number = delivery_number(id).ok_or_else(unknown)?;
    let mut tx = db.snapshot().await?;
    let view: Option<ViewRow> = on!(&mut tx, c: D => {
        let mut select = QueryBuilder::<D>::new(VIEW);
        select.push("WHERE d.number = ").push_bind(number);
        select.build_query_as().fetch_optional(c).await?
    });
    let view = view.ok_or_else(unknown)?.read()?;
    let rows: Vec<AttemptRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT number, started_at, duration_ms, status, error_class, detail FROM attempt WHERE delivery = $1 \
         ORDER BY number",
    )
    .bind(number)
    .fetch_all(c)
    .await?);
    let attempts = rows.into_iter().map(|row| row.read(id)).collect::<Result<Vec<_>>>()?;
    Ok((view, attempts))
}

impl AttemptRow {
    fn read(self, delivery: &DeliveryId) -> Result<Attempt> {
        let key = format!("{delivery}, {}", self.number);
        let cell = row_of("attempt", &key);
        Ok(Attempt {
            number: cell.small("number", self.number)?,
            started_at: cell.time("started_at", self.started_at)?,
            duration_ms: cell.count("duration_ms", self.duration_ms)?,
            status: self
                .status
                .map(|status| cell.word("status", &status.to_string(), |text| text.parse().ok()))
                .transpose()?,
            error: match self.error_class.as_str() {
                "" => None,
                word => Some(cell.word("error_class", word, AttemptError::parse)?),
            },
            words: ServerWords::from(self.detail),
        })
    }
}

from_row!(JourneyRow {
    number: i64,
    endpoint: String,
    revision: i64,
    state: String,
    attempts: i64,
    created_at: i64,
    changed_at: i64,
});

from_row!(WaitingRow { revision: i64, shown_from: i64 });

/// What was accepted about an article, and how each delivery of it stands, oldest first.
pub(super) async fn journey(db: &Db, article: &ArticleKey) -> Result<Vec<JourneyLine>> {
    let mut tx = db.snapshot().await?;
    let mut steps = seen::journey(&mut tx, Outlet::Push, article).await?;
    let rows: Vec<JourneyRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT number, endpoint, revision, state, attempts, created_at, changed_at FROM delivery WHERE article = $1 \
         ORDER BY number",
    )
    .bind(article.as_str())
    .fetch_all(c)
    .await?);
    for row in rows {
        let cell = row_of("delivery", &row.number);
        let state = cell.word("state", &row.state, DeliveryState::parse)?;
        let at = if state == DeliveryState::Pending { row.created_at } else { row.changed_at };
        let (delivery, attempts) = (delivery_id(row.number)?, cell.small("attempts", row.attempts)?);
        let endpoint = cell.text("endpoint", row.endpoint)?;
        steps.push(JourneyLine {
            at: cell.time("changed_at", at)?,
            outlet: Outlet::Push,
            revision: cell.count("revision", row.revision)?,
            step: match state {
                DeliveryState::Pending => JourneyStep::Pending { delivery, endpoint, attempts },
                DeliveryState::Delivered => JourneyStep::Delivered { delivery, endpoint, attempts },
                DeliveryState::Failed => JourneyStep::Failed { delivery, endpoint, attempts },
                DeliveryState::Superseded => JourneyStep::Superseded { delivery, endpoint, attempts },
            },
        });
    }
    let waiting: Vec<WaitingRow> = on!(&mut tx, c: D => sqlx::query_as(
        "SELECT revision, shown_from FROM upcoming WHERE article = $1 AND shown_from IS NOT NULL ORDER BY shown_from",
    )
    .bind(article.as_str())
    .fetch_all(c)
    .await?);
    for row in waiting {
        let cell = row_of("upcoming", article);
        steps.push(JourneyLine {
            at: cell.time("shown_from", row.shown_from)?,
            outlet: Outlet::Push,
            revision: cell.count("revision", row.revision)?,
            step: JourneyStep::Waiting,
        });
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}
