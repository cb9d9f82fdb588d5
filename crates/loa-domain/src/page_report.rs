//! What is told of a page or a source that was read: why a line was left out, what speaks for a source's form, and what an import
//! chose because the page does not say it. Facts, never sentences: `loa-portal` and intake find them, `loa-words` says them.
//!
//! Machines are given them with their word (`kind`) and their data, beside the sentence.

use crate::{ArticleId, DateFault, Quoted};
use serde::Serialize;

/// Why a line of a page, or an entry of a source, was left out, or what of it was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LeftOut {
    /// A menu, header or footer.
    Menu,
    /// A player or frame.
    Player,
    /// A picture whose address only a script knows.
    ScriptedPicture,
    /// A picture outside the article.
    PictureOutside,
    /// Buttons to share the article.
    Share,
    /// What readers say.
    Comments,
    /// A rating.
    Rating,
    /// Keywords.
    Keywords,
    /// A time counted from the visit: two hours ago.
    CountedTime,
    /// A tool of the page: the size of its letters, printing.
    PageTool,
    /// Words of the site's own: its owner, cookies.
    SiteWords,
    /// It stands beside the article.
    Aside,
    /// It stands outside every known part of the page.
    NoKnownPart,
    /// It stands with buttons, keywords or what readers say.
    AmongOthers,
    /// The time of posting is a placeholder.
    PlaceholderTime,
    /// Something beside the time of posting is not understood.
    BesideTime {
        /// As it is written.
        rest: Quoted,
    },
    /// A second time of posting.
    SecondTime,
    /// A time for machines that is another than the visible one.
    OtherMachineTime {
        /// Where machines are told it.
        by: Quoted,
    },
    /// A time for machines that is no time.
    UnreadMachineTime {
        /// Where machines are told it.
        by: Quoted,
    },
    /// An address that the page says it has, and that is the site's front page.
    FrontPage {
        /// Where the page says it.
        by: Quoted,
    },
    /// An address that the page says it has, on another site than it was read from.
    OtherSite {
        /// Where the page says it.
        by: Quoted,
    },
    /// A link's address that cannot be made absolute.
    LinkAddress {
        /// As it is written.
        address: Quoted,
        /// How many more such addresses the block has.
        more: usize,
    },
    /// A picture's address that cannot be made absolute.
    PictureAddress {
        /// As it is written.
        address: Quoted,
        /// How many more such addresses the block has.
        more: usize,
    },
    /// A second count, which differs from the first.
    SecondCount,
    /// A count of readers that is no number.
    ReadersWithoutNumber,
    /// A visit counter without a number.
    VisitsWithoutNumber,
    /// Another figure of the visit counter.
    OtherFigure,
    /// A count of pages that cannot be read.
    UnreadPageCount,
    /// A second source, or one without a name.
    SecondSource,
    /// A second author, or one without a name.
    SecondAuthor,
    /// It announces files.
    FilesAnnounced,
    /// A file without an address.
    FileWithoutAddress,
    /// A link without an address.
    LinkWithoutAddress,
    /// A link at the end of the text, which reads like a list of other articles.
    TrailingLink,
    /// A heading with nothing below it.
    EmptyHeading,
    /// The date of another article cannot be.
    OtherArticleDate {
        /// Why.
        fault: DateFault,
    },
    /// A document without a number.
    DocumentWithoutNumber,
    /// A document without a title.
    DocumentWithoutTitle,
    /// It belongs to a document, and no number stands before it.
    DetailBeforeNumber,
    /// A detail of a document that is not kept.
    OtherDetail {
        /// As it is written.
        value: Quoted,
    },
    /// The day of issue cannot be.
    IssueDate {
        /// Why.
        fault: DateFault,
    },
    /// The day of issue is a placeholder.
    PlaceholderIssueDate,
    /// An entry of a source without an address.
    EntryWithoutAddress,
    /// A post that is not published.
    NotPublished,
    /// An element that a selector names, and that holds no link.
    ElementWithoutLink,
    /// A link to another site, to the front page, or to the list itself.
    LinkElsewhere,
    /// A link that is unlike those of the list.
    UnlikeLink,
    /// A source names more than is taken of it.
    TooManyEntries {
        /// So many are taken.
        max: usize,
    },
}

/// What speaks for a source's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourceClue {
    /// Its root element is that of RSS or Atom.
    FeedRoot,
    /// It is a JSON Feed.
    JsonFeed,
    /// It is a list of posts as WordPress gives them.
    WordPressPosts,
    /// Its root element is that of a sitemap.
    SitemapRoot,
    /// It is an index of sitemaps; the newest one is shown.
    Index {
        /// Its address.
        shown: Quoted,
    },
    /// Its links are those of a selector.
    Selector {
        /// As it is written.
        selector: Quoted,
    },
    /// Its links have days beside them, or addresses like theirs.
    DatedLinks {
        /// How many.
        items: usize,
    },
    /// The addresses of its links have one form.
    LinksOfOneForm {
        /// How many.
        items: usize,
    },
}

/// What an import chose because the page does not say it, or does not publish of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Assumption {
    /// The author is not published.
    AuthorNotPublished {
        /// As the page has it.
        author: Quoted,
    },
    /// The article has no date, and is given the time of its first import.
    TimeOfImport {
        /// Of which.
        id: ArticleId,
    },
    /// A picture is not published, since the page does not say where it is.
    PictureWithoutAddress {
        /// Its name.
        name: Quoted,
    },
    /// The page does not say where something can be read, and an address leads there for want of better.
    AddressMade {
        /// What.
        id: ArticleId,
        /// The address.
        url: String,
    },
}
