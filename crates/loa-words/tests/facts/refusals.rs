//! Why an event or a submission is not taken.

use crate::{are_sentences, every_variant_is_tried, said, said_well};
use loa_domain::{AddressFault, Flaw, HeaderType, HtmlExcess, IdFault, JsonType, MemberName, OldEncoding, Quoted};
use loa_words::Language;

const SOURCE: &str = include_str!("../../../loa-domain/src/flaw.rs");

fn name() -> MemberName {
    "zqname".into()
}

fn text() -> Quoted {
    "zqtext".into()
}

/// About the envelope and the text.
fn of_bytes() -> Vec<Flaw> {
    let said = || "zqexpected value".into();
    let mut flaws = vec![
        Flaw::Batch,
        Flaw::EventFormat { media_type: text() },
        Flaw::NoMarks,
        Flaw::ContentType { media_type: text() },
        Flaw::EventTooLarge { bytes: 2_000_000, max: 1_048_576 },
        Flaw::Charset { charset: text() },
        Flaw::NoAttribute { header: text() },
        Flaw::Contradiction { header: text() },
        Flaw::Base64,
        Flaw::NoId { message_id: None },
        Flaw::NoId { message_id: Some(text()) },
        Flaw::DataFormat { media_type: text() },
        Flaw::EmptyBody,
        Flaw::ByteOrderMark,
        Flaw::Compressed,
        Flaw::NotUtf8 { said: said() },
        Flaw::Markup,
        Flaw::CutShort { said: said() },
        Flaw::HalfSurrogate { said: said() },
        Flaw::ControlCharacter { said: said() },
        Flaw::NumberOutOfRange { said: said() },
        Flaw::NotJson { said: said() },
        Flaw::TooDeep { max: 6_400 },
        Flaw::TooManyValues { max: 20_000 },
        Flaw::DuplicateName { name: text() },
    ];
    flaws.extend(HeaderType::ALL.map(|found| Flaw::HeaderType { header: text(), found }));
    flaws
}

/// About members and what stands in them.
fn of_members() -> Vec<Flaw> {
    let (first, last) = (1_990, 2_100);
    let mut flaws = vec![
        Flaw::NotAnArticle,
        Flaw::Missing { name: name() },
        Flaw::TooManyBytes { name: name(), bytes: 9_000, chars_max: 5_000 },
        Flaw::TooManyChars { name: name(), chars: 9_000, max: 5_000 },
        Flaw::TooManyItems { name: name(), items: 2_000, max: 1_000 },
        Flaw::OutOfRange { name: name(), number: "zqnumber".into(), min: 1_111, max: 9_007_199_254_740_991 },
        Flaw::NotAnInstant { name: name(), text: text() },
        Flaw::NoSuchInstant { name: name(), text: text() },
        Flaw::InstantOutside { name: name(), text: text(), first, last },
        Flaw::NotADate { name: name(), text: text(), first, last },
        Flaw::SpecVersion { text: text() },
        Flaw::EventId { text: text(), max: 2_000 },
        Flaw::Source { text: text(), max: 1_000 },
        Flaw::EventType { text: text() },
        Flaw::SubjectDiffers { subject: text(), data: "zqdata".into() },
        Flaw::NoPublication,
        Flaw::Slug { text: text() },
        Flaw::Language { text: text() },
        Flaw::MediaType { text: text() },
        Flaw::NamelessArea,
        Flaw::BodyTooLarge { bytes: 2_000_000, max: 1_048_576 },
        Flaw::TooManyTags { tags: 30_000, max: 20_000 },
        Flaw::BodyGrows { bytes: 2_000_000, max: 1_048_576 },
        Flaw::CapitalsGone { name: name() },
        Flaw::EncodedTwice { name: name() },
        Flaw::RevisionTooHigh { revision: 9_007_199_254_740_991, max: 4_000_000_000_000_000 },
        Flaw::UnknownSource { source: text() },
        Flaw::RetiredSource { source: text(), portal: "zqportal".parse().unwrap() },
        Flaw::AnotherArticle { address: text(), id: "zqid".into() },
        Flaw::AnotherText { id: "zqid".into() },
        Flaw::NothingOfIt { id: "zqid".into() },
        Flaw::NotYetPosted { at: "2099-01-01T00:00:00Z".parse().unwrap() },
    ];
    let types = JsonType::ALL.into_iter().flat_map(|found| [None, Some(name())].map(|name| (found, name)));
    flaws.extend(types.map(|(found, name)| Flaw::WrongType { name, found, expected: JsonType::Object }));
    flaws.extend(OldEncoding::ALL.map(|encoding| Flaw::MixedEncoding { name: name(), encoding }));
    flaws.extend(addresses().map(|fault| Flaw::Address { name: name(), text: text(), fault }));
    flaws.extend(ids().map(|fault| Flaw::ArticleId { text: text(), fault }));
    flaws.extend(excesses().map(|excess| Flaw::BodyTooCostly { excess }));
    flaws
}

