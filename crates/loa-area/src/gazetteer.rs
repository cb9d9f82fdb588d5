//! Finds the areas that a Vietnamese text names, in one pass whatever the number of names.
//!
//! A name counts when it stands as whole words and no longer known name starts there. With its kind
//! before it (`xã Na Son`), or in a list that a kind opens, it counts at once. Without a kind it
//! must be capitalised, and must not be part of a longer name or a person's name, an ordinary word,
//! a number, or the name of a district or province. A `huyện X` or `tỉnh Y` behind the name (or
//! behind its list) must be the area's own.
//!
//! Of several areas with one name, the text's district, then its province, decides; otherwise none
//! counts. A text without any Vietnamese letter is read without tones and marks.
//!
//! It knows nothing of articles or files. Text and day come from the caller.

use crate::{
    Area,
    lexicon::Written,
    reading::{Found, Reading, without_kind},
    spelling,
    words::{Case, Words},
};
use jiff::civil::Date;
use loa_domain::AreaId;
use std::collections::{HashMap, HashSet};

/// One place of a text that names one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The area.
    pub area: AreaId,
    /// First byte of the name (without its kind) in the text as given.
    pub start: usize,
    /// First byte behind the name.
    pub end: usize,
}

/// Two ways to read: as written, and without tones and marks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gazetteer {
    written: Option<Reading>,
    unmarked: Option<Reading>,
    homes: Vec<Home>,
    /// Whether the directory spans several provinces, so that a bare name needs its district or province in the text.
    is_wide: bool,
}

/// Where an area is, in keys of both readings: its own and its predecessors', for habit outlives a reform.
#[derive(Debug, Clone, Default)]
struct Home {
    districts: HashSet<String>,
    provinces: HashSet<String>,
}

impl Gazetteer {
    /// Builds both readings; areas are named by their place in the slice.
    pub(crate) fn build(areas: &[Area]) -> Self {
        if areas.is_empty() {
            return Self::default();
        }
        // Of one time: provinces merge too, and one district's directory then has two of them one after the other.
        let provinces = |has_ended: bool| -> usize {
            let of_time = areas.iter().filter(|area| area.valid_until.is_some() == has_ended);
            of_time.map(|area| area.province.as_str()).collect::<HashSet<_>>().len()
        };
        Self {
            written: Some(Reading::build(areas, spelling::key)),
            unmarked: Some(Reading::build(areas, spelling::bare)),
            homes: homes(areas),
            is_wide: provinces(true).max(provinces(false)) > 1,
        }
    }

    /// Every mention, in the order of the text.
    pub(crate) fn matches(&self, text: &str, on: Date, areas: &[Area]) -> Vec<Match> {
        self.matches_counted(text, on, areas).0
    }

    /// As [`Self::matches`]; with it, how many bytes and words were looked at.
    pub(crate) fn matches_counted(&self, text: &str, on: Date, areas: &[Area]) -> (Vec<Match>, u64) {
        let reading = if spelling::has_marks(text) { &self.written } else { &self.unmarked };
        let Some(reading) = reading else { return (Vec::new(), 0) };
        let words = Words::cut(text, reading.key);
        let found: Vec<Found> = reading.search(&words);
        let named = reading.superiors_named(&words, &found);
        let next_of = |place: usize| found.get(place + 1);
        let mut matches = Vec::new();
        let mut list: Option<Link> = None;
        for (place, found) in found.iter().enumerate() {
            let written = match reading.written_before(&words, found.first) {
                // `đường Na Son - Xa Dung` joins two areas; `đường Na Son` is a street.
                Written::Road if reading.runs_on(&words, found, next_of(place)) => Written::Bare,
                written => written,
            };
            let opened =
                list.filter(|link| written == Written::Bare && reading.lists(&words, link.behind, found.first));
            let kind = opened.map_or(written, |link| link.kind);
            list = Some(Link { kind, behind: found.last + 1 });
            let is_inherited = opened.is_some();
            let context = Context { words: &words, on, areas, kind, is_inherited, named: &named };
            if let Some(place) = self.decide(reading, &context, found) {
                let (start, end) = (words.words[found.first].start, words.words[found.last].end);
                matches.push(Match { area: areas[place].id.clone(), start, end });
            }
        }
        (matches, words.looked())
    }

