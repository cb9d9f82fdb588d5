//! What the handlers of intake's API are handed: the service, and who may call.

use crate::Service;
use loa_http::{Guard, TokenCheck};
use std::sync::Arc;

/// The state of the API.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) service: Service,
    pub(crate) tokens: Arc<dyn TokenCheck>,
}

impl Guard for Api {
    fn tokens(&self) -> &dyn TokenCheck {
        &*self.tokens
    }

    fn service(&self) -> &'static str {
        "intake"
    }
}
