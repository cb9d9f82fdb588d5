//! `docs/schemas` and `docs/asyncapi.yaml` say what the code does: same names, same limits, examples that decode.

use crate::{decode_bytes, decode_value, minimal};
use loa_domain::EventType;
use loa_event::{data_of, limits};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::PathBuf};

fn docs(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema(name: &str) -> Value {
    serde_json::from_str(&docs(&format!("schemas/{name}.v1.json"))).expect("JSON")
}

fn examples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/examples");
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("text"))).collect()
}

#[test]
fn there_is_an_example_of_every_type_and_each_decodes() {
    let decoded = examples().into_iter().map(|(path, text)| {
        decode_bytes(text.as_bytes()).unwrap_or_else(|refusal| panic!("{path}: {refusal}")).event_type
    });
    assert_eq!(decoded.collect::<BTreeSet<_>>(), EventType::ALL.into_iter().collect());
}

#[test]
fn the_schemas_state_the_limits_of_the_code() {
    let check = |name: &str, pointer: &str, limit: usize| {
        assert_eq!(schema(name).pointer(pointer), Some(&json!(limit)), "{name} {pointer}");
    };
    check("event", "/x-bytes-max", limits::EVENT_BYTES_MAX);
    check("event", "/x-depth-max", limits::DEPTH_MAX);
    check("event", "/x-values-max", limits::VALUES_MAX);
    check("event", "/properties/source/maxLength", limits::SOURCE_BYTES_MAX);
    for (name, file) in [("article", "images"), ("article", "attachments"), ("document", "attachments")] {
        let max = if file == "images" { limits::IMAGES_MAX } else { limits::ATTACHMENTS_MAX };
        check(name, &format!("/properties/{file}/maxItems"), max);
        check(name, &format!("/properties/{file}/items/properties/alt/maxLength"), limits::ALT_CHARS_MAX);
        check(name, &format!("/properties/{file}/items/properties/url/maxLength"), limits::URL_BYTES_MAX);
    }
    for name in ["article", "document"] {
        check(name, "/properties/title/maxLength", limits::TITLE_CHARS_MAX);
        check(name, "/properties/url/maxLength", limits::URL_BYTES_MAX);
        check(name, "/properties/areas/maxItems", limits::AREAS_MAX);
    }
    check("article", "/properties/summary/maxLength", limits::SUMMARY_CHARS_MAX);
    check("article", "/properties/source_name/maxLength", limits::NAME_CHARS_MAX);
    check("article", "/properties/category/properties/label/maxLength", limits::NAME_CHARS_MAX);
    for member in ["number", "kind", "issuer"] {
        check("document", &format!("/properties/{member}/maxLength"), limits::NAME_CHARS_MAX);
    }
    check("withdrawal", "/properties/reason/maxLength", limits::REASON_CHARS_MAX);
    for name in ["article", "document", "withdrawal"] {
        check(name, "/properties/revision/maximum", limits::REVISION_MAX as usize);
        check(name, "/properties/id/maxLength", loa_domain::ArticleId::LENGTH_MAX);
    }
    let id = schema("event")["properties"]["id"]["pattern"].clone();
    assert_eq!(id, json!(format!("^[!-~]{{1,{}}}$", limits::EVENT_ID_BYTES_MAX)));
    let published = schema("article")["properties"]["published_at"]["description"].to_string();
    assert!(published.contains(&format!("{} to {}", limits::INSTANT_YEAR_MIN, limits::YEAR_MAX)), "{published}");
    let issued = schema("document")["properties"]["issued_on"]["description"].to_string();
    assert!(issued.contains(&format!("{} to {}", limits::ISSUE_YEAR_MIN, limits::YEAR_MAX)), "{issued}");
}

#[test]
fn the_schemas_name_the_members_that_the_code_reads_and_writes() {
    for (path, text) in examples() {
        let event = decode_bytes(text.as_bytes()).expect("good");
        let name = match event.event_type {
            EventType::ArticlePublished | EventType::ArticleUpdated => "article",
            EventType::DocumentIssued => "document",
            EventType::ArticleWithdrawn | EventType::DocumentWithdrawn => "withdrawal",
        };
        let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&data_of(&event.change)), names(&schema(name)["properties"]), "{path}");
    }
}

#[test]
fn every_member_the_schema_requires_is_required_by_the_code_and_no_other() {
    let required = |value: &Value| -> BTreeSet<String> {
        value["required"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|name| name.as_str().expect("text").to_owned())
            .collect()
    };
    let needed = |under: &str| -> BTreeSet<String> {
        let members =
            minimal().pointer(under).and_then(Value::as_object).expect("an object").keys().cloned().collect::<Vec<_>>();
        let without = |name: &String| {
            let mut event = minimal();
            event.pointer_mut(under).and_then(Value::as_object_mut).expect("an object").remove(name);
            decode_value(&event).is_err()
        };
        members.into_iter().filter(without).collect()
    };
    assert_eq!(needed(""), required(&schema("event")));
    assert_eq!(needed("/data"), required(&schema("article")));
}

#[test]
fn the_asyncapi_document_names_every_type_and_the_schema_knows_them() {
    let text = docs("asyncapi.yaml");
    let types = schema("event")["properties"]["type"]["enum"].clone();
    assert_eq!(types, json!(EventType::ALL.map(EventType::as_str)));
    for event_type in EventType::ALL {
        assert!(text.contains(&format!("name: {event_type}\n")), "{event_type}");
    }
    for name in ["loa.events", "loa.unrouted", "loa.archive", "loa.feed", "loa.digest", "loa.push", "1,048,576"] {
        assert!(text.contains(name), "{name}");
    }
}
