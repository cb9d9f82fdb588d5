//! Takes parts of a large directory out of its text: provinces, former districts, or single areas, with those that took their
//! place and those whose place they took.
//!
//! It works on lines, before anything is read as an area: the directory of the whole country has 13,356, and a command needs a
//! few of them at once. Its files are ours, in the order of columns of `load.rs` and without quotes.

use crate::{AreaFile, folded};
use std::collections::{BTreeMap, BTreeSet};

/// How many places a sentence names at most.
const NAMED_MAX: usize = 8;

/// Why something that is wanted is not one part of the directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WithinError {
    /// Nothing is called so.
    #[error("no province, former district or area is called {text:?}; {hint}")]
    Unknown {
        /// As written.
        text: String,
        /// What is near, or how it is written.
        hint: String,
    },
    /// Several provinces had a district of that name.
    #[error("{text:?} was a district of {found}; write which: \"{text}, Tỉnh …\"")]
    Ambiguous {
        /// As written.
        text: String,
        /// The provinces.
        found: String,
    },
}

/// A line of a file, and what of it counts here.
struct Line<'a> {
    text: &'a str,
    id: &'a str,
    district: &'a str,
    province: &'a str,
    successors: &'a str,
}

impl<'a> Line<'a> {
    /// `None`: not a line of ours, such as the header.
    fn of(text: &'a str) -> Option<Self> {
        let fields: Vec<&str> = text.split(',').collect();
        let [id, _code, _name, _kind, district, province, _from, _until, successors, _aliases] = fields[..] else {
            return None;
        };
        (id != "id").then_some(Self { text, id, district, province, successors })
    }

    /// The ids of those that took its place.
    fn successor_ids(&self) -> impl Iterator<Item = &'a str> {
        self.successors.split(';').filter_map(|one| one.trim().split(':').next()).filter(|id| !id.is_empty())
    }
}

/// The texts of these files with what is wanted alone, each with its header: `Tỉnh Điện Biên`, `Huyện Nậm Pồ`,
/// `Huyện Châu Thành, Tỉnh An Giang`, or an area's id; spelled as in the files. With each come its successors and predecessors,
/// so that what is left is a directory.
///
/// # Errors
/// The first that is wanted and is not there, or is several.
pub fn within(files: &[AreaFile<'_>], wanted: &[String]) -> Result<Vec<String>, WithinError> {
    let lines: Vec<Vec<Line<'_>>> = files.iter().map(|file| file.text.lines().filter_map(Line::of).collect()).collect();
    let all = || lines.iter().flatten();
    let mut ids = BTreeSet::new();
    for text in wanted {
        ids.extend(part(all(), text)?);
    }
    let before: Vec<&str> =
        all().filter(|line| line.successor_ids().any(|id| ids.contains(id))).map(|line| line.id).collect();
    ids.extend(before);
    // a divided area has successors outside of what is wanted, and a directory knows whom it names
    let after: Vec<&str> = all().filter(|line| ids.contains(line.id)).flat_map(Line::successor_ids).collect();
    ids.extend(after);
    let texts = files.iter().zip(&lines).map(|(file, lines)| {
        let kept = lines.iter().filter(|line| ids.contains(line.id)).map(|line| line.text);
        file.text.lines().take(1).chain(kept).fold(String::new(), |text, line| text + line + "\n")
    });
    Ok(texts.collect())
}

/// The ids of areas that have this code, or this name (with or without kind, whatever its marks and capitals).
pub fn ids_named<'a>(files: &[AreaFile<'a>], text: &str) -> Vec<&'a str> {
    let wanted = folded(text);
    let is_meant = |code: &str, name: &str, kind: &str| {
        let name = folded(name);
        code == text || wanted == name || (wanted.ends_with(&name) && wanted == format!("{} {name}", folded(kind)))
    };
    let rows = files.iter().flat_map(|file| file.text.lines().skip(1));
    let rows = rows.filter_map(|line| {
        let mut fields = line.split(',');
        let (id, code, name, kind) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        is_meant(code, name, kind).then_some(id)
    });
    rows.collect()
}

/// The ids of one part.
fn part<'a>(lines: impl Iterator<Item = &'a Line<'a>> + Clone, text: &str) -> Result<BTreeSet<&'a str>, WithinError> {
    let (name, province) = text.split_once(',').map_or((text.trim(), ""), |(name, of)| (name.trim(), of.trim()));
    let is_of = |line: &&Line<'_>| province.is_empty() || line.province == province;
    let is_named = |line: &&Line<'_>| line.id == name || line.province == name || line.district == name;
    let found: Vec<&Line<'_>> =
        lines.clone().filter(|line| !name.is_empty() && is_named(line) && is_of(line)).collect();
    if found.is_empty() {
        return Err(WithinError::Unknown { text: text.to_owned(), hint: near(lines, name) });
    }
    let of: BTreeSet<&str> =
        found.iter().filter(|line| line.district == name && line.province != name).map(|line| line.province).collect();
    if of.len() > 1 {
        let found = of.into_iter().collect::<Vec<_>>().join(", ");
        return Err(WithinError::Ambiguous { text: text.to_owned(), found });
    }
    Ok(found.into_iter().map(|line| line.id).collect())
}

