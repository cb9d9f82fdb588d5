//! A rendered digest and one mailbox become the bytes of one message.
//!
//! Deterministic: the same rendering, recipient and instant give the same bytes, boundary included.
//! Header values come from parsed addresses, from checked settings, or through `header.rs`.

use crate::{
    ComposeError, Letterhead, Rendered, Token, header,
    render::{MANAGE, UNSUBSCRIBE},
    token::sha256_hex,
};
use jiff::Timestamp;
use lettre::{
    Address,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderValue},
    },
};
use loa_domain::{EmailAddress, SubscriptionId};
use std::time::{Duration, SystemTime};

/// Who gets a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The one address in `To` and in the envelope.
    pub email: EmailAddress,
    /// The subscription, for `Message-ID` and return path.
    pub subscription: SubscriptionId,
    /// The token of its links.
    pub token: Token,
}

/// A message, ready for SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `MAIL FROM`: tells which mail came back (VERP).
    pub envelope_from: EmailAddress,
    /// `RCPT TO`: one.
    pub rcpt: EmailAddress,
    /// With angle brackets.
    pub message_id: String,
    /// Headers and body, CRLF, ASCII only, no line over 998 octets. Not dot-stuffed.
    pub bytes: Vec<u8>,
}

/// What sets one kind of mail apart from another.
pub(crate) struct Draft<'a> {
    pub message_id: String,
    pub run: i64,
    pub subject: &'a str,
    pub text: String,
    pub html: String,
    pub headers: Vec<HeaderValue>,
}

impl Letterhead {
    /// Composes one mailbox's message of a rendered digest. `run` is the run's number in the ledger (for the return path);
    /// `at` becomes `Date`.
    ///
    /// # Errors
    /// See [`ComposeError`]; only `Address` is about this mailbox, the others would hit every one.
    pub fn compose(
        &self,
        rendered: &Rendered,
        recipient: &Recipient,
        run: i64,
        at: Timestamp,
    ) -> Result<Message, ComposeError> {
        let (unsubscribe, manage) = (self.link_of("u", &recipient.token), self.link_of("manage", &recipient.token));
        let fill = |body: &str| body.replace(UNSUBSCRIBE, &unsubscribe).replace(MANAGE, &manage);
        let mut ways = format!("<{unsubscribe}>");
        if let Some(mailbox) = &self.settings.unsubscribe {
            // the token stands in the subject: some servers fold the case of a local part
            ways.push_str(&format!(",\r\n <mailto:{mailbox}?subject=huy-dang-ky%20{}>", recipient.token.as_str()));
        }
        let draft = Draft {
            message_id: self.message_id(&rendered.run, &recipient.subscription),
            run,
            subject: &rendered.subject,
            text: fill(&rendered.text),
            html: fill(&rendered.html),
            headers: vec![
                self.list_id()?,
                header::exact("List-Unsubscribe", ways)?,
                header::exact("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into())?,
                header::exact("Precedence", "bulk".into())?,
            ],
        };
        self.finish(draft, recipient, at)
    }

    pub(crate) fn finish(
        &self,
        draft: Draft<'_>,
        recipient: &Recipient,
        at: Timestamp,
    ) -> Result<Message, ComposeError> {
        let envelope_from = self.return_path(draft.run, &recipient.subscription)?;
        // in quoted-printable `=` is always followed by hex digits or a line end, so this cannot stand in a part
        let boundary = format!("=_{}", &sha256_hex(draft.message_id.as_bytes())[..32]);
        let body = MultiPart::alternative()
            .boundary(boundary)
            .singlepart(part(ContentType::TEXT_PLAIN, draft.text))
            .singlepart(part(ContentType::TEXT_HTML, draft.html));
        let mut message = lettre::Message::builder()
            .raw_header(header::exact("From", self.author())?)
            .to(Mailbox::new(None, address(&recipient.email)?))
            .raw_header(header::text("Subject", draft.subject)?)
            .date(clock_face(at))
            .raw_header(header::exact("Message-ID", draft.message_id.clone())?);
        for extra in draft.headers {
            message = message.raw_header(extra);
        }
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "OOF, AutoReply"),
            ("Content-Language", "vi"),
        ] {
            message = message.raw_header(header::exact(name, value.into())?);
        }
        let bytes = message.multipart(body).map_err(ComposeError::Build)?.formatted();
        Ok(Message { envelope_from, rcpt: recipient.email.clone(), message_id: draft.message_id, bytes })
    }

    /// The address of one token's page: `https://tin.example.gov.vn/u/TOKEN`.
    pub(crate) fn link_of(&self, page: &str, token: &Token) -> String {
        self.link(&format!("{page}/{}", token.as_str()))
    }

    /// The list's name on a line of its own: a line with encoded words has at most 76 characters (RFC 2047 §2).
    fn author(&self) -> String {
        format!("{}\r\n <{}>", header::phrase(&self.settings.list_name, "From: ".len()), self.settings.from)
    }

    fn list_id(&self) -> Result<HeaderValue, ComposeError> {
        // a phrase of encoded words, folded before the id, which is never encoded (RFC 2919 §2)
        let phrase = header::phrase(&self.settings.list_name, "List-Id: ".len());
        header::exact("List-Id", format!("{phrase}\r\n <{}>", self.settings.list_id))
    }
}

fn part(kind: ContentType, text: String) -> SinglePart {
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
        // quoted-printable takes any text; the other branch only exists for the encodings that do not
        .unwrap_or_else(Body::new);
    SinglePart::builder().header(kind).body(body)
}

/// `Date`, to the second. Instants before 1970 do not occur; they would all read 1970.
fn clock_face(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0))
}

fn address(email: &EmailAddress) -> Result<Address, ComposeError> {
    email.as_str().parse().map_err(|source| ComposeError::Address { masked: email.masked(), source })
}
