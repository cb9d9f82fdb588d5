//! Rules of what every outlet's ledger tells of the events it has accepted (`Receptions`), whatever else it makes of them.
//!
//! Each outlet accepts in its own way; its suite hands that in.

use crate::build::Draft;
use loa_domain::Event;
use loa_store::{Receptions, Said};

/// `accept`: accepts one event, in this minute.
pub(crate) async fn what_was_not_accepted_is_not_seen<L: Receptions + ?Sized>(
    ledger: &L,
    accept: impl AsyncFn(Event, i64),
) {
    let (event, other) = (Draft::of("a").live(), Draft::of("b").live());
    let (asked, both) = ([Said::by(&other), Said::by(&event)], [other.key.clone(), event.key.clone()]);
    assert_eq!(ledger.not_seen(&asked).await.unwrap(), both);
    accept(event.clone(), 1).await;
    assert_eq!(ledger.not_seen(&asked).await.unwrap(), both[..1]);
    assert!(ledger.not_seen(&[]).await.unwrap().is_empty());
    // other content under its key is not it, until it comes, too
    let again = Said { content_hash: Some("other".into()), ..Said::by(&event) };
    assert_eq!(ledger.not_seen(std::slice::from_ref(&again)).await.unwrap(), std::slice::from_ref(&event.key));
    let unknown = Said { content_hash: None, ..again.clone() };
    assert!(ledger.not_seen(&[unknown]).await.unwrap().is_empty());
    accept(Event { content_hash: "other".into(), ..event }, 2).await;
    assert!(ledger.not_seen(&[again, asked[1].clone()]).await.unwrap().is_empty());
}
