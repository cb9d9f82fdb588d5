//! Which policies are in force on a queue, what they do to it, and how they are kept from it.
//!
//! A queue has one policy, the one of the highest priority whose pattern matches, and one of the
//! operators beside it; the smaller of two numbers holds. An argument of the queue wins for
//! `overflow` and for dead-lettering, and never for a length, an age or a limit of deliveries.

use crate::{
    management::{Management, OPERATORS},
    plan::{Argument, QueuePlan},
    rights::Whose,
};
use loa_bus::Found;
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
    Known(Found),
    /// The broker does not say which are in force, and these could do harm.
    NotSaid(String, Vec<Value>, Whose),
}

impl Policies<'_> {
    /// What the policies do to a queue, which is as the management API shows it.
    pub(crate) fn on(&self, plan: &QueuePlan, seen: &Value) -> OnQueue {
        let might = |policy: &&Value| !harms(plan, &seen["arguments"], &policy["definition"]).is_empty();
        let harmful: Vec<&Value> = self.all.iter().filter(might).collect();
        let is_said = seen.get("effective_policy_definition").is_some();
        if !is_said && !harmful.is_empty() {
            let names: Vec<String> = harmful.iter().map(|policy| name_and_pattern(policy)).collect();
            let why = format!(
                "the broker does not say which policy is in force on it (are its statistics switched off?), and {} would do \
                 harm to it",
                names.join(", ")
            );
            return OnQueue::NotSaid(why, self.all.to_vec(), self.whose.clone());
        }
        let effective = &seen["effective_policy_definition"];
        let harms = harms(plan, &seen["arguments"], effective);
        if harms.is_empty() {
            return OnQueue::Known(Found::Right);
        }
        let in_force: Vec<&Value> = self.all.iter().filter(|policy| is_in_force(policy, seen)).collect();
        let guilty: Vec<&Value> = in_force
            .into_iter()
            .filter(|policy| harms.iter().any(|(key, _)| policy["definition"].get(key).is_some()))
            .collect();
        let how: Vec<String> =
            harms.iter().map(|(key, harm)| format!("`{key}` = {}: {harm}", effective[*key])).collect();
        let names: Vec<String> = guilty.iter().map(|policy| name_and_pattern(policy)).collect();
        let mends: Vec<String> = guilty.iter().map(|policy| self.mend(policy)).collect();
        OnQueue::Known(Found::Wrong {
            how: format!("{}: {}", names.join(", "), how.join("; ")),
            mend: mends.join(", and "),
        })
    }

    /// The line that keeps a policy from our queues.
    fn mend(&self, policy: &Value) -> String {
        let name = policy["name"].as_str().unwrap_or_default();
        if is_operators(policy) {
            return format!(
                "`{} --apply-to queues {name} '^(?!loa\\.)' '{}'`",
                self.whose.rabbitmqctl("set_operator_policy"),
                policy["definition"]
            );
        }
        let above = policy["priority"].as_i64().unwrap_or_default().saturating_add(1);
        format!(
            "`{} --priority {above} --apply-to queues loa-own '^loa\\.' '{}'` lays one without effect over it",
            self.whose.rabbitmqctl("set_policy"),
            json!({ "queue-leader-locator": "balanced" })
        )
    }
}

/// What is known after the broker had time to say it; `tries_left` counts for all queues together.
pub(crate) async fn settled(found: OnQueue, plan: &QueuePlan, management: &Management, tries_left: &mut u32) -> Found {
    let (why, all, whose) = match found {
        OnQueue::Known(found) => return found,
        OnQueue::NotSaid(why, all, whose) => (why, all, whose),
    };
    while *tries_left > 0 {
        *tries_left -= 1;
        tokio::time::sleep(PAUSE).await;
        if let Ok(Some(seen)) = management.queue(plan.name).await
            && let OnQueue::Known(found) = (Policies { all: &all, whose: &whose }).on(plan, &seen)
        {
            return found;
        }
    }
    Found::NotKnown(why)
}

fn is_operators(policy: &Value) -> bool {
    policy[OPERATORS] == true
}

fn is_in_force(policy: &Value, seen: &Value) -> bool {
    let field = if is_operators(policy) { "operator_policy" } else { "policy" };
    !policy["name"].is_null() && seen[field] == policy["name"]
}

fn name_and_pattern(policy: &Value) -> String {
    let kind = if is_operators(policy) { "the operator policy" } else { "the policy" };
    let text = |name: &str| policy[name].as_str().unwrap_or_default().to_owned();
    format!("{kind} `{}` (on `{}`)", text("name"), text("pattern"))
}

