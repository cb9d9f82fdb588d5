//! One connection: requests in, answers out, until either side ends it.
//!
//! It knows just enough of RFC 9112 for clients that behave: `Content-Length` and chunked bodies,
//! keep-alive, `Expect`.

use super::{Reply, Request, State};
use bytes::{Bytes, BytesMut};
use std::{fmt::Write as _, io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// The longest head of a request, in bytes.
const HEAD_MAX: usize = 64 * 1024;
/// The longest body of a request, in bytes: twice the longest event.
const BODY_MAX: usize = 2 * 1024 * 1024;
/// The longest wait for the next byte of a request.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// The longest that a bad answer goes on.
const MISBEHAVE_MAX: Duration = Duration::from_secs(300);

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut wire = Wire { stream, buffer: BytesMut::new() };
    while let Some((request, keep_alive)) = wire.request().await? {
        let head_only = request.method == "HEAD";
        let reply = state.answer(request);
        if !wire.reply(reply, head_only).await? || !keep_alive {
            break;
        }
    }
    wire.stream.shutdown().await
}

struct Wire {
    stream: TcpStream,
    /// What was read and not yet used.
    buffer: BytesMut,
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Wire {
    /// The next request and whether the connection stays open after it; `None` when the peer is done.
    async fn request(&mut self) -> io::Result<Option<(Request, bool)>> {
        let Some(end) = self.find(b"\r\n\r\n", HEAD_MAX).await? else { return Ok(None) };
        let head = self.buffer.split_to(end + 4);
        let head = String::from_utf8_lossy(&head[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path), Some(version)) = (first.next(), first.next(), first.next()) else {
            return Err(broken("not a request line"));
        };
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut request = Request { method: method.into(), path: path.into(), headers, body: Bytes::new() };
        if request.header("expect").is_some_and(|e| e.eq_ignore_ascii_case("100-continue")) {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = self.body(&request).await?;
        let keep_alive =
            version == "HTTP/1.1" && !request.header("connection").is_some_and(|c| c.eq_ignore_ascii_case("close"));
        Ok(Some((request, keep_alive)))
    }

    async fn body(&mut self, request: &Request) -> io::Result<Bytes> {
        if request.header("transfer-encoding").is_some_and(|t| t.eq_ignore_ascii_case("chunked")) {
            return self.chunks().await;
        }
        let length =
            request.header("content-length").map_or(Ok(0), str::parse).map_err(|_| broken("content-length"))?;
        self.exactly(length).await
    }

    async fn chunks(&mut self) -> io::Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let end = self.find(b"\r\n", HEAD_MAX).await?.ok_or_else(|| broken("chunk"))?;
            let line = self.buffer.split_to(end + 2);
            let size = String::from_utf8_lossy(&line[..end]);
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| broken("chunk size"))?;
            if size > BODY_MAX || body.len() + size > BODY_MAX {
                return Err(broken("body too long"));
            }
            if size == 0 {
                // trailers, if any, up to the empty line
                while self.find(b"\r\n", HEAD_MAX).await?.ok_or_else(|| broken("trailer"))? > 0 {
                    let end = self.find(b"\r\n", HEAD_MAX).await?.ok_or_else(|| broken("trailer"))?;
                    let _ = self.buffer.split_to(end + 2);
                }
                let _ = self.buffer.split_to(2);
                return Ok(body.freeze());
            }
            body.extend_from_slice(&self.exactly(size).await?);
            self.exactly(2).await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Bytes> {
        if length > BODY_MAX {
            return Err(broken("body too long"));
        }
        while self.buffer.len() < length {
            if self.more().await? == 0 {
                return Err(broken("body ended early"));
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Reads until the buffer holds `needle` and says where; `None` when the peer ended before a first byte.
    async fn find(&mut self, needle: &[u8], max: usize) -> io::Result<Option<usize>> {
        loop {
            if let Some(at) = self.buffer.windows(needle.len()).position(|window| window == needle) {
                return Ok(Some(at));
            }
            if self.buffer.len() > max {
                return Err(broken("head too long"));
            }
            if self.more().await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(broken("ended early")) };
            }
        }
    }

    async fn more(&mut self) -> io::Result<usize> {
        timeout(IDLE_MAX, self.stream.read_buf(&mut self.buffer)).await?
    }

    /// Answers; `false` when the connection is not to be used again.
    async fn reply(&mut self, reply: Reply, head_only: bool) -> io::Result<bool> {
        let reply = match reply {
            Reply::After(wait, reply) => {
                sleep(wait).await;
                *reply
            }
            now => now,
        };
        match reply {
            Reply::Answer { status, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
                for (name, value) in headers {
                    let _ = write!(head, "{name}: {value}\r\n");
                }
                let empty = matches!(status, 204 | 304);
                if !empty {
                    let _ = write!(head, "content-length: {}\r\n", body.len());
                }
                head.push_str("\r\n");
                let mut bytes = head.into_bytes();
                if !empty && !head_only {
                    bytes.extend_from_slice(&body);
                }
                self.stream.write_all(&bytes).await?;
                return Ok(true);
            }
            Reply::Close => {}
            Reply::Never | Reply::After(..) => self.until_left().await,
            Reply::Garbage => self.stream.write_all(b"220 mail.example ESMTP ready\r\n\r\n").await?,
            Reply::Huge(length) => self.huge(length).await?,
            Reply::Drip(interval) => {
                self.stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                self.again_and_again(b"1\r\n.\r\n", interval).await?;
            }
            Reply::Continues => {
                self.again_and_again(b"HTTP/1.1 100 Continue\r\n\r\n", Duration::from_millis(1)).await?
            }
        }
        Ok(false)
    }

    async fn huge(&mut self, length: usize) -> io::Result<()> {
        self.stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").as_bytes()).await?;
        let block = [b'x'; 8_192];
        let mut left = length;
        while left > 0 {
            let now = left.min(block.len());
            self.stream.write_all(&block[..now]).await?;
            left -= now;
        }
        Ok(())
    }

    async fn again_and_again(&mut self, bytes: &[u8], interval: Duration) -> io::Result<()> {
        let stream = &mut self.stream;
        let going_on = async {
            loop {
                stream.write_all(bytes).await?;
                sleep(interval).await;
            }
        };
        timeout(MISBEHAVE_MAX, going_on).await.unwrap_or(Ok(()))
    }

    /// Waits until the peer closes or `MISBEHAVE_MAX` is over, whichever comes first.
    async fn until_left(&mut self) {
        let stream = &mut self.stream;
        let leaving = async {
            let mut sink = [0; 1_024];
            while stream.read(&mut sink).await.is_ok_and(|n| n > 0) {}
        };
        let _ = timeout(MISBEHAVE_MAX, leaving).await;
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
