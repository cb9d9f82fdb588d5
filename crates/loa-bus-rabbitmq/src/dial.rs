//! Opening one connection within a deadline, and cutting its socket when it is over.
//!
//! Why cut: lapin reads a connection in a thread of its own, which ends only when the socket does. A broker that is frozen,
//! or behind a line that swallows everything, ends nothing: each try would leave a thread and an open file behind until
//! the process has no files left. So a second hand on the socket is kept, and shut when the try or the connection is over.

use lapin::{
    Connection, ConnectionProperties, Error,
    tcp::{AMQPUriTcpExt, AsyncTcpStream, OwnedTLSConfig},
    uri::AMQPUri,
};
use std::{
    io,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// A hand on a connection's socket. Dropping it cuts, too.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Held>);

#[derive(Default)]
struct Held {
    state: Mutex<Hand>,
}

#[derive(Default)]
enum Hand {
    /// Nothing dialled so far.
    #[default]
    Empty,
    Open(TcpStream),
    /// Cut; a socket that comes later is cut at once.
    Cut,
}

impl Wire {
    /// Ends the connection beneath: both sides hear it, and lapin's thread ends. Idempotent.
    pub(crate) fn cut(&self) {
        self.0.cut();
    }

    fn hold(&self, socket: TcpStream) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, Hand::Cut) {
            shut(&socket);
        } else {
            *state = Hand::Open(socket);
        }
    }
}

impl Held {
    fn cut(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Hand::Open(socket) = std::mem::replace(&mut *state, Hand::Cut) {
            shut(&socket);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.cut();
    }
}

fn shut(socket: &TcpStream) {
    // an error says that the other side was faster
    let _ = socket.shutdown(Shutdown::Both);
}

/// Opens a connection; `wire` is cut by the caller when it is given up or over. `patience` bounds the way to the socket
/// (TCP and TLS); the caller bounds the whole.
pub(crate) async fn dial(
    uri: AMQPUri,
    properties: ConnectionProperties,
    patience: Duration,
    wire: Wire,
) -> lapin::Result<Connection> {
    let runtime = lapin::runtime::default_runtime()?;
    Connection::connector(
        uri,
        runtime,
        async move |uri, runtime| {
            // in lapin's thread, which nobody can stop: so this ends by itself
            let tls = OwnedTLSConfig::default();
            let opening = uri.connect_with_config_async(tls.as_ref(), &runtime);
            let stream = match timeout(patience, opening).await {
                Ok(opened) => opened.map_err(Error::from)?,
                Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            };
            let socket = match &stream {
                AsyncTcpStream::Plain(plain) => plain.get_ref().as_fd().try_clone_to_owned(),
                #[cfg(feature = "amqps")]
                AsyncTcpStream::Rustls(encrypted) => encrypted.get_ref().0.get_ref().as_fd().try_clone_to_owned(),
                _ => return Ok(stream),
            };
            wire.hold(TcpStream::from(socket?));
            Ok(stream)
        },
        properties,
    )
    .await
}
