//! The bounds, each with its reason.

/// Attributes of one tag: the parser compares each with all before it.
pub const ATTRIBUTES_MAX: usize = 500;
/// The same in a whole page, whose scripts are counted as if they were tags.
pub const PAGE_ATTRIBUTES_MAX: usize = 5_000;
/// Elements inside each other: what browsers go down to.
pub const DEPTH_MAX: usize = 512;
/// Different names of elements and attributes longer than seven bytes. HTML has some two hundred; the parser keeps all
/// names in one table, of which a stranger may choose the places.
pub const NAMES_MAX: usize = 2_000;
/// Steps of the parser for each byte of the text. Real pages take 3 to 10.
pub const STEPS_PER_BYTE: u64 = 40;
/// As many steps any text may take.
pub const STEPS_AT_LEAST: u64 = 200_000;
/// What is written may be twice as long as what was read, and this much longer.
pub const GROWTH_BYTES: u64 = 65_536;
