//! What the topology should be: exchanges, queues, their arguments and bindings; and the same as a
//! definitions file that a broker's administrator imports. Pure.
//!
//! Everything is durable, and every queue is a quorum queue. A queue's arguments cannot be changed
//! later, so what an operator may want to change (lengths) is left to policies. What must not be
//! changed is an argument: an argument for `overflow` wins over a policy's.

use crate::carriage::DEAD_EXCHANGE;
use lapin::{
    ExchangeKind,
    types::{AMQPValue, FieldTable},
};
use loa_bus::{DELIVERY_LIMIT, EVENTS_EXCHANGE, Queue, UNROUTED};
use serde_json::{Map, Value, json};

/// The delivery limit of keeping queues: no number of deliveries may drop a message. RabbitMQ 4 would set 20 where none is
/// given; 3.10 knows no word for "none".
const KEEPING_LIMIT: i32 = 1_000_000_000;
/// What a keeping queue that is being renewed is called meanwhile: its name with this behind it.
const MOVING: &str = ".moving";

/// The value of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    Text(&'static str),
    Number(i32),
}

pub(crate) type Arguments = Vec<(&'static str, Argument)>;

/// An exchange as it should be.
#[derive(Debug, Clone)]
pub(crate) struct ExchangePlan {
    pub(crate) name: &'static str,
    pub(crate) kind: ExchangeKind,
    /// The kind's word.
    pub(crate) word: &'static str,
    pub(crate) arguments: Arguments,
}

/// A queue as it should be.
#[derive(Debug, Clone)]
pub(crate) struct QueuePlan {
    pub(crate) name: &'static str,
    pub(crate) arguments: Arguments,
    /// Exchange and routing key of each binding.
    pub(crate) bindings: Vec<(&'static str, &'static str)>,
    /// The queue of a service; `None`: it keeps what somebody has to look at.
    pub(crate) of: Option<Queue>,
}

impl QueuePlan {
    /// The arguments that programs before gave a keeping queue.
    pub(crate) fn arguments_before(&self) -> Option<Arguments> {
        self.of.is_none().then(|| keeping_before().to_vec())
    }

    /// What the queue is called that takes its place while it is renewed.
    pub(crate) fn moving_name(&self) -> String {
        format!("{}{MOVING}", self.name)
    }
}

/// In the order in which they can be made.
pub(crate) fn exchanges() -> [ExchangePlan; 3] {
    let plan = |name, kind, word, arguments| ExchangePlan { name, kind, word, arguments };
    [
        plan(UNROUTED, ExchangeKind::Fanout, "fanout", Vec::new()),
        plan(EVENTS_EXCHANGE, ExchangeKind::Topic, "topic", vec![("alternate-exchange", Argument::Text(UNROUTED))]),
        plan(DEAD_EXCHANGE, ExchangeKind::Direct, "direct", Vec::new()),
    ]
}

fn keeping_before() -> [(&'static str, Argument); 2] {
    [("x-queue-type", Argument::Text("quorum")), ("x-delivery-limit", Argument::Number(KEEPING_LIMIT))]
}

/// All queues; the dead letters of a queue before it.
pub(crate) fn queues() -> Vec<QueuePlan> {
    let keeping = |name, bindings| {
        let mut arguments = keeping_before().to_vec();
        // under a policy with a length, a full queue says no instead of dropping its oldest
        arguments.push(("x-overflow", Argument::Text("reject-publish")));
        QueuePlan { name, arguments, bindings, of: None }
    };
    let mut queues = vec![keeping(UNROUTED, vec![(UNROUTED, "")])];
    for queue in Queue::ALL {
        queues.push(keeping(queue.dead_name(), vec![(DEAD_EXCHANGE, queue.name())]));
        let arguments = vec![
            ("x-queue-type", Argument::Text("quorum")),
            ("x-delivery-limit", Argument::Number(i32::try_from(DELIVERY_LIMIT).unwrap_or(i32::MAX))),
            ("x-dead-letter-exchange", Argument::Text(DEAD_EXCHANGE)),
            ("x-dead-letter-routing-key", Argument::Text(queue.name())),
            ("x-dead-letter-strategy", Argument::Text("at-least-once")),
            // at-least-once dead lettering needs it, and a full queue must say no instead of dropping its oldest
            ("x-overflow", Argument::Text("reject-publish")),
        ];
        let bindings = queue.bindings().iter().map(|key| (EVENTS_EXCHANGE, *key)).collect();
        queues.push(QueuePlan { name: queue.name(), arguments, bindings, of: Some(queue) });
    }
    queues
}

/// Arguments as AMQP has them.
pub(crate) fn table(arguments: &[(&'static str, Argument)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString((*text).into()),
            Argument::Number(number) => AMQPValue::LongInt(*number),
        };
        table.insert((*name).into(), value);
    }
    table
}

/// Arguments as the management API has them.
pub(crate) fn json(arguments: &[(&'static str, Argument)]) -> Map<String, Value> {
    let value = |value: &Argument| match value {
        Argument::Text(text) => json!(text),
        Argument::Number(number) => json!(number),
    };
    arguments.iter().map(|(name, argument)| ((*name).to_owned(), value(argument))).collect()
}

/// The topology as RabbitMQ's definitions, for `rabbitmqctl import_definitions` or the management API. No users, no rights, no
/// policies, no secret; the vhost must exist.
pub fn definitions(vhost: &str) -> Value {
    let exchanges: Vec<Value> = exchanges()
        .iter()
        .map(|plan| {
            json!({
                "name": plan.name, "vhost": vhost, "type": plan.word, "durable": true, "auto_delete": false,
                "internal": false, "arguments": json(&plan.arguments),
            })
        })
        .collect();
    let plans = queues();
    let queues: Vec<Value> = plans
        .iter()
        .map(|plan| {
            json!({
                "name": plan.name, "vhost": vhost, "durable": true, "auto_delete": false,
                "arguments": json(&plan.arguments),
            })
        })
        .collect();
    let bindings: Vec<Value> = plans
        .iter()
        .flat_map(|plan| plan.bindings.iter().map(|(exchange, key)| (plan.name, exchange, key)))
        .map(|(queue, exchange, key)| {
            json!({
                "source": exchange, "vhost": vhost, "destination": queue, "destination_type": "queue",
                "routing_key": key, "arguments": {},
            })
        })
        .collect();
    json!({ "exchanges": exchanges, "queues": queues, "bindings": bindings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_a_quorum_queue_with_a_limit_of_its_own_that_refuses_when_it_is_full() {
        for plan in queues() {
            for (name, value) in
                [("x-queue-type", Argument::Text("quorum")), ("x-overflow", Argument::Text("reject-publish"))]
            {
                assert!(plan.arguments.contains(&(name, value)), "{} {name}", plan.name);
            }
            assert!(plan.arguments.iter().any(|(name, _)| *name == "x-delivery-limit"), "{}", plan.name);
            assert!(plan.bindings.iter().all(|(exchange, _)| exchanges().iter().any(|plan| plan.name == *exchange)));
        }
    }

    #[test]
    fn definitions_name_the_vhost_of_every_thing_and_hold_no_user() {
        let definitions = definitions("tin & bài/1");
        let things: Vec<_> = definitions.as_object().unwrap().iter().collect();
        assert_eq!(
            things.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["exchanges", "queues", "bindings"]
        );
        let all: Vec<&Value> = things.iter().flat_map(|(_, list)| list.as_array().unwrap()).collect();
        assert_eq!(all.len(), 3 + 9 + 1 + 4 + 12);
        assert!(all.iter().all(|thing| thing["vhost"] == "tin & bài/1"));
    }
}
