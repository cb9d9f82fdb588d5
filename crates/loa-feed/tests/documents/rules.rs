//! The rules every document keeps.

use crate::{
    reading::{elements, foreign, texts},
    seed::{self, entry, site, stone},
};
use jiff::Timestamp;
use loa_domain::{Article, ArticleId, Attachment, Content, clean_line, clean_text};
use loa_feed::{Entry, Feed, Format, Window, feeds_of, render};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn article(id: &str, published_at: &str) -> Article {
    let at = published_at.parse().unwrap();
    Article { id: ArticleId::new(id).unwrap(), published_at: at, modified_at: at, ..seed::article() }
}

fn written(format: Format, entries: &[Entry]) -> String {
    render(format, &site(), &seed::feed(entries, &[])).unwrap()
}

fn ids(feed: &Feed) -> Vec<&str> {
    feed.items().iter().map(|item| item.article.as_ref().unwrap().as_str()).collect()
}

#[test]
fn an_entry_has_the_same_id_in_every_format_and_after_every_edit() {
    let edited = Article {
        revision: 2,
        title: "Tên khác".into(),
        url: "https://ten-mien-moi.gov.vn/x".parse().unwrap(),
        ..seed::article()
    };
    for content in [seed::article(), edited] {
        for format in Format::ALL {
            let feed = foreign(&written(format, &[entry(Content::Article(content.clone()))]));
            assert_eq!(
                feed.entries[0].id, "tag:loa.dienbiendong.gov.vn,2026-01-01:entry/4-san-pham-ocop",
                "{format:?}"
            );
        }
    }
}

#[test]
fn an_independent_reader_finds_what_was_published_in_every_format() {
    let article = Article { modified_at: "2023-11-17T00:00:00Z".parse().unwrap(), ..seed::article() };
    for format in Format::ALL {
        let feed = foreign(&written(format, &[entry(Content::Article(article.clone()))]));
        let found = &feed.entries[0];
        assert_eq!(feed.language.as_deref(), Some("vi"), "{format:?}");
        assert_eq!(found.title.as_ref().unwrap().content, article.title, "{format:?}");
        assert_eq!(found.links[0].href, article.url.as_str(), "{format:?}");
        assert_eq!(found.published.unwrap().timestamp(), article.published_at.as_second(), "{format:?}");
        if format != Format::Rss {
            assert_eq!(found.updated.unwrap().timestamp(), article.modified_at.as_second(), "{format:?}");
        }
        let body = found.content.as_ref().unwrap().body.as_ref().unwrap();
        assert!(body.contains("bí xanh Tìa Dình") && body.contains("<p><strong>Tại huyện"), "{format:?}: {body}");
        assert!(body.contains("src=\"https://dienbiendong.gov.vn/anh/occop.jpg?a=1&amp;b=2\""), "{format:?}: {body}");
        assert!(body.contains("Nguồn tin: Nguyễn Thịnh"), "{format:?}: {body}");
        assert_eq!(found.authors[0].name.as_deref(), Some(article.source_name.as_str()), "{format:?}");
    }
}

#[test]
fn self_links_are_the_address_the_feed_is_served_at() {
    let of = |format| written(format, &seed::entries());
    assert!(of(Format::Rss).contains(
        "<atom:link href=\"https://loa.dienbiendong.gov.vn/feeds/all.rss\" rel=\"self\" type=\"application/rss+xml\""
    ));
    assert!(of(Format::Atom).contains("<link href=\"https://loa.dienbiendong.gov.vn/feeds/all.atom\" rel=\"self\""));
    assert!(of(Format::Json).contains("\"feed_url\":\"https://loa.dienbiendong.gov.vn/feeds/all.json\""));
}

#[test]
fn rss_has_at_most_one_enclosure_and_the_description_before_the_content() {
    let document = entry(Content::Document(seed::document()));
    let rss = elements(&written(Format::Rss, &[document.clone(), entry(Content::Article(seed::article()))]));
    assert_eq!(texts(&rss, "enclosure").len(), 2, "one for each of two items");
    let place = |name: &str| rss.iter().position(|(found, _)| found == name).unwrap();
    let item = place("item");
    let after = |name: &str| item + rss[item..].iter().position(|(found, _)| found == name).unwrap();
    assert!(after("description") < after("content:encoded"));
    assert!(texts(&rss, "author").is_empty(), "author wants an e-mail address; names go to dc:creator");
    let atom = written(Format::Atom, &[document]);
    assert_eq!(atom.matches("rel=\"enclosure\"").count(), 2, "all files");
    assert!(atom.contains("length=\"1380000\""), "{atom}");
}

