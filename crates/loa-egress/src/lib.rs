//! Calls to the outside: the HTTP client through which services reach addresses that somebody typed in.
//!
//! The policy (`loa_webhook::EgressPolicy`) says which addresses may be called. [`Guard`] applies it twice: to an address as
//! it is written, and to every address that a name resolves to, at the moment of connecting. [`client`] builds a client
//! that resolves through a guard, follows no redirect, uses no proxy and does not retry. [`explain`] says why a call failed.
//! The crate knows neither ledgers nor what is sent.

mod client;
mod explain;
mod guard;

pub use client::{ClientError, ClientOptions, client};
pub use explain::{explain, printable};
pub use guard::{Guard, Pin, ResolveError};
