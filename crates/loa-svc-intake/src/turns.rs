//! Who may put how much on the bus now, so that a flood of one portal delays the others' news hardly at all. Pure: `relay.rs`
//! asks, claims, and says what went out; instants come in.
//!
//! News goes out at once. Where there are several portals, each has a burst of its own; what goes beyond goes at a steady pace,
//! so that one whose program has gone wrong waits for itself alone. Back-files go in small slices at a steady pace, which is
//! what outlets work off between two articles of news: they give way for a moment after news, and wait entirely while a
//! queue is long. Each process that relays counts for itself.

use crate::{
    Config,
    allowance::{Allowance, Rate},
};
use jiff::{SignedDuration, Timestamp};
use loa_bus::Queue;
use loa_domain::{Fault, Lane};
use loa_store::{ClaimRoom, OutboxRow};
use std::{collections::BTreeMap, time::Duration};

/// Between two slices of back-files.
const SLICE: Duration = Duration::from_millis(100);
/// How long back-files give way after news: as long as outlets are at work on it.
const GIVE_WAY: SignedDuration = SignedDuration::from_millis(300);
/// After how long without one a slice of back-files goes out however much news there is.
const GIVE_WAY_MAX: SignedDuration = SignedDuration::from_secs(3);
/// How long a look at the queues holds.
const LOOK: SignedDuration = SignedDuration::from_millis(200);
/// How long after a slice of back-files the queues' length still matters.
const RECENT: SignedDuration = SignedDuration::from_secs(10);
/// How long to wait while a queue is long.
const HELD: Duration = Duration::from_millis(500);
/// After how long an operator is told that back-files are held.
const HELD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// What may go out, by what went out before.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// The portals that had less than their burst left.
    portals: BTreeMap<String, Allowance>,
    back_files: Option<Allowance>,
    /// What may be waiting: there was no room for it in the last claim, or it took all there was.
    more: More,
    /// Whether there are several portals.
    is_shared: bool,
    /// When news of a portal within its burst last went out.
    news_at: Option<Timestamp>,
    back_file_at: Option<Timestamp>,
    look: Option<Look>,
    /// Since when nothing of back-files went out because a queue was long.
    held_since: Option<Timestamp>,
}

/// What may wait behind the last claim.
#[derive(Debug, Default, Clone, Copy)]
struct More {
    back_files: bool,
    news: bool,
}

/// A look at the queues.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Timestamp,
    /// `None`: nobody tells.
    longest: Option<(Queue, u64)>,
}

fn of_a_portal(config: &Config) -> Rate {
    Rate { burst: f64::from(config.portal_burst.max(1)), per_second: f64::from(config.portal_per_second.max(1)) }
}

fn of_back_files(config: &Config) -> Rate {
    let per_second = f64::from(config.backfile_per_second.max(1));
    Rate { burst: (per_second * SLICE.as_secs_f64()).max(1.0), per_second }
}

fn within(at: Option<Timestamp>, span: SignedDuration, now: Timestamp) -> bool {
    at.is_some_and(|at| now.duration_since(at).abs() < span)
}

/// Whole events of an allowance.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a setting's bound")]
fn whole(left: f64) -> u32 {
    left.max(0.0) as u32
}

impl Turns {
    /// Whether the queues are to be looked at before the next claim: their length matters, and what is known of it is old.
    pub(crate) fn wants_a_look(&self, now: Timestamp) -> bool {
        let matters = self.more.back_files || !self.portals.is_empty() || within(self.back_file_at, RECENT, now);
        matters && !within(self.look.map(|look| look.at), LOOK, now)
    }

    /// Notes the longest queue; `None`: it is not known. Returns whether that is to be told: it is
    /// not known any more, or again.
    pub(crate) fn looked(&mut self, longest: Option<(Queue, u64)>, now: Timestamp) -> bool {
        match self.look.replace(Look { at: now, longest }) {
            Some(before) => before.longest.is_some() != longest.is_some(),
            None => longest.is_none(),
        }
    }

    /// The room of the next claim. `shared`: whether there are several portals.
    pub(crate) fn room(&mut self, config: &Config, shared: bool, now: Timestamp) -> ClaimRoom {
        let max = config.relay_batch_max.clamp(1, 1_000);
        let mut room = ClaimRoom::of(max);
        self.is_shared = shared;
        let is_long = self.long(config).is_some();
        if shared {
            let rate = of_a_portal(config);
            self.portals.retain(|_, allowance| {
                *allowance = allowance.refilled(rate, now);
                allowance.left < rate.burst
            });
            // while a queue is long, a burst is what one second gives
            let withheld = if is_long { (rate.burst - rate.per_second).max(0.0) } else { 0.0 };
            room.of_a_portal = whole(rate.burst - withheld).clamp(1, max);
            room.portals =
                self.portals.iter().map(|(slug, allowance)| (slug.clone(), whole(allowance.left - withheld))).collect();
        } else {
            self.portals.clear();
        }
        room.back_files = self.back_files_now(config, is_long, now);
        room
    }

