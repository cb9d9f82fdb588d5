//! Loa: carries a government portal's articles to everyone who asked for them.
fn main() {}
