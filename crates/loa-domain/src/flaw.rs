//! Why bytes are no event of the contract, or an article is not taken, as facts: what is wrong, with its counts, limits and the
//! members' names, and what was received as data.
//!
//! Decoding finds them (`loa-event`), and so does whoever knows more (portals, what stands). `loa-words` says them. A fact
//! travels with a dead letter as JSON, which anybody may write: texts are bounded when they are read, too.

use crate::{HtmlExcess, IdFault, OldEncoding, PortalSlug, ServerWords, is_xml_char, reason::words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is wrong, for branching and for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// Neither structured nor binary mode of CloudEvents, or a version other than 1.0.
    NotCloudEvent,
    /// Not JSON (RFC 8259), or not UTF-8.
    NotJson,
    /// One name twice in one object: readers disagree on which counts.
    DuplicateKey,
    /// Over the limit of bytes.
    TooLarge,
    /// Over the limit of nesting.
    TooDeep,
    /// A type that the contract does not know.
    UnknownType,
    /// A required member is absent, null or empty.
    Missing,
    /// A member of another JSON type than the contract says.
    WrongShape,
    /// A value outside its limits: too long, too many, too small.
    OutOfBounds,
    /// A date or an instant that cannot be, or is a placeholder.
    BadDate,
    /// An address that is not absolute http or https.
    BadAddress,
    /// Two members that must agree do not, or what is sent contradicts what stands.
    Mismatch,
    /// Text in an encoding from before Unicode, mixed with other text.
    OldEncoding,
    /// Its source is no portal's of this installation, or a retired one's.
    NoPortal,
}

words!(RefusalKind {
    NotCloudEvent = "not-cloudevent",
    NotJson = "not-json",
    DuplicateKey = "duplicate-key",
    TooLarge = "too-large",
    TooDeep = "too-deep",
    UnknownType = "unknown-type",
    Missing = "missing",
    WrongShape = "wrong-shape",
    OutOfBounds = "out-of-bounds",
    BadDate = "bad-date",
    BadAddress = "bad-address",
    Mismatch = "mismatch",
    OldEncoding = "old-encoding",
    NoPortal = "no-portal",
});

/// What was received, short enough for a sentence: at most 80 characters and a mark where it is cut. Shown quoted, with
/// escapes for what no terminal should show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Quoted(String);

impl Quoted {
    /// The most characters that are kept.
    pub const CHARS_MAX: usize = 80;

    /// Takes what was received.
    pub fn new(text: &str) -> Self {
        // one that was cut before stays as it is
        let room = Self::CHARS_MAX + usize::from(text.ends_with(CUT));
        let mut short: String = text.chars().take(room).collect();
        if short.len() < text.len() {
            short.push(CUT);
        }
        Self(short)
    }

    /// The same with escapes, without quotation marks.
    pub fn escaped(&self) -> String {
        let quoted = format!("{:?}", self.0);
        quoted[1..quoted.len() - 1].to_owned()
    }
}

/// Stands where a text is cut.
const CUT: char = '…';

impl From<&str> for Quoted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Quoted {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// The name of a member or an attribute, or a number as it was written: at most 80 characters, without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct MemberName(String);

impl MemberName {
    /// Takes a name.
    pub fn new(name: &str) -> Self {
        let shown = name.chars().take(Quoted::CHARS_MAX);
        Self(shown.map(|c| if is_xml_char(c) && !c.is_control() { c } else { '\u{fffd}' }).collect())
    }

    /// The name that a JSON Pointer ends with; `None`: the whole.
    pub fn of_pointer(pointer: &str) -> Option<Self> {
        pointer.rsplit('/').next().filter(|name| !name.is_empty()).map(Self::new)
    }
}

impl From<&str> for MemberName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for MemberName {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A type of JSON (RFC 8259 §3), as far as the contract tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// Any number.
    Number,
    /// A number without a fraction.
    WholeNumber,
    /// A string.
    Text,
    /// An array.
    List,
    /// An object.
    Object,
}

impl JsonType {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Number, Self::WholeNumber, Self::Text, Self::List, Self::Object];
}

/// What the header of a message is that has no one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderType {
    /// Text that is not UTF-8.
    NotUtf8,
    /// An instant beyond the year 9999.
    FarInstant,
    /// A floating-point number: 7.0 is `7` to one and `7.0` to another.
    Float,
    /// AMQP's decimal.
    Decimal,
    /// AMQP's array.
    Array,
    /// AMQP's table.
    Table,
    /// AMQP's byte array.
    Bytes,
    /// AMQP's void: there is no value.
    Void,
}

