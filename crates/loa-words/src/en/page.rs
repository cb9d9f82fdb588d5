//! Why a page, a feed or a sitemap is refused, in English. Clauses, as error messages are.

use super::flaw::excess;
use loa_domain::{Clue, DateFault, EncodingFault, NoSource, PageCandidate, PageError, PageField};

/// Why, and what to do. One list, so that it is seen whole.
pub(super) fn error(error: &PageError) -> String {
    match error {
        PageError::TooLarge { bytes, max } => format!(
            "the page has {bytes} bytes, more than the {max} allowed; import the article's own page, not a whole site"
        ),
        PageError::TooCostly { excess: found } => {
            format!("the page has {}; import the article's own page, saved whole", excess(*found))
        }
        PageError::Grows { max } => format!(
            "the page opens links or emphasis and does not close them, and grows beyond {max} bytes; close each tag, or save the \
             article alone"
        ),
        PageError::Encoding { line, why } => {
            format!("the encoding is not known: {} (line {line}); save the page as UTF-8 and import it again", encoding(why))
        }
        PageError::Empty => "the page is empty; check that the right file was given".into(),
        PageError::NoTitle { line } => format!(
            "the page has no title: it has no heading, and no line near the time of posting (line {line}) can be one; put the \
             title on a line of its own above the time"
        ),
        PageError::OfServer { title } => format!(
            "the page is an answer of the site's server ({title}) and not an article; open the article's address in a browser, \
             and save what it shows"
        ),
        PageError::BrokenXml { line, said } => format!(
            "line {line} is not XML ({said}); the site must mend it, or another of its sources is to be watched"
        ),
        PageError::BrokenJson { line, said } => format!(
            "line {line} is not JSON ({said}); the site must mend it, or another of its sources is to be watched"
        ),
        PageError::NoSource { why } => {
            format!("it names no articles: {}; give the address of a feed, a sitemap or a list page", no_source(why))
        }
        PageError::UnreadableSelector { what, selector } => format!(
            "the selector {selector} for the {} cannot be read; look at the page and mend it",
            what.as_str()
        ),
        PageError::IdleSelector { what, selector } => format!(
            "the selector {selector} for the {} finds nothing; look at the page and mend it",
            what.as_str()
        ),
        PageError::NoList => "the page is no list of articles: it has fewer than two links with the words of a title; give the \
                              list's own page"
            .into(),
        PageError::NoNumber => {
            "the page is that of a document, but its number is missing; write it behind `Số/Ký hiệu:`".into()
        }
        PageError::NoDate => "the page does not say when it was posted: no line is a date, or begins with a label such as \
                              `Thời gian đăng` or `Ngày đăng` before one, and no date for machines can be read; add a line, for \
                              instance `Thời gian đăng: 16/11/2023 08:02:22 AM`"
            .into(),
        PageError::UncertainDate { line, text, clues } => format!(
            "the page does not say for certain when it was posted: {text} (line {line}) may be another date ({}); write \
             `Thời gian đăng:` before the date of posting",
            all(clues)
        ),
        PageError::Undecided { field: of, one, other } => format!(
            "the page does not say for certain its {}: it may be {} or {}; keep the right one alone, or import the article \
             without what stands around it",
            field(*of),
            candidate(one),
            candidate(other)
        ),
        PageError::List { items, line, text } => format!(
            "the page is a list of {items} articles or more (the first is of {text}, line {line}), not an article; import the \
             pages that it leads to"
        ),
        PageError::ImpossibleDate { line, text, why } => format!(
            "the time of posting {text} (line {line}) cannot be: {}; write day/month/year hour:minute:second, for instance \
             16/11/2023 08:02:22 AM",
            date(why)
        ),
        PageError::EmptyBody { title } => format!(
            "the article {title} has no body: no text stands between its lead and what follows; import the page with the whole \
             article"
        ),
    }
}

/// What a value is called.
pub(super) fn field(field: PageField) -> &'static str {
    match field {
        PageField::Title => "title",
        PageField::PublishedAt => "time of posting",
        PageField::Summary => "lead",
        PageField::Body => "body",
        PageField::Source => "source",
        PageField::Author => "author",
        PageField::Address => "address",
        PageField::Picture => "picture",
        PageField::File => "file",
        PageField::Number => "number",
    }
}

fn candidate(one: &PageCandidate) -> String {
    let PageCandidate { text, line, clues } = one;
    match line {
        0 => format!("{text} ({})", all(clues)),
        line => format!("{text} (line {line}: {})", all(clues)),
    }
}

/// All that speaks for a value.
pub(super) fn all(clues: &[Clue]) -> String {
    clues.iter().map(clue).collect::<Vec<_>>().join(", ")
}

/// Why something is no time.
pub(super) fn date(fault: &DateFault) -> String {
    match fault {
        DateFault::NoDate => "it has no day/month/year".into(),
        DateFault::NotADay => "it is not day/month/year".into(),
        DateFault::HalfWithoutHour => "it says morning or afternoon but no hour".into(),
        DateFault::Weekday { day, other } => format!(
            "with the day first ({day}) it is not the day of the week that stands beside it; with the month first ({other}) it \
             would be"
        ),
        DateFault::Placeholder => "it is a placeholder".into(),
        DateFault::NotMorning { hour } => format!("hour {hour} is not before noon"),
        DateFault::NotNoon { hour } => format!("hour {hour} is not about noon"),
        DateFault::NoTime { hour, minute, second } => format!("there is no time {hour}:{minute:02}:{second:02}"),
        DateFault::TooLarge { number } => format!("{} is too large", number.escaped()),
        DateFault::DayFirst { day } => format!("the day comes first, and {} is none", day.escaped()),
        DateFault::YearDigits { year } => format!("the year {} must have four digits", year.escaped()),
        DateFault::Year { year } => format!("no page is of the year {year}"),
        DateFault::Month { month } => format!("there is no month {month} (the day comes first)"),
        DateFault::Day { day, month, year } => format!("there is no day {day} in month {month} of {year}"),
        DateFault::OutOfRange => "it is out of range".into(),
    }
}

