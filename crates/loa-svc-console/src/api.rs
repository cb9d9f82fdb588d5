//! `/v1/dead-letters…`: what could not be processed and what no queue took, for machines that operate Loa. The command line
//! does the same by the same operations (`dead_letters`).
//!
//! A broker goes round all letters of a queue to show one. So one request at a time has its turn, lists come in pages, and a
//! walk that was begun is ended even when its caller has gone: given up in the middle, it would count as a delivery of what was
//! in hand.

use crate::{
    Service,
    dead_letters::{self as operations, DeadLetterError, Discarded, LetterLine, Redriven, Which, WholeLetter},
    walks::{ANSWER_WITHIN, Walk},
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use loa_bus::{Bus, BusErrorKind, Place};
use loa_domain::with_causes;
use loa_http::{Guarded, Problem, TakesJson, ToOperate, ToRead, rows};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The most letters that one request names.
const NAMED_MAX: usize = 1_000;

/// What is kept by nobody on the way.
const NOT_KEPT: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// The one list of these routes.
pub(crate) fn routes_described() -> OpenApiRouter<Service> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(redrive)).routes(routes!(discard))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Only of this queue: `archive`, `feed`, `digest`, `push`, or `unrouted` (what no queue took).
    queue: Option<String>,
    /// The letter after which the page begins: `next` of the page before.
    after: Option<String>,
    /// How many; 100 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeadLetters)]
struct ListShown {
    /// Queue by queue, those of a queue oldest first.
    letters: Vec<LetterLine>,
    /// For the next page's `after`; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Queues with a thousand letters or more: only a thousand of them are listed. On a broker those that were looked at go
    /// behind the others, so here ask for a page of 1000, and again for the next ones.
    only_the_oldest_of: Vec<&'static str>,
}

/// Letters, by name.
#[derive(Deserialize, ToSchema)]
#[schema(as = DeadLettersNamed)]
#[serde(deny_unknown_fields)]
struct Named {
    /// 1 to 1000 names, as a list has them: `feed/3f9a2c1b4d5e`. Each must be there.
    #[schema(min_items = 1, max_items = 1000)]
    letters: Vec<String>,
}

/// Letters that are to have another chance.
#[derive(Deserialize, ToSchema)]
#[schema(as = DeadLettersToRedrive)]
#[serde(deny_unknown_fields)]
struct ToRedrive {
    /// 1 to 1000 names, as a list has them: `feed/3f9a2c1b4d5e`. Each must be there.
    #[schema(min_items = 1, max_items = 1000)]
    letters: Vec<String>,
    /// For what no queue took (`unrouted/…`) alone: the routing key to publish it under, instead of its own.
    #[schema(example = "article.published.tin-tuc")]
    key: Option<String>,
}

