//! The address of the client, where proxies stand in between: what a proxy of ours says of a request's
//! origin is believed, what anybody else says is not.
//!
//! `X-Forwarded-For` is a list to which each proxy adds the address it saw, at the end. Read from there,
//! the first address outside our own networks is the client's; the client may have made up what stands
//! before it. The listener says who is at the other end of the connection ([`Peer`]), services read
//! [`ClientAddress`] among the request's extensions.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use loa_domain::{Network, NetworkError};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request comes from: that of a machine, an office or a household, never of one of
/// our own proxies. Absent where it is not known, or lies in one of our own networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The networks in which proxies of ours stand.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<Network>);

/// Puts the [`ClientAddress`] among the extensions of a request that has a [`Peer`].
pub async fn note_client_address(
    State(proxies): State<Arc<TrustedProxies>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(Peer(peer)) = request.extensions().get().copied()
        && let Some(client) = proxies.client_address(peer, request.headers())
    {
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

impl TrustedProxies {
    /// Reads networks like `10.20.0.0/16`.
    ///
    /// # Errors
    /// When a text is not a network.
    pub fn parse(networks: &[String]) -> Result<Self, NetworkError> {
        networks.iter().map(|text| text.parse()).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a proxy of ours may stand there.
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// `None`: a proxy of ours does not say, or says what is no address; or the client is in our own networks.
    fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> Option<ClientAddress> {
        if !self.has(peer) {
            return Some(ClientAddress(peer.to_canonical()));
        }
        for line in headers.get_all(FORWARDED_FOR).iter().rev() {
            for entry in line.to_str().ok()?.rsplit(',') {
                let address = address(entry.trim())?;
                if !self.has(address) {
                    return Some(ClientAddress(address.to_canonical()));
                }
            }
        }
        None
    }
}

/// An address, with a port as some proxies add it or without.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.trim_matches(['[', ']']).parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> Option<String> {
        let ours = ["127.0.0.0/8", "10.0.0.0/8", "fc00::/7"].map(str::to_owned);
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().expect("a header value"));
        }
        let proxies = TrustedProxies::parse(&ours).expect("networks");
        let client = proxies.client_address(peer.parse().expect("an address"), &headers);
        client.map(|client| client.0.to_string())
    }

    #[test]
    fn what_a_proxy_of_ours_says_is_believed_and_what_the_client_says_is_not() {
        let check = |peer, forwarded: &[&str], expected: Option<&str>| {
            assert_eq!(client(peer, forwarded).as_deref(), expected, "{peer} {forwarded:?}");
        };
        check("203.0.113.7", &[], Some("203.0.113.7"));
        check("203.0.113.7", &["198.51.100.1"], Some("203.0.113.7"));
        check("::ffff:203.0.113.7", &[], Some("203.0.113.7"));
        check("127.0.0.1", &["203.0.113.7"], Some("203.0.113.7"));
        check("::ffff:10.0.0.1", &["198.51.100.1, 203.0.113.7"], Some("203.0.113.7"));
        check("10.0.0.1", &["198.51.100.1, 203.0.113.7, 10.0.0.2,127.0.0.1"], Some("203.0.113.7"));
        check("10.0.0.1", &["203.0.113.7", "10.0.0.2"], Some("203.0.113.7"));
        check("fd00::1", &["2001:db8::5"], Some("2001:db8::5"));
        check("10.0.0.1", &["203.0.113.7:4711"], Some("203.0.113.7"));
        check("10.0.0.1", &["[2001:db8::5]:4711"], Some("2001:db8::5"));
    }

    #[test]
    fn who_is_not_known_or_is_of_our_own_networks_is_nobody() {
        for (peer, forwarded) in [
            ("127.0.0.1", &[][..]),
            ("10.0.0.1", &["10.9.9.9"]),
            ("10.0.0.1", &["203.0.113.7, unknown"]),
            ("10.0.0.1", &[""]),
        ] {
            assert_eq!(client(peer, forwarded), None, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_network_that_is_none_is_refused_by_its_text() {
        let error = TrustedProxies::parse(&["10.0.0.0/40".to_owned()]).expect_err("it is none");
        assert_eq!(error.to_string(), "\"10.0.0.0/40\" is not a network like 10.20.0.0/16");
    }
}
