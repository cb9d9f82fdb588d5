//! What a message looks like on the wire: AMQP properties and headers from the door's words, and back. Pure.
//!
//! Our own headers begin with `x-loa-`. They and the broker's bookkeeping (`x-death` and its kin) are never part of a
//! message: they are taken off when it is read, so that a message stays the same on every way it goes.

use jiff::Timestamp;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};
use loa_bus::{DeadLetter, DeadReason, Message, Outgoing, Past, Queue, Route, limits};
use std::collections::BTreeMap;

/// The direct exchange of dead letters.
pub(crate) const DEAD_EXCHANGE: &str = "loa.dead";

/// Where a message was first published to; kept with dead and redriven messages.
const ROUTING_KEY: &str = "x-loa-routing-key";
const REASON: &str = "x-loa-reason";
const POSITION: &str = "x-loa-position";
const DEAD_AT: &str = "x-loa-dead-at";
/// Carried through a redrive, so that a message that dies again knows of its earlier deaths.
const FIRST_DEAD_AT: &str = "x-loa-first-dead-at";
const DEATHS: &str = "x-loa-deaths";
/// The broker's own, of quorum queues; absent at the first delivery.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// For whoever looks with RabbitMQ's own tools: the queue it died in, and who put it here.
const QUEUE: &str = "x-loa-queue";
const BURIED_BY: &str = "x-loa-buried-by";
const US: &str = concat!("loa ", env!("CARGO_PKG_VERSION"));

/// The longest reason and position, in bytes: the headers of a message travel in one frame.
const REASON_BYTES_MAX: usize = 2_048;
const POSITION_BYTES_MAX: usize = 512;
const PERSISTENT: u8 = 2;

/// A message packed for `basic.publish`.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) exchange: &'static str,
    pub(crate) routing_key: ShortString,
    pub(crate) properties: BasicProperties,
    pub(crate) body: bytes::Bytes,
}

impl Parcel {
    /// A message on its way out; [`limits::check`] has passed it.
    pub(crate) fn outgoing(outgoing: Outgoing) -> Self {
        let (exchange, routing_key) = match &outgoing.route {
            Route::Topic(key) => (loa_bus::EVENTS_EXCHANGE, key.as_str()),
            // the default exchange leads to the queue of that name
            Route::Queue(queue) => ("", queue.name()),
        };
        Self::pack(exchange, routing_key, outgoing.message, [])
    }

    /// A message on its way to the dead letters of a queue.
    pub(crate) fn dead(queue: Queue, arrived: Arrived, reason: &DeadReason, at: Timestamp) -> Self {
        let Arrived { message, routing_key, past } = arrived;
        let mut about = vec![
            (ROUTING_KEY, routing_key),
            (REASON, cut(&reason.reason, REASON_BYTES_MAX)),
            (POSITION, cut(&reason.position, POSITION_BYTES_MAX)),
            (DEAD_AT, at.to_string()),
            (QUEUE, queue.name().to_owned()),
            (BURIED_BY, US.to_owned()),
        ];
        about.extend(tell(&past.died(Some(at))));
        Self::pack(DEAD_EXCHANGE, queue.name(), message, about)
    }

    /// A dead letter on its way back to its queue.
    pub(crate) fn redriven(letter: DeadLetter) -> Self {
        let mut about = tell(&letter.past);
        about.extend((!letter.routing_key.is_empty()).then_some((ROUTING_KEY, letter.routing_key)));
        Self::pack("", letter.queue.name(), letter.message, about)
    }

