//! Holds the topology against its plan: over AMQP what that allows, by the management API the rest.
//! Changes nothing; each difference is named with the line that mends it.
//!
//! Over AMQP a thing that is there is declared with the plan's arguments, which changes nothing when
//! they are equal and is refused with the difference when not. Bindings and policies cannot be asked
//! for over AMQP. What could not be asked is said, never taken for right.

use crate::{
    asking::{Answer, Asking},
    management::Management,
    plan::{self, ExchangePlan, QueuePlan},
    policies::{self, Policies, TRIES_MAX},
    rights::Whose,
};
use loa_bus::{BusError, EVENTS_EXCHANGE, Finding, Found, Queue};
use serde_json::{Map, Value};

/// Why something cannot be told over AMQP.
const NEEDS_CONFIGURE: &str = "this user lacks the right `configure`, and `bus.rabbitmq.management_url` is not set";

/// The management API among the findings.
const MANAGEMENT: &str = "management API";

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
    if let Some(words) = policies.as_deref().and_then(policies::remark) {
        inspecting.note("policies", Found::Remark(words));
    }
    for plan in plan::queues() {
        inspecting.queue(&plan, policies.as_deref()).await?;
    }
    if inspecting.management.is_some() {
        // it has answered each question: what was said of its silence ends, whatever else is not known
        inspecting.note(MANAGEMENT, Found::Right);
    } else {
        inspecting.not_asked("bindings", "AMQP does not tell them; heartbeats prove those of the services' queues");
        inspecting.not_asked("policies", "AMQP does not tell them");
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
    fn note(&mut self, what: impl Into<String>, found: Found) {
        self.findings.push(Finding { what: what.into(), found });
    }

    fn not_asked(&mut self, what: &str, why: &str) {
        let asked_in_vain = self.findings.iter().any(|finding| finding.what == MANAGEMENT);
        let why = if asked_in_vain { why.to_owned() } else { format!("{why}; set `bus.rabbitmq.management_url`") };
        self.note(what, Found::NotAsked(why));
    }

    /// The management API did not answer: said once, and it is not asked again.
    fn gives_up(&mut self, why: String) {
        self.management = None;
        self.note(MANAGEMENT, Found::NotKnown(why));
    }

    async fn exchange(&mut self, plan: &ExchangePlan) -> Result<(), BusError> {
        let what = format!("exchange {}", plan.name);
        if let Some(management) = self.management {
            match management.exchange(plan.name).await {
                Ok(None) => {
                    self.note(what, missing(exchange_mend(plan)));
                    return Ok(());
                }
                Ok(Some(seen)) => {
                    let mut differences = arguments(&plan::json(&plan.arguments), &seen["arguments"]);
                    if seen["type"] != plan.word {
                        differences
                            .insert(0, format!("it is of the type {} instead of {}", shown(&seen["type"]), plan.word));
                    }
                    self.note(what, self.differs(differences, || self.delete_exchange(plan)));
                    return Ok(());
                }
                Err(why) => self.gives_up(why),
            }
        }
        let found = match self.asking.is_exchange_there(plan).await? {
            Answer::Missing => missing(exchange_mend(plan)),
            Answer::Forbidden(words) => Found::NotAsked(words),
            Answer::Yes(()) | Answer::Differs(_) => match self.asking.declare_exchange(plan).await? {
                Answer::Differs(words) => self.differs(vec![words], || self.delete_exchange(plan)),
                Answer::Forbidden(_) => Found::NotAsked(format!(
                    "it is there; of its kind and arguments nothing is known: {NEEDS_CONFIGURE}"
                )),
                Answer::Yes(()) | Answer::Missing => Found::Right,
            },
        };
        self.note(what, found);
        Ok(())
    }

    async fn queue(&mut self, plan: &QueuePlan, policies: Option<&[Value]>) -> Result<(), BusError> {
        let what = format!("queue {}", plan.name);
        if plan.of.is_none() {
            let leftover = leftover(&mut self.asking, plan).await?;
            self.findings.push(leftover);
        }
        if let Some(management) = self.management {
            match management.queue(plan.name).await {
                Ok(None) => {
                    self.note(what, missing(queue_mend(plan)));
                    return Ok(());
                }
                Ok(Some(seen)) => {
                    let differences = arguments(&plan::json(&plan.arguments), &seen["arguments"]);
                    let before = plan.arguments_before().map(|before| plan::json(&before));
                    let is_old = before.is_some_and(|before| arguments(&before, &seen["arguments"]).is_empty());
                    let mend = || if is_old { renew_mend() } else { self.delete_queue(plan) };
                    self.note(what, self.differs(differences, mend));
                    self.bindings(plan, management).await;
                    if let Some(policies) = policies {
                        let found = Policies { all: policies, whose: self.whose }.on(plan, &seen);
                        let found = policies::settled(found, plan, management, &mut self.tries_left).await;
                        self.note(format!("policies on {}", plan.name), found);
                    }
                    return Ok(());
                }
                Err(why) => self.gives_up(why),
            }
        }
        let found = match self.asking.ready(plan.name).await? {
            Answer::Missing => missing(queue_mend(plan)),
            Answer::Forbidden(words) => Found::NotAsked(words),
            Answer::Yes(_) | Answer::Differs(_) => match self.asking.declare_queue(plan.name, &plan.arguments).await? {
                Answer::Differs(words) => {
                    let is_old = match plan.arguments_before() {
                        Some(before) => matches!(self.asking.declare_queue(plan.name, &before).await?, Answer::Yes(())),
                        None => false,
                    };
                    self.differs(vec![words], || if is_old { renew_mend() } else { self.delete_queue(plan) })
                }
                Answer::Forbidden(_) => {
                    Found::NotAsked(format!("it is there; of its arguments nothing is known: {NEEDS_CONFIGURE}"))
                }
                Answer::Yes(()) | Answer::Missing => Found::Right,
            },
        };
        self.note(what, found);
        Ok(())
    }

    async fn bindings(&mut self, plan: &QueuePlan, management: &Management) {
        let what = format!("bindings of {}", plan.name);
        let bound = match management.bindings(plan.name).await {
            Ok(bound) => bound.unwrap_or_default(),
            Err(why) => {
                self.gives_up(why);
                return;
            }
        };
        let pairs: Vec<(String, String)> =
            plan.bindings.iter().map(|(exchange, key)| ((*exchange).to_owned(), (*key).to_owned())).collect();
        let said = |(exchange, key): &(String, String)| {
            format!("{} of {exchange}", if key.is_empty() { "any key" } else { key })
        };
        let lost: Vec<String> = pairs.iter().filter(|pair| !bound.contains(*pair)).map(said).collect();
        let others: Vec<String> = bound.iter().filter(|pair| !pairs.contains(pair)).map(said).collect();
        let found = if !lost.is_empty() {
            let how = format!("{} is not bound; what it should carry does not come here", lost.join(", "));
            Found::Wrong { how, mend: queue_mend(plan) }
        } else if !others.is_empty() {
            Found::Remark(format!("as they should be, and somebody else's beside them: {}", others.join(", ")))
        } else {
            Found::Right
        };
        self.note(what, found);
    }

    fn differs(&self, differences: Vec<String>, mend: impl FnOnce() -> String) -> Found {
        if differences.is_empty() { Found::Right } else { Found::Wrong { how: differences.join("; "), mend: mend() } }
    }

    fn delete_exchange(&self, plan: &ExchangePlan) -> String {
        format!(
            "delete the exchange {} of the vhost {} (on RabbitMQ's management page, or `rabbitmqadmin delete exchange`), and run \
             {} at once",
            plan.name,
            self.whose.vhost,
            exchange_mend(plan)
        )
    }

    fn delete_queue(&self, plan: &QueuePlan) -> String {
        let emptied = match plan.of {
            Some(_) => "let its service empty it",
            None => "redrive or discard what it keeps",
        };
        format!("{emptied}, then `{} {}`, then {}", self.whose.rabbitmqctl("delete_queue"), plan.name, queue_mend(plan))
    }
}

