//! Renews keeping queues (dead letters, `loa.unrouted`) that programs before made without
//! `x-overflow`: a queue's arguments cannot be changed, so another one takes its place and gives it
//! back (`docs/adr/0019-keeping-queues-refuse.md`).
//!
//! A queue `Q` goes through these states, and each step may be repeated, so a crash anywhere is
//! mended by the next `loa migrate`. `T` is `Q.moving`, with the new arguments.
//!
//! 1. `T` is made and bound as `Q` is; then `Q` is unbound: new letters go to `T`.
//! 2. All letters go from `Q` to `T`: published with a confirm, then acked.
//! 3. `Q` has been empty for a while: it is deleted, made with its new arguments, and bound; `T` is
//!    unbound.
//! 4. All letters go back from `T` to `Q` in the same way; when `T` has been empty for a while, it
//!    is deleted.
//!
//! A crash between confirm and ack leaves a letter twice, and loses none. Two who renew at once would undo each other's
//! steps, so whoever renews holds an exclusive queue.

use crate::{
    asking::{Answer, Asking},
    carriage::{DEAD_EXCHANGE, Parcel},
    fault::{fault, late, missing_queue},
    plan::QueuePlan,
    publish::Publisher,
};
use lapin::{
    Acker,
    message::Delivery,
    options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use loa_bus::{BusError, BusErrorKind, limits::BATCH_BYTES_MAX};
use loa_domain::{BusFact, BusReason, ServerWords};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout};

/// Letters in hand at a time, with [`BATCH_BYTES_MAX`]: a crash counts a delivery for each of them.
const IN_HAND_MAX: usize = 100;
/// How long a queue must have been empty before it is deleted, in waits for an answer, and in heartbeats of the connection. A
/// queue of no ready messages may have some in the hands of somebody who looks at dead letters: that one publishes each again,
/// or gives it back, or falls silent, and is dropped by the broker after two heartbeats. AMQP tells nobody of them, and does
/// not know "delete if empty" for quorum queues.
const QUIET_ANSWERS: u32 = 2;
const QUIET_HEARTBEATS: u32 = 3;
/// Held by whoever renews; it goes with its connection.
const RENEWING: &str = "loa.renewing";
/// Between two looks at a queue that should stay empty.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Renews these queues, or goes on renewing them; says by name how many messages were moved.
pub(crate) async fn renew(
    asking: &mut Asking,
    publisher: &Publisher,
    plans: &[QueuePlan],
    (answer_timeout, heartbeat): (Duration, Duration),
) -> Result<BTreeMap<&'static str, u64>, BusError> {
    if plans.is_empty() {
        return Ok(BTreeMap::new());
    }
    let quiet = (answer_timeout * QUIET_ANSWERS).max(heartbeat * QUIET_HEARTBEATS);
    let mut renewing = Renewing { asking, publisher, answer_timeout, quiet };
    renewing.lock().await?;
    let renewed = renewing.run(plans).await;
    renewing.unlock().await;
    renewed
}

struct Renewing<'a> {
    asking: &'a mut Asking,
    publisher: &'a Publisher,
    answer_timeout: Duration,
    /// How long a queue must have been empty before it is deleted.
    quiet: Duration,
}

/// From which queue to which.
struct Way {
    from: String,
    to: String,
}

