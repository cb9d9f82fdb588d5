//! Builders, a hand-wound clock, and SMTP and HTTP stand-ins that misbehave on command.
//!
//! Fuzz targets and properties call `hostile`. The rest is for tests, and for `loa demo`, whose
//! mail catcher and provincial portal are the stand-ins. The stand-ins record and do not judge;
//! whoever started them looks at the records.

pub mod build;
pub mod clock;
pub mod hostile;
pub mod http;
pub mod smtp;
