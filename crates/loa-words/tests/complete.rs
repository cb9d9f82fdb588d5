//! Both catalogues have something to say of every fact, and a sentence looks like one.

// all of this file is a test, its helpers too
#![allow(clippy::unwrap_used)]

use loa_domain::{
    Account, Altered, AttemptError, Because, BusFact, DeliveryId, DeliveryState, Dependency, DisableReason, Embedded,
    EndpointId, EndpointState, EventType, Fault, FaultName, Frequency, HubReason, HubState, JourneyStep, LastCall,
    LedgerName, MailReason, MailState, ManagementFailure, Missing, NotCarried, OldEncoding, Outlet, PauseReason,
    Remake, Remark, RunKey, RunState, Scope, ServerWords, SubscriptionState, TopologyDifference, TopologyMend,
    TopologyNotKnown, TopologyThing, Trouble, TroubleKind, WatchFailure, WatchWarning,
};
use loa_words::{Alarm, BarePage, Connection, Language, Notice, Trial, Words};
use std::collections::BTreeSet;

fn run(frequency: Frequency) -> RunKey {
    RunKey { frequency, on: "2023-11-16".parse().unwrap(), slot: String::new(), zone: "Asia/Ho_Chi_Minh".into() }
}

fn steps() -> Vec<JourneyStep> {
    let (run, mails) = (run(Frequency::Daily), Account { planned: 1, sent: 1, ..Account::default() });
    let (delivery, endpoint) = (DeliveryId::new("d1").unwrap(), EndpointId::new("ep_1").unwrap());
    let mut steps = vec![
        JourneyStep::Relayed,
        JourneyStep::NotReceived,
        JourneyStep::SetAside {
            why: NotCarried::TooLargeForBroker { bytes: 20, said: "message size is larger".into() },
        },
        JourneyStep::Accepted,
        JourneyStep::Withdrawn,
        JourneyStep::IdUsedAgain,
        JourneyStep::Waiting,
        JourneyStep::Stale { withdrawal: true },
        JourneyStep::Stale { withdrawal: false },
        JourneyStep::Planned { run: run.clone(), correction: false, mails },
        JourneyStep::Planned { run: run.clone(), correction: true, mails: Account::default() },
        JourneyStep::Mailed { run: run.clone(), mails },
        JourneyStep::Corrected { run, mails },
    ];
    for event_type in EventType::ALL {
        steps.extend([JourneyStep::Submitted { event_type }, JourneyStep::Archived { event_type }]);
    }
    for attempts in 0..3 {
        let (delivery, endpoint) = (delivery.clone(), endpoint.clone());
        steps.extend([
            JourneyStep::Pending { delivery: delivery.clone(), endpoint: endpoint.clone(), attempts },
            JourneyStep::Delivered { delivery: delivery.clone(), endpoint: endpoint.clone(), attempts },
            JourneyStep::Failed { delivery: delivery.clone(), endpoint: endpoint.clone(), attempts },
            JourneyStep::Superseded { delivery, endpoint, attempts },
        ]);
    }
    steps
}

fn alarms() -> Vec<Alarm> {
    let (words, endpoint) = (ServerWords::new("no route"), EndpointId::new("ep_1").unwrap());
    let mut alarms = vec![
        Alarm::Bus(TroubleKind::BusRefuses.into()),
        Alarm::Bus(Trouble::new(TroubleKind::BusAway, words.clone())),
        Alarm::Bus(Trouble { facts: vec![BusFact::ConnectionLost], ..TroubleKind::BusAway.into() }),
        Alarm::DeadLetters { queue: "loa.feed".into(), count: 2 },
        Alarm::OutboxLate { waiting: 3, oldest_seconds: 600 },
        Alarm::RunUnbalanced(run(Frequency::Weekly)),
        Alarm::DeliveriesFailed { count: 1_000, or_more: true },
    ];
    alarms.extend(Outlet::ALL.map(Alarm::LedgerAway));
    alarms.push(Alarm::WatchAway);
    alarms.extend(Dependency::all().map(|one| Alarm::Down(one, TroubleKind::NotTried.into())));
    alarms.extend(PauseReason::ALL.iter().map(|reason| Alarm::RunPaused {
        run: run(Frequency::Immediate),
        id: 7,
        waiting: 2,
        why: Because::said(*reason, words.clone()),
    }));
    alarms.extend(DisableReason::ALL.iter().map(|reason| Alarm::EndpointDisabled {
        endpoint: endpoint.clone(),
        reason: *reason,
        note: "bảo trì".into(),
    }));
    alarms
}

