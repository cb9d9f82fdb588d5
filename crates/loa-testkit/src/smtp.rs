//! An SMTP stand-in: a small mail server on 127.0.0.1 that keeps mails in memory, and misbehaves on
//! command.
//!
//! Tests let the digest service send to it; `loa demo` shows its mails. It delivers nothing and
//! judges nothing: whoever started it reads the kept [`Mail`]s. It may run for long: mails, their
//! size, connections and waiting are all limited. It refuses what is over a limit in SMTP's own
//! words, and forgets the oldest mails.

mod fault;
mod mail;
mod session;
mod wire;

pub use fault::{Fault, Stage};
pub use mail::Mail;

use fault::Deed;
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

/// Mails kept; beyond it the oldest are forgotten.
const KEPT_MAX: usize = 10_000;
/// Bytes of all mails kept.
const KEPT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Connections served at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// Mails a slow listener may be behind before it misses some.
const BROADCAST_MAX: usize = 1_024;

/// A running mail catcher. Dropping it stops it.
#[derive(Debug)]
pub struct Catcher {
    address: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What sessions share.
struct State {
    memory: Mutex<Memory>,
    seen: watch::Sender<usize>,
    heard: broadcast::Sender<Arc<Mail>>,
}

#[derive(Default)]
struct Memory {
    mails: VecDeque<Arc<Mail>>,
    bytes: usize,
    total: usize,
    sessions: usize,
    faults: Vec<Fault>,
}

impl Catcher {
    /// Starts on a free port of 127.0.0.1.
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
            memory: Mutex::default(),
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

    /// The mails so far, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.state.memory().mails.iter().cloned().collect()
    }

    /// The mails to one address so far, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<Arc<Mail>> {
        self.mails().into_iter().filter(|mail| mail.to.iter().any(|to| to.eq_ignore_ascii_case(address))).collect()
    }

    /// The mail with this number, unless it is forgotten.
    pub fn mail(&self, number: usize) -> Option<Arc<Mail>> {
        self.state.memory().mails.iter().find(|mail| mail.number == number).cloned()
    }

    /// How many connections were accepted so far.
    pub fn sessions(&self) -> usize {
        self.state.memory().sessions
    }

    /// Hears of each mail from now on, as it is kept.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Mail>> {
        self.state.heard.subscribe()
    }

    /// Waits until `count` mails have come in all, and returns those kept. Waits for ever if they don't come.
    pub async fn wait_for(&self, count: usize) -> Vec<Arc<Mail>> {
        let mut seen = self.state.seen.subscribe();
        // the sender lives in `self`, so this can't fail
        let _ = seen.wait_for(|total| *total >= count).await;
        self.mails()
    }

    /// Misbehaves like this, from now on or as often as the fault says. Faults given earlier go first.
    pub fn misbehave(&self, fault: Fault) {
        self.state.memory().faults.push(fault);
    }

    /// Takes back all misbehaviour.
    pub fn behave(&self) {
        self.state.memory().faults.clear();
    }

    /// Forgets all mails; numbers go on.
    pub fn forget(&self) {
        let mut memory = self.state.memory();
        memory.mails.clear();
        memory.bytes = 0;
    }

    /// Stops: no new connections, open ones are cut. Returns when all is over.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl State {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be done wrong at this stage, if anything.
    fn deed(&self, stage: Stage, address: &str) -> Option<Deed> {
        let mut memory = self.memory();
        let at = memory.faults.iter().position(|fault| fault.fits(stage, address))?;
        let deed = memory.faults[at].deed.clone();
        if memory.faults[at].used_up() {
            memory.faults.remove(at);
        }
        Some(deed)
    }

    /// Keeps a mail and tells the listeners. Returns its number.
    fn keep(&self, mut mail: Mail) -> usize {
        let (mail, total) = {
            let mut memory = self.memory();
            memory.total += 1;
            memory.bytes += mail.bytes.len();
            mail.number = memory.total;
            let mail = Arc::new(mail);
            memory.mails.push_back(mail.clone());
            while memory.mails.len() > KEPT_MAX || memory.bytes > KEPT_BYTES_MAX {
                let Some(oldest) = memory.mails.pop_front() else { break };
                memory.bytes -= oldest.bytes.len();
            }
            (mail, memory.total)
        };
        // nobody listening is no fault
        let _ = self.heard.send(mail);
        self.seen.send_if_modified(|seen| {
            let news = total > *seen;
            *seen = total.max(*seen);
            news
        });
        total
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("mails", &self.memory().total).finish()
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
        state.memory().sessions += 1;
        let (state, stop) = (state.clone(), stop.clone());
        tasks.spawn(async move {
            let _slot = slot;
            tokio::select! {
                () = stop.cancelled() => {}
                // how a peer ends its connection is its own business
                _ = session::serve(stream, &state) => {}
            }
        });
    }
}

#[cfg(test)]
mod tests;
