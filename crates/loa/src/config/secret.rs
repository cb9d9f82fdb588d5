//! A secret setting: printed as `***`, given by the environment or by a file that the setting's `*_file` names.

use anyhow::Context;
use serde::Deserialize;
use std::{fmt, path::Path};

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, or the first line of the file; `None` when neither is set.
    pub fn resolve(&self, file: &str) -> anyhow::Result<Option<String>> {
        if !self.0.is_empty() {
            return Ok(Some(self.0.clone()));
        }
        if file.is_empty() {
            return Ok(None);
        }
        let text =
            std::fs::read_to_string(Path::new(file)).with_context(|| format!("cannot read the secret file {file}"))?;
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "***" })
    }
}
