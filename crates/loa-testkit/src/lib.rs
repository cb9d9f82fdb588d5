//! Builders, a hand-wound clock, and SMTP and HTTP stand-ins that misbehave on command.
//!
//! `hostile` is what fuzz targets and properties call. The rest is for tests, and for `loa demo`, whose mail catcher and provincial portal are the stand-ins. Those do not
//! judge: they record what came, whoever started them looks at it.

pub mod build;
pub mod clock;
pub mod hostile;
pub mod http;
pub mod smtp;
