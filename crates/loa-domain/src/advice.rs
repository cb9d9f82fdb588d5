//! What to do about a dead letter, or a message that no queue took, as facts. The console's rules choose them, `loa-words` says
//! them.

use crate::{Flaw, Quoted};

/// One thing to do, or to know before. Letters are named as operators name them (`feed/3f9a2c1b4d5e`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// It is a good event of a portal that this installation does not know, or that was retired.
    PortalUnknown {
        /// Its source; `None`: it cannot be read.
        source: Option<Quoted>,
    },
    /// Redrive it once the portal is there.
    OncePortalIsThere {
        /// Which letter.
        letter: String,
    },
    /// Discard it if its news belong to nobody here.
    IfNobodys {
        /// Which letter.
        letter: String,
    },
    /// The service of the queue could not accept it; the producer is not at fault.
    ServiceAtFault {
        /// Whose queue, in a word.
        queue: &'static str,
        /// By which id the service's log speaks of it.
        message: Quoted,
    },
    /// Redrive it once the service's fault is mended.
    OnceMended {
        /// Which letter.
        letter: String,
    },
    /// The producer must send it again as it should be.
    ProducerSendsAgain {
        /// The event's source; `None`: it cannot be read.
        source: Option<Quoted>,
    },
    /// Discard it once the corrected event has come.
    OnceCorrected {
        /// Which letter.
        letter: String,
    },
    /// Redrive it if the fault was on this side.
    IfOurs {
        /// Which letter.
        letter: String,
    },
    /// How to mean the other letters of the message, too.
    WholeMessage {
        /// The message's id, as a shell takes it.
        id: String,
    },
    /// No outlet has it, for its producer published it under a routing key that no queue takes.
    NoOutlet {
        /// The event's source; `None`: it cannot be read.
        source: Option<Quoted>,
    },
    /// Redrive it under the key of the contract.
    UnderKey {
        /// Which letter.
        letter: String,
        /// The key, as a shell takes it.
        key: String,
    },
    /// It is no event of the contract either.
    NoEvent {
        /// What is wrong with it.
        flaw: Flaw,
        /// Where; empty: the whole.
        position: Quoted,
        /// Which letter.
        letter: String,
    },
}
