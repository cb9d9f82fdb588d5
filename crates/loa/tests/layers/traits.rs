//! A door is small: a trait has a dozen methods at most (split it by what its callers need).
//!
//! [`TABLES`] names the traits that are more, with the reason. Sources are formatted, so a trait ends with the brace below it,
//! and its methods stand four columns further in.

use crate::sources::all;

/// Methods of a trait, those with a body among them.
const METHODS_MAX: usize = 12;
/// Larger traits: file, trait, why.
const TABLES: [(&str, &str, &str); 1] =
    [("crates/loa-words/src/catalogue.rs", "Words", "a table from facts to words: a method for each kind of fact")];

#[test]
fn a_door_has_a_dozen_methods_at_most() {
    let (mut faults, mut tables) = (Vec::new(), 0);
    for source in all().iter().filter(|source| !source.only_for_tests) {
        for (name, methods) in traits(&source.code) {
            let path = source.path.to_string_lossy();
            let is_table = TABLES.iter().any(|(file, table, _)| *file == path && *table == name);
            match (methods > METHODS_MAX, is_table) {
                (true, false) => faults.push(format!("{path}: {name} has {methods} methods")),
                (true, true) => tables += 1,
                (false, _) => {}
            }
        }
    }
    assert!(faults.is_empty(), "traits of more than {METHODS_MAX} methods:\n{}", faults.join("\n"));
    assert_eq!(tables, TABLES.len(), "a trait that is large no more needs no exception");
}

#[test]
fn the_doors_that_are_known_are_among_those_that_are_counted() {
    let counted: Vec<String> =
        all().iter().flat_map(|source| traits(&source.code).into_iter().map(|(name, _)| name.to_owned())).collect();
    for door in ["Administer", "Measure", "Deliveries", "HubLedger", "FeedViews", "Words"] {
        assert!(counted.iter().any(|name| name == door), "{door} is not among {counted:?}");
    }
}

#[test]
fn the_check_itself_counts_declared_and_given_methods() {
    let source = "pub trait A: Send {\n    fn a(&self);\n\n    async fn b(\n        &self,\n    ) -> u8;\n\n    fn c(&self) {\n        fn inner() {}\n    \
                  }\n}\n\npub(crate) trait B: A {}\n\nunsafe trait C\nwhere\n    Self: Sized,\n{\n    const X: u8;\n    fn d();\n}\n";
    assert_eq!(traits(source), [("A", 3), ("B", 0), ("C", 1)]);
}

/// The traits of a source by name, with how many methods each has.
fn traits(code: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = name_of(line) else { continue };
        if line.ends_with("{}") {
            found.push((name, 0));
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let (end, method) = (format!("{indent}}}"), format!("{indent}    "));
        let body = lines[at..].iter().take_while(|line| **line != end);
        let is_method = |line: &&&str| {
            let Some(line) = line.strip_prefix(&method) else { return false };
            ["fn ", "async fn ", "unsafe fn ", "const fn "].iter().any(|head| line.starts_with(head))
        };
        found.push((name, body.filter(is_method).count()));
    }
    found
}

/// The name behind `trait`, where a line begins one.
fn name_of(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let is_before = |word: &str| word == "unsafe" || word.starts_with("pub");
    words.by_ref().find(|word| !is_before(word)).filter(|word| *word == "trait")?;
    words.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}