/// What keeps plain text from being read as HTML is not to be seen.
fn without_joiners(text: &str) -> String {
    text.replace('\u{2060}', "")
}

#[test]
fn titles_are_plain_text_escaped_once() {
    let title = "A &amp; B < C, <b>\"D\"</b> ]]> <![CDATA[ <title> & E";
    let article = Article { title: title.into(), summary: title.into(), ..seed::article() };
    let entries = [entry(Content::Article(article))];
    for format in Format::ALL {
        let text = written(format, &entries);
        let once = match format {
            Format::Json => serde_json::from_str::<serde_json::Value>(&text).unwrap()["items"][0]["title"]
                .as_str()
                .unwrap()
                .to_owned(),
            _ => texts(&elements(&text), "title")[1].to_owned(),
        };
        assert_eq!(without_joiners(&once), title, "{format:?}");
        let obeyed =
            once.match_indices('<').any(|(at, _)| once[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()));
        assert!(format != Format::Rss || !obeyed, "a reader that takes it for HTML shows it all the same: {once}");
    }
    let rss = written(Format::Rss, &entries);
    assert!(
        rss.contains("<title>A &#x26;\u{2060}amp; B &#x3C; C, "),
        "as the RSS Board's profile writes plain text: {rss}"
    );
    let atom = written(Format::Atom, &entries);
    assert!(atom.contains("<title type=\"text\">") || atom.contains("<title>"), "plain text: {atom}");
}

#[test]
fn every_entry_has_its_dates_in_every_format() {
    let undated = Article { modified_at: "1900-01-01T00:00:00Z".parse().unwrap(), ..seed::article() };
    let entries = [entry(Content::Article(undated)), entry(Content::Document(seed::document()))];
    for format in Format::ALL {
        for found in foreign(&written(format, &entries)).entries {
            assert!(found.published.is_some(), "readers put the present in the place of a missing date: {format:?}");
            assert!(format == Format::Rss || found.updated >= found.published, "{format:?}");
        }
    }
    let rss = elements(&written(Format::Rss, &entries));
    assert!(texts(&rss, "pubDate").iter().all(|date| date.ends_with(" +0700")), "{rss:?}");
}

#[test]
fn atom_and_json_tell_times_in_utc_for_readers_that_know_no_offset() {
    let entries = [entry(Content::Article(seed::article())), entry(Content::Document(seed::document()))];
    let atom = elements(&written(Format::Atom, &entries));
    let told: Vec<&str> = ["updated", "published"].iter().flat_map(|name| texts(&atom, name)).collect();
    assert!(told.len() >= 5 && told.iter().all(|at| at.ends_with('Z') && !at.contains('+')), "{told:?}");
    let json: serde_json::Value = serde_json::from_str(&written(Format::Json, &entries)).unwrap();
    for item in json["items"].as_array().unwrap() {
        for name in ["date_published", "date_modified"] {
            assert!(item[name].as_str().unwrap().ends_with('Z'), "{item}");
        }
    }
    let rss = elements(&written(Format::Rss, &entries));
    assert!(texts(&rss, "dcterms:modified").iter().all(|at| at.ends_with('Z')), "{rss:?}");
}

#[test]
fn a_description_has_its_quotes_as_they_are_since_browsers_show_it_as_it_is_written() {
    let article = Article { summary: "Phong trào \"Dân vận khéo\" ở 'bản' <b>".into(), ..seed::article() };
    let rss = written(Format::Rss, &[entry(Content::Article(article))]);
    assert!(rss.contains("Phong trào \"Dân vận khéo\" ở 'bản' &lt;b&gt;"), "{rss}");
    assert_eq!(
        foreign(&rss).entries[0].summary.as_ref().unwrap().content,
        "Phong trào \"Dân vận khéo\" ở 'bản' &lt;b&gt;"
    );
}

#[test]
fn a_file_is_called_by_its_letters_and_known_by_its_ending() {
    let mut article = seed::article();
    article.attachments = vec![loa_domain::Attachment {
        url: "https://dienbiendong.gov.vn/tep/B%C3%A1o%20c%C3%A1o.pdf".parse().unwrap(),
        media_type: "application/octet-stream".into(),
        bytes: 0,
        title: String::new(),
    }];
    let entries = [entry(Content::Article(article))];
    for format in Format::ALL {
        let text = written(format, &entries);
        assert!(text.contains("Báo cáo.pdf") && text.contains("application/pdf"), "{text}");
    }
}

