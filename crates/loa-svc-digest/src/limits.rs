//! How often the form may cause a mail: for each client, each mailbox and each domain, and in all.
//!
//! One client, or one mailbox that is asked for again and again, uses up its own share and nobody else's.
//! The tables have a fixed size and live in this process; what a mailbox is sent in a day is counted in
//! the ledger besides, for all replicas.

use jiff::Timestamp;
use loa_domain::EmailAddress;
use loa_http::{Tally, household, network};
use std::net::IpAddr;

const MINUTE_SECONDS: u32 = 60;
const HOUR_SECONDS: u32 = 3_600;
const DAY_SECONDS: u32 = 86_400;
/// Keys that each table has room for, of 16 bytes each.
const KEYS: usize = 16_384;
/// Mails in a minute, to whatever mailboxes: a robot with many addresses must not make us its sender.
const IN_ALL_PER_MINUTE_MAX: u32 = 120;
/// Of them, for clients whose address is not known: those of our own networks, or behind a proxy that does not say.
const UNKNOWN_PER_MINUTE_MAX: u32 = 60;
/// Of them, for one IPv6 network of a whole provider (/32).
const PROVIDER_PER_MINUTE_MAX: u32 = 60;
/// As many times a client's share has one IPv6 network of a customer (/48), which holds 65,536 households' networks.
const CUSTOMER_SHARES: u32 = 4;

/// What may be asked for, from the settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    /// Mails in an hour that one address may ask for.
    pub(crate) client: u32,
    /// Mails in a day to one mailbox.
    pub(crate) mailbox: u32,
    /// Mails in an hour to one domain.
    pub(crate) domain: u32,
}

/// What the form has caused so far.
#[derive(Debug)]
pub(crate) struct Limits {
    shares: Shares,
    clients: Tally,
    customers: Tally,
    mailboxes: Tally,
    domains: Tally,
    minute: Tally,
}

/// Whether a mail may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// It may.
    Write,
    /// Its mailbox had its share today. The client must not see it: the mailbox may be somebody else's.
    MailboxHadItsShare,
    /// Too much was asked for; come back after so many seconds.
    TooOften(u32),
    /// The form as a whole is used more than people use it; come back after so many seconds.
    Busy(u32),
}

impl Limits {
    pub(crate) fn new(shares: Shares, seed: [u8; 16]) -> Self {
        let table = |period| Tally::new(period, KEYS, seed);
        Self {
            shares,
            clients: table(HOUR_SECONDS),
            customers: table(HOUR_SECONDS),
            mailboxes: table(DAY_SECONDS),
            domains: table(HOUR_SECONDS),
            minute: table(MINUTE_SECONDS),
        }
    }

    /// Counts a request. What is refused to one counts for nobody else.
    pub(crate) fn count(&self, client: Option<IpAddr>, email: &EmailAddress, now: Timestamp) -> Allowance {
        if let Some(client) = client
            && let Some(wait) = self.count_client(client, now)
        {
            return Allowance::TooOften(wait);
        }
        if self.mailboxes.count(email.mailbox().as_str(), self.shares.mailbox, now).is_some() {
            return Allowance::MailboxHadItsShare;
        }
        let allowance = self.count_in_all(client, email, now);
        if allowance != Allowance::Write {
            self.mailboxes.uncount(email.mailbox().as_str(), now);
        }
        allowance
    }

    /// Counts a client for its household, and for the network that many of those are of; the seconds to wait when one of them
    /// had its share.
    fn count_client(&self, client: IpAddr, now: Timestamp) -> Option<u32> {
        if let Some(wait) = self.clients.count(household(client), self.shares.client, now) {
            return Some(wait);
        }
        self.customers.count(network(client, 48)?, self.shares.client.saturating_mul(CUSTOMER_SHARES), now)
    }

    fn count_in_all(&self, client: Option<IpAddr>, email: &EmailAddress, now: Timestamp) -> Allowance {
        if let Some(wait) = self.domains.count(email.domain(), self.shares.domain, now) {
            return Allowance::TooOften(wait);
        }
        if client.is_none()
            && let Some(wait) = self.minute.count("unknown", UNKNOWN_PER_MINUTE_MAX, now)
        {
            return Allowance::Busy(wait);
        }
        if let Some(provider) = client.and_then(|client| network(client, 32))
            && let Some(wait) = self.minute.count(provider, PROVIDER_PER_MINUTE_MAX, now)
        {
            return Allowance::Busy(wait);
        }
        self.minute.count("all", IN_ALL_PER_MINUTE_MAX, now).map_or(Allowance::Write, Allowance::Busy)
    }

