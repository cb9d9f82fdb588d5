//! Parses JSON strictly: no name twice in an object, bounded nesting, and a pointer to every fault.
//!
//! `serde_json` alone silently keeps the last of two equal names, and reports a line where an
//! editor's CMS needs a path. So this walk builds the same `Value` by its own rules. It takes bytes
//! and nothing else.

use crate::{
    Refusal,
    limits::{DEPTH_MAX, VALUES_MAX},
    refusal::TextPosition,
};
use loa_domain::{Flaw, ServerWords, is_xml_char};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{
    cell::{Cell, RefCell},
    fmt,
};

/// Reads a whole JSON text as strictly as an event is read: UTF-8, no name twice, bounded nesting. For whoever takes an
/// event's data by another way than an event.
///
/// # Errors
/// A [`Refusal`] whose pointer goes into this text.
pub fn strict_json(bytes: &[u8]) -> Result<Value, Refusal> {
    parse(bytes, "")
}

/// Reads a whole JSON text. `prefix` is the pointer under which it stands in the event.
pub(crate) fn parse(bytes: &[u8], prefix: &str) -> Result<Value, Refusal> {
    let walk = Walk { path: RefCell::new(Vec::new()), fault: RefCell::new(None), values: Cell::new(0) };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Node { walk: &walk, depth: 0 }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let path = walk.path.borrow().iter().fold(prefix.to_owned(), |path, step| format!("{path}/{step}"));
        match walk.fault.take() {
            // no one value is at fault
            Some(flaw @ Flaw::TooManyValues { .. }) => Refusal::at(prefix, flaw),
            Some(flaw) => Refusal::at(path, flaw),
            None => syntax(bytes, path, &error),
        }
    })
}

/// One step of a pointer (RFC 6901 §3), for people: cut short, and with a mark for what no terminal should show.
pub(crate) fn escape(step: &str) -> String {
    let shown = step.chars().take(80).map(|c| if is_xml_char(c) && !c.is_control() { c } else { '\u{fffd}' });
    shown.collect::<String>().replace('~', "~0").replace('/', "~1")
}

fn syntax(bytes: &[u8], pointer: String, error: &serde_json::Error) -> Refusal {
    let text = TextPosition {
        line: error.line(),
        column: error.column(),
        offset: offset(bytes, error.line(), error.column()),
    };
    Refusal { flaw: explain(bytes, error), pointer, text: Some(text) }
}

/// What is wrong with bytes that are no JSON.
fn explain(bytes: &[u8], error: &serde_json::Error) -> Flaw {
    let whole = error.to_string();
    let said = whole.split(" at line ").next().unwrap_or(&whole);
    let words = ServerWords::new(said);
    if bytes.trim_ascii().is_empty() {
        return Flaw::EmptyBody;
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Flaw::ByteOrderMark;
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Flaw::Compressed;
    }
    if std::str::from_utf8(bytes).is_err() {
        return Flaw::NotUtf8 { said: words };
    }
    if bytes.trim_ascii_start().starts_with(b"<") {
        return Flaw::Markup;
    }
    if error.is_eof() {
        return Flaw::CutShort { said: words };
    }
    // the library has no other sign of these
    if said.contains("hex escape") || said.contains("surrogate") {
        return Flaw::HalfSurrogate { said: words };
    }
    if said.contains("control character") {
        return Flaw::ControlCharacter { said: words };
    }
    if said.contains("out of range") {
        return Flaw::NumberOutOfRange { said: words };
    }
    Flaw::NotJson { said: words }
}

/// Line and column (both from 1, as `serde_json` counts) as an offset from 0.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize = bytes.split_inclusive(|&b| b == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

/// Where the walk is; left as it stands when a fault ends it.
struct Walk {
    path: RefCell<Vec<String>>,
    fault: RefCell<Option<Flaw>>,
    /// How many there were so far.
    values: Cell<usize>,
}

impl Walk {
    fn fail<E: Error>(&self, flaw: Flaw) -> E {
        *self.fault.borrow_mut() = Some(flaw);
        E::custom("refused")
    }
}

#[derive(Clone, Copy)]
struct Node<'w> {
    walk: &'w Walk,
    depth: usize,
}

impl<'w> Node<'w> {
    fn deeper<E: Error>(self) -> Result<Node<'w>, E> {
        if self.depth >= DEPTH_MAX {
            return Err(self.walk.fail(Flaw::TooDeep { max: DEPTH_MAX }));
        }
        Ok(Node { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.walk.values.set(self.walk.values.get() + 1);
        if self.walk.values.get() > VALUES_MAX {
            return Err(self.walk.fail(Flaw::TooManyValues { max: VALUES_MAX }));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let child = self.deeper()?;
        let mut items = Vec::new();
        loop {
            self.walk.path.borrow_mut().push(items.len().to_string());
            let Some(item) = seq.next_element_seed(child)? else { break };
            self.walk.path.borrow_mut().pop();
            items.push(item);
        }
        self.walk.path.borrow_mut().pop();
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let child = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            self.walk.path.borrow_mut().push(escape(&name));
            if members.contains_key(&name) {
                return Err(self.walk.fail(Flaw::DuplicateName { name: name.into() }));
            }
            let value = map.next_value_seed(child)?;
            self.walk.path.borrow_mut().pop();
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}
