//! The way in: HTTP API, page import, outbox relay, archive.