#[test]
fn authors_are_named_where_readers_look_and_never_where_an_address_belongs() {
    let nameless = Article { source_name: String::new(), ..seed::article() };
    let entries = [entry(Content::Article(nameless)), entry(Content::Document(seed::document()))];
    let rss = elements(&written(Format::Rss, &entries));
    let nobody = seed::feed(&entries[..1], &[]);
    assert!(nobody.items()[0].author.is_empty());
    assert_eq!(
        texts(&rss, "dc:creator").len(),
        2,
        "of an entry that names nobody, who publishes: mails made of it have a sender"
    );
    for wants_an_address in ["author", "managingEditor", "webMaster"] {
        assert!(texts(&rss, wants_an_address).is_empty());
    }
    let atom = elements(&written(Format::Atom, &entries));
    let first_author = atom.iter().position(|(name, _)| name == "author").unwrap();
    assert!(first_author < atom.iter().position(|(name, _)| name == "entry").unwrap(), "for entries that name none");
    let json: serde_json::Value = serde_json::from_str(&written(Format::Json, &entries)).unwrap();
    assert!(json["authors"][0]["name"].is_string() && json.get("author").is_none(), "1.1, not 1.0");
}

#[test]
fn every_file_is_in_the_text_in_atom_and_in_json_with_its_size_and_type() {
    let document = seed::document();
    let entries = [entry(Content::Document(document.clone()))];
    let item = &seed::feed(&entries, &[]).items()[0].clone();
    let atom = written(Format::Atom, &entries);
    let json: serde_json::Value = serde_json::from_str(&written(Format::Json, &entries)).unwrap();
    for (place, file) in document.attachments.iter().enumerate() {
        let url = file.url.as_str();
        assert!(item.content_html.contains(&format!("<a href=\"{url}\">")), "{url}");
        assert!(atom.contains(&format!("<link href=\"{url}\" rel=\"enclosure\"")), "{url}: {atom}");
        let attached = &json["items"][0]["attachments"][place];
        assert_eq!(attached["url"], url);
        assert!(attached["mime_type"].is_string());
        assert_eq!(attached["size_in_bytes"].as_u64().unwrap_or_default(), file.bytes);
    }
    for known in [&document.number, &document.kind] {
        for format in Format::ALL {
            assert!(written(format, &entries).contains(known.as_str()), "{known} in {format:?}");
        }
    }
    assert!(atom.contains("scheme=\"tag:loa.dienbiendong.gov.vn,2026-01-01:terms/kind\""), "its kind can be sorted by");
}

#[test]
fn tombstones_stand_before_the_first_entry_and_never_beside_what_stands() {
    let stones = [stone("da-go", "2023-11-18T00:00:00Z"), stone("4-san-pham-ocop", "2023-11-18T00:00:00Z")];
    let feed = seed::feed(&seed::entries(), &stones);
    assert_eq!(feed.tombstones().len(), 1, "what was published again has none");
    let atom = render(Format::Atom, &site(), &feed).unwrap();
    let found = elements(&atom);
    let place = |name: &str| found.iter().position(|(n, _)| n == name).unwrap();
    assert!(place("at:deleted-entry") < place("entry"));
    assert!(atom.contains("ref=\"tag:loa.dienbiendong.gov.vn,2026-01-01:entry/da-go\" when=\"2023-11-18T00:00:00Z\""));
    assert_eq!(feed.updated_at(), "2023-11-18T00:00:00Z".parse().unwrap(), "a withdrawal is a change of the feed");
    let json: serde_json::Value = serde_json::from_str(&render(Format::Json, &site(), &feed).unwrap()).unwrap();
    assert_eq!(json["_loa"]["withdrawn"][0]["id"], "tag:loa.dienbiendong.gov.vn,2026-01-01:entry/da-go");
}

#[test]
fn updated_moves_with_significant_changes_only_and_never_before_publication() {
    let base = seed::article();
    let minor = Article { revision: 2, content_html: "<p>Sửa lỗi chính tả.</p>".into(), ..base.clone() };
    let odd = Article { modified_at: "2001-01-01T00:00:00Z".parse().unwrap(), ..base.clone() };
    for article in [base.clone(), minor, odd] {
        let feed = seed::feed(&[entry(Content::Article(article))], &[]);
        let item = &feed.items()[0];
        assert_eq!((item.modified_at, feed.updated_at()), (item.published_at, item.published_at));
        assert_eq!(item.published_at.as_second(), base.published_at.as_second());
    }
}

