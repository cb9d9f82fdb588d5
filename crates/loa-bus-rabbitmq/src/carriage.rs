//! A message on the wire: AMQP properties and headers made from `loa-bus` values, and read back.
//! Pure.
//!
//! Our own headers begin with `x-loa-`. They and the broker's bookkeeping (`x-death` and its kin)
//! are never part of a message: reading a message takes them off, so that it stays the same on
//! every way it goes.

use crate::headers::{FRAME_OVERHEAD, LEFT_OUT, fit, instant, text_of};
use jiff::Timestamp;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};
use loa_bus::{DeadLetter, DeadReason, Message, OddHeaders, Outgoing, Past, Place, Queue, Route, limits};
use loa_domain::DeadCause;
use std::collections::BTreeMap;

/// The direct exchange of dead letters.
pub(crate) const DEAD_EXCHANGE: &str = "loa.dead";

/// Where a message was first published to; kept with dead and redriven messages.
pub(crate) const ROUTING_KEY: &str = "x-loa-routing-key";
const REASON: &str = "x-loa-reason";
/// The reason as a fact, in JSON; absent where there is no room for it.
const CAUSE: &str = "x-loa-cause";
const POSITION: &str = "x-loa-position";
const DEAD_AT: &str = "x-loa-dead-at";
/// Carried through a redrive, so that a message that dies again knows of its earlier deaths.
const FIRST_DEAD_AT: &str = "x-loa-first-dead-at";
const DEATHS: &str = "x-loa-deaths";
/// The broker's own, of quorum queues; absent at the first delivery.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// Names a letter for as long as it is one.
const DEAD_ID: &str = "x-loa-dead-id";
/// For whoever looks with RabbitMQ's own tools: the queue it died in, and who put it here.
const QUEUE: &str = "x-loa-queue";
/// By which walk through the letters a copy was put behind them.
const PASS: &str = "x-loa-pass";
const BURIED_BY: &str = "x-loa-buried-by";
const US: &str = concat!("loa ", env!("CARGO_PKG_VERSION"));

/// All of ours.
const OURS: [&str; 12] =
    [ROUTING_KEY, REASON, CAUSE, POSITION, DEAD_AT, FIRST_DEAD_AT, DEATHS, DEAD_ID, QUEUE, BURIED_BY, LEFT_OUT, PASS];
/// What the broker counts of a message in one queue; in another it begins anew.
const COUNTS: [&str; 2] = [DELIVERY_COUNT, "x-acquired-count"];

/// The longest reason and position, in bytes: the headers of a message travel in one frame.
const REASON_BYTES_MAX: usize = 2_048;
const POSITION_BYTES_MAX: usize = 512;
const PERSISTENT: u8 = 2;
/// Characters of a letter's name: of 100,000 letters hardly two have the same.
const KEY_CHARS: usize = 12;

/// A message packed for `basic.publish`. Its headers are put together when the connection is known, whose frames they must fit.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) exchange: &'static str,
    pub(crate) routing_key: ShortString,
    id: ShortString,
    content_type: ShortString,
    ours: Vec<(&'static str, String)>,
    foreign: FieldTable,
    /// Other properties of a message that only changes its queue.
    others: BasicProperties,
    pub(crate) body: bytes::Bytes,
}

/// A message on its way to the dead letters: what it is, why, and the name it gets there.
pub(crate) struct Burial<'a> {
    pub(crate) arrived: Arrived,
    pub(crate) reason: &'a DeadReason,
    pub(crate) at: Timestamp,
    pub(crate) key: &'a str,
}

impl Parcel {
    /// A message on its way out; [`limits::check`] has passed it.
    pub(crate) fn outgoing(outgoing: Outgoing) -> Self {
        let (exchange, routing_key) = match &outgoing.route {
            Route::Topic(key) => (loa_bus::EVENTS_EXCHANGE, key.as_str()),
            // the default exchange leads to the queue of that name
            Route::Queue(queue) => ("", queue.name()),
        };
        let mut foreign = FieldTable::default();
        for (name, text) in &outgoing.message.headers {
            foreign.insert(short(name.as_str()), AMQPValue::LongString(text.as_str().into()));
        }
        Self::pack(exchange, routing_key, outgoing.message, foreign, Vec::new())
    }

    /// A message on its way to the dead letters of a queue.
    pub(crate) fn dead(queue: Queue, burial: Burial<'_>) -> Self {
        let Burial { arrived: Arrived { message, foreign, routing_key, past, .. }, reason, at, key } = burial;
        let mut about = vec![
            (DEAD_ID, key.to_owned()),
            (ROUTING_KEY, routing_key),
            (REASON, cut(&reason.reason, REASON_BYTES_MAX)),
            (POSITION, cut(&reason.position, POSITION_BYTES_MAX)),
            (DEAD_AT, at.to_string()),
            (QUEUE, queue.name().to_owned()),
            (BURIED_BY, US.to_owned()),
        ];
        about.extend(cause(reason));
        about.extend(tell(past.died(Some(at))));
        Self::pack(DEAD_EXCHANGE, queue.name(), message, foreign, about)
    }

