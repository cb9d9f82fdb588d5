//! Nothing that carries meaning vanishes unsaid in cleaning: it becomes text or a link, or it is told.
//!
//! `fixtures/legible.json` has a body, what becomes of it and what is told, a case for each kind; `fixtures/articles` has whole
//! articles as portals send them to `POST /v1/articles`.

use crate::{CALENDAR, DIRECTORY, STRUCTURED, article, minimal, with};
use loa_domain::{Altered, Article, OldEncoding, Remark};
use loa_event::{Note, Refusal, decode_with_notes, work_of_cleaning};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf};

fn fixture(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn read(event: &Value) -> Result<(Article, Vec<Note>), Refusal> {
    let (event, notes) =
        decode_with_notes(STRUCTURED, &BTreeMap::new(), None, event.to_string().as_bytes(), &DIRECTORY, &CALENDAR)?;
    Ok((article(&event).clone(), notes))
}

/// A body in the article at `https://dienbiendong.gov.vn/tin/bai-1`.
fn body(html: &str) -> (String, BTreeMap<String, usize>) {
    let (article, notes) = read(&with("/data/content_html", json!(html))).expect("a good event");
    assert!(notes.iter().all(|note| note.pointer == "/data/content_html"), "{notes:?}");
    (article.content_html, counted(&notes))
}

/// What is told of bodies, by its kind.
fn counted(notes: &[Note]) -> BTreeMap<String, usize> {
    let altered = notes.iter().filter_map(|note| match note.remark {
        Remark::Altered { what, count } => Some((format!("{what:?}"), count)),
        _ => None,
    });
    altered.collect()
}

/// An article as it is sent to the API.
fn sent(name: &str) -> Result<(Article, Vec<Note>), Refusal> {
    let mut event = minimal();
    event["data"] = fixture(&format!("articles/{name}.json"));
    event["data"]["revision"] = json!(1);
    event["subject"] = event["data"]["id"].clone();
    read(&event)
}

#[test]
fn whatever_carries_meaning_becomes_text_or_a_link_and_what_goes_is_told() {
    let mut faults = Vec::new();
    for case in fixture("legible.json").as_array().expect("cases") {
        let (html, told) = body(case["html"].as_str().expect("html"));
        let found = json!({ "becomes": html, "told": told });
        let expected = json!({ "becomes": case["becomes"], "told": case["told"] });
        if found != expected {
            faults.push(format!("{}:\n  found    {found}\n  expected {expected}", case["name"]));
        }
        let (again, told) = body(&html);
        if again != html || told.keys().any(|kind| kind != "LostLetters") {
            faults.push(format!("{}: cleaned again it is {again} {told:?}", case["name"]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn four_pictures_that_a_script_would_load_have_their_real_addresses() {
    let (article, notes) = sent("pictures-loaded-lazily").expect("good");
    for number in 1..=4 {
        let address = format!("src=\"https://dienbiendong.dienbien.gov.vn/documents/ocop-{number}.jpg\"");
        assert_eq!(article.content_html.matches(&address).count(), 1, "{}", article.content_html);
    }
    assert_eq!(article.content_html.matches("<img").count(), 4, "none without an address, none twice");
    assert!(notes.is_empty(), "nothing is left out: {notes:?}");
}

#[test]
fn a_player_a_sound_a_film_an_object_and_a_paper_are_links_with_a_word_before_them() {
    let (article, notes) = sent("players-sounds-and-papers").expect("good");
    for link in [
        "<p>Xem video: <a href=\"https://www.youtube.com/watch?v=aBcDeFgHiJk\" rel=\"noopener noreferrer\">Phóng sự Na Son</a></p>",
        "<p>Nghe: <a href=\"https://dienbiendong.dienbien.gov.vn/documents/phat-thanh.mp3\" rel=\"noopener noreferrer\">phat-thanh.mp3</a></p>",
        "<p>Xem video: <a href=\"https://dienbiendong.dienbien.gov.vn/documents/phong-su.mp4\" rel=\"noopener noreferrer\">phong-su.mp4</a></p>",
        "<p>Xem tệp: <a href=\"https://dienbiendong.dienbien.gov.vn/documents/quyet-dinh.pdf\" rel=\"noopener noreferrer\">quyet-dinh.pdf</a></p>",
        "<p>Xem tệp: <a href=\"https://dienbiendong.dienbien.gov.vn/documents/bieu-mau.pdf\" rel=\"noopener noreferrer\">bieu-mau.pdf</a></p>",
    ] {
        assert!(article.content_html.contains(link), "{link}\n{}", article.content_html);
    }
    assert_eq!(counted(&notes), [("Embedded".to_owned(), 5)].into());
    assert_eq!(notes[0].sentence(), "5 players, sounds, films, objects or embedded pages became links.");
}

#[test]
fn an_article_of_nothing_but_a_player_is_not_empty() {
    let (article, notes) = sent("only-a-player").expect("good");
    assert!(article.content_html.starts_with("<p>Xem video: <a href="), "{}", article.content_html);
    assert_eq!(counted(&notes), [("Embedded".to_owned(), 1)].into());
}

#[test]
fn figures_in_formulas_and_drawings_stay() {
    let (article, notes) = sent("figures-in-formulas-and-drawings").expect("good");
    assert_eq!(
        article.content_html,
        "<p>Mức hỗ trợ là 15 triệu đồng, diện tích 200 m².</p><p>Số thứ tự Số 7 được chọn.</p>"
    );
    assert_eq!(counted(&notes), [("Formulas".to_owned(), 2), ("Drawings".to_owned(), 1)].into());
}

#[test]
fn tables_keep_spans_and_links_and_lists_what_they_count_by() {
    let (article, notes) = sent("spans-and-list-numbers").expect("good");
    for kept in [
        "<ol start=\"3\">",
        "<li value=\"7\">",
        "<ol type=\"a\">",
        "<th rowspan=\"2\">",
        "<th colspan=\"2\">",
        "<a href=\"https://dienbiendong.dienbien.gov.vn/documents/bieu-1.pdf\"",
    ] {
        assert!(article.content_html.contains(kept), "{kept}: {}", article.content_html);
    }
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn the_word_before_a_link_is_in_the_language_of_the_article() {
    let mut event = with("/data/content_html", json!("<audio src=/a.mp3></audio>"));
    event["data"]["language"] = json!("en-GB");
    let (article, _) = read(&event).expect("good");
    assert!(article.content_html.starts_with("<p>Listen: <a href="), "{}", article.content_html);
}

#[test]
fn a_body_of_nothing_special_comes_out_the_same_whether_it_is_written_anew_or_not() {
    // what is before it makes that it is
    let anew = "<p data-x=\"1\">a</p>";
    for html in [
        "<p>Xã <b>Na Son</b> &amp; <i>Tìa&nbsp;Dình</i><br>1 &lt; 2 \"a\" 'b'</p>",
        "<h2>A</h2><ul><li>b<ul><li>c</li></ul></li></ul><ol start=\"3\"><li>d</li></ol>",
        "<table><caption>e</caption><thead><tr><th scope=\"col\">f</th></tr></thead><tbody><tr><td colspan=\"2\">g</td></tr></tbody></table>",
        "<p><a href=\"/x?a=1&amp;b=2\" title=\"h &quot;i&quot;\">j</a><img src=\"/k.jpg\" alt=\"l\" width=\"5\"></p>",
        "<blockquote cite=\"/m\">n<pre>o\n  p</pre></blockquote><hr><dl><dt>q</dt><dd>r</dd></dl>",
        "<p>s<p>t<div>u<b>v<div>w</b></div>",
        "x<!-- y -->z<o:p>!</o:p>",
    ] {
        assert_eq!(body(&format!("{anew}{html}")).0, format!("<p>a</p>{}", body(html).0), "{html}");
    }
}

/// What stands in bodies and needs a browser, in pieces, crooked ones among them.
const PIECES: &[&str] = &[
    "<iframe src=https://youtu.be/a></iframe>",
    "<iframe src=x title='<b>'>",
    "</iframe>",
    "<video>",
    "<source src=/a.mp4>",
    "</video>",
    "<audio src=/a.mp3>",
    "<object data=/a.pdf>",
    "<param name=movie value=/a.swf>",
    "</object>",
    "<embed src=/b.pdf>",
    "<oembed url=https://youtu.be/a>",
    "<div data-oembed-url=https://youtu.be/a>",
    "</div>",
    "<amp-youtube data-videoid=x>",
    "<img data-src=/1.jpg>",
    "<img class=lazy src=/blank.gif>",
    "<img src=''>",
    "<img srcset='/a.jpg 1x, /b.jpg 2x'>",
    "<noscript>",
    "<noscript><img src=/1.jpg></noscript>",
    "</noscript>",
    "<picture><source srcset=/a.webp>",
    "</picture>",
    "<svg>",
    "<text>7</text>",
    "<title>t",
    "<foreignObject><p>f",
    "<image href=/i.png>",
    "</svg>",
    "<math>",
    "<mfrac><mn>1</mn><mn>2</mn></mfrac>",
    "<msup><mi>m</mi><mn>2</mn></msup>",
    "<mtext><b>x",
    "<annotation-xml encoding=text/html><p>a",
    "</math>",
    "<xml><w:x>no",
    "</xml>",
    "<o:p>y</o:p>",
    "<m:sup>2",
    "<m:f><m:num>a+b<m:den>2</m:f>",
    "<m:rad><m:deg/><m:e>x</m:rad>",
    "<m:sSup><m:e>",
    "<input value='v'>",
    "<input type=checkbox checked>",
    "<textarea>t",
    "</textarea>",
    "<select><option selected>o",
    "</select>",
    "<button>b",
    "<canvas>c",
    "<area href=/x alt=a>",
    "<area href=mailto:a@b.vn alt=m>",
    "<area href=zalo:1 alt=z>",
    "<noembed>e<b>",
    "<noframes><p>f</noframes>",
    "<a href=tel:1>",
    "<a href=zalo:1>",
    "</a>",
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<table><tr><td>",
    "</table>",
    "<ul><li>",
    "<pre>\n\n",
    "<template>",
    "<script>s",
    "</script>",
    "<xmp><b>",
    "<br>",
    "Xã Na Son",
    " ",
    "&#0;",
    "&lt;",
];

fn pieces(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..most).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_was_made_legible_stays_as_it_is(html in pieces(20)) {
        let first = read(&with("/data/content_html", json!(html)));
        let (article, _) = first.map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
        let (again, notes) = read(&with("/data/content_html", json!(article.content_html))).expect("clean is good");
        prop_assert_eq!(&again.content_html, &article.content_html);
        prop_assert!(notes.is_empty(), "nothing is left to tell of {}: {:?}", article.content_html, notes);
        for gone in ["<iframe", "<video", "<audio", "<object", "<embed", "<svg", "<math", "<noscript", "<img>", "<img alt", "\u{fffd}"] {
            prop_assert!(!article.content_html.contains(gone), "{} in {}", gone, article.content_html);
        }
    }
}

#[test]
fn making_a_body_legible_costs_about_its_length() {
    let base = "https://dienbiendong.gov.vn/tin/bai-1".parse().expect("an address");
    for piece in PIECES {
        let [once, twice] = [8_000, 16_000].map(|bytes| work_of_cleaning(&piece.repeat(bytes / piece.len()), &base));
        assert!(twice <= once * 5 / 2 + 4 * loa_html::STEPS_AT_LEAST, "{piece}: {once}, then {twice}");
    }
}

#[test]
fn a_letter_that_only_looks_like_another_costs_no_area() {
    let (right, _) = sent("d-written-right").expect("good");
    let (eth, _) = sent("d-written-as-eth").expect("good");
    assert!(!right.areas.is_empty() && eth.areas == right.areas, "{:?} {:?}", eth.areas, right.areas);
    assert!(eth.content_html.contains("Ðiện Biên Ðông"), "text stays as it was written: {}", eth.content_html);
    for written in [
        "xã Na Son, huyện Ɖiện Biên Ɖông, tỉnh Ɖiện Biên",
        "xã Na Son, huyện ðiện Biên Ðông, tỉnh ðiện Biên",
        "xã Nа Sоn, huyện Điện Biên Đông, tỉnh Điện Biên",
        "хã Na Ѕon, huyện Điện Вiên Đông, tỉnh Điện Вiên",
        "ｘã Ｎａ Ｓｏｎ，huyện Điện Biên Đông，tỉnh Điện Biên",
        "xã Na Son, huyện D\u{335}iện Biên D\u{335}ông, tỉnh D\u{335}iện Biên",
    ] {
        let mut event = with("/data/content_html", json!(format!("<p>Hội nghị tại {written}.</p>")));
        event["data"]["title"] = json!("Tin d");
        let (article, _) = read(&event).expect("good");
        assert_eq!(article.areas, right.areas, "{written}");
    }
}

/// The encodings that notes name.
pub(crate) fn named(notes: &[Note]) -> Vec<OldEncoding> {
    let named = notes.iter().filter_map(|note| match note.remark {
        Remark::Converted(encoding) => Some(encoding),
        _ => None,
    });
    named.collect()
}

#[test]
fn text_in_tcvn3_is_converted_and_the_note_names_it() {
    let (article, notes) = sent("text-in-tcvn3").expect("taken");
    assert_eq!(article.title, "Điện Biên Đông: Đại hội xã Na Son");
    assert_eq!(article.summary, "Cộng hòa xã hội chủ nghĩa Việt Nam");
    assert_eq!(article.content_html, "<p>Hội nghị tại xã Na Son, huyện Điện Biên Đông.</p>");
    assert!(!article.areas.is_empty());
    assert_eq!(named(&notes), [OldEncoding::Tcvn3]);
    assert!(notes[0].sentence().contains("TCVN3") && notes[0].pointer == "/data", "{notes:?}");
}

#[test]
fn each_old_encoding_is_noticed_wherever_it_stands() {
    let right = "<p>Hội nghị tại xã Na Son, huyện Điện Biên Đông</p>";
    for (encoding, html) in [
        (OldEncoding::Tcvn3, "<p>Héi nghÞ t¹i x· Na Son, huyÖn §iÖn Biªn §«ng</p>"),
        // as editors write it that know HTML 3
        (
            OldEncoding::Tcvn3,
            "<p>H&eacute;i ngh&THORN; t&sup1;i x&middot; Na Son, huy&Ouml;n &sect;i&Ouml;n Bi&ordf;n &sect;&laquo;ng</p>",
        ),
        (OldEncoding::Vni, "<p>Hoäi nghò taïi xaõ Na Son, huyeän Ñieän Bieân Ñoâng</p>"),
        (OldEncoding::Viscii, "<p>Hµi ngh¸ tÕi xã Na Son, huy®n Ði®n Biên Ðông</p>"),
    ] {
        let (article, notes) = read(&with("/data/content_html", json!(html))).expect("taken");
        assert_eq!((article.content_html.as_str(), named(&notes)), (right, vec![encoding]), "{html}");
        assert_eq!(notes[0].pointer, "/data/content_html");
    }
    let (article, notes) = read(&with("/data/title", json!("Th«ng b¸o häp d©n"))).expect("taken");
    assert_eq!((article.title.as_str(), named(&notes)), ("Thông báo họp dân", vec![OldEncoding::Tcvn3]));
    let alt = json!([{ "url": "https://a.vn/1.jpg", "alt": "HOÄI NGHÒ UÛY BAN" }]);
    assert_eq!(read(&with("/data/images", alt)).expect("taken").0.images[0].alt, "HỘI NGHỊ ỦY BAN");
}

#[test]
fn a_short_text_beside_one_in_an_old_encoding_is_read_with_it_unless_it_reads_well_as_it_is() {
    let mut event = with("/data/content_html", json!("<p>Héi nghÞ t¹i x· Na Son, huyÖn §iÖn Biªn §«ng</p>"));
    event["data"]["source_name"] = json!("Héi");
    event["data"]["summary"] = json!("Có gì");
    let (article, _) = read(&event).expect("taken");
    assert_eq!((article.source_name.as_str(), article.summary.as_str()), ("Hội", "Có gì"));
}

#[test]
fn a_few_words_in_an_old_encoding_among_many_stay_and_are_told() {
    let unicode = "Hội nghị được tổ chức tại trụ sở Ủy ban nhân dân huyện Điện Biên Đông, ".repeat(3);
    for (html, encoding, words) in [
        (format!("<p>{unicode}có sự tham dự của ông Müller.</p><p>Nguån tin: V¨n phßng</p>"), OldEncoding::Tcvn3, 3),
        ("<p>H¶i</p>".to_owned(), OldEncoding::Tcvn3, 1),
    ] {
        let (article, notes) = read(&with("/data/content_html", json!(html))).expect("taken");
        assert_eq!(article.content_html, html);
        let told: Vec<_> = notes.iter().map(|note| (note.pointer.as_str(), &note.remark)).collect();
        assert_eq!(told, [("/data/content_html", &Remark::LooksOld { encoding, words })]);
    }
}

#[test]
fn unicode_and_other_languages_are_never_taken_for_an_old_encoding() {
    for text in [
        "Có gì hay ở Na Son",
        "Là, hà, và",
        "HÀ NÔI",
        "Ðông Á",
        "Đo 5 µm ± 2°, © 2023 §5, ½ giờ, «Na Son», 10 m²",
        "Der Bürgermeister von Köln grüßt herzlich für die Straße",
        "Le café de l'été, garçon, naïve, hôtel, île, à bientôt",
        "El niño español, mañana, ¿qué?",
        "Åse Møller spiser smørrebrød på Ærø",
        "São Paulo, coração, informações",
        "Microsoft® Windows® © ™",
        "Tµ0B¨0 H¶2",
        "200 m², 5 m³; x² + b² = c²; 3 C°, 7 µm, nº 5, 2ª",
        "Müller",
        "ສະບາຍດີ",
        "",
    ] {
        let (article, notes) = read(&with("/data/summary", json!(text))).expect("good");
        assert_eq!((article.summary.as_str(), notes.len()), (text, 0));
        let mut event = with("/data/content_html", json!(format!("<p>{text}</p>")));
        event["data"]["summary"] = json!("Hội nghị tại xã Na Son, huyện Điện Biên Đông");
        let (_, notes) = read(&event).expect("good");
        assert_eq!(named(&notes), [], "{text}");
    }
}

#[test]
fn what_a_style_hides_from_everybody_does_not_come_to_light_without_it() {
    let gamblers = "<a href=\"https://cuoc.example/\">cá cược</a>";
    for hidden in [
        format!("<div style=\"display:none\">{gamblers}</div>"),
        format!("<p style='position:absolute; left:-9999px'>{gamblers}</p>"),
        format!("<span style=\"disp&#108;ay:none\"><b>{gamblers}</b></span>"),
        format!("<b style='visibility: hidden'>{gamblers}</b>"),
        format!("<font hidden>{gamblers}<span>x</span></font>"),
        format!("<ul hidden><li>{gamblers}</li></ul>"),
        format!("<div style=\"font-size:0\"><div style=\"font-size:14px\">{gamblers}</div></div>"),
    ] {
        let html = format!("<p>Trước</p>{hidden}<p>sau</p>");
        let (article, notes) = read(&with("/data/content_html", json!(html))).expect("taken");
        assert_eq!(article.content_html, "<p>Trước</p><p>sau</p>", "{hidden}");
        assert!(
            notes.iter().any(|note| matches!(note.remark, Remark::Altered { what: Altered::HiddenPassages, count: 1 })),
            "{hidden}: {notes:?}"
        );
    }
    // nothing was hidden, and nothing is told
    let seen = "<p style=\"color:red; font-size:12px\">Tin<span style=\"display:none\"></span></p>";
    let (article, notes) = read(&with("/data/content_html", json!(seen))).expect("taken");
    assert_eq!((article.content_html.as_str(), notes.len()), ("<p>Tin</p>", 0));
}

#[test]
fn what_word_processors_write_about_fonts_hides_nothing_and_refuses_no_body() {
    // each is left open: a parser would write all of them again into each following paragraph
    let paragraph = |n: usize| {
        format!("<p><font class=\"c{n}\" style=\"font-family:&quot;Times New Roman&quot;,serif\">Đoạn {n}</p>")
    };
    let html: String = (0..400).map(paragraph).collect();
    let (article, notes) = read(&with("/data/content_html", json!(html))).expect("taken");
    assert_eq!((article.content_html.matches("<p>").count(), notes.len()), (400, 0));
}
