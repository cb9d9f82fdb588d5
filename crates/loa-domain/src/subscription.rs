//! A mailbox, and its wish: which areas, which categories, how often.

use crate::{AreaId, CategorySlug, Content};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// Why a text is not an e-mail address Loa can send to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// No `@`, more than one, or nothing beside it.
    #[error("it must look like name@example.gov.vn")]
    Shape,
    /// Over 254 bytes, or over 64 before the `@` (RFC 5321 §4.5.3.1).
    #[error("it is longer than mail servers accept")]
    TooLong,
    /// A character outside ASCII, a space, a control character, a quote or a comma.
    #[error("it has a character that most mail servers refuse")]
    Character,
}

/// An address that can stand in an SMTP envelope: ASCII, unquoted. The domain is lower case; two addresses that
/// differ only in case are one mailbox (`key`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// See [`EmailError`]; nothing is guessed or repaired but white space at the ends and the domain's case.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Shape)?;
        if text.len() > 254 || local.len() > 64 {
            return Err(EmailError::TooLong);
        }
        let dots_fit = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
        if !dots_fit(local) || !dots_fit(domain) || local.contains('@') {
            return Err(EmailError::Shape);
        }
        let local_fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
        let domain_fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if !local.chars().all(local_fits) || !domain.chars().all(domain_fits) {
            return Err(EmailError::Character);
        }
        if domain.split('.').any(|label| label.starts_with('-') || label.ends_with('-') || label.len() > 63) {
            return Err(EmailError::Shape);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The address as it was given, domain in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two addresses the same mailbox.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The mailbox behind it, as most mail servers have it (RFC 5233): without what follows a `+`, in lower case; and at the
    /// large providers that pass over signs in a name, without these (`t.ar.get@googlemail.com` is `target@gmail.com`). For
    /// counting only: whether `a+b@…` is `a@…` is its server's business.
    pub fn mailbox(&self) -> Self {
        let key = self.key();
        let (local, domain) = key.rsplit_once('@').unwrap_or((&key, ""));
        let untagged = local.split('+').next().unwrap_or_default();
        let (domain, passed_over) = match domain {
            "gmail.com" | "googlemail.com" => ("gmail.com", "."),
            "proton.me" | "protonmail.com" | "protonmail.ch" | "pm.me" => ("proton.me", "._-"),
            other => (other, ""),
        };
        let name: String = untagged.chars().filter(|c| !passed_over.contains(*c)).collect();
        // a local part of nothing but such signs, or that begins with +, has no other name
        if name.is_empty() { Self(key) } else { Self(format!("{name}@{domain}")) }
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// For logs and lists that not everyone may read: `n…@example.gov.vn`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        format!("{}…@{domain}", local.chars().next().unwrap_or('?'))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0
    }
}

/// Areas × categories. An empty set means all of them. Two subscribers with equal wishes share one rendering.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// Areas; empty: every article, with or without an area.
    pub areas: BTreeSet<AreaId>,
    /// Categories; empty: every category, and documents.
    pub categories: BTreeSet<CategorySlug>,
}

impl Wish {
    /// The longest [`Self::key`] a ledger takes, in bytes: it stands in a unique index, and a row of PostgreSQL's has room
    /// for 2,700. About 70 areas and categories together.
    pub const KEY_BYTES_MAX: usize = 2_000;

    /// Whether a ledger takes it.
    pub fn fits(&self) -> bool {
        self.key().len() <= Self::KEY_BYTES_MAX
    }

    /// One text for one wish: equal wishes, equal keys. Can be read back by a person.
    pub fn key(&self) -> String {
        let join = |parts: Vec<&str>| if parts.is_empty() { "*".to_owned() } else { parts.join(",") };
        format!(
            "areas={};categories={}",
            join(self.areas.iter().map(AreaId::as_str).collect()),
            join(self.categories.iter().map(CategorySlug::as_str).collect())
        )
    }

    /// Whether content that reaches these areas (its own and their successors) is wished for.
    pub fn matches(&self, content: &Content, reach: &[AreaId]) -> bool {
        let area_fits = self.areas.is_empty() || reach.iter().any(|area| self.areas.contains(area));
        let category_fits =
            self.categories.is_empty() || content.category().is_some_and(|c| self.categories.contains(&c.slug));
        area_fits && category_fits
    }
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// Asked for on the page, not yet confirmed by the mailbox's owner: gets nothing but the confirmation mail.
    Pending,
    /// Gets digests.
    Active,
    /// Ended by its owner.
    Unsubscribed,
    /// Paused by us: the mailbox refused mail for good.
    Suspended,
}

impl SubscriptionState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Unsubscribed, Self::Suspended];

    /// The word kept in ledgers and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
            Self::Suspended => "suspended",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_could_break_a_header_or_an_envelope_are_refused() {
        for bad in
            ["", "a", "a@", "@b.vn", "a b@c.vn", "a\r\nBcc: x@y.z@c.vn", "a@b..vn", "ô@b.vn", "a,b@c.vn", "a@-b.vn"]
        {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
        let address = EmailAddress::parse(" Van.Phong@NaSon.GOV.vn ").unwrap();
        assert_eq!(address.as_str(), "Van.Phong@nason.gov.vn");
        assert_eq!(address.key(), "van.phong@nason.gov.vn");
        assert_eq!(address.masked(), "V…@nason.gov.vn");
    }

    #[test]
    fn a_mailbox_is_counted_without_its_tag_its_case_and_the_signs_its_provider_passes_over() {
        let mailbox = |text: &str| EmailAddress::parse(text).unwrap().mailbox().to_string();
        assert_eq!(mailbox("Nguoi.Dan+tin+2@Example.VN"), "nguoi.dan@example.vn");
        assert_eq!(mailbox("nguoi.dan@example.vn"), "nguoi.dan@example.vn");
        assert_eq!(mailbox("+x@example.vn"), "+x@example.vn");
        for one in ["nguoi.dan@gmail.com", "n.g.u.o.i.d.a.n@gmail.com", "NguoiDan+tin@GoogleMail.com"] {
            assert_eq!(mailbox(one), "nguoidan@gmail.com", "{one}");
        }
        assert_eq!(mailbox("nguoi_d-a.n@pm.me"), mailbox("nguoidan@proton.me"));
        assert_eq!(mailbox("nguoi_d-a.n@example.vn"), "nguoi_d-a.n@example.vn");
        assert_eq!(mailbox("_-_@pm.me"), "_-_@pm.me");
        assert_eq!(EmailAddress::parse("a@B.vn").unwrap().domain(), "b.vn");
    }

    #[test]
    fn equal_wishes_have_equal_keys_whatever_the_order_they_were_given_in() {
        let area = |id: &str| AreaId::new(id).unwrap();
        let one = Wish { areas: [area("b"), area("a")].into(), ..Wish::default() };
        let two = Wish { areas: [area("a"), area("b")].into(), ..Wish::default() };
        assert_eq!(one.key(), two.key());
        assert_eq!(one.key(), "areas=a,b;categories=*");
        let many = Wish { areas: (0..200).map(|n| area(&format!("na-son-{n}"))).collect(), ..Wish::default() };
        assert!(one.fits() && !many.fits());
    }
}
