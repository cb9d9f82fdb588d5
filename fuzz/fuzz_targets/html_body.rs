//! A body of HTML, cleaned with its work counted.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loa_testkit::hostile::html_body(data));
