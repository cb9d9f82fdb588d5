//! The broker's and lapin's errors, sorted by what a caller of the bus should do.

use lapin::{
    Error, ErrorKind,
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
};
use loa_bus::{BusError, BusErrorKind};
use loa_domain::{BusFact, NotCarried, TopologyThing, with_causes};

/// A failure while doing `what`.
pub(crate) fn fault(what: &str, error: Error) -> BusError {
    let (kind, cause) = (kind_of(&error), cause_of(&error));
    BusError::caused(kind, format!("cannot {what}"), error).because(cause)
}

/// What every call answers after `close`.
pub(crate) fn closed() -> BusError {
    BusError::new(BusErrorKind::Unavailable, "the connection to the broker is closed")
        .about(BusFact::ClosedByUs)
        .because("closed")
}

/// An answer did not come in time; what was asked may have been done.
pub(crate) fn late(what: &str) -> BusError {
    BusError::new(BusErrorKind::Unavailable, format!("cannot {what}: the broker did not answer in time"))
        .about(BusFact::NotInTime)
        .because("late")
}

/// The connection went away in the middle of `what`.
pub(crate) fn lost(what: &str) -> BusError {
    BusError::new(BusErrorKind::Unavailable, format!("cannot {what}: the connection to the broker was lost"))
        .about(BusFact::ConnectionLost)
        .because("connection_lost")
}

/// The error for a queue or exchange that does not exist.
pub(crate) fn missing(thing: TopologyThing) -> BusError {
    BusError::new(BusErrorKind::Unroutable, format!("the {thing} is missing; `loa migrate` makes it"))
        .about(BusFact::Missing { thing })
        .because("not_found")
}

/// The error for a queue that does not exist.
pub(crate) fn missing_queue(name: &str) -> BusError {
    missing(TopologyThing::Queue { name: name.to_owned() })
}

/// Why a message is not taken as it is.
pub(crate) fn not_carried(error: BusError) -> NotCarried {
    let said = with_causes(&error);
    error.not_carried.map_or_else(|| NotCarried::Told { said: said.into() }, |why| *why)
}

/// The kind of an error.
pub(crate) fn kind_of(error: &Error) -> BusErrorKind {
    match protocol_error(error) {
        Some(AMQPErrorKind::Soft(soft)) => match soft {
            AMQPSoftError::NOTFOUND | AMQPSoftError::NOROUTE => BusErrorKind::Unroutable,
            AMQPSoftError::ACCESSREFUSED => BusErrorKind::Refused,
            // on publishing: larger than this broker allows. Elsewhere the caller knows better
            AMQPSoftError::CONTENTTOOLARGE | AMQPSoftError::PRECONDITIONFAILED => BusErrorKind::Rejected,
            _ => BusErrorKind::Unavailable,
        },
        // a vhost that does not exist or is not ours
        Some(AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)) => BusErrorKind::Refused,
        Some(AMQPErrorKind::Hard(_)) | None => BusErrorKind::Unavailable,
    }
}

/// What happened, in one word for metrics: AMQP's own words where the broker spoke.
pub(crate) fn cause_of(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => "access_refused",
            AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) => "not_found",
            AMQPErrorKind::Soft(AMQPSoftError::RESOURCELOCKED) => "resource_locked",
            // of a consumer: a message stayed unsettled for longer than the broker's consumer_timeout
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => "precondition_failed",
            AMQPErrorKind::Soft(AMQPSoftError::CONTENTTOOLARGE) => "content_too_large",
            AMQPErrorKind::Soft(_) => "channel_error",
            // the broker is stopped in order, or somebody closed the connection by hand
            AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED) => "connection_forced",
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => "not_allowed",
            AMQPErrorKind::Hard(AMQPHardError::INTERNALERROR) => "internal_error",
            AMQPErrorKind::Hard(AMQPHardError::RESOURCEERROR) => "resource_error",
            AMQPErrorKind::Hard(_) => "protocol_error",
        },
        ErrorKind::MissingHeartbeatError => "heartbeat_missed",
        ErrorKind::IOError(_) | ErrorKind::RuntimeShutdownError(_) => "network",
        ErrorKind::InvalidChannel(_) | ErrorKind::InvalidChannelState(..) | ErrorKind::InvalidConnectionState(_) => {
            "connection_lost"
        }
        _ => "client_error",
    }
}

/// What the broker said, where the error is its own words.
pub(crate) fn protocol_error(error: &Error) -> Option<AMQPErrorKind> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.kind().clone()),
        _ => None,
    }
}

/// Whether the broker says that the thing is not there.
pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(protocol_error(error), Some(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)))
}
