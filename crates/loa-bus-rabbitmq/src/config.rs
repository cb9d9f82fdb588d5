//! Where the broker is and how long to wait for it.

use lapin::uri::{AMQPScheme, AMQPUri};
use loa_bus::{BusError, BusErrorKind};
use std::{fmt, sync::Arc, time::Duration};

/// Fills a buffer with random bytes; used for the jitter of reconnection only.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// How to reach a broker. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct RabbitConfig {
    /// `amqp://user:password@host:port/vhost` (`%2f` is the vhost `/`); `amqps://` with the cargo feature `amqps`.
    pub url: String,
    /// What the broker's own pages call our connections.
    pub name: String,
    /// How often both sides say that they live; a silent broker is given up after two of them. 1 s to 65,535 s.
    pub heartbeat: Duration,
    /// How long a publish, and any other single question to the broker, may take.
    pub confirm_timeout: Duration,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// The first wait before connecting again; doubles up to `reconnect_max`. The real wait is half of it to all of it.
    pub reconnect_min: Duration,
    /// The longest wait before connecting again, and every wait after the broker refused us.
    pub reconnect_max: Duration,
}

impl RabbitConfig {
    /// Heartbeats each 15 s, 10 s for an answer and for a connection, reconnection after 0.1 s up to 5 s.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            name: "loa".to_owned(),
            heartbeat: Duration::from_secs(15),
            confirm_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            reconnect_min: Duration::from_millis(100),
            reconnect_max: Duration::from_secs(5),
        }
    }

    /// The address with the heartbeat in it.
    ///
    /// # Errors
    /// `Refused` where it is no AMQP address, or wants TLS and this build has none.
    pub(crate) fn uri(&self) -> Result<AMQPUri, BusError> {
        // the parser's words may quote the address, and the address holds the password
        let mut uri: AMQPUri = self.url.parse().map_err(|_| {
            BusError::new(
                BusErrorKind::Refused,
                "the broker's address is not of the form amqp://user:password@host:port/vhost",
            )
        })?;
        if uri.scheme == AMQPScheme::AMQPS && !cfg!(feature = "amqps") {
            return Err(BusError::new(
                BusErrorKind::Refused,
                "the broker's address is amqps:// and this program was built without the feature `amqps`",
            ));
        }
        let seconds = self.heartbeat.as_secs().clamp(1, u64::from(u16::MAX));
        uri.query.heartbeat = Some(u16::try_from(seconds).unwrap_or(u16::MAX));
        Ok(uri)
    }
}

impl fmt::Debug for RabbitConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.uri().map(|uri| format!("{}:{}/{}", uri.authority.host, uri.authority.port, uri.vhost));
        f.debug_struct("RabbitConfig")
            .field("server", &server.unwrap_or_else(|_| "not an AMQP address".to_owned()))
            .field("name", &self.name)
            .field("heartbeat", &self.heartbeat)
            .field("confirm_timeout", &self.confirm_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_once_and_a_wrong_one_is_refused_without_quoting_it() {
        let uri = RabbitConfig::new("amqp://loa:secret@bus.example:5673/news").uri().unwrap();
        assert_eq!((uri.authority.port, uri.vhost.as_str(), uri.query.heartbeat), (5673, "news", Some(15)));
        for wrong in ["", "http://loa:secret@bus.example", "loa:secret@bus.example:5672"] {
            let error = RabbitConfig::new(wrong).uri().unwrap_err();
            assert_eq!(error.kind, BusErrorKind::Refused);
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let shown = format!("{:?}", RabbitConfig::new("amqp://loa:secret@bus.example/news"));
        assert!(shown.contains("bus.example:5672/news") && !shown.contains("secret"), "{shown}");
    }

    #[cfg(not(feature = "amqps"))]
    #[test]
    fn an_encrypted_address_needs_a_build_that_can_encrypt() {
        let error = RabbitConfig::new("amqps://bus.example").uri().unwrap_err();
        assert!(error.what.contains("amqps"), "{}", error.what);
    }
}
