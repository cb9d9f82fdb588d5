//! What tells two contents under one event's key apart.
//!
//! It is made of the data as they were sent and not of what we read from them: a later version may read the same event
//! otherwise, and a replay of it must still be recognised.

use loa_domain::EventType;
use ring::digest::{Context, SHA256};
use serde_json::Value;
use std::fmt::Write;

/// The first 16 bytes, as 32 hex digits, of SHA-256 over whether the event takes something back, and its data as JSON with
/// sorted names and without spaces. The form can never change: ledgers keep it.
pub fn content_hash(event_type: EventType, data: &Value) -> String {
    let mut hash = Context::new(&SHA256);
    hash.update(if event_type.is_withdrawal() { b"-" } else { b"+" });
    take(&mut hash, data);
    hash.finish().as_ref()[..16].iter().fold(String::with_capacity(32), |mut hex, byte| {
        // writing to a text does not fail
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Takes a value in; as deep as `serde_json` reads (128), and no deeper.
fn take(hash: &mut Context, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            hash.update(b"{");
            for name in names {
                text(hash, name);
                hash.update(b":");
                take(hash, &members[name.as_str()]);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        Value::Array(values) => {
            hash.update(b"[");
            for value in values {
                take(hash, value);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        Value::String(words) => text(hash, words),
        Value::Number(number) => hash.update(number.to_string().as_bytes()),
        Value::Bool(true) => hash.update(b"true"),
        Value::Bool(false) => hash.update(b"false"),
        Value::Null => hash.update(b"null"),
    }
}

/// A text, with its length before it, so that nothing in it looks like what stands around it.
fn text(hash: &mut Context, words: &str) {
    hash.update(b"\"");
    hash.update(&(words.len() as u64).to_be_bytes());
    hash.update(words.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash(text: &str) -> String {
        content_hash(EventType::ArticlePublished, &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn the_form_never_changes_between_releases() {
        let data = json!({ "id": "a", "revision": 1, "areas": [], "title": "Lạc đỏ", "x": null, "y": [true, 1.5] });
        assert_eq!(content_hash(EventType::ArticlePublished, &data), "b34de64f98437e2253bc660a5f5389a3");
    }

    #[test]
    fn order_spaces_and_escapes_make_no_difference_and_everything_else_does() {
        let one = hash(r#"{"id": "a", "title": "Lạc", "n": {"p": 1, "q": [1, 2]}}"#);
        assert_eq!(hash(r#"{"n":{"q":[1,2],"p":1},"title":"L\u1ea1c","id":"a"}"#), one);
        for other in [
            r#"{"id": "a", "title": "Lạc ", "n": {"p": 1, "q": [1, 2]}}"#,
            r#"{"id": "a", "title": "Lạc", "n": {"p": 1, "q": [2, 1]}}"#,
            r#"{"id": "a", "title": "Lạc", "n": {"p": 1, "q": [1, 2], "r": null}}"#,
            r#"{"id": "a", "title": "Lạc", "n": {"p": "1", "q": [1, 2]}}"#,
        ] {
            assert_ne!(hash(other), one, "{other}");
        }
        let data = json!({ "id": "a", "revision": 1 });
        let published = content_hash(EventType::ArticlePublished, &data);
        assert_eq!(content_hash(EventType::ArticleUpdated, &data), published, "the revision decides, not the word");
        assert_ne!(content_hash(EventType::ArticleWithdrawn, &data), published);
    }
}
