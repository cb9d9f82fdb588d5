//! The suite of `loa-store`, on PostgreSQL: every rule of every ledger, straight and through a pooler in transaction mode.
//! Started by `tests/run conformance`.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod database;

mod straight {
    loa_store::ledger_conformance_tests!(crate::database::schemas, 12);
}

mod through_a_transaction_pooler {
    loa_store::ledger_conformance_tests!(crate::database::pooled_schemas, 4);
}
