//! Finds areas by a part of a typed name: `na s`, `xa tia dinh`, `Na Son, Điện Biên`, a code.
//!
//! For search fields: it returns several areas, the likeliest first, with the number of all that
//! fit. [`Directory::by_name`] returns the one area that was meant, or an error.

use crate::{Area, AreaKind, Directory, spelling};
use jiff::civil::Date;
use std::cmp::Reverse;

/// Most characters of a query that are looked at: longer than any name with its district and province.
const QUERY_CHARS_MAX: usize = 120;
/// Most words of it.
const QUERY_WORDS_MAX: usize = 12;

/// An index of a directory's names. Made once; a search is one pass over it.
#[derive(Debug, Clone)]
pub struct AreaSearch {
    /// In the directory's order.
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    /// The folded name, then the aliases.
    names: Vec<String>,
    /// The folded words of everything: kind, names, district, province, code.
    all: String,
    /// The names with tones and marks, by [`spelling::key`], between blanks.
    spelled: Vec<String>,
}

/// How well a line fits; less is better.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The whole name was typed.
    Whole,
    /// The name begins so.
    Beginning,
    /// Each word typed begins a word of the name.
    InName,
    /// Each word typed begins a word of the name, its kind, its district, its province, or is in its code.
    Around,
}

impl AreaSearch {
    /// Indexes a directory.
    pub fn new(directory: &Directory) -> Self {
        let line = |area: &Area| {
            let home = format!("{} {} {} {}", area.kind, area.district, area.province, area.code);
            let names: Vec<String> = area.names().map(spelling::folded).collect();
            Line {
                all: format!(" {} {}", names.join(" "), spelling::folded(&home)),
                spelled: area.names().map(|name| format!(" {} ", spelling::keyed(name, spelling::key))).collect(),
                names,
            }
        };
        Self { lines: directory.iter().map(line).collect() }
    }

    /// The areas that fit, of all periods, at most `limit`, and how many there are. Whole names first, those in force on
    /// that day before those of the past, those written with the same tones and marks before others. Nothing for a text
    /// without letters or digits. `directory` is the one that was indexed.
    pub fn find<'a>(&self, directory: &'a Directory, text: &str, on: Date, limit: usize) -> (Vec<&'a Area>, usize) {
        let text: String = text.chars().take(QUERY_CHARS_MAX).collect();
        let folded = spelling::folded(&text);
        let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).take(QUERY_WORDS_MAX).collect();
        if words.is_empty() {
            return (Vec::new(), 0);
        }
        let name = without_kind(&words).join(" ");
        let spelled = format!(" {} ", spelling::keyed(&text, spelling::key));
        let mut found: Vec<_> = std::iter::zip(directory, &self.lines)
            .filter_map(|(area, line)| {
                let fit = line.fit(&words, &name)?;
                let is_spelled = line.spelled.iter().any(|known| spelled.contains(known));
                Some((fit, Reverse(area.is_in_force(on)), Reverse(is_spelled), &line.names, &area.id, area))
            })
            .collect();
        let count = found.len();
        found.sort_by(|a, b| (&a.0, a.1, a.2, a.3, a.4).cmp(&(&b.0, b.1, b.2, b.3, b.4)));
        (found.into_iter().take(limit).map(|(.., area)| area).collect(), count)
    }
}

impl Line {
    fn fit(&self, words: &[&str], name: &str) -> Option<Fit> {
        let begins = |text: &str, word: &str| text.split(' ').any(|known| known.starts_with(word));
        if self.names.iter().any(|known| known == name) {
            Some(Fit::Whole)
        } else if !name.is_empty() && self.names.iter().any(|known| known.starts_with(name)) {
            Some(Fit::Beginning)
        } else if self.names.iter().any(|known| words.iter().all(|word| begins(known, word))) {
            Some(Fit::InName)
        } else {
            words.iter().all(|word| begins(&self.all, word)).then_some(Fit::Around)
        }
    }
}

/// `xã Na Son` is about Na Son.
fn without_kind<'a>(words: &'a [&'a str]) -> &'a [&'a str] {
    for kind in AreaKind::ALL {
        let kind = spelling::folded(kind.vietnamese());
        let length = kind.split(' ').count();
        if words.len() > length && words[..length].join(" ") == kind {
            return &words[length..];
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AreaFile;
    use jiff::civil::date;

    const AREAS: &str = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        na-son-cu,03205,Na Son,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,2025-07-01,na-son,\n\
        tia-dinh-cu,03384,Tìa Dình,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,2025-07-01,na-son,\n\
        na-son,03203,Na Son,Xã,,Tỉnh Điện Biên,2025-07-01,,,\n\
        na-son-la,09999,Na Sơn,Xã,,Tỉnh Sơn La,2025-07-01,,,\n\
        pu-nhi,03370,Pu Nhi,Xã,,Tỉnh Điện Biên,2025-07-01,,,Pú Nhi\n\
        son-tay,00001,Sơn Tây,Phường,,Thành phố Hà Nội,2025-07-01,,,\n";

    fn check(text: &str, expected: &[&str]) {
        let directory = Directory::load(&[AreaFile { label: "areas.csv", text: AREAS }]).unwrap();
        let (found, count) = AreaSearch::new(&directory).find(&directory, text, date(2026, 1, 1), 3);
        let found: Vec<&str> = found.iter().map(|area| area.id.as_str()).collect();
        assert_eq!((found.as_slice(), count), (expected, expected.len()), "{text:?}");
    }

    #[test]
    fn a_name_is_found_with_and_without_accents_kind_and_place() {
        for text in ["pu nhi", "Pú Nhi", "PU NHÌ", "xã pu nhi", "xa Pu N", "nhi pu", "pu nhi, điện biên", "03370"]
        {
            check(text, &["pu-nhi"]);
        }
        check("tia", &["tia-dinh-cu"]);
        check("tìa dình huyện điện biên đông", &["tia-dinh-cu"]);
    }

    #[test]
    fn whole_names_come_first_then_what_is_in_force_then_what_is_spelled_so() {
        check("Na Son", &["na-son", "na-son-la", "na-son-cu"]);
        check("xã Na Sơn", &["na-son-la", "na-son", "na-son-cu"]);
        check("son la", &["na-son-la"]);
    }

    #[test]
    fn nonsense_finds_nothing_and_costs_little() {
        for text in ["", "  ", "<script>", "🦆", "\u{0}", "%%%", "không có xã này"] {
            check(text, &[]);
        }
        check(&"na ".repeat(4_000), &["na-son", "na-son-la", "na-son-cu"]);
    }
}
