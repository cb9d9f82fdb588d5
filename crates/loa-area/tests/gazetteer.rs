//! What the gazetteer finds in Vietnamese text, on the real directory of Điện Biên Đông and on small ones of its own.

#![allow(clippy::unwrap_used)]

use jiff::civil::{Date, date};
use loa_area::{AreaFile, Directory};
use unicode_normalization::UnicodeNormalization;

const BEFORE: &str = include_str!("../../../config/areas/dien-bien-dong-before-2025-07-01.csv");
const FROM: &str = include_str!("../../../config/areas/dien-bien-dong-from-2025-07-01.csv");
const SEED: &str = include_str!("../../loa-portal/fixtures/seed.txt");
const THEN: Date = date(2023, 11, 16);
const NOW: Date = date(2026, 3, 2);

fn district() -> Directory {
    Directory::load(&[AreaFile { label: "before", text: BEFORE }, AreaFile { label: "from", text: FROM }]).unwrap()
}

/// Full names of what is found, in the order of the text, with repeats.
fn found_in(directory: &Directory, text: &str, on: Date) -> Vec<String> {
    let names = directory.matches(text, on).into_iter();
    names.map(|found| directory.get(&found.area).unwrap().full_name()).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = found_in(&district(), text, THEN);
    assert_eq!(found, expected, "in {text:?}");
}

fn seed_article() -> String {
    let lines: Vec<&str> = SEED.lines().collect();
    [lines[0], lines[4], lines[8]].join("\n")
}

#[test]
fn the_seed_article_is_about_four_areas_of_2023_and_nothing_else() {
    let directory = district();
    let found = directory.find(&seed_article(), THEN);
    let ids: Vec<&str> = found.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids, ["luan-gioi-03379-2004", "na-son-03205-2004", "phi-nhu-03208-2004", "tia-dinh-03384-2004"]);
}

#[test]
fn decomposed_text_with_windows_line_ends_gives_the_same() {
    let decomposed: String = seed_article().replace('\n', "\r\n").nfd().collect();
    assert_eq!(district().find(&decomposed, THEN), district().find(&seed_article(), THEN));
}

#[test]
fn positions_are_bytes_of_the_text_as_given() {
    let text: String = "Tin từ xã Tìa Dình.".nfd().collect();
    let found = &district().matches(&text, THEN)[0];
    assert_eq!(text[found.start..found.end].nfc().collect::<String>(), "Tìa Dình");
}

#[test]
fn a_name_counts_with_and_without_its_kind_but_not_with_another() {
    check("xã Na Son", &["Xã Na Son"]);
    check("UBND xã Na Son; Đảng ủy Phì Nhừ.", &["Xã Na Son", "Xã Phì Nhừ"]);
    check("XÃ NA SON TỔ CHỨC HỘI NGHỊ", &["Xã Na Son"]);
    check("xã na son", &["Xã Na Son"]);
    check("phường Na Son, thị trấn Phì Nhừ", &[]);
    check("bản Na Son, thôn Phì Nhừ, suối Tìa Dình", &[]);
}

#[test]
fn another_name_is_another_place() {
    check("xã Na Sơn", &[]);
    check("xã Na Sòn, xã Tìa Dinh", &[]);
    check("Na. Son và Phì - Nhừ", &[]);
    check("khoai sọ Phì Nhừa, người Luân Giói Thượng sống ở đây", &[]);
    check("khoai na son đỏ", &[]);
}

#[test]
fn a_road_between_two_areas_is_about_both_and_a_street_about_none() {
    check("tuyến đường Na Son - Xa Dung", &["Xã Na Son", "Xã Xa Dung"]);
    check("nhà ở đường Na Son, tổ 3", &[]);
}

#[test]
fn the_districts_own_name_is_not_the_town() {
    check("Huyện Điện Biên Đông", &[]);
    check("Điện Biên Đông tổng kết làm nhà đại đoàn kết cho hộ nghèo", &[]);
    check("HUYỆN ĐIỆN BIÊN ĐÔNG; tỉnh Điện Biên; Điện Biên", &[]);
    check("xã Na Son, Điện Biên Đông", &["Xã Na Son"]);
    check("thị trấn Điện Biên Đông", &["Thị trấn Điện Biên Đông"]);
    check("TT. Điện Biên Đông và TT Điện Biên Đông", &["Thị trấn Điện Biên Đông", "Thị trấn Điện Biên Đông"]);
    check("Thị trấn Điện Biên Đông, huyện Điện Biên Đông", &["Thị trấn Điện Biên Đông"]);
}

