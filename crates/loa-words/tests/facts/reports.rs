//! What is told of a page or a source that was read: what was left out, why values were taken, what an import chose.

use crate::{
    are_sentences, every_variant_is_tried, no_two_read_alike,
    pages::{clues, date_faults, text},
    said, said_well,
};
use loa_domain::{ArticleId, Assumption, Clue, LeftOut, SourceClue};
use loa_words::Language;

const SOURCE: &str = include_str!("../../../loa-domain/src/page_report.rs");

fn of_pages() -> Vec<LeftOut> {
    vec![
        LeftOut::Menu,
        LeftOut::Player,
        LeftOut::ScriptedPicture,
        LeftOut::PictureOutside,
        LeftOut::Share,
        LeftOut::Comments,
        LeftOut::Rating,
        LeftOut::Keywords,
        LeftOut::CountedTime,
        LeftOut::PageTool,
        LeftOut::SiteWords,
        LeftOut::Aside,
        LeftOut::NoKnownPart,
        LeftOut::AmongOthers,
        LeftOut::PlaceholderTime,
        LeftOut::BesideTime { rest: text() },
        LeftOut::SecondTime,
        LeftOut::OtherMachineTime { by: text() },
        LeftOut::UnreadMachineTime { by: text() },
        LeftOut::FrontPage { by: text() },
        LeftOut::OtherSite { by: text() },
        LeftOut::SecondCount,
        LeftOut::ReadersWithoutNumber,
        LeftOut::VisitsWithoutNumber,
        LeftOut::OtherFigure,
        LeftOut::UnreadPageCount,
        LeftOut::SecondSource,
        LeftOut::SecondAuthor,
        LeftOut::FilesAnnounced,
        LeftOut::FileWithoutAddress,
        LeftOut::LinkWithoutAddress,
        LeftOut::TrailingLink,
        LeftOut::EmptyHeading,
        LeftOut::DocumentWithoutNumber,
        LeftOut::DocumentWithoutTitle,
        LeftOut::DetailBeforeNumber,
        LeftOut::OtherDetail { value: text() },
        LeftOut::PlaceholderIssueDate,
    ]
}

fn left_out() -> Vec<LeftOut> {
    let mut all = of_pages();
    for more in [0, 1_234] {
        all.push(LeftOut::LinkAddress { address: text(), more });
        all.push(LeftOut::PictureAddress { address: text(), more });
    }
    for fault in date_faults() {
        all.push(LeftOut::OtherArticleDate { fault: fault.clone() });
        all.push(LeftOut::IssueDate { fault });
    }
    all.extend([
        LeftOut::EntryWithoutAddress,
        LeftOut::NotPublished,
        LeftOut::ElementWithoutLink,
        LeftOut::LinkElsewhere,
        LeftOut::UnlikeLink,
        LeftOut::TooManyEntries { max: 2_000 },
    ]);
    all
}

#[test]
fn why_a_line_was_left_out_is_said_in_both_languages() {
    let mut said = said(&left_out(), |words, why| words.left_out(why));
    every_variant_is_tried(SOURCE, "LeftOut", &said);
    said_well(&said);
    said.extend(crate::said(&clues(), |words, clue| words.clue(clue)));
    no_two_read_alike(&said);
}

#[test]
fn what_speaks_for_the_form_of_a_source_is_said_in_both_languages() {
    let clues = [
        SourceClue::FeedRoot,
        SourceClue::JsonFeed,
        SourceClue::WordPressPosts,
        SourceClue::SitemapRoot,
        SourceClue::Index { shown: text() },
        SourceClue::Selector { selector: text() },
        SourceClue::DatedLinks { items: 1_234 },
        SourceClue::LinksOfOneForm { items: 1_234 },
    ];
    let said = said(&clues, |words, clue| words.source_clue(clue));
    every_variant_is_tried(SOURCE, "SourceClue", &said);
    said_well(&said);
    no_two_read_alike(&said);
}

#[test]
fn what_an_import_chose_is_said_in_both_languages() {
    let id = || ArticleId::new("zqid").unwrap();
    let assumed = [
        Assumption::AuthorNotPublished { author: text() },
        Assumption::TimeOfImport { id: id() },
        Assumption::PictureWithoutAddress { name: text() },
        Assumption::AddressMade { id: id(), url: "https://zqhost.example/#zqid".into() },
    ];
    let said = said(&assumed, |words, one| words.assumption(one));
    every_variant_is_tried(SOURCE, "Assumption", &said);
    said_well(&said);
    no_two_read_alike(&said);
    are_sentences(said.iter().map(|one| &one.vietnamese));
}

#[test]
fn a_line_of_a_report_says_where_it_stands_why_and_how_it_begins() {
    let [vietnamese, english] = Language::ALL.map(Language::words);
    let why = LeftOut::VisitsWithoutNumber;
    assert_eq!(
        vietnamese.report_line(34, "Tổng lượt truy cập", &why),
        "dòng 34: bộ đếm lượt truy cập không có số («Tổng lượt truy cập»)"
    );
    assert_eq!(
        english.report_line(34, "Tổng lượt truy cập", &why),
        "line 34: a visit counter without a number (“Tổng lượt truy cập”)"
    );
    assert_eq!(english.report_line(0, &"a".repeat(121), &LeftOut::SecondTime).matches('a').count(), 120 + 1);
    let clues = [Clue::MainHeading, Clue::OpenGraph];
    assert_eq!(english.evidence(7, &clues, true), "assumed, line 7: the main heading, og:title says the same");
    assert_eq!(vietnamese.evidence(0, &clues, false), "là đề mục chính; `og:title` ghi giống vậy");
}
