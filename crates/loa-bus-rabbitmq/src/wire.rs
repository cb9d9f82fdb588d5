//! A second handle on a connection's socket, to shut it by: lapin's thread ends only when the socket
//! does (`dial.rs`).

use std::{io, net::Shutdown, os::fd::AsFd, sync::Arc};

/// A handle that shuts the socket. Clones share it; dropping the last one shuts the socket, too.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Held>);

struct Held(std::net::TcpStream);

impl Wire {
    /// A handle on an open socket.
    pub(crate) fn hold(socket: &impl AsFd) -> io::Result<Self> {
        Ok(Self(Arc::new(Held(socket.as_fd().try_clone_to_owned()?.into()))))
    }

    /// Shuts the socket. Both sides notice, and lapin's thread ends. Idempotent.
    pub(crate) fn cut(&self) {
        self.0.cut();
    }
}

impl Held {
    fn cut(&self) {
        // an error means that the other side was faster
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.cut();
    }
}
