//! Promise 11 of README.md as a property: whatever comes, and whenever it is asked, the ledgers' SQL decides as the one pure
//! rule does (`loa_domain::standing`): not yet, stands, superseded, withdrawn, too old.
//!
//! A random life of two articles goes through the ledgers of all outlets side by side. After each step a model that knows
//! nothing but versions, dates and instants says by the pure rule what may be seen, and each ledger is asked. Dates and
//! instants lie close together, and a microsecond or a millisecond beside a whole minute, so that limits are met.

use crate::{
    LedgerPlace,
    build::{Draft, at, id},
    push, run,
};
use jiff::{SignedDuration, Timestamp};
use loa_domain::{
    AgeRule, ArticleKey, AttemptOutcome, Candidate, Event, FeedName, Frequency, Standing, SubscriberId, SubscriptionId,
    SubscriptionState, Version, Wish, shown_until, standing,
};
use loa_store::{AttemptRecord, DigestLedger, FeedArrival, FeedLedger, Lease, PushLedger, SubscriptionRequest};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::BTreeSet, sync::Arc};

const ARTICLES: [&str; 2] = ["a", "b"];
/// The age rules that a digest is asked by: what came before this many minutes ago is no news; and none is ever too old.
const AGES: [Option<i64>; 3] = [None, Some(0), Some(12)];

#[derive(Debug, Clone)]
enum Step {
    /// A version comes: a revision of an article, dated so many minutes from now and a few microseconds beside it.
    Publish {
        article: usize,
        revision: u64,
        producer: u8,
        ahead: i64,
        micros: i64,
    },
    Withdraw {
        article: usize,
        revision: u64,
    },
    /// What came comes once more.
    Repeat {
        which: usize,
    },
    Wait {
        minutes: i64,
        micros: i64,
    },
}

/// Beside a whole minute: what is less than a millisecond is in no ledger.
fn micros() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![0_i64, 0, 0, 1, 999, 1_000, -1, -1_000])
}

fn step() -> impl Strategy<Value = Step> {
    let published = (0..ARTICLES.len(), 1..5_u64, 0..2_u8, -8..20_i64, micros());
    prop_oneof![
        5 => published.prop_map(|(article, revision, producer, ahead, micros)| Step::Publish {
            article, revision, producer, ahead, micros
        }),
        1 => (0..ARTICLES.len(), 1..6_u64).prop_map(|(article, revision)| Step::Withdraw { article, revision }),
        1 => (0..10_usize).prop_map(|which| Step::Repeat { which }),
        5 => (0..9_i64, micros()).prop_map(|(minutes, micros)| Step::Wait { minutes, micros }),
    ]
}

fn beside(minute: i64, micros: i64) -> Timestamp {
    at(minute) + SignedDuration::from_micros(micros)
}

/// A version that came.
#[derive(Debug)]
struct Came {
    article: &'static str,
    event: Event,
    version: Version,
    accepted_at: Timestamp,
}

impl Came {
    /// How it stands, by the pure rule.
    fn stands(&self, highest: &Version, ages: AgeRule, now: Timestamp) -> Standing {
        let published_at = self.event.content().map_or(Timestamp::MIN, |content| content.published_at());
        let candidate = Candidate { version: &self.version, published_at, accepted_at: self.accepted_at };
        standing(candidate, highest, ages, now)
    }
}

struct Life {
    feed: Arc<dyn FeedLedger>,
    digest: Arc<dyn DigestLedger>,
    push: Arc<dyn PushLedger>,
    minute: i64,
    now: Timestamp,
    claims: usize,
    came: Vec<Came>,
    /// What the endpoint was given, in order: places in `came`.
    delivered: Vec<usize>,
}

