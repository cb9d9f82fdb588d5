//! A message on the wire, and read back.

use super::*;
use crate::headers::bytes_of;

/// What both sides agree on when nobody says anything.
const FRAME: u32 = 131_072;

fn message() -> Message {
    Message {
        id: "a-1".to_owned(),
        content_type: "application/json".to_owned(),
        headers: BTreeMap::from([("ce-subject".to_owned(), "Phì Nhừ".to_owned())]),
        body: "{}".into(),
    }
}

fn headers(pairs: &BTreeMap<String, String>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, text) in pairs {
        table.insert(short(name.as_str()), AMQPValue::LongString(text.as_str().into()));
    }
    table
}

fn arrived(message: Message) -> Arrived {
    let foreign = headers(&message.headers);
    let routing_key = "article.published.x".to_owned();
    Arrived { message, odd: OddHeaders::new(), foreign, routing_key, past: Past::default() }
}

fn buried(queue: Queue, arrived: Arrived, reason: &DeadReason, at: Timestamp) -> Parcel {
    Parcel::dead(queue, Burial { arrived, reason, at, key: "0123456789ab" })
}

fn delivered(parcel: Parcel, frame_max: u32) -> Delivery {
    let properties = parcel.properties(frame_max);
    let mut delivery = Delivery::mock(1, parcel.exchange.into(), parcel.routing_key, false, parcel.body.to_vec());
    delivery.properties = properties;
    delivery
}

fn read_feed(delivery: Delivery) -> DeadLetter {
    read_letter(Queue::Feed.into(), delivery).letter
}

#[test]
fn a_dead_letter_is_read_as_it_was_written() {
    let cause = Some(DeadCause::Flaw(loa_domain::Flaw::Missing { name: "title".into() }));
    let reason = DeadReason { reason: "không có tiêu đề".to_owned(), cause, position: "/data/title".to_owned() };
    let at: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    let parcel = buried(Queue::Feed, arrived(message()), &reason, at);
    let grave = read_letter(Queue::Feed.into(), delivered(parcel, FRAME));
    let letter = grave.letter.clone();
    assert_eq!(letter.message, message());
    assert_eq!((letter.name().as_str(), letter.reason.clone()), ("feed/0123456789ab", reason.clone()));
    assert_eq!((letter.dead_at, letter.routing_key.as_str()), (Some(at), "article.published.x"));
    let past = Past { deaths: 1, first_dead_at: Some(at), ..Past::default() };
    assert_eq!((&letter.past, letter.buried_by.as_str()), (&past, US));
    assert_eq!(read_letter(Queue::Feed.into(), delivered(Parcel::kept(grave.clone(), &grave.pass), FRAME)), grave);

    let again = read(delivered(Parcel::redriven(grave, ""), FRAME));
    let expected = Arrived { past: letter.past, ..arrived(message()) };
    assert_eq!(again, expected);
    let later = at + std::time::Duration::from_secs(60);
    let letter = read_feed(delivered(buried(Queue::Feed, again, &reason, later), FRAME));
    assert_eq!(letter.dead_at, Some(later));
    assert_eq!(letter.past, Past { deaths: 2, first_dead_at: Some(at), ..Past::default() });
}

#[test]
fn a_fact_that_is_too_large_or_not_understood_leaves_the_sentence_alone() {
    let wordy = DeadCause::Broker { said: "x".repeat(900).into() };
    let reason = DeadReason { reason: "no".to_owned(), cause: Some(wordy.clone()), position: String::new() };
    let parcel = || buried(Queue::Feed, arrived(message()), &reason, Timestamp::UNIX_EPOCH);
    assert_eq!(read_feed(delivered(parcel(), FRAME)).reason, reason);
    let small = read_feed(delivered(parcel(), 4_096)).reason;
    assert_eq!(small, DeadReason { cause: None, ..reason.clone() }, "a small frame has no room for it");
    for broken in ["", "{", r#"{"cause":"of a later version"}"#, r#"{"cause":"flaw"}"#] {
        let mut delivery = delivered(parcel(), FRAME);
        let mut headers = delivery.properties.headers().clone().unwrap();
        headers.insert(CAUSE.into(), AMQPValue::LongString(broken.into()));
        delivery.properties = delivery.properties.with_headers(headers);
        assert_eq!(read_feed(delivery).reason, DeadReason { cause: None, ..reason.clone() }, "{broken}");
    }
}

