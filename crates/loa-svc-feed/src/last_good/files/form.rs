//! The form of a file of the last good state: a fingerprint of the rest, a head, the texts in one piece, packed.
//!
//! What does not read as it was written is taken for torn.

use bytes::Bytes;
use jiff::Timestamp;
use loa_http::{Encoding, encoded, fingerprint, unpacked};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Of the form of the files. Another one is not read.
const FORM: u32 = 1;
/// Most bytes of a file's head: a name, a title, the feeds of an installation.
const HEAD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most bytes of all texts of a file, unpacked.
const TEXT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Documents that are shown together, with what there is to know of them.
#[derive(Debug, PartialEq)]
pub(crate) struct LastGoodFile<T> {
    /// Which; no two have one name.
    pub(crate) name: String,
    /// Their `Last-Modified`, which steps with every version.
    pub(crate) told_at: Timestamp,
    /// The change number up to which they were true.
    pub(crate) as_of: i64,
    pub(crate) about: T,
    pub(crate) texts: Vec<Bytes>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Head<T> {
    form: u32,
    pub(super) name: String,
    pub(super) told_at: Timestamp,
    pub(super) as_of: i64,
    lengths: Vec<usize>,
    about: T,
}

/// What stands in a file, but for its fingerprint.
pub(super) fn body_of<T: Serialize>(file: &LastGoodFile<T>) -> io::Result<Vec<u8>> {
    let head = Head {
        form: FORM,
        name: file.name.clone(),
        told_at: file.told_at,
        as_of: file.as_of,
        lengths: file.texts.iter().map(Bytes::len).collect(),
        about: &file.about,
    };
    let mut body = serde_json::to_vec(&head)?;
    body.push(b'\n');
    body.extend(encoded(Encoding::Zstd, &file.texts.concat())?);
    Ok(body)
}

fn torn(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The head of a file, not checked against its body: for telling which is newer.
pub(super) fn head<T: DeserializeOwned>(path: &Path) -> io::Result<Head<T>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let (Some(_), Some(line), Some(_)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(torn("it has no head"));
    };
    let head: Head<T> = serde_json::from_slice(line)?;
    if head.form == FORM { Ok(head) } else { Err(torn("it has another form")) }
}

/// A file as it was written.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<LastGoodFile<T>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(TEXT_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    let (mark, body) = bytes.split_at_checked(fingerprint([]).len() + 1).ok_or_else(|| torn("it is too short"))?;
    if mark.strip_suffix(b"\n") != Some(fingerprint([body]).as_bytes()) {
        return Err(torn("it is not as it was written"));
    }
    let end = body.iter().position(|byte| *byte == b'\n').ok_or_else(|| torn("it has no head"))?;
    let head: Head<T> = serde_json::from_slice(&body[..end])?;
    let length = head.lengths.iter().try_fold(0_usize, |sum, length| sum.checked_add(*length));
    let length =
        length.filter(|length| head.form == FORM && *length <= TEXT_BYTES_MAX).ok_or_else(|| torn("its form"))?;
    let mut rest = Bytes::from(unpacked(&body[end + 1..], length)?);
    if rest.len() != length {
        return Err(torn("its texts have another length"));
    }
    let texts = head.lengths.iter().map(|length| rest.split_to(*length)).collect();
    Ok(LastGoodFile { name: head.name, told_at: head.told_at, as_of: head.as_of, about: head.about, texts })
}
