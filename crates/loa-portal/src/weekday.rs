//! Days of the week beside a date: `Thứ Năm`, `Chủ nhật`, `T5`, `Thursday`.
//!
//! It knows words, and no dates.

use jiff::civil::Weekday;

/// Words of a line that are looked at.
const WORDS_MAX: usize = 60;

/// `Thursday`, `Thu`, `T5`.
pub(crate) fn is_one(token: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let is_short = token.len() == 3 && DAYS.iter().any(|day| day.starts_with(token));
    let is_number = token.strip_prefix('t').is_some_and(|number| matches!(number, "2" | "3" | "4" | "5" | "6" | "7"));
    DAYS.contains(&token) || is_short || is_number
}

/// Whether a line names a day of the week, as the day of a visit does.
pub(crate) fn stands_in(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    words.iter().any(|word| is_one(word))
        || words.windows(2).any(|pair| matches!(pair, ["thứ", day] | ["chủ", day] if is_name_of(day, pair[0])))
}

/// The day of the week that a line names, where it names one.
pub(crate) fn named(text: &str) -> Option<Weekday> {
    const ENGLISH: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
    let pairs = words.iter().zip(words.iter().skip(1).chain([&""]));
    let mut named = pairs.filter_map(|(word, next)| {
        let number = match (*word, *next) {
            ("thứ", "hai" | "2") | ("t2", _) => 1,
            ("thứ", "ba" | "3") | ("t3", _) => 2,
            ("thứ", "tư" | "4") | ("t4", _) => 3,
            ("thứ", "năm" | "5") | ("t5", _) => 4,
            ("thứ", "sáu" | "6") | ("t6", _) => 5,
            ("thứ", "bảy" | "bẩy" | "7") | ("t7", _) => 6,
            ("chủ", "nhật") | ("cn", _) => 7,
            (word, _) => {
                let is_day = |day: &str| day == word || (word.len() == 3 && day.starts_with(word));
                i8::try_from(ENGLISH.iter().position(|day| is_day(day))?).ok()? + 1
            }
        };
        Weekday::from_monday_one_offset(number).ok()
    });
    named.next()
}

/// Whether a word behind `thứ` or `chủ` names a day.
pub(crate) fn is_name_of(word: &str, before: &str) -> bool {
    const DAYS: [&str; 13] = ["hai", "ba", "tư", "năm", "sáu", "bảy", "bẩy", "2", "3", "4", "5", "6", "7"];
    (before == "thứ" && DAYS.contains(&word)) || (before == "chủ" && word == "nhật")
}
