//! Holds `cargo metadata` against the layer table, and the table against ARCHITECTURE.md: who may
//! use whom, and which crate may touch which part of the world.
//!
//! A crate may be added or a line changed together with ARCHITECTURE.md, with the reason. Only
//! normal dependencies count: tests may use anything but `loa`, and the system tests and benchmarks
//! in `tests/` that, too.
//!
//! Beside it, in `layers/`: what every file has (`files.rs`), that files form no circle
//! (`circles.rs`), what may come in from others (`dependencies.rs`, which reads `deny.toml`), that a
//! function fits a screen (`functions.rs`), that a trait has a dozen methods at most (`traits.rs`),
//! that every metric has its row in the docs (`metrics.rs`), and that reasons are facts (`facts.rs`).

#[path = "layers/circles.rs"]
mod circles;
#[path = "layers/dependencies.rs"]
mod dependencies;
#[path = "layers/facts.rs"]
mod facts;
#[path = "layers/files.rs"]
mod files;
#[path = "layers/functions.rs"]
mod functions;
#[path = "layers/metrics.rs"]
mod metrics;
#[path = "layers/sources.rs"]
mod sources;
#[path = "layers/traits.rs"]
mod traits;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each service uses beside its own rooms; `…` in ARCHITECTURE.md.
const SERVICE: &str = "domain area event bus store http worker";
/// Libraries that touch the world. A crate names those it may use; `tokio` stands for its family.
const WORLD: &str = "async-std axum hickory-resolver hyper hyper-util lapin lettre reqwest rusqlite smol sqlx \
                     tokio tokio-postgres tokio-stream tokio-util tower tower-http ureq";
/// Crate (without `loa-`), ours it may use (`*`: anyone; `…`: what each service uses), the world it may touch.
const TABLE: &[(&str, &str, &str)] = &[
    ("domain", "", ""),
    ("address", "", ""),
    ("area", "domain", ""),
    ("html", "domain", ""),
    ("event", "domain area html words", ""),
    ("portal", "domain area html", ""),
    ("feed", "domain area", ""),
    ("mail", "domain area words", "lettre"),
    ("webhook", "domain area", ""),
    ("words", "domain", ""),
    ("bus", "domain", "tokio"),
    ("store", "domain", ""),
    ("store-conformance", "domain store", "tokio"),
    ("http", "domain store", "tokio axum"),
    ("worker", "domain area event bus store words", "tokio"),
    ("egress", "domain webhook", "tokio reqwest"),
    ("bus-sqlite", "bus domain", "tokio sqlx"),
    ("bus-rabbitmq", "address bus domain", "tokio lapin reqwest"),
    ("store-sql", "address domain area store", "tokio sqlx"),
    ("svc-intake", "… portal", "tokio axum"),
    ("svc-feed", "… feed", "tokio axum"),
    ("svc-digest", "… mail words", "tokio axum lettre"),
    ("svc-push", "… webhook egress words", "tokio axum reqwest"),
    ("svc-hub", "domain store http worker webhook egress words", "tokio axum reqwest"),
    ("svc-watch", "domain store worker portal webhook egress words", "tokio reqwest"),
    ("svc-console", "… mail feed webhook words", "tokio axum"),
    ("loa", "*", "*"),
    ("testkit", "*", "*"),
];
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo tells the workspace")
}

fn words(text: &str) -> BTreeSet<String> {
    text.replace('…', SERVICE).split_whitespace().map(str::to_owned).collect()
}

fn short(name: &str) -> &str {
    name.strip_prefix("loa-").unwrap_or(name)
}

fn normal(package: &Package) -> BTreeSet<String> {
    package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.clone()).collect()
}

fn library_touches_world(library: &str) -> bool {
    WORLD.split_whitespace().any(|known| known == library)
}

/// The name under which the table speaks of a library.
fn family(library: &str) -> &str {
    match library {
        "tokio-stream" | "tokio-util" => "tokio",
        "hyper" | "hyper-util" | "tower" | "tower-http" => "axum",
        other => other,
    }
}

