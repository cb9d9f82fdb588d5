//! Facts with data: each variant of each of them is said in both languages, with all that belongs to it and no word of the
//! other language.
//!
//! Examples carry data that is found again in a sentence: texts that begin with `zq`, numbers of four digits or more.

// all of this is a test, its helpers too
#![allow(clippy::unwrap_used)]

mod addresses;
mod bus;
mod letters;
mod pages;
mod refusals;
mod reports;
mod topology;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

/// What a fact is, and what is said of it, in Vietnamese and in English.
struct Said {
    fact: String,
    vietnamese: String,
    english: String,
}

fn said<F: Debug>(facts: &[F], say: impl Fn(&dyn loa_words::Words, &F) -> String) -> Vec<Said> {
    let [vietnamese, english] = loa_words::Language::ALL.map(loa_words::Language::words);
    let one =
        |fact: &F| Said { fact: format!("{fact:?}"), vietnamese: say(vietnamese, fact), english: say(english, fact) };
    facts.iter().map(one).collect()
}

/// Holds the examples against the variants that the source declares, so that a new one must come in.
fn every_variant_is_tried(source: &str, name: &str, said: &[Said]) {
    let declared = source.split(&format!("pub enum {name} {{\n")).nth(1).unwrap().split("\n}\n").next().unwrap();
    let variants: BTreeSet<&str> = declared
        .lines()
        .filter_map(|line| line.strip_prefix("    ").filter(|line| line.starts_with(char::is_uppercase)))
        .map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap())
        .collect();
    let tried: BTreeSet<&str> =
        said.iter().map(|one| one.fact.split(|c: char| !c.is_alphanumeric()).next().unwrap()).collect();
    assert!(!variants.is_empty());
    assert_eq!(tried, variants, "examples of {name}");
}

const ENGLISH: [&str; 48] = [
    "the", "is", "are", "was", "of", "and", "or", "not", "no", "it", "its", "to", "for", "since", "with", "queue",
    "ledger", "broker", "disk", "file", "row", "message", "messages", "event", "which", "that", "there", "than", "be",
    "has", "have", "by", "from", "but", "more", "at", "does", "where", "when", "an", "this", "page", "answers",
    "instead", "should", "line", "missing", "cannot",
];

/// A sentence without code and quotations.
fn ours(sentence: &str) -> String {
    let plain: String = sentence.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    plain.split('«').map(|part| part.rsplit('»').next().unwrap()).collect::<Vec<_>>().join(" ")
}

fn said_well(said: &[Said]) {
    for Said { fact, vietnamese, english } in said {
        let found = ours(vietnamese)
            .split(|c: char| !c.is_alphanumeric())
            .map(str::to_lowercase)
            .find(|word| ENGLISH.contains(&word.as_str()));
        assert_eq!(found, None, "{vietnamese}");
        assert_eq!(vietnamese.matches('«').count(), vietnamese.matches('»').count(), "{vietnamese}");
        assert_eq!(vietnamese.matches('`').count() % 2, 0, "{vietnamese}");
        assert!(vietnamese.chars().any(|c| !c.is_ascii() && c.is_alphabetic()), "{vietnamese}");
        assert!(!ours(english).chars().any(|c| !c.is_ascii() && c.is_alphabetic()), "{english}");
        assert_ne!(vietnamese, english);
        for data in data_of(fact) {
            assert!(vietnamese.contains(&data), "{data} of {fact} is not in: {vietnamese}");
            assert!(english.contains(&data), "{data} of {fact} is not in: {english}");
        }
        for sentence in [vietnamese, english] {
            assert!(!sentence.contains("  ") && !sentence.contains('\n') && !sentence.contains(".."), "{sentence}");
        }
    }
}

/// No two facts are said by the same words: who reads one knows which it is.
fn no_two_read_alike(said: &[Said]) {
    for say in [|one: &Said| one.vietnamese.clone(), |one: &Said| one.english.clone()] {
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for one in said {
            if let Some(other) = known.insert(say(one), &one.fact) {
                panic!("{other} and {} read alike: {}", one.fact, say(one));
            }
        }
    }
}

/// As sentences begin and end.
fn are_sentences<'s>(sentences: impl Iterator<Item = &'s String>) {
    for sentence in sentences {
        let first = sentence.chars().next().unwrap();
        assert!(!first.is_lowercase() && sentence.ends_with('.'), "{sentence}");
    }
}

/// What of an example must be found again.
fn data_of(fact: &str) -> Vec<String> {
    let words = fact.split(|c: char| !c.is_ascii_alphanumeric());
    let is_data = |word: &&str| word.starts_with("zq") || (word.len() >= 4 && word.bytes().all(|b| b.is_ascii_digit()));
    words.filter(is_data).map(str::to_owned).collect()
}
