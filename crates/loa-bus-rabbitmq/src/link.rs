//! One connection, kept up for ever: connect, watch, and when it ends, connect again after a growing, jittered wait.
//!
//! Others ask for the session of the moment and are told when it ends; they never repair anything themselves. Why not
//! lapin's auto-recovery: it hung for good in two of eight broker restarts, and knows only some of the faults.

use crate::{
    config::{RabbitConfig, Random},
    dial::{Wire, dial},
    fault::{cause_of, closed, kind_of},
    gauges,
};
use futures_util::{FutureExt, Stream, StreamExt};
use lapin::{Connection, ConnectionProperties, Event, uri::AMQPUri};
use loa_bus::{BusError, BusErrorKind, Health};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// How long a caller waits for a connection that was lost just now: a blip need not fail anybody.
const RECONNECT_GRACE: Duration = Duration::from_secs(2);
/// A connection that lasted so long was a good one: the next wait is short again.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// How often the connection's own state is looked at, whatever events say.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest farewell.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// A supervised connection.
pub(crate) struct Link {
    /// `publishing` or `consuming`: for logs and the broker's pages.
    role: &'static str,
    state: watch::Sender<State>,
    /// The broker's words while it takes nothing from this connection.
    blocked: watch::Sender<Option<String>>,
}

/// How a link is.
#[derive(Clone)]
pub(crate) enum State {
    /// Never connected so far, nor failed.
    Connecting,
    /// Connected.
    Up(Session),
    /// Lost or not reached; why. Somebody is trying again.
    Down(BusErrorKind, String),
    /// Closed by us.
    Closed,
}

/// One connection's life.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) connection: Arc<Connection>,
    wire: Wire,
    /// Cancelled when the connection is over; nothing on it will be answered any more.
    pub(crate) ended: CancellationToken,
    /// Tells the channels of one life from those of the next.
    pub(crate) number: u64,
}

/// How a connection ended.
struct End {
    why: String,
    /// One word of a small set, for metrics.
    cause: &'static str,
}

impl Link {
    pub(crate) fn new(role: &'static str) -> Self {
        let link = Self { role, state: watch::Sender::new(State::Connecting), blocked: watch::Sender::new(None) };
        gauges::link(role, &Health::Connecting);
        link
    }

    /// How the link is now, in the door's words.
    pub(crate) fn health(&self) -> Health {
        match &*self.state.borrow() {
            State::Connecting => Health::Connecting,
            State::Up(_) => self.blocked.borrow().clone().map_or(Health::Up, Health::Blocked),
            State::Down(BusErrorKind::Refused, why) => Health::Refused(why.clone()),
            State::Down(_, why) => Health::Down(why.clone()),
            State::Closed => Health::Down("closed by us".to_owned()),
        }
    }

    fn set(&self, state: State) {
        self.state.send_replace(state);
        gauges::link(self.role, &self.health());
    }

    fn set_blocked(&self, words: Option<String>) {
        self.blocked.send_replace(words);
        gauges::link(self.role, &self.health());
    }

    /// The broker's words while it takes nothing from this connection.
    pub(crate) fn blocked(&self) -> Option<String> {
        self.blocked.borrow().clone()
    }

    /// Waits until the broker says that it takes nothing for now.
    pub(crate) async fn becomes_blocked(&self) -> String {
        let mut blocked = self.blocked.subscribe();
        loop {
            if let Some(words) = blocked.borrow_and_update().clone() {
                return words;
            }
            if blocked.changed().await.is_err() {
                // the link is gone, and its session with it: somebody else notices that
                std::future::pending::<()>().await;
            }
        }
    }