impl Renewing<'_> {
    async fn run(&mut self, plans: &[QueuePlan]) -> Result<BTreeMap<&'static str, u64>, BusError> {
        tracing::info!(
            queues = plans.len(),
            "queues of dead letters and unrouted messages are renewed, so that they refuse when they are full"
        );
        let mut old = Vec::new();
        for plan in plans {
            if self.stand_in(plan).await? {
                old.push(plan);
            }
        }
        let there = |plan: &QueuePlan| Way { from: plan.name.to_owned(), to: plan.moving_name() };
        let back = |plan: &QueuePlan| Way { from: plan.moving_name(), to: plan.name.to_owned() };
        if let Err(error) = self.move_all(&old.iter().map(|plan| there(plan)).collect::<Vec<_>>()).await {
            if error.kind == BusErrorKind::Rejected {
                // a letter that nobody can publish: the queues stay what they were, and nothing stands where nobody looks
                for plan in &old {
                    self.lead_back(plan).await?;
                }
                self.move_all(&old.iter().map(|plan| back(plan)).collect::<Vec<_>>()).await?;
                for plan in &old {
                    self.delete(&plan.moving_name()).await?;
                }
            }
            return Err(error);
        }
        for plan in plans {
            if old.iter().any(|old| old.name == plan.name) {
                self.delete(plan.name).await?;
            }
            self.come_back(plan).await?;
        }
        let back: Vec<Way> = plans.iter().map(back).collect();
        let moved = self.move_all(&back).await?;
        for way in &back {
            self.delete(&way.from).await?;
        }
        let moved = |plan: &QueuePlan| (plan.name, moved.get(&plan.moving_name()).copied().unwrap_or_default());
        Ok(plans.iter().map(moved).collect())
    }

    /// Nobody else renews from now on. Their connection's end sets it free, too.
    async fn lock(&mut self) -> Result<(), BusError> {
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let answer = self
            .asking
            .ask("begin to renew queues", async |channel| {
                channel.queue_declare(RENEWING.into(), options, FieldTable::default()).await.map(drop)
            })
            .await?;
        match answer {
            Answer::Differs(_) => {
                let what = "another `loa migrate` renews the queues just now; wait for it, and repeat this one";
                Err(BusError::new(BusErrorKind::Unavailable, what))
            }
            other => sure(RENEWING, other),
        }
    }

    async fn unlock(&mut self) {
        let answer = self
            .asking
            .ask("end renewing queues", async |channel| {
                channel.queue_delete(RENEWING.into(), QueueDeleteOptions::default()).await
            })
            .await;
        if let Err(error) = answer {
            tracing::debug!(%error, "the connection's end sets renewing free");
        }
    }

    /// Leads new letters to the queue again, as it is.
    async fn lead_back(&mut self, plan: &QueuePlan) -> Result<(), BusError> {
        for (exchange, key) in &plan.bindings {
            sure(plan.name, self.asking.bind(plan.name, exchange, key).await?)?;
        }
        for (exchange, key) in &plan.bindings {
            self.unbind(&plan.moving_name(), exchange, key).await?;
        }
        Ok(())
    }

    /// Makes the stand-in and leads new letters to it, if the queue is an old one. `false`: the queue is new, or not there.
    async fn stand_in(&mut self, plan: &QueuePlan) -> Result<bool, BusError> {
        let name = plan.moving_name();
        sure(&name, self.asking.declare_queue(&name, &plan.arguments).await?)?;
        match self.asking.ready(plan.name).await? {
            Answer::Missing => return Ok(false),
            other => drop(sure(plan.name, other)?),
        }
        if let Answer::Yes(()) = self.asking.declare_queue(plan.name, &plan.arguments).await? {
            return Ok(false);
        }
        // both for a moment: what comes twice is harmless, and what comes to neither would be lost
        for (exchange, key) in &plan.bindings {
            sure(&name, self.asking.bind(&name, exchange, key).await?)?;
        }
        for (exchange, key) in &plan.bindings {
            self.unbind(plan.name, exchange, key).await?;
        }
        Ok(true)
    }

    /// Makes the queue anew, and leads new letters to it.
    async fn come_back(&mut self, plan: &QueuePlan) -> Result<(), BusError> {
        sure(plan.name, self.asking.declare_queue(plan.name, &plan.arguments).await?)?;
        self.lead_back(plan).await
    }

    async fn unbind(&mut self, queue: &str, exchange: &str, key: &str) -> Result<(), BusError> {
        let answer = self
            .asking
            .ask(&format!("unbind {queue} from {exchange}"), async |channel| {
                channel.queue_unbind(queue.into(), exchange.into(), key.into(), FieldTable::default()).await
            })
            .await?;
        sure(queue, answer)
    }

    /// Moves until all of these queues have stayed empty for a while. How many came from each.
    async fn move_all(&mut self, ways: &[Way]) -> Result<BTreeMap<String, u64>, BusError> {
        let mut moved: BTreeMap<String, u64> = BTreeMap::new();
        let quiet = self.quiet;
        let mut quiet_at = Instant::now() + quiet;
        loop {
            for way in ways {
                let count = self.move_some(way).await?;
                if count > 0 {
                    *moved.entry(way.from.clone()).or_default() += count;
                    quiet_at = Instant::now() + quiet;
                }
            }
            if ways.is_empty() || Instant::now() >= quiet_at {
                return Ok(moved);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Moves what is ready. How many.
    async fn move_some(&mut self, way: &Way) -> Result<u64, BusError> {
        let mut moved = 0;
        loop {
            let batch = self.take(&way.from).await?;
            if batch.is_empty() {
                return Ok(moved);
            }
            let (ackers, parcels): (Vec<Acker>, Vec<Parcel>) =
                batch.into_iter().map(|delivery| (delivery.acker.clone(), pack(delivery, &way.to))).unzip();
            let mut failure = None;
            for (acker, outcome) in ackers.iter().zip(self.publisher.publish_letters(&parcels).await) {
                match outcome {
                    Ok(()) => {
                        self.ack(acker, &way.from).await?;
                        moved += 1;
                    }
                    Err(error) => failure = Some(error),
                }
            }
            match failure {
                None => {}
                Some(error) if error.kind == BusErrorKind::Rejected => {
                    let what = format!(
                        "cannot renew {}: the broker takes a letter of it no more; `loa dead-letters list` names it: \
                         discard it, or raise the limit that it says",
                        way.from
                    );
                    return Err(BusError::caused(error.kind, what, error));
                }
                Some(error) => {
                    let what = format!(
                        "cannot move a message from {} to {}; repeating it goes on from here",
                        way.from, way.to
                    );
                    return Err(BusError::caused(error.kind, what, error));
                }
            }
        }
    }

    async fn take(&mut self, name: &str) -> Result<Vec<Delivery>, BusError> {
        let channel = self.asking.channel().await?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < IN_HAND_MAX && bytes < BATCH_BYTES_MAX {
            let what = format!("read {name}");
            match timeout(self.answer_timeout, channel.basic_get(name.into(), BasicGetOptions::default())).await {
                Ok(Ok(Some(got))) => {
                    bytes += got.delivery.data.len();
                    batch.push(got.delivery);
                }
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(fault(&what, error)),
                Err(_) => return Err(late(&what)),
            }
        }
        Ok(batch)
    }

    async fn ack(&self, acker: &Acker, name: &str) -> Result<(), BusError> {
        let what = format!("settle in {name}");
        match timeout(self.answer_timeout, acker.ack(BasicAckOptions::default())).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => {
                Err(BusError::new(BusErrorKind::Unavailable, format!("cannot {what}: its channel is closed"))
                    .about(BusFact::ConnectionLost))
            }
            Ok(Err(error)) => Err(fault(&what, error)),
            Err(_) => Err(late(&what)),
        }
    }

    /// Deletes a queue that has stayed empty.
    async fn delete(&mut self, name: &str) -> Result<(), BusError> {
        match self.asking.ready(name).await? {
            Answer::Missing => return Ok(()),
            Answer::Yes(0) => {}
            Answer::Yes(_) => {
                let what = format!("messages came to {name} while it was to be deleted; repeat `loa migrate`");
                return Err(BusError::new(BusErrorKind::Unavailable, what));
            }
            other => drop(sure(name, other)?),
        }
        let answer = self
            .asking
            .ask(&format!("delete {name}"), async |channel| {
                channel.queue_delete(name.into(), QueueDeleteOptions::default()).await
            })
            .await?;
        let deleted = sure(name, answer)?;
        if deleted > 0 {
            tracing::error!(queue = name, deleted, "messages came to a queue in the moment in which it was deleted");
        }
        Ok(())
    }
}

/// A message on its way to another queue, as it is.
fn pack(delivery: Delivery, to: &str) -> Parcel {
    // by the default exchange its routing key becomes the queue's name; that of a dead letter is no producer's
    let is_producers = !["", DEAD_EXCHANGE].contains(&delivery.exchange.as_str());
    let routing_key = is_producers.then(|| delivery.routing_key.to_string());
    Parcel::moved(to, delivery, routing_key)
}

fn sure<T>(name: &str, answer: Answer<T>) -> Result<T, BusError> {
    let refused = |words: &ServerWords| {
        let what = format!("cannot renew {name}: {words}; `loa migrate` needs the right `configure` for it, once");
        let reason = BusReason { facts: vec![BusFact::NoRightToRenew { queue: name.to_owned() }], said: words.clone() };
        BusError::new(BusErrorKind::Refused, what).with(reason)
    };
    match answer {
        Answer::Yes(answer) => Ok(answer),
        Answer::Missing => Err(missing_queue(name)),
        Answer::Forbidden(words) => Err(refused(&words).because("access_refused")),
        Answer::Differs(words) => Err(refused(&words).because("precondition_failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carriage::ROUTING_KEY;
    use lapin::{
        BasicProperties,
        types::{AMQPValue, FieldTable, ShortString},
    };

    #[test]
    fn a_message_is_moved_as_it_is_with_the_key_it_came_by_and_without_the_brokers_count() {
        let mut headers = FieldTable::default();
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));
        headers.insert("x-death".into(), AMQPValue::FieldArray(Vec::new().into()));
        headers.insert("odd".into(), AMQPValue::FieldTable(FieldTable::default()));
        let mut delivery = Delivery::mock(1, "loa.events".into(), "news.published".into(), true, b"{}".to_vec());
        delivery.properties = BasicProperties::default().with_headers(headers).with_correlation_id("c-1".into());
        let parcel = pack(delivery, "loa.unrouted.moving");
        let properties = parcel.properties(131_072);
        let headers = properties.headers().clone().unwrap();
        let names: Vec<_> = headers.inner().keys().map(ToString::to_string).collect();
        assert_eq!(names, ["odd", "x-death", ROUTING_KEY]);
        assert_eq!(headers.inner()[ROUTING_KEY], AMQPValue::LongString("news.published".into()));
        assert_eq!((parcel.exchange, parcel.routing_key.as_str()), ("", "loa.unrouted.moving"));
        assert_eq!(properties.correlation_id().as_ref().map(ShortString::as_str), Some("c-1"));
        assert_eq!(*properties.delivery_mode(), Some(2));
    }
}