fn troubles() -> Vec<Trouble> {
    let with_words = |kind: &TroubleKind| Trouble {
        place: "/var/lib/loa/feed.db".into(),
        ..Trouble::new(*kind, "(code: 11) database disk image is malformed")
    };
    TroubleKind::ALL.iter().map(|kind| Trouble::from(*kind)).chain(TroubleKind::ALL.iter().map(with_words)).collect()
}

const NOW: &str = "2026-11-30T08:00:00Z";

fn watched(failed: Option<(u32, WatchFailure)>, warnings: Vec<WatchWarning>) -> Fault {
    Fault::Watched { source: "na-son".into(), address: "https://na-son.example/".into(), failed, warnings }
}

/// One of each kind.
fn warnings(since: jiff::Timestamp) -> Vec<WatchWarning> {
    let why = || WatchFailure::Status { address: "https://na-son.example/tin".into(), status: 500 };
    vec![
        WatchWarning::Empty { since },
        WatchWarning::FormChanged { since, why: why() },
        WatchWarning::NoneKnown { items: 20, pages: 2 },
        WatchWarning::Overdue { since },
        WatchWarning::TooLong { items: 2_000 },
        WatchWarning::Late { newest_at: since, usual_seconds: 86_400 },
        WatchWarning::Moved { to: "https://a.example/".into() },
        WatchWarning::PagesRefused { refused: 5, looked_at: 6, why: why() },
        WatchWarning::ManyMissing { missing: 5, looked_at: 6 },
    ]
}

/// Faults of each kind. A kind that is not in here fails `every_kind_of_fault_is_tried`.
fn faults() -> Vec<Fault> {
    let (at, outlet): (jiff::Timestamp, _) = ("2026-11-30T07:55:00Z".parse().unwrap(), Outlet::Push);
    let (ledger, detail) = (LedgerName::Of(Outlet::Feed), ServerWords::new("its argument `x-message-ttl` is 1"));
    let thing = || TopologyThing::Queue { name: "loa.feed".into() };
    let failure = ManagementFailure::Status { url: "http://mq:15672/".into(), status: 503 };
    let missing = |count, or_more| Missing { count, or_more, since: at, article: "bai-1".into(), event: "e-1".into() };
    let mut faults = vec![
        Fault::NotReceived { outlet, missing: missing(1, false), dead: None },
        Fault::NotReceived { outlet, missing: missing(3, false), dead: Some(0) },
        Fault::NotReceived { outlet, missing: missing(10_000, true), dead: Some(2) },
        Fault::Late { outlet, missing: missing(3, false) },
        Fault::AuditBehind { outlet, since: at },
        Fault::HeartbeatsAhead { outlet, seconds: 400 },
        Fault::OtherInstallation { installation: "9f".into(), host: String::new(), since: at },
        Fault::OtherInstallation { installation: "9f".into(), host: "vps-2".into(), since: at },
        Fault::ClockAhead { host: String::new() },
        Fault::ClockAhead { host: "vps-2".into() },
        Fault::TopologyDiffers {
            thing: thing(),
            differences: vec![TopologyDifference::Missing],
            mend: TopologyMend::Make { remake: Remake::Migrate },
        },
        Fault::TopologyUnknown { thing: thing(), why: TopologyNotKnown::Api { failure } },
        Fault::Unrouted { count: 1 },
        Fault::Unrouted { count: 2 },
        Fault::SetAside { count: 1, since: at, article: "bai-1".into(), why: NotCarried::Unreadable },
        Fault::SetAside { count: 2, since: at, article: "bai-1".into(), why: NotCarried::Told { said: detail } },
        Fault::BackFilesHeld { since: at, queue: "loa.digest".into(), ready: 64 },
        Fault::UnreadableRows { ledger, count: 1, examples: vec!["item.content of bai-1".into()] },
        Fault::UnreadableRows { ledger, count: 2, examples: vec!["item.content of bai-1".into()] },
        Fault::LongLog { ledger, file: "/var/lib/loa/feed.db".into(), bytes: 109_000_000 },
        Fault::NoIdentity { missing: vec!["portal.name", "site.tag_authority"] },
        watched(None, warnings(at)),
        watched(Some((5, WatchFailure::NotedBefore { said: "it answers 500".into() })), Vec::new()),
    ];
    for since in [None, Some(at)] {
        faults.push(Fault::NotAudited { outlet, since });
        faults.push(Fault::QueueSilent { outlet, since });
        faults.push(Fault::BindingSilent { outlet, binding: "article.#", since });
    }
    for trouble in troubles() {
        faults.push(Fault::AuditUnanswered { outlet, trouble: trouble.clone() });
        faults.push(Fault::Store { ledger, trouble });
    }
    faults
}

