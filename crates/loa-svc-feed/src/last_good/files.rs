//! The files of the last good state: one for each set of documents, replaced whole and checked when
//! it is read.
//!
//! What a crash, a full disk or another program left is taken for not there. Files are not synced:
//! a kill loses nothing, and what a power cut tears is not believed. Everything here blocks. It
//! knows neither feeds nor the ledger: a name, texts and what there is to know of them go in and
//! come back.

mod form;

use bytes::Bytes;
use form::{body_of, head, read};
use loa_http::fingerprint;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

pub(crate) use form::LastGoodFile;

/// What a file's name ends with.
const SUFFIX: &str = "last-good";

/// A folder of last good files, within bounds.
pub(crate) struct Folder {
    folder: PathBuf,
    files_max: usize,
    bytes_max: u64,
    /// What tells our unfinished files from those of another process with the same folder.
    mark: String,
    /// The files there are, and up to which change each is true. `None`: not looked at yet.
    known: Mutex<Option<BTreeMap<String, i64>>>,
}

impl Folder {
    /// `None`: nothing is to be kept. Makes and reads nothing yet.
    pub(crate) fn new(folder: &Path, files_max: u32, bytes_max: u64, mark: [u8; 8]) -> Option<Self> {
        (!folder.as_os_str().is_empty() && files_max > 0).then(|| Self {
            folder: folder.to_owned(),
            files_max: files_max as usize,
            bytes_max,
            mark: fingerprint([&mark[..]]),
            known: Mutex::default(),
        })
    }

    /// Keeps a file, unless what is kept under its name was told at the same time or later. Blocks.
    pub(crate) fn keep<T: Serialize>(&self, file: &LastGoodFile<T>) -> io::Result<()> {
        let mut known = self.known()?;
        let path = self.path(&file.name);
        let standing = head::<serde::de::IgnoredAny>(&path).ok();
        if standing.as_ref().is_some_and(|standing| standing.told_at >= file.told_at) {
            return Ok(());
        }
        self.replace(&path, &body_of(file)?)?;
        known.as_mut().map(|known| known.insert(file.name.clone(), file.as_of));
        if standing.is_none() {
            self.make_room(&path)?;
        }
        Ok(())
    }

