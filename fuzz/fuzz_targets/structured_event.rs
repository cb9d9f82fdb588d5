//! A message in structured mode, as bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(loa_testkit::hostile::structured_event(data)));
