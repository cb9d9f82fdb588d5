//! Why a message was not composed, for everything that has a part in composing one.
//!
//! Only `Address` is about one mailbox; the other kinds are defects of ours and would hit every mail.

use loa_domain::EmailError;

/// Why a message was not composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// An address that passed our check and not the mail library's: this mailbox cannot be written to.
    #[error("the address {masked} cannot be written to")]
    Address {
        /// The address, masked.
        masked: String,
        /// Why.
        #[source]
        source: lettre::address::AddressError,
    },
    /// With run and subscription the return path is not an address: a defect of ours.
    #[error("the return path is not an address")]
    ReturnPath(#[source] EmailError),
    /// A header would carry what it must not: a defect of ours.
    #[error("the header {0} would be malformed")]
    Header(&'static str),
    /// The mail library refused: a defect of ours.
    #[error("the message could not be put together")]
    Build(#[source] lettre::error::Error),
    /// A template failed: a defect of ours.
    #[error("a mail template failed")]
    Template(#[from] minijinja::Error),
}
