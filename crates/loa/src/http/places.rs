//! Places for connections: so many in all, and so many for each client address.
//!
//! One address, however many connections it opens, leaves room for the others. Proxies of ours carry
//! everybody's requests and may have more, but never all.

use loa_http::household;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// All places of a listener.
pub(super) struct Places {
    free: Arc<Semaphore>,
    in_all: usize,
    /// Most places of one address.
    share: usize,
    /// Addresses that have places now, no more than there are places.
    taken: Taken,
}

/// One connection's place; free again when it is dropped.
pub(super) struct ConnectionPlace {
    _permit: Option<OwnedSemaphorePermit>,
    taken: Taken,
    address: IpAddr,
}

impl Places {
    pub(super) fn new(in_all: usize, share: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(in_all)), in_all, share, taken: Taken::default() }
    }

    /// Waits until any place is free.
    pub(super) async fn any(&self) -> Option<OwnedSemaphorePermit> {
        // the semaphore is never closed
        self.free.clone().acquire_owned().await.ok()
    }

    /// A place for a connection; `None`: its address has its share.
    pub(super) fn take(
        &self,
        permit: Option<OwnedSemaphorePermit>,
        peer: IpAddr,
        is_ours: bool,
    ) -> Option<ConnectionPlace> {
        let most = if is_ours { self.in_all.saturating_sub(self.share).max(self.share) } else { self.share };
        let address = household(peer);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let places = taken.entry(address).or_default();
        if *places >= most {
            return None;
        }
        *places += 1;
        Some(ConnectionPlace { _permit: permit, taken: self.taken.clone(), address })
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = taken.get_mut(&self.address) {
            *places = places.saturating_sub(1);
            if *places == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_its_share_and_a_proxy_of_ours_leaves_as_many() {
        let places = Places::new(10, 3);
        let take = async |address: &str, is_ours| {
            let permit = places.any().await;
            places.take(permit, address.parse().unwrap(), is_ours)
        };
        let mut held = Vec::new();
        for (address, is_ours, expected) in [
            ("203.0.113.7", false, 3),
            ("::ffff:203.0.113.7", false, 0),
            ("2001:db8::1", false, 3),
            ("2001:db8::ffff:1", false, 0),
        ] {
            let mut found = 0;
            for _ in 0..5 {
                let place = take(address, is_ours).await;
                found += usize::from(place.is_some());
                held.extend(place);
            }
            assert_eq!(found, expected, "{address}");
        }
        held.clear();
        for _ in 0..9 {
            held.extend(take("10.0.0.1", true).await);
        }
        assert_eq!(held.len(), 7, "three are left for others");
        assert!(take("203.0.113.9", false).await.is_some());
        held.clear();
        assert!(places.taken.lock().unwrap().is_empty(), "who has none takes no room");
    }
}
