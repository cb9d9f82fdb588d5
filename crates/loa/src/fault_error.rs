//! A fault that a command found, as the error that it ends with: its sentence, and its kind for machines.
//!
//! `loa check --json` takes the kind out again ([`kind_of`]), also that of an error of a ledger or of the bus.

use jiff::Timestamp;
use loa_bus::BusError;
use loa_domain::Fault;
use loa_store::StoreError;
use loa_words::Language;
use loa_worker::trouble_of;
use std::fmt;

/// Faults of one kind of thing.
#[derive(Debug)]
pub struct FaultError {
    first: Fault,
    others: Vec<Fault>,
    now: Timestamp,
    language: Language,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.language.words();
        f.write_str(&words.fault(&self.first, self.now))?;
        self.others.iter().try_for_each(|fault| write!(f, " {}", words.fault(fault, self.now)))
    }
}

impl std::error::Error for FaultError {}

impl FaultError {
    /// One, in English.
    pub fn new(fault: Fault, now: Timestamp) -> Self {
        Self { first: fault, others: Vec::new(), now, language: Language::English }
    }

    /// Fails with all of them, in one line and by the kind of the first; none are a success.
    pub fn none_of(faults: Vec<Fault>, now: Timestamp) -> Result<(), Self> {
        let mut faults = faults.into_iter();
        let Some(first) = faults.next() else { return Ok(()) };
        Err(Self { others: faults.collect(), ..Self::new(first, now) })
    }

    /// The same in a language.
    pub fn said_in(self, language: Language) -> Self {
        Self { language, ..self }
    }
}

/// The word for machines of what is wrong: a fault's kind, or the trouble that an error of a ledger or of the bus means.
/// `None`: a setting, a file, anything else.
pub fn kind_of(error: &anyhow::Error) -> Option<&'static str> {
    let found = error.chain().find_map(|cause| cause.downcast_ref::<FaultError>());
    let of_a_door = || {
        let is_one = error.chain().any(|cause| cause.is::<StoreError>() || cause.is::<BusError>());
        is_one.then(|| trouble_of(error.as_ref()).kind.as_str())
    };
    found.map(|found| found.first.kind()).or_else(of_a_door)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;
    use loa_domain::TroubleKind;
    use loa_store::StoreErrorKind;

    #[test]
    fn the_kind_is_found_below_what_was_said_of_it() {
        let fault = FaultError::new(Fault::Unrouted { count: 2 }, Timestamp::UNIX_EPOCH);
        let error = anyhow::Error::from(fault).context("not everything is there");
        assert_eq!(kind_of(&error), Some("unrouted"));
        let full = StoreError::new(StoreErrorKind::Unavailable, "could not ping: the disk is full");
        let error = Err::<(), _>(full.lying_in(TroubleKind::DiskFull, "/x")).context("the feed").unwrap_err();
        assert_eq!(kind_of(&error), Some("disk_full"));
        assert_eq!(kind_of(&anyhow::anyhow!("a setting is wrong")), None);
    }

    #[test]
    fn several_faults_are_one_line() {
        let faults = vec![Fault::Unrouted { count: 1 }, Fault::ClockAhead { host: "vps-2".into() }];
        let error = FaultError::none_of(faults, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.to_string().contains("1 message lies") && error.to_string().contains("vps-2"), "{error}");
        assert!(error.said_in(Language::Vietnamese).to_string().contains("Đồng hồ của máy vps-2"));
        assert!(FaultError::none_of(Vec::new(), Timestamp::UNIX_EPOCH).is_ok());
    }
}
