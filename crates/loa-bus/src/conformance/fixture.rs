//! What each rule of the suite receives: a broker of its own, and the helper functions in which
//! rules are written.

use crate::{Bus, Consumer, Message, Outgoing, Queue, Received, Route, Settlement, Tag};
use async_trait::async_trait;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long a rule waits for what must come. Generous: the machine may be busy with other tests.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a rule waits for what must not come.
pub(super) const QUIET: Duration = Duration::from_millis(300);

/// A fresh, empty broker, used by one rule.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// A bus on this broker, as another process would open it; the topology is not declared. When it comes back, the
    /// broker has been reached.
    async fn undeclared(&self) -> Arc<dyn Bus>;

    /// Ends a process without farewell: what its consumers have not settled stays so, nothing is closed in order.
    async fn crash(&self, bus: Arc<dyn Bus>, consumers: Vec<Box<dyn Consumer>>);

    /// A bus on this broker, as another process would open it, with the topology declared.
    async fn bus(&self) -> Arc<dyn Bus> {
        let bus = self.undeclared().await;
        bus.declare().await.expect("the topology can be declared");
        bus
    }
}

/// Message `n`, under the routing key of an article.
pub(super) fn article(n: usize) -> Outgoing {
    Outgoing { route: Route::Topic("article.published.kinh-te".to_owned()), message: message(n) }
}

/// Message `n`, to the feed's queue alone.
pub(super) fn to_feed(n: usize) -> Outgoing {
    Outgoing { route: Route::Queue(Queue::Feed), message: message(n) }
}

/// Message `n`.
pub(super) fn message(n: usize) -> Message {
    Message {
        id: id(n),
        content_type: "application/cloudevents+json".to_owned(),
        headers: BTreeMap::from([("number".to_owned(), n.to_string())]),
        body: format!(r#"{{"title":"Bản tin số {n}"}}"#).into(),
    }
}

/// The id of message `n`.
pub(super) fn id(n: usize) -> String {
    format!("message-{n:05}")
}

/// The ids of messages of a range.
pub(super) fn ids(range: impl IntoIterator<Item = usize>) -> Vec<String> {
    range.into_iter().map(id).collect()
}

/// The ids of what was received.
pub(super) fn ids_of(received: &[Received]) -> Vec<String> {
    received.iter().map(|r| r.message.id.clone()).collect()
}

/// Publishes; each message must be confirmed.
pub(super) async fn publish(bus: &Arc<dyn Bus>, batch: Vec<Outgoing>) {
    let count = batch.len();
    let outcomes = bus.publish(batch).await;
    assert_eq!(outcomes.len(), count, "one outcome per message");
    for (n, outcome) in outcomes.into_iter().enumerate() {
        outcome.unwrap_or_else(|error| panic!("message {n} of the batch was not confirmed: {error:?}"));
    }
}

/// Opens a consumer.
pub(super) async fn consume(bus: &Arc<dyn Bus>, queue: Queue, prefetch: u16) -> Box<dyn Consumer> {
    bus.consume(queue, prefetch).await.expect("the queue can be consumed")
}

/// Receives exactly `count` messages, in as many batches as it takes.
pub(super) async fn receive(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Received> {
    let deadline = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while all.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} messages came: {:?}", all.len(), ids_of(&all));
        let wait = Duration::from_millis(500);
        all.extend(consumer.receive(count - all.len(), wait).await.expect("the consumer goes on"));
    }
    all
}

/// Receives nothing for a while.
pub(super) async fn receive_nothing(consumer: &mut Box<dyn Consumer>) {
    let came = consumer.receive(100, QUIET).await.expect("the consumer goes on");
    assert!(came.is_empty(), "nothing should come, and {:?} came", ids_of(&came));
}

/// Settles all of these alike.
pub(super) async fn settle(consumer: &mut Box<dyn Consumer>, received: &[Received], settlement: Settlement) {
    let decisions: Vec<(Tag, Settlement)> = received.iter().map(|r| (r.tag, settlement.clone())).collect();
    consumer.settle(decisions).await.expect("the broker hears the settlement");
}

/// Waits until a queue has so many messages ready and dead: brokers count, and move, with a delay.
pub(super) async fn wait_for_depth(bus: &Arc<dyn Bus>, queue: Queue, expected: (u64, u64)) {
    wait_until(&format!("{queue} to have {expected:?} messages ready and dead"), async || {
        bus.depth(queue).await.expect("the queue can be counted") == expected
    })
    .await;
}

/// Asks again until it is so.
pub(super) async fn wait_until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
