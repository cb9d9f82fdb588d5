//! Cleans the HTML of an article's body: it keeps only what a feed reader or a mail may show, with
//! absolute addresses.
//!
//! No script, style, frame, form or event handler survives. Links and pictures are http, https or
//! mailto, and no address carries a user name: `https://portal.gov.vn@evil.example` reads like
//! another place than it is. Pictures that nobody sees are left out. Cleaning twice gives the same
//! as cleaning once. What is left out that a reader might miss is counted, for a note.
//!
//! What it costs grows with the body's length, whatever the body is: the length is looked at before
//! anything else, every pass of ours is one walk, and the parser's work is measured before it is
//! done (`loa-html`). `Work` counts all of it.

mod pictures;
mod tags;
mod text;
mod work;

pub use text::text_of_html;

use crate::{
    Refusal, RefusalKind,
    limits::{EVENT_BYTES_MAX, HTML_TAGS_MAX},
};
use ammonia::{Builder, UrlRelative};
use loa_domain::clean_text;
use loa_html::{Shape, measure};
use pictures::{LEFT_FOR_US, without_unseen_pictures};
use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tags::{count_tags, without_bare_tags};
use url::Url;
use work::Work;

/// A cleaned body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub html: String,
    /// What was left out of it, a sentence each.
    pub left_out: Vec<String>,
}

/// Cleans a body. `base` is the article's own address.
pub(crate) fn clean_html(html: &str, base: &Url, pointer: &str) -> Result<Cleaned, Refusal> {
    clean_counted(html, base, pointer, &Work::default())
}

/// What cleaning a body takes, in bytes looked at and steps of the parser, whether it is taken or refused. For tests and
/// fuzzing: doubling a body at most about doubles it.
pub fn work_of_cleaning(html: &str, base: &Url) -> u64 {
    let work = Work::default();
    // refused or not, the work was done
    let _ = clean_counted(html, base, "", &work);
    work.total()
}

fn clean_counted(html: &str, base: &Url, pointer: &str, work: &Work) -> Result<Cleaned, Refusal> {
    let refuse = |sentence: String| Err(Refusal::at(RefusalKind::OutOfBounds, pointer, sentence));
    if html.len() > EVENT_BYTES_MAX {
        return refuse(format!("`content_html` has {} bytes, more than the {EVENT_BYTES_MAX} allowed", html.len()));
    }
    work.scanned(html.len());
    let html = without_bare_tags(&clean_text(html), work);
    let tags = count_tags(&html, work);
    if tags > HTML_TAGS_MAX {
        return refuse(format!("`content_html` has {tags} tags, more than the {HTML_TAGS_MAX} allowed"));
    }
    let found = Arc::new(Found::default());
    let sanitiser = sanitiser(base, &found);
    let (mut cleaned, mut pictures) = (html, 0);
    for pass in 0..=PASSES_MAX {
        match measure(&cleaned, Shape::Fragment) {
            Ok(measured) => work.parsed(measured.steps),
            Err(excess) => {
                work.parsed(excess.steps);
                return refuse(format!("`content_html` has {excess}"));
            }
        }
        let (again, unseen) = clean_once(&sanitiser, &cleaned, work);
        pictures += unseen;
        let grown = again.len().max(found.bytes.swap(0, Relaxed));
        if grown > EVENT_BYTES_MAX {
            return refuse(format!(
                "`content_html` grows to {grown} bytes when misnested tags are put right and addresses made absolute, more \
                 than the {EVENT_BYTES_MAX} allowed"
            ));
        }
        let is_stable = pass > 0 && again == cleaned;
        cleaned = again;
        if is_stable {
            break;
        }
    }
    Ok(Cleaned { html: cleaned, left_out: left_out(pictures, found.disguised.load(Relaxed)) })
}

/// What the sanitiser met.
#[derive(Debug, Default)]
struct Found {
    /// What addresses take up, in bytes.
    bytes: AtomicUsize,
    /// Addresses with a user name.
    disguised: AtomicUsize,
}

fn left_out(pictures: usize, disguised: usize) -> Vec<String> {
    let mut sentences = Vec::new();
    if pictures > 0 {
        sentences
            .push(format!("{pictures} pictures that nobody sees (hidden, or of one pixel) were left out of the body"));
    }
    if disguised > 0 {
        sentences.push(format!("{disguised} addresses with a user name before the host were left out of the body"));
    }
    sentences
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
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::RewriteWithBase(base.clone()))
        .attribute_filter(addresses_from(base.clone(), found.clone()))
        .clean_content_tags(HashSet::from(REMOVED_WHOLE));
    sanitiser
}

/// Writes each address as every reader understands it, with its scheme and host; the sanitiser itself leaves `http:a.vn`,
/// which some take for a place on their own server, and what is no address at all.
fn addresses_from(base: Url, found: Arc<Found>) -> impl for<'v> Fn(&str, &str, &'v str) -> Option<Cow<'v, str>> {
    move |_element, attribute, value| {
        if !matches!(attribute, "href" | "src" | "cite") {
            return Some(Cow::Borrowed(value));
        }
        // short addresses become as long as the article's own; a body of them is refused, and not written first
        if found.bytes.load(Relaxed) > EVENT_BYTES_MAX {
            return None;
        }
        let address = base.join(value).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "mailto"))?;
        if !address.username().is_empty() || address.password().is_some() {
            found.disguised.fetch_add(1, Relaxed);
            return None;
        }
        found.bytes.fetch_add(address.as_str().len(), Relaxed);
        Some(Cow::Owned(address.into()))
    }
}

/// Reading misnested HTML back can move elements once more; after this many passes it stands as it is.
const PASSES_MAX: usize = 3;

fn clean_once(sanitiser: &Builder<'_>, html: &str, work: &Work) -> (String, usize) {
    let cleaned = sanitiser.clean(html).to_string();
    work.scanned(2 * cleaned.len());
    // Character references (&#0;, &#x202e;) became characters only now, and may compose with their neighbours.
    let cleaned = without_lines_after_pre(clean_text(&cleaned).trim());
    without_unseen_pictures(&cleaned, work)
}

/// A reader drops a line end right after `<pre>`: with several of them, one with each reading. So none is left.
fn without_lines_after_pre(html: &str) -> String {
    let mut parts = html.split("<pre>");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + "<pre>" + part.trim_start_matches('\n'))
}