    fn replace(&self, path: &Path, body: &[u8]) -> io::Result<()> {
        let unfinished = path.with_extension(&self.mark);
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| {
                file.write_all(fingerprint([body]).as_bytes())?;
                file.write_all(b"\n")?;
                file.write_all(body)
            })
            .and_then(|()| std::fs::rename(&unfinished, path));
        if written.is_err() {
            // a full disk needs the room; that it is gone already is no news
            drop(std::fs::remove_file(&unfinished));
        }
        written
    }

    /// Removes the files written longest ago, beyond the bounds; never the one just written.
    fn make_room(&self, newest: &Path) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for path in self.files()? {
            if let Ok(about) = path.metadata() {
                files.push((about.modified()?, about.len(), path));
            }
        }
        files.sort();
        let (mut count, mut bytes) = (files.len(), files.iter().map(|(_, length, _)| length).sum::<u64>());
        for (_, length, path) in files {
            if count <= self.files_max && bytes <= self.bytes_max {
                break;
            }
            if path != newest {
                // another process may have done it
                drop(std::fs::remove_file(&path));
                count -= 1;
                bytes -= length;
            }
        }
        Ok(())
    }

    /// The files that read as they were written, the last written ones first, until their texts have so many bytes. Blocks.
    pub(crate) fn newest<T: DeserializeOwned>(&self, bytes_max: usize) -> io::Result<Vec<LastGoodFile<T>>> {
        drop(self.known()?);
        let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
        for path in self.files()? {
            files.push((path.metadata()?.modified()?, path));
        }
        files.sort();
        let (mut newest, mut bytes) = (Vec::new(), 0);
        for file in files.iter().rev().filter_map(|(_, path)| read(path).ok()) {
            bytes += file.texts.iter().map(Bytes::len).sum::<usize>();
            if bytes > bytes_max {
                break;
            }
            newest.push(file);
        }
        Ok(newest)
    }

    /// Forgets files that are not true any more and that nobody keeps up to date. Blocks.
    pub(crate) fn forget(&self, names: &[String]) -> io::Result<()> {
        let mut known = self.known()?;
        for name in names {
            if known.as_mut().is_some_and(|known| known.remove(name).is_some()) {
                match std::fs::remove_file(self.path(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Up to which change each file is true. Blocks.
    pub(crate) fn as_of(&self) -> io::Result<BTreeMap<String, i64>> {
        Ok(self.known()?.clone().unwrap_or_default())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(fingerprint([name.as_bytes()])).with_extension(SUFFIX)
    }

    /// What is there. The first time, the folder is made, and what others left unfinished is deleted.
    fn known(&self) -> io::Result<MutexGuard<'_, Option<BTreeMap<String, i64>>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
            let mut there = BTreeMap::new();
            for entry in std::fs::read_dir(&self.folder)? {
                let path = entry?.path();
                let ours = path.extension().is_some_and(|extension| extension == SUFFIX);
                match head::<serde::de::IgnoredAny>(&path) {
                    Ok(head) if ours => drop(there.insert(head.name, head.as_of)),
                    _ if path.file_stem().is_some_and(|stem| stem.len() == self.mark.len()) => {
                        drop(std::fs::remove_file(&path));
                    }
                    // not a file of ours
                    _ => {}
                }
            }
            *known = Some(there);
        }
        Ok(known)
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == SUFFIX) {
                files.push(path);
            }
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::os::unix::fs::PermissionsExt;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn file(name: &str, told_at: i64, text: &str) -> LastGoodFile<String> {
        let texts = vec![Bytes::from(text.to_owned()), Bytes::new(), Bytes::from_static(b"x\ny")];
        LastGoodFile { name: name.into(), told_at: at(told_at), as_of: told_at, about: format!("về\n{name}"), texts }
    }

    fn folder_of(folder: &Path, files_max: u32, bytes_max: u64) -> Folder {
        Folder::new(folder, files_max, bytes_max, [7; 8]).unwrap()
    }

    fn names(folder: &Folder) -> Vec<String> {
        let mut names: Vec<String> =
            folder.newest::<String>(1_000_000).unwrap().into_iter().map(|file| file.name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_comes_back_as_it_was_and_only_a_later_one_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/b");
        let one = folder_of(&place, 10, 1_000_000);
        one.keep(&file("all", 5, "năm")).unwrap();
        one.keep(&file("all", 4, "bốn")).unwrap();
        assert_eq!(folder_of(&place, 10, 1_000_000).newest::<String>(1_000_000).unwrap(), [file("all", 5, "năm")]);
        one.keep(&file("all", 6, "sáu")).unwrap();
        assert_eq!(one.newest::<String>(1_000_000).unwrap(), [file("all", 6, "sáu")]);
        assert_eq!(one.as_of().unwrap(), BTreeMap::from([("all".to_owned(), 6)]));
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place), 0o700);
        assert!(one.files().unwrap().iter().all(|path| mode(path) == 0o600));
        one.forget(&["all".to_owned(), "nobody".to_owned()]).unwrap();
        assert!(names(&one).is_empty());
    }

    #[test]
    fn what_was_torn_or_changed_by_one_byte_is_not_there_and_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let one = folder_of(folder.path(), 10, 1_000_000);
        one.keep(&file("all", 5, &"năm ".repeat(50))).unwrap();
        let path = one.files().unwrap().remove(0);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(names(&one).is_empty(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(names(&one).is_empty(), "the first {at} bytes");
        }
        std::fs::write(&path, &whole[..20]).unwrap();
        one.keep(&file("all", 5, "lại")).unwrap();
        assert_eq!(names(&one), ["all"]);
    }

    #[test]
    fn a_crash_between_writing_and_renaming_leaves_the_file_before_and_nothing_to_delete_twice() {
        let folder = tempfile::tempdir().unwrap();
        let one = folder_of(folder.path(), 10, 1_000_000);
        one.keep(&file("all", 5, "năm")).unwrap();
        let unfinished = one.path("all").with_extension(fingerprint([&b"another process"[..]]));
        std::fs::write(&unfinished, "half").unwrap();
        std::fs::write(folder.path().join("README"), "somebody's").unwrap();
        let next = folder_of(folder.path(), 10, 1_000_000);
        assert_eq!(names(&next), ["all"]);
        assert!(!unfinished.exists() && folder.path().join("README").exists());
    }

    #[test]
    fn the_folder_has_bounds_in_number_and_in_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let few = folder_of(folder.path(), 3, 1_000_000);
        for n in 0..9 {
            few.keep(&file(&format!("feed-{n}"), 5, "x")).unwrap();
        }
        assert_eq!(names(&few).len(), 3);
        assert!(names(&few).contains(&"feed-8".to_owned()), "the one just written");
        let small = folder_of(folder.path(), 10, 1);
        small.keep(&file("last", 5, "x")).unwrap();
        assert_eq!(names(&small), ["last"]);
    }
}
