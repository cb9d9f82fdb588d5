//! Files of one crate form no circle: whoever reads one file never has to read it again by way of
//! what it uses.
//!
//! A parent and its children may know each other: they are read together. An import by way of a
//! re-export counts as an import of the file in which the thing stands, so that `lib.rs` hides no
//! circle.

use crate::sources::all;
use std::collections::{BTreeMap, BTreeSet};

/// A module's path within its crate.
type Module = Vec<String>;
/// Which module uses which.
type Uses = BTreeMap<Module, BTreeSet<Module>>;

/// Circles that stand: crate, files. There are none; one that must stand for a while is written here, with the reason.
const STANDING: &[(&str, &str)] = &[];

#[test]
fn files_of_a_crate_form_no_circle() {
    let mut crates: BTreeMap<String, Vec<(Module, String)>> = BTreeMap::new();
    for source in all() {
        if let (false, Some(module)) = (source.only_for_tests, source.module()) {
            crates.entry(source.package).or_default().push((module, source.code));
        }
    }
    let mut faults = Vec::new();
    for (name, files) in &crates {
        for circle in circles(&uses(files)) {
            let files: Vec<String> = circle.iter().map(|module| module.join("/")).collect();
            if !STANDING.contains(&(name.as_str(), files.join(" ").as_str())) {
                faults.push(format!("{name}: {}", files.join(", ")));
            }
        }
    }
    assert!(faults.is_empty(), "files in a circle:\n{}", faults.join("\n"));
}

#[test]
fn the_check_itself_finds_a_circle() {
    let found = |files: &[(&str, &str)]| {
        let files: Vec<(Module, String)> = files.iter().map(|(name, code)| (path(name), (*code).to_owned())).collect();
        let found: Vec<String> = circles(&uses(&files)).iter().flatten().map(|module| module.join("/")).collect();
        found.join(" ")
    };
    assert_eq!(found(&[("a", "use crate::b::{X, Y};"), ("b", "fn f(x: super::a::Z) {}")]), "a b");
    assert_eq!(found(&[("a", "use crate::b::X;"), ("b", "use crate::c;"), ("c", "use crate::{b::Y, d};")]), "b c");
    assert_eq!(
        found(&[("a", "use crate::a::b::X;"), ("a/b", "use super::Y; use crate::a::Z;")]),
        "",
        "parent and child"
    );
    assert_eq!(found(&[("a/b", "use super::c::X;"), ("a/c", "use crate::{a::{b::{Y}, Z}};"), ("a", "")]), "a/b a/c");
    let hidden = [("", "pub use a::X; pub use b::{Y};"), ("a", "use crate::Y;"), ("b", "use crate::X;")];
    assert_eq!(found(&hidden), "a b", "a re-export hides nothing");
    assert_eq!(found(&[("a", "use crate::b::X;"), ("b", "use super::b::Y; use std::a::Z;")]), "");
    let by_macro = [("a", "macro_rules! x { () => { $crate::b::run() } }"), ("b", "use crate::a::Y;")];
    assert_eq!(found(&by_macro), "a b", "what a macro writes is of its file");
}

fn path(text: &str) -> Module {
    text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Who uses whom; parents and children aside.
fn uses(files: &[(Module, String)]) -> Uses {
    let modules: BTreeSet<&Module> = files.iter().map(|(module, _)| module).collect();
    let imports: BTreeMap<&Module, Vec<Module>> =
        files.iter().map(|(module, code)| (module, imports(module, code))).collect();
    let find = |import: &Module| standing_in(import, &modules, &imports);
    let related = |one: &Module, other: &Module| one.starts_with(other) || other.starts_with(one);
    let uses = |module: &Module| {
        imports[module].iter().filter_map(find).filter(|used| !related(module, used)).collect::<BTreeSet<Module>>()
    };
    files.iter().map(|(module, _)| (module.clone(), uses(module))).collect()
}

/// The module in which an imported thing stands: re-exports are followed, a few steps at most.
fn standing_in(
    import: &Module,
    modules: &BTreeSet<&Module>,
    imports: &BTreeMap<&Module, Vec<Module>>,
) -> Option<Module> {
    let mut import = import.clone();
    for _ in 0..4 {
        let module: Module = (0..=import.len()).rev().map(|n| import[..n].to_vec()).find(|m| modules.contains(m))?;
        let Some(name) = import.get(module.len()) else { return Some(module) };
        let child =
            |path: &&Module| path.starts_with(&module) && path.last() == Some(name) && path.len() > module.len() + 1;
        match imports[&module].iter().find(child) {
            Some(path) => import = path.clone(),
            None => return Some(module),
        }
    }
    None
}

/// All paths into the crate that a file's code names, from the crate's root.
fn imports(module: &Module, code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = ["crate::", "super::", "self::", "use "].iter().filter_map(|word| rest.find(word)).min() {
        let begins_a_word = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        let tail = rest[at..].strip_prefix("use ").unwrap_or(&rest[at..]);
        let end = if begins_a_word { expand(tail, &[], &mut found) } else { 0 };
        rest = &tail[end.max(1)..];
    }
    found.into_iter().filter_map(|path| from_root(module, &path)).collect()
}

/// Reads one path or tree of paths (`a::{b, c::d}`) and returns how many bytes it took.
fn expand(text: &str, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let mut at = 0;
    loop {
        let word: String = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        at += word.len();
        if !word.is_empty() {
            path.push(word);
        }
        match text[at..].strip_prefix("::") {
            Some(tail) if tail.starts_with('{') => return at + 3 + group(&text[at + 3..], &path, found),
            Some(_) => at += 2,
            None => break,
        }
        if !text[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            break;
        }
    }
    found.push(path);
    at
}

/// Reads what stands between braces, after the opening one.
fn group(text: &str, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '}' => return at + 1,
            c if c.is_alphanumeric() || c == '_' => at += expand(&text[at..], before, found).max(1),
            c => at += c.len_utf8(),
        }
    }
    at
}

/// `super::x` in `a/b` is `a/x`; a bare path may begin with a child.
fn from_root(module: &Module, path: &[String]) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        _ => {
            while rest.first().is_some_and(|word| word == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// Sets of modules each of which reaches all others of its set.
fn circles(uses: &Uses) -> Vec<Vec<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = uses.keys().map(|from| (from, reach(from, uses))).collect();
    let mut circles: BTreeSet<Vec<Module>> = BTreeSet::new();
    for (from, seen) in &reached {
        if seen.contains(from) {
            circles.insert(seen.iter().filter(|to| reached[**to].contains(from)).map(|to| (*to).clone()).collect());
        }
    }
    circles.into_iter().collect()
}

fn reach<'a>(from: &Module, uses: &'a Uses) -> BTreeSet<&'a Module> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Module> = uses[from].iter().collect();
    while let Some(module) = open.pop() {
        if let Some((module, next)) = uses.get_key_value(module)
            && seen.insert(module)
        {
            open.extend(next);
        }
    }
    seen
}