/// The faults of one crate's dependencies, each a sentence.
fn faults(name: &str, dependencies: &BTreeSet<String>, ours: &BTreeSet<String>) -> Vec<String> {
    let Some((_, rooms, world)) = TABLE.iter().find(|(row, ..)| *row == short(name)) else {
        return vec![format!("{name} is not in the layer table")];
    };
    let (rooms_allowed, world_allowed) = (words(rooms), words(world));
    let mut faults = Vec::new();
    for dependency in dependencies {
        if ours.contains(dependency) {
            if *rooms != "*" && !rooms_allowed.contains(short(dependency)) {
                faults.push(format!("{name} must not know {dependency}"));
            }
        } else if library_touches_world(dependency) && *world != "*" && !world_allowed.contains(family(dependency)) {
            faults.push(format!("{name} must not touch the world through {dependency}"));
        }
    }
    faults
}

#[test]
fn every_crate_knows_only_whom_the_layer_table_allows() {
    let metadata = workspace();
    let crates: BTreeMap<String, BTreeSet<String>> = metadata
        .packages
        .iter()
        .filter(|p| p.name != "loa-system-tests")
        .map(|p| (p.name.to_string(), normal(p)))
        .collect();
    let ours: BTreeSet<String> = crates.keys().cloned().collect();
    let faults: Vec<String> = crates.iter().flat_map(|(name, deps)| faults(name, deps, &ours)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let listed: BTreeSet<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
    let existing: BTreeSet<&str> = ours.iter().map(|name| short(name)).collect();
    assert_eq!(listed, existing, "the table lists exactly the crates there are");
}

#[test]
fn the_check_itself_finds_a_broken_layer() {
    let ours = words("loa-domain loa-store loa-feed loa-svc-feed");
    let check = |name: &str, dependency: &str| faults(name, &words(dependency), &ours).len();
    assert_eq!(check("loa-domain", "serde"), 0);
    assert_eq!(check("loa-domain", "loa-store"), 1);
    assert_eq!(check("loa-feed", "tokio-util"), 1);
    assert_eq!(check("loa-svc-feed", "tower-http"), 0);
    assert_eq!(check("loa-svc-feed", "sqlx"), 1);
    assert_eq!(check("loa-unheard-of", "serde"), 1);
}

#[test]
fn nobody_knows_loa_but_the_system_tests() {
    for package in workspace().packages.iter().filter(|package| package.name != "loa-system-tests") {
        assert!(package.dependencies.iter().all(|d| d.name != "loa"), "{} depends on loa", package.name);
    }
}

#[test]
fn architecture_md_shows_the_same_table() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let name = cells.get(1)?.strip_prefix("`loa")?.strip_suffix('`')?;
            let name = name.strip_prefix('-').unwrap_or("loa");
            (cells.len() == 6).then(|| (name.to_owned(), cells[3].replace(',', " ")))
        })
        .collect();
    for (name, rooms, _) in TABLE {
        let shown = rows.get(*name).unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for {name}"));
        let shown = match shown.as_str() {
            "–" => "",
            "anyone" | "everyone" => "*",
            other => other,
        };
        assert_eq!(words(shown), words(rooms), "ARCHITECTURE.md on {name}");
    }
    assert_eq!(rows.len(), TABLE.len(), "ARCHITECTURE.md has a row for a crate that is not there");
}

#[test]
fn versions_stand_in_the_workspace_only() {
    for package in workspace().packages {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        let mut section = "";
        for line in manifest.lines() {
            match line.strip_prefix('[') {
                Some(head) => section = head.trim_end_matches(']'),
                None if section.ends_with("dependencies") && line.contains('=') && !line.starts_with('#') => {
                    let inherited = line.contains(".workspace = true") || line.contains("workspace = true");
                    assert!(inherited, "{}: {line}", package.manifest_path);
                }
                None => {}
            }
        }
    }
}
