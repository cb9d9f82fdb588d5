//! XML as a row of entries: the elements of some name, each with its children as they are written.
//!
//! It knows XML and no form of source. Nothing recurses, and no entity but XML's own means anything.

use crate::PageError;
use loa_domain::clean_line;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use scraper::Html;

/// An element that a source repeats.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) fields: Vec<EntryField>,
}

/// A child of it.
#[derive(Debug)]
pub(crate) struct EntryField {
    /// Lower case, with its prefix as written: `content:encoded`.
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    /// What stands between its tags, as written.
    pub(crate) inner: String,
}

impl Entry {
    /// The text of the first child of one of these names that has any.
    pub(crate) fn text(&self, names: &[&str]) -> Option<String> {
        let fields = names.iter().flat_map(|name| self.all(name));
        fields.map(EntryField::text).find(|text| !text.is_empty())
    }

    /// All children of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a EntryField> {
        self.fields.iter().filter(move |field| field.name == name)
    }
}

impl EntryField {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Its text: entities read, tags left out.
    pub(crate) fn text(&self) -> String {
        unescaped(&self.inner).trim().to_owned()
    }
}

/// The name of the root element, in lower case; `None`: no XML.
pub(crate) fn root(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => return Some(name_of(&start)),
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// The elements of these names, each with its children.
pub(crate) fn read(text: &str, names: &[&str]) -> Result<Vec<Entry>, PageError> {
    let broken = |reader: &Reader<&[u8]>, why: String| {
        let at = usize::try_from(reader.error_position()).unwrap_or(0).min(text.len());
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        PageError::BrokenXml { line, said: why.into() }
    };
    let mut reader = Reader::from_str(text);
    let (mut entries, mut entry) = (Vec::new(), None::<Entry>);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = name_of(&start);
                if names.contains(&name.as_str()) {
                    entry = Some(Entry::default());
                } else if let Some(entry) = &mut entry {
                    let attributes = attributes_of(&start);
                    let from = usize::try_from(reader.buffer_position()).unwrap_or(0);
                    match reader.read_to_end(start.name()) {
                        Ok(span) => {
                            let end = usize::try_from(span.end).unwrap_or(from).clamp(from, text.len());
                            let inner = text.get(from..end).unwrap_or_default().to_owned();
                            entry.fields.push(EntryField { name, attributes, inner });
                        }
                        Err(error) => return Err(broken(&reader, error.to_string())),
                    }
                }
            }
            Ok(Event::Empty(start)) => {
                if let Some(entry) = &mut entry {
                    let attributes = attributes_of(&start);
                    entry.fields.push(EntryField { name: name_of(&start), attributes, inner: String::new() });
                }
            }
            Ok(Event::End(_)) => entries.extend(entry.take()),
            Ok(Event::Eof) => return Ok(entries),
            Ok(_) => {}
            Err(error) => return Err(broken(&reader, error.to_string())),
        }
    }
}

/// Text of XML without its tags.
pub(crate) fn unescaped(inner: &str) -> String {
    let mut reader = Reader::from_str(inner);
    reader.config_mut().check_end_names = false;
    let mut text = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Text(part)) => text.push_str(&part.decode().unwrap_or_default()),
            Ok(Event::CData(part)) => text.push_str(&part.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(name)) => {
                let known = name.resolve_char_ref().ok().flatten().map(String::from);
                let name = name.decode().unwrap_or_default();
                let known = known.or_else(|| quick_xml::escape::resolve_xml_entity(&name).map(str::to_owned));
                // an entity of HTML (`&nbsp;`) is left to whoever reads HTML
                text.push_str(&known.unwrap_or_else(|| format!("&{name};")));
            }
            Ok(Event::Eof) | Err(_) => return text,
            Ok(_) => {}
        }
    }
}

/// One line of plain text of a bit of HTML: a title with entities or emphasis in it.
pub(crate) fn plain(html: &str) -> String {
    const PLAIN_BYTES_MAX: usize = 20_000;
    let end = html.char_indices().map(|(at, _)| at).find(|at| *at >= PLAIN_BYTES_MAX).unwrap_or(html.len());
    let html = &html[..end];
    if !html.contains(['<', '&']) || loa_html::measure(html, loa_html::Shape::Page).is_err() {
        return clean_line(html);
    }
    clean_line(&Html::parse_fragment(html).root_element().text().collect::<String>())
}

fn name_of(start: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(start.name().as_ref()).to_ascii_lowercase()
}

fn attributes_of(start: &BytesStart<'_>) -> Vec<(String, String)> {
    let read = |attribute: quick_xml::events::attributes::Attribute<'_>| {
        let name = String::from_utf8_lossy(attribute.key.as_ref()).to_ascii_lowercase();
        let value = unescaped(&String::from_utf8_lossy(&attribute.value));
        (name, value)
    };
    start.attributes().with_checks(false).filter_map(Result::ok).map(read).collect()
}
