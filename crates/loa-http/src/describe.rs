//! What the HTTP API answers alike in every service (OpenAPI): refusals before an operation has begun.
//!
//! Operations name [`Guarded`] and [`TakesJson`] among their responses; these only refer to the answers
//! by name. The binary puts [`answers`] into the whole document, once. What one operation alone refuses
//! stands at that operation.

use crate::Problem;
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Header, Object, Ref, RefOr, Response, ResponseBuilder, Type},
};

/// What every operation that needs a token may answer: 401, 403, 500, 503.
#[derive(Debug)]
pub struct Guarded;

/// What an operation that reads JSON may answer before it looks at the content: 400, 413, 415.
#[derive(Debug)]
pub struct TakesJson;

impl IntoResponses for Guarded {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references([("401", "Unauthorized"), ("403", "Forbidden"), ("500", "Fault"), ("503", "Unavailable")])
    }
}

impl IntoResponses for TakesJson {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references([("400", "NotJson"), ("413", "TooLarge"), ("415", "NotSaidToBeJson")])
    }
}

/// The answers themselves, by the names that [`Guarded`] and [`TakesJson`] refer to.
pub fn answers() -> Vec<(&'static str, Response)> {
    vec![
        (
            "Unauthorized",
            with_header(
                "WWW-Authenticate",
                "`Bearer` (RFC 6750 §3).",
                "No token was sent, or it is unknown or revoked.",
            ),
        ),
        ("Forbidden", problem("The token's scope does not allow this.").build()),
        ("Fault", problem("A fault of Loa's own; the log says more.").build()),
        (
            "Unavailable",
            with_header(
                "Retry-After",
                "When to try again, in seconds (RFC 9110 §10.2.3).",
                "A ledger does not answer just now; nothing was changed; try again. Without a body: the request took over 30 seconds.",
            ),
        ),
        ("NotJson", problem("The body is not JSON.").build()),
        ("TooLarge", problem("The body is larger than this operation takes.").build()),
        ("NotSaidToBeJson", problem("The content type is not `application/json`.").build()),
    ]
}

fn references<const N: usize>(names: [(&str, &str); N]) -> BTreeMap<String, RefOr<Response>> {
    names.map(|(status, name)| (status.to_owned(), Ref::from_response_name(name).into())).into()
}

fn problem(description: &str) -> ResponseBuilder {
    let schema = Ref::from_schema_name(Problem::name());
    ResponseBuilder::new()
        .description(description)
        .content(Problem::MEDIA_TYPE, ContentBuilder::new().schema(Some(schema)).build())
}

fn with_header(name: &str, meaning: &str, description: &str) -> Response {
    let mut header = Header::new(Object::with_type(Type::String));
    header.description = Some(meaning.to_owned());
    problem(description).header(name, header).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_that_is_referred_to_is_there_and_no_other() {
        let mut referred: Vec<String> = Guarded::responses()
            .into_values()
            .chain(TakesJson::responses().into_values())
            .map(|response| match response {
                RefOr::Ref(reference) => reference.ref_location.replace("#/components/responses/", ""),
                RefOr::T(_) => panic!("written out instead of referred to"),
            })
            .collect();
        let mut there: Vec<String> = answers().into_iter().map(|(name, _)| name.to_owned()).collect();
        referred.sort();
        there.sort();
        assert_eq!(referred, there);
    }
}