#[test]
fn every_kind_of_fault_is_tried() {
    /// A number for each kind, and how many there are; no default arm, so that a new one must come in here.
    fn number(fault: &Fault) -> (usize, usize) {
        let number = match fault {
            Fault::NotReceived { .. } => 0,
            Fault::Late { .. } => 1,
            Fault::AuditBehind { .. } => 2,
            Fault::NotAudited { .. } => 3,
            Fault::AuditUnanswered { .. } => 4,
            Fault::QueueSilent { .. } => 5,
            Fault::BindingSilent { .. } => 6,
            Fault::HeartbeatsAhead { .. } => 7,
            Fault::OtherInstallation { .. } => 8,
            Fault::ClockAhead { .. } => 9,
            Fault::TopologyDiffers { .. } => 10,
            Fault::TopologyUnknown { .. } => 11,
            Fault::Unrouted { .. } => 12,
            Fault::SetAside { .. } => 13,
            Fault::Store { .. } => 14,
            Fault::UnreadableRows { .. } => 15,
            Fault::LongLog { .. } => 16,
            Fault::Watched { .. } => 17,
            Fault::BackFilesHeld { .. } => 18,
            Fault::NoIdentity { .. } => 19,
        };
        (number, 20)
    }
    let numbers: BTreeSet<usize> = faults().iter().map(|fault| number(fault).0).collect();
    assert_eq!(numbers.len(), number(&faults()[0]).1);
    let others = |fault: &&Fault| !matches!(fault, Fault::Store { .. });
    let kinds: BTreeSet<&str> = faults().iter().filter(others).map(Fault::kind).collect();
    assert_eq!(kinds.len(), numbers.len() - 1, "each has a word of its own for machines");
    assert!(faults().iter().any(|fault| fault.name() == FaultName::Completeness(Outlet::Push)));
}

#[test]
fn no_english_stands_in_what_the_vietnamese_catalogue_says_is_wrong() {
    const ENGLISH: [&str; 24] = [
        "the", "is", "are", "was", "of", "and", "or", "not", "no", "it", "its", "to", "for", "since", "with", "queue",
        "ledger", "broker", "disk", "file", "row", "message", "messages", "event",
    ];
    let words = Language::Vietnamese.words();
    let troubles = troubles().into_iter().map(|trouble| words.trouble(&trouble));
    let faults = faults().into_iter().map(|fault| words.fault(&fault, NOW.parse().unwrap()));
    for sentence in troubles.chain(faults) {
        // commands stand between backquotes; what others said and what their things are called, between quotation marks
        let ours: String = sentence.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        let ours: String = ours.split('«').map(|part| part.rsplit('»').next().unwrap()).collect::<Vec<_>>().join(" ");
        let found =
            ours.split(|c: char| !c.is_alphanumeric()).find(|word| ENGLISH.contains(&word.to_lowercase().as_str()));
        assert_eq!(found, None, "{sentence}");
    }
}

#[test]
fn what_is_wrong_says_what_to_do_and_quotes_what_others_said() {
    let trouble = Trouble {
        place: "/var/lib/loa/feed.db".into(),
        ..Trouble::new(TroubleKind::DiskFull, "(code: 13) database or disk is full")
    };
    assert_eq!(
        Language::Vietnamese.words().trouble(&trouble),
        "Đĩa chứa /var/lib/loa/feed.db đã đầy: hãy dọn chỗ, sau đó hệ thống tự chạy tiếp. Chi tiết kỹ thuật: «(code: 13) \
         database or disk is full»."
    );
    assert_eq!(
        Language::English.words().trouble(&trouble),
        "The disk that holds /var/lib/loa/feed.db is full: make room, and it goes on by itself. Detail: “(code: 13) \
         database or disk is full”."
    );
}

