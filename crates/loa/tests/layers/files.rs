//! What every file has, and what none has: a head, a name that says something, tests that run, the
//! world only in `loa`.
//!
//! `clippy.toml` forbids the same calls to the compiler's eyes; here they are found in code that a
//! lint does not see, too, such as a macro's body.

use crate::{
    root,
    sources::{Source, all},
};
use std::{collections::BTreeSet, fs};

/// Names that say where nothing in particular is.
const NOWHERE: &str = "util utils common helper helpers misc shared stuff manager base core";
/// Words that are no name of anything here any more, and the field's word for what they meant. They are looked for in the
/// identifiers of all code, `per_asker_max` and `LookRoom` by their parts, and in the settings.
const GONE: &[(&str, &str)] = &[
    ("asker", "client, or caller"),
    ("askers", "clients, or callers"),
    ("bell", "wake-up"),
    ("heir", "successor"),
    ("orphan", "in doubt"),
    ("rota", "half-open"),
    ("shelf", "cache"),
    ("spared", "exempt"),
    ("sweep", "poll, or clean-up"),
    ("swept", "cleaned up"),
];
/// Words with one meaning, and the crates that have it. Elsewhere in code they would mean something else.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("settle", &["loa-bus", "loa-bus-sqlite", "loa-bus-rabbitmq", "loa-worker"]),
    ("lane", &["loa-domain", "loa-store", "loa-store-sql", "loa-store-conformance", "loa-svc-intake"]),
    ("settled", &["loa-bus", "loa-bus-sqlite", "loa-bus-rabbitmq", "loa-worker"]),
    ("settling", &["loa-bus", "loa-bus-sqlite", "loa-bus-rabbitmq"]),
];
/// Who has to know names of before: the settings' own, and an older ledger's columns.
const KNOW_THE_PAST: [&str; 3] =
    ["crates/loa/src/config/load.rs", "crates/loa/src/config/load_tests.rs", "crates/loa-store-sql/tests/opening.rs"];
/// Calls for which a crate needs the world, and what they do.
const ONLY_IN_LOA: &[(&str, &str)] = &[
    ("SystemTime::now", "reads the wall clock"),
    ("Timestamp::now", "reads the wall clock"),
    ("ZonedDateTime::now", "reads the wall clock"),
    ("TimeZone::system", "reads the environment"),
    ("Utc::now", "reads the wall clock"),
    ("OffsetDateTime::now", "reads the wall clock"),
    ("thread_rng(", "makes a random number"),
    ("rand::rng(", "makes a random number"),
    ("rand::random(", "makes a random number"),
    ("SystemRandom::new", "makes a random number"),
    ("env::var", "reads the environment"),
    ("process::exit", "ends the process"),
    ("process::abort", "ends the process"),
    ("println!", "prints"),
    ("print!", "prints"),
    ("dbg!", "prints"),
];
/// Who may: the binary; stand-ins, which are for tests and the demo.
const MAY: [&str; 2] = ["loa", "loa-testkit"];

#[test]
fn every_file_opens_with_what_it_is_for() {
    let headless: Vec<_> = all().into_iter().filter(|source| !source.text.starts_with("//!")).map(shown).collect();
    assert!(headless.is_empty(), "no `//!` head:\n{}", headless.join("\n"));
}

#[test]
fn every_test_runs() {
    // put together here, so that this file does not find itself
    let ignored = ["#[", "ignore"].concat();
    let never: Vec<_> =
        all().into_iter().filter(|source| source.code_and_tests().contains(&ignored)).map(shown).collect();
    assert!(never.is_empty(), "tests that never run:\n{}", never.join("\n"));
}

#[test]
fn every_name_says_something() {
    let nowhere: BTreeSet<&str> = NOWHERE.split(' ').collect();
    let says_nothing = |source: &Source| {
        source.path.with_extension("").iter().any(|part| nowhere.contains(part.to_string_lossy().as_ref()))
    };
    let found: Vec<_> = all().into_iter().filter(says_nothing).map(shown).collect();
    assert!(found.is_empty(), "named for being nowhere in particular:\n{}", found.join("\n"));
}

#[test]
fn a_word_that_was_given_up_does_not_come_back_and_one_word_has_one_meaning() {
    let mut faults = Vec::new();
    let mut check = |place: String, package: &str, only_for_tests: bool, text: &str| {
        for part in parts(text) {
            if let Some((word, instead)) = GONE.iter().find(|(word, _)| *word == part) {
                faults.push(format!("{place}: {word}; say {instead}"));
            }
            let is_elsewhere = |(word, at): &&(&str, &[&str])| *word == part && !at.contains(&package);
            if let Some((word, at)) = ONLY_IN.iter().find(is_elsewhere).filter(|_| !only_for_tests) {
                faults.push(format!("{place}: {word} has its meaning in {}", at.join(", ")));
            }
        }
    };
    let this = "crates/loa/tests/layers/files.rs";
    for source in all() {
        let path = source.path.display().to_string();
        if path != this && !KNOW_THE_PAST.contains(&&*path) {
            check(path, &source.package, source.only_for_tests, &source.code_and_tests());
        }
    }
    let settings = fs::read_to_string(root().join("config/default.toml")).expect("the defaults");
    check("config/default.toml".to_owned(), "", false, &settings);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_loa_touches_clock_chance_environment_and_terminal() {
    let mut faults = Vec::new();
    for source in all().iter().filter(|source| !source.only_for_tests && !MAY.contains(&source.package.as_str())) {
        for what in world_touched(&source.code) {
            faults.push(format!("{}: {what}", source.path.display()));
        }
    }
    assert!(faults.is_empty(), "outside crates/loa:\n{}", faults.join("\n"));
}

#[test]
fn migrations_have_the_same_names_on_both_engines() {
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = root().join("crates/loa-store-sql/migrations").join(engine);
        let entries = fs::read_dir(folder).expect("a folder of migrations");
        entries.map(|entry| entry.expect("its entry").file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn the_check_itself_takes_identifiers_apart() {
    let found: Vec<String> = parts("per_asker_max + ListRoom::new() LOOK2").into_iter().collect();
    assert_eq!(found, ["", "asker", "list", "look2", "max", "new", "per", "room"]);
}

#[test]
fn the_check_itself_finds_a_call() {
    assert_eq!(world_touched("let at = jiff::Timestamp::now();"), ["reads the wall clock"]);
    assert_eq!(world_touched("jiff::ZonedDateTime::now().date()"), ["reads the wall clock"]);
    assert_eq!(world_touched("eprintln!(\"{x}\")"), ["prints"]);
    assert_eq!(world_touched("let at = (self.clock)();"), [""; 0]);
}

/// The parts of the identifiers of a text that stand in it, in lower case: `per_client`, `ListRoom` are four.
fn parts(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut parts = BTreeSet::new();
    for word in words {
        let mut part = String::new();
        for c in word.chars() {
            if c.is_ascii_uppercase() && part.ends_with(|last: char| last.is_ascii_lowercase()) {
                parts.insert(part.to_ascii_lowercase());
                part.clear();
            }
            part.push(c);
        }
        parts.insert(part.to_ascii_lowercase());
    }
    parts
}

fn world_touched(code: &str) -> Vec<&'static str> {
    let found: BTreeSet<&str> =
        ONLY_IN_LOA.iter().filter(|(call, _)| code.contains(call)).map(|(_, what)| *what).collect();
    found.into_iter().collect()
}

fn shown(source: Source) -> String {
    source.path.display().to_string()
}

impl Source {
    /// Without comment lines, but with tests.
    fn code_and_tests(&self) -> String {
        self.text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }
}
