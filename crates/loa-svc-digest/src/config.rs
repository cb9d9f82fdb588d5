//! The settings of the digest outlet: section `[digest]` of the configuration, and who publishes.

use jiff::{
    civil::{Time, Weekday},
    tz::TimeZone,
};
use loa_domain::{Category, EmailAddress};
use loa_worker::Portals;
use serde::Deserialize;
use std::{fmt, net::SocketAddr, path::PathBuf};
use url::Url;

/// MAIL, RCPT, DATA, the last dot, RSET.
const ANSWERS_IN_A_DIALOGUE: u32 = 5;

/// Section `[digest]`. [`Config::default`] is what `config/default.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where `loa digest` listens when it runs as a process of its own.
    pub listen: SocketAddr,
    /// When the daily digest goes out, by the clock of the portal's zone.
    pub daily_at: Time,
    /// The day of the weekly digest.
    pub weekly_on: WeeklyOn,
    /// When the weekly digest goes out.
    pub weekly_at: Time,
    /// How long an article waits for company before it goes to those who want it at once, in seconds (1 to 3,600).
    pub immediate_window_seconds: u32,
    /// Daily and weekly digests that are late go out no earlier than this in the day …
    pub send_window_from: Time,
    /// … and no later; what is left waits for the next morning.
    pub send_window_until: Time,
    /// Articles accepted longer ago than this are no news any more and go into no digest, in days (1 to 60).
    pub item_days_max: u32,
    /// Mails claimed at a time (1 to 1,000).
    pub batch_max: u32,
    /// Connections to the mail server at a time (1 to 32).
    pub connections_max: u32,
    /// How long claimed mails are ours, in seconds (15 to 7,200): after a crash, mails whose sending had begun wait so long.
    /// At least five times `smtp.timeout_seconds`, for that many answers are waited for in one dialogue.
    pub lease_seconds: u32,
    /// Delay before each further try of a mail that the server did not take for now, in seconds (1 to 20 of them, each 1 to
    /// 86,400); the last one again and again.
    pub retry_delays_seconds: Vec<u64>,
    /// A mail that could not be sent this long after its run's day began is given up, in hours (12 to 240).
    pub give_up_hours: u32,
    /// Confirmation mails to one address in 24 hours (1 to 100): nobody can be bombarded through the form.
    pub confirmations_per_day_max: u32,
    /// Confirmation mails that one client address may ask for in an hour (1 to 10,000).
    pub confirmations_per_client_hour_max: u32,
    /// Confirmation mails to one domain in an hour (1 to 100,000).
    pub confirmations_per_domain_hour_max: u32,
    /// How long the link in such a mail works, and what was asked for waits for it, in days (1 to 30).
    pub pending_days_max: u32,
    /// The list's name in `From` and in the head of each mail; empty: `Bản tin` and the portal's name.
    pub list_name: String,
    /// RFC 2919: never to be changed. Empty: `ban-tin.` and the domain of `from_address`.
    pub list_id: String,
    /// `From`.
    pub from_address: EmailAddress,
    /// Where bounces go; mails leave as `local+RUN.SUBSCRIPTION@domain`. Empty: `from_address`.
    pub bounce_address: String,
    /// A mailbox that somebody reads, for those who unsubscribe by mail. Empty: only by web.
    pub unsubscribe_address: String,
    /// Categories offered on the form before their first article, in this order.
    pub categories: Vec<Category>,
    /// The mail server.
    pub smtp: SmtpConfig,
}

/// Section `[digest.smtp]`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name or address.
    pub host: String,
    /// Its port: 25, 587 (with `starttls`), 465 (with `tls`).
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Certificate authorities to trust beside the system's, as a PEM file. Empty: none.
    pub ca_file: PathBuf,
    /// Empty: no login.
    pub username: String,
    /// In the environment, never in a file of settings.
    pub password: String,
    /// A file with the password.
    pub password_file: PathBuf,
    /// What we call ourselves in `EHLO`; empty: the domain of `from_address`.
    pub hello_name: String,
    /// Longest wait for one answer of the mail server, in seconds (1 to 300).
    pub timeout_seconds: u32,
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: a relay on the same machine.
    None,
    /// Plain at first, then upgraded; without the upgrade nothing is sent.
    Starttls,
    /// From the first byte.
    Tls,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum WeeklyOn {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Who publishes, and where: what the whole installation shares.
#[derive(Debug, Clone)]
pub struct Identity {
    /// All portals of the installation.
    pub portals: Portals,
    /// The portal's name, as people read it.
    pub portal_name: String,
    /// Where people reach us: stands in mails.
    pub public_url: Url,
    /// In which digests are scheduled and dates written.
    pub zone: TimeZone,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8083)),
            daily_at: Time::constant(7, 0, 0, 0),
            weekly_on: WeeklyOn::Monday,
            weekly_at: Time::constant(7, 0, 0, 0),
            immediate_window_seconds: 60,
            send_window_from: Time::constant(6, 0, 0, 0),
            send_window_until: Time::constant(21, 0, 0, 0),
            item_days_max: 7,
            batch_max: 100,
            connections_max: 4,
            lease_seconds: 900,
            retry_delays_seconds: vec![60, 300, 900, 1_800, 3_600],
            give_up_hours: 72,
            confirmations_per_day_max: 3,
            confirmations_per_client_hour_max: 30,
            confirmations_per_domain_hour_max: 300,
            pending_days_max: 3,
            list_name: String::new(),
            list_id: String::new(),
            // reserved by RFC 6761: nobody gets a mail from it by mistake
            from_address: EmailAddress::parse("ban-tin@loa.localhost").expect("an address"),
            bounce_address: String::new(),
            unsubscribe_address: String::new(),
            categories: Vec::new(),
            smtp: SmtpConfig::default(),
        }
    }
}

