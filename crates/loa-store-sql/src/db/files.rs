//! Which files a ledger on SQLite is made of.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The file itself, and what SQLite may keep beside it.
pub fn files_of(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = OsString::from(path);
        name.push(suffix);
        PathBuf::from(name)
    })
}
