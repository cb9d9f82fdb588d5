//! `loa openapi`: prints the description of the HTTP API, from what each service says of its own
//! part.
//!
//! This file adds what the services share: who may call, the common answers, and articles and
//! documents as `docs/schemas` has them. It needs no settings and no server. `docs/openapi.json` is
//! this text; a test compares the two.

use crate::output::Output;
use anyhow::Context as _;
use loa_http::{Problem, answers};
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::{Tag, TagBuilder},
    },
};

/// The published schemas that request bodies are made of.
const PUBLISHED: [(&str, &str); 2] = [
    ("Article", include_str!("../../../../docs/schemas/article.v1.json")),
    ("Document", include_str!("../../../../docs/schemas/document.v1.json")),
];

const WHAT: &str = "Loa carries a government portal's articles and documents to feeds, e-mail digests and webhooks. \
    This is its API for machines: producers publish and withdraw, operators look after endpoints, deliveries, subscribers, \
    digest runs and dead letters. Feeds, the pages of subscribers, `/healthz`, `/readyz` (its JSON: docs/operating/broker.md) and `/metrics` are not in it. Whatever is \
    refused is answered with a problem (RFC 9457) that says what, where and what to do.";

const BEARER: &str = "A token made by `loa token create --scope SCOPE`. Each operation names the scope it needs: \
    `publish` (publish and withdraw), `operate` (everything an operator does; includes `read`), or `read` (look, change \
    nothing). A token of a scope that does not allow it is answered as none: 401.";

/// Prints the description.
pub fn run(output: Output) -> anyhow::Result<()> {
    let whole = whole()?;
    let text = text(&whole)?;
    output.result(&whole, |_| text)
}

fn text(whole: &Value) -> anyhow::Result<String> {
    serde_json::to_string_pretty(whole).context("the description cannot be written")
}

fn whole() -> anyhow::Result<Value> {
    let mut whole = frame();
    for service in [
        loa_svc_intake::Service::openapi(),
        loa_svc_console::Service::openapi(),
        loa_svc_push::Service::openapi(),
        loa_svc_hub::Service::openapi(),
        loa_svc_digest::Service::openapi(),
    ] {
        whole.merge(service);
    }
    let mut whole = serde_json::to_value(whole).context("the description cannot be written")?;
    let schemas = whole
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
        .context("the description has no schemas")?;
    for (name, published) in PUBLISHED {
        schemas.insert(name.to_owned(), submitted(published).with_context(|| format!("the schema {name}"))?);
    }
    schemas.sort_keys();
    Ok(whole)
}

/// A published schema, as a producer sends it: without a name of its own, and `revision` may be left out.
fn submitted(published: &str) -> anyhow::Result<Value> {
    let mut schema: Map<String, Value> = serde_json::from_str(published)?;
    schema.retain(|name, _| !name.starts_with('$'));
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != "revision");
    }
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{description} In a request `revision` may be left out: the next one is assigned.");
    schema.insert("description".to_owned(), description.into());
    Ok(schema.into())
}

fn frame() -> OpenApi {
    let licence = LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).identifier(Some(env!("CARGO_PKG_LICENSE")));
    let info = InfoBuilder::new()
        .title("Loa")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(WHAT))
        .license(Some(licence.build()))
        .build();
    let here =
        ServerBuilder::new().url("http://127.0.0.1:8080").description(Some("`loa up`, where nothing else is said"));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(BEARER)).build();
    let mut components = ComponentsBuilder::new()
        .schema(Problem::name(), Problem::schema())
        .security_scheme("bearer", SecurityScheme::Http(bearer));
    for (name, answer) in answers() {
        components = components.response(name, answer);
    }
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([here.build()]))
        .components(Some(components.build()))
        .tags(Some([
            tag("Articles", "Articles and official documents: publish, withdraw, look."),
            tag("Portals", "Who publishes: the home portal and others beside it."),
            tag("Endpoints", "Where webhooks go (Standard Webhooks)."),
            tag("Deliveries", "Webhooks: one event owed to one endpoint, and its attempts."),
            tag("Hub", "Feed readers that subscribed to feeds at the WebSub hub."),
            tag("Dead letters", "What could not be processed, and what no queue took: list, show, redrive, discard."),
            tag("Subscribers", "Mailboxes and their wishes. Addresses are personal data."),
            tag("Digest runs", "One period of one frequency of digests, and its mails."),
        ]))
        .build()
}