impl Default for SmtpConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 25,
            tls: Tls::None,
            ca_file: PathBuf::new(),
            username: String::new(),
            password: String::new(),
            password_file: PathBuf::new(),
            hello_name: String::new(),
            timeout_seconds: 60,
        }
    }
}

impl fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("username", &self.username)
            .field("password", &if self.password.is_empty() { "" } else { "***" })
            .field("password_file", &self.password_file)
            .field("timeout_seconds", &self.timeout_seconds)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// The first setting that is out of range, as a sentence.
    pub(crate) fn fault(&self) -> Option<String> {
        let outside = |name: &str, value: u32, low: u32, high: u32| {
            (!(low..=high).contains(&value))
                .then(|| format!("digest.{name} is {value}; it must be from {low} to {high}"))
        };
        let unheard = |name: &str, at: Time| {
            (at < self.send_window_from || at >= self.send_window_until).then(|| {
                format!(
                    "digest.{name} is {at}; it must be between digest.send_window_from and digest.send_window_until"
                )
            })
        };
        let unread = |name: &str, address: &str| {
            let error = EmailAddress::parse(address).err().filter(|_| !address.is_empty())?;
            Some(format!("digest.{name} is {address:?}; {error}"))
        };
        outside("immediate_window_seconds", self.immediate_window_seconds, 1, 3_600)
            .or_else(|| outside("item_days_max", self.item_days_max, 1, 60))
            .or_else(|| outside("batch_max", self.batch_max, 1, 1_000))
            .or_else(|| outside("connections_max", self.connections_max, 1, 32))
            .or_else(|| outside("lease_seconds", self.lease_seconds, 15, 7_200))
            .or_else(|| self.short_lease())
            .or_else(|| self.odd_delays())
            .or_else(|| outside("give_up_hours", self.give_up_hours, 12, 240))
            .or_else(|| outside("confirmations_per_day_max", self.confirmations_per_day_max, 1, 100))
            .or_else(|| outside("confirmations_per_client_hour_max", self.confirmations_per_client_hour_max, 1, 10_000))
            .or_else(|| {
                outside("confirmations_per_domain_hour_max", self.confirmations_per_domain_hour_max, 1, 100_000)
            })
            .or_else(|| outside("pending_days_max", self.pending_days_max, 1, 30))
            .or_else(|| outside("smtp.timeout_seconds", self.smtp.timeout_seconds, 1, 300))
            .or_else(|| unheard("daily_at", self.daily_at))
            .or_else(|| unheard("weekly_at", self.weekly_at))
            .or_else(|| unread("bounce_address", &self.bounce_address))
            .or_else(|| unread("unsubscribe_address", &self.unsubscribe_address))
    }
}

impl Config {
    /// A mail whose lease ended in the middle of its dialogue would be sent by somebody else, too.
    fn short_lease(&self) -> Option<String> {
        let needed = self.smtp.timeout_seconds.saturating_mul(ANSWERS_IN_A_DIALOGUE);
        (self.lease_seconds < needed).then(|| {
            format!(
                "digest.lease_seconds is {}; with digest.smtp.timeout_seconds = {} it must be at least {needed}",
                self.lease_seconds, self.smtp.timeout_seconds
            )
        })
    }

    fn odd_delays(&self) -> Option<String> {
        let delays = &self.retry_delays_seconds;
        let good = (1..=20).contains(&delays.len()) && delays.iter().all(|delay| (1..=86_400).contains(delay));
        (!good).then(|| {
            format!("digest.retry_delays_seconds is {delays:?}; it must be 1 to 20 numbers, each from 1 to 86400")
        })
    }
}

impl WeeklyOn {
    pub(crate) fn weekday(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}
