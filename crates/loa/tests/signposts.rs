//! Holds README, ARCHITECTURE and GLOSSARY against the tree: what they name exists.
//!
//! A promise of README names its tests, a row of ARCHITECTURE its files and functions, a word of GLOSSARY its file. Names
//! rot silently when code moves; here a name without its thing fails, and a row whose functions do not call its door. Reads the repository's files and runs nothing.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// How many promises there are.
const PROMISES: usize = 13;
/// Where paths of the tables begin.
const FOLDERS: [&str; 3] = ["crates", "crates/loa-store-sql/src", ""];

#[test]
fn every_promise_is_numbered_and_names_tests_that_exist_or_what_is_being_built() {
    let readme = text(&root().join("README.md"));
    let promises = section(&readme, "## Promises");
    let known = functions(&[root().join("crates"), root().join("tests")]);
    for number in 1..=PROMISES {
        let promise = item(promises, number).split_whitespace().collect::<Vec<_>>().join(" ");
        let named: Vec<&str> = code(&promise).filter(|word| is_test_name(word)).collect();
        let missing: Vec<&&str> = named.iter().filter(|name| !known.contains(**name)).collect();
        assert!(missing.is_empty(), "promise {number} names tests that do not exist: {missing:?}");
        assert!(promise.contains("*Held by*") || promise.contains("*Being built"), "promise {number} says neither");
        assert!(!promise.contains("*Held by* `") || !named.is_empty(), "promise {number} names no test");
    }
}

#[test]
fn every_file_and_function_that_the_architecture_names_exists() {
    let architecture = text(&root().join("ARCHITECTURE.md"));
    let mut named = 0;
    for word in code(&architecture).filter(|word| is_path(word)) {
        let (path, function) = match word.split_once(".rs:") {
            Some((path, function)) => (format!("{path}.rs"), Some(function)),
            None => (word.to_owned(), None),
        };
        let file = find(&path).unwrap_or_else(|| panic!("ARCHITECTURE.md names {path}, which does not exist"));
        if let Some(function) = function {
            assert!(defined(&text(&file)).any(|name| name == function), "{path} has no function {function}");
        }
        named += 1;
    }
    assert!(named > 0, "ARCHITECTURE.md names no file");
}

#[test]
fn every_door_that_the_architecture_names_has_that_method() {
    let doors: Vec<String> =
        ["crates/loa-store/src", "crates/loa-bus/src"].iter().flat_map(|at| sources(&root().join(at))).collect();
    for (door, method) in code(&text(&root().join("ARCHITECTURE.md"))).filter_map(|word| word.split_once("::")) {
        if !door.starts_with(char::is_uppercase) {
            continue; // a function of a crate
        }
        let is_there = |source: &String| {
            let declared = [format!("pub trait {door}:"), format!("pub struct {door} {{")];
            declared.iter().any(|line| source.contains(line)) && defined(source).any(|name| name == method)
        };
        assert!(doors.iter().any(is_there), "there is no {door}::{method}");
    }
}

/// A breakpoint at a function of a row has to be hit on the way to the row's door.
#[test]
fn in_every_row_of_the_architecture_a_function_calls_the_door_and_a_file_holds_its_sql() {
    let architecture = text(&root().join("ARCHITECTURE.md"));
    let (mut faults, mut calls) = (Vec::new(), 0);
    for row in section(&architecture, "## From step to file").lines() {
        let cells: Vec<&str> = row.split('|').collect();
        let [_, step, functions, doors, sql, _] = cells[..] else { continue };
        let named: Vec<String> =
            code(functions).filter_map(|word| word.split_once(".rs:")).flat_map(bodies_in).collect();
        for (_, method) in code(doors).filter_map(|word| word.split_once("::")) {
            calls += 1;
            if !named.iter().any(|body| calls_door(body, method)) {
                faults.push(format!("{step}: none of{functions}calls the door's `{method}`"));
            }
            if !code(sql).any(|file| holds_sql(file, method)) {
                faults.push(format!("{step}: `{method}` has its SQL in none of{sql}"));
            }
        }
    }
    assert!(faults.is_empty(), "ARCHITECTURE.md, from step to file:\n{}", faults.join("\n"));
    assert!(calls > 30, "the tables are read as they are written: {calls} doors");
}

#[test]
fn the_check_itself_tells_a_call_of_a_door_from_one_of_our_own() {
    let source = "impl X {\n    fn a(&self) {\n        self.0.ledger.current(key);\n    }\n\n    fn b() {\n        self.current(x)\n    }\n}\n";
    let body_of = |name| bodies(source, name).concat();
    assert!(calls_door(&body_of("a"), "current"));
    assert!(!calls_door(&body_of("b"), "current"), "a call of our own leads to the door, and is not at it");
    assert!(!calls_door(&body_of("a"), "curr"));
    assert!(body_of("none").is_empty());
}