    /// The one area meant, if any.
    fn decide(&self, reading: &Reading, context: &Context<'_>, found: &Found) -> Option<usize> {
        let name = &reading.names[found.name];
        let in_force = || name.places.iter().copied().filter(|&place| context.areas[place].is_in_force(context.on));
        let of_kind: Vec<usize> = match context.kind {
            Written::Area(kind) => in_force().filter(|&place| context.areas[place].kind == kind).collect(),
            _ => Vec::new(),
        };
        let says_kind = !of_kind.is_empty() && reading.kind_counts(context, found);
        let candidates = match context.kind {
            _ if says_kind => of_kind,
            // A written kind that no such area has: another place of that name.
            Written::Area(_) if !context.is_inherited => return None,
            Written::Area(_) | Written::Bare if reading.may_stand_bare(context, found) => in_force().collect(),
            _ => return None,
        };
        let behind = reading.qualifiers(context.words, found.last + 1, context.on);
        let mut candidates: Vec<(usize, Option<bool>)> = candidates
            .into_iter()
            .map(|place| (place, self.homes[place].agrees(&behind)))
            .filter(|(_, agrees)| *agrees != Some(false))
            .collect();
        if candidates.iter().any(|(_, agrees)| *agrees == Some(true)) {
            candidates.retain(|(_, agrees)| *agrees == Some(true));
        }
        let needs_context = candidates.len() > 1
            || (self.is_wide && !says_kind && candidates.iter().all(|(_, agrees)| agrees.is_none()));
        if needs_context {
            let near = |keys: &HashSet<String>| keys.iter().any(|key| context.named.contains(key));
            let by_district: Vec<_> =
                candidates.iter().copied().filter(|(place, _)| near(&self.homes[*place].districts)).collect();
            candidates = if by_district.is_empty() {
                candidates.into_iter().filter(|(place, _)| near(&self.homes[*place].provinces)).collect()
            } else {
                by_district
            };
        }
        match candidates[..] {
            [(place, _)] => Some(place),
            _ => None,
        }
    }
}

/// The last name of a list so far.
#[derive(Clone, Copy)]
struct Link {
    kind: Written,
    behind: usize,
}

/// What a decision looks at besides the name.
struct Context<'a> {
    words: &'a Words<'a>,
    on: Date,
    areas: &'a [Area],
    kind: Written,
    /// Whether the kind was written before an earlier name of the list.
    is_inherited: bool,
    /// Keys of districts and provinces named anywhere in the text.
    named: &'a HashSet<String>,
}

impl Reading {
    /// Whether the kind makes the name an area: written at the name itself always; inherited from the head of the list
    /// unless the name is a district's or province's of that day.
    fn kind_counts(&self, context: &Context<'_>, found: &Found) -> bool {
        let name = &self.names[found.name];
        let is_proper = (found.first..=found.last).all(|word| context.words.words[word].case != Case::Small);
        if context.is_inherited {
            let is_superior =
                self.superiors.get(&name.key).is_some_and(|s| s.until.is_none_or(|until| context.on < until));
            return is_proper && !is_superior;
        }
        is_proper || !name.is_everyday
    }

    /// Whether a name without a kind of its own names an area all the same.
    fn may_stand_bare(&self, context: &Context<'_>, found: &Found) -> bool {
        let (name, words) = (&self.names[found.name], context.words);
        !name.is_everyday
            && !self.superiors.contains_key(&name.key)
            && (found.first..=found.last).all(|word| words.words[word].case != Case::Small)
            && self.begins_here(words, found.first)
            && self.ends_here(words, found.last)
    }