/// Keys of a definition that do harm to a queue, and the harm.
fn harms(plan: &QueuePlan, arguments: &Value, definition: &Value) -> Vec<(&'static str, &'static str)> {
    let keeps = plan.of.is_none();
    let limit = plan.arguments.iter().find_map(|(name, value)| match value {
        Argument::Number(number) if *name == "x-delivery-limit" => Some(i64::from(*number)),
        _ => None,
    });
    let all: [(&str, bool, &str); 7] = [
        ("max-length", true, length_harm(keeps)),
        ("max-length-bytes", true, length_harm(keeps)),
        (
            "message-ttl",
            true,
            if keeps {
                "what it keeps is deleted when it is that old, in ms"
            } else {
                "what waits that long, in ms, becomes a dead letter"
            },
        ),
        ("expires", true, "after so many ms without a consumer it is deleted, with all that is in it"),
        (
            "delivery-limit",
            definition["delivery-limit"].as_i64().zip(limit).is_some_and(|(policy, ours)| (0..ours).contains(&policy)),
            if keeps {
                "what was got that often and not settled is deleted"
            } else {
                "what came back that often becomes a dead letter"
            },
        ),
        ("overflow", arguments.get("x-overflow").is_none(), "when it is full, it drops its oldest"),
        ("dead-letter-exchange", keeps, "what leaves it goes there, where nobody looks for it"),
    ];
    all.into_iter()
        .filter(|(key, does, _)| *does && definition.get(key).is_some())
        .map(|(key, _, harm)| (key, harm))
        .collect()
}

fn length_harm(keeps: bool) -> &'static str {
    if keeps {
        "when it is that long it takes no more, and what should be kept waits with its sender"
    } else {
        "when it is that long, publishing stops for all outlets"
    }
}

/// What does no harm yet. RabbitMQ puts no policy into force on a quorum queue that has a key which quorum queues do not know.
pub(crate) fn remark(all: &[Value]) -> Option<String> {
    let is_mirroring = |policy: &&Value| {
        policy["definition"].as_object().is_some_and(|keys| keys.keys().any(|key| key.starts_with("ha-")))
    };
    let names: Vec<String> = all.iter().filter(is_mirroring).map(name_and_pattern).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} mirrors classic queues (`ha-mode`); it is in force on none of Loa's queues, which have replicas by themselves; \
             RabbitMQ 4 does not know such policies: remove it before the upgrade",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    fn queue(name: &str) -> QueuePlan {
        plan::queues().into_iter().find(|plan| plan.name == name).unwrap()
    }

    fn on(name: &str, definition: Value, operators: bool) -> Found {
        let whose = Whose { vhost: "v".to_owned(), user: None };
        let policy =
            json!({"name": "p", "pattern": ".*", "priority": 7, "definition": definition, "operator": operators});
        let mut seen =
            json!({"arguments": plan::json(&queue(name).arguments), "effective_policy_definition": definition});
        seen[if operators { "operator_policy" } else { "policy" }] = json!("p");
        match (Policies { all: &[policy], whose: &whose }).on(&queue(name), &seen) {
            OnQueue::Known(found) => found,
            OnQueue::NotSaid(why, ..) => panic!("{why}"),
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
            let Found::Wrong { how, mend } = on(name, json!({ key: value }), false) else { panic!("{key} on {name}") };
            assert!(how.contains(&format!("the policy `p` (on `.*`): `{key}` = {value}: ")), "{how}");
            assert!(mend.contains("rabbitmqctl set_policy -p v --priority 8 --apply-to queues"), "{mend}");
            let Found::Wrong { mend, .. } = on(name, json!({ key: value }), true) else { panic!("{key} on {name}") };
            assert!(mend.contains("set_operator_policy -p v --apply-to queues p '^(?!loa\\.)'"), "{mend}");
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
            assert_eq!(on(name, definition.clone(), false), Found::Right, "{name} {definition}");
        }
        let mirrored = json!({"name": "m", "pattern": "^loa", "definition": {"ha-mode": "all"}});
        assert!(remark(&[mirrored]).unwrap().contains("the policy `m` (on `^loa`)"));
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
        assert!(matches!(on(json!({"queue-leader-locator": "balanced"})), OnQueue::Known(Found::Right)));
        assert!(matches!(on(json!({"message-ttl": 5})), OnQueue::NotSaid(..)));
    }
}
