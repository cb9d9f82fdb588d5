//! Which policies are in force on a queue, what they do to it, and how they are kept from it.
//!
//! A queue has one policy, the one of the highest priority whose pattern matches, and one of the
//! operators beside it; the smaller of two numbers holds. An argument of the queue wins for
//! `overflow` and for dead-lettering, and never for a length, an age or a limit of deliveries.

use crate::{
    management::{Management, OPERATORS, shown},
    plan::{Argument, QueuePlan},
    rights::Whose,
};
use loa_domain::{
    BrokerPolicy, HarmfulKey, PolicyHarm, PolicyMend, ServerWords, TopologyDifference, TopologyMend, TopologyNotKnown,
    TopologyRemark, TopologyState,
};
use serde_json::{Value, json};
use std::time::Duration;

/// The broker says which policy is in force on a queue some seconds after the queue or the policy was made.
pub(crate) const TRIES_MAX: u32 = 8;
const PAUSE: Duration = Duration::from_secs(2);

/// The policies of a vhost, those of operators among them.
pub(crate) struct Policies<'a> {
    pub(crate) all: &'a [Value],
    pub(crate) whose: &'a Whose,
}

/// What is known of the policies on one queue.
pub(crate) enum OnQueue {
    Known(TopologyState),
    /// The broker does not say which are in force, and these could do harm. Beside them what it takes to ask again.
    NotSaid(Vec<BrokerPolicy>, Vec<Value>, Whose),
}

impl Policies<'_> {
    /// What the policies do to a queue, which is as the management API shows it.
    pub(crate) fn on(&self, plan: &QueuePlan, seen: &Value) -> OnQueue {
        let might = |policy: &&Value| !harms(plan, &seen["arguments"], &policy["definition"]).is_empty();
        let harmful: Vec<&Value> = self.all.iter().filter(might).collect();
        let is_said = seen.get("effective_policy_definition").is_some();
        if !is_said && !harmful.is_empty() {
            let policies = harmful.into_iter().map(told).collect();
            return OnQueue::NotSaid(policies, self.all.to_vec(), self.whose.clone());
        }
        let effective = &seen["effective_policy_definition"];
        let harms = harms(plan, &seen["arguments"], effective);
        if harms.is_empty() {
            return OnQueue::Known(TopologyState::Right);
        }
        let guilty: Vec<&Value> = self
            .all
            .iter()
            .filter(|policy| is_in_force(policy, seen))
            .filter(|policy| harms.iter().any(|(key, _)| policy["definition"].get(key).is_some()))
            .collect();
        let harmful = |(key, harm): (&'static str, PolicyHarm)| HarmfulKey { key, value: shown(&effective[key]), harm };
        OnQueue::Known(TopologyState::Wrong {
            differences: vec![TopologyDifference::Policies {
                policies: guilty.iter().copied().map(told).collect(),
                harms: harms.into_iter().map(harmful).collect(),
            }],
            mend: TopologyMend::Policies { mends: guilty.into_iter().map(|policy| self.mend(policy)).collect() },
        })
    }

    /// What keeps a policy from our queues.
    fn mend(&self, policy: &Value) -> PolicyMend {
        if is_operators(policy) {
            let name = policy["name"].as_str().unwrap_or_default();
            let command = format!(
                "{} --apply-to queues {name} '^(?!loa\\.)' '{}'",
                self.whose.rabbitmqctl("set_operator_policy"),
                policy["definition"]
            );
            return PolicyMend { command, lays_over: false };
        }
        let above = policy["priority"].as_i64().unwrap_or_default().saturating_add(1);
        let command = format!(
            "{} --priority {above} --apply-to queues loa-own '^loa\\.' '{}'",
            self.whose.rabbitmqctl("set_policy"),
            json!({ "queue-leader-locator": "balanced" })
        );
        PolicyMend { command, lays_over: true }
    }
}

/// What is known after the broker had time to say it; `tries_left` counts for all queues together.
pub(crate) async fn settled(
    known: OnQueue,
    plan: &QueuePlan,
    management: &Management,
    tries_left: &mut u32,
) -> TopologyState {
    let (policies, all, whose) = match known {
        OnQueue::Known(state) => return state,
        OnQueue::NotSaid(policies, all, whose) => (policies, all, whose),
    };
    while *tries_left > 0 {
        *tries_left -= 1;
        tokio::time::sleep(PAUSE).await;
        if let Ok(Some(seen)) = management.queue(plan.name).await
            && let OnQueue::Known(state) = (Policies { all: &all, whose: &whose }).on(plan, &seen)
        {
            return state;
        }
    }
    TopologyState::NotKnown { why: TopologyNotKnown::PolicyInForce { policies } }
}

fn is_operators(policy: &Value) -> bool {
    policy[OPERATORS] == true
}

fn is_in_force(policy: &Value, seen: &Value) -> bool {
    let field = if is_operators(policy) { "operator_policy" } else { "policy" };
    !policy["name"].is_null() && seen[field] == policy["name"]
}

fn told(policy: &Value) -> BrokerPolicy {
    let text = |name: &str| ServerWords::new(policy[name].as_str().unwrap_or_default());
    BrokerPolicy { name: text("name"), pattern: text("pattern"), is_operators: is_operators(policy) }
}

