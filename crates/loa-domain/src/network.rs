//! Networks of IP addresses: in which of them an address lies, and which addresses most likely have one
//! owner. Pure; who may be called and whose word counts is decided by whoever holds the list.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A network in CIDR form, `10.20.0.0/16` or `fd00::/8`; a bare address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network like 10.20.0.0/16")]
pub struct NetworkError(String);

/// What belongs to one owner more often than not: the smallest networks that are routed on their own.
const OWNERS_PREFIX_V4: u8 = 24;
/// See [`OWNERS_PREFIX_V4`].
const OWNERS_PREFIX_V6: u8 = 48;

impl Network {
    /// The network around an address that most likely has one owner: `/24`, `/48`. An IPv4 address mapped into IPv6 counts as
    /// the IPv4 address.
    pub fn around(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(a) => {
                let bits = a.to_bits() & (u32::MAX << (32 - OWNERS_PREFIX_V4));
                Self { address: Ipv4Addr::from_bits(bits).into(), prefix: OWNERS_PREFIX_V4 }
            }
            IpAddr::V6(a) => {
                let bits = a.to_bits() & (u128::MAX << (128 - OWNERS_PREFIX_V6));
                Self { address: Ipv6Addr::from_bits(bits).into(), prefix: OWNERS_PREFIX_V6 }
            }
        }
    }

    /// Whether the address lies within. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let within = |a: u128, b: u128, width: u32| {
            let shift = width - u32::from(self.prefix);
            a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => within(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => within(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let fault = || NetworkError(text.to_owned());
        let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| fault())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |p| p.parse::<u8>().map_err(|_| fault()))?;
        if prefix > width { Err(fault()) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_owner_are_one_network() {
        let around = |text: &str| Network::around(text.parse().unwrap());
        assert_eq!(around("203.0.113.77"), "203.0.113.0/24".parse().unwrap());
        assert_eq!(around("::ffff:203.0.113.1"), around("203.0.113.255"));
        assert_eq!(around("2001:db8:7:8::1"), "2001:db8:7::/48".parse().unwrap());
        assert_ne!(around("2001:db8:8::1"), around("2001:db8:7::1"));
        assert!(around("203.0.113.77").contains("203.0.113.1".parse().unwrap()));
    }

    #[test]
    fn a_network_reads_and_prints() {
        for (text, printed) in
            [("10.0.0.0/8", "10.0.0.0/8"), ("127.0.0.1", "127.0.0.1/32"), ("::/0", "::/0"), ("0.0.0.0/0", "0.0.0.0/0")]
        {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), printed);
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("200.1.1.1".parse().unwrap()));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "x/8", "::1/129", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(bad.parse::<Network>().is_err(), "{bad:?}");
        }
    }
}
