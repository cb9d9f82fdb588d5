//! Why an address may not be called, as facts. The rules stand in `loa-webhook` (`EgressPolicy`), and `loa-words` says them to
//! whoever wrote the address. The watch's ledger keeps one as JSON.

use crate::{Quoted, ServerWords};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Why an address may not be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum AddressRefusal {
    /// It cannot be read.
    NotAUrl {
        /// What its reader said.
        said: ServerWords,
    },
    /// It is too long.
    TooLong {
        /// The most bytes.
        bytes_max: usize,
    },
    /// Neither https nor http.
    Scheme {
        /// What it begins with.
        scheme: Quoted,
    },
    /// Plain http to a host that is not allowed by name or network.
    PlainHttp {
        /// Which.
        host: Quoted,
    },
    /// It holds a user name or a password, which belong into no log.
    Userinfo,
    /// Nothing stands between the slashes.
    NoHost,
    /// It has port 0, at which nobody can listen.
    NoPort,
    /// The address is not public, and not allowed.
    NotPublic {
        /// As it was understood.
        address: IpAddr,
    },
    /// None of the addresses of a name is public or allowed.
    NoPublicAddress {
        /// The name.
        host: Quoted,
        /// What it resolved to.
        addresses: Vec<IpAddr>,
    },
}

/// Whose settings allow what the rules refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EgressSettings {
    /// `push.allow_hosts` and `push.allow_networks`.
    Push,
    /// `hub.allow_hosts` and `hub.allow_networks`.
    Hub,
    /// `watch.allow_hosts` and `watch.allow_networks`.
    Watch,
}

impl EgressSettings {
    /// The section of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Hub => "hub",
            Self::Watch => "watch",
        }
    }
}
