//! A submission of a producer, and its fingerprint, which does not depend on the order of members.

use loa_domain::{ArticleId, Flaw};
use loa_event::{Refusal, strict_json};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a producer hands in: the `data` of an event. `revision` may be left out; it is assigned then.
#[derive(Debug, Clone, PartialEq)]
pub enum RawContent {
    /// An article (`docs/schemas/article.v1.json`).
    Article(Value),
    /// An official paper (`docs/schemas/document.v1.json`).
    Document(Value),
}

impl RawContent {
    /// Reads what a producer sends: an article, `{ "article": … }` or `{ "document": … }`, as strictly as an event is read.
    /// With it, the pointer at which its data stand in the text.
    ///
    /// # Errors
    /// When it is not JSON, or not an object; the pointer goes into the text.
    pub fn from_json(text: &[u8]) -> Result<(Self, &'static str), Refusal> {
        let Value::Object(mut members) = strict_json(text)? else {
            return Err(Refusal::at("", Flaw::NotAnArticle));
        };
        if members.len() == 1 {
            if let Some(document) = members.remove("document") {
                return Ok((Self::Document(document), "/document"));
            }
            if let Some(article) = members.remove("article") {
                return Ok((Self::Article(article), "/article"));
            }
        }
        Ok((Self::Article(Value::Object(members)), ""))
    }
}

/// Where a place of the event (`/data/title`) stands in the text that a producer sent; `within` as [`RawContent::from_json`]
/// gave it.
pub(crate) fn pointer_in_text(pointer: &str, within: &str) -> String {
    match pointer.strip_prefix("/data").filter(|inner| inner.is_empty() || inner.starts_with('/')) {
        Some(inner) => format!("{within}{inner}"),
        // the envelope is ours: what is wrong in it came from the member of the same name
        None if pointer == "/subject" => format!("{within}/id"),
        None => pointer.to_owned(),
    }
}

/// Id and revision as far as they can be read; what is wrong with them the gate will say.
pub(crate) fn probe(data: &Value) -> (Option<ArticleId>, Option<u64>) {
    let id = data.get("id").and_then(Value::as_str).and_then(|id| ArticleId::new(id).ok());
    (id, data.get("revision").and_then(Value::as_u64))
}

/// SHA-256 (hex) of what a producer sent, less the revision, whatever the order of members.
pub(crate) fn fingerprint(data: &Value, is_document: bool) -> String {
    let mut data = data.clone();
    if let Value::Object(members) = &mut data {
        // before sorting: taking a member out may move the last one into its place
        members.remove("revision");
    }
    let data = sorted(&data);
    let text = format!("{}\n{data}", if is_document { "document" } else { "article" });
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let ordered: BTreeMap<&String, Value> = members.iter().map(|(name, value)| (name, sorted(value))).collect();
            Value::Object(ordered.into_iter().map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_the_event_is_said_as_a_place_in_the_producers_text() {
        for (pointer, within, said) in [
            ("/data/title", "", "/title"),
            ("/data/areas/0/code", "/article", "/article/areas/0/code"),
            ("/data", "/document", "/document"),
            ("/subject", "/document", "/document/id"),
            ("/database", "", "/database"),
            ("", "", ""),
        ] {
            assert_eq!(pointer_in_text(pointer, within), said, "{pointer} within {within:?}");
        }
    }
}
