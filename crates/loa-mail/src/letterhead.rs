//! The settings that every mail of one list shares, checked once.

use crate::{paper, token::sha256_hex};
use jiff::tz::TimeZone;
use loa_domain::{EmailAddress, RunKey, SubscriptionId, clean_line};
use minijinja::Environment;
use std::fmt;
use url::Url;

/// The longest unsubscribe address: a longer one gets folded inside, which broke signatures at large receivers.
const UNSUBSCRIBE_URL_MAX: usize = 70;
/// The longest local part (RFC 5321 §4.5.3.1.1).
const LOCAL_PART_MAX: usize = 64;

/// What mails say of their sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The list's name, in `From`, `List-Id` and the head of each mail.
    pub list_name: String,
    /// RFC 2919: stays the same for ever, whatever the name. `a-z`, `0-9`, `-` and dots, at least one dot.
    pub list_id: String,
    /// `From`. Its domain is that of the `Message-ID`.
    pub from: EmailAddress,
    /// Where bounces go. Mails leave as `local+RUN.SUBSCRIPTION@domain` (VERP).
    pub bounces: EmailAddress,
    /// A mailbox that somebody reads, for those who unsubscribe by mail; the token is in the subject. `None`: not offered.
    pub unsubscribe: Option<EmailAddress>,
    /// Where people reach us; https outside of trials (RFC 8058 §3.1 wants it).
    pub public_url: Url,
    /// In which dates are written.
    pub zone: TimeZone,
}

/// Why mails cannot be written under these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Empty.
    #[error("the list needs a name")]
    NoName,
    /// RFC 2919 §2.
    #[error("the list id must be like ban-tin.example.gov.vn: a-z, 0-9, hyphens, with a dot; it is {0:?}")]
    ListId(String),
    /// Not an http or https address, or one with a query, a fragment or a password.
    #[error("the public address must be https and nothing but host and path; it is {0}")]
    PublicUrl(Url),
    /// Over 70 characters with `/u/` and a token behind it.
    #[error(
        "the public address is too long for mail programs' unsubscribe buttons ({0} characters with a token, 70 fit); use a shorter host"
    )]
    TooLong(usize),
    /// With run and subscription it would not fit.
    #[error("the bounce address needs a shorter part before the @")]
    Bounces,
}

/// Writes mails for one list. Made once, shared by all workers.
pub struct Letterhead {
    pub(crate) settings: Settings,
    pub(crate) templates: Environment<'static>,
}

impl fmt::Debug for Letterhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letterhead").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Letterhead {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first fault, with what to do.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let settings = Settings { list_name: clean_line(&settings.list_name), ..settings };
        if settings.list_name.is_empty() {
            return Err(SettingsError::NoName);
        }
        let label = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !settings.list_id.contains('.') || !settings.list_id.split('.').all(label) || settings.list_id.len() > 200 {
            return Err(SettingsError::ListId(settings.list_id));
        }
        let url = &settings.public_url;
        let plain = matches!(url.scheme(), "https" | "http")
            && url.host_str().is_some()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.password().is_none()
            && url.username().is_empty();
        if !plain {
            return Err(SettingsError::PublicUrl(settings.public_url));
        }
        if settings.bounces.as_str().split('@').next().is_none_or(|local| local.len() > LOCAL_PART_MAX - 46) {
            return Err(SettingsError::Bounces);
        }
        let letterhead = Self { settings, templates: paper::templates() };
        let length = letterhead.link("u/").len() + crate::Token::LENGTH;
        if length > UNSUBSCRIBE_URL_MAX {
            return Err(SettingsError::TooLong(length));
        }
        Ok(letterhead)
    }

    /// The settings, as they were checked.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether links are https, as RFC 8058 §3.1 wants them. Trials on one machine may do without.
    pub fn links_are_secure(&self) -> bool {
        self.settings.public_url.scheme() == "https"
    }

    /// The `Message-ID` of one mail of one run: the same on every retry, on every machine.
    pub fn message_id(&self, run: &RunKey, subscription: &SubscriptionId) -> String {
        let whole = format!("{run}\n{}\n{subscription}", run.zone);
        let date = run.on;
        let name = format!("{}-{date}.{}", run.frequency.as_str(), &sha256_hex(whole.as_bytes())[..32]);
        self.id_of(&name)
    }

    pub(crate) fn id_of(&self, name: &str) -> String {
        let domain = self.settings.from.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
        format!("<{name}@{domain}>")
    }

    /// An address of ours.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}/{path}", self.settings.public_url.as_str().trim_end_matches('/'))
    }

    /// The return path that tells which mail came back. An id that has no place in an address is hashed.
    pub(crate) fn return_path(
        &self,
        run: i64,
        subscription: &SubscriptionId,
    ) -> Result<EmailAddress, crate::ComposeError> {
        let (local, domain) = self.settings.bounces.as_str().rsplit_once('@').unwrap_or_default();
        let id = subscription.as_str();
        let fits = id.len() <= 32 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let id = if fits { id.to_owned() } else { sha256_hex(id.as_bytes())[..32].to_owned() };
        EmailAddress::parse(&format!("{local}+{run}.{id}@{domain}")).map_err(crate::ComposeError::ReturnPath)
    }
}