impl Life {
    async fn begin(place: &dyn LedgerPlace) -> Self {
        let (feed, digest, push) = (place.feed().await, place.digest().await, place.push().await);
        let request = SubscriptionRequest {
            subscriber: SubscriberId::new("p").unwrap(),
            subscription: SubscriptionId::new("s").unwrap(),
            email: "na@example.gov.vn".to_owned().try_into().unwrap(),
            wish: Wish::default(),
            frequency: Frequency::Daily,
            state: SubscriptionState::Active,
            token: "t".into(),
            token_hash: "h".into(),
            at: at(-10_000),
        };
        digest.subscribe(&[request]).await.unwrap();
        push::with(&*push, &["tinh"]).await;
        Self { feed, digest, push, minute: 0, now: at(0), claims: 0, came: Vec::new(), delivered: Vec::new() }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Publish { article, revision, producer, ahead, micros } => {
                let article = ARTICLES[*article];
                let date = beside(self.minute + ahead, *micros);
                let draft = Draft::of(article).revision(*revision).published_at(date);
                let event = format!("{article}-{revision}-{producer}");
                // another content under an id that was seen is not the event, and is refused for itself elsewhere
                if self.came.iter().all(|came| came.event.key.id != event) {
                    self.accept(article, draft.event(&event).live()).await;
                }
            }
            Step::Withdraw { article, revision } => {
                let article = ARTICLES[*article];
                let event = Draft::of(article).revision(*revision).withdrawn("");
                if self.came.iter().all(|came| came.event.key != event.key) {
                    self.accept(article, event).await;
                }
            }
            Step::Repeat { which } => {
                let event = self.came.get(*which).map(|came| came.event.clone());
                if let Some(event) = event {
                    self.hand_in(&event).await;
                }
            }
            Step::Wait { minutes, micros } => {
                self.minute += minutes;
                // a clock of one process does not step back
                self.now = self.now.max(beside(self.minute, *micros));
            }
        }
    }

    async fn accept(&mut self, article: &'static str, event: Event) {
        self.hand_in(&event).await;
        self.came.push(Came { article, version: event.version(), event, accepted_at: self.now });
    }

    async fn hand_in(&self, event: &Event) {
        let feeds = if event.content().is_some() { vec![FeedName::All] } else { Vec::new() };
        let arrival = FeedArrival { feeds, event: event.clone() };
        self.feed.accept(std::slice::from_ref(&arrival), self.now).await.unwrap();
        self.digest.accept(std::slice::from_ref(event), self.now).await.unwrap();
        self.push.accept(std::slice::from_ref(event), self.now).await.unwrap();
    }

    fn highest(&self, article: &str) -> Option<&Came> {
        self.came.iter().filter(|came| came.article == article).max_by(|one, other| one.version.cmp(&other.version))
    }

    /// By the pure rule: each article and revision that may be seen now.
    fn seen(&self, ages: AgeRule) -> BTreeSet<(String, u64)> {
        let highest = |came: &Came| self.highest(came.article).unwrap().version.clone();
        let stands = self.came.iter().filter(|came| came.stands(&highest(came), ages, self.now) == Standing::Stands);
        stands.map(|came| (came.article.to_owned(), came.version.revision)).collect()
    }

    async fn check(&mut self) {
        self.feed_obeys().await;
        self.digest_obeys().await;
        self.push_obeys().await;
    }

    async fn feed_obeys(&self) {
        let expected = self.seen(AgeRule::Never);
        let until = shown_until(self.now);
        let entries = self.feed.entries(&FeedName::All, Some((until, ArticleKey::first())), 100).await.unwrap();
        let shown: BTreeSet<(String, u64)> =
            entries.iter().map(|entry| (entry.article.to_string(), entry.content.revision())).collect();
        assert_eq!(shown, expected, "the feed at {}", self.now);
        let counted = self.feed.summaries(until).await.unwrap();
        let counted: u64 = counted.iter().filter(|summary| summary.feed == FeedName::All).map(|all| all.entries).sum();
        assert_eq!(counted, expected.len() as u64, "the overview at {}", self.now);
        for article in ARTICLES {
            let known = self.feed.standing(&id(article)).await.unwrap();
            let Some(highest) = self.highest(article) else {
                assert_eq!(known, None);
                continue;
            };
            match (known.unwrap(), highest.version.withdrawn) {
                (Ok(entry), false) => {
                    assert_eq!(entry.content.revision(), highest.version.revision);
                    assert_eq!(
                        entry.content.published_at() < until,
                        expected.iter().any(|(shown, _)| shown == article),
                        "the page of {article} at {}",
                        self.now
                    );
                }
                (Err(tombstone), true) => assert_eq!(tombstone.revision, highest.version.revision),
                (other, _) => panic!("{other:?} of {:?}", highest.version),
            }
        }
    }

    async fn digest_obeys(&self) {
        for minutes in AGES {
            let (ages, oldest) = match minutes {
                None => (AgeRule::Never, at(-100_000)),
                Some(minutes) => {
                    let oldest = self.now - SignedDuration::from_mins(minutes);
                    (AgeRule::Before(oldest), oldest)
                }
            };
            // ledgers keep milliseconds, and an age rule is of days: what lies within one of the limit may be either
            let near = SignedDuration::from_millis(1);
            let (wide, narrow) = match ages {
                AgeRule::Never => (self.seen(ages), self.seen(ages)),
                AgeRule::Before(oldest) => {
                    (self.seen(AgeRule::Before(oldest - near)), self.seen(AgeRule::Before(oldest + near)))
                }
            };
            let owed = self.digest.owed(Frequency::Daily, oldest, self.now).await.unwrap();
            assert!(owed || narrow.is_empty(), "{narrow:?} is owed at {} by {minutes:?}", self.now);
            assert!(!owed || !wide.is_empty(), "nothing is owed at {} by {minutes:?}", self.now);
            let preview = self.digest.preview(&Wish::default(), oldest, 100).await.unwrap();
            let preview: BTreeSet<(String, u64)> =
                preview.iter().map(|item| (item.article.to_string(), item.revision)).collect();
            assert!(
                narrow.is_subset(&preview) && preview.is_subset(&wide),
                "{preview:?} would be mailed at {} by {minutes:?}, not {narrow:?}",
                self.now
            );
            assert_eq!(owed, !preview.is_empty(), "what is owed is what a preview shows");
        }
    }

    /// An endpoint gets a stream of events, so that a version that was superseded may still go out before the newer one does.
    /// The rule says of each what must hold all the same.
    async fn push_obeys(&mut self) {
        loop {
            self.claims += 1;
            let holder = format!("h{}", self.claims);
            let lease =
                Lease { holder: holder.clone(), now: self.now, until: self.now + SignedDuration::from_mins(10) };
            let due = self.push.claim(&lease, &[], 100, 1).await.unwrap();
            let Some(due) = due.into_iter().next() else { break };
            let place = self.came.iter().position(|came| came.event.key == due.event).unwrap();
            self.may_be_delivered(place);
            self.delivered.push(place);
            let record = AttemptRecord {
                delivery: due.id.clone(),
                started_at: self.now,
                duration_ms: 1,
                status: Some(204),
                error: None,
                words: "".into(),
                outcome: AttemptOutcome::Delivered,
            };
            assert_eq!(self.push.record(&holder, &[record]).await.unwrap(), 1);
        }
        for article in ARTICLES {
            let Some(highest) = self.highest(article) else { continue };
            if highest.stands(&highest.version, AgeRule::Never, self.now) == Standing::Stands {
                let last =
                    self.delivered.iter().rev().map(|place| &self.came[*place]).find(|one| one.article == article);
                assert_eq!(last.map(|last| &last.version), Some(&highest.version), "the webhook at {}", self.now);
            }
            let of_it = || self.delivered.iter().map(|place| &self.came[*place]).filter(|one| one.article == article);
            if highest.version.withdrawn && of_it().any(|one| !one.version.withdrawn) {
                assert_eq!(
                    of_it().next_back().map(|last| &last.version),
                    Some(&highest.version),
                    "a withdrawal is told"
                );
            }
        }
    }

    fn may_be_delivered(&self, place: usize) {
        let came = &self.came[place];
        assert!(!self.delivered.contains(&place), "{:?} is delivered once", came.version);
        let highest = self.highest(came.article).unwrap();
        if !came.version.withdrawn {
            let alone = came.stands(&came.version, AgeRule::Never, self.now);
            assert_eq!(alone, Standing::Stands, "{:?} goes out at {}", came.version, self.now);
            let last_word = highest.stands(&highest.version, AgeRule::Never, self.now);
            assert!(!matches!(last_word, Standing::NotYet { .. }), "the portal says: not yet");
        }
        let newer = self.delivered.iter().map(|place| &self.came[*place]);
        let newer = newer.filter(|one| one.article == came.article).find(|one| one.version > came.version);
        assert!(newer.is_none(), "{:?} goes out after {newer:?}", came.version);
    }
}

pub fn every_ledger_decides_as_the_pure_rule_does<P: LedgerPlace>(make: impl AsyncFn() -> P, cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let lived = TestRunner::new(config).run(&prop::collection::vec(step(), 1..24), |steps| {
        run(async {
            let place = make().await; // to the end: the ledgers are on it
            let mut life = Life::begin(&place).await;
            for step in &steps {
                life.take(step).await;
                life.check().await;
            }
        });
        Ok(())
    });
    lived.unwrap_or_else(|error| panic!("{error}"));
}