fn addresses() -> [AddressFault; 6] {
    [
        AddressFault::TooLong { max: 2_000 },
        AddressFault::TooLongEncoded { max: 2_000 },
        AddressFault::Relative,
        AddressFault::Unreadable { said: "zqempty host".into() },
        AddressFault::Scheme,
        AddressFault::UserInfo,
    ]
}

fn ids() -> [IdFault; 4] {
    [IdFault::Empty, IdFault::TooLong { max: 2_000 }, IdFault::Character { character: ' ' }, IdFault::Dots]
}

pub(crate) fn excesses() -> [HtmlExcess; 5] {
    let counted = 2_000;
    [
        HtmlExcess::Attributes(counted),
        HtmlExcess::Depth(counted),
        HtmlExcess::Names(counted),
        HtmlExcess::Steps,
        HtmlExcess::Growth,
    ]
}

#[test]
fn every_refusal_is_said_in_both_languages_with_all_its_data() {
    let flaws = [of_bytes(), of_members()].concat();
    let said = said(&flaws, |words, flaw| words.flaw(flaw));
    every_variant_is_tried(SOURCE, "Flaw", &said);
    said_well(&said);
    are_sentences(said.iter().map(|one| &one.vietnamese));
    for one in &said {
        // machines are answered with these: clauses, as error messages are
        assert!(!one.english.ends_with('.') && !one.english.starts_with(char::is_uppercase), "{}", one.english);
    }
}

#[test]
fn what_was_received_is_quoted_and_cannot_steer_a_terminal() {
    let flaw = Flaw::SpecVersion { text: "0.3\u{1b}[2J\"".into() };
    let [vietnamese, english] = Language::ALL.map(|language| language.words().flaw(&flaw));
    assert_eq!(vietnamese, "Trường `specversion` là «0.3\\u{1b}[2J\\\"»; chỉ nhận CloudEvents 1.0.");
    assert_eq!(english, "`specversion` is \"0.3\\u{1b}[2J\\\"\"; only CloudEvents 1.0 is taken");
}

#[test]
fn the_smaller_facts_within_are_tried_too() {
    let tried = |source: &str, name: &str, facts: Vec<String>| {
        let said: Vec<_> = facts
            .into_iter()
            .map(|fact| crate::Said { fact, vietnamese: String::new(), english: String::new() })
            .collect();
        every_variant_is_tried(source, name, &said);
    };
    tried(SOURCE, "AddressFault", addresses().iter().map(|one| format!("{one:?}")).collect());
    let ids = ids().iter().map(|one| format!("{one:?}")).collect();
    tried(include_str!("../../../loa-domain/src/id.rs"), "IdFault", ids);
    let excesses = excesses().iter().map(|one| format!("{one:?}")).collect();
    tried(include_str!("../../../loa-domain/src/excess.rs"), "HtmlExcess", excesses);
}
