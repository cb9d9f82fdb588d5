//! The size to plan for: a directory as large as the country's, made up here, and texts as long as the contract allows.

#![allow(clippy::unwrap_used)]

use jiff::civil::date;
use loa_area::{AreaFile, Directory};
use proptest::prelude::*;
use std::{fmt::Write, sync::LazyLock};

const INITIALS: [&str; 18] =
    ["B", "Ch", "D", "Đ", "G", "H", "Kh", "L", "M", "N", "Ng", "Ph", "Qu", "S", "T", "Th", "Tr", "V"];
const RHYMES: [&str; 16] =
    ["ang", "ình", "ướng", "ải", "ơn", "uân", "ừ", "ìa", "ông", "ên", "ạc", "ấp", "oà", "uỷ", "iêng", "ỏ"];

/// Two syllables that depend on the number alone; numbers over 82,944 repeat.
fn name(number: usize) -> String {
    let syllable = |n: usize| format!("{}{}", INITIALS[n % 18], RHYMES[(n / 18) % 16]);
    format!("{} {}", syllable(number % 288), syllable(number / 288))
}

/// 10,035 areas before, 3,321 after, each former one going to one or two of today's; every fifth name is borne by several.
static COUNTRY: LazyLock<Directory> = LazyLock::new(|| {
    let mut text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n".to_owned();
    for n in 0..10_035 {
        let successor = format!("today-{}", n % 3_321);
        let successors =
            if n % 17 == 0 { format!("{successor}:part-default; today-{}:part", (n + 1) % 3_321) } else { successor };
        writeln!(
            text,
            "then-{n},{n:05},{},Xã,Huyện {},Tỉnh {},,2025-07-01,{successors},",
            name(n * 4 / 5),
            name(70_000 + n / 15),
            name(80_000 + n / 160)
        )
        .unwrap();
    }
    for n in 0..3_321 {
        writeln!(text, "today-{n},{n:05},{},Xã,,Tỉnh {},2025-07-01,,,", name(n * 3), name(80_000 + n / 100)).unwrap();
    }
    Directory::load(&[AreaFile { label: "country.csv", text: &text }]).unwrap()
});

#[test]
fn a_directory_of_the_whole_country_answers_like_a_small_one() {
    let on = date(2024, 1, 1);
    assert_eq!(COUNTRY.in_force(on).len(), 10_035);
    let area = COUNTRY.resolve("00034", on).unwrap();
    assert_eq!(COUNTRY.successors(&area.id, date(2026, 1, 1)).len(), 2);
    let text = format!(
        "xã {}, {}",
        area.name,
        area.district.to_lowercase().replace(&area.district[7..].to_lowercase(), &area.district[7..])
    );
    assert_eq!(COUNTRY.find(&text, on), std::slice::from_ref(&area.id), "{text}");
}

#[test]
fn a_text_of_the_largest_size_is_read_to_its_end() {
    let on = date(2024, 1, 1);
    let area = COUNTRY.in_force(on)[20];
    let mut text = format!("Danh sách: {}, ", name(3)).repeat(40_000);
    text.truncate((0..1_048_000).rev().find(|&at| text.is_char_boundary(at)).unwrap());
    write!(text, ". Ở xã {}, {}.", area.name, area.district).unwrap();
    assert!(COUNTRY.find(&text, on).contains(&area.id));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_text_is_too_odd_and_positions_stand_on_characters(
        text in proptest::collection::vec(
            prop_oneof!["\\PC{0,6}", "[xX]ã ", Just("Bang Bình".to_owned()), Just(", huyện ".to_owned()), Just("\u{301}\n(".to_owned()), Just("TT. ".to_owned())], 0..30)
    ) {
        let text = text.concat();
        for found in COUNTRY.matches(&text, date(2024, 1, 1)) {
            prop_assert!(found.start < found.end);
            prop_assert!(text.get(found.start..found.end).is_some());
        }
    }
}
