//! Why a text is no address. The words quote nothing that may be secret.

/// Why a text is no address: half a sentence behind "it", without anything secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it {what}")]
pub struct AddressError {
    what: String,
}

impl AddressError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}
