//! A document as it is served: its bytes in each coding, and the strong validator of each.

use crate::Encoding;
use flate2::{Compression, GzBuilder};
use ring::digest::{SHA256, digest};
use std::io::Write;

/// How many bytes of the SHA-256 stand in an entity tag: 128 bits, beyond any accidental repeat.
const TAG_BYTES: usize = 16;

/// One document in every coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    tag: String,
    identity: Vec<u8>,
    gzip: Vec<u8>,
}

impl Representation {
    /// Hashes and compresses (at the highest level: once per change, off the request path).
    ///
    /// The same bytes give the same result on every node: the gzip header carries no time and no system.
    ///
    /// # Errors
    /// Compressing into memory does not fail; the error of the writer is passed on all the same.
    pub fn of(identity: impl Into<Vec<u8>>) -> std::io::Result<Self> {
        let identity = identity.into();
        let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
        encoder.write_all(&identity)?;
        let gzip = encoder.finish()?;
        Ok(Self { tag: fingerprint([&identity[..]]), identity, gzip })
    }

    /// The bytes in a coding.
    pub fn bytes(&self, encoding: Encoding) -> &[u8] {
        match encoding {
            Encoding::Identity => &self.identity,
            Encoding::Gzip => &self.gzip,
        }
    }

    /// The strong `ETag` of a coding, quotes included: `"h"`, `"h-gzip"`. Made from the content alone.
    pub fn etag(&self, encoding: Encoding) -> String {
        match encoding {
            Encoding::Identity => format!("\"{}\"", self.tag),
            Encoding::Gzip => format!("\"{}-gzip\"", self.tag),
        }
    }

    /// What the tags of all codings have in common: the content's own mark.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

/// A mark of several pieces together, in order: 32 hexadecimal digits of a SHA-256. Each piece's length counts, so that
/// moving a byte from one piece to the next is another mark.
pub fn fingerprint<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut marks = Vec::new();
    for piece in pieces {
        marks.extend_from_slice(digest(&SHA256, piece).as_ref());
    }
    digest(&SHA256, &marks).as_ref()[..TAG_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_same_text_has_the_same_tags_and_bytes_and_gzip_reads_back() {
        let text = "Điện Biên Đông ".repeat(100);
        let one = Representation::of(text.clone()).unwrap();
        assert_eq!(one, Representation::of(text.clone()).unwrap());
        assert_ne!(one.etag(Encoding::Identity), one.etag(Encoding::Gzip));
        assert_ne!(one.tag(), Representation::of(format!("{text}.")).unwrap().tag());
        let mut back = String::new();
        flate2::read::GzDecoder::new(one.bytes(Encoding::Gzip)).read_to_string(&mut back).unwrap();
        assert_eq!(back, text);
        assert!(one.bytes(Encoding::Gzip).len() < one.bytes(Encoding::Identity).len());
    }

    #[test]
    fn where_a_piece_ends_counts() {
        assert_ne!(fingerprint([&b"ab"[..], b"c"]), fingerprint([&b"a"[..], b"bc"]));
    }
}
