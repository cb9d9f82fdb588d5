//! How it is with the queues' file: what last failed, whether it is still the file that was opened, and since when
//! connections are to be opened anew.

use crate::fault::{fault, gone, lies_in_file};
use loa_bus::{BusError, BusErrorKind, Health};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What lies in the file stands until the same call succeeds, and no longer than this: nobody need make that call again.
const STANDS: Duration = Duration::from_secs(60);

/// The two kinds of calls whose last outcome counts for itself: a disk that is full can still be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Writes,
    Reads,
}

/// The file's place and identity, and the failures that stand.
pub(crate) struct Condition {
    path: PathBuf,
    file: Mutex<Option<(u64, u64)>>,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    /// The last failure of writing and of reading, each until the same works again.
    last: [Option<Health>; 2],
    /// What lies in the file, by what was tried: another call may not touch the damaged page.
    in_file: BTreeMap<String, (Instant, Health)>,
    met_at: Option<Instant>,
}

impl Condition {
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), file: Mutex::default(), failures: Mutex::default() }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes which file it is, now that it was opened.
    pub(crate) fn is_open(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = identity(&self.path);
    }

    /// Notes the outcome of a call for `Connect::health`, and turns its error into a `BusError`. What a file took that is
    /// not in its place any more does not count.
    pub(crate) fn note<T>(&self, call: Call, what: &str, result: sqlx::Result<T>) -> Result<T, BusError> {
        let in_file = result.as_ref().is_err_and(lies_in_file);
        let known = *self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let is_gone = known.is_some() && identity(&self.path) != known;
        let result = match result {
            Ok(_) if is_gone => Err(gone(what, &self.path)),
            result => result.map_err(|error| fault(what, &self.path, error)),
        };
        let health = result.as_ref().err().map(|error| match error.kind {
            BusErrorKind::Blocked => Health::Blocked(error.reason()),
            _ => Health::Down(error.reason()),
        });
        let mut failures = self.failures();
        if in_file {
            failures.met_at = Some(Instant::now());
        }
        match &health {
            Some(health) if in_file => drop(failures.in_file.insert(what.to_owned(), (Instant::now(), health.clone()))),
            Some(_) => {}
            None => drop(failures.in_file.remove(what)),
        }
        failures.last[usize::from(call == Call::Reads)] = health;
        result
    }

    /// Whether a connection of this age remembers no page from before trouble was met in the file.
    pub(crate) fn is_fresh(&self, age: Duration) -> bool {
        self.failures().met_at.is_none_or(|at| at.elapsed() > age)
    }

    /// What stands.
    pub(crate) fn health(&self) -> Health {
        let failures = self.failures();
        let in_file = failures.in_file.values().filter(|(at, _)| at.elapsed() < STANDS).map(|(_, health)| health);
        in_file.chain(failures.last.iter().flatten()).next().cloned().unwrap_or(Health::Up)
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Device and number of the file in this place. (A look at a name costs a microsecond: less than another thread.)
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|_| (0, 0))
}
