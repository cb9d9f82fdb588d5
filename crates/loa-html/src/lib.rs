//! Says what reading a text as HTML costs, before a parser builds a tree of it.
//!
//! An HTML parser's time and memory are not bounded by the length of what it reads: it walks the
//! stack of open elements for most tags, compares each attribute with all before it, and writes an
//! element that was left open again into each following block. So [`measure`] runs the same parser
//! over a tree that keeps next to nothing, counts each step it takes, and stops at a bound. Who
//! reads HTML of strangers measures it first; what passes is read in time that grows with its length.
//!
//! Pure: text in, figures out. It cleans nothing and knows neither articles nor pages.
//!
//! ```
//! use loa_html::{ExcessKind, Shape, measure};
//! assert!(measure("<p>Thông <b>báo</b></p>", Shape::Fragment).is_ok());
//! assert_eq!(measure(&"<div>".repeat(5_000), Shape::Fragment).unwrap_err().kind, ExcessKind::Depth);
//! ```

mod attributes;
mod bounds;
mod excess;
mod measure;
mod tree;

pub use bounds::{
    ATTRIBUTES_MAX, DEPTH_MAX, GROWTH_BYTES, NAMES_MAX, PAGE_ATTRIBUTES_MAX, STEPS_AT_LEAST, STEPS_PER_BYTE,
};
pub use excess::{Excess, ExcessKind};
pub use measure::{Measure, Shape, measure};