/// Whether a renewal was begun and not ended.
async fn leftover(asking: &mut Asking, plan: &QueuePlan) -> Result<Finding, BusError> {
    let name = plan.moving_name();
    let found = match asking.ready(&name).await? {
        Answer::Missing => Found::Absent,
        Answer::Forbidden(words) => Found::NotAsked(words),
        Answer::Yes(_) | Answer::Differs(_) => Found::Wrong {
            how: format!(
                "`loa migrate` was interrupted while it renewed {}; some of its messages may be here",
                plan.name
            ),
            mend: "`loa migrate` goes on where it was, and ends it".to_owned(),
        },
    };
    Ok(Finding { what: format!("queue {name}"), found })
}

fn missing(mend: String) -> Found {
    Found::Wrong { how: "it is missing".to_owned(), mend }
}

fn renew_mend() -> String {
    "`loa migrate` renews it and keeps what it has".to_owned()
}

fn exchange_mend(plan: &ExchangePlan) -> String {
    if plan.name == EVENTS_EXCHANGE {
        "`loa migrate`, then `loa replay --outlet feed`, the same for digest and push".to_owned()
    } else {
        "`loa migrate`".to_owned()
    }
}

fn queue_mend(plan: &QueuePlan) -> String {
    match plan.of {
        Some(queue @ (Queue::Feed | Queue::Digest | Queue::Push)) => {
            let outlet = queue.name().trim_start_matches("loa.");
            format!("`loa migrate`, then `loa replay --outlet {outlet}`")
        }
        Some(Queue::Archive) | None => "`loa migrate`".to_owned(),
    }
}

/// What differs between the arguments that should be and those that are.
fn arguments(should: &Map<String, Value>, seen: &Value) -> Vec<String> {
    let none = Map::new();
    let seen = seen.as_object().unwrap_or(&none);
    let lacking = should.iter().filter_map(|(name, value)| match seen.get(name) {
        Some(other) if other == value => None,
        Some(other) => Some(format!("`{name}` is {} instead of {}", shown(other), shown(value))),
        None => Some(format!("`{name}` is not set; it should be {}", shown(value))),
    });
    let others = seen.iter().filter(|(name, _)| !should.contains_key(*name));
    lacking.chain(others.map(|(name, value)| format!("`{name}` is {} and should not be set", shown(value)))).collect()
}

/// A value without the marks of JSON, where it is a text.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
                "`x-queue-type` is classic instead of quorum",
                "`x-overflow` is not set; it should be reject-publish",
                "`x-message-ttl` is 1000 and should not be set"
            ]
        );
        // RabbitMQ writes an empty object as an empty list now and then
        assert!(arguments(&Map::new(), &json!([])).is_empty());
    }
}
