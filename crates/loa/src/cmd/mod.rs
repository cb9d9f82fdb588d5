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

use crate::{output::Output, wire::App};
use std::sync::Arc;

/// What every command is handed.
pub struct Context {
    /// Doors, settings, clock.
    pub app: Arc<App>,
    /// Where results go.
    pub output: Output,
}

impl Context {
    /// An instant as an administrator reads it: local time of the portal.
    pub fn local(&self, at: jiff::Timestamp) -> String {
        at.to_zoned_datetime(self.app.zone.clone()).strftime("%d/%m/%Y %H:%M:%S").to_string()
    }
}
