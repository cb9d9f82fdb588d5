//! The push outlet's ledger: endpoints, what is owed to each, every attempt.

mod deliveries;
mod endpoints;
mod views;

pub use deliveries::{AttemptReceipt, AttemptRecord, Deliveries, DueDelivery, DueTimes};
pub use endpoints::Endpoints;
pub use views::{Attempt, DeliveryQuery, DeliveryView, PushViews};

use crate::{Arrivals, Receptions, Restorable};

/// The whole ledger, as an adapter keeps it. A service is handed [`crate::PushDoors`], the console [`PushViews`] alone.
///
/// Accepting an event keeps its original bytes once, however many endpoints there are, and makes one pending delivery for each
/// endpoint whose filter fits, disabled ones too. Unique on (event, endpoint). A delivery of an older version than one already
/// delivered to that endpoint is `Superseded` from the start.
pub trait PushLedger: Arrivals + Endpoints + Deliveries + DueTimes + PushViews + Restorable + Receptions {}

impl<L: Arrivals + Endpoints + Deliveries + DueTimes + PushViews + Restorable + Receptions> PushLedger for L {}
