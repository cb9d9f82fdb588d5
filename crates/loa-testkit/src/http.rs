//! An HTTP stand-in: a small HTTP/1.1 server on 127.0.0.1 that records requests and answers, or
//! misbehaves, as it is told.
//!
//! Tests point webhooks at it; `loa demo` uses it as its provincial portal. It verifies nothing.
//! Whoever started it reads the recorded [`Request`]s, or decides each answer with
//! [`HttpStandIn::answer_with`]. It may run for long: requests, connections, kept bytes and waiting
//! are all limited.

mod connection;
mod reply;
mod request;

pub use reply::Reply;
pub use request::Request;

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, broadcast, watch},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Requests kept; beyond it the oldest are forgotten.
const KEPT_MAX: usize = 10_000;
/// Connections served at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// Requests a slow listener may be behind before it misses some.
const BROADCAST_MAX: usize = 1_024;

type Decide = dyn Fn(&Request) -> Reply + Send + Sync;

/// A running stand-in. Dropping it stops it.
#[derive(Debug)]
pub struct HttpStandIn {
    address: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What connections share.
struct State {
    memory: Mutex<Memory>,
    seen: watch::Sender<usize>,
    heard: broadcast::Sender<Request>,
}

struct Memory {
    requests: VecDeque<Request>,
    script: VecDeque<Reply>,
    decide: Arc<Decide>,
    total: usize,
}

impl HttpStandIn {
    /// Starts on a free port of 127.0.0.1; every request is answered 204.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), CancellationToken::new()).await
    }

    /// Starts on an address; ends by [`Self::stop`], when dropped, or with `stop`.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn start_on(address: SocketAddr, stop: CancellationToken) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            memory: Mutex::new(Memory {
                requests: VecDeque::new(),
                script: VecDeque::new(),
                decide: Arc::new(|_| Reply::status(204)),
                total: 0,
            }),
            seen: watch::Sender::new(0),
            heard: broadcast::Sender::new(BROADCAST_MAX),
        });
        let (stop, tasks) = (stop.child_token(), TaskTracker::new());
        tasks.spawn(accept(listener, state.clone(), stop.clone(), tasks.clone()));
        Ok(Self { address, state, stop, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An address of it: `http://127.0.0.1:40123` and the path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers every request like this from now on, once the script is used up.
    pub fn always(&self, reply: Reply) {
        self.answer_with(move |_| reply.clone());
    }

    /// Answers the coming requests with these, one each, whatever their path.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.memory().script.extend(replies);
    }

    /// Asks for each request how to answer it, once the script is used up. Called after the request was recorded; must not block.
    pub fn answer_with(&self, decide: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        self.state.memory().decide = Arc::new(decide);
    }

    /// The requests so far, oldest first (the newest 10,000).
    pub fn requests(&self) -> Vec<Request> {
        self.state.memory().requests.iter().cloned().collect()
    }

    /// Hears of each request from now on, as it comes.
    pub fn listen(&self) -> broadcast::Receiver<Request> {
        self.state.heard.subscribe()
    }

    /// Waits until `count` requests have come in all, and returns those kept. Waits for ever if they don't come.
    pub async fn wait_for(&self, count: usize) -> Vec<Request> {
        let mut seen = self.state.seen.subscribe();
        // the sender lives in `self`, so this can't fail
        let _ = seen.wait_for(|total| *total >= count).await;
        self.requests()
    }

    /// Stops: no new connections, open ones are cut. Returns when all is over.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for HttpStandIn {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl State {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a request, tells the listeners, and decides its answer.
    fn answer(&self, request: Request) -> Reply {
        let (scripted, decide, total) = {
            let mut memory = self.memory();
            if memory.requests.len() == KEPT_MAX {
                memory.requests.pop_front();
            }
            memory.requests.push_back(request.clone());
            memory.total += 1;
            (memory.script.pop_front(), memory.decide.clone(), memory.total)
        };
        let reply = scripted.unwrap_or_else(|| decide(&request));
        // nobody listening is no fault
        let _ = self.heard.send(request);
        self.seen.send_if_modified(|seen| {
            let news = total > *seen;
            *seen = total.max(*seen);
            news
        });
        reply
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("requests", &self.memory().total).finish()
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, stop: CancellationToken, tasks: TaskTracker) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // a connection that broke while it waited is not ours to mend
        let Ok((stream, _)) = accepted else { continue };
        let (state, stop) = (state.clone(), stop.clone());
        tasks.spawn(async move {
            let _slot = slot;
            tokio::select! {
                () = stop.cancelled() => {}
                // how a peer ends its connection is its own business
                _ = connection::serve(stream, &state) => {}
            }
        });
    }
}

#[cfg(test)]
mod tests;