#[test]
fn every_file_that_the_glossary_names_exists() {
    let glossary = text(&root().join("GLOSSARY.md"));
    let mut rows = 0;
    for row in glossary.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |")) {
        let place = row.trim_end_matches("` |").rsplit('`').next().unwrap_or_default();
        assert!(find(place).is_some(), "{place} does not exist: {row}");
        rows += 1;
    }
    assert!(rows > 90, "the glossary's table is read as it is written: {rows} rows");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// From a heading to the next of its level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no {heading:?}"));
    let behind = &text[start + 1 + heading.len()..];
    &behind[..behind.find("\n## ").unwrap_or(behind.len())]
}

/// One item of a numbered list.
fn item(list: &str, number: usize) -> &str {
    let start = list.find(&format!("\n{number}. ")).unwrap_or_else(|| panic!("there is no promise {number}"));
    let behind = &list[start + 1..];
    &behind[..behind.find(&format!("\n{}. ", number + 1)).unwrap_or(behind.len())]
}

/// What stands between backticks, outside of blocks of code.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

fn is_test_name(word: &str) -> bool {
    let is_name = word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    is_name && word.matches('_').count() >= 2
}

/// Whether a word is a path below one of [`FOLDERS`].
fn is_path(word: &str) -> bool {
    let first = word.split_once('/').map_or("", |(first, _)| first);
    let is_ours = FOLDERS.iter().any(|folder| root().join(folder).join(first).is_dir());
    !first.is_empty() && is_ours && !word.contains(|c: char| c.is_whitespace() || "*{<…".contains(c))
}

/// A path of a table, below one of [`FOLDERS`]. `*` stands for part of a crate's name.
fn find(path: &str) -> Option<PathBuf> {
    if let Some((before, behind)) = path.split_once('*') {
        let crates = fs::read_dir(root().join("crates")).ok()?.flatten();
        let fits = crates.filter(|entry| entry.file_name().to_string_lossy().starts_with(before));
        return fits.map(|entry| root().join(format!("{}{behind}", entry.path().display()))).find(|path| path.exists());
    }
    FOLDERS.iter().map(|folder| root().join(folder).join(path)).find(|path| path.exists())
}

/// The names of all functions in Rust and Python files of these folders.
fn functions(folders: &[PathBuf]) -> BTreeSet<String> {
    let sources = folders.iter().flat_map(|folder| sources(folder));
    sources.flat_map(|source| defined(&source).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The texts of all Rust and Python files below a folder.
fn sources(folder: &Path) -> Vec<String> {
    let (mut texts, mut ahead) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(path) = ahead.pop() {
        if path.is_dir() && !path.ends_with(".work") {
            ahead.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "py") {
            texts.push(text(&path));
        }
    }
    texts
}

/// The bodies of a function that a row names, `("loa-svc-feed/src/service", "step")`.
fn bodies_in((path, function): (&str, &str)) -> Vec<String> {
    find(&format!("{path}.rs")).map(|file| bodies(&text(&file), function)).unwrap_or_default()
}

/// All functions of a name in a formatted source, with what stands in them. A body ends with the brace below its `fn`.
fn bodies(source: &str, name: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let begins = |line: &str| defined(line).next() == Some(name);
    let starts = lines.iter().enumerate().filter(|(_, line)| begins(line));
    starts
        .map(|(at, line)| {
            let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
            let length = lines[at..].iter().position(|line| *line == end).unwrap_or(0);
            lines[at..at + length].join("\n")
        })
        .collect()
}

/// Whether a method is called of something that `self` or a local holds, and not of `self`.
fn calls_door(body: &str, method: &str) -> bool {
    let call = format!(".{method}(");
    body.match_indices(&call).any(|(at, _)| {
        let receiver = body[..at].trim_end();
        receiver.strip_suffix("self").is_none_or(|before| before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// Whether a file of an adapter has a function of the method's name, or the method's dispatch calls one of the file.
fn holds_sql(file: &str, method: &str) -> bool {
    let Some(path) = find(file) else { return false };
    let module = format!("{}::", path.file_stem().unwrap_or_default().to_string_lossy());
    let dispatches = || sources(&root().join("crates/loa-store-sql/src"));
    defined(&text(&path)).any(|name| name == method)
        || dispatches().iter().flat_map(|source| bodies(source, method)).any(|body| body.contains(&module))
}

/// The names that stand behind `fn` or `def` in a source text.
fn defined(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line = line.trim_start();
        let behind = line.split_once("fn ").or_else(|| line.split_once("def "))?.1;
        behind.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    })
}
