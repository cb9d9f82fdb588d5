//! Says what reading a text as HTML costs, before a parser builds a tree of it.
//!
//! An HTML parser's time and memory are not bounded by the length of what it reads: it walks the
//! stack of open elements for most tags, compares each attribute with all before it, and writes an
//! element that was left open again into each following block. So [`measure`] runs the same parser
//! over a tree that keeps next to nothing, counts each step it takes, and stops at a bound. Who
//! reads HTML of strangers measures it first; what passes is read in time that grows with its length.
//!
//! Beside that it says which attribute of a picture is its own address ([`PictureAttributes`]): pages and bodies keep it for
//! scripts in the same ways; and which styles hide what they stand at ([`is_hidden_by`]).
//!
//! Pure: text in, figures out. It cleans nothing and knows neither articles nor pages.
//!
//! ```
//! use loa_domain::HtmlExcess;
//! use loa_html::{Shape, measure};
//! assert!(measure("<p>Thông <b>báo</b></p>", Shape::Fragment).is_ok());
//! assert_eq!(measure(&"<div>".repeat(5_000), Shape::Fragment).unwrap_err().kind, HtmlExcess::Depth(512));
//! ```

mod attributes;
mod bounds;
mod excess;
mod hidden;
mod measure;
mod picture;
mod tree;

pub use bounds::{
    ATTRIBUTES_MAX, DEPTH_MAX, GROWTH_BYTES, NAMES_MAX, PAGE_ATTRIBUTES_MAX, STEPS_AT_LEAST, STEPS_PER_BYTE,
};
pub use excess::Excess;
pub use hidden::is_hidden_by;
pub use measure::{Measure, Shape, measure};
pub use picture::{PictureAttributes, PictureJudge, best_of_set, is_placeholder};
