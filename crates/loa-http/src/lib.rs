//! Manners of our HTTP, the same for every service: how a request is let in, and how an answer is dressed.
//!
//! Services hand in what they know (tokens, errors of a ledger, the address of a client) and get back
//! what HTTP wants for it. Nothing here knows a route, an outlet or a page's content, and nothing here
//! asks a ledger: `loa-store` is used for its error kinds only.
//!
//! ```
//! use loa_http::Problem;
//! let problem = Problem::unavailable("the digest ledger cannot be reached just now; try again");
//! assert_eq!((problem.status, problem.retry_after_seconds), (503, Some(loa_http::RETRY_AFTER_SECONDS)));
//! ```

mod bearer;
mod client_address;
mod compression;
mod conditional;
mod content_coding;
mod describe;
mod http_date;
mod ledger;
mod pages;
mod percent;
mod problem;
mod rejections;
mod representation;
mod retry_after;
mod rows;
mod same_site;
mod tally;

pub use bearer::{AccessUnavailable, Caller, Guard, ToOperate, ToPublish, ToRead, TokenCheck, admit, bearer_token};
pub use client_address::{ClientAddress, Peer, TrustedProxies, note_client_address};
pub use compression::compress_public_pages;
pub use conditional::{Revalidation, revalidate};
pub use content_coding::{Encoding, negotiate};
pub use describe::{Guarded, TakesJson, answers};
pub use http_date::{http_date, parse_http_date};
pub use ledger::status_of;
pub use pages::{SHELL_STYLE, Shell, Templates, page_headers};
pub use percent::segment;
pub use problem::Problem;
pub use representation::{encoded, etag, fingerprint, unpacked};
pub use retry_after::{RETRY_AFTER_SECONDS, retry_later};
pub use rows::{ROWS_MAX, rows};
pub use same_site::from_own_page;
pub use tally::{Tally, household, network};
