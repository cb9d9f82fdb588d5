//! Why an event is not taken, in English. Clauses as error messages are: lower case, no full stop; machines are answered with
//! them, too.

use loa_domain::{AddressFault, EventType, Flaw, HeaderType, HtmlExcess, JsonType};

/// The content type of an event.
const STRUCTURED: &str = "application/cloudevents+json";

/// What is wrong, and what to do. One list, so that it is seen whole.
pub(super) fn flaw(flaw: &Flaw) -> String {
    match flaw {
        Flaw::Batch => "a batch of events was sent; send each event as its own message".into(),
        Flaw::EventFormat { media_type } => format!("the event format {media_type} is not taken; send {STRUCTURED}"),
        Flaw::NoMarks => format!(
            "this is no CloudEvent: neither the content type {STRUCTURED}, nor `cloudEvents:` headers, nor a `specversion`"
        ),
        Flaw::ContentType { media_type } => {
            format!("this is no CloudEvent: the content type is {media_type}, and there are no `cloudEvents:` headers")
        }
        Flaw::EventTooLarge { bytes, max } => {
            format!("the event has {bytes} bytes, more than the {max} allowed; send pictures and files as addresses")
        }
        Flaw::Charset { charset } => format!("the content type names the charset {charset}; events are UTF-8"),
        Flaw::NoAttribute { header } => {
            format!("the header {header} is no attribute of a CloudEvent in binary mode")
        }
        Flaw::Contradiction { header } => {
            format!("the header {header} contradicts the same attribute under another prefix")
        }
        Flaw::HeaderType { header, found } => format!(
            "the header `{}` is {}; an attribute of an event must be text, an integer, true or false, or a timestamp",
            header.escaped(),
            header_type(*found)
        ),
        Flaw::Base64 => "the data are in `data_base64`; the contract wants a JSON object in `data`".into(),
        Flaw::NoId { message_id: None } => "`id` is missing: send the header `cloudEvents:id`".into(),
        Flaw::NoId { message_id: Some(id) } => {
            format!("`id` is missing: send the header `cloudEvents:id`; the message-id {id} does not stand in for it")
        }
        Flaw::DataFormat { media_type } => format!("the data are {media_type}; the contract wants application/json"),
        Flaw::TooDeep { max } => format!("objects and arrays are nested more than {max} deep; send flatter data"),
        Flaw::TooManyValues { max } => {
            format!("there are more than {max} values; leave out what is not of the article")
        }
        Flaw::DuplicateName { name } => format!("the name {name} stands twice in one object; send it once"),
        Flaw::SpecVersion { text } => format!("`specversion` is {text}; only CloudEvents 1.0 is taken"),
        Flaw::EventId { text, max } => format!("`id` is {text}; it must be 1 to {max} visible ASCII characters"),
        Flaw::Source { text, max } => {
            format!("`source` is {text}; it must be the portal's absolute URI, at most {max} bytes of ASCII")
        }
        Flaw::EventType { text } => {
            let known = EventType::ALL.map(EventType::as_str).join(", ");
            format!("the type {text} is not one of the contract ({known})")
        }
        Flaw::SubjectDiffers { subject, data } => {
            format!("the event's `subject` is {subject}, but its data are about {data}")
        }
        Flaw::UnknownSource { source } => format!(
            "its source {source} is no portal's of this installation; add the portal with `loa portals add`, then bring the event \
             back with `loa dead-letters redrive`"
        ),
        Flaw::RetiredSource { source, portal } => format!(
            "its source {source} is the portal {portal}'s, which was retired and publishes no more; what it published before stays, and \
             what happened before, by the event's `time`, is still taken"
        ),
        Flaw::AnotherArticle { address, id } => format!(
            "the page says that it stands at {}, where an article with another title, time and text is published (`{id}`); if the \
             page is its mended form, import it with `--same`; if the portal says this address of all its pages, take \
             `link rel=canonical` and `og:url` out of the page and say with `--address` where it stands",
            address.escaped()
        ),
        Flaw::AnotherText { id } => format!(
            "an article with this title and time is published (`{id}`), and its text is another; if the page is its mended form, \
             import it with `--same`; if it is another article, say with `--address` where it stands"
        ),
        Flaw::NothingOfIt { id } => format!(
            "the page is that of article `{id}` by its address or its own word, and has nothing of it: another title, time and \
             text; if it is its mended form, import it with `--same`; if the portal leads from articles that are gone to \
             others, withdraw `{id}`"
        ),
        Flaw::NotYetPosted { at } => format!(
            "the page says that it was posted at {at}, which has not come yet; see whether its day and month are the other way \
             round, write day/month/year, and import it again"
        ),
        Flaw::EmptyBody => "the body is empty, where JSON was expected".into(),
        Flaw::ByteOrderMark => {
            "the body starts with a byte-order mark, which JSON does not allow; send UTF-8 without it".into()
        }
        Flaw::Compressed => "the body is compressed (gzip); send the JSON itself".into(),
        Flaw::NotUtf8 { said } => {
            format!("the body is not UTF-8, which JSON requires: {said}; write it out as UTF-8")
        }
        Flaw::Markup => "the body begins with `<`: it is a page or XML, where JSON was expected".into(),
        Flaw::CutShort { said } => format!("the body is cut short: {said}; send it whole"),
        Flaw::HalfSurrogate { said } => format!(
            "the body is not JSON: {said}; a \\u escape is half of a surrogate pair: write both halves, or the character itself"
        ),
        Flaw::ControlCharacter { said } => {
            format!("the body is not JSON: {said}; write it as an escape, such as \\n")
        }
        Flaw::NumberOutOfRange { said } => {
            format!("the body is not JSON: {said}; send a smaller number, or text")
        }
        Flaw::NotJson { said } => format!("the body is not JSON: {said}"),
        Flaw::WrongType { name, found, expected } => {
            let what = name.as_ref().map_or_else(|| "the event".to_owned(), |name| format!("`{name}`"));
            format!("{what} is {}, where {} was expected", json_type(*found), json_type(*expected))
        }
        Flaw::NotAnArticle => "an article must be a JSON object".into(),
        Flaw::Missing { name } => format!("`{name}` is missing or empty; send it"),
        Flaw::TooManyBytes { name, bytes, chars_max } => {
            format!("`{name}` has {bytes} bytes, more than {chars_max} characters take, which are the most allowed")
        }
        Flaw::TooManyChars { name, chars, max } => {
            format!("`{name}` has {chars} characters, more than the {max} allowed")
        }
        Flaw::TooManyItems { name, items, max } => format!("`{name}` has {items} items, more than the {max} allowed"),
        Flaw::OutOfRange { name, number, min, max } => {
            format!("`{name}` is {number}, which is not a whole number from {min} to {max}")
        }
        Flaw::NotAnInstant { name, text } => format!(
            "`{name}` is {text}, which is not an RFC 3339 instant with an offset, such as 2023-11-16T08:02:22+07:00"
        ),
        Flaw::NoSuchInstant { name, text } => format!("`{name}` is {text}, which is no instant that exists"),
        Flaw::InstantOutside { name, text, first, last } => {
            format!("`{name}` is {text}, which lies outside the years {first} to {last} and reads as a placeholder")
        }
        Flaw::NotADate { name, text, first, last } => {
            format!("`{name}` is {text}, not a date (yyyy-mm-dd) from {first} to {last}")
        }
        Flaw::Address { name, text, fault } => format!("`{name}` is {text}, {}", address(fault)),
        Flaw::ArticleId { text, fault } => format!("article id {fault}: {text}"),
        Flaw::NoPublication => {
            "`published_at` is missing, and neither the event's `time` nor `issued_on` stands in for it".into()
        }
        Flaw::Slug { text } => {
            format!("`slug` is {text}, of which no address part of a-z, 0-9 and - can be made")
        }
        Flaw::Language { text } => format!("`language` is {text}, which is not a language tag such as vi or en"),
        Flaw::MediaType { text } => format!("`media_type` is {text}, which is not a media type such as image/jpeg"),
        Flaw::NamelessArea => "an area needs an `id`, or a `code` with a `date`".into(),
        Flaw::BodyTooLarge { bytes, max } => {
            format!("`content_html` has {bytes} bytes, more than the {max} allowed")
        }
        Flaw::TooManyTags { tags, max } => format!("`content_html` has {tags} tags, more than the {max} allowed"),
        Flaw::BodyTooCostly { excess: found } => format!("`content_html` has {}", excess(*found)),
        Flaw::BodyGrows { bytes, max } => format!(
            "`content_html` grows to {bytes} bytes when misnested tags are put right and addresses made absolute, more than the \
             {max} allowed"
        ),
        Flaw::CapitalsGone { name } => format!(
            "`{name}` is Vietnamese in VISCII, an encoding from before Unicode, and its capitals came as control characters, \
             which no text may have; convert it to Unicode and send it again"
        ),
        Flaw::EncodedTwice { name } => format!(
            "`{name}` is UTF-8 whose bytes were taken for Latin letters and encoded once more (`áº` for `ạ` and its like); send \
             it as it was before"
        ),
        Flaw::MixedEncoding { name, encoding } => format!(
            "`{name}` looks like Vietnamese in {} or another encoding from before Unicode, and it is not certain that all of it \
             is; convert it to Unicode and send it again",
            encoding.as_str()
        ),
        Flaw::RevisionTooHigh { revision, max } => format!(
            "`revision` is {revision}, which no way of numbering edits comes to (the highest taken is {max}); it would leave no \
             room for later edits: send the number of the edit, its time in microseconds at most, or publish without `revision` \
             over HTTP, and one is given"
        ),
    }
}