#[test]
fn entries_of_one_second_are_told_apart_by_a_fraction_that_never_changes() {
    let at = "2024-01-02T00:00:00Z";
    let entries: Vec<Entry> = (0..50).map(|n| entry(Content::Article(article(&format!("bai-{n}"), at)))).collect();
    let of = |entries: &[Entry]| -> BTreeMap<String, i64> {
        let feed = foreign(&written(Format::Atom, entries));
        feed.entries.into_iter().map(|entry| (entry.id, entry.updated.unwrap().timestamp_micros())).collect()
    };
    let together = of(&entries);
    let dates: BTreeSet<&i64> = together.values().collect();
    assert_eq!(dates.len(), 50);
    assert!(dates.iter().all(|date| **date / 1_000_000 == at.parse::<Timestamp>().unwrap().as_second()));
    for entry in entries {
        assert!(of(&[entry]).iter().all(|(id, date)| together[id] == *date), "whatever stands beside");
    }
}

#[test]
fn items_come_newest_first_then_by_id_and_the_highest_revision_once() {
    let content = |id: &str, at: &str, revision| {
        entry(Content::Article(Article { revision, title: format!("r{revision}"), ..article(id, at) }))
    };
    let entries = [
        content("b", "2024-01-02T00:00:00Z", 1),
        content("c", "2024-01-03T00:00:00Z", 2),
        content("a", "2024-01-02T00:00:00Z", 1),
        content("c", "2024-01-03T00:00:00Z", 1),
    ];
    let feed = seed::feed(&entries, &[]);
    assert_eq!(ids(&feed), ["c", "a", "b"]);
    assert_eq!(feed.items()[0].title, "r2");
}

#[test]
fn a_feed_is_cut_to_its_window_by_number_and_by_bytes_but_never_to_nothing() {
    let body = "<p>Nội dung dài.</p>".repeat(500);
    let entries: Vec<Entry> = (0..60)
        .map(|n| Article { content_html: body.clone(), ..article(&format!("bai-{n:02}"), "2024-01-02T00:00:00Z") })
        .map(|article| entry(Content::Article(article)))
        .collect();
    let assemble = |entries_max, bytes_max| {
        let window = Window { entries_max, bytes_max, ..Window::default() };
        Feed::assemble(&site(), seed::head(), &entries, &[], window)
    };
    assert_eq!(assemble(10, usize::MAX).items().len(), 10);
    assert_eq!(assemble(50, 1).items().len(), 1);
    let feed = assemble(50, 250_000);
    assert!(feed.items().len() > 5);
    for format in Format::ALL {
        let size = render(format, &site(), &feed).unwrap().len();
        assert!(size <= 252_000, "{format:?}: {size} bytes");
    }
}

#[test]
fn one_long_article_is_shown_by_its_lead_and_pushes_nothing_out_of_the_feed() {
    let long = Article {
        content_html: "<p>Nội dung rất dài.</p>".repeat(40_000),
        ..article("bai-dai", "2024-01-03T00:00:00Z")
    };
    let others = (0..20).map(|n| article(&format!("bai-{n:02}"), &format!("2024-01-{:02}T00:00:00Z", n + 1)));
    let entries: Vec<Entry> = others.chain([long.clone()]).map(|article| entry(Content::Article(article))).collect();
    let feed = seed::feed(&entries, &[]);
    assert_eq!(feed.items().len(), 21);
    let shown = feed.items().iter().find(|item| item.article.as_ref() == Some(&(&long.id).into())).unwrap();
    assert!(!shown.content_html.contains("rất dài"), "{}", shown.content_html.len());
    for kept in ["<p><strong>Tại huyện", "occop.jpg", "Nguồn tin: ", "toàn văn", long.url.as_str()] {
        assert!(shown.content_html.contains(kept), "{kept}: {}", shown.content_html);
    }
    let alone = seed::feed(&[entry(Content::Article(long))], &[]);
    assert_eq!(&alone.items()[0], shown, "it does not depend on the neighbours");
}

#[test]
fn an_empty_feed_is_a_valid_feed() {
    for format in Format::ALL {
        let text = written(format, &[]);
        assert!(foreign(&text).entries.is_empty());
        if format != Format::Json {
            elements(&text);
        }
    }
}

