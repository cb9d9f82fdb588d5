//! Explains one dead letter to an operator: what it is about, the place at fault, what to do.
//!
//! The letter is the only source. Its body may be anything: what cannot be read is left out, and
//! nothing here fails.

use jiff::tz::TimeZone;
use loa_area::Directory;
use loa_bus::{DeadLetter, Place};
use loa_domain::{Advice, Calendar, DeadCause, Quoted, plain};
use loa_words::Language;
use loa_worker::decode_message;
use serde_json::Value;

/// Most characters shown before and after a place, and of a value.
const AROUND_MAX: usize = 60;
/// Most names of members shown where one is missing.
const NAMES_MAX: usize = 20;

/// What the message says of itself, as far as it can be read: `source`, `id`, `type`, `subject`, `title`, in this order.
pub fn about(letter: &DeadLetter) -> Vec<(&'static str, String)> {
    let body: Value = serde_json::from_slice(&letter.message.body).unwrap_or_default();
    let attribute = |name: &str| match body.get("specversion") {
        Some(_) => body.get(name)?.as_str().map(str::to_owned),
        None => attributes(letter).find(|(known, _)| known == name).map(|(_, value)| value.to_owned()),
    };
    let title = || body.pointer("/data/title").or_else(|| body.get("title"))?.as_str().map(str::to_owned);
    ["source", "id", "type", "subject"]
        .into_iter()
        .map(|name| (name, attribute(name)))
        .chain([("title", title())])
        .filter_map(|(name, value)| Some((name, value?.chars().take(AROUND_MAX * 2).collect())))
        .collect()
}

/// The headers of binary mode, under the attributes' names.
fn attributes(letter: &DeadLetter) -> impl Iterator<Item = (String, &str)> {
    letter.message.headers.iter().filter_map(|(header, value)| {
        let header = header.to_ascii_lowercase();
        let name = ["cloudevents:", "cloudevents_", "ce-"].iter().find_map(|prefix| header.strip_prefix(prefix))?;
        Some((name.to_owned(), value.as_str()))
    })
}

/// The place at fault, cut out of the body: one line, or two with a caret under the place; empty when it cannot be found.
pub fn excerpt(letter: &DeadLetter) -> String {
    let (body, position) = (&letter.message.body[..], letter.reason.position.as_str());
    match offset(position) {
        Some(offset) => around(body, offset.min(body.len())),
        None if position.starts_with('/') => member(letter, position).unwrap_or_default(),
        None => String::new(),
    }
}

/// The offset in `/data/a, line 1 column 6 (byte 5)`.
fn offset(position: &str) -> Option<usize> {
    position.rsplit_once("(byte ")?.1.strip_suffix(')')?.parse().ok()
}

fn around(body: &[u8], offset: usize) -> String {
    let (before, after) = body.split_at(offset);
    let before = before.rsplit(|&b| b == b'\n').next().unwrap_or_default();
    let after = after.split(|&b| b == b'\n').next().unwrap_or_default();
    // four bytes a character at most
    let before = String::from_utf8_lossy(&before[before.len().saturating_sub(4 * AROUND_MAX)..]).into_owned();
    let after = String::from_utf8_lossy(&after[..after.len().min(4 * AROUND_MAX)]).into_owned();
    let skipped = before.chars().count().saturating_sub(AROUND_MAX);
    let before = plain(&before.chars().skip(skipped).collect::<String>());
    let after = plain(&after.chars().take(AROUND_MAX).collect::<String>());
    format!("{before}{after}\n{}^", " ".repeat(before.chars().count()))
}

