//! Reading back what was written: a strict XML reader, and an independent feed reader.

use quick_xml::{Reader, events::Event, name::ResolveResult, reader::NsReader};
use std::collections::BTreeSet;

/// Elements, with their text, in document order. Panics on anything that XML 1.0 forbids.
pub fn elements(xml: &str) -> Vec<(String, String)> {
    assert!(xml.chars().all(loa_domain::is_xml_char), "a character that XML 1.0 does not allow");
    strict_namespaces(xml);
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.check_comments = true;
    config.allow_dangling_amp = false;
    let (mut found, mut stack): (Vec<(String, String)>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                attributes(&start);
                found.push((String::from_utf8(start.name().as_ref().to_vec()).unwrap(), String::new()));
                stack.push(found.len() - 1);
            }
            Event::Empty(start) => {
                attributes(&start);
                found.push((String::from_utf8(start.name().as_ref().to_vec()).unwrap(), String::new()));
            }
            Event::End(_) => {
                stack.pop().expect("an end tag without a start");
            }
            Event::Text(text) => {
                let text = text.decode().unwrap();
                match stack.last() {
                    Some(&top) => found[top].1.push_str(&text),
                    None => assert!(text.trim().is_empty(), "text outside the root element"),
                }
            }
            Event::CData(text) => {
                found[*stack.last().expect("CDATA inside the root")].1.push_str(&text.decode().unwrap())
            }
            Event::GeneralRef(name) => {
                let resolved = match name.resolve_char_ref().unwrap() {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_xml_entity(&name.decode().unwrap())
                        .expect("an entity of XML")
                        .to_owned(),
                };
                found[*stack.last().expect("a reference inside the root")].1.push_str(&resolved);
            }
            Event::Decl(_) => assert!(found.is_empty()),
            Event::PI(style) => assert!(found.is_empty() && style.starts_with(b"xml-stylesheet type=\"text/css\" ")),
            Event::Comment(_) | Event::DocType(_) => panic!("nothing of this kind is written"),
            Event::Eof => break,
        }
    }
    assert!(stack.is_empty(), "an element without an end");
    found
}

fn attributes(start: &quick_xml::events::BytesStart<'_>) {
    let mut names = BTreeSet::new();
    for attribute in start.attributes().with_checks(true) {
        let attribute = attribute.expect("a well-formed attribute");
        assert!(names.insert(attribute.key.as_ref().to_vec()), "an attribute twice");
        attribute.decoded_and_normalized_value(quick_xml::XmlVersion::Implicit1_0, start.decoder()).expect("escaped");
        assert!(!attribute.value.contains(&b'<'));
    }
}

fn strict_namespaces(xml: &str) {
    let mut reader = NsReader::from_str(xml);
    loop {
        match reader.read_resolved_event().expect("well-formed") {
            (ResolveResult::Unknown(prefix), _) => panic!("prefix {:?} is not declared", String::from_utf8(prefix)),
            (_, Event::Eof) => return,
            _ => {}
        }
    }
}

/// The texts of all elements of a name.
pub fn texts<'a>(elements: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    elements.iter().filter(|(found, _)| found == name).map(|(_, text)| text.as_str()).collect()
}

/// What an independent reader makes of it.
pub fn foreign(document: &str) -> feed_rs::model::Feed {
    feed_rs::parser::parse(document.as_bytes()).expect("an independent reader takes it")
}
