//! A connection to a mail server that gives up when the answer to one command is longer than any answer is: lettre reads a
//! line until it ends, and keeps it.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The longest answer to one command, in bytes. RFC 5321 §4.5.3.1.5 has 512 for a line; `EHLO` answers some dozens of lines, and
/// a handshake of TLS is an answer, too.
pub(crate) const ANSWER_BYTES_MAX: usize = 65_536;

/// The connection.
#[derive(Debug)]
pub(crate) struct Limited {
    stream: TcpStream,
    /// Since something was sent last.
    received: usize,
}

impl Limited {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, received: 0 }
    }
}

impl AsyncRead for Limited {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.received > ANSWER_BYTES_MAX {
            let why = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
            return Poll::Ready(Err(io::Error::other(why)));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.received = self.received.saturating_add(buffer.filled().len().saturating_sub(before));
        read
    }
}

impl AsyncWrite for Limited {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.received = 0;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Limited {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use crate::{SmtpConfig, Submit, Tls, Verdict, smtp::SmtpSubmit};
    use loa_mail::Message;
    use proptest::prelude::*;
    use std::time::Duration;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    fn message() -> Message {
        let address = |text: &str| loa_domain::EmailAddress::parse(text).expect("an address");
        Message {
            envelope_from: address("bounce+1@huyen.example"),
            rcpt: address("can-bo@huyen.example"),
            message_id: "<1@huyen.example>".into(),
            bytes: b"Subject: x\r\n\r\nx\r\n".to_vec(),
        }
    }

    /// What comes of a server that says these things, one after each thing that it hears, and then ends.
    async fn told(replies: Vec<Vec<u8>>) -> Result<Verdict, crate::Unreachable> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            for reply in replies {
                if stream.write_all(&reply).await.is_err() {
                    return;
                }
                let mut heard = [0; 4_096];
                if !matches!(stream.read(&mut heard).await, Ok(1..)) {
                    return;
                }
            }
        });
        let config =
            SmtpConfig { host: "127.0.0.1".into(), port, tls: Tls::None, timeout_seconds: 5, ..SmtpConfig::default() };
        let submit = SmtpSubmit::new(config, "huyen.example").expect("a mailer");
        let opened = submit.open().await;
        let verdict = match opened {
            Ok(mut session) => {
                let verdict = session.submit(&message()).await;
                session.close().await;
                Ok(verdict)
            }
            Err(error) => Err(error),
        };
        server.abort();
        verdict
    }

    #[tokio::test]
    async fn an_endless_answer_is_given_up_at_its_limit_wherever_it_comes() {
        let endless = || vec![b'2'; 40 * super::ANSWER_BYTES_MAX];
        let greeting = told(vec![endless()]).await.expect_err("no greeting");
        assert!(greeting.why.contains("longer than"), "{}", greeting.why);
        let good = || vec![b"220 a\r\n".to_vec(), b"250 a\r\n".to_vec()];
        let verdict = told([good(), vec![endless()]].concat()).await.expect("it was opened");
        assert!(matches!(verdict, Verdict::Broken { uncertain: false, .. }), "{verdict:?}");
        let taken = || vec![b"250 ok\r\n".to_vec(), b"250 ok\r\n".to_vec(), b"354 go\r\n".to_vec()];
        let verdict = told([good(), taken(), vec![endless()]].concat()).await.expect("it was opened");
        assert!(matches!(verdict, Verdict::Broken { uncertain: true, .. }), "{verdict:?}");
        let sent = told([good(), taken(), vec![b"250 queued as 1\r\n".to_vec(); 2]].concat()).await.expect("opened");
        assert!(matches!(sent, Verdict::Sent(_)), "{sent:?}");
    }

    fn reply() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&[u8]> = vec![
            b"250 ok\r\n",
            b"250-a\r\n",
            b"250",
            b" ",
            b"\r\n",
            b"\n",
            b"-",
            b"354 go\r\n",
            b"421 4.3.0 closing\r\n",
            b"550 5.1.1 no\r\n",
            b"451 4.7.1 later\r\n",
            b"552-5.2.2 full\r\n552 5.2.2 full\r\n",
            b"999 x\r\n",
            b"099 x\r\n",
            b"\x00",
            b"\xff\xfe",
            b"250 5.0.0 \xe1\xba\xa1\r\n",
            b"2",
            b"25O ok\r\n",
            b"535 5.7.8\r\n",
            b"220 a ESMTP\r\n",
        ];
        proptest::collection::vec(
            prop_oneof![4 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec),
            1 => proptest::collection::vec(any::<u8>(), 0..40)],
            1..6,
        )
        .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        /// Whatever a server says, a session ends in a verdict within its time, and nothing that was not taken counts as sent.
        #[test]
        fn whatever_a_mail_server_says_a_dialogue_ends_in_a_verdict(replies in proptest::collection::vec(reply(), 0..8)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let took = replies.iter().any(|reply| reply.windows(3).any(|code| code == b"354"));
            let verdict = runtime.block_on(async {
                tokio::time::timeout(Duration::from_secs(60), told(replies)).await.expect("it ends")
            });
            if let Ok(Verdict::Sent(_)) = verdict {
                prop_assert!(took, "nobody asked for the mail's bytes");
            }
        }
    }
}
