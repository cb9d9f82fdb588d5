//! Where a webhook may go: public unicast addresses, and what the configuration allows by name or network.
//!
//! Somebody types in the address of an endpoint or a callback. Without these rules it could name our own database or a
//! cloud's metadata service. The rules are pure: `loa-egress` applies them to an address as it is written
//! ([`EgressPolicy::check_url`]) and to every address that a name resolves to, at the moment of connecting
//! ([`EgressPolicy::allows`]), so that no second look-up lies between. The WebSub rules of this crate read addresses by
//! them too, which is why they stand here and not in `loa-egress`.

use loa_domain::{AddressRefusal, Network, NetworkError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The longest address of an endpoint, in bytes.
const URL_LENGTH_MAX: usize = 2_048;

/// Whether an address is public unicast: nobody's loopback, private, link-local, carrier-grade, documentation,
/// multicast or reserved range, and no transition form that carries another address inside (6to4, NAT64, Teredo).
pub fn allowed(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => public_v4(a),
        IpAddr::V6(a) => a.to_ipv4_mapped().map_or_else(|| public_v6(a), public_v4),
    }
}

fn public_v4(a: Ipv4Addr) -> bool {
    let o = a.octets();
    let special = o[0] == 0 // "this network", 0.0.0.0 among it
        || a.is_private()
        || (o[0] == 100 && o[1] & 0xC0 == 64) // carrier-grade NAT, 100.64.0.0/10
        || a.is_loopback()
        || a.is_link_local() // and the clouds' metadata service
        || (o[0] == 192 && o[1] == 0 && o[2] == 0) // protocol assignments
        || a.is_documentation()
        || (o[0] == 192 && o[1] == 88 && o[2] == 99) // 6to4 relays
        || (o[0] == 198 && o[1] & 0xFE == 18) // benchmarking
        || o[0] >= 224; // multicast, reserved, broadcast
    !special
}

fn public_v6(a: Ipv6Addr) -> bool {
    let s = a.segments();
    // Only 2000::/3 is handed out as global unicast; loopback, unique-local, link-local, NAT64 (64:ff9b::), the
    // discard prefix and the old v4-compatible form all lie outside.
    let global = s[0] & 0xE000 == 0x2000;
    let special = match s[0] {
        0x2001 => s[1] < 0x0200 || s[1] == 0x0db8, // protocol assignments (Teredo, ORCHID), documentation
        0x2002 => true,                            // 6to4: carries any v4 address
        0x3fff => s[1] < 0x1000,                   // documentation
        _ => s[4] & 0xFDFF == 0 && s[5] == 0x5EFE, // ISATAP: carries any v4 address
    };
    global && !special
}

/// Reads an endpoint's address. Odd spellings of an IP address (decimal, octal, hexadecimal, short) become the
/// address they mean, so that [`EgressPolicy::check_url`] sees through them; zone ids are refused.
///
/// # Errors
/// [`AddressRefusal::NotAUrl`] or [`AddressRefusal::TooLong`].
pub fn parse_url(text: &str) -> Result<Url, AddressRefusal> {
    if text.len() > URL_LENGTH_MAX {
        return Err(AddressRefusal::TooLong { bytes_max: URL_LENGTH_MAX });
    }
    Url::parse(text).map_err(|e| AddressRefusal::NotAUrl { said: e.to_string().into() })
}

/// What the configuration allows beyond public https.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    /// Names (lower case) that may resolve to anything and be called over plain http. `*.example` takes each name below.
    pub allow_hosts: Vec<String>,
    /// Networks that may be called although they are not public.
    pub allow_networks: Vec<Network>,
    /// Whether anybody may be called over plain http: where what is sent is public anyway.
    pub plain_http: bool,
}

impl EgressPolicy {
    /// The policy of a section of the configuration.
    ///
    /// # Errors
    /// When a network can't be read; the sentence quotes it.
    pub fn read(allow_hosts: &[String], allow_networks: &[String], plain_http: bool) -> Result<Self, NetworkError> {
        let allow_networks = allow_networks.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        Ok(Self { allow_hosts: allow_hosts.to_vec(), allow_networks, plain_http })
    }

    /// Whether this address may be connected to, whoever's name led there.
    pub fn allows(&self, address: IpAddr) -> bool {
        allowed(address) || self.allow_networks.iter().any(|network| network.contains(address))
    }

    /// Whether this name may resolve to anything.
    pub fn allows_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.allow_hosts.iter().any(|entry| match entry.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => host == entry.trim_end_matches('.').to_ascii_lowercase(),
        })
    }

    /// Keeps those of a name's addresses that may be connected to.
    ///
    /// # Errors
    /// [`AddressRefusal::NoPublicAddress`] when none is left.
    pub fn keep_allowed<A>(
        &self,
        host: &str,
        found: Vec<A>,
        address: impl Fn(&A) -> IpAddr,
    ) -> Result<Vec<A>, AddressRefusal> {
        if self.allows_host(host) && !found.is_empty() {
            return Ok(found);
        }
        let (kept, refused): (Vec<A>, Vec<A>) = found.into_iter().partition(|a| self.allows(address(a)));
        if kept.is_empty() {
            let addresses = refused.iter().map(address).collect();
            return Err(AddressRefusal::NoPublicAddress { host: host.into(), addresses });
        }
        Ok(kept)
    }

    /// Checks what can be said without resolving a name: scheme, user name, and an address written as a number.
    /// To be asked before every request, since a resolver is never asked about numbers.
    ///
    /// # Errors
    /// By kind.
    pub fn check_url(&self, url: &Url) -> Result<(), AddressRefusal> {
        if url.as_str().len() > URL_LENGTH_MAX {
            return Err(AddressRefusal::TooLong { bytes_max: URL_LENGTH_MAX });
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(AddressRefusal::Scheme { scheme: url.scheme().into() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressRefusal::Userinfo);
        }
        if url.port() == Some(0) {
            return Err(AddressRefusal::NoPort);
        }
        let host = url.host().ok_or(AddressRefusal::NoHost)?;
        let named = self.allows_host(&host.to_string());
        let literal = match host {
            Host::Domain("") => return Err(AddressRefusal::NoHost),
            Host::Domain(_) => None,
            Host::Ipv4(a) => Some(IpAddr::V4(a)),
            Host::Ipv6(a) => Some(IpAddr::V6(a)),
        };
        if let Some(address) = literal.filter(|a| !named && !self.allows(*a)) {
            return Err(AddressRefusal::NotPublic { address });
        }
        let networked = literal.is_some_and(|a| self.allow_networks.iter().any(|network| network.contains(a)));
        if url.scheme() == "http" && !self.plain_http && !named && !networked {
            return Err(AddressRefusal::PlainHttp { host: host.to_string().into() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
