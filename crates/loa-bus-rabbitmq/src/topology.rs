//! Makes what is missing of the topology (`declare`), and sees whether it is there (`check`).
//!
//! A passive question comes first, since it needs no right on most brokers and changes nothing; only
//! what is missing is made. RabbitMQ 4.2.6 and 4.3.0 want `configure` for passive questions too: a
//! refusal of one means "not known", never "missing".

pub(crate) use crate::asking::open;
use crate::{
    asking::{Answer, Asking},
    fault::{fault, is_not_found, late, missing},
    keeping,
    management::Management,
    plan::{self, ExchangePlan, QueuePlan},
    publish::Publisher,
    rights::Whose,
};
use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
use loa_bus::{BusError, BusErrorKind, Declared, Outcome};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::timeout;

/// Said of what was not there a moment ago as of what was, where nobody could be asked before.
const NOT_ASKED: &str = "there now; whether it was before, this user was not allowed to ask";
/// Said of what the bindings prove.
const SHOWN_BY_BINDINGS: &str =
    "not looked at: this user may neither look nor make (`configure`); that its bindings are there shows that it is";

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
            things.push(Declared { what: format!("exchange {} ({})", plan.name, plan.word), outcome, of: None });
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
                (Some(how), _) => Outcome::Renewed(how.clone()),
                (None, QueueState::Is(outcome)) => outcome,
                (None, QueueState::Old) => Outcome::There,
            };
            let is_new = outcome == Outcome::Made;
            things.push(Declared { what: format!("queue {}", plan.name), outcome, of: plan.of });
            self.bindings(&plan, is_new, &mut things).await?;
        }
        failure.map_or(Ok(things), Err)
    }

    async fn exchange(&mut self, plan: &ExchangePlan) -> Result<Outcome, BusError> {
        let found = self.asking.is_exchange_there(plan).await?;
        let what = format!("exchange {}", plan.name);
        Ok(match (found, self.asking.declare_exchange(plan).await?) {
            (_, Answer::Differs(words)) => return Err(differs(&what, &words)),
            (Answer::Missing, Answer::Forbidden(words)) => return Err(self.whose.may_not_make(&what, &words)),
            (Answer::Missing, _) => Outcome::Made,
            (Answer::Yes(()), _) => Outcome::There,
            (_, Answer::Forbidden(_)) => Outcome::Unsure(SHOWN_BY_BINDINGS.to_owned()),
            (..) => Outcome::Unsure(NOT_ASKED.to_owned()),
        })
    }

    async fn queue(&mut self, plan: &QueuePlan) -> Result<QueueState, BusError> {
        let found = self.asking.ready(plan.name).await?;
        let what = format!("queue {}", plan.name);
        Ok(match (found, self.asking.declare_queue(plan.name, &plan.arguments).await?) {
            (_, Answer::Differs(words)) => {
                let before = plan.arguments_before();
                let is_old = match &before {
                    Some(before) => matches!(self.asking.declare_queue(plan.name, before).await?, Answer::Yes(())),
                    None => false,
                };
                if !is_old {
                    return Err(differs(&what, &words));
                }
                QueueState::Old
            }
            (Answer::Missing, Answer::Forbidden(words)) => return Err(self.whose.may_not_make(&what, &words)),
            (Answer::Missing, _) => QueueState::Is(Outcome::Made),
            (Answer::Yes(_), _) => QueueState::Is(Outcome::There),
            (_, Answer::Forbidden(_)) => QueueState::Is(Outcome::Unsure(SHOWN_BY_BINDINGS.to_owned())),
            (..) => QueueState::Is(Outcome::Unsure(NOT_ASKED.to_owned())),
        })
    }

    /// Whether a renewal was begun and not ended.
    async fn is_being_renewed(&mut self, plan: &QueuePlan) -> Result<bool, BusError> {
        Ok(matches!(self.asking.ready(&plan.moving_name()).await?, Answer::Yes(_)))
    }

    async fn bindings(&mut self, plan: &QueuePlan, is_new: bool, things: &mut Vec<Declared>) -> Result<(), BusError> {
        let known = match self.management {
            None => {
                Err("whether it was before cannot be asked over AMQP; `bus.rabbitmq.management_url` would tell"
                    .to_owned())
            }
            Some(management) => management.bindings(plan.name).await.map(Option::unwrap_or_default),
        };
        for (exchange, key) in &plan.bindings {
            let what = format!("binding {} of {} to {exchange}", shown(key), plan.name);
            let outcome = match &known {
                Ok(bindings) if is_bound(bindings, exchange, key) => Outcome::There,
                _ => match (self.asking.bind(plan.name, exchange, key).await?, &known) {
                    (Answer::Yes(()), Ok(_)) => Outcome::Made,
                    (Answer::Yes(()), Err(_)) if is_new => Outcome::Made,
                    (Answer::Yes(()), Err(why)) => Outcome::Unsure(format!("bound; {why}")),
                    (Answer::Forbidden(words), Err(_)) if !is_new => Outcome::Unsure(format!(
                        "not known: this user may not bind ({words}), and nobody else can be asked over AMQP"
                    )),
                    (Answer::Forbidden(words), _) => return Err(self.whose.may_not_bind(&what, &words)),
                    (Answer::Missing | Answer::Differs(_), _) => {
                        let what = format!("queue {} or the exchange {exchange}", plan.name);
                        return Err(self.whose.may_not_make(&what, "the broker knows no such thing to bind"));
                    }
                },
            };
            things.push(Declared { what, outcome, of: plan.of });
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

/// A routing key for people.
pub(crate) fn shown(key: &str) -> &str {
    if key.is_empty() { "(any key)" } else { key }
}

pub(crate) fn is_bound(bindings: &BTreeSet<(String, String)>, exchange: &str, key: &str) -> bool {
    bindings.iter().any(|(from, by)| from == exchange && by == key)
}

fn differs(what: &str, words: &str) -> BusError {
    let text = format!(
        "the {what} exists with other arguments ({words}); it must be emptied and deleted before ours can be made: `loa \
         topology check` says how"
    );
    BusError::new(BusErrorKind::Refused, text).because("precondition_failed")
}

/// Looks for exchanges and queues, changing nothing. Returns what we were not allowed to look at.
pub(crate) async fn check(mut asking: Asking) -> Result<Vec<String>, BusError> {
    let mut not_known = Vec::new();
    for plan in plan::exchanges() {
        let what = format!("exchange {}", plan.name);
        match asking.is_exchange_there(&plan).await? {
            Answer::Missing => return Err(missing(&format!("the {what}"))),
            Answer::Forbidden(_) => not_known.push(what),
            Answer::Yes(()) | Answer::Differs(_) => {}
        }
    }
    for plan in plan::queues() {
        let what = format!("queue {}", plan.name);
        match asking.ready(plan.name).await? {
            Answer::Missing => return Err(missing(&format!("the {what}"))),
            Answer::Forbidden(_) => not_known.push(what),
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
        Ok(Err(error)) if is_not_found(&error) => Err(missing(&format!("the queue {name}"))),
        Ok(Err(error)) => Err(fault(&format!("look for the queue {name}"), error)),
        Err(_) => Err(late(&format!("look for the queue {name}"))),
    }
}
