//! Reads the `data` of an event by the contract and normalises it: an article, a document or a
//! withdrawal.
//!
//! Members that the contract does not know are neither read nor refused; they stay in the event's
//! original bytes. The shapes are those of `docs/schemas`; a test compares the two.

use crate::{
    Note, Refusal,
    areas::areas_of,
    fields::Fields,
    html::{Cleaned, clean_html, text_of_html},
    limits::{
        ALT_CHARS_MAX, ATTACHMENTS_MAX, IMAGES_MAX, ISSUE_YEAR_MIN, NAME_CHARS_MAX, REASON_CHARS_MAX, REVISION_MAX,
        SUMMARY_CHARS_MAX, TITLE_CHARS_MAX,
    },
    old_encoding::{Text, modernise},
    refusal::bad_id,
};
use jiff::Timestamp;
use loa_area::Directory;
use loa_domain::{
    Article, ArticleId, Attachment, Calendar, Category, CategorySlug, Change, Content, Document, EventType, Flaw,
    Image, Remark, Withdrawal, without_lookalikes,
};

/// The language of what does not say its own.
const LANGUAGE: &str = "vi";

/// Reads `data`; `time` is the event's own, where data do not say when.
pub(crate) struct Reader<'a> {
    pub directory: &'a Directory,
    pub calendar: &'a Calendar,
    pub time: Option<Timestamp>,
    pub notes: &'a mut Vec<Note>,
}

impl Reader<'_> {
    pub fn change(self, event_type: EventType, data: &Fields<'_>) -> Result<Change, Refusal> {
        Ok(match event_type {
            EventType::ArticlePublished | EventType::ArticleUpdated => {
                Change::Live(Box::new(Content::Article(self.article(data)?)))
            }
            EventType::DocumentIssued => Change::Live(Box::new(Content::Document(self.document(data)?))),
            EventType::ArticleWithdrawn | EventType::DocumentWithdrawn => Change::Withdrawn(self.withdrawal(data)?),
        })
    }

    fn article(self, data: &Fields<'_>) -> Result<Article, Refusal> {
        let (id, revision) = identity(data)?;
        let url = data.url_required("url")?;
        let mut title = data.line_required("title", TITLE_CHARS_MAX)?;
        let mut summary = data.text("summary", SUMMARY_CHARS_MAX)?;
        let language = language(data)?;
        let body = data.raw("content_html")?.unwrap_or_default();
        let pointer = data.pointer("content_html");
        let Cleaned { html: mut content_html, altered } = clean_html(body, &url, &language, &pointer)?;
        self.notes.extend(altered.into_iter().map(|(what, count)| {
            let remark = Remark::Altered { what, count };
            Note { pointer: pointer.clone(), remark }
        }));
        let Some(published_at) = data.instant("published_at")? else { return data.missing("published_at") };
        // Earlier than the publication is a slip of many a CMS; an entry that changed before it existed confuses readers.
        let modified_at = data.instant("modified_at")?.unwrap_or(published_at).max(published_at);
        let mut source_name = data.line("source_name", NAME_CHARS_MAX)?;
        let (mut images, mut attachments) = (images(data)?, attachments(data)?);
        let mut category = Named::category(data)?;
        let mut texts = vec![
            plain(data, "title", &mut title),
            plain(data, "summary", &mut summary),
            Text { pointer, text: &mut content_html, sent: body, is_html: true },
            plain(data, "source_name", &mut source_name),
            Text { pointer: data.pointer("category"), text: &mut category.label, sent: "", is_html: false },
            Text { pointer: data.pointer("category"), text: &mut category.slug, sent: "", is_html: false },
        ];
        texts.extend(images.iter_mut().map(|image| alternative(data, "images", &mut image.alt)));
        texts.extend(attachments.iter_mut().map(|file| alternative(data, "attachments", &mut file.title)));
        modernise(&mut texts, &language, self.notes)?;
        let text = || format!("{title}\n{summary}\n{}", text_of_html(&content_html));
        let areas = areas_of(data, self.directory, self.calendar.day(published_at), text, self.notes)?;
        Ok(Article {
            id,
            revision,
            language,
            category: category.slugified()?,
            areas,
            source_name,
            images,
            attachments,
            published_at,
            modified_at,
            url,
            title,
            summary,
            content_html,
        })
    }

    fn document(self, data: &Fields<'_>) -> Result<Document, Refusal> {
        let (id, revision) = identity(data)?;
        let mut title = data.line_required("title", TITLE_CHARS_MAX)?;
        let mut kind = data.line("kind", NAME_CHARS_MAX)?;
        let issued_on = data.date("issued_on", ISSUE_YEAR_MIN)?;
        let issue_day = issued_on.map(|day| self.calendar.day_begins(day));
        let Some(published_at) = data.instant("published_at")?.or(self.time).or(issue_day) else {
            return data.refuse("published_at", Flaw::NoPublication);
        };
        let mut number = data.line_required("number", NAME_CHARS_MAX)?;
        let mut issuer = data.line("issuer", NAME_CHARS_MAX)?;
        let mut attachments = attachments(data)?;
        let mut texts = vec![
            plain(data, "title", &mut title),
            plain(data, "kind", &mut kind),
            plain(data, "number", &mut number),
            plain(data, "issuer", &mut issuer),
        ];
        texts.extend(attachments.iter_mut().map(|file| alternative(data, "attachments", &mut file.title)));
        modernise(&mut texts, LANGUAGE, self.notes)?;
        let text = || format!("{kind}\n{title}");
        let areas = areas_of(data, self.directory, self.calendar.day(published_at), text, self.notes)?;
        Ok(Document {
            id,
            revision,
            number,
            issuer,
            url: data.url_required("url")?,
            attachments,
            areas,
            issued_on,
            published_at,
            kind,
            title,
        })
    }

    fn withdrawal(self, data: &Fields<'_>) -> Result<Withdrawal, Refusal> {
        let (id, revision) = identity(data)?;
        let mut reason = data.line("reason", REASON_CHARS_MAX)?;
        modernise(&mut [plain(data, "reason", &mut reason)], LANGUAGE, self.notes)?;
        match data.instant("at")?.or(self.time) {
            Some(at) => Ok(Withdrawal { id, revision, reason, at }),
            None => data.missing("at"),
        }
    }
}

