//! Why the watch cannot be set up.

use loa_domain::NetworkError;
use loa_egress::ClientError;

/// Why the watch cannot be set up: the configuration is wrong. Each sentence says where to mend it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A network can't be read.
    #[error("watch.allow_networks: {0}")]
    Network(#[from] NetworkError),
    /// A setting is out of range.
    #[error("{0}")]
    Setting(String),
    /// An HTTP client can't be built.
    #[error("watch: {0}")]
    Client(#[from] ClientError),
}
