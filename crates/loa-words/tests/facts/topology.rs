//! What stands at the broker, what differs, and what mends it.

use crate::{Said, every_variant_is_tried, said, said_well};
use loa_domain::{
    BrokerPolicy, Fault, HarmfulKey, ManagementFailure, Outlet, PolicyHarm, PolicyMend, Remake, TopologyBinding,
    TopologyDifference, TopologyDoubt, TopologyMend, TopologyNotAsked, TopologyNotKnown, TopologyOutcome,
    TopologyRemark, TopologyState, TopologyThing,
};
use loa_words::Language;

const SOURCE: &str = include_str!("../../../loa-domain/src/topology.rs");

fn binding(key: &str) -> TopologyBinding {
    TopologyBinding { exchange: "zqevents".into(), key: key.into() }
}

fn policies() -> Vec<BrokerPolicy> {
    [false, true]
        .map(|is_operators| BrokerPolicy { name: "zqname".into(), pattern: "zqpattern".into(), is_operators })
        .into()
}

fn failures() -> Vec<ManagementFailure> {
    let url = || "http://zqmq/".to_owned();
    vec![
        ManagementFailure::Silent { url: url(), said: "zqno route to it".into() },
        ManagementFailure::Refused {
            url: url(),
            user: "zquser".into(),
            commands: ["zqtags".into(), "zqpermissions".into()],
        },
        ManagementFailure::Status { url: url(), status: 5_000 },
        ManagementFailure::TooLong { url: url(), bytes_max: 4_194_304 },
        ManagementFailure::Stranger { url: url() },
        ManagementFailure::OwnFiles { said: "zqno such file".into() },
    ]
}

fn held(said: &[Said], name: &str) {
    every_variant_is_tried(SOURCE, name, said);
    said_well(said);
}

#[test]
fn things_at_the_broker_are_named_in_both_languages() {
    let (name, queue) = (|| "zqname".to_owned(), || "zqqueue".to_owned());
    let things = [
        TopologyThing::Exchange { name: name() },
        TopologyThing::ExchangeOfType { name: name(), exchange_type: "zqtopic" },
        TopologyThing::Queue { name: name() },
        TopologyThing::Binding { binding: binding("zqkey"), queue: queue() },
        TopologyThing::Binding { binding: binding(""), queue: queue() },
        TopologyThing::BindingsOf { queue: queue() },
        TopologyThing::PoliciesOn { queue: queue() },
        TopologyThing::Bindings,
        TopologyThing::Policies,
        TopologyThing::ManagementApi,
    ];
    held(&said(&things, |words, thing| words.topology_thing(thing)), "TopologyThing");
}

#[test]
fn how_a_thing_at_the_broker_is_is_said_in_both_languages() {
    let mut states = vec![TopologyState::Right, TopologyState::Absent];
    states.push(TopologyState::Wrong { differences: vec![TopologyDifference::Missing], mend: TopologyMend::Renew });
    let remarks = [
        TopologyRemark::Mirroring { policies: policies() },
        TopologyRemark::OthersBindings { bindings: vec![binding("zqkey"), binding("")] },
    ];
    states.extend(remarks.iter().map(|remark| TopologyState::Noted { remark: remark.clone() }));
    let noted = |words: &dyn loa_words::Words, remark: &TopologyRemark| {
        words.topology_state(&TopologyState::Noted { remark: remark.clone() })
    };
    held(&said(&remarks, noted), "TopologyRemark");

    let mut not_asked = vec![
        TopologyNotAsked::Forbidden { said: "zqaccess refused".into() },
        TopologyNotAsked::ExchangeNotTold,
        TopologyNotAsked::QueueNotTold,
    ];
    for is_api_set in [true, false] {
        not_asked.extend([TopologyNotAsked::Bindings { is_api_set }, TopologyNotAsked::Policies { is_api_set }]);
    }
    states.extend(not_asked.iter().map(|why| TopologyState::NotAsked { why: why.clone() }));
    let asked = |words: &dyn loa_words::Words, why: &TopologyNotAsked| {
        words.topology_state(&TopologyState::NotAsked { why: why.clone() })
    };
    held(&said(&not_asked, asked), "TopologyNotAsked");

    let not_known: Vec<TopologyNotKnown> = failures()
        .into_iter()
        .map(|failure| TopologyNotKnown::Api { failure })
        .chain([TopologyNotKnown::PolicyInForce { policies: policies() }])
        .collect();
    states.extend(not_known.iter().map(|why| TopologyState::NotKnown { why: why.clone() }));
    let known = |words: &dyn loa_words::Words, why: &TopologyNotKnown| {
        words.topology_state(&TopologyState::NotKnown { why: why.clone() })
    };
    held(&said(&not_known, known), "TopologyNotKnown");
    held(&said(&states, |words, state| words.topology_state(state)), "TopologyState");
}

#[test]
fn why_the_management_api_gives_no_answer_is_said_in_both_languages() {
    let why = |words: &dyn loa_words::Words, failure: &ManagementFailure| {
        words.topology_state(&TopologyState::NotKnown { why: TopologyNotKnown::Api { failure: failure.clone() } })
    };
    held(&said(&failures(), why), "ManagementFailure");
}