#[test]
fn a_list_shares_the_kind_at_its_head_and_the_district_at_its_end() {
    check("UBND xã Mường Luân, Chiềng Sơ, huyện Điện Biên Đông, tỉnh Điện Biên", &["Xã Mường Luân", "Xã Chiềng Sơ"]);
    check("UBND xã Mường Luân, Chiềng Sơ, huyện Sông Mã, tỉnh Sơn La", &[]);
    check(
        "các xã: Na Son, Nong U, Keo Lôm và thị trấn Điện Biên Đông",
        &["Xã Na Son", "Xã Nong U", "Xã Keo Lôm", "Thị trấn Điện Biên Đông"],
    );
    check("xã Na Son và huyện Tủa Chùa", &["Xã Na Son"]);
    check("xã Na Son - huyện Điện Biên Đông và xã Chiềng Sơ - huyện Sông Mã", &["Xã Na Son"]);
}

#[test]
fn namesakes_of_other_provinces_are_not_taken() {
    check("xã Chiềng Sơ, huyện Sông Mã", &[]);
    check("xã Chiềng Sơ (huyện Sông Mã, tỉnh Sơn La)", &[]);
    check("xã Chiềng Sơ (Sông Mã)", &[]);
    check("xã Chiềng Sơ, Sông Mã, Sơn La", &[]);
    check("XÃ CHIỀNG SƠ, HUYỆN SÔNG MÃ", &[]);
    check("xã Chiềng Sơ (Điện Biên Đông)", &["Xã Chiềng Sơ"]);
    check("lạc đỏ Na Son (OCOP 3 sao)", &["Xã Na Son"]);
}

#[test]
fn a_persons_or_an_institutions_name_beside_it_is_neither_taken_nor_in_the_way() {
    check("Chủ tịch UBND xã Na Son Lò Văn Chung cho biết", &["Xã Na Son"]);
    check("Hợp tác xã Thương mại dịch vụ Tìa Dình chủ trì", &["Xã Tìa Dình"]);
    check("Trường Mầm Non Na Son và Trạm Y tế Phì Nhừ", &["Xã Na Son", "Xã Phì Nhừ"]);
    check("Nguyễn Na Son là người Hà Nội; anh Lò Văn Tìa Dình cũng vậy", &[]);
    check("đồng chí Na Son phát biểu", &[]);
}

#[test]
fn an_alias_is_the_area() {
    check("xã Pú Nhi và Pu Nhi", &["Xã Pu Nhi", "Xã Pu Nhi"]);
}

#[test]
fn text_without_any_vietnamese_letter_is_read_without_marks() {
    check("lac do Na Son, khoai so Phi Nhu, xa Tia Dinh", &["Xã Na Son", "Xã Phì Nhừ", "Xã Tìa Dình"]);
    check("huyen Dien Bien Dong", &[]);
    check("bí xanh Tia Dinh", &[]);
}

#[test]
fn the_day_decides_between_two_areas_of_one_name() {
    let directory = district();
    assert_eq!(directory.find("xã Na Son", THEN)[0].as_str(), "na-son-03205-2004");
    assert_eq!(directory.find("xã Na Son", NOW)[0].as_str(), "na-son-03203-2025");
    assert!(directory.find("xã Keo Lôm", NOW).is_empty(), "it was merged into Na Son");
    // Habit outlives the reform: the district that was is no contradiction, another's is.
    assert_eq!(directory.find("xã Na Son, huyện Điện Biên Đông", NOW).len(), 1);
    assert!(directory.find("xã Na Son, huyện Sông Mã", NOW).is_empty());
}

#[test]
fn a_tone_may_stand_on_either_vowel() {
    let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        a,1,Thanh Hòa,Xã,Huyện A,Tỉnh B,,,,\nb,2,Thủy An,Xã,Huyện A,Tỉnh B,,,,\n";
    let directory = Directory::load(&[AreaFile { label: "t", text }]).unwrap();
    assert_eq!(found_in(&directory, "xã Thanh Hoà, xã Thuỷ An", THEN), ["Xã Thanh Hòa", "Xã Thủy An"]);
}

