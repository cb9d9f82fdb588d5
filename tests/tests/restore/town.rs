//! The installation that the restore tests use: intake with its archive, two outlets, their
//! receivers.
//!
//! There is no bus: an event goes to the archive and to each outlet in one step, as if every queue
//! were always empty. Both outlets note receipts.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use loa_area::Directory;
use loa_domain::{ArticleKey, EmailAddress, Event, Frequency, JourneyLine, Wish};
use loa_store::{
    DeliveryQuery, DigestDoors, DigestLedger, Notary, PushDoors, PushLedger, ReceiptLedger, Run, Subscriber,
    Subscription, Subscriptions,
};
use loa_store_sql::{CopyMark, DigestStore, IntakeStore, PushStore, ReceiptStore, copy_in, copy_out};
use loa_svc_digest as digest;
use loa_svc_intake::{self as intake, CopyAge, RestoreError, Restored, Restoring};
use loa_svc_push as push;
use loa_testkit::{clock::HandClock, http::HttpStandIn, smtp::Catcher};
use loa_worker::Progress;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// A Thursday, an hour before the daily digest.
const MORNING: &str = "2023-11-16T06:00:00+07:00";
/// How long receipts are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

pub struct Town {
    pub clock: HandClock,
    pub intake: intake::Service,
    pub receipts: Arc<ReceiptStore>,
    pub digest: digest::Service,
    pub digest_ledger: Arc<dyn DigestLedger>,
    pub push: push::Service,
    pub push_ledger: Arc<dyn PushLedger>,
    pub catcher: Catcher,
    pub portal: HttpStandIn,
    seed: u64,
    folder: tempfile::TempDir,
}

impl Town {
    pub async fn new() -> Self {
        // another test may have installed it
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let clock = HandClock::at(MORNING);
        let archive = Arc::new(IntakeStore::open(folder.path().join("intake.db")).await.unwrap());
        let receipts = Arc::new(ReceiptStore::open(folder.path().join("receipts.db")).await.unwrap());
        receipts.begin(clock.now()).await.unwrap();
        let intake = intake::Service::new(
            intake::Config::default(),
            intake::Portal {
                portals: loa_testkit::build::portals(),
                host: "vps-1".into(),
                calendar: loa_testkit::build::calendar(),
            },
            archive,
            Arc::new(Directory::empty()),
            clock.world(7),
        );
        let (catcher, portal) = (Catcher::start().await.unwrap(), HttpStandIn::start().await.unwrap());
        let (digest_ledger, digest) = digest_outlet(&folder, &receipts, &clock, &catcher, 1).await;
        let (push_ledger, push) = push_outlet(&folder, &receipts, &clock, 1).await;
        Self { clock, intake, receipts, digest, digest_ledger, push, push_ledger, catcher, portal, seed: 1, folder }
    }

    // ── a day ──

    pub async fn subscribe(&self, name: &str) -> Subscription {
        self.wish(name, Wish::default(), Frequency::Daily).await
    }

    pub async fn wish(&self, name: &str, wish: Wish, frequency: Frequency) -> Subscription {
        let email = EmailAddress::parse(&format!("{name}@example.vn")).unwrap();
        let subscription = self.digest.add_subscriber(email, wish, frequency).await.unwrap();
        self.wind(1);
        subscription
    }

    /// Hands an event to the archive and to both outlets.
    pub async fn publish(&self, event: Event) {
        let batch = [event];
        self.intake.accept(&batch).await.unwrap();
        self.digest.accept(&batch).await.unwrap();
        self.push.accept(&batch).await.unwrap();
        self.wind(1);
    }

