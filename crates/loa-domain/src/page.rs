//! Why a page of a portal, a feed or a sitemap is refused, as facts. `loa-portal` finds them, `loa-words` says them; the watch's
//! ledger keeps them as JSON.

use crate::{HtmlExcess, Quoted, ServerWords};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A value of an article or document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageField {
    /// Its title.
    Title,
    /// When it was posted.
    PublishedAt,
    /// Its lead.
    Summary,
    /// Its text.
    Body,
    /// Who it is from.
    Source,
    /// Who wrote it.
    Author,
    /// Where it can be read.
    Address,
    /// A picture of it.
    Picture,
    /// A file that belongs to it.
    File,
    /// A document's number and symbol.
    Number,
}

impl PageField {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Title,
        Self::PublishedAt,
        Self::Summary,
        Self::Body,
        Self::Source,
        Self::Author,
        Self::Address,
        Self::Picture,
        Self::File,
        Self::Number,
    ];
}

/// What speaks for a value, or against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clue {
    /// Machines are told it, by this name: `og:title`, `article:published_time`.
    Machines(Quoted),
    /// The main heading.
    MainHeading,
    /// A heading of the second or third level.
    Heading,
    /// A heading of a lower level.
    SmallHeading,
    /// The name or class of its element says so.
    ElementName,
    /// The page's `title` begins with it.
    PageTitle,
    /// `og:title` says the same.
    OpenGraph,
    /// The page's data for machines say the same.
    DataForMachines,
    /// The list it was found in says the same.
    List,
    /// It stands beside the article.
    Aside,
    /// It is a link to something else.
    LinkElsewhere,
    /// It is an item of a list.
    ListItem,
    /// Sections and sites are called so.
    SectionOrSite,
    /// Sections are called so.
    Section,
    /// A line above the time of posting.
    AboveTime,
    /// It reads like a name, and another line stands above it.
    NameBelowLine,
    /// It has no letters.
    NoLetters,
    /// It reads like a paragraph.
    Paragraph,
    /// The first line below the time of posting.
    BelowTime,
    /// The first line of a page whose time of posting stands last.
    FirstLine,
    /// The nearest heading above the time of posting.
    NearestHeading,
    /// No line of the page shows it.
    NotShown,
    /// A label of the time of posting.
    PostedLabel,
    /// A label of the last change.
    ChangedLabel,
    /// The name of its element says that it is the last change.
    ChangedElement,
    /// A line that is a day and a time.
    DayAndTime,
    /// A line that is a day.
    DayAlone,
    /// A sentence goes on behind it.
    SentenceBehind,
    /// It stands in parentheses, as behind other articles.
    Parentheses,
    /// Other words stand beside it.
    OtherWords,
    /// It stands under a link to something else.
    UnderLink,
    /// Close behind the title.
    CloseBehindTitle,
    /// Far behind the title.
    FarBehindTitle,
    /// Far before the title.
    FarBeforeTitle,
    /// Before the title, where the day of the visit stands.
    BeforeTitle,
    /// At the head of the page, where the day of the visit stands.
    PageHead,
    /// Far behind the head of the page.
    FarBehindHead,
    /// A day of the week and no time of day.
    WeekdayWithoutTime,
    /// With a day of the week, as the day of the visit.
    WeekdayOfVisit,
    /// Its time of day is from what machines are told by this name.
    TimeFrom(Quoted),
    /// Its time of day is from another line that says the same day.
    TimeFromLine,
    /// Only machines are told it, where many portals write the last change.
    OnlyMachines,
    /// The first paragraph of the text.
    FirstParagraph,
    /// The text behind the title.
    BehindTitle {
        /// So many blocks.
        blocks: usize,
        /// The line of the last one.
        last_line: usize,
    },
    /// A label of the source.
    SourceLabel,
    /// A label of the author.
    AuthorLabel,
    /// A name that stands beside title and time.
    NameBesideTime,
    /// A label of a document's number.
    NumberLabel,
    /// A label of a document's abstract.
    AbstractLabel,
    /// The page was read from there.
    ReadFrom,
    /// A picture in the text.
    PictureInText,
    /// A picture in the text, without an address.
    PictureWithoutAddress,
}

/// One of two values that disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCandidate {
    /// As it is written, its beginning.
    pub text: Quoted,
    /// The line; 0 when not known.
    pub line: usize,
    /// What speaks for it and against it.
    pub clues: Vec<Clue>,
}