    /// A letter on its way again: a dead one to its queue, another to the exchange under this routing key.
    pub(crate) fn redriven(grave: Grave, routing_key: &str) -> Self {
        let Grave { letter, foreign, .. } = grave;
        match letter.place {
            Place::Dead(queue) => {
                let mut about = tell(letter.past);
                about.extend((!letter.routing_key.is_empty()).then_some((ROUTING_KEY, letter.routing_key)));
                Self::pack("", queue.name(), letter.message, foreign, about)
            }
            Place::Unrouted => {
                Self::pack(loa_bus::EVENTS_EXCHANGE, routing_key, letter.message, foreign, left_out(&letter.past))
            }
        }
    }

    /// A letter on its way to the end of its place, as it is, by this walk.
    pub(crate) fn kept(grave: Grave, pass: &str) -> Self {
        let Grave { letter, foreign, .. } = grave;
        let mut about = vec![(DEAD_ID, letter.key), (PASS, pass.to_owned()), (ROUTING_KEY, letter.routing_key)];
        match letter.place {
            Place::Dead(queue) => {
                about.extend([
                    (REASON, cut(&letter.reason.reason, REASON_BYTES_MAX)),
                    (POSITION, cut(&letter.reason.position, POSITION_BYTES_MAX)),
                    (QUEUE, queue.name().to_owned()),
                    (BURIED_BY, letter.buried_by),
                ]);
                about.extend(cause(&letter.reason));
                about.extend(letter.dead_at.map(|at| (DEAD_AT, at.to_string())));
                about.extend(tell(letter.past));
            }
            Place::Unrouted => about.extend(left_out(&letter.past)),
        }
        Self::pack("", letter.place.name(), letter.message, foreign, about)
    }

    /// A message on its way to another queue with all that its headers say. `routing_key` is kept when they name none.
    pub(crate) fn moved(to: &str, delivery: Delivery, routing_key: Option<String>) -> Self {
        let headers = delivery.properties.headers().clone().unwrap_or_default();
        let (mut ours, mut foreign) = (Vec::new(), FieldTable::default());
        for (name, value) in headers.inner() {
            let our_name = OURS.into_iter().find(|our| *our == name.as_str());
            match (our_name, text_of(value)) {
                (Some(our_name), Ok(text)) => ours.push((our_name, text)),
                _ if COUNTS.contains(&name.as_str()) => {}
                _ => drop(foreign.insert(name.clone(), value.clone())),
            }
        }
        if !ours.iter().any(|(name, _)| *name == ROUTING_KEY) {
            ours.extend(routing_key.map(|key| (ROUTING_KEY, key)));
        }
        let text = |value: &Option<ShortString>| value.clone().unwrap_or_default();
        let (id, content_type) = (text(delivery.properties.message_id()), text(delivery.properties.content_type()));
        let others = others_of(&delivery.properties);
        Self {
            exchange: "",
            routing_key: short(to),
            id,
            content_type,
            ours,
            foreign,
            others,
            body: delivery.data.into(),
        }
    }

