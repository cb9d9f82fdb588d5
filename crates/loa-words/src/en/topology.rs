//! What stands at the broker, in English: how it is, what differs, and what mends it. Clauses, which stand after a thing's name.

use loa_domain::{
    BrokerPolicy, HarmfulKey, ManagementFailure, PolicyHarm, PolicyMend, Remake, TopologyBinding, TopologyDifference,
    TopologyDoubt, TopologyMend, TopologyNotAsked, TopologyNotKnown, TopologyOutcome, TopologyRemark, TopologyState,
};

/// Why something cannot be told over AMQP.
const NEEDS_CONFIGURE: &str = "this user lacks the right `configure`, and `bus.rabbitmq.management_url` is not set";

pub(super) fn state(state: &TopologyState) -> String {
    match state {
        TopologyState::Right => "as it should be".into(),
        TopologyState::Noted { remark } => noted(remark),
        TopologyState::Absent => "there is none, as it should be".into(),
        TopologyState::NotAsked { why } => format!("not looked at: {}", not_asked(why)),
        TopologyState::NotKnown { why } => format!("not known: {}", not_known(why)),
        TopologyState::Wrong { differences: all, .. } => differences(all),
    }
}

pub(super) fn outcome(outcome: &TopologyOutcome) -> String {
    match outcome {
        TopologyOutcome::There => "there".into(),
        TopologyOutcome::Made => "made".into(),
        TopologyOutcome::Renewed { messages } => {
            format!("renewed: it refuses when it is full, and keeps what it had ({messages} messages)")
        }
        TopologyOutcome::Unsure { doubt } => unsure(doubt),
    }
}

fn unsure(doubt: &TopologyDoubt) -> String {
    match doubt {
        TopologyDoubt::NotAskedBefore => {
            "there now; whether it was before, this user was not allowed to ask".into()
        }
        TopologyDoubt::ShownByBindings => {
            "not looked at: this user may neither look nor make (`configure`); that its bindings are there shows that it is"
                .into()
        }
        TopologyDoubt::BoundOverAmqp => {
            "bound; whether it was before cannot be asked over AMQP; `bus.rabbitmq.management_url` would tell".into()
        }
        TopologyDoubt::BoundUnanswered { failure } => format!("bound; {}", management(failure)),
        TopologyDoubt::MayNotBind { said } => {
            format!("not known: this user may not bind (“{said}”), and nobody else can be asked over AMQP")
        }
    }
}

fn noted(remark: &TopologyRemark) -> String {
    match remark {
        TopologyRemark::Mirroring { policies: all } => format!(
            "{} mirrors classic queues (`ha-mode`); it is in force on none of Loa's queues, which have replicas by themselves; \
             RabbitMQ 4 does not know such policies: remove it before the upgrade",
            policies(all)
        ),
        TopologyRemark::OthersBindings { bindings: all } => {
            format!("as they should be, and somebody else's beside them: {}", bindings(all))
        }
    }
}

fn not_asked(why: &TopologyNotAsked) -> String {
    let set_it = |is_api_set: &bool| if *is_api_set { "" } else { "; set `bus.rabbitmq.management_url`" };
    match why {
        TopologyNotAsked::Forbidden { said } => format!("the broker says “{said}”"),
        TopologyNotAsked::ExchangeNotTold => {
            format!("it is there; of its kind and arguments nothing is known: {NEEDS_CONFIGURE}")
        }
        TopologyNotAsked::QueueNotTold => {
            format!("it is there; of its arguments nothing is known: {NEEDS_CONFIGURE}")
        }
        TopologyNotAsked::Bindings { is_api_set } => {
            format!("AMQP does not tell them; heartbeats prove those of the services' queues{}", set_it(is_api_set))
        }
        TopologyNotAsked::Policies { is_api_set } => format!("AMQP does not tell them{}", set_it(is_api_set)),
    }
}

pub(super) fn not_known(why: &TopologyNotKnown) -> String {
    match why {
        TopologyNotKnown::Api { failure } => management(failure),
        TopologyNotKnown::PolicyInForce { policies: all } => format!(
            "the broker does not say which policy is in force on it (are its statistics switched off?), and {} would do harm to it",
            policies(all)
        ),
    }
}

fn management(failure: &ManagementFailure) -> String {
    match failure {
        ManagementFailure::Silent { url, said } => format!("the management API at {url} does not answer ({said})"),
        ManagementFailure::Refused { url, user, commands: [tag, right] } => format!(
            "the management API at {url} refuses the user {user}: it needs the right password, a tag and a right on the vhost, \
             were it for nothing (`{tag}`, `{right}`)"
        ),
        ManagementFailure::Status { url, status } => format!("the management API at {url} answers {status}"),
        ManagementFailure::TooLong { url, bytes_max } => {
            format!("the management API at {url} answers more than {bytes_max} bytes")
        }
        ManagementFailure::Stranger { url } => format!(
            "what answers at {url} is not RabbitMQ's management API: `bus.rabbitmq.management_url` is its address, with the path \
             before `/api` where it has one"
        ),
        ManagementFailure::OwnFiles { said } => format!("the management API cannot be asked ({said})"),
    }
}

