//! Metrics have rows in `docs/operating`, and rows have metrics: the same names, the same labels.
//!
//! Names are found where they are used, as the first argument of `counter!`, `gauge!` or `histogram!`, and as constants, which
//! other files hand on. A row names its metrics in its first cell, `` `loa_x_total{label}` ``.

use crate::{root, sources::all};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Metrics with their labels; none are known of a constant that another file measures.
type Metrics = BTreeMap<String, Option<BTreeSet<String>>>;

#[test]
fn every_metric_has_its_row_in_the_docs_and_every_row_its_metric() {
    let mut used = Metrics::new();
    for source in all().iter().filter(|source| !source.only_for_tests) {
        for (name, labels) in used_in(&source.code) {
            let known = used.entry(name).or_default();
            *known = known.take().into_iter().chain(labels).reduce(|one, other| &one | &other);
        }
    }
    let told = told();
    let mut faults: Vec<String> =
        told.keys().filter(|name| !used.contains_key(*name)).map(|name| format!("no code measures {name}")).collect();
    for (name, labels) in &used {
        match told.get(name) {
            None => faults.push(format!("docs/operating has no row for {name}")),
            Some(told) if labels.as_ref().is_some_and(|labels| told != labels) => {
                faults.push(format!("{name}: labels {labels:?}, in its row {told:?}"));
            }
            Some(_) => {}
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(used.len() > 60, "metrics are found where they are used: {}", used.len());
}

#[test]
fn the_check_itself_finds_names_and_labels() {
    let found = |code: &str| {
        let labels =
            |labels: &Option<BTreeSet<String>>| labels.as_ref().map_or("?".to_owned(), |them| format!("{them:?}"));
        used_in(code).iter().map(|(name, them)| name.clone() + &labels(them)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(r#"metrics::counter!("loa_a_total").increment(1);"#), "loa_a_total{}");
    assert_eq!(found("gauge!(\n\"loa_b\",\n\"as\" => word(), \"of\" => x)"), r#"loa_b{"as", "of"}"#);
    assert_eq!(
        found(r#"const AGE: &str = "loa_age_seconds"; gauge!(AGE, "queue" => q)"#),
        r#"loa_age_seconds{"queue"}"#
    );
    assert_eq!(found(r#"pub const AGE: &str = "loa_age_seconds";"#), "loa_age_seconds?");
    assert_eq!(found(r#"let schema = "loa_feed";"#), "");
    assert_eq!(
        rows("| `loa_a_total{x,y}`, `loa_b` | uses `loa_c` |"),
        [("loa_a_total".to_owned(), ["x", "y"].map(str::to_owned).into()), ("loa_b".to_owned(), BTreeSet::new())]
    );
}

/// The metrics that a file measures.
fn used_in(code: &str) -> Metrics {
    let mut found = Metrics::new();
    let constants: BTreeMap<&str, &str> = code.split("const ").skip(1).filter_map(constant).collect();
    for name in constants.values() {
        found.insert((*name).to_owned(), None);
    }
    for arguments in ["counter!(", "gauge!(", "histogram!("].iter().flat_map(|call| code.split(call).skip(1)) {
        let arguments = up_to_end(arguments);
        let first = arguments.split(',').next().unwrap_or_default().trim();
        let name = first.strip_prefix('"').map(|name| name.trim_end_matches('"'));
        let Some(name) = name.or_else(|| constants.get(first).copied()) else { continue };
        let pairs = arguments.rsplit_once("=>").map_or("", |(pairs, _)| pairs);
        let labels = pairs.split("=>").filter_map(|before| before.trim_end().strip_suffix('"')?.rsplit('"').next());
        found.entry(name.to_owned()).or_default().get_or_insert_default().extend(labels.map(str::to_owned));
    }
    found
}

/// `AGE: &str = "loa_age_seconds";` as the constant's name and its value.
fn constant(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(": &str = \"")?;
    let value = value.split('"').next().filter(|value| value.starts_with("loa_"))?;
    (!name.contains('\n')).then_some((name, value))
}

/// The arguments of a call, up to its closing bracket.
fn up_to_end(text: &str) -> &str {
    let mut depth = 1_usize;
    let end = text.char_indices().find(|(_, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// The metrics that the pages for operators have rows for.
fn told() -> BTreeMap<String, BTreeSet<String>> {
    let pages = fs::read_dir(root().join("docs/operating")).expect("pages for operators");
    let texts = pages.map(|page| fs::read_to_string(page.expect("its entry").path()).expect("a page"));
    texts.flat_map(|text| text.lines().flat_map(rows).collect::<Vec<_>>()).collect()
}

/// The metrics that a line of a table is about.
fn rows(line: &str) -> Vec<(String, BTreeSet<String>)> {
    let Some(cell) = line.strip_prefix("| ").and_then(|line| line.split('|').next()) else { return Vec::new() };
    let metrics = cell.split('`').skip(1).step_by(2).filter(|word| word.starts_with("loa_"));
    metrics
        .map(|metric| {
            let (name, labels) = metric.split_once('{').unwrap_or((metric, ""));
            let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
            (name.to_owned(), labels.map(str::to_owned).collect())
        })
        .collect()
}
