//! Every Rust file of the workspace's crates, read once: its place, its text without tests, its
//! module path.
//!
//! The checks beside this file look at sources as text. They need no compiler, so they take a
//! moment, and they see what a compiler forgives: a missing head, a circle of files. Comments are
//! left out of the code, so that a doc link is no import.

use crate::root;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// One file.
pub struct Source {
    /// Its crate's folder, `loa-domain`.
    pub package: String,
    /// Its path from the workspace's root.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
    /// Its code: without comment lines and without the tests at its end.
    pub code: String,
    /// Whether it is compiled for tests, benchmarks or examples only.
    pub only_for_tests: bool,
}

impl Source {
    /// Its module within the crate, `["names", "finding"]`; none for what is not a module below `lib.rs`.
    pub fn module(&self) -> Option<Vec<String>> {
        let src = Path::new("crates").join(&self.package).join("src");
        let inside = self.path.strip_prefix(src).ok()?.with_extension("");
        let mut parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        match parts.last().map(String::as_str) {
            Some("main") => return None,
            Some("mod" | "lib") => drop(parts.pop()),
            _ => {}
        }
        (parts.first().map(String::as_str) != Some("bin")).then_some(parts)
    }
}

/// All files below `crates/`.
pub fn all() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root().join("crates"), &mut paths);
    paths.sort();
    let mut sources: Vec<Source> = paths.iter().map(|path| read(path)).collect();
    let for_tests: BTreeSet<PathBuf> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        source.only_for_tests |= for_tests.contains(&source.path);
    }
    sources
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("its entry").path()) {
        if entry.is_dir() {
            collect(&entry, paths);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            paths.push(entry);
        }
    }
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("a source file");
    let path = path.strip_prefix(root()).expect("a path below the root").to_owned();
    let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let only_for_tests = ["tests", "benches", "examples"].contains(&parts[2].as_str());
    Source { package: parts[1].clone(), path, code: code(&text), text, only_for_tests }
}

/// The files of `#[cfg(test)] mod name;` lines.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let stem = source.path.with_extension("");
    let folder = match stem.file_name().and_then(|name| name.to_str()) {
        Some("lib" | "mod" | "main") => stem.parent().expect("a folder").to_owned(),
        _ => stem,
    };
    let named = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = named.filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'));
    names.flat_map(|name| [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")]).collect()
}

/// The code of a file: no comment lines, nothing from its inline test module on, which stands at the end.
pub fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(opens_tests) {
            break;
        }
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}
