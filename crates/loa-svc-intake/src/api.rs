//! The producers' API: `POST /v1/articles`, `DELETE /v1/articles/{id}`, `GET /v1/articles/{id}`.
//!
//! 202 means: it is on disk, and the relay will send it on. A repeat answers 200 with the revision it was first given.
//! Publishing and withdrawing need a token of scope `publish`, looking one of scope `read`. Problems are RFC 9457.

use crate::{
    Item, Receipt, Service,
    refused::{Refused, problem, refused},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use loa_domain::{ArticleId, Scope};
use loa_event::{limits::EVENT_BYTES_MAX, strict_json};
use loa_worker::{Problem, TokenCheck, bearer_token};
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest body of a withdrawal, in bytes: a reason in JSON.
const REASON_BODY_MAX: usize = 64 * 1024;

#[derive(Clone)]
struct Api {
    service: Service,
    tokens: Arc<dyn TokenCheck>,
}

impl Service {
    /// The API of intake, with absolute paths; to be merged into the process's router.
    pub fn router(&self, tokens: Arc<dyn TokenCheck>) -> Router {
        Router::new()
            .route("/v1/articles", post(publish))
            .route("/v1/articles/{id}", get(current).delete(withdraw))
            .layer(DefaultBodyLimit::max(EVENT_BYTES_MAX))
            .with_state(Api { service: self.clone(), tokens })
    }
}

impl Api {
    async fn allow(&self, headers: &HeaderMap, wanted: Scope) -> Result<(), Refused> {
        let secret = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer_token);
        let Some(secret) = secret else { return Err(Problem::unauthorized(wanted).into()) };
        match self.tokens.check(secret, wanted).await {
            Ok(Some(name)) => {
                tracing::debug!(token = %name, "let in");
                Ok(())
            }
            Ok(None) => Err(Problem::unauthorized(wanted).into()),
            Err(error) => {
                tracing::warn!(error = %error, "tokens cannot be checked");
                Err(Problem::new(503, "Not available just now", "tokens cannot be checked just now; try again").into())
            }
        }
    }
}

/// The body is an article, or `{ "article": … }`, or `{ "document": … }`.
async fn publish(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    api.allow(&headers, Scope::Publish).await?;
    let body = read(&headers, body)?;
    let (item, wrapper) = Item::from_json(&body).map_err(|refusal| refused(&refusal, ""))?;
    let receipt = api.service.publish(item).await.map_err(|error| problem(&error, wrapper))?;
    Ok(answer(&receipt))
}

/// The reason is in the body, `{ "reason": "…" }`, or in the query, `?reason=…`; it may be left out.
async fn withdraw(
    State(api): State<Api>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    api.allow(&headers, Scope::Publish).await?;
    let body = body.map_err(|rejection| {
        Problem::new(rejection.status().as_u16(), "The body cannot be read", rejection.body_text())
    })?;
    let reason = reason(query.as_deref(), &body)?;
    let receipt = api.service.withdraw(&id, &reason).await.map_err(|error| problem(&error, ""))?;
    Ok(answer(&receipt))
}

/// What stands of an article that came in here.
async fn current(State(api): State<Api>, Path(id): Path<String>, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    api.allow(&headers, Scope::Read).await?;
    let unknown = || Problem::new(404, "Not found", format!("nothing of the id {id:?} was ever published here"));
    let id = ArticleId::new(&*id).map_err(|_| unknown())?;
    let current = api.service.current(&id).await.map_err(|error| problem(&error.into(), ""))?;
    let current = current.ok_or_else(unknown)?;
    Ok(Json(json!({
        "id": id,
        "revision": current.revision,
        "withdrawn": current.withdrawn,
        "source": current.event.source,
        "event_id": current.event.id,
        "category": current.category,
        "journey": journey(&id),
    })))
}

/// The body, when it says that it is JSON or says nothing.
fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !(media_type.is_empty() || media_type == "application/json" || media_type.ends_with("+json")) {
        let detail = format!("the content type is {media_type:?}; send the article as application/json");
        return Err(Problem::new(415, "JSON is needed", detail));
    }
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            413,
            "Too large",
            format!("an article has at most {EVENT_BYTES_MAX} bytes; send pictures and files as addresses"),
        ),
        status => Problem::new(status.as_u16(), "The body cannot be read", rejection.body_text()),
    })
}

fn reason(query: Option<&str>, body: &[u8]) -> Result<String, Problem> {
    if body.len() > REASON_BODY_MAX {
        return Err(Problem::new(413, "Too large", format!("a reason has at most {REASON_BODY_MAX} bytes")));
    }
    if !body.trim_ascii().is_empty() {
        let value = strict_json(body).map_err(|refusal| refused(&refusal, ""))?;
        let reason = value.get("reason").filter(|reason| !reason.is_null());
        return match reason {
            None => Ok(String::new()),
            Some(Value::String(reason)) => Ok(reason.clone()),
            Some(_) => Err(Problem::new(422, "The content is not accepted", "`reason` must be text").at("/reason")),
        };
    }
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    Ok(pairs.into_iter().find(|(name, _)| name == "reason").map(|(_, reason)| reason.into_owned()).unwrap_or_default())
}

fn answer(receipt: &Receipt) -> Response {
    let status = if receipt.unchanged { StatusCode::OK } else { StatusCode::ACCEPTED };
    let journey = journey(&receipt.id);
    let mut body = json!(receipt);
    if let Value::Object(members) = &mut body {
        members.insert("journey".to_owned(), journey.clone().into());
    }
    (status, [(header::LOCATION, journey)], Json(body)).into_response()
}

/// The address of an article's journey. An id may hold `/` and letters of any script.
fn journey(id: &ArticleId) -> String {
    let encoded: String = id.as_str().bytes().map(encode_byte).collect();
    format!("/v1/articles/{encoded}/journey")
}

fn encode_byte(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
