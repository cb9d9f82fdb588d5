//! A proxy between a client and the broker that breaks on command.
//!
//! It cuts a connection with a reset, or freezes it: both ends believe that it stands while nothing
//! passes (half-open). It works on loopback only and knows no protocol.

use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
    task::JoinSet,
};

/// What becomes of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Bytes pass.
    Passes,
    /// Connections are accepted and stand, and nothing passes: what a dead router or a frozen peer looks like.
    Swallows,
    /// Each connection is reset, and so is each that comes.
    Resets,
}

/// A proxy in front of one address. Ends when it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    line: Arc<watch::Sender<Line>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let line = Arc::new(watch::Sender::new(Line::Passes));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, line.clone()));
        Self { address, line, _tasks: tasks }
    }

    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, line: Arc<watch::Sender<Line>>) {
    // dropped with this task, and the connections with them
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("the listener stands");
        connections.spawn(carry(client, target, line.subscribe()));
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(client: TcpStream, target: SocketAddr, mut line: watch::Receiver<Line>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    for end in [&client, &server] {
        // whatever is closed from here on is reset, not ended in order
        end.set_zero_linger().expect("a socket's option");
    }
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    let mut ways = JoinSet::new();
    ways.spawn(pump(client_in, server_out, line.clone()));
    ways.spawn(pump(server_in, client_out, line.clone()));
    tokio::select! {
        _ = ways.join_next() => {}
        _ = line.wait_for(|line| *line == Line::Resets) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // swallowing: read nothing, so that both kernels' buffers fill up as they would
        if line.wait_for(|line| *line != Line::Swallows).await.is_err() {
            return;
        }
        let count = tokio::select! {
            count = from.read(&mut buffer) => count.unwrap_or(0),
            _ = line.changed() => continue,
        };
        if line.wait_for(|line| *line != Line::Swallows).await.is_err() || *line.borrow() == Line::Resets {
            return;
        }
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
