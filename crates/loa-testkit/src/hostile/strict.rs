//! Strict readers of written documents: XML 1.0 with namespaces, and text that all our readers
//! take.

use loa_domain::is_xml_char;
use quick_xml::{
    events::{BytesStart, Event},
    name::ResolveResult,
    reader::NsReader,
};

/// Text that a feed, a mail, a page and a ledger take.
///
/// # Panics
/// When it has a character that XML does not allow, or one that turns the reading direction.
pub fn legal_text(text: &str) {
    assert!(text.chars().all(is_xml_char), "a character that must not leave the house: {text:?}");
}

/// Reads a document to its end.
///
/// # Panics
/// At whatever XML 1.0 or its namespaces forbid, and at document types, comments and instructions but that of a CSS sheet,
/// which we never write.
pub fn well_formed_xml(xml: &str) {
    legal_text(xml);
    let mut reader = NsReader::from_str(xml);
    let config = reader.config_mut();
    config.check_end_names = true;
    config.allow_dangling_amp = false;
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        let (namespace, event) = reader.read_resolved_event().expect("well-formed");
        if let ResolveResult::Unknown(prefix) = namespace {
            panic!("the prefix {:?} is not declared", String::from_utf8_lossy(&prefix));
        }
        match event {
            Event::Start(start) => {
                attributes(&start);
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Event::Empty(start) => {
                attributes(&start);
                roots += usize::from(depth == 0);
            }
            Event::End(_) => depth = depth.checked_sub(1).expect("an end tag without a start"),
            Event::Text(text) => {
                let text = text.decode().expect("UTF-8");
                assert!(depth > 0 || text.trim().is_empty(), "text outside the root element");
                assert!(!text.contains("]]>"), "`]]>` in text");
            }
            Event::GeneralRef(name) => {
                let character = name.resolve_char_ref().expect("a reference to a character");
                let entity = || quick_xml::escape::resolve_xml_entity(&name.decode().expect("UTF-8")).is_some();
                assert!(character.map_or_else(entity, is_xml_char), "a reference to nothing: {name:?}");
            }
            Event::CData(_) => assert!(depth > 0, "CDATA outside the root element"),
            Event::Decl(_) => assert_eq!(roots, 0, "a declaration after the beginning"),
            // the sheet that makes a feed readable in a browser, and nothing else
            Event::PI(instruction) => {
                assert_eq!(
                    (instruction.target(), roots),
                    (&b"xml-stylesheet"[..], 0),
                    "an instruction we do not write"
                );
                assert!(instruction.content().starts_with(b" type=\"text/css\" href=\""), "a sheet of another kind");
            }
            Event::Comment(_) | Event::DocType(_) => panic!("nothing of this kind is written"),
            Event::Eof => break,
        }
    }
    assert_eq!((depth, roots), (0, 1), "one root element, closed");
}

fn attributes(start: &BytesStart<'_>) {
    for attribute in start.attributes().with_checks(true) {
        let attribute = attribute.expect("a well-formed attribute");
        attribute.decoded_and_normalized_value(quick_xml::XmlVersion::Implicit1_0, start.decoder()).expect("escaped");
        assert!(!attribute.value.contains(&b'<'), "`<` in an attribute");
    }
}

#[cfg(test)]
mod tests {
    use super::well_formed_xml;

    #[test]
    fn what_is_well_formed_passes_and_what_is_not_does_not() {
        well_formed_xml("<?xml version=\"1.0\"?>\n<?xml-stylesheet type=\"text/css\" href=\"/feeds.css\"?>\n<a/>");
        well_formed_xml("<?xml version=\"1.0\"?><a x=\"1\"><b>&lt;&#233;</b><![CDATA[<]]></a>\n");
        for bad in [
            "",
            "<a>",
            "<a/><b/>",
            "<a>&nbsp;</a>",
            "<a>&#0;</a>",
            "<a>\u{b}</a>",
            "<a x='<'/>",
            "<a x='1' x='2'/>",
            "<p:a/>",
            "x<a/>",
            "<?php x?><a/>",
            "<?xml-stylesheet type=\"text/xsl\" href=\"/x\"?><a/>",
            "<a><?xml-stylesheet type=\"text/css\" href=\"/x\"?></a>",
        ] {
            assert!(std::panic::catch_unwind(|| well_formed_xml(bad)).is_err(), "{bad:?}");
        }
    }
}
