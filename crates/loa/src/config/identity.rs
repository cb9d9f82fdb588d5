//! Whose installation this is: settings without which nothing goes in or out, and that have no default.
//!
//! Whoever makes a service asks for [`Config::home_portal`], so that none can be made without an identity. What is said then is
//! the fact [`Fault::NoIdentity`]; ADR 0027 says why nothing runs.

use super::Config;
use crate::fault_error::FaultError;
use anyhow::Context;
use jiff::{Timestamp, civil::Date};
use loa_domain::{AreaId, Fault, HOME, Portal, PortalSlug};
use serde::{Deserialize, Deserializer};
use url::Url;

/// The top-level domain of names that lead nowhere (RFC 6761): an address in it counts as not set.
const NOWHERE: &str = ".localhost";

/// Who publishes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalConfig {
    /// Its name, as people read it. Empty: not set.
    pub name: String,
    /// Its address; relative addresses in its pages are read against it.
    #[serde(deserialize_with = "address_or_empty")]
    pub url: Option<Url>,
    /// The CloudEvents `source` of what comes in through intake. Empty: not set.
    pub source: String,
    /// The area of what names none and shows none in its text. Empty: none.
    pub area: String,
}

/// An address, or nothing where the setting is empty.
fn address_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let read = || text.parse().map_err(|error| serde::de::Error::custom(format!("{text:?} is no address: {error}")));
    if text.is_empty() { Ok(None) } else { read().map(Some) }
}

impl Config {
    /// Settings of the identity that are not set, in the order of the manual.
    pub fn unset_identity(&self) -> Vec<&'static str> {
        [
            ("portal.name", self.portal.name.is_empty()),
            ("portal.url", self.portal.url.is_none()),
            ("portal.source", self.portal.source.is_empty()),
            ("site.tag_authority", self.site.tag_authority.is_empty()),
            ("site.tag_date", self.site.tag_date.is_empty()),
            ("areas.within", self.areas.is_unset()),
            ("digest.from_address", !self.has_sender()),
        ]
        .into_iter()
        .filter_map(|(setting, is_unset)| is_unset.then_some(setting))
        .collect()
    }

    /// Whether mails have a sender that can send.
    pub fn has_sender(&self) -> bool {
        !self.digest.from_address.as_str().ends_with(NOWHERE)
    }

    /// The home portal, which every installation with an identity has.
    ///
    /// # Errors
    /// A `FaultError` of [`Fault::NoIdentity`] while something of the identity is not set; what of it is outside its bounds.
    pub fn home_portal(&self) -> anyhow::Result<Portal> {
        let missing = self.unset_identity();
        let (Some(url), []) = (&self.portal.url, &missing[..]) else {
            // no time is in this sentence
            return Err(FaultError::new(Fault::NoIdentity { missing }, Timestamp::UNIX_EPOCH).into());
        };
        let area = (!self.portal.area.is_empty()).then(|| AreaId::new(self.portal.area.as_str()));
        let portal = Portal {
            slug: PortalSlug::new(HOME)?,
            name: self.portal.name.clone(),
            url: url.clone(),
            source: self.portal.source.clone(),
            tag_authority: self.site.tag_authority.clone(),
            tag_date: self.tag_date()?,
            area: area.transpose().context("`portal.area`")?,
            added_at: Timestamp::UNIX_EPOCH,
            retired_at: None,
        };
        Ok(portal)
    }

    /// What of the identity is set and outside its bounds.
    pub(super) fn check_identity(&self) -> anyhow::Result<()> {
        if !self.portal.source.is_empty() {
            Url::parse(&self.portal.source)
                .context("`portal.source` must be an absolute URI, for instance https://portal.example/")?;
        }
        if !self.site.tag_date.is_empty() {
            self.tag_date()?;
        }
        Ok(())
    }

    fn tag_date(&self) -> anyhow::Result<Date> {
        self.site.tag_date.parse().context("`site.tag_date` must be a day like 2026-01-01")
    }
}
