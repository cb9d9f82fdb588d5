//! Limits for each network that is called, or asks, whatever names its addresses have.
//!
//! The ledger limits a host under its name. But names cost nothing: with one wildcard record in the DNS, the owner of a
//! domain has any number of hosts, all at one machine, or all at the machine of a victim. Addresses do cost something, so
//! calls are counted by the networks that they go to, as resolved for this very call. A list of public suffixes would be
//! wrong for dynamic names and out of date for the rest.
//!
//! The counts are in memory, for each process: a restart gives everybody a full allowance again.

use loa_domain::Network;
use loa_store::CallClass;
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Networks that are remembered for having been asked of late. When there are more, nobody new is asked until some are
/// forgotten: by then somebody is using the hub to call half the world.
const NETWORKS_MAX: usize = 10_000;

/// How many callbacks of a network may be asked in one go that keep us waiting until the time for an answer is over. Such a
/// call costs as much as many others: it holds a place, and whatever it streams meanwhile is read.
const KEPT_WAITING_MAX: u32 = 4;

/// How much a network may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkRule {
    /// Calls under way at a time.
    pub(crate) in_flight_max: u32,
    /// Callbacks asked in one go …
    pub(crate) burst: u32,
    /// … and beyond that one in so many milliseconds.
    pub(crate) interval_ms: i64,
}

impl NetworkRule {
    /// How far ahead a network's allowance may be used up, when it may be asked once more.
    fn ahead_max(self) -> i64 {
        self.interval_ms.saturating_mul(i64::from(self.burst.max(1)) - 1)
    }

    /// What a call costs that kept us waiting.
    fn waiting_ms(self) -> i64 {
        self.interval_ms.saturating_mul(i64::from(self.burst.div_ceil(KEPT_WAITING_MAX).max(1)))
    }
}

/// Why a network may not be called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    /// As many calls to it are under way as may be.
    Full,
    /// It was asked too often.
    TooOften,
}

/// Who is called.
#[derive(Default)]
pub(crate) struct Networks(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    in_flight: HashMap<(bool, Network), u32>,
    /// When a network's allowance of being asked is whole again (GCRA), in milliseconds.
    whole_at: HashMap<Network, i64>,
}

/// A call under way.
pub(crate) struct NetworkSlot {
    networks: Arc<Networks>,
    keys: Vec<(bool, Network)>,
}

impl NetworkSlot {
    /// Charges the networks for an answer that did not come in time. Deliveries are not charged: the circuit breaker rests
    /// their host.
    pub(crate) fn kept_waiting(&self, rule: NetworkRule, now_ms: i64) {
        // however many did so at once, one is asked again after one such time
        let furthest = now_ms.saturating_add(rule.ahead_max()).saturating_add(rule.waiting_ms());
        let mut counted = self.networks.counted();
        for (_, network) in self.keys.iter().filter(|(asks, _)| *asks) {
            if let Some(whole_at) = counted.whole_at.get_mut(network) {
                *whole_at = whole_at.saturating_add(rule.waiting_ms()).min(furthest);
            }
        }
    }
}

impl Networks {
    /// Counts a call to these networks, if each of them may be called now.
    pub(crate) fn enter(
        self: &Arc<Self>,
        call_class: CallClass,
        networks: &[Network],
        rule: NetworkRule,
        now_ms: i64,
    ) -> Result<NetworkSlot, Busy> {
        let asks = call_class == CallClass::Requests;
        let mut counted = self.counted();
        let keys: Vec<(bool, Network)> = networks.iter().map(|network| (asks, *network)).collect();
        if keys.iter().any(|key| counted.in_flight.get(key).copied().unwrap_or(0) >= rule.in_flight_max) {
            return Err(Busy::Full);
        }
        if asks {
            counted.ask(networks, rule, now_ms)?;
        }
        for key in &keys {
            *counted.in_flight.entry(*key).or_default() += 1;
        }
        drop(counted);
        Ok(NetworkSlot { networks: self.clone(), keys })
    }

