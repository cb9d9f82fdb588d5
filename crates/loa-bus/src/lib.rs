//! The door to the broker: publish, receive, settle; bytes only; with its conformance suite.
