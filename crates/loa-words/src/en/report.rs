//! What is told of a page or a source that was read, in English. Clauses, as error messages are.

use super::page::{all, date};
use crate::catalogue::beginning;
use loa_domain::{Assumption, Clue, LeftOut, SourceClue};

/// A line of a report: where, why, and the line's beginning.
pub(super) fn line(line: usize, text: &str, why: &LeftOut) -> String {
    format!("{}{} (“{}”)", place(line), left_out(why), beginning(text))
}

/// Why a value was taken, and where it stands.
pub(super) fn evidence(line: usize, clues: &[Clue], is_assumed: bool) -> String {
    let assumed = if is_assumed { "assumed, " } else { "" };
    format!("{assumed}{}{}", place(line), all(clues))
}

fn place(line: usize) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

/// Why a line was left out. One list, so that it is seen whole.
pub(super) fn left_out(why: &LeftOut) -> String {
    match why {
        LeftOut::Menu => "a menu, header or footer, which is no part of the article".into(),
        LeftOut::Player => "a player or frame, which is not taken over".into(),
        LeftOut::ScriptedPicture => "a picture whose address only a script knows, which is not taken over".into(),
        LeftOut::PictureOutside => "a picture outside the article".into(),
        LeftOut::Share => "buttons to share the article, which are no part of it".into(),
        LeftOut::Comments => "what readers say, which is no part of the article".into(),
        LeftOut::Rating => "a rating, which is no part of the article".into(),
        LeftOut::Keywords => "keywords, which are not taken over".into(),
        LeftOut::CountedTime => "a time counted from the visit, which says no date".into(),
        LeftOut::PageTool => "a tool of the page, which is no part of the article".into(),
        LeftOut::SiteWords => "words of the site's own, which are no part of the article".into(),
        LeftOut::Aside => "it stands beside the article, by the names of its elements".into(),
        LeftOut::NoKnownPart => "it stands outside every known part of the page".into(),
        LeftOut::AmongOthers => "it stands with buttons, keywords or what readers say".into(),
        LeftOut::PlaceholderTime => "the time of posting is a placeholder, and the article is not given it".into(),
        LeftOut::BesideTime { rest } => format!("beside the time of posting stands {rest}, which is not understood"),
        LeftOut::SecondTime => "a second time of posting".into(),
        LeftOut::OtherMachineTime { by } => {
            format!("a time for machines ({}), but the visible time is another", by.escaped())
        }
        LeftOut::UnreadMachineTime { by } => format!("a time for machines ({}) that is no time", by.escaped()),
        LeftOut::FrontPage { by } => {
            format!("an address that the page says it has ({}), but it is the site's front page", by.escaped())
        }
        LeftOut::OtherSite { by } => format!(
            "an address that the page says it has ({}), but on another site than it was read from",
            by.escaped()
        ),
        LeftOut::LinkAddress { address, more } => format!("a link's address, {address}{}", relative(*more)),
        LeftOut::PictureAddress { address, more } => format!("a picture's address, {address}{}", relative(*more)),
        LeftOut::SecondCount => "a second count, which differs from the first".into(),
        LeftOut::ReadersWithoutNumber => "a count of readers that is not a number".into(),
        LeftOut::VisitsWithoutNumber => "a visit counter without a number".into(),
        LeftOut::OtherFigure => "a figure of the visit counter that is not kept".into(),
        LeftOut::UnreadPageCount => "a page count that is not `first-last of total`".into(),
        LeftOut::SecondSource => "a second source, or one without a name".into(),
        LeftOut::SecondAuthor => "a second author, or one without a name".into(),
        LeftOut::FilesAnnounced => "files are announced; those with an address that follow are taken".into(),
        LeftOut::FileWithoutAddress => "a file without an address, which is not taken over".into(),
        LeftOut::LinkWithoutAddress => "a link without an address".into(),
        LeftOut::TrailingLink => "a link at the end of the text, which reads like a list of other articles".into(),
        LeftOut::EmptyHeading => "a heading with nothing below it".into(),
        LeftOut::OtherArticleDate { fault } => format!("the date of another article cannot be: {}", date(fault)),
        LeftOut::DocumentWithoutNumber => "a document without a number".into(),
        LeftOut::DocumentWithoutTitle => "a document without a title".into(),
        LeftOut::DetailBeforeNumber => "it belongs to a document, but no number stands before it".into(),
        LeftOut::OtherDetail { value } => format!("a detail of the document that is not kept: {value}"),
        LeftOut::IssueDate { fault } => format!("the day of issue cannot be: {}", date(fault)),
        LeftOut::PlaceholderIssueDate => "the day of issue is a placeholder, and the document is not given it".into(),
        LeftOut::EntryWithoutAddress => "the entry has no address".into(),
        LeftOut::NotPublished => "the post is not published".into(),
        LeftOut::ElementWithoutLink => "the element holds no link".into(),
        LeftOut::LinkElsewhere => "a link to another site, to the front page, or to the list itself".into(),
        LeftOut::UnlikeLink => "a link that is unlike those of the list".into(),
        LeftOut::TooManyEntries { max } => format!("more than {max} items in one document"),
    }
}

fn relative(more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    format!("{more}, that cannot be made absolute is dropped; say with `--address` where the page stands")
}

/// What speaks for a source's form.
pub(super) fn source(clue: &SourceClue) -> String {
    match clue {
        SourceClue::FeedRoot => "its root element is that of a feed".into(),
        SourceClue::JsonFeed => "it is a JSON Feed".into(),
        SourceClue::WordPressPosts => "it is a list of posts as WordPress gives them".into(),
        SourceClue::SitemapRoot => "its root element is that of a sitemap".into(),
        SourceClue::Index { shown } => format!("it is an index; shown is {}", shown.escaped()),
        SourceClue::Selector { selector } => format!("its links are those of the selector {selector}"),
        SourceClue::DatedLinks { items } => format!("{items} links with days beside them, or addresses like theirs"),
        SourceClue::LinksOfOneForm { items } => format!("{items} links whose addresses have one form"),
    }
}

/// What an import chose, or does not publish.
pub(super) fn assumption(assumption: &Assumption) -> String {
    match assumption {
        Assumption::AuthorNotPublished { author } => {
            format!("the author, {author}, is not published: events have a source only")
        }
        Assumption::TimeOfImport { id } => format!("`{id}` has no date; the time of this import is taken"),
        Assumption::PictureWithoutAddress { name } => {
            format!("the picture {name} is not published: the page does not say where it is")
        }
        Assumption::AddressMade { id, url } => {
            format!("the page does not say where `{id}` can be read; {url} leads there for want of better")
        }
    }
}
