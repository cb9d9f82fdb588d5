//! Which address of an `img` is the picture's own: pages that load pictures late put a blank one
//! first.
//!
//! It knows elements, and neither pages nor blocks; which attribute counts is `loa-html`'s to say.

use crate::element::absolute;
use loa_html::{PictureAttributes, PictureJudge, best_of_set};
use scraper::{ElementRef, Html};
use std::borrow::Cow;
use url::Url;

/// A `noscript` beside a picture holds one `img`; more is not read.
const NOSCRIPT_BYTES_MAX: usize = 4_096;
/// How many children of a `picture` are looked at.
const CHILDREN_MAX: usize = 40;

/// The longest attribute that is looked at, in bytes: a page of pictures that stand in it themselves is not read again for them.
const VALUE_BYTES_MAX: usize = 16_384;

/// The address of a picture as written; `None` when it has none of its own. `base` is where relative ones begin.
pub(crate) fn source<'e>(element: ElementRef<'e>, base: Option<&Url>) -> Option<Cow<'e, str>> {
    let judge = Judge { base };
    let attributes: Vec<(&str, &str)> =
        element.value().attrs().filter(|(_, value)| value.len() <= VALUE_BYTES_MAX).collect();
    PictureAttributes { attributes: &attributes }
        .address(&judge, || of_picture_around(element, &judge).map(Cow::Borrowed))
}

/// The best address of the sources that stand beside a picture in a `picture`. Formats that every program shows come first. A
/// `picture` has one `img` (HTML §4.8.1); further ones are not answered, so that its sources are looked at once.
fn of_picture_around<'e>(element: ElementRef<'e>, judge: &Judge<'_>) -> Option<&'e str> {
    let picture = element.parent().and_then(ElementRef::wrap).filter(|parent| parent.value().name() == "picture")?;
    let first = picture.child_elements().take(CHILDREN_MAX).find(|child| child.value().name() == "img")?;
    if first.id() != element.id() {
        return None;
    }
    let sources = || picture.child_elements().take(CHILDREN_MAX).filter(|child| child.value().name() == "source");
    let is_plain = |source: &ElementRef<'e>| !matches!(source.attr("type"), Some("image/webp" | "image/avif"));
    let set = |source: ElementRef<'e>| {
        let said = |name: &&str| source.attr(name).filter(|value| value.len() <= VALUE_BYTES_MAX);
        ["srcset", "data-srcset", "src"].iter().find_map(|name| best_of_set(said(name)?, judge))
    };
    sources().filter(is_plain).find_map(set).or_else(|| sources().find_map(set))
}

/// Where the page stands, if that is known.
struct Judge<'a> {
    base: Option<&'a Url>,
}

impl PictureJudge for Judge<'_> {
    /// A relative address of a page that does not say where it stands is told, not passed over.
    fn is_good(&self, text: &str) -> bool {
        let is_relative = || Url::parse(text) == Err(url::ParseError::RelativeUrlWithoutBase);
        !text.is_empty() && (absolute(self.base, text).is_some() || (self.base.is_none() && is_relative()))
    }

    fn looked_at(&self, _: usize) {}
}

/// Whether a `noscript` stands beside a picture, which then holds it again for those without scripts.
pub(crate) fn has_noscript_beside(element: ElementRef<'_>) -> bool {
    const BESIDE_MAX: usize = 4;
    let beside = element.next_siblings().take(BESIDE_MAX).chain(element.prev_siblings().take(BESIDE_MAX));
    beside.filter_map(ElementRef::wrap).any(|beside| beside.value().name() == "noscript")
}

/// Address and words of a picture that stands in a `noscript` only.
pub(crate) fn in_noscript(element: ElementRef<'_>, base: Option<&Url>) -> Option<(String, String)> {
    let text: String = element.text().collect();
    if text.len() > NOSCRIPT_BYTES_MAX || !text.contains("<img") {
        return None;
    }
    let tree = Html::parse_fragment(&text);
    let image = tree.root_element().descendent_elements().find(|e| e.value().name() == "img")?;
    Some((source(image, base)?.into_owned(), image.attr("alt").unwrap_or_default().to_owned()))
}
