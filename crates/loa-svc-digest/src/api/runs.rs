//! `/v1/digest-runs`: runs in figures, their mails, starting one by hand, resuming a stopped one.

use super::{Api, ROWS, ROWS_MAX, refused::Refused};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
};
use jiff::{Timestamp, civil::Date};
use loa_domain::{Account, Frequency, MailState, Scope};
use loa_store::{MailView, Run};
use loa_worker::Problem;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct RunShown {
    id: i64,
    frequency: Frequency,
    on: Date,
    zone: String,
    /// Empty for a scheduled run.
    slot: String,
    cutoff: Timestamp,
    created_at: Timestamp,
    /// Whether its audience is frozen.
    planned: bool,
    /// Why it is stopped; null while it runs.
    paused: Option<String>,
    account: Account,
}

impl From<Run> for RunShown {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            frequency: run.key.frequency,
            on: run.key.on,
            zone: run.key.zone,
            slot: run.key.slot,
            cutoff: run.cutoff,
            created_at: run.created_at,
            planned: run.planned,
            paused: run.paused,
            account: run.account,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Runs {
    runs: Vec<RunShown>,
}

#[derive(Serialize)]
pub(super) struct Mails {
    mails: Vec<MailShown>,
    /// For the next page's `after`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct MailShown {
    subscription: String,
    email: String,
    state: MailState,
    attempts: u32,
    detail: String,
    at: Option<Timestamp>,
}

impl From<MailView> for MailShown {
    fn from(mail: MailView) -> Self {
        Self {
            subscription: mail.id.subscription.into(),
            email: mail.email.into(),
            state: mail.state,
            attempts: mail.attempts,
            detail: mail.detail,
            at: mail.at,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opened {
    frequency: Frequency,
}

/// Runs, newest first.
pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Runs>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    let Query(page) = page?;
    let runs = api.service.0.ledger.runs(page.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX)).await?;
    Ok(Json(Runs { runs: runs.into_iter().map(RunShown::from).collect() }))
}

/// One run.
pub(super) async fn one(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Json<RunShown>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    match api.service.run_of(id).await? {
        Some(run) => Ok(Json(run.into())),
        None => Err(Problem::new(404, "Not found", format!("there is no run {id} among the newest")).into()),
    }
}

/// A run's mails, in order of address.
pub(super) async fn mails(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<i64>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Mails>, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    let Query(page) = page?;
    let limit = page.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX);
    let found = api.service.0.ledger.mails(id, &page.after.to_ascii_lowercase(), limit).await?;
    let next = (found.len() == limit as usize).then(|| found.last().map(|last| last.email.key())).flatten();
    Ok(Json(Mails { mails: found.into_iter().map(MailShown::from).collect(), next }))
}

/// Opens a run by hand. 200 with `null` when nobody is owed anything.
pub(super) async fn open(
    State(api): State<Api>,
    headers: HeaderMap,
    opened: Result<Json<Opened>, JsonRejection>,
) -> Result<(StatusCode, Json<Option<RunShown>>), Refused> {
    api.allow(&headers, Scope::Operate).await?;
    let Json(opened) = opened?;
    let run = api.service.open_run_now(opened.frequency).await?.map(RunShown::from);
    let status = if run.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(run)))
}

/// Lets a stopped run go on.
pub(super) async fn resume(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<StatusCode, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    api.service.resume_run(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
