//! The commands, one file each, and what all of them are handed: the app, and where results are
//! printed.
//!
//! `dispatch.rs`, above, calls the command's file.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod dead_letters;
pub(crate) mod digest;
pub(crate) mod endpoints;
pub(crate) mod hub;
pub mod import;
pub(crate) mod init;
pub mod journey;
pub(crate) mod openapi;
pub(crate) mod portals;
pub(crate) mod publish;
pub(crate) mod replay;
pub(crate) mod restore;
pub mod serve;
pub(crate) mod subscribers;
pub(crate) mod token;
pub(crate) mod topology;
pub(crate) mod watch;

use crate::{fault_error::FaultError, output::Output, wire::App};
use loa_domain::Fault;
use std::sync::Arc;

/// What every command is handed.
pub struct Context {
    /// Doors, settings, clock.
    pub app: Arc<App>,
    /// Where results go.
    pub output: Output,
}

impl Context {
    /// A fault that was found, as the error that the command ends with, in the language of the terminal.
    pub fn fault(&self, fault: Fault) -> anyhow::Error {
        FaultError::new(fault, self.app.world.now()).said_in(self.output.language).into()
    }

    /// Fails with all of them; none are a success.
    pub fn no_faults(&self, faults: Vec<Fault>) -> anyhow::Result<()> {
        let found = FaultError::none_of(faults, self.app.world.now());
        Ok(found.map_err(|error| error.said_in(self.output.language))?)
    }

    /// An instant as an administrator reads it: local time of the portal.
    pub fn local(&self, at: jiff::Timestamp) -> String {
        at.to_zoned_datetime(self.app.zone.clone()).strftime("%d/%m/%Y %H:%M:%S").to_string()
    }
}
