//! Reads one JSON object member by member, and refuses what is absent, has the wrong shape, or is
//! over its limit.
//!
//! `null` is the same as absent. Text is normalised here, once. Every refusal carries the member's
//! JSON pointer.

use crate::{
    Refusal,
    json::escape,
    limits::{INSTANT_YEAR_MIN, URL_BYTES_MAX, YEAR_MAX},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use loa_domain::{AddressFault, Flaw, JsonType, MemberName, clean_line, clean_text, is_blank};
use serde_json::{Map, Value};
use url::Url;

/// Bytes for each character allowed, of text as it is sent: a letter with its marks takes up to ten, the rest is white space
/// that falls away.
const BYTES_PER_CHAR_MAX: usize = 16;

/// One object and where it stands.
pub(crate) struct Fields<'v> {
    map: &'v Map<String, Value>,
    pointer: String,
}

impl<'v> Fields<'v> {
    /// The value must be an object.
    pub fn new(value: &'v Value, pointer: impl Into<String>) -> Result<Self, Refusal> {
        let pointer = pointer.into();
        match value {
            Value::Object(map) => Ok(Self { map, pointer }),
            other => Err(wrong(&pointer, JsonType::Object, other)),
        }
    }

    pub fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, escape(name))
    }

    /// The member, unless absent or null.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub fn refuse<T>(&self, name: &str, flaw: Flaw) -> Result<T, Refusal> {
        Err(Refusal::at(self.pointer(name), flaw))
    }

    pub fn missing<T>(&self, name: &str) -> Result<T, Refusal> {
        self.refuse(name, Flaw::Missing { name: name.into() })
    }

    /// As it stands; absent is `None`.
    pub fn raw(&self, name: &str) -> Result<Option<&'v str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(&self.pointer(name), JsonType::Text, other)),
        }
    }

    /// One normalised line of at most `chars_max` characters; empty when absent.
    pub fn line(&self, name: &str, chars_max: usize) -> Result<String, Refusal> {
        let line = clean_line(self.short(name, chars_max)?);
        self.within(name, line, chars_max)
    }

    /// As [`Self::line`], and with something to see.
    pub fn line_required(&self, name: &str, chars_max: usize) -> Result<String, Refusal> {
        match self.line(name, chars_max)? {
            line if is_blank(&line) => self.missing(name),
            line => Ok(line),
        }
    }

    /// Normalised text of several lines, without white space at the ends; empty when absent.
    pub fn text(&self, name: &str, chars_max: usize) -> Result<String, Refusal> {
        let text = clean_text(self.short(name, chars_max)?).trim().to_owned();
        self.within(name, text, chars_max)
    }

    /// Text that may be cleaned: not so long that no cleaning could make it fit. Empty when absent.
    fn short(&self, name: &str, chars_max: usize) -> Result<&'v str, Refusal> {
        let text = self.raw(name)?.unwrap_or_default();
        if text.len() > BYTES_PER_CHAR_MAX * chars_max {
            let (name_of, bytes) = (name.into(), text.len());
            return self.refuse(name, Flaw::TooManyBytes { name: name_of, bytes, chars_max });
        }
        Ok(text)
    }

    fn within(&self, name: &str, text: String, chars_max: usize) -> Result<String, Refusal> {
        let chars = text.chars().count();
        if chars > chars_max {
            return self.refuse(name, Flaw::TooManyChars { name: name.into(), chars, max: chars_max });
        }
        Ok(text)
    }

    /// A whole number in a range; absent is `None`.
    pub fn whole(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Value::Number(number) = value else { return Err(wrong(&self.pointer(name), JsonType::WholeNumber, value)) };
        match number.as_u64() {
            Some(whole) if (min..=max).contains(&whole) => Ok(Some(whole)),
            _ => {
                let number = number.to_string().into();
                self.refuse(name, Flaw::OutOfRange { name: name.into(), number, min, max })
            }
        }
    }

    /// An RFC 3339 instant with its offset; absent is `None`.
    pub fn instant(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.raw(name)? else { return Ok(None) };
        let (of, written) = (MemberName::new(name), text.into());
        if !looks_like_rfc3339(text) {
            return self.refuse(name, Flaw::NotAnInstant { name: of, text: written });
        }
        let Ok(instant) = text.parse::<Timestamp>() else {
            // the last days of 9999 exist, but not for the parser
            let outside = text.starts_with("9999");
            return self.refuse(
                name,
                if outside { outside_years(of, text) } else { Flaw::NoSuchInstant { name: of, text: written } },
            );
        };
        // in UTC: the same in every installation, whatever its zone, and however the instant is written
        let year = instant.to_zoned_datetime(TimeZone::UTC).year();
        if !(INSTANT_YEAR_MIN..=YEAR_MAX).contains(&year) {
            return self.refuse(name, outside_years(of, text));
        }
        Ok(Some(instant))
    }

    /// A civil date, `2023-11-16`; absent is `None`.
    pub fn date(&self, name: &str, year_min: i16) -> Result<Option<Date>, Refusal> {
        let Some(text) = self.raw(name)? else { return Ok(None) };
        let shape = text.len() == 10 && fits(text, "dddd-dd-dd");
        let date = text.parse::<Date>().ok().filter(|date| shape && (year_min..=YEAR_MAX).contains(&date.year()));
        if date.is_none() {
            let (of, text) = (name.into(), text.into());
            return self.refuse(name, Flaw::NotADate { name: of, text, first: year_min, last: YEAR_MAX });
        }
        Ok(date)
    }

    /// An absolute http or https address with a host and without a password.
    pub fn url_required(&self, name: &str) -> Result<Url, Refusal> {
        let text = self.raw(name)?.unwrap_or_default().trim();
        if text.is_empty() {
            return self.missing(name);
        }
        let bad =
            |fault: AddressFault| self.refuse(name, Flaw::Address { name: name.into(), text: text.into(), fault });
        if text.len() > URL_BYTES_MAX {
            return bad(AddressFault::TooLong { max: URL_BYTES_MAX });
        }
        match Url::parse(text) {
            Err(url::ParseError::RelativeUrlWithoutBase) => bad(AddressFault::Relative),
            Err(error) => bad(AddressFault::Unreadable { said: error.to_string().into() }),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => bad(AddressFault::Scheme),
            Ok(url) if !url.username().is_empty() || url.password().is_some() => bad(AddressFault::UserInfo),
            Ok(url) if url.as_str().len() > URL_BYTES_MAX => bad(AddressFault::TooLongEncoded { max: URL_BYTES_MAX }),
            Ok(url) => Ok(url),
        }
    }

    /// The items of a list, each with its pointer; empty when absent.
    pub fn list(&self, name: &str, items_max: usize) -> Result<Vec<(String, &'v Value)>, Refusal> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(wrong(&self.pointer(name), JsonType::List, other)),
        };
        if items.len() > items_max {
            let (of, items) = (name.into(), items.len());
            return self.refuse(name, Flaw::TooManyItems { name: of, items, max: items_max });
        }
        let pointer = self.pointer(name);
        Ok(items.iter().enumerate().map(|(index, item)| (format!("{pointer}/{index}"), item)).collect())
    }
}