#[test]
fn the_longest_name_wins_and_ordinary_words_need_their_kind() {
    let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        a,1,Tân Lập,Xã,Huyện A Bình,Tỉnh B Yên,,,,\nb,2,Tân Lập Đông,Xã,Huyện A Bình,Tỉnh B Yên,,,,\n\
        c,3,Đoàn Kết,Xã,Huyện A Bình,Tỉnh B Yên,,,,\nd,4,Ma,Xã,Huyện A Bình,Tỉnh B Yên,,,,\n\
        e,5,1,Phường,Huyện A Bình,Tỉnh B Yên,,,,\nf,6,B'Lao,Xã,Huyện A Bình,Tỉnh B Yên,,,,\n";
    let directory = Directory::load(&[AreaFile { label: "t", text }]).unwrap();
    assert_eq!(found_in(&directory, "ở Tân Lập Đông", THEN), ["Xã Tân Lập Đông"]);
    assert!(found_in(&directory, "Ngày hội Đại đoàn kết, tinh thần Đoàn Kết, Ma, 1, xã đoàn kết", THEN).is_empty());
    assert_eq!(found_in(&directory, "các xã Tân Lập, Đoàn Kết, Ma", THEN), ["Xã Tân Lập", "Xã Đoàn Kết", "Xã Ma"]);
    assert_eq!(found_in(&directory, "phường 1, xã B’Lao", THEN), ["Phường 1", "Xã B'Lao"]);
}

#[test]
fn of_several_areas_of_one_name_the_one_whose_district_is_named_is_meant_or_none() {
    let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        a,1,Tân Lập,Xã,Huyện Mộc Châu,Tỉnh Sơn La,,,,\nb,2,Tân Lập,Xã,Huyện Lục Yên,Tỉnh Yên Bái,,,,\n";
    let directory = Directory::load(&[AreaFile { label: "t", text }]).unwrap();
    let found = |text| directory.find(text, THEN).iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    assert!(found("xã Tân Lập").is_empty());
    assert_eq!(found("xã Tân Lập, huyện Lục Yên"), ["b"]);
    assert_eq!(found("Huyện Mộc Châu: nông dân xã Tân Lập được mùa"), ["a"]);
    assert_eq!(found("Tỉnh Yên Bái hỗ trợ Tân Lập"), ["b"]);
    assert!(found("Sơn La và Yên Bái kết nghĩa, Tân Lập đón đoàn").is_empty());
}

#[test]
fn the_last_word_of_a_kind_does_not_begin_a_name() {
    let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        a,1,Yên Bình,Thị trấn,Huyện Yên Bình,Tỉnh Yên Bái,,,,\nb,2,Cổ Phúc,Thị trấn,Huyện Trấn Yên,Tỉnh Yên Bái,,,,\n";
    let directory = Directory::load(&[AreaFile { label: "t", text }]).unwrap();
    assert_eq!(found_in(&directory, "thị trấn Yên Bình, huyện Yên Bình", THEN), ["Thị trấn Yên Bình"]);
}

#[test]
fn signs_inside_a_districts_or_provinces_name_are_part_of_it() {
    let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        a,1,Cư Suê,Xã,Huyện Cư M'gar,Tỉnh Đắk Lắk,,,,\nb,2,Bình Ba,Xã,Huyện Châu Đức,Tỉnh Bà Rịa - Vũng Tàu,,,,\n";
    let directory = Directory::load(&[AreaFile { label: "t", text }]).unwrap();
    assert_eq!(found_in(&directory, "xã Cư Suê, huyện Cư M’gar, tỉnh Đắk Lắk", THEN), ["Xã Cư Suê"]);
    assert_eq!(found_in(&directory, "xã Bình Ba, tỉnh Bà Rịa - Vũng Tàu", THEN), ["Xã Bình Ba"]);
    assert!(found_in(&directory, "xã Bình Ba, tỉnh Bà Rịa", THEN).is_empty());
}

#[test]
fn provinces_that_merge_do_not_make_a_directory_of_several() {
    let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
        a,1,Cổ Phúc,Thị trấn,Huyện Trấn Yên,Tỉnh Yên Bái,,2025-07-01,b,\nb,1,Trấn Yên,Xã,,Tỉnh Lào Cai,2025-07-01,,,\n";
    let directory = Directory::load(&[AreaFile { label: "t", text }]).unwrap();
    assert_eq!(found_in(&directory, "nông dân Cổ Phúc", THEN), ["Thị trấn Cổ Phúc"]);
    assert_eq!(found_in(&directory, "nông dân xã Trấn Yên, tỉnh Lào Cai", NOW), ["Xã Trấn Yên"]);
}

#[test]
fn an_empty_directory_and_an_empty_text_find_nothing() {
    assert!(Directory::empty().find("xã Na Son", THEN).is_empty());
    check("", &[]);
    check(" \r\n ", &[]);
}
