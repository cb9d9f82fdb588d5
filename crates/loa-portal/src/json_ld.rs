//! The articles that a page describes in JSON-LD (schema.org).
//!
//! Text in, values out. What is no JSON, or describes something else, gives nothing. Slips that systems make in all their pages
//! (line ends within a value, CDATA around it, a semicolon behind) are passed over.

use serde_json::Value;

/// Objects that are looked at in one script.
const OBJECTS_MAX: usize = 200;

/// What is said of an article; empty where nothing is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) headline: String,
    pub(crate) published: String,
    pub(crate) author: String,
}

/// The articles of one script, at its top, in a list, or in `@graph`.
pub(crate) fn articles(text: &str) -> Vec<Described> {
    let Some(value) = value_of(text) else { return Vec::new() };
    let mut waiting = vec![&value];
    let (mut found, mut seen) = (Vec::new(), 0);
    while let Some(value) = waiting.pop() {
        seen += 1;
        if seen > OBJECTS_MAX {
            break;
        }
        match value {
            Value::Array(items) => waiting.extend(items.iter().take(OBJECTS_MAX)),
            Value::Object(object) => {
                waiting
                    .extend(["@graph", "mainEntity", "mainEntityOfPage"].iter().filter_map(|name| object.get(*name)));
                if is_article(object.get("@type")) {
                    found.push(Described {
                        headline: text_of(object.get("headline")),
                        published: text_of(object.get("datePublished")),
                        author: name_of(object.get("author")),
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// The object or list that a script holds.
fn value_of(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    // a line end, or another control character, stands in no string of JSON
    let whole = text.get(text.find(['{', '['])?..=text.rfind(['}', ']'])?)?;
    // `<![CDATA[` has brackets of its own
    let whole = if text.contains("CDATA[") { text.get(text.find('{')?..=text.rfind('}')?)? } else { whole };
    let spaced: String = whole.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    serde_json::from_str(&spaced).ok()
}

fn is_article(kind: Option<&Value>) -> bool {
    const KINDS: [&str; 4] = ["Article", "NewsArticle", "BlogPosting", "Report"];
    let is_kind = |kind: &Value| {
        let kind = kind.as_str().and_then(|kind| kind.rsplit(['/', ':']).next());
        kind.is_some_and(|kind| KINDS.contains(&kind))
    };
    match kind {
        Some(Value::Array(kinds)) => kinds.iter().any(is_kind),
        Some(kind) => is_kind(kind),
        None => false,
    }
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn name_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Object(person)) => text_of(person.get("name")),
        Some(Value::Array(people)) => name_of(people.first().filter(|person| !person.is_array())),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::articles;

    #[test]
    fn an_article_is_found_in_a_graph_and_a_list_and_nothing_else_is() {
        for text in [
            r#"{"@type":"NewsArticle","headline":"A","datePublished":"2023-11-16","author":{"name":"B"}}"#,
            r#"[{"@type":"WebSite","headline":"X"},{"@type":["Article"],"headline":"A","datePublished":"2023-11-16","author":[{"name":"B"}]}]"#,
            r#"{"@type":"https://schema.org/NewsArticle","headline":"A","datePublished":"2023-11-16","author":"B"}"#,
            r#"{"@type":"WebPage","mainEntity":{"@type":"schema:Article","headline":"A","datePublished":"2023-11-16","author":"B"}}"#,
            "//<![CDATA[\n{\"@type\":\"Article\",\"headline\":\"A\",\"datePublished\":\"2023-11-16\",\"author\":\"B\"};\n//]]>",
            "{\"@type\":\"Article\",\"headline\":\"A\",\"description\":\"one\ntwo\tthree\",\"datePublished\":\"2023-11-16\",\"author\":\"B\"}",
            r#"{"@graph":[{"@type":"WebPage","datePublished":"2020-01-01"},{"@type":"Article","headline":"A","datePublished":"2023-11-16","author":"B"}]}"#,
        ] {
            let found = articles(text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(
                (found[0].headline.as_str(), found[0].published.as_str(), found[0].author.as_str()),
                ("A", "2023-11-16", "B")
            );
        }
        assert!(articles("{not json").is_empty() && articles(&"[".repeat(100_000)).is_empty());
    }
}