#[test]
fn what_no_binding_took_keeps_its_name_and_its_key_and_is_published_under_another() {
    let mut delivery = Delivery::mock(1, "loa.events".into(), "news.published".into(), false, b"{}".to_vec());
    delivery.properties =
        BasicProperties::default().with_message_id("n-1".into()).with_headers(headers(&message().headers));
    let grave = read_letter(Place::Unrouted, delivery);
    assert_eq!((grave.letter.routing_key.as_str(), grave.letter.message.id.as_str()), ("news.published", "n-1"));
    assert!(grave.letter.reason.reason.contains("news.published"), "{:?}", grave.letter.reason);
    let kept = read_letter(Place::Unrouted, delivered(Parcel::kept(grave.clone(), "walk"), FRAME));
    assert_eq!((&kept.letter, kept.is_named, kept.pass.as_str()), (&grave.letter, true, "walk"));
    let again = Parcel::redriven(grave.clone(), "article.published.x");
    assert_eq!((again.exchange, again.routing_key.as_str()), ("loa.events", "article.published.x"));
    let arrived = read(delivered(again, FRAME));
    assert_eq!((arrived.message, arrived.past), (grave.letter.message, Past::default()));
}

#[test]
fn headers_keep_their_types_on_every_way_and_bookkeeping_is_not_read() {
    let mut headers = FieldTable::default();
    headers.insert("number".into(), AMQPValue::LongInt(7));
    headers.insert("time".into(), AMQPValue::Timestamp(1_700_096_542));
    headers.insert("list".into(), AMQPValue::FieldArray(vec![AMQPValue::Void].into()));
    let own = headers.clone();
    headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
    let mut delivery = Delivery::mock(1, "loa.events".into(), "article.published.x".into(), false, Vec::new());
    delivery.properties = BasicProperties::default().with_headers(headers);
    let arrived = read(delivery);
    let expected = [("number", "7"), ("time", "2023-11-16T01:02:22Z")];
    assert_eq!(arrived.message.headers, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert_eq!(arrived.odd, OddHeaders::from([("list".to_owned(), loa_domain::HeaderType::Array)]));
    let reason = DeadReason { reason: "bad".to_owned(), cause: None, position: String::new() };
    let parcel = buried(Queue::Feed, arrived, &reason, Timestamp::UNIX_EPOCH);
    let grave = read_letter(Queue::Feed.into(), delivered(parcel, FRAME));
    assert_eq!(grave.foreign, own);
    assert_eq!(read(delivered(Parcel::redriven(grave, ""), FRAME)).foreign, own);
}

#[test]
fn a_message_without_an_id_has_the_same_one_on_every_repeat() {
    let id = |body: &[u8]| read(Delivery::mock(1, "".into(), "loa.feed".into(), false, body.to_vec())).message.id;
    assert_eq!(id(b"one"), id(b"one"));
    assert_ne!(id(b"one"), id(b"other"));
    assert!(id(b"").starts_with("body-"));
}

#[test]
fn no_header_keeps_a_message_from_its_dead_letter_whatever_the_frame() {
    let mut large = message();
    large.headers.insert("huge".to_owned(), "x".repeat(200_000));
    large.id = "i".repeat(255);
    large.content_type = "c".repeat(255);
    let reason = DeadReason { reason: "y".repeat(100_000), cause: None, position: "z".repeat(100_000) };
    for frame in [4_096, 8_192, FRAME] {
        let arrived = Arrived { routing_key: "k".repeat(255), ..arrived(large.clone()) };
        let parcel = buried(Queue::Archive, arrived, &reason, Timestamp::UNIX_EPOCH);
        assert!(frame_bytes(&parcel, frame) <= frame as usize, "{frame}");
        let grave = read_letter(Queue::Archive.into(), delivered(parcel, frame));
        assert_eq!(grave.letter.message.headers, message().headers);
        assert!(grave.letter.reason.reason.len() > 1_000, "{frame}: {}", grave.letter.reason.reason.len());
        let said = &grave.letter.past.headers_left_out;
        assert!(said.contains("1 header of 200010 bytes: huge"), "{said}");
        let again = Parcel::redriven(grave, "");
        assert!(read(delivered(again, frame)).past.headers_left_out.contains("huge"), "{frame}");
    }
}

/// What the properties measure, header by header.
fn frame_bytes(parcel: &Parcel, frame_max: u32) -> usize {
    let properties = parcel.properties(frame_max);
    let text = |text: &Option<ShortString>| text.as_ref().map_or(0, |text| 1 + text.as_str().len());
    let headers = properties.headers().clone().unwrap_or_default();
    let headers: usize = headers.inner().iter().map(|(name, value)| bytes_of(name.as_str(), value)).sum();
    FRAME_OVERHEAD + 14 + 1 + 4 + headers + text(properties.message_id()) + text(properties.content_type())
}

#[test]
fn a_text_is_cut_between_characters() {
    assert_eq!(cut("Điện", 1), "");
    assert_eq!(cut("Điện", 3), "Đi");
    assert_eq!(cut("Điện", 99), "Điện");
}