fn tag(name: &str, description: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(description)).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::Scope;
    use std::collections::BTreeSet;

    /// Calls `look` with every object of the description.
    fn each_object(value: &Value, look: &mut dyn FnMut(&Map<String, Value>)) {
        match value {
            Value::Object(members) => {
                look(members);
                members.values().for_each(|inner| each_object(inner, look));
            }
            Value::Array(items) => items.iter().for_each(|inner| each_object(inner, look)),
            _ => {}
        }
    }

    fn operations(whole: &Value) -> Vec<(String, &Map<String, Value>)> {
        let paths = whole["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object()
                    .unwrap()
                    .iter()
                    .map(move |(method, operation)| (format!("{method} {path}"), operation.as_object().unwrap()))
            })
            .collect()
    }

    #[test]
    fn the_published_description_is_what_the_code_says() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let published = std::fs::read_to_string(file).unwrap_or_default();
        let generated = text(&whole().unwrap()).unwrap();
        assert!(
            published.trim_end() == generated,
            "docs/openapi.json is not what the code says; from the project's root: cargo run -- openapi > docs/openapi.json"
        );
    }

    #[test]
    fn everything_referred_to_is_there_and_everything_there_is_referred_to() {
        let whole = whole().unwrap();
        let mut referred = BTreeSet::new();
        each_object(&whole, &mut |members| {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').expect("nothing outside the document is referred to");
                assert!(whole.pointer(pointer).is_some(), "{reference}");
                referred.insert(pointer.to_owned());
            }
        });
        for kind in ["schemas", "responses"] {
            for name in whole["components"][kind].as_object().unwrap().keys() {
                assert!(referred.contains(&format!("/components/{kind}/{name}")), "nobody refers to {kind}/{name}");
            }
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_a_scope_that_exists_and_the_common_refusals() {
        let whole = whole().unwrap();
        let mut names = BTreeSet::new();
        for (operation, said) in operations(&whole) {
            assert!(names.insert(said["operationId"].as_str().unwrap()), "{operation}: its name is another's");
            assert!(said.get("summary").is_some(), "{operation}: it says nothing of itself");
            let scope = said["security"][0]["bearer"][0].as_str().unwrap();
            assert!(Scope::parse(scope).is_some(), "{operation}: {scope}");
            for status in ["401", "500", "503"] {
                assert!(said["responses"].get(status).is_some(), "{operation}: {status}");
            }
        }
        let mut spoken_of = BTreeSet::new();
        each_object(&whole["paths"], &mut |members| {
            spoken_of.extend(members.get("tags").and_then(Value::as_array).into_iter().flatten().map(Value::to_string));
        });
        let there = whole["tags"].as_array().unwrap().iter().map(|tag| tag["name"].to_string());
        assert_eq!(spoken_of, there.collect(), "the groups that operations name are those that are explained");
    }

    #[test]
    fn an_article_is_described_as_published_but_for_its_revision() {
        let whole = whole().unwrap();
        for (name, published) in PUBLISHED {
            let published: Value = serde_json::from_str(published).unwrap();
            let described = &whole["components"]["schemas"][name];
            assert_eq!(described["properties"], published["properties"]);
            let required = |schema: &Value| schema["required"].as_array().unwrap().clone();
            let mut left_out = required(&published);
            left_out.retain(|member| !required(described).contains(member));
            assert_eq!(left_out, ["revision"]);
        }
    }
}
