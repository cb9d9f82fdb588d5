//! What a page says of itself to machines: `title`, Open Graph, canonical address, microdata and
//! JSON-LD.
//!
//! It collects what is written, where it is written, and believes none of it: many portals' systems
//! write wrong dates there. Who weighs decides.

use crate::{element::absolute, json_ld};
use loa_domain::clean_line;
use scraper::{ElementRef, Html};
use url::Url;

/// Values of one kind that are looked at.
const VALUES_MAX: usize = 50;
/// The longest value kept, in characters.
const VALUE_CHARS_MAX: usize = 300;

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) value: String,
    pub(crate) by: &'static str,
}

/// What the page says of itself.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// Where relative addresses begin: `base`, else the page's address.
    pub(crate) base: Option<Url>,
    /// `link rel="canonical"`, absolute.
    pub(crate) canonical: Option<Url>,
    /// `og:url`, absolute.
    pub(crate) open_graph_url: Option<Url>,
    /// `meta name="article-id"`.
    pub(crate) article_id: Option<String>,
    /// The whole of `title`, which often ends with the site's name.
    pub(crate) page_title: String,
    /// Titles of the article itself.
    pub(crate) titles: Vec<Said>,
    /// `og:site_name`: what the site is called.
    pub(crate) site_name: String,
    /// The same as they are compared, with that of the page last.
    folded: Vec<(String, &'static str)>,
    pub(crate) times: Vec<Said>,
    pub(crate) authors: Vec<Said>,
}

impl Head {
    pub(crate) fn read(tree: &Html, address: Option<&Url>) -> Self {
        let mut head = Self::default();
        let (mut base, mut canonical) = (None, None);
        for element in tree.root_element().descendent_elements() {
            match element.value().name() {
                "base" => base = base.or(element.attr("href")),
                "title" if head.page_title.is_empty() => {
                    head.page_title = short_text(element);
                }
                "link" if element.attr("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("canonical")) => {
                    canonical = canonical.or(element.attr("href"));
                }
                "meta" => head.meta(element),
                "script"
                    if element.attr("type").is_some_and(|kind| kind.eq_ignore_ascii_case("application/ld+json")) =>
                {
                    head.json_ld(&element.text().collect::<String>());
                }
                _ => {}
            }
            head.microdata(element);
        }
        // Relative addresses begin at `base`, that of the canonical link too (HTML §2.4.3).
        let begin = base.and_then(|href| absolute(address, href)).or_else(|| address.cloned());
        head.canonical = canonical.and_then(|href| absolute(begin.as_ref(), href));
        // A page that gives no address of its own is where its canonical link says it is.
        let own = address.or(head.canonical.as_ref()).or(head.open_graph_url.as_ref()).cloned();
        head.base = base.and_then(|href| absolute(own.as_ref(), href)).or(own);
        head.folded = head.titles.iter().map(|said| (folded(&said.value), said.by)).collect();
        head.folded.push((folded(&head.page_title), "`title`"));
        head
    }

    fn meta(&mut self, element: ElementRef<'_>) {
        let name = element.attr("property").or(element.attr("name")).unwrap_or_default();
        let content = short(element.attr("content").unwrap_or_default());
        if content.is_empty() {
            return;
        }
        match name {
            "article-id" => self.article_id = Some(content),
            "og:site_name" => self.site_name = content,
            "og:title" => push(&mut self.titles, content, "og:title"),
            "og:url" => self.open_graph_url = absolute(None, &content),
            "article:published_time" => push(&mut self.times, content, "article:published_time"),
            _ => {}
        }
    }

    fn microdata(&mut self, element: ElementRef<'_>) {
        let Some(property) = element.attr("itemprop") else { return };
        let value = || {
            let written = element.attr("content").or(element.attr("datetime"));
            written.map_or_else(|| short_text(element), short)
        };
        match property {
            "headline" => push(&mut self.titles, value(), "itemprop headline"),
            "datePublished" => push(&mut self.times, value(), "itemprop datePublished"),
            "author" => push(&mut self.authors, value(), "itemprop author"),
            _ => {}
        }
    }

    fn json_ld(&mut self, text: &str) {
        for article in json_ld::articles(text) {
            push(&mut self.titles, short(&article.headline), "JSON-LD headline");
            push(&mut self.times, short(&article.published), "JSON-LD datePublished");
            push(&mut self.authors, short(&article.author), "JSON-LD author");
        }
    }

    /// Whether a text is the title that the page says it has: word for word, or before the site's name.
    pub(crate) fn confirms(&self, text: &str) -> Option<&'static str> {
        let text = folded(text);
        if text.is_empty() {
            return None;
        }
        let (page, titles) = self.folded.split_last()?;
        let said = titles.iter().find(|(title, _)| *title == text).map(|(_, by)| *by);
        said.or_else(|| {
            let behind = page.0.strip_prefix(&text)?.trim_start();
            (behind.is_empty() || behind.starts_with(['-', '–', '—', '|', '»', ':', '·', '<'])).then_some(page.1)
        })
    }
}

fn push(values: &mut Vec<Said>, value: String, by: &'static str) {
    if values.len() < VALUES_MAX && !value.is_empty() {
        values.push(Said { value, by });
    }
}

/// The beginning of an element's text. No more of it is read: elements of one kind may stand inside each other.
pub(crate) fn short_text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    for part in element.text() {
        let end = part.char_indices().nth(4 * VALUE_CHARS_MAX).map_or(part.len(), |(end, _)| end);
        text.push_str(&part[..end]);
        if text.len() > 4 * VALUE_CHARS_MAX {
            break;
        }
    }
    short(&text)
}

fn short(text: &str) -> String {
    let cut = text.char_indices().nth(4 * VALUE_CHARS_MAX).map_or(text, |(end, _)| &text[..end]);
    clean_line(cut).chars().take(VALUE_CHARS_MAX).collect()
}

/// A text as it is compared with another: one case, one kind of space.
pub(crate) fn folded(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).collect::<String>().to_lowercase().trim().to_owned()
}
