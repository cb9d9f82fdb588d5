//! Whole mails: as snapshots, read back by a foreign parser, and the rules each of them keeps.

// a panic in a sample is the failure message
#![allow(clippy::unwrap_used)]

mod rules;
mod samples;
mod snapshots;