/// The refusal of a value of another JSON type than the contract says.
pub fn wrong(pointer: &str, expected: JsonType, found: &Value) -> Refusal {
    let found = match found {
        Value::Null => JsonType::Null,
        Value::Bool(_) => JsonType::Boolean,
        Value::Number(_) => JsonType::Number,
        Value::String(_) => JsonType::Text,
        Value::Array(_) => JsonType::List,
        Value::Object(_) => JsonType::Object,
    };
    Refusal::at(pointer, Flaw::WrongType { name: MemberName::of_pointer(pointer), found, expected })
}

fn outside_years(name: MemberName, text: &str) -> Flaw {
    Flaw::InstantOutside { name, text: text.into(), first: INSTANT_YEAR_MIN, last: YEAR_MAX }
}

/// `date-time` of RFC 3339 §5.6, by shape: jiff alone takes more than the contract promises.
fn looks_like_rfc3339(text: &str) -> bool {
    let Some((head, tail)) = text.split_at_checked(19) else { return false };
    let digits = tail.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let fraction = if tail.starts_with('.') { digits + 1 } else { 0 };
    let offset = &tail[fraction..];
    let fraction_fits = !tail.starts_with('.') || (1..=9).contains(&digits);
    // `time-hour` and `time-minute` of RFC 3339; the parser alone takes +25:00
    let offset_fits =
        || (fits(offset, "+dd:dd") || fits(offset, "-dd:dd")) && offset[1..3] <= *"23" && offset[4..6] <= *"59";
    fits(head, "dddd-dd-ddTdd:dd:dd") && fraction_fits && (offset == "Z" || offset_fits())
}

/// Whether text has a shape in which `d` stands for a digit and all else for itself.
fn fits(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(t, s)| if s == b'd' { t.is_ascii_digit() } else { t == s })
}
