//! A form sent to the hub.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    loa_testkit::hostile::hub_request(data);
});
