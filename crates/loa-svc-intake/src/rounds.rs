//! Which queues the next round of heartbeats goes to, by what this process sent and what they heard. Pure: `heartbeat.rs` asks
//! the broker and the ledger, and says why it is so.

use jiff::Timestamp;
use loa_bus::Queue;
use std::collections::{BTreeMap, BTreeSet};

/// The depth from which on a queue gets no heartbeats. Each process that sends may overshoot by one.
pub(crate) const DEPTH_MAX: u64 = 100;
/// While a queue is left out, one round of so many goes over the exchange. The others before it are a multiple of the queues, so
/// that each has as many turns where all are left out.
const EXCHANGE_EVERY: u64 = 21;

/// The rounds that this process sent, and what came of them.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// Of a broker that does not tell depths, by queue.
    unheard: BTreeMap<Queue, Unheard>,
    /// How many went by since the last one over the exchange.
    direct: u64,
}

/// The rounds that were sent to a queue since it last heard a newer heartbeat.
#[derive(Debug, Default)]
struct Unheard {
    heard: Option<Timestamp>,
    rounds: u64,
}

impl Rounds {
    /// Whether a queue that tells no depth is to get a heartbeat. `heard`: when the newest that it heard was sent.
    pub(crate) fn may_hear_one(&mut self, queue: Queue, heard: Option<Timestamp>) -> bool {
        let unheard = self.unheard.entry(queue).or_default();
        // what was forgotten since is no news
        if heard > unheard.heard {
            *unheard = Unheard { heard, rounds: 0 };
        }
        unheard.rounds < DEPTH_MAX
    }

    /// The queues of the next round, of those that are to get one; `None`: all of them, over the exchange.
    pub(crate) fn directly(&self, queues: BTreeSet<Queue>) -> Option<BTreeSet<Queue>> {
        if queues.len() == Queue::ALL.len() || self.direct + 1 >= EXCHANGE_EVERY {
            return None;
        }
        let in_turn = Queue::ALL.into_iter().cycle().nth(self.direct as usize % Queue::ALL.len());
        Some(if queues.is_empty() { in_turn.into_iter().collect() } else { queues })
    }

    /// Counts a round that was sent.
    pub(crate) fn sent(&mut self, directly: Option<&BTreeSet<Queue>>) {
        self.direct = if directly.is_some() { self.direct + 1 } else { 0 };
        for (queue, unheard) in &mut self.unheard {
            if directly.is_none_or(|queues| queues.contains(queue)) {
                unheard.rounds += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    /// One round of a broker that tells no depths; each queue with what it heard.
    fn round(rounds: &mut Rounds, heard: impl Fn(Queue) -> Option<Timestamp>) -> Option<BTreeSet<Queue>> {
        let takes = Queue::ALL.into_iter().filter(|queue| rounds.may_hear_one(*queue, heard(*queue))).collect();
        let directly = rounds.directly(takes);
        rounds.sent(directly.as_ref());
        directly
    }

    #[test]
    fn while_one_queue_hears_nothing_the_bindings_of_the_others_are_proved_now_and_then() {
        let (mut rounds, mut over_the_exchange) = (Rounds::default(), Vec::new());
        for number in 0..300 {
            match round(&mut rounds, |queue| at(number).filter(|_| queue != Queue::Digest)) {
                None => over_the_exchange.push(number),
                Some(queues) => assert_eq!(queues, [Queue::Archive, Queue::Feed, Queue::Push].into(), "{number}"),
            }
        }
        let all_hear = 0..DEPTH_MAX as i64;
        assert_eq!(over_the_exchange[..100], all_hear.collect::<Vec<_>>()[..]);
        assert_eq!(over_the_exchange[100..], [120, 141, 162, 183, 204, 225, 246, 267, 288]);
    }

    #[test]
    fn a_round_is_never_left_out_and_what_is_heard_again_ends_it_also_after_all_was_forgotten() {
        let mut rounds = Rounds::default();
        for number in 0..10_000 {
            let heard = at(7).filter(|_| number < 2_880);
            if let Some(queues) = round(&mut rounds, |_| heard) {
                assert_eq!(queues.len(), 1, "{number}: each in its turn");
            }
        }
        let sent = |queue: &Queue| rounds.unheard[queue].rounds;
        assert!(Queue::ALL.iter().all(|queue| (2_800..3_200).contains(&sent(queue))), "{rounds:?}");
        assert_eq!(round(&mut rounds, |_| at(8)), None, "all hear again, and all get theirs at once");
    }
}
