//! Why pages and sources are refused, and why a look at a watched source failed.

use crate::{are_sentences, every_variant_is_tried, refusals::excesses, said, said_well};
use loa_domain::{
    AddressRefusal, AttemptError, Clue, DateFault, EncodingFault, Flaw, NoSource, PageCandidate, PageError, PageField,
    Quoted, SelectorFor, TroubleKind, WatchFailure, WatchKind,
};
use loa_words::Language;

const SOURCE: &str = include_str!("../../../loa-domain/src/page.rs");

pub(crate) fn text() -> Quoted {
    "zqtext".into()
}

pub(crate) fn clues() -> Vec<Clue> {
    vec![
        Clue::Machines("zqname".into()),
        Clue::MainHeading,
        Clue::Heading,
        Clue::SmallHeading,
        Clue::ElementName,
        Clue::PageTitle,
        Clue::OpenGraph,
        Clue::DataForMachines,
        Clue::List,
        Clue::Aside,
        Clue::LinkElsewhere,
        Clue::ListItem,
        Clue::SectionOrSite,
        Clue::Section,
        Clue::AboveTime,
        Clue::NameBelowLine,
        Clue::NoLetters,
        Clue::Paragraph,
        Clue::BelowTime,
        Clue::FirstLine,
        Clue::NearestHeading,
        Clue::NotShown,
        Clue::PostedLabel,
        Clue::ChangedLabel,
        Clue::ChangedElement,
        Clue::DayAndTime,
        Clue::DayAlone,
        Clue::SentenceBehind,
        Clue::Parentheses,
        Clue::OtherWords,
        Clue::UnderLink,
        Clue::CloseBehindTitle,
        Clue::FarBehindTitle,
        Clue::FarBeforeTitle,
        Clue::BeforeTitle,
        Clue::PageHead,
        Clue::FarBehindHead,
        Clue::WeekdayWithoutTime,
        Clue::WeekdayOfVisit,
        Clue::TimeFrom("zqname".into()),
        Clue::TimeFromLine,
        Clue::OnlyMachines,
        Clue::FirstParagraph,
        Clue::BehindTitle { blocks: 1, last_line: 1_234 },
        Clue::BehindTitle { blocks: 2_345, last_line: 1_234 },
        Clue::SourceLabel,
        Clue::AuthorLabel,
        Clue::NameBesideTime,
        Clue::NumberLabel,
        Clue::AbstractLabel,
        Clue::ReadFrom,
        Clue::PictureInText,
        Clue::PictureWithoutAddress,
    ]
}

pub(crate) fn date_faults() -> Vec<DateFault> {
    let (day, other) = ("2023-12-11".parse().unwrap(), "2023-11-12".parse().unwrap());
    vec![
        DateFault::NoDate,
        DateFault::NotADay,
        DateFault::HalfWithoutHour,
        DateFault::Weekday { day, other },
        DateFault::Placeholder,
        DateFault::NotMorning { hour: 14 },
        DateFault::NotNoon { hour: 7 },
        DateFault::NoTime { hour: 25, minute: 1, second: 2 },
        DateFault::TooLarge { number: text() },
        DateFault::DayFirst { day: text() },
        DateFault::YearDigits { year: text() },
        DateFault::Year { year: 1_066 },
        DateFault::Month { month: 13 },
        DateFault::Day { day: 31, month: 2, year: 2_024 },
        DateFault::OutOfRange,
    ]
}

fn encodings() -> [EncodingFault; 5] {
    [
        EncodingFault::Utf32,
        EncodingFault::EncodedTwice { shown: text() },
        EncodingFault::ZeroBytes,
        EncodingFault::NotUtf8 { at: 4_711, byte: 0xff },
        EncodingFault::BrokenUtf16,
    ]
}

fn no_sources() -> [NoSource; 3] {
    [NoSource::WordPress { said: "zqno such route is there".into() }, NoSource::OtherJson, NoSource::Unknown]
}

fn pages() -> Vec<PageError> {
    let candidate = |line| PageCandidate { text: text(), line, clues: clues() };
    let said = || "zqexpected value".into();
    let mut errors = vec![
        PageError::TooLarge { bytes: 9_000_000, max: 2_000_000 },
        PageError::Grows { max: 2_000_000 },
        PageError::Empty,
        PageError::NoTitle { line: 1_234 },
        PageError::OfServer { title: text() },
        PageError::BrokenXml { line: 1_234, said: said() },
        PageError::BrokenJson { line: 1_234, said: said() },
        PageError::NoList,
        PageError::NoNumber,
        PageError::NoDate,
        PageError::UncertainDate { line: 1_234, text: text(), clues: clues() },
        PageError::List { items: 3_000, line: 1_234, text: text() },
        PageError::EmptyBody { title: text() },
    ];
    errors.extend(excesses().map(|excess| PageError::TooCostly { excess }));
    errors.extend(encodings().map(|why| PageError::Encoding { line: 1_234, why }));
    errors.extend(no_sources().map(|why| PageError::NoSource { why }));
    errors.extend(date_faults().into_iter().map(|why| PageError::ImpossibleDate { line: 1_234, text: text(), why }));
    for what in [SelectorFor::Links, SelectorFor::Title, SelectorFor::Time, SelectorFor::Body, SelectorFor::Source] {
        errors.push(PageError::UnreadableSelector { what, selector: text() });
        errors.push(PageError::IdleSelector { what, selector: text() });
    }
    for field in PageField::ALL {
        errors.push(PageError::Undecided { field, one: candidate(0), other: candidate(1_234) });
    }
    errors
}

