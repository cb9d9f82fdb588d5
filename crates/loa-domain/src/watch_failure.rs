//! Why a source that is watched, or a page of it, could not be read, as facts. What a server or a library said is a field of its
//! own. The watch's ledger keeps them as JSON; earlier versions noted sentences there.

use crate::{AddressRefusal, AttemptError, Flaw, PageError, Quoted, ServerWords, TroubleKind, WatchKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why it could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum WatchFailure {
    /// What should be an address is none.
    NoAddress {
        /// As it is written.
        text: Quoted,
    },
    /// The site's `robots.txt` forbids it.
    Robots {
        /// The address.
        address: Quoted,
    },
    /// Our own settings forbid it: no public address, or no address of the web.
    NotAllowed {
        /// The address.
        address: Quoted,
        /// Why; `None`: noted before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<AddressRefusal>,
    },
    /// A redirect without a place.
    NoLocation {
        /// The address.
        address: Quoted,
    },
    /// Too many redirects in a row.
    Redirects {
        /// The address.
        address: Quoted,
        /// So many are followed.
        max: usize,
    },
    /// It is not there: 404 or 410.
    Missing {
        /// The address.
        address: Quoted,
        /// The HTTP status.
        status: u16,
    },
    /// Another answer than the document.
    Status {
        /// The address.
        address: Quoted,
        /// The HTTP status.
        status: u16,
    },
    /// The host asks to be left alone.
    Rest {
        /// Until then.
        until: Timestamp,
    },
    /// It is longer than what is read.
    TooLong {
        /// The address.
        address: Quoted,
        /// So many bytes are read.
        max: usize,
    },
    /// Its answer did not end in time.
    NotInTime {
        /// The address.
        address: Quoted,
    },
    /// Its answer broke off.
    BrokeOff {
        /// The address.
        address: Quoted,
    },
    /// No answer came.
    NoAnswer {
        /// The address.
        address: Quoted,
        /// Why.
        error: AttemptError,
        /// What the HTTP client said.
        said: ServerWords,
    },
    /// An answer that was not asked for: 304 without a validator.
    NotAsked {
        /// The address.
        address: Quoted,
    },
    /// It is another kind of source than it was.
    OtherKind {
        /// What it was.
        was: WatchKind,
        /// What it is now.
        is: WatchKind,
    },
    /// It cannot be read as a page or a source.
    Page {
        /// Why.
        error: PageError,
    },
    /// The look did not end within its time.
    LookTooLong {
        /// The time, in seconds.
        seconds: u64,
    },
    /// Our own ledger, or intake, does not take what was found.
    Ours {
        /// Why; `None`: noted before it was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trouble: Option<TroubleKind>,
        /// The technical detail.
        said: ServerWords,
    },
    /// Intake refuses it, or a part of it.
    Refused {
        /// Why.
        flaws: Vec<Flaw>,
    },
    /// What an earlier version noted.
    NotedBefore {
        /// Its sentence.
        said: ServerWords,
    },
}

impl WatchFailure {
    /// Its JSON, for a ledger.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads [`Self::to_json`] back, or what an earlier version noted.
    pub fn of_noted(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self::NotedBefore { said: text.into() })
    }
}

/// For members of larger facts that a ledger keeps: a failure, or the sentence of an earlier version.
pub(crate) fn noted<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<WatchFailure, D::Error> {
    Ok(Noted::deserialize(deserializer)?.into())
}

/// What a ledger has.
#[derive(Deserialize)]
#[serde(untagged)]
enum Noted {
    Fact(WatchFailure),
    Sentence(ServerWords),
}

impl From<Noted> for WatchFailure {
    fn from(noted: Noted) -> Self {
        match noted {
            Noted::Fact(failure) => failure,
            Noted::Sentence(said) => Self::NotedBefore { said },
        }
    }
}

/// As a member that may be absent: reads what earlier versions noted, too.
pub mod noted_failure {
    use super::{Noted, WatchFailure};
    use serde::{Deserialize, Deserializer};

    /// Reads a failure, the sentence of an earlier version, or nothing.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WatchFailure>, D::Error> {
        Ok(Option::<Noted>::deserialize(deserializer)?.map(WatchFailure::from))
    }
}

impl From<PageError> for WatchFailure {
    fn from(error: PageError) -> Self {
        Self::Page { error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_read_back_and_what_earlier_versions_noted_is_kept_as_words() {
        let error = PageError::NoTitle { line: 7 };
        for failure in
            [WatchFailure::Page { error }, WatchFailure::Status { address: "https://a.vn/".into(), status: 500 }]
        {
            assert_eq!(WatchFailure::of_noted(&failure.to_json()), failure);
        }
        let noted = WatchFailure::of_noted("https://a.vn/ answers 500 Internal Server Error");
        assert!(matches!(&noted, WatchFailure::NotedBefore { said } if said.as_str().starts_with("https://a.vn/")));
        let odd: crate::WatchWarning =
            serde_json::from_str(r#"{"kind":"pages_refused","refused":1,"looked_at":2,"why":"it was so"}"#).unwrap();
        let json = serde_json::to_string(&odd).unwrap();
        assert!(json.contains("noted_before"), "{json}");
        assert_eq!(serde_json::from_str::<crate::WatchWarning>(&json).unwrap(), odd);
    }
}