    fn pack(
        exchange: &'static str,
        routing_key: &str,
        message: Message,
        about: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        let mut headers = FieldTable::default();
        for (name, value) in fitting(message.headers) {
            headers.insert(short(name), AMQPValue::LongString(value.into()));
        }
        for (name, value) in about {
            headers.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_message_id(short(message.id))
            .with_headers(headers);
        if !message.content_type.is_empty() {
            properties = properties.with_content_type(short(message.content_type));
        }
        Self { exchange, routing_key: short(routing_key), properties, body: message.body }
    }

    /// What a returned message is recognised by: its confirm may be another's (lapin pairs them by arrival).
    pub(crate) fn key(&self) -> (String, String, String) {
        key(self.exchange, &self.routing_key, &self.properties)
    }
}

/// What a returned message is recognised by.
pub(crate) fn returned_key(returned: &Delivery) -> (String, String, String) {
    key(returned.exchange.as_str(), &returned.routing_key, &returned.properties)
}

fn key(exchange: &str, routing_key: &ShortString, properties: &BasicProperties) -> (String, String, String) {
    let id = properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
    (exchange.to_owned(), routing_key.to_string(), id)
}

/// Headers that fit a frame. A foreign producer's may fill a whole frame, and a dead letter needs room for its reason:
/// the largest are left behind then, because a frame that is too large would end the connection, again and again.
fn fitting(mut headers: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let bytes =
        |headers: &BTreeMap<String, String>| -> usize { headers.iter().map(|(k, v)| k.len() + v.len() + 6).sum() };
    while bytes(&headers) > limits::HEADERS_BYTES_MAX {
        let Some(largest) = headers.iter().max_by_key(|(_, value)| value.len()).map(|(name, _)| name.clone()) else {
            break;
        };
        tracing::warn!(header = %largest, "a header is too large to be carried on and is left out");
        headers.remove(&largest);
    }
    headers
}

/// A short string; ours are checked before (`limits::check`), a foreign one came as one.
fn short(text: impl Into<String>) -> ShortString {
    let text = text.into();
    ShortString::try_new(cut(&text, limits::SHORT_TEXT_BYTES_MAX)).unwrap_or_default()
}

/// The beginning of a text, at most so many bytes, whole characters.
fn cut(text: &str, bytes_max: usize) -> String {
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}

/// A message as a delivery brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) message: Message,
    /// What it was first published with; empty when it came straight to the queue.
    pub(crate) routing_key: String,
    /// Its earlier deaths, if it was redriven.
    pub(crate) past: Past,
}

/// The headers that tell of earlier deaths.
fn tell(past: &Past) -> Vec<(&'static str, String)> {
    let first = past.first_dead_at.map(|at| (FIRST_DEAD_AT, at.to_string()));
    first.into_iter().chain([(DEATHS, past.deaths.to_string())]).collect()
}

/// How often a message was delivered before and came back.
pub(crate) fn deliveries_before(delivery: &Delivery) -> u32 {
    let headers = delivery.properties.headers().as_ref();
    headers.and_then(|headers| text_header(headers, DELIVERY_COUNT)?.parse().ok()).unwrap_or(0)
}

/// The message in a delivery, and what is known of it.
pub(crate) fn read(delivery: Delivery) -> Arrived {
    let headers = delivery.properties.headers().clone().unwrap_or_default();
    let routing_key = if delivery.exchange.as_str().is_empty() {
        // straight to the queue: a redriven message says where it came from
        text_header(&headers, ROUTING_KEY).unwrap_or_default()
    } else {
        delivery.routing_key.to_string()
    };
    let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut id = text(delivery.properties.message_id());
    if id.is_empty() {
        // a producer that gives none: the same body has the same id on every repeat
        id = format!("body-{}", uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &delivery.data));
    }
    let message = Message {
        id,
        content_type: text(delivery.properties.content_type()),
        headers: headers
            .inner()
            .iter()
            .filter(|(name, _)| !is_bookkeeping(name.as_str()))
            .filter_map(|(name, value)| Some((name.to_string(), header_text(value)?)))
            .collect(),
        body: delivery.data.into(),
    };
    let past = Past {
        deaths: text_header(&headers, DEATHS).and_then(|text| text.parse().ok()).unwrap_or(0),
        first_dead_at: text_header(&headers, FIRST_DEAD_AT).and_then(|text| text.parse().ok()),
    };
    Arrived { message, routing_key, past }
}

