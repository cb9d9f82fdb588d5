//! Exchanges, queues and bindings: made by `declare`, looked for by `check`.
//!
//! Everything durable; every queue a quorum queue. A queue's arguments cannot be changed later, so those that an operator
//! may want to change (lengths) are left to policies.

use crate::{
    carriage::DEAD_EXCHANGE,
    fault::{fault, is_not_found, late, missing, protocol_error},
    link::Session,
};
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::{AMQPValue, FieldTable},
};
use loa_bus::{BusError, BusErrorKind, DELIVERY_LIMIT, EVENTS_EXCHANGE, Queue, UNROUTED};
use std::time::Duration;
use tokio::time::timeout;

/// The delivery limit of queues that operators look into: each look is a delivery, and no number of looks may drop a
/// message. RabbitMQ 4 would set 20 where none is given; 3.10 knows no word for "none".
const LOOKED_AT_LIMIT: i32 = 1_000_000_000;

/// Name, kind, the kind's word, arguments.
fn exchanges() -> [(&'static str, ExchangeKind, &'static str, FieldTable); 3] {
    [
        (UNROUTED, ExchangeKind::Fanout, "fanout", FieldTable::default()),
        (EVENTS_EXCHANGE, ExchangeKind::Topic, "topic", arguments([("alternate-exchange", text(UNROUTED))])),
        (DEAD_EXCHANGE, ExchangeKind::Direct, "direct", FieldTable::default()),
    ]
}

/// A queue to be made.
struct Plan {
    name: &'static str,
    arguments: FieldTable,
    /// Exchange and routing key of each binding.
    bindings: Vec<(&'static str, &'static str)>,
}

fn queues() -> Vec<Plan> {
    let looked_at =
        || arguments([("x-queue-type", text("quorum")), ("x-delivery-limit", AMQPValue::LongInt(LOOKED_AT_LIMIT))]);
    let mut queues = vec![Plan { name: UNROUTED, arguments: looked_at(), bindings: vec![(UNROUTED, "")] }];
    for queue in Queue::ALL {
        let bindings = vec![(DEAD_EXCHANGE, queue.name())];
        queues.push(Plan { name: queue.dead_name(), arguments: looked_at(), bindings });
        let limit = i32::try_from(DELIVERY_LIMIT).unwrap_or(i32::MAX);
        let arguments = arguments([
            ("x-queue-type", text("quorum")),
            ("x-delivery-limit", AMQPValue::LongInt(limit)),
            ("x-dead-letter-exchange", text(DEAD_EXCHANGE)),
            ("x-dead-letter-routing-key", text(queue.name())),
            ("x-dead-letter-strategy", text("at-least-once")),
            // at-least-once dead lettering needs it, and a full queue must say no instead of dropping its oldest
            ("x-overflow", text("reject-publish")),
        ]);
        let bindings = queue.bindings().iter().map(|key| (EVENTS_EXCHANGE, *key)).collect();
        queues.push(Plan { name: queue.name(), arguments, bindings });
    }
    queues
}

fn arguments<const N: usize>(pairs: [(&'static str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in pairs {
        table.insert(name.into(), value);
    }
    table
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// Makes what is missing; one line per thing.
pub(crate) async fn declare(session: &Session, answer_timeout: Duration) -> Result<Vec<String>, BusError> {
    let channel = open(session, answer_timeout).await?;
    let mut lines = Vec::new();
    for (name, kind, word, arguments) in exchanges() {
        let what = format!("exchange {name}");
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        made(&what, answer_timeout, channel.exchange_declare(name.into(), kind, options, arguments)).await?;
        lines.push(format!("{what} ({word}): there"));
    }
    for Plan { name, arguments, bindings } in queues() {
        let what = format!("queue {name}");
        made(&what, answer_timeout, channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments))
            .await?;
        for (exchange, key) in &bindings {
            let bind = channel.queue_bind(
                name.into(),
                (*exchange).into(),
                (*key).into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            );
            made(&format!("binding of {name} to {exchange}"), answer_timeout, bind).await?;
        }
        let keys: Vec<_> =
            bindings.iter().map(|(exchange, key)| format!("{exchange} {key}").trim().to_owned()).collect();
        lines.push(format!("{what} (quorum), bound to {}: there", keys.join(", ")));
    }
    Ok(lines)
}

/// Looks for exchanges and queues, changing nothing. Bindings cannot be looked for over AMQP 0-9-1.
pub(crate) async fn check(session: &Session, answer_timeout: Duration) -> Result<(), BusError> {
    let channel = open(session, answer_timeout).await?;
    for (name, kind, _, _) in exchanges() {
        let what = format!("the exchange {name}");
        let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        found(&what, answer_timeout, channel.exchange_declare(name.into(), kind, options, FieldTable::default()))
            .await?;
    }
    for Plan { name, .. } in queues() {
        depth(&channel, name, answer_timeout).await?;
    }
    Ok(())
}

/// Messages ready in a queue.
pub(crate) async fn depth(channel: &Channel, name: &'static str, answer_timeout: Duration) -> Result<u64, BusError> {
    let options = QueueDeclareOptions::durable().passive();
    let asked = channel.queue_declare(name.into(), options, FieldTable::default());
    let queue = found(&format!("the queue {name}"), answer_timeout, asked).await?;
    Ok(u64::from(queue.message_count()))
}

/// A channel for a few questions; dropped after them.
pub(crate) async fn open(session: &Session, answer_timeout: Duration) -> Result<Channel, BusError> {
    match timeout(answer_timeout, session.connection.create_channel()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => Err(fault("open a channel", error)),
        Err(_) => Err(late("open a channel")),
    }
}

async fn made<T>(
    what: &str,
    answer_timeout: Duration,
    making: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusError> {
    match timeout(answer_timeout, making).await {
        Ok(Ok(made)) => Ok(made),
        Ok(Err(error))
            if matches!(protocol_error(&error), Some(AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED))) =>
        {
            let what = format!(
                "the {what} exists with other arguments; it must be emptied and deleted before ours can be made"
            );
            Err(BusError::caused(BusErrorKind::Refused, what, error).because("precondition_failed"))
        }
        Ok(Err(error)) => Err(fault(&format!("make the {what}"), error)),
        Err(_) => Err(late(&format!("make the {what}"))),
    }
}

async fn found<T>(
    what: &str,
    answer_timeout: Duration,
    asking: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusError> {
    match timeout(answer_timeout, asking).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) if is_not_found(&error) => Err(missing(what)),
        Ok(Err(error)) => Err(fault(&format!("look for {what}"), error)),
        Err(_) => Err(late(&format!("look for {what}"))),
    }
}
