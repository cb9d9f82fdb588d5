//! Cleans the HTML of an article's body: it keeps only what a feed reader or a mail may show, with
//! absolute addresses.
//!
//! No script, style, frame, form or event handler survives. Links and pictures are http, https,
//! mailto or tel, and no address carries a user name: `https://portal.gov.vn@evil.example` reads like
//! another place than it is. Pictures that nobody sees are left out. What carries meaning in what
//! is dropped becomes text or a link first (`legible.rs`). Cleaning twice gives the same as
//! cleaning once. What is left out that a reader might miss is counted, for a note.
//!
//! What it costs grows with the body's length, whatever the body is: the length is looked at before
//! anything else, every pass of ours is one walk, and the parser's work is measured before it is
//! done (`loa-html`). `Work` counts all of it.

mod legible;
mod pictures;
mod tags;
mod tally;
mod text;
mod work;

pub(crate) use legible::own_words;
pub(crate) use text::ends_a_line;
pub use text::text_of_html;

use crate::{
    Refusal,
    limits::{EVENT_BYTES_MAX, HTML_TAGS_MAX},
};
use ammonia::{Builder, UrlRelative};
use legible::{is_needed, legible};
use loa_domain::{Altered, Flaw, clean_text};
use loa_html::{Shape, measure};
use loa_words::{Language, Words};
use pictures::{LEFT_FOR_US, seen_pictures};
use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tags::{count_tags, without_bare_tags};
use tally::Tally;
use url::Url;
use work::Work;

/// A cleaned body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub html: String,
    /// What was left out of it or is shown otherwise, and how many.
    pub altered: Vec<(Altered, usize)>,
}

/// Cleans a body. `base` is the article's own address, `language` its language: of the words before links.
pub(crate) fn clean_html(html: &str, base: &Url, language: &str, pointer: &str) -> Result<Cleaned, Refusal> {
    let is_english = language.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case("en"));
    let language = if is_english { Language::English } else { Language::Vietnamese };
    Cleaning { base, words: language.words(), pointer, work: &Work::default() }.clean(html)
}

/// What cleaning a body takes, in bytes looked at and steps of the parser, whether it is taken or refused. For tests and
/// fuzzing: doubling a body at most about doubles it.
pub fn work_of_cleaning(html: &str, base: &Url) -> u64 {
    let work = Work::default();
    // refused or not, the work was done
    let _ = Cleaning { base, words: Language::Vietnamese.words(), pointer: "", work: &work }.clean(html);
    work.total()
}

/// One body's cleaning.
struct Cleaning<'c> {
    base: &'c Url,
    /// The words before links.
    words: &'static dyn Words,
    pointer: &'c str,
    work: &'c Work,
}

impl Cleaning<'_> {
    fn clean(&self, html: &str) -> Result<Cleaned, Refusal> {
        if html.len() > EVENT_BYTES_MAX {
            return self.refuse(Flaw::BodyTooLarge { bytes: html.len(), max: EVENT_BYTES_MAX });
        }
        self.work.scanned(html.len());
        let html = without_bare_tags(&clean_text(html), self.work);
        let tags = count_tags(&html, self.work);
        if tags > HTML_TAGS_MAX {
            return self.refuse(Flaw::TooManyTags { tags, max: HTML_TAGS_MAX });
        }
        let mut tally = Tally::default();
        let lost = lost_letters(&html, self.work);
        tally.add_many(Altered::LostLetters, lost);
        let html = self.legible(html, &mut tally)?;
        let cleaned = self.sanitised(html, lost == 0, &mut tally)?;
        Ok(Cleaned { html: cleaned, altered: tally.told() })
    }

    fn refuse<T>(&self, flaw: Flaw) -> Result<T, Refusal> {
        Err(Refusal::at(self.pointer, flaw))
    }

    fn legible(&self, html: String, tally: &mut Tally) -> Result<String, Refusal> {
        if !is_needed(&html, self.work) {
            return Ok(html);
        }
        self.measured(&html, Shape::Unscripted)?;
        let html = legible(&html, self.base, self.words, tally, self.work);
        self.not_grown(html.len())?;
        Ok(html)
    }

    /// Through the sanitiser until nothing changes any more.
    fn sanitised(&self, html: String, drops_void: bool, tally: &mut Tally) -> Result<String, Refusal> {
        let found = Arc::new(Found::default());
        let sanitiser = sanitiser(self.base, &found);
        let mut cleaned = html;
        for pass in 0..=PASSES_MAX {
            self.measured(&cleaned, Shape::Fragment)?;
            let again = clean_once(&sanitiser, &cleaned, drops_void, tally, self.work);
            self.not_grown(again.len().max(found.bytes.swap(0, Relaxed)))?;
            let is_stable = pass > 0 && again == cleaned;
            cleaned = again;
            if is_stable {
                break;
            }
        }
        tally.add_many(Altered::DisguisedAddresses, found.disguised.load(Relaxed));
        Ok(cleaned)
    }

    /// What a parser would pay for reading it, before it pays.
    fn measured(&self, html: &str, shape: Shape) -> Result<(), Refusal> {
        match measure(html, shape) {
            Ok(measured) => {
                self.work.parsed(measured.steps);
                Ok(())
            }
            Err(excess) => {
                self.work.parsed(excess.steps);
                self.refuse(Flaw::BodyTooCostly { excess: excess.kind })
            }
        }
    }

    fn not_grown(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes > EVENT_BYTES_MAX {
            return self.refuse(Flaw::BodyGrows { bytes, max: EVENT_BYTES_MAX });
        }
        Ok(())
    }
}

