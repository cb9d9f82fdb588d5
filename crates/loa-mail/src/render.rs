//! A digest becomes HTML and plain text, once for everyone who is owed the same.
//!
//! Links that differ from mailbox to mailbox stay open: a control character, which no cleaned text
//! can contain, stands in their place. HTML stays under Gmail's limit. Items beyond it are counted
//! and linked, the same in both parts.

use crate::{Digest, Letterhead, MailItem, words};
use loa_area::Directory;
use loa_domain::{Content, ItemKind, RunKey, clean_line};
use loa_words::Language;
use minijinja::{Value, context};

/// Gmail clips HTML at 102 KB and hides the unsubscribe link with the rest. What the items may take; the frame has
/// about 7 KB of its own.
const ITEMS_HTML_MAX: usize = 88_000;
/// More lines than this nobody reads; the rest is one link away.
const ITEMS_MAX: usize = 80;
/// The longest summary, in characters.
const SUMMARY_MAX: usize = 320;
/// Files named for one item.
const FILES_MAX: usize = 10;

/// Where a mailbox's own unsubscribe address goes.
pub(crate) const UNSUBSCRIBE: char = '\u{1}';
/// Where the address for changing its wish goes.
pub(crate) const MANAGE: char = '\u{2}';

/// A digest's text, shared by all mailboxes that are owed the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The run it belongs to.
    pub run: RunKey,
    /// One line.
    pub subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
    /// Items that no longer fitted: said as "và N tin khác".
    pub hidden: usize,
}

impl Rendered {
    /// The HTML part as it looks, its own links leading to `href`: for previews.
    pub fn html_with(&self, href: &str) -> String {
        self.html.replace([UNSUBSCRIBE, MANAGE], href)
    }

    /// The text part as it looks, its own links leading to `href`: for previews.
    pub fn text_with(&self, href: &str) -> String {
        self.text.replace([UNSUBSCRIBE, MANAGE], href)
    }
}

/// Why a digest was not rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Nothing to say: the mail must not exist.
    #[error("a digest without items")]
    Empty,
    /// A template failed: a defect of ours.
    #[error("a mail template failed")]
    Template(#[from] minijinja::Error),
}

impl Letterhead {
    /// Renders a digest. Pure: equal digests, equal renderings.
    ///
    /// # Errors
    /// See [`RenderError`].
    pub fn render(&self, digest: &Digest, directory: &Directory) -> Result<Rendered, RenderError> {
        if digest.items.is_empty() {
            return Err(RenderError::Empty);
        }
        let shown = self.choose(&digest.items, directory)?;
        let hidden = digest.items.len() - shown.iter().map(|section| section.html.len()).sum::<usize>();
        let subject = words::subject(&digest.run, &digest.items);
        let page = context! {
            subject => &subject,
            list_name => &self.settings.list_name,
            heading => words::heading(&digest.run),
            days => words::days_covered(&digest.items, &self.settings.zone),
            preview => preview(&digest.items),
            sections => shown.iter().map(Section::value).collect::<Vec<_>>(),
            hidden => hidden,
            more_url => self.link("feeds/all"),
            site_url => self.link(""),
            frequency => Language::Vietnamese.words().frequency(digest.run.frequency),
            areas => digest.wish.areas_line(),
            categories => digest.wish.categories_line(),
            unsubscribe_url => UNSUBSCRIBE.to_string(),
            manage_url => MANAGE.to_string(),
        };
        let html = self.templates.get_template("digest.html")?.render(&page)?;
        let text = self.templates.get_template("digest.txt")?.render(&page)?;
        Ok(Rendered { run: digest.run.clone(), subject, html, text, hidden })
    }

    /// The items that fit. Corrections have the first right to the space: they must reach whoever read the error.
    fn choose(&self, items: &[MailItem], directory: &Directory) -> Result<Vec<Section>, RenderError> {
        let (html, text) =
            (self.templates.get_template("digest_item.html")?, self.templates.get_template("digest_item.txt")?);
        let (mut space, mut places) = (ITEMS_HTML_MAX, ITEMS_MAX);
        let mut sections = Vec::new();
        for kind in [ItemKind::Correction, ItemKind::News, ItemKind::Update] {
            let mut section = Section { kind, html: Vec::new(), text: Vec::new() };
            for item in items.iter().filter(|item| item.kind == kind) {
                let value = self.line(item, section.html.len() + 1, directory);
                let block = html.render(&value)?;
                if places == 0 || block.len() > space {
                    break;
                }
                (space, places) = (space - block.len(), places - 1);
                section.html.push(block);
                section.text.push(text.render(&value)?.trim().to_owned());
            }
            if !section.html.is_empty() {
                sections.push(section);
            }
        }
        sections.sort_by_key(|section| section.kind);
        Ok(sections)
    }

    fn line(&self, item: &MailItem, number: usize, directory: &Directory) -> Value {
        let (content, zone) = (&item.content, &self.settings.zone);
        let published = words::day(words::local_day(content.published_at(), zone));
        let date = match content {
            Content::Document(document) => match document.issued_on {
                Some(issued) => words::issued(issued),
                None => published.clone(),
            },
            Content::Article(_) => published.clone(),
        };
        let modified = words::day(words::local_day(content.modified_at(), zone));
        let label = match content {
            Content::Article(article) => clean_line(&article.category.label),
            Content::Document(document) if document.kind.is_empty() => words::DOCUMENT.to_owned(),
            Content::Document(document) => clean_line(&document.kind),
        };
        let files = content.attachments().iter().take(FILES_MAX).map(|file| {
            context! { name => words::file_name(file), detail => words::file_detail(file), url => file.url.as_str() }
        });
        context! {
            number => number,
            is_update => item.kind == ItemKind::Update,
            is_correction => item.kind == ItemKind::Correction,
            title => clean_line(&content.title()),
            url => content.url().as_str(),
            date => date,
            modified => if modified == published { String::new() } else { modified },
            category => label,
            areas => clean_line(&words::places(content.areas(), directory)),
            portal => clean_line(&item.portal),
            summary => words::cut(&clean_line(content.summary()), SUMMARY_MAX),
            reason => clean_line(&item.reason).trim_end_matches('.'),
            files => files.collect::<Vec<_>>(),
        }
    }
}

struct Section {
    kind: ItemKind,
    html: Vec<String>,
    text: Vec<String>,
}

impl Section {
    fn value(&self) -> Value {
        context! {
            heading => words::section(self.kind),
            count => self.html.len(),
            html => self.html.iter().map(|block| Value::from_safe_string(block.clone())).collect::<Vec<_>>(),
            text => &self.text,
        }
    }
}

/// What mail programs show beside the subject: the titles after the first.
fn preview(items: &[MailItem]) -> String {
    let titles: Vec<String> = items.iter().skip(1).take(4).map(|item| clean_line(&item.content.title())).collect();
    match (titles.is_empty(), items.first()) {
        (true, Some(first)) => words::cut(&clean_line(first.content.summary()), 140),
        _ => words::cut(&titles.join(" · "), 140),
    }
}