/// The value that a pointer names; where there is none, the names that are there instead.
fn member(letter: &DeadLetter, pointer: &str) -> Option<String> {
    let mut body: Value = serde_json::from_slice(&letter.message.body).ok()?;
    if body.get("specversion").is_none() && attributes(letter).next().is_some() {
        // binary mode: put side by side what the pointer speaks of
        let headers = attributes(letter).map(|(name, value)| (name, value.into()));
        body = Value::Object(headers.chain([("data".to_owned(), body)]).collect());
    }
    if let Some(value) = body.pointer(pointer) {
        let name = pointer.rsplit('/').next().unwrap_or_default();
        return Some(format!("{}: {}", quoted(name), short(&value.to_string())));
    }
    let (parent, _) = pointer.rsplit_once('/')?;
    let names: Vec<String> = body.pointer(parent)?.as_object()?.keys().map(|name| quoted(name)).collect();
    let more = if names.len() > NAMES_MAX { ", …" } else { "" };
    let of = if parent.is_empty() { "the event" } else { parent };
    Some(format!("{of} has only {}{more}", names[..names.len().min(NAMES_MAX)].join(", ")))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", short(name))
}

fn short(text: &str) -> String {
    let mut cut: String = text.chars().take(2 * AROUND_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    plain(&cut)
}

/// What to do. `others`: the other letters of the same message.
pub fn advice(letter: &DeadLetter, others: &[String]) -> Vec<Advice> {
    let name = || letter.name();
    let source = about(letter).into_iter().find(|(name, _)| *name == "source");
    let source = source.map(|(_, source)| Quoted::new(&source));
    if letter.place == Place::Unrouted {
        return unrouted(letter, source);
    }
    if letter.reason.position == "/source" && decode_message(&letter.message, &Directory::empty(), &days()).is_ok() {
        return vec![
            Advice::PortalUnknown { source },
            Advice::OncePortalIsThere { letter: name() },
            Advice::IfNobodys { letter: name() },
        ];
    }
    if letter.reason.cause == Some(DeadCause::DeliveryLimit) {
        let message = Quoted::new(&letter.message.id);
        return vec![
            Advice::ServiceAtFault { queue: letter.place.word(), message },
            Advice::OnceMended { letter: name() },
        ];
    }
    let mut advice = vec![
        Advice::ProducerSendsAgain { source },
        Advice::OnceCorrected { letter: name() },
        Advice::IfOurs { letter: name() },
    ];
    if !others.is_empty() {
        advice.push(Advice::WholeMessage { id: argument(&letter.message.id) });
    }
    advice
}

/// What to do about a message that no queue took: no outlet has it.
fn unrouted(letter: &DeadLetter, source: Option<Quoted>) -> Vec<Advice> {
    let name = letter.name();
    // neither areas nor days are in a routing key
    let then = match decode_message(&letter.message, &Directory::empty(), &days()) {
        Ok(event) => Some(Advice::UnderKey { letter: name, key: argument(&loa_event::routing_key(&event)) }),
        Err(refused) => refused.cause.as_ref().and_then(DeadCause::flaw).map(|flaw| Advice::NoEvent {
            flaw: flaw.clone(),
            position: Quoted::new(&refused.position),
            letter: name,
        }),
    };
    [Advice::NoOutlet { source }].into_iter().chain(then).collect()
}

/// Why it is dead, in this language; `None`: only the English sentence is known.
pub fn reason(letter: &DeadLetter, language: Language) -> Option<String> {
    letter.reason.cause.as_ref().map(|cause| language.words().dead_cause(cause))
}

/// What to do in this language, a sentence each.
pub fn advised(letter: &DeadLetter, others: &[String], language: Language) -> Vec<String> {
    advice(letter, others).iter().map(|advice| language.words().advice(advice)).collect()
}

/// Days of some zone, where none counts.
fn days() -> Calendar {
    Calendar::new(TimeZone::UTC)
}

/// A word as a shell takes it.
fn argument(word: &str) -> String {
    let bare = !word.is_empty()
        && !word.starts_with('-')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@%+".contains(c));
    if bare { word.to_owned() } else { format!("'{}'", plain(word).replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_bus::{DeadReason, Message, Queue};

    fn letter(body: &[u8], position: &str, headers: &[(&str, &str)]) -> DeadLetter {
        DeadLetter {
            message: Message {
                id: "m-1".into(),
                content_type: String::new(),
                headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
                body: body.to_vec().into(),
            },
            bytes: body.len(),
            key: "17".into(),
            place: Queue::Feed.into(),
            odd_headers: Default::default(),
            routing_key: String::new(),
            reason: DeadReason { reason: "no".into(), cause: None, position: position.into() },
            dead_at: None,
            buried_by: String::new(),
            past: Default::default(),
        }
    }

    fn english(letter: &DeadLetter, others: &[String]) -> Vec<String> {
        advised(letter, others, Language::English)
    }

    #[test]
    fn a_place_in_the_text_has_a_caret_under_it() {
        let shown = |body: &[u8], position| excerpt(&letter(body, position, &[]));
        assert_eq!(shown(b"{\n \"id\": }\n", "/id, line 2 column 8 (byte 9)"), " \"id\": }\n       ^");
        assert_eq!(shown(b"\x1b\xff\xfe", "line 1 column 1 (byte 0)"), "\\u{1b}\u{fffd}\u{fffd}\n^");
        assert_eq!(shown(b"", "line 1 column 0 (byte 0)"), "\n^");
        assert_eq!(shown(b"abc", "line 9 column 9 (byte 999)"), "abc\n   ^", "a place beyond the end is the end");
        let long = format!("{}\u{1ed9}{}", "x".repeat(5_000), "y".repeat(5_000));
        let line = shown(long.as_bytes(), "line 1 column 1 (byte 5001)");
        assert!(line.chars().count() < 250 && line.contains("yyy"), "cut inside a letter: {line}");
    }

    #[test]
    fn a_member_is_shown_or_the_names_that_are_there_instead() {
        let event = br#"{"specversion":"1.0","data":{"id":"a","title":["x"],"a/b":1}}"#;
        let shown = |position| excerpt(&letter(event, position, &[]));
        assert_eq!(shown("/data/title"), r#""title": ["x"]"#);
        assert_eq!(shown("/data/url"), r#"/data has only "id", "title", "a/b""#);
        assert_eq!(shown("/type"), r#"the event has only "specversion", "data""#);
        assert_eq!(shown("/data/title/9/url"), "", "too far off to say");
        let binary = [("ce-type", "x")];
        assert_eq!(excerpt(&letter(br#"{"title":7}"#, "/data/title", &binary)), r#""title": 7"#);
        assert_eq!(excerpt(&letter(br#"{"id":7}"#, "/id", &binary)), r#"the event has only "type", "data""#);
        assert_eq!(excerpt(&letter(b"{", "/data/title", &[])), "");
    }

    #[test]
    fn what_it_is_about_is_read_from_headers_and_body_as_far_as_it_goes() {
        let binary = letter(
            br#"{"title":"Tin","id":"of the article"}"#,
            "",
            &[("cloudEvents:source", "https://a.vn/"), ("CE-id", "e-1")],
        );
        let said = [("source", "https://a.vn/"), ("id", "e-1"), ("title", "Tin")];
        assert_eq!(about(&binary), said.map(|(name, value)| (name, value.to_owned())));
        assert!(about(&letter(b"\xff", "", &[])).is_empty());
        assert!(english(&binary, &[])[0].contains("https://a.vn/"));
    }

    #[test]
    fn advice_names_the_letter_and_for_a_stray_key_the_one_of_the_contract() {
        let mut letter = letter(b"{}", "", &[]);
        let said = english(&letter, &["push/3".to_owned()]).join("\n");
        for expected in ["discard feed/17`", "redrive feed/17`", "--id=m-1 --all"] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        letter.place = Place::Unrouted;
        assert!(english(&letter, &[]).join("\n").contains("discard unrouted/17`"));
        letter.message.body =
            include_bytes!("../../../../docs/schemas/examples/article-published.json").to_vec().into();
        let said = english(&letter, &[]).join("\n");
        assert!(said.contains("redrive unrouted/17 --key article.published."), "{said}");
    }

    #[test]
    fn a_word_stands_in_a_command_as_a_shell_takes_it() {
        assert_eq!(argument("bad-1"), "bad-1");
        assert_eq!(argument("-x"), "'-x'");
        assert_eq!(argument("a'; rm -rf /"), "'a'\\''; rm -rf /'");
    }
}