    fn back_files_now(&mut self, config: &Config, is_long: bool, now: Timestamp) -> u32 {
        let rate = of_back_files(config);
        let allowance = self.back_files.map_or_else(|| rate.full(now), |allowance| allowance.refilled(rate, now));
        self.back_files = Some(allowance);
        if is_long {
            self.held_since.get_or_insert(now);
            return 0;
        }
        self.held_since = None;
        if within(self.news_at, GIVE_WAY, now) && within(self.back_file_at, GIVE_WAY_MAX, now) {
            return 0;
        }
        whole(allowance.left)
    }

    /// Notes what a claim brought, in the room it had.
    pub(crate) fn claimed(&mut self, config: &Config, room: &ClaimRoom, rows: &[OutboxRow], now: Timestamp) {
        let mut news: BTreeMap<&str, u32> = BTreeMap::new();
        let mut back_files = 0_u32;
        for row in rows {
            match row.lane {
                Lane::Live => *news.entry(row.article.portal_text().unwrap_or_default()).or_default() += 1,
                Lane::BackFile => back_files += 1,
            }
        }
        let rate = of_a_portal(config);
        for (portal, count) in &news {
            let mut left = rate.burst;
            if self.is_shared {
                let allowance = self.portals.entry((*portal).to_owned()).or_insert_with(|| rate.full(now));
                allowance.left = (allowance.left - f64::from(*count)).max(0.0);
                left = allowance.left;
            }
            // news of one that has more to say than it should makes nobody give way
            if left >= rate.burst / 2.0 {
                self.news_at = Some(now);
            }
        }
        // of a portal that had no room nobody knows what waits: it is looked at again once it has some
        self.more.news = room.portals.values().any(|room| *room == 0)
            || news.iter().any(|(portal, count)| *count >= room.for_portal(Lane::Live, portal).min(room.max));
        let live: u32 = news.values().sum();
        self.more.back_files = back_files >= room.back_files || live >= room.max;
        if back_files > 0 {
            self.back_file_at = Some(now);
            if let Some(allowance) = &mut self.back_files {
                allowance.left -= f64::from(back_files);
            }
        }
    }

    /// After how long there is room for something that may be waiting; `None`: nothing is known to wait.
    pub(crate) fn again_after(&self) -> Option<Duration> {
        match self.more {
            More { news: true, .. } => Some(SLICE),
            More { back_files: true, .. } => Some(if self.is_held() { HELD } else { SLICE }),
            _ => None,
        }
    }

    /// The queue that is too long.
    fn long(&self, config: &Config) -> Option<(Queue, u64)> {
        let longest = self.look.and_then(|look| look.longest);
        longest.filter(|(_, ready)| *ready >= u64::from(config.queue_ready_max.max(1)))
    }

    /// Whether back-files, if there are any, are held because a queue is long.
    pub(crate) fn is_held(&self) -> bool {
        self.held_since.is_some()
    }