    /// The session of the moment. Waits for the first one until `deadline`, for a lost one for [`RECONNECT_GRACE`].
    ///
    /// # Errors
    /// `Refused` at once when the broker knows us not; else `Unavailable`.
    pub(crate) async fn session(&self, deadline: Instant) -> Result<Session, BusError> {
        let mut states = self.state.subscribe();
        let grace = deadline.min(Instant::now() + RECONNECT_GRACE);
        loop {
            let state = states.borrow_and_update().clone();
            let (until, error) = match state {
                State::Up(session) if !session.ended.is_cancelled() => return Ok(session),
                State::Up(_) => (grace, down("the connection was lost")),
                State::Connecting => (deadline, down("it has not answered yet")),
                State::Down(BusErrorKind::Refused, why) => {
                    return Err(BusError::new(BusErrorKind::Refused, format!("the broker refuses us: {why}")));
                }
                State::Down(_, why) => (grace, down(&why)),
                State::Closed => return Err(closed()),
            };
            match timeout_at(until, states.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(closed()),
                Err(_) => return Err(error),
            }
        }
    }

    /// Keeps the link up until `stop`; then closes the connection in order.
    pub(crate) async fn supervise(
        self: Arc<Self>,
        config: RabbitConfig,
        uri: AMQPUri,
        random: Random,
        stop: CancellationToken,
    ) {
        let mut delay = config.reconnect_min;
        let mut number = 0;
        while !stop.is_cancelled() {
            let wire = Wire::default();
            let attempt = tokio::select! {
                () = stop.cancelled() => break,
                attempt = self.connect(uri.clone(), &config, wire.clone()) => attempt,
            };
            match attempt {
                Ok(connection) => {
                    number += 1;
                    let connected_at = Instant::now();
                    let (connection, ended) = (Arc::new(connection), CancellationToken::new());
                    let session = Session { connection, wire, ended, number };
                    tracing::info!(link = self.role, "connected to RabbitMQ");
                    gauges::connected(self.role);
                    self.set(State::Up(session.clone()));
                    let end = self.watch(&session, &stop).await;
                    session.ended.cancel();
                    self.set_blocked(None);
                    let Some(end) = end else {
                        self.set(State::Closed);
                        farewell(&session).await;
                        return;
                    };
                    session.wire.cut();
                    gauges::disconnected(self.role, end.cause);
                    self.report_down(BusErrorKind::Unavailable, end.why);
                    if connected_at.elapsed() >= GOOD_AFTER {
                        delay = config.reconnect_min;
                    }
                }
                Err((kind, end)) => {
                    wire.cut();
                    if kind == BusErrorKind::Refused {
                        // an operator must act; knocking faster helps nobody
                        delay = config.reconnect_max;
                    }
                    gauges::not_connected(self.role, end.cause);
                    self.report_down(kind, end.why);
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(jittered(delay, &random)) => {}
            }
            delay = (delay * 2).min(config.reconnect_max);
        }
        self.set(State::Closed);
    }

    /// One try.
    async fn connect(
        &self,
        uri: AMQPUri,
        config: &RabbitConfig,
        wire: Wire,
    ) -> Result<Connection, (BusErrorKind, End)> {
        let name = format!("{} {}", config.name, self.role);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        match timeout(config.connect_timeout, dial(uri, properties, config.connect_timeout, wire)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err((kind_of(&error), End { why: chain(&error), cause: cause_of(&error) })),
            Err(_) => {
                let why = format!("it did not answer within {} s", config.connect_timeout.as_secs_f32());
                Err((BusErrorKind::Unavailable, End { why, cause: "late" }))
            }
        }
    }

    /// Watches a connection until it ends (how) or `stop` (`None`).
    async fn watch(&self, session: &Session, stop: &CancellationToken) -> Option<End> {
        // the one listener: lapin's listeners share one queue of events
        let mut events = Box::pin(session.connection.events_listener());
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            let status = session.connection.status();
            tokio::select! {
                () = stop.cancelled() => return None,
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(words)) => self.report_blocked(words),
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!(link = self.role, "the broker takes messages again");
                        self.set_blocked(None);
                    }
                    // errors of one channel are reported here, too; they are the channel's owner's business
                    Some(Event::Error(error)) if !status.connected() => {
                        return Some(End { why: chain(&error), cause: cause_of(&error) });
                    }
                    Some(_) => {}
                    None => return Some(End { why: "the connection ended".to_owned(), cause: "connection_lost" }),
                },
                _ = tick.tick() => {
                    if !status.connected() {
                        return Some(last_words(&mut events));
                    }
                    // an event from before we listened is nobody's
                    if status.blocked() && self.blocked().is_none() {
                        self.report_blocked("resource alarm".to_owned());
                    }
                    if self.blocked().is_some() {
                        gauges::blocked_for(self.role, LOOK_EVERY);
                    }
                }
            }
        }
    }

    fn report_blocked(&self, words: String) {
        tracing::warn!(link = self.role, reason = %words, "the broker takes nothing for now");
        self.set_blocked(Some(words));
    }

    /// Logs once per change, not once per attempt.
    fn report_down(&self, kind: BusErrorKind, why: String) {
        let news = !matches!(&*self.state.borrow(), State::Down(_, known) if *known == why);
        if news && kind == BusErrorKind::Refused {
            tracing::error!(link = self.role, %why, "RabbitMQ refuses us; trying again until it is mended");
        } else if news {
            tracing::warn!(link = self.role, %why, "no connection to RabbitMQ; trying again until there is one");
        }
        self.set(State::Down(kind, why));
    }
}