    /// Counts a question of this network, without a call. When there is no room for another network, it is let in: asking costs
    /// little, and nobody is kept out by others.
    pub(crate) fn ask(&self, network: Network, rule: NetworkRule, now_ms: i64) -> Result<(), Busy> {
        let mut counted = self.counted();
        counted.ask(&[network], rule, now_ms).or_else(|busy| match counted.whole_at.contains_key(&network) {
            true => Err(busy),
            false => Ok(()),
        })
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn ask(&mut self, networks: &[Network], rule: NetworkRule, now_ms: i64) -> Result<(), Busy> {
        let ahead_max = rule.ahead_max();
        let known = now_ms..=now_ms + ahead_max + rule.waiting_ms();
        if self.whole_at.len() + networks.len() > NETWORKS_MAX {
            self.whole_at.retain(|_, whole_at| known.contains(whole_at));
        }
        if self.whole_at.len() + networks.len() > NETWORKS_MAX {
            return Err(Busy::TooOften);
        }
        for network in networks {
            let whole_at = self.whole_at.entry(*network).or_insert(now_ms);
            if !known.contains(whole_at) {
                // further ahead than it can get: a clock that was set back makes nobody wait until it is there again
                *whole_at = (*whole_at).clamp(now_ms, now_ms + ahead_max + rule.interval_ms);
            }
        }
        if networks.iter().any(|network| self.whole_at.get(network).is_some_and(|at| at - now_ms > ahead_max)) {
            return Err(Busy::TooOften);
        }
        for network in networks {
            *self.whole_at.entry(*network).or_insert(now_ms) += rule.interval_ms;
        }
        Ok(())
    }
}

impl Drop for NetworkSlot {
    fn drop(&mut self) {
        let mut counted = self.networks.counted();
        for key in &self.keys {
            if let Some(count) = counted.in_flight.get_mut(key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    counted.in_flight.remove(key);
                }
            }
        }
    }
}

/// Those of a name's addresses that are called: of each family the network of the first. A name that leads to many networks
/// would have them all called, or counted, at once.
pub(crate) fn chosen(addresses: Vec<SocketAddr>) -> (Vec<SocketAddr>, Vec<Network>) {
    let mut networks: Vec<Network> = Vec::new();
    for v4 in [true, false] {
        let first = addresses.iter().map(SocketAddr::ip).find(|ip| ip.to_canonical().is_ipv4() == v4);
        networks.extend(first.map(Network::around));
    }
    let kept = addresses.into_iter().filter(|address| networks.contains(&Network::around(address.ip()))).collect();
    (kept, networks)
}

