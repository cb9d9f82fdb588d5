//! One reading of a text: an automaton over all names, and the words around names, under one key
//! function.
//!
//! The gazetteer has two readings, one with tones and marks and one without. Names of districts and
//! provinces are in the automaton too, so that the longest name wins among all. `gazetteer.rs`
//! decides what a found name means.

use crate::{
    Area,
    lexicon::{DOTTED, EVERYDAY, FAMILIES, INSTITUTIONS, JOINING, PHRASES, PROVINCES, Written},
    spelling,
    words::{Case, Words},
};
use aho_corasick::{AhoCorasick, Input, MatchKind};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// One automaton and the words around names, all under one key function.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    automaton: AhoCorasick,
    pub(crate) names: Vec<Name>,
    pub(crate) superiors: HashMap<String, Superior>,
    pub(crate) phrases: HashMap<String, Written>,
    pub(crate) dotted: HashMap<String, Written>,
    pub(crate) joining: HashSet<String>,
    pub(crate) area_names: HashSet<String>,
    pub(crate) families: HashSet<String>,
    pub(crate) institutions: HashSet<String>,
    pub(crate) key: fn(&str) -> String,
}

/// A name some areas bear, or a district or province.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) key: String,
    words: usize,
    /// Of the areas that bear it; empty for a district or province alone.
    pub(crate) places: Vec<usize>,
    /// Whether it says too little without its kind.
    pub(crate) is_everyday: bool,
}

/// A district's or province's name, and until when there was one of that name; `None`: there still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Superior {
    pub(crate) until: Option<Date>,
}

/// A name in the text: which, and its first and last word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) name: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Reading {
    /// Builds the automaton; areas are named by their place in the slice.
    pub(crate) fn build(areas: &[Area], key: fn(&str) -> String) -> Self {
        let keyed = |text: &str| spelling::keyed(text, key);
        let everyday: HashSet<String> = EVERYDAY.iter().map(|text| keyed(text)).collect();
        let superiors = superiors(areas, keyed);
        let area_names = areas.iter().flat_map(Area::names).map(keyed).collect();
        // By pattern, not by key: `B'Lao` is two words with a sign between.
        let mut by_pattern: BTreeMap<String, Name> = BTreeMap::new();
        let mut add = |text: &str, place: Option<usize>| {
            let cut = Words::cut(text, key);
            let words = cut.words.len();
            if words == 0 {
                return;
            }
            let key = cut.keys(0, words);
            // A single syllable or a number says too little alone.
            let is_everyday = words == 1 || everyday.contains(&key) || key.chars().any(|c| c.is_ascii_digit());
            let name = by_pattern.entry(cut.haystack).or_insert(Name { key, words, places: Vec::new(), is_everyday });
            name.places.extend(place.filter(|place| name.places.last() != Some(place)));
        };
        for (place, area) in areas.iter().enumerate() {
            area.names().for_each(|name| add(name, Some(place)));
        }
        let above: BTreeSet<&str> = areas.iter().flat_map(|area| [area.district.as_str(), &area.province]).collect();
        above.into_iter().map(without_kind).chain(PROVINCES.iter().copied()).for_each(|name| add(name, None));
        let (patterns, names): (Vec<String>, Vec<Name>) = by_pattern.into_iter().unzip();
        // It fails only beyond 2³¹ states; the whole country has some 200,000.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(patterns)
            .expect("names of areas fit an automaton");
        let table =
            |phrases: &[(&str, Written)]| phrases.iter().map(|(text, written)| (keyed(text), *written)).collect();
        let set = |texts: &[&str]| texts.iter().map(|text| keyed(text)).collect();
        Self {
            automaton,
            names,
            superiors,
            phrases: table(PHRASES),
            dotted: table(DOTTED),
            joining: set(JOINING),
            area_names,
            families: set(FAMILIES),
            institutions: set(INSTITUTIONS),
            key,
        }
    }

    /// Every known name, the longest at each place, in the order of the text.
    pub(crate) fn search(&self, words: &Words<'_>) -> Vec<Found> {
        let (mut all, mut at) = (Vec::new(), 0);
        while let Some(found) = self.automaton.find(Input::new(&words.haystack).range(at..)) {
            let name = found.pattern().as_usize();
            let first = words.word_at(found.start());
            let last = first + self.names[name].words - 1;
            let is_small = |word: usize| words.words[word].case == Case::Small;
            if is_small(first) && !(first..=last).all(is_small) {
                // `thị trấn Yên Bình` is not Trấn Yên: the name begins at its capital.
                at = found.start() + 1;
                continue;
            }
            all.push(Found { name, first, last });
            at = found.end();
        }
        all
    }

    /// Keys of the districts and provinces that the text names, with their kind or bare where no area can be meant.
    pub(crate) fn superiors_named(&self, words: &Words<'_>, found: &[Found]) -> HashSet<String> {
        let is_superior = |found: &&Found| {
            self.superiors.contains_key(&self.names[found.name].key)
                && !matches!(self.written_before(words, found.first), Written::Area(_) | Written::Namesake)
                && (found.first..=found.last).all(|word| words.words[word].case != Case::Small)
        };
        found.iter().filter(is_superior).map(|found| self.names[found.name].key.clone()).collect()
    }
}

/// Districts' and provinces' names, and until when they were in force by any area's account.
fn superiors(areas: &[Area], keyed: impl Fn(&str) -> String) -> HashMap<String, Superior> {
    let mut until: HashMap<&str, Option<Date>> = HashMap::new();
    for area in areas {
        for name in [area.district.as_str(), &area.province].into_iter().filter(|name| !name.is_empty()) {
            let known = until.entry(without_kind(name)).or_insert(area.valid_until);
            *known = known.and_then(|one| area.valid_until.map(|two| one.max(two)));
        }
    }
    let mut superiors: HashMap<String, Superior> = HashMap::new();
    for (name, until) in until.into_iter().chain(PROVINCES.iter().map(|name| (*name, None))) {
        let known = superiors.entry(keyed(name)).or_insert(Superior { until });
        known.until = known.until.and_then(|one| until.map(|two| one.max(two)));
    }
    superiors
}

/// `Huyện Điện Biên Đông` → `Điện Biên Đông`; a number keeps its kind (`Quận 1`).
pub(crate) fn without_kind(name: &str) -> &str {
    let lower = name.to_lowercase();
    let kinds = ["huyện ", "quận ", "thị xã ", "thành phố ", "tỉnh "];
    let bare = kinds
        .iter()
        .find(|kind| lower.starts_with(**kind))
        .and_then(|kind| name.get(kind.len()..))
        .unwrap_or(name)
        .trim();
    if bare.chars().all(|c| c.is_ascii_digit()) { name } else { bare }
}