/// The dead letter in a delivery from a queue's dead letters.
pub(crate) fn read_dead(queue: Queue, delivery: Delivery) -> DeadLetter {
    let headers = delivery.properties.headers().clone().unwrap_or_default();
    let Arrived { message, past, .. } = read(delivery);
    if let Some(reason) = text_header(&headers, REASON) {
        return DeadLetter {
            message,
            queue,
            routing_key: text_header(&headers, ROUTING_KEY).unwrap_or_default(),
            reason: DeadReason { reason, position: text_header(&headers, POSITION).unwrap_or_default() },
            dead_at: text_header(&headers, DEAD_AT).and_then(|text| text.parse().ok()),
            past,
            buried_by: text_header(&headers, BURIED_BY).unwrap_or_default(),
        };
    }
    // the broker put it here itself; its newest death is the first of the list
    let death = match headers.inner().get("x-death") {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first().cloned(),
        _ => None,
    };
    let death = match death {
        Some(AMQPValue::FieldTable(death)) => death,
        _ => FieldTable::default(),
    };
    let reason = match text_header(&death, "reason").as_deref() {
        Some("delivery_limit") => "given back too often: the delivery limit".to_owned(),
        Some(other) => format!("moved to the dead letters by the broker: {other}"),
        None => "moved to the dead letters, nobody said why".to_owned(),
    };
    let first_key = match death.inner().get("routing-keys") {
        Some(AMQPValue::FieldArray(keys)) => keys.as_slice().first().and_then(header_text),
        _ => None,
    };
    let came_by_exchange = text_header(&death, "exchange").is_some_and(|exchange| !exchange.is_empty());
    let routing_key = if came_by_exchange { first_key } else { text_header(&headers, ROUTING_KEY) };
    let dead_at = match death.inner().get("time") {
        Some(AMQPValue::Timestamp(seconds)) => instant(*seconds),
        _ => None,
    };
    DeadLetter {
        message,
        queue,
        routing_key: routing_key.unwrap_or_default(),
        reason: DeadReason { reason, position: String::new() },
        dead_at,
        // the headers of an earlier life came along
        past: past.died(dead_at),
        buried_by: String::new(),
    }
}

