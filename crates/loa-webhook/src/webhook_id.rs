//! The outward id of a delivery: the event's identity, in a form that may stand in a header and in
//! a signature.
//!
//! Standard Webhooks joins id, timestamp and body with dots before it signs. So the id must hold no
//! dot, and no sender may choose it freely. A CloudEvents id is free text, and unique only with its
//! source. Therefore the id is `evt_` and the first 16 bytes, in hex, of SHA-256 over (length of
//! source in bytes, 8 bytes big-endian; source; id). It is the same for every attempt, endpoint,
//! replay and restart, so that a receiver can recognise a repeat
//! (`docs/adr/0006-outward-webhook-id.md`).

use loa_domain::EventKey;
use ring::digest::{Context, SHA256};
use std::fmt;

/// What stands in `webhook-id`: ASCII letters, digits, `_` and `-`, at most 64 of them; never a dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(String);

impl WebhookId {
    /// The outward id of an event. Equal keys give equal ids.
    pub fn of(key: &EventKey) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(&(key.source.len() as u64).to_be_bytes());
        hash.update(key.source.as_bytes());
        hash.update(key.id.as_bytes());
        Self(format!("evt_{}", hex(&hash.finish().as_ref()[..16])))
    }

    /// The outward id of a test ping, from the caller's randomness.
    pub fn of_test(chance: [u8; 16]) -> Self {
        Self(format!("test_{}", hex(&chance)))
    }

    /// Reads an id that came back: from a header, a support mail, a query.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str, id: &str) -> WebhookId {
        WebhookId::of(&EventKey { source: source.into(), id: id.into() })
    }

    #[test]
    fn the_outward_id_never_changes_between_releases() {
        // A change of this line breaks every receiver's duplicate check on the day of the upgrade.
        assert_eq!(of("https://dienbiendong.example", "bai-1.2").as_str(), "evt_99eeb12491b9236a6df43fcb7d9c40e1");
    }

    #[test]
    fn source_and_id_cannot_be_shifted_into_each_other() {
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_eq!(of("a", "b"), of("a", "b"));
    }

    #[test]
    fn an_id_never_holds_a_dot() {
        for id in ["a.b", "…", "\u{0}", "x\r\ny", ""] {
            assert_eq!(WebhookId::parse(of("https://x.example/", id).as_str()), Some(of("https://x.example/", id)));
        }
        assert_eq!(WebhookId::parse("a.b"), None);
        assert_eq!(WebhookId::parse(""), None);
    }
}
