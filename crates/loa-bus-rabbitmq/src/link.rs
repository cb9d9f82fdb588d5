//! Keeps one connection up for ever: connect, watch, and when it ends, connect again after a
//! growing, jittered wait.
//!
//! Other files ask for the current session and are told when it ends; they repair nothing
//! themselves. lapin's auto-recovery is not used: it hung for good in two of eight broker restarts,
//! and knows only some of the faults.

use crate::{
    config::{RabbitConfig, Random},
    dial::{Dialled, Why, dial},
    fault::{cause_of, closed},
    gauges,
    server::Server,
    wire::Wire,
};
use futures_util::{FutureExt, Stream, StreamExt};
use lapin::{Connection, ConnectionProperties, Event};
use loa_bus::{BusError, BusErrorKind, Health};
use loa_domain::{BusFact, BusReason, with_causes};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// How long a caller waits for a connection that was just lost, so that a short interruption fails
/// nobody.
const RECONNECT_GRACE: Duration = Duration::from_secs(2);
/// After a connection that lasted this long the next wait is short again.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// How often the connection's own state is checked, whatever its events say.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for a connection to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// A supervised connection.
pub(crate) struct Link {
    /// `publishing` or `consuming`: for logs and the broker's pages.
    role: &'static str,
    state: watch::Sender<State>,
    /// The broker's reason while it takes nothing from this connection.
    blocked: watch::Sender<Option<BusReason>>,
}

/// The state of a link.
#[derive(Clone)]
pub(crate) enum State {
    /// Not connected yet, and not failed yet.
    Connecting,
    /// Connected.
    Up(Session),
    /// Lost or not reached, and why. The supervisor goes on trying.
    Down(BusErrorKind, Why),
    /// Closed by us.
    Closed,
}

/// One connection while it lasts.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) connection: Arc<Connection>,
    wire: Wire,
    /// Where, whether encrypted, and as whom: for people.
    reached: Arc<str>,
    /// Cancelled when the connection is over; nothing on it will be answered any more.
    pub(crate) ended: CancellationToken,
    /// Tells the channels of one session from those of the next.
    pub(crate) number: u64,
}

impl Session {
    /// The largest frame that both sides agreed on, in bytes.
    pub(crate) fn frame_max(&self) -> u32 {
        self.connection.configuration().frame_max()
    }
}

/// How a connection ended.
struct End {
    why: Why,
    /// One word of a small set, for metrics.
    cause: &'static str,
}

impl Link {
    pub(crate) fn new(role: &'static str) -> Self {
        let link = Self { role, state: watch::Sender::new(State::Connecting), blocked: watch::Sender::new(None) };
        gauges::link(role, &Health::Connecting);
        link
    }

    /// The state of the link, as a value of `loa-bus`.
    pub(crate) fn health(&self) -> Health {
        match &*self.state.borrow() {
            State::Connecting => Health::Connecting,
            State::Up(_) => self.blocked.borrow().clone().map_or(Health::Up, Health::Blocked),
            State::Down(BusErrorKind::Refused, why) => Health::Refused(why.reason.clone()),
            State::Down(_, why) => Health::Down(why.reason.clone()),
            State::Closed => Health::Down(BusReason::of(BusFact::ClosedByUs)),
        }
    }

