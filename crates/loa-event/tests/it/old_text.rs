//! Text in an encoding from before Unicode: what is certain is converted, what is not is told, and text of today is not touched.
//!
//! More of it stands in `legible.rs`.

use crate::{
    legible::{named, read},
    minimal, with,
};
use loa_domain::{OldEncoding, Remark};
use loa_event::{Note, RefusalKind};
use serde_json::{Value, json};

fn told(notes: &[Note]) -> Vec<(&str, Remark)> {
    notes.iter().map(|note| (note.pointer.as_str(), note.remark.clone())).collect()
}

/// A body, as it comes out, and what is told of it.
fn body(html: &str) -> (String, Vec<Note>) {
    let (article, notes) = read(&with("/data/content_html", json!(html))).expect("taken");
    (article.content_html, notes)
}

fn in_language(language: &str, title: &str) -> Value {
    let mut event = with("/data/title", json!(title));
    event["data"]["language"] = json!(language);
    event["data"]["summary"] = json!(title);
    event
}

#[test]
fn signs_beside_a_letter_say_nothing_of_an_encoding() {
    for text in [
        "Thông báo Nº 5",
        "Nº 1, Nº 2",
        "B¥",
        "B£, B© và H®",
        "n×m and m×n",
        "2ª, 3º, a½, b¼",
        "Khoản 2 § 5, 30°C, 12km², µg/m³",
    ] {
        let (article, notes) = read(&with("/data/title", json!(text))).expect("taken");
        assert_eq!((article.title.as_str(), notes), (text, vec![]));
    }
}

#[test]
fn one_strange_word_is_never_converted_however_often_it_comes() {
    for text in ["Lü", "Mr. Lü, Mr. Lü, Mr. Lü", "Le thé est dû", "Mr. Lü and Mr. Nö arrived"] {
        let (article, notes) = read(&with("/data/title", json!(text))).expect("taken, not refused");
        assert_eq!(article.title, text);
        assert_eq!(named(&notes), []);
    }
    let (_, notes) = read(&with("/data/title", json!("H¶i, H¶i, H¶i"))).expect("taken");
    assert_eq!(told(&notes), [("/data/title", Remark::LooksOld { encoding: OldEncoding::Tcvn3, words: 1 })]);
}

#[test]
fn only_vietnamese_is_looked_at() {
    for language in ["fr", "en", "en-GB", "lo"] {
        for text in ["Le thé est dû", "Th«ng b¸o häp d©n"] {
            let (article, notes) = read(&in_language(language, text)).expect("taken");
            assert_eq!((article.title.as_str(), notes), (text, vec![]), "{language}");
        }
    }
    for language in ["vi", "VI-vn"] {
        assert_eq!(read(&in_language(language, "Th«ng b¸o häp d©n")).expect("taken").0.title, "Thông báo họp dân");
    }
}

#[test]
fn a_font_vouches_for_its_own_encoding_where_it_is_named_and_nowhere_else() {
    let word = "H¶i";
    assert_eq!(body(&format!("<p><font face=\".VnTime\">{word}</font></p>")).0, "<p>Hải</p>");
    for other in [
        "<p style=\"font-family:VNI-Times\">H¶i</p>",
        "<p style=\"font-family:Arial\">H¶i <a href=\"https://xa.gov.vn/\">x</a></p>",
        "<p>font .vn: H¶i</p>",
    ] {
        let (html, notes) = body(other);
        assert!(html.contains(word) && named(&notes).is_empty(), "{html} {notes:?}");
    }
}

#[test]
fn what_is_doubtful_is_told_and_refused_only_where_a_font_names_the_encoding() {
    let mixed = "<p>Hội nghị tại xã Na Son</p><p>Héi nghÞ t¹i x· Na Son, huyÖn §iÖn Biªn §«ng</p>";
    let (html, notes) = body(mixed);
    let [(pointer, Remark::LooksOld { encoding, words })] = &told(&notes)[..] else { panic!("{notes:?}") };
    assert_eq!((html.as_str(), *pointer, *encoding), (mixed, "/data/content_html", OldEncoding::Tcvn3));
    assert!(*words >= 5, "{words}");
    // in VNI it is `HỘI NGHỊ`, in VISCII `HOẢI NGHÒ`
    let title = "HOÄI NGHÒ";
    let (_, notes) = read(&with("/data/title", json!(title))).expect("taken");
    assert!(matches!(notes[..], [Note { remark: Remark::LooksOld { .. }, .. }]), "{title}: {notes:?}");
    let named = format!("<font face=\".VnTime\">{mixed}</font>");
    let refusal = read(&with("/data/content_html", json!(named))).expect_err("mixed, and a font says so");
    assert_eq!((refusal.kind().as_str(), refusal.pointer.as_str()), ("old-encoding", "/data/content_html"));
    assert!(refusal.sentence().contains("TCVN3") && refusal.sentence().contains("Unicode"), "{refusal}");
}