    /// What an operator is told once back-files are held for long.
    pub(crate) fn fault(&self, config: &Config, now: Timestamp) -> Option<Fault> {
        let (since, (queue, ready)) = (self.held_since?, self.long(config)?);
        (now.duration_since(since) >= HELD_MAX).then(|| Fault::BackFilesHeld {
            since,
            queue: queue.name().to_owned(),
            ready,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::{ArticleKey, EventKey};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap()
    }

    fn rows(lane: Lane, portal: &str, count: u32) -> Vec<OutboxRow> {
        let key = if portal.is_empty() { "tin-1".to_owned() } else { format!("{portal} tin-1") };
        let row = OutboxRow {
            sequence: 1,
            key: EventKey { source: String::new(), id: String::new() },
            article: key.parse::<ArticleKey>().unwrap(),
            lane,
            routing_key: String::new(),
            body: Vec::new(),
            attempts: 0,
        };
        vec![row; count as usize]
    }

    /// A relay whose outbox has without end what is said; what went out by millisecond.
    fn relayed(
        turns: &mut Turns,
        span: std::ops::Range<i64>,
        waiting: &[(Lane, &str)],
        longest: u64,
    ) -> Vec<(i64, Lane, u32)> {
        let (config, mut out) = (Config::default(), Vec::new());
        for millis in span.step_by(20) {
            let now = at(millis);
            if turns.wants_a_look(now) {
                turns.looked(Some((Queue::Digest, longest)), now);
            }
            let room = turns.room(&config, true, now);
            let mut claimed = Vec::new();
            for (lane, portal) in waiting {
                let count = room.for_portal(*lane, portal);
                out.extend((count > 0).then_some((millis, *lane, count)));
                claimed.extend(rows(*lane, portal, count));
            }
            turns.claimed(&config, &room, &claimed, now);
        }
        out
    }

    fn sum(out: &[(i64, Lane, u32)]) -> u32 {
        out.iter().map(|(.., count)| count).sum()
    }

    #[test]
    fn back_files_go_in_small_slices_at_their_pace() {
        let out = relayed(&mut Turns::default(), 0..10_000, &[(Lane::BackFile, "")], 0);
        assert!((1_000..=1_011).contains(&sum(&out)), "100 a second: {out:?}");
        assert!(out.iter().all(|(.., count)| *count <= 10), "never more than a tenth of a second's: {out:?}");
    }

    #[test]
    fn back_files_wait_entirely_while_a_queue_is_long_and_go_on_when_it_is_not() {
        let mut turns = Turns::default();
        let waiting = [(Lane::BackFile, "")];
        let out = relayed(&mut turns, 0..400_000, &waiting, 64);
        assert_eq!(sum(&out), 10, "the first slice, before there was a reason to look: {out:?}");
        let fault = turns.fault(&Config::default(), at(400_000));
        assert!(
            matches!(&fault, Some(Fault::BackFilesHeld { queue, ready: 64, .. }) if queue == "loa.digest"),
            "{fault:?}"
        );
        assert!(sum(&relayed(&mut turns, 400_000..401_000, &waiting, 63)) >= 90);
        assert_eq!(turns.fault(&Config::default(), at(401_000)), None);
    }

    #[test]
    fn where_nobody_tells_how_long_queues_are_back_files_go_on_at_their_pace() {
        let (mut turns, config) = (Turns::default(), Config::default());
        assert!(turns.looked(None, at(0)), "told once");
        assert!(!turns.looked(None, at(300)));
        assert_eq!(turns.room(&config, true, at(300)).back_files, 10);
        assert!(turns.looked(Some((Queue::Feed, 0)), at(600)), "and when it ends");
    }

    #[test]
    fn a_portal_gone_wrong_has_its_burst_and_then_its_pace_and_others_have_theirs() {
        let mut turns = Turns::default();
        let out = relayed(&mut turns, 0..10_000, &[(Lane::Live, "loi")], 0);
        assert!((155..=161).contains(&sum(&out)), "60, and 10 a second: {}", sum(&out));
        let room = turns.room(&Config::default(), true, at(10_000));
        assert_eq!(room.for_portal(Lane::Live, "na-son"), 60);
        assert!(room.for_portal(Lane::Live, "loi") <= 1);
        // it is forgotten once it has been calm
        let room = turns.room(&Config::default(), true, at(17_000));
        assert_eq!((room.for_portal(Lane::Live, "loi"), turns.portals.len()), (60, 0));
    }

    #[test]
    fn while_a_queue_is_long_a_burst_is_what_one_second_gives() {
        let mut turns = Turns::default();
        let out = relayed(&mut turns, 0..1_000, &[(Lane::Live, "loi")], 500);
        turns.looked(Some((Queue::Push, 500)), at(1_000));
        let room = turns.room(&Config::default(), true, at(1_000));
        assert_eq!((room.for_portal(Lane::Live, "na-son"), room.for_portal(Lane::Live, "loi")), (10, 0));
        assert!(sum(&out) <= 71, "{out:?}");
    }

    #[test]
    fn the_only_portal_waits_for_nobody() {
        let (mut turns, config) = (Turns::default(), Config::default());
        for millis in 0..50 {
            let room = turns.room(&config, false, at(millis));
            assert_eq!(room.for_portal(Lane::Live, ""), 256);
            turns.claimed(&config, &room, &rows(Lane::Live, "", 256), at(millis));
        }
    }

    #[test]
    fn back_files_give_way_after_news_and_are_never_starved() {
        let mut turns = Turns::default();
        // a portal within its burst has news all the time
        let (config, mut slices) = (Config::default(), Vec::new());
        for millis in (0..12_000).step_by(100) {
            let room = turns.room(&config, true, at(millis));
            let mut claimed = rows(Lane::BackFile, "kho", room.back_files);
            slices.extend((room.back_files > 0).then_some(millis));
            if millis % 200 == 0 {
                claimed.extend(rows(Lane::Live, "na-son", 1));
            }
            turns.claimed(&config, &room, &claimed, at(millis));
        }
        assert_eq!(slices, [0, 3_000, 6_000, 9_000]);
        // and when there is no more, they go on
        assert!(turns.room(&config, true, at(12_300)).back_files > 0);
    }

    #[test]
    fn news_of_a_portal_beyond_its_burst_makes_no_back_file_give_way() {
        let mut turns = Turns::default();
        let out = relayed(&mut turns, 0..20_000, &[(Lane::Live, "loi"), (Lane::BackFile, "kho")], 0);
        let back_files: u32 = out.iter().filter(|(_, lane, _)| *lane == Lane::BackFile).map(|(.., count)| count).sum();
        assert!(back_files > 1_800, "{back_files}");
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_and_stops_nothing() {
        let (mut turns, config) = (Turns::default(), Config::default());
        let room = turns.room(&config, true, at(100_000));
        turns.claimed(&config, &room, &rows(Lane::BackFile, "", room.back_files), at(100_000));
        assert_eq!(turns.room(&config, true, at(0)).back_files, 0);
        assert_eq!(turns.room(&config, true, at(100)).back_files, 10);
    }
}