    /// Where the connection leads that is up just now, whether encrypted, and as whom.
    pub(crate) fn reached(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Up(session) => Some(session.reached.to_string()),
            _ => None,
        }
    }

    fn set(&self, state: State) {
        self.state.send_replace(state);
        gauges::link(self.role, &self.health());
    }

    fn set_blocked(&self, reason: Option<BusReason>) {
        self.blocked.send_replace(reason);
        gauges::link(self.role, &self.health());
    }

    /// Why the broker takes nothing from this connection, while it does not.
    pub(crate) fn blocked(&self) -> Option<BusReason> {
        self.blocked.borrow().clone()
    }

    /// Waits until the broker says that it takes nothing for now.
    pub(crate) async fn becomes_blocked(&self) -> BusReason {
        let mut blocked = self.blocked.subscribe();
        loop {
            if let Some(reason) = blocked.borrow_and_update().clone() {
                return reason;
            }
            if blocked.changed().await.is_err() {
                // the link is gone, and its session with it: somebody else notices that
                std::future::pending::<()>().await;
            }
        }
    }

    /// The current session. Waits for the first one until `deadline`, and after a loss for
    /// [`RECONNECT_GRACE`].
    ///
    /// # Errors `Refused` at once when the broker refuses us; else `Unavailable`.
    pub(crate) async fn session(&self, deadline: Instant) -> Result<Session, BusError> {
        let mut states = self.state.subscribe();
        let grace = deadline.min(Instant::now() + RECONNECT_GRACE);
        loop {
            let state = states.borrow_and_update().clone();
            let (until, error) = match state {
                State::Up(session) if !session.ended.is_cancelled() => return Ok(session),
                State::Up(_) => (grace, down(&lost())),
                State::Connecting => (deadline, down(&not_yet())),
                State::Down(BusErrorKind::Refused, why) => {
                    let what = format!("the broker refuses us: {}", why.log);
                    return Err(BusError::new(BusErrorKind::Refused, what).with(why.reason));
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
        server: Server,
        random: Random,
        stop: CancellationToken,
    ) {
        let mut delay = config.reconnect_min;
        let mut number = 0;
        let name = format!("{} {}", config.name, self.role);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        while !stop.is_cancelled() {
            let attempt = tokio::select! {
                () = stop.cancelled() => break,
                attempt = dial(&server, &properties, &random) => attempt,
            };
            match attempt {
                Ok(Dialled { connection, wire, reached }) => {
                    number += 1;
                    let connected_at = Instant::now();
                    let (connection, ended) = (Arc::new(connection), CancellationToken::new());
                    tracing::info!(link = self.role, %reached, "connected to RabbitMQ");
                    let session = Session { connection, wire, reached: reached.into(), ended, number };
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
                Err(failure) => {
                    if failure.kind == BusErrorKind::Refused {
                        // an operator must act; trying faster helps nobody
                        delay = config.reconnect_max;
                    }
                    gauges::not_connected(self.role, failure.cause);
                    self.report_down(failure.kind, failure.why);
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
                    Some(Event::ConnectionBlocked(words)) => self.report_blocked(&words, BusReason::said(words.as_str())),
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!(link = self.role, "the broker takes messages again");
                        self.set_blocked(None);
                    }
                    // errors of one channel are reported here, too; the channel's owner handles
                    // them
                    Some(Event::Error(error)) if !status.connected() => {
                        return Some(ended(&error));
                    }
                    Some(_) => {}
                    None => return Some(End { why: lost(), cause: "connection_lost" }),
                },
                _ = tick.tick() => {
                    if !status.connected() {
                        return Some(last_words(&mut events));
                    }
                    // nobody waits for an event from before we listened
                    if status.blocked() && self.blocked().is_none() {
                        self.report_blocked("resource alarm", BusReason::of(BusFact::ResourceAlarm));
                    }
                    if self.blocked().is_some() {
                        gauges::blocked_for(self.role, LOOK_EVERY);
                    }
                }
            }
        }
    }

    fn report_blocked(&self, words: &str, reason: BusReason) {
        tracing::warn!(link = self.role, reason = %words, "the broker takes nothing for now");
        self.set_blocked(Some(reason));
    }

    /// Logs once per change, not once per attempt.
    fn report_down(&self, kind: BusErrorKind, why: Why) {
        let news = !matches!(&*self.state.borrow(), State::Down(_, known) if *known == why);
        if news && kind == BusErrorKind::Refused {
            tracing::error!(link = self.role, why = %why.log, "RabbitMQ refuses us; trying again until it is mended");
        } else if news {
            tracing::warn!(link = self.role, why = %why.log, "no connection to RabbitMQ; trying again until there is one");
        }
        self.set(State::Down(kind, why));
    }
}

/// The last error of a connection that was found dead, if there was one.
fn last_words(events: &mut (impl Stream<Item = Event> + Unpin)) -> End {
    while let Some(Some(event)) = events.next().now_or_never() {
        if let Event::Error(error) = event {
            return ended(&error);
        }
    }
    End { why: lost(), cause: "connection_lost" }
}

fn ended(error: &lapin::Error) -> End {
    let log = with_causes(error);
    let reason = BusReason { facts: vec![BusFact::ConnectionLost], said: log.as_str().into() };
    End { why: Why { log, reason }, cause: cause_of(error) }
}

fn lost() -> Why {
    Why { log: "the connection was lost".to_owned(), reason: BusReason::of(BusFact::ConnectionLost) }
}

fn not_yet() -> Why {
    Why { log: "it has not answered yet".to_owned(), reason: BusReason::of(BusFact::NotAnsweredYet) }
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

fn down(why: &Why) -> BusError {
    BusError::new(BusErrorKind::Unavailable, format!("the broker is not there: {}", why.log)).with(why.reason.clone())
}

/// Half of a wait to all of it, so that many processes do not come back in step.
fn jittered(delay: Duration, random: &Random) -> Duration {
    let mut bytes = [0; 2];
    random(&mut bytes);
    delay.mul_f64(0.5 + f64::from(u16::from_le_bytes(bytes)) / f64::from(u16::MAX) / 2.0)
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

        let why = |log: &str| Why { log: log.to_owned(), reason: BusReason::default() };
        link.report_down(BusErrorKind::Unavailable, why("gone"));
        let begun = Instant::now();
        let error = link.session(begun + Duration::from_secs(10)).await.err().unwrap();
        assert_eq!(begun.elapsed(), RECONNECT_GRACE);
        assert!(error.what.contains("gone"), "{}", error.what);

        link.report_down(BusErrorKind::Refused, why("no such user"));
        let begun = Instant::now();
        let error = link.session(begun + Duration::from_secs(10)).await.err().unwrap();
        assert_eq!((error.kind, begun.elapsed()), (BusErrorKind::Refused, Duration::ZERO));
    }
}
