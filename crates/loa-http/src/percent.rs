//! Percent-encoding (RFC 3986 §2.1) for the addresses we write.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one segment of a path: an article's id may hold `/` and letters of any script.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_holds_nothing_that_an_address_could_be_read_otherwise_by() {
        assert_eq!(segment("tin-1.2_~"), "tin-1.2_~");
        assert_eq!(segment("a/b?c#d%2F Đ"), "a%2Fb%3Fc%23d%252F%20%C4%90");
    }
}