fn remarks() -> Vec<Remark> {
    let (modified_at, shown) = ("2099-01-01T00:00:00Z".parse().unwrap(), "2023-11-16T01:02:22Z".parse().unwrap());
    let mut remarks = vec![
        Remark::UnknownArea("\"sao-hoa\"".into()),
        Remark::UnknownCode { code: "\"99999\"".into(), on: "2023-11-16".parse().unwrap() },
        Remark::ChangedAhead { modified_at, shown },
    ];
    remarks.extend(Altered::ALL.map(|what| Remark::Altered { what, count: 3 }));
    remarks.extend(OldEncoding::ALL.map(Remark::Converted));
    remarks.extend(OldEncoding::ALL.map(|encoding| Remark::Unread { encoding, words: 2 }));
    remarks.extend(OldEncoding::ALL.map(|encoding| Remark::LooksOld { encoding, words: 2 }));
    remarks
}

/// Every sentence of a catalogue, in one order.
fn sentences(words: &dyn Words) -> Vec<String> {
    let said = ServerWords::new("550 5.1.1 no such user");
    let mut all: Vec<String> = steps().iter().map(|step| words.told(step)).collect();
    all.extend(alarms().iter().map(|alarm| words.alarm(alarm)));
    all.extend(troubles().iter().map(|trouble| words.trouble(trouble)));
    all.extend(faults().iter().map(|fault| words.fault(fault, NOW.parse().unwrap())));
    all.extend(MailReason::ALL.iter().map(|reason| words.mail(Some(*reason), &said)));
    all.extend(PauseReason::ALL.iter().map(|reason| words.pause(&Because::from(*reason))));
    for status in [None, Some(301), Some(503)] {
        all.extend(AttemptError::ALL.iter().map(|error| words.attempt(Some(*error), status, &said)));
    }
    for status in [None, Some(301), Some(503)] {
        let call = |reason: &HubReason| LastCall { reason: *reason, status, words: said.clone() };
        all.extend(HubReason::ALL.iter().map(|reason| words.hub_call(&call(reason))));
    }
    all.extend(DisableReason::ALL.iter().map(|reason| words.disabled(*reason, "")));
    let trials = [Trial::Taken, Trial::WouldRetry, Trial::WouldGiveUp, Trial::WouldDisable];
    all.extend(trials.map(|trial| words.trial(trial).to_owned()));
    all.extend(BarePage::ALL.map(|page| words.bare_page(page).1.to_owned()));
    all.extend(remarks().iter().map(|remark| words.remark(remark)));
    all
}

/// Every word that stands in a table, after a label or as a heading.
fn words(words: &dyn Words) -> Vec<String> {
    let mut all: Vec<&str> = steps().iter().map(|step| words.step(step)).collect();
    all.extend(Outlet::ALL.map(|outlet| words.outlet(outlet)));
    all.extend(EventType::ALL.map(|event_type| words.event(event_type)));
    all.extend(Frequency::ALL.map(|frequency| words.frequency(frequency)));
    all.extend(Frequency::ALL.map(|frequency| words.frequency_choice(frequency)));
    all.extend(Notice::ALL.map(|notice| words.notice(notice)));
    all.extend(BarePage::ALL.map(|page| words.bare_page(page).0));
    all.extend(Embedded::ALL.map(|embedded| words.embedded(embedded)));
    all.extend(LedgerName::ALL.map(|ledger| words.ledger(ledger)));
    all.extend(states(words));
    let dependencies = Dependency::all().map(|dependency| words.dependency(dependency));
    all.into_iter().map(str::to_owned).chain(dependencies).collect()
}

/// Every word for where something stands.
fn states(words: &dyn Words) -> Vec<&'static str> {
    let disabled = EndpointState::Disabled { reason: DisableReason::Gone, note: String::new() };
    let mut all = vec![words.endpoint_state(&EndpointState::Enabled), words.endpoint_state(&disabled)];
    all.extend(Connection::ALL.map(|connection| words.connection(connection)));
    all.extend(SubscriptionState::ALL.map(|state| words.subscription_state(state)));
    all.extend(RunState::ALL.map(|state| words.run_state(state)));
    all.extend(MailState::ALL.map(|state| words.mail_state(state)));
    all.extend(DeliveryState::ALL.map(|state| words.delivery_state(state)));
    all.extend(HubState::ALL.map(|state| words.hub_state(state, false)));
    all.push(words.hub_state(HubState::Active, true));
    all.extend(Scope::ALL.map(|scope| words.scope(scope)));
    all
}

