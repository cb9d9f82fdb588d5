//! The door to the ledgers: one method, one sentence, one transaction; with its conformance suite.