fn identity(data: &Fields<'_>) -> Result<(ArticleId, u64), Refusal> {
    let id = match data.raw("id")?.unwrap_or_default() {
        "" => data.missing("id"),
        text => ArticleId::new(text).or_else(|error| data.refuse("id", bad_id(error))),
    }?;
    match data.whole("revision", 1, REVISION_MAX)? {
        Some(revision) => Ok((id, revision)),
        None => data.missing("revision"),
    }
}

/// A member of one text.
fn plain<'t>(data: &Fields<'t>, name: &str, text: &'t mut String) -> Text<'t> {
    // it was read before, and is text
    let sent = data.raw(name).ok().flatten().unwrap_or_default();
    Text { pointer: data.pointer(name), text, sent, is_html: false }
}

/// What a picture or file of a list is called.
fn alternative<'t>(data: &Fields<'_>, list: &str, text: &'t mut String) -> Text<'t> {
    Text { pointer: data.pointer(list), text, sent: "", is_html: false }
}

/// A category as it was written.
struct Named {
    pointer: String,
    slug: String,
    label: String,
}

impl Named {
    fn category(data: &Fields<'_>) -> Result<Self, Refusal> {
        let Some(value) = data.get("category") else { return data.missing("category") };
        let category = Fields::new(value, data.pointer("category"))?;
        let slug = category.line_required("slug", NAME_CHARS_MAX)?;
        Ok(Self { pointer: category.pointer("slug"), slug, label: category.line("label", NAME_CHARS_MAX)? })
    }

    fn slugified(self) -> Result<Category, Refusal> {
        let Self { pointer, slug: written, label } = self;
        // Two spellings of one category are one feed: `Tin tức`, `tin_tuc` and `tin-tuc`.
        let slug = CategorySlug::new(slug::slugify(without_lookalikes(&written)))
            .map_err(|_| Refusal::at(pointer, Flaw::Slug { text: written.as_str().into() }))?;
        Ok(Category { slug, label: if label.is_empty() { written } else { label } })
    }
}

/// A language tag by the shape of RFC 5646 §2.1, in lower case up to the region; `vi` when absent.
fn language(data: &Fields<'_>) -> Result<String, Refusal> {
    let tag = data.raw("language")?.unwrap_or(LANGUAGE).trim();
    let mut parts = tag.split('-');
    let first = parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    if !first || !rest || tag.len() > 35 {
        return data.refuse("language", Flaw::Language { text: tag.into() });
    }
    Ok(tag.to_owned())
}

fn images(data: &Fields<'_>) -> Result<Vec<Image>, Refusal> {
    let read = |(pointer, value)| {
        let item = Fields::new(value, pointer)?;
        Ok(Image {
            url: item.url_required("url")?,
            media_type: media_type(&item)?,
            bytes: bytes(&item)?,
            alt: alt(&item)?,
        })
    };
    data.list("images", IMAGES_MAX)?.into_iter().map(read).collect()
}

fn attachments(data: &Fields<'_>) -> Result<Vec<Attachment>, Refusal> {
    let read = |(pointer, value)| {
        let item = Fields::new(value, pointer)?;
        let media_type = match media_type(&item)? {
            unknown if unknown.is_empty() => "application/octet-stream".to_owned(),
            known => known,
        };
        Ok(Attachment { url: item.url_required("url")?, media_type, bytes: bytes(&item)?, title: alt(&item)? })
    };
    data.list("attachments", ATTACHMENTS_MAX)?.into_iter().map(read).collect()
}

fn alt(item: &Fields<'_>) -> Result<String, Refusal> {
    item.line("alt", ALT_CHARS_MAX)
}

fn bytes(item: &Fields<'_>) -> Result<u64, Refusal> {
    Ok(item.whole("bytes", 0, REVISION_MAX)?.unwrap_or(0))
}

/// `type/subtype` in lower case, without parameters; empty when absent.
fn media_type(item: &Fields<'_>) -> Result<String, Refusal> {
    let line = item.line("media_type", NAME_CHARS_MAX)?.to_ascii_lowercase();
    let essence = line.split(';').next().unwrap_or_default().trim();
    let token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    if essence.is_empty() || essence.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub)) {
        return Ok(essence.to_owned());
    }
    item.refuse("media_type", Flaw::MediaType { text: essence.into() })
}