#[test]
fn a_text_in_viscii_whose_capitals_are_control_characters_is_refused_and_not_read_in_part() {
    let (whole, capitals) = ("Hµi ngh¸ tÕi xã, huy®n", "Hµi ngh¸ tÕi xã, huy®n \u{86}i");
    assert!(read(&with("/data/title", json!(whole))).is_ok());
    let mut beside = with("/data/title", json!(whole));
    beside["data"]["summary"] = json!("Hµi ngh¸ \u{86}i");
    for (event, pointer) in [(with("/data/title", json!(capitals)), "/data/title"), (beside, "/data/summary")] {
        let refusal = read(&event).expect_err("its capitals are gone");
        assert_eq!((refusal.kind().as_str(), refusal.pointer.as_str()), ("old-encoding", pointer));
        assert!(
            refusal.sentence().contains("VISCII") && refusal.sentence().contains("control characters"),
            "{refusal}"
        );
    }
}

#[test]
fn capitals_of_offices_and_papers_are_converted_with_their_text_and_told_alone() {
    for (written, right) in [
        ("QuyÕt ®Þnh sè 15/Q§-UBND", "Quyết định số 15/QĐ-UBND"),
        ("Th«ng b¸o sè 3/TB-H§ND", "Thông báo số 3/TB-HĐND"),
        ("§/c Chñ tÞch H§ND huyÖn", "Đ/c Chủ tịch HĐND huyện"),
        ("Quyeát ñònh soá 15/QÑ-UBND", "Quyết định số 15/QĐ-UBND"),
    ] {
        assert_eq!(read(&with("/data/title", json!(written))).expect("taken").0.title, right);
    }
    for (title, words) in [("Quyết định số 15/Q§-UBND", 1), ("Gặp §/c Chủ tịch H§ND", 2)] {
        let (article, notes) = read(&with("/data/title", json!(title))).expect("taken");
        assert_eq!(article.title, title);
        assert_eq!(told(&notes), [("/data/title", Remark::LooksOld { encoding: OldEncoding::Tcvn3, words })]);
    }
    let spanish = "ESPAÑA, AÑO";
    assert_eq!(read(&with("/data/title", json!(spanish))).expect("taken").1, vec![]);
}

#[test]
fn beside_a_body_in_an_old_encoding_what_is_strange_is_converted_or_told() {
    let old = "<p>Héi nghÞ t¹i x· Na Son, huyÖn §iÖn Biªn §«ng</p>";
    let mut event = with("/data/content_html", json!(old));
    event["data"]["title"] = json!("Sè 15/Q§-UBND");
    event["data"]["summary"] = json!("Ông Müller đến");
    let (article, notes) = read(&event).expect("taken");
    assert_eq!((article.title.as_str(), article.summary.as_str()), ("Số 15/QĐ-UBND", "Ông Müller đến"));
    let left = ("/data/summary", Remark::LooksOld { encoding: OldEncoding::Tcvn3, words: 1 });
    assert_eq!(told(&notes), [("/data", Remark::Converted(OldEncoding::Tcvn3)), left]);

    let mut event = minimal();
    event["type"] = json!("vn.loa.document.issued.v1");
    let number = |number: &str| {
        let mut event = event.clone();
        event["data"] = json!({ "id": "bai-1", "revision": 1, "url": "https://a.vn/1", "number": number,
            "title": "QuyÕt ®Þnh vÒ thµnh lËp tæ c«ng t¸c", "published_at": "2023-11-16T08:02:22+07:00" });
        crate::decode_value(&event).expect("taken")
    };
    let loa_domain::Change::Live(content) = number("15/Q§-UBND").change else { panic!("live") };
    assert!(matches!(&*content, loa_domain::Content::Document(document) if document.number == "15/QĐ-UBND"));
}

