//! Builders, a hand-wound clock, and SMTP and HTTP stand-ins that misbehave on command.