#[test]
fn each_difference_and_each_harm_is_said_in_both_languages() {
    let harmful = |harm: PolicyHarm| HarmfulKey { key: "zqkey", value: "1000".into(), harm };
    let mut differences = vec![
        TopologyDifference::Missing,
        TopologyDifference::ExchangeType { found: "zqfanout".into(), should: "zqtopic" },
        TopologyDifference::Argument { name: "zqtype".into(), found: "zqclassic".into(), should: "zqquorum".into() },
        TopologyDifference::ArgumentMissing { name: "zqoverflow".into(), should: "zqreject".into() },
        TopologyDifference::ArgumentTooMany { name: "zqttl".into(), found: "1000".into() },
        TopologyDifference::Told { said: "zqinequivalent arg of the queue".into() },
        TopologyDifference::Unbound { bindings: vec![binding("zqkey"), binding("")] },
        TopologyDifference::RenewalInterrupted { queue: "zqqueue".into() },
    ];
    differences.extend(
        PolicyHarm::ALL.map(|harm| TopologyDifference::Policies { policies: policies(), harms: vec![harmful(harm)] }),
    );
    let wrong = |words: &dyn loa_words::Words, difference: &TopologyDifference| {
        let differences = vec![difference.clone()];
        words.topology_state(&TopologyState::Wrong { differences, mend: TopologyMend::Renew })
    };
    let said = said(&differences, wrong);
    held(&said, "TopologyDifference");
    let different: std::collections::BTreeSet<&str> = said.iter().map(|one| one.vietnamese.as_str()).collect();
    assert_eq!(different.len(), differences.len(), "no two are said alike");
}

#[test]
fn what_mends_it_is_said_in_both_languages_with_the_same_commands() {
    let mut mends = vec![TopologyMend::Renew, TopologyMend::EndRenewal];
    for remake in [Remake::Migrate, Remake::ReplayTo(Outlet::Push), Remake::ReplayToAll] {
        mends.push(TopologyMend::Make { remake });
        mends.push(TopologyMend::DeleteExchange { exchange: "zqevents", vhost: "zqvhost".into(), remake });
        for keeps in [true, false] {
            mends.push(TopologyMend::DeleteQueue { keeps, command: "zqdelete the queue".into(), remake });
        }
    }
    let policy = |lays_over| PolicyMend { command: "zqset_policy is the command".into(), lays_over };
    mends.push(TopologyMend::Policies { mends: vec![policy(true), policy(false)] });
    let said = said(&mends, |words, mend| words.topology_mend(mend));
    held(&said, "TopologyMend");
    // an operator copies them; words between backquotes that are no command are names
    let commands = |sentence: &str| -> Vec<String> {
        let quoted = sentence.split('`').skip(1).step_by(2);
        quoted.filter(|text| text.contains(' ')).map(str::to_owned).collect()
    };
    for one in &said {
        assert_eq!(commands(&one.vietnamese), commands(&one.english));
    }
}

#[test]
fn what_became_of_a_thing_is_said_in_both_languages() {
    let doubts: Vec<TopologyDoubt> = [
        TopologyDoubt::NotAskedBefore,
        TopologyDoubt::ShownByBindings,
        TopologyDoubt::BoundOverAmqp,
        TopologyDoubt::MayNotBind { said: "zqaccess to the queue".into() },
    ]
    .into_iter()
    .chain(failures().into_iter().map(|failure| TopologyDoubt::BoundUnanswered { failure }))
    .collect();
    let unsure = |words: &dyn loa_words::Words, doubt: &TopologyDoubt| {
        words.topology_outcome(&TopologyOutcome::Unsure { doubt: doubt.clone() })
    };
    held(&said(&doubts, unsure), "TopologyDoubt");
    let mut outcomes =
        vec![TopologyOutcome::There, TopologyOutcome::Made, TopologyOutcome::Renewed { messages: 3_000 }];
    outcomes.extend(doubts.into_iter().map(|doubt| TopologyOutcome::Unsure { doubt }));
    held(&said(&outcomes, |words, outcome| words.topology_outcome(outcome)), "TopologyOutcome");
}

#[test]
fn a_fault_names_the_thing_what_differs_and_what_mends_it() {
    let fault = Fault::TopologyDiffers {
        thing: TopologyThing::Queue { name: "loa.feed".into() },
        differences: vec![
            TopologyDifference::ArgumentTooMany { name: "x-message-ttl".into(), found: "1000".into() },
            TopologyDifference::ArgumentMissing { name: "x-overflow".into(), should: "reject-publish".into() },
        ],
        mend: TopologyMend::Make { remake: Remake::ReplayTo(Outlet::Feed) },
    };
    let [vietnamese, english] =
        Language::ALL.map(|language| language.words().fault(&fault, jiff::Timestamp::UNIX_EPOCH));
    assert_eq!(
        vietnamese,
        "Trên máy chủ hàng đợi, hàng đợi loa.feed không đúng như Loa cần: tham số «x-message-ttl» là «1000», lẽ ra không đặt; \
         tham số `x-overflow` chưa đặt, lẽ ra là `reject-publish`. Cách sửa: chạy `loa migrate`, sau đó `loa replay --outlet \
         feed`."
    );
    assert_eq!(
        english,
        "At the broker, this is not as it should be: queue loa.feed; `x-message-ttl` is 1000 and should not be set; `x-overflow` \
         is not set; it should be reject-publish. To mend it: `loa migrate`, then `loa replay --outlet feed`."
    );
}
