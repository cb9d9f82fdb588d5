//! Why a message is dead, and what to do about it.

use crate::{are_sentences, every_variant_is_tried, said, said_well};
use loa_domain::{Advice, DeadCause, Flaw, HeaderType, MessagePart, NotCarried, StayReason};
use loa_words::Language;

#[test]
fn why_a_message_is_dead_is_said_in_both_languages() {
    let causes = [
        DeadCause::Flaw(Flaw::Missing { name: "zqtitle".into() }),
        DeadCause::DeliveryLimit,
        DeadCause::Broker { said: "zqmaxlen".into() },
        DeadCause::NotRouted { key: "zqkey".into(), bindings: "zqarticle.#".into() },
        DeadCause::Unsaid,
        DeadCause::Unreadable { said: "zqexpected value".into() },
    ];
    let said = said(&causes, |words, cause| words.dead_cause(cause));
    every_variant_is_tried(include_str!("../../../loa-domain/src/dead.rs"), "DeadCause", &said);
    said_well(&said);
    are_sentences(said.iter().map(|one| &one.vietnamese));
}

#[test]
fn why_a_letter_stays_is_said_in_both_languages() {
    let reasons = [
        StayReason::NotRouted { key: "zqkey".into(), bindings: "zqarticle.#".into() },
        StayReason::NotCarried(NotCarried::TooLargeForBroker { bytes: 20_000, said: "zqlarger".into() }),
    ];
    let said = said(&reasons, |words, why| words.stay_reason(why));
    every_variant_is_tried(include_str!("../../../loa-domain/src/dead.rs"), "StayReason", &said);
    said_well(&said);
    are_sentences(said.iter().map(|one| &one.vietnamese));
}

#[test]
fn what_to_do_about_a_letter_is_said_in_both_languages() {
    let letter = || "zqfeed".to_owned();
    let mut advice = vec![
        Advice::OncePortalIsThere { letter: letter() },
        Advice::IfNobodys { letter: letter() },
        Advice::ServiceAtFault { queue: "zqpush", message: "zqm".into() },
        Advice::OnceMended { letter: letter() },
        Advice::OnceCorrected { letter: letter() },
        Advice::IfOurs { letter: letter() },
        Advice::WholeMessage { id: "zqid".into() },
        Advice::UnderKey { letter: letter(), key: "zqkey".into() },
    ];
    for source in [None, Some("zqsource".into())] {
        advice.extend([
            Advice::PortalUnknown { source: source.clone() },
            Advice::ProducerSendsAgain { source: source.clone() },
            Advice::NoOutlet { source },
        ]);
    }
    for position in ["", "zqdata"] {
        let flaw = Flaw::Missing { name: "zqtitle".into() };
        advice.push(Advice::NoEvent { flaw, position: position.into(), letter: letter() });
    }
    let said = said(&advice, |words, advice| words.advice(advice));
    every_variant_is_tried(include_str!("../../../loa-domain/src/advice.rs"), "Advice", &said);
    said_well(&said);
    are_sentences(said.iter().flat_map(|one| [&one.vietnamese]));
}

#[test]
fn what_a_header_is_is_called_differently_in_each_language() {
    for found in HeaderType::ALL {
        let [vietnamese, english] = Language::ALL.map(|language| language.words().header_type(found));
        assert_ne!(vietnamese, english);
        assert!(english.is_ascii() && !vietnamese.is_empty(), "{english}");
    }
}

#[test]
fn why_the_bus_does_not_take_a_message_is_said_in_both_languages() {
    let mut reasons: Vec<NotCarried> =
        MessagePart::ALL.map(|part| NotCarried::TooLong { part, bytes: 5_000, bytes_max: 4_096 }).into();
    reasons.extend([
        NotCarried::TooLargeForBroker { bytes: 20_000, said: "zqmessage size is larger".into() },
        NotCarried::Unreadable,
        NotCarried::Told { said: "zqno broker".into() },
    ]);
    let said = said(&reasons, |words, why| words.not_carried(why));
    every_variant_is_tried(include_str!("../../../loa-domain/src/not_carried.rs"), "NotCarried", &said);
    said_well(&said);
}
