//! How the stand-in answers.

use std::time::Duration;

/// One answer, good or bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A proper answer.
    Answer {
        /// The status.
        status: u16,
        /// Further headers; `content-length` is added.
        headers: Vec<(String, String)>,
        /// The body; left out for 204 and 304.
        body: Vec<u8>,
    },
    /// Takes the request and never answers, until the peer gives up.
    Never,
    /// Takes the request and closes the connection.
    Close,
    /// Waits, then answers properly.
    After(Duration, Box<Reply>),
    /// Sends the head of a 200, then one byte of a body without end per interval.
    Drip(Duration),
    /// Sends a 200 with this many bytes of body, in chunks.
    Huge(usize),
    /// Sends something that is not HTTP.
    Garbage,
    /// Sends `100 Continue` again and again, never an answer.
    Continues,
}

impl Reply {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self::text(status, "")
    }

    /// An answer with text.
    pub fn text(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    /// 429, 503 or the like, with `Retry-After`.
    pub fn retry_after(status: u16, value: &str) -> Self {
        Self::status(status).with("retry-after", value)
    }

    /// 308 to somewhere.
    pub fn redirect(to: &str) -> Self {
        Self::status(308).with("location", to)
    }

    /// The same answer with a header more; bad answers stay as they are.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}
