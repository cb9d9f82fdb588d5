//! Files of the embedded ledgers and queues: where they are, and who may open them.
//!
//! Whoever opens a ledger locks the file `NAME.lock` beside it: shared for ordinary work, exclusive
//! for a restore. The system releases the lock when its holder ends. The lock says nothing about
//! other machines: embedded ledgers belong to one.

use crate::config::{Config, StoreKind};
use anyhow::Context;
use std::{
    collections::BTreeMap,
    fs::{DirBuilder, File, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The files, in the order in which they are to be copied (see `cmd/backup.rs`).
pub const EMBEDDED: [&str; 8] = ["bus", "feed", "digest", "push", "access", "receipts", "watch", "intake"];

/// The locks that this process holds, one for each ledger it has opened; until it ends.
#[derive(Debug, Default)]
pub struct Locks(Mutex<BTreeMap<String, File>>);

impl Locks {
    /// Says that this process has the ledger open, beside others. Idempotent.
    pub fn beside_others(&self, config: &Config, name: &str) -> anyhow::Result<()> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(name) {
            return Ok(());
        }
        let (file, path) = lock_file(config, name)?;
        match file.try_lock_shared() {
            Ok(()) => {
                held.insert(name.to_owned(), file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => {
                anyhow::bail!("{name} is being restored: wait until `loa restore` has ended")
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

/// Makes sure that nobody else has the ledger open, as long as the file lives.
pub fn alone(config: &Config, name: &str) -> anyhow::Result<File> {
    let (file, path) = lock_file(config, name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "somebody has {name} open: stop every `loa` on this machine first (`loa up`, `loa {name}`, `loa intake`, `loa console`, and \
             commands that still run)"
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// Whether the ledgers are files of ours.
pub fn is_embedded(config: &Config) -> bool {
    config.store.kind == StoreKind::Sqlite
}

/// Where the file of a ledger, or of the queues, is to be.
pub fn path(config: &Config, name: &str) -> PathBuf {
    let apart = name == "receipts" && !config.receipts.folder.as_os_str().is_empty();
    let folder: &Path = if apart { &config.receipts.folder } else { &config.data_dir };
    folder.join(format!("{name}.db"))
}

/// The file of a ledger, or of the queues. Its folder is made when it is not there, for its owner only: mailboxes are in it.
pub fn file(config: &Config, name: &str) -> anyhow::Result<PathBuf> {
    let path = path(config, name);
    let (folder, setting) = match path.parent() {
        Some(folder) if folder != config.data_dir => (folder, "receipts.folder"),
        _ => (config.data_dir.as_path(), "data_dir"),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}; `{setting}` names another", folder.display()))?;
    Ok(path)
}

fn lock_file(config: &Config, name: &str) -> anyhow::Result<(File, PathBuf)> {
    let path = file(config, name)?.with_extension("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    Ok((file, path))
}
