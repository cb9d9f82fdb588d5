//! A directory of areas, as CSV.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loa_testkit::hostile::areas_csv(data));
