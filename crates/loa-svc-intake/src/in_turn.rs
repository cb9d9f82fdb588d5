//! Who may publish for which portal, once it is that portal's turn: an extractor, so that nobody's body is read before.

use crate::{
    Service,
    api_state::Api,
    portals::{asked_for, named},
};
use axum::{extract::FromRequestParts, http::request::Parts};
use loa_domain::PortalSlug;
use loa_http::{Problem, ToPublish};
use std::{sync::PoisonError, time::Duration};

/// The portal that a submission is for. Rejects as [`ToPublish`] does, with 403 when the token is bound to others, and with
/// 429 when too many submissions of the portal wait already.
pub(crate) struct InTurn(pub(crate) PortalSlug);

impl FromRequestParts<Api> for InTurn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ToPublish(caller) = ToPublish::from_request_parts(parts, api).await?;
        let portal = asked_for(&caller, named(parts.uri.query()).as_deref())?;
        match api.service.turn_of(&portal) {
            Ok(Duration::ZERO) => {}
            Ok(wait) => {
                counted("waited");
                tokio::time::sleep(wait).await;
            }
            Err(after) => {
                counted("refused");
                return Err(too_many(&portal, api.service.0.config.submissions_per_second, after));
            }
        }
        Ok(Self(portal))
    }
}

impl Service {
    /// The wait until a submission of this portal may be taken; `Err`: after how long to ask again. The only portal waits for
    /// nobody.
    fn turn_of(&self, portal: &PortalSlug) -> Result<Duration, Duration> {
        let service = &self.0;
        let per_second = service.config.submissions_per_second;
        if per_second == 0 || !service.portal.portals.list().has_several() {
            return Ok(Duration::ZERO);
        }
        let now = service.world.now();
        service.throttle.lock().unwrap_or_else(PoisonError::into_inner).turn(portal, per_second, now)
    }
}

fn counted(outcome: &'static str) {
    metrics::counter!("loa_submissions_throttled_total", "outcome" => outcome).increment(1);
}

fn too_many(portal: &PortalSlug, per_second: u32, after: Duration) -> Problem {
    let detail = format!(
        "{portal} sends more than {per_second} submissions a second, and as many wait as may; send it again after `Retry-After`"
    );
    let seconds = u32::try_from(after.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
    Problem::new(429, "Too many submissions", detail).retry_after(seconds)
}
