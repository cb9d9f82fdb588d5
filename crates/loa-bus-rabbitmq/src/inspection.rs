//! Holds the topology against its plan: over AMQP what that allows, by the management API the rest.
//! Changes nothing; each difference is a fact with what mends it.
//!
//! Over AMQP a thing that is there is declared with the plan's arguments, which changes nothing when
//! they are equal and is refused with the difference when not. Bindings and policies cannot be asked
//! for over AMQP. What could not be asked is said, never taken for right.

use crate::{
    asking::{Answer, Asking},
    management::{Management, shown, text},
    plan::{self, ExchangePlan, QueuePlan},
    policies::{self, Policies, TRIES_MAX},
    rights::Whose,
};
use loa_bus::{BusError, EVENTS_EXCHANGE, Finding, Queue};
use loa_domain::{
    ManagementFailure, Outlet, Remake, ServerWords, TopologyBinding, TopologyDifference, TopologyMend,
    TopologyNotAsked, TopologyNotKnown, TopologyRemark, TopologyState, TopologyThing,
};
use serde_json::{Map, Value};

/// The renewals that were begun and not ended, and exchanges that are other than they should be: a lost alternate costs messages
/// and shows in nothing else. Asked over AMQP alone; what we may not look at is said.
pub(crate) async fn leftovers(asking: Asking, whose: &Whose) -> Result<Vec<Finding>, BusError> {
    let mut inspecting = Inspecting { asking, management: None, whose, tries_left: TRIES_MAX, findings: Vec::new() };
    for plan in plan::exchanges() {
        inspecting.exchange(&plan).await?;
    }
    for plan in plan::queues().iter().filter(|plan| plan.of.is_none()) {
        let leftover = leftover(&mut inspecting.asking, plan).await?;
        inspecting.findings.push(leftover);
    }
    Ok(inspecting.findings)
}

/// All findings.
pub(crate) async fn inspect(
    asking: Asking,
    management: Option<&Management>,
    whose: &Whose,
) -> Result<Vec<Finding>, BusError> {
    let mut inspecting = Inspecting { asking, management, whose, tries_left: TRIES_MAX, findings: Vec::new() };
    for plan in plan::exchanges() {
        inspecting.exchange(&plan).await?;
    }
    let policies = match inspecting.management {
        None => None,
        Some(management) => management.policies().await.map_err(|why| inspecting.gives_up(why)).ok(),
    };
    if let Some(remark) = policies.as_deref().and_then(policies::remark) {
        inspecting.note(TopologyThing::Policies, TopologyState::Noted { remark });
    }
    for plan in plan::queues() {
        inspecting.queue(&plan, policies.as_deref()).await?;
    }
    if inspecting.management.is_some() {
        // it has answered each question: what was said of its silence ends, whatever else is not known
        inspecting.note(TopologyThing::ManagementApi, TopologyState::Right);
    } else {
        // it was asked in vain, or is not set
        let is_api_set = inspecting.findings.iter().any(|finding| finding.thing == TopologyThing::ManagementApi);
        let not_asked = |why| TopologyState::NotAsked { why };
        inspecting.note(TopologyThing::Bindings, not_asked(TopologyNotAsked::Bindings { is_api_set }));
        inspecting.note(TopologyThing::Policies, not_asked(TopologyNotAsked::Policies { is_api_set }));
    }
    Ok(inspecting.findings)
}

struct Inspecting<'a> {
    asking: Asking,
    management: Option<&'a Management>,
    whose: &'a Whose,
    tries_left: u32,
    findings: Vec<Finding>,
}

