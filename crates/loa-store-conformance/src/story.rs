//! A random life of a digest ledger: publications, edits, withdrawals, runs, lost senders, refusals
//! for now, people who leave and come back. Whatever happens, what mailboxes read keeps the
//! promises 3, 4 and 8 of README.md.

use crate::{
    LedgerPlace,
    build::{Draft, area, at},
    run,
};
use loa_domain::{
    Because, CLOCK_SKEW, Event, Frequency, ItemKind, MailId, MailOutcome, MailReason, RunKey, SubscriberId,
    SubscriptionId, SubscriptionState, Wish,
};
use loa_store::{DigestLedger, DueMail, Lease, MailRecord, SubscriptionRequest};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const ARTICLES: [&str; 3] = ["a", "b", "c"];
const AREAS: [&str; 2] = ["na-son", "phi-nhu"];
/// Everything; one area; the other area; everything again, but this one leaves and comes back.
const PEOPLE: usize = 4;
const FICKLE: usize = 3;
/// How many minutes before its date an article is shown.
const SKEW: i64 = CLOCK_SKEW.as_mins();

/// What a mailbox has read: which mail, what kind of line, about which article at which revision.
type Line = (MailId, ItemKind, String, u64);

#[derive(Debug, Clone)]
enum Step {
    Publish {
        article: usize,
        areas: usize,
        /// Dated so many minutes ahead; 0: long ago.
        ahead: i64,
    },
    Withdraw {
        article: usize,
    },
    Plan {
        whole: bool,
    },
    Claim {
        max: u32,
    },
    /// One claimed mail goes through its dialogue.
    Send {
        end: End,
    },
    Wait {
        minutes: i64,
    },
    LeaveOrReturn,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Sent,
    LostAfterTheDot,
    LostBeforeTheDot,
    Later,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3_usize, 0..4_usize, prop_oneof![2 => Just(0), 1 => 6..20_i64])
            .prop_map(|(article, areas, ahead)| Step::Publish { article, areas, ahead }),
        2 => (0..3_usize).prop_map(|article| Step::Withdraw { article }),
        3 => any::<bool>().prop_map(|whole| Step::Plan { whole }),
        3 => (1..4_u32).prop_map(|max| Step::Claim { max }),
        6 => prop_oneof![
            4 => Just(End::Sent), 1 => Just(End::LostAfterTheDot), 1 => Just(End::LostBeforeTheDot), 2 => Just(End::Later)
        ].prop_map(|end| Step::Send { end }),
        2 => (1..14_i64).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::LeaveOrReturn),
    ]
}

struct Story {
    ledger: Arc<dyn DigestLedger>,
    minute: i64,
    runs: usize,
    holders: usize,
    /// Revision, withdrawn, areas of each article that was ever published.
    articles: BTreeMap<&'static str, (u64, bool, Vec<&'static str>)>,
    /// From which minute on the publication that stands may go out.
    shown_from: BTreeMap<&'static str, i64>,
    claimed: Vec<(String, DueMail)>,
    /// What was read, by mailbox, in order.
    read: Vec<Vec<Line>>,
    /// What may have been read: dialogues begun.
    offered: Vec<BTreeSet<String>>,
    /// Articles of a mail that a sender was lost with: it may end uncertain, unread.
    doubtful: Vec<BTreeSet<String>>,
    fickle_is_here: bool,
}

impl Story {
    async fn begin(place: &dyn LedgerPlace) -> Self {
        let ledger = place.digest().await;
        let requests: Vec<SubscriptionRequest> = (0..PEOPLE).map(|n| request(n, 0)).collect();
        ledger.subscribe(&requests).await.unwrap();
        Self {
            ledger,
            minute: 0,
            runs: 0,
            holders: 0,
            articles: BTreeMap::new(),
            shown_from: BTreeMap::new(),
            claimed: Vec::new(),
            read: vec![Vec::new(); PEOPLE],
            offered: vec![BTreeSet::new(); PEOPLE],
            doubtful: vec![BTreeSet::new(); PEOPLE],
            fickle_is_here: true,
        }
    }

    async fn take(&mut self, step: &Step) {
        self.minute += 1;
        match step {
            Step::Publish { article, areas, ahead } => self.publish(ARTICLES[*article], *areas, *ahead).await,
            Step::Withdraw { article } => self.withdraw(ARTICLES[*article]).await,
            Step::Plan { whole } => self.plan(*whole).await,
            Step::Claim { max } => self.claim(*max).await,
            Step::Send { end } => self.send(*end).await,
            Step::Wait { minutes } => self.minute += minutes,
            Step::LeaveOrReturn => self.leave_or_return().await,
        }
    }

