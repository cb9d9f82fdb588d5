//! A settings file: it is refused with the file's or the setting's name, or taken whole.

#![no_main]

use loa::config::{Config, layered};
use std::path::Path;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    match layered::<Config>(Some((Path::new("loa.toml"), &text)), []) {
        Ok(config) => drop(config.check()),
        Err(error) => {
            let said = format!("{error:#}");
            assert!(said.contains("loa.toml") || said.contains("configuration"), "{said}");
        }
    }
});
