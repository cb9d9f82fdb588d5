//! A secret setting: printed as `***`, given by the environment or by a file that the setting's `*_file` names.

use anyhow::Context;
use serde::Deserialize;
use std::{fmt, path::Path};

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, or the first line of the file; `None` when neither is set. A file without a secret is an error:
    /// to go on with an empty password would only be refused later, elsewhere, and less clearly.
    pub fn resolve(&self, file: &str) -> anyhow::Result<Option<String>> {
        if !self.0.is_empty() {
            return Ok(Some(self.0.clone()));
        }
        if file.is_empty() {
            return Ok(None);
        }
        let text =
            std::fs::read_to_string(Path::new(file)).with_context(|| format!("cannot read the secret file {file}"))?;
        let secret = text.lines().next().unwrap_or_default();
        anyhow::ensure!(!secret.is_empty(), "the first line of the secret file {file} is empty");
        Ok(Some(secret.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "***" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_secret_is_the_first_line_of_its_file() {
        for text in ["hunter2", "hunter2\n", "hunter2\r\nsecond line\n"] {
            let file = file(text);
            let secret = Secret::default().resolve(file.path().to_str().unwrap()).unwrap();
            assert_eq!(secret.as_deref(), Some("hunter2"), "{text:?}");
        }
    }

    #[test]
    fn a_secret_file_that_is_missing_or_empty_is_an_error_that_names_it() {
        let error = Secret::default().resolve("/nowhere/password").unwrap_err().to_string();
        assert_eq!(error, "cannot read the secret file /nowhere/password");
        let file = file("\n");
        let name = file.path().to_str().unwrap();
        let error = Secret::default().resolve(name).unwrap_err().to_string();
        assert_eq!(error, format!("the first line of the secret file {name} is empty"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let secret = Secret("typed".to_owned()).resolve("/nowhere/password").unwrap();
        assert_eq!(secret.as_deref(), Some("typed"));
        assert_eq!(Secret::default().resolve("").unwrap(), None);
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret("hunter2".to_owned())), "***");
        assert_eq!(format!("{:?}", Secret::default()), "(none)");
    }
}
