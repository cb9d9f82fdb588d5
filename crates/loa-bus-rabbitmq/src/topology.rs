//! Makes what is missing of the topology (`declare`), and sees whether it is there (`check`).
//!
//! A passive question comes first, since it needs no right on most brokers and changes nothing; only
//! what is missing is made. RabbitMQ 4.2.6 and 4.3.0 want `configure` for passive questions too: a
//! refusal of one means "not known", never "missing".

pub(crate) use crate::asking::open;
use crate::{
    asking::{Answer, Asking},
    fault::{fault, is_not_found, late, missing, missing_queue},
    keeping,
    management::Management,
    plan::{self, ExchangePlan, QueuePlan},
    publish::Publisher,
    rights::Whose,
};
use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
use loa_bus::{BusError, BusErrorKind, Declared};
use loa_domain::{
    BusFact, BusReason, ServerWords, TopologyBinding, TopologyDoubt, TopologyOutcome as Outcome, TopologyThing,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::timeout;

/// Makes what is missing.
pub(crate) struct Declaring<'a> {
    pub(crate) asking: Asking,
    pub(crate) publisher: &'a Publisher,
    pub(crate) management: Option<&'a Management>,
    pub(crate) whose: &'a Whose,
    pub(crate) answer_timeout: Duration,
}

impl Declaring<'_> {
    /// Makes what is missing; what became of each thing.
    pub(crate) async fn run(mut self) -> Result<Vec<Declared>, BusError> {
        let mut things = Vec::new();
        for plan in plan::exchanges() {
            let outcome = self.exchange(&plan).await?;
            let thing = TopologyThing::ExchangeOfType { name: plan.name.to_owned(), exchange_type: plan.word };
            things.push(Declared { thing, outcome, of: None });
        }
        let (mut queues, mut old) = (Vec::new(), Vec::new());
        for plan in plan::queues() {
            let standing = self.queue(&plan).await?;
            if plan.of.is_none() && (standing == QueueState::Old || self.is_being_renewed(&plan).await?) {
                old.push(plan.clone());
            }
            queues.push((plan, standing));
        }
        let times = (self.answer_timeout, self.asking.heartbeat());
        let renewed = keeping::renew(&mut self.asking, self.publisher, &old, times).await;
        // what else is missing is made all the same
        let (renewed, failure) = match renewed {
            Ok(renewed) => (renewed, None),
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        for (plan, standing) in queues {
            let outcome = match (renewed.get(plan.name), standing) {
                (Some(messages), _) => Outcome::Renewed { messages: *messages },
                (None, QueueState::Is(outcome)) => outcome,
                (None, QueueState::Old) => Outcome::There,
            };
            let is_new = outcome == Outcome::Made;
            let thing = TopologyThing::Queue { name: plan.name.to_owned() };
            things.push(Declared { thing, outcome, of: plan.of });
            self.bindings(&plan, is_new, &mut things).await?;
        }
        failure.map_or(Ok(things), Err)
    }

    async fn exchange(&mut self, plan: &ExchangePlan) -> Result<Outcome, BusError> {
        let found = self.asking.is_exchange_there(plan).await?;
        let thing = || TopologyThing::Exchange { name: plan.name.to_owned() };
        Ok(match (found, self.asking.declare_exchange(plan).await?) {
            (_, Answer::Differs(words)) => return Err(differs(thing(), &words)),
            (Answer::Missing, Answer::Forbidden(words)) => {
                return Err(self.whose.may_not_make(thing(), words.as_str()));
            }
            (Answer::Missing, _) => Outcome::Made,
            (Answer::Yes(()), _) => Outcome::There,
            (_, Answer::Forbidden(_)) => unsure(TopologyDoubt::ShownByBindings),
            (..) => unsure(TopologyDoubt::NotAskedBefore),
        })
    }

    async fn queue(&mut self, plan: &QueuePlan) -> Result<QueueState, BusError> {
        let found = self.asking.ready(plan.name).await?;
        let thing = || TopologyThing::Queue { name: plan.name.to_owned() };
        Ok(match (found, self.asking.declare_queue(plan.name, &plan.arguments).await?) {
            (_, Answer::Differs(words)) => {
                let before = plan.arguments_before();
                let is_old = match &before {
                    Some(before) => matches!(self.asking.declare_queue(plan.name, before).await?, Answer::Yes(())),
                    None => false,
                };
                if !is_old {
                    return Err(differs(thing(), &words));
                }
                QueueState::Old
            }
            (Answer::Missing, Answer::Forbidden(words)) => {
                return Err(self.whose.may_not_make(thing(), words.as_str()));
            }
            (Answer::Missing, _) => QueueState::Is(Outcome::Made),
            (Answer::Yes(_), _) => QueueState::Is(Outcome::There),
            (_, Answer::Forbidden(_)) => QueueState::Is(unsure(TopologyDoubt::ShownByBindings)),
            (..) => QueueState::Is(unsure(TopologyDoubt::NotAskedBefore)),
        })
    }

    /// Whether a renewal was begun and not ended.
    async fn is_being_renewed(&mut self, plan: &QueuePlan) -> Result<bool, BusError> {
        Ok(matches!(self.asking.ready(&plan.moving_name()).await?, Answer::Yes(_)))
    }

    async fn bindings(&mut self, plan: &QueuePlan, is_new: bool, things: &mut Vec<Declared>) -> Result<(), BusError> {
        let known = match self.management {
            None => Err(TopologyDoubt::BoundOverAmqp),
            Some(management) => management
                .bindings(plan.name)
                .await
                .map(Option::unwrap_or_default)
                .map_err(|failure| TopologyDoubt::BoundUnanswered { failure }),
        };
        for (exchange, key) in &plan.bindings {
            let binding = TopologyBinding { exchange: (*exchange).to_owned(), key: (*key).to_owned() };
            let thing = TopologyThing::Binding { binding, queue: plan.name.to_owned() };
            let outcome = match &known {
                Ok(bindings) if is_bound(bindings, exchange, key) => Outcome::There,
                _ => match (self.asking.bind(plan.name, exchange, key).await?, &known) {
                    (Answer::Yes(()), Ok(_)) => Outcome::Made,
                    (Answer::Yes(()), Err(_)) if is_new => Outcome::Made,
                    (Answer::Yes(()), Err(doubt)) => unsure(doubt.clone()),
                    (Answer::Forbidden(said), Err(_)) if !is_new => unsure(TopologyDoubt::MayNotBind { said }),
                    (Answer::Forbidden(said), _) => {
                        return Err(self.whose.may_not_bind(thing, said.as_str()));
                    }
                    (Answer::Missing | Answer::Differs(_), _) => {
                        let queue = TopologyThing::Queue { name: plan.name.to_owned() };
                        let exchange = TopologyThing::Exchange { name: (*exchange).to_owned() };
                        return Err(self.whose.may_not_make_either(queue, exchange));
                    }
                },
            };
            things.push(Declared { thing, outcome, of: plan.of });
        }
        Ok(())
    }
}

