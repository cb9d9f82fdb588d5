//! What a process says of itself: on `/readyz` which dependencies are up, on `/metrics` how long ago something last happened.
//!
//! Each loop reports its own dependencies ([`Dependency`]); the binary reads them. A backlog is no reason to be
//! unready, and neither is a *fault*: something an operator must see, that taking this process out of service would not mend.

use crate::Clock;
use jiff::{SignedDuration, Timestamp};
use loa_domain::{Dependency, Fault, FaultName, Trouble, TroubleKind};
use loa_store::HeardHeartbeat;
use loa_words::Language;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How far the clocks of two machines may differ before it is said.
pub(crate) const CLOCKS_DIFFER_MAX: SignedDuration = SignedDuration::from_secs(5);
/// The most heartbeats of different queues, bindings and installations that wait to be noted; others are left out.
const HEARD_MAX: usize = 256;

/// How one dependency is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyState {
    /// It works.
    Up,
    /// It does not, and why.
    Down(Trouble),
}

/// The dependencies of one process, and its instants. Shared; each loop reports its own.
#[derive(Default)]
pub struct Status {
    clock: Option<Clock>,
    dependencies: Mutex<BTreeMap<Dependency, DependencyState>>,
    instants: Mutex<BTreeMap<(&'static str, &'static str), Timestamp>>,
    faults: Mutex<BTreeMap<FaultName, Fault>>,
    heard: Mutex<BTreeMap<(String, String, String), HeardHeartbeat>>,
}

impl Status {
    /// One that knows the time, so that an instant of the future (another machine's clock) is noticed.
    pub fn by(clock: Clock) -> Self {
        Self { clock: Some(clock), ..Self::default() }
    }

    /// Now; `None` where no clock was given.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.clock.as_ref().map(|clock| clock())
    }

    /// Says what is wrong with what bears this name; `None`: nothing (any more). Logged when it begins and when it ends, not
    /// when its figures change.
    pub fn judge(&self, name: FaultName, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.fault(fault),
            None => self.ended(&name),
        }
    }

    /// Says that this is wrong. Logged unless something by its name was wrong before.
    pub fn fault(&self, fault: Fault) {
        let name = fault.name();
        metrics::gauge!("loa_fault", "fault" => name.to_string()).set(1.0);
        if !locked(&self.faults).contains_key(&name) {
            let sentence = Language::English.words().fault(&fault, self.now().unwrap_or(Timestamp::UNIX_EPOCH));
            tracing::error!(fault = %name, kind = fault.kind(), "{sentence}");
        }
        locked(&self.faults).insert(name, fault);
    }

    /// Nothing is wrong with what bears this name (any more). Logged if something was.
    pub fn ended(&self, name: &FaultName) {
        // one that never stood has no series
        if locked(&self.faults).remove(name).is_some() {
            metrics::gauge!("loa_fault", "fault" => name.to_string()).set(0.0);
            tracing::info!(fault = %name, "is mended");
        }
    }

    /// All that is wrong, by name.
    pub fn faults(&self) -> BTreeMap<FaultName, Fault> {
        locked(&self.faults).clone()
    }

    /// Keeps a heartbeat until it is taken to be noted: the newest of each queue, binding and installation.
    pub fn heard(&self, heartbeat: HeardHeartbeat) {
        let mut heard = locked(&self.heard);
        let key = (heartbeat.queue.clone(), heartbeat.binding.clone(), heartbeat.installation.clone());
        let is_full = heard.len() >= HEARD_MAX;
        match heard.get_mut(&key) {
            Some(known) if known.sent_at >= heartbeat.sent_at => {}
            Some(known) => *known = heartbeat,
            None if is_full => {}
            None => drop(heard.insert(key, heartbeat)),
        }
    }

    /// The heartbeats heard since the last call.
    pub fn take_heard(&self) -> Vec<HeardHeartbeat> {
        std::mem::take(&mut *locked(&self.heard)).into_values().collect()
    }

    /// Reports how a dependency is. Returns whether that is news, so that a log line is written once per change.
    pub fn report(&self, dependency: Dependency, state: DependencyState) -> bool {
        let up = if state == DependencyState::Up { 1.0 } else { 0.0 };
        metrics::gauge!("loa_dependency_up", "dependency" => dependency.to_string()).set(up);
        locked(&self.dependencies).insert(dependency, state.clone()).as_ref() != Some(&state)
    }

    /// A dependency that nobody has tried yet counts as down: a process is not ready before it knows.
    pub fn expect(&self, dependency: Dependency) {
        locked(&self.dependencies)
            .entry(dependency)
            .or_insert_with(|| DependencyState::Down(TroubleKind::NotTried.into()));
    }

    /// All dependencies with their states.
    pub fn dependencies(&self) -> BTreeMap<Dependency, DependencyState> {
        locked(&self.dependencies).clone()
    }

    /// Why a dependency is down; `None` where it is up or nobody has reported it.
    pub fn why_down(&self, dependency: Dependency) -> Option<Trouble> {
        match locked(&self.dependencies).get(&dependency) {
            Some(DependencyState::Down(why)) => Some(why.clone()),
            _ => None,
        }
    }

    /// Whether all dependencies are up.
    pub fn ready(&self) -> bool {
        locked(&self.dependencies).values().all(|state| *state == DependencyState::Up)
    }

    /// Notes when something last happened (`loa_heartbeat_age_seconds`, `loa.feed`), or, for what waits, since when it
    /// does. An age that is computed when it is asked for stays true even if the loop that should renew it hangs.
    pub fn note(&self, metric: &'static str, subject: &'static str, at: Timestamp) {
        locked(&self.instants).insert((metric, subject), at);
    }

    /// Forgets what was noted: nothing waits any more.
    pub fn forget(&self, metric: &'static str, subject: &'static str) {
        locked(&self.instants).remove(&(metric, subject));
    }

    /// When it last happened; `None` where nobody has noted it.
    pub fn noted(&self, metric: &'static str, subject: &'static str) -> Option<Timestamp> {
        locked(&self.instants).get(&(metric, subject)).copied()
    }

    /// Sets the gauge of everything noted to its age. That of an instant of the future (a clock was set) is not known: 0 would
    /// say that all is well.
    pub fn measure_ages(&self, now: Timestamp) {
        for ((metric, subject), at) in locked(&self.instants).iter() {
            let age = now.duration_since(*at);
            let age = if age < -CLOCKS_DIFFER_MAX { f64::NAN } else { age.as_secs_f64().max(0.0) };
            if subject.is_empty() {
                metrics::gauge!(*metric).set(age);
            } else {
                metrics::gauge!(*metric, "queue" => *subject).set(age);
            }
        }
    }
}

impl std::fmt::Debug for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Status")
            .field("dependencies", &self.dependencies)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