/// Keys of a definition that do harm to a queue, and the harm.
fn harms(plan: &QueuePlan, arguments: &Value, definition: &Value) -> Vec<(&'static str, PolicyHarm)> {
    let keeps = plan.of.is_none();
    let limit = plan.arguments.iter().find_map(|(name, value)| match value {
        Argument::Number(number) if *name == "x-delivery-limit" => Some(i64::from(*number)),
        _ => None,
    });
    let either = |keeping: PolicyHarm, services: PolicyHarm| if keeps { keeping } else { services };
    let length = either(PolicyHarm::KeepsNoMore, PolicyHarm::StopsPublishing);
    let limits =
        definition["delivery-limit"].as_i64().zip(limit).is_some_and(|(policy, ours)| (0..ours).contains(&policy));
    let all = [
        ("max-length", true, length),
        ("max-length-bytes", true, length),
        ("message-ttl", true, either(PolicyHarm::DeletesWhatIsOld, PolicyHarm::BuriesWhatIsOld)),
        ("expires", true, PolicyHarm::DeletesTheQueue),
        ("delivery-limit", limits, either(PolicyHarm::DeletesWhatReturns, PolicyHarm::BuriesWhatReturns)),
        ("overflow", arguments.get("x-overflow").is_none(), PolicyHarm::DropsTheOldest),
        ("dead-letter-exchange", keeps, PolicyHarm::LeadsAway),
    ];
    all.into_iter()
        .filter(|(key, does, _)| *does && definition.get(key).is_some())
        .map(|(key, _, harm)| (key, harm))
        .collect()
}

/// What does no harm yet. RabbitMQ puts no policy into force on a quorum queue that has a key which quorum queues do not know.
pub(crate) fn remark(all: &[Value]) -> Option<TopologyRemark> {
    let is_mirroring = |policy: &&Value| {
        policy["definition"].as_object().is_some_and(|keys| keys.keys().any(|key| key.starts_with("ha-")))
    };
    let policies: Vec<BrokerPolicy> = all.iter().filter(is_mirroring).map(told).collect();
    (!policies.is_empty()).then_some(TopologyRemark::Mirroring { policies })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    fn queue(name: &str) -> QueuePlan {
        plan::queues().into_iter().find(|plan| plan.name == name).unwrap()
    }

    fn on(name: &str, definition: Value, operators: bool) -> TopologyState {
        let whose = Whose { vhost: "v".to_owned(), user: None };
        let policy =
            json!({"name": "p", "pattern": ".*", "priority": 7, "definition": definition, "operator": operators});
        let mut seen =
            json!({"arguments": plan::json(&queue(name).arguments), "effective_policy_definition": definition});
        seen[if operators { "operator_policy" } else { "policy" }] = json!("p");
        match (Policies { all: &[policy], whose: &whose }).on(&queue(name), &seen) {
            OnQueue::Known(state) => state,
            OnQueue::NotSaid(policies, ..) => panic!("{policies:?}"),
        }
    }

    #[test]
    fn each_key_that_does_harm_is_named_with_the_policy_and_the_line_that_keeps_it_away() {
        for (key, value, name) in [
            ("max-length", json!(10), "loa.feed"),
            ("max-length-bytes", json!(10), "loa.unrouted"),
            ("message-ttl", json!(1000), "loa.feed.dead"),
            ("expires", json!(1000), "loa.feed.dead"),
            ("delivery-limit", json!(3), "loa.feed.dead"),
            ("delivery-limit", json!(3), "loa.feed"),
            ("dead-letter-exchange", json!("x"), "loa.unrouted"),
        ] {
            for (is_operators, said) in [
                (false, "rabbitmqctl set_policy -p v --priority 8 --apply-to queues"),
                (true, "set_operator_policy -p v --apply-to queues p '^(?!loa\\.)'"),
            ] {
                let TopologyState::Wrong { differences, mend } = on(name, json!({ key: value }), is_operators) else {
                    panic!("{key} on {name}")
                };
                let policy = BrokerPolicy { name: "p".into(), pattern: ".*".into(), is_operators };
                let [TopologyDifference::Policies { policies, harms }] = &differences[..] else {
                    panic!("{differences:?}")
                };
                assert_eq!(*policies, [policy]);
                assert_eq!((harms[0].key, &harms[0].value), (key, &shown(&value)));
                let TopologyMend::Policies { mends } = mend else { panic!("{mend:?}") };
                assert!(mends[0].command.contains(said), "{mends:?}");
                assert_eq!(mends[0].lays_over, !is_operators);
            }
        }
    }

    #[test]
    fn what_an_argument_of_ours_forbids_does_no_harm() {
        for (name, definition) in [
            ("loa.feed.dead", json!({"overflow": "drop-head"})),
            ("loa.feed", json!({"dead-letter-exchange": "x"})),
            ("loa.feed", json!({"delivery-limit": 50})),
            ("loa.feed", json!({"queue-leader-locator": "balanced"})),
            ("loa.feed", json!({})),
        ] {
            assert_eq!(on(name, definition.clone(), false), TopologyState::Right, "{name} {definition}");
        }
        let mirrored = json!({"name": "m", "pattern": "^loa", "definition": {"ha-mode": "all"}});
        let policies = vec![BrokerPolicy { name: "m".into(), pattern: "^loa".into(), is_operators: false }];
        assert_eq!(remark(&[mirrored]), Some(TopologyRemark::Mirroring { policies }));
        assert_eq!(remark(&[json!({"name": "m", "definition": {"max-length": 1}})]), None);
    }

    #[test]
    fn what_the_broker_does_not_say_is_right_only_when_no_policy_could_do_harm() {
        let whose = Whose { vhost: "v".to_owned(), user: None };
        let seen = json!({"arguments": plan::json(&queue("loa.feed").arguments)});
        let on = |definition: Value| {
            let policy = json!({"name": "p", "pattern": "^other", "definition": definition});
            (Policies { all: &[policy], whose: &whose }).on(&queue("loa.feed"), &seen)
        };
        assert!(matches!(on(json!({"queue-leader-locator": "balanced"})), OnQueue::Known(TopologyState::Right)));
        assert!(matches!(on(json!({"message-ttl": 5})), OnQueue::NotSaid(..)));
    }
}
