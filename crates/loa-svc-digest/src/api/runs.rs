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
use loa_worker::{Guarded, Problem, TakesJson};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    #[serde(default)]
    /// The address after which the page begins; read for mails only.
    after: String,
    /// How many; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Absent: the newest, newest first. `stuck`: those that do not go on by themselves (stopped, or with an audience that
    /// is not frozen yet), oldest first, however old they are.
    #[param(inline)]
    state: Option<WhichState>,
    /// How many; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WhichState {
    Stuck,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DigestRun)]
pub(super) struct RunShown {
    id: i64,
    frequency: Frequency,
    /// The civil date in `zone`.
    #[schema(value_type = String, format = Date)]
    on: Date,
    /// IANA name.
    zone: String,
    /// Empty for a scheduled run.
    slot: String,
    /// What was accepted up to then is in it.
    #[schema(value_type = String, format = DateTime)]
    cutoff: Timestamp,
    #[schema(value_type = String, format = DateTime)]
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

#[derive(Serialize, ToSchema)]
#[schema(as = DigestRuns)]
pub(super) struct Runs {
    runs: Vec<RunShown>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DigestMails)]
pub(super) struct Mails {
    mails: Vec<MailShown>,
    /// For the next page's `after`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DigestMail)]
struct MailShown {
    subscription: String,
    email: String,
    state: MailState,
    attempts: u32,
    /// One sentence for people.
    detail: String,
    #[schema(value_type = Option<String>, format = DateTime)]
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

#[derive(Deserialize, ToSchema)]
#[schema(as = NewDigestRun)]
#[serde(deny_unknown_fields)]
pub(super) struct Opened {
    frequency: Frequency,
}

/// Runs: the newest, or those that are stuck.
#[utoipa::path(
    get,
    path = "/v1/digest-runs",
    operation_id = "listDigestRuns",
    tag = "Digest runs",
    security(("bearer" = ["read"])),
    params(Which),
    responses(
        Guarded,
        (status = 200, description = "Those that were asked for.", body = Runs),
        (status = 400, description = "The query was not understood.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Runs>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    let Query(which) = which?;
    let limit = which.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX);
    let runs = match which.state {
        Some(WhichState::Stuck) => api.service.0.ledger.stuck_runs(limit).await?,
        None => api.service.0.ledger.runs(limit).await?,
    };
    Ok(Json(Runs { runs: runs.into_iter().map(RunShown::from).collect() }))
}

/// One run.
#[utoipa::path(
    get,
    path = "/v1/digest-runs/{id}",
    operation_id = "digestRun",
    tag = "Digest runs",
    security(("bearer" = ["read"])),
    params(("id" = i64, Path, description = "The run's number.")),
    responses(
        Guarded,
        (status = 200, description = "The run.", body = RunShown),
        (status = 400, description = "The path's number is none.", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 404, description = "No run has this number.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn one(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Json<RunShown>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    match api.service.0.ledger.run(id).await? {
        Some(run) => Ok(Json(run.into())),
        None => Err(Problem::new(404, "Not found", format!("there is no run {id}")).into()),
    }
}

/// A run's mails, in order of address.
#[utoipa::path(
    get,
    path = "/v1/digest-runs/{id}/mails",
    operation_id = "listDigestMails",
    tag = "Digest runs",
    security(("bearer" = ["operate"])),
    params(("id" = i64, Path, description = "The run's number."), Page),
    responses(
        Guarded,
        (status = 200, description = "One page of them; none when there is no such run.", body = Mails),
        (status = 400, description = "The query was not understood; as text: the path's number is none.",
            content((Problem = "application/problem+json"), (String = "text/plain; charset=utf-8"))),
    )
)]
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
#[utoipa::path(
    post,
    path = "/v1/digest-runs",
    operation_id = "openDigestRun",
    tag = "Digest runs",
    security(("bearer" = ["operate"])),
    request_body = Opened,
    responses(
        Guarded,
        TakesJson,
        (status = 201, description = "Opened, its audience frozen; sending has begun.", body = RunShown),
        (status = 200, description = "Nobody of this frequency is owed anything: `null`, and no run.", body = Option<RunShown>),
        (status = 422, description = "Not what is described.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
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
#[utoipa::path(
    post,
    path = "/v1/digest-runs/{id}/resume",
    operation_id = "resumeDigestRun",
    tag = "Digest runs",
    security(("bearer" = ["operate"])),
    params(("id" = i64, Path, description = "The run's number.")),
    responses(
        Guarded,
        (status = 204, description = "It goes on."),
        (status = 400, description = "The path's number is none.", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 404, description = "No run has this number.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(super) async fn resume(
    State(api): State<Api>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<StatusCode, Refused> {
    api.allow(&headers, Scope::Operate).await?;
    api.service.resume_run(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
