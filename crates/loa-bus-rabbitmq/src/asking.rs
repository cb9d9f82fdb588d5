//! One question to the broker at a time, on a channel that is opened anew after each answer that
//! closed it; and the answers sorted by what they mean for the topology.

use crate::{
    fault::{fault, late, protocol_error},
    link::Session,
    plan::{Arguments, ExchangePlan, table},
};
use lapin::{
    Channel, Error, ErrorKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::FieldTable,
};
use loa_bus::BusError;
use loa_domain::ServerWords;
use std::time::Duration;
use tokio::time::timeout;

/// What the broker answers to a question about a thing.
pub(crate) enum Answer<T> {
    Yes(T),
    Missing,
    /// We lack a right; the broker's words.
    Forbidden(ServerWords),
    /// It is there with other arguments, or in others' hands alone; the broker's words.
    Differs(ServerWords),
}

/// Asks over one connection.
pub(crate) struct Asking {
    session: Session,
    answer_timeout: Duration,
    channel: Option<Channel>,
}

impl Asking {
    pub(crate) fn over(session: Session, answer_timeout: Duration) -> Self {
        Self { session, answer_timeout, channel: None }
    }

    /// Between two heartbeats of this connection, as agreed with the broker.
    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.session.connection.configuration().heartbeat().into())
    }

    pub(crate) async fn channel(&mut self) -> Result<Channel, BusError> {
        if let Some(channel) = self.channel.clone().filter(|channel| channel.status().connected()) {
            return Ok(channel);
        }
        let channel = open(&self.session, self.answer_timeout).await?;
        self.channel = Some(channel.clone());
        Ok(channel)
    }

    /// Puts one question; `what` stands in the sentence when there is no answer.
    ///
    /// # Errors
    /// When the broker gave no answer to it.
    pub(crate) async fn ask<T>(
        &mut self,
        what: &str,
        question: impl AsyncFnOnce(&Channel) -> lapin::Result<T>,
    ) -> Result<Answer<T>, BusError> {
        let channel = self.channel().await?;
        match timeout(self.answer_timeout, question(&channel)).await {
            Ok(Ok(answer)) => Ok(Answer::Yes(answer)),
            Ok(Err(error)) => {
                // an error of the protocol has closed the channel
                self.channel = None;
                match protocol_error(&error) {
                    Some(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)) => Ok(Answer::Missing),
                    Some(AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)) => Ok(Answer::Forbidden(words(&error))),
                    Some(AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED | AMQPSoftError::RESOURCELOCKED)) => {
                        Ok(Answer::Differs(words(&error)))
                    }
                    _ => Err(fault(what, error)),
                }
            }
            Err(_) => {
                self.channel = None;
                Err(late(what))
            }
        }
    }

    /// Whether an exchange is there; changes nothing, and says nothing of its kind and arguments.
    pub(crate) async fn is_exchange_there(&mut self, plan: &ExchangePlan) -> Result<Answer<()>, BusError> {
        let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        self.ask(&format!("look for the exchange {}", plan.name), async |channel| {
            channel.exchange_declare(plan.name.into(), plan.kind.clone(), options, FieldTable::default()).await
        })
        .await
    }

    /// Makes an exchange, or finds it equal.
    pub(crate) async fn declare_exchange(&mut self, plan: &ExchangePlan) -> Result<Answer<()>, BusError> {
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        self.ask(&format!("make the exchange {}", plan.name), async |channel| {
            channel.exchange_declare(plan.name.into(), plan.kind.clone(), options, table(&plan.arguments)).await
        })
        .await
    }

    /// How many messages are ready in a queue; changes nothing, and says nothing of its arguments.
    pub(crate) async fn ready(&mut self, name: &str) -> Result<Answer<u64>, BusError> {
        let options = QueueDeclareOptions::durable().passive();
        let answer = self
            .ask(&format!("look for the queue {name}"), async |channel| {
                channel.queue_declare(name.into(), options, FieldTable::default()).await
            })
            .await?;
        Ok(match answer {
            Answer::Yes(queue) => Answer::Yes(u64::from(queue.message_count())),
            Answer::Missing => Answer::Missing,
            Answer::Forbidden(words) => Answer::Forbidden(words),
            Answer::Differs(words) => Answer::Differs(words),
        })
    }

    /// Makes a queue, or finds it equal.
    pub(crate) async fn declare_queue(&mut self, name: &str, arguments: &Arguments) -> Result<Answer<()>, BusError> {
        self.ask(&format!("make the queue {name}"), async |channel| {
            channel.queue_declare(name.into(), QueueDeclareOptions::durable(), table(arguments)).await.map(drop)
        })
        .await
    }

    /// Binds a queue, or finds it bound.
    pub(crate) async fn bind(&mut self, queue: &str, exchange: &str, key: &str) -> Result<Answer<()>, BusError> {
        self.ask(&format!("bind {queue} to {exchange}"), async |channel| {
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            channel.queue_bind(queue.into(), exchange.into(), key.into(), options, none).await
        })
        .await
    }
}

/// A channel for a few questions; dropped after them.
pub(crate) async fn open(session: &Session, answer_timeout: Duration) -> Result<Channel, BusError> {
    match timeout(answer_timeout, session.connection.create_channel()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => Err(fault("open a channel", error)),
        Err(_) => Err(late("open a channel")),
    }
}

/// What the broker said.
fn words(error: &Error) -> ServerWords {
    match error.kind() {
        ErrorKind::ProtocolError(error) => error.get_message().as_str().into(),
        _ => error.to_string().into(),
    }
}