#[test]
fn no_two_dependencies_are_called_the_same() {
    for language in Language::ALL {
        let called: BTreeSet<String> = Dependency::all().map(|one| language.words().dependency(one)).collect();
        assert_eq!(called.len(), Dependency::all().count());
    }
}

#[test]
fn what_stands_in_another_state_is_called_otherwise() {
    for words in Language::ALL.map(Language::words) {
        let differ =
            |called: &[&str]| assert_eq!(called.iter().collect::<BTreeSet<_>>().len(), called.len(), "{called:?}");
        differ(&SubscriptionState::ALL.map(|state| words.subscription_state(state)));
        differ(&RunState::ALL.map(|state| words.run_state(state)));
        differ(&MailState::ALL.map(|state| words.mail_state(state)));
        differ(&DeliveryState::ALL.map(|state| words.delivery_state(state)));
        differ(&HubState::ALL.map(|state| words.hub_state(state, false)));
    }
}

#[test]
fn a_run_that_was_started_by_hand_says_so_also_one_of_an_earlier_version() {
    for slot in ["manual-080222000", "tay-080222000"] {
        let run = RunKey { slot: slot.into(), ..run(Frequency::Daily) };
        assert!(Language::Vietnamese.words().run(&run).contains("chạy bằng tay"), "{slot}");
        assert!(Language::English.words().run(&run).contains("by hand"), "{slot}");
    }
    assert!(!Language::English.words().run(&run(Frequency::Daily)).contains("by hand"));
}

#[test]
fn a_disabled_endpoint_says_why() {
    let disabled = EndpointState::Disabled { reason: DisableReason::Operator, note: "bảo trì".into() };
    let said = |state: &EndpointState| Language::ALL.map(|language| language.words().endpoint(state));
    assert_eq!(
        said(&disabled),
        [
            "đang tắt: Quản trị viên đã tắt. Nguyên văn: «bảo trì».",
            "disabled: An operator disabled it. Verbatim: “bảo trì”."
        ]
    );
    assert_eq!(said(&EndpointState::Enabled), ["đang nhận", "enabled"]);
}

#[test]
fn every_fact_has_a_sentence_in_every_language() {
    for language in Language::ALL {
        for sentence in sentences(language.words()) {
            let first = sentence.chars().next().unwrap();
            assert!(
                first.is_uppercase() || first.is_numeric() || sentence.starts_with("ep_1") || sentence.starts_with('`'),
                "{sentence}"
            );
            assert!(sentence.ends_with('.') || sentence.ends_with(".”."), "{sentence}");
            assert!(!sentence.contains("  ") && !sentence.contains('\n'), "{sentence}");
        }
        for word in words(language.words()) {
            assert!(!word.is_empty() && !word.contains("  ") && !word.contains('\n'), "{word}");
        }
    }
}

#[test]
fn no_sentence_of_one_language_is_one_of_the_other() {
    let [vietnamese, english] =
        Language::ALL.map(|language| [sentences(language.words()), words(language.words())].concat());
    assert_eq!(vietnamese.len(), english.len());
    for (one, other) in vietnamese.iter().zip(&english) {
        assert_ne!(one, other);
        assert!(other.chars().all(|c| c.is_ascii() || "“”ảì".contains(c)), "{other}");
    }
}

#[test]
fn bare_pages_need_no_escaping() {
    for page in BarePage::ALL {
        for language in Language::ALL {
            let (title, advice) = language.words().bare_page(page);
            assert!(![title, advice].concat().contains(['<', '>', '&', '"', '{']), "{title} {advice}");
        }
    }
}

#[test]
fn what_a_server_said_is_marked_as_its_own_words() {
    let said = ServerWords::new("550 no");
    let vietnamese = Language::Vietnamese.words();
    assert_eq!(
        vietnamese.mail(Some(MailReason::MailboxRefused), &said),
        "Máy chủ thư từ chối hẳn hộp thư này. Nguyên văn: «550 no»."
    );
    assert_eq!(vietnamese.mail(None, &said), "Nguyên văn: «550 no».");
    assert_eq!(vietnamese.mail(None, &ServerWords::default()), "");
    assert_eq!(Language::English.words().attempt(None, Some(204), &ServerWords::default()), "");
}
