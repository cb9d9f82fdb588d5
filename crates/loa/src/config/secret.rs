//! A secret setting: printed as `***`, given by the environment or by a file.
//!
//! The setting `*_file` beside it names that file, which is taken as it is: no character in it has a
//! meaning. A settings file with a secret in it is refused.

use anyhow::Context;
use loa_address::Password;
use serde::Deserialize;
use std::{fmt, io::Read, path::Path};

/// Most bytes of a secret file: whoever names a log by mistake is told so.
const BYTES_MAX: u64 = 4096;

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, or what stands in the file; `None` when neither is set. A file without a secret is an error:
    /// to go on with an empty password would only be refused later, elsewhere, and less clearly.
    pub fn resolve(&self, file: &str) -> anyhow::Result<Option<String>> {
        if !self.0.is_empty() {
            return Ok(Some(self.0.clone()));
        }
        if file.is_empty() {
            return Ok(None);
        }
        read(file).map(Some)
    }

    /// The same for a login that is repeated: the file is read at each, since the password may have been rotated.
    ///
    /// # Errors
    /// As [`Self::resolve`], now.
    pub fn password(&self, file: &str) -> anyhow::Result<Option<Password>> {
        let Some(text) = self.resolve(file)? else { return Ok(None) };
        if !self.0.is_empty() {
            return Ok(Some(text.as_str().into()));
        }
        let file = file.to_owned();
        Ok(Some(Password::asked(move || read(&file).map_err(|error| crate::output::sentence(&error)))))
    }
}

/// What stands in a secret file, without the line end that editors put behind it.
fn read(file: &str) -> anyhow::Result<String> {
    let cannot = || format!("cannot read the secret file {file}");
    let mut text = String::new();
    let opened = std::fs::File::open(Path::new(file)).with_context(cannot)?;
    opened.take(BYTES_MAX + 1).read_to_string(&mut text).with_context(cannot)?;
    anyhow::ensure!(text.len() as u64 <= BYTES_MAX, "the secret file {file} is larger than {BYTES_MAX} bytes");
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    anyhow::ensure!(!secret.contains(['\n', '\r']), "the secret file {file} has more than one line");
    anyhow::ensure!(!secret.is_empty(), "the secret file {file} is empty");
    Ok(secret.to_owned())
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
    fn a_secret_is_all_that_stands_in_its_file_as_it_is() {
        for (text, secret) in [
            ("hunter2", "hunter2"),
            ("hunter2\n", "hunter2"),
            ("hunter2\r\n", "hunter2"),
            (" a%40b@c/d?e#f ", " a%40b@c/d?e#f "),
            ("đồng\n", "đồng"),
        ] {
            let file = file(text);
            let read = Secret::default().resolve(file.path().to_str().unwrap()).unwrap();
            assert_eq!(read.as_deref(), Some(secret), "{text:?}");
        }
    }

    #[test]
    fn a_secret_file_that_is_missing_empty_or_no_secret_is_an_error_that_names_it() {
        let error = Secret::default().resolve("/nowhere/password").unwrap_err().to_string();
        assert_eq!(error, "cannot read the secret file /nowhere/password");
        for (text, words) in [
            ("".to_owned(), "is empty"),
            ("\n".to_owned(), "is empty"),
            ("hunter2\nhunter3\n".to_owned(), "has more than one line"),
            ("hunter2\n\n".to_owned(), "has more than one line"),
            ("x".repeat(5000), "is larger than 4096 bytes"),
        ] {
            let file = file(&text);
            let name = file.path().to_str().unwrap();
            let error = Secret::default().resolve(name).unwrap_err().to_string();
            assert_eq!(error, format!("the secret file {name} {words}"));
        }
    }

    #[test]
    fn a_password_is_read_from_its_file_at_each_login() {
        let file = file("before");
        let password = Secret::default().password(file.path().to_str().unwrap()).unwrap().unwrap();
        assert_eq!(password.now().unwrap(), "before");
        std::fs::write(file.path(), "behind\n").unwrap();
        assert_eq!(password.now().unwrap(), "behind");
        std::fs::write(file.path(), "").unwrap();
        assert!(password.now().unwrap_err().contains("is empty"));
        let typed = Secret("typed".to_owned()).password("/nowhere/password").unwrap().unwrap();
        assert_eq!(typed.now().unwrap(), "typed");
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