    async fn accept(&self, event: Event) {
        self.ledger.accept(&[event], at(self.minute)).await.unwrap();
    }

    async fn publish(&mut self, article: &'static str, bits: usize, ahead: i64) {
        let areas: Vec<&'static str> =
            AREAS.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, area)| *area).collect();
        let revision = self.articles.get(article).map_or(0, |known| known.0) + 1;
        self.articles.insert(article, (revision, false, areas.clone()));
        let (from, date) = if ahead > 0 { (self.minute + ahead - SKEW, self.minute + ahead) } else { (0, 0) };
        self.shown_from.insert(article, from);
        self.accept(Draft::of(article).revision(revision).areas(&areas).published(date).live()).await;
    }

    async fn withdraw(&mut self, article: &'static str) {
        let Some((revision, withdrawn, _)) = self.articles.get_mut(article) else { return };
        *revision += 1;
        *withdrawn = true;
        let event = Draft::of(article).revision(*revision).withdrawn("");
        self.accept(event).await;
    }

    async fn plan(&mut self, whole: bool) {
        if whole {
            self.runs += 1;
        }
        let key = RunKey {
            frequency: Frequency::Daily,
            on: "2026-03-01".parse().unwrap(),
            slot: format!("{}", self.runs),
            zone: "Asia/Ho_Chi_Minh".into(),
        };
        let (run, _) = self.ledger.open_run(&key, at(self.minute), at(self.minute)).await.unwrap();
        loop {
            let plan = self.ledger.plan(run.id, at(-1), 1, at(self.minute)).await.unwrap();
            if plan.complete || !whole {
                break;
            }
        }
    }

    async fn claim(&mut self, max: u32) {
        self.holders += 1;
        let holder = format!("h{}", self.holders);
        let lease = Lease { holder: holder.clone(), now: at(self.minute), until: at(self.minute + 10) };
        for mail in self.ledger.claim_mails(&lease, max).await.unwrap() {
            self.claimed.push((holder.clone(), mail));
        }
    }

    /// As the service does it: suppress what has nobody or nothing left, begin the dialogue, record.
    async fn send(&mut self, end: End) {
        if self.claimed.is_empty() {
            return;
        }
        let (holder, mail) = self.claimed.remove(0);
        if mail.items.is_empty() || mail.subscription.state != SubscriptionState::Active {
            return self.record(&holder, &mail.id, MailOutcome::Suppressed(MailReason::NothingLeft.into())).await;
        }
        let begun = self.ledger.submitting(&holder, std::slice::from_ref(&mail.id), at(self.minute)).await.unwrap();
        if begun.is_empty() {
            return;
        }
        let who: usize = mail.id.subscription.as_str()[1..].parse().unwrap();
        assert!(who != FICKLE || self.fickle_is_here, "a mail to somebody who has left");
        for item in &mail.items {
            let (_, withdrawn, _) = &self.articles[item.article.as_str()];
            assert_eq!(
                *withdrawn,
                item.kind == ItemKind::Correction,
                "{item:?} goes out, but that is not how it stands"
            );
            if item.kind == ItemKind::Correction {
                assert!(self.offered[who].contains(item.article.as_str()), "a correction of what was never sent");
            } else {
                let from = self.shown_from[item.article.as_str()];
                assert!(from <= self.minute, "{item:?} goes out before its time");
                self.offered[who].insert(item.article.to_string());
            }
        }
        if matches!(end, End::Sent | End::LostAfterTheDot) {
            self.arrives(who, &mail);
        }
        match end {
            End::Sent => self.record(&holder, &mail.id, MailOutcome::Sent("250".into())).await,
            End::Later => {
                let due_at = at(self.minute + 3);
                self.record(
                    &holder,
                    &mail.id,
                    MailOutcome::Later(Because::said(MailReason::ServerBusy, "451"), due_at),
                )
                .await;
            }
            End::LostAfterTheDot | End::LostBeforeTheDot => {
                self.doubtful[who].extend(mail.items.iter().map(|item| item.article.to_string()));
            }
        }
    }

    fn arrives(&mut self, who: usize, mail: &DueMail) {
        for item in &mail.items {
            let same_line = |(id, kind, article, revision): &Line| {
                *id != mail.id
                    && *article == item.article.as_str()
                    && *revision == item.revision
                    && (*kind == ItemKind::Correction) == (item.kind == ItemKind::Correction)
            };
            let twice = self.read[who].iter().find(|line| same_line(line));
            assert!(twice.is_none(), "{item:?} of {:?} was read in {twice:?} already", mail.id);
            self.read[who].push((mail.id.clone(), item.kind, item.article.to_string(), item.revision));
        }
    }

    async fn record(&self, holder: &str, mail: &MailId, outcome: MailOutcome) {
        let record = MailRecord { id: mail.clone(), outcome, at: at(self.minute) };
        self.ledger.record_mails(holder, &[record]).await.unwrap();
    }

    async fn leave_or_return(&mut self) {
        if self.fickle_is_here {
            self.ledger.unsubscribe(&format!("h{FICKLE}"), at(self.minute)).await.unwrap();
        } else {
            self.ledger.subscribe(&[request(FICKLE, self.minute)]).await.unwrap();
        }
        self.fickle_is_here = !self.fickle_is_here;
    }

    /// Lets everything come to rest: every mail handed out and sent, until nothing is owed.
    async fn end(&mut self) {
        self.claimed.clear(); // their senders are lost, before their dialogues
        for _ in 0..50 {
            self.minute += 20;
            self.plan(true).await;
            for earlier in 0..=self.runs {
                // Runs that were left in the middle of planning are finished by somebody.
                let run =
                    self.ledger.runs(1_000).await.unwrap().into_iter().find(|run| run.key.slot == earlier.to_string());
                let Some(run) = run else { continue };
                while !self.ledger.plan(run.id, at(-1), 10, at(self.minute)).await.unwrap().complete {}
            }
            self.claim(1_000).await;
            let idle = self.claimed.is_empty();
            while !self.claimed.is_empty() {
                self.send(End::Sent).await;
            }
            let owed = self.ledger.owed(Frequency::Daily, at(-1), at(self.minute)).await.unwrap();
            if idle && !owed {
                return;
            }
        }
        panic!("it never came to rest");
    }

    async fn check(&self) {
        for run in self.ledger.runs(1_000).await.unwrap() {
            assert!(run.account.balances() && run.account.waiting == 0, "{run:?}");
            assert!(run.planned);
        }
        for who in (0..PEOPLE).filter(|who| *who != FICKLE) {
            for (article, (revision, withdrawn, areas)) in &self.articles {
                let last = self.read[who].iter().rev().find(|line| line.2 == *article);
                let wished = match who {
                    1 | 2 => areas.contains(&AREAS[who - 1]),
                    _ => true,
                };
                if *withdrawn {
                    let told = last.is_none_or(|line| line.1 == ItemKind::Correction);
                    assert!(told || self.doubtful[who].contains(*article), "{who} still believes {article}: {last:?}");
                } else if wished && !self.doubtful[who].contains(*article) {
                    assert_eq!(last.map(|line| line.3), Some(*revision), "{who} does not know {article} as it stands");
                }
            }
        }
    }
}

fn request(n: usize, minute: i64) -> SubscriptionRequest {
    let areas = match n {
        1 | 2 => [area(AREAS[n - 1])].into(),
        _ => BTreeSet::new(),
    };
    SubscriptionRequest {
        subscriber: SubscriberId::new(format!("p{n}")).unwrap(),
        subscription: SubscriptionId::new(format!("s{n}")).unwrap(),
        email: format!("n{n}@example.gov.vn").try_into().unwrap(),
        wish: Wish { areas, ..Wish::default() },
        frequency: Frequency::Daily,
        state: SubscriptionState::Active,
        token: format!("t{n}"),
        token_hash: format!("h{n}"),
        at: at(minute),
    }
}

pub fn whatever_happens_everyone_knows_what_stands_once<P: LedgerPlace>(make: impl AsyncFn() -> P, cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let lived = TestRunner::new(config).run(&prop::collection::vec(step(), 1..60), |steps| {
        run(async {
            let place = make().await; // to the end: the ledger is on it
            let mut story = Story::begin(&place).await;
            for step in &steps {
                story.take(step).await;
            }
            story.end().await;
            story.check().await;
        });
        Ok(())
    });
    lived.unwrap_or_else(|error| panic!("{error}"));
}