/// Why something written is no time of posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFault {
    /// It has no day, month and year.
    NoDate,
    /// A day of the month was expected, and this is none.
    NotADay,
    /// It says morning or afternoon and no hour.
    HalfWithoutHour,
    /// The day of the week beside it fits only with the month first.
    Weekday {
        /// The date with the day first.
        day: Date,
        /// The date with the month first.
        other: Date,
    },
    /// It is what systems show when nobody gave a date.
    Placeholder,
    /// A morning without such an hour.
    NotMorning {
        /// The hour.
        hour: i8,
    },
    /// A noon without such an hour.
    NotNoon {
        /// The hour.
        hour: i8,
    },
    /// There is no such time of day.
    NoTime {
        /// The hour.
        hour: i8,
        /// The minute.
        minute: i8,
        /// The second.
        second: i8,
    },
    /// A number beyond all reason.
    TooLarge {
        /// As it is written.
        number: Quoted,
    },
    /// The day comes first, and this is none.
    DayFirst {
        /// As it is written.
        day: Quoted,
    },
    /// A year of other than four digits.
    YearDigits {
        /// As it is written.
        year: Quoted,
    },
    /// A year that no page is of.
    Year {
        /// Which.
        year: i16,
    },
    /// There is no such month.
    Month {
        /// Which.
        month: i16,
    },
    /// There is no such day in the month.
    Day {
        /// The day.
        day: i16,
        /// The month.
        month: i16,
        /// The year.
        year: i16,
    },
    /// It lies outside what a clock can say.
    OutOfRange,
}

/// Why bytes are no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodingFault {
    /// It begins with the mark of UTF-32.
    Utf32,
    /// It was read in another encoding than it was written in, and saved so.
    EncodedTwice {
        /// Some of its letters.
        shown: Quoted,
    },
    /// It has zero bytes.
    ZeroBytes,
    /// A byte that is no UTF-8.
    NotUtf8 {
        /// Which byte of the page, from 1.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// It begins with the mark of UTF-16, and is cut or broken.
    BrokenUtf16,
}

/// What names no articles, and is instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoSource {
    /// WordPress refuses, with its own words.
    WordPress {
        /// Its words.
        said: ServerWords,
    },
    /// JSON of another kind.
    OtherJson,
    /// Nothing that is known.
    Unknown,
}

/// What a selector is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectorFor {
    /// The links of a list.
    Links,
    /// A title.
    Title,
    /// A time of posting.
    Time,
    /// A text.
    Body,
    /// A source.
    Source,
}

impl SelectorFor {
    /// The word for machines, which the settings have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Title => "title",
            Self::Time => "time",
            Self::Body => "body",
            Self::Source => "source",
        }
    }
}

/// Why a page was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "page", rename_all = "snake_case")]
pub enum PageError {
    /// Too many bytes.
    TooLarge {
        /// How many.
        bytes: usize,
        /// How many may be.
        max: usize,
    },
    /// Elements too deep, too misnested or too many names: reading it would cost more than its length allows.
    TooCostly {
        /// Which bound it oversteps.
        excess: HtmlExcess,
    },
    /// Bold text, links and the like that go on over so many paragraphs that the article would be far longer than its page.
    Grows {
        /// How many bytes may be written.
        max: usize,
    },
    /// Neither UTF-8, nor UTF-16 with its mark, nor what the page itself says.
    Encoding {
        /// The line of the first fault, 1 and up.
        line: usize,
        /// What was met.
        why: EncodingFault,
    },
    /// Nothing to read.
    Empty,
    /// Nothing on the page can be its title.
    NoTitle {
        /// The line of the time of posting; 0 when not known.
        line: usize,
    },
    /// What the server said instead of the article.
    OfServer {
        /// The page's title.
        title: Quoted,
    },
    /// A feed or sitemap that is no XML to its end.
    BrokenXml {
        /// The line, 1 and up.
        line: usize,
        /// What the parser met.
        said: ServerWords,
    },
    /// A list in JSON that is none.
    BrokenJson {
        /// The line, 1 and up.
        line: usize,
        /// What the parser met.
        said: ServerWords,
    },
    /// Nothing that names articles.
    NoSource {
        /// What it is instead.
        why: NoSource,
    },
    /// A selector that cannot be read.
    UnreadableSelector {
        /// What it is for.
        what: SelectorFor,
        /// As written.
        selector: Quoted,
    },
    /// A selector that finds nothing.
    IdleSelector {
        /// What it is for.
        what: SelectorFor,
        /// As written.
        selector: Quoted,
    },
    /// Asked for a list, and it is none.
    NoList,
    /// A document's page whose number has a label and no value.
    NoNumber,
    /// No line says when the article was posted.
    NoDate,
    /// There is a date, but it may be another one than that of posting.
    UncertainDate {
        /// The line; 0 when not known.
        line: usize,
        /// As written.
        text: Quoted,
        /// What speaks for and against it.
        clues: Vec<Clue>,
    },
    /// Two values for one thing, and nothing that decides.
    Undecided {
        /// Of what.
        field: PageField,
        /// One value.
        one: PageCandidate,
        /// The other.
        other: PageCandidate,
    },
    /// Many articles, none of them whole.
    List {
        /// How many dates were counted.
        items: usize,
        /// The line of the first date; 0 when not known.
        line: usize,
        /// The first date as written.
        text: Quoted,
    },
    /// There is a time of posting, but there never was such a time.
    ImpossibleDate {
        /// The line; 0 when not known.
        line: usize,
        /// As written.
        text: Quoted,
        /// What is wrong with it.
        why: DateFault,
    },
    /// No text stands between lead and source.
    EmptyBody {
        /// Its title.
        title: Quoted,
    },
}
