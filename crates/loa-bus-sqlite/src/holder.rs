//! Who holds received messages, and whether that process still lives.
//!
//! Each open [`crate::SqliteBus`] is a *holder*: a row in table `holder`, and beside the queues'
//! file a small file `bus.db-holder-17` that it keeps locked. The lock ends with the process,
//! whether by `kill -9` or a power cut. No lease has to end, and no clock can jump. Whoever can
//! take the lock of another holder knows that it is dead, and gives back its messages.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// This process's own lock; it lasts as long as the value.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) id: i64,
    path: PathBuf,
    // never read: the open file is the lock
    _lock: File,
}

impl Holder {
    /// Takes the lock of a new id. To be called inside the transaction that adds the row, so that nobody ever sees the
    /// row of a living holder without its lock.
    pub(crate) fn take(queues: &Path, id: i64) -> io::Result<Self> {
        let path = lock_path(queues, id);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { id, path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is locked by another", path.display())))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Removes the lock's file; after the row is gone.
    pub(crate) fn remove_file(&self) {
        remove(&self.path);
    }
}

/// The lock of a dead holder, taken over. While this value lives, no other process releases the
/// messages of the same holder.
#[derive(Debug)]
pub(crate) struct Deceased {
    pub(crate) id: i64,
    path: PathBuf,
    // `None`: there was no file any more
    _lock: Option<File>,
}

impl Deceased {
    /// `None` when the holder lives, or when another process is releasing its messages.
    pub(crate) fn find(queues: &Path, id: i64) -> Option<Self> {
        let path = lock_path(queues, id);
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.try_lock().is_ok().then_some(Self { id, path, _lock: Some(file) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Self { id, path, _lock: None }),
            // this cannot be decided (no permission, too many open files): it counts as alive and
            // is checked again later
            Err(_) => None,
        }
    }

    /// Removes what is left of it; after the row is gone.
    pub(crate) fn remove_file(&self) {
        remove(&self.path);
    }
}

fn lock_path(queues: &Path, id: i64) -> PathBuf {
    let mut path = queues.as_os_str().to_owned();
    path.push(format!("-holder-{id}"));
    path.into()
}

fn remove(path: &Path) {
    // an empty file that stays behind is harmless: ids are never used again
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::debug!(path = %path.display(), %error, "a lock file could not be removed");
    }
}