fn address(fault: &AddressFault) -> String {
    match fault {
        AddressFault::TooLong { max } => format!("longer than {max} bytes"),
        AddressFault::TooLongEncoded { max } => format!("longer than {max} bytes once encoded"),
        AddressFault::Relative => "a relative address; it must begin with https:// or http://".into(),
        AddressFault::Unreadable { said } => format!("which is no address: {said}"),
        AddressFault::Scheme => "whose scheme is neither https nor http".into(),
        AddressFault::UserInfo => "which carries a user name or password".into(),
    }
}

/// What a text has too much of, behind "has".
pub(super) fn excess(excess: HtmlExcess) -> String {
    match excess {
        HtmlExcess::Attributes(count) => {
            format!("{count} attributes in one tag, or in a script that looks like one: more than are allowed")
        }
        HtmlExcess::Depth(max) => {
            format!("more than {max} elements inside each other; close each tag, or send flatter HTML")
        }
        HtmlExcess::Names(max) => format!("more than {max} different names of elements and attributes; send HTML"),
        HtmlExcess::Steps => {
            "tags so misnested that putting them right costs too much; close each tag where it was opened".into()
        }
        HtmlExcess::Growth => {
            "tags left open so that it grows far beyond its length when they are put right; close each tag".into()
        }
    }
}

/// What the header of a message is.
pub(super) fn header_type(found: HeaderType) -> &'static str {
    match found {
        HeaderType::NotUtf8 => "text that is not UTF-8",
        HeaderType::FarInstant => "an AMQP timestamp beyond the year 9999",
        HeaderType::Float => "a floating-point number",
        HeaderType::Decimal => "an AMQP decimal",
        HeaderType::Array => "an AMQP array",
        HeaderType::Table => "an AMQP table",
        HeaderType::Bytes => "an AMQP byte array",
        HeaderType::Void => "nothing (AMQP void)",
    }
}

fn json_type(found: JsonType) -> &'static str {
    match found {
        JsonType::Null => "null",
        JsonType::Boolean => "true or false",
        JsonType::Number => "a number",
        JsonType::WholeNumber => "a whole number",
        JsonType::Text => "text",
        JsonType::List => "a list",
        JsonType::Object => "an object",
    }
}
