//! Both catalogues have something to say of every fact, and a sentence looks like one.

// all of this file is a test, its helpers too
#![allow(clippy::unwrap_used)]

use loa_domain::{
    Account, AttemptError, Because, DeliveryId, DisableReason, EndpointId, EventType, Frequency, HubReason,
    JourneyStep, LastCall, MailReason, Outlet, PauseReason, RunKey, ServerWords,
};
use loa_words::{Alarm, BarePage, Language, Notice, Trial, Words};

fn run(frequency: Frequency) -> RunKey {
    RunKey { frequency, on: "2023-11-16".parse().unwrap(), slot: String::new(), zone: "Asia/Ho_Chi_Minh".into() }
}

fn steps() -> Vec<JourneyStep> {
    let (run, mails) = (run(Frequency::Daily), Account { planned: 1, sent: 1, ..Account::default() });
    let (delivery, endpoint) = (DeliveryId::new("d1").unwrap(), EndpointId::new("ep_1").unwrap());
    let mut steps = vec![
        JourneyStep::Relayed,
        JourneyStep::NotReceived,
        JourneyStep::SetAside { error: "the broker refuses this message of 20 bytes".into() },
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
        Alarm::NotConnected("bus".into()),
        Alarm::TopologyDiffers("queue loa.feed".into()),
        Alarm::BusBlocked(words.clone()),
        Alarm::BusRefuses(ServerWords::default()),
        Alarm::BusDown(words.clone()),
        Alarm::DeadLetters { queue: "loa.feed".into(), count: 2 },
        Alarm::OutboxLate { waiting: 3, oldest_seconds: 600 },
        Alarm::Unrouted { count: 2 },
        Alarm::SetAside { count: 2, seconds: 600, article: "bai-1".into(), words: words.clone() },
        Alarm::RunUnbalanced(run(Frequency::Weekly)),
        Alarm::DeliveriesFailed { count: 1_000, or_more: true },
    ];
    alarms.extend(Outlet::ALL.map(Alarm::LedgerAway));
    alarms.extend(Outlet::ALL.map(Alarm::CompletenessUnknown));
    for or_more in [false, true] {
        alarms.push(Alarm::NotReceived { outlet: Outlet::Feed, count: 3, or_more, seconds: 90 });
        alarms.push(Alarm::Late { outlet: Outlet::Push, count: 3, or_more, seconds: 90 });
    }
    alarms.extend(["", "article.#"].map(|binding| Alarm::BindingSilent {
        queue: "loa.feed".into(),
        binding: binding.into(),
        seconds: Some(40),
    }));
    alarms.push(Alarm::BindingSilent { queue: "loa.feed".into(), binding: String::new(), seconds: None });
    alarms.push(Alarm::FromTheFuture { queue: "loa.feed".into(), seconds: 400 });
    alarms.push(Alarm::OtherInstallation { installation: "9f".into(), host: "vps-2".into(), seconds: 40 });
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

/// Every sentence of a catalogue, in one order.
fn sentences(words: &dyn Words) -> Vec<String> {
    let said = ServerWords::new("550 5.1.1 no such user");
    let mut all: Vec<String> = steps().iter().map(|step| words.told(step)).collect();
    all.extend(alarms().iter().map(|alarm| words.alarm(alarm)));
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
    all.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_fact_has_a_sentence_in_every_language() {
    for language in Language::ALL {
        for sentence in sentences(language.words()) {
            let first = sentence.chars().next().unwrap();
            assert!(first.is_uppercase() || first.is_numeric() || sentence.starts_with("ep_1"), "{sentence}");
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