impl HeaderType {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NotUtf8,
        Self::FarInstant,
        Self::Float,
        Self::Decimal,
        Self::Array,
        Self::Table,
        Self::Bytes,
        Self::Void,
    ];
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum AddressFault {
    /// It is longer than allowed.
    TooLong {
        /// So many bytes are allowed.
        max: usize,
    },
    /// The same once what is not ASCII in it is encoded.
    TooLongEncoded {
        /// So many bytes are allowed.
        max: usize,
    },
    /// It lacks scheme and host.
    Relative,
    /// It is no address.
    Unreadable {
        /// What the library says.
        said: ServerWords,
    },
    /// Its scheme is neither https nor http.
    Scheme,
    /// It carries a user name or a password.
    UserInfo,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "flaw", rename_all = "snake_case")]
pub enum Flaw {
    /// Several events in one message.
    Batch,
    /// A format of CloudEvents other than JSON.
    EventFormat {
        /// Which.
        media_type: Quoted,
    },
    /// Nothing says that it is a CloudEvent.
    NoMarks,
    /// The content type is of something else, and no header says that it is a CloudEvent.
    ContentType {
        /// Which.
        media_type: Quoted,
    },
    /// The whole event is too large.
    EventTooLarge {
        /// How many.
        bytes: usize,
        /// How many are allowed.
        max: usize,
    },
    /// The content type names a charset other than UTF-8.
    Charset {
        /// Which.
        charset: Quoted,
    },
    /// A header looks like an attribute and is none.
    NoAttribute {
        /// Which.
        header: Quoted,
    },
    /// An attribute stands under two prefixes with two values.
    Contradiction {
        /// One of the headers.
        header: Quoted,
    },
    /// The header of an attribute has no one text.
    HeaderType {
        /// Which.
        header: Quoted,
        /// What it is.
        found: HeaderType,
    },
    /// The data are in `data_base64`.
    Base64,
    /// An event in binary mode without an id.
    NoId {
        /// The message's own id, which does not stand in for it.
        message_id: Option<Quoted>,
    },
    /// The data are not JSON by their media type.
    DataFormat {
        /// Which it is.
        media_type: Quoted,
    },
    /// The body is empty.
    EmptyBody,
    /// It begins with a byte-order mark.
    ByteOrderMark,
    /// It is compressed.
    Compressed,
    /// It is not UTF-8.
    NotUtf8 {
        /// What the reader of JSON says.
        said: ServerWords,
    },
    /// It is a page or XML.
    Markup,
    /// It ends too early.
    CutShort {
        /// What the reader of JSON says.
        said: ServerWords,
    },
    /// A `\u` escape is half of a surrogate pair.
    HalfSurrogate {
        /// What the reader of JSON says.
        said: ServerWords,
    },
    /// A control character stands in a text.
    ControlCharacter {
        /// What the reader of JSON says.
        said: ServerWords,
    },
    /// A number is too large for any reader.
    NumberOutOfRange {
        /// What the reader of JSON says.
        said: ServerWords,
    },
    /// It is not JSON in some other way.
    NotJson {
        /// What the reader of JSON says.
        said: ServerWords,
    },
    /// Objects and arrays are too deep in each other.
    TooDeep {
        /// How deep they may be.
        max: usize,
    },
    /// There are too many objects, arrays and what is in them.
    TooManyValues {
        /// How many there may be.
        max: usize,
    },
    /// One name stands twice in one object.
    DuplicateName {
        /// Which.
        name: Quoted,
    },
    /// A member of another type than the contract says.
    WrongType {
        /// Which; `None`: the whole.
        name: Option<MemberName>,
        /// What it is.
        found: JsonType,
        /// What it should be.
        expected: JsonType,
    },
    /// What is submitted is no object, as an article is.
    NotAnArticle,
    /// A member is absent, null or empty.
    Missing {
        /// Which.
        name: MemberName,
    },
    /// A text of more bytes than the characters that are allowed can take.
    TooManyBytes {
        /// Which member.
        name: MemberName,
        /// How many.
        bytes: usize,
        /// How many characters are allowed.
        chars_max: usize,
    },
    /// A text of too many characters.
    TooManyChars {
        /// Which member.
        name: MemberName,
        /// How many.
        chars: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A list of too many items.
    TooManyItems {
        /// Which member.
        name: MemberName,
        /// How many.
        items: usize,
        /// How many are allowed.
        max: usize,
    },
    /// No whole number of the range.
    OutOfRange {
        /// Which member.
        name: MemberName,
        /// As it was written.
        number: MemberName,
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// No instant of RFC 3339.
    NotAnInstant {
        /// Which member.
        name: MemberName,
        /// As it was written.
        text: Quoted,
    },
    /// An instant that never was.
    NoSuchInstant {
        /// Which member.
        name: MemberName,
        /// As it was written.
        text: Quoted,
    },
    /// An instant outside the years that can be.
    InstantOutside {
        /// Which member.
        name: MemberName,
        /// As it was written.
        text: Quoted,
        /// The first year.
        first: i16,
        /// The last year.
        last: i16,
    },
    /// No civil date of the years that can be.
    NotADate {
        /// Which member.
        name: MemberName,
        /// As it was written.
        text: Quoted,
        /// The first year.
        first: i16,
        /// The last year.
        last: i16,
    },
    /// No address that can be used.
    Address {
        /// Which member.
        name: MemberName,
        /// As it was written.
        text: Quoted,
        /// Why.
        fault: AddressFault,
    },
    /// A version of CloudEvents other than 1.0.
    SpecVersion {
        /// Which.
        text: Quoted,
    },
    /// An event's id of other characters than visible ASCII, or too long.
    EventId {
        /// As it was written.
        text: Quoted,
        /// The most characters.
        max: usize,
    },
    /// An event's source that is no absolute URI.
    Source {
        /// As it was written.
        text: Quoted,
        /// The most bytes.
        max: usize,
    },
    /// A type that the contract does not know.
    EventType {
        /// Which.
        text: Quoted,
    },
    /// The event is about one article, and its data about another.
    SubjectDiffers {
        /// What the event names.
        subject: Quoted,
        /// What its data name.
        data: Quoted,
    },
    /// What should be an article's id cannot be one.
    ArticleId {
        /// As it was written.
        text: Quoted,
        /// Why.
        fault: IdFault,
    },
    /// Nothing says when a document was published.
    NoPublication,
    /// A category of which no address can be made.
    Slug {
        /// As it was written.
        text: Quoted,
    },
    /// No language tag.
    Language {
        /// As it was written.
        text: Quoted,
    },
    /// No media type.
    MediaType {
        /// As it was written.
        text: Quoted,
    },
    /// An area without an id and without a code.
    NamelessArea,
    /// A body of too many bytes.
    BodyTooLarge {
        /// How many.
        bytes: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A body of too many tags.
    TooManyTags {
        /// How many.
        tags: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A body that costs too much to read.
    BodyTooCostly {
        /// Which bound it oversteps.
        excess: HtmlExcess,
    },
    /// A body that is too large once it is put right.
    BodyGrows {
        /// How many bytes it would have.
        bytes: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A text in VISCII whose capitals are gone.
    CapitalsGone {
        /// Which member.
        name: MemberName,
    },
    /// A text that was encoded twice.
    EncodedTwice {
        /// Which member.
        name: MemberName,
    },
    /// A text of which some may be in an old encoding.
    MixedEncoding {
        /// Which member.
        name: MemberName,
        /// What it looks like.
        encoding: OldEncoding,
    },
    /// A revision that no way of counting edits comes to.
    RevisionTooHigh {
        /// Which.
        revision: u64,
        /// The highest that is taken.
        max: u64,
    },
    /// The source is no portal's of this installation.
    UnknownSource {
        /// Which.
        source: Quoted,
    },
    /// The source is a portal's that publishes no more.
    RetiredSource {
        /// Which.
        source: Quoted,
        /// The portal.
        portal: PortalSlug,
    },
    /// An imported page stands at an address at which another article is published.
    AnotherArticle {
        /// The address.
        address: Quoted,
        /// The article that is published.
        id: MemberName,
    },
    /// An imported page has title and time of a published article, and another text.
    AnotherText {
        /// The article that is published.
        id: MemberName,
    },
    /// An imported page is an article's by its address or its own word, and has nothing of it.
    NothingOfIt {
        /// The article that is published.
        id: MemberName,
    },
    /// An imported page says that it was posted at a time that has not come.
    NotYetPosted {
        /// When.
        at: Timestamp,
    },
}

impl Flaw {
    /// What is wrong, for branching and for counting.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::Batch
            | Self::EventFormat { .. }
            | Self::NoMarks
            | Self::ContentType { .. }
            | Self::NoAttribute { .. }
            | Self::Base64
            | Self::DataFormat { .. }
            | Self::SpecVersion { .. } => RefusalKind::NotCloudEvent,
            Self::Charset { .. }
            | Self::EmptyBody
            | Self::ByteOrderMark
            | Self::Compressed
            | Self::NotUtf8 { .. }
            | Self::Markup
            | Self::CutShort { .. }
            | Self::HalfSurrogate { .. }
            | Self::ControlCharacter { .. }
            | Self::NumberOutOfRange { .. }
            | Self::NotJson { .. } => RefusalKind::NotJson,
            Self::DuplicateName { .. } => RefusalKind::DuplicateKey,
            Self::EventTooLarge { .. } | Self::TooManyValues { .. } => RefusalKind::TooLarge,
            Self::TooDeep { .. } => RefusalKind::TooDeep,
            Self::EventType { .. } => RefusalKind::UnknownType,
            Self::NoId { .. } | Self::Missing { .. } | Self::NoPublication | Self::NamelessArea => RefusalKind::Missing,
            Self::WrongType { .. } | Self::NotAnArticle | Self::HeaderType { .. } => RefusalKind::WrongShape,
            Self::TooManyBytes { .. }
            | Self::TooManyChars { .. }
            | Self::TooManyItems { .. }
            | Self::OutOfRange { .. }
            | Self::EventId { .. }
            | Self::ArticleId { .. }
            | Self::Slug { .. }
            | Self::Language { .. }
            | Self::MediaType { .. }
            | Self::BodyTooLarge { .. }
            | Self::TooManyTags { .. }
            | Self::BodyTooCostly { .. }
            | Self::BodyGrows { .. }
            | Self::RevisionTooHigh { .. } => RefusalKind::OutOfBounds,
            Self::NotAnInstant { .. }
            | Self::NoSuchInstant { .. }
            | Self::InstantOutside { .. }
            | Self::NotADate { .. }
            | Self::NotYetPosted { .. } => RefusalKind::BadDate,
            Self::Address { .. } | Self::Source { .. } => RefusalKind::BadAddress,
            Self::Contradiction { .. }
            | Self::SubjectDiffers { .. }
            | Self::AnotherArticle { .. }
            | Self::AnotherText { .. }
            | Self::NothingOfIt { .. } => RefusalKind::Mismatch,
            Self::CapitalsGone { .. } | Self::EncodedTwice { .. } | Self::MixedEncoding { .. } => {
                RefusalKind::OldEncoding
            }
            Self::UnknownSource { .. } | Self::RetiredSource { .. } => RefusalKind::NoPortal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_short_plain_and_the_same_when_it_is_read_back() {
        assert_eq!(Quoted::new("a\u{1b}\"b").to_string(), r#""a\u{1b}\"b""#);
        assert_eq!(Quoted::new("a\"b").escaped(), r#"a\"b"#);
        let long = Quoted::new(&"ộ".repeat(500));
        assert_eq!(long.to_string().chars().count(), 83);
        let json = serde_json::to_string(&long).unwrap();
        assert_eq!(serde_json::from_str::<Quoted>(&json).unwrap(), long);
        assert!(serde_json::from_str::<Quoted>(&format!("\"{}\"", "x".repeat(5_000))).unwrap().0.len() < 100);
        assert_eq!(MemberName::new("a\nb").to_string(), "a\u{fffd}b");
        assert_eq!(MemberName::of_pointer("/data/title"), Some("title".into()));
        assert_eq!(MemberName::of_pointer(""), None);
    }

    #[test]
    fn each_kind_has_a_word_of_its_own_for_machines() {
        for kind in RefusalKind::ALL {
            assert_eq!(RefusalKind::parse(kind.as_str()), Some(*kind));
        }
    }

    #[test]
    fn a_fact_is_read_back_from_its_json_and_what_is_none_is_not() {
        let flaw = Flaw::Address {
            name: "url".into(),
            text: "a".into(),
            fault: AddressFault::Unreadable { said: "empty host".into() },
        };
        let json = serde_json::to_string(&flaw).unwrap();
        assert_eq!(serde_json::from_str::<Flaw>(&json).unwrap(), flaw, "{json}");
        for broken in ["", "{}", r#"{"flaw":"of another version"}"#, r#"{"flaw":"missing"}"#, "[1]"] {
            assert!(serde_json::from_str::<Flaw>(broken).is_err(), "{broken}");
        }
    }
}
