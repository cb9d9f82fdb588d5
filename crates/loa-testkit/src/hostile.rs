//! Bodies of fuzz targets: bytes in, and a panic where a promise about bad input is broken.
//!
//! `fuzz/` calls them with what a fuzzer invents; `tests/hostile.rs` calls them with a bounded
//! number of cases in the normal suite. What is bounded and pure belongs here. What needs a broker
//! or a ledger belongs to the system suite.

mod body;
mod event;
mod feed;
mod harmless;
mod page;
mod receiver;
mod strict;

pub use body::{areas_csv, html_body, strict_json};
pub use event::{binary_event, structured_event};
pub use feed::feed_of_event;
pub use harmless::harmless_html;
pub use page::portal_page;
pub use receiver::{hub_request, receiver_answer};
pub use strict::{legal_text, well_formed_xml};