#[test]
fn a_conversion_leaves_what_is_no_word_and_counts_what_it_cannot_read() {
    let old = "Héi nghÞ t¹i x· Na Son, huyÖn §iÖn Biªn §«ng";
    let signs = "25 µg/m³, 30 µm · 5 × 6 © 12 m², 3km², 30°C, Nº 7, § 5";
    let (html, notes) = body(&format!("<p>{signs}; {old}</p>"));
    assert_eq!(html, format!("<p>{signs}; Hội nghị tại xã Na Son, huyện Điện Biên Đông</p>"));
    assert_eq!(told(&notes), [("/data/content_html", Remark::Converted(OldEncoding::Tcvn3))]);

    let long = "Céng hßa x· héi chñ nghÜa ViÖt Nam, §éc lËp - Tù do - H¹nh phóc";
    let (html, notes) = body(&format!("<p>{long} {old} Müller</p>"));
    assert!(html.ends_with("Đông Müller</p>") && html.contains("xã hội chủ nghĩa"), "{html}");
    let unread = ("/data/content_html", Remark::Unread { encoding: OldEncoding::Tcvn3, words: 1 });
    assert_eq!(told(&notes), [("/data/content_html", Remark::Converted(OldEncoding::Tcvn3)), unread]);
    assert!(notes[1].sentence().contains("read as nothing in TCVN3"), "{notes:?}");
}

#[test]
fn a_word_is_converted_across_markup_and_in_attributes_that_are_read() {
    let html = "<p>H<b>é</b>i ngh<i>Þ</i> t¹i <a href=\"/v%C2%A9\" title=\"Th«ng b¸o\">x· Na Son</a>, huyÖn §iÖn</p>";
    let right = "<p>H<b>ộ</b>i ngh<i>ị</i> tại <a href=\"https://dienbiendong.gov.vn/v%C2%A9\" title=\"Thông báo\" \
        rel=\"noopener noreferrer\">xã Na Son</a>, huyện Điện</p>";
    assert_eq!(body(html).0, right);
    assert_eq!(body("<p>HéI NGHÞ x· Na Son, huyÖn §iÖn Biªn</p>").0, "<p>HộI NGHị xã Na Son, huyện Điện Biên</p>");
}

#[test]
fn the_name_of_a_link_of_ours_is_neither_evidence_nor_converted() {
    let old = "Héi nghÞ t¹i x· Na Son, huyÖn §iÖn Biªn §«ng";
    for name in ["Quỹ", "T«n b¸o"] {
        let (html, notes) = body(&format!("<p>{old}</p><embed src=\"/vb/{name}.pdf\">"));
        assert!(html.contains(&format!(">{name}.pdf</a>")) && html.contains("Hội nghị"), "{html}");
        assert_eq!(named(&notes), [OldEncoding::Tcvn3]);
        let (html, notes) = body(&format!("<p>Hội nghị</p><embed src=\"/vb/{name}.pdf\">"));
        assert!(html.contains(&format!(">{name}.pdf</a>")), "{html}");
        assert!(notes.iter().all(|note| matches!(note.remark, Remark::Altered { .. })), "{notes:?}");
    }
    let (html, _) = body(&format!("<p>{old}</p><embed src=\"/vb/1.pdf\" title=\"Th«ng b¸o\">"));
    assert!(html.contains(">Thông báo</a>"), "what others called it is their text: {html}");
}

#[test]
fn a_text_that_was_encoded_twice_is_refused_wherever_it_stands() {
    let right = "Xã Na Son có bốn sản phẩm đạt chuẩn OCOP, bà con phấn khởi và tiếp tục sản xuất";
    let twice: String = right.bytes().map(char::from).collect();
    for member in ["title", "summary", "content_html"] {
        let refusal = read(&with(&format!("/data/{member}"), json!(twice))).expect_err("it is not as it was");
        assert_eq!((refusal.kind(), refusal.pointer), (RefusalKind::OldEncoding, format!("/data/{member}")));
        assert!(read(&with(&format!("/data/{member}"), json!(format!("{right}, «xã hội hoá» 1º")))).is_ok());
    }
}