fn encoding(fault: &EncodingFault) -> String {
    match fault {
        EncodingFault::Utf32 => "it begins with the mark of UTF-32".into(),
        EncodingFault::EncodedTwice { shown } => {
            format!("its letters were read in another encoding than they were written in and saved so ({shown})")
        }
        EncodingFault::ZeroBytes => "it has zero bytes, as UTF-16 without its mark or a binary file has".into(),
        EncodingFault::NotUtf8 { at, byte } => format!("byte {at} (0x{byte:02x}) is not UTF-8"),
        EncodingFault::BrokenUtf16 => "it begins with the mark of UTF-16 but is cut or broken".into(),
    }
}

fn no_source(why: &NoSource) -> String {
    match why {
        NoSource::WordPress { said } => format!("WordPress refuses: {said}"),
        NoSource::OtherJson => "it is JSON, but neither posts of WordPress nor a JSON Feed".into(),
        NoSource::Unknown => "it is neither XML, nor JSON, nor HTML".into(),
    }
}

/// What speaks for a value, or against it.
pub(super) fn clue(clue: &Clue) -> String {
    match clue {
        Clue::Machines(by) => by.escaped(),
        Clue::MainHeading => "the main heading".into(),
        Clue::Heading => "a heading".into(),
        Clue::SmallHeading => "a small heading".into(),
        Clue::ElementName => "its element's name says so".into(),
        Clue::PageTitle => "`title` begins with it".into(),
        Clue::OpenGraph => "og:title says the same".into(),
        Clue::DataForMachines => "the page's data for machines say the same".into(),
        Clue::List => "the list it was found in says the same".into(),
        Clue::Aside => "it stands beside the article".into(),
        Clue::LinkElsewhere => "it is a link to something else".into(),
        Clue::ListItem => "it is an item of a list".into(),
        Clue::SectionOrSite => "sections and sites are called so".into(),
        Clue::Section => "sections are called so".into(),
        Clue::AboveTime => "a line above the time of posting".into(),
        Clue::NameBelowLine => "it reads like a name, and another line stands above it".into(),
        Clue::NoLetters => "it has no letters".into(),
        Clue::Paragraph => "it reads like a paragraph".into(),
        Clue::BelowTime => "the first line below the time of posting".into(),
        Clue::FirstLine => "the first line of a page whose time of posting stands last".into(),
        Clue::NearestHeading => "the nearest heading above the time of posting".into(),
        Clue::NotShown => "no line of the page shows it".into(),
        Clue::PostedLabel => "a label of the time of posting".into(),
        Clue::ChangedLabel => "a label of the last change".into(),
        Clue::ChangedElement => "its element's name says that it is the last change".into(),
        Clue::DayAndTime => "a line that is a day and a time".into(),
        Clue::DayAlone => "a line that is a day".into(),
        Clue::SentenceBehind => "a sentence goes on behind it".into(),
        Clue::Parentheses => "it stands in parentheses, as behind other articles".into(),
        Clue::OtherWords => "other words stand beside it".into(),
        Clue::UnderLink => "it stands under a link to something else".into(),
        Clue::CloseBehindTitle => "close behind the title".into(),
        Clue::FarBehindTitle => "far behind the title".into(),
        Clue::FarBeforeTitle => "far before the title".into(),
        Clue::BeforeTitle => "before the title, where the day of the visit stands".into(),
        Clue::PageHead => "at the head of the page, where the day of the visit stands".into(),
        Clue::FarBehindHead => "far behind the head of the page".into(),
        Clue::WeekdayWithoutTime => "a day of the week and no time of day".into(),
        Clue::WeekdayOfVisit => "with a day of the week, as the day of the visit".into(),
        Clue::TimeFrom(by) => format!("its time of day from {}", by.escaped()),
        Clue::TimeFromLine => "its time of day from another line that says the same day".into(),
        Clue::OnlyMachines => "only machines are told it, where many portals write the last change".into(),
        Clue::FirstParagraph => "the first paragraph".into(),
        Clue::BehindTitle { blocks: 1, last_line } => {
            format!("one block of text behind the title, up to line {last_line}")
        }
        Clue::BehindTitle { blocks, last_line } => {
            format!("{blocks} blocks of text behind the title, up to line {last_line}")
        }
        Clue::SourceLabel => "a label of the source".into(),
        Clue::AuthorLabel => "a label of the author".into(),
        Clue::NameBesideTime => "a name beside title and time".into(),
        Clue::NumberLabel => "a label of the number".into(),
        Clue::AbstractLabel => "a label of the abstract".into(),
        Clue::ReadFrom => "where it was read from".into(),
        Clue::PictureInText => "a picture in the text".into(),
        Clue::PictureWithoutAddress => "a picture in the text, without an address".into(),
    }
}