    fn pack(
        exchange: &'static str,
        routing_key: &str,
        message: Message,
        foreign: FieldTable,
        ours: Vec<(&'static str, String)>,
    ) -> Self {
        let (id, content_type) = (short(message.id), short(message.content_type));
        let (routing_key, others) = (short(routing_key), BasicProperties::default());
        Self { exchange, routing_key, id, content_type, ours, foreign, others, body: message.body }
    }

    /// The properties, in a frame of at most `frame_max` bytes.
    pub(crate) fn properties(&self, frame_max: u32) -> BasicProperties {
        let mut properties = self.others.clone().with_delivery_mode(PERSISTENT).with_message_id(self.id.clone());
        // class, weight, size of the body, flags; then each property
        let mut around = FRAME_OVERHEAD + 14 + 1 + 1 + self.id.as_str().len() + 4 + bytes_of(&self.others);
        if !self.content_type.as_str().is_empty() {
            around += 1 + self.content_type.as_str().len();
            properties = properties.with_content_type(self.content_type.clone());
        }
        let room = usize::try_from(frame_max).unwrap_or(usize::MAX).saturating_sub(around);
        let fits = |(name, text): &&(&'static str, String)| *name != CAUSE || text.len() <= room / 8;
        let ours = self.ours.iter().filter(fits).map(|(name, text)| match *name {
            // in the smallest frames of all (4,096 bytes), the reason gives way to the others, and its fact, of which a part says
            // nothing, does not come along
            REASON => (REASON, cut(text, REASON_BYTES_MAX.min(room / 3))),
            POSITION => (POSITION, cut(text, POSITION_BYTES_MAX.min(room / 8))),
            name => (name, text.clone()),
        });
        properties.with_headers(fit(ours.collect(), &self.foreign, room))
    }

    /// What a returned message is recognised by: its confirm may be another's (lapin pairs them by arrival).
    pub(crate) fn key(&self) -> (String, String, String) {
        (self.exchange.to_owned(), self.routing_key.to_string(), self.id.to_string())
    }
}

/// Properties that are the producer's alone. Not its `expiration`, which would end a letter, nor its `user_id`, which the
/// broker holds against whoever publishes.
fn others_of(properties: &BasicProperties) -> BasicProperties {
    let mut others = BasicProperties::default();
    if let Some(text) = properties.correlation_id() {
        others = others.with_correlation_id(text.clone());
    }
    if let Some(text) = properties.content_encoding() {
        others = others.with_content_encoding(text.clone());
    }
    if let Some(text) = properties.reply_to() {
        others = others.with_reply_to(text.clone());
    }
    if let Some(text) = properties.kind() {
        others = others.with_type(text.clone());
    }
    if let Some(text) = properties.app_id() {
        others = others.with_app_id(text.clone());
    }
    match properties.timestamp() {
        Some(at) => others.with_timestamp(*at),
        None => others,
    }
}

/// How much room these take in a frame.
fn bytes_of(others: &BasicProperties) -> usize {
    let texts = [others.correlation_id(), others.content_encoding(), others.reply_to(), others.kind(), others.app_id()];
    let texts = texts.into_iter().flatten().map(|text| 1 + text.as_str().len());
    texts.sum::<usize>() + others.timestamp().map_or(0, |_| 8)
}

/// What a returned message is recognised by.
pub(crate) fn returned_key(returned: &Delivery) -> (String, String, String) {
    let id = returned.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
    (returned.exchange.to_string(), returned.routing_key.to_string(), id)
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
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrived {
    pub(crate) message: Message,
    /// Headers that have no text.
    pub(crate) odd: OddHeaders,
    /// All headers of the message, with their types.
    pub(crate) foreign: FieldTable,
    /// What it was first published with; empty when it came straight to the queue.
    pub(crate) routing_key: String,
    /// Its earlier deaths, if it was redriven.
    pub(crate) past: Past,
}

/// A letter as a delivery brought it, with all headers of its message and their types.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grave {
    pub(crate) letter: DeadLetter,
    pub(crate) foreign: FieldTable,
    /// The walk that put it here; empty: none did.
    pub(crate) pass: String,
    /// Whether it carries its name. One that does not may look like another one and be none.
    pub(crate) is_named: bool,
}

/// The headers that tell of earlier deaths.
fn tell(past: Past) -> Vec<(&'static str, String)> {
    let first = past.first_dead_at.map(|at| (FIRST_DEAD_AT, at.to_string()));
    let mut about: Vec<_> = first.into_iter().chain([(DEATHS, past.deaths.to_string())]).collect();
    about.extend(left_out(&past));
    about
}

/// The header that tells the reason as a fact.
fn cause(reason: &DeadReason) -> Option<(&'static str, String)> {
    reason.cause.as_ref().and_then(DeadCause::to_json).map(|json| (CAUSE, json))
}

fn left_out(past: &Past) -> Vec<(&'static str, String)> {
    let said = Some(past.headers_left_out.clone()).filter(|said| !said.is_empty());
    said.map(|said| (LEFT_OUT, said)).into_iter().collect()
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
    let mut foreign = FieldTable::default();
    let (mut texts, mut odd) = (BTreeMap::new(), OddHeaders::new());
    for (name, value) in headers.inner().iter().filter(|(name, _)| !is_bookkeeping(name.as_str())) {
        match text_of(value) {
            Ok(text) => drop(texts.insert(name.to_string(), text)),
            Err(kind) => drop(odd.insert(name.to_string(), kind)),
        }
        foreign.insert(name.clone(), value.clone());
    }
    let content_type = text(delivery.properties.content_type());
    let message = Message { id, content_type, headers: texts, body: delivery.data.into() };
    let past = Past {
        deaths: text_header(&headers, DEATHS).and_then(|text| text.parse().ok()).unwrap_or(0),
        first_dead_at: text_header(&headers, FIRST_DEAD_AT).and_then(|text| text.parse().ok()),
        headers_left_out: text_header(&headers, LEFT_OUT).unwrap_or_default(),
    };
    Arrived { message, odd, foreign, routing_key, past }
}

/// The letter in a delivery from a place. One that has no name yet gets one that is the same on every look.
pub(crate) fn read_letter(place: Place, delivery: Delivery) -> Grave {
    let headers = delivery.properties.headers().clone().unwrap_or_default();
    let Arrived { message, odd, foreign, routing_key, past } = read(delivery);
    let mut letter = DeadLetter {
        key: text_header(&headers, DEAD_ID).filter(|key| is_key(key)).unwrap_or_default(),
        place,
        bytes: message.body.len(),
        message,
        odd_headers: odd,
        routing_key,
        reason: DeadReason { reason: String::new(), cause: None, position: String::new() },
        dead_at: None,
        past,
        buried_by: String::new(),
    };
    match (place, text_header(&headers, REASON)) {
        (Place::Unrouted, _) => letter.reason = limits::why_unrouted(&letter.routing_key),
        (Place::Dead(_), Some(reason)) => {
            letter.routing_key = text_header(&headers, ROUTING_KEY).unwrap_or_default();
            letter.reason.reason = reason;
            letter.reason.cause = text_header(&headers, CAUSE).and_then(|json| DeadCause::of_json(&json));
            letter.reason.position = text_header(&headers, POSITION).unwrap_or_default();
            letter.dead_at = text_header(&headers, DEAD_AT).and_then(|text| text.parse().ok());
            letter.buried_by = text_header(&headers, BURIED_BY).unwrap_or_default();
        }
        (Place::Dead(_), None) => by_the_broker(&mut letter, &headers),
    }
    let is_named = !letter.key.is_empty();
    if !is_named {
        letter.key = name_of(&letter);
    }
    Grave { letter, foreign, pass: text_header(&headers, PASS).unwrap_or_default(), is_named }
}

/// What is known of a letter that the broker put here itself; its newest death is the first of the list.
fn by_the_broker(letter: &mut DeadLetter, headers: &FieldTable) {
    let death = match headers.inner().get("x-death") {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first().cloned(),
        _ => None,
    };
    let death = match death {
        Some(AMQPValue::FieldTable(death)) => death,
        _ => FieldTable::default(),
    };
    let (reason, cause) = match text_header(&death, "reason").as_deref() {
        Some("delivery_limit") => ("given back too often: the delivery limit".to_owned(), DeadCause::DeliveryLimit),
        Some(other) => {
            (format!("moved to the dead letters by the broker: {other}"), DeadCause::Broker { said: other.into() })
        }
        None => ("moved to the dead letters, nobody said why".to_owned(), DeadCause::Unsaid),
    };
    (letter.reason.reason, letter.reason.cause) = (reason, Some(cause));
    let first_key = match death.inner().get("routing-keys") {
        Some(AMQPValue::FieldArray(keys)) => keys.as_slice().first().and_then(|key| text_of(key).ok()),
        _ => None,
    };
    let came_by_exchange = text_header(&death, "exchange").is_some_and(|exchange| !exchange.is_empty());
    let routing_key = if came_by_exchange { first_key } else { text_header(headers, ROUTING_KEY) };
    letter.routing_key = routing_key.unwrap_or_default();
    letter.dead_at = match death.inner().get("time") {
        Some(AMQPValue::Timestamp(seconds)) => instant(*seconds),
        _ => None,
    };
    // the headers of an earlier life came along
    letter.past = std::mem::take(&mut letter.past).died(letter.dead_at);
}

/// The name of a letter that was given none: made of what it is, so that it is the same on every look.
pub(crate) fn name_of(letter: &DeadLetter) -> String {
    let mut content = format!("{}\n{}\n{}\n", letter.place, letter.routing_key, letter.message.id).into_bytes();
    content.extend(letter.dead_at.map(|at| at.to_string()).unwrap_or_default().into_bytes());
    content.extend(letter.past.deaths.to_string().into_bytes());
    content.extend(format!("{:?}", letter.message.headers).into_bytes());
    content.extend_from_slice(&letter.message.body);
    let hash = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &content).simple().to_string();
    hash[..KEY_CHARS].to_owned()
}

/// A name for a letter, of random bytes.
pub(crate) fn new_key(random: &crate::Random) -> String {
    let mut bytes = [0; KEY_CHARS / 2];
    random(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether somebody can name a letter so; anybody may publish to a queue, with any header.
fn is_key(text: &str) -> bool {
    (1..=2 * KEY_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
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
    headers.inner().get(name).and_then(|value| text_of(value).ok())
}

#[cfg(test)]
#[path = "carriage_tests.rs"]
mod tests;
