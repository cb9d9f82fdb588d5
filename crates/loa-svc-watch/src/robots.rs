//! What sites allow, kept for a while: their `robots.txt` (RFC 9309), by scheme, name and port.

use jiff::{SignedDuration, Timestamp};
use loa_portal::Robots;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use url::Url;

/// How long rules hold (RFC 9309 §2.4).
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long it holds that a site could not say.
const KEPT_UNSAID: SignedDuration = SignedDuration::from_mins(10);
/// Sites that are kept; others are asked again.
const SITES_MAX: usize = 1_000;

/// The rules of sites.
#[derive(Debug, Default)]
pub(crate) struct RobotsCache(Mutex<HashMap<String, (Arc<Robots>, Timestamp)>>);

impl RobotsCache {
    /// The rules for an address, unless they are too old.
    pub(crate) fn get(&self, address: &Url, now: Timestamp) -> Option<Arc<Robots>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (robots, until) = known.get(&site(address))?;
        (now < *until).then(|| robots.clone())
    }

    /// Keeps them. `is_said`: the site answered for certain.
    pub(crate) fn keep(&self, address: &Url, robots: Robots, is_said: bool, now: Timestamp) -> Arc<Robots> {
        let (robots, kept) = (Arc::new(robots), if is_said { KEPT } else { KEPT_UNSAID });
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SITES_MAX {
            known.clear();
        }
        known.insert(site(address), (robots.clone(), now.checked_add(kept).unwrap_or(now)));
        robots
    }
}

fn site(address: &Url) -> String {
    address.origin().ascii_serialization()
}
