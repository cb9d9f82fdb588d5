//! Puts the article of a page together: its title and time, its text, what stands behind it, and the
//! evidence of each value.
//!
//! It decides nothing itself; it asks in turn who does. What makes a page unreadable ends in one
//! [`PageError`].

use crate::{
    Evidence, NotUnderstood, PageError, PageField, PortalArticle, PortalPage,
    address::Address,
    behind::{self, Credits},
    body::{self, Body},
    head::Head,
    identity, passage,
    posting::Posting,
    reader::{Reader, label_of},
    region,
    stamp::{Beside, beside},
    title_and_time::{self, Page, Title},
};
use loa_domain::{ArticleId, Clue, LeftOut};

/// Reads the article.
pub(crate) fn read(mut page: Page<'_>) -> Result<PortalPage, PageError> {
    let (title, region, posting) = title_and_time::decide(&page)?;
    let mut credits = Credits::default();
    let mut views = None;
    let titled = title.blocks.map(|(first, last)| {
        (first..=last).for_each(|place| page.reader.take(place));
        last
    });
    take_time(&mut page.reader, &posting, &mut views);
    let start = passage::start_of_text(&page.reader, region, titled, &posting);
    let end = region::end_of_text(&page.reader.blocks, region, start).max(start);
    passage::head_lines(&mut page.reader, region, titled, &posting, &mut credits);
    let mut read = empty();
    let places = passage::text_blocks(&mut page.reader, region, (start, end), titled, &mut views, &mut read);
    let places = passage::without_trailing_links(&mut page.reader, places, &mut read);
    let body = body::write(&mut page.reader, &places)
        .ok_or_else(|| PageError::EmptyBody { title: title.value.as_str().into() })?;
    behind::read(&mut page.reader, end, &mut read, &mut credits, &mut views);
    finish(page, read, Parts { title, posting, body, credits, views })
}

/// Takes the line of the time, with the count of readers beside it; the rest is told.
fn take_time(reader: &mut Reader, posting: &Posting, views: &mut Option<u64>) {
    let Some((first, last)) = posting.blocks else { return };
    (first..=last).for_each(|place| reader.take(place));
    if posting.local.is_none() {
        reader.note(last, LeftOut::PlaceholderTime);
    }
    match beside(&posting.rest) {
        Beside::Nothing | Beside::Known => {}
        Beside::Views(count) => *views = Some(count),
        Beside::Unknown => reader.note(last, LeftOut::BesideTime { rest: posting.rest.as_str().into() }),
    }
}

/// What an article is put together from.
struct Parts {
    title: Title,
    posting: Posting,
    body: Body,
    credits: Credits,
    views: Option<u64>,
}

fn finish(page: Page<'_>, mut read: PortalPage, parts: Parts) -> Result<PortalPage, PageError> {
    let Page { reader, head, address, .. } = page;
    let Parts { title, posting, body, credits, views } = parts;
    let own = head.article_id.clone().and_then(|id| ArticleId::new(id).ok());
    let own_id = own.is_some();
    let address_id = match &own {
        None => address.url.as_ref().map(identity::of_address),
        Some(_) => None,
    };
    read.evidence = evidence(&reader, &title, &posting, &body, &credits, head, &address);
    let machine_author = || head.authors.first().map(|said| said.value.clone()).unwrap_or_default();
    read.article = Some(PortalArticle {
        id: own.unwrap_or_else(|| identity::of_article(&title.value, posting.local)),
        address_id,
        has_own_id: own_id,
        title: title.value,
        published_at: posting.at,
        summary: body.summary,
        content_html: body.content_html,
        content_text: body.content_text,
        source_name: credits.source.map(|(name, _)| name).unwrap_or_default(),
        author: credits.author.map_or_else(machine_author, |(name, _)| name),
        images: body.images,
        is_url_claimed: address.is_claimed,
        url: address.url,
        views,
    });
    let told = |(text, why): (String, LeftOut)| NotUnderstood { line: 0, text, why };
    read.report = posting.disbelieved.into_iter().chain(address.notes).map(told).collect();
    read.report.extend(reader.report());
    Ok(read)
}

/// Why each value was taken.
fn evidence(
    reader: &Reader,
    title: &Title,
    posting: &Posting,
    body: &Body,
    credits: &Credits,
    head: &Head,
    address: &Address,
) -> Vec<Evidence> {
    let line = |place: usize| reader.blocks[place].line;
    let mut evidence =
        vec![title.chosen(PageField::Title, title.value.clone(), title.blocks.is_none()), posting.evidence.clone()];
    let mut push = |field, value: &str, line, clue: Clue, is_assumed| {
        evidence.push(Evidence { field, value: value.to_owned(), line, clues: vec![clue], is_assumed });
    };
    if let Some((place, is_named)) = body.lead {
        let clue = if is_named { Clue::ElementName } else { Clue::FirstParagraph };
        push(PageField::Summary, &body.summary, line(place), clue, !is_named);
    }
    if let Some((first, last, blocks)) = body.blocks {
        let clue = Clue::BehindTitle { blocks, last_line: line(last) };
        push(PageField::Body, &body.content_text, line(first), clue, false);
    }
    if let Some((name, place)) = &credits.source {
        let is_labelled = label_of(&reader.blocks[*place]).is_some();
        let clue = if is_labelled { Clue::SourceLabel } else { Clue::NameBesideTime };
        push(PageField::Source, name, line(*place), clue, !is_labelled);
    }
    if let Some((name, place)) = &credits.author {
        push(PageField::Author, name, line(*place), Clue::AuthorLabel, false);
    }
    if credits.author.is_none()
        && let Some(said) = head.authors.first()
    {
        push(PageField::Author, &said.value, 0, Clue::Machines(said.by.into()), true);
    }
    if let (Some(url), Some(clue)) = (&address.url, &address.clue) {
        push(PageField::Address, url.as_str(), 0, clue.clone(), false);
    }
    for image in &body.images {
        let (value, clue) = match &image.url {
            Some(url) => (url.as_str(), Clue::PictureInText),
            None => (image.name.as_str(), Clue::PictureWithoutAddress),
        };
        push(PageField::Picture, value, 0, clue, false);
    }
    evidence
}

fn empty() -> PortalPage {
    PortalPage {
        article: None,
        documents: Vec::new(),
        files: Vec::new(),
        other_items: Vec::new(),
        pager: None,
        links: Vec::new(),
        visits: None,
        evidence: Vec::new(),
        report: Vec::new(),
    }
}
