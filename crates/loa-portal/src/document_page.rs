//! The page of one official paper: its number, abstract, day of issue and files, each with a label.
//!
//! Such a page is no article: its title is the abstract, and its dates are those of the paper.

use crate::{
    Evidence, PageError, PageField, PortalDocument, PortalFile, PortalPage,
    address::Address,
    block::Form,
    document,
    file::{is_file, name_of},
    head::Head,
    identity,
    label::Label,
    posted::{self, Posted},
    reader::{Reader, label_of},
    title,
};
use loa_domain::{Clue, LeftOut};

/// Paragraphs that may stand before a paper's number; an article has more.
const PROSE_BEFORE_MAX: usize = 1;
/// Other things with labels that a paper's page says.
const DETAILS_MIN: usize = 2;

/// Whether a page is that of a paper: one number, and more of the same paper, before any text.
pub(crate) fn is_one(reader: &Reader) -> bool {
    let (mut numbers, mut details, mut prose) = (0, [false; 4], 0);
    for block in reader.blocks.iter().filter(|block| block.is_words() && !block.place.is_aside) {
        let detail = match label_of(block).map(|(label, _)| label) {
            Some(Label::DocumentNumber) => {
                numbers += 1;
                continue;
            }
            Some(Label::DocumentTitle) => 0,
            Some(Label::DocumentIssuedOn) => 1,
            Some(Label::DocumentIssuer) => 2,
            Some(Label::DocumentDetail) => 3,
            Some(Label::Posted) if numbers == 0 => return false,
            None if numbers == 0 => {
                prose += usize::from(block.is_prose());
                continue;
            }
            _ => continue,
        };
        details[detail] = true;
    }
    numbers == 1 && prose <= PROSE_BEFORE_MAX && details.iter().filter(|is_said| **is_said).count() >= DETAILS_MIN
}

/// What a paper's page says.
#[derive(Default)]
struct Said {
    number: Option<(String, usize)>,
    title: Option<(String, usize)>,
    issued_on: Option<(jiff::civil::Date, usize)>,
    issuer: String,
    kind: String,
    files: Vec<PortalFile>,
}

/// Reads the paper.
pub(crate) fn read(mut reader: Reader, head: &Head, address: Address) -> Result<PortalPage, PageError> {
    let mut said = Said::default();
    let mut place = 0;
    while place < reader.blocks.len() {
        place += said.take(&mut reader, place);
    }
    let Some((number, numbered)) = said.number else {
        return Err(PageError::NoNumber);
    };
    let line = reader.blocks[numbered].line;
    let heading = || {
        let headings = title::headings(&reader.blocks, head, address.url.as_ref());
        headings.into_iter().max_by_key(|heading| heading.weight)
    };
    let (title, titled, clues) = match said.title {
        Some((title, place)) => (title, place, vec![Clue::AbstractLabel]),
        None => {
            let heading = heading().ok_or(PageError::NoTitle { line })?;
            (heading.value, heading.blocks.map_or(numbered, |(first, _)| first), heading.clues)
        }
    };
    reader.take(titled);
    let issued_on = said.issued_on.map(|(day, _)| day);
    let (kind, short) = document::kind_of(&title);
    let kind = if said.kind.is_empty() { kind } else { said.kind };
    let id = identity::of_document(&number, &short, issued_on);
    let taken = |field, value: &str, place: usize, clues| Evidence {
        field,
        value: value.to_owned(),
        line: reader.blocks[place].line,
        clues,
        is_assumed: false,
    };
    let evidence = vec![
        taken(PageField::Number, &number, numbered, vec![Clue::NumberLabel]),
        taken(PageField::Title, &title, titled, clues),
    ];
    let document = PortalDocument { id, number, kind, title: short, issued_on, issuer: said.issuer, url: address.url };
    let report = reader.report();
    Ok(PortalPage {
        article: None,
        documents: vec![document],
        files: said.files,
        other_items: Vec::new(),
        pager: None,
        links: Vec::new(),
        visits: None,
        evidence,
        report,
    })
}

impl Said {
    /// Reads the block at `place`; answers how many blocks it took.
    fn take(&mut self, reader: &mut Reader, place: usize) -> usize {
        let block = reader.blocks[place].clone();
        if !block.is_words() || block.place.is_aside || block.form == Form::Furniture {
            return 1;
        }
        let Some((label, value)) = label_of(&block) else {
            self.files(reader, place);
            return 1;
        };
        let (value, has_next) = reader.value_of(place, value);
        let is_taken = match label {
            _ if value.is_empty() => false,
            Label::DocumentNumber if self.number.is_none() => {
                self.number = Some((value, place));
                true
            }
            Label::DocumentTitle if self.title.is_none() => {
                self.title = Some((value, place));
                true
            }
            Label::DocumentIssuer if self.issuer.is_empty() => {
                self.issuer = value;
                true
            }
            Label::DocumentIssuedOn if self.issued_on.is_none() => match posted::parse(&value) {
                Ok(Posted::At { day, .. }) => {
                    self.issued_on = Some((day, place));
                    true
                }
                Ok(Posted::Placeholder) => {
                    reader.note(place, LeftOut::PlaceholderIssueDate);
                    false
                }
                Err(fault) => {
                    reader.note(place, LeftOut::IssueDate { fault });
                    false
                }
            },
            Label::DocumentDetail if is_kind(&block.text) && self.kind.is_empty() => {
                self.kind = value;
                true
            }
            Label::DocumentDetail => {
                reader.note(place, LeftOut::OtherDetail { value: value.into() });
                false
            }
            Label::Files => {
                self.files(reader, place);
                return 1;
            }
            _ => false,
        };
        if is_taken {
            reader.take_both(place, has_next);
        } else if label == Label::DocumentDetail && has_next {
            reader.take(place + 1);
        }
        1 + usize::from(has_next && (is_taken || label == Label::DocumentDetail))
    }

    /// Keeps the files that a block links to.
    fn files(&mut self, reader: &mut Reader, place: usize) {
        let block = &reader.blocks[place];
        let files: Vec<PortalFile> = block
            .links
            .iter()
            .filter(|(_, url)| is_file(url))
            .map(|(title, url)| PortalFile {
                title: if title.is_empty() { name_of(url) } else { title.clone() },
                url: url.clone(),
            })
            .collect();
        if !files.is_empty() {
            self.files.extend(files);
            reader.take(place);
        }
    }
}

/// Whether the label is that of the kind of paper.
fn is_kind(text: &str) -> bool {
    let lower = text.chars().take(30).collect::<String>().to_lowercase();
    ["loại văn bản", "thể loại văn bản", "hình thức văn bản"].iter().any(|words| lower.starts_with(words))
}
