//! The problems (RFC 9457) that the producers' API answers with: what the decoder refused, what the
//! ledger or the bus could not do. Pointers lead into the text that the producer sent.

use crate::{IntakeError, raw_content::pointer_in_text};
use loa_event::{Refusal, RefusalKind};
use loa_http::Problem;

/// A refusal by the gate. `wrapper` is the member of the request's body that `data` came from: empty for the whole body.
pub(crate) fn of_refusal(refusal: &Refusal, wrapper: &str) -> Problem {
    let (status, title) = match refusal.kind() {
        RefusalKind::TooLarge => (413, "Too large"),
        RefusalKind::NotJson | RefusalKind::DuplicateKey | RefusalKind::TooDeep => (400, "The body cannot be read"),
        _ => (422, "The content is not accepted"),
    };
    let detail = match refusal.text {
        Some(_) => refusal.to_string(),
        None => refusal.sentence(),
    };
    let problem = Problem::new(status, title, detail);
    problem.at(pointer_in_text(&refusal.pointer, wrapper)).of_kind(refusal.kind().as_str())
}

/// Any error of intake, as a problem.
pub(crate) fn of_error(error: &IntakeError, wrapper: &str) -> Problem {
    match error {
        IntakeError::Refused(refusal) => of_refusal(refusal, wrapper),
        IntakeError::BadId(_) | IntakeError::Unknown(_) | IntakeError::Portal(_) => {
            Problem::not_found(error.to_string())
        }
        IntakeError::RetiredPortal(_) => Problem::new(409, "The portal was retired", error.to_string()),
        IntakeError::NotNewer { .. } => {
            Problem::new(409, "A newer revision stands", error.to_string()).at(format!("{wrapper}/revision"))
        }
        IntakeError::NothingFollows { .. } => Problem::new(409, "No revision is left", error.to_string()),
        IntakeError::Busy(_) => Problem::new(503, "Try again", error.to_string()),
        IntakeError::Ledger(cause) => Problem::of_ledger("intake", cause),
        IntakeError::Bus(cause) => {
            tracing::warn!(error = %cause, "the bus does not take events");
            Problem::unavailable("the bus does not take events just now; try again")
        }
    }
}