/// How a queue stands before it is bound.
#[derive(PartialEq, Eq)]
enum QueueState {
    Is(Outcome),
    /// It keeps what it should, under the arguments that programs before gave it.
    Old,
}

fn unsure(doubt: TopologyDoubt) -> Outcome {
    Outcome::Unsure { doubt }
}

pub(crate) fn is_bound(bindings: &BTreeSet<(String, String)>, exchange: &str, key: &str) -> bool {
    bindings.iter().any(|(from, by)| from == exchange && by == key)
}

fn differs(thing: TopologyThing, words: &ServerWords) -> BusError {
    let text = format!(
        "the {thing} exists with other arguments ({words}); it must be emptied and deleted before ours can be made: `loa \
         topology check` says how"
    );
    let reason = BusReason { facts: vec![BusFact::OtherArguments { thing }], said: words.clone() };
    BusError::new(BusErrorKind::Refused, text).with(reason).because("precondition_failed")
}

/// Looks for exchanges and queues, changing nothing. Returns what we were not allowed to look at.
pub(crate) async fn check(mut asking: Asking) -> Result<Vec<TopologyThing>, BusError> {
    let mut not_known = Vec::new();
    for plan in plan::exchanges() {
        let thing = TopologyThing::Exchange { name: plan.name.to_owned() };
        match asking.is_exchange_there(&plan).await? {
            Answer::Missing => return Err(missing(thing)),
            Answer::Forbidden(_) => not_known.push(thing),
            Answer::Yes(()) | Answer::Differs(_) => {}
        }
    }
    for plan in plan::queues() {
        let thing = TopologyThing::Queue { name: plan.name.to_owned() };
        match asking.ready(plan.name).await? {
            Answer::Missing => return Err(missing(thing)),
            Answer::Forbidden(_) => not_known.push(thing),
            Answer::Yes(_) | Answer::Differs(_) => {}
        }
    }
    Ok(not_known)
}

/// Messages ready in a queue.
pub(crate) async fn depth(channel: &Channel, name: &'static str, answer_timeout: Duration) -> Result<u64, BusError> {
    let options = QueueDeclareOptions::durable().passive();
    let asked = channel.queue_declare(name.into(), options, FieldTable::default());
    match timeout(answer_timeout, asked).await {
        Ok(Ok(queue)) => Ok(u64::from(queue.message_count())),
        Ok(Err(error)) if is_not_found(&error) => Err(missing_queue(name)),
        Ok(Err(error)) => Err(fault(&format!("look for the queue {name}"), error)),
        Err(_) => Err(late(&format!("look for the queue {name}"))),
    }
}
