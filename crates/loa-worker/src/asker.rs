//! Who asks over HTTP. The listener knows, services are told.

use std::net::IpAddr;

/// The address that a request comes from: the listener puts it among the request's extensions. It is that of a machine, an
/// office or a household, never of one of our own proxies. Absent where it is not known, or is one of our own networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker(pub IpAddr);
