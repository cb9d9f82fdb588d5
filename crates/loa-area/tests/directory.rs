//! The directory itself: periods, codes, succession, names typed by people, and what it refuses to load.

#![allow(clippy::unwrap_used)]

use jiff::civil::{Date, date};
use loa_area::{AreaFile, Directory, Share};
use loa_domain::AreaId;

const BEFORE: &str = include_str!("../../../config/areas/dien-bien-dong-before-2025-07-01.csv");
const FROM: &str = include_str!("../../../config/areas/dien-bien-dong-from-2025-07-01.csv");
const HEADER: &str = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n";
const THEN: Date = date(2023, 11, 16);
const LAST_DAY: Date = date(2025, 6, 30);
const FIRST_DAY: Date = date(2025, 7, 1);

fn district() -> Directory {
    Directory::load(&[AreaFile { label: "before", text: BEFORE }, AreaFile { label: "from", text: FROM }]).unwrap()
}

fn load(rows: &str) -> Result<Directory, String> {
    let text = format!("{HEADER}{rows}");
    Directory::load(&[AreaFile { label: "areas/x.csv", text: &text }]).map_err(|e| e.to_string())
}

fn id(text: &str) -> AreaId {
    AreaId::new(text).unwrap()
}

fn ids<'a>(areas: impl IntoIterator<Item = &'a loa_area::Area>) -> Vec<&'a str> {
    areas.into_iter().map(|area| area.id.as_str()).collect()
}

#[test]
fn the_district_has_fourteen_areas_before_the_reform_and_six_after() {
    let directory = district();
    assert_eq!(directory.in_force(LAST_DAY).len(), 14);
    assert_eq!(directory.in_force(FIRST_DAY).len(), 6);
    assert_eq!(directory.len(), 20);
}

#[test]
fn a_code_names_another_area_after_the_reform() {
    let directory = district();
    let name = |code, on| directory.resolve(code, on).map(loa_area::Area::full_name);
    assert_eq!(name("03203", LAST_DAY).as_deref(), Some("Thị trấn Điện Biên Đông"));
    assert_eq!(name("03203", FIRST_DAY).as_deref(), Some("Xã Na Son"));
    assert_eq!(name("03205", LAST_DAY).as_deref(), Some("Xã Na Son"));
    assert_eq!(name("03205", FIRST_DAY), None);
    assert_eq!(name("03385", FIRST_DAY).as_deref(), Some("Xã Tìa Dình"));
}

#[test]
fn every_former_area_lives_on_in_exactly_one_of_today() {
    let directory = district();
    for area in directory.in_force(THEN) {
        assert_eq!(directory.successors(&area.id, FIRST_DAY).len(), 1, "{}", area.label());
        assert_eq!(ids(directory.successors(&area.id, THEN)), [area.id.as_str()]);
    }
    let today = id("na-son-03203-2025");
    assert_eq!(
        ids(directory.predecessors(&today)),
        ["dien-bien-dong-03203-2004", "keo-lom-03376-2004", "na-son-03205-2004"]
    );
    assert!(directory.successors(&today, THEN).is_empty(), "it had not begun");
}

#[test]
fn reach_is_the_areas_and_what_came_of_them_sorted_without_repeats() {
    let directory = district();
    let reach = directory.reach(&[id("na-son-03205-2004"), id("keo-lom-03376-2004"), id("unknown")]);
    let reach: Vec<&str> = reach.iter().map(AreaId::as_str).collect();
    assert_eq!(reach, ["keo-lom-03376-2004", "na-son-03203-2025", "na-son-03205-2004", "unknown"]);
    assert!(directory.reach(&[]).is_empty());
}

#[test]
fn succession_runs_through_divisions_and_mergers_one_after_another() {
    let directory = load(
        "a,1,A,Xã,,P,,2019-01-01,b:part; c:part-default,\n\
         b,2,B,Xã,,P,2019-01-01,2025-07-01,d,\n\
         c,3,C,Xã,,P,2019-01-01,2025-07-01,d,\n\
         d,2,D,Xã,,P,2025-07-01,,,\n",
    )
    .unwrap();
    assert_eq!(ids(directory.successors(&id("a"), date(2020, 1, 1))), ["b", "c"]);
    assert_eq!(ids(directory.successors(&id("a"), FIRST_DAY)), ["d"]);
    assert_eq!(directory.get(&id("a")).unwrap().successors[1].share, Share::PartDefault);
}

#[test]
fn people_may_type_a_name_with_or_without_kind_marks_and_capitals() {
    let directory = district();
    for typed in [
        "Na Son",
        "xã Na Son",
        "Xa na son",
        "na son",
        " NA  SON ",
        "Na Son, Điện Biên Đông",
        "xã Na Son, huyện Điện Biên Đông, tỉnh Điện Biên",
    ] {
        assert_eq!(directory.by_name(typed, THEN).unwrap().id.as_str(), "na-son-03205-2004", "{typed:?}");
    }
    assert_eq!(directory.by_name("Na Son", FIRST_DAY).unwrap().id.as_str(), "na-son-03203-2025");
    assert_eq!(directory.by_name("pu nhi", THEN).unwrap().id.as_str(), "pu-nhi-03370-2004");
    assert_eq!(directory.by_name("Điện Biên Đông", THEN).unwrap().full_name(), "Thị trấn Điện Biên Đông");
    assert_eq!(directory.by_name("03203", THEN).unwrap().full_name(), "Thị trấn Điện Biên Đông");
    assert_eq!(directory.by_name("keo-lom-03376-2004", FIRST_DAY).unwrap().full_name(), "Xã Keo Lôm");
}

