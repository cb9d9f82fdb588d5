//! Builders, a hand-wound clock, and SMTP and HTTP stand-ins that misbehave on command.
//!
//! For tests, and for `loa demo`, whose mail catcher and provincial portal are the stand-ins. Nothing here judges: the
//! stand-ins record what came, whoever started them looks at it.

pub mod build;
pub mod clock;
pub mod http;
pub mod smtp;
