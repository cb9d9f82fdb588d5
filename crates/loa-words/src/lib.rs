//! The catalogues: what facts are called, and the sentences made of them, one catalogue for each language.
//!
//! Ledgers and services keep facts as types; console, API, command line and pages make sentences of them here, when they are
//! shown. Pure: facts and instants are handed in, text comes out. Where facts come from and what a page looks like is not
//! known here. Vietnamese comes first; its wording is that of `GLOSSARY.md`.
//!
//! Both catalogues are complete: they implement one trait, and match each fact without a default arm. A sentence that is
//! missing in one language does not compile.
//!
//! ```
//! use loa_domain::{JourneyStep, Outlet};
//! use loa_words::Language;
//! let words = Language::of_request(Some("en-GB, vi;q=0.5")).words();
//! assert_eq!(words.outlet(Outlet::Push), "Webhooks");
//! assert_eq!(Language::Vietnamese.words().step(&JourneyStep::Withdrawn), "đã gỡ");
//! ```

mod alarm;
mod catalogue;
mod en;
mod language;
mod notice;
mod vi;

pub use alarm::{Alarm, Connection, Trial};
pub use catalogue::{Words, replay};
pub use language::Language;
pub use notice::{BarePage, Notice};