#[test]
fn a_document_is_in_all_and_in_documents_an_article_in_its_category_the_areas_it_reaches_and_both_in_their_portals() {
    let names = |content: &Content, reach: &[&str]| {
        let reach: Vec<_> = reach.iter().map(|id| loa_domain::AreaId::new(*id).unwrap()).collect();
        feeds_of(content, &reach, &"na-son".parse().unwrap()).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let article = Content::Article(seed::article());
    assert_eq!(
        names(&article, &["na-son-2025", "na-son-2023"]),
        ["all", "category-kinh-te", "area-na-son-2023", "area-na-son-2025", "area-tia-dinh-2023", "portal-na-son"]
    );
    assert_eq!(
        names(&Content::Document(seed::document()), &[]),
        ["all", "documents", "area-muong-luan-2023", "portal-na-son"]
    );
}

#[test]
fn what_the_portals_html_shows_is_not_shown_twice() {
    let lead = "Tin &amp; bài";
    let html =
        format!("<p>{lead}</p><p><img src=\"https://dienbiendong.gov.vn/anh/occop.jpg?a=1&amp;b=2\" alt=\"x\"></p>");
    let article = Article { summary: "Tin & bài".into(), content_html: html.clone(), ..seed::article() };
    let feed = seed::feed(&[entry(Content::Article(article))], &[]);
    let shown = &feed.items()[0].content_html;
    assert_eq!(shown.matches(lead).count(), 1, "{shown}");
    assert_eq!(shown.matches("<img").count(), 1, "{shown}");
}

/// Any text at all, with what XML, HTML and CDATA trip over made likely.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("]]>".to_owned()),
        Just("<b>&amp;lt;</b>".to_owned()),
        Just("\u{0}\u{b}\u{fffe}\u{ffff}\r\n\r".to_owned()),
        Just("Đie\u{302}\u{323}n <![CDATA[".to_owned()),
        Just("&#0; &undefined; <!-- -- -->".to_owned()),
        "\\PC{0,12}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_gives_well_formed_documents_that_read_back_equal(
        title in any_text(), summary in any_text(), html in any_text(), label in any_text(), name in any_text(),
        alt in any_text(), reason in any_text(),
    ) {
        let mut article = Article {
            title: title.clone(), summary, content_html: html, source_name: name.clone(), ..seed::article()
        };
        article.category.label = label;
        article.images[0].alt = alt.clone();
        article.attachments = vec![Attachment {
            url: article.url.clone(), media_type: alt.clone(), bytes: 1, title: alt,
        }];
        let mut stone = stone("da-go", "2023-11-18T00:00:00Z");
        stone.reason = reason;
        let feed = seed::feed(&[entry(Content::Article(article))], &[stone]);
        let item = &feed.items()[0];
        prop_assert_eq!(&item.title, &clean_line(&title));
        prop_assert_eq!(&clean_text(&item.content_html), &item.content_html);

        let rss = render(Format::Rss, &site(), &feed).unwrap();
        let found = elements(&rss);
        prop_assert_eq!(without_joiners(texts(&found, "title")[1]), without_joiners(&item.title));
        prop_assert_eq!(texts(&found, "content:encoded")[0], item.content_html.as_str());
        let back = rss::Channel::read_from(rss.as_bytes()).unwrap();
        prop_assert_eq!(back.items[0].content.as_deref(), Some(item.content_html.as_str()));
        prop_assert_eq!(foreign(&rss).entries[0].id.clone(), item.id.clone());

        let atom = render(Format::Atom, &site(), &feed).unwrap();
        let found = elements(&atom);
        prop_assert_eq!(without_joiners(texts(&found, "title")[1]), without_joiners(&item.title));
        prop_assert_eq!(texts(&found, "content")[0], item.content_html.as_str());
        let author = texts(&found, "name").get(1).copied().unwrap_or_default();
        prop_assert_eq!(without_joiners(author), without_joiners(&clean_line(&name)));
        prop_assert_eq!(foreign(&atom).entries[0].id.clone(), item.id.clone());

        let json = render(Format::Json, &site(), &feed).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(value["items"][0]["title"].as_str(), Some(item.title.as_str()));
        prop_assert_eq!(value["items"][0]["content_html"].as_str(), Some(item.content_html.as_str()));
        prop_assert_eq!(foreign(&json).entries[0].id.clone(), item.id.clone());
    }

    #[test]
    fn any_order_of_entries_gives_the_same_bytes(seed in any::<u64>()) {
        let mut entries: Vec<Entry> = (0..12u64)
            .map(|n| article(&format!("bai-{n}"), if n % 3 == 0 { "2024-01-02T00:00:00Z" } else { "2024-01-03T00:00:00Z" }))
            .map(|article| entry(Content::Article(article)))
            .collect();
        let stones = [stone("x", "2024-01-01T00:00:00Z"), stone("y", "2024-01-01T00:00:00Z")];
        let mut turned = stones.clone();
        turned.reverse();
        let expected = Format::ALL.map(|format| render(format, &site(), &seed::feed(&entries, &stones)).unwrap());
        let mut state = seed;
        for i in (1..entries.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            entries.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
        }
        let found = Format::ALL.map(|format| render(format, &site(), &seed::feed(&entries, &turned)).unwrap());
        prop_assert_eq!(found, expected);
    }
}
