//! The two ways of not understanding: an error for a page that is refused, and a report of a line
//! of a good page.

use serde::Serialize;
use std::fmt;

/// Why a page was refused. Each sentence says what, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Over [`crate::PAGE_BYTES_MAX`].
    #[error("the page has {bytes} bytes, more than the {max} allowed; import the article's own page, not a whole site")]
    TooLarge {
        /// How many.
        bytes: usize,
        /// How many may be.
        max: usize,
    },
    /// Elements too deep, too misnested or too many names: reading it would cost more than its length allows.
    #[error("the page has {0}; import the article's own page, saved whole")]
    TooCostly(loa_html::Excess),
    /// Bold text, links and the like that go on over so many paragraphs that the article would be far longer than its page.
    #[error(
        "the page opens links or emphasis and does not close them, and grows beyond {max} bytes; close each tag, or save the article alone"
    )]
    Grows {
        /// How many bytes may be written.
        max: usize,
    },
    /// Neither UTF-8 nor UTF-16 with its mark.
    #[error("the encoding is not known: {why} (line {line}); save the page as UTF-8 and import it again")]
    Encoding {
        /// The line of the first fault, 1 and up.
        line: usize,
        /// What was met.
        why: String,
    },
    /// Nothing to read.
    #[error("the page is empty; check that the right file was given")]
    Empty,
    /// Nothing stands before the time of posting.
    #[error(
        "the page has no title: nothing stands before `Thời gian đăng` (line {line}); put the title on a line of its own above it"
    )]
    NoTitle {
        /// The line of the time of posting; 0 when not known.
        line: usize,
    },
    /// No line says when the article was posted.
    #[error(
        "the page has no date: no line begins with `Thời gian đăng`; add one, for instance `Thời gian đăng: 16/11/2023 08:02:22 AM`"
    )]
    NoDate,
    /// There is a time of posting, but there never was such a time.
    #[error(
        "the time of posting {text:?} (line {line}) cannot be: {why}; write day/month/year hour:minute:second, for instance 16/11/2023 08:02:22 AM"
    )]
    ImpossibleDate {
        /// The line; 0 when not known.
        line: usize,
        /// As written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// No text stands between lead and source.
    #[error(
        "the article {title:?} has no body: no text stands between its lead and what follows; import the page with the whole article"
    )]
    EmptyBody {
        /// Its title.
        title: String,
    },
}

/// A line of the page that was not understood, kept whole so that nothing is lost in silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotUnderstood {
    /// The line in the file, 1 and up; 0 when not known.
    pub line: usize,
    /// The line's text, cleaned, whole.
    pub text: String,
    /// Why, one clause: `a visit counter without a number`.
    pub why: String,
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 120;
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        let shown: String = self.text.chars().take(SHOWN_MAX).collect();
        let more = if self.text.chars().nth(SHOWN_MAX).is_some() { "…" } else { "" };
        write!(f, "{} (“{shown}{more}”)", self.why)
    }
}