    pub fn wind(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Winds the clock to an instant and lets both outlets do what is due.
    pub async fn at(&self, instant: &str) {
        self.clock.set(instant.parse().unwrap());
        self.come_to_rest().await;
    }

    pub async fn come_to_rest(&self) {
        loop {
            let mailed = self.digest.step().await.unwrap();
            let pushed = self.push.step().await.unwrap();
            self.push.drain().await.unwrap();
            if mailed == Progress::Idle && pushed == Progress::Idle {
                return;
            }
        }
    }

    // ── the loss ──

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies a ledger while it is used.
    pub async fn copy(&self, ledger: &str) -> Timestamp {
        let (from, to) = (self.file(&format!("{ledger}.db")), self.file(&format!("{ledger}.copy")));
        let mark = CopyMark { ledger: ledger.into(), copied_at: self.clock.now() };
        copy_out(&from, &to, &mark).await.unwrap();
        self.wind(1);
        mark.copied_at
    }

    /// Puts the copy where the ledger was; `Town::digest_ledger` and its like then are the copy's. Returns when it was made.
    pub async fn lose(&mut self, ledger: &str) -> Timestamp {
        self.seed += 1;
        for file in loa_store_sql::files_of(&self.file(&format!("{ledger}.db"))) {
            // a log beside it may not be there
            let _ = std::fs::remove_file(file);
        }
        let mark = copy_in(&self.file(&format!("{ledger}.copy")), &self.file(&format!("{ledger}.db"))).await.unwrap();
        match ledger {
            "digest" => {
                let outlet = digest_outlet(&self.folder, &self.receipts, &self.clock, &self.catcher, self.seed).await;
                (self.digest_ledger, self.digest) = outlet;
            }
            _ => {
                let outlet = push_outlet(&self.folder, &self.receipts, &self.clock, self.seed).await;
                (self.push_ledger, self.push) = outlet;
            }
        }
        mark.unwrap().copied_at
    }

    pub async fn try_restore(&self, ledger: &str, copied_at: Timestamp) -> Result<Restored, RestoreError> {
        let how = Restoring { copy: CopyAge::MadeAt(copied_at), even_if_incomplete: false };
        let receipts = &*self.receipts;
        match ledger {
            "digest" => self.intake.restore(&*self.digest_ledger, receipts, how, |_| ()).await,
            _ => self.intake.restore(&*self.push_ledger, receipts, how, |_| ()).await,
        }
    }

    /// The digest ledger's door for what people decide, which notes it.
    pub fn subscriptions(&self) -> Arc<dyn Subscriptions> {
        DigestDoors::noting(&self.digest_ledger, notary(&self.receipts, &self.clock)).subscriptions
    }

    /// Loses a ledger and restores it from its copy; nothing may be deferred.
    pub async fn lose_and_restore(&mut self, ledger: &str) -> Restored {
        let copied_at = self.lose(ledger).await;
        let restored = self.try_restore(ledger, copied_at).await.unwrap();
        assert_eq!((restored.deferred, restored.refused), (0, 0), "{restored:?}");
        restored
    }

    // ── what there is to compare ──

    pub async fn digest_stands(&self) -> DigestStands {
        let runs = self.digest_ledger.runs(100).await.unwrap();
        assert!(runs.iter().all(|run| run.account.balances()), "{runs:?}");
        let mut mails = Vec::new();
        for run in runs.iter().rev() {
            for mail in self.digest_ledger.mails(run.id, "", 100).await.unwrap() {
                mails.push(format!("{} to {}: {}, tried {}", run.key, mail.email, mail.state.as_str(), mail.attempts));
            }
        }
        DigestStands { mails, people: self.digest_ledger.subscribers("", 100).await.unwrap() }
    }

    pub async fn deliveries(&self) -> Vec<String> {
        let query = DeliveryQuery { limit: 100, ..DeliveryQuery::default() };
        let mut stand: Vec<String> = Vec::new();
        for one in self.push_ledger.deliveries(&query).await.unwrap() {
            let (_, attempts) = self.push_ledger.delivery(&one.id).await.unwrap();
            let tried: Vec<String> =
                attempts.iter().map(|attempt| format!("{:?} at {}", attempt.status, attempt.started_at)).collect();
            stand.push(format!(
                "{} of {} to {}: {}, due {:?}, {tried:?}",
                one.event.id,
                one.article,
                one.endpoint,
                one.state.as_str(),
                one.due_at
            ));
        }
        stand.sort();
        stand
    }

    pub async fn journeys(&self, ledger: &str, articles: &[&str]) -> Vec<Vec<JourneyLine>> {
        let mut journeys = Vec::new();
        for article in articles {
            let id = article.parse::<ArticleKey>().unwrap();
            journeys.push(match ledger {
                "digest" => self.digest_ledger.journey(&id).await.unwrap(),
                _ => self.push_ledger.journey(&id).await.unwrap(),
            });
        }
        journeys
    }

    /// The newest run of those that mailed anybody.
    pub async fn newest_run(&self) -> Run {
        self.digest_ledger.runs(100).await.unwrap().into_iter().find(|run| run.account.planned > 0).unwrap()
    }

    /// How many mails an address has, and what the last one says.
    pub fn mailbox(&self, name: &str) -> (usize, String) {
        let mails = self.catcher.mails_to(&format!("{name}@example.vn"));
        (mails.len(), mails.last().map(|mail| mail.text().to_owned()).unwrap_or_default())
    }
}

/// What is compared of a digest ledger.
#[derive(Debug, PartialEq, Eq)]
pub struct DigestStands {
    pub mails: Vec<String>,
    pub people: Vec<Subscriber>,
}

fn notary(receipts: &Arc<ReceiptStore>, clock: &HandClock) -> Notary {
    let clock = clock.clone();
    Notary::new(receipts.clone(), Arc::new(move || clock.now()), KEPT)
}

async fn digest_outlet(
    folder: &tempfile::TempDir,
    receipts: &Arc<ReceiptStore>,
    clock: &HandClock,
    catcher: &Catcher,
    seed: u64,
) -> (Arc<dyn DigestLedger>, digest::Service) {
    let ledger: Arc<dyn DigestLedger> = Arc::new(DigestStore::open(folder.path().join("digest.db")).await.unwrap());
    let doors = DigestDoors::noting(&ledger, notary(receipts, clock));
    let config = digest::Config {
        from_address: EmailAddress::parse("ban-tin@tin.example").unwrap(),
        smtp: digest::SmtpConfig {
            host: catcher.address().ip().to_string(),
            port: catcher.address().port(),
            timeout_seconds: 2,
            ..digest::SmtpConfig::default()
        },
        ..digest::Config::default()
    };
    let identity = digest::Identity {
        portals: loa_testkit::build::portals(),
        portal_name: "huyện Điện Biên Đông".into(),
        public_url: "https://tin.example/".parse().unwrap(),
        zone: TimeZone::get("Asia/Ho_Chi_Minh").unwrap(),
    };
    let directory = Arc::new(Directory::empty());
    let service = digest::Service::new(config, identity, doors, directory, clock.world(seed)).unwrap();
    (ledger, service)
}

async fn push_outlet(
    folder: &tempfile::TempDir,
    receipts: &Arc<ReceiptStore>,
    clock: &HandClock,
    seed: u64,
) -> (Arc<dyn PushLedger>, push::Service) {
    let ledger: Arc<dyn PushLedger> = Arc::new(PushStore::open(folder.path().join("push.db")).await.unwrap());
    let doors = PushDoors::noting(&ledger, notary(receipts, clock));
    let config = push::Config { allow_networks: vec!["127.0.0.0/8".into()], ..push::Config::default() };
    let (directory, world) = (Arc::new(Directory::empty()), clock.world(seed + 100));
    let service = push::Service::new(
        config,
        doors,
        directory,
        loa_testkit::build::calendar(),
        loa_testkit::build::portals(),
        world,
        None,
    )
    .unwrap();
    (ledger, service)
}
