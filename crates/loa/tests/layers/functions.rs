//! A function fits a screen.
//!
//! The longest body is [`LINES_MAX`] lines, tests aside. A table from facts to sentences may be longer: it is read by the row,
//! and [`TABLES`] names it. Sources are formatted, so a body ends with the brace below its `fn`.

use crate::sources::all;

/// Lines of a function's body, without its signature and its last brace.
const LINES_MAX: usize = 60;
/// Functions that are a table of sentences: file, function.
const TABLES: [(&str, &str); 6] = [
    ("crates/loa-words/src/vi/wrong.rs", "fault"),
    ("crates/loa-words/src/en/wrong.rs", "fault"),
    ("crates/loa-words/src/vi/flaw.rs", "flaw"),
    ("crates/loa-words/src/en/flaw.rs", "flaw"),
    ("crates/loa-words/src/vi/page.rs", "error"),
    ("crates/loa-words/src/en/page.rs", "error"),
];

#[test]
fn a_function_fits_a_screen_or_is_a_table() {
    let (mut faults, mut tables) = (Vec::new(), 0);
    for source in all().iter().filter(|source| !source.only_for_tests) {
        for (name, body) in functions(&source.code) {
            let path = source.path.to_string_lossy();
            match (body.len() > LINES_MAX, TABLES.contains(&(&*path, name))) {
                (true, false) => faults.push(format!("{path}: {name} has {} lines", body.len())),
                (true, true) => tables += 1,
                (false, _) => {}
            }
        }
    }
    assert!(faults.is_empty(), "functions longer than {LINES_MAX} lines:\n{}", faults.join("\n"));
    assert_eq!(tables, TABLES.len(), "a table that is long no more needs no exception");
}

#[test]
fn the_check_itself_counts_the_lines_of_a_body() {
    let source = "impl X {\n    pub(crate) async fn a(\n        &self,\n    ) -> u8 {\n        match self {\n            _ => 1,\n        }\n    }\n\n    \
                  fn b(&self) {\n        if x {\n            y\n        }\n        z\n    }\n\n    fn c() {}\n}\n\ntrait Y {\n    fn d(&self);\n}\n";
    let found: Vec<(&str, usize)> = functions(source).into_iter().map(|(name, body)| (name, body.len())).collect();
    assert_eq!(found, [("a", 3), ("b", 4)]);
}

/// The functions of a source that have a body, by name, with its lines.
fn functions(code: &str) -> Vec<(&str, Vec<&str>)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = name_of(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let Some(begin) = lines[at..].iter().position(|line| line.ends_with(['{', ';', '}'])) else { continue };
        let begin = at + begin + 1;
        if !lines[begin - 1].ends_with('{') {
            continue; // declared only, or written in one line
        }
        let end = format!("{indent}}}");
        let length = lines[begin..].iter().position(|line| *line == end).unwrap_or(0);
        found.push((name, lines[begin..begin + length].to_vec()));
    }
    found
}

/// The name behind `fn`, where a line begins a function.
fn name_of(line: &str) -> Option<&str> {
    let (before, behind) = line.trim_start().split_once("fn ")?;
    let is_qualified = before.split_whitespace().all(|word| {
        ["async", "const", "unsafe", "extern"].contains(&word) || word.starts_with("pub") || word.ends_with(')')
    });
    behind.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| is_qualified && !name.is_empty())
}
