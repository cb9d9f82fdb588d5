//! A connection whose other end must read: who does not is let go.
//!
//! Waiting to write makes a debt, of time; what the other end takes pays it back, at the pace of the
//! slowest reader that is served. Who owes more than the patience is cut off. So neither a reader that
//! never reads nor one that takes a sip each minute holds a place, and a long document over a slow line
//! goes through.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Bytes a second that the slowest reader takes: an old mobile line manages more.
const BYTES_PER_SECOND_MIN: u32 = 1_024;

/// The connection.
pub(super) struct Paced<S> {
    stream: S,
    patience: Duration,
    debt: Duration,
    waits_since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

impl<S> Paced<S> {
    /// `patience`: the longest debt.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        let alarm = Box::pin(sleep_until(Instant::now()));
        Self { stream, patience, debt: Duration::ZERO, waits_since: None, alarm }
    }

    /// What a try to write came to, unless the other end owes too much.
    fn judged(&mut self, tried: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match tried {
            Poll::Ready(Ok(bytes)) => {
                if let Some(since) = self.waits_since.take() {
                    self.debt += since.elapsed();
                }
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                let paid = Duration::from_secs(1).saturating_mul(bytes) / BYTES_PER_SECOND_MIN;
                self.debt = self.debt.saturating_sub(paid);
                Poll::Ready(Ok(bytes as usize))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let since = *self.waits_since.get_or_insert_with(Instant::now);
                self.alarm.as_mut().reset(since + self.patience.saturating_sub(self.debt));
                match self.alarm.as_mut().poll(context) {
                    Poll::Ready(()) => {
                        metrics::counter!("loa_http_refusals_total", "service" => "http", "reason" => "reads_too_slowly")
                            .increment(1);
                        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other end does not read")))
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judged(tried, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judged(tried, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// Writes to a reader that takes `bytes` every `pause`; returns how the writing ended. Time is the test's own.
    async fn written(bytes: usize, pause: Duration, in_all: usize) -> io::Result<()> {
        let (ours, mut theirs) = duplex(1_024);
        let mut paced = Paced::new(ours, Duration::from_secs(30));
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; bytes.max(1)];
            loop {
                tokio::time::sleep(pause).await;
                if bytes > 0 && theirs.read(&mut buffer).await.unwrap_or(0) == 0 {
                    return;
                }
            }
        });
        let outcome = paced.write_all(&vec![b'x'; in_all]).await;
        drop(paced);
        reader.abort();
        outcome
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_reads_or_only_sips_is_let_go_and_who_is_slow_is_not() {
        let second = Duration::from_secs(1);
        for (name, bytes, pause) in [("never", 0, second), ("a byte a second", 1, second), ("sips", 512, 25 * second)] {
            let error = written(bytes, pause, 1 << 20).await.expect_err(name);
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{name}");
        }
        assert!(written(1_024, second / 2, 1 << 20).await.is_ok(), "2 kB/s, for nine minutes");
    }
}
