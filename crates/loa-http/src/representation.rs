//! A representation: the bytes of a document in a coding, and the tag they are known by.
//!
//! Pure. Compressing is work for the processor; callers do it off the request path, once per change.

use crate::Encoding;
use flate2::{Compression, GzBuilder};
use ring::digest::{SHA256, digest};
use std::io::Write;

/// How many bytes of the SHA-256 stand in an entity tag: 128 bits, beyond any accidental repeat.
const TAG_BYTES: usize = 16;
/// Where a coding stops being worth its time. A feed of 125 kB of Vietnamese, in bytes and milliseconds of one core:
/// quality 6 26,461 in 4, 9 25,715 in 32, 11 23,890 in 400; a feed must be out well within 200 ms, in every format.
const BROTLI_QUALITY: i32 = 6;
/// Level 9 26,740 in 2, 15 24,380 in 80, 19 23,985 in 182.
const ZSTD_LEVEL: i32 = 9;
/// 4 MiB, more than any document has: brotli's largest window that every reader takes, log2.
const BROTLI_WINDOW_LOG2: i32 = 22;

/// The bytes in a coding. The same bytes give the same result on every node: no header carries a time or a system.
///
/// # Errors
/// Compressing into memory does not fail; the error of the writer is passed on all the same.
pub fn encoded(encoding: Encoding, identity: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = match encoding {
        Encoding::Identity => identity.to_vec(),
        Encoding::Gzip => {
            let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
            encoder.write_all(identity)?;
            encoder.finish()?
        }
        Encoding::Brotli => {
            let parameters = brotli::enc::BrotliEncoderParams {
                quality: BROTLI_QUALITY,
                lgwin: BROTLI_WINDOW_LOG2,
                size_hint: identity.len(),
                ..Default::default()
            };
            let mut out = Vec::new();
            brotli::BrotliCompress(&mut &identity[..], &mut out, &parameters)?;
            out
        }
        Encoding::Zstd => zstd::bulk::compress(identity, ZSTD_LEVEL)?,
    };
    out.shrink_to_fit();
    Ok(out)
}

/// What was packed as [`Encoding::Zstd`], when it has no more than `length_max` bytes.
///
/// # Errors
/// When it was not, or has more.
pub fn unpacked(zstd: &[u8], length_max: usize) -> std::io::Result<Vec<u8>> {
    zstd::bulk::decompress(zstd, length_max)
}

/// The strong `ETag` of a coding, quotes included: `"h"`, `"h-gzip"`, `"h-br"`, `"h-zstd"`. `tag`: the content's own mark
/// ([`fingerprint`]).
pub fn etag(tag: &str, encoding: Encoding) -> String {
    match encoding.name() {
        None => format!("\"{tag}\""),
        Some(name) => format!("\"{tag}-{name}\""),
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
    use std::{collections::BTreeSet, io::Read};

    fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match encoding {
            Encoding::Identity => out.extend_from_slice(bytes),
            Encoding::Gzip => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap()),
            Encoding::Brotli => brotli::BrotliDecompress(&mut &bytes[..], &mut out).unwrap(),
            Encoding::Zstd => out = unpacked(bytes, 10_000).unwrap(),
        }
        out
    }

    #[test]
    fn every_coding_reads_back_is_the_same_each_time_and_smaller() {
        for text in ["Điện Biên Đông ".repeat(100), "x".to_owned(), String::new()] {
            for encoding in Encoding::ALL {
                let bytes = encoded(encoding, text.as_bytes()).unwrap();
                assert_eq!(bytes, encoded(encoding, text.as_bytes()).unwrap());
                assert_eq!(decoded(encoding, &bytes), text.as_bytes(), "{encoding:?}");
                assert!(text.len() < 100 || encoding == Encoding::Identity || bytes.len() < text.len() / 5);
            }
        }
    }

    #[test]
    fn every_coding_has_a_tag_of_its_own_made_of_the_content() {
        let tag = fingerprint([&b"a"[..]]);
        assert_ne!(tag, fingerprint([&b"b"[..]]));
        let tags: BTreeSet<String> = Encoding::ALL.into_iter().map(|encoding| etag(&tag, encoding)).collect();
        assert_eq!(tags.len(), Encoding::ALL.len());
        assert!(tags.contains(&format!("\"{tag}-br\"")), "{tags:?}");
    }

    #[test]
    fn where_a_piece_ends_counts() {
        assert_ne!(fingerprint([&b"ab"[..], b"c"]), fingerprint([&b"a"[..], b"bc"]));
    }
}
