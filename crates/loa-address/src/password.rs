//! A password that is asked for at each login, since it may have been rotated meanwhile.

use std::{fmt, sync::Arc};

/// Where a password comes from. `Debug` does not show it.
#[derive(Clone)]
pub struct Password(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<str>),
    Asked(Arc<dyn Fn() -> Result<String, String> + Send + Sync>),
}

impl Password {
    /// A password that is asked for anew at each login, for instance read from a file. The error is a sentence for an
    /// operator: what cannot be read, and why.
    pub fn asked(ask: impl Fn() -> Result<String, String> + Send + Sync + 'static) -> Self {
        Self(Source::Asked(Arc::new(ask)))
    }

    /// The password as it is now. May read a small file.
    ///
    /// # Errors
    /// The sentence of whoever was asked.
    pub fn now(&self) -> Result<String, String> {
        match &self.0 {
            Source::Fixed(text) => Ok(text.to_string()),
            Source::Asked(ask) => ask(),
        }
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(Source::Fixed(text.into()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_password_is_asked_for_each_time_and_never_printed() {
        let asked = AtomicU32::new(0);
        let password = Password::asked(move || Ok(format!("secret {}", asked.fetch_add(1, Ordering::Relaxed))));
        assert_eq!((password.now(), password.now()), (Ok("secret 0".to_owned()), Ok("secret 1".to_owned())));
        assert_eq!(Password::from("s%40 fe").now().as_deref(), Ok("s%40 fe"), "it is taken as it is");
        assert_eq!(format!("{:?} {password:?}", Password::from("hunter2")), "*** ***");
    }
}