impl Inspecting<'_> {
    fn note(&mut self, thing: TopologyThing, state: TopologyState) {
        self.findings.push(Finding { thing, state });
    }

    /// The management API did not answer: said once, and it is not asked again.
    fn gives_up(&mut self, failure: ManagementFailure) {
        self.management = None;
        let why = TopologyNotKnown::Api { failure };
        self.note(TopologyThing::ManagementApi, TopologyState::NotKnown { why });
    }

    async fn exchange(&mut self, plan: &ExchangePlan) -> Result<(), BusError> {
        let thing = TopologyThing::Exchange { name: plan.name.to_owned() };
        if let Some(management) = self.management {
            match management.exchange(plan.name).await {
                Ok(None) => {
                    self.note(thing, missing(exchange_remake(plan)));
                    return Ok(());
                }
                Ok(Some(seen)) => {
                    let mut differences = arguments(&plan::json(&plan.arguments), &seen["arguments"]);
                    if seen["type"] != plan.word {
                        let found = shown(&seen["type"]);
                        differences.insert(0, TopologyDifference::ExchangeType { found, should: plan.word });
                    }
                    self.note(thing, differs(differences, || self.delete_exchange(plan)));
                    return Ok(());
                }
                Err(why) => self.gives_up(why),
            }
        }
        let state = match self.asking.is_exchange_there(plan).await? {
            Answer::Missing => missing(exchange_remake(plan)),
            Answer::Forbidden(said) => forbidden(said),
            Answer::Yes(()) | Answer::Differs(_) => match self.asking.declare_exchange(plan).await? {
                Answer::Differs(said) => differs(told(said), || self.delete_exchange(plan)),
                Answer::Forbidden(_) => TopologyState::NotAsked { why: TopologyNotAsked::ExchangeNotTold },
                Answer::Yes(()) | Answer::Missing => TopologyState::Right,
            },
        };
        self.note(thing, state);
        Ok(())
    }

    async fn queue(&mut self, plan: &QueuePlan, policies: Option<&[Value]>) -> Result<(), BusError> {
        let thing = TopologyThing::Queue { name: plan.name.to_owned() };
        if plan.of.is_none() {
            let leftover = leftover(&mut self.asking, plan).await?;
            self.findings.push(leftover);
        }
        if let Some(management) = self.management {
            match management.queue(plan.name).await {
                Ok(None) => {
                    self.note(thing, missing(queue_remake(plan)));
                    return Ok(());
                }
                Ok(Some(seen)) => {
                    let differences = arguments(&plan::json(&plan.arguments), &seen["arguments"]);
                    let before = plan.arguments_before().map(|before| plan::json(&before));
                    let is_old = before.is_some_and(|before| arguments(&before, &seen["arguments"]).is_empty());
                    self.note(thing, differs(differences, || self.queue_mend(plan, is_old)));
                    self.bindings(plan, management).await;
                    if let Some(policies) = policies {
                        let known = Policies { all: policies, whose: self.whose }.on(plan, &seen);
                        let state = policies::settled(known, plan, management, &mut self.tries_left).await;
                        self.note(TopologyThing::PoliciesOn { queue: plan.name.to_owned() }, state);
                    }
                    return Ok(());
                }
                Err(why) => self.gives_up(why),
            }
        }
        let state = match self.asking.ready(plan.name).await? {
            Answer::Missing => missing(queue_remake(plan)),
            Answer::Forbidden(said) => forbidden(said),
            Answer::Yes(_) | Answer::Differs(_) => match self.asking.declare_queue(plan.name, &plan.arguments).await? {
                Answer::Differs(said) => {
                    let is_old = match plan.arguments_before() {
                        Some(before) => matches!(self.asking.declare_queue(plan.name, &before).await?, Answer::Yes(())),
                        None => false,
                    };
                    differs(told(said), || self.queue_mend(plan, is_old))
                }
                Answer::Forbidden(_) => TopologyState::NotAsked { why: TopologyNotAsked::QueueNotTold },
                Answer::Yes(()) | Answer::Missing => TopologyState::Right,
            },
        };
        self.note(thing, state);
        Ok(())
    }

    async fn bindings(&mut self, plan: &QueuePlan, management: &Management) {
        let bound = match management.bindings(plan.name).await {
            Ok(bound) => bound.unwrap_or_default(),
            Err(failure) => {
                self.gives_up(failure);
                return;
            }
        };
        let pairs: Vec<(String, String)> =
            plan.bindings.iter().map(|(exchange, key)| ((*exchange).to_owned(), (*key).to_owned())).collect();
        let binding =
            |(exchange, key): &(String, String)| TopologyBinding { exchange: exchange.clone(), key: key.clone() };
        let lost: Vec<TopologyBinding> = pairs.iter().filter(|pair| !bound.contains(*pair)).map(binding).collect();
        let others: Vec<TopologyBinding> = bound.iter().filter(|pair| !pairs.contains(pair)).map(binding).collect();
        let state = if !lost.is_empty() {
            let differences = vec![TopologyDifference::Unbound { bindings: lost }];
            TopologyState::Wrong { differences, mend: TopologyMend::Make { remake: queue_remake(plan) } }
        } else if !others.is_empty() {
            TopologyState::Noted { remark: TopologyRemark::OthersBindings { bindings: others } }
        } else {
            TopologyState::Right
        };
        self.note(TopologyThing::BindingsOf { queue: plan.name.to_owned() }, state);
    }

    fn delete_exchange(&self, plan: &ExchangePlan) -> TopologyMend {
        let (vhost, remake) = (self.whose.vhost.clone(), exchange_remake(plan));
        TopologyMend::DeleteExchange { exchange: plan.name, vhost, remake }
    }

    /// `is_old`: the queue has the arguments that programs before gave it.
    fn queue_mend(&self, plan: &QueuePlan, is_old: bool) -> TopologyMend {
        if is_old {
            return TopologyMend::Renew;
        }
        let command = format!("{} {}", self.whose.rabbitmqctl("delete_queue"), plan.name);
        TopologyMend::DeleteQueue { keeps: plan.of.is_none(), command, remake: queue_remake(plan) }
    }
}