    /// Takes back what a request was counted whose mail could not be written: whoever tries again must have a mail then. One
    /// that was to be withheld was counted for its client alone.
    pub(crate) fn give_back(&self, client: Option<IpAddr>, email: &EmailAddress, is_withheld: bool, now: Timestamp) {
        if let Some(client) = client {
            self.clients.uncount(household(client), now);
            if let Some(customer) = network(client, 48) {
                self.customers.uncount(customer, now);
            }
        }
        if is_withheld {
            return;
        }
        self.mailboxes.uncount(email.mailbox().as_str(), now);
        self.domains.uncount(email.domain(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(Shares { client: 5, mailbox: 3, domain: 20 }, [7; 16])
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn written(limits: &Limits, client: Option<&str>, emails: impl Iterator<Item = String>) -> usize {
        let client = client.map(|text| text.parse().unwrap());
        let count = |email: String| limits.count(client, &EmailAddress::parse(&email).unwrap(), now());
        emails.map(count).filter(|allowance| *allowance == Allowance::Write).count()
    }

    #[test]
    fn tags_make_no_further_mailbox_and_the_form_goes_on_for_others() {
        let limits = limits();
        let tagged = (0..130).map(|n| format!("Target+{n}@victim.vn"));
        assert_eq!(written(&limits, None, tagged), 3);
        assert_eq!(written(&limits, None, (0..50).map(|n| format!("a{n}@d{n}.vn"))), 50);
    }

    #[test]
    fn dots_make_no_further_mailbox_where_the_provider_passes_over_them() {
        let dotted = (0..100_u32).map(|n| {
            let name = "abcdefghi"
                .char_indices()
                .map(|(at, c)| if n >> at & 1 == 1 { format!("{c}.") } else { c.to_string() });
            format!("{}j@{}", name.collect::<String>(), if n % 2 == 0 { "gmail.com" } else { "googlemail.com" })
        });
        assert_eq!(written(&limits(), None, dotted), 3);
    }

    #[test]
    fn a_client_uses_up_its_own_share_whatever_addresses_it_has_in_its_network() {
        let limits = limits();
        for (client, expected) in [
            ("203.0.113.7", 5),
            ("203.0.113.7", 0),
            ("203.0.113.8", 5),
            ("2001:db8:1:1::1", 5),
            ("2001:db8:1:1:ffff::9", 0),
            ("2001:db8:1:2::1", 5),
        ] {
            let emails = (0..10).map(|n| format!("x{n}@{}.vn", client.replace([':', '.'], "-")));
            let emails = emails.map(|email| email.replace("--", "-"));
            assert_eq!(written(&limits, Some(client), emails), expected, "{client}");
        }
    }

    #[test]
    fn whoever_has_a_great_network_closes_the_form_for_nobody_else() {
        let limits = Limits::new(Shares { client: 30, mailbox: 3, domain: 300 }, [7; 16]);
        let one = |client: String| {
            let email = format!("a@{}.vn", client.replace("::", "-").replace(':', "-"));
            written(&limits, Some(&client), std::iter::once(email))
        };
        let of_a_customer: usize = (0..400).map(|n| one(format!("2001:db8:1:{n:x}::a"))).sum();
        assert_eq!(of_a_customer, 60, "half of a minute, and no more of it");
        let of_a_provider: usize = (0..400).map(|n| one(format!("2001:db8:{:x}::a", n + 2))).sum();
        assert_eq!(of_a_provider, 0);
        assert_eq!(one("2001:db9::a".to_owned()), 1);
        assert_eq!(written(&limits, Some("203.0.113.7"), (0..9).map(|n| format!("b{n}@b.vn"))), 9);
    }

    #[test]
    fn a_domain_is_not_flooded_by_many_clients() {
        let limits = limits();
        let found: usize = (0..40)
            .map(|n| written(&limits, Some(&format!("203.0.113.{n}")), std::iter::once(format!("p{n}@victim.vn"))))
            .sum();
        assert_eq!(found, 20);
        assert_eq!(written(&limits, Some("203.0.113.200"), std::iter::once("a@b.vn".to_owned())), 1);
    }

    #[test]
    fn those_who_are_not_known_use_half_of_a_minute_at_most() {
        let limits = Limits::new(Shares { client: 500, mailbox: 3, domain: 500 }, [7; 16]);
        assert_eq!(written(&limits, None, (0..130).map(|n| format!("a{n}@a.vn"))), 60);
        assert_eq!(written(&limits, Some("203.0.113.7"), (0..130).map(|n| format!("b{n}@b.vn"))), 60);
    }
}