#[test]
fn why_a_page_is_refused_is_said_in_both_languages() {
    let said = said(&pages(), |words, error| words.page_error(error));
    every_variant_is_tried(SOURCE, "PageError", &said);
    said_well(&said);
    are_sentences(said.iter().map(|one| &one.vietnamese));
}

#[test]
fn what_speaks_for_a_value_is_said_in_both_languages() {
    let clues = said(&clues(), |words, clue| words.clue(clue));
    every_variant_is_tried(SOURCE, "Clue", &clues);
    said_well(&clues);
    let faults = said(&date_faults(), |words, fault| words.date_fault(fault));
    every_variant_is_tried(SOURCE, "DateFault", &faults);
    said_well(&faults);
    for (name, facts) in [
        ("EncodingFault", encodings().map(|fault| format!("{fault:?}")).to_vec()),
        ("NoSource", no_sources().map(|why| format!("{why:?}")).to_vec()),
    ] {
        let facts =
            facts.into_iter().map(|fact| crate::Said { fact, vietnamese: String::new(), english: String::new() });
        every_variant_is_tried(SOURCE, name, &facts.collect::<Vec<_>>());
    }
    for field in PageField::ALL {
        let [vietnamese, english] = Language::ALL.map(|language| language.words().page_field(field));
        assert_ne!(vietnamese, english);
    }
}

pub(crate) fn failures() -> Vec<WatchFailure> {
    let address = text;
    let mut failures = vec![
        WatchFailure::NoAddress { text: text() },
        WatchFailure::Robots { address: address() },
        WatchFailure::NotAllowed { address: address(), refusal: None },
        WatchFailure::NotAllowed {
            address: address(),
            refusal: Some(AddressRefusal::PlainHttp { host: "zqhost".into() }),
        },
        WatchFailure::NoLocation { address: address() },
        WatchFailure::Redirects { address: address(), max: 5_000 },
        WatchFailure::Missing { address: address(), status: 404 },
        WatchFailure::Status { address: address(), status: 500 },
        WatchFailure::Rest { until: "2026-11-30T08:00:00Z".parse().unwrap() },
        WatchFailure::TooLong { address: address(), max: 2_000_000 },
        WatchFailure::NotInTime { address: address() },
        WatchFailure::BrokeOff { address: address() },
        WatchFailure::NotAsked { address: address() },
        WatchFailure::OtherKind { was: WatchKind::Feed, is: WatchKind::Sitemap },
        WatchFailure::OtherKind { was: WatchKind::Sitemap, is: WatchKind::Listing },
        WatchFailure::LookTooLong { seconds: 1_800 },
        WatchFailure::Ours { trouble: None, said: "zqthe ledger is busy".into() },
        WatchFailure::Ours { trouble: Some(TroubleKind::LedgerBusy), said: "zqlocked".into() },
        WatchFailure::Refused { flaws: vec![Flaw::Missing { name: "zqtitle".into() }, Flaw::Batch] },
        WatchFailure::NotedBefore { said: "zqit was so".into() },
    ];
    let no_answer = |error: &AttemptError| WatchFailure::NoAnswer {
        address: text(),
        error: *error,
        said: "zqconnection refused".into(),
    };
    failures.extend(AttemptError::ALL.iter().map(no_answer));
    failures.extend(pages().into_iter().map(WatchFailure::from));
    failures
}

#[test]
fn why_a_look_failed_is_said_in_both_languages_and_what_others_said_is_quoted() {
    let said = said(&failures(), |words, failure| words.watch_failure(failure));
    every_variant_is_tried(include_str!("../../../loa-domain/src/watch_failure.rs"), "WatchFailure", &said);
    said_well(&said);
    are_sentences(said.iter().map(|one| &one.vietnamese));
}

#[test]
fn a_failure_is_read_back_from_the_ledger_with_all_its_data() {
    for failure in failures() {
        assert_eq!(WatchFailure::of_noted(&failure.to_json()), failure);
    }
}
