//! The limits of a message, checked before a broker sees it.
//!
//! A broker answers an oversized message by closing the whole channel, which also loses the other
//! messages of the window. So each adapter calls [`check`] first and refuses that one message
//! alone. Pure; it knows nothing of any broker.

use crate::{BusError, BusErrorKind, DeadReason, Outgoing, Place, Queue, Route, UNROUTED, is_routed};
use loa_domain::{DeadCause, MessagePart, NotCarried, StayReason};

/// Largest body, in bytes. The contract allows 1 MiB; this is RabbitMQ 4's default `max_message_size`, so that a foreign
/// producer's larger message can still be redriven.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest routing key, message id, content type and header name, in bytes (AMQP 0-9-1 §4.2.5.3, short strings).
pub const SHORT_TEXT_BYTES_MAX: usize = 255;
/// All headers together, in bytes: they travel in one frame with the other properties, and a frame of 128 KiB is what
/// both sides agree on by default. The rest is room for the headers that a dead letter gets.
pub const HEADERS_BYTES_MAX: usize = 96 * 1024;

/// A batch is full once its bodies together measure this, in bytes, whatever the number of
/// messages. Decoding and accepting hold a batch several times over, and a backlog of the largest
/// articles must not cost more memory than one of the smallest.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What the bodies of one list of letters measure together, in bytes, at most. One alone is listed whatever its size.
pub const LIST_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The room for bodies of one list.
#[derive(Debug, Default)]
pub struct ListRoom {
    taken: usize,
}

impl ListRoom {
    /// Takes room for a body; false: there is none for it.
    pub fn takes(&mut self, bytes: usize) -> bool {
        let fits = self.taken == 0 || self.taken.saturating_add(bytes) <= LIST_BYTES_MAX;
        if fits {
            self.taken += bytes;
        }
        fits
    }
}

/// Checks that every broker can carry the message.
///
/// # Errors
/// `Rejected`; the sentence says what is too long and by how much.
pub fn check(outgoing: &Outgoing) -> Result<(), BusError> {
    let message = &outgoing.message;
    if message.body.len() > BODY_BYTES_MAX {
        return Err(too_long(MessagePart::Body, message.body.len(), BODY_BYTES_MAX));
    }
    let routing_key = match &outgoing.route {
        Route::Topic(key) => key.as_str(),
        Route::Queue(_) => "",
    };
    for (part, text) in [
        (MessagePart::RoutingKey, routing_key),
        (MessagePart::MessageId, &message.id),
        (MessagePart::ContentType, &message.content_type),
    ] {
        if text.len() > SHORT_TEXT_BYTES_MAX {
            return Err(too_long(part, text.len(), SHORT_TEXT_BYTES_MAX));
        }
    }
    let mut headers_bytes = 0;
    for (name, value) in &message.headers {
        if name.len() > SHORT_TEXT_BYTES_MAX {
            return Err(too_long(MessagePart::HeaderName, name.len(), SHORT_TEXT_BYTES_MAX));
        }
        // a length byte, a type byte and four bytes of length stand around each
        headers_bytes += name.len() + value.len() + 6;
    }
    if headers_bytes > HEADERS_BYTES_MAX {
        return Err(too_long(MessagePart::Headers, headers_bytes, HEADERS_BYTES_MAX));
    }
    Ok(())
}

fn too_long(part: MessagePart, bytes: usize, bytes_max: usize) -> BusError {
    let what = match part {
        MessagePart::Body => "the body",
        MessagePart::RoutingKey => "the routing key",
        MessagePart::MessageId => "the message id",
        MessagePart::ContentType => "the content type",
        MessagePart::HeaderName => "a header's name",
        MessagePart::Headers => "the headers together",
    };
    BusError::new(BusErrorKind::Rejected, format!("{what} has {bytes} bytes; at most {bytes_max} can be carried"))
        .not_carried(NotCarried::TooLong { part, bytes, bytes_max })
}

/// Checks that a redrive can be meant so.
///
/// # Errors
/// `Rejected`: a routing key that no queue is bound for, or one for dead letters, which go to the one queue they died in.
pub fn check_redrive(place: Place, routing_key: Option<&str>) -> Result<(), BusError> {
    let rejected = |what| Err(BusError::new(BusErrorKind::Rejected, what));
    match (place, routing_key) {
        (_, None) => Ok(()),
        (Place::Dead(queue), Some(_)) => {
            rejected(format!("dead letters go back to {queue} alone; a routing key is for what lies in {UNROUTED}"))
        }
        (Place::Unrouted, Some(key)) if key.len() > SHORT_TEXT_BYTES_MAX => {
            rejected(format!("the routing key has {} bytes; at most {SHORT_TEXT_BYTES_MAX} can be carried", key.len()))
        }
        (Place::Unrouted, Some(key)) if !is_routed(key) => rejected(not_routed(key)),
        (Place::Unrouted, Some(_)) => Ok(()),
    }
}

/// The sentence about a routing key that no binding takes.
fn not_routed(key: &str) -> String {
    format!("no queue takes the routing key {key:?}; they are bound with {}", all_bindings())
}

/// Why a letter with such a key stays.
pub fn stays_unrouted(key: &str) -> StayReason {
    StayReason::NotRouted { key: key.into(), bindings: all_bindings() }
}

/// Why a message with such a key is kept.
pub fn why_unrouted(key: &str) -> DeadReason {
    let cause = DeadCause::NotRouted { key: key.into(), bindings: all_bindings() };
    DeadReason { reason: not_routed(key), cause: Some(cause), position: String::new() }
}

fn all_bindings() -> String {
    let bindings: std::collections::BTreeSet<_> = Queue::ALL.into_iter().flat_map(Queue::bindings).copied().collect();
    bindings.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use bytes::Bytes;
    use std::collections::BTreeMap;

    fn outgoing() -> Outgoing {
        Outgoing {
            route: Route::Topic("article.published.kinh-te".to_owned()),
            message: Message {
                id: "a".to_owned(),
                content_type: String::new(),
                headers: BTreeMap::new(),
                body: Bytes::new(),
            },
        }
    }

    #[test]
    fn a_message_within_the_contract_is_carried() {
        let mut message = outgoing();
        message.message.body = vec![0; 1024 * 1024].into();
        message.message.headers.insert("ce-id".to_owned(), "x".repeat(1000));
        assert!(check(&message).is_ok());
    }

    #[test]
    fn what_a_broker_cannot_carry_is_rejected_with_a_sentence() {
        let long = "x".repeat(256);
        let mut cases = vec![outgoing(), outgoing(), outgoing(), outgoing(), outgoing(), outgoing()];
        cases[0].message.body = vec![0; BODY_BYTES_MAX + 1].into();
        cases[1].message.id = long.clone();
        cases[2].message.content_type = long.clone();
        cases[3].route = Route::Topic(long.clone());
        cases[4].message.headers.insert(long, String::new());
        cases[5].message.headers.insert("h".to_owned(), "x".repeat(HEADERS_BYTES_MAX));
        for case in cases {
            let error = check(&case).unwrap_err();
            assert_eq!(error.kind, BusErrorKind::Rejected);
            assert!(error.what.contains("at most"), "{}", error.what);
        }
    }
}