pub(super) fn differences(all: &[TopologyDifference]) -> String {
    all.iter().map(difference).collect::<Vec<_>>().join("; ")
}

fn difference(difference: &TopologyDifference) -> String {
    match difference {
        TopologyDifference::Missing => "it is missing".into(),
        TopologyDifference::ExchangeType { found, should } => format!("it is of the type {found} instead of {should}"),
        TopologyDifference::Argument { name, found, should } => format!("`{name}` is {found} instead of {should}"),
        TopologyDifference::ArgumentMissing { name, should } => {
            format!("`{name}` is not set; it should be {should}")
        }
        TopologyDifference::ArgumentTooMany { name, found } => {
            format!("`{name}` is {found} and should not be set")
        }
        TopologyDifference::Told { said } => format!("the broker says “{said}”"),
        TopologyDifference::Unbound { bindings: all } => {
            format!("{} is not bound; what it should carry does not come here", bindings(all))
        }
        TopologyDifference::RenewalInterrupted { queue } => {
            format!("`loa migrate` was interrupted while it renewed {queue}; some of its messages may be here")
        }
        TopologyDifference::Policies { policies: all, harms } => {
            let how: Vec<String> = harms
                .iter()
                .map(|HarmfulKey { key, value, harm: does }| format!("`{key}` = {value}: {}", harm(*does)))
                .collect();
            format!("{}: {}", policies(all), how.join("; "))
        }
    }
}

fn harm(harm: PolicyHarm) -> &'static str {
    match harm {
        PolicyHarm::KeepsNoMore => {
            "when it is that long it takes no more, and what should be kept waits with its sender"
        }
        PolicyHarm::StopsPublishing => "when it is that long, publishing stops for all outlets",
        PolicyHarm::DeletesWhatIsOld => "what it keeps is deleted when it is that old, in ms",
        PolicyHarm::BuriesWhatIsOld => "what waits that long, in ms, becomes a dead letter",
        PolicyHarm::DeletesTheQueue => "after so many ms without a consumer it is deleted, with all that is in it",
        PolicyHarm::DeletesWhatReturns => "what was got that often and not acknowledged is deleted",
        PolicyHarm::BuriesWhatReturns => "what came back that often becomes a dead letter",
        PolicyHarm::DropsTheOldest => "when it is full, it drops its oldest",
        PolicyHarm::LeadsAway => "what leaves it goes there, where nobody looks for it",
    }
}

pub(super) fn mend(mend: &TopologyMend) -> String {
    match mend {
        TopologyMend::Make { remake } => remade(*remake),
        TopologyMend::Renew => "`loa migrate` renews it and keeps what it has".into(),
        TopologyMend::EndRenewal => "`loa migrate` goes on where it was, and ends it".into(),
        TopologyMend::DeleteExchange { exchange, vhost, remake } => format!(
            "delete the exchange {exchange} of the vhost {vhost} (on RabbitMQ's management page, or `rabbitmqadmin delete \
             exchange`), and run {} at once",
            remade(*remake)
        ),
        TopologyMend::DeleteQueue { keeps, command, remake } => {
            let emptied = if *keeps { "redrive or discard what it keeps" } else { "let its service empty it" };
            format!("{emptied}, then `{command}`, then {}", remade(*remake))
        }
        TopologyMend::Policies { mends } => {
            let line = |PolicyMend { command, lays_over }: &PolicyMend| {
                format!("`{command}`{}", if *lays_over { " lays one without effect over it" } else { "" })
            };
            mends.iter().map(line).collect::<Vec<_>>().join(", and ")
        }
    }
}

fn remade(remake: Remake) -> String {
    match remake {
        Remake::Migrate => "`loa migrate`".into(),
        Remake::ReplayTo(outlet) => format!("`loa migrate`, then `loa replay --outlet {}`", outlet.as_str()),
        Remake::ReplayToAll => "`loa migrate`, then `loa replay --outlet feed`, the same for digest and push".into(),
    }
}

fn policies(all: &[BrokerPolicy]) -> String {
    let one = |BrokerPolicy { name, pattern, is_operators }: &BrokerPolicy| {
        let kind = if *is_operators { "the operator policy" } else { "the policy" };
        format!("{kind} `{name}` (on `{pattern}`)")
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn bindings(all: &[TopologyBinding]) -> String {
    let one = |TopologyBinding { exchange, key }: &TopologyBinding| {
        format!("{} of {exchange}", if key.is_empty() { "any key" } else { key })
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}