    /// Whether no capitalised word before makes the name the tail of a longer one, or of a person's.
    fn begins_here(&self, words: &Words<'_>, first: usize) -> bool {
        let is_capital = |word: usize| words.words[word].case == Case::Capital;
        if !words.joined(first) || !is_capital(first - 1) {
            return true;
        }
        if self.families.contains(words.key(words.run_first(first - 1))) {
            return false;
        }
        words.is_headline(first) || words.begins(first - 1) || self.institutions.contains(words.key(first - 1))
    }

    /// Whether no capitalised word behind makes the name the head of a longer one. A person's name may follow.
    fn ends_here(&self, words: &Words<'_>, last: usize) -> bool {
        let next = last + 1;
        !words.joined(next)
            || words.words[next].case != Case::Capital
            || words.is_headline(last)
            || self.families.contains(words.key(next))
            || self.phrases.contains_key(words.key(next))
    }
}

/// Where each area is, by the keys of both readings.
fn homes(areas: &[Area]) -> Vec<Home> {
    let places: HashMap<&AreaId, usize> = areas.iter().enumerate().map(|(place, area)| (&area.id, place)).collect();
    // Thousands of areas share a few hundred districts.
    let mut known: HashMap<&str, [String; 2]> = HashMap::new();
    let mut homes = vec![Home::default(); areas.len()];
    for (place, area) in areas.iter().enumerate() {
        let mut keys = |name| {
            let keys = || {
                [spelling::key as fn(&str) -> String, spelling::bare]
                    .map(|key| spelling::keyed(without_kind(name), key))
            };
            known.entry(name).or_insert_with(keys).clone()
        };
        let (district, province) = (keys(area.district.as_str()), keys(area.province.as_str()));
        let successors = area.successors.iter().filter_map(|s| places.get(&s.to).copied());
        for place in std::iter::once(place).chain(successors) {
            homes[place].districts.extend(district.iter().filter(|key| !key.is_empty()).cloned());
            homes[place].provinces.extend(province.iter().cloned());
        }
    }
    homes
}

impl Home {
    /// Whether what is written behind the name is where the area is; `None` when nothing is written.
    fn agrees(&self, behind: &[(Written, String)]) -> Option<bool> {
        let judged = behind.iter().filter_map(|(written, key)| match written {
            Written::District if self.districts.is_empty() => None,
            Written::District => Some(self.districts.contains(key)),
            Written::Province => Some(self.provinces.contains(key)),
            _ => Some(self.districts.contains(key) || self.provinces.contains(key)),
        });
        judged.reduce(|one, two| one && two)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AreaFile, load};
    use jiff::civil::date;

    const AREAS: &str = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        na-son,03205,Na Son,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,,,\n\
        tan-lap,09999,Tân Lập,Xã,Huyện Sông Mã,Tỉnh Sơn La,,,,\n";

    #[test]
    fn twice_the_text_costs_twice_as_much_whatever_it_is_of() {
        let rows = load::read(AreaFile { label: "areas.csv", text: AREAS }).expect("areas");
        let areas: Vec<Area> = rows.into_iter().map(|row| row.area).collect();
        let gazetteer = Gazetteer::build(&areas);
        for piece in [
            "Na Son ",
            "Na Son, ",
            "NA SON ",
            "xã Na Son và ",
            "Na Son (",
            "(Na Son) ",
            "Na ",
            "Tân Lập huyện Na Son ",
            "đường Na Son - ",
            "Na Son\n",
            "Na Son,,,, ",
            "na son ",
            "Trấn Na Son ",
            ",",
            " ",
            "\u{200b}",
            "\u{302}",
            "Điện Biên ",
            "huyện ",
            "Nguyễn Na Son ",
            "(",
            "P. ",
        ] {
            let [once, twice] = [4_000, 8_000].map(|bytes| {
                let text = format!("xã Tân Lập {}", piece.repeat(bytes / piece.len()));
                gazetteer.matches_counted(&text, date(2024, 1, 1), &areas).1
            });
            assert!(twice <= once * 9 / 4 + 200, "{piece:?}: {once}, then {twice}");
        }
    }
}
