//! Lines in, lines out: RFC 5321 framing with limits, and the mail's text without dot-stuffing.

use bytes::{Bytes, BytesMut};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The longest line, commands and mail alike, in bytes; RFC 5321 asks for 1,000 of a mail.
const LINE_MAX: usize = 64 * 1024;
/// The longest wait for the next byte (RFC 5321 §4.5.3.2.7 asks for five minutes).
const IDLE_MAX: Duration = Duration::from_secs(300);

pub(super) struct Wire {
    stream: TcpStream,
    /// What was read and not yet used.
    buffer: BytesMut,
}

/// The text of a mail, or that it was too large (then it was read to its end and thrown away).
pub(super) enum Text {
    Whole(Vec<u8>),
    TooLarge,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::new() })
    }

    /// The next line without its end; `None` when the peer is gone. Commands may end in a bare LF, for people at a
    /// terminal; a mail's text may not (`strict`), for two readings of one text are how mails are smuggled.
    async fn line(&mut self, strict: bool) -> io::Result<Option<Bytes>> {
        let mut searched = 0;
        loop {
            let found = self.buffer[searched..].iter().position(|&b| b == b'\n').map(|at| searched + at);
            match found {
                Some(end) if strict && (end == 0 || self.buffer[end - 1] != b'\r') => searched = end + 1,
                Some(end) => {
                    let line = self.buffer.split_to(end + 1).freeze();
                    let kept = if end > 0 && line[end - 1] == b'\r' { end - 1 } else { end };
                    return Ok(Some(line.slice(..kept)));
                }
                None => {
                    searched = self.buffer.len();
                    if searched > LINE_MAX {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without end"));
                    }
                    let read = timeout(IDLE_MAX, self.stream.read_buf(&mut self.buffer)).await??;
                    if read == 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The next command; `None` when the peer is gone.
    pub(super) async fn command(&mut self) -> io::Result<Option<String>> {
        Ok(self.line(false).await?.map(|line| String::from_utf8_lossy(&line).into_owned()))
    }

    /// A mail's text up to the final dot; `None` when the peer is gone before it.
    pub(super) async fn text(&mut self, size_max: usize) -> io::Result<Option<Text>> {
        let (mut text, mut too_large) = (Vec::new(), false);
        loop {
            let Some(line) = self.line(true).await? else { return Ok(None) };
            if line[..] == *b"." {
                return Ok(Some(if too_large { Text::TooLarge } else { Text::Whole(text) }));
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            too_large |= text.len() + line.len() + 2 > size_max;
            if too_large {
                text.clear();
            } else {
                text.extend_from_slice(line);
                text.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Sends a reply of one or several lines, each without its end.
    pub(super) async fn say(&mut self, lines: &[&str]) -> io::Result<()> {
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.stream.write_all(text.as_bytes()).await
    }

    /// Listens without a word until the peer leaves, but not for ever.
    pub(super) async fn hang(&mut self) -> io::Result<()> {
        let mut sink = [0; 1024];
        while timeout(IDLE_MAX, self.stream.read(&mut sink)).await?? > 0 {}
        Ok(())
    }

    pub(super) async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}
