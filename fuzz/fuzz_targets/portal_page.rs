//! A portal's page, text or HTML.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(loa_testkit::hostile::portal_page(data)));