/// The networks of an address that is written as a number.
pub(crate) fn of_number(address: IpAddr) -> Vec<Network> {
    vec![Network::around(address)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: NetworkRule = NetworkRule { in_flight_max: 2, burst: 3, interval_ms: 1_000 };

    fn network(address: &str) -> Network {
        Network::around(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_a_few_calls_at_a_time_in_each_call_class_and_room_again_when_one_ends() {
        let networks = Arc::new(Networks::default());
        let enter = |call_class, address: &str| networks.enter(call_class, &[network(address)], RULE, 0);
        let first = enter(CallClass::Deliveries, "203.0.113.1").unwrap();
        let _second = enter(CallClass::Deliveries, "203.0.113.200").unwrap();
        assert_eq!(enter(CallClass::Deliveries, "203.0.113.7").err(), Some(Busy::Full));
        let _other = enter(CallClass::Deliveries, "203.0.114.7").unwrap();
        let _asked = enter(CallClass::Requests, "203.0.113.7").unwrap();
        drop(first);
        enter(CallClass::Deliveries, "203.0.113.7").unwrap();
    }

    #[test]
    fn a_network_is_asked_a_few_times_in_one_go_and_then_now_and_again() {
        let networks = Arc::new(Networks::default());
        let ask = |address: &str, now| networks.enter(CallClass::Requests, &[network(address)], RULE, now).err();
        assert_eq!([0, 0, 0].map(|now| ask("2001:db8:7:1::1", now)), [None; 3]);
        assert_eq!(ask("2001:db8:7:ffff::9", 0), Some(Busy::TooOften), "a /48");
        assert_eq!(ask("2001:db8:8::1", 0), None, "another one");
        assert_eq!([1_000, 1_000].map(|now| ask("2001:db8:7::1", now)), [None, Some(Busy::TooOften)]);
        assert_eq!([60_000, 60_000, 60_000, 60_000].map(|now| ask("2001:db8:7::1", now)).iter().flatten().count(), 1);
        assert_eq!(ask("2001:db8:7::1", -3_600_000), Some(Busy::TooOften), "a clock set back");
        assert_eq!(ask("2001:db8:7::1", -3_600_000 + 1_000), None, "makes nobody wait for an hour");
        // who is refused is not counted for its other network either
        let both = [network("192.0.2.1"), network("2001:db8:7::1")];
        for _ in 0..5 {
            assert!(networks.enter(CallClass::Requests, &both, RULE, -3_600_000 + 1_000).is_err());
        }
        assert_eq!(ask("192.0.2.1", -3_600_000 + 1_000), None);
        assert!(networks.counted().in_flight.is_empty());
    }

    #[test]
    fn a_network_that_keeps_us_waiting_uses_its_allowance_up_sooner() {
        let rule = NetworkRule { burst: 40, ..RULE };
        let networks = Arc::new(Networks::default());
        let wait = |now| {
            let slot = networks.enter(CallClass::Requests, &[network("203.0.113.1")], rule, now);
            slot.map(|slot| slot.kept_waiting(rule, now)).err()
        };
        assert_eq!([0; 5].map(wait), [None, None, None, None, Some(Busy::TooOften)]);
        assert_eq!([5_000, 6_000, 10_000, 17_000].map(wait), [None, Some(Busy::TooOften), Some(Busy::TooOften), None]);
        let told = networks.enter(CallClass::Deliveries, &[network("203.0.113.1")], rule, 17_000).unwrap();
        told.kept_waiting(rule, 17_000);
        assert_eq!(wait(17_000 + 11_000), None, "a delivery is not charged");
        assert_eq!(wait(10_000_000), None);
        // as many at once as may be
        let rule = NetworkRule { in_flight_max: 16, ..rule };
        let enter = |now| networks.enter(CallClass::Requests, &[network("198.51.100.1")], rule, now);
        let at_once: Vec<NetworkSlot> = (0..16).map(|_| enter(0).unwrap()).collect();
        at_once.iter().for_each(|slot| slot.kept_waiting(rule, 0));
        drop(at_once);
        assert_eq!([0, 5_000, 9_000].map(|now| enter(now).err()), [Some(Busy::TooOften); 3]);
        assert!(enter(10_000).is_ok());
        assert_eq!(enter(10_000).err(), Some(Busy::TooOften), "one at a time");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten() {
        let networks = Arc::new(Networks::default());
        let ask = |n: u32, now| {
            networks
                .enter(
                    CallClass::Requests,
                    &[network(&format!("{}.{}.{}.1", 1 + n / 65_536, n / 256 % 256, n % 256))],
                    RULE,
                    now,
                )
                .err()
        };
        assert_eq!((0..10_000).filter_map(|n| ask(n, 0)).count(), 0);
        assert_eq!(ask(10_000, 0), Some(Busy::TooOften));
        assert_eq!(ask(10_000, 1_001), None);
        assert_eq!(networks.counted().whole_at.len(), 1);
    }

    #[test]
    fn of_a_names_addresses_one_network_of_each_family_is_called() {
        let addresses = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect()
        };
        let (kept, networks) =
            chosen(addresses(&["2001:db8::1", "192.0.2.1", "198.51.100.1", "192.0.2.9", "2001:db8:9::1"]));
        assert_eq!(kept, addresses(&["2001:db8::1", "192.0.2.1", "192.0.2.9"]));
        assert_eq!(networks, [network("192.0.2.1"), network("2001:db8::1")]);
    }
}