#[test]
fn a_name_that_is_not_one_area_gets_a_sentence_that_helps() {
    let directory = district();
    let said = |text, on| directory.by_name(text, on).unwrap_err().to_string();
    assert_eq!(said("Na Sơn", THEN), "no area is named \"Na Sơn\" on 2023-11-16; near are Xã Na Son");
    assert!(said("", THEN).starts_with("no area is named"));
    assert_eq!(
        said("xã Keo Lôm", FIRST_DAY),
        "\"xã Keo Lôm\" was not in force on 2025-07-01: keo-lom-03376-2004 (Xã Keo Lôm, Huyện Điện Biên Đông, Tỉnh Điện Biên); \
         its place was taken by na-son-03203-2025 (Xã Na Son, Tỉnh Điện Biên)"
    );
    let two = load("a,1,Tân Lập,Xã,Huyện X,Tỉnh P,,,,\nb,2,Tân Lập,Thị trấn,Huyện Y,Tỉnh P,,,,\n").unwrap();
    assert_eq!(
        two.by_name("tan lap", THEN).unwrap_err().to_string(),
        "\"tan lap\" is the name of 2 areas on 2023-11-16: a (Xã Tân Lập, Huyện X, Tỉnh P), b (Thị trấn Tân Lập, Huyện Y, Tỉnh P); \
         type the id, or add the district or province"
    );
    assert_eq!(two.by_name("Tân Lập, huyện Y", THEN).unwrap().id.as_str(), "b");
    assert_eq!(two.by_name("xã Tân Lập", THEN).unwrap().id.as_str(), "a");
}

#[track_caller]
fn refused(rows: &str, expected: &str) {
    assert_eq!(load(rows).unwrap_err(), expected);
}

#[test]
fn a_fault_in_a_file_is_told_with_file_line_column_and_remedy() {
    refused(
        "Na Son,1,A,Xã,,P,,,,\n",
        "areas/x.csv, line 2, column `id`: area id has the character U+004E, which is not allowed: \"Na Son\"; an id is made of a-z, 0-9 and -, 100 at most",
    );
    refused(
        "a,1,A,Xã,,P,,,,\nb,2,B,Huyện,,P,,,,\n",
        "areas/x.csv, line 3, column `kind`: the kind \"Huyện\" is not known; write one of Xã, Thị trấn, Phường, Đặc khu",
    );
    refused(
        "a,1,Xã A,Xã,,P,,,,\n",
        "areas/x.csv, line 2, column `name`: the name \"Xã A\" has its kind in it; write \"Xã\" in the column `kind` only",
    );
    refused(
        "a,1,A,Xã,,P,1/7/2025,,,\n",
        "areas/x.csv, line 2, column `valid_from`: \"1/7/2025\" is not a date; write year-month-day (2025-07-01), or nothing",
    );
    refused(
        "a,1,A,Xã,,P,2025-07-01,2025-07-01,,\n",
        "areas/x.csv, line 2, column `valid_until`: 2025-07-01 is not after `valid_from` 2025-07-01; it is the first day no longer in force",
    );
    refused(
        "a,1,A,Xã,,P,,,,\n\na,2,B,Xã,,P,,,,\n",
        "areas/x.csv, line 4, column `id`: the id a is given twice (also areas/x.csv, line 2); ids are for one area for ever",
    );
    refused(
        "a,1,A,Xã,,P,,,,\nb,1,B,Xã,,P,2025-07-01,,,\n",
        "areas/x.csv, line 3, column `code`: the code 1 is also that of a (areas/x.csv, line 2) in this period; mend the dates",
    );
    refused(
        "a,1,A,Xã,,P,,2025-07-01,z,\n",
        "areas/x.csv, line 2, column `successors`: no area has the id z; add its row, or mend the id",
    );
    refused(
        "a,1,A,Xã,,P,,2025-07-01,b:half,\n",
        "areas/x.csv, line 2, column `successors`: the share \"half\" is not known; write whole, part or part-default",
    );
    refused(
        "a,1,A,Xã,,P,,2025-07-01,a,\n",
        "areas/x.csv, line 2, column `successors`: a began before this area ended; mend `valid_from` there or `valid_until` here",
    );
    refused(
        "a,1,A,Xã\n",
        "areas/x.csv, line 2: the line has 4 fields where the header has 10; put a text with commas in double quotes",
    );
}

#[test]
fn a_wrong_header_is_told_and_a_byte_order_mark_is_not_a_fault() {
    let load = |text: &str| Directory::load(&[AreaFile { label: "x.csv", text }]).map_err(|e| e.to_string());
    assert!(
        load("id,code\n")
            .unwrap_err()
            .starts_with("x.csv, line 1: the column `name` is missing; the columns are id, code")
    );
    assert!(
        load(&format!("{},extra\n", HEADER.trim()))
            .unwrap_err()
            .starts_with("x.csv, line 1: the column `extra` is not known")
    );
    assert_eq!(load(&format!("\u{feff}{HEADER}a,1,A,Xã,,P,,,,\r\n")).unwrap().len(), 1);
    assert!(load(HEADER).unwrap().is_empty());
}

#[test]
fn names_are_kept_composed_whatever_the_file_holds() {
    let directory = load("a,1,Ti\u{300}a Di\u{300}nh,Xa\u{303},,P,,,,\n").unwrap();
    assert_eq!(directory.get(&id("a")).unwrap().full_name(), "Xã Tìa Dình");
}
