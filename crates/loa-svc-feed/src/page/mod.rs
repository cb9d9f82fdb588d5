//! The room of pages and documents: each is made of what is given.
//!
//! `query` reads what somebody asks, `addresses` says where pages are, `models` makes texts and addresses for templates, `pages`
//! fills the templates, `document` holds bytes with their validators and codings. Nothing here asks
//! the ledger or knows what is cached.

pub(crate) mod addresses;
pub(crate) mod document;
pub(crate) mod models;
pub(crate) mod pages;
pub(crate) mod query;
