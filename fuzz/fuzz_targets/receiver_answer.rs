//! The answer of a receiver or of a callback.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| loa_testkit::hostile::receiver_answer(data));