/// What a connection that was found dead had said before, if anything.
fn last_words(events: &mut (impl Stream<Item = Event> + Unpin)) -> End {
    while let Some(Some(event)) = events.next().now_or_never() {
        if let Event::Error(error) = event {
            return End { why: chain(&error), cause: cause_of(&error) };
        }
    }
    End { why: "the connection was lost".to_owned(), cause: "connection_lost" }
}

async fn farewell(session: &Session) {
    match timeout(CLOSE_TIMEOUT, session.connection.close(200, "bye".into())).await {
        Ok(Ok(())) => {}
        // nothing is lost: the broker gives back what was not settled
        Ok(Err(error)) => tracing::debug!(%error, "the connection could not be closed in order"),
        Err(_) => tracing::debug!("the broker did not answer our farewell"),
    }
    session.wire.cut();
}

fn down(why: &str) -> BusError {
    BusError::new(BusErrorKind::Unavailable, format!("the broker is not there: {why}"))
}

/// Half of a wait to all of it, so that many processes do not come back in step.
fn jittered(delay: Duration, random: &Random) -> Duration {
    let mut bytes = [0; 2];
    random(&mut bytes);
    delay.mul_f64(0.5 + f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX) / 2.0)
}

/// An error with its causes, on one line. lapin's own sentences repeat their causes, so a repetition is left out.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_lies_between_half_and_all_of_the_delay() {
        let delay = Duration::from_secs(4);
        let with = |byte: u8| jittered(delay, &(Arc::new(move |bytes: &mut [u8]| bytes.fill(byte)) as Random));
        assert_eq!(with(0), Duration::from_secs(2));
        assert_eq!(with(255), Duration::from_secs(4));
        assert!(with(100) > Duration::from_secs(2) && with(100) < Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_waits_for_the_first_connection_and_hardly_for_a_lost_one() {
        let link = Link::new("test");
        let begun = Instant::now();
        let error = link.session(begun + Duration::from_secs(10)).await.err().unwrap();
        assert_eq!((error.kind, begun.elapsed().as_secs()), (BusErrorKind::Unavailable, 10));

        link.report_down(BusErrorKind::Unavailable, "gone".to_owned());
        let begun = Instant::now();
        let error = link.session(begun + Duration::from_secs(10)).await.err().unwrap();
        assert_eq!(begun.elapsed(), RECONNECT_GRACE);
        assert!(error.what.contains("gone"), "{}", error.what);

        link.report_down(BusErrorKind::Refused, "no such user".to_owned());
        let begun = Instant::now();
        let error = link.session(begun + Duration::from_secs(10)).await.err().unwrap();
        assert_eq!((error.kind, begun.elapsed()), (BusErrorKind::Refused, Duration::ZERO));
    }
}
