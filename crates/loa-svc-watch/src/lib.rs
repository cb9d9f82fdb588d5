//! Looks at portals that cannot call us: their feeds, sitemaps and list pages. What they publish, change and take away goes
//! to intake, as an imported page does.
//!
//! A look at a source reads its list as far as a known article, records what is new, and reads the pages that are due. A host
//! is asked one thing at a time, with a pause between, by the rules of its `robots.txt`. What was there before the watch began
//! is known and told to nobody. Nothing is withdrawn because a list does not name it any more: only when its own page is
//! missing again and again, over time.
//!
//! The path: [`Service::step`] claims sources → `look.rs` reads the list → `pages.rs` reads pages → [`Publisher`]. `decide.rs`
//! is pure: what is new, when a page is read again, what is gone, what is odd. `visitor.rs` is the only one that asks the
//! world; [`Visitor::probe`] shows what a source would give, and writes nothing.

mod config;
mod decide;
mod inner;
mod look;
mod pages;
mod probe;
mod publisher;
mod robots;
mod service;
mod setup;
mod sitemaps;
mod take;
mod tally;
mod visitor;

pub use config::Config;
pub use probe::{Probe, ProbedPage, ProbedSource};
pub use publisher::{PublishError, Published, Publisher};
pub use service::{AddError, NewWatch, Service};
pub use setup::SetupError;
pub use visitor::{Identity, Visitor};
