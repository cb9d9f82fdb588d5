//! Durable queues in a SQLite file: the embedded default.
