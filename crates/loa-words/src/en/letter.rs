//! Why a message is among the dead letters, and what to do about it, in English. The reason is a clause, as a refusal is.

use super::flaw::flaw;
use loa_domain::{Advice, DeadCause, MessagePart, NotCarried, Quoted, StayReason};

/// Why it is dead.
pub(super) fn cause(cause: &DeadCause) -> String {
    match cause {
        DeadCause::Flaw(found) => flaw(found),
        DeadCause::DeliveryLimit => "given back too often: the delivery limit".into(),
        DeadCause::Broker { said } => format!("moved to the dead letters by the broker: {said}"),
        DeadCause::NotRouted { key, bindings } => {
            format!("no queue takes the routing key {key}; they are bound with {bindings}")
        }
        DeadCause::Unsaid => "moved to the dead letters, nobody said why".into(),
        DeadCause::Unreadable { said } => format!("the file of queues holds what is no message any more ({said})"),
    }
}

/// Why it stays.
pub(super) fn stays(why: &StayReason) -> String {
    match why {
        StayReason::NotRouted { key, bindings } => {
            cause(&DeadCause::NotRouted { key: key.clone(), bindings: bindings.clone() })
        }
        StayReason::NotCarried(why) => not_carried(why),
    }
}

/// What to do.
pub(super) fn advice(advice: &Advice) -> String {
    match advice {
        Advice::PortalUnknown { source } => format!(
            "It is a good event of a portal{} that this installation does not know, or that was retired. `loa portals list` names \
             those it knows; `loa portals add` adds one, and every process knows it within seconds.",
            beside(source.as_ref())
        ),
        Advice::OncePortalIsThere { letter } => {
            format!("Once the portal is there: `loa dead-letters redrive {letter}`.")
        }
        Advice::IfNobodys { letter } => {
            format!("Is it nobody's whose news belong here: `loa dead-letters discard {letter}`.")
        }
        Advice::ServiceAtFault { queue, message } => format!(
            "This is not the producer's fault: the service of `{queue}` tried it over and over. Its log says why (`{}`).",
            message.escaped()
        ),
        Advice::OnceMended { letter } => format!("Once that is mended: `loa dead-letters redrive {letter}`."),
        Advice::ProducerSendsAgain { source } => format!(
            "The producer{} sent this, and must send it again as it should be; tell them what is wrong and where. A corrected \
             event may have the same id, for this one was never accepted.",
            beside(source.as_ref())
        ),
        Advice::OnceCorrected { letter } => {
            format!("Once the corrected event has come: `loa dead-letters discard {letter}`.")
        }
        Advice::IfOurs { letter } => format!(
            "Were the fault on this side (an older Loa, a limit, a directory of areas): mend it, then `loa dead-letters redrive \
             {letter}`."
        ),
        Advice::WholeMessage { id } => {
            format!("`--id={id} --all` instead of the name means the other letters of this message, too.")
        }
        Advice::NoOutlet { source } => format!(
            "No outlet has it. The producer{} must publish under the contract's routing keys (docs/asyncapi.yaml).",
            beside(source.as_ref())
        ),
        Advice::UnderKey { letter, key } => {
            format!("To bring it to every outlet now: `loa dead-letters redrive {letter} --key {key}`.")
        }
        Advice::NoEvent { flaw: found, position, letter } => {
            let position = position.escaped();
            format!(
                "It is no event of the contract either: {}{}. If nobody misses it: `loa dead-letters discard {letter}`.",
                flaw(found),
                if position.is_empty() { String::new() } else { format!(" (at {position})") }
            )
        }
    }
}

fn beside(source: Option<&Quoted>) -> String {
    source.map_or_else(String::new, |source| format!(" ({})", source.escaped()))
}

/// Why the bus does not take a message as it is.
pub(super) fn not_carried(why: &NotCarried) -> String {
    match why {
        NotCarried::TooLong { part, bytes, bytes_max } => {
            format!("{} has {bytes} bytes; at most {bytes_max} can be carried", message_part(*part))
        }
        NotCarried::TooLargeForBroker { bytes, said } => format!(
            "the broker refuses this message of {bytes} bytes; `max_message_size` of the broker must be larger (“{said}”)"
        ),
        NotCarried::Unreadable => "its row cannot be read; the log says more".into(),
        NotCarried::Told { said } => format!("“{said}”"),
    }
}

fn message_part(part: MessagePart) -> &'static str {
    match part {
        MessagePart::Body => "the body",
        MessagePart::RoutingKey => "the routing key",
        MessagePart::MessageId => "the message id",
        MessagePart::ContentType => "the content type",
        MessagePart::HeaderName => "a header's name",
        MessagePart::Headers => "the headers together",
    }
}
