//! Facts are typed, and sentences are made when they are shown.
//!
//! Below the catalogues nobody keeps a sentence for people. A reason is an enum of `loa-domain`; what another program said is
//! `ServerWords`, and what was received is `Quoted`. The compiler holds that each fact has words in both languages; here is held
//! that none stands beside the catalogues as text.

use crate::sources::{Source, all};

/// Names that a field has which says why.
const NAMES: [&str; 8] = ["why", "said", "sentence", "told", "explanation", "remark", "advice", "clause"];
/// Who says facts: the catalogues, the command line, and stand-ins.
const SAY: [&str; 3] = ["loa-words", "loa", "loa-testkit"];
/// What holds a sentence all the same: file, field, why.
const MADE: &[(&str, &str, &str)] = &[
    ("crates/loa-svc-console/src/overview.rs", "advice", "of the page's model, made by the Vietnamese catalogue"),
    ("crates/loa-svc-console/src/dead_letters/mod.rs", "why", "of the API's answer, made by the English catalogue"),
    (
        "crates/loa-svc-console/src/dead_letters/shown.rs",
        "advice",
        "of the API's answer, made by the English catalogue",
    ),
    ("crates/loa-svc-digest/src/submit.rs", "why", "for the log; people are told the reason and the server's words"),
    ("crates/loa-svc-intake/src/relay.rs", "sentence", "for whoever opens the ledger: shown nowhere"),
];
/// Words by which a sentence is told from a word, a label or a pattern.
const OF_SENTENCES: &str = "the is are which cannot does has not without but its that";
/// What pages are compared with: texts of theirs, not of ours.
const PATTERNS: [&str; 2] = ["crates/loa-portal/src/label.rs", "crates/loa-portal/src/title.rs"];

#[test]
fn a_reason_is_a_fact_and_no_text() {
    let mut faults = Vec::new();
    let mut made = 0;
    for source in all().iter().filter(|source| !source.only_for_tests && !SAY.contains(&source.package.as_str())) {
        let path = source.path.to_string_lossy();
        for field in texts(&source.code) {
            match MADE.iter().any(|(file, name, _)| *file == path && *name == field) {
                true => made += 1,
                false => faults.push(format!("{path}: {field}: String")),
            }
        }
    }
    assert!(faults.is_empty(), "sentences beside the catalogues:\n{}", faults.join("\n"));
    assert_eq!(made, MADE.len(), "what is gone needs no exception");
}

#[test]
fn no_sentence_stands_where_pages_are_read() {
    let is_read_by = |source: &&Source| {
        let path = source.path.to_string_lossy();
        source.package == "loa-portal" && !source.only_for_tests && !PATTERNS.contains(&path.as_ref())
    };
    let sources = all();
    let faults: Vec<String> = sources
        .iter()
        .filter(is_read_by)
        .flat_map(|source| sentences(&source.code).map(move |text| format!("{}: {text}", source.path.display())))
        .collect();
    assert!(faults.is_empty(), "sentences for people:\n{}", faults.join("\n"));
}

#[test]
fn the_checks_themselves_find_a_sentence() {
    assert_eq!(
        texts("    pub why: String,\n    pub(crate) said: Option<String>,\n    why: WatchFailure,\n"),
        ["why", "said"]
    );
    assert_eq!(texts("    let why: String = x;\n    fn f(why: String) {}\n"), Vec::<&str>::new());
    let code = "note(\"a menu, which is no part of the article\");\nof(\"og:title\");\nx.expect(\"it is short\");\n";
    assert_eq!(sentences(code).collect::<Vec<_>>(), ["a menu, which is no part of the article"]);
}

/// Fields of text that say why. Sources are formatted: a field stands in a line of its own.
fn texts(code: &str) -> Vec<&str> {
    let field = |line: &'_ str| -> Option<(usize, usize)> {
        let start = line.len() - line.trim_start().len();
        let rest = line.trim_start();
        let rest = rest.strip_prefix("pub(crate) ").or_else(|| rest.strip_prefix("pub ")).unwrap_or(rest);
        let (name, kind) = rest.split_once(": ")?;
        let is_text =
            ["String,", "Option<String>,", "Vec<String>,", "&'static str,", "Cow<'static, str>,"].contains(&kind);
        let from = line.len() - rest.len();
        (start > 0 && is_text && NAMES.contains(&name)).then_some((from, from + name.len()))
    };
    code.lines().filter_map(|line| field(line).map(|(from, end)| &line[from..end])).collect()
}

/// String literals that read like a sentence.
fn sentences(code: &str) -> impl Iterator<Item = &str> {
    // what an `expect` says is read by nobody unless Loa has a defect
    let lines = code.lines().filter(|line| !line.contains(".expect("));
    let literals = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    literals.filter(|text| OF_SENTENCES.split(' ').any(|word| text.contains(&format!(" {word} "))))
}