/// Headers that the broker or this adapter adds on the way.
fn is_bookkeeping(name: &str) -> bool {
    const BROKERS: [&str; 3] = ["x-death", DELIVERY_COUNT, "x-acquired-count"];
    BROKERS.contains(&name)
        || ["x-loa-", "x-first-death-", "x-last-death-", "x-opt-rabbitmq-"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

fn text_header(headers: &FieldTable, name: &str) -> Option<String> {
    headers.inner().get(name).and_then(header_text)
}

/// A header's value as text: text, numbers, truth, and instants as RFC 3339 has them (the canonical texts of the
/// CloudEvents type system). Anything else, and text that is not UTF-8, has none.
fn header_text(value: &AMQPValue) -> Option<String> {
    Some(match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok()?.to_owned(),
        AMQPValue::ShortString(text) => text.to_string(),
        AMQPValue::Boolean(v) => v.to_string(),
        AMQPValue::ShortShortInt(v) => v.to_string(),
        AMQPValue::ShortShortUInt(v) => v.to_string(),
        AMQPValue::ShortInt(v) => v.to_string(),
        AMQPValue::ShortUInt(v) => v.to_string(),
        AMQPValue::LongInt(v) => v.to_string(),
        AMQPValue::LongUInt(v) => v.to_string(),
        AMQPValue::LongLongInt(v) => v.to_string(),
        AMQPValue::Float(v) => v.to_string(),
        AMQPValue::Double(v) => v.to_string(),
        AMQPValue::Timestamp(seconds) => instant(*seconds)?.to_string(),
        _ => return None,
    })
}

fn instant(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            id: "a-1".to_owned(),
            content_type: "application/json".to_owned(),
            headers: BTreeMap::from([("ce-subject".to_owned(), "Phì Nhừ".to_owned())]),
            body: "{}".into(),
        }
    }

    fn arrived(message: Message) -> Arrived {
        Arrived { message, routing_key: "article.published.x".to_owned(), past: Past::default() }
    }

    fn delivered(parcel: Parcel) -> Delivery {
        let mut delivery = Delivery::mock(1, parcel.exchange.into(), parcel.routing_key, false, parcel.body.to_vec());
        delivery.properties = parcel.properties;
        delivery
    }

    #[test]
    fn a_dead_letter_is_read_as_it_was_written() {
        let reason = DeadReason { reason: "không có tiêu đề".to_owned(), position: "/data/title".to_owned() };
        let at: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let parcel = Parcel::dead(Queue::Feed, arrived(message()), &reason, at);
        let letter = read_dead(Queue::Feed, delivered(parcel));
        assert_eq!(letter.message, message());
        assert_eq!((letter.reason.clone(), letter.dead_at), (reason.clone(), Some(at)));
        assert_eq!(letter.routing_key, "article.published.x");
        assert_eq!((&letter.past, letter.buried_by.as_str()), (&Past { deaths: 1, first_dead_at: Some(at) }, US));

        let again = read(delivered(Parcel::redriven(letter.clone())));
        let expected = Arrived { past: letter.past, ..arrived(message()) };
        assert_eq!(again, expected);
        let later = at + std::time::Duration::from_secs(60);
        let letter = read_dead(Queue::Feed, delivered(Parcel::dead(Queue::Feed, again, &reason, later)));
        assert_eq!(letter.dead_at, Some(later));
        assert_eq!(letter.past, Past { deaths: 2, first_dead_at: Some(at) });
    }

    #[test]
    fn headers_of_other_types_are_read_as_text_and_bookkeeping_is_not_read() {
        let mut headers = FieldTable::default();
        headers.insert("number".into(), AMQPValue::LongInt(7));
        headers.insert("truth".into(), AMQPValue::Boolean(true));
        headers.insert("time".into(), AMQPValue::Timestamp(1_700_096_542));
        headers.insert("list".into(), AMQPValue::FieldArray(Vec::new().into()));
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
        let mut delivery = Delivery::mock(1, "loa.events".into(), "article.published.x".into(), false, Vec::new());
        delivery.properties = BasicProperties::default().with_headers(headers);
        let message = read(delivery).message;
        let expected = [("number", "7"), ("time", "2023-11-16T01:02:22Z"), ("truth", "true")];
        assert_eq!(message.headers, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn a_message_without_an_id_has_the_same_one_on_every_repeat() {
        let id = |body: &[u8]| read(Delivery::mock(1, "".into(), "loa.feed".into(), false, body.to_vec())).message.id;
        assert_eq!(id(b"one"), id(b"one"));
        assert_ne!(id(b"one"), id(b"other"));
        assert!(id(b"").starts_with("body-"));
    }

    #[test]
    fn headers_that_would_burst_the_frame_leave_the_largest_behind() {
        let mut large = message();
        large.headers.insert("huge".to_owned(), "x".repeat(limits::HEADERS_BYTES_MAX));
        let reason = DeadReason { reason: "y".repeat(100_000), position: String::new() };
        let parcel = Parcel::dead(Queue::Push, arrived(large), &reason, Timestamp::UNIX_EPOCH);
        let letter = read_dead(Queue::Push, delivered(parcel));
        assert_eq!(letter.message.headers, message().headers);
        assert_eq!(letter.reason.reason.len(), REASON_BYTES_MAX);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("Điện", 1), "");
        assert_eq!(cut("Điện", 3), "Đi");
        assert_eq!(cut("Điện", 99), "Điện");
    }
}
