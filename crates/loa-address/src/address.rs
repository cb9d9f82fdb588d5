//! A whole address: scheme, login, hosts, path, parameters. Percent-encoding is undone here, once.

use crate::{AddressError, Host, Password};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt;

/// What an address keeps as it is in a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address, taken apart. `Display` writes it without password and parameters.
#[derive(Clone, Debug)]
pub struct Address {
    /// In lower case: one of those that were asked for.
    pub scheme: String,
    /// Who logs in.
    pub user: Option<String>,
    /// The password, if it is written in the address.
    pub password: Option<Password>,
    /// The servers, in the order in which they are written; may be none.
    pub hosts: Vec<Host>,
    /// What is behind the slash; `None` without one.
    pub path: Option<String>,
    /// What is behind the question mark, in order. No name comes twice.
    pub parameters: Vec<(String, String)>,
}

impl Address {
    /// Reads `SCHEME://USER:PASSWORD@HOST:PORT,HOST:PORT/PATH?NAME=VALUE&…`, where all but the scheme may be missing.
    ///
    /// # Errors
    /// What is wrong, in words that quote neither login nor parameters' values.
    pub fn parse(text: &str, schemes: &[&str]) -> Result<Self, AddressError> {
        let begins = format!("begins with none of {}", schemes.join("://, ") + "://");
        let (scheme, rest) = text.split_once("://").ok_or_else(|| AddressError::new(begins.clone()))?;
        let scheme = scheme.to_ascii_lowercase();
        if !schemes.contains(&scheme.as_str()) {
            return Err(AddressError::new(begins));
        }
        if rest.chars().any(|c| c.is_whitespace() || c.is_control() || c == '#') {
            return Err(AddressError::new(
                "has a space, a line end or a # in it; these must be percent-encoded (%20, %23)",
            ));
        }
        let (before, query) = split(rest, '?');
        let (authority, path) = split(before, '/');
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| split(login, ':')) {
            Some((user, password)) => (Some(decode(user)?), password.map(decode).transpose()?),
            None => (None, None),
        };
        let hosts = read_hosts(hosts).map_err(|error| {
            // the rest of a password, which must not be quoted, reads like hosts and a path
            let is_cut = login.is_none() && rest[authority.len()..].contains('@');
            let in_words = "has a / or ? in its password; these must be percent-encoded (%2F, %3F)";
            if is_cut { AddressError::new(in_words) } else { error }
        })?;
        if path.is_some_and(|path| path.contains('/')) {
            return Err(AddressError::new("has more than one slash behind its hosts; a slash in a name is %2F"));
        }
        Ok(Self {
            scheme,
            user: user.filter(|user| !user.is_empty()),
            password: password.as_deref().map(Password::from),
            hosts,
            path: path.map(decode).transpose()?,
            parameters: read_parameters(query.unwrap_or_default())?,
        })
    }
}

/// What is before the first such character, and what is behind it, if there is one.
fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

fn decode(text: &str) -> Result<String, AddressError> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('%') {
        if !behind.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(AddressError::new("has a % that no two hexadecimal digits follow; a % itself is %25"));
        }
        rest = &behind[2..];
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| AddressError::new("has percent-encoded bytes in it that are no UTF-8"))
}

fn read_hosts(text: &str) -> Result<Vec<Host>, AddressError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|host| decode(host)?.parse()).collect()
}

fn read_parameters(query: &str) -> Result<Vec<(String, String)>, AddressError> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = split(pair, '=');
        let (name, value) = (decode(name)?, decode(value.unwrap_or_default())?);
        if parameters.iter().any(|(other, _)| *other == name) {
            return Err(AddressError::new(format!("has the parameter `{name}` twice")));
        }
        parameters.push((name, value));
    }
    Ok(parameters)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        if let Some(user) = &self.user {
            write!(f, "{}@", utf8_percent_encode(user, PLAIN))?;
        }
        for (place, host) in self.hosts.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            if host.is_socket() {
                write!(f, "{comma}{}", utf8_percent_encode(host.name(), PLAIN))?;
            } else {
                write!(f, "{comma}{host}")?;
            }
        }
        self.path.as_ref().map_or(Ok(()), |path| write!(f, "/{}", utf8_percent_encode(path, PLAIN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: &[&str] = &["amqp", "amqps"];

    #[test]
    fn an_address_is_taken_apart() {
        let address = Address::parse("AMQP://loa:a%25b%40c@mq-1,mq-2:5673/%2f?heartbeat=5&x=a%26b", SCHEMES).unwrap();
        assert_eq!((address.scheme.as_str(), address.user.as_deref()), ("amqp", Some("loa")));
        assert_eq!(address.password.unwrap().now().unwrap(), "a%b@c");
        assert_eq!(address.hosts, ["mq-1".parse().unwrap(), "mq-2:5673".parse().unwrap()]);
        assert_eq!(address.path.as_deref(), Some("/"));
        let expected = [("heartbeat".to_owned(), "5".to_owned()), ("x".to_owned(), "a&b".to_owned())];
        assert_eq!(address.parameters, expected);

        let address = Address::parse("amqp://", SCHEMES).unwrap();
        assert!(address.hosts.is_empty() && address.user.is_none() && address.path.is_none());
        // an @ in a password is no reason to ask
        let address = Address::parse("amqp://loa:p@ss@mq", SCHEMES).unwrap();
        assert_eq!((address.password.unwrap().now().unwrap(), address.hosts.len()), ("p@ss".to_owned(), 1));
        let address = Address::parse("amqp://%2Frun%2Fpostgresql/loa", SCHEMES).unwrap();
        assert!(address.hosts[0].is_socket(), "{address}");
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown) in [
            ("amqp://loa:hunter2@[2001:db8::5]:5673,mq/%2f?heartbeat=5", "amqp://loa@[2001:db8::5]:5673,mq/%2F"),
            ("amqps://mq", "amqps://mq"),
            ("amqp://lo%40a@%2Frun%2Fx/", "amqp://lo%40a@%2Frun%2Fx/"),
        ] {
            let address = Address::parse(text, SCHEMES).unwrap();
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("hunter2"), "{address:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_quoting_it() {
        for (text, words) in [
            ("", "begins with none of amqp://, amqps://"),
            ("loa:hunter2@mq:5672", "begins with none of"),
            ("http://loa:hunter2@mq", "begins with none of"),
            ("amqp://loa:hunter2@mq:x/", "port"),
            ("amqp://loa:hun/ter2@mq/", "percent-encoded (%2F"),
            ("amqp://loa:hun?ter2@mq/", "percent-encoded (%2F"),
            ("amqp://loa:hun#ter2@mq/", "%23"),
            ("amqp://loa:hun ter2@mq/", "%20"),
            ("amqp://loa:hun%ter2@mq/", "%25"),
            ("amqp://loa:%ff@mq/", "UTF-8"),
            ("amqp://loa:hunter2@mq//", "more than one slash"),
            ("amqp://loa:hunter2@mq,/", "without a name"),
            ("amqp://loa:hunter2@2001:db8::5/", "brackets"),
            ("amqp://mq/?a=hunter2&a=2", "`a` twice"),
        ] {
            let error = Address::parse(text, SCHEMES).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(!error.contains("hunter2") && !error.contains("ter2"), "{text}: {error}");
        }
    }
}
