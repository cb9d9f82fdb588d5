//! One SMTP session (RFC 5321 §4.1), with PIPELINING, 8BITMIME, SIZE and ENHANCEDSTATUSCODES. It
//! never relays.

use super::{
    Mail, Stage, State,
    fault::Deed,
    wire::{Text, Wire},
};
use std::io;
use tokio::net::TcpStream;

/// The largest mail, in bytes.
const SIZE_MAX: usize = 10 * 1024 * 1024;
/// Recipients of one mail (RFC 5321 §4.5.3.1.8).
const RECIPIENTS_MAX: usize = 100;
/// Mistakes before the connection is closed.
const MISTAKES_MAX: usize = 20;

/// The mail being spoken of.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

/// Whether the dialogue goes on.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Close,
}

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, state: &State) -> io::Result<()> {
    let mut session = Session { wire: Wire::new(stream)?, state, helo: String::new(), envelope: Envelope::default() };
    if session.greet().await? == Then::GoOn {
        let mut mistakes = 0;
        while let Some(line) = session.wire.command().await? {
            let (then, fine) = session.obey(&line).await?;
            mistakes += usize::from(!fine);
            if then == Then::Close {
                break;
            }
            if mistakes > MISTAKES_MAX {
                session.wire.say(&["421 4.7.0 too many mistakes, closing"]).await?;
                break;
            }
        }
    }
    session.wire.close().await
}

struct Session<'a> {
    wire: Wire,
    state: &'a State,
    helo: String,
    envelope: Envelope,
}