/// Letters that whoever wrote the text lost already: they stay, and are told. Where there is none, every such sign that comes
/// up is made by the parser of a reference to nothing (`&#0;`, half a surrogate pair), and goes.
fn lost_letters(html: &str, work: &Work) -> usize {
    work.scanned(3 * html.len());
    let lower = html.to_ascii_lowercase();
    ["\u{fffd}", "&#65533;", "&#xfffd;"].into_iter().map(|sign| lower.matches(sign).count()).sum()
}

/// What the sanitiser met.
#[derive(Debug, Default)]
struct Found {
    /// What addresses take up, in bytes.
    bytes: AtomicUsize,
    /// Addresses with a user name.
    disguised: AtomicUsize,
}

/// Elements that go with all they hold; of every other unknown element the text stays.
const REMOVED_WHOLE: [&str; 12] = [
    "script", "style", "iframe", "object", "noscript", "template", "textarea", "select", "button", "svg", "math",
    "title",
];

fn sanitiser(base: &Url, found: &Arc<Found>) -> Builder<'static> {
    let mut sanitiser = Builder::default();
    sanitiser
        // turns text around, as the characters do that are dropped from it (`clean_text`)
        .rm_tags(["bdo"])
        .add_tag_attributes("img", LEFT_FOR_US)
        // what a list counts by
        .add_tag_attributes("ol", ["type", "reversed"])
        .add_tag_attributes("ul", ["type"])
        .add_tag_attributes("li", ["value", "type"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(UrlRelative::RewriteWithBase(base.clone()))
        .attribute_filter(addresses_from(base.clone(), found.clone()))
        .clean_content_tags(HashSet::from(REMOVED_WHOLE));
    sanitiser
}

/// Writes each address as every reader understands it, with its scheme and host; the sanitiser itself leaves `http:a.vn`,
/// which some take for a place on their own server, and what is no address at all.
fn addresses_from(base: Url, found: Arc<Found>) -> impl for<'v> Fn(&str, &str, &'v str) -> Option<Cow<'v, str>> {
    move |element, attribute, value| {
        if !matches!(attribute, "href" | "src" | "cite") {
            return Some(Cow::Borrowed(value));
        }
        // short addresses become as long as the article's own; a body of them is refused, and not written first
        if found.bytes.load(Relaxed) > EVENT_BYTES_MAX {
            return None;
        }
        let address =
            base.join(value).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "mailto" | "tel"))?;
        // a picture without an address would be fetched from the article's own
        if element == "img" && without_fragment(&address) == without_fragment(&base) {
            return None;
        }
        if !address.username().is_empty() || address.password().is_some() {
            found.disguised.fetch_add(1, Relaxed);
            return None;
        }
        found.bytes.fetch_add(address.as_str().len(), Relaxed);
        Some(Cow::Owned(address.into()))
    }
}

fn without_fragment(address: &Url) -> &str {
    address.as_str().split('#').next().unwrap_or_default()
}

/// Reading misnested HTML back can move elements once more; after this many passes it stands as it is.
const PASSES_MAX: usize = 3;

fn clean_once(sanitiser: &Builder<'_>, html: &str, drops_void: bool, tally: &mut Tally, work: &Work) -> String {
    let mut cleaned = sanitiser.clean(html).to_string();
    work.scanned(2 * cleaned.len());
    if drops_void {
        cleaned.retain(|c| c != '\u{fffd}');
    }
    // Character references (&#0;, &#x202e;) became characters only now, and may compose with their neighbours.
    let cleaned = without_lines_after_pre(clean_text(&cleaned).trim());
    seen_pictures(&cleaned, tally, work)
}

/// A reader drops a line end right after `<pre>`: with several of them, one with each reading. So none is left.
fn without_lines_after_pre(html: &str) -> String {
    let mut parts = html.split("<pre>");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + "<pre>" + part.trim_start_matches('\n'))
}
