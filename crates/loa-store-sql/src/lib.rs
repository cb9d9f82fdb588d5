//! The ledgers on SQL: SQLite as the embedded default, shaped for PostgreSQL.