/// Provinces and districts whose name, without marks, has this one in it.
fn near<'a>(lines: impl Iterator<Item = &'a Line<'a>>, name: &str) -> String {
    let wanted = folded(name);
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in lines {
        places.entry(line.province).or_default();
        if !line.district.is_empty() {
            places.entry(line.district).or_default().insert(line.province);
        }
    }
    let has = |place: &str| !wanted.is_empty() && format!(" {} ", folded(place)).contains(&format!(" {wanted} "));
    let named: Vec<String> = places
        .iter()
        .filter(|(place, _)| has(place))
        .map(|(place, of)| match of.iter().next() {
            Some(province) if of.len() == 1 => format!("\"{place}, {province}\""),
            _ => format!("\"{place}\""),
        })
        .take(NAMED_MAX)
        .collect();
    if named.is_empty() {
        "write a province or former district with its kind and marks (\"Tỉnh Điện Biên\"), or an area's id".to_owned()
    } else {
        format!("there is {}", named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Directory;

    const BEFORE: &str = include_str!("../../../config/areas/viet-nam/before-2025-07-01.csv");
    const FROM: &str = include_str!("../../../config/areas/viet-nam/from-2025-07-01.csv");
    const COUNTRY: [AreaFile<'static>; 2] =
        [AreaFile { label: "before", text: BEFORE }, AreaFile { label: "from", text: FROM }];

    fn directory(wanted: &[&str]) -> Directory {
        let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
        let texts = within(&COUNTRY, &wanted).unwrap();
        let files: Vec<AreaFile<'_>> = texts.iter().map(|text| AreaFile { label: "part", text }).collect();
        Directory::load(&files).unwrap()
    }

    fn fault(wanted: &str) -> String {
        within(&COUNTRY, &[wanted.to_owned()]).unwrap_err().to_string()
    }

    #[test]
    fn a_district_is_its_communes_and_those_that_took_their_place() {
        let texts = within(&COUNTRY, &["Huyện Điện Biên Đông".to_owned()]).unwrap();
        assert_eq!(texts[0], include_str!("../../../config/areas/dien-bien-dong-before-2025-07-01.csv"));
        assert_eq!(texts[1], include_str!("../../../config/areas/dien-bien-dong-from-2025-07-01.csv"));
    }

    #[test]
    fn a_province_of_today_is_a_directory_with_its_past() {
        let provinces: BTreeSet<&str> = FROM.lines().filter_map(Line::of).map(|line| line.province).collect();
        assert_eq!(provinces.len(), 34);
        for province in provinces.into_iter().step_by(7) {
            let directory = directory(&[province]);
            let today = directory.in_force(jiff::civil::date(2026, 7, 1)).len();
            let of_today = FROM.lines().filter_map(Line::of).filter(|line| line.province == province).count();
            assert!(today >= of_today && directory.len() > 2 * today, "{province}: {today} of {}", directory.len());
        }
    }

    #[test]
    fn an_area_comes_with_those_whose_place_it_took() {
        let directory = directory(&["na-son-03203-2025"]);
        let ids: Vec<&str> = directory.iter().map(|area| area.id.as_str()).collect();
        assert!(ids.contains(&"na-son-03205-2004") && ids.contains(&"dien-bien-dong-03203-2004"), "{ids:?}");
        assert_eq!(directory.in_force(jiff::civil::date(2026, 7, 1)).len(), 1);
    }

    #[test]
    fn a_name_of_several_or_none_says_what_to_write() {
        assert!(fault("Huyện Châu Thành").contains("Tỉnh An Giang"), "{}", fault("Huyện Châu Thành"));
        assert!(directory(&["Huyện Châu Thành, Tỉnh An Giang"]).len() > 5);
        assert!(
            fault("Điện Biên Đông").contains("\"Huyện Điện Biên Đông, Tỉnh Điện Biên\""),
            "{}",
            fault("Điện Biên Đông")
        );
        assert!(fault("Gondor").contains("with its kind and marks"));
        assert!(fault("").contains("with its kind and marks"));
    }

    #[test]
    fn areas_are_named_by_code_or_name_whatever_the_marks() {
        let mut ids = ids_named(&COUNTRY, "tia dinh");
        ids.sort_unstable();
        assert_eq!(ids, ["tia-dinh-03384-2004", "tia-dinh-03385-2025"]);
        assert_eq!(ids_named(&COUNTRY, "03203").len(), 2);
        assert_eq!(ids_named(&COUNTRY, "Xã Tìa Dình").len(), 2);
        assert!(ids_named(&COUNTRY, "Gondor").is_empty());
    }
}
