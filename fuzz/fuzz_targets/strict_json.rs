//! A text of JSON, read as strictly as an event.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loa_testkit::hostile::strict_json(data));
