//! Who asks, where proxies stand in between. What a proxy of ours says of a request's origin is believed, what anybody else says is not.
//!
//! `X-Forwarded-For` is a list to which each proxy adds whom it saw, at the end. Read from there, the first address that is not in
//! a network of ours is the asker's; what stands before it, the asker may have made up.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use loa_webhook::Network;
use loa_worker::Asker;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The networks in which proxies of ours stand.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// Networks like `10.20.0.0/16`.
    pub fn read(networks: &[String]) -> anyhow::Result<Self> {
        let network = |text: &String| text.parse::<Network>().map_err(anyhow::Error::from);
        networks.iter().map(network).collect::<anyhow::Result<_>>().map(Self)
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// `None`: a proxy of ours does not say, or says what is no address; or it is somebody in our own networks.
    fn asker(&self, peer: IpAddr, headers: &HeaderMap) -> Option<Asker> {
        if !self.has(peer) {
            return Some(Asker(peer.to_canonical()));
        }
        for line in headers.get_all(FORWARDED_FOR).iter().rev() {
            for entry in line.to_str().ok()?.rsplit(',') {
                let address = address(entry.trim())?;
                if !self.has(address) {
                    return Some(Asker(address.to_canonical()));
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

/// Tells the services who asks.
pub async fn introduced(State(proxies): State<Arc<Proxies>>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get().copied()
        && let Some(asker) = proxies.asker(peer, request.headers())
    {
        request.extensions_mut().insert(asker);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(peer: &str, forwarded: &[&str]) -> Option<String> {
        let ours = ["127.0.0.0/8", "10.0.0.0/8", "fc00::/7"].map(str::to_owned);
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().expect("a header value"));
        }
        let asker = Proxies::read(&ours).expect("networks").asker(peer.parse().expect("an address"), &headers);
        asker.map(|asker| asker.0.to_string())
    }

    #[test]
    fn what_a_proxy_of_ours_says_is_believed_and_what_the_asker_says_is_not() {
        let check = |peer, forwarded: &[&str], expected: Option<&str>| {
            assert_eq!(asker(peer, forwarded).as_deref(), expected, "{peer} {forwarded:?}");
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
            assert_eq!(asker(peer, forwarded), None, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_network_that_is_none_is_refused_by_its_text() {
        let error = Proxies::read(&["10.0.0.0/40".to_owned()]).expect_err("it is none");
        assert_eq!(crate::output::sentence(&error), "\"10.0.0.0/40\" is not a network like 10.20.0.0/16");
    }
}
