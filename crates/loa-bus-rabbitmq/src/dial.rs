//! Opens a connection to one of the brokers: each host in a random order, each of its addresses, each
//! with a deadline of its own, until one answers.
//!
//! lapin reads a connection in a thread of its own, which ends only when the socket does. A frozen
//! broker, or a network that swallows everything, ends nothing: each try would leave a thread and
//! an open file behind until the process has no files left. So `wire.rs` keeps a second handle on
//! the socket, which is shut when the try or the connection is over.

use crate::{
    config::Random,
    fault::{cause_of, kind_of},
    runtime::{self, Open},
    server::Server,
    tls,
    wire::Wire,
};
use lapin::{Connection, ConnectionProperties, tcp::AsyncTcpStream};
use loa_address::{Host, shuffle};
use loa_bus::BusErrorKind;
use loa_domain::{BusFact, BusReason, DialFault, with_causes};
use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// An open connection.
pub(crate) struct Dialled {
    pub(crate) connection: Connection,
    pub(crate) wire: Wire,
    /// Where, whether encrypted, and as whom: for people.
    pub(crate) reached: String,
}

/// Why there is no connection: a sentence for the log, and facts for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) log: String,
    pub(crate) reason: BusReason,
}

/// Why no broker could be reached.
pub(crate) struct NotDialled {
    pub(crate) kind: BusErrorKind,
    /// Each address and what went wrong there.
    pub(crate) why: Why,
    /// One word of a small set, for metrics.
    pub(crate) cause: &'static str,
}

/// Why one try failed.
struct Failure {
    kind: BusErrorKind,
    /// For the log.
    log: String,
    fault: DialFault,
    cause: &'static str,
}

impl Failure {
    fn unavailable(log: impl Into<String>, cause: &'static str, fault: DialFault) -> Self {
        Self { kind: BusErrorKind::Unavailable, log: log.into(), fault, cause }
    }

    fn network(log: String) -> Self {
        let said = log.as_str().into();
        Self::unavailable(log, "network", DialFault::Network { said })
    }

    fn at(self, host: &Host, address: Option<SocketAddr>) -> NotDialled {
        let place = address.map_or_else(|| host.to_string(), |address| place(host, address));
        let log = format!("{place}: {}", self.log);
        let reason = BusReason::of(BusFact::NotReached { place, fault: self.fault });
        NotDialled { kind: self.kind, why: Why { log, reason }, cause: self.cause }
    }
}

/// Tries all hosts, once. A broker that refuses us ends it: the others of its cluster know the same users, and wrong
/// logins help nobody.
pub(crate) async fn dial(
    server: &Server,
    properties: &ConnectionProperties,
    random: &Random,
) -> Result<Dialled, NotDialled> {
    let mut hosts = server.hosts.clone();
    shuffle(&mut hosts, &**random);
    let mut failures: Vec<NotDialled> = Vec::new();
    for host in &hosts {
        let addresses = match look_up(host, server).await {
            Ok(addresses) => addresses,
            Err(failure) => {
                failures.push(failure.at(host, None));
                continue;
            }
        };
        for address in addresses {
            match within_deadline(server, host, address, properties).await {
                Ok(dialled) => return Ok(dialled),
                Err(failure) if failure.kind == BusErrorKind::Refused => return Err(failure.at(host, Some(address))),
                Err(failure) => failures.push(failure.at(host, Some(address))),
            }
        }
    }
    Err(all(failures))
}

/// One reason of all tries. It is the same for every order in which they were made, so that the log tells it once.
fn all(failures: Vec<NotDialled>) -> NotDialled {
    let cause = failures.first().map_or("network", |failure| failure.cause);
    let mut whys: Vec<Why> = failures.into_iter().map(|failure| failure.why).collect();
    whys.sort_by(|one, other| one.log.cmp(&other.log));
    whys.dedup_by(|one, other| one.log == other.log);
    let log = whys.iter().map(|why| why.log.as_str()).collect::<Vec<_>>().join("; ");
    let facts = whys.into_iter().flat_map(|why| why.reason.facts).collect();
    let reason = BusReason { facts, ..BusReason::default() };
    NotDialled { kind: BusErrorKind::Unavailable, why: Why { log, reason }, cause }
}

/// The host, and the address where the host is a name.
fn place(host: &Host, address: SocketAddr) -> String {
    let shown = address.to_string();
    if host.to_string() == shown { shown } else { format!("{host} ({})", address.ip()) }
}

