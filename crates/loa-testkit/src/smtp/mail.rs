//! A caught mail: the envelope and the bytes as they came, and what a foreign parser reads in them.

use mail_parser::{HeaderValue, MessageParser};

/// A mail as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Counts up from 1 in the order of arrival.
    pub number: usize,
    /// What the client called itself.
    pub helo: String,
    /// `MAIL FROM`; empty for `<>`.
    pub from: String,
    /// `RCPT TO`, in order.
    pub to: Vec<String>,
    /// Headers and body with CRLF, dots unstuffed; without the final dot.
    pub bytes: Vec<u8>,
}

impl Mail {
    /// The decoded subject; empty when there is none.
    pub fn subject(&self) -> String {
        self.read(|mail| mail.subject().map(str::to_owned))
    }

    /// The decoded plain text part; empty when there is none.
    pub fn text(&self) -> String {
        self.read(|mail| {
            let part = mail.text_bodies().find(|part| part.is_text() && !part.is_text_html())?;
            part.text_contents().map(str::to_owned)
        })
    }

    /// The decoded HTML part; empty when there is none.
    pub fn html(&self) -> String {
        self.read(|mail| {
            let part = mail.html_bodies().find(|part| part.is_text_html())?;
            part.text_contents().map(str::to_owned)
        })
    }

    /// The `Message-ID` without brackets; empty when there is none.
    pub fn message_id(&self) -> String {
        self.read(|mail| mail.message_id().map(str::to_owned))
    }

    /// A header's value as it stands on the wire, unfolded and not decoded; `None` when it is not there.
    pub fn header(&self, name: &str) -> Option<String> {
        let mail = MessageParser::default().parse(&self.bytes)?;
        let raw = mail.header_raw(name.to_owned())?;
        Some(raw.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned())
    }

    /// All headers in order, decoded where they are text: for showing.
    pub fn headers(&self) -> Vec<(String, String)> {
        let Some(mail) = MessageParser::default().parse(&self.bytes) else { return Vec::new() };
        let decoded = |header: &mail_parser::Header<'_>| match &header.value {
            HeaderValue::Text(text) => text.to_string(),
            _ => self.header(header.name()).unwrap_or_default(),
        };
        mail.headers().iter().map(|header| (header.name().to_owned(), decoded(header))).collect()
    }

    fn read(&self, what: impl FnOnce(&mail_parser::Message<'_>) -> Option<String>) -> String {
        MessageParser::default().parse(&self.bytes).and_then(|mail| what(&mail)).unwrap_or_default()
    }
}
