//! Explains one dead letter to an operator: what it is about, the place at fault, what to do.
//!
//! The letter is the only source. Its body may be anything: what cannot be read is left out, and
//! nothing here fails.

use crate::output::plain;
use loa_area::Directory;
use loa_bus::{DeadLetter, Place};
use loa_worker::decode_event;
use serde_json::Value;

/// Most characters shown before and after a place, and of a value.
const AROUND_MAX: usize = 60;
/// Most names of members shown where one is missing.
const NAMES_MAX: usize = 20;

/// What the message says of itself, as far as it can be read: `source`, `id`, `type`, `subject`, `title`, in this order.
pub(super) fn about(letter: &DeadLetter) -> Vec<(&'static str, String)> {
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
pub(super) fn excerpt(letter: &DeadLetter) -> String {
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

/// What to do, a sentence each. `others`: the other letters of the same message.
pub(super) fn advice(letter: &DeadLetter, others: &[String]) -> Vec<String> {
    let name = letter.name();
    let source = about(letter).into_iter().find(|(name, _)| *name == "source");
    let source = source.map_or_else(String::new, |(_, source)| format!(" ({})", plain(&source)));
    if letter.place == Place::Unrouted {
        return unrouted(letter, &source);
    }
    if letter.reason.reason.contains("delivery limit") {
        let queue = letter.place.word();
        return vec![
            format!(
                "This is not the producer's fault: the service of `{queue}` tried it over and over. Its log says why (`{}`).",
                plain(&letter.message.id)
            ),
            format!("Once that is mended: `loa dead-letters redrive {name}`."),
        ];
    }
    let mut advice = vec![
        format!(
            "The producer{source} sent this, and must send it again as it should be; tell them what is wrong and where. A corrected event may have the same id, for this one was never accepted."
        ),
        format!("Once the corrected event has come: `loa dead-letters discard {name}`."),
        format!(
            "Were the fault on this side (an older Loa, a limit, a directory of areas): mend it, then `loa dead-letters redrive {name}`."
        ),
    ];
    if !others.is_empty() {
        let id = argument(&letter.message.id);
        advice.push(format!("`--id={id} --all` instead of the name means the other letters of this message, too."));
    }
    advice
}

/// What to do about a message that no queue took: no outlet has it.
fn unrouted(letter: &DeadLetter, source: &str) -> Vec<String> {
    let name = letter.name();
    let mut advice = vec![format!(
        "No outlet has it. The producer{source} must publish under the contract's routing keys (docs/asyncapi.yaml)."
    )];
    advice.push(match decode_event(&letter.message, &Directory::empty()) {
        Ok(event) => {
            let key = argument(&loa_event::routing_key(&event));
            format!("To bring it to every outlet now: `loa dead-letters redrive {name} --key {key}`.")
        }
        Err(refused) => format!(
            "It is no event of the contract either: {}{}. If nobody misses it: `loa dead-letters discard {name}`.",
            plain(&refused.reason),
            if refused.position.is_empty() { String::new() } else { format!(" (at {})", plain(&refused.position)) }
        ),
    });
    advice
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
            key: "17".into(),
            place: Queue::Feed.into(),
            odd_headers: Default::default(),
            routing_key: String::new(),
            reason: DeadReason { reason: "no".into(), position: position.into() },
            dead_at: None,
            buried_by: String::new(),
            past: Default::default(),
        }
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
        assert!(advice(&binary, &[])[0].contains("https://a.vn/"));
    }

    #[test]
    fn advice_names_the_letter_and_for_a_stray_key_the_one_of_the_contract() {
        let mut letter = letter(b"{}", "", &[]);
        let said = advice(&letter, &["push/3".to_owned()]).join("\n");
        for expected in ["discard feed/17`", "redrive feed/17`", "--id=m-1 --all"] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        letter.place = Place::Unrouted;
        assert!(advice(&letter, &[]).join("\n").contains("discard unrouted/17`"));
        letter.message.body =
            include_bytes!("../../../../../docs/schemas/examples/article-published.json").to_vec().into();
        let said = advice(&letter, &[]).join("\n");
        assert!(said.contains("redrive unrouted/17 --key article.published."), "{said}");
    }

    #[test]
    fn a_word_stands_in_a_command_as_a_shell_takes_it() {
        assert_eq!(argument("bad-1"), "bad-1");
        assert_eq!(argument("-x"), "'-x'");
        assert_eq!(argument("a'; rm -rf /"), "'a'\\''; rm -rf /'");
    }
}
