//! The seed article and a document, whole, in each format. What changes here changes in every reader.

use crate::seed;
use loa_domain::{CategorySlug, FeedName};
use loa_feed::{Format, Outline, OutlineGroup, opml, render};

fn shown(format: Format) -> String {
    let feed = seed::feed(&seed::entries(), &[seed::stone("tin-dang-nham", "2023-11-16T02:00:00Z")]);
    let text = render(format, &seed::site(), &feed).unwrap();
    // one element a line, so that a difference can be read
    if format == Format::Json { text } else { text.replace("><", ">\n<") }
}

#[test]
fn the_seed_article_as_rss() {
    insta::assert_snapshot!(shown(Format::Rss));
}

#[test]
fn the_seed_article_as_atom() {
    insta::assert_snapshot!(shown(Format::Atom));
}

#[test]
fn the_seed_article_as_json_feed() {
    let value: serde_json::Value = serde_json::from_str(&shown(Format::Json)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn all_feeds_as_opml() {
    let outline = |name: FeedName, title: &str| Outline { name, title: title.into() };
    let groups = [
        OutlineGroup { title: String::new(), outlines: vec![outline(FeedName::All, "Tất cả tin")] },
        OutlineGroup {
            title: "Chuyên mục".into(),
            outlines: vec![outline(
                FeedName::Category(CategorySlug::new("kinh-te").unwrap()),
                "Kinh tế & \"OCOP\" <b>",
            )],
        },
        OutlineGroup { title: "Không có gì".into(), outlines: Vec::new() },
    ];
    let text = opml(&seed::site(), &groups).unwrap();
    crate::reading::elements(&text);
    insta::assert_snapshot!(text.replace("><", ">\n<"));
}
