//! A message in binary mode: header lines, an empty line, the body.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(loa_testkit::hostile::binary_event(data)));
