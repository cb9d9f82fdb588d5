//! Texts of an article divided by 0xFF, decoded and written as every feed.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loa_testkit::hostile::feed_of_event(data));
