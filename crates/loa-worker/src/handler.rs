//! What a service does with messages, and the two decisions that are the same for every service: what a message decodes
//! to, and what follows when a ledger does not take a batch.
//!
//! Messages come from `consume.rs`, events go to a service's ledger. Nothing here knows which service or broker it is.

use async_trait::async_trait;
use loa_area::Directory;
use loa_bus::{DeadReason, Message, Received};
use loa_domain::{Event, PUBLISHED_REVISION_MAX};
use loa_store::{StoreError, StoreErrorKind};
use std::error::Error;

/// What a service does with messages.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// A decoded message.
    type Item: Clone + Send + Sync + 'static;

    /// Decodes a message: pure. `Err` sends it to the dead letters.
    ///
    /// # Errors
    /// The reason and position, for an operator.
    fn decode(&self, message: &Message) -> Result<Self::Item, DeadReason>;

    /// Takes a batch into the ledger, in one transaction, in the given order. Repeats are no change.
    ///
    /// # Errors
    /// See [`AcceptError`]; nothing of the batch may have been kept.
    async fn accept(&self, batch: Vec<Self::Item>) -> Result<(), AcceptError>;
}

/// Why a batch was not accepted, by what the loop does about it.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The ledger is away or damaged: hold the batch and try again in place, for as long as it takes.
    #[error("the ledger is away")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Another replica wrote the same rows at the same moment: try the same batch again in place, a few times.
    #[error("another replica was first")]
    Conflict(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else: find the message at fault and give it back.
    #[error("the batch was not accepted")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// What follows when a ledger does not take a batch: the one policy of all services.
///
/// `Conflict` means in each ledger that a row was there already when it was written, although it was not when the
/// transaction looked. Another replica has accepted the same event; the next try sees its rows. A conflict that stays is a
/// defect, so the loop counts the tries. `Corrupt` lies in the ledger: no message is at fault, whichever of them met the row
/// that cannot be read, so they are held like those of a ledger that is away. (Ledgers set such rows aside where they can.)
/// `Stale`, `NotFound` and `Rejected` lie in the batch, and do not pass by themselves.
pub fn accept_error(error: StoreError) -> AcceptError {
    match error.kind {
        StoreErrorKind::Unavailable | StoreErrorKind::Corrupt => AcceptError::Unavailable(error.into()),
        StoreErrorKind::Conflict => AcceptError::Conflict(error.into()),
        StoreErrorKind::Stale | StoreErrorKind::NotFound | StoreErrorKind::Rejected => {
            AcceptError::Failed(error.into())
        }
    }
}

/// Decodes a message into an event, with the areas of this directory, and refuses a revision that is beyond reason
/// ([`PUBLISHED_REVISION_MAX`]). What was left out of it is logged: a producer on the bus has no answer to read it in.
///
/// # Errors
/// The refusal's sentence and position: the message will never be an event.
pub fn decode_event(message: &Message, directory: &Directory) -> Result<Event, DeadReason> {
    let content_type = Some(message.content_type.as_str()).filter(|text| !text.is_empty());
    let id = Some(message.id.as_str()).filter(|id| !id.is_empty());
    loa_event::decode_with_notes(content_type, &message.headers, id, &message.body, directory)
        .and_then(|(event, notes)| {
            if let Some(content) = event.content() {
                loa_event::within_reason(content.revision(), PUBLISHED_REVISION_MAX)?;
            }
            for note in notes {
                tracing::info!(article = %event.subject(), event = %event.key.id, note = %note.sentence, "an event is taken without a part");
            }
            Ok(event)
        })
        .map_err(|refusal| DeadReason { position: refusal.position(), reason: refusal.sentence })
}

/// Why a message is no event whatever its other headers say: an attribute of an event in binary mode has a type without one
/// text. A header without a value counts as absent, unless every event needs it.
pub(crate) fn odd_attribute(received: &Received) -> Option<DeadReason> {
    let content_type = received.message.content_type.as_str();
    if content_type.get(..MEDIA_TYPES.len()).is_some_and(|head| head.eq_ignore_ascii_case(MEDIA_TYPES)) {
        return None; // in structured mode headers are not looked at
    }
    received.odd_headers.iter().find_map(|(header, kind)| {
        let name = loa_event::attribute_name(header)?;
        if kind.ends_with("(AMQP void)") && !REQUIRED.contains(&name.as_str()) {
            return None;
        }
        let reason = format!(
            "the header `{}` is {kind}; an attribute of an event must be text, an integer, true or false, or a timestamp",
            header.escape_debug()
        );
        Some(DeadReason { reason, position: format!("/{name}") })
    })
}

/// How the content type of an event in structured mode begins.
const MEDIA_TYPES: &str = "application/cloudevents";
/// The attributes that every event needs.
const REQUIRED: [&str; 5] = ["specversion", "type", "source", "id", "subject"];

#[cfg(test)]
mod tests {
    use super::*;
    use loa_bus::{OddHeaders, Tag};

    #[test]
    fn a_ledger_that_is_away_or_damaged_holds_a_conflict_is_tried_again_and_all_else_is_isolated() {
        let policy = |kind| match accept_error(StoreError::new(kind, "it was so")) {
            AcceptError::Unavailable(_) => "hold",
            AcceptError::Conflict(_) => "again",
            AcceptError::Failed(_) => "isolate",
        };
        assert_eq!(policy(StoreErrorKind::Unavailable), "hold");
        assert_eq!(policy(StoreErrorKind::Corrupt), "hold", "what lies in the ledger is no message's fault");
        assert_eq!(policy(StoreErrorKind::Conflict), "again");
        for kind in [StoreErrorKind::Stale, StoreErrorKind::NotFound, StoreErrorKind::Rejected] {
            assert_eq!(policy(kind), "isolate", "{kind:?}");
        }
    }

    #[test]
    fn what_is_no_event_is_a_dead_letter_with_reason_and_position() {
        let message = Message {
            id: String::new(),
            content_type: "application/cloudevents+json".to_owned(),
            headers: std::collections::BTreeMap::new(),
            body: r#"{"specversion": "0.3"}"#.into(),
        };
        let dead = decode_event(&message, &Directory::empty()).unwrap_err();
        assert_eq!(dead.position, "/specversion");
        assert!(dead.reason.contains("specversion"), "{}", dead.reason);
    }

    #[test]
    fn a_revision_beyond_reason_is_a_dead_letter_but_not_of_a_withdrawal() {
        let decoded = |verb: &str, revision: u64| {
            let body = format!(
                r#"{{"specversion":"1.0","id":"e","source":"https://a.vn/","subject":"a","type":"vn.loa.article.{verb}.v1",
                "data":{{"id":"a","revision":{revision},"url":"https://a.vn/a","title":"T","category":{{"slug":"s"}},
                "published_at":"2026-11-29T08:00:00Z","at":"2026-11-29T08:00:00Z"}}}}"#
            );
            let message = Message {
                id: String::new(),
                content_type: "application/cloudevents+json".to_owned(),
                headers: std::collections::BTreeMap::new(),
                body: body.into(),
            };
            decode_event(&message, &Directory::empty())
        };
        decoded("published", 1_790_000_000_000_000).expect("microseconds are usual");
        let dead = decoded("published", 9_007_199_254_740_991).unwrap_err();
        assert_eq!(dead.position, "/data/revision");
        assert!(dead.reason.contains("9007199254740991") && dead.reason.contains("without"), "{}", dead.reason);
        decoded("withdrawn", 9_007_199_254_740_991).expect("what is taken back is gone");
    }

    #[test]
    fn an_attribute_without_one_text_is_refused_by_header_and_type() {
        let received = |content_type: &str, header: &str, kind: &'static str| Received {
            tag: Tag(1),
            message: Message {
                id: String::new(),
                content_type: content_type.to_owned(),
                headers: std::collections::BTreeMap::new(),
                body: "{}".into(),
            },
            odd_headers: OddHeaders::from([(header.to_owned(), kind)]),
            routing_key: String::new(),
            redelivered: false,
        };
        for header in ["cloudEvents:id", "cloudEvents_id", "ce-id", "CLOUDEVENTS:ID"] {
            let dead = odd_attribute(&received("application/json", header, "an AMQP table")).unwrap();
            assert!(dead.reason.contains(header) && dead.reason.contains("an AMQP table"), "{}", dead.reason);
            assert_eq!(dead.position, "/id");
        }
        assert!(odd_attribute(&received("", "ce-id", "nothing (AMQP void)")).is_some());
        assert!(odd_attribute(&received("", "ce-traceparent", "nothing (AMQP void)")).is_none(), "absent");
        assert!(odd_attribute(&received("", "x-retries", "an AMQP table")).is_none(), "not ours to read");
        assert!(odd_attribute(&received("application/cloudevents+json", "ce-id", "an AMQP table")).is_none());
    }
}
