//! Holds what is locked against `deny.toml`: licences, sources, banned crates and who may import a
//! driver. The file is cargo-deny's own; this test reads the part that needs no database.
//!
//! It knows nothing of advisories, and does not judge crates that stand in several versions.

use super::{normal, root, workspace};
use cargo_metadata::{MetadataCommand, Package};
use config::{Config, File, FileFormat};
use spdx::{Expression, ParseMode};
use std::{collections::BTreeSet, fs};

/// What `deny.toml` says, as far as it is held here.
#[derive(serde::Deserialize)]
struct Deny {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
}

#[derive(serde::Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(serde::Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Who may use it all the same. Empty: nobody, it must not be locked at all.
    #[serde(default)]
    wrappers: Vec<String>,
}

fn deny() -> Deny {
    let text = fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let read = Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build();
    read.and_then(Config::try_deserialize).expect("deny.toml")
}

/// Everything that comes into a program for the platforms of `deny.toml`.
fn everything(deny: &Deny) -> Vec<Package> {
    let on = |target: &String| {
        let options = ["--locked", "--filter-platform", target].map(str::to_owned);
        MetadataCommand::new().manifest_path(root().join("Cargo.toml")).other_options(options).exec()
    };
    deny.graph.targets.iter().flat_map(|target| on(target).expect("cargo metadata").packages).collect()
}

/// Whether this licence expression can be met by licences of `allow`.
fn allowed(expression: &str, allow: &[String]) -> bool {
    let read = Expression::parse_mode(expression, ParseMode::LAX);
    read.is_ok_and(|read| read.evaluate(|required| allow.contains(&required.to_string())))
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let deny = deny();
    let allow = &deny.licenses.allow;
    for package in everything(&deny).iter().filter(|package| package.source.is_some()) {
        let licence = package.license.as_deref().unwrap_or("none");
        assert!(allowed(licence, allow), "{} {} is under `{licence}`", package.name, package.version);
    }
}

#[test]
fn a_licence_is_allowed_when_what_it_asks_for_can_be_met() {
    let allow = ["MIT", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"].map(str::to_owned);
    for good in
        ["MIT", "GPL-3.0-only OR MIT", "(MIT OR Zlib) AND Unicode-3.0", "MIT/Zlib", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(allowed(good, &allow), "{good}");
    }
    for bad in ["GPL-3.0-only", "MIT AND Zlib", "Apache-2.0", "none", "", "see LICENSE"] {
        assert!(!allowed(bad, &allow), "{bad}");
    }
}

#[test]
fn nothing_is_locked_that_deny_toml_bans() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let bans = deny().bans.deny;
    assert!(bans.iter().any(|ban| ban.wrappers.is_empty()), "deny.toml bans nothing");
    for ban in bans.iter().filter(|ban| ban.wrappers.is_empty()) {
        let name = &ban.name;
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name} came in: see `cargo tree -i {name}`");
    }
}

#[test]
fn a_driver_is_used_by_those_alone_whom_deny_toml_names() {
    let ours = workspace().packages;
    for ban in deny().bans.deny.iter().filter(|ban| !ban.wrappers.is_empty()) {
        for package in ours.iter().filter(|package| normal(package).contains(&ban.name)) {
            assert!(ban.wrappers.contains(&package.name.to_string()), "{} uses {}", package.name, ban.name);
        }
    }
}

#[test]
fn everything_locked_is_ours_or_comes_from_the_one_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let sources: BTreeSet<&str> = lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("\"registry+")), "{sources:?}");
}