async fn look_up(host: &Host, server: &Server) -> Result<Vec<SocketAddr>, Failure> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    match timeout(server.connect_timeout, lookup_host(host.with_port(0))).await {
        Err(_) => {
            let log = "its name was not looked up in time";
            return Err(Failure::unavailable(log, "late", DialFault::NameNotInTime));
        }
        Ok(Err(error)) => {
            let log = format!("its name cannot be looked up: {error}");
            let said = error.to_string().into();
            return Err(Failure::unavailable(log, "network", DialFault::NameUnknown { said }));
        }
        Ok(Ok(found)) => {
            for address in found.take(ADDRESSES_MAX) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
    }
    if addresses.is_empty() {
        return Err(Failure::unavailable("its name has no address", "network", DialFault::NameWithoutAddress));
    }
    Ok(addresses)
}

async fn within_deadline(
    server: &Server,
    host: &Host,
    address: SocketAddr,
    properties: &ConnectionProperties,
) -> Result<Dialled, Failure> {
    let attempt = open(server, host, address, properties.clone());
    timeout(server.connect_timeout, attempt).await.unwrap_or_else(|_| {
        let log = format!("it did not answer within {} s", server.connect_timeout.as_secs_f32());
        let seconds = server.connect_timeout.as_secs().max(1);
        Err(Failure::unavailable(log, "late", DialFault::NotInTime { seconds }))
    })
}

/// Shuts the socket of a try that did not come to its end, whatever the reason.
struct Attempt(Option<Wire>);

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(wire) = &self.0 {
            wire.cut();
        }
    }
}

async fn open(
    server: &Server,
    host: &Host,
    address: SocketAddr,
    properties: ConnectionProperties,
) -> Result<Dialled, Failure> {
    let network = |error: io::Error| Failure::network(error.to_string());
    let socket = TcpStream::connect(address).await.map_err(network)?;
    socket.set_nodelay(true).map_err(network)?;
    let wire = Wire::hold(&socket).map_err(network)?;
    let mut attempt = Attempt(Some(wire.clone()));
    let (stream, how) = match &server.tls {
        None => (runtime::open(Box::new(socket)), "not encrypted"),
        Some(files) => {
            let encrypted = tls::encrypt(files, host.name(), socket).await;
            let encrypted =
                encrypted.map_err(|(fault, log)| Failure::unavailable(log, "tls", DialFault::Tls(fault)))?;
            (runtime::open(encrypted), "encrypted by TLS")
        }
    };
    let connection = introduce(server, stream, properties).await?;
    attempt.0 = None;
    Ok(Dialled { connection, wire, reached: format!("{}, {how}, {}", place(host, address), server.who()) })
}

/// Logs in over an open connection.
async fn introduce(server: &Server, stream: Open, properties: ConnectionProperties) -> Result<Connection, Failure> {
    // asked for now, since it may have been rotated
    let uri = server.uri().map_err(|log| {
        let said = log.as_str().into();
        Failure::unavailable(log, "client_error", DialFault::Password { said })
    })?;
    let slot = Mutex::new(Some(stream));
    let hand_over = async move |_, _| {
        let stream = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        stream.map(AsyncTcpStream::Plain).ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into())
    };
    Connection::connector(uri, runtime::current(), hand_over, properties).await.map_err(|error| {
        let (kind, log) = (kind_of(&error), with_causes(&error));
        let said = log.as_str().into();
        let fault = match kind {
            BusErrorKind::Refused => DialFault::Refused { said },
            _ => DialFault::BrokeOff { said },
        };
        Failure { kind, log, fault, cause: cause_of(&error) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_about_all_tries_does_not_depend_on_their_order() {
        let failure = |why: &str| {
            let why = Why { log: why.to_owned(), reason: BusReason::default() };
            NotDialled { kind: BusErrorKind::Unavailable, why, cause: "network" }
        };
        let (one, other) = (all(vec![failure("a: x"), failure("b: y")]), all(vec![failure("b: y"), failure("a: x")]));
        assert_eq!((one.why.log.as_str(), other.why.log.as_str()), ("a: x; b: y", "a: x; b: y"));
    }

    #[test]
    fn a_name_is_shown_with_its_address_and_an_address_once() {
        let shown = |host: &str, address: &str| place(&host.parse().unwrap(), address.parse().unwrap());
        assert_eq!(shown("mq:5672", "192.0.2.5:5672"), "mq:5672 (192.0.2.5)");
        assert_eq!(shown("192.0.2.5:5672", "192.0.2.5:5672"), "192.0.2.5:5672");
        assert_eq!(shown("[2001:db8::5]:5672", "[2001:db8::5]:5672"), "[2001:db8::5]:5672");
    }
}