/// Lists dead letters, and what no queue took.
#[utoipa::path(
    get,
    path = "/v1/dead-letters",
    operation_id = "listDeadLetters",
    tag = "Dead letters",
    security(("bearer" = ["read"])),
    params(Page),
    responses(
        Guarded,
        (status = 200, description = "One page of them.", body = ListShown),
        (status = 400, description = "The query was not understood.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn list(
    State(service): State<Service>,
    _: ToRead,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<([(HeaderName, &'static str); 1], Json<ListShown>), Problem> {
    let Query(page) = page?;
    let mut places = operations::places(page.queue.as_deref()).map_err(|error| bad_query(&error))?;
    if let Some(after) = &page.after {
        let first = after.split_once('/').and_then(|(place, _)| Place::parse(place));
        let first = first.ok_or_else(|| Problem::new(400, "The query was not understood", NO_NAME))?;
        places.retain(|place| *place >= first);
    }
    let list = looked(in_turn(&service, async move |bus| operations::list(&*bus, &places).await).await)?;
    Ok((NOT_KEPT, Json(page_of(list, page.after.as_deref(), rows(page.limit) as usize))))
}

const NO_NAME: &str = "`after` is no name of a letter: a list has them like feed/3f9a2c1b4d5e";

fn bad_query(error: &DeadLetterError) -> Problem {
    Problem::new(400, "The query was not understood", error.to_string())
}

/// The part of a list behind a letter. One that is not there any more was the first of its queue or before: then the page
/// begins with it.
fn page_of(list: operations::List, after: Option<&str>, limit: usize) -> ListShown {
    let behind = after.and_then(|after| list.letters.iter().position(|line| line.letter == after));
    let mut letters: Vec<LetterLine> = list.letters.into_iter().skip(behind.map_or(0, |place| place + 1)).collect();
    let is_last = letters.len() <= limit;
    letters.truncate(limit);
    let next = letters.last().filter(|_| !is_last).map(|line| line.letter.clone());
    ListShown { letters, next, only_the_oldest_of: list.cut.into_iter().map(Place::word).collect() }
}

/// Shows one letter, whole, with what to do about it.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/{queue}/{key}",
    operation_id = "deadLetter",
    tag = "Dead letters",
    security(("bearer" = ["read"])),
    params(
        ("queue" = String, Path, description = "`archive`, `feed`, `digest`, `push`, or `unrouted`."),
        ("key" = String, Path, description = "Its key there."),
    ),
    responses(
        Guarded,
        (status = 200, description = "The letter.", body = WholeLetter),
        (status = 404, description = "There is no such letter.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn one(
    State(service): State<Service>,
    _: ToRead,
    Path((queue, key)): Path<(String, String)>,
) -> Result<([(HeaderName, &'static str); 1], Json<WholeLetter>), Problem> {
    let Some(place) = Place::parse(&queue).filter(|_| !key.is_empty()) else {
        return Err(Problem::not_found(format!("there is no letter {queue}/{key}")));
    };
    let walk = in_turn(&service, async move |bus| operations::show_named(&*bus, place, &key).await).await;
    let (letter, others) = looked(walk)?;
    Ok((NOT_KEPT, Json(WholeLetter::of(&letter, others))))
}

/// Gives letters a second chance: a dead one in the queue it died in, what no queue took in every queue that takes its key.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/redrive",
    operation_id = "redriveDeadLetters",
    tag = "Dead letters",
    security(("bearer" = ["operate"])),
    request_body = ToRedrive,
    responses(
        Guarded,
        TakesJson,
        (status = 200, description = "Those that could go are on their way; each of the others stays, with why.", body = Redriven),
        (status = 202, description = "It is begun, and goes on.", body = GoesOn),
        (status = 404, description = "One of them is not there; nothing was changed.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 422, description = "It cannot be meant so; nothing was changed.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn redrive(
    State(service): State<Service>,
    ToOperate(caller): ToOperate,
    asked: Result<Json<ToRedrive>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(ToRedrive { letters, key }) = asked?;
    let which = named(letters)?;
    changed(
        in_turn(&service, async move |bus| {
            let done = operations::redrive(&*bus, which, key.as_deref()).await?;
            let (missed, unfinished) = (done.missed.len(), done.unfinished.as_deref());
            tracing::info!(
                token = %caller.name,
                redriven = done.redriven,
                stayed = done.stayed,
                missed,
                unfinished,
                "dead letters were redriven"
            );
            Ok(done)
        })
        .await,
    )
}

/// Deletes letters for good.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/discard",
    operation_id = "discardDeadLetters",
    tag = "Dead letters",
    security(("bearer" = ["operate"])),
    request_body = Named,
    responses(
        Guarded,
        TakesJson,
        (status = 200, description = "What is deleted; and why not all, if so.", body = Discarded),
        (status = 202, description = "It is begun, and goes on.", body = GoesOn),
        (status = 404, description = "One of them is not there; nothing was deleted.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 422, description = "It cannot be meant so; nothing was deleted.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
async fn discard(
    State(service): State<Service>,
    ToOperate(caller): ToOperate,
    asked: Result<Json<Named>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Named { letters }) = asked?;
    let which = named(letters)?;
    changed(
        in_turn(&service, async move |bus| {
            let done = operations::discard(&*bus, which).await?;
            let (missed, unfinished) = (done.missed.len(), done.unfinished.as_deref());
            tracing::info!(
                token = %caller.name,
                discarded = done.discarded.len(),
                missed,
                unfinished,
                "dead letters were deleted for good"
            );
            Ok(done)
        })
        .await,
    )
}

fn named(letters: Vec<String>) -> Result<Which, Problem> {
    if !(1..=NAMED_MAX).contains(&letters.len()) {
        let detail = format!("1 to {NAMED_MAX} letters are named in one request; these are {}", letters.len());
        return Err(Problem::new(422, "Too many, or none", detail).at("/letters"));
    }
    Ok(Which { letters, ..Which::default() })
}

/// What is said when a change was begun and takes longer than an answer may.
#[derive(Serialize, ToSchema)]
#[schema(as = DeadLettersGoOn)]
struct GoesOn {
    /// What goes on, and where it is told how it ended.
    goes_on: &'static str,
}

const GOES_ON: GoesOn = GoesOn {
    goes_on: "it is begun, takes longer than an answer may, and goes on to its end; the log tells what came of it, and \
              GET /v1/dead-letters what is there",
};

/// A change: what came of it, or 202 when it goes on.
fn changed<T: Serialize>(walk: Walk<Result<T, DeadLetterError>>) -> Result<Response, Problem> {
    match walk {
        Walk::GoesOn => Ok((StatusCode::ACCEPTED, Json(GOES_ON)).into_response()),
        walk => looked(walk).map(|outcome| Json(outcome).into_response()),
    }
}

/// A look: what was seen.
fn looked<T>(walk: Walk<Result<T, DeadLetterError>>) -> Result<T, Problem> {
    match walk {
        Walk::Done(outcome) => outcome.map_err(Problem::from),
        Walk::GoesOn => Err(Problem::unavailable("the queues are long, and the look takes longer than an answer may")),
        Walk::NotBegun => Err(Problem::unavailable("somebody else goes through the letters; nothing was begun")),
        Walk::BrokeOff => Err(Problem::fault("the walk through the letters broke off; the log says more")),
    }
}

/// Does it when nobody else walks through letters. It is ended, and told in the log, even when nobody waits for it any more.
async fn in_turn<T: Send + 'static, F>(
    service: &Service,
    operation: impl FnOnce(Arc<dyn Bus>) -> F,
) -> Walk<Result<T, DeadLetterError>>
where
    F: Future<Output = Result<T, DeadLetterError>> + Send + 'static,
{
    let operation = operation(service.0.doors.bus.clone());
    let walk = async move {
        let outcome = operation.await;
        // whoever was told that it goes on reads here how it ended, also when nothing was done
        match &outcome {
            Ok(_) => {}
            Err(error @ DeadLetterError::Bus { .. }) => {
                tracing::warn!(error = %with_causes(error), "the bus did not do what was asked with dead letters");
            }
            Err(DeadLetterError::NotThere(_)) => tracing::info!("no such dead letter; nothing was changed"),
            Err(DeadLetterError::Meant(_) | DeadLetterError::Several(_)) => {
                tracing::info!("what was asked with dead letters cannot be meant so; nothing was changed");
            }
        }
        outcome
    };
    service.0.walks.walk(ANSWER_WITHIN, walk).await
}

impl From<DeadLetterError> for Problem {
    fn from(error: DeadLetterError) -> Self {
        match &error {
            DeadLetterError::Meant(sentence) => Self::new(422, "Not to be meant so", sentence),
            DeadLetterError::NotThere(sentence) => Self::not_found(sentence),
            DeadLetterError::Several(sentence) => Self::new(409, "Several letters", sentence),
            DeadLetterError::Bus { error: why, .. } if why.kind == BusErrorKind::Rejected => {
                Self::new(422, "Not to be meant so", with_causes(&error))
            }
            DeadLetterError::Bus { .. } => Self::unavailable(with_causes(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_bus::Queue;

    fn list(names: &[&str]) -> operations::List {
        let line = |name: &&str| LetterLine {
            letter: (*name).to_owned(),
            queue: "feed".to_owned(),
            message_id: String::new(),
            routing_key: String::new(),
            kind: None,
            reason: String::new(),
            position: String::new(),
            dead_at: None,
            first_dead_at: None,
            deaths: 1,
            buried_by: String::new(),
            headers_left_out: String::new(),
            bytes: 0,
        };
        operations::List { letters: names.iter().map(line).collect(), cut: vec![Place::Dead(Queue::Feed)] }
    }

    #[test]
    fn pages_go_through_a_list_to_its_end_and_one_says_when_it_is_the_last() {
        let names = |page: &ListShown| page.letters.iter().map(|line| line.letter.clone()).collect::<Vec<_>>();
        let there = ["feed/1", "feed/2", "feed/3"];
        let first = page_of(list(&there), None, 2);
        assert_eq!((names(&first), first.next.as_deref()), (vec!["feed/1".into(), "feed/2".into()], Some("feed/2")));
        assert_eq!(first.only_the_oldest_of, ["feed"]);
        let last = page_of(list(&there), first.next.as_deref(), 2);
        assert_eq!((names(&last), last.next), (vec!["feed/3".to_owned()], None));
        let gone = page_of(list(&there[2..]), Some("feed/2"), 2);
        assert_eq!(names(&gone), ["feed/3"], "what was redriven meanwhile hides no other");
        assert_eq!(page_of(list(&there[..2]), None, 2).next, None);
    }
}
