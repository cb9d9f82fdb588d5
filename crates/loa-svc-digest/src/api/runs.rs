//! `/v1/digest-runs`: runs in figures, their mails, starting one by hand, resuming a stopped one.

use super::{Api, MailboxPage, problems::ledger};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header::ACCEPT_LANGUAGE},
};
use jiff::{Timestamp, civil::Date};
use loa_domain::{Account, Because, Frequency, MailReason, MailState, PauseReason};
use loa_http::{Guarded, Problem, TakesJson, ToOperate, ToRead, rows};
use loa_store::{MailView, Run};
use loa_words::Language;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
    paused: Option<PausedShown>,
    account: Account,
}

/// Why a run is stopped.
#[derive(Serialize, ToSchema)]
#[schema(as = DigestRunPaused)]
struct PausedShown {
    reason: PauseReason,
    /// What the mail server said; empty: nothing.
    words: String,
    /// Both in a sentence, in the language of `Accept-Language`: `vi` unless said, or `en`.
    detail: String,
}

impl PausedShown {
    fn of(why: &Because<PauseReason>, language: Language) -> Self {
        Self { reason: why.reason, words: why.words.to_string(), detail: language.words().pause(why) }
    }
}

impl RunShown {
    fn of(run: Run, language: Language) -> Self {
        Self {
            id: run.id,
            frequency: run.key.frequency,
            on: run.key.on,
            zone: run.key.zone,
            slot: run.key.slot,
            cutoff: run.cutoff,
            created_at: run.created_at,
            planned: run.planned,
            paused: run.paused.map(|why| PausedShown::of(&why, language)),
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
    /// Why it was not sent, or not yet; null: it was sent, or not tried.
    reason: Option<MailReason>,
    /// What the mail server said last; empty: nothing.
    words: String,
    /// Both in a sentence, in the language of `Accept-Language`: `vi` unless said, or `en`.
    detail: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

impl MailShown {
    fn of(mail: MailView, language: Language) -> Self {
        Self {
            subscription: mail.id.subscription.into(),
            email: mail.email.into(),
            state: mail.state,
            attempts: mail.attempts,
            reason: mail.reason,
            detail: language.words().mail(mail.reason, &mail.words),
            words: mail.words.to_string(),
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
    _: ToRead,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Runs>, Problem> {
    let Query(which) = which?;
    let limit = rows(which.limit);
    let runs = match which.state {
        Some(WhichState::Stuck) => api.service.0.doors.views.stuck_runs(limit).await,
        None => api.service.0.doors.views.runs(limit).await,
    }
    .map_err(ledger)?;
    let language = language(&headers);
    Ok(Json(Runs { runs: runs.into_iter().map(|run| RunShown::of(run, language)).collect() }))
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
    _: ToRead,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Json<RunShown>, Problem> {
    match api.service.0.doors.views.run(id).await.map_err(ledger)? {
        Some(run) => Ok(Json(RunShown::of(run, language(&headers)))),
        None => Err(Problem::not_found(format!("there is no run {id}"))),
    }
}

/// A run's mails, in order of address.
#[utoipa::path(
    get,
    path = "/v1/digest-runs/{id}/mails",
    operation_id = "listDigestMails",
    tag = "Digest runs",
    security(("bearer" = ["operate"])),
    params(("id" = i64, Path, description = "The run's number."), MailboxPage),
    responses(
        Guarded,
        (status = 200, description = "One page of them; none when there is no such run.", body = Mails),
        (status = 400, description = "The query was not understood; as text: the path's number is none.",
            content((Problem = "application/problem+json"), (String = "text/plain; charset=utf-8"))),
    )
)]
pub(super) async fn mails(
    State(api): State<Api>,
    _: ToOperate,
    headers: HeaderMap,
    Path(id): Path<i64>,
    page: Result<Query<MailboxPage>, QueryRejection>,
) -> Result<Json<Mails>, Problem> {
    let Query(page) = page?;
    let limit = rows(page.limit);
    let found = api.service.0.doors.views.mails(id, &page.after.to_ascii_lowercase(), limit).await.map_err(ledger)?;
    let next = (found.len() == limit as usize).then(|| found.last().map(|last| last.email.key())).flatten();
    let language = language(&headers);
    Ok(Json(Mails { mails: found.into_iter().map(|mail| MailShown::of(mail, language)).collect(), next }))
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
    _: ToOperate,
    headers: HeaderMap,
    opened: Result<Json<Opened>, JsonRejection>,
) -> Result<(StatusCode, Json<Option<RunShown>>), Problem> {
    let Json(opened) = opened?;
    let run = api.service.open_run_now(opened.frequency).await.map_err(ledger)?;
    let run = run.map(|run| RunShown::of(run, language(&headers)));
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
pub(super) async fn resume(State(api): State<Api>, _: ToOperate, Path(id): Path<i64>) -> Result<StatusCode, Problem> {
    api.service.resume_run(id).await.map_err(ledger)?;
    Ok(StatusCode::NO_CONTENT)
}

fn language(headers: &HeaderMap) -> Language {
    Language::of_request(headers.get(ACCEPT_LANGUAGE))
}