impl Session<'_> {
    async fn greet(&mut self) -> io::Result<Then> {
        if let Some(deed) = self.state.deed(Stage::Greeting, "") {
            return self.misbehave(deed).await;
        }
        self.wire.say(&["220 localhost ESMTP Loa mail catcher"]).await?;
        Ok(Then::GoOn)
    }

    /// Does what a command line asks. Returns also whether it was a sound command.
    async fn obey(&mut self, line: &str) -> io::Result<(Then, bool)> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let sound = match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => return Ok((self.hello(verb, rest).await?, true)),
            "MAIL" => return self.mail_from(rest).await,
            "RCPT" => return self.rcpt_to(rest).await,
            "DATA" => return self.data().await,
            "QUIT" => {
                self.wire.say(&["221 2.0.0 bye"]).await?;
                return Ok((Then::Close, true));
            }
            "RSET" => {
                self.envelope = Envelope::default();
                self.wire.say(&["250 2.0.0 forgotten"]).await?;
                true
            }
            "NOOP" => self.answer("250 2.0.0 fine", true).await?,
            "VRFY" => self.answer("252 2.5.0 send it and see", true).await?,
            "HELP" => self.answer("214 2.0.0 a mail catcher for trials; nothing is delivered", true).await?,
            _ => self.answer("502 5.5.1 not here", false).await?,
        };
        Ok((Then::GoOn, sound))
    }

    async fn hello(&mut self, verb: &str, name: &str) -> io::Result<Then> {
        if let Some(deed) = self.state.deed(Stage::Ehlo, "") {
            return self.misbehave(deed).await;
        }
        self.helo = name.trim().to_owned();
        self.envelope = Envelope::default();
        if verb.eq_ignore_ascii_case("HELO") {
            self.wire.say(&["250 localhost"]).await?;
        } else {
            let size = format!("250-SIZE {SIZE_MAX}");
            self.wire
                .say(&["250-localhost", "250-PIPELINING", &size, "250-8BITMIME", "250 ENHANCEDSTATUSCODES"])
                .await?;
        }
        Ok(Then::GoOn)
    }

    async fn mail_from(&mut self, rest: &str) -> io::Result<(Then, bool)> {
        let Some((address, parameters)) = path(rest, "FROM:") else {
            return Ok((Then::GoOn, self.answer("501 5.5.4 MAIL FROM:<address>", false).await?));
        };
        if self.helo.is_empty() || self.envelope.from.is_some() {
            return Ok((Then::GoOn, self.answer("503 5.5.1 not now", false).await?));
        }
        if let Some(deed) = self.state.deed(Stage::MailFrom, address) {
            return Ok((self.misbehave(deed).await?, true));
        }
        let announced = parameters.split(' ').find_map(|p| p.to_ascii_uppercase().strip_prefix("SIZE=")?.parse().ok());
        if announced.is_some_and(|size: usize| size > SIZE_MAX) {
            return Ok((Then::GoOn, self.answer("552 5.3.4 too large", true).await?));
        }
        self.envelope.from = Some(address.to_owned());
        Ok((Then::GoOn, self.answer("250 2.1.0 sender fine", true).await?))
    }

    async fn rcpt_to(&mut self, rest: &str) -> io::Result<(Then, bool)> {
        let address = match path(rest, "TO:") {
            Some((address, _)) if !address.is_empty() => address,
            _ => return Ok((Then::GoOn, self.answer("501 5.5.4 RCPT TO:<address>", false).await?)),
        };
        if self.envelope.from.is_none() {
            return Ok((Then::GoOn, self.answer("503 5.5.1 MAIL first", false).await?));
        }
        if let Some(deed) = self.state.deed(Stage::RcptTo, address) {
            return Ok((self.misbehave(deed).await?, true));
        }
        if self.envelope.to.len() == RECIPIENTS_MAX {
            return Ok((Then::GoOn, self.answer("452 4.5.3 too many recipients", true).await?));
        }
        self.envelope.to.push(address.to_owned());
        Ok((Then::GoOn, self.answer("250 2.1.5 recipient fine", true).await?))
    }

    async fn data(&mut self) -> io::Result<(Then, bool)> {
        if self.envelope.to.is_empty() {
            return Ok((Then::GoOn, self.answer("503 5.5.1 RCPT first", false).await?));
        }
        let recipients = self.envelope.to.join(" ");
        if let Some(deed) = self.state.deed(Stage::Data, &recipients) {
            return Ok((self.misbehave(deed).await?, true));
        }
        self.wire.say(&["354 go on, end with a dot"]).await?;
        let Some(text) = self.wire.text(SIZE_MAX).await? else { return Ok((Then::Close, true)) };
        let envelope = std::mem::take(&mut self.envelope);
        let Text::Whole(bytes) = text else {
            return Ok((Then::GoOn, self.answer("552 5.3.4 too large", true).await?));
        };
        let mail = Mail {
            number: 0,
            helo: self.helo.clone(),
            from: envelope.from.unwrap_or_default(),
            to: envelope.to,
            bytes,
        };
        if let Some(deed) = self.state.deed(Stage::FinalDot, &recipients) {
            if matches!(deed, Deed::KeepThenDrop | Deed::KeepThenHang) {
                self.state.keep(mail);
            }
            return Ok((self.misbehave(deed).await?, true));
        }
        let number = self.state.keep(mail);
        Ok((Then::GoOn, self.answer(&format!("250 2.0.0 kept as {number}"), true).await?))
    }

    async fn answer(&mut self, line: &str, sound: bool) -> io::Result<bool> {
        self.wire.say(&[line]).await?;
        Ok(sound)
    }

    async fn misbehave(&mut self, deed: Deed) -> io::Result<Then> {
        match deed {
            Deed::Reply(line) => {
                self.wire.say(&[&line]).await?;
                Ok(if line.starts_with("421") { Then::Close } else { Then::GoOn })
            }
            Deed::Hang | Deed::KeepThenHang => {
                self.wire.hang().await?;
                Ok(Then::Close)
            }
            Deed::Drop | Deed::KeepThenDrop => Ok(Then::Close),
        }
    }
}

/// `FROM:<a@b> SIZE=1` → `a@b` and the parameters. A source route before the address is left out (RFC 5321 §4.1.1.3).
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let rest = rest.trim();
    let head = rest.get(..keyword.len()).filter(|head| head.eq_ignore_ascii_case(keyword))?;
    let rest = rest[head.len()..].trim_start().strip_prefix('<')?;
    let (address, parameters) = rest.split_once('>')?;
    let address = address.rsplit_once(':').filter(|_| address.starts_with('@')).map_or(address, |(_, a)| a);
    Some((address, parameters.trim()))
}
