//! One server of an address: a name, an IPv4 or IPv6 address, or a folder with a socket in it; and its
//! port where one is written.

use crate::AddressError;
use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A server: `mq-1`, `mq-1:5672`, `192.0.2.5`, `[2001:db8::5]:5672`, `/run/postgresql`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// The name or address, without brackets, or the folder of a socket.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port that is written, if one is.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The same server with a port where none is written.
    #[must_use]
    pub fn or_port(mut self, port: u16) -> Self {
        self.port.get_or_insert(port);
        self
    }

    /// Name and port, as resolvers take them: an IPv6 address without brackets.
    pub fn with_port(&self, default: u16) -> (String, u16) {
        (self.name.clone(), self.port.unwrap_or(default))
    }

    /// Whether this is the folder of a socket on this machine.
    pub fn is_socket(&self) -> bool {
        self.name.starts_with('/')
    }
}

impl FromStr for Host {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.starts_with('/') {
            return Ok(Self { name: text.to_owned(), port: None });
        }
        if let Some(inside) = text.strip_prefix('[') {
            let (literal, after) = inside.split_once(']').ok_or_else(|| wrong("has a [ without its ]"))?;
            let address: Ipv6Addr =
                literal.parse().map_err(|_| wrong("has something else than an IPv6 address in its brackets"))?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(read_port(port)?),
                None if after.is_empty() => None,
                None => return Err(wrong("has something else than :PORT behind its ]")),
            };
            return Ok(Self { name: address.to_string(), port });
        }
        let (name, port) = match text.split_once(':') {
            Some((_, after)) if after.contains(':') => {
                return Err(wrong(
                    "has several colons in a host; an IPv6 address stands in brackets: [2001:db8::5]:PORT",
                ));
            }
            Some((name, port)) => (name, Some(read_port(port)?)),
            None => (text, None),
        };
        check_name(name)?;
        Ok(Self { name: name.to_ascii_lowercase(), port })
    }
}

fn wrong(what: &str) -> AddressError {
    AddressError::new(what)
}

fn read_port(text: &str) -> Result<u16, AddressError> {
    // "+5" is a number for Rust
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port > 0);
    port.ok_or_else(|| wrong("has a port that is no number from 1 to 65535"))
}

fn check_name(name: &str) -> Result<(), AddressError> {
    if name.is_empty() {
        return Err(wrong("has a host without a name"));
    }
    // what is not ASCII is left to the resolver
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') || !c.is_ascii()) {
        return Err(wrong("has a character in a host that no name of a host has"));
    }
    // resolvers take 127.1 or 0x7f.1 for addresses: nobody means those
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) && name.parse::<Ipv4Addr>().is_err() {
        return Err(wrong("has a host that looks like an IPv4 address and is none"));
    }
    Ok(())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') && !self.is_socket() {
            write!(f, "[{}]", self.name)?;
        } else {
            f.write_str(&self.name)?;
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for (text, name, port) in [
            ("mq-1", "mq-1", None),
            ("MQ-1.example.gov.vn:5673", "mq-1.example.gov.vn", Some(5673)),
            ("rabbit_1", "rabbit_1", None),
            ("192.0.2.5:1", "192.0.2.5", Some(1)),
            ("[::1]", "::1", None),
            ("[2001:db8::5]:65535", "2001:db8::5", Some(65_535)),
            ("[2001:DB8:0::5]", "2001:db8::5", None),
            ("/run/postgresql", "/run/postgresql", None),
        ] {
            let host: Host = text.parse().unwrap();
            assert_eq!((host.name(), host.port()), (name, port), "{text}");
            assert_eq!(host.to_string().parse::<Host>().as_ref(), Ok(&host), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_in_words() {
        for (text, words) in [
            ("", "without a name"),
            (":5672", "without a name"),
            ("mq:", "port"),
            ("mq:0", "port"),
            ("mq:65536", "port"),
            ("mq:+5", "port"),
            ("mq:amqp", "port"),
            ("::1", "brackets: [2001:db8::5]"),
            ("2001:db8::5", "brackets: [2001:db8::5]"),
            ("[::1", "without its ]"),
            ("[mq]", "IPv6 address"),
            ("[::1]5672", "behind its ]"),
            ("[fe80::1%eth0]", "IPv6 address"),
            ("m q", "no name of a host"),
            ("mq;rm", "no name of a host"),
            ("127.0.0.256", "IPv4 address"),
            ("127.1", "IPv4 address"),
            ("5672", "IPv4 address"),
        ] {
            let error = text.parse::<Host>().unwrap_err().to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}
