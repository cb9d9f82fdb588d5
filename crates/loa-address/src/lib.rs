//! Addresses of servers as administrators write them, and the logins that go with them: one reader for
//! the broker's and the database's, so that both take the same forms and refuse the same mistakes.
//!
//! It opens nothing and knows no scheme's meaning: which parameters an address may have, and which
//! port is the default, say the adapters. No error and no `Debug` quotes a password.
//!
//! ```
//! use loa_address::Address;
//! let address = Address::parse("amqp://loa:s%40fe@mq-1,[2001:db8::5]:5673/news", &["amqp", "amqps"])?;
//! assert_eq!(address.user.as_deref(), Some("loa"));
//! assert_eq!(address.hosts[1].with_port(5672), ("2001:db8::5".to_owned(), 5673));
//! assert_eq!(address.to_string(), "amqp://loa@mq-1,[2001:db8::5]:5673/news");
//! # Ok::<(), loa_address::AddressError>(())
//! ```

mod address;
mod error;
mod host;
mod password;
mod shuffle;

pub use address::Address;
pub use error::AddressError;
pub use host::Host;
pub use password::Password;
pub use shuffle::shuffle;
