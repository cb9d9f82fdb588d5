//! Why the bus does not work.

use crate::{every_variant_is_tried, no_two_read_alike, said, said_well};
use loa_domain::{
    BusFact, DialFault, QueuesFileFault, ServerWords, TlsFault, TopologyBinding, TopologyThing, Trouble, TroubleKind,
};
use loa_words::Language;

const SOURCE: &str = include_str!("../../../loa-domain/src/bus_fact.rs");

fn words() -> ServerWords {
    "zqwords of another".into()
}

fn tls() -> Vec<TlsFault> {
    vec![
        TlsFault::OwnFiles { said: words() },
        TlsFault::NoCertificateName,
        TlsFault::Ended,
        TlsFault::UnknownIssuer,
        TlsFault::OtherName { names: String::new() },
        TlsFault::OtherName { names: "zqhost".into() },
        TlsFault::Expired,
        TlsFault::NotTls,
        TlsFault::Failed { said: words() },
    ]
}

fn dialling() -> Vec<DialFault> {
    let mut faults = vec![
        DialFault::NameNotInTime,
        DialFault::NameUnknown { said: words() },
        DialFault::NameWithoutAddress,
        DialFault::NotInTime { seconds: 1_234 },
        DialFault::Network { said: words() },
        DialFault::Password { said: words() },
        DialFault::Refused { said: words() },
        DialFault::BrokeOff { said: words() },
    ];
    faults.extend(tls().into_iter().map(DialFault::Tls));
    faults
}

fn facts() -> Vec<BusFact> {
    let queue = || TopologyThing::Queue { name: "zqqueue".into() };
    let binding = TopologyBinding { exchange: "zqexchange".into(), key: "zqkey".into() };
    let command = || "zqrabbitmqctl set_permissions".to_owned();
    let mut facts = vec![
        BusFact::ClosedByUs,
        BusFact::NotAnsweredYet,
        BusFact::ConnectionLost,
        BusFact::NotInTime,
        BusFact::ResourceAlarm,
        BusFact::QueueFull,
        BusFact::ConsumerEnded { queue: "zqqueue".into() },
        BusFact::Missing { thing: queue() },
        BusFact::NoQueueFor { exchange: "zqexchange".into(), key: "zqkey".into() },
        BusFact::NoRightToMake { thing: queue(), or: None, command: command() },
        BusFact::NoRightToMake {
            thing: queue(),
            or: Some(TopologyThing::Exchange { name: "zqexchange".into() }),
            command: command(),
        },
        BusFact::NoRightToBind {
            thing: TopologyThing::Binding { binding, queue: "zqqueue".into() },
            command: command(),
        },
        BusFact::NoRightToRenew { queue: "zqqueue".into() },
        BusFact::OtherArguments { thing: queue() },
    ];
    facts.extend(dialling().into_iter().map(|fault| BusFact::NotReached { place: "zqbroker:5672".into(), fault }));
    let file = || "/zqdata/queues.db".to_owned();
    facts.extend(QueuesFileFault::ALL.map(|fault| BusFact::QueuesFile { file: file(), fault }));
    facts
}

#[test]
fn what_the_adapter_of_the_bus_met_is_said_in_both_languages() {
    let said = said(&facts(), |words, fact| words.bus_fact(fact));
    every_variant_is_tried(SOURCE, "BusFact", &said);
    said_well(&said);
    no_two_read_alike(&said);
}

#[test]
fn the_smaller_facts_within_are_tried_too() {
    let tried = |name: &str, facts: Vec<String>| {
        let said: Vec<_> = facts
            .into_iter()
            .map(|fact| crate::Said { fact, vietnamese: String::new(), english: String::new() })
            .collect();
        every_variant_is_tried(SOURCE, name, &said);
    };
    tried("DialFault", dialling().iter().map(|one| format!("{one:?}")).collect());
    tried("TlsFault", tls().iter().map(|one| format!("{one:?}")).collect());
    tried("QueuesFileFault", QueuesFileFault::ALL.iter().map(|one| format!("{one:?}")).collect());
}

#[test]
fn a_trouble_of_the_bus_says_its_kind_what_was_met_and_what_others_said() {
    let lost = BusFact::NotReached { place: "mq:5672".into(), fault: DialFault::NotInTime { seconds: 10 } };
    let trouble = Trouble { facts: vec![lost, BusFact::ConnectionLost], ..Trouble::new(TroubleKind::BusAway, "gone") };
    let [vietnamese, english] = Language::ALL.map(|language| language.words().trouble(&trouble));
    assert!(
        vietnamese
            .ends_with(" Cụ thể: mq:5672: không trả lời trong 10 giây; kết nối đã bị ngắt. Chi tiết kỹ thuật: «gone»."),
        "{vietnamese}"
    );
    assert!(
        english.ends_with(
            " In particular: mq:5672: it did not answer within 10 s; the connection was lost. Detail: “gone”."
        ),
        "{english}"
    );
}