/// Whether a renewal was begun and not ended.
async fn leftover(asking: &mut Asking, plan: &QueuePlan) -> Result<Finding, BusError> {
    let name = plan.moving_name();
    let state = match asking.ready(&name).await? {
        Answer::Missing => TopologyState::Absent,
        Answer::Forbidden(said) => forbidden(said),
        Answer::Yes(_) | Answer::Differs(_) => TopologyState::Wrong {
            differences: vec![TopologyDifference::RenewalInterrupted { queue: plan.name.to_owned() }],
            mend: TopologyMend::EndRenewal,
        },
    };
    Ok(Finding { thing: TopologyThing::Queue { name }, state })
}

fn missing(remake: Remake) -> TopologyState {
    TopologyState::Wrong { differences: vec![TopologyDifference::Missing], mend: TopologyMend::Make { remake } }
}

fn forbidden(said: ServerWords) -> TopologyState {
    TopologyState::NotAsked { why: TopologyNotAsked::Forbidden { said } }
}

fn told(said: ServerWords) -> Vec<TopologyDifference> {
    vec![TopologyDifference::Told { said }]
}

fn differs(differences: Vec<TopologyDifference>, mend: impl FnOnce() -> TopologyMend) -> TopologyState {
    if differences.is_empty() { TopologyState::Right } else { TopologyState::Wrong { differences, mend: mend() } }
}

/// What an exchange did not carry while it was missing, all outlets missed.
fn exchange_remake(plan: &ExchangePlan) -> Remake {
    if plan.name == EVENTS_EXCHANGE { Remake::ReplayToAll } else { Remake::Migrate }
}

fn queue_remake(plan: &QueuePlan) -> Remake {
    match plan.of {
        Some(Queue::Feed) => Remake::ReplayTo(Outlet::Feed),
        Some(Queue::Digest) => Remake::ReplayTo(Outlet::Digest),
        Some(Queue::Push) => Remake::ReplayTo(Outlet::Push),
        Some(Queue::Archive) | None => Remake::Migrate,
    }
}

/// What differs between the arguments that should be and those that are.
fn arguments(should: &Map<String, Value>, seen: &Value) -> Vec<TopologyDifference> {
    let none = Map::new();
    let seen = seen.as_object().unwrap_or(&none);
    let lacking = should.iter().filter_map(|(name, value)| {
        let (name, should) = (name.clone(), text(value));
        match seen.get(&name) {
            Some(other) if other == value => None,
            Some(other) => Some(TopologyDifference::Argument { name, found: shown(other), should }),
            None => Some(TopologyDifference::ArgumentMissing { name, should }),
        }
    });
    let others = seen.iter().filter(|(name, _)| !should.contains_key(*name));
    let too_many = |(name, value): (&String, &Value)| TopologyDifference::ArgumentTooMany {
        name: name.as_str().into(),
        found: shown(value),
    };
    lacking.chain(others.map(too_many)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_that_lack_differ_or_are_too_many_are_each_named() {
        let should = json!({"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-delivery-limit": 20});
        let seen = json!({"x-queue-type": "classic", "x-delivery-limit": 20, "x-message-ttl": 1000});
        let differences = arguments(should.as_object().unwrap(), &seen);
        assert_eq!(
            differences,
            [
                TopologyDifference::Argument {
                    name: "x-queue-type".into(),
                    found: "classic".into(),
                    should: "quorum".into()
                },
                TopologyDifference::ArgumentMissing { name: "x-overflow".into(), should: "reject-publish".into() },
                TopologyDifference::ArgumentTooMany { name: "x-message-ttl".into(), found: "1000".into() }
            ]
        );
        // RabbitMQ writes an empty object as an empty list now and then
        assert!(arguments(&Map::new(), &json!([])).is_empty());
    }
}
